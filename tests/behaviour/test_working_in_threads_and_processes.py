"""A worker runs functions in threads or in processes, and their results come back as values.

Whatever is said of both kinds of pool is tested with both. Functions that run in a process stand at the top of this
module, where pickle finds them.
"""

from __future__ import annotations

import os
import signal
import socket
import textwrap
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from circuits import Component, Event, Worker, handler, task
from circuits.core.workers import SendError, TaskExitError, WorkerEndedError, WorkerLostError
from support import EventRecorder, run_program, running, start_program, wait_until

both = pytest.mark.parametrize("process", [False, True], ids=["threads", "processes"])


def double(number: int, plus: int = 0) -> int:
    return number * 2 + plus


def nothing() -> None:
    return None


def where() -> tuple[int, str]:
    return os.getpid(), threading.current_thread().name


def fail(text: str) -> None:
    raise LookupError(text)


class UnsendableError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def fail_unsendably() -> None:
    raise UnsendableError("one", "two")


def leave() -> None:
    raise SystemExit(3)


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def lock() -> Any:
    return threading.Lock()


def touch_and_wait(begun: str, go: str) -> str:
    """Say that the work has begun, and do not end before the file *go* is there."""
    open(begun, "w").close()
    wait_until(lambda: os.path.exists(go))
    return "waited"


class work(Event):
    """Ask the app to have functions called, one after the other."""


class App(Component):
    """Calls tasks from a generator, and remembers what became of them."""

    def init(self, **worker: Any) -> None:
        self.values: list[Any] = []
        self.errors: list[Any] = []
        self.worker = Worker(**worker).register(self)
        self.recorder = EventRecorder().register(self)

    def work(self, *calls: tuple[Any, ...]) -> Iterator[Any]:
        for f, *args in calls:
            value = yield self.call(task(f, *args), "worker")
            self.values.append(value.value)
        self.worked = True

    def exception(self, kind: type, error: Exception, lines: list[str], **_: Any) -> None:
        self.errors.append((kind, str(error), "".join(lines)))

    worked = False


def work_through(app: App, *calls: Any) -> list[Any]:
    """Have the app call each of *calls*, while it runs; give the values."""
    with running(app):
        app.fire(work(*calls))
        wait_until(lambda: app.worked)
    return app.values


@both
def test_a_task_gives_what_its_function_returns(process: bool) -> None:
    assert work_through(App(process=process), (double, 21)) == [42]


@both
def test_a_task_passes_all_arguments_on(process: bool) -> None:
    app = App(process=process)
    with running(app):
        value = app.fire(task(double, 4, plus=1))
        wait_until(lambda: value.done)

    assert value.value == 9


@both
def test_a_function_that_returns_nothing_gives_no_result_but_ends_the_task(process: bool) -> None:
    app = App(process=process)

    assert work_through(app, (nothing,), (double, 1)) == [None, 2]
    assert len(app.recorder.of("task_success")) == 2


def test_threads_work_in_this_process_and_processes_in_others() -> None:
    [(threads_pid, thread)] = work_through(App(), (where,))
    [(process_pid, _)] = work_through(App(process=True), (where,))

    assert threads_pid == os.getpid() != process_pid
    assert thread.startswith("worker")


@both
def test_success_follows_with_the_value(process: bool) -> None:
    app = App(process=process)
    work_through(app, (double, 2))

    [told] = app.recorder.of("task_success")
    assert told.args[1] == 4
    assert app.recorder.of("task_failure") == []


@both
def test_completion_follows_when_it_is_asked_for(process: bool) -> None:
    app = App(process=process)
    event = task(double, 2)
    event.complete = True
    with running(app):
        app.fire(event)
        wait_until(lambda: app.recorder.of("task_complete"))

    assert app.recorder.of("task_complete")[0].args[1] == 4


