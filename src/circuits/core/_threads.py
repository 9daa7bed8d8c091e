"""Threads that live only as long as there is work: nothing to shut down, and nothing left behind.

    submit ──▶ jobs ──▶ up to `limit` threads ── none left ──▶ they end

A thread costs about 150 µs to start and to end, which is little against what is done in one: reading a disk, calling a
library that blocks. In return no program ends with threads that wait for work, and none has to remember to end them.

Rule 1: a job does not raise; what becomes of it is its own business.
Rule 2: the interpreter waits at its end for the jobs that are there.
Rule 3: threads do not survive a fork. A pool that must lose nothing is empty before one; of the others the child has
forgotten the jobs, which go on in the parent.
"""

from __future__ import annotations

import os
from collections import deque
from threading import Condition, RLock, Thread
from weakref import WeakSet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads"]


class Threads:
    """Run jobs in threads.

    Args:
        name: what the threads are called.
        limit: how many there are at the most.
        linger: seconds that one waits for the next job before it ends; for many small jobs, one after the other.
        finishes_before_fork: have a fork wait until all jobs are done.
    """

    def __init__(self, name: str, limit: int, *, linger: float = 0.0, finishes_before_fork: bool = False) -> None:
        self._name = name
        self._limit = limit
        self._linger = linger
        self._finishes = finishes_before_fork
        self._begin()
        _pools.add(self)

    def _begin(self) -> None:
        self._jobs: deque[Callable[[], None]] = deque()
        self._lock = RLock()
        self._wanted = Condition(self._lock)
        self._quiet = Condition(self._lock)
        #: Threads, and those of them that linger.
        self._running = self._idle = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Have *job* called in a thread, once one is free.

        Raises:
            RuntimeError: when the system gives us no thread at all.
        """
        with self._lock:
            self._jobs.append(job)
            if self._idle >= len(self._jobs):
                self._wanted.notify()
                return
            if self._running >= self._limit:
                return
            self._running += 1
        try:
            Thread(target=self._work, name=self._name).start()
        except RuntimeError:
            with self._lock:
                self._running -= 1
                if self._running == 0:
                    self._jobs.remove(job)
                    raise

    def dismiss(self) -> None:
        """Have no thread linger any longer: there will be little to do from now on."""
        with self._lock:
            self._wanted.notify_all()

    def _work(self) -> None:
        try:
            while (job := self._next()) is not None:
                job()
        except BaseException:
            # Against rule 1; the interpreter tells of it, and others still have to know that this thread is gone.
            self._leave()
            raise

    def _next(self) -> Callable[[], None] | None:
        """Give the next job; None when there is none, and the thread that asks ends."""
        with self._lock:
            if not self._jobs and self._linger:
                self._idle += 1
                self._quiet.notify_all()
                self._wanted.wait(self._linger)
                self._idle -= 1
            if self._jobs:
                return self._jobs.popleft()
            # In one step with the look: whoever submits sees either a thread that will look again, or none.
            self._leave()
            return None

    def _leave(self) -> None:
        with self._lock:
            self._running -= 1
            self._quiet.notify_all()

    def _before_fork(self) -> None:
        self._lock.acquire()
        while self._finishes and (self._jobs or self._running > self._idle):
            self._quiet.wait()

    def _after_fork(self) -> None:
        self._lock.release()


_pools: WeakSet[Threads] = WeakSet()

#: Those that the fork under way has locked.
_locked: list[Threads] = []


def _before_fork() -> None:
    for pool in list(_pools):
        pool._before_fork()
        _locked.append(pool)


def _after_fork() -> None:
    while _locked:
        _locked.pop()._after_fork()


def _in_child() -> None:
    while _locked:
        _locked.pop()._begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
