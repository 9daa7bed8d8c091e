"""A program ends in order: what was fired is handled, then `stopped`; with the status and the text it asked for.

Each of these is a process of its own, because signals and exit codes belong to processes.
"""

from __future__ import annotations

import signal
import sys

import pytest

from support import run_program, start_program

HELLO = """
from circuits import Component, Event, handler


class hello(Event):
    "hello Event"


class App(Component):

    @handler("hello")
    def _on_hello(self):
        print("Hello World!")

    def started(self, *args):
        self.fire(hello())
        raise SystemExit(LEAVE)

    def stopped(self, *args):
        print("stopped")


App().run()
print("after the run")
"""


def leaving(what: str) -> str:
    return HELLO.replace("LEAVE", what)


def test_events_fired_before_the_end_are_still_handled() -> None:
    assert run_program(leaving("0")).check().stdout == "Hello World!\nstopped\n"


@pytest.mark.parametrize(("argument", "status"), [("0", 0), ("3", 3), ("True", 1)])
def test_system_exit_ends_the_program_with_its_status(argument: str, status: int) -> None:
    finished = run_program(leaving(argument))

    assert (finished.returncode, finished.stderr) == (status, "")
    assert finished.stdout == "Hello World!\nstopped\n"


def test_system_exit_with_a_text_puts_exactly_that_on_stderr_with_status_one() -> None:
    finished = run_program(leaving("'no such room'"))

    assert (finished.returncode, finished.stderr) == (1, "no such room\n")
    assert finished.stdout == "Hello World!\nstopped\n"


def test_system_exit_without_a_status_just_ends_the_run() -> None:
    finished = run_program(leaving("")).check()

    assert finished.stdout == "Hello World!\nstopped\nafter the run\n"
    assert finished.stderr == ""


@pytest.mark.parametrize("where", ["generator", "coroutine"])
def test_system_exit_in_a_generator_or_coroutine_does_the_same(where: str) -> None:
    program = leaving("3")
    if where == "generator":
        program = program.replace("        self.fire(hello())", "        yield None\n        self.fire(hello())")
    else:
        program = program.replace("    def started", "    async def started")
    finished = run_program(program)

    assert (finished.returncode, finished.stderr) == (3, "")
    assert finished.stdout == "Hello World!\nstopped\n"


@pytest.mark.parametrize(
    ("call", "status", "stderr"),
    [("self.stop()", 0, ""), ("self.stop(0)", 0, ""), ("self.stop(5)", 5, ""), ("self.stop('full')", 1, "full\n")],
)
def test_stop_may_be_given_the_status(call: str, status: int, stderr: str) -> None:
    finished = run_program(leaving("0").replace("raise SystemExit(0)", call))

    assert (finished.returncode, finished.stderr) == (status, stderr)
    assert finished.stdout.startswith("Hello World!\nstopped\n")


def test_keyboard_interrupt_in_a_handler_ends_the_run() -> None:
    finished = run_program(leaving("0").replace("SystemExit(0)", "KeyboardInterrupt")).check()

    assert finished.stdout == "Hello World!\nstopped\nafter the run\n"


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────

WAITING = """
import sys
from circuits import Component, Event, handler, sleep


class App(Component):

    KIND_def started(self, *args):
        print("ready", flush=True)
        WAIT

    def stopped(self, *args):
        print("stopped", flush=True)

    EXTRA


App().run()
print("after the run")
"""

KINDS = {
    "asleep": ("", "pass"),
    "in a generator": ("", "yield sleep(1000)"),
    "in a coroutine": ("async ", "await sleep(1000)"),
}


def waiting(kind: str = "asleep", extra: str = "pass") -> str:
    prefix, wait = KINDS[kind]
    return WAITING.replace("KIND_", prefix).replace("WAIT", wait).replace("EXTRA", extra)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "kill"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_signal_ends_the_program_in_order(number: signal.Signals, kind: str) -> None:
    with start_program(waiting(kind)) as program:
        program.wait_for("ready")
        program.process.send_signal(number)
        finished = program.finish().check()

    assert finished.stdout == "ready\nstopped\nafter the run\n"
    assert finished.stderr == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["^C", "kill"])
def test_a_handler_is_told_which_signal_it_was(number: signal.Signals) -> None:
    extra = "def signal(self, signo, stack): print(signo, type(stack).__name__, flush=True)"
    with start_program(waiting(extra=extra)) as program:
        program.wait_for("ready")
        program.process.send_signal(number)
        finished = program.finish().check()

    assert finished.stdout == f"ready\n{int(number)} frame\nstopped\nafter the run\n"