@both
def test_completion_can_be_asked_for_on_the_class(process: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task, "complete", True)
    app = App(process=process)
    with running(app):
        value = app.fire(task(double, 2))
        wait_until(lambda: app.recorder.of("task_complete"))

    assert value.value == 4


@both
def test_an_error_of_the_function_is_the_error_of_the_task(process: bool) -> None:
    app = App(process=process)
    [triple] = work_through(app, (fail, "no such thing"))

    assert triple[0] is LookupError
    assert str(triple[1]) == "no such thing"
    [told] = app.recorder.of("task_failure")
    assert told.args[1][0] is LookupError
    assert app.recorder.of("task_success") == []


@both
def test_the_exception_event_shows_the_lines_of_the_function_that_failed_and_no_others(process: bool) -> None:
    app = App(process=process)
    work_through(app, (fail, "no such thing"))

    [(kind, text, lines)] = app.errors
    assert (kind, text) == (LookupError, "no such thing")
    assert "in fail" in lines
    assert "raise LookupError(text)" in lines
    assert lines.count("File ") == 1


def test_an_error_that_cannot_be_sent_still_arrives_with_its_name_and_text() -> None:
    app = App(process=True)
    work_through(app, (fail_unsendably,))

    [(kind, text, lines)] = app.errors
    assert kind.__name__ == "RemoteError"
    assert text == "UnsendableError: onetwo"
    assert "in fail_unsendably" in lines


@both
def test_a_function_that_exits_fails_its_task_and_neither_the_program_nor_the_pool(process: bool) -> None:
    app = App(process=process, workers=1)
    work_through(app, (leave,), (double, 1))

    assert app.values[1] == 2
    [(kind, text, lines)] = app.errors
    assert kind is TaskExitError
    assert "SystemExit(3)" in text
    assert "in leave" in lines


def test_a_process_that_is_killed_fails_its_task_and_the_next_task_gets_a_new_pool() -> None:
    app = App(process=True, workers=1)
    work_through(app, (crash,), (double, 1), (crash,), (double, 2))

    assert app.values[1::2] == [2, 4]
    assert [kind for kind, _, _ in app.errors] == [WorkerLostError, WorkerLostError]


def test_what_cannot_be_sent_to_a_process_is_refused_in_words() -> None:
    app = App(process=True)
    work_through(app, (lambda: 1,), (double, threading.Lock()), (lock,), (double, 1))

    assert [kind for kind, _, _ in app.errors] == [SendError] * 3
    assert "lambda" in app.errors[0][1]
    assert "cannot pickle '_thread.lock' object" in app.errors[1][1]
    assert "the result of <function lock" in app.errors[2][1]
    assert app.values[3] == 2


@both
def test_several_tasks_work_at_the_same_time(process: bool, tmp_path: Any) -> None:
    app = App(process=process, workers=2)
    go = tmp_path / "go"
    with running(app):
        values = [app.fire(task(touch_and_wait, str(tmp_path / name), str(go))) for name in ("one", "two")]
        wait_until(lambda: (tmp_path / "one").exists() and (tmp_path / "two").exists())
        assert not any(value.done for value in values)
        go.touch()
        wait_until(lambda: all(value.done for value in values))

    assert [value.value for value in values] == ["waited", "waited"]


def test_no_more_tasks_work_at_a_time_than_there_are_workers() -> None:
    app = App(workers=3)
    gate = threading.Barrier(4)
    at_work: list[int] = []

    def work_together() -> None:
        at_work.append(1)
        gate.wait(10)

    with running(app):
        values = [app.fire(task(work_together)) for _ in range(9)]
        for _ in range(3):
            wait_until(lambda: gate.n_waiting == 3)
            assert len(at_work) % 3 == 0
            gate.wait(10)
        wait_until(lambda: all(value.done for value in values))

    assert len(at_work) == 9


