"""Handlers may be coroutines: beside functions and generators, and with anything that asyncio offers."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

import pytest
import uvloop

from circuits import Component, Event, TimeoutError, handler, sleep  # noqa: A004 - documented name
from support import EventRecorder, run_program, running, turn_until, wait_until

# The first loop of uvloop opens a pipe that the process keeps.
uvloop.new_event_loop().close()

LOOPS = ["asyncio", "uvloop"]


def asyncio_run(kind: str, main: Any) -> Any:
    """Run a coroutine on a loop of *kind*."""
    factory = uvloop.new_event_loop if kind == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(main)


class ask(Event):
    """Ask for something."""


class Answering(Component):
    """Answers by function, by generator, and by coroutine."""

    def by_function(self) -> str:
        return "function"

    def by_generator(self) -> Any:
        yield sleep(0.001)
        yield "generator"

    async def by_coroutine(self) -> str:
        await asyncio.sleep(0.001)
        return "coroutine"

    def failing(self) -> None:
        raise LookupError("nobody knows")

    def exception(self, *args: Any, **kwargs: Any) -> None:
        pass


class Main(Answering):
    """Runs one coroutine as its program, and ends with it."""

    def init(self, program: Any) -> None:
        self.program = program
        self.recorder = EventRecorder().register(self)
        self.outcome: Any = None

    async def started(self, *_: Any) -> None:
        try:
            self.outcome = await self.program(self)
        except Exception as error:  # noqa: BLE001 - looked at by the test
            self.outcome = error
        finally:
            self.stop()


def outcome(program: Any) -> Any:
    """Run *program* as a handler of a tree of its own, and return what comes of it."""
    app = Main(program)
    app.run()
    if isinstance(app.outcome, AssertionError):
        raise app.outcome
    return app.outcome


# ── awaiting events ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["function", "generator", "coroutine"])
def test_a_coroutine_awaits_a_call_whatever_handles_it(kind: str) -> None:
    async def program(self: Main) -> Any:
        return await self.call(Event.create(f"by_{kind}"))

    assert outcome(program) == kind


def test_a_coroutine_awaits_the_value_that_fire_gives_or_that_the_event_has() -> None:
    async def program(self: Main) -> Any:
        event = Event.create("by_generator")
        value = self.fire(event)
        assert event.value is not None
        return [await value, await event.value, await self.fire(Event.create("by_coroutine"))]

    assert outcome(program) == ["generator", "generator", "coroutine"]


def test_a_failed_call_raises_the_error_of_the_callee() -> None:
    async def program(self: Main) -> Any:
        with pytest.raises(LookupError, match="nobody knows"):
            await self.call(Event.create("failing"))
        with pytest.raises(LookupError, match="nobody knows"):
            await self.fire(Event.create("failing"))
        return "caught"

    assert outcome(program) == "caught"


def test_a_coroutine_awaits_the_next_event_of_a_name() -> None:
    async def program(self: Main) -> Any:
        self.fire(Event.create("by_coroutine"))
        value = await self.wait("by_coroutine")
        return value.value

    assert outcome(program) == "coroutine"


def test_calls_waits_and_sleeps_have_timeouts() -> None:
    async def program(self: Main) -> Any:
        with pytest.raises(TimeoutError):
            await self.wait("never", timeout=0.01)
        with pytest.raises(TimeoutError):
            await self.call(Event.create("by_generator"), timeout=0)
        async with asyncio.timeout(10):
            await sleep(0.01)
        return "in time"

    assert outcome(program) == "in time"


def test_a_coroutine_walks_over_the_events_of_a_name_and_channel() -> None:
    async def program(self: Main) -> Any:
        got = []
        stream = self.stream("news", "radio")
        for number, channel in enumerate(("radio", "tv", "radio", "radio")):
            self.fire(Event.create("news", number), channel)
        async for event in stream:
            got.append(event.args[0])
            if len(got) == 3:
                return got
        return None

    assert outcome(program) == [0, 2, 3]


def test_an_async_generator_gives_its_results_one_by_one() -> None:
    class App(Component):
        async def ask(self) -> Any:
            for number in range(3):
                await asyncio.sleep(0)
                yield number

        async def started(self, *_: Any) -> None:
            self.got = await self.call(ask())
            self.stop()

    app = App()
    app.run()

    assert app.got == [0, 1, 2]


# ── anything of asyncio ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_coroutine_talks_to_a_server_with_the_streams_of_asyncio() -> None:
    async def program(self: Main) -> Any:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
            writer.close()

        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        async with server:
            host, port = server.sockets[0].getsockname()[:2]
            reader, writer = await asyncio.open_connection(host, port)
            answers = []
            for line in (b"hello\n", b"world\n"):
                writer.write(line)
                answers.append(await reader.readline())
            writer.close()
            await writer.wait_closed()
        return answers

    assert outcome(program) == [b"HELLO\n", b"WORLD\n"]


def test_calls_run_side_by_side_in_gather_and_task_groups() -> None:
    class Slow(Component):
        async def wait_for_all(self, barrier: asyncio.Barrier) -> int:
            await barrier.wait()
            return 1

    async def program(self: Main) -> Any:
        Slow().register(self)
        # Nobody gets through unless all three are on their way at once.
        barrier = asyncio.Barrier(3)
        return await asyncio.gather(*(self.fire(Event.create("wait_for_all", barrier)) for _ in range(3)))

    assert outcome(program) == [1, 1, 1]


def test_asyncio_times_out_around_anything() -> None:
    async def program(self: Main) -> Any:
        for awaitable in (self.wait("never"), self.fire(Event.create("by_nobody_soon")), asyncio.sleep(100)):
            with contextlib.suppress(asyncio.TimeoutError):
                async with asyncio.timeout(0.01):
                    await awaitable
        return "done"

    assert outcome(program) == "done"


def test_blocking_work_goes_to_a_thread_of_asyncios() -> None:
    async def program(self: Main) -> Any:
        return await asyncio.to_thread(lambda: threading.current_thread() is threading.main_thread())

    assert outcome(program) is False


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["coroutine", "async generator"])
def test_an_error_is_an_exception_event_with_event_handler_and_arguments(kind: str) -> None:
    told = []

    class App(Component):
        if kind == "coroutine":

            async def ask(self, what: str) -> None:
                await asyncio.sleep(0)
                raise LookupError(what)
        else:

            async def ask(self, what: str) -> Any:  # type: ignore[misc]
                yield 1
                raise LookupError(what)

        def started(self, *_: Any) -> None:
            self.fire(ask("the moon"))

        def exception(self, kind: Any, error: Any, traceback: Any, handler: Any = None, fevent: Any = None) -> None:
            told.append((kind, str(error), handler.__name__, fevent.name, fevent.args))
            assert "raise LookupError(what)" in "".join(traceback)
            self.stop()

    App().run()

    assert told == [(LookupError, "the moon", "ask", "ask", ("the moon",))]


# ── ownership ────────────────────────────────────────────────────────────────────────────────────────────────────────


class Tenant(Component):
    """Has a coroutine that lasts, and that cleans up after itself."""

    def init(self, log: list[str]) -> None:
        self.log = log

    async def ask(self) -> None:
        try:
            self.fire(Event.create("moved_in"))
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(0.01)
            self.log.append("cleaned up")


def test_unregistering_a_component_cancels_its_coroutines_and_waits_for_their_end() -> None:
    log: list[str] = []

    async def program(self: Main) -> Any:
        tenant = Tenant(log).register(self)
        stream = self.stream("moved_in")
        self.fire(ask())
        async for _ in stream:
            break
        tenant.unregister()
        await self.wait("unregistered")
        log.append("unregistered")
        return tenant.parent is tenant

    assert outcome(program) is True
    assert log == ["cleaned up", "unregistered"]


def test_stopping_cancels_all_coroutines_and_waits_for_their_end() -> None:
    log: list[str] = []

    class App(Component):
        def started(self, *_: Any) -> None:
            self.fire(ask())

        def moved_in(self) -> None:
            self.stop()

    app = App()
    Tenant(log).register(app)
    app.run()

    assert log == ["cleaned up"]


# ── where the tree runs ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", LOOPS)
def test_a_tree_serves_inside_an_asyncio_program(kind: str) -> None:
    class App(Answering):
        async def started(self, *_: Any) -> None:
            self.loop = asyncio.get_running_loop()

    async def main() -> Any:
        app = App()
        serving = asyncio.ensure_future(app.serve())
        await asyncio.sleep(0)
        results = [await app.fire(Event.create(f"by_{how}")) for how in ("function", "generator", "coroutine")]
        assert app.loop is asyncio.get_running_loop()
        app.stop()
        await serving
        assert not app.running
        return results

    assert asyncio_run(kind, main()) == ["function", "generator", "coroutine"]


@pytest.mark.parametrize("kind", LOOPS)
def test_cancelling_what_serves_stops_the_tree_in_order(kind: str) -> None:
    log: list[str] = []

    class App(Tenant):
        def started(self, *_: Any) -> None:
            self.fire(ask())

        def stopped(self, *_: Any) -> None:
            self.log.append("stopped")
            self.fire(Event.create("last"))

        def last(self) -> None:
            self.log.append("last")

    async def main() -> None:
        app = App(log)
        serving = asyncio.ensure_future(app.serve())
        await asyncio.sleep(0.02)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        assert not app.running

    asyncio_run(kind, main())

    assert log == ["stopped", "last", "cleaned up"]


@pytest.mark.parametrize("kind", LOOPS)
def test_two_trees_serve_in_one_loop_and_call_each_other(kind: str) -> None:
    class Front(Component):
        def init(self, back: Component) -> None:
            self.back = back

        async def ask(self) -> str:
            return f"front asked {await self.back.call(Event.create('by_coroutine'))}"

    async def main() -> Any:
        back = Answering()
        front = Front(back)
        serving = [asyncio.ensure_future(app.serve()) for app in (back, front)]
        await asyncio.sleep(0)
        result = await front.fire(ask())
        for app in (front, back):
            app.stop()
        await asyncio.gather(*serving)
        return result

    assert asyncio_run(kind, main()) == "front asked coroutine"


def test_serving_can_be_combined_with_a_timeout_of_asyncio() -> None:
    app = Answering()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.02):
                await app.serve()

    asyncio.run(main())

    assert not app.running


def test_a_tree_that_is_ticked_by_hand_runs_its_coroutines() -> None:
    class App(Answering):
        async def ask(self) -> Any:
            first = await self.call(Event.create("by_coroutine"))
            await sleep(0.001)
            return [first, await self.fire(Event.create("by_generator"))]

    app = App()
    value = app.fire(ask())
    turn_until(app, lambda: value.done)

    assert value.value == ["coroutine", "generator"]


def test_a_coroutine_awaits_a_value_of_a_tree_that_another_thread_runs() -> None:
    async def program(self: Main) -> Any:
        results = [await other.fire(Event.create(f"by_{how}")) for how in ("function", "generator", "coroutine")]
        with pytest.raises(LookupError):
            await other.call(Event.create("failing"))
        return results

    with running(Answering()) as other:
        assert outcome(program) == ["function", "generator", "coroutine"]


def test_asyncio_code_awaits_values_of_a_tree_that_runs_in_a_thread() -> None:
    async def main(app: Component) -> Any:
        return await asyncio.gather(*(app.fire(Event.create("by_generator")) for _ in range(20)))

    with running(Answering()) as app:
        assert asyncio.run(main(app)) == ["generator"] * 20
        wait_until(lambda: not app._evtree.waiters)


def test_a_program_that_has_no_coroutines_never_loads_asyncio() -> None:
    program = """
