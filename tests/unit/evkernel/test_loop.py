from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import TYPE_CHECKING

import pytest

import evkernel.loop
from evkernel.errors import LoopClosed, UnknownPoller
from evkernel.loop import Loop, disown
from evkernel.poll import Poller, available_kinds
from evkernel.testing import Deadlock, ManualClock, Recorder, ScriptedPoller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(100.0)


@pytest.fixture
def poller(clock: ManualClock) -> ScriptedPoller:
    return ScriptedPoller(clock)


@pytest.fixture
def loop(clock: ManualClock, poller: ScriptedPoller) -> Iterator[Loop]:
    loop = Loop(clock=clock, poller=poller)
    yield loop
    loop.close()


@pytest.fixture
def real_loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


# ── one turn ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_runs_descriptors_then_timers_then_ready_callbacks(
    loop: Loop, poller: ScriptedPoller, recorder: Recorder
) -> None:
    loop.call_soon(recorder.callback("soon"))
    loop.call_later(0, recorder.callback("timer"))
    poller.set_reader(5, recorder.callback("read"))
    poller.set_ready(5, read=True)

    loop.turn(0)

    assert recorder.names() == ["read", "timer", "soon"]


def test_a_turn_without_work_opens_nothing(recorder: Recorder) -> None:
    loop = Loop()

    loop.turn(0)

    assert loop.poller._mechanism is None
    assert loop._wakeup is None
    loop.close()


def test_ready_callbacks_run_first_in_first_out(loop: Loop, recorder: Recorder) -> None:
    for name in "abc":
        loop.call_soon(recorder.callback(name))

    loop.turn()

    assert recorder.names() == ["a", "b", "c"]


def test_a_callback_that_adds_itself_again_waits_for_the_next_turn(loop: Loop, recorder: Recorder) -> None:
    def again() -> None:
        recorder.record("ran")
        loop.call_soon(again)

    loop.call_soon(again)

    loop.turn()
    assert recorder.names() == ["ran"]
    loop.turn()
    assert recorder.names() == ["ran", "ran"]


def test_a_timer_that_sets_itself_again_for_now_waits_for_the_next_turn(loop: Loop, recorder: Recorder) -> None:
    def again() -> None:
        recorder.record("ran")
        loop.call_later(0, again)

    loop.call_later(0, again)

    loop.turn()
    loop.turn()

    assert recorder.names() == ["ran", "ran"]


def test_what_a_callback_adds_for_a_later_stage_runs_in_the_same_turn(loop: Loop, recorder: Recorder) -> None:
    loop.call_later(0, lambda: loop.call_soon(recorder.callback("soon")))

    loop.turn()

    assert recorder.names() == ["soon"]


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_timer_runs_when_its_delay_is_over(loop: Loop, clock: ManualClock, recorder: Recorder) -> None:
    loop.call_later(5, recorder.callback("rang"))

    clock.advance(4.9)
    loop.turn(0)
    assert recorder.entries == []

    clock.advance(0.1)
    loop.turn(0)
    assert recorder.names() == ["rang"]


def test_a_timer_can_be_set_for_a_moment_of_the_clock(loop: Loop, clock: ManualClock, recorder: Recorder) -> None:
    loop.call_at(107, recorder.callback("rang"))

    loop.turn()

    assert recorder.names() == ["rang"]
    assert clock.now() == 107


def test_a_wait_lasts_until_the_next_deadline(loop: Loop, poller: ScriptedPoller) -> None:
    loop.call_later(5, print)
    loop.call_later(3, print)

    loop.wait(None)

    assert poller.sleeps == [3]


def test_a_wait_lasts_no_longer_than_the_caller_wants(loop: Loop, poller: ScriptedPoller) -> None:
    loop.call_later(5, print)

    loop.wait(2)

    assert poller.sleeps == [2]


def test_a_wait_ends_with_the_first_descriptor(
    loop: Loop, poller: ScriptedPoller, clock: ManualClock, recorder: Recorder
) -> None:
    poller.set_reader(5, recorder.callback("read"))
    poller.at(101, 5, read=True)
    loop.call_later(9, recorder.callback("timer"))

    loop.turn()

    assert recorder.names() == ["read"]
    assert clock.now() == 101


def test_nobody_sleeps_while_callbacks_are_ready(loop: Loop, poller: ScriptedPoller) -> None:
    loop.call_soon(list)

    loop.turn(60)

    assert poller.sleeps == []


