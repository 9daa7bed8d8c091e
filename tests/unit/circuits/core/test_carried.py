from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, handler
from circuits.core.events import EventType, exception, generate_events, registered, signal, started


class nothing(Event):
    def __init__(self) -> None:
        super().__init__()


class one(Event):
    def __init__(self, name: str) -> None:
        super().__init__(name)


class optional(Event):
    """Carries both, always."""

    def __init__(self, name: str, greeting: str = "Hello") -> None:
        super().__init__(name, greeting)


class named(Event):
    def __init__(self, name: str, loudly: bool = False) -> None:
        super().__init__(name, loud=loudly)


class several(Event):
    def __init__(self, name: str, *more: str) -> None:
        super().__init__(name, *more)


class anything(Event):
    """Has no constructor of its own."""


class open_names(Event):
    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)


class one_or_two(Event):
    def __init__(self, name: str, greeting: str | None = None) -> None:
        if greeting is None:
            super().__init__(name)
        else:
            super().__init__(name, greeting)


class old_style(Event):
    def __init__(self, name: str) -> None:
        Event.__init__(self, name)


class old_super(Event):
    def __init__(self, name: str) -> None:
        super(old_super, self).__init__(name)  # noqa: UP008 - as programs for Python 2 have it


class inherited(one):
    """Has the constructor of its base."""


class longer(one):
    """Is made with more than it carries."""

    def __init__(self, first: str, last: str) -> None:
        super().__init__(f"{first} {last}")


class longer_open(several):
    def __init__(self, first: str, last: str) -> None:
        super().__init__(first, last)


class past_its_base(one):
    def __init__(self, name: str, greeting: str) -> None:
        Event.__init__(self, name, greeting)


class changed_later(Event):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.args += (name, name)


class no_call(Event):
    def __init__(self, name: str) -> None:
        vars(self).update(name=name)


def component_with(event: EventType | str, method: Callable[..., Any]) -> type[BaseComponent]:
    """Give the class App, whose only handler of its own is *method*, for *event*."""
    return type("App", (BaseComponent,), {"method": handler(event)(method)})


def takes_nothing(self: Any) -> None: ...
def takes_one(self: Any, name: str) -> None: ...
def takes_one_only_by_place(self: Any, name: str, /) -> None: ...
def takes_two(self: Any, name: str, greeting: str) -> None: ...
def takes_one_or_two(self: Any, name: str, greeting: str = "") -> None: ...
def takes_all(self: Any, *args: Any, **kwargs: Any) -> None: ...
def takes_all_in_place(*args: Any) -> None: ...
def takes_the_event(self: Any, event: Event) -> None: ...
def takes_the_event_and_one(self: Any, event: Event, name: str) -> None: ...
def takes_the_event_and_all(self: Any, event: Event, *args: Any, **kwargs: Any) -> None: ...
def takes_the_event_by_name(self: Any, name: str, *, event: Event) -> None: ...
def takes_loud(self: Any, name: str, loud: bool) -> None: ...
def takes_loud_by_name(self: Any, name: str, *, loud: bool) -> None: ...
def takes_loud_if_it_must(self: Any, name: str, *, loud: bool = False) -> None: ...
def needs_another_name(self: Any, name: str, *, other: bool) -> None: ...


FITTING = [
    (nothing, [takes_nothing, takes_all, takes_all_in_place, takes_the_event]),
    (one, [takes_one, takes_one_only_by_place, takes_one_or_two, takes_all, takes_the_event_and_one]),
    (optional, [takes_two, takes_one_or_two, takes_all, takes_the_event_and_all]),
    (named, [takes_loud, takes_loud_by_name, takes_loud_if_it_must, takes_all, takes_the_event_and_all]),
    (several, [takes_one, takes_two, takes_one_or_two, takes_all]),
    (anything, [takes_nothing, takes_one, takes_two, takes_the_event, needs_another_name]),
    (open_names, [takes_one, takes_two, takes_loud_by_name, needs_another_name, takes_all]),
    (one_or_two, [takes_one, takes_two, takes_one_or_two]),
    (old_style, [takes_one, takes_the_event_and_one]),
    (old_super, [takes_one, takes_the_event_and_one]),
    (inherited, [takes_one]),
    (longer, [takes_one]),
    # Not certain, so everything fits.
    (longer_open, [takes_one, takes_two, takes_nothing]),
    (past_its_base, [takes_two, takes_nothing]),
    (changed_later, [takes_two, takes_nothing]),
    (no_call, [takes_two, takes_nothing]),
    # The kernel's own events.
    (started, [takes_one, takes_the_event_and_one]),
    (signal, [takes_two]),
    (registered, [takes_two]),
    (generate_events, [takes_nothing, takes_the_event]),
    (exception, [takes_all, takes_the_event_and_all]),
]

MISFITS = [
    (nothing, [takes_one, takes_the_event_and_one]),
    (one, [takes_nothing, takes_two, takes_the_event, needs_another_name, takes_the_event_by_name]),
    (optional, [takes_one, takes_the_event_and_one]),
    (named, [takes_one, takes_two, needs_another_name, takes_all_in_place]),
    (several, [takes_nothing, takes_the_event]),
    (open_names, [takes_nothing, takes_the_event]),
    (one_or_two, [takes_nothing]),
    (old_style, [takes_two]),
    (old_super, [takes_two]),
    (inherited, [takes_two]),
    (longer, [takes_two]),
    (started, [takes_nothing]),
    (generate_events, [takes_two]),
    (exception, [takes_one, takes_all_in_place]),
]