def test_a_handler_that_stops_the_event_keeps_the_program_running() -> None:
    extra = """@handler("signal", channel="*")
    def _on_signal(self, event, signo, stack):
        self.count = getattr(self, "count", 0) + 1
        print("ouch", self.count, flush=True)
        if self.count < 3:
            event.stop()
"""
    with start_program(waiting(extra=extra)) as program:
        program.wait_for("ready")
        for count in (1, 2, 3):
            program.interrupt()
            program.wait_for(f"ouch {count}")
        finished = program.finish().check()

    assert finished.stdout == "ready\nouch 1\nouch 2\nouch 3\nstopped\nafter the run\n"


STUCK = {
    "a function that never ends": """def stopped(self, *args):
        import time
        print("stuck", flush=True)
        while True:
            time.sleep(0.01)
""",
    "a function that catches everything": """def stopped(self, *args):
        import time
        print("stuck", flush=True)
        while True:
            try:
                time.sleep(0.01)
            except BaseException:
                return
""",
    "a coroutine that never ends": """async def stopped(self, *args):
        print("stuck", flush=True)
        await sleep(1000)
""",
    "a storm of events": """def stopped(self, *args):
        self.fire(Event.create("storm", 1))

    def storm(self, number):
        if number == 1000:
            print("stuck", flush=True)
        self.fire(Event.create("storm", number + 1))
""",
}


@pytest.mark.parametrize("kind", STUCK)
def test_a_second_interrupt_ends_a_program_that_is_stuck_while_it_stops(kind: str) -> None:
    program_text = waiting(extra=STUCK[kind]).replace('print("stopped", flush=True)', "pass")
    with start_program(program_text) as program:
        program.wait_for("ready")
        program.interrupt()
        program.wait_for("stuck")
        program.interrupt()
        finished = program.finish()

    assert finished.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in finished.stderr
    assert "after the run" not in finished.stdout


def test_a_second_termination_ends_it_too_with_the_usual_status() -> None:
    program_text = waiting(extra=STUCK["a function that never ends"])
    with start_program(program_text) as program:
        program.wait_for("ready")
        program.process.terminate()
        program.wait_for("stuck")
        program.process.terminate()
        finished = program.finish()

    assert finished.returncode == 128 + signal.SIGTERM


def test_signals_work_as_before_once_the_run_is_over() -> None:
    program_text = waiting().replace('print("after the run")', 'print("over", flush=True)\nwhile True: pass')
    with start_program(program_text) as program:
        program.wait_for("ready")
        program.process.terminate()
        program.wait_for("over")
        program.process.terminate()
        finished = program.finish()

    assert finished.returncode == -signal.SIGTERM


def test_a_run_in_a_thread_leaves_the_signals_to_the_program() -> None:
    program_text = """
import signal
from circuits import Component

before = signal.getsignal(signal.SIGINT)
app = Component()
app.start()
assert signal.getsignal(signal.SIGINT) is before
try:
    print("ready", flush=True)
    signal.pause()
except KeyboardInterrupt:
    app.stop()
    app.join()
    print("orderly")
"""
    with start_program(program_text) as program:
        program.wait_for("ready")
        program.interrupt()
        finished = program.finish().check()

    assert finished.stdout == "ready\norderly\n"


def test_a_signal_reaches_a_program_that_never_sleeps() -> None:
    program_text = """
from circuits import Component, Event


class App(Component):

    def started(self, *args):
        print("ready", flush=True)
        self.fire(Event.create("busy"))

    def busy(self):
        if self.running:
            self.fire(Event.create("busy"))


App().run()
"""
    with start_program(program_text) as program:
        program.wait_for("ready")
        program.interrupt()
        program.finish().check()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_hundred_signals_at_random_moments_are_all_noticed() -> None:
    # A signal that came between the last look and the system call was noticed with the next event, if at all.
    extra = """@handler("signal", channel="*")
    def _on_signal(self, event, signo, stack):
        event.stop()
        self.count = getattr(self, "count", 0) + 1
        print("noticed", self.count, flush=True)
        if self.count == 100:
            self.stop()
"""
    with start_program(waiting(extra=extra)) as program:
        program.wait_for("ready")
        for count in range(1, 101):
            program.interrupt()
            program.wait_for(f"noticed {count}\n")
        program.finish().check()
