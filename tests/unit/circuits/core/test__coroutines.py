"""Coroutine handlers: what they may await, to whom they belong, how they end."""

from __future__ import annotations

import asyncio
import builtins
import gc
from typing import Any

import pytest

from circuits import Component, Event, TimeoutError, Timer, Value, handler, sleep  # noqa: A004 - documented name
from circuits.core.events import exception
from support import EventRecorder, run_program, running, wait_until


class work(Event):
    pass


class Quiet(Component):
    """The root of a tree that hosts coroutines; errors are kept, not printed."""

    def init(self) -> None:
        self._errors: list[Any] = []
        self._recorder = EventRecorder().register(self)

    def exception(self, event: exception, *args: Any, **kwargs: Any) -> None:
        self._errors.append(event)

    def _names(self) -> list[str]:
        return self._recorder.names()


def run_coroutine(main: Any, *components: Component) -> Quiet:
    """Run a tree whose `started` handler is the coroutine function *main*, and stop it when that has ended."""

    class App(Quiet):
        async def started(self, *_: object) -> Any:
            try:
                async with asyncio.timeout(10):
                    return await main(self)
            finally:
                self.stop()

    app = App()
    for component in components:
        component.register(app)
    app.run()
    return app


class Answering(Component):
    """Answers of every kind."""

    def plain(self) -> str:
        return "plain answer"

    def slow(self) -> Any:
        yield None
        yield sleep(0.001)
        yield "slow answer"

    async def native(self) -> str:
        await asyncio.sleep(0)
        return "native answer"

    def nothing(self) -> None:
        pass

    def fails(self) -> None:
        raise KeyError("callee")

    def fails_later(self) -> Any:
        yield None
        raise KeyError("callee")

    async def fails_natively(self) -> None:
        raise KeyError("callee")

    def nested(self) -> Value:
        return self.fire(Event.create("slow"))

    def nested_failure(self) -> Value:
        return self.fire(Event.create("fails_later"))

    @handler("several")
    def one(self) -> Value:
        return self.fire(Event.create("slow"))

    @handler("several", priority=-1)
    def two(self) -> Value:
        return self.fire(Event.create("native"))


# ── what may be awaited ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("plain", "plain answer"),
        ("slow", "slow answer"),
        ("native", "native answer"),
        ("nothing", None),
        ("nobody", None),
        ("nested", "slow answer"),
        ("several", ["slow answer", "native answer"]),
    ],
)
def test_a_call_and_a_fired_value_give_the_final_result(name: str, answer: Any) -> None:
    async def main(self: Component) -> Any:
        assert await self.call(Event.create(name)) == answer
        assert await self.fire(Event.create(name)) == answer
        event = Event.create(name)
        self.fire(event)
        assert event.value is not None
        assert await event.value == answer
        return "compared"

    app = run_coroutine(main, Answering())

    assert app._recorder.of("started")[0].value.value == "compared"  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["fails", "fails_later", "fails_natively", "nested_failure"])
def test_awaiting_what_fails_raises_the_error_of_the_callee(name: str) -> None:
    caught = []

    async def main(self: Component) -> None:
        for awaitable in (self.call(Event.create(name)), self.fire(Event.create(name))):
            try:
                await awaitable
            except KeyError as error:
                caught.append(error.args)

    app = run_coroutine(main, Answering())

    assert caught == [("callee",), ("callee",)]
    failed = "fails_later" if name == "nested_failure" else name
    assert {event.kwargs["fevent"].name for event in app._errors} == {failed}


def test_an_error_that_the_caller_does_not_catch_is_told_of_both_events() -> None:
    async def main(self: Component) -> None:
        await self.call(Event.create("fails"))

    app = run_coroutine(main, Answering())

    assert [event.kwargs["fevent"].name for event in app._errors] == ["fails", "started"]


def test_a_value_that_is_done_is_given_at_once() -> None:
    turns = []

    async def main(self: Component) -> None:
        value = self.fire(Event.create("plain"))
        await value
        asyncio.get_running_loop().call_soon(turns.append, 1)
        assert await value == "plain answer"
        assert turns == []

    assert run_coroutine(main, Answering())._errors == []


