"""Events: what they carry, what they ask for, what they remember."""

from __future__ import annotations

import pickle
import threading
from typing import Any

import pytest

from circuits import Component, Event, handler
from circuits.core._flags import MAX_CAUSES
from circuits.core.events import (
    MAX_NAMED_CLASSES,
    _named_class,
    exception,
    generate_events,
    prepare_unregister,
    registered,
    started,
    unregistered,
)
from circuits.core.events import signal as signal_event
from circuits.core.events import stopped as stopped_event
from support import EventRecorder, run_until_idle


class greet(Event):
    pass


class Loud(greet):
    success = True
    complete = True
    notify = "shouted"


# ── what an event carries ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_is_named_after_its_class_unless_it_says_otherwise() -> None:
    class farewell(Event):
        name = "goodbye"

    assert greet().name == "greet"
    assert farewell().name == "goodbye"


def test_an_event_can_be_made_from_a_name_alone() -> None:
    event = Event.create("greet", "Bob", loud=True)

    assert isinstance(event, Event)
    assert (event.name, event.args, event.kwargs) == ("greet", ("Bob",), {"loud": True})


def test_create_on_a_class_makes_one_of_its_kind() -> None:
    event = Loud.create("cry")

    assert isinstance(event, Loud)
    assert event.name == "cry"
    assert event.success


def test_names_from_outside_do_not_fill_the_memory_with_classes() -> None:
    for number in range(MAX_NAMED_CLASSES + 10):
        Event.create(f"name {number}")

    assert _named_class.cache_info().currsize <= MAX_NAMED_CLASSES


def test_arguments_can_be_read_and_replaced_by_position_and_by_name() -> None:
    event = greet("Bob", loud=True)
    event[0] = "Fred"
    event["loud"] = False
    event["often"] = 3

    assert (event[0], event["loud"]) == ("Fred", False)
    assert event.args == ("Fred",)
    assert event.kwargs == {"loud": False, "often": 3}


@pytest.mark.parametrize("key", [1, -2, "polite"])
def test_an_argument_that_is_not_there_is_an_error(key: Any) -> None:
    with pytest.raises((IndexError, KeyError)):
        greet("Bob")[key]


def test_an_argument_replaced_by_an_earlier_handler_reaches_the_later_ones(app: Component) -> None:
    heard = []

    class Polite(Component):
        @handler("greet", priority=1)
        def be_polite(self, event: Event, name: str, *, loud: bool) -> None:
            event[0] = f"Mr {name}"
            event["loud"] = False

        def greet(self, name: str, *, loud: bool) -> None:
            heard.append((name, loud))

    Polite().register(app)
    app.fire(greet("Bob", loud=True))
    run_until_idle(app)

    assert heard == [("Mr Bob", False)]


def test_users_may_set_attributes_of_any_other_name_on_an_event(app: Component, recorder: EventRecorder) -> None:
    # The kernel's record of who had fired the event used to replace two of them.
    class Host(Component):
        def enter(self) -> None:
            event = greet()
            event.cause = "boredom"  # type: ignore[assignment]
            event.source = "a river"  # type: ignore[assignment]
            event.node_call_id = 7  # type: ignore[attr-defined]
            self.fire(event)

    Host().register(app)
    app.fire(Event.create("enter"))
    run_until_idle(app)

    (event,) = recorder.of("greet")
    assert (event.cause, event.source, event.node_call_id) == ("boredom", "a river", 7)  # type: ignore[attr-defined,comparison-overlap]
    assert [cause.name for cause in event.causes()] == ["enter"]
    assert set(vars(event)) - {"channels"} == {"cause", "source", "node_call_id"}


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (greet(), "<greet[] ( )>"),
        (greet("Bob", 2), "<greet[] ('Bob', 2 )>"),
        (greet("Bob", loud=True, often=3), "<greet[] ('Bob' loud=True, often=3)>"),
    ],
    ids=["bare", "positional", "keywords"],
)
def test_the_text_form_shows_name_channels_and_arguments(event: Event, shown: str) -> None:
    assert repr(event) == shown


