"""Who still owes what: done, success, failure, complete; and events that are fired more than once."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event, Timer, handler
from support import EventRecorder, pass_time, run_until_idle


class knock(Event):
    pass


# ── one event, fired more than once ──────────────────────────────────────────────────────────────────────────────────


def test_an_event_in_flight_on_one_channel_can_be_fired_to_another(app: Component) -> None:
    # The second firing used to redirect the first.
    heard = []

    class Doors(Component):
        @handler("knock", channel="front")
        def front(self, event: Event) -> None:
            heard.append(("front", event.channels))

        @handler("knock", channel="back")
        def back(self, event: Event) -> None:
            heard.append(("back", event.channels))

    Doors().register(app)
    event = knock()
    app.fire(event, "front")
    app.fire(event, "back")
    run_until_idle(app)
    app.fire(event, "front")
    app.fire(event, "back")
    run_until_idle(app)

    assert heard == [("front", ("front",)), ("back", ("back",))] * 2


def test_an_event_fired_again_in_flight_is_done_once_after_its_last_delivery(
    app: Component, recorder: EventRecorder
) -> None:
    event = knock()
    event.success = event.complete = event.alert_done = True
    app.fire(event)
    app.fire(event)
    app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["knock", "knock", "knock", "knock_done", "knock_success", "knock_complete"]


def test_an_event_fired_twice_by_a_handler_is_counted_once_by_what_waits_for_it(
    app: Component, recorder: EventRecorder
) -> None:
    # The second delivery used to be subtracted from the count, which never came to zero again.
    again = knock()

    class Twice(Component):
        def enter(self) -> None:
            self.fire(again)
            self.fire(again)

    Twice().register(app)
    event = Event.create("enter")
    event.complete = True
    app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["enter", "knock", "knock", "enter_complete"]


def test_an_event_fired_again_while_its_handler_is_suspended_is_done_when_all_have_ended(
    app: Component, recorder: EventRecorder
) -> None:
    class Slow(Component):
        def knock(self) -> Any:
            yield self.wait("come_in")

    Slow().register(app)
    event = knock()
    event.success = True
    Timer(1, event, persist=True).register(app)
    run_until_idle(app)
    pass_time(app, 1)
    pass_time(app, 1)
    assert event.waitingHandlers == 2

    app.fire(Event.create("come_in"))
    run_until_idle(app)
    assert event.waitingHandlers == 0
    assert recorder.names() == ["knock", "knock", "come_in", "knock_success"]


def test_a_stop_in_one_delivery_does_not_stop_the_next(app: Component) -> None:
    heard = []

    class Porter(Component):
        @handler("knock", priority=1)
        def first(self, event: Event) -> None:
            heard.append("first")
            if len(heard) == 1:
                event.stop()

        @handler("knock")
        def second(self) -> None:
            heard.append("second")

    Porter().register(app)
    event = knock()
    app.fire(event)
    app.fire(event)
    run_until_idle(app)

    assert heard == ["first", "first", "second"]


def test_an_event_that_is_done_can_be_fired_again_and_forgets_what_it_was_given(app: Component) -> None:
    class Answering(Component):
        def knock(self) -> str:
            return "come in"

    Answering().register(app)
    event = knock()
    app.fire(event)
    run_until_idle(app)
    value = app.fire(event)
    assert not value.result
    run_until_idle(app)

    assert value.value == "come in"


def test_an_event_may_be_given_a_priority_when_it_is_fired_again(app: Component, recorder: EventRecorder) -> None:
    event = knock()
    app.fire(event)
    run_until_idle(app)
    recorder.clear()
    app.fire(Event.create("other"))
    app.fire(event, priority=-1)
    run_until_idle(app)

    assert recorder.names() == ["knock", "other"]


# ── causes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_that_a_handler_fires_again_is_not_its_own_cause(
    app: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    # Telling the story of the error used to go round for ever.
    class Stubborn(Component):
        tries = 0

        def knock(self, event: Event) -> None:
            self.tries += 1
            if self.tries == 3:
                raise ValueError
            self.fire(event)

    Stubborn().register(app)
    event = knock()
    app.fire(event)
    run_until_idle(app)

    assert list(event.causes()) == []
    assert "ValueError" in capsys.readouterr().err


def test_the_causes_of_an_event_that_what_it_caused_fires_again_begin_there(
    app: Component, capsys: pytest.CaptureFixture[str]
) -> None:
    # So did this, with one event more in the circle.
    class Ball(Component):
        hits = 0

        def ping(self) -> None:
            self.hits += 1
            if self.hits == 3:
                raise ValueError
            self.fire(Event.create("pong"))

        def pong(self) -> None:
            self.fire(ping)

    Ball().register(app)
    ping = Event.create("ping")
    app.fire(ping)
    run_until_idle(app)

    assert [event.name for event in ping.causes()] == ["pong"]


def test_an_event_that_is_fired_again_forgets_its_causes(app: Component) -> None:
    class Host(Component):
        def enter(self) -> None:
            self.fire(event)

    Host().register(app)
    event = knock()
    app.fire(Event.create("enter"))
    run_until_idle(app)
    assert [cause.name for cause in event.causes()] == ["enter"]

    app.fire(event)
    assert list(event.causes()) == []