def test_a_coroutine_awaits_a_task_and_catches_its_error() -> None:
    class Async(Component):
        async def started(self, *_: Any) -> None:
            self.value = await self.call(task(double, 4), "worker")
            try:
                await self.fire(task(fail, "again"), "worker")
            except LookupError as error:
                self.error = str(error)
            self.stop()

        @handler("exception")
        def _ignore(self, *_: Any, **__: Any) -> None: ...

    app = Async()
    Worker(process=True, workers=1).register(app)
    app.run()

    assert (app.value, app.error) == (8, "again")


def test_a_value_that_is_awaited_by_name_has_the_result() -> None:
    class Waiting(Component):
        channel = "worker"

        @handler("started", channel="*")
        def _on_started(self, *_: Any) -> Iterator[Any]:
            self.fire(task(double, 4))
            value = yield self.wait("task_success")
            self.told = value.event.args[1]
            self.stop()

    app = Waiting()
    Worker().register(app)
    app.run()

    assert app.told == 8


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@both
def test_a_worker_that_leaves_waits_for_work_and_leaves_nothing_behind(process: bool, tmp_path: Any) -> None:
    before = threading.active_count()
    app = App(process=process, workers=1)
    begun, go = tmp_path / "begun", tmp_path / "go"
    with running(app):
        value = app.fire(task(touch_and_wait, str(begun), str(go)))
        wait_until(begun.exists)
        app.worker.unregister()
        wait_until(lambda: app.recorder.of("prepare_unregister"))
        assert app.worker.parent is app
        go.touch()
        wait_until(lambda: app.recorder.of("unregistered"))
        # The thread that runs the app, and whoever was there before.
        assert threading.active_count() <= before + 1

    assert value.value == "waited"
    assert app.worker.parent is app.worker


@both
def test_tasks_that_have_not_begun_are_refused_when_the_worker_leaves(process: bool, tmp_path: Any) -> None:
    app = App(process=process, workers=1)
    begun, go = tmp_path / "begun", tmp_path / "go"
    with running(app):
        at_work = app.fire(task(touch_and_wait, str(begun), str(go)))
        wait_until(begun.exists)
        # A process takes one task more than it works on.
        waiting = [app.fire(task(double, number)) for number in range(9)]
        wait_until(lambda: len(app.recorder.of("task")) == 10)
        app.worker.unregister()
        wait_until(lambda: waiting[-1].done)
        go.touch()
        wait_until(lambda: all(value.done for value in (at_work, *waiting)))

    assert at_work.value == "waited"
    refused = [value for value in waiting if value.errors]
    assert len(refused) >= 7
    assert all(value.value[0] is WorkerEndedError for value in refused)


@both
def test_a_run_ends_when_work_has_ended_and_its_result_is_told(process: bool, tmp_path: Any) -> None:
    app = App(process=process, workers=1)
    begun, go = tmp_path / "begun", tmp_path / "go"
    thread, _ = app.start()
    value = app.fire(task(touch_and_wait, str(begun), str(go)))
    wait_until(begun.exists)
    app.stop()
    wait_until(lambda: app.recorder.of("stopped"))
    assert thread.is_alive()
    go.touch()
    thread.join(10)

    assert not thread.is_alive()
    assert value.value == "waited"
    assert app.recorder.names()[-1] == "task_success"


@both
def test_a_task_that_is_fired_while_the_program_stops_is_done(process: bool) -> None:
    class Last(Component):
        def init(self) -> None:
            Worker(process=process).register(self)

        def started(self, *_: Any) -> None:
            self.stop()

        def stopped(self, *_: Any) -> Iterator[Any]:
            value = yield self.call(task(double, 3), "worker")
            self.last = value.value

    app = Last()
    app.run()

    assert app.last == 6