def test_a_wait_gives_the_value_of_the_next_event_of_the_name() -> None:
    seen = []

    async def main(self: Component) -> None:
        self.fire(Event.create("plain"))
        value = await self.wait("plain")
        seen.append((value.value, value.done))
        seen.append((await self.wait(value.event)).value)

    run_coroutine(main, Answering())

    assert seen == [("plain answer", True), "plain answer"]


def test_a_wait_may_name_channels() -> None:
    seen = []

    async def main(self: Component) -> None:
        for channel in ("c", "b", "a"):
            Timer(0.001, work(channel), channel).register(self)
            await asyncio.sleep(0)
        seen.append((await self.wait("work", "a", "b", timeout=5)).event.args[0])

    run_coroutine(main)

    assert seen == ["b"]


@pytest.mark.parametrize("what", ["call", "wait", "wait for event"])
def test_a_time_that_runs_out_raises_the_timeout_error_and_leaves_nothing_behind(what: str) -> None:
    class Never(Component):
        def never(self) -> Any:
            yield self.wait("nothing")

    caught = []
    event = Event.create("never")

    async def main(self: Component) -> None:
        step: Any
        if what == "call":
            step = self.call(event, timeout=0.01)
        elif what == "wait":
            step = self.wait("other", timeout=0.01)
        else:
            self.fire(event)
            step = self.wait(event, timeout=0.01)
        try:
            await step
        except TimeoutError as error:
            caught.append(str(error))
        assert set(self._evtree.waiters) <= {"nothing"}

    run_coroutine(main, Never())

    assert len(caught) == 1
    assert "was not done within 0.01 s" in caught[0]
    if what != "wait":
        assert event._waiters == []


def test_no_time_at_all_always_runs_out() -> None:
    caught = []

    async def main(self: Component) -> None:
        try:
            await self.call(Event.create("plain"), timeout=0)
        except TimeoutError:
            caught.append("too late")

    run_coroutine(main, Answering())

    assert caught == ["too late"]


def test_the_time_of_a_call_counts_for_what_is_nested_in_its_answer() -> None:
    class Nested(Component):
        def outer(self) -> Value:
            return self.fire(Event.create("inner"))

        def inner(self) -> Any:
            yield self.wait("nothing")

    caught = []

    async def main(self: Component) -> None:
        try:
            await self.call(Event.create("outer"), timeout=0.05)
        except TimeoutError:
            caught.append("too late")

    run_coroutine(main, Nested())

    assert caught == ["too late"]


def test_the_builtin_timeout_of_asyncio_works_around_anything() -> None:
    caught = []

    async def main(self: Component) -> None:
        for awaitable in (self.wait("nothing"), self.call(Event.create("slow_down")), sleep(100), asyncio.sleep(100)):
            try:
                async with asyncio.timeout(0.005):
                    await awaitable
            except TimeoutError:
                caught.append("ours")
            except builtins.TimeoutError:
                caught.append("theirs")

    class Slow(Component):
        async def slow_down(self) -> None:
            await asyncio.sleep(100)

    app = run_coroutine(main, Slow())

    assert caught == ["theirs"] * 4
    assert app._evtree.waiters == {}


def test_sleep_may_be_awaited() -> None:
    async def main(self: Component) -> None:
        before = self._evtree.clock.now()
        await sleep(0.02)
        assert self._evtree.clock.now() - before >= 0.019

    assert run_coroutine(main)._errors == []


def test_calls_may_be_gathered() -> None:
    async def main(self: Component) -> Any:
        return await asyncio.gather(
            self._wrapped("plain"),  # type: ignore[attr-defined]
            *(asyncio.ensure_future(_answer(self, name)) for name in ("slow", "native")),
        )

    async def _answer(self: Component, name: str) -> Any:
        return await self.call(Event.create(name))

    Quiet._wrapped = _answer  # type: ignore[attr-defined]
    try:
        app = run_coroutine(main, Answering())
    finally:
        del Quiet._wrapped  # type: ignore[attr-defined]

    assert app._recorder.of("started")[0].value.value == ["plain answer", "slow answer", "native answer"]  # type: ignore[union-attr]


