"""Programs run beside ours: what they say, how they end, and that none is left behind."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circuits import Component, Event, handler
from circuits.io import Process, _child, process, write
from circuits.io.events import close
from support.core import EventRecorder, running
from support.program import run_program, start_program
from support.streams import Bench
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

PYTHON = sys.executable


@pytest.fixture(params=["pidfd", "thread"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with each of the two ways to hear of the end of a process."""
    if request.param == "thread":

        def refuse(pid: int) -> int:
            raise OSError(38, "no such system call")

        monkeypatch.setattr(os, "pidfd_open", refuse)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no pidfd")
    return str(request.param)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def run(bench: Bench, args: Any, **options: Any) -> Process:
    """Start a process in the tree of *bench*."""
    child = Process(args, **options).register(bench.root)
    bench._made.append(child)
    child.start()
    return child


def finish(bench: Bench, child: Process) -> Process:
    bench.until(lambda: child._terminated)
    bench.settle()
    return child


#: Ends when it is asked to. Nothing that it starts lives longer than a moment: a signal that comes while a shell starts
#: something is lost on that.
POLITE = "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.02; done"


def lives(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


# ── what it says and how it ends ─────────────────────────────────────────────────────────────────────────────────────


def test_what_a_process_says_is_read_and_its_end_is_told_once(bench: Bench, way: str) -> None:
    child = finish(bench, run(bench, ["sh", "-c", "echo out; echo err >&2; exit 3"]))

    assert [event.args for event in bench.recorder.of("terminated")] == [(child,)]
    assert child.status == 3
    assert (child.stdout.getvalue(), child.stderr.getvalue()) == (b"out\n", b"err\n")
    said = {event.channels: event.args[0] for event in bench.recorder.of("read")}
    assert said == {("process.stdout",): b"out\n", ("process.stderr",): b"err\n"}
    assert (child._terminated, child._stdout_closed, child._stderr_closed) == (True, True, True)
    assert bench.recorder.names()[-1] == "terminated"


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", -9), ("kill -TERM $$", -15), ("kill -QUIT $$", -3)],
)
def test_the_status_is_the_exit_code_or_the_signal(bench: Bench, tmp_path: Path, command: str, status: int) -> None:
    child = run(bench, f"ulimit -c 0; {command}", shell=True, cwd=tmp_path)
    assert child.status is None
    assert finish(bench, child).status == status


def test_the_end_is_told_when_the_last_one_has_let_go_of_the_outputs(bench: Bench, way: str) -> None:
    child = run(bench, "(sleep 0.3; echo late) & exit 7", shell=True)
    bench.until(lambda: child.status is not None)
    assert child.status == 7
    assert not bench.recorder.of("terminated")
    assert not child._stdout_closed

    finish(bench, child)
    assert child.stdout.getvalue() == b"late\n"


def test_the_end_is_told_when_the_process_has_ended_not_when_it_has_closed_its_outputs(bench: Bench, way: str) -> None:
    child = run(bench, "exec >&- 2>&-; sleep 0.2", shell=True)
    bench.until(lambda: child._stdout_closed and child._stderr_closed)
    assert not child._terminated
    assert child.is_alive
    assert finish(bench, child).status == 0
    assert not child.is_alive


def test_two_processes_are_told_apart(bench: Bench) -> None:
    one = run(bench, ["echo", "1"], channel="one")
    two = run(bench, "echo 2; sleep 0.3", shell=True, channel="two")
    finish(bench, one)
    assert not two._terminated
    assert not two._stdout_closed
    assert not two._stderr_closed
    finish(bench, two)
    said = {event.channels: event.args[0] for event in bench.recorder.of("read")}
    assert said == {("one.stdout",): b"1\n", ("two.stdout",): b"2\n"}


def test_processes_on_the_same_channel_do_not_close_each_other(bench: Bench) -> None:
    quick, slow = run(bench, ["echo", "1"]), run(bench, "read line; echo got $line", shell=True)
    finish(bench, quick)
    quick_events = len(bench.recorder.of("terminated"))
    slow.write("it\n")
    finish(bench, slow)
    assert (quick_events, slow.stdout.getvalue()) == (1, b"got it\n")


def test_its_output_has_an_encoding_when_one_is_given(bench: Bench) -> None:
    finish(bench, run(bench, ["printf", "%s", "äöü" * 100], encoding="utf-8", bufsize=7))
    assert "".join(event.args[0] for event in bench.recorder.of("read")) == "äöü" * 100