def test_nobody_sleeps_while_a_timer_is_overdue(loop: Loop, clock: ManualClock, poller: ScriptedPoller) -> None:
    loop.call_later(1, list)
    clock.advance(5)

    loop.turn()

    assert poller.sleeps == []


def test_a_cancelled_timer_shortens_no_wait(loop: Loop, poller: ScriptedPoller) -> None:
    loop.call_later(1, print).cancel()
    loop.call_later(4, print)

    loop.wait(None)

    assert poller.sleeps == [4]


def test_the_time_to_the_next_timer_can_be_asked(loop: Loop, clock: ManualClock) -> None:
    assert loop.time_to_next() is None

    timer = loop.call_later(5, print)
    clock.advance(2)
    assert loop.time_to_next() == 3

    clock.advance(9)
    assert loop.time_to_next() == 0

    timer.cancel()
    assert loop.time_to_next() is None


@pytest.mark.parametrize("what", ["call_soon", "wake"])
def test_there_is_no_time_left_once_something_has_come(loop: Loop, what: str) -> None:
    loop.call_later(5, print)
    if what == "wake":
        loop.wake()
    else:
        loop.call_soon(print)

    assert loop.time_to_next() == 0


# ── waking ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_wake_before_the_wait_ends_it_at_once(loop: Loop, poller: ScriptedPoller) -> None:
    loop.wake()

    loop.wait(None)

    assert poller.sleeps == []


def test_a_wake_ends_one_wait(loop: Loop) -> None:
    loop.wake()
    loop.wait(None)

    with pytest.raises(Deadlock):
        loop.wait(None)


