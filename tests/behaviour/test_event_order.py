"""Events are handled in the order in which they were fired, batch by batch, unless a priority says otherwise."""

from __future__ import annotations

from typing import Any

from circuits import Component, Event, handler


class say(Event):
    """Say a word."""


class Speaker(Component):
    """Says words, and knows for each what to fire next."""

    def init(self, **then: Any) -> None:
        self.said: list[str] = []
        self.then = then

    @handler("say")
    def _on_say(self, word: str) -> None:
        self.said.append(word)
        for following in self.then.get(word, ()):
            self.fire(say(following))


def test_events_are_handled_first_in_first_out() -> None:
    app = Speaker()
    for word in "abc":
        app.fire(say(word))
    app.flush()

    assert app.said == ["a", "b", "c"]


def test_a_lower_priority_goes_first() -> None:
    # As documented by use: the reverse of the priority of handlers.
    app = Speaker()
    app.fire(say("later"), priority=1)
    app.fire(say("now"))
    app.fire(say("sooner"), priority=-1)
    app.flush()

    assert app.said == ["sooner", "now", "later"]


def test_equal_priorities_keep_the_order_in_which_they_were_fired() -> None:
    app = Speaker()
    for word in "abcdef":
        app.fire(say(word), priority=2)
    app.flush()

    assert app.said == list("abcdef")


def test_a_handler_with_a_higher_priority_goes_first() -> None:
    class App(Component):
        @handler("say", priority=-1)
        def last(self, log: list[str]) -> None:
            log.append("last")

        @handler("say", priority=1)
        def first(self, log: list[str]) -> None:
            log.append("first")

        def say(self, log: list[str]) -> None:
            log.append("middle")

    app = App()
    log: list[str] = []
    app.fire(say(log))
    app.flush()

    assert log == ["first", "middle", "last"]


def test_flush_handles_only_what_is_queued_when_it_begins() -> None:
    app = Speaker(a=["b"], b=["c"])
    app.fire(say("a"))

    app.flush()
    assert app.said == ["a"]
    app.flush()
    assert app.said == ["a", "b"]
    app.flush()
    assert app.said == ["a", "b", "c"]
    app.flush()
    assert app.said == ["a", "b", "c"]


def test_priorities_order_only_one_batch() -> None:
    class App(Speaker):
        @handler("say", priority=1)
        def _interrupt(self, word: str) -> None:
            if word == "a":
                self.fire(say("urgent"), priority=-1000)

    app = App()
    app.fire(say("a"))
    app.fire(say("b"))
    app.flush()
    app.flush()

    assert app.said == ["a", "b", "urgent"]


def test_a_flush_within_a_handler_handles_what_is_left_and_what_was_fired() -> None:
    class App(Speaker):
        @handler("say", priority=1)
        def _hurry(self, word: str) -> None:
            if word == "a":
                self.fire(say("x"))
                self.flush()
                self.said.append("a follows")

    app = App()
    app.fire(say("a"))
    app.fire(say("b"))
    app.flush()

    assert app.said == ["b", "x", "a follows", "a"]


def test_flush_on_a_child_is_a_flush_of_the_whole_tree() -> None:
    app = Speaker()
    child = Component().register(app)
    app.flush()
    app.fire(say("a"))
    child.flush()

    assert app.said == ["a"]


def test_one_tick_advances_every_generator_by_one_step_then_flushes() -> None:
    class App(Component):
        log: list[str] = []  # noqa: RUF012 - of this class alone

        def count(self) -> Any:
            for number in "12":
                self.log.append(number)
                yield number

        def say(self, word: str) -> None:
            self.log.append(word)

    app = App()
    app.fire(Event.create("count"))
    app.tick()
    app.fire(say("a"))
    app.tick()
    app.fire(say("b"))
    app.tick()

    assert app.log == ["1", "a", "2", "b"]


def test_an_event_may_be_stopped_and_a_queued_one_cancelled() -> None:
    class App(Speaker):
        @handler("say", priority=1)
        def _censor(self, event: Event, word: str) -> None:
            if word == "secret":
                event.stop()

    app = App()
    app.fire(say("a"))
    app.fire(say("secret"))
    cancelled = say("b")
    app.fire(cancelled)
    cancelled.cancel()
    app.fire(say("c"))
    app.flush()

    assert app.said == ["a", "c"]


def test_the_queue_of_a_component_moves_to_the_tree_it_joins() -> None:
    app, guest = Speaker(), Component()
    guest.fire(say("from before"))
    guest.register(app)

    assert len(guest) == 0
    assert len(app) == 2  # and `registered`
    app.flush()
    assert app.said == ["from before"]
