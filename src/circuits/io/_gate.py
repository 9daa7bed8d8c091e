"""Wait for something that a component will say in its own thread: room in a queue, the end of a file or a process.

    handler ── yield gate.wait() ──▶ waits ◀── gate.let_pass(), gate.open()

Rule 1: a gate belongs to the thread of its component's tree.
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
        self.waiting: list[_Visit] = []
        #: Whether nobody has to wait, and what those get who come.
        self.is_open = False
        self.value: Any = None

    def wait(self) -> Step:
        """Give what a generator handler yields, or a coroutine awaits, until the gate is opened."""
        return _Visit(self)

    def let_pass(self, value: Any = None) -> None:
        """Let everybody go on who waits now, with *value*; whoever comes later waits for the next time."""
        waiting = self.waiting[:]
        self.waiting.clear()
        for visit in waiting:
            visit.resume(value)

    def open(self, value: Any = None) -> None:
        """Let everybody go on, those too who come later."""
        self.is_open, self.value = True, value
        self.let_pass(value)

    def close(self) -> None:
        """Have those wait who come from now on."""
        self.is_open, self.value = False, None


class _Visit(Step):
    """One who waits."""

    __slots__ = ("_gate", "_promise", "_task")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._task: Task | None = None
        self._promise: Promise | None = None

    def arm(self, task: Task) -> None:
        if self._gate.is_open:
            task.resume(self._gate.value)
        else:
            self._task = task
            self._gate.waiting.append(self)

    def disarm(self) -> None:
        self._task = self._promise = None
        if self in self._gate.waiting:
            self._gate.waiting.remove(self)

    def resume(self, value: Any) -> None:
        """Go on."""
        task, promise = self._task, self._promise
        self._task = self._promise = None
        if task is not None:
            task.resume(value)
        if promise is not None:
            promise.set(value)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._await().__await__()

    async def _await(self) -> Any:
        from evkernel.hosted import Promise  # late: loaded with the first coroutine

        if self._gate.is_open:
            return self._gate.value
        promise = self._promise = Promise()
        self._gate.waiting.append(self)
        try:
            return await promise.get(None)
        finally:
            self.disarm()
