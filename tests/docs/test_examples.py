"""The programs of the documents, as they are printed there, do what the documents say they do."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.program import ROOT, Finished, run_program, start_program
from support.waiting import wait_until

if TYPE_CHECKING:
    from support.program import Running

EXAMPLES = ROOT / "examples"

#: What each program has printed by the time it is interrupted, in the words of the documents.
PRINTED = {
    "tutorial/001.py": "",
    "tutorial/002.py": "",
    "tutorial/003.py": "Hello World!\n",
    "tutorial/004.py": "Hello I'm Bob!\nHello I'm Fred!\n",
    "tutorial/006.py": "Woof! I'm Bob!\nWoof! I'm Fred!\n",
    "tutorial/007.py": "Woof! I'm Bob!\n",
    "tutorial/008.py": "Woof! I'm Bob!\nWoof! I'm Fred!\n",
    "handler_returns.py": "In pound:\nBob\nFred\n",
    "handler_annotation.py": "Start event detected\n",
}


def runs(program: Running) -> bool:
    """Tell whether the program traps TERM, which a running tree does and a bare Python does not."""
    status = Path(f"/proc/{program.process.pid}/status").read_text()
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return bool(int(caught, 16) & 1 << (signal.SIGTERM - 1)) or not program.is_running


def run_until(program: str | Path, printed: str) -> Finished:
    """Run *program* until it has printed *printed*, then interrupt it."""
    with start_program(program) as running:
        wait_until(lambda: runs(running))
        if printed:
            running.wait_for(printed)
        running.interrupt()
        return running.finish()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads which signals a program traps")
@pytest.mark.parametrize("name", PRINTED)
def test_a_program_prints_what_the_documents_say_until_it_is_interrupted(name: str) -> None:
    finished = run_until(EXAMPLES / name, PRINTED[name])
    assert finished.check().stdout == PRINTED[name]


def test_hello_says_hello_and_ends_by_itself() -> None:
    assert run_program(EXAMPLES / "hello.py").check() == Finished(0, "Hello World!\n", "")


def test_the_fifth_program_prints_its_tree() -> None:
    finished = run_until(EXAMPLES / "tutorial" / "005.py", "Hello I'm Fred!\n").check()
    lines = [re.sub(r" \d+:", " PID:", line) for line in finished.stdout.splitlines()]
    assert [line for line in lines if line] == [
        "* <Pound/* PID:MainThread (queued=0) [R]>",
        " * <Bob/* PID:MainThread (queued=0) [S]>",
        " * <Fred/* PID:MainThread (queued=0) [S]>",
        "Hello I'm Bob!",
        "Hello I'm Fred!",
    ]


NINE = EXAMPLES / "tutorial" / "009.py"


def test_the_ninth_program_goes_on_in_spite_of_its_mistake_and_tells_of_it() -> None:
    with start_program(NINE) as running:
        wait_until(lambda: running.stderr.count("NameError") >= 2)
        running.interrupt()
        finished = running.finish().check()
    assert finished.stdout == ""
    assert "name 'name' is not defined" in finished.stderr
    assert '"Woof! I\'m %s!" % name' in finished.stderr


def test_the_ninth_program_with_the_debugger_shows_every_event_and_both_mistakes() -> None:
    program = NINE.read_text(encoding="utf-8").replace(
        "Pound().run()", "from circuits import Debugger\n\n(Pound() + Debugger()).run()"
    )
    with start_program(program) as running:
        wait_until(lambda: running.stderr.count("<bark[fred]") and running.stderr.count("NameError") >= 2)
        running.interrupt()
        finished = running.finish().check()
    names = re.findall(r"^<(\w+)\[([\w*]+)\]", finished.stderr, re.MULTILINE)
    assert [name for name in names if name[0] not in ("exception", "bark_failure")] == [
        ("registered", "bob"),
        ("registered", "fred"),
        ("registered", "*"),
        ("started", "*"),
        ("bark", "bob"),
        ("bark", "fred"),
        ("signal", "*"),
        ("stopped", "*"),
    ]


def test_the_ninth_program_corrected_barks_twice() -> None:
    program = NINE.read_text(encoding="utf-8").replace("% name)", "% self.name)")
    assert run_until(program, "Fred!\n").check().stdout == "Woof! I'm Bob!\nWoof! I'm Fred!\n"