import sys
from circuits import Component, Timer, Event, sleep

class App(Component):
    def started(self, *args):
        Timer(0.001, Event.create("due")).register(self)
        yield self.wait("due")
        yield sleep(0.001)
        yield self.call(Event.create("due"))
        print("asyncio" in sys.modules, "ssl" in sys.modules, "multiprocessing" in sys.modules)
        raise SystemExit(0)

App().run()
"""
    assert run_program(program).check().stdout == "False False False\n"


# ── the switch ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_switch_to_asyncio_in_mid_run_registers_no_descriptor_again(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import select

    registered: list[tuple[int, int]] = []
    epolls: list[Any] = []

    class Spy:
        """An epoll that tells what is registered with it."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._epoll = select_epoll(*args, **kwargs)
            epolls.append(self)

        def register(self, fd: Any, *args: Any) -> None:
            registered.append((self._epoll.fileno(), fd if isinstance(fd, int) else fd.fileno()))
            self._epoll.register(fd, *args)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._epoll, name)

    select_epoll = select.epoll
    monkeypatch.setattr(select, "epoll", Spy)
    reading, writing = os.pipe()
    log: list[str] = []

    class App(Component):
        def started(self, *_: Any) -> None:
            self._evtree.loop.use("epoll")
            self._evtree.loop.poller.set_reader(reading, self._read)
            os.write(writing, b"1")

        @handler(False)
        def _read(self) -> None:
            log.append(os.read(reading, 1).decode())
            self.fire(Event.create("go_async") if len(log) == 1 else Event.create("end"))

        async def go_async(self) -> None:
            await asyncio.sleep(0)
            log.append("async")
            os.write(writing, b"2")

        def end(self) -> None:
            self._evtree.loop.poller.discard(reading)
            self.stop()

    try:
        App().run()
    finally:
        os.close(reading)
        os.close(writing)

    assert log == ["1", "async", "2"]
    assert len([fd for _, fd in registered if fd == reading]) == 1