def test_a_program_with_coroutines_ends_when_work_has_ended(tmp_path: Any) -> None:
    class Async(Component):
        def init(self) -> None:
            Worker().register(self)
            self.result: Any = None

        async def started(self, *_: Any) -> None:
            self.fire(task(touch_and_wait, str(tmp_path / "begun"), str(tmp_path / "go")), "worker")

        def task_success(self, evt: Event, result: Any) -> None:
            self.result = result

    app = Async()
    thread, _ = app.start()
    wait_until((tmp_path / "begun").exists)
    app.stop()
    (tmp_path / "go").touch()
    thread.join(10)

    assert not thread.is_alive()
    assert app.result == "waited"


def test_processes_that_do_not_end_are_killed_after_a_time_of_grace(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("circuits.core.workers.GRACE", 0.05)
    app = App(process=True, workers=1)
    begun = tmp_path / "begun"
    thread, _ = app.start()
    value = app.fire(task(touch_and_wait, str(begun), str(tmp_path / "never")))
    wait_until(begun.exists)
    app.stop()
    thread.join(10)

    assert not thread.is_alive()
    assert value.value[0] is WorkerLostError


@both
def test_an_app_can_run_again(process: bool) -> None:
    app = App(process=process)

    assert work_through(app, (double, 1)) == [2]
    app.worked = False
    assert work_through(app, (double, 2)) == [2, 4]


def test_a_worker_takes_its_unfinished_tasks_to_another_tree(tmp_path: Any) -> None:
    app, begun, go = App(), tmp_path / "begun", tmp_path / "go"
    value = app.fire(task(touch_and_wait, str(begun), str(go)))
    app.tick()
    app.tick()
    wait_until(begun.exists)
    outer = Component()
    app.register(outer)
    with running(outer):
        go.touch()
        wait_until(lambda: value.done)

    assert value.value == "waited"


def test_results_that_came_before_a_move_to_another_tree_are_not_lost() -> None:
    app, ended = App(), threading.Event()
    value = app.fire(task(ended.set))
    app.tick()
    app.tick()
    assert ended.wait(10)
    outer = Component()
    app.register(outer)
    with running(outer):
        wait_until(lambda: value.done)

    assert not value.errors


def test_processes_do_not_keep_the_connections_of_their_parent_open() -> None:
    here, there = socket.socketpair()
    app = App(process=True, workers=1)
    app._evtree.loop.poller.set_reader(here.fileno(), lambda: None)
    with running(app):
        value = app.fire(task(double, 1))
        wait_until(lambda: value.done)
        app._evtree.loop.poller.discard(here.fileno())
        here.close()
        there.settimeout(10)
        # The other end of a connection sees its end as soon as we close ours, though the processes were forked.
        assert there.recv(1) == b""
    there.close()


PROGRAM = """
import sys, time
from circuits import Component, Worker, task

def work():
    time.sleep(0.2)
    return "done"

class App(Component):
    def started(self, *_):
        self.fire(task(work))
        print("started", flush=True)
    def task_success(self, evt, value):
        print(value, flush=True)

app = App()
Worker(process=sys.argv[1] == "True").register(app)
app.run()
"""


@both
def test_an_unguarded_program_that_is_interrupted_finishes_its_work(process: bool) -> None:
    with start_program(PROGRAM, str(process)) as program:
        program.wait_for("started")
        program.interrupt()
        finished = program.finish().check()

    assert finished.stdout == "started\ndone\n"
    assert finished.stderr == ""


def test_importing_circuits_loads_no_pool_and_no_asyncio() -> None:
    program = """
    import sys
    import circuits
    circuits.Worker()
    heavy = ("asyncio", "concurrent.futures", "multiprocessing", "pickle", "socket", "ssl", "logging")
    print([name for name in heavy if name in sys.modules])
    """
    assert run_program(textwrap.dedent(program)).check().stdout == "[]\n"


def test_time_is_not_spent_on_polling_for_results() -> None:
    app = App()
    with running(app):
        before = time.process_time()
        value = app.fire(task(time.sleep, 0.5))
        wait_until(lambda: value.done)
        spent = time.process_time() - before

    # This thread asks a hundred times, which takes some of it.
    assert spent < 0.25
