"""The kernel's loop does inside any asyncio loop what it does alone: asyncio's own, uvloop, every mechanism."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import tempfile
import threading
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

import evkernel.poll
from evkernel.errors import NotPollable
from evkernel.hosted import Host
from evkernel.loop import Loop
from evkernel.poll import Poller, available_kinds
from evkernel.testing import Recorder

# libuv opens a pipe with its first loop and keeps it for the life of the process.
uvloop.new_event_loop().close()

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    Factory = Callable[[], asyncio.AbstractEventLoop]


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def factory(request: pytest.FixtureRequest) -> Factory:
    made: Factory = request.param
    return made


@pytest.fixture(params=available_kinds())
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    loop = Loop(poller=Poller(request.param))
    yield loop
    loop.close()


@pytest.fixture
def host(loop: Loop) -> Host:
    return Host(loop, lambda: loop.turn(0))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    yield left, right
    left.close()
    right.close()


Pair = tuple[socket.socket, socket.socket]


def run_foreign(factory: Factory, main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine as somebody's asyncio program does."""
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main)


# ── everything works ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_descriptors_are_served_in_both_directions(
    loop: Loop, host: Host, factory: Factory, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair

    def read() -> None:
        recorder.record(left.recv(9))
        host.stop()

    loop.poller.set_reader(left.fileno(), read)

    def write() -> None:
        right.send(b"hello")
        loop.poller.remove_writer(right.fileno())

    loop.poller.set_writer(right.fileno(), write)

    host.run(factory)

    assert recorder.entries == [(b"hello",)]


def test_timers_run_in_order_and_not_before_their_time(
    loop: Loop, host: Host, factory: Factory, recorder: Recorder
) -> None:
    def ring(due: float, name: str) -> None:
        assert loop.clock.now() >= due
        recorder.record(name)

    now = loop.clock.now()
    for delay, name in ((0.03, "c"), (0.01, "a"), (0.0155, "b")):
        loop.call_later(delay, lambda due=now + delay, name=name: ring(due, name))  # type: ignore[misc]
    loop.call_later(0.04, host.stop)

    host.run(factory)

    assert recorder.names() == ["a", "b", "c"]


def test_a_timer_does_not_keep_the_processor_busy(loop: Loop, factory: Factory, recorder: Recorder) -> None:
    # uvloop rounds 1.5 ms down: it calls early, and must not be asked again and again until the time has come.
    def turn() -> None:
        recorder.record("turn")
        loop.turn(0)

    host = Host(loop, turn)
    for number in range(1, 11):
        loop.call_later(number * 0.0035, list)
    loop.call_later(0.04, host.stop)

    host.run(factory)

    assert len(recorder.entries) <= 40


def test_a_chain_of_ready_callbacks_shares_the_loop_with_coroutines(loop: Loop, factory: Factory) -> None:
    turns = [0]

    def again() -> None:
        turns[0] += 1
        loop.call_soon(again)

    def turn() -> float | None:
        loop.turn(0)
        return loop.time_to_next()

    async def main() -> None:
        host = Host(loop, turn)
        host.attach()
        loop.call_soon(again)
        for _ in range(50):
            before = turns[0]
            await asyncio.sleep(0)
            assert turns[0] - before <= 3  # neither side starves the other
        assert turns[0] >= 40
        host.detach()

    run_foreign(factory, main())


def test_no_wake_of_eight_threads_is_lost(loop: Loop, host: Host, factory: Factory) -> None:
    threads, rounds = 8, 150
    left = [threads]

    def send() -> None:
        arrived = threading.Event()
        for _ in range(rounds):
            arrived.clear()
            loop.call_soon(arrived.set)
            assert arrived.wait(30)
        loop.call_soon(finish)

    def finish() -> None:
        left[0] -= 1
        if not left[0]:
            host.stop()

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        loop.call_soon(worker.start)

    host.run(factory)

    for worker in workers:
        worker.join()
    assert left == [0]