def test_the_text_form_shows_where_an_event_was_fired(app: Component) -> None:
    event = greet()
    app.fire(event, "a", "b")
    assert repr(event) == "<greet[a,b] ( )>"


# ── rule 1: what an event asks for ───────────────────────────────────────────────────────────────────────────────────


FLAGS = ["success", "failure", "complete", "notify", "alert_done"]


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_is_off_until_it_is_set_on_the_event(flag: str) -> None:
    event, other = greet(), greet()
    assert getattr(event, flag) is False
    setattr(event, flag, True)

    assert getattr(event, flag) is True
    assert getattr(other, flag) is False
    setattr(event, flag, False)
    assert getattr(event, flag) is False


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_set_on_a_class_later_counts_for_it_and_its_subclasses(flag: str) -> None:
    class base(Event):
        pass

    class derived(base):
        pass

    class settled(base):
        pass

    setattr(settled, flag, False)
    setattr(base, flag, True)

    assert getattr(base, flag) is True
    assert getattr(base(), flag) is True
    assert getattr(derived(), flag) is True
    assert getattr(settled(), flag) is False
    assert getattr(Event, flag) is False


def test_flags_are_inherited_and_can_be_switched_off_below() -> None:
    class quiet(Loud):
        success = False

    assert Loud().success
    assert Loud().complete
    assert not quiet().success
    assert quiet().complete


def test_notify_may_be_the_name_of_an_event_on_the_class_or_on_the_event() -> None:
    event = greet()
    event.notify = "told"

    assert event.notify == "told"
    assert Loud().notify == "shouted"
    assert Loud.notify == "shouted"


def test_an_event_that_asks_for_nothing_carries_one_empty_int() -> None:
    assert greet()._flags == 0


# ── children ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_child_is_named_after_its_parent_and_asks_for_nothing() -> None:
    event = Loud("Bob")
    child = event.child("success", 1, two=2)

    assert child.name == "Loud_success"
    assert child.parent is event
    assert (child.args, child.kwargs) == ((1,), {"two": 2})
    assert not any(getattr(child, flag) for flag in FLAGS)
    assert event.parent is None


def test_a_child_of_an_event_with_a_name_of_its_own_is_named_after_that() -> None:
    event = greet()
    event.name = "salute"
    event.child("success")
    assert event.child("success").name == "salute_success"
    assert greet().child("success").name == "greet_success"


# ── rule 3: causes ───────────────────────────────────────────────────────────────────────────────────────────────────


class Chain(Component):
    """Each event fires the next."""

    def init(self, length: int) -> None:
        self._length = length

    def link(self, number: int) -> None:
        if number < self._length:
            self.fire(Event.create("link", number + 1))


def test_an_event_knows_what_has_caused_it_and_which_handler_fired_it(app: Component, recorder: EventRecorder) -> None:
    chain = Chain(3).register(app)
    app.fire(Event.create("link", 1))
    run_until_idle(app)

    first, second, third = recorder.of("link")
    assert first.cause is None
    assert first.source is None
    assert second.cause is first
    assert second.source == chain.link
    assert list(third.causes()) == [second, first]


def test_a_long_chain_of_causes_is_cut_but_never_shorter_than_promised(app: Component) -> None:
    lengths = []

    class Watch(Component):
        # First, because what the event causes may take some of its own causes away.
        @handler("link", priority=1)
        def measure(self, event: Event, number: int) -> None:
            lengths.append(len(list(event.causes())))

    Chain(1000).register(app)
    Watch().register(app)
    app.fire(Event.create("link", 1))
    run_until_idle(app)

    assert lengths[: MAX_CAUSES + 1] == list(range(MAX_CAUSES + 1))
    assert min(lengths[MAX_CAUSES:]) >= MAX_CAUSES
    assert max(lengths) < 2 * MAX_CAUSES


def test_what_another_thread_fires_while_a_handler_runs_is_not_caused_by_it(
    app: Component, recorder: EventRecorder
) -> None:
    class Host(Component):
        def enter(self) -> None:
            other = threading.Thread(target=self.fire, args=(greet(),))
            other.start()
            other.join()

    Host().register(app)
    app.fire(Event.create("enter"))
    run_until_idle(app)

    assert recorder.of("greet")[0].cause is None


