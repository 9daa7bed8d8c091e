from __future__ import annotations

from circuits import BaseComponent, Component, Event, Manager, handler
from circuits.tools import inspect


def test_a_component_is_reported_as_the_guide_shows_it() -> None:
    class App(Component):
        def foo(self) -> None:
            """Handle foo."""

    assert inspect(App()).splitlines() == [
        " Components: 0",
        "",
        " Event Handlers: 2",
        "  foo; 1",
        "   <handler[*][foo] (App.foo)>",
        "  prepare_unregister_complete; 1",
        "   <handler[<instance of App>][prepare_unregister_complete] (App._on_prepare_unregister_complete)>",
    ]


def test_the_components_registered_with_it_are_named() -> None:
    class Bob(Component):
        channel = "bob"

    app = Component()
    children = [Bob().register(app), Component(channel="fred").register(app)]

    assert inspect(app).splitlines()[:4] == [" Components: 2", f"  {children[0]!r}", f"  {children[1]!r}", ""]


def test_handlers_are_counted_by_event_and_in_all() -> None:
    class Base(Component):
        def foo(self) -> None:
            """Handle foo."""

    class App(Base):
        @handler("bar", "foo", channel="other")
        def both(self) -> None:
            """Handle two events."""

        @handler(channel="*")
        def all_of_them(self, event: Event) -> None:
            """Handle every event."""

    lines = inspect(App()).splitlines()

    assert lines[2:-2] == [
        " Event Handlers: 5",
        "  bar; 1",
        "   <handler[other][bar,foo] (App.both)>",
        "  foo; 2",
        "   <handler[other][bar,foo] (App.both)>",
        "   <handler[*][foo] (App.foo)>",
        "  *; 1",
        "   <handler[*][] (App.all_of_them)>",
    ]


def test_handlers_come_and_go_in_the_report() -> None:
    def bar(self: BaseComponent) -> None:
        """Handle bar."""

    app = BaseComponent()
    before = inspect(app)
    method = app.addHandler(bar)

    assert "  bar; 1\n   <handler[*][] (BaseComponent.bar)>" in inspect(app)

    app.removeHandler(method)
    assert inspect(app) == before


def test_a_plain_manager_is_reported_too() -> None:
    assert inspect(Manager()) == " Components: 0\n\n Event Handlers: 0"