def test_tasks_of_asyncio_may_await_events_too() -> None:
    async def main(self: Component) -> Any:
        async def helper() -> Any:
            return await self.call(Event.create("native"))

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(helper()) for _ in range(3)]
        return [task.result() for task in tasks]

    app = run_coroutine(main, Answering())

    assert app._recorder.of("started")[0].value.value == ["native answer"] * 3  # type: ignore[union-attr]


def test_a_thousand_awaited_calls_in_a_row() -> None:
    async def main(self: Component) -> Any:
        return [await self.call(Event.create("plain")) for _ in range(1000)]

    app = run_coroutine(main, Answering())

    assert len(app._recorder.of("started")[0].value.value) == 1000  # type: ignore[union-attr,arg-type]


def test_a_coroutine_may_call_itself_over_and_over() -> None:
    class Recursive(Component):
        async def down(self, depth: int) -> int:
            return 1 + await self.call(Event.create("down", depth - 1)) if depth else 0

    async def main(self: Component) -> Any:
        return await self.call(Event.create("down", 2000))

    app = run_coroutine(main, Recursive())

    assert app._recorder.of("started")[0].value.value == 2000  # type: ignore[union-attr]


# ── results and errors ───────────────────────────────────────────────────────────────────────────────────────────────


def test_what_a_coroutine_returns_is_its_result_and_none_is_none() -> None:
    class Returning(Component):
        async def work(self) -> str:
            return "result"

        @handler("work", priority=-1)
        async def more(self) -> None:
            pass

    async def main(self: Component) -> Any:
        return await self.call(work())

    app = run_coroutine(main, Returning())

    assert app._recorder.of("work")[0].value.value == "result"  # type: ignore[union-attr]


def test_success_and_complete_come_after_the_last_coroutine() -> None:
    class Slow(Component):
        async def work(self) -> None:
            await asyncio.sleep(0.001)
            self.fire(Event.create("consequence"))

    async def main(self: Component) -> None:
        event = work()
        event.success = event.complete = True
        self.fire(event)
        assert event.waitingHandlers == 0
        await self.wait("work_complete")

    app = run_coroutine(main, Slow())

    assert app._names() == ["started", "work", "consequence", "work_success", "work_complete", "stopped"]


def test_an_error_is_told_with_event_handler_and_arguments() -> None:
    class Failing(Component):
        async def work(self, how: str) -> None:
            await asyncio.sleep(0)
            raise ValueError(how)

    async def main(self: Component) -> None:
        event = work("badly")
        event.failure = True
        self.fire(event)
        await self.wait("exception")

    app = run_coroutine(main, Failing())

    (told,) = app._errors
    assert told.args[0] is ValueError
    assert told.kwargs["fevent"].args == ("badly",)
    assert told.kwargs["handler"].__name__ == "work"
    assert "raise ValueError(how)" in "".join(told.args[2])
    assert app._names() == ["started", "work", "work_failure", "exception", "stopped"]


def test_what_a_coroutine_fires_is_caused_by_its_event_after_every_await() -> None:
    class Firing(Component):
        async def work(self) -> None:
            self.fire(Event.create("before"))
            await asyncio.sleep(0.001)
            self.fire(Event.create("after"))

    async def main(self: Component) -> None:
        await self.call(work())

    app = run_coroutine(main, Firing())

    for name in ("before", "after"):
        (event,) = app._recorder.of(name)
        assert event.cause is app._recorder.of("work")[0]
        assert event.source.__name__ == "work"  # type: ignore[union-attr]


# ── async generators ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_async_generator_gives_each_thing_it_yields_as_a_result() -> None:
    class Yielding(Component):
        async def work(self) -> Any:
            yield 1
            await asyncio.sleep(0)
            yield None
            yield 2

    async def main(self: Component) -> Any:
        return await self.call(work())

    app = run_coroutine(main, Yielding())

    assert app._recorder.of("started")[0].value.value == [1, 2]  # type: ignore[union-attr]