def test_only_the_last_output_is_kept(bench: Bench) -> None:
    child = finish(bench, run(bench, ["seq", "100000"], kept=1000))
    whole = "".join(f"{number}\n" for number in range(1, 100_001)).encode()
    assert child.stdout.getvalue() == whole[-1000:]
    assert b"".join(event.args[0] for event in bench.recorder.of("read")) == whole
    assert finish(bench, run(bench, ["seq", "9"], kept=None)).stdout.getvalue() == b"1\n2\n3\n4\n5\n6\n7\n8\n9\n"
    assert finish(bench, run(bench, ["seq", "9"], kept=0)).stdout.getvalue() == b""


def test_directory_and_environment_are_given_to_it(bench: Bench, tmp_path: Path) -> None:
    child = finish(bench, run(bench, "pwd; echo $WORD", cwd=tmp_path, shell=True, env={"WORD": "hello"}))
    assert child.stdout.getvalue().decode() == f"{tmp_path.resolve()}\nhello\n"


def test_it_gets_no_descriptor_but_its_three(bench: Bench) -> None:
    ours = os.pipe()
    first = run(bench, ["cat"])
    child = finish(bench, run(bench, [PYTHON, "-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"]))
    # The fourth is the listing itself.
    assert child.stdout.getvalue() == b"['0', '1', '2', '3']\n"
    first.kill()
    finish(bench, first)
    for fd in ours:
        os.close(fd)


def test_a_program_that_is_not_there_is_an_error_where_it_is_started(bench: Bench, tmp_path: Path) -> None:
    child = Process([str(tmp_path / "missing")]).register(bench.root)
    with pytest.raises(FileNotFoundError, match="missing"):
        child.start()
    assert not child.is_alive
    child.unregister()
    bench.settle()


def test_it_can_be_started_again_but_not_while_it_runs(bench: Bench) -> None:
    child = run(bench, ["cat"])
    with pytest.raises(RuntimeError, match="runs already"):
        child.start()
    child.stop()
    finish(bench, child)
    child.start()
    child.write("again")
    child.stop()
    finish(bench, child)
    assert child.stdout.getvalue() == b"again"
    assert child.status == 0
    assert len(bench.recorder.of("terminated")) == 2


# ── what is written to it ────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_written_at_once_arrives_and_the_end_of_the_input_too(bench: Bench) -> None:
    child = run(bench, ["cat"])
    child.write("text ")
    bench.root.fire(write(b"bytes"), "process")
    bench.root.fire(write(b"!"), child._stdin)
    child.write("?")
    bench.root.fire(close(), "process")
    finish(bench, child)
    assert (child.stdout.getvalue(), child.status) == (b"text bytes!?", 0)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 5_000_000])
def test_much_goes_through_without_a_change(bench: Bench, size: int) -> None:
    data = os.urandom(size)
    child = run(bench, ["cat"], bufsize=65_536, kept=None)
    child.write(data)
    bench.root.fire(close(), "process")
    assert finish(bench, child).stdout.getvalue() == data


def test_who_waits_for_a_write_fills_no_memory(bench: Bench) -> None:
    class feed(Event):
        pass

    class Feeder(Component):
        most = pieces = 0

        def feed(self, child: Process) -> Any:
            for _ in range(100):
                yield self.call(write(b"x" * 65_536), "process")
                Feeder.pieces += 1
                assert child._stdin is not None
                assert child._stdin._descriptor is not None
                Feeder.most = max(Feeder.most, child._stdin._descriptor.queued)

    Feeder().register(bench.root)
    child = run(bench, "read line; cat | wc -c", shell=True)
    bench.root.fire(feed(child))
    for _ in range(100):
        bench.root.tick(0.001)
    assert Feeder.pieces < 10
    child.write("\n")
    bench.until(lambda: Feeder.pieces == 100)
    bench.root.fire(close(), "process")
    finish(bench, child)
    assert Feeder.most <= 512 * 1024


def test_a_coroutine_waits_for_its_write_too() -> None:
    class App(Component):
        async def started(self, *_: Any) -> None:
            child = Process(["wc", "-c"]).register(self)
            child.start()
            for _ in range(20):
                await child.write(b"x" * 65_536)
            self.fire(close(), "process")
            self.status, self.said = await child.wait(), child.stdout.getvalue()
            self.again = await child.wait()
            self.stop()

    app = App()
    app.run()
    assert (app.status, app.said.strip(), app.again) == (0, b"1310720", 0)


def test_a_process_that_does_not_read_to_its_end_is_no_trouble(bench: Bench) -> None:
    child = run(bench, ["head", "-c", "3"])
    child.write(b"x" * 1_000_000)
    finish(bench, child)
    assert (child.stdout.getvalue(), child.status) == (b"xxx", 0)


