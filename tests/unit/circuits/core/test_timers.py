"""Timers: fire an event later, once or again and again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from circuits import Component, Event, Timer
from circuits.core.timers import MAX_CATCH_UP
from evkernel.testing import ManualClock
from support import EventRecorder, clock_of, on_manual_clock, pass_time, run_until_idle


class ring(Event):
    pass


def rings(recorder: EventRecorder) -> int:
    return len(recorder.of("ring"))


def set_up(app: Component, *args: Any, **kwargs: Any) -> Timer:
    timer = Timer(*args, **kwargs).register(app)
    run_until_idle(app)
    return timer


# ── once ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_timer_fires_once_and_leaves(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring("loud"))
    pass_time(app, 9.999)
    assert rings(recorder) == 0
    pass_time(app, 0.001)

    assert [event.args for event in recorder.of("ring")] == [("loud",)]
    assert timer not in app.components
    pass_time(app, 100)
    assert rings(recorder) == 1


def test_a_timer_of_no_time_fires_in_the_next_turn(app: Component, recorder: EventRecorder) -> None:
    set_up(app, 0, ring())
    pass_time(app, 0)

    assert rings(recorder) == 1


@pytest.mark.parametrize("zone", [None, UTC, timezone(timedelta(hours=9))])
def test_a_timer_may_be_set_to_a_time_of_day(
    app: Component, recorder: EventRecorder, zone: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2024, 5, 17, 12, 0, tzinfo=zone)
    monkeypatch.setattr("circuits.core.timers.wall_time", now.timestamp)
    set_up(app, now + timedelta(seconds=90.5), ring())
    pass_time(app, 90)
    assert rings(recorder) == 0
    pass_time(app, 0.5)
    assert rings(recorder) == 1


def test_a_time_of_day_that_has_passed_is_due_at_once(app: Component, recorder: EventRecorder) -> None:
    set_up(app, datetime(1999, 1, 1), ring())
    pass_time(app, 0)

    assert rings(recorder) == 1


@pytest.mark.parametrize(
    ("channels", "preset", "goes_to"),
    [((), (), ("*",)), (("a", "b"), (), ("a", "b")), ((), ("c",), ("c",)), (("a",), ("c",), ("a",))],
    ids=["its own channel", "those given", "those of the event", "those given rather than those of the event"],
)
def test_a_timer_fires_to(app: Component, recorder: EventRecorder, channels: Any, preset: Any, goes_to: Any) -> None:
    event = ring()
    event.channels = preset
    set_up(app, 1, event, *channels)
    pass_time(app, 1)

    assert recorder.of("ring")[0].channels == goes_to


def test_a_timer_may_have_a_channel_to_fire_on(app: Component, recorder: EventRecorder) -> None:
    set_up(app, 1, ring(), channel="clock")
    pass_time(app, 1)

    assert recorder.of("ring")[0].channels == ("clock",)


# ── again and again ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_persistent_timer_fires_the_same_event_once_per_interval(app: Component, recorder: EventRecorder) -> None:
    event = ring()
    timer = set_up(app, 10, event, persist=True)
    for _ in range(3):
        pass_time(app, 10)

    assert recorder.of("ring") == [event] * 3
    assert timer in app.components


def test_a_persistent_timer_does_not_drift(app: Component, recorder: EventRecorder) -> None:
    # Each turn comes a little late; the next due time is counted from when it should have come.
    times = []

    class Watch(Component):
        def ring(self) -> None:
            times.append(clock_of(self).now())

    Watch().register(app)
    timer = set_up(app, 10, ring(), persist=True)
    for _ in range(10):
        pass_time(app, 10.4)

    assert len(times) == 10
    assert timer.expiry == pytest.approx(110, abs=0.01)
    pass_time(app, 110 - clock_of(app).now())
    assert times[-1] == pytest.approx(110, abs=0.01)


def test_intervals_that_have_passed_are_made_up_for(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring(), persist=True)
    clock_of(app).advance(35)
    for _ in range(5):
        app.tick()
    run_until_idle(app)

    assert rings(recorder) == 3
    assert timer.expiry == pytest.approx(40, abs=0.01)


def test_no_more_than_so_many_intervals_are_made_up_for(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 0.01, ring(), persist=True)
    clock_of(app).advance(60)
    for _ in range(2 * MAX_CATCH_UP):
        app.tick()
    run_until_idle(app)

    assert MAX_CATCH_UP <= rings(recorder) <= MAX_CATCH_UP + 1
    assert 60 - 0.01 < timer.expiry < 60.02


def test_a_persistent_timer_ends_when_it_is_unregistered(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring(), persist=True)
    pass_time(app, 10)
    timer.unregister()
    pass_time(app, 10)
    pass_time(app, 10)

    assert rings(recorder) == 1
    assert len(app._evtree.loop.timers) == 0


def test_a_timer_that_is_unregistered_in_time_does_not_fire(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring())
    clock_of(app).advance(10)
    timer.unregister()
    run_until_idle(app)
    pass_time(app, 10)

    assert rings(recorder) == 0


def test_a_timer_leaves_with_the_component_it_belongs_to(app: Component, recorder: EventRecorder) -> None:
    branch = Component().register(app)
    Timer(10, ring(), persist=True).register(branch)
    run_until_idle(app)
    branch.unregister()
    run_until_idle(app)
    pass_time(app, 100)

    assert rings(recorder) == 0


# ── resetting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_reset_begins_the_wait_anew(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring())
    pass_time(app, 9)
    timer.reset()
    pass_time(app, 9)
    assert rings(recorder) == 0
    pass_time(app, 1)
    assert rings(recorder) == 1


def test_reset_may_change_the_interval_for_good(app: Component, recorder: EventRecorder) -> None:
    timer = set_up(app, 10, ring(), persist=True)
    timer.reset(2)
    for _ in range(3):
        pass_time(app, 2)

    assert rings(recorder) == 3


def test_a_persistent_timer_may_be_reset_by_the_handler_of_its_event(app: Component, recorder: EventRecorder) -> None:
    class Patient(Component):
        def ring(self) -> None:
            timer.reset(100)

    Patient().register(app)
    timer = set_up(app, 10, ring(), persist=True)
    pass_time(app, 10)
    pass_time(app, 99)
    assert rings(recorder) == 1
    pass_time(app, 1)
    assert rings(recorder) == 2


@pytest.mark.parametrize(
    ("interval", "persist"), [(-1, False), (-1, True), (0, True)], ids=["past", "past, again", "no time, again"]
)
def test_an_interval_that_makes_no_sense_is_refused_with_its_value(interval: float, persist: bool) -> None:
    with pytest.raises(ValueError, match=str(interval)):
        Timer(interval, ring(), persist=persist)


# ── trees ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_wait_begins_when_the_timer_is_made(app: Component, recorder: EventRecorder) -> None:
    branch = on_manual_clock(Component(), clock_of(app))
    timer = Timer(10, ring()).register(branch)
    timer.reset()
    clock_of(app).advance(6)
    branch.register(app)
    run_until_idle(app)
    pass_time(app, 4)

    assert rings(recorder) == 1


def test_time_left_is_carried_over_to_a_tree_with_another_clock(app: Component, recorder: EventRecorder) -> None:
    branch = on_manual_clock(Component(), ManualClock(1000))
    Timer(10, ring()).register(branch)
    run_until_idle(branch)
    clock_of(branch).advance(4)
    branch.register(app)
    run_until_idle(app)
    pass_time(app, 5.9)
    assert rings(recorder) == 0
    pass_time(app, 0.1)
    assert rings(recorder) == 1


def test_a_timer_on_its_own_fires_nowhere() -> None:
    timer = on_manual_clock(Timer(1, ring()))
    recorder = EventRecorder().register(timer)
    run_until_idle(timer)
    clock_of(timer).advance(100)
    timer.tick()
    run_until_idle(timer)

    assert rings(recorder) == 0


def test_a_timer_may_be_subclassed_and_given_handlers(app: Component, recorder: EventRecorder) -> None:
    class Alarm(Timer):
        pass

    timer = set_up(app, 1, ring())
    alarm = set_up(app, 2, ring(), persist=False)
    assert isinstance(timer, Timer)
    assert Alarm(3, ring()).expiry >= alarm.expiry - 3
    pass_time(app, 2)

    assert rings(recorder) == 2
