"""Threads that live only as long as there is work."""

from __future__ import annotations

import os
import threading

import pytest

from circuits.core._threads import Threads
from support.waiting import wait_until


def test_a_job_is_done_in_a_thread_that_ends_with_it() -> None:
    seen: list[threading.Thread] = []
    Threads("worker", 2).submit(lambda: seen.append(threading.current_thread()))

    wait_until(lambda: seen and not seen[0].is_alive())
    assert seen[0] is not threading.current_thread()
    assert seen[0].name == "worker"


def test_no_more_threads_than_allowed_share_all_jobs() -> None:
    pool = Threads("worker", 3)
    gate, seen, lock = threading.Event(), set[str](), threading.Lock()
    done: list[int] = []

    def job(number: int) -> None:
        with lock:
            seen.add(str(threading.get_ident()))
        gate.wait(10)
        done.append(number)

    for number in range(20):
        pool.submit(lambda number=number: job(number))  # type: ignore[misc]
    wait_until(lambda: len(seen) == 3)
    gate.set()
    wait_until(lambda: len(done) == 20)
    wait_until(lambda: pool._running == 0)
    assert len(seen) == 3


def test_a_thread_that_cannot_be_started_is_an_error_unless_another_one_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool = Threads("worker", 2)
    gate, done = threading.Event(), []

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool.submit(lambda: gate.wait(10))  # type: ignore[arg-type, return-value]
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        pool.submit(lambda: done.append(1))
        gate.set()
        wait_until(lambda: done)
        wait_until(lambda: pool._running == 0)
        with pytest.raises(RuntimeError, match="new thread"):
            pool.submit(lambda: done.append(2))
    pool.submit(lambda: done.append(3))
    wait_until(lambda: done == [1, 3])


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_raises_against_the_rule_blocks_nobody() -> None:
    pool, done = Threads("worker", 1, finishes_before_fork=True), list[int]()

    def fail() -> None:
        raise ZeroDivisionError

    pool.submit(fail)
    wait_until(lambda: pool._running == 0)
    pool.submit(lambda: done.append(1))
    wait_until(lambda: done)
    wait_until(lambda: pool._running == 0)


def test_a_thread_that_lingers_does_the_next_job_and_ends_when_dismissed() -> None:
    pool, seen = Threads("worker", 2, linger=10), list[threading.Thread]()
    for number in range(5):
        pool.submit(lambda: seen.append(threading.current_thread()))
        wait_until(lambda number=number: len(seen) == number + 1 and pool._idle == 1)  # type: ignore[misc]
    assert len(set(seen)) == 1

    pool.dismiss()
    wait_until(lambda: not seen[0].is_alive())


def test_a_second_job_does_not_wait_for_a_thread_that_has_just_been_given_one() -> None:
    pool, gate, done = Threads("worker", 2, linger=10), threading.Event(), threading.Event()
    pool.submit(gate.wait)  # type: ignore[arg-type]
    gate.set()
    wait_until(lambda: pool._idle == 1)
    gate.clear()
    pool.submit(gate.wait)  # type: ignore[arg-type]
    pool.submit(done.set)
    assert done.wait(10)
    gate.set()
    pool.dismiss()
    wait_until(lambda: pool._running == pool._idle)
    pool.dismiss()
    wait_until(lambda: pool._running == 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_fork_waits_for_a_pool_that_must_lose_nothing() -> None:
    pool, other = Threads("disk", 1, linger=0.1, finishes_before_fork=True), Threads("other", 1)
    gate, done = threading.Event(), []
    other.submit(lambda: gate.wait(10))  # type: ignore[arg-type, return-value]
    pool.submit(lambda: done.append(threading.Event().wait(0.05)))
    pool.submit(lambda: done.append(True))

    pid = os.fork()
    if pid == 0:
        # The other's thread has stayed in the parent; both take work again.
        os._exit(0 if len(done) == 2 and pool._running == other._running == 0 and _works(pool) and _works(other) else 1)
    _, status = os.waitpid(pid, 0)
    gate.set()
    wait_until(lambda: other._running == 0)
    assert status == 0


def _works(pool: Threads) -> bool:
    done = threading.Event()
    pool.submit(done.set)
    return done.wait(10)
