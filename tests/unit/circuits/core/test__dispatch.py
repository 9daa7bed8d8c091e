"""One event is delivered to its handlers."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event, handler
from circuits.core._dispatch import deliver
from support import EventRecorder, run_until_idle


class work(Event):
    pass


class Team(Component):
    """Three handlers; the second does what it is told."""

    def init(self, second: Any) -> None:
        self._second = second
        self._called: list[str] = []

    @handler("work", priority=2)
    def _one(self) -> str:
        self._called.append("one")
        return "one"

    @handler("work", priority=1)
    def _two(self, event: Event) -> Any:
        self._called.append("two")
        return self._second(self, event)

    @handler("work")
    def _three(self) -> str:
        self._called.append("three")
        return "three"


def fail(*_: object) -> None:
    raise ValueError("in the middle")


# ── rule 1: nothing here touches the queue ───────────────────────────────────────────────────────────────────────────


def test_what_a_handler_fires_is_queued_not_delivered(app: Component, recorder: EventRecorder) -> None:
    Team(lambda self, event: self.fire(Event.create("more"))).register(app)
    run_until_idle(app)
    recorder.clear()
    deliver(app._evtree, work(), ("*",))

    assert recorder.names() == ["work"]
    assert [event.name for event in app._evtree.queue] == ["more"]


# ── rule 2: errors ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_of_a_handler_is_recorded_and_the_next_one_is_called(
    app: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    team = Team(fail).register(app)
    value = app.fire(work())
    run_until_idle(app)

    assert team._called == ["one", "two", "three"]
    assert value.errors
    one, (kind, error, traceback), three = value.value
    assert (one, three) == ("one", "three")
    assert kind is ValueError
    assert str(error) == "in the middle"
    assert traceback is error.__traceback__


@pytest.mark.parametrize("error", [GeneratorExit, StopIteration, StopAsyncIteration, BaseException, RecursionError])
def test_no_error_escapes_whatever_its_kind(
    app: Component, error: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    def raise_it(*_: object) -> None:
        raise error

    team = Team(raise_it).register(app)
    value = app.fire(work())
    run_until_idle(app)

    assert team._called == ["one", "two", "three"]
    assert value.errors


def test_an_error_group_is_an_error_like_others(app: Component, capsys: pytest.CaptureFixture[str]) -> None:
    def raise_it(*_: object) -> None:
        raise ExceptionGroup("both", [ValueError(1), KeyError(2)])

    Team(raise_it).register(app)
    value = app.fire(work())
    run_until_idle(app)

    assert value.errors
    assert "ValueError" in capsys.readouterr().err


def test_endless_recursion_in_a_handler_is_an_error_like_others(
    app: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    def dig(*_: object) -> None:
        dig()

    team = Team(dig).register(app)
    value = app.fire(work())
    run_until_idle(app)

    assert value.errors
    assert team._called == ["one", "two", "three"]


# ── rule 3: the plan is taken before the first call ──────────────────────────────────────────────────────────────────


def test_a_handler_that_is_removed_by_an_earlier_one_is_still_called_this_time(app: Component) -> None:
    team = Team(lambda self, event: self.removeHandler(self._three)).register(app)
    app.fire(work())
    app.fire(work())
    run_until_idle(app)

    assert team._called == ["one", "two", "three", "one", "two"]


def test_a_component_that_is_unregistered_by_a_handler_hears_this_event_to_its_end(app: Component) -> None:
    team = Team(lambda self, event: self.unregister()).register(app)
    app.fire(work())
    app.fire(work())
    run_until_idle(app)

    assert team._called == ["one", "two", "three"]


# ── stopping and cancelling ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_stopped_event_reaches_no_later_handler(app: Component) -> None:
    team = Team(lambda self, event: event.stop()).register(app)
    event = work()
    value = app.fire(event)
    run_until_idle(app)

    assert team._called == ["one", "two"]
    assert event.stopped
    assert value.value == "one"
    assert value.done


def test_a_cancelled_event_reaches_nobody(app: Component, recorder: EventRecorder) -> None:
    event = work()
    event.success = event.complete = event.alert_done = True
    value = app.fire(event)
    event.cancel()
    app.fire(Event.create("next"))
    run_until_idle(app)

    assert event.cancelled
    assert recorder.names() == ["next"]
    assert value.value is None


def test_cancelling_an_event_that_is_being_handled_changes_nothing(app: Component) -> None:
    team = Team(lambda self, event: event.cancel()).register(app)
    app.fire(work())
    run_until_idle(app)

    assert team._called == ["one", "two", "three"]


# ── arguments ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("args", "kwargs"), [((), {}), ((1, 2), {}), ((), {"a": 1}), ((1,), {"a": 1})], ids=["none", "few", "named", "both"]
)
@pytest.mark.parametrize("wants_event", [True, False])
def test_arguments_reach_handlers_as_they_were_given(app: Component, args: Any, kwargs: Any, wants_event: bool) -> None:
    seen = []

    if wants_event:

        def work(self: Any, event: Any, *args: Any, **kwargs: Any) -> None:
            seen.append((args, kwargs))
    else:

        def work(self: Any, *args: Any, **kwargs: Any) -> None:  # type: ignore[misc]
            seen.append((args, kwargs))

    app.addHandler(work)
    app.fire(Event.create("work", *args, **kwargs))
    run_until_idle(app)

    assert seen == [(args, kwargs)]
