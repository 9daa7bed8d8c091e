"""How a host behaves, on asyncio's own loop. What it promises on every loop is in tests/behaviour."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from evkernel.errors import HostError
from evkernel.hosted import Host
from evkernel.loop import Loop
from evkernel.poll import Poller
from evkernel.testing import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def host(loop: Loop) -> Host:
    return Host(loop, lambda: loop.turn(0))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def turning(loop: Loop, first: Callable[[], object]) -> Callable[[], None]:
    """Return a turn of *loop* that begins with *first*."""

    def turn() -> None:
        first()
        loop.turn(0)

    return turn


def wake_from_another_thread(loop: Loop) -> None:
    thread = threading.Thread(target=loop.wake)
    thread.start()
    thread.join()


# ── coming and going ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_host_is_attached_only_while_it_serves(loop: Loop, host: Host, recorder: Recorder) -> None:
    loop.call_soon(lambda: recorder.record(host.attached))
    loop.call_soon(host.stop)

    host.run()

    assert recorder.names() == [True]
    assert not host.attached
    assert not host.lost


def test_a_host_can_serve_again(loop: Loop, host: Host) -> None:
    async def serve_twice() -> None:
        for _ in range(2):
            loop.call_soon(host.stop)
            await host.serve()

    asyncio.run(serve_twice())
    loop.call_soon(host.stop)
    host.run()


@pytest.mark.parametrize("way", ["attach", "run", "serve"])
def test_nobody_is_attached_twice(loop: Loop, host: Host, way: str) -> None:
    async def attach_twice() -> None:
        host.attach()
        coroutine = host.serve() if way == "serve" else None
        with pytest.raises(HostError, match="attached already"):
            await coroutine if coroutine else getattr(host, way)()
        host.detach()

    asyncio.run(attach_twice())


def test_attaching_by_default_needs_a_running_loop(host: Host) -> None:
    with pytest.raises(RuntimeError, match="no running event loop"):
        host.attach()

    assert not host.attached


def test_a_loop_that_refuses_leaves_the_host_detached(loop: Loop, host: Host) -> None:
    class Refusing(asyncio.SelectorEventLoop):
        def add_reader(self, *_: object) -> None:
            raise NotImplementedError

    aio = Refusing()
    with pytest.raises(NotImplementedError):
        host.attach(aio)

    assert not host.attached
    loop.call_soon(loop.stop)
    loop.run()  # goes on alone
    aio.close()


def test_detaching_twice_is_detaching_once(host: Host) -> None:
    async def attach_and_detach() -> None:
        host.attach()
        host.detach()
        host.detach()

    asyncio.run(attach_and_detach())


def test_detaching_from_a_closed_loop_is_no_error(host: Host) -> None:
    aio = asyncio.new_event_loop()
    host.attach(aio)
    aio.close()

    host.detach()

    assert not host.attached


def test_a_detached_host_leaves_nothing_behind_in_the_loop(loop: Loop, host: Host, recorder: Recorder) -> None:
    async def attach_and_detach() -> None:
        loop.call_soon(recorder.callback("soon"))
        loop.call_later(0, recorder.callback("timer"))
        host.attach()
        await asyncio.sleep(0)
        recorder.clear()
        loop.call_later(0.001, recorder.callback("timer"))
        host.wake()
        host.detach()
        await asyncio.sleep(0.01)

    asyncio.run(attach_and_detach())

    assert recorder.entries == []
    assert loop.poller.on_reopen is None
    assert loop.on_fork is None
    assert loop.on_timer is None


@pytest.mark.parametrize("way", ["run", "serve"])
def test_stop_beforehand_ends_it_at_once(loop: Loop, host: Host, way: str) -> None:
    host.stop()
    if way == "run":
        host.run()
    else:
        asyncio.run(host.serve())

    loop.call_soon(host.stop)
    host.run()  # and only once: otherwise this would not have run the callback
    assert loop.time_to_next() is None


def test_stop_from_another_thread_ends_it(loop: Loop, host: Host) -> None:
    thread = threading.Thread(target=host.stop)
    loop.call_soon(thread.start)

    host.run()

    thread.join()


def test_a_cancelled_serve_detaches(loop: Loop, host: Host) -> None:
    async def cancel() -> None:
        task = asyncio.create_task(host.serve())
        await asyncio.sleep(0)
        assert host.attached
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not host.attached

    asyncio.run(cancel())


@pytest.mark.parametrize("watched", [False, True])
def test_a_host_watches_signals_for_as_long_as_it_is_attached(loop: Loop, host: Host, watched: bool) -> None:
    if watched:
        loop.watch_signals()

    async def attach_and_detach() -> None:
        host.attach()
        assert loop.watches_signals
        host.detach()

    asyncio.run(attach_and_detach())

    assert loop.watches_signals is watched


# ── steps ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_that_has_more_to_do_is_called_again_and_others_run_in_between(loop: Loop, recorder: Recorder) -> None:
    turns = iter([0, 0, None])

    def turn() -> float | None:
        loop.turn(0)
        recorder.record("turn")
        asyncio.get_running_loop().call_soon(recorder.callback("other"))
        return next(turns)

    async def watch() -> None:
        host = Host(loop, turn)
        host.attach()
        for _ in range(10):
            await asyncio.sleep(0)
        host.detach()

    asyncio.run(watch())

    assert recorder.names() == ["turn", "other"] * 3


def test_a_turn_may_ask_to_be_called_later(loop: Loop, recorder: Recorder) -> None:
    def turn() -> float | None:
        recorder.record("turn")
        loop.turn(0)
        if len(recorder.entries) == 2:
            own.stop()
        return 0.005

    own = Host(loop, turn)
    own.run()

    assert len(recorder.entries) == 2


def test_a_later_wish_does_not_delay_an_earlier_timer(loop: Loop) -> None:
    loop.call_later(0.005, lambda: own.stop())

    def turn() -> float | None:
        loop.turn(0)
        return 3600

    own = Host(loop, turn)

    own.run()


def test_an_earlier_timer_replaces_the_one_that_was_waited_for(loop: Loop, host: Host) -> None:
    loop.call_later(3600, print)
    loop.call_soon(lambda: loop.call_soon(lambda: loop.call_later(0.005, host.stop)))  # in the second step

    host.run()


def test_many_wakes_make_one_step(loop: Loop, recorder: Recorder) -> None:
    host = Host(loop, turning(loop, recorder.callback("turn")))

    async def wake_often() -> None:
        host.attach()
        await asyncio.sleep(0)
        recorder.clear()
        for _ in range(5):
            host.wake()
        for _ in range(5):
            await asyncio.sleep(0)
        host.detach()

    asyncio.run(wake_often())

    assert recorder.names() == ["turn"]


def test_a_wake_within_a_step_makes_another_one(loop: Loop, recorder: Recorder) -> None:
    def turn() -> float | None:
        loop.turn(0)
        recorder.record("turn")
        if len(recorder.entries) == 1:
            own.wake()
        else:
            own.stop()
        return None

    own = Host(loop, turn)

    own.run()

    assert len(recorder.entries) == 2


def test_a_step_never_runs_inside_a_step(loop: Loop, recorder: Recorder) -> None:
    def turn() -> float | None:
        recorder.record("in")
        own._step()  # what an asyncio loop that is run within a callback would do
        recorder.record("out")
        own.stop()
        return None

    own = Host(loop, turn)

    own.run()

    assert recorder.names() == ["in", "out"]


def test_a_handler_may_turn_the_loop_within_a_step(loop: Loop, host: Host, recorder: Recorder) -> None:
    def handler() -> None:
        loop.turn(0)
        recorder.record("handler")
        host.stop()

    loop.call_soon(handler)
    loop.call_soon(recorder.callback("other"))

    host.run()

    assert recorder.names() == ["other", "handler"]


def test_every_turn_runs_in_the_context_of_the_attachment(loop: Loop, recorder: Recorder) -> None:
    variable = contextvars.ContextVar("variable", default="nobody's")
    host = Host(loop, turning(loop, lambda: recorder.record(variable.get())))

    async def stranger() -> None:
        variable.set("a stranger's")
        host.wake()
        loop.call_later(0.001, print)
        await asyncio.sleep(0.01)

    async def serve() -> None:
        variable.set("the server's")
        host.attach()
        await asyncio.create_task(stranger())
        host.detach()

    loop.call_later(0.001, list)
    asyncio.run(serve())

    assert len(recorder.entries) > 1
    assert set(recorder.names()) == {"the server's"}


def test_a_timer_set_outside_a_step_is_waited_for(loop: Loop, host: Host) -> None:
    async def set_a_timer() -> None:
        host.attach()
        await asyncio.sleep(0.005)  # the host has gone to sleep, without a timer
        rang = asyncio.Event()
        loop.call_later(0.001, rang.set)
        await asyncio.wait_for(rang.wait(), 30)
        host.detach()

    asyncio.run(set_a_timer())


def test_turning_the_loop_outside_a_step_swallows_no_wake(loop: Loop, recorder: Recorder) -> None:
    # A thread wakes the host; before the step, a callback of asyncio's turns the loop and might take the wake away.
    host = Host(loop, turning(loop, recorder.callback("turn")))

    async def turn_outside() -> None:
        host.attach()
        await asyncio.sleep(0.005)
        for timeout in (0, 0.001, 0, 0.001):
            await asyncio.sleep(0.005)
            recorder.clear()
            wake_from_another_thread(loop)
            loop.turn(timeout)
            await asyncio.sleep(0.005)
            assert "turn" in recorder.names()
        host.detach()

    asyncio.run(turn_outside())


def test_sleeping_outside_a_step_makes_nobody_deaf(loop: Loop, recorder: Recorder) -> None:
    host = Host(loop, turning(loop, recorder.callback("turn")))

    async def sleep_outside() -> None:
        host.attach()
        await asyncio.sleep(0.005)
        loop.turn(0.001)
        recorder.clear()
        wake_from_another_thread(loop)
        await asyncio.sleep(0.005)
        assert "turn" in recorder.names()
        host.detach()

    asyncio.run(sleep_outside())


def test_a_host_sleeps_when_there_is_nothing_to_do(loop: Loop, recorder: Recorder) -> None:
    # An undrained wake-up would make asyncio spin.
    host = Host(loop, turning(loop, recorder.callback("turn")))

    async def idle() -> None:
        host.attach()
        wake_from_another_thread(loop)
        await asyncio.sleep(0.05)
        host.detach()

    asyncio.run(idle())

    assert 1 <= len(recorder.entries) <= 4


@pytest.mark.parametrize("kind", ["poll", "select"])
def test_a_poller_without_a_descriptor_is_followed_one_by_one(kind: str, recorder: Recorder) -> None:
    loop = Loop(poller=Poller(kind))
    host = Host(loop, lambda: loop.turn(0))
    one, other = os.pipe(), os.pipe()

    def read(fd: int) -> None:
        recorder.record(os.read(fd, 1))
        if len(recorder.entries) == 1:
            loop.poller.set_reader(other[0], lambda: read(other[0]))  # while hosted
            loop.poller.set_writer(other[1], write)
        else:
            host.stop()

    def write() -> None:
        os.write(other[1], b"2")
        loop.poller.remove_writer(other[1])

    loop.poller.set_reader(one[0], lambda: read(one[0]))
    os.write(one[1], b"1")

    host.run()

    assert recorder.names() == [b"1", b"2"]
    assert loop.poller.on_change is None
    loop.close()
    for fd in (*one, *other):
        os.close(fd)


# ── tasks ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_task_needs_an_attached_host(host: Host) -> None:
    async def nothing() -> None:
        return

    coroutine = nothing()
    with pytest.raises(HostError, match="not attached"):
        host.create_task(coroutine)
    coroutine.close()


def test_left_over_tasks_are_cancelled_and_awaited_while_the_kernel_still_turns(
    loop: Loop, host: Host, recorder: Recorder
) -> None:
    async def linger() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            answer = asyncio.Event()
            loop.call_later(0.001, answer.set)  # its last words take the kernel
            await answer.wait()
            recorder.record("last words")

    def start() -> None:
        task = host.create_task(linger(), name="lingerer")
        assert task.get_name() == "lingerer"
        loop.call_later(0.001, host.stop)

    loop.call_soon(start)

    host.run()

    assert recorder.names() == ["last words"]


def test_an_error_of_a_left_over_task_is_reported(loop: Loop, host: Host, recorder: Recorder) -> None:
    async def fail() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError("at the last moment")

    def start() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: recorder.record(str(context["exception"])))
        host.create_task(fail())
        asyncio.get_running_loop().call_later(0.001, host.stop)

    loop.call_soon(start)

    host.run()

    assert recorder.names() == ["at the last moment"]


def test_left_over_async_generators_are_closed(loop: Loop, host: Host, recorder: Recorder) -> None:
    async def numbers() -> AsyncIterator[int]:
        try:
            while True:
                yield 1
        finally:
            recorder.record("closed")

    kept = numbers()

    async def take_one() -> None:
        assert await anext(kept) == 1
        host.stop()

    loop.call_soon(lambda: host.create_task(take_one()))

    host.run()

    assert recorder.names() == ["closed"]


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [ValueError("broken"), KeyboardInterrupt(), SystemExit(3)])
@pytest.mark.parametrize("way", ["run", "serve"])
def test_what_leaves_the_turn_ends_it_with_that(loop: Loop, error: BaseException, way: str) -> None:
    def turn() -> None:
        raise error

    host = Host(loop, turn)

    async def serve() -> None:
        try:
            await host.serve()
        except BaseException as raised:  # noqa: BLE001 - compared below
            caught.append(raised)

    caught: list[BaseException] = []
    if way == "serve":
        asyncio.run(serve())
    else:
        try:
            host.run()
        except BaseException as raised:  # noqa: BLE001 - compared below
            caught.append(raised)

    assert caught == [error]
    assert not host.attached


def test_stop_while_run_is_ending_does_not_end_the_next_run(loop: Loop, host: Host, recorder: Recorder) -> None:
    async def stop_again() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            host.stop()

    loop.call_soon(lambda: host.create_task(stop_again()))
    loop.call_later(0.001, host.stop)
    host.run()

    loop.call_soon(recorder.callback("ran"))
    loop.call_soon(host.stop)
    host.run()

    assert recorder.names() == ["ran"]


def test_an_error_does_not_end_the_next_run(loop: Loop, recorder: Recorder) -> None:
    errors = iter([ValueError("broken")])

    def turn() -> None:
        for error in errors:
            raise error
        own.stop()

    own = Host(loop, turn)
    with pytest.raises(ValueError, match="broken"):
        own.run()

    own.run()


def test_an_error_while_only_attached_is_reported_by_asyncio_and_the_host_goes_on(
    loop: Loop, recorder: Recorder
) -> None:
    errors = iter([ValueError("broken")])

    def turn() -> None:
        loop.turn(0)
        for error in errors:
            raise error
        recorder.record("turn")

    async def watch() -> None:
        aio = asyncio.get_running_loop()
        aio.set_exception_handler(lambda _, context: recorder.record(str(context["exception"])))
        host = Host(loop, turn)
        host.attach()
        await asyncio.sleep(0)
        host.wake()
        await asyncio.sleep(0)
        host.detach()

    asyncio.run(watch())

    assert recorder.names() == ["broken", "turn"]


def test_an_interrupt_ends_run_and_closes_everything(loop: Loop, host: Host) -> None:
    loop.call_later(0.001, lambda: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        host.run()

    assert not host.attached


if TYPE_CHECKING:
    from collections.abc import AsyncIterator
