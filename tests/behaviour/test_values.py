"""Firing an event gives a value that will hold what its handlers return, whenever that may be."""

from __future__ import annotations

import re
from typing import Any

import pytest

from circuits import Component, Event, handler
from support import EventRecorder, run_program, run_until_idle


class ask(Event):
    """Ask for something."""


def test_the_session_of_the_documents_runs_as_printed() -> None:
    program = """
from circuits import handler, Event, Component, Debugger


class hello(Event):
    "hello Event"


class test(Event):
    "test Event"


class App(Component):

    def hello(self):
        return "Hello World!"

    def test(self):
        return self.fire(hello())

    @handler("hello_value_changed")
    def _on_hello_value_changed(self, value):
        print("hello's return value was: {}".format(value))


import sys
app = App()
Debugger(file=sys.stdout).register(app)

x = app.fire(test())
x.notify = True
app.tick()
print("--")
app.tick()
print("--")
app.tick()
print("--")
app.tick()
print(repr(x))
print(x.value)
"""
    printed = re.sub(r" \d+:MainThread", " 27798:MainThread", run_program(program).check().stdout)

    assert printed.splitlines() == [
        "<registered[*] (<Debugger/* 27798:MainThread (queued=0) [S]>, <App/* 27798:MainThread (queued=1) [S]> )>",
        "<test[*] ( )>",
        "--",
        "<hello[*] ( )>",
        "--",
        "<test_value_changed[<App/* 27798:MainThread (queued=0) [S]>] "
        "(<Value ('Hello World!') result=True; errors=False; for <test[*] ( )> )>",
        "--",
        "<Value ('Hello World!') result=True; errors=False; for <test[*] ( )>",
        "Hello World!",
    ]


def test_results_that_are_none_do_not_count() -> None:
    class App(Component):
        @handler("ask", priority=2)
        def nothing(self) -> None:
            return None

        @handler("ask", priority=1)
        def something(self) -> int:
            return 7

    app = App()
    value = app.fire(ask())
    app.flush()

    assert value.value == 7


def test_two_results_are_a_list_and_so_are_more() -> None:
    class App(Component):
        @handler("ask", priority=2)
        def one(self) -> int:
            return 1

        @handler("ask", priority=1)
        def two(self) -> int:
            return 2

        @handler("ask")
        def three(self) -> int:
            return 3

    app = App()
    value = app.fire(ask())
    app.flush()

    assert value.value == [1, 2, 3]
    assert 2 in value
    assert list(value) == [1, 2, 3]
    assert str(value) == "[1, 2, 3]"
    assert value[0] == 1


def test_a_handler_sees_what_those_before_it_have_returned() -> None:
    seen = []

    class App(Component):
        @handler("ask", priority=1)
        def one(self) -> int:
            return 1

        @handler("ask")
        def two(self, event: Event) -> None:
            assert event.value is not None
            seen.append(event.value.value)

    app = App()
    app.fire(ask())
    app.flush()

    assert seen == [1]


def test_a_list_that_is_yielded_becomes_the_list_of_results() -> None:
    class App(Component):
        def ask(self) -> Any:
            yield [1, 2]
            yield 3

    app = App()
    value = app.fire(ask())
    run_until_idle(app)

    assert value.value == [1, 2, 3]


def test_a_value_that_is_returned_is_resolved_when_its_own_result_is_there() -> None:
    class App(Component):
        def ask(self) -> Any:
            return self.fire(Event.create("ask_on"))

        def ask_on(self) -> Any:
            yield None
            yield "finally"

    app = App()
    value = app.fire(ask())
    app.flush()
    assert value.value is None
    assert not value.result
    run_until_idle(app)

    assert value.value == "finally"
    assert value.result
    assert value.getValue(recursive=False).value == "finally"


def test_an_error_sets_errors_and_stands_beside_the_other_results(capsys: pytest.CaptureFixture[str]) -> None:
    class App(Component):
        @handler("ask", priority=1)
        def fails(self) -> None:
            raise ValueError("one")

        @handler("ask")
        def works(self) -> str:
            return "two"

    app = App()
    value = app.fire(ask())
    run_until_idle(app)

    (kind, error, traceback), two = value.value
    assert (kind, str(error), two) == (ValueError, "one", "two")
    assert traceback is not None
    assert value.errors


class Asker(Component):
    """Fires `ask` with what *wish* says about being told, and is told."""

    def init(self, wish: Any = True) -> None:
        self.told: list[Any] = []
        self.wish = wish

    @handler("begin")
    def _on_begin(self) -> None:
        event = ask()
        event.notify = self.wish
        self.fire(event)

    @handler("ask_value_changed", "answered")
    def _on_answer(self, event: Event, value: Any) -> None:
        self.told.append((event.name, value.value))


class Answering(Component):
    def ask(self) -> str:
        return "yes"


def test_who_fires_can_ask_to_be_told_of_results_and_is_the_only_one_told() -> None:
    app = Component()
    asker, bystander = Asker().register(app), Asker().register(app)
    Answering().register(app)
    run_until_idle(app)
    app.fire(Event.create("begin"), asker)
    run_until_idle(app)

    assert asker.told == [("ask_value_changed", "yes")]
    assert bystander.told == []


def test_the_event_that_tells_may_be_given_another_name() -> None:
    asker = Asker("answered")
    Answering().register(asker)
    asker.fire(Event.create("begin"))
    run_until_idle(asker)

    assert asker.told == [("answered", "yes")]


def test_a_generator_tells_when_it_has_finished() -> None:
    class Slow(Component):
        def ask(self) -> Any:
            yield 1
            yield 2

    asker = Asker()
    Slow().register(asker)
    recorder = EventRecorder().register(asker)
    asker.fire(Event.create("begin"))
    run_until_idle(asker)

    assert asker.told == [("ask_value_changed", [1, 2])]
    assert recorder.names() == ["begin", "ask", "ask_value_changed"]


def test_every_event_that_has_the_result_among_its_own_tells_of_it() -> None:
    class App(Asker):
        def ask(self) -> Any:
            return self.fire(Event.create("ask_on"))

        def ask_on(self) -> str:
            return "finally"

    app = App()
    app.fire(Event.create("begin"))
    run_until_idle(app)

    assert app.told == [("ask_value_changed", "finally")]


def test_the_events_value_is_the_one_that_fire_gave() -> None:
    app = Answering()
    event = ask()
    assert event.value is None
    value = app.fire(event)
    app.flush()

    assert event.value == value
    assert event.value is not None
    assert event.value.value == "yes"
