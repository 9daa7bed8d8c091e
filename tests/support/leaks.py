"""What this process holds on to: descriptors, threads, child processes; and what is new since an earlier look.

Rule 1: a look costs microseconds, because every test pays for two.
Rule 2: what only looks like a leak gets a moment to go: garbage is collected, a thread that ends is waited for.
Rule 3: descriptors and children are read from /proc; where there is none, only threads are compared.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from .waiting import wait_until

__all__ = ["Holdings", "kill_children"]

_FD = Path("/proc/self/fd")
_TASKS = Path("/proc/self/task")

#: Seconds that a thread or a child gets to finish once the test is over.
PATIENCE = 2.0


@dataclass(frozen=True)
class Holdings:
    """Everything a process must give back, at one moment."""

    descriptors: frozenset[tuple[int, str]]
    threads: frozenset[threading.Thread]
    children: frozenset[int]

    @classmethod
    def now(cls) -> Holdings:
        """Look."""
        threads = frozenset(thread for thread in threading.enumerate() if thread.is_alive())
        return cls(frozenset(_open_descriptors()), threads, frozenset(_child_processes()))

    def since(self, earlier: Holdings) -> Holdings:
        """Return what is held here and was not held *earlier*."""
        return Holdings(
            self.descriptors - earlier.descriptors, self.threads - earlier.threads, self.children - earlier.children
        )

    def leaked_since(self) -> Holdings:
        """Return what is held now, was not held here, and does not go away by itself within `PATIENCE`."""
        # Looked at without being kept: a thread that has ended still holds what it was given to call.
        if not Holdings.now().since(self):
            return Holdings(frozenset(), frozenset(), frozenset())

        def has_gone() -> bool:
            # Every time: a thread that is just ending may still hold what becomes garbage then.
            gc.collect()
            return not Holdings.now().since(self)

        try:
            wait_until(has_gone, PATIENCE)
        except TimeoutError:
            return Holdings.now().since(self)
        return Holdings(frozenset(), frozenset(), frozenset())

    def __bool__(self) -> bool:
        return bool(self.descriptors or self.threads or self.children)

    def __str__(self) -> str:
        lines = [f"descriptor {number} ({target})" for number, target in sorted(self.descriptors)]
        lines += sorted(f"thread {thread.name!r}" for thread in self.threads)
        lines += [f"child process {pid}" for pid in sorted(self.children)]
        return ", ".join(lines)


def kill_children(children: frozenset[int]) -> None:
    """End *children* of ours, so that one test's leak is not every later test's trouble."""
    for pid in children:
        os.kill(pid, signal.SIGKILL)  # not yet reaped, so the number is still theirs
        os.waitpid(pid, 0)


def _open_descriptors() -> set[tuple[int, str]]:
    if not _FD.exists():
        return set()
    found = set()
    for name in os.listdir(_FD):
        try:
            found.add((int(name), os.readlink(_FD / name)))
        except FileNotFoundError:
            continue  # the one that listed this folder, or one that another thread has just closed
    tracker, _ = _resource_tracker()
    return {(number, target) for number, target in found if number != tracker}


def _child_processes() -> set[int]:
    found: set[int] = set()
    _, tracker = _resource_tracker()
    for task in _TASKS.glob("*/children"):
        try:
            found.update(int(pid) for pid in task.read_text().split())
        except (FileNotFoundError, ProcessLookupError):
            continue  # a thread that has just ended; its children are listed with another
    return found - {tracker}


def _resource_tracker() -> tuple[int, int]:
    """Return descriptor and pid of multiprocessing's helper, -1 where there is none.

    It starts with the first spawned process and stays for the life of the interpreter, by design.
    """
    module = sys.modules.get("multiprocessing.resource_tracker")
    tracker = getattr(module, "_resource_tracker", None)
    return _number(getattr(tracker, "_fd", None)), _number(getattr(tracker, "_pid", None))


def _number(value: int | None) -> int:
    return -1 if value is None else value
