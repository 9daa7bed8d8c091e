"""An event can tell when it has succeeded, failed, been handled, and when all it has caused is over."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event, handler
from support import EventRecorder, run_until_idle


class order(Event):
    """Ask for something that may succeed or fail."""

    success = True
    failure = True
    complete = True


class Kitchen(Component):
    """Remembers what it is told about orders."""

    def init(self) -> None:
        self.recorder = EventRecorder().register(self)

    def names(self) -> list[str]:
        return self.recorder.names()

    def exception(self, *args: Any, **kwargs: Any) -> None:
        pass


def place(app: Kitchen, event: Event | None = None) -> Event:
    event = order("soup") if event is None else event
    app.fire(event)
    run_until_idle(app)
    return event


def test_an_event_says_nothing_unless_asked() -> None:
    class App(Kitchen):
        def order(self, what: str) -> str:
            return what

    app = App()
    place(app, Event.create("order", "soup"))

    assert app.names() == ["order"]


def test_success_comes_with_the_event_and_what_its_handlers_returned() -> None:
    class App(Kitchen):
        def order(self, what: str) -> str:
            return what.upper()

        def order_success(self, evt: Event, value: Any) -> None:
            self.seen = (evt, value)

    app = App()
    event = place(app)

    assert app.seen == (event, "SOUP")


def test_success_comes_after_the_events_that_the_handlers_fired() -> None:
    class App(Kitchen):
        def order(self, what: str) -> None:
            self.fire(Event.create("cook"))
            self.fire(Event.create("serve"))

        def cook(self) -> None:
            self.fire(Event.create("boil"))

    app = App()
    place(app)

    assert app.names() == ["order", "cook", "serve", "order_success", "boil", "order_complete"]


def test_success_comes_after_the_last_generator_has_ended() -> None:
    class App(Kitchen):
        @handler("order", priority=1)
        def slow(self, what: str) -> Any:
            for _ in range(5):
                yield None
            self.fire(Event.create("cook"))

        def order(self, what: str) -> Any:
            yield None

    app = App()
    place(app)

    assert app.names() == ["order", "cook", "order_success", "order_complete"]


@pytest.mark.parametrize("as_generator", [False, True])
def test_one_handler_that_raises_means_failure_though_the_others_are_called(as_generator: bool) -> None:
    class App(Kitchen):
        @handler("order", priority=1)
        def fails(self, what: str) -> Any:
            raise ValueError("burnt")

        @handler("order", priority=1)
        def fails_later(self, what: str) -> Any:
            yield None
            raise ValueError("burnt")

        def order(self, what: str) -> str:
            return what

        def order_failure(self, evt: Event, error: Any) -> None:
            self.seen = (evt, error)

    app = App()
    app.removeHandler(app.fails if as_generator else app.fails_later)
    event = place(app)

    assert app.names() == ["order", "order_failure", "exception", "order_complete"]
    assert app.seen[0] is event
    kind, error, traceback = app.seen[1]
    assert (kind, str(error)) == (ValueError, "burnt")
    assert traceback is error.__traceback__
    assert event.value is not None
    assert "soup" in event.value


def test_complete_comes_after_everything_that_the_event_has_caused() -> None:
    class App(Kitchen):
        def order(self, what: str) -> None:
            self.fire(Event.create("cook", 3))

        def cook(self, depth: int) -> None:
            if depth:
                self.fire(Event.create("cook", depth - 1))

        def order_complete(self, evt: Event, value: Any) -> None:
            self.seen = evt

    app = App()
    event = place(app)

    assert app.names() == ["order", "cook", "order_success", "cook", "cook", "cook", "order_complete"]
    assert app.seen is event


def test_complete_comes_after_what_generators_cause_in_the_course_of_time() -> None:
    class App(Kitchen):
        def order(self, what: str) -> Any:
            yield None
            self.fire(Event.create("cook"))
            yield None
            self.fire(Event.create("serve"))

        def cook(self) -> Any:
            yield None
            yield None
            self.fire(Event.create("boil"))
            yield None

        def boil(self) -> Any:
            for _ in range(10):
                yield None

    app = App()
    place(app)

    assert app.names() == ["order", "cook", "serve", "order_success", "boil", "order_complete"]


def test_complete_comes_also_when_something_it_caused_has_failed() -> None:
    class App(Kitchen):
        def order(self, what: str) -> None:
            self.fire(Event.create("cook"))

        def cook(self) -> None:
            raise ValueError

    app = App()
    place(app)

    assert app.names() == ["order", "cook", "order_success", "exception", "order_complete"]


def test_complete_counts_what_the_handlers_of_success_and_failure_cause() -> None:
    class App(Kitchen):
        def order_success(self, *_: Any) -> None:
            self.fire(Event.create("celebrate"))

    app = App()
    place(app)

    assert app.names() == ["order", "order_success", "celebrate", "order_complete"]


def test_the_events_that_tell_may_be_sent_elsewhere() -> None:
    seen = []

    class App(Kitchen):
        channel = "kitchen"

        @handler("order_success", "order_complete", channel="table")
        def told(self, event: Event, *_: Any) -> None:
            seen.append(event.name)

    class sent(order):
        name = "order"
        success_channels = ("table",)
        complete_channels = ("table",)

    app = App()
    place(app, sent("soup"))

    assert seen == ["order_success", "order_complete"]
    assert [app.recorder.of(name)[0].channels for name in ("order", "order_success")] == [("kitchen",), ("table",)]


def test_they_go_to_the_channels_of_the_event_otherwise() -> None:
    app = Kitchen()
    event = order("soup")
    app.fire(event, "a", "b")
    run_until_idle(app)

    assert {told.channels for told in app.recorder.of("order_success")} == {("a", "b")}
    assert {told.channels for told in app.recorder.of("order_complete")} == {("a", "b")}


def test_the_events_that_tell_know_their_parent_and_ask_for_nothing() -> None:
    app = Kitchen()
    event = place(app)
    for name in ("order_success", "order_complete"):
        (told,) = app.recorder.of(name)
        assert told.parent is event
        assert told.name == name
        assert not any((told.success, told.failure, told.complete, told.notify))


def test_done_is_told_on_request_when_all_handlers_have_ended() -> None:
    class App(Kitchen):
        def order(self, what: str) -> Any:
            yield None
            assert event.waitingHandlers == 1
            yield None

    app = App()
    event = Event.create("order", "soup")
    event.alert_done = True
    place(app, event)

    assert app.names() == ["order", "order_done"]
    assert event.waitingHandlers == 0


def test_an_exception_event_names_the_error_the_handler_and_the_event() -> None:
    class App(Kitchen):
        def order(self, what: str) -> None:
            raise ValueError("burnt")

    app = App()
    event = place(app)

    (told,) = app.recorder.of("exception")
    kind, error, lines = told.args
    assert (kind, str(error)) == (ValueError, "burnt")
    assert all(isinstance(line, str) for line in lines)
    assert "in order" in "".join(lines)
    assert told.kwargs == {"handler": app.order, "fevent": event}
    assert told.channels == ("*",)


def test_an_exception_event_names_the_handler_for_errors_inside_a_generator_too() -> None:
    class App(Kitchen):
        def order(self, what: str) -> Any:
            yield None
            raise ValueError

    app = App()
    event = place(app)

    assert app.recorder.of("exception")[0].kwargs == {"handler": app.order, "fevent": event}


def test_a_flag_set_on_a_class_that_exists_already_counts_from_then_on() -> None:
    class task(Event):
        pass

    app = Kitchen()
    place(app, task())
    task.complete = True
    place(app, task())

    assert app.names() == ["task", "task", "task_complete"]


def test_an_event_that_reaches_nobody_succeeds() -> None:
    app = Kitchen()
    app.fire(order("soup"), "nowhere")
    run_until_idle(app)

    assert app.names() == ["order", "order_success", "order_complete"]