def test_a_wake_in_the_midst_of_a_sleep_ends_only_that_one(
    loop: Loop, poller: ScriptedPoller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def woken(timeout: float | None) -> list[tuple[int, int]]:
        loop.wake()
        return []

    with monkeypatch.context() as patch:
        patch.setattr(poller, "wait", woken)
        loop.wait(None)

    with pytest.raises(Deadlock):
        loop.wait(None)


def test_a_wake_between_the_decision_to_sleep_and_the_sleep_is_seen(
    loop: Loop, poller: ScriptedPoller, monkeypatch: pytest.MonkeyPatch
) -> None:
    doze = Loop.doze

    def wake_then_doze(self: Loop) -> bool:
        self.wake()  # the loop has looked, found nothing, and is about to say that it sleeps
        return doze(self)

    monkeypatch.setattr(Loop, "doze", wake_then_doze)

    loop.wait(None)

    assert poller.sleeps == []


def test_a_callback_from_another_thread_ends_a_sleep(real_loop: Loop, recorder: Recorder) -> None:
    thread = threading.Thread(target=lambda: real_loop.call_soon(recorder.callback("soon")))
    real_loop.call_soon(thread.start)

    while not recorder.entries:
        real_loop.turn()

    thread.join()
    assert recorder.names() == ["soon"]


def test_no_wake_is_lost_between_eight_threads(real_loop: Loop) -> None:
    # Each thread waits for its callback before it sends the next: one lost wake and nothing moves any more.
    rounds, threads = 300, 8
    finished: list[int] = []

    def send(number: int) -> None:
        arrived = threading.Event()
        for _ in range(rounds):
            arrived.clear()
            real_loop.call_soon(arrived.set)
            assert arrived.wait(30)
        finished.append(number)
        if len(finished) == threads:
            real_loop.stop()

    workers = [threading.Thread(target=send, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    real_loop.run()
    for worker in workers:
        worker.join()

    assert sorted(finished) == list(range(threads))


def test_no_bare_wake_is_lost_either(real_loop: Loop) -> None:
    # `wake` with a queue of somebody else's, as the core does it.
    queue: list[threading.Event] = []
    rounds, threads = 300, 8
    left = [threads]
    lock = threading.Lock()

    def send() -> None:
        for _ in range(rounds):
            arrived = threading.Event()
            queue.append(arrived)
            real_loop.wake()
            assert arrived.wait(30)
        with lock:
            left[0] -= 1
        real_loop.wake()

    workers = [threading.Thread(target=send) for _ in range(threads)]
    for worker in workers:
        worker.start()
    while left[0]:
        while queue:
            queue.pop().set()
        real_loop.turn()
    for worker in workers:
        worker.join()

    assert queue == []


@pytest.mark.parametrize("kind", available_kinds())
def test_a_signal_handler_can_wake_the_loop(kind: str, recorder: Recorder) -> None:
    loop = Loop(poller=Poller(kind))

    def handle(*_: object) -> None:
        recorder.record("signal")
        loop.stop()

    before = signal.signal(signal.SIGUSR1, handle)
    sender = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
    sender.start()
    try:
        loop.run()
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)
        loop.close()

    assert recorder.names() == ["signal"]


def test_signals_by_the_hundred_lose_no_wake(real_loop: Loop) -> None:
    # Every signal is sent by another thread at the moment that it sees the answer to the one before: most of them
    # arrive right when the loop goes to sleep.
    real_loop.watch_signals()
    rounds = 500
    handled = threading.Semaphore(0)
    seen = [0]

    def handle(*_: object) -> None:
        seen[0] += 1
        handled.release()
        real_loop.wake()

    def send() -> None:
        for _ in range(rounds):
            os.kill(os.getpid(), signal.SIGUSR1)
            assert handled.acquire(timeout=30)

    before = signal.signal(signal.SIGUSR1, handle)
    sender = threading.Thread(target=send)
    try:
        sender.start()
        while seen[0] < rounds:
            real_loop.turn()
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert seen[0] == rounds


def send_to_itself_while_asleep(loop: Loop) -> None:
    """Have another thread than the one of *loop* receive a signal, once that one sleeps."""
    while not loop._sleeping:
        time.sleep(0.001)
    time.sleep(0.01)  # from the flag to the system call
    signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)


def test_a_signal_that_comes_just_before_the_sleep_is_handled(
    real_loop: Loop, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A handler in Python runs when the interpreter finds time for it. Here the main thread is made busy in C, in the
    # sleep itself, by sending the signal to another thread: nothing interrupts the sleep but the descriptor.
    assert real_loop.watch_signals()
    before = signal.signal(signal.SIGUSR1, recorder.callback("signal"))
    thread = threading.Thread(target=send_to_itself_while_asleep, args=(real_loop,))
    try:
        real_loop.call_soon(thread.start)
        while not recorder.entries:
            real_loop.turn()
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert [entry[0] for entry in recorder.entries] == ["signal"]


def test_run_watches_signals_for_as_long_as_it_lasts(real_loop: Loop) -> None:
    # The signal goes to another thread, so it interrupts no system call of this one.
    before = signal.signal(signal.SIGUSR1, lambda *_: real_loop.stop())
    thread = threading.Thread(target=send_to_itself_while_asleep, args=(real_loop,))
    try:
        real_loop.call_soon(thread.start)
        real_loop.run()
        thread.join()
    finally:
        signal.signal(signal.SIGUSR1, before)

    assert not real_loop.watches_signals
    assert signal.set_wakeup_fd(-1) == -1


def test_run_leaves_signals_watched_that_were_watched_before(real_loop: Loop) -> None:
    real_loop.watch_signals()
    real_loop.call_soon(real_loop.stop)

    real_loop.run()

    assert real_loop.watches_signals


def test_watching_signals_twice_and_unwatching_twice_is_once(real_loop: Loop) -> None:
    assert real_loop.watch_signals()
    assert real_loop.watch_signals()

    real_loop.unwatch_signals()
    real_loop.unwatch_signals()

    assert len(real_loop.poller) == 0
    assert signal.set_wakeup_fd(-1) == -1


def test_signals_that_somebody_else_watches_are_left_to_them(real_loop: Loop) -> None:
    other = Loop()
    other.watch_signals()

    assert not real_loop.watch_signals()

    other.close()


# ── running ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_run_turns_until_stop(loop: Loop, clock: ManualClock, recorder: Recorder) -> None:
    loop.call_later(1, recorder.callback("one"))
    loop.call_later(2, loop.stop)
    loop.call_later(3, recorder.callback("three"))

    loop.run()

    assert recorder.names() == ["one"]
    assert clock.now() == 102


def test_stop_before_run_ends_it_before_its_first_turn(loop: Loop, recorder: Recorder) -> None:
    loop.call_soon(recorder.callback("soon"))
    loop.stop()

    loop.run()
    assert recorder.entries == []

    loop.call_soon(loop.stop)
    loop.run()
    assert recorder.names() == ["soon"]


def test_stop_from_another_thread_ends_a_sleeping_run(real_loop: Loop) -> None:
    thread = threading.Thread(target=real_loop.stop)
    real_loop.call_soon(thread.start)

    real_loop.run()

    thread.join()


def test_two_loops_run_in_two_threads(recorder: Recorder) -> None:
    loops = [Loop(), Loop()]
    counts = [0, 0]

    def play(own: int) -> None:
        counts[own] += 1
        if counts[own] == 200:
            loops[own].stop()
        loops[1 - own].call_soon(lambda: play(1 - own))

    threads = [threading.Thread(target=loop.run) for loop in loops]
    for thread in threads:
        thread.start()
    loops[0].call_soon(lambda: play(0))
    for thread in threads:
        thread.join()
    for loop in loops:
        loop.close()

    assert counts[0] >= 200
    assert counts[1] >= 200


def test_a_callback_may_turn_the_loop(loop: Loop, recorder: Recorder) -> None:
    def turn() -> None:
        recorder.record("outer")
        loop.turn(0)
        recorder.record("back")

    loop.call_soon(turn)
    loop.call_soon(recorder.callback("inner"))

    loop.turn()

    assert recorder.names() == ["outer", "inner", "back"]


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fail(recorder: Recorder, name: str, error: BaseException) -> Callable[[], None]:
    def callback() -> None:
        recorder.record(name)
        raise error

    return callback


def test_the_first_error_is_raised_after_everything_else_had_its_turn(
    loop: Loop, poller: ScriptedPoller, recorder: Recorder
) -> None:
    poller.set_reader(5, fail(recorder, "read", ValueError("first")))
    poller.set_ready(5, read=True)
    loop.call_later(0, fail(recorder, "timer", ValueError("second")))
    loop.call_later(0, recorder.callback("other timer"))
    loop.call_soon(fail(recorder, "soon", ValueError("third")))
    loop.call_soon(recorder.callback("other soon"))

    with pytest.raises(ValueError, match="first"):
        loop.turn(0)

    assert recorder.names() == ["read", "timer", "other timer", "soon", "other soon"]


@pytest.mark.parametrize("stage", ["timer", "soon"])
def test_an_interrupt_leaves_at_once_and_the_rest_stays(loop: Loop, recorder: Recorder, stage: str) -> None:
    add = loop.call_soon if stage == "soon" else lambda callback: loop.call_later(0, callback)
    add(recorder.callback("a"))
    add(fail(recorder, "b", KeyboardInterrupt()))
    add(recorder.callback("c"))
    add(recorder.callback("d"))

    with pytest.raises(KeyboardInterrupt):
        loop.turn()
    assert recorder.names() == ["a", "b"]

    loop.turn()
    assert recorder.names() == ["a", "b", "c", "d"]


def test_an_interrupt_in_the_sleep_loses_no_wake(
    loop: Loop, poller: ScriptedPoller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(timeout: float | None) -> list[tuple[int, int]]:
        loop.wake()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(poller, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.wait(None)

    loop.wait(None)
    assert poller.sleeps == []


# ── closing, changing, dropping ──────────────────────────────────────────────────────────────────────────────────────


def test_the_mechanism_can_be_changed_in_place(recorder: Recorder) -> None:
    loop = Loop()
    reader, writer = os.pipe()
    loop.poller.set_reader(reader, lambda: recorder.record(loop.poller.kind, os.read(reader, 1)))

    for kind in available_kinds():
        loop.use(kind)
        os.write(writer, b"x")
        loop.turn()

    assert recorder.entries == [(kind, b"x") for kind in available_kinds()]
    with pytest.raises(UnknownPoller):
        loop.use("none")
    loop.close()
    os.close(reader)
    os.close(writer)


def test_a_closed_loop_says_so(loop: Loop) -> None:
    timer = loop.call_later(1, print)
    loop.close()
    loop.close()

    with pytest.raises(LoopClosed):
        loop.call_soon(print)
    with pytest.raises(LoopClosed):
        loop.wait(None)
    loop.wake()
    loop.stop()
    timer.cancel()


def test_closing_gives_every_descriptor_back() -> None:
    before = set(os.listdir("/proc/self/fd"))
    loop = Loop()
    loop.watch_signals()
    loop.turn(0.001)
    assert len(set(os.listdir("/proc/self/fd")) - before) >= 4

    loop.close()

    assert set(os.listdir("/proc/self/fd")) == before


def test_a_loop_that_is_dropped_gives_every_descriptor_back() -> None:
    before = set(os.listdir("/proc/self/fd"))
    loop = Loop()
    loop.turn(0.001)
    gone = weakref.ref(loop)

    del loop
    gc.collect()

    assert gone() is None
    assert set(os.listdir("/proc/self/fd")) == before


def test_the_standalone_loop_imports_nothing_heavy() -> None:
    program = "import sys, evkernel, evkernel.loop; print(*sorted(sys.modules))"
    path = os.path.dirname(os.path.dirname(sys.modules["evkernel.loop"].__file__ or ""))
    modules = subprocess.run(
        [sys.executable, "-S", "-c", program], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout.split()

    assert "evkernel.loop" in modules
    heavy = {"asyncio", "multiprocessing", "selectors", "signal", "socket", "ssl", "subprocess", "threading", "typing"}
    assert not heavy & set(modules)


# ── fork ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def in_child(check: Callable[[], bool]) -> bool:
    """Fork, and return what *check* says in the child."""
    pid = os.fork()
    if pid == 0:
        code = 2
        try:
            code = 0 if check() else 1
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


def test_a_child_knows_that_it_is_one(real_loop: Loop) -> None:
    assert in_child(lambda: real_loop.forked == 1 and in_child(lambda: real_loop.forked == 2))
    assert real_loop.forked == 0


def test_a_child_has_the_timers_and_ready_callbacks(real_loop: Loop, recorder: Recorder) -> None:
    real_loop.turn(0.001)
    real_loop.call_later(0, recorder.callback("timer"))
    real_loop.call_soon(recorder.callback("soon"))

    def check() -> bool:
        real_loop.turn()
        return recorder.names() == ["timer", "soon"]

    assert in_child(check)
    assert check()


def test_a_wake_in_the_child_is_not_one_in_the_parent(real_loop: Loop) -> None:
    real_loop.turn(0.001)

    def check() -> bool:
        real_loop.doze()
        real_loop.wake()
        return len(real_loop.poller.wait(10)) == 1

    assert in_child(check)
    assert list(real_loop.poller.wait(0.001)) == []


def test_a_wake_in_the_parent_is_not_one_in_the_child(real_loop: Loop) -> None:
    real_loop.turn(0.001)
    real_loop.doze()
    real_loop.wake()

    def check() -> bool:
        real_loop.doze()
        return list(real_loop.poller.wait(0.001)) == []

    assert in_child(check)
    assert len(real_loop.poller.wait(10)) == 1


def test_signals_of_the_child_are_not_those_of_the_parent(real_loop: Loop, recorder: Recorder) -> None:
    real_loop.watch_signals()
    before = signal.signal(signal.SIGUSR1, recorder.callback("signal"))

    def check() -> bool:
        os.kill(os.getpid(), signal.SIGUSR1)
        ready = real_loop.poller.wait(10)
        return recorder.names() == ["signal"] and len(ready) == 1

    try:
        assert in_child(check)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert list(real_loop.poller.wait(0.001)) == []


def test_a_child_that_removes_a_descriptor_does_not_remove_it_from_its_parent(
    real_loop: Loop, recorder: Recorder
) -> None:
    reader, writer = os.pipe()
    real_loop.poller.set_reader(reader, recorder.callback("read"))
    real_loop.turn(0.001)

    def check() -> bool:
        return real_loop.poller.discard(reader) and list(real_loop.wait(0.001)) == []

    assert in_child(check)
    os.write(writer, b"x")
    real_loop.turn(10)

    assert recorder.names() == ["read"]
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("kind", available_kinds())
def test_parent_and_child_both_watch_the_same_descriptor(kind: str) -> None:
    loop = Loop(poller=Poller(kind))
    reader, writer = os.pipe()
    seen: list[bytes] = []
    loop.poller.set_reader(reader, lambda: seen.append(os.read(reader, 1)))
    loop.turn(0.001)

    def check() -> bool:
        loop.turn(10)
        return seen == [b"x"]

    os.write(writer, b"x")
    assert in_child(check)
    os.write(writer, b"x")
    assert check()
    loop.close()
    os.close(reader)
    os.close(writer)


def test_a_fork_in_another_thread_leaves_the_running_loop_alone(real_loop: Loop) -> None:
    results: list[bool] = []

    def fork() -> None:
        results.append(in_child(lambda: real_loop.forked == 1))
        real_loop.stop()

    thread = threading.Thread(target=fork)
    real_loop.call_soon(thread.start)
    real_loop.run()
    thread.join()

    assert results == [True]


def test_a_child_disowns_what_the_loops_of_its_parent_watch_but_not_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own, parents = Loop(), Loop()
    monkeypatch.setattr(evkernel.loop, "_loops", {own, parents})
    abandoned: list[Poller] = []
    monkeypatch.setattr(Poller, "abandon", lambda poller: abandoned.append(poller))
    parents.watch_signals()

    disown(own)

    assert abandoned == [parents.poller]
    assert not parents.watches_signals
