"""A generator handler can call, wait and sleep, and goes on when what it waited for has come."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from circuits import Component, Event, TimeoutError, Value, sleep  # noqa: A004 - documented name
from circuits.core.manager import TimeoutError as ManagersTimeoutError
from support import clock_of, on_manual_clock, pass_time, run_until_idle


class begin(Event):
    """Run the handler under test."""


def begun(app: Component) -> Value:
    value = app.fire(begin())
    run_until_idle(app)
    return value


class Answering(Component):
    def answer(self) -> int:
        return 42

    def fail(self) -> None:
        raise ValueError("no answer")

    def slow(self) -> Any:
        yield self.wait("go_on")
        yield "at last"

    def exception(self, *args: Any, **kwargs: Any) -> None:
        pass


# ── call ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["call", "callEvent"])
def test_a_call_fires_and_gives_the_value(method: str) -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield getattr(self, method)(Event.create("answer"))
            yield (type(value), value.value, value.errors)

    assert begun(App()).value == (Value, 42, False)


def test_a_callee_that_raises_gives_a_value_with_errors_and_nothing_is_raised_in_the_caller() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield self.call(Event.create("fail"))
            yield (value.errors, value.value[0], str(value.value[1]))

    assert begun(App()).value == (True, ValueError, "no answer")


def test_a_call_that_nobody_answers_gives_none() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield self.call(Event.create("unheard"))
            yield (value.value, value.result, value.errors)

    assert begun(App()).value == (None, False, False)


def test_a_call_waits_for_the_generators_of_the_callee() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield self.call(Event.create("slow"))
            yield value.value

    app = App()
    value = begun(app)
    assert not value.done
    app.fire(Event.create("go_on"))
    run_until_idle(app)

    assert value.value == "at last"


def test_a_call_goes_to_the_channels_it_names() -> None:
    class Elsewhere(Answering):
        channel = "elsewhere"

    class App(Component):
        def begin(self) -> Any:
            there = yield self.call(Event.create("answer"), "elsewhere")
            here = yield self.call(Event.create("answer"), "here")
            yield (there.value, here.value)

    app = App()
    Elsewhere().register(app)

    assert begun(app).value == (42, None)


def test_a_handler_may_call_many_times_and_calls_may_be_nested() -> None:
    class App(Component):
        def begin(self) -> Any:
            total = 0
            for number in range(5):
                total += (yield self.call(Event.create("double", number))).value
            yield total

        def double(self, number: int) -> Any:
            value = yield self.call(Event.create("identity", number))
            yield 2 * value.value

        def identity(self, number: int) -> int:
            return number

    assert begun(App()).value == 20


def test_no_handler_stays_behind_after_a_call() -> None:
    class App(Answering):
        def begin(self) -> Any:
            yield self.call(Event.create("answer"))

    app = App()
    before = set(app._handlers)
    begun(app)

    assert set(app._handlers) == before


# ── wait ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["wait", "waitEvent"])
def test_a_wait_for_a_name_goes_on_when_such_an_event_has_been_handled(method: str) -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield getattr(self, method)("answer")
            yield (type(value), value.value)

    app = App()
    value = begun(app)
    app.fire(Event.create("other"))
    run_until_idle(app)
    assert not value.done
    app.fire(Event.create("answer"))
    run_until_idle(app)

    assert value.value == (Value, 42)


def test_a_wait_goes_on_only_when_the_handlers_have_ended() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield self.wait("slow")
            yield value.value

    app = App()
    value = begun(app)
    app.fire(Event.create("slow"))
    run_until_idle(app)
    assert not value.done
    app.fire(Event.create("go_on"))
    run_until_idle(app)

    assert value.value == "at last"


def test_a_wait_for_an_event_means_that_very_event_among_others_of_its_name() -> None:
    class App(Answering):
        def begin(self) -> Any:
            yield self.wait(mine)
            yield "mine"

    app = App()
    mine, other = Event.create("answer"), Event.create("answer")
    value = begun(app)
    app.fire(other)
    run_until_idle(app)
    assert not value.done
    app.fire(mine)
    run_until_idle(app)

    assert value.value == "mine"


def test_a_wait_for_an_event_that_is_done_goes_on_at_once() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = yield self.wait(done)
            yield value.value

    app = App()
    done = Event.create("answer")
    app.fire(done)
    run_until_idle(app)

    assert begun(app).value == 42


@pytest.mark.parametrize("channel", ["a", "b"])
def test_a_wait_that_names_several_channels_wakes_on_each_of_them(channel: str) -> None:
    class App(Component):
        def begin(self) -> Any:
            value = yield self.wait("news", "a", "b")
            yield value.event.channels

    app = App()
    value = begun(app)
    app.fire(Event.create("news"), "c")
    run_until_idle(app)
    assert not value.done
    app.fire(Event.create("news"), channel)
    run_until_idle(app)

    assert value.value == (channel,)


def test_several_may_wait_for_the_same_event() -> None:
    class Waiting(Component):
        def begin(self) -> Any:
            value = yield self.wait("news")
            yield value.event.args[0]

    app = Component()
    for _ in range(3):
        Waiting().register(app)
    value = begun(app)
    app.fire(Event.create("news", "rain"))
    run_until_idle(app)

    assert value.value == ["rain", "rain", "rain"]


# ── timeouts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Impatient(Answering):
    """Waits for something, for some time, and tells when it gave up."""

    def init(self, what: Any) -> None:
        self.what = what

    def begin(self) -> Any:
        try:
            value = yield self.what(self)
        except TimeoutError:
            yield ("gave up", clock_of(self).now())
        else:
            yield value.value


@pytest.mark.parametrize(
    "what",
    [
        lambda self: self.wait("news", timeout=2.5),
        lambda self: self.wait(Event.create("news"), timeout=2.5),
        lambda self: self.call(Event.create("slow"), timeout=2.5),
    ],
    ids=["wait for a name", "wait for an event", "call"],
)
def test_a_timeout_counts_seconds_and_raises_where_it_waits(what: Any) -> None:
    app = on_manual_clock(Impatient(what))
    value = begun(app)
    pass_time(app, 2.4)
    assert not value.done
    pass_time(app, 0.1)

    assert value.value == ("gave up", 2.5)


def test_what_comes_in_time_is_given() -> None:
    app = on_manual_clock(Impatient(lambda self: self.call(Event.create("slow"), timeout=2.5)))
    value = begun(app)
    pass_time(app, 2.4)
    app.fire(Event.create("go_on"))
    run_until_idle(app)
    pass_time(app, 100)

    assert value.value == "at last"


@pytest.mark.parametrize(
    "what",
    [lambda self: self.wait("answer", timeout=0), lambda self: self.call(Event.create("answer"), timeout=0)],
    ids=["wait", "call"],
)
def test_no_time_at_all_always_gives_up_though_the_event_is_handled(what: Any) -> None:
    app = on_manual_clock(Impatient(what))

    assert begun(app).value == ("gave up", 0)


def test_the_error_is_the_builtin_one_and_importable_from_where_it_is_documented() -> None:
    assert ManagersTimeoutError is TimeoutError
    assert issubclass(TimeoutError, builtins.TimeoutError)


def test_a_timeout_that_is_not_caught_is_an_error_of_the_handler(capsys: pytest.CaptureFixture[str]) -> None:
    class App(Component):
        def begin(self) -> Any:
            yield self.wait("news", timeout=1)

    app = on_manual_clock(App())
    value = begun(app)
    pass_time(app, 1)

    assert value.errors
    assert "<wait for 'news'> was not done within 1 s" in capsys.readouterr().err


# ── sleep ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seconds", [0.001, 0.25, 7])
def test_a_sleep_lasts_its_seconds_fractions_allowed(seconds: float) -> None:
    class App(Component):
        def begin(self) -> Any:
            yield sleep(seconds)
            yield clock_of(self).now()

    app = on_manual_clock(App())
    value = begun(app)
    pass_time(app, seconds * 0.99)
    assert not value.done
    pass_time(app, seconds * 0.01)

    assert value.value == pytest.approx(seconds)


def test_a_tree_in_which_everybody_sleeps_or_waits_does_not_turn() -> None:
    class App(Component):
        def started(self, *_: Any) -> Any:
            self.fire(Event.create("wait_for_ever"))
            yield sleep(3600)
            self.stop()

        def wait_for_ever(self) -> Any:
            yield self.wait("never")

    app = on_manual_clock(App())
    app.run()

    assert clock_of(app).now() == 3600
    assert sum(app._evtree.loop.poller.sleeps) == 3600  # type: ignore[attr-defined]
    assert len(app._evtree.loop.poller.sleeps) == 1  # type: ignore[attr-defined]


# ── generators ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_yielding_none_means_not_yet_and_two_ticks_give_two_values() -> None:
    class App(Component):
        def begin(self) -> Any:
            yield None
            yield "one"
            yield "two"

    app = App()
    value = app.fire(begin())
    app.flush()
    app.tick()
    assert value.value is None
    app.tick()
    assert value.value == "one"
    app.tick()
    assert value.value == ["one", "two"]
    assert not value.done
    app.tick()
    assert value.done


def test_a_generator_may_yield_another_one_and_gets_what_that_returns() -> None:
    class App(Answering):
        def _double(self) -> Any:
            value = yield self.call(Event.create("answer"))
            return 2 * value.value

        def begin(self) -> Any:
            doubled = yield self._double()
            yield doubled + 1

    assert begun(App()).value == 85


def test_yield_from_does_the_same() -> None:
    class App(Answering):
        def _double(self) -> Any:
            value = yield self.call(Event.create("answer"))
            return 2 * value.value

        def begin(self) -> Any:
            doubled = yield from self._double()
            yield from sleep(0)
            yield doubled + 1

    app = App()
    value = begun(app)
    app.tick()
    run_until_idle(app)

    assert value.value == 85


def test_a_generator_polls_for_a_result_as_old_programs_do() -> None:
    class App(Answering):
        def begin(self) -> Any:
            value = self.fire(Event.create("answer"))
            while not value.result:
                yield None
            yield value.value

    assert begun(App()).value == 42
