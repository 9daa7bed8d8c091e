"""What the Makefile and `.ci/run` promise, tried in a folder whose name has spaces, without any network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import start_program
from support.program import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")

#: A make that started these tests must not steer the ones they start.
NO_MAKE = {"MAKEFLAGS": "", "MAKELEVEL": "", "MFLAGS": ""}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which everything is installed already, and whose demo is ours."""
    folder = tmp_path / "a path with spaces"
    for name in (".venv/bin", "examples", ".ci"):
        (folder / name).mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", ".ci/run"):
        shutil.copy(ROOT / name, folder / name)
    (folder / ".venv/bin/python").symlink_to(sys.executable)
    os.utime(folder / "pyproject.toml", (0, 0))
    for stamp in (".run", ".test", ".lint"):
        (folder / ".venv" / stamp).touch()
    return folder


def make(checkout: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *args], cwd=checkout, env={**os.environ, **NO_MAKE, **environment},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip


def test_make_alone_says_what_can_be_made(checkout: Path) -> None:
    listed = [line.split()[1] for line in make(checkout).stdout.splitlines()]

    assert listed == ["help", "run", "test", "check", "bench", "docs", "fuzz", "cover", "clean"]


@pytest.mark.parametrize("target", ["run", "test", "check", "docs", "cover", "bench"])
def test_nothing_is_installed_again_while_nothing_changed(checkout: Path, target: str) -> None:
    assert "pip" not in make(checkout, "-n", target).stdout


@pytest.mark.parametrize("target", ["run", "test", "check"])
def test_a_changed_pyproject_installs_again(checkout: Path, target: str) -> None:
    for stamp in (".run", ".test", ".lint"):
        os.utime(checkout / ".venv" / stamp, (1, 1))
    (checkout / "pyproject.toml").touch()

    assert "pip -qq --no-input install --editable ." in make(checkout, "-n", target).stdout


def test_a_python_that_has_gone_makes_a_new_environment(checkout: Path) -> None:
    python = checkout / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python")

    assert "-m venv .venv" in make(checkout, "-n", "run").stdout


def test_without_a_new_enough_python_it_says_so(checkout: Path) -> None:
    shutil.rmtree(checkout / ".venv")

    made = make(checkout, "run", "PYTHON=")

    assert made.returncode != 0
    assert "Python 3.11 or newer is needed" in made.stdout


#: Gives the command in its arguments a terminal of its own, on which what we send is typed.
TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


def test_control_c_ends_the_demo_and_make_with_exit_code_0(checkout: Path) -> None:
    (checkout / "examples/chat.py").write_text(
        "import time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    print('orderly')\n"
    )
    with start_program(TERMINAL, "make", "run", cwd=checkout, env=NO_MAKE) as terminal:
        terminal.wait_for("ready\r\n")
        terminal.send("\x03")
        terminal.wait_for("orderly")
        finished = terminal.finish()

    # make has nothing to add, such as "Interrupt" or an error of its own.
    assert finished.stdout.replace("\r", "").replace("^C", "") == "ready\norderly\n"
    assert finished.returncode == 0


def test_a_demo_that_fails_fails_make(checkout: Path) -> None:
    (checkout / "examples/chat.py").write_text("raise SystemExit('no port is free')")

    made = make(checkout, "run")

    assert made.returncode == 2
    assert "no port is free" in made.stderr
    assert "tty" not in made.stderr


@pytest.mark.parametrize("code", [0, 2])
def test_ci_runs_make_test_and_nothing_else(checkout: Path, tmp_path: Path, code: int) -> None:
    fake = tmp_path / "make"
    fake.write_text(f'#!/bin/sh\necho "make $* in $PWD"\nexit {code}\n')
    fake.chmod(0o755)

    finished = subprocess.run(
        ["bash", str(checkout / ".ci/run")], cwd="/", env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip

    assert (finished.stdout, finished.stderr) == (f"make test in {checkout}\n", "")
    assert finished.returncode == code
