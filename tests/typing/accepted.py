"""Programs that type checkers accept, and the types that they find in them. Read by `make types`, never run."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, assert_type

from circuits import BaseComponent, Component, Debugger, Event, Manager, Timer, Value, handler, sleep
from circuits.core.events import exception, started
from circuits.tools import deprecated, dot, edges, findroot, graph, inspect, kill, mermaid, png, tryimport, walk


class greet(Event):
    """Carries whatever it is made with."""


class welcome(Event):
    """Says what it carries."""

    success = True
    notify = "welcomed"

    def __init__(self, name: str, times: int = 1) -> None:
        super().__init__(name, times)


class App(Component):
    channel = "app"

    @handler("greet", welcome, channel="*", priority=1.5, override=True)
    def say(self, name: str, times: int = 1) -> str:
        return name * times

    @handler()
    def see(self, event: Event, *args: Any, **kwargs: Any) -> None:
        event.stop()

    @handler(False)
    def helper(self) -> int:
        return 1

    @handler(exception)
    def report(self, event: exception, *args: Any, **kwargs: Any) -> None:
        event.cancel()

    def go_on(self) -> Generator[Any, Value, None]:
        value = yield self.call(greet("Bob"), "app", timeout=1)
        assert_type(value, Value)
        yield self.wait("greet", "app")
        yield self.wait(welcome, timeout=0.5)
        yield sleep(0.5)

    @handler(started)
    async def begin(self, manager: Manager) -> None:
        assert_type(await self.call(greet("Bob")), Any)
        await self.wait(greet("Bob"))
        assert_type(await self.fire(greet("Bob")), Any)
        await sleep(0.5)
        async for event in self.stream(welcome, "app", limit=10):
            assert_type(event, Event)


def a_handler_stays_the_function_that_it_is(app: App) -> None:
    assert_type(app.say("Bob", times=2), str)
    assert_type(app.see(greet()), None)
    assert_type(app.helper(), int)


def firing_gives_a_value(app: App) -> None:
    value = app.fire(greet("Bob", loudly=True), "app", app, priority=1)
    assert_type(value, Value)
    assert_type(value.errors, bool)
    assert_type(app.fire(Event.create("greet", "Bob")), Value)
    value.notify = "told"
    value.notify = True


def registering_gives_the_component_itself(app: App) -> None:
    assert_type(App().register(Manager()), App)
    assert_type(app + Debugger() + Timer(1, greet()), App)
    assert_type(app - app, App)
    assert_type(app.unregister(), App)
    app += App()
    assert_type(app, App)


def asking_a_component(app: App) -> None:
    assert_type(App.handles("say"), bool)
    assert_type(app.events(), list[str])
    assert_type(app.root, Manager)
    app.addHandler(handler("late")(App.say))


async def running(app: App) -> None:
    app.tick(timeout=0)
    app.stop(1)
    app.stop("why")
    await app.serve()


def debugging() -> None:
    Debugger(errors=False, events=True, file=sys.stdout, prefix="app", trim=80, channel="debug")
    Debugger(file="app.log").chop = 5
    Debugger(file=Path("app.log"), logger=logging.getLogger())
    Debugger.IgnoreEvents.extend(["read", ("server", "write")])


@deprecated
def old(x: int, *, y: str = "") -> float:
    return float(x)


def tools(app: App) -> None:
    assert_type(old(1, y="a"), float)
    assert_type(inspect(app), str)
    assert_type(graph(app, name="app") + dot(app, handlers=True) + mermaid(app), str)
    assert_type(walk(app, lambda depth, component: depth), Iterator[int])
    assert_type(findroot(app), Manager)
    edges(app)
    kill(app)
    png(app, Path("app.png"))
    tryimport(("json", "other"), "loads", message="none")


class Strict(BaseComponent):
    """A component that is made with arguments."""

    def init(self, host: str, port: int = 80) -> None:
        self.place = (host, port)


def components_take_what_their_init_takes() -> None:
    Strict("localhost", port=8000, channel="strict")
