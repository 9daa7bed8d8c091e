"""Who is called for an event, in which order, and when that is looked up anew."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

from circuits import BaseComponent, Component, Event, handler
from circuits.core import _plans
from circuits.core._plans import MAX_PLANS, Plans
from support import EventRecorder, run_until_idle


class Log:
    """A component class for each name, whose instances write down what they hear."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def listener(self, name: str, *, channel: Any = "*", priority: float = 0, on: Any = None) -> BaseComponent:
        heard = self.heard

        class Listener(BaseComponent):
            @handler("call_up", channel=on, priority=priority)
            def hear(self) -> None:
                heard.append(name)

        return Listener(channel=channel)

    def take(self) -> list[str]:
        heard = self.heard[:]
        self.heard.clear()
        return heard


@pytest.fixture
def log() -> Log:
    return Log()


def call_up(app: Component, *channels: Any) -> None:
    app.fire(Event.create("call_up"), *channels)
    run_until_idle(app)


# ── rule 1: the order of the calls ───────────────────────────────────────────────────────────────────────────────────


def test_higher_priority_is_called_first_and_equals_in_the_order_of_the_tree(app: Component, log: Log) -> None:
    log.listener("low", priority=-1).register(app)
    log.listener("first").register(app)
    log.listener("second").register(app)
    log.listener("high", priority=0.5).register(app)
    call_up(app)

    assert log.take() == ["high", "first", "second", "low"]


def test_parents_are_called_before_children_and_siblings_as_registered(app: Component, log: Log) -> None:
    first, second = log.listener("first"), log.listener("second")
    second_child, first_child = log.listener("second child"), log.listener("first child")
    first.register(app)
    second.register(app)
    second_child.register(second)
    first_child.register(first)
    call_up(app)

    assert log.take() == ["first", "first child", "second", "second child"]


def test_a_sibling_that_comes_after_its_tree_has_joined_another_is_still_the_last(app: Component, log: Log) -> None:
    # Places were numbered per tree: the newcomer got a number that the old tree had used up long ago.
    family = log.listener("parent")
    for _ in range(10):
        family += log.listener("gone").register(family)
    for child in list(family.components):
        family -= child
    run_until_idle(family)
    log.listener("elder").register(family)
    family.register(app)
    log.listener("younger").register(family)
    call_up(app)

    assert log.take() == ["parent", "elder", "younger"]


def test_channels_are_served_in_the_order_fired_to_and_priority_counts_across_them(app: Component, log: Log) -> None:
    log.listener("a", channel="a").register(app)
    log.listener("b", channel="b").register(app)
    log.listener("urgent b", channel="b", priority=1).register(app)
    call_up(app, "b", "a")

    assert log.take() == ["urgent b", "b", "a"]


def test_a_handler_that_matches_two_of_the_channels_is_called_for_each(app: Component, log: Log) -> None:
    log.listener("everywhere").register(app)
    call_up(app, "a", "b")

    assert log.take() == ["everywhere", "everywhere"]


def test_the_handlers_of_the_most_derived_class_are_called_first(app: Component) -> None:
    class Base(Component):
        def call_up(self) -> str:
            return "base"

    class Derived(Base):
        @handler("call_up")
        def answer(self) -> str:
            return "derived"

    Derived().register(app)
    value = app.fire(Event.create("call_up"))
    run_until_idle(app)

    assert value.value == ["derived", "base"]


# ── rule 2: a change of the tree counts from the next event on ───────────────────────────────────────────────────────


def test_a_component_that_comes_is_called_and_one_that_goes_is_not(app: Component, log: Log) -> None:
    call_up(app)
    here = log.listener("here").register(app)
    call_up(app)
    assert log.take() == ["here"]

    here.unregister()
    call_up(app)
    assert log.take() == []


def test_a_change_during_an_event_counts_from_the_next_on(app: Component, log: Log) -> None:
    @handler("call_up", priority=1)
    def invite(self: Component) -> None:
        log.listener("guest").register(self)

    app.addHandler(invite)
    call_up(app)
    assert log.take() == []
    call_up(app)
    assert log.take() == ["guest"]


def test_a_handler_added_or_removed_at_run_time_counts_at_once(app: Component, log: Log) -> None:
    def call_up_too(self: Component) -> None:
        log.heard.append("added")

    call_up(app)
    method = app.addHandler(handler("call_up")(call_up_too))
    call_up(app)
    assert log.take() == ["added"]

    app.removeHandler(method)
    call_up(app)
    assert log.take() == []


def test_a_new_channel_of_a_component_counts_at_once(app: Component, log: Log) -> None:
    listener = log.listener("mover", channel="a").register(app)
    call_up(app, "a")
    listener.channel = "b"
    call_up(app, "a")
    call_up(app, "b")

    assert log.take() == ["mover", "mover"]


