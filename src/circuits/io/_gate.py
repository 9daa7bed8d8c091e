"""Wait for something that a component will say in its own thread: room in a queue, the end of a file or a process.

    handler ── yield gate.wait() ──▶ waits ◀── gate.open()

Rule 1: a gate belongs to the thread of its component's tree. Whoever comes after it was opened waits for the next time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.core._flags import TO_SETTLE
from circuits.core._tasks import Step

if TYPE_CHECKING:
    from collections.abc import Generator

    from circuits.core._tasks import Task
    from circuits.core.events import Event
    from evkernel.hosted import Promise

__all__ = ["Gate", "is_awaited"]


def is_awaited(event: Event | None) -> bool:
    """Tell whether anybody cares when the handlers of *event* have ended."""
    return event is not None and bool(event._flags & TO_SETTLE)


class Gate:
    """Let those who wait go on, all at once."""

    def __init__(self) -> None:
        self._waiting: list[_Visit] = []

    def wait(self) -> Step:
        """Give what a generator handler yields, or a coroutine awaits, until the gate is opened the next time."""
        return _Visit(self._waiting)

    def open(self) -> None:
        """Let everybody go on who waits now."""
        waiting = self._waiting[:]
        self._waiting.clear()
        for visit in waiting:
            visit.resume()


class _Visit(Step):
    """One who waits."""

    __slots__ = ("_promise", "_task", "_waiting")

    def __init__(self, waiting: list[_Visit]) -> None:
        self._waiting = waiting
        self._task: Task | None = None
        self._promise: Promise | None = None

    def arm(self, task: Task) -> None:
        self._task = task
        self._waiting.append(self)

    def disarm(self) -> None:
        self._task = self._promise = None
        if self in self._waiting:
            self._waiting.remove(self)

    def resume(self) -> None:
        """Go on."""
        task, promise = self._task, self._promise
        self._task = self._promise = None
        if task is not None:
            task.resume()
        if promise is not None:
            promise.set(None)

    def __await__(self) -> Generator[Any, Any, None]:
        return self._await().__await__()

    async def _await(self) -> None:
        from evkernel.hosted import Promise  # late: loaded with the first coroutine

        self._promise = Promise()
        self._waiting.append(self)
        try:
            await self._promise.get(None)
        finally:
            self.disarm()
