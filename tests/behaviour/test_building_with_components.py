"""A program is put together from components, which come and go while it runs."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, Manager, handler
from support import EventRecorder, run_program, run_until_idle


class hello(Event):
    """Greet."""


class Dog(Component):
    def bark(self) -> str:
        return f"Woof! I'm {self.name}!"


class Bob(Dog):
    """Bob."""

    channel = "bob"


class Fred(Dog):
    """Fred."""

    channel = "fred"


def barks(app: Component, *channels: Any) -> Any:
    value = app.fire(Event.create("bark"), *channels)
    run_until_idle(app)
    return value.value


# ── composition ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_components_are_added_with_register_or_plus() -> None:
    pound = Component()
    bob = Bob().register(pound)
    pound += Fred()

    assert bob.parent is pound
    assert barks(pound) == ["Woof! I'm Bob!", "Woof! I'm Fred!"]
    assert barks(pound, bob) == "Woof! I'm Bob!"
    assert barks(pound, "fred") == "Woof! I'm Fred!"


def test_components_are_taken_away_with_unregister_or_minus() -> None:
    pound, bob, fred = Component(), Bob(), Fred()
    pound + bob + fred
    run_until_idle(pound)
    bob.unregister()
    run_until_idle(pound)
    assert barks(pound) == "Woof! I'm Fred!"

    pound -= fred
    run_until_idle(pound)
    assert barks(pound) is None


def test_two_components_can_be_added_and_run_in_one_line() -> None:
    program = """
from circuits import Component

class Bob(Component):
    def started(self, *args):
        print("Hello I'm Bob!")

class Fred(Component):
    def started(self, *args):
        print("Hello I'm Fred!")
        raise SystemExit(0)