def test_a_coroutine_wakes_the_host_without_a_system_call(
    loop: Loop, host: Host, factory: Factory, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        host.attach()
        await asyncio.sleep(0.002)
        assert loop._wakeup is not None
        monkeypatch.setattr(type(loop._wakeup), "wake", lambda _: recorder.record("wrote"))
        arrived = asyncio.Event()
        loop.timers.add(0, arrived.set)
        host.wake()
        await asyncio.wait_for(arrived.wait(), 30)
        monkeypatch.undo()
        host.detach()

    run_foreign(factory, main())

    assert recorder.entries == []


@pytest.mark.parametrize("watched", [False, True], ids=["", "signals watched"])
def test_a_signal_handler_can_wake_a_sleeping_host(
    loop: Loop, host: Host, factory: Factory, recorder: Recorder, watched: bool
) -> None:
    if watched:
        loop.watch_signals()
    rounds = 50
    handled = threading.Semaphore(0)

    def handle(*_: object) -> None:
        loop.call_soon(handled.release)

    def send() -> None:
        for _ in range(rounds):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert handled.acquire(timeout=30)
        host.stop()

    before = signal.signal(signal.SIGUSR1, handle)
    sender = threading.Thread(target=send)
    loop.call_soon(sender.start)
    try:
        host.run(factory)
    finally:
        signal.signal(signal.SIGUSR1, before)
        sender.join()

    assert loop.watch_signals()  # whoever told asyncio about signals has taken that back


def test_a_signal_handler_can_stop_the_host(loop: Loop, host: Host, factory: Factory) -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: host.stop())
    sender = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
    sender.start()
    try:
        host.run(factory)
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)


def test_serving_ends_from_another_thread(loop: Loop, host: Host, factory: Factory) -> None:
    thread = threading.Thread(target=host.stop)
    loop.call_later(0.005, thread.start)

    run_foreign(factory, host.serve())

    thread.join()
    assert not host.attached


@pytest.mark.parametrize("also_from_a_thread", [False, True])
def test_a_host_that_is_stopped_again_and_again_still_ends_in_peace(
    loop: Loop, host: Host, factory: Factory, recorder: Recorder, also_from_a_thread: bool
) -> None:
    # The second stop of a thread used to end what was run to clean up.
    def stop() -> None:
        for _ in range(3):
            host.stop()
            if also_from_a_thread:
                thread = threading.Thread(target=host.stop)
                thread.start()
                thread.join()

    async def linger() -> None:
        loop.call_later(0.001, stop)
        try:
            await asyncio.sleep(3600)
        finally:
            for _ in range(10):
                await asyncio.sleep(0.001)
            recorder.record("last words")

    loop.call_soon(lambda: host.create_task(linger()))

    host.run(factory)

    assert recorder.names() == ["last words"]


def test_an_error_ends_run(loop: Loop, factory: Factory) -> None:
    def turn() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        Host(loop, turn).run(factory)