@pytest.mark.parametrize("yields_first", [0, 2])
def test_an_error_in_an_async_generator_is_told(yields_first: int) -> None:
    class Failing(Component):
        async def work(self) -> Any:
            for number in range(yields_first):
                yield number
            raise ValueError

    async def main(self: Component) -> None:
        try:
            await self.call(work())
        except ValueError:
            return
        raise AssertionError("not raised")

    app = run_coroutine(main, Failing())

    assert [event.args[0] for event in app._errors] == [ValueError]
    assert app._errors[0].kwargs["handler"].__name__ == "work"


# ── rule 2: ownership ────────────────────────────────────────────────────────────────────────────────────────────────


class Patient(Component):
    """Waits in a coroutine until it is cancelled, and takes its time to clean up."""

    def init(self, log: list[str]) -> None:
        self._log = log

    async def work(self) -> None:
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            self._log.append("cancelled")
            await asyncio.sleep(0.01)
            self._log.append("clean")
            raise


def test_unregistering_cancels_and_awaits_the_coroutines_of_the_subtree_and_no_others() -> None:
    log: list[str] = []
    others: list[str] = []
    branch = Component()
    Patient(log).register(branch)

    async def main(self: Component) -> None:
        self.fire(work())
        await asyncio.sleep(0.005)
        branch.unregister()
        await self.wait("unregistered")
        log.append("unregistered")
        assert branch.parent is branch
        assert others == []

    run_coroutine(main, branch, Patient(others))

    assert log == ["cancelled", "clean", "unregistered"]
    assert others == ["cancelled", "clean"]


def test_who_waits_for_a_coroutine_that_is_cancelled_goes_on() -> None:
    log: list[str] = []
    patient = Patient(log)

    async def main(self: Component) -> None:
        event = work()
        event.success = event.complete = True
        value = self.fire(event)
        await asyncio.sleep(0.005)
        patient.unregister()
        assert await value is None

    app = run_coroutine(main, patient)

    assert "work_success" not in app._names()
    assert "work_complete" in app._names()


def test_a_coroutine_may_unregister_its_own_component() -> None:
    log = []

    class Leaving(Component):
        async def work(self) -> None:
            try:
                self.unregister()
                await asyncio.sleep(1000)
            finally:
                log.append("ended")

    leaving = Leaving()

    async def main(self: Component) -> None:
        self.fire(work())
        await self.wait("unregistered")

    run_coroutine(main, leaving)

    assert log == ["ended"]
    assert leaving.parent is leaving


def test_a_coroutine_that_ignores_its_cancellation_is_waited_for() -> None:
    log = []

    class Stubborn(Component):
        async def started(self, *_: object) -> None:
            self.stop()
            for number in range(3):
                try:
                    await asyncio.sleep(0.005)
                    log.append(f"slept {number}")
                except asyncio.CancelledError:
                    log.append("ignored")

    Stubborn().run()

    assert log == ["ignored", "slept 1", "slept 2"]


def test_coroutines_that_fail_while_they_are_cancelled_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    class Failing(Component):
        async def started(self, *_: object) -> None:
            self.stop()
            try:
                await asyncio.sleep(1000)
            finally:
                raise ValueError("while cleaning up")

    Failing().run()

    assert "while cleaning up" in capsys.readouterr().err


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stream_gives_events_of_its_name_and_channel_once_they_have_been_handled() -> None:
    seen = []

    async def main(self: Component) -> None:
        with_stream = self.stream(work, "a", "b")
        for number, channel in enumerate(("a", "c", "b", "*")):
            self.fire(work(number), channel)
        async with with_stream as stream:
            async for event in stream:
                assert event.value is not None
                assert event.value.done
                seen.append(event.args[0])
                if len(seen) == 3:
                    break

    app = run_coroutine(main)

    assert seen == [0, 2, 3]
    assert app._evtree.waiters == {}


