from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from support import leaks
from support.leaks import Holdings, kill_children
from support.program import ROOT, run_program

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are read from /proc")


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 0.05)


def test_nothing_new_is_no_leak() -> None:
    leaked = Holdings.now().leaked_since()

    assert not leaked
    assert str(leaked) == ""


@needs_proc
def test_an_open_descriptor_is_a_leak_with_number_and_target() -> None:
    before = Holdings.now()
    reader, writer = os.pipe()

    leaked = before.leaked_since()

    assert {number for number, _ in leaked.descriptors} == {reader, writer}
    assert f"descriptor {reader} (pipe:[" in str(leaked)
    os.close(reader)
    os.close(writer)
    assert not before.leaked_since()


@needs_proc
def test_a_number_that_names_another_file_than_before_is_a_leak() -> None:
    first = os.open("/dev/null", os.O_RDONLY)
    before = Holdings.now()
    os.close(first)
    second = os.open("/", os.O_RDONLY)
    assert second == first

    assert before.leaked_since().descriptors == {(second, "/")}
    os.close(second)


@needs_proc
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # that is how garbage closes a socket
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_what_only_waits_to_be_collected_is_no_leak() -> None:
    before = Holdings.now()
    holder = SimpleNamespace(socket=socket.socket())
    holder.itself = holder
    del holder

    assert not before.leaked_since()


def test_a_thread_that_goes_on_is_a_leak_with_its_name() -> None:
    before = Holdings.now()
    is_over = threading.Event()
    thread = threading.Thread(target=is_over.wait, name="endless")
    thread.start()

    assert str(before.leaked_since()) == "thread 'endless'"
    is_over.set()
    thread.join()
    assert not before.leaked_since()


def test_a_thread_that_is_about_to_end_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 10)
    before = Holdings.now()
    threading.Timer(0.05, int).start()

    assert not before.leaked_since()


@needs_proc
def test_a_child_process_is_a_leak_until_it_is_reaped() -> None:
    before = Holdings.now()
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody asked for its exit code

    assert str(before.leaked_since()) == f"child process {child.pid}"
    child.wait()
    assert not before.leaked_since()


@needs_proc
def test_a_leaked_child_can_be_killed() -> None:
    before = Holdings.now()
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    kill_children(before.leaked_since().children)

    assert not before.leaked_since()
    child.wait()


@needs_proc
def test_the_helper_process_of_multiprocessing_is_nobodys_leak() -> None:
    program = f"""
import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
from multiprocessing import resource_tracker
from support.leaks import Holdings
before = Holdings.now()
resource_tracker.ensure_running()
print(Holdings.now().since(before))
"""
    assert run_program(program).check().stdout == "\n"


CONFTEST = ROOT / "tests" / "conftest.py"


def run_pytest(tmp_path: Path, tests: str) -> str:
    """Run *tests* in a pytest of their own under this repository's conftest, and return what it prints."""
    (tmp_path / "conftest.py").write_text(CONFTEST.read_text())
    (tmp_path / "test_it.py").write_text(tests)
    (tmp_path / "pytest.toml").write_text('[pytest]\nstrict = true\nmarkers = ["leaks(reason)"]\n')
    program = (
        f"import sys, pytest; sys.path.insert(0, {str(ROOT / 'tests')!r});"
        "sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', '--tb=short']))"
    )
    return run_program(program, cwd=tmp_path).stdout


@needs_proc
@pytest.mark.slow
def test_a_test_that_leaks_fails_and_the_next_one_is_not_blamed(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
import os
def test_leaks():
    os.dup(0)
def test_is_innocent():
    pass
""",
    )

    assert "leaked descriptor" in output
    assert "ERROR test_it.py::test_leaks" in output
    assert "2 passed, 1 error" in output


@needs_proc
@pytest.mark.slow
def test_a_test_with_a_reason_may_leak_and_one_without_may_not(tmp_path: Path) -> None:
    output = run_pytest(
        tmp_path,
        """
import os, pytest
@pytest.mark.leaks("to show that it can")
def test_may_leak():
    os.dup(0)
@pytest.mark.leaks()
def test_gives_no_reason():
    pass
""",
    )

    assert "@pytest.mark.leaks needs a reason" in output
    assert "1 passed, 1 error" in output


@needs_proc
@pytest.mark.slow
def test_a_failed_test_is_not_blamed_twice(tmp_path: Path) -> None:
    output = run_pytest(tmp_path, "import os\ndef test_fails():\n    os.dup(0)\n    assert 0\n")

    assert "leaked" not in output
    assert "1 failed" in output
