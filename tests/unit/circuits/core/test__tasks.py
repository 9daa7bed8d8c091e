"""Generator handlers: what they may yield, and what becomes of it."""

from __future__ import annotations

import builtins
from collections.abc import Generator
from typing import Any

import pytest

from circuits import Component, Event, TimeoutError, Value, handler, sleep  # noqa: A004 - documented name
from circuits.core.manager import CallValue, ExceptionWrapper, Sleep
from support import EventRecorder, clock_of, pass_time, run_until_idle


class work(Event):
    pass


class Worker(Component):
    """Handles `work` with the generator function that it is given."""

    def init(self, steps: Any) -> None:
        self._steps = steps

    def work(self) -> Any:
        return self._steps(self)


def at_work(app: Component, steps: Any) -> Value:
    """Fire `work`, which *steps* handles, and run until nothing is left to do now."""
    Worker(steps).register(app)
    run_until_idle(app)
    value = app.fire(work())
    run_until_idle(app)
    return value


# ── rule 1: what a yield means ───────────────────────────────────────────────────────────────────────────────────────


def test_none_means_again_in_the_next_turn(app: Component) -> None:
    turns = []

    def steps(self: Component) -> Any:
        for number in range(3):
            turns.append(number)
            yield None

    Worker(steps).register(app)
    run_until_idle(app)
    app.fire(work())
    app.tick()
    assert turns == []
    for number in range(3):
        app.tick()
        assert turns == list(range(number + 1))


def test_each_turn_takes_one_step_of_every_task(app: Component) -> None:
    taken = []

    def steps(self: Component) -> Any:
        for number in range(3):
            taken.append(number)
            yield None

    Worker(steps).register(app)
    Worker(steps).register(app)
    app.fire(work())
    run_until_idle(app)

    assert taken == [0, 0, 1, 1, 2, 2]