def test_a_change_leaves_the_plans_for_other_names_alone(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    app.fire(Event.create("other"))
    run_until_idle(app)
    compiled = []
    compile_plan = Plans._compile
    monkeypatch.setattr(
        Plans, "_compile", lambda plans, name, channels: compiled.append(name) or compile_plan(plans, name, channels)
    )
    Log().listener("new").register(app)
    app.fire(Event.create("other"))
    app.fire(Event.create("call_up"))
    run_until_idle(app)

    assert "other" not in compiled
    assert "call_up" in compiled


def test_channels_made_up_at_run_time_do_not_fill_the_memory(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_plans, "MAX_PLANS", 10)
    for number in range(100):
        call_up(app, f"channel {number}")

    assert sum(map(len, app._evtree.plans.by_name.values())) <= 10
    assert MAX_PLANS >= 1000


# ── rule 3: events to a component itself ─────────────────────────────────────────────────────────────────────────────


def test_an_event_to_a_component_reaches_its_handlers_on_any_channel_and_nobody_elses(app: Component, log: Log) -> None:
    target = log.listener("target", channel="somewhere", on="elsewhere").register(app)
    log.listener("child").register(target)
    log.listener("bystander").register(app)
    call_up(app, target)

    assert log.take() == ["target"]


def test_a_handler_with_a_component_as_its_channel_hears_the_events_to_it(app: Component, log: Log) -> None:
    target = log.listener("target").register(app)
    log.listener("guest", on=target).register(app)
    call_up(app, target)
    assert log.take() == ["target", "guest"]

    call_up(app)
    assert log.take() == ["target"]


def test_a_guest_that_comes_later_is_called(app: Component, log: Log) -> None:
    # The plan of the target outlived the guest's coming: made before, it was used after.
    target = log.listener("target").register(app)
    guest = log.listener("guest", on=target)
    call_up(app, target)
    guest.register(app)
    call_up(app, target)

    assert log.take() == ["target", "target", "guest"]


def test_a_guest_that_has_left_is_not_called_any_more(app: Component, log: Log) -> None:
    # And its going.
    target = log.listener("target").register(app)
    guest = log.listener("guest", on=target).register(app)
    call_up(app, target)
    assert log.take() == ["target", "guest"]

    guest.unregister()
    call_up(app, target)
    run_until_idle(app)
    call_up(app, target)
    assert log.take() == ["target", "target"]


def test_a_guest_that_is_gone_is_not_kept_alive_by_its_host(app: Component, log: Log) -> None:
    target = log.listener("target").register(app)
    guest = log.listener("guest", on=target).register(app)
    call_up(app, target)
    guest.unregister()
    run_until_idle(app)
    gone = weakref.ref(guest)
    del guest
    gc.collect()

    assert gone() is None


def test_a_component_is_not_kept_alive_by_events_that_were_fired_to_it(app: Component, log: Log) -> None:
    target = log.listener("target").register(app)
    call_up(app, target)
    call_up(app, target, "a")
    target.unregister()
    run_until_idle(app)
    gone = weakref.ref(target)
    del target
    gc.collect()

    assert gone() is None


def test_an_event_to_a_component_of_another_tree_reaches_nobody(app: Component, log: Log) -> None:
    stranger = log.listener("stranger")
    call_up(app, stranger)

    assert log.take() == []


def test_one_who_handles_every_event_everywhere_sees_private_ones_as_soon_as_it_is_there(
    app: Component, log: Log
) -> None:
    target = log.listener("target").register(app)
    call_up(app, target)
    recorder = EventRecorder().register(app)
    call_up(app, target)

    assert recorder.names() == ["call_up"]


def test_a_handler_for_every_event_of_its_channel_sees_no_private_ones(app: Component) -> None:
    seen = []

    class Observer(BaseComponent):
        channel = "a"

        @handler()
        def see(self, event: Event) -> None:
            seen.append(event.name)

    Observer().register(app)
    for channel in ("a", "b", "*", app):
        app.fire(Event.create(f"on_{channel if isinstance(channel, str) else 'app'}"), channel)
    run_until_idle(app)

    assert [name for name in seen if name.startswith("on_")] == ["on_a", "on_*"]


def test_one_channel_may_be_a_component_and_another_a_name(app: Component, log: Log) -> None:
    target = log.listener("target", channel="t").register(app)
    log.listener("a", channel="a").register(app)
    call_up(app, target, "a")

    assert log.take() == ["target", "a"]


# ── rule 4: other threads ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plan_made_while_a_handler_is_added_is_not_kept(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    # The new handler used to be forgotten for good: the plan without it was stored after its coming had been announced.
    heard = []

    def call_up_too(self: Component) -> None:
        heard.append("late")

    compile_plan = Plans._compile

    def compile_slowly(plans: Plans, name: str, channels: Any) -> Any:
        plan = compile_plan(plans, name, channels)
        if name == "call_up" and "call_up" not in app._handlers:
            other = threading.Thread(target=app.addHandler, args=(handler("call_up")(call_up_too),))
            other.start()
            other.join()
        return plan

    monkeypatch.setattr(Plans, "_compile", compile_slowly)
    call_up(app)
    call_up(app, app)
    call_up(app)

    assert heard == ["late", "late"]


def test_an_own_plan_made_while_a_handler_is_added_is_not_kept(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    heard = []

    def call_up_too(self: Component) -> None:
        heard.append("late")

    compile_plan = Plans._compile

    def compile_slowly(plans: Plans, name: str, channels: Any) -> Any:
        plan = compile_plan(plans, name, channels)
        if name == "call_up" and "call_up" not in app._handlers:
            app.addHandler(handler("call_up")(call_up_too))
        return plan

    monkeypatch.setattr(Plans, "_compile", compile_slowly)
    call_up(app, app)
    call_up(app, app)

    assert heard == ["late"]


# ── channels that are none ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("channels", [["left"], ["left", "right"], [["left"], "right"]])
def test_lists_as_channels_or_among_them_do_not_end_the_program(app: Component, channels: Any) -> None:
    # A plan is kept by its channels, and a list cannot be a key.
    class Listener(Component):
        channel = "left"

        def call_up(self) -> str:
            return "heard"

    Listener().register(app)
    event = Event.create("call_up")
    event.channels = channels
    value = app.fire(event)
    app.fire(Event.create("call_up"), "left")
    run_until_idle(app)

    assert value.value == (None if channels[0] == ["left"] else "heard")