Pairs = list[tuple[Any, Callable[..., Any]]]


def flat(table: list[tuple[Any, list[Any]]]) -> Pairs:
    return [(event, method) for event, methods in table for method in methods]


def each(pairs: Pairs) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("event", "method"), [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].__name__}") for pair in pairs]
    )


@each(flat(FITTING))
def test_a_handler_that_can_take_what_an_event_carries_is_accepted(event: EventType, method: Any) -> None:
    app = component_with(event, method)()

    assert app.handles(method.__name__)


@each(flat(MISFITS))
def test_a_handler_that_cannot_is_refused_when_the_component_is_made(event: EventType, method: Any) -> None:
    cls = component_with(event, method)

    with pytest.raises(TypeError, match=f"^App: the handler {method.__name__} cannot take the event {event.name}: "):
        cls()


#: Events that carry the same always, and what they are made with.
MADE_WITH = {
    nothing: (),
    one: ("Bob",),
    optional: ("Bob",),
    named: ("Bob",),
    old_style: ("Bob",),
    old_super: ("Bob",),
    inherited: ("Bob",),
    longer: ("Bob", "Smith"),
}


@each([(event, method) for event, method in flat(FITTING) + flat(MISFITS) if event in MADE_WITH])
def test_who_is_accepted_can_be_called_and_who_is_refused_could_not(event: Any, method: Any) -> None:
    # Named by text, so that nobody asks before the call.
    app = component_with(event.name, method)()

    value = app.fire(event(*MADE_WITH[event]))
    app.flush()

    assert value.errors is ((event, method) in flat(MISFITS))


def test_the_report_names_both_with_what_they_take_and_carry_and_the_place() -> None:
    class App(Component):
        @handler(optional)
        def welcome(self, event: Event, name: str) -> None: ...

    with pytest.raises(TypeError) as caught:
        App()

    assert re.sub(r"line \d+", "line N", str(caught.value).replace(__file__, "test.py")) == (
        "App: the handler test_the_report_names_both_with_what_they_take_and_carry_and_the_place.<locals>.App.welcome "
        "cannot take the event optional: it takes (name), the event carries (name, greeting): too many positional "
        'arguments\n  File "test.py", line N, in welcome'
    )


def test_an_inherited_handler_is_reported_for_the_class_that_is_made() -> None:
    class Base(Component):
        @handler(one)
        def welcome(self) -> None: ...

    class Derived(Base):
        """Adds nothing."""

    with pytest.raises(TypeError, match=r"^Derived: the handler .*Base\.welcome cannot take the event one"):
        Derived()


def test_a_handler_of_several_events_has_to_take_each_of_them() -> None:
    class App(Component):
        @handler(one, "anything", optional)
        def welcome(self, name: str) -> None: ...

    with pytest.raises(TypeError, match="cannot take the event optional"):
        App()


def test_a_handler_named_by_text_is_asked_nothing() -> None:
    class App(Component):
        @handler("one")
        def welcome(self) -> None: ...

    assert App().handles("welcome")


def test_a_handler_that_is_added_later_is_asked_too() -> None:
    app = BaseComponent()

    with pytest.raises(TypeError, match="BaseComponent: the handler takes_two cannot take the event one"):
        app.addHandler(handler(one)(takes_two))


def test_generators_and_coroutines_are_asked_as_well() -> None:
    class Generators(Component):
        @handler(one)
        def welcome(self) -> Any:
            yield

    class Coroutines(Component):
        @handler(one)
        async def welcome(self) -> None: ...

    for cls in (Generators, Coroutines):
        with pytest.raises(TypeError, match="cannot take the event one"):
            cls()


def test_a_decorator_in_between_is_seen_through() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    class App(Component):
        @handler(one)
        @logged
        def welcome(self, event: Event, name: str) -> str:
            return f"{event.name} {name}"

    app = App()
    value = app.fire(one("Bob"))
    app.flush()
    assert value.value == "one Bob"

    with pytest.raises(TypeError, match="cannot take the event one"):
        component_with(one, logged(takes_two))()


def test_a_decorator_that_takes_the_event_for_itself_gets_it() -> None:
    def tagged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(self: Any, event: Event, *args: Any) -> Any:
            return event.name, function(self, *args)

        return call

    class App(Component):
        @handler("one")
        @tagged
        def welcome(self, name: str) -> str:
            return name

    app = App()
    value = app.fire(one("Bob"))
    app.flush()

    assert value.value == ("one", "Bob")


def test_an_event_whose_source_is_not_there_fits_every_handler() -> None:
    namespace: dict[str, Any] = {}
    exec("class typed(Event):\n def __init__(self, a):\n  super().__init__(a)", {"Event": Event}, namespace)

    assert component_with(namespace["typed"], takes_two)().handles("takes_two")


@pytest.mark.parametrize("name", [3, None, object, dict, ["one"]])
def test_a_name_that_is_neither_text_nor_an_event_class_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match="expected the name or the class of an event, got"):
        handler(name)(takes_one)
