from __future__ import annotations

import pytest

from circuits import Component, Event, Timer, sleep
from evkernel.testing import Deadlock
from support import EventRecorder, clock_of, on_manual_clock, pass_time, run_until_idle, running


class ping(Event):
    pass


def test_running_until_idle_delivers_what_handlers_fire(app: Component, recorder: EventRecorder) -> None:
    class Echo(Component):
        def ping(self) -> None:
            self.fire(Event.create("pong"))

    Echo().register(app)
    app.fire(ping())

    assert run_until_idle(app) == 2
    assert recorder.names() == ["ping", "pong"]


def test_running_until_idle_gives_up_on_a_tree_that_is_never_idle(app: Component) -> None:
    class Restless(Component):
        def ping(self) -> None:
            self.fire(ping())

    Restless().register(app)
    app.fire(ping())

    with pytest.raises(Deadlock):
        run_until_idle(app, limit=10)


def test_time_passes_only_when_the_test_says_so(app: Component, recorder: EventRecorder) -> None:
    Timer(10, ping()).register(app)
    run_until_idle(app)

    pass_time(app, 9.5)
    assert "ping" not in recorder.names()
    pass_time(app, 0.5)
    assert "ping" in recorder.names()
    assert clock_of(app).now() == 10


def test_a_tree_on_a_manual_clock_that_would_wait_for_ever_says_so() -> None:
    class Idle(Component):
        pass

    with pytest.raises(Deadlock):
        on_manual_clock(Idle()).run()


def test_a_tree_on_a_manual_clock_sleeps_in_no_time() -> None:
    class Napping(Component):
        def started(self, *_: object) -> object:
            yield sleep(3600)
            raise SystemExit

    app = on_manual_clock(Napping())
    app.run()

    assert clock_of(app).now() == 3600


def test_a_recorder_sees_private_events_and_those_on_other_channels(app: Component, recorder: EventRecorder) -> None:
    app.fire(Event.create("here"), "there")
    app.fire(Event.create("mine"), app)
    run_until_idle(app)

    assert recorder.names() == ["here", "mine"]
    assert [event.channels for event in recorder.of("mine")] == [(app,)]


def test_a_running_app_is_stopped_at_the_end_of_the_block() -> None:
    with running(Component()) as app:
        assert app.running
    assert not app.running
