"""What the kernel does about errors and signals that nobody handles."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, handler
from circuits.core.events import signal as signal_event
from circuits.core.helpers import FallBackExceptionHandler, FallBackGenerator, FallBackSignalHandler
from support import EventRecorder, run_until_idle, running, wait_until


class Failing(Component):
    def work(self) -> None:
        raise ValueError("nobody catches this")


def fail(app: Component) -> None:
    Failing().register(app)
    app.fire(Event.create("work"))
    run_until_idle(app)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_that_nobody_handles_is_printed(app: Component, capsys: pytest.CaptureFixture[str]) -> None:
    fail(app)

    assert "nobody catches this" in capsys.readouterr().err


@pytest.mark.parametrize("channel", ["*", "errors"])
def test_an_error_that_a_handler_takes_by_name_is_not_printed(
    app: Component, channel: str, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = []

    class Taker(BaseComponent):
        @handler("exception", channel=channel)
        def take(self, *args: Any, **kwargs: Any) -> None:
            taken.append(args[1])

    Taker().register(app)
    fail(app)

    assert [str(error) for error in taken] == ["nobody catches this"]
    assert capsys.readouterr().err == ""


def test_one_who_handles_every_event_does_not_count_as_handling_errors(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(app)

    assert "exception" in recorder.names()
    assert "nobody catches this" in capsys.readouterr().err


def test_the_fallback_is_back_once_the_handler_has_left(app: Component, capsys: pytest.CaptureFixture[str]) -> None:
    class Taker(Component):
        def exception(self, *args: Any, **kwargs: Any) -> None:
            pass

    taker = Taker().register(app)
    fail(app)
    assert capsys.readouterr().err == ""
    taker.unregister()
    run_until_idle(app)
    fail(app)
    assert "nobody catches this" in capsys.readouterr().err


def test_a_fallback_is_no_member_of_the_tree(app: Component) -> None:
    fail(app)

    assert {type(component) for component in app.components} == {Failing}


def test_the_fallback_for_errors_can_be_registered_like_any_component(
    app: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    FallBackExceptionHandler().register(app)
    fail(app)

    assert capsys.readouterr().err.count("ERROR") == 1


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_event_stops_the_tree(number: int) -> None:
    app = Component()
    with running(app):
        app.fire(signal_event(number, None))
        wait_until(lambda: not app.running)


def test_other_signals_do_not_stop_the_tree() -> None:
    app = Component()
    with running(app):
        value = app.fire(signal_event(signal.SIGUSR1, None))
        wait_until(lambda: value.done)
        assert app.running


def test_a_handler_that_stops_the_signal_keeps_the_tree_running() -> None:
    class Deaf(Component):
        def signal(self, event: Event, signo: int, stack: Any) -> None:
            event.stop()

    app = Deaf()
    with running(app):
        value = app.fire(signal_event(signal.SIGINT, None))
        wait_until(lambda: value.done)
        assert app.running


def test_a_handler_that_only_looks_does_not_keep_the_tree_running() -> None:
    seen = []

    class Looker(Component):
        def signal(self, signo: int, stack: Any) -> None:
            seen.append(signo)

    app = Looker()
    with running(app):
        app.fire(signal_event(signal.SIGINT, None))
        wait_until(lambda: not app.running)

    assert seen == [signal.SIGINT]


def test_the_fallback_for_signals_can_be_registered_like_any_component() -> None:
    app = Component()
    FallBackSignalHandler().register(app)
    with running(app):
        app.fire(signal_event(signal.SIGTERM, None))
        wait_until(lambda: not app.running)


# ── sleeping ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_fallback_generator_leaves_the_tree_asleep_and_resume_wakes_it() -> None:
    app = Component()
    generator = FallBackGenerator().register(app)
    with running(app):
        wait_until(lambda: app._evtree.idle)
        generator.resume()
        value = app.fire(Event.create("work"))
        wait_until(lambda: value.done)
