"""Components: what they are made of, how they come into a tree and leave it."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, Manager, handler
from circuits.core.components import prepare_unregister
from circuits.core.manager import UnregistrableError
from support import EventRecorder, run_until_idle


class Leaf(Component):
    pass


# ── registering ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_registering_gives_the_component_its_place(app: Component, recorder: EventRecorder) -> None:
    leaf = Leaf()
    assert leaf.register(app) is leaf
    run_until_idle(app)

    assert leaf.parent is app
    assert leaf.root is app
    assert leaf in app
    assert leaf in app.components
    assert recorder.of("registered")[0].args == (leaf, app)


def test_a_subtree_comes_along(app: Component) -> None:
    branch, leaf = Leaf(), Leaf()
    leaf.register(branch)
    branch.register(app)

    assert leaf.root is app
    assert leaf.parent is branch


def test_registering_again_with_the_same_parent_changes_nothing(app: Component, recorder: EventRecorder) -> None:
    leaf = Leaf().register(app)
    leaf.register(app)
    run_until_idle(app)

    assert len(recorder.of("registered")) == 1


def test_registering_with_another_parent_moves_the_component(app: Component, recorder: EventRecorder) -> None:
    branch, leaf = Leaf().register(app), Leaf().register(app)
    leaf.register(branch)
    run_until_idle(app)

    assert leaf.parent is branch
    assert leaf not in app.components
    assert recorder.of("registered")[-1].args == (leaf, branch)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_component_cannot_be_registered_below_itself_and_stays_where_it_is(app: Component, depth: int) -> None:
    # It used to be torn off its tree before the mistake was noticed.
    top = Leaf().register(app)
    branch = Leaf().register(top)
    leaf = Leaf().register(branch)
    with pytest.raises(UnregistrableError, match="cannot be registered with"):
        top.register([top, branch, leaf][depth])

    assert top.parent is app
    assert leaf.root is app


def test_a_root_cannot_be_registered_with_itself() -> None:
    leaf = Leaf()
    with pytest.raises(UnregistrableError, match="itself"):
        leaf.register(leaf)


def test_a_component_that_runs_cannot_be_registered(app: Component) -> None:
    errors = []

    class Runs(Component):
        def started(self, *_: object) -> None:
            try:
                self.register(app)
            except UnregistrableError as error:
                errors.append(str(error))
            self.stop()

    Runs().run()

    assert len(errors) == 1
    assert "runs a loop of its own" in errors[0]


def test_a_plain_manager_can_be_the_top() -> None:
    manager = Manager()
    leaf = Leaf().register(manager)
    value = manager.fire(Event.create("nothing"))
    run_until_idle(manager)

    assert leaf.root is manager
    assert value.done
    assert not hasattr(manager, "register")


def test_a_tree_may_be_very_deep() -> None:
    top = leaf = Leaf()
    for _ in range(3000):
        child = Leaf()
        child.register(leaf)
        leaf = child
    event = Event.create("hello")
    leaf.fire(event)
    top.flush()

    assert leaf.root is top
    # Taken apart by hand: objects that hang on one another like this are hard on the garbage collector.
    while leaf is not top:
        parent: Any = leaf.parent
        parent.unregisterChild(leaf)
        leaf = parent


# ── unregistering ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_unregistering_prepares_first_then_detaches(app: Component, recorder: EventRecorder) -> None:
    leaf = Leaf().register(app)
    run_until_idle(app)
    assert leaf.unregister() is leaf
    assert leaf.unregister_pending
    assert leaf.parent is app
    run_until_idle(app)

    assert recorder.names() == ["prepare_unregister", "prepare_unregister_complete", "unregistered"]
    assert recorder.of("unregistered")[0].args == (leaf, app)
    assert leaf.parent is leaf
    assert leaf.root is leaf
    assert leaf not in app.components
    assert not leaf.unregister_pending


def test_a_component_gets_no_events_from_the_moment_it_is_unregistered(app: Component) -> None:
    heard = []

    class Listener(Component):
        def news(self) -> None:
            heard.append(self)

    listener = Listener().register(app)
    child = Listener().register(listener)
    app.fire(Event.create("news"))
    listener.unregister()
    app.fire(Event.create("news"), listener)
    app.fire(Event.create("news"), child)
    run_until_idle(app)

    assert heard == []


def test_it_waits_for_everything_that_the_preparation_causes(app: Component, recorder: EventRecorder) -> None:
    class Friend(Component):
        def prepare_unregister(self, component: Any) -> Any:
            yield self.call(Event.create("farewell"))

        def farewell(self) -> None:
            self.fire(Event.create("tears"))

    Friend().register(app)
    leaf = Leaf().register(app)
    run_until_idle(app)
    leaf.unregister()
    run_until_idle(app)

    assert recorder.names() == [
        "prepare_unregister",
        "farewell",
        "tears",
        "prepare_unregister_complete",
        "unregistered",
    ]


def test_a_component_can_tell_whether_it_leaves_with_another(app: Component) -> None:
    answers = {}

    class Member(Component):
        def init(self, name: str) -> None:
            self.title = name

        def prepare_unregister(self, event: Any, component: Any) -> None:
            answers[self.title] = event.in_subtree(self)

    branch = Member("branch").register(app)
    Member("leaf").register(branch)
    Member("other").register(app)
    run_until_idle(app)
    branch.unregister()
    run_until_idle(app)

    assert answers == {"branch": True, "leaf": True, "other": False}


def test_only_the_component_itself_is_detached(app: Component) -> None:
    first, second = Leaf().register(app), Leaf().register(app)
    first.unregister()
    second.unregister()
    run_until_idle(app)
    first.register(app)
    run_until_idle(app)

    assert first.parent is app
    assert second.parent is second


def test_registering_elsewhere_before_the_departure_ends_it(app: Component) -> None:
    # The component used to be detached from its new parent once the departure from the old one was through.
    new, leaf = Leaf().register(app), Leaf().register(app)
    run_until_idle(app)
    leaf.unregister()
    leaf.register(new)
    assert not leaf.unregister_pending
    run_until_idle(app)
    assert leaf.parent is new

    leaf.unregister()
    run_until_idle(app)
    assert leaf.parent is leaf


def test_a_component_may_come_back_and_leave_again_before_the_first_departure_is_through(
    app: Component, recorder: EventRecorder
) -> None:
    new, leaf = Leaf().register(app), Leaf().register(app)
    run_until_idle(app)
    recorder.clear()
    leaf.unregister()
    leaf.register(new)
    leaf.unregister()
    run_until_idle(app)

    assert leaf.parent is leaf
    assert [event.args for event in recorder.of("unregistered")] == [(leaf, new)]


@pytest.mark.parametrize("child_first", [True, False])
def test_a_component_and_its_child_may_leave_at_the_same_time(app: Component, child_first: bool) -> None:
    # When the parent was through first the child stayed with it for ever.
    branch, leaf = Leaf().register(app), Leaf()
    leaf.register(branch)
    run_until_idle(app)
    for component in (leaf, branch) if child_first else (branch, leaf):
        component.unregister()
    run_until_idle(app)

    assert branch.parent is branch
    assert leaf.parent is leaf
    assert not leaf.unregister_pending
    leaf.fire(Event.create("hello"))
    run_until_idle(leaf)


def test_a_component_that_is_about_to_leave_one_that_moves_is_left_behind(app: Component) -> None:
    branch, leaf = Leaf().register(app), Leaf()
    leaf.register(branch)
    other = Leaf()
    run_until_idle(app)
    leaf.unregister()
    branch.register(other)
    run_until_idle(app)
    run_until_idle(other)

    assert branch.parent is other
    assert leaf.parent is leaf


def test_unregistering_a_root_or_twice_changes_nothing(app: Component, recorder: EventRecorder) -> None:
    app.unregister()
    leaf = Leaf().register(app)
    leaf.unregister()
    leaf.unregister()
    run_until_idle(app)

    assert recorder.names() == ["prepare_unregister", "prepare_unregister_complete", "unregistered"]


def test_the_unregistered_event_goes_to_the_channel_of_the_component_in_the_tree_it_has_left(app: Component) -> None:
    heard = []

    class Watcher(BaseComponent):
        @handler("unregistered", channel="leaves")
        def gone(self, component: Any, manager: Any) -> None:
            heard.append((component, manager))

    Watcher().register(app)
    leaf = Leaf(channel="leaves").register(app)
    run_until_idle(app)
    leaf.unregister()
    run_until_idle(app)

    assert heard == [(leaf, app)]


def test_a_component_that_has_left_is_a_tree_of_its_own(app: Component) -> None:
    heard = []

    class Listener(Component):
        def news(self) -> None:
            heard.append(self)

    listener = Listener().register(app)
    child = Listener().register(listener)
    run_until_idle(app)
    listener.unregister()
    run_until_idle(app)
    child.fire(Event.create("news"))
    run_until_idle(listener)

    assert heard == [listener, child]


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_plus_registers_and_minus_unregisters(app: Component) -> None:
    leaf, other = Leaf(), Leaf()
    assert app + leaf is app
    app += other
    assert app.components == {leaf, other}

    app -= leaf
    assert app - other is app
    run_until_idle(app)
    assert app.components == set()


# ── construction ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_init_gets_the_arguments_of_the_constructor_once_the_component_is_ready() -> None:
    seen = {}

    class Made(Component):
        def init(self, *args: Any, **kwargs: Any) -> None:
            seen["args"], seen["kwargs"] = args, kwargs
            seen["handlers"] = list(self._handlers)
            self.fire(Event.create("made"))

        def made(self) -> None:
            pass

    made = Made(1, 2, colour="red")

    assert seen["args"] == (1, 2)
    assert seen["kwargs"] == {"colour": "red"}
    assert "made" in seen["handlers"]
    assert len(made) == 1


@pytest.mark.parametrize("takes", [True, False])
def test_a_channel_keyword_sets_the_channel_and_goes_to_init_when_that_wants_it(takes: bool) -> None:
    seen = []

    class Wants(Component):
        def init(self, channel: str = "default") -> None:
            seen.append(channel)

    class Ignores(Component):
        def init(self) -> None:
            seen.append(self.channel)

    assert (Wants if takes else Ignores)(channel="mine").channel == "mine"
    assert seen == ["mine"]


def test_a_component_as_a_class_attribute_is_registered_with_the_instance() -> None:
    class Foo(Component):
        pass

    class App(Component):
        foo = Foo()

    app = App()

    assert app.components == {App.foo}
    assert App.foo.parent is app


def test_a_component_of_a_base_class_counts_and_a_redefinition_replaces_it() -> None:
    class App(Component):
        first = Leaf()
        second = Leaf()

    class Derived(App):
        second = Leaf()  # type: ignore[assignment]

    assert Derived().components == {App.first, Derived.second}


def test_the_class_tells_its_handlers_and_events() -> None:
    class App(Component):
        def foo(self) -> None:
            pass

        @handler("bar", "baz")
        def both(self) -> None:
            pass

        def _private(self) -> None:
            pass

    assert set(App.handlers()) == {"foo", "both", "_on_prepare_unregister_complete"}
    assert set(App.events()) == {"foo", "bar", "baz", "prepare_unregister_complete"}
    assert App.handles("foo", "both")
    assert not App.handles("foo", "bar")
    assert not App.handles("_private")


def test_users_may_give_components_attributes_of_any_name(app: Component) -> None:
    class Free(Component):
        def init(self) -> None:
            self.queue = self.tasks = self.loop = self.tree = self.handler = self.current = 1
            self._queue = self._tasks = self._tree = self._lock = self._value = self._flags = 2
            self.ready = True

        def ready(self) -> str:  # type: ignore[no-redef]
            return "handled"

    free = Free().register(app)
    value = app.fire(Event.create("ready"))
    run_until_idle(app)

    # An attribute that later hides the method does not take the handler away.
    assert free.ready is True
    assert value.value == "handled"


def test_preparing_asks_to_be_told_when_it_is_complete() -> None:
    assert prepare_unregister.complete is True
    assert prepare_unregister(Leaf()).complete is True