def test_a_stream_that_overflows_gives_what_it_has_and_then_says_what_was_lost() -> None:
    from circuits.core._errors import StreamOverflow

    seen: list[Any] = []

    async def main(self: Component) -> None:
        stream = self.stream("work", limit=3)
        for number in range(5):
            self.fire(work(number))
        await asyncio.sleep(0.01)
        try:
            async for event in stream:
                seen.append(event.args[0])  # noqa: PERF401 - what came before the error counts
        except StreamOverflow as error:
            seen.append(str(error))
        self.fire(work(5))
        async for event in stream:
            seen.append(event.args[0])
            break
        stream.close()

    app = run_coroutine(main)

    assert seen == [0, 1, 2, "2 'work' event(s) were lost: 3 were waiting already", 5]
    assert app._errors == []


def test_closing_a_stream_ends_the_loop_over_it_after_what_is_waiting() -> None:
    seen = []

    async def main(self: Component) -> None:
        stream = self.stream("work")
        self.fire(work(0))
        Timer(0.01, Event.create("close_it")).register(self)

        def close_it(self: Component) -> None:
            stream.close()
            stream.close()

        self.addHandler(close_it)
        seen.extend([event.args[0] async for event in stream])
        seen.append("end")

    run_coroutine(main)

    assert seen == [0, "end"]


def test_a_stream_that_nobody_holds_any_more_listens_no_longer() -> None:
    async def main(self: Component) -> None:
        stream = self.stream("work")
        assert "work" in self._evtree.waiters
        assert "work" in repr(stream)
        del stream
        gc.collect()
        assert self._evtree.waiters == {}

    assert run_coroutine(main)._errors == []


def test_a_stream_goes_along_with_a_component_that_is_registered() -> None:
    # It was never taken off the list of the tree that had taken it over.
    async def main(self: Component) -> None:
        guest = Component()
        stream = guest.stream("work")
        guest.register(self)
        self.fire(work(1))
        async for event in stream:
            assert event.args == (1,)
            break
        stream.close()
        assert self._evtree.waiters == {}

    assert run_coroutine(main)._errors == []


def test_cancelled_events_are_not_waited_for_by_name() -> None:
    seen = []

    async def main(self: Component) -> None:
        stream = self.stream("work")
        cancelled = work("cancelled")
        self.fire(cancelled)
        cancelled.cancel()
        self.fire(work("real"))
        seen.append((await self.wait("work")).event.args[0])
        async for event in stream:
            seen.append(event.args[0])
            break

    run_coroutine(main)

    assert seen == ["real", "real"]


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_value_of_a_tree_that_another_thread_runs_may_be_awaited() -> None:
    results = []

    async def main(self: Component) -> None:
        for name in ("plain", "slow", "native", "nested", "nothing"):
            results.append(await other.fire(Event.create(name)))  # noqa: PERF401 - one after the other, awaited
        try:
            await other.call(Event.create("fails_later"))
        except KeyError as error:
            results.append(error.args[0])
        try:
            await other.wait("nobody", timeout=0.01)
        except TimeoutError:
            results.append("too late")

    class Other(Answering):
        def exception(self, *args: Any, **kwargs: Any) -> None:
            pass

    with running(Other()) as other:
        app = run_coroutine(main)
        wait_until(lambda: not other._evtree.waiters)

    assert results == ["plain answer", "slow answer", "native answer", "slow answer", None, "callee", "too late"]
    assert app._errors == []


# ── rule 1: loaded late ──────────────────────────────────────────────────────────────────────────────────────────────


def test_asyncio_is_loaded_with_the_first_coroutine_and_not_before() -> None:
    program = """
import sys
from circuits import Component, Event, sleep

class App(Component):
    def started(self, *_):
        yield self.call(Event.create("work"))
        yield sleep(0)
        print("asyncio" in sys.modules)
        self.fire(Event.create("native"))

    async def native(self):
        print("asyncio" in sys.modules)
        self.stop()

App().run()
"""
    assert run_program(program).check().stdout.split() == ["False", "True"]