def test_anything_else_is_a_result(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield 1
        yield None
        yield "two"

    assert at_work(app, steps).value == [1, "two"]


def test_a_list_that_is_yielded_takes_the_later_results(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield [1, 2]
        yield 3

    assert at_work(app, steps).value == [1, 2, 3]


def test_what_a_generator_returns_is_its_last_result(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield "first"
        return "last"

    assert at_work(app, steps).value == ["first", "last"]


def test_a_generator_is_run_to_its_end_and_its_return_value_handed_over(app: Component) -> None:
    log = []

    def inner(self: Component) -> Any:
        log.append("inner")
        yield None
        yield sleep(0)
        return "from within"

    def steps(self: Component) -> Any:
        got = yield inner(self)
        log.append("outer")
        yield got

    value = at_work(app, steps)
    run_until_idle(app)
    app.tick()
    run_until_idle(app)

    assert log == ["inner", "outer"]
    assert value.value == "from within"


def test_generators_may_be_nested_deep(app: Component) -> None:
    def down(depth: int) -> Any:
        if depth:
            yield (yield down(depth - 1))
            return None
        yield None
        return None

    def steps(self: Component) -> Any:
        yield down(5000)
        yield "back"

    Worker(steps).register(app)
    value = app.fire(work())
    run_until_idle(app, limit=50_000)

    assert value.value == "back"


def test_an_error_of_a_nested_generator_is_raised_where_it_was_yielded(app: Component) -> None:
    def inner() -> Any:
        yield None
        raise KeyError("inner")

    def steps(self: Component) -> Any:
        try:
            yield inner()
        except KeyError as error:
            yield f"caught {error}"

    assert at_work(app, steps).value == "caught 'inner'"


def test_a_wrapped_error_is_raised_at_the_yield(app: Component) -> None:
    wrapper = ExceptionWrapper(KeyError("wrapped"))

    def steps(self: Component) -> Any:
        try:
            yield wrapper
        except KeyError as error:
            yield str(error)

    assert isinstance(wrapper.extract(), KeyError)
    assert at_work(app, steps).value == "'wrapped'"


def test_a_marked_value_is_a_result(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield CallValue("marked")

    assert at_work(app, steps).value == "marked"


def test_a_generator_that_never_yields_gives_its_result_all_the_same(app: Component) -> None:
    def steps(self: Component) -> Generator[None, None, str]:
        return "at once"
        yield

    assert at_work(app, steps).value == "at once"


@pytest.mark.parametrize(
    "make",
    [
        lambda component: component.call("no event"),
        lambda component: component.call(work(), timeout=float("nan")),
        lambda component: component.wait("done", timeout=float("nan")),
        lambda component: sleep(float("nan")),
    ],
    ids=["call of no event", "call for no number of seconds", "wait for no number of seconds", "sleep of no length"],
)
def test_what_cannot_be_waited_for_is_an_error_at_the_yield(app: Component, recorder: EventRecorder, make: Any) -> None:
    # The error used to leave the kernel's turn, and with it the program.
    errors = []

    class Worker(Component):
        def job(self) -> Any:
            try:
                yield make(self)
            except (AttributeError, ValueError) as error:
                errors.append(error)
            yield "went on"

    Worker().register(app)
    value = app.fire(Event.create("job"))
    run_until_idle(app)

    assert len(errors) == 1
    assert value.value == "went on"


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("yields_first", [0, 1, 3])
def test_an_error_in_a_generator_is_told_with_event_handler_and_traceback(
    app: Component, recorder: EventRecorder, yields_first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def steps(self: Component) -> Any:
        for _ in range(yields_first):
            yield None
        raise ZeroDivisionError

    Worker(steps).register(app)
    event = work()
    event.failure = True
    value = app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["work", "work_failure", "exception"]
    (told,) = recorder.of("exception")
    assert told.kwargs["fevent"] is event
    assert told.kwargs["handler"].__name__ == "work"
    assert "raise ZeroDivisionError" in "".join(told.args[2])
    assert value.errors
    assert value.done
    assert event.waitingHandlers == 0


# ── rule 2: who waits costs nothing ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "step",
    [lambda self: sleep(5), lambda self: self.wait("other"), lambda self: self.call(Event.create("slow"))],
    ids=["sleep", "wait", "call"],
)
def test_a_task_that_waits_is_in_no_list_that_is_looked_at_every_turn(app: Component, step: Any) -> None:
    def steps(self: Component) -> Any:
        yield step(self)
        yield "done"

    @handler("slow")
    def slow(self: Component) -> Any:
        yield sleep(5)

    app.addHandler(slow)
    value = at_work(app, steps)
    assert not app._evtree.ready
    assert not value.done

    pass_time(app, 5)
    app.fire(Event.create("other"))
    run_until_idle(app)
    assert value.value == "done"


# ── rule 3: a step resumes its task once ─────────────────────────────────────────────────────────────────────────────


def test_an_answer_that_comes_in_the_same_turn_as_the_timeout_does_not_resume_twice(app: Component) -> None:
    outcomes = []

    def steps(self: Component) -> Any:
        try:
            yield self.call(Event.create("slow"), timeout=5)
            outcomes.append("answer")
        except TimeoutError:
            outcomes.append("timeout")
        yield None
        outcomes.append("went on")

    @handler("slow")
    def slow(self: Component) -> Any:
        yield sleep(5)

    app.addHandler(slow)
    value = at_work(app, steps)
    pass_time(app, 5)

    assert len(outcomes) == 2
    assert value.done


def test_a_wait_wakes_once_for_two_events_of_its_name(app: Component) -> None:
    woken = []

    def steps(self: Component) -> Any:
        woken.append((yield self.wait("other")).event.args)
        woken.append((yield self.wait("other")).event.args)

    at_work(app, steps)
    app.fire(Event.create("other", 1))
    app.fire(Event.create("other", 2))
    app.fire(Event.create("other", 3))
    run_until_idle(app)
    assert woken == [(1,)]

    app.fire(Event.create("other", 4))
    run_until_idle(app)
    assert woken == [(1,), (4,)]


def test_nothing_is_left_of_a_wait_or_call_that_has_ended(app: Component) -> None:
    call, kept = Event.create("nobody"), Event.create("slow")

    @handler("slow")
    def slow(self: Component) -> Any:
        yield sleep(50)

    def steps(self: Component) -> Any:
        yield self.call(call)
        for what in (Event.create("never"), "never", kept):
            with pytest.raises(TimeoutError):
                yield self.wait(what, timeout=1)
        with pytest.raises(TimeoutError):
            yield self.call(kept, timeout=1)
        yield "done"

    app.addHandler(slow)
    value = at_work(app, steps)
    for _ in range(4):
        pass_time(app, 1)

    assert value.value == "done"
    assert app._evtree.waiters == {}
    assert kept._waiters == []
    assert len(app._evtree.loop.timers) == 1  # of the handler that still sleeps
    assert not [name for name in app._handlers if name.endswith("_done")]


# ── sleep ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sleep_lasts_as_long_as_it_says(app: Component) -> None:
    woken = []

    def steps(self: Component) -> Any:
        yield sleep(1.5)
        woken.append(clock_of(self).now())
        yield sleep(0)
        woken.append(clock_of(self).now())

    at_work(app, steps)
    pass_time(app, 1.4)
    assert woken == []
    pass_time(app, 0.1)
    app.tick()
    run_until_idle(app)
    assert woken == [1.5, 1.5]


@pytest.mark.parametrize("seconds", [-1, -0.001])
def test_a_negative_sleep_is_refused_with_the_number(seconds: float) -> None:
    with pytest.raises(ValueError, match=str(seconds)):
        sleep(seconds)


def test_one_sleep_can_be_yielded_again(app: Component) -> None:
    def steps(self: Component) -> Any:
        nap = sleep(1)
        yield nap
        yield nap
        yield clock_of(self).now()

    value = at_work(app, steps)
    pass_time(app, 1)
    pass_time(app, 1)

    assert value.value == 2


def test_a_sleep_may_be_driven_by_yield_from(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield from sleep(1)
        yield "woke"

    value = at_work(app, steps)
    pass_time(app, 1)

    assert value.value == "woke"


def test_a_sleep_tells_whether_it_is_over(app: Component) -> None:
    naps: list[Sleep] = []

    def steps(self: Component) -> Any:
        naps.append(sleep(10))
        yield naps[0]

    at_work(app, steps)
    assert not naps[0].expired
    assert naps[0].task is not None
    pass_time(app, 10)
    assert naps[0].expired
    assert naps[0].task is None


# ── tasks by their documented names ──────────────────────────────────────────────────────────────────────────────────


def test_a_task_can_be_registered_by_hand(app: Component, recorder: EventRecorder) -> None:
    def steps() -> Any:
        yield
        yield "by hand"

    event = work()
    event.success = True
    value = app.fire(event)
    app.registerTask((event, steps(), None))
    assert event.waitingHandlers == 1
    run_until_idle(app)

    assert value.value == "by hand"
    assert recorder.names() == ["work", "work_success"]


def test_process_task_has_a_generator_advanced(app: Component) -> None:
    def steps() -> Any:
        yield "processed"

    event = work()
    value = app.fire(event)
    app.processTask(event, steps())
    run_until_idle(app)

    assert value.value == "processed"


def test_an_event_whose_task_is_taken_away_is_done(app: Component, recorder: EventRecorder) -> None:
    # It stayed suspended for ever, and so did who waited for it.
    def steps() -> Any:
        while True:
            yield

    event = work()
    event.success = event.complete = True
    task = (event, steps(), None)
    value = app.fire(event)
    app.registerTask(task)
    app.tick()
    assert not value.done
    app.unregisterTask(task)
    run_until_idle(app)

    assert value.done
    assert recorder.names() == ["work", "work_complete"]


def test_an_error_of_a_task_registered_by_hand_is_told(app: Component, capsys: pytest.CaptureFixture[str]) -> None:
    def steps() -> Any:
        yield
        raise ZeroDivisionError

    event = work()
    app.fire(event)
    app.registerTask((event, steps(), None))
    run_until_idle(app)

    assert "ZeroDivisionError" in capsys.readouterr().err


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_timeout_error_is_the_builtin_one_too() -> None:
    assert issubclass(TimeoutError, builtins.TimeoutError)


def test_a_task_shows_its_generator_and_event(app: Component) -> None:
    def steps(self: Component) -> Any:
        yield self.wait("never")

    at_work(app, steps)
    (task,) = app._evtree.tasks

    assert "steps for <work[*] ( )>" in repr(task)