def test_a_process_that_has_not_been_started_can_neither_be_written_to_nor_waited_for(bench: Bench) -> None:
    child = Process(["cat"])
    with pytest.raises(RuntimeError, match="not been started"):
        child.write("lost")
    with pytest.raises(RuntimeError, match="not been started"):
        child.wait()
    child.stop()
    child.kill()
    child.signal(signal.SIGTERM)
    assert (child.status, child.pid) == (None, os.getpid())


# ── signals, and the end by force ────────────────────────────────────────────────────────────────────────────────────


def test_a_signal_reaches_the_process_and_what_it_has_started(bench: Bench) -> None:
    program = (
        "trap 'echo parent; exit 0' USR1; (trap 'echo child; exit 0' USR1; echo up; sleep 5 & wait) & echo up; wait"
    )
    child = run(bench, program, shell=True)
    bench.until(lambda: child.stdout.getvalue().count(b"up") == 2)
    child.signal(signal.SIGUSR1)
    finish(bench, child)
    assert sorted(child.stdout.getvalue().split()) == [b"child", b"parent", b"up", b"up"]


def test_a_stop_ends_a_process_that_listens_to_reason(bench: Bench, way: str) -> None:
    child = run(bench, POLITE, shell=True)
    bench.until(lambda: child.stdout.getvalue())
    child.stop()
    finish(bench, child)
    assert (child.status, child.stdout.getvalue()) == (5, b"up\nbye\n")


def test_a_stop_ends_a_process_that_is_held(bench: Bench) -> None:
    child = run(bench, ["sleep", "60"])
    child.signal(signal.SIGSTOP)
    child.stop()
    assert finish(bench, child).status == -signal.SIGTERM


def test_a_process_that_ignores_a_stop_is_killed_with_its_children_when_its_time_is_over(bench: Bench) -> None:
    child = run(bench, "trap '' TERM; sleep 60 & echo $!; wait; sleep 60", shell=True, grace=0.2)
    bench.until(lambda: child.stdout.getvalue().endswith(b"\n"))
    begun = time.monotonic()
    child.stop()
    child.stop()
    finish(bench, child)
    assert child.status == -signal.SIGKILL
    assert 0.2 <= time.monotonic() - begun < 3
    assert not lives(int(child.stdout.getvalue()))