(Bob() + Fred()).run()
"""
    assert run_program(program).check().stdout == "Hello I'm Bob!\nHello I'm Fred!\n"


def test_a_component_as_a_class_attribute_is_registered_by_itself() -> None:
    class Pound(Component):
        bob = Bob()

    pound = Pound()

    assert pound.components == {pound.bob}
    assert barks(pound) == "Woof! I'm Bob!"


def test_a_component_may_put_itself_together_in_init() -> None:
    class Pound(Component):
        def init(self, *names: str, loud: bool = False) -> None:
            self.bob = Bob().register(self)
            self.names, self.loud = names, loud

    pound = Pound("x", "y", loud=True)

    assert (pound.names, pound.loud) == (("x", "y"), True)
    assert pound.bob in pound.components


def test_a_plain_manager_can_be_the_top_but_not_a_part() -> None:
    manager = Manager()
    bob = Bob().register(manager)
    run_until_idle(manager)

    assert bob.root is manager
    assert not hasattr(Manager, "register")


def test_the_tree_is_told_who_comes_and_who_goes() -> None:
    app = Component()
    recorder = EventRecorder().register(app)
    run_until_idle(app)
    recorder.clear()
    bob = Bob().register(app)
    run_until_idle(app)
    bob.unregister()
    run_until_idle(app)

    assert recorder.names(without=frozenset()) == [
        "registered",
        "prepare_unregister",
        "prepare_unregister_complete",
        "unregistered",
    ]
    assert [recorder.seen[index].args for index in (0, 1, 3)] == [(bob, app), (bob,), (bob, app)]


def test_components_come_and_go_while_the_program_runs() -> None:
    log: list[str] = []

    class Guest(Component):
        def init(self, title: str) -> None:
            self.title = title

        def registered(self, component: Any, manager: Any) -> None:
            if component is self:
                log.append(f"{self.title} comes")
                self.fire(Event.create("enough"))

    class Party(Component):
        def started(self, *_: Any) -> None:
            self.guests = [Guest(title).register(self) for title in ("Ann", "Ben")]

        def enough(self) -> None:
            if self.guests:
                self.guests.pop(0).unregister()

        def unregistered(self, component: Any, manager: Any) -> None:
            log.append(f"{component.title} goes")
            if not self.components:
                self.stop()

    Party().run()

    assert log == ["Ann comes", "Ben comes", "Ann goes", "Ben goes"]


def test_a_component_that_is_leaving_gets_no_more_events_though_they_are_queued_already() -> None:
    app = Component()
    bob = Bob().register(app)
    run_until_idle(app)
    value = app.fire(Event.create("bark"))
    private = app.fire(Event.create("bark"), bob)
    bob.unregister()
    run_until_idle(app)

    assert (value.value, private.value) == (None, None)


# ── handlers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_public_method_is_a_handler_and_others_are_not() -> None:
    class App(Component):
        def hello(self) -> str:
            return "public"

        def _hello(self) -> str:
            raise AssertionError("private")

        @handler(False)
        def other(self) -> str:
            raise AssertionError("kept out")

    app = App()
    values = [app.fire(Event.create(name)) for name in ("hello", "_hello", "other")]
    run_until_idle(app)

    assert [value.value for value in values] == ["public", None, None]


def test_a_base_component_has_explicit_handlers_only() -> None:
    class App(BaseComponent):
        @handler("hello", "goodbye")
        def _on_both(self) -> str:
            return "both"

        def hello(self) -> str:
            raise AssertionError("no handler")

    app = App()
    values = [app.fire(Event.create(name)) for name in ("hello", "goodbye")]
    run_until_idle(app)

    assert [value.value for value in values] == ["both", "both"]


def test_redefining_a_handler_adds_one_unless_it_says_override() -> None:
    class Base(Component):
        def hello(self) -> str:
            return "base"

    class More(Base):
        def hello(self) -> str:
            return "more"

    class Instead(Base):
        @handler("hello", override=True)
        def hello(self) -> str:
            return "instead"

    results = []
    for app in (More(), Instead()):
        value = app.fire(hello())
        run_until_idle(app)
        results.append(value.value)

    assert results == [["more", "base"], "instead"]


def test_handlers_are_bound_when_the_component_is_made() -> None:
    class App(Component):
        def ready(self) -> str:
            return "handled"

        def started(self, *_: Any) -> None:
            self.ready = True  # type: ignore[method-assign, assignment]

    app = App()
    app.fire(Event.create("started", app))
    value = app.fire(Event.create("ready"))
    run_until_idle(app)

    assert app.ready is True
    assert value.value == "handled"


def test_attributes_of_any_name_are_the_users() -> None:
    class App(Component):
        def init(self) -> None:
            for name in ("queue", "loop", "tasks", "handlers_", "value", "clock", "tree", "event", "timers", "lock"):
                setattr(self, name, name)

        def hello(self) -> str:
            return str(self.queue)  # type: ignore[attr-defined]

    app = App()
    value = app.fire(hello())
    run_until_idle(app)

    assert value.value == "queue"
    assert vars(app)["timers"] == "timers"


def test_a_handler_can_be_added_and_removed_while_the_program_runs() -> None:
    log = []

    def hello(self: Component) -> None:
        log.append("added")

    class App(Component):
        def started(self, *_: Any) -> Any:
            method = self.addHandler(hello)
            yield self.call(Event.create("hello"))
            self.removeHandler(method)
            yield self.call(Event.create("hello"))
            self.stop()

    App().run()

    assert log == ["added"]


def test_an_argument_of_an_event_can_be_replaced_on_the_way() -> None:
    class App(Component):
        @handler("response", priority=1)
        def gzip(self, event: Event, body: str) -> None:
            event[0] = f"gzip({body})"

        def response(self, body: str) -> str:
            return body

    app = App()
    value = app.fire(Event.create("response", "text"))
    run_until_idle(app)

    assert value.value == "gzip(text)"


def test_a_class_tells_what_it_handles() -> None:
    assert Dog.handles("bark")
    assert not Dog.handles("meow")
    assert "bark" in Dog.handlers()
    assert "bark" in Dog.events()


def test_arguments_that_do_not_fit_are_reported_and_do_no_harm(capsys: pytest.CaptureFixture[str]) -> None:
    class App(Component):
        def foo(self, x: int, y: int) -> int:
            return x + y

    app = App()
    good, bad = app.fire(Event.create("foo", 1, 2)), app.fire(Event.create("foo"))
    run_until_idle(app)

    assert good.value == 3
    assert bad.errors
    story = capsys.readouterr().err
    assert story.startswith("ERROR <handler[*][foo] (App.foo)> (<foo[*] ( )>) {<class 'TypeError'>}:")