def test_an_interrupt_ends_run(loop: Loop, host: Host, factory: Factory) -> None:
    loop.call_later(0.005, lambda: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(KeyboardInterrupt):
        host.run(factory)

    assert not host.attached


def test_a_coroutine_and_the_kernel_wait_for_each_other(loop: Loop, host: Host, factory: Factory) -> None:
    async def main() -> None:
        for _ in range(20):
            arrived = asyncio.Event()
            loop.call_later(0.0005, arrived.set)
            await asyncio.wait_for(arrived.wait(), 30)
            await asyncio.sleep(0.0005)
        host.stop()

    loop.call_soon(lambda: host.create_task(main()))

    host.run(factory)


# ── coming and going in mid-run ──────────────────────────────────────────────────────────────────────────────────────


class SpyingEpoll:
    """Count what is asked of an epoll."""

    calls: Recorder

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self.fileno, self.poll, self.close = self._epoll.fileno, self._epoll.poll, self._epoll.close

    def register(self, fd: int, mask: int) -> None:
        self.calls.record("register", fd)
        self._epoll.register(fd, mask)

    def modify(self, fd: int, mask: int) -> None:
        self.calls.record("modify", fd)
        self._epoll.modify(fd, mask)

    def unregister(self, fd: int) -> None:
        self.calls.record("unregister", fd)
        self._epoll.unregister(fd)


class SpyingSelect:
    epoll = SpyingEpoll


def spying(factory: Factory, added: list[int]) -> Factory:
    """Note in *added* what asyncio's own loop is asked to watch; uvloop lets nobody look."""

    def make() -> asyncio.AbstractEventLoop:
        aio = factory()
        if isinstance(aio, asyncio.SelectorEventLoop):
            add_reader = aio.add_reader

            def spy(fd: int, *rest: Any) -> None:
                added.append(fd)
                add_reader(fd, *rest)

            aio.add_reader = spy  # type: ignore[method-assign, assignment]
        return aio

    return make


@pytest.mark.skipif("epoll" not in available_kinds(), reason="counts the calls of epoll")
def test_a_program_becomes_hosted_in_mid_run_without_registering_a_descriptor_again(
    factory: Factory, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SpyingEpoll, "calls", recorder, raising=False)
    monkeypatch.setattr(evkernel.poll, "select", SpyingSelect)
    loop = Loop(poller=Poller("epoll"))
    pairs = [socket.socketpair() for _ in range(50)]
    served: set[int] = set()
    added: list[int] = []
    stops: list[Callable[[], None]] = []

    def serve(left: socket.socket) -> None:
        left.recv(1)
        served.add(left.fileno())
        if len(served) == 50:
            stops.pop()()

    for left, _ in pairs:
        loop.poller.set_reader(left.fileno(), lambda left=left: serve(left))  # type: ignore[misc]
    loop.watch_signals()
    loop.turn(0.001)  # standalone, asleep once
    registered = len(recorder.entries)
    assert registered == 50 + 2  # the wake-up and that of the signals

    def send_everywhere() -> None:
        served.clear()
        for _, right in pairs:
            right.send(b"x")

    # standalone ─▶ hosted ─▶ standalone ─▶ hosted, within one run
    for _ in range(2):
        host = Host(loop, lambda: loop.turn(0))
        for stop, run in ((loop.stop, loop.run), (host.stop, lambda host=host: host.run(spying(factory, added)))):
            stops.append(stop)
            loop.call_soon(send_everywhere)
            run()
            assert stops == []
            assert len(served) == 50

    assert len(recorder.entries) == registered
    if added:
        assert added == [loop.poller.fileno()] * 2
    loop.close()
    for left, right in pairs:
        left.close()
        right.close()


@pytest.mark.parametrize("to", available_kinds())
def test_the_mechanism_can_be_changed_while_hosted(
    loop: Loop, host: Host, factory: Factory, pair: Pair, recorder: Recorder, to: str
) -> None:
    left, right = pair

    def read() -> None:
        recorder.record(loop.poller.kind, left.recv(1))
        if len(recorder.entries) == 2:
            host.stop()

    loop.poller.set_reader(left.fileno(), read)
    kind = loop.poller.kind
    right.send(b"1")
    loop.call_later(0.002, lambda: loop.use(to))
    loop.call_later(0.004, lambda: right.send(b"2"))

    host.run(factory)

    assert recorder.entries == [(kind, b"1"), (to, b"2")]


def test_a_file_that_asyncio_refuses_is_refused_while_hosted(
    loop: Loop, host: Host, factory: Factory, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair

    def watch() -> None:
        with tempfile.TemporaryFile() as file, pytest.raises(NotPollable):
            loop.poller.set_reader(file.fileno(), print)
        right.send(b"x")

    def read() -> None:
        recorder.record(left.recv(1))
        host.stop()

    loop.poller.set_reader(left.fileno(), read)
    loop.call_later(0.001, watch)

    host.run(factory)

    assert recorder.names() == [b"x"]


def test_a_host_that_is_detached_goes_on_alone(loop: Loop, host: Host, factory: Factory, recorder: Recorder) -> None:
    def rest() -> None:
        recorder.record("alone", not host.attached)
        loop.stop()

    loop.call_later(0.002, host.stop)
    host.run(factory)

    loop.call_later(0.002, rest)
    loop.run()

    assert recorder.entries == [("alone", True)]


def test_many_descriptors_come_and_go_while_hosted(loop: Loop, host: Host, factory: Factory) -> None:
    done: list[int] = []

    def open_one(number: int) -> None:
        left, right = socket.socketpair()

        def read() -> None:
            assert left.recv(9) == b"x"
            loop.poller.discard(left.fileno())
            left.close()
            right.close()
            done.append(number)
            if len(done) < 100:
                open_one(number + 1)
            else:
                host.stop()

        loop.poller.set_reader(left.fileno(), read)
        right.send(b"x")

    loop.call_soon(lambda: open_one(0))

    host.run(factory)

    assert done == list(range(100))


def test_two_hosts_share_one_asyncio_loop(factory: Factory, recorder: Recorder) -> None:
    loops = [Loop(), Loop()]
    hosts = [Host(loop, lambda loop=loop: loop.turn(0)) for loop in loops]  # type: ignore[misc]

    def play(count: int) -> None:
        recorder.record(count)
        if count == 40:
            for host in hosts:
                host.stop()
        else:
            loops[count % 2].call_later(0.0002, lambda: play(count + 1))

    async def main() -> None:
        loops[0].call_soon(lambda: play(1))
        await asyncio.gather(*(host.serve() for host in hosts))

    run_foreign(factory, main())

    assert recorder.names() == list(range(1, 41))
    for loop in loops:
        loop.close()


def test_hosts_in_two_threads_wake_each_other(factory: Factory) -> None:
    loops = [Loop(), Loop()]
    hosts = [Host(loop, lambda loop=loop: loop.turn(0)) for loop in loops]  # type: ignore[misc]
    counts = [0, 0]

    def play(own: int) -> None:
        counts[own] += 1
        if counts[own] == 100:
            hosts[own].stop()
        loops[1 - own].call_soon(lambda: play(1 - own))

    threads = [threading.Thread(target=host.run, args=(factory,)) for host in hosts]
    loops[0].call_soon(lambda: play(0))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert min(counts) >= 100
    for loop in loops:
        loop.close()
