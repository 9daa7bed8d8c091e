"""Handlers that run in a thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from circuits import BaseComponent, Component, Event, handler
from circuits.core import futures
from circuits.core.futures import future
from support.core import EventRecorder, running, turn_until

if TYPE_CHECKING:
    from collections.abc import Callable


class work(Event):
    success = True
    failure = True


def where() -> str:
    return threading.current_thread().name


def with_(method: Callable[..., Any], **attributes: Any) -> Component:
    """Return a component, in no tree, that has *method* as its handler for `work`."""
    return type("Worker", (Component,), {"work": method, **attributes})()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "decorate",
    [future, future(), lambda function: handler("work")(future()(function)), lambda f: future()(handler("work")(f))],
    ids=["bare", "called", "below handler", "above handler"],
)
def test_a_handler_runs_in_a_thread_and_its_result_is_the_value_of_the_event(decorate: Any) -> None:
    def work(self: Any, word: str, *, times: int = 1) -> tuple[str, str]:
        return word * times, where()

    method = decorate(work)
    if not hasattr(method, "handler"):
        method = handler("work")(method)
    app = type("Worker", (BaseComponent,), {"work": method})()
    value = app.fire(Event.create("work", "ab", times=2))
    turn_until(app, lambda: value.done)

    assert value.value == ("abab", "circuits-future")
    app._evtree.loop.close()


def test_public_methods_of_a_component_are_handlers_all_the_same() -> None:
    app = with_(future()(lambda self: where()))
    value = app.fire(work())
    turn_until(app, lambda: value.done)

    assert value.value == "circuits-future"
    app._evtree.loop.close()


def test_success_follows_on_the_channel_of_the_event() -> None:
    app = with_(future()(lambda self: 1), channel="here")
    recorder = EventRecorder().register(app)
    app.fire(work())
    turn_until(app, lambda: recorder.of("work_success"))

    assert recorder.of("work_success")[0].channels == ("here",)
    app._evtree.loop.close()


def test_what_the_function_raises_is_the_error_of_the_handler() -> None:
    def fail(self: Any) -> None:
        raise KeyError("lost")

    app = with_(future()(fail), exception=lambda self, *args, **kwargs: None)
    recorder = EventRecorder().register(app)
    value = app.fire(work())
    turn_until(app, lambda: recorder.of("work_failure"))

    assert value.errors
    assert value.value[0] is KeyError
    assert "fail" in "".join(recorder.of("exception")[0].args[2])
    app._evtree.loop.close()


def test_a_handler_may_end_the_program() -> None:
    def leave(self: Any) -> None:
        raise SystemExit(7)

    class App(Component):
        work = future()(leave)

        def started(self, *_: Any) -> None:
            self.fire(work())

    app = App()
    with pytest.raises(SystemExit, match="7"):
        app.run()
    app._evtree.loop.close()


def test_the_tree_goes_on_meanwhile_and_handlers_run_side_by_side() -> None:
    gate = threading.Barrier(3)
    app = with_(future()(lambda self: gate.wait(10)))
    values = [app.fire(work()) for _ in range(2)]
    for _ in range(20):
        app.tick()
    assert not any(value.done for value in values)
    gate.wait(10)
    turn_until(app, lambda: all(value.done for value in values))
    app._evtree.loop.close()


def test_a_tree_that_sleeps_is_woken() -> None:
    class App(Component):
        @future()
        def work(self) -> float:
            time.sleep(0.05)
            return time.monotonic()

        def work_success(self, done: Event, value: float) -> None:
            self.late = time.monotonic() - value
            self.stop()

        def started(self, *_: Any) -> None:
            self.fire(work())

    app = App()
    app.run()
    assert app.late < 1
    app._evtree.loop.close()


def test_it_waits_inside_a_hosted_tree_too() -> None:
    class App(Component):
        @future()
        def work(self) -> int:
            return 5

        async def started(self, *_: Any) -> None:
            self.seen = await self.call(work())
            self.stop()

    app = App()
    app.run()
    assert app.seen == 5
    app._evtree.loop.close()


def test_a_function_may_fire_and_take_the_event() -> None:
    class App(Component):
        @future()
        def work(self, event: Event) -> str:
            self.fire(Event.create("progress", 50))
            return event.name

    app = App()
    recorder = EventRecorder().register(app)
    with running(app):
        value = app.fire(work())
        while not value.done:
            time.sleep(0.001)
    assert value.value == "work"
    assert recorder.of("progress")[0].args == (50,)
    app._evtree.loop.close()


@pytest.mark.parametrize("fails", [False, True])
def test_a_pool_is_used_when_there_is_one(fails: bool) -> None:
    def work_(self: Any) -> str:
        if fails:
            raise ZeroDivisionError
        return where()

    with ThreadPoolExecutor(1, "mine") as pool:
        app = with_(future(pool=pool)(work_), exception=lambda self, *args, **kwargs: None)
        value = app.fire(work())
        turn_until(app, lambda: value.done)
    assert value.errors is fails
    assert fails or value.value.startswith("mine")
    app._evtree.loop.close()


def test_a_task_that_is_gone_is_not_resumed() -> None:
    gate = threading.Event()
    app = with_(future()(lambda self: gate.wait(10)))
    app.fire(work())
    for _ in range(5):
        app.tick()
    (task,) = app._evtree.tasks
    app.unregisterTask(task)
    gate.set()
    while futures._threads._running:
        time.sleep(0.001)
    app.tick()
    assert not app._evtree.ready
    app._evtree.loop.close()


def test_what_pauses_by_itself_is_refused() -> None:
    async def coroutine(self: Any) -> None: ...

    def generator(self: Any) -> Any:
        yield

    async def both(self: Any) -> Any:
        yield

    for function in (coroutine, generator, both, 7):
        with pytest.raises(TypeError, match="ordinary function"):
            future()(function)


def test_no_more_threads_than_the_limit_are_at_work() -> None:
    at_work, most = 0, 0
    lock, gate = threading.Lock(), threading.Event()

    def count(self: Any) -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        gate.wait(10)
        with lock:
            at_work -= 1

    app = with_(future()(count))
    values = [app.fire(work()) for _ in range(futures.MAX_THREADS + 8)]
    turn_until(app, lambda: at_work == futures.MAX_THREADS)
    gate.set()
    turn_until(app, lambda: all(value.done for value in values))
    assert most == futures.MAX_THREADS
    app._evtree.loop.close()