def test_a_process_that_was_written_to_may_end_by_itself(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    child = run(bench, [f"sleep 0.1; cat - > {path}"], shell=True)
    child.write("Hello World!")
    child.stop()
    finish(bench, child)
    assert (path.read_text(), child.status) == ("Hello World!", 0)


def test_a_process_that_was_written_to_but_does_not_read_is_asked_after_a_while(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "EOF_GRACE", 0.05)
    child = run(bench, ["sleep", "60"])
    child.write("Hello World!")
    child.stop()
    assert finish(bench, child).status == -signal.SIGTERM


def test_a_kill_ends_the_process_and_its_children_at_once(bench: Bench, way: str) -> None:
    child = run(bench, "trap '' TERM; sleep 60 & echo $!; wait", shell=True)
    bench.until(lambda: child.stdout.getvalue().endswith(b"\n"))
    child.kill()
    finish(bench, child)
    assert child.status == -signal.SIGKILL
    assert not lives(int(child.stdout.getvalue()))
    # Nobody is hit who has got the number since.
    child.kill()
    child.signal(signal.SIGKILL)


def test_pipes_that_somebody_outside_the_group_holds_are_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PIPE_GRACE", 0.05)
    program = "import os, time\nif os.fork() == 0:\n os.setsid()\n print(os.getpid(), flush=True)\ntime.sleep(60)"
    child = run(bench, [PYTHON, "-c", program])
    bench.until(lambda: child.stdout.getvalue().endswith(b"\n"))
    stranger = int(child.stdout.getvalue())
    child.kill()
    finish(bench, child)
    assert child.status == -signal.SIGKILL
    assert lives(stranger)
    os.kill(stranger, signal.SIGKILL)


def test_a_process_for_which_somebody_else_has_waited_has_ended_all_the_same(bench: Bench) -> None:
    child = run(bench, ["sleep", "60"])
    os.kill(child.pid, signal.SIGKILL)
    os.waitpid(child.pid, 0)
    assert finish(bench, child).status == _child.UNKNOWN_STATUS


def test_a_process_may_say_something_while_it_ends_and_nothing_is_lost(bench: Bench) -> None:
    child = run(bench, "trap 'seq 20000; exit 0' TERM; echo up; while :; do sleep 0.02; done", shell=True)
    bench.until(lambda: child.stdout.getvalue())
    child.stop()
    finish(bench, child)
    assert child.stdout.getvalue().endswith(b"\n20000\n")


# ── the tree and the run ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_that_leaves_its_tree_ends_before_it_has_left(bench: Bench, way: str) -> None:
    child = run(bench, ["sleep", "60"])
    pid = child.pid
    child.unregister()
    bench.until(lambda: child.parent is child)
    assert child._terminated
    assert not lives(pid)


def test_a_run_ends_its_processes_and_hears_what_they_say_last() -> None:
    class App(Component):
        def init(self) -> None:
            self.recorder = EventRecorder().register(self)
            self.child = Process(POLITE, shell=True).register(self)

        def started(self, *_: Any) -> None:
            self.child.start()

        @handler("read", channel="process.stdout")
        def _on_output(self, data: bytes) -> None:
            if data == b"up\n":
                self.stop()

    app = App()
    app.run()
    assert (app.child.status, app.child.stdout.getvalue()) == (5, b"up\nbye\n")
    assert app.recorder.names()[-1] == "terminated"
    app._evtree.loop.close()


def test_a_run_kills_a_process_that_will_not_end() -> None:
    class App(Component):
        def started(self, *_: Any) -> None:
            self.child = Process("trap '' TERM; echo up; sleep 60", shell=True, grace=0.1).register(self)
            self.child.start()

        @handler("read", channel="process.stdout")
        def _on_output(self, data: bytes) -> None:
            self.stop()

    app = App()
    app.run()
    assert app.child.status == -signal.SIGKILL
    app._evtree.loop.close()


def test_the_handler_by_which_a_program_begins_does_not_hear_of_the_process_it_starts() -> None:
    heard: list[Any] = []

    class App(Component):
        def started(self, manager: Any) -> None:
            heard.append(manager)
            Process(["true"]).register(self).start()

        def terminated(self, process: Process) -> None:
            self.stop()

    app = App()
    app.run()
    assert heard == [app]
    app._evtree.loop.close()


def test_a_start_from_elsewhere_is_told(bench: Bench) -> None:
    child = finish(bench, run(bench, ["true"]))
    assert [event.args[0] for event in bench.recorder.of("started") if event.channels == ("process",)] == [child]


def test_the_tree_goes_on_while_a_process_is_at_work() -> None:
    class App(Component):
        ticks = 0

        def started(self, *_: Any) -> None:
            self.child = Process(["sleep", "0.2"]).register(self)
            self.child.start()
            self._tick()

        def _tick(self) -> None:
            self.ticks += 1
            self._evtree.loop.call_later(0.005, self._tick)

        def terminated(self, process: Process) -> None:
            self.stop()

    app = App()
    app.run()
    assert app.ticks > 5
    app._evtree.loop.close()


def test_everything_can_be_asked_for_from_another_thread(way: str) -> None:
    app = Component()
    recorder = EventRecorder().register(app)
    with running(app):
        child = Process(["cat"], channel="cat").register(app)
        wait_until(lambda: [event for event in recorder.of("registered") if event.args[0] is child])
        child.start()
        wait_until(lambda: [event for event in recorder.of("started") if "cat" in event.channels])
        child.write("Hello World!")
        wait_until(lambda: child.stdout.getvalue() == b"Hello World!")
        child.stop()
        assert child.wait() == 0
        assert child.wait() == 0
        child.start()
        child.signal(signal.SIGTERM)
        assert child.wait() == -signal.SIGTERM
        child.start()
        child.kill()
        assert child.wait() == -signal.SIGKILL
        missing = Process(["/missing"]).register(app)
        with pytest.raises(FileNotFoundError):
            missing.start()
    app._evtree.loop.close()


def test_who_waits_in_another_thread_is_told_when_the_tree_stops_first(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Component()
    with running(app):
        child = Process(["sleep", "60"]).register(app)
        child.start()
        errors: list[Exception] = []

        def wait() -> None:
            try:
                child.wait()
            except RuntimeError as error:
                errors.append(error)

        waiter = threading.Thread(target=wait)
        monkeypatch.setattr(child._is_over, "set", lambda: None)
        waiter.start()
    waiter.join(10)
    assert "tree has stopped" in str(errors[0])
    app._evtree.loop.close()


def test_a_handler_waits_for_the_end_before_and_after_it(bench: Bench) -> None:
    class work(Event):
        pass

    class App(Component):
        def work(self, child: Process) -> Any:
            step = child.wait()
            first = yield step
            second = yield child.wait()
            self.seen = (first, second)

    app = App().register(bench.root)
    child = run(bench, "exit 4", shell=True)
    bench.root.fire(work(child))
    bench.until(lambda: hasattr(app, "seen"))
    assert app.seen == (4, 4)


def test_outside_a_handler_the_tree_is_turned_until_the_end() -> None:
    child = Process("read x; echo $x", shell=True)
    child.start()
    child.write("hello\n")
    assert child.wait() == 0
    assert child.stdout.getvalue() == b"hello\n"
    child._evtree.loop.close()


def test_a_handler_may_have_a_pipe_as_its_channel(bench: Bench) -> None:
    heard: list[bytes] = []
    child = run(bench, "read x; echo $x", shell=True)
    bench.root.addHandler(handler("read", channel=child._stdout)(lambda self, data: heard.append(data)))
    child.write("hello\n")
    finish(bench, child)
    assert heard == [b"hello\n"]
    assert bench.recorder.of("read")[-1].channels == ("process.stdout", child._stdout)


def test_a_process_moves_to_another_tree(bench: Bench, way: str) -> None:
    child = run(bench, "read x; echo $x; exit 9", shell=True)
    other = Bench()
    child.register(other.root)
    child.write("hello\n")
    other.until(lambda: child._terminated)
    assert (child.status, child.stdout.getvalue()) == (9, b"hello\n")
    other.settle()
    assert other.recorder.of("terminated")
    other._made.append(child)
    other.close()


def test_a_pipe_is_not_opened_again(bench: Bench) -> None:
    child = finish(bench, run(bench, ["true"]))
    bench.root.fire(Event.create("open"), child._stdout)
    bench.until(lambda: bench.recorder.of("error"))
    assert "cannot be opened again" in str(bench.recorder.of("error")[0].args[0])


def test_a_pipe_that_is_unregistered_is_closed(bench: Bench) -> None:
    child = run(bench, ["cat"])
    assert child._stdout is not None
    child._stdout.unregister()
    bench.until(lambda: child._stdout_closed)
    child.stop()
    finish(bench, child)


# ── the program ──────────────────────────────────────────────────────────────────────────────────────────────────────

PROGRAM = """
import os, sys
from circuits import Component, handler
from circuits.io import Process

class App(Component):
    def started(self, *_):
        self.child = Process(sys.argv[1], shell=True, grace=float(sys.argv[2])).register(self)
        self.child.start()

    @handler("read", channel="process.stdout")
    def _on_output(self, data):
        print(self.child.pid, data.decode().strip(), flush=True)

    def stopped(self, *_):
        print("stopping", flush=True)

    def terminated(self, child):
        print("status", child.status, flush=True)

App().run()
"""
STUBBORN = "trap '' TERM INT; echo up; sleep 60"


def pid_of(program: Any) -> int:
    return int(program.wait_for("up\n").split()[0])


def test_a_program_that_is_interrupted_ends_its_children_in_order() -> None:
    with start_program(PROGRAM, "trap 'exit 5' TERM; echo up; while :; do sleep 0.02; done", "5") as program:
        pid = pid_of(program)
        program.interrupt()
        assert program.finish().stdout.endswith("status 5\n")
    assert not lives(pid)


def test_a_program_that_is_interrupted_twice_leaves_nobody_behind() -> None:
    with start_program(PROGRAM, STUBBORN, "60") as program:
        pid = pid_of(program)
        program.interrupt()
        program.wait_for("stopping\n")
        program.interrupt()
        program.finish()
    wait_until(lambda: not lives(pid))


FAILING = """
import sys
from circuits.io import Process

child = Process("trap '' TERM INT; echo up; sleep 60", shell=True)
child.start()
while not child.stdout.getvalue():
    child.tick(0.1)
print(child.pid)
sys.exit(3)
"""


def test_a_program_that_fails_leaves_nobody_behind() -> None:
    finished = run_program(FAILING)
    assert finished.returncode == 3
    wait_until(lambda: not lives(int(finished.stdout)))


def test_a_program_that_is_killed_ends_the_input_of_its_children() -> None:
    with start_program(PROGRAM, "echo up; cat", "60") as program:
        pid = pid_of(program)
        program.process.kill()
        program.finish()
    wait_until(lambda: not lives(pid))
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def test_a_forked_child_does_not_kill_the_processes_of_its_parent(bench: Bench) -> None:
    child = run(bench, ["sleep", "60"])
    pid = os.fork()
    if pid == 0:
        _child._kill_all()
        os._exit(0)
    os.waitpid(pid, 0)
    assert lives(child.pid)
    assert child._child is not None
    child._child.adopt()
    _child._kill_all()
    assert finish(bench, child).status == -signal.SIGKILL
