"""What a worker does around its pool; the pool itself is one that the test works through by hand."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from typing import Any, ClassVar

import pytest

from circuits import BaseComponent, Component, Event, Worker, task
from circuits.core import _pools
from circuits.core.workers import WorkerEndedError, WorkerLostError
from support import EventRecorder, on_manual_clock, run_until_idle, turn_until


class Pool:
    """Keeps what is submitted until the test has it done."""

    made: ClassVar[list[Pool]] = []

    def __init__(self) -> None:
        self.work: list[tuple[Future[Any], Any]] = []
        self.down = False
        self.broken = False
        Pool.made.append(self)

    def submit(self, *work: Any) -> Future[Any]:
        if self.broken:
            raise BrokenExecutor
        future: Future[Any] = Future()
        self.work.append((future, work))
        return future

    def shutdown(self, wait: bool = True, cancel_futures: bool = False) -> None:
        self.down = True
        if cancel_futures:
            for future, _ in self.work:
                future.cancel()

    def do(self) -> None:
        future, (run, *args) = self.work.pop(0)
        if future.set_running_or_notify_cancel():
            future.set_result(run(*args))


class App(BaseComponent):
    def init(self, **worker: Any) -> None:
        self.worker = Worker(**worker).register(self)
        self.recorder = EventRecorder().register(self)


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[Pool]:
    monkeypatch.setattr(Pool, "made", [])
    monkeypatch.setattr(_pools, "make_pool", lambda *_: Pool())
    return Pool.made


@pytest.fixture
def app(pools: list[Pool]) -> App:
    app = on_manual_clock(App())
    run_until_idle(app)
    return app


def fire(app: App, *call: Any) -> Any:
    value = app.fire(task(*call))
    run_until_idle(app)
    return value


def test_task_asks_for_success_and_failure() -> None:
    assert (task.success, task.failure, task.complete) == (True, True, False)
    assert (task(max, 1, key=None).args, task(max, 1, key=None).kwargs) == ((max, 1), {"key": None})


def test_a_function_may_have_arguments_of_any_name(app: App, pools: list[Pool]) -> None:
    value = app.fire(task(dict, fn=3, name=4, channel=5))
    run_until_idle(app)
    pools[0].do()
    app.tick()
    run_until_idle(app)

    assert value.value == {"fn": 3, "name": 4, "channel": 5}


@pytest.mark.parametrize("workers", [0, -1])
def test_there_is_at_least_one_worker(workers: int) -> None:
    with pytest.raises(ValueError, match=f"expected at least 1 worker, got {workers}"):
        Worker(workers=workers)


def test_the_channel_is_worker_unless_another_is_chosen() -> None:
    class Own(Worker):
        channel = "own"

    assert Worker().channel == "worker"
    assert Worker(False, 1, "chosen").channel == "chosen"
    assert Worker(channel="chosen").channel == "chosen"
    assert Own().channel == "own"


def test_no_pool_is_made_before_the_first_task(app: App, pools: list[Pool]) -> None:
    assert pools == []

    fire(app, print)
    fire(app, print)

    assert len(pools) == 1


def test_a_task_on_another_channel_is_left_to_others(app: App, pools: list[Pool]) -> None:
    app.fire(task(print), "other")
    run_until_idle(app)

    assert pools == []


def test_the_task_ends_when_the_work_is_done(app: App, pools: list[Pool]) -> None:
    value = fire(app, abs, -3)
    assert not value.done

    pools[0].do()
    app.tick()
    run_until_idle(app)

    assert (value.done, value.value) == (True, 3)


def test_a_broken_pool_is_replaced_by_the_next_task(app: App, pools: list[Pool]) -> None:
    lost = fire(app, abs, -1)
    pools[0].work.pop()[0].set_exception(BrokenExecutor("all dead"))
    pools[0].broken = True
    app.tick()
    run_until_idle(app)
    assert lost.value[0] is WorkerLostError

    value = fire(app, abs, -2)
    pools[1].do()
    app.tick()
    run_until_idle(app)

    assert value.value == 2
    assert pools[0].down


def test_an_error_of_the_pool_itself_is_the_error_of_the_task(app: App, pools: list[Pool]) -> None:
    value = fire(app, abs, -1)
    pools[0].work.pop()[0].set_exception(OSError("no room"))
    app.tick()
    run_until_idle(app)

    assert value.value[0] is OSError


def test_a_forked_child_has_a_pool_of_its_own(app: App, pools: list[Pool], monkeypatch: pytest.MonkeyPatch) -> None:
    fire(app, print)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    fire(app, print)

    assert len(pools) == 2
    assert not pools[0].down


def test_a_forked_child_leaves_the_pool_of_its_parent_alone(
    app: App, pools: list[Pool], monkeypatch: pytest.MonkeyPatch
) -> None:
    fire(app, print)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    app.worker.unregister()
    run_until_idle(app)

    assert not pools[0].down
    assert app.worker.parent is app.worker


def test_a_worker_that_has_done_nothing_leaves_at_once(app: App, pools: list[Pool]) -> None:
    app.worker.unregister()
    run_until_idle(app)

    assert app.worker.parent is app.worker
    assert pools == []


def test_a_worker_that_leaves_ends_its_pool_and_refuses_what_waits(pools: list[Pool]) -> None:
    app = App()
    value = app.fire(task(print))
    turn_until(app, lambda: pools)
    app.worker.unregister()
    turn_until(app, lambda: app.recorder.of("unregistered") and value.done)

    assert pools[0].down
    assert value.value[0] is WorkerEndedError


def test_a_worker_stays_when_somebody_else_leaves(app: App, pools: list[Pool]) -> None:
    other = BaseComponent().register(app)
    fire(app, print)
    other.unregister()
    run_until_idle(app)

    assert not pools[0].down


def test_a_worker_that_leaves_with_its_parent_ends_its_pool_and_begins_another_elsewhere(pools: list[Pool]) -> None:
    root, app = BaseComponent(), App()
    app.register(root)
    app.fire(task(print))
    turn_until(root, lambda: pools)
    app.unregister()
    turn_until(root, lambda: app.parent is app)
    assert pools[0].down

    app.fire(task(print))
    turn_until(app, lambda: len(pools) == 2)


def test_a_handler_that_calls_tasks_for_ever_does_not_keep_a_run_from_ending() -> None:
    class Endless(Component):
        def init(self) -> None:
            Worker().register(self)
            self.errors: list[Any] = []

        def started(self, *_: Any) -> Iterator[Any]:
            self.fire(Event.create("enough"))
            while True:
                yield self.call(task(abs, -1), "worker")

        def enough(self) -> None:
            self.stop()

        def exception(self, kind: type, *_: Any, **__: Any) -> None:
            self.errors.append(kind)

    app = Endless()
    app.run()

    assert set(app.errors) <= {WorkerEndedError}
    assert app._evtree.holders == set()
