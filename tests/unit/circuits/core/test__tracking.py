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


# ── rule 2: scopes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Cascade(Component):
    """Fires one event after another, of every kind."""

    def begin(self) -> None:
        self.fire(Event.create("first"))
        cancelled = Event.create("cancelled")
        self.fire(cancelled)
        cancelled.cancel()

    def first(self) -> Any:
        yield
        self.fire(Event.create("second"))
        yield self.wait("go_on")

    def second(self) -> None:
        self.fire(Event.create("third"), "nowhere")
        raise ValueError


def test_complete_waits_for_everything_that_was_caused_directly_or_not(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    Cascade().register(app)
    event = Event.create("begin")
    event.complete = True
    app.fire(event)
    run_until_idle(app)
    assert "begin_complete" not in recorder.names()

    app.fire(Event.create("go_on"))
    run_until_idle(app)
    assert recorder.names() == ["begin", "first", "second", "third", "exception", "go_on", "begin_complete"]


def test_an_event_that_nobody_caused_is_not_waited_for(app: Component, recorder: EventRecorder) -> None:
    event = Event.create("begin")
    event.complete = True
    app.fire(event)
    app.fire(Event.create("unrelated"))
    run_until_idle(app)

    assert recorder.names() == ["begin", "unrelated", "begin_complete"]


def test_an_inner_scope_is_complete_before_the_outer_one(app: Component, recorder: EventRecorder) -> None:
    class Nested(Component):
        def outer(self) -> None:
            inner = Event.create("inner")
            inner.complete = True
            self.fire(inner)

        def inner(self) -> None:
            self.fire(Event.create("leaf"))

        def inner_complete(self, *_: object) -> None:
            self.fire(Event.create("afterwards"))

    Nested().register(app)
    outer = Event.create("outer")
    outer.complete = True
    app.fire(outer)
    run_until_idle(app)

    assert recorder.names() == ["outer", "inner", "leaf", "inner_complete", "afterwards", "outer_complete"]


def test_a_cancelled_event_is_told_to_nobody_but_waited_for_by_nobody_either(
    app: Component, recorder: EventRecorder
) -> None:
    class Host(Component):
        def outer(self) -> None:
            inner = Event.create("inner")
            inner.complete = inner.success = True
            self.fire(inner)
            inner.cancel()

    Host().register(app)
    outer = Event.create("outer")
    outer.complete = True
    app.fire(outer)
    run_until_idle(app)

    assert recorder.names() == ["outer", "outer_complete"]


def test_an_event_with_an_unknown_keyword_is_not_counted(app: Component, recorder: EventRecorder) -> None:
    # The count was raised before the mistake was noticed, and never came down.
    class Host(Component):
        def outer(self) -> None:
            with pytest.raises(TypeError, match="'urgent'"):
                self.fire(Event.create("inner"), urgent=True)

    Host().register(app)
    outer = Event.create("outer")
    outer.complete = True
    app.fire(outer)
    run_until_idle(app)

    assert recorder.names() == ["outer", "outer_complete"]


# ── rule 3: failure ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_failure_suppresses_success_and_nothing_else(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing(Component):
        def knock(self) -> None:
            raise ValueError

    Failing().register(app)
    event = knock()
    event.success = event.failure = event.complete = event.alert_done = True
    app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["knock", "knock_failure", "exception", "knock_done", "knock_complete"]


def test_an_error_of_the_reporter_of_errors_is_printed_and_not_reported_to_it(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Reporter(Component):
        def knock(self) -> None:
            raise ValueError("first")

        def exception(self, *_: object, **__: object) -> None:
            raise ValueError("second")

    Reporter().register(app)
    app.fire(knock())
    run_until_idle(app)

    assert recorder.names() == ["knock", "exception"]
    assert "second" in capsys.readouterr().err


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_leaving_is_no_error(app: Component, recorder: EventRecorder, error: BaseException) -> None:
    class Leaving(Component):
        def knock(self) -> None:
            raise error

    Leaving().register(app)
    event = knock()
    event.success = True
    value = app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["knock", "knock_success"]
    assert not value.errors


# ── a handler that turns the tree ────────────────────────────────────────────────────────────────────────────────────


def test_an_event_whose_suspended_handler_ends_while_another_turns_the_tree_is_told_of_once(
    app: Component, recorder: EventRecorder
) -> None:
    # It was told of twice, and counted as ended twice.
    class Turner(Component):
        @handler("knock", priority=1)
        def suspended(self) -> Any:
            yield

        @handler("knock")
        def turns(self) -> None:
            for _ in range(5):
                self.tick()

    Turner().register(app)
    event = knock()
    event.success = event.complete = True
    app.fire(event)
    run_until_idle(app)

    assert sorted(recorder.names()) == ["knock", "knock_complete", "knock_success"]


# ── rule 1: plain events stay plain ──────────────────────────────────────────────────────────────────────────────────


def test_a_plain_event_is_never_settled(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    settled = []
    monkeypatch.setattr("circuits.core._dispatch.settle", lambda tree, event: settled.append(event))
    value = app.fire(knock())
    app.tick()

    assert settled == []
    assert value.done