# ── travelling ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_travels_with_arguments_wishes_and_attributes_but_not_with_what_happened_to_it(
    app: Component,
) -> None:
    class Host(Component):
        def enter(self) -> None:
            event = Loud("Bob", often=3)
            event.alert_done = True
            event.colour = "red"  # type: ignore[attr-defined]
            self.sent = event
            self.fire(event, "a")

        @handler("Loud", channel="a")
        def answer(self, name: str, often: int) -> str:
            return "hello"

    host = Host().register(app)
    app.fire(Event.create("enter"))
    run_until_idle(app)
    copy = pickle.loads(pickle.dumps(host.sent))

    assert type(copy) is Loud
    assert (copy.args, copy.kwargs, copy.channels) == (("Bob",), {"often": 3}, ("a",))
    assert copy.success
    assert copy.notify == "shouted"
    assert copy.alert_done
    assert copy.colour == "red"
    assert copy.cause is None
    assert copy.value is None
    assert not copy.stopped


def test_an_event_that_is_handled_at_this_moment_can_be_handled_elsewhere_from_the_beginning(app: Component) -> None:
    class Host(Component):
        def greet(self, event: Event) -> Any:
            self.sent = pickle.dumps(event)
            yield
            self.sent_later = pickle.dumps(event)

    host = Host().register(app)
    app.fire(greet())
    run_until_idle(app)

    for sent in (host.sent, host.sent_later):
        assert pickle.loads(sent).waitingHandlers == 0
        value = app.fire(pickle.loads(sent))
        run_until_idle(app)
        assert value.done


def test_components_among_the_channels_of_an_event_stay_at_home(app: Component) -> None:
    event = greet()
    app.fire(event, "here", app)

    assert pickle.loads(pickle.dumps(event)).channels == ("here",)


def test_an_event_made_from_a_name_travels_too() -> None:
    copy = pickle.loads(pickle.dumps(Loud.create("cry", "wolf")))

    assert isinstance(copy, Loud)
    assert (copy.name, copy.args) == ("cry", ("wolf",))


# ── the kernel's own ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_kernels_events_carry_what_the_documents_say(app: Component) -> None:
    assert started(app).args == (app,)
    assert stopped_event(app).args == (app,)
    assert signal_event(2, None).args == (2, None)
    assert registered(app, app).args == (app, app)
    assert unregistered(app, app).args == (app, app)
    assert prepare_unregister(app).args == (app,)


def test_an_exception_event_carries_its_traceback_as_lines() -> None:
    with pytest.raises(ValueError, match="invalid literal") as info:
        int("late")
    event = exception(ValueError, info.value, info.tb, handler="h", fevent="e")

    assert event.args[:2] == (ValueError, info.value)
    assert isinstance(event.args[2], list)
    assert 'int("late")' in "".join(event.args[2])
    assert event.kwargs == {"handler": "h", "fevent": "e"}
    assert exception(ValueError, None, ["a line"]).args[2] == ["a line"]
    assert exception(ValueError, None, None).args[2] == []


@pytest.mark.parametrize(
    ("max_wait", "reductions", "left"),
    [
        (5.0, [], 5.0),
        (5.0, [3.0], 3.0),
        (5.0, [3.0, 4.0], 3.0),
        (-1, [3.0], 3.0),
        (-1, [], -1),
        (5.0, [-1], 5.0),
        (5.0, [0, 2.0], 0),
    ],
)
def test_the_time_left_for_generating_events_is_only_ever_lowered(
    max_wait: float, reductions: list[float], left: float
) -> None:
    lock = threading.RLock()
    event = generate_events(lock, max_wait)
    for seconds in reductions:
        event.reduce_time_left(seconds)

    assert event.time_left == left
    assert event.lock is lock


def test_a_wish_of_a_class_can_be_taken_back(app: Component, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not greet.complete
    with monkeypatch.context() as patch:
        patch.setattr(greet, "complete", True)
        assert greet().complete
    assert not greet().complete
    assert not greet.complete

    with pytest.raises(AttributeError):
        del greet.complete
