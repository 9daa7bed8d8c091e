"""Values: results that arrive later."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from circuits import Component, Event, Value, handler
from support import EventRecorder, run_until_idle


class ask(Event):
    pass


class ask_on(Event):
    def __init__(self, depth: int) -> None:
        super().__init__(depth)


def answering(*answers: Any) -> type[Component]:
    """Make a component that gives each of *answers*, in this order, to `ask`."""

    class Answering(Component):
        pass

    def make(answer: Any) -> Any:
        return lambda self: answer() if callable(answer) else answer

    for number, answer in enumerate(answers):
        setattr(Answering, f"_answer{number}", handler("ask", priority=-number)(make(answer)))
    return Answering


def asked(app: Component, *answers: Any) -> Value:
    answering(*answers)().register(app)
    value = app.fire(ask())
    run_until_idle(app)
    return value


# ── rule 1: none, one, many ──────────────────────────────────────────────────────────────────────────────────────────


def test_none_is_no_result(app: Component) -> None:
    value = asked(app, None, None)

    assert value.value is None
    assert not value.result


def test_one_result_stands_alone(app: Component) -> None:
    value = asked(app, None, "yes", None)

    assert value.value == "yes"
    assert value.result


def test_a_second_result_makes_a_list_in_the_order_of_the_handlers(app: Component) -> None:
    assert asked(app, "one", "two", "three").value == ["one", "two", "three"]


@pytest.mark.parametrize("falsy", [0, "", False, (), {}])
def test_a_result_that_is_false_is_a_result(app: Component, falsy: Any) -> None:
    value = asked(app, falsy)

    assert value.result
    assert value.value == falsy


def test_a_list_as_the_first_result_takes_the_later_ones(app: Component) -> None:
    assert asked(app, [1, 2], 3).value == [1, 2, 3]


def test_a_value_is_what_fire_gives_and_what_the_event_has(app: Component) -> None:
    event = ask()
    assert event.value is None

    assert app.fire(event) == event.value


def test_results_may_be_stored_by_hand(app: Component) -> None:
    value = Value(ask(), app)
    value.value = "by hand"
    value.setValue("twice")

    assert value.value == ["by hand", "twice"]
    assert value.manager is app


def test_a_value_without_an_event_stands_for_itself() -> None:
    value = Value()
    assert not value.result
    value.value = 1

    assert value.value == 1
    assert value.event.name == "Event"


# ── rule 2: nested values ────────────────────────────────────────────────────────────────────────────────────────────


class Chain(Component):
    """Each event but the last is answered with the Value of the next."""

    def ask_on(self, depth: int) -> Any:
        return self.fire(ask_on(depth - 1)) if depth else "the end"


def test_a_result_that_is_a_value_is_seen_through_once_it_is_there(app: Component) -> None:
    Chain().register(app)
    run_until_idle(app)
    value = app.fire(ask_on(1))
    app.flush()
    assert value.value is None
    assert not value.result

    app.flush()
    assert value.value == "the end"
    assert value.result
    assert value.getValue(recursive=False).event.args == (0,)


def test_values_among_several_results_are_seen_through(app: Component) -> None:
    Chain().register(app)

    assert asked(app, lambda: app.fire(ask_on(1)), "flat", lambda: app.fire(ask_on(0))).value == [
        "the end",
        "flat",
        "the end",
    ]


def test_lists_within_nested_values_stay_lists(app: Component) -> None:
    class Inner(Component):
        def inner(self) -> str:
            return "a"

        @handler("inner", priority=-1)
        def more(self) -> str:
            return "b"

    Inner().register(app)

    assert asked(app, lambda: app.fire(Event.create("inner")), "c").value == [["a", "b"], "c"]


def test_the_same_value_may_be_a_result_twice(app: Component) -> None:
    class Inner(Component):
        def inner(self) -> str:
            return "a"

        @handler("inner", priority=-1)
        def more(self) -> Any:
            return shared

    Inner().register(app)
    shared = app.fire(Event.create("leaf"))
    inner = app.fire(Event.create("inner"))

    assert asked(app, lambda: inner, lambda: inner).value == [["a", None], ["a", None]]


def test_an_error_in_a_nested_value_shows_in_the_outer_one(app: Component, capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(Component):
        def fail(self) -> None:
            raise ValueError

    Failing().register(app)

    assert asked(app, lambda: app.fire(Event.create("fail")), "beside it").errors


# ── rule 3: depth and loops ──────────────────────────────────────────────────────────────────────────────────────────


def test_values_may_be_nested_ten_thousand_deep(app: Component) -> None:
    # Seeing through them used to overflow the stack, in the kernel, and so to end the program.
    Chain().register(app)
    event = ask_on(10_000)
    event.notify = True
    event.success = True
    recorder = EventRecorder().register(app)
    value = app.fire(event)
    run_until_idle(app, limit=20_000)

    assert value.value == "the end"
    assert not value.errors
    assert "ask_on_value_changed" in recorder.names()


def test_lists_of_values_may_be_nested_deep(app: Component) -> None:
    class Deep(Component):
        def ask_on(self, depth: int) -> Any:
            return self.fire(ask_on(depth - 1)) if depth else None

        @handler("ask_on", priority=-1)
        def count(self, depth: int) -> int:
            return depth

    Deep().register(app)
    event = ask_on(1_000)
    event.success = True
    value = app.fire(event)
    run_until_idle(app, limit=20_000)

    rest, depth = value.value, 1_000
    while isinstance(rest, list):
        rest, number = rest
        assert number == depth
        depth -= 1
    assert (rest, depth) == (0, 0)


def test_a_handler_that_returns_the_value_of_its_own_event_gives_no_result(app: Component) -> None:
    # It used to overflow the stack.
    class Selfish(Component):
        def ask(self, event: Event) -> Any:
            return event.value

    Selfish().register(app)
    event = ask()
    event.notify = True
    value = app.fire(event)
    run_until_idle(app)

    assert value.value is None
    assert not value.result
    assert not value.errors


def test_two_values_that_are_each_others_result_give_none(app: Component) -> None:
    class Circle(Component):
        def ask(self) -> Any:
            return other

        def other(self) -> Any:
            return value

    Circle().register(app)
    value = app.fire(ask())
    other = app.fire(Event.create("other"))
    run_until_idle(app)

    assert value.value is None
    assert other.value is None


def test_a_loop_beside_another_result_ends_too(app: Component) -> None:
    class Selfish(Component):
        def ask(self, event: Event) -> Any:
            return event.value

        @handler("ask", priority=-1)
        def more(self) -> str:
            return "more"

    Selfish().register(app)
    value = app.fire(ask())
    run_until_idle(app)

    resolved = value.value
    assert resolved[1] == "more"
    assert resolved[0] is resolved


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_reads_like_what_it_holds(app: Component) -> None:
    value = asked(app, "one", "two")

    assert "two" in value
    assert list(value) == ["one", "two"]
    assert value[1] == "two"
    assert str(value) == "['one', 'two']"


def test_a_single_result_can_be_searched_and_walked_over(app: Component) -> None:
    value = asked(app, 7)

    assert 7 in value
    assert 8 not in value
    assert list(value) == [7]


def test_no_result_is_nothing_to_walk_over(app: Component) -> None:
    assert list(asked(app, None)) == []


def test_the_text_form_shows_result_errors_and_event(app: Component) -> None:
    class App(Component):
        def foo(self, x: int) -> str:
            return "x"

    App().register(app)
    value = app.fire(Event.create("foo", 1))
    assert repr(value) == "<Value () result=False; errors=False; for <foo[*] (1 )>"
    run_until_idle(app)

    assert repr(value) == "<Value ('x') result=True; errors=False; for <foo[*] (1 )>"


def test_values_of_the_same_event_are_equal_and_hash_alike(app: Component) -> None:
    event = ask()
    value = app.fire(event)

    assert value == event.value
    assert value != app.fire(ask())
    assert len({value, event.value}) == 1


def test_a_value_travels_with_its_result(app: Component) -> None:
    value = asked(app, "one", "two")
    copy = pickle.loads(pickle.dumps(value))

    assert copy.value == ["one", "two"]
    assert copy.result
    assert copy.event.name == "ask"


def test_errors_can_be_set_and_taken_back(app: Component) -> None:
    value = asked(app, "one")
    value.errors = True
    assert value.errors
    value.errors = False
    assert not value.errors


# ── announcing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_notify_may_be_set_on_the_value(app: Component, recorder: EventRecorder) -> None:
    answering("yes")().register(app)
    value = app.fire(ask())
    value.notify = True
    run_until_idle(app)

    assert recorder.names() == ["ask", "ask_value_changed"]
    assert value.notify is True


def test_a_value_that_is_changed_by_hand_is_announced(app: Component, recorder: EventRecorder) -> None:
    value = app.fire(ask())
    run_until_idle(app)
    value.notify = "told"
    value.value = 1
    run_until_idle(app)

    assert recorder.names() == ["ask", "told"]
    assert recorder.of("told")[0].args == (value,)


def test_a_generator_that_gives_no_result_announces_none(app: Component, recorder: EventRecorder) -> None:
    # It used to announce a change when there was none.
    class Quiet(Component):
        def ask(self) -> Any:
            yield None

    Quiet().register(app)
    event = ask()
    event.notify = True
    app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["ask"]


def test_inform_announces_while_a_handler_is_suspended_only_when_forced(
    app: Component, recorder: EventRecorder
) -> None:
    class Slow(Component):
        def ask(self) -> Any:
            yield "first"
            yield self.wait("never")

    Slow().register(app)
    event = ask()
    event.notify = True
    value = app.fire(event)
    run_until_idle(app)
    assert recorder.names() == ["ask"]

    value.inform()
    run_until_idle(app)
    assert recorder.names() == ["ask"]

    value.inform(force=True)
    run_until_idle(app)
    assert recorder.names() == ["ask", "ask_value_changed"]


def test_an_outer_value_announces_what_an_inner_one_is_given_later(app: Component, recorder: EventRecorder) -> None:
    Chain().register(app)
    value = app.fire(ask_on(2))
    value.notify = True
    run_until_idle(app)

    assert recorder.names() == ["ask_on", "ask_on", "ask_on", "ask_on_value_changed"]
