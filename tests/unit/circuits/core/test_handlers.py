"""Handlers: the marks on methods, and what a class makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, handler, reprhandler
from circuits.core.handlers import HandlerMetaClass, Unknown
from support import run_until_idle


class greet(Event):
    pass


def results(component: Component, event: Event, *channels: Any) -> Any:
    value = component.fire(event, *channels)
    run_until_idle(component)
    return value.value


# ── rule 1: marks ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_decorator_gives_the_function_back_as_it_was() -> None:
    def plain(self: Any, name: str) -> str:
        return name

    assert handler("greet")(plain) is plain
    assert plain(None, "Bob") == "Bob"


def test_a_handler_may_be_called_like_any_method() -> None:
    class App(Component):
        @handler("greet")
        def hello(self, name: str) -> str:
            return f"hello {name}"

    assert App().hello("Bob") == "hello Bob"


def test_keywords_that_old_programs_pass_are_ignored() -> None:
    class App(Component):
        @handler("greet", filter=True, priority=1.0)
        def hello(self) -> str:
            return "hello"

    assert results(App(), greet()) == "hello"


def test_one_handler_may_be_for_several_events() -> None:
    class App(Component):
        @handler("greet", "salute")
        def hello(self) -> str:
            return "hello"

    app = App()
    assert results(app, greet()) == "hello"
    assert results(app, Event.create("salute")) == "hello"
    assert results(app, Event.create("hello")) is None


def test_an_event_class_may_stand_for_its_name() -> None:
    class renamed(Event):
        name = "salute"

    class App(Component):
        @handler(greet, renamed)
        def hello(self) -> str:
            return "hello"

    app = App()
    assert results(app, greet()) == "hello"
    assert results(app, Event.create("salute")) == "hello"


@pytest.mark.parametrize("name", [3, None, object(), ["greet"], int])
def test_what_is_neither_a_name_nor_an_event_class_is_refused(name: Any) -> None:
    with pytest.raises(TypeError, match=r"hello.*expected the name or the class of an event"):

        @handler(name)
        def hello(self: Any) -> None:
            pass


# ── rule 2: classes ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_public_methods_of_a_component_are_handlers_of_the_events_of_their_names() -> None:
    class App(Component):
        def greet(self) -> str:
            return "hello"

        def _greet(self) -> str:
            return "hidden"

    assert results(App(), greet()) == "hello"
    assert results(App(), Event.create("_greet")) is None


def test_a_base_component_has_only_explicit_handlers() -> None:
    class App(BaseComponent):
        def greet(self) -> str:
            return "implicit"

        @handler("greet")
        def _hello(self) -> str:
            return "explicit"

    app = App()
    value = app.fire(greet())
    run_until_idle(app)

    assert value.value == "explicit"


def test_a_method_can_be_kept_out() -> None:
    class App(Component):
        @handler(False)
        def greet(self) -> str:
            return "hello"

    assert results(App(), greet()) is None
    assert App().greet() == "hello"


def test_what_is_no_plain_method_is_no_handler() -> None:
    class App(Component):
        colour = "red"

        @staticmethod
        def static() -> str:
            return "static"

        @classmethod
        def klass(cls) -> str:
            return "class"

        @property
        def prop(self) -> str:
            return "property"

        class Nested:
            pass

    assert App.handlers() == ["_on_prepare_unregister_complete"]


def test_a_decorated_method_keeps_its_decoration_in_a_component() -> None:
    class App(Component):
        @handler("salute")
        def greet(self) -> str:
            return "hello"

    app = App()
    assert results(app, greet()) is None
    assert results(app, Event.create("salute")) == "hello"


def test_a_method_that_redefines_one_of_a_base_is_one_more_handler() -> None:
    class Base(Component):
        def greet(self) -> str:
            return "base"

    class Derived(Base):
        def greet(self) -> str:
            return "derived"

    assert results(Derived(), greet()) == ["derived", "base"]


def test_a_method_that_says_override_is_the_only_one() -> None:
    class Base(Component):
        def greet(self) -> str:
            return "base"

    class Derived(Base):
        @handler("greet", override=True)
        def greet(self) -> str:
            return "derived"

    class Further(Derived):
        pass

    assert results(Derived(), greet()) == "derived"
    assert results(Further(), greet()) == "derived"


def test_override_replaces_by_the_name_of_the_method_and_no_other() -> None:
    class Base(Component):
        def greet(self) -> str:
            return "base"

        @handler("greet")
        def other(self) -> str:
            return "other"

    class Derived(Base):
        @handler("salute", override=True)
        def greet(self) -> str:
            return "derived"

    app = Derived()
    assert results(app, greet()) == "other"
    assert results(app, Event.create("salute")) == "derived"


def test_a_second_name_for_a_method_is_not_a_second_handler() -> None:
    class App(Component):
        def greet(self) -> str:
            return "hello"

        salute = greet

    assert results(App(), greet()) == "hello"
    assert results(App(), Event.create("salute")) is None


def test_handlers_of_a_mixin_are_found() -> None:
    class Mixin(BaseComponent):
        @handler("greet", priority=1)
        def first(self) -> str:
            return "mixin"

    class App(Mixin, Component):
        def greet(self) -> str:
            return "app"

    assert results(App(), greet()) == ["mixin", "app"]


def test_a_base_that_two_bases_share_counts_once() -> None:
    class Root(Component):
        def greet(self) -> str:
            return "root"

    class Left(Root):
        pass

    class Right(Root):
        pass

    class Both(Left, Right):
        pass

    assert results(Both(), greet()) == "root"


def test_a_handler_of_an_instance_is_bound_when_that_is_made() -> None:
    class App(Component):
        def greet(self) -> str:
            return "before"

    app = App()
    app.greet = lambda: "after"  # type: ignore[method-assign]
    App.greet = lambda self: "much later"  # type: ignore[method-assign]

    assert results(app, greet()) == "before"


def test_the_metaclass_is_the_documented_one() -> None:
    assert type(Component) is HandlerMetaClass


# ── the first parameter ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_first_parameter_called_event_gets_the_event() -> None:
    class App(Component):
        @handler("greet")
        def with_event(self, event: Event, name: str) -> Any:
            return (event.name, name)

        @handler("greet", priority=-1)
        def without(self, name: str) -> Any:
            return name

        @handler("greet", priority=-2)
        def elsewhere(self, name: str, event: Any = "no event") -> Any:
            return event

        @handler("greet", priority=-3)
        def all_of_it(self, event: Event, *args: Any, **kwargs: Any) -> Any:
            return (event.name, args)

        @handler("greet", priority=-4)
        def arguments(self, *event: Any) -> Any:
            return event

    assert results(App(), greet("Bob")) == [("greet", "Bob"), "Bob", "no event", ("greet", ("Bob",)), ("Bob",)]


def test_arguments_that_do_not_fit_are_an_error_of_the_handler(capsys: pytest.CaptureFixture[str]) -> None:
    class App(Component):
        def greet(self, name: str) -> None:
            raise AssertionError("never called")

    app = App()
    value = app.fire(greet())
    run_until_idle(app)

    assert value.errors
    assert value.value[0] is TypeError
    assert "missing 1 required positional argument: 'name'" in capsys.readouterr().err


# ── signatures against event classes ─────────────────────────────────────────────────────────────────────────────────


class measured(Event):
    def __init__(self, value: float, unit: str = "m") -> None:
        super().__init__(value, unit)


def test_a_handler_that_cannot_take_the_events_of_its_class_is_refused_when_the_component_is_made() -> None:
    class App(Component):
        @handler(measured)
        def note(self) -> None:
            pass

    with pytest.raises(TypeError, match=r"App.*note.*measured"):
        App()


@pytest.mark.parametrize(
    "function",
    [
        lambda self, value, unit: None,
        lambda self, event, value, unit: None,
        lambda self, *args: None,
        lambda self, event, *args, **kwargs: None,
        lambda self, value, unit="m": None,
    ],
    ids=["exactly", "with the event", "anything", "the event and anything", "with a default"],
)
def test_a_handler_that_fits_is_accepted(function: Any) -> None:
    class App(BaseComponent):
        note = handler(measured)(function)

    app = App()
    value = app.fire(measured(1.0))
    run_until_idle(app)

    assert not value.errors


def test_a_class_that_does_not_say_what_it_carries_fits_every_handler() -> None:
    class App(Component):
        @handler(greet)
        def hello(self, name: str) -> None:
            pass

    App()


# ── text forms ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_text_form_shows_channel_names_class_and_method() -> None:
    class App(Component):
        def foo(self) -> None:
            pass

        @handler("a", "b", channel="elsewhere")
        def both(self) -> None:
            pass

        @handler(channel="*")
        def everything(self, event: Event, *args: Any) -> None:
            pass

    app = App(channel="here")
    target = App()

    @handler("private", channel=target)
    def guest(self: Any) -> None:
        pass

    assert reprhandler(app.foo) == "<handler[here][foo] (App.foo)>"
    assert reprhandler(app.both) == "<handler[elsewhere][a,b] (App.both)>"
    assert reprhandler(app.everything) == "<handler[*][] (App.everything)>"
    assert reprhandler(app.addHandler(guest)) == "<handler[<instance of App>][private] (App.guest)>"
    assert (
        reprhandler(app._on_prepare_unregister_complete)
        == "<handler[<instance of App>][prepare_unregister_complete] (App._on_prepare_unregister_complete)>"
    )


def test_the_text_form_of_a_handler_without_an_owner_says_that_it_is_unknown() -> None:
    @handler("foo")
    def lonely() -> None:
        pass

    assert reprhandler(lonely) == f"<handler[*][foo] ({Unknown.__name__}.lonely)>"
