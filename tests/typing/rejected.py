"""Mistakes that type checkers find. Read by `make types`, never run.

Each mistake stands beside an ignore comment with the code of its error; strict checking complains of a comment that has
nothing to ignore, and so of a mistake that is no longer found.
"""

from __future__ import annotations

from circuits import Component, Debugger, Event, Manager, Timer, handler, sleep
from circuits.tools import deprecated, graph, tryimport, walk


class greet(Event):
    """Carries whatever it is made with."""


class welcome(Event):
    """Says what it carries."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


class App(Component):
    @handler(greet)
    def say(self, name: str) -> str:
        return name

    @handler(3)  # type: ignore[arg-type]
    def number(self) -> None: ...

    @handler(Manager)  # type: ignore[arg-type]
    def no_event_class(self) -> None: ...

    @handler(greet())  # type: ignore[arg-type]
    def an_event_is_no_class(self) -> None: ...

    @handler(True)  # type: ignore[arg-type]
    def only_false_means_something(self) -> None: ...


def a_handler_keeps_its_parameters_and_its_result(app: App) -> None:
    app.say(3)  # type: ignore[arg-type]
    app.say()  # type: ignore[call-arg]
    length: int = app.say("Bob")  # type: ignore[assignment]
    print(length)


def an_event_keeps_those_of_its_constructor() -> None:
    welcome(3)  # type: ignore[arg-type]
    welcome()  # type: ignore[call-arg]


def only_events_are_fired_and_called(app: App) -> None:
    app.fire("greet")  # type: ignore[arg-type]
    app.fire(greet)  # type: ignore[arg-type]
    app.call("greet")  # type: ignore[arg-type]
    app.wait(3)  # type: ignore[arg-type]
    app.wait(App)  # type: ignore[arg-type]


def what_fire_gives_is_not_the_result(app: App) -> None:
    text: str = app.fire(greet("Bob"))  # type: ignore[assignment]
    print(text)


async def only_what_takes_time_is_awaited(app: App) -> None:
    await app  # type: ignore[misc]
    await greet()  # type: ignore[misc]
    await sleep("1")  # type: ignore[arg-type]
    for event in app.stream(greet):  # type: ignore[attr-defined]
        print(event)


def components_are_registered_with_components(app: App) -> None:
    app.register("app")  # type: ignore[arg-type]
    Manager().register(app)  # type: ignore[attr-defined]
    app + greet()  # type: ignore[operator]
    other: Debugger = app.register(Manager())  # type: ignore[assignment]
    print(other)


def options_have_types() -> None:
    Debugger(trim="5")  # type: ignore[arg-type]
    Debugger(file=3)  # type: ignore[arg-type]
    Debugger().enabled = "yes"  # type: ignore[assignment]
    Timer("1", greet())  # type: ignore[arg-type]
    Timer(1, "greet")  # type: ignore[arg-type]


@deprecated
def old(x: int) -> float:
    return float(x)


def tools_want_components(app: App) -> None:
    graph("app")  # type: ignore[arg-type]
    walk(app, lambda component: component)  # type: ignore[arg-type,misc]
    tryimport(3)  # type: ignore[arg-type]
    old("x")  # type: ignore[arg-type]
