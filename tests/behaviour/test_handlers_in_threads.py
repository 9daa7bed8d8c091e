"""`@future` runs a handler in a thread, so that a slow function does not hold up the tree."""

from __future__ import annotations

import threading
from typing import Any, ClassVar

import pytest

from circuits import Component, Event, Worker, future, handler
from support import wait_until


class work(Event):
    success = True


def run_until(app: Component, condition: Any) -> None:
    def turned() -> bool:
        app.tick(0.01)
        return bool(condition())

    wait_until(turned)


def test_the_tree_goes_on_while_the_function_runs_and_the_result_arrives() -> None:
    gate = threading.Event()

    class App(Component):
        told: ClassVar[list[Any]] = []

        @future
        def work(self, x: int) -> tuple[int, str]:
            gate.wait(10)
            return x + 1, threading.current_thread().name

        def work_success(self, evt: Event, value: Any) -> None:
            self.told.append(value)

    app = App()
    value = app.fire(work(1))
    app.tick()
    app.tick()
    waiting = value.result
    gate.set()
    run_until(app, lambda: app.told)

    assert not waiting
    assert app.told == [(2, "work")]


def test_an_error_in_the_thread_is_the_error_of_the_handler(capsys: pytest.CaptureFixture[str]) -> None:
    class App(Component):
        @handler("work")
        @future()
        def on_work(self) -> None:
            raise LookupError("nobody")

    app = App()
    value = app.fire(work())
    run_until(app, lambda: value.errors)
    app.tick()
    app.tick()

    assert "LookupError" in capsys.readouterr().err


def test_the_function_runs_in_the_pool_that_is_named() -> None:
    pool = Worker(workers=1)

    class App(Component):
        @future(pool)
        def work(self) -> str:
            return threading.current_thread().name

    app = App()
    pool.register(app)
    value = app.fire(work())
    run_until(app, lambda: value.result)
    pool.unregister()
    run_until(app, lambda: pool not in app)

    assert value.value != "work"


def test_the_handler_listens_on_the_channel_of_its_component() -> None:
    class App(Component):
        channel = "here"

        @future
        def work(self) -> str:
            return "done"

    app = App()
    elsewhere, here = app.fire(work(), "there"), app.fire(work(), "here")
    run_until(app, lambda: here.result)

    assert (elsewhere.result, here.value) == (False, "done")


def test_a_pool_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a Worker, got 3"):
        future(3)  # type: ignore[arg-type]
