from __future__ import annotations

import os
import subprocess
import sys

import pytest

from support import run_program, start_program
from support.program import SRC


def test_a_program_gets_input_and_arguments_and_leaves_what_it_said() -> None:
    program = "import sys; print(input(), sys.argv[1:]); print('oh', file=sys.stderr); sys.exit(3)"

    finished = run_program(program, "a", "b", stdin="hello\n")

    assert (finished.returncode, finished.stdout, finished.stderr) == (3, "hello ['a', 'b']\n", "oh\n")


def test_a_program_imports_the_source_of_this_repository() -> None:
    assert run_program("import evkernel; print(evkernel.__file__)").check().stdout.startswith(str(SRC))


def test_the_python_settings_of_the_caller_do_not_reach_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")

    assert run_program("print(__debug__)").stdout == "True\n"


def test_a_warning_ends_a_program() -> None:
    assert "DeprecationWarning" in run_program("import warnings; warnings.warn('x', DeprecationWarning)").stderr


def test_a_program_runs_in_an_empty_folder_unless_told_where() -> None:
    program = "import os, sys; print(os.listdir() in ([], ['program.py']))"

    assert run_program(program).check().stdout == "True\n"
    assert run_program("import os; print(os.path.samefile(os.getcwd(), '/'))", cwd=SRC.parents[-1]).stdout == "True\n"


def test_a_program_that_does_not_end_is_killed_and_reported() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run_program("import time; time.sleep(60)", timeout=0.2)


def test_a_program_that_never_reads_its_input_is_no_trouble() -> None:
    assert run_program("", stdin="x" * 1_000_000).returncode == 0


def test_a_failed_check_shows_everything_the_program_said() -> None:
    with pytest.raises(AssertionError, match=r"(?s)exit code 1.*-- stdout\nso far.*-- stderr\nTraceback"):
        run_program("print('so far'); 1 / 0").check()


def test_a_prompt_without_a_line_end_can_be_waited_for() -> None:
    with start_program("print(input('name? '), 'it is')") as running:
        assert running.wait_for("name? ") == "name? "
        running.send("Ada\n")
        assert running.wait_for("it is\n") == "name? Ada it is\n"
        assert running.finish().returncode == 0


def test_waiting_for_what_a_program_never_says_fails_when_it_ends() -> None:
    with (
        start_program("print('something else')") as running,
        pytest.raises(AssertionError, match=r"(?s)never said 'listening'.*something else"),
    ):
        running.wait_for("listening")


def test_an_interrupt_is_what_control_c_does() -> None:
    program = """
import time
try:
    print("ready")
    time.sleep(60)
except KeyboardInterrupt:
    print("orderly")
"""
    with start_program(program) as running:
        running.wait_for("ready\n")
        running.interrupt()
        assert running.finish().check().stdout == "ready\norderly\n"


def test_a_program_still_running_at_the_end_of_its_block_is_killed() -> None:
    with start_program("import time; print('ready'); time.sleep(60)") as running:
        running.wait_for("ready\n")

    assert running.process.returncode == -9


def test_much_on_both_outputs_at_once_does_not_block() -> None:
    program = "import sys; [print('x' * 1000, file=f) for _ in range(500) for f in (sys.stdout, sys.stderr)]"

    finished = run_program(program)

    assert (len(finished.stdout), len(finished.stderr)) == (500_500, 500_500)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="descriptors are counted in /proc")
def test_a_finished_program_leaves_no_descriptor_open() -> None:
    before = os.listdir("/proc/self/fd")

    run_program("print(1)")

    assert os.listdir("/proc/self/fd") == before
    assert sys.exc_info() == (None, None, None)
