"""Wait for something that happens outside the tree: in another thread, or in another process.

    handler ── yield answer ──▶ Task, waiting ◀── resume, in its own thread ◀── call_soon ◀── give, in any thread

Rule 1: an answer is given once; what comes later is ignored, and so is an answer that nobody waits for any more.
Rule 2: nobody polls: giving wakes the tree of the task, wherever that sleeps.
"""

from __future__ import annotations

from ._tasks import Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from ._tasks import Task

__all__ = ["Answer"]


class Answer(Step):
    """What a generator handler yields to be resumed with a value, or an error, from any thread."""

    __slots__ = ("_outcome", "_task")

    def __init__(self) -> None:
        self._outcome: tuple[Any, BaseException | None] | None = None
        self._task: Task | None = None

    def give(self, value: Any = None, error: BaseException | None = None) -> None:
        """Have the one that waits go on with *value*, or with *error* raised. May be called from any thread."""
        if self._outcome is None:
            # Published before the look at who waits; `arm` does it the other way round: one of the two sees the other.
            self._outcome = (value, error)
            self.repeat()

    def repeat(self) -> None:
        """Tell the tree of the one that waits again: it may be another tree by now, and the old one asleep for good."""
        task = self._task
        if task is not None and self._outcome is not None:
            task.tree.loop.call_soon(self._deliver)

    def wait(self, among: set[Answer]) -> Generator[Any, Any, Any]:
        """Wait, as the whole of a handler: what this gives is what such a handler returns.

        Args:
            among: where the answer is for as long as somebody waits for it.
        """
        among.add(self)
        try:
            return (yield self)
        finally:
            among.discard(self)

    def arm(self, task: Task) -> None:
        # Made now: two threads that ask for it at the same time might make two.
        _ = task.tree.loop
        self._task = task
        if self._outcome is not None:
            self._deliver()

    def disarm(self) -> None:
        self._task = None

    def _deliver(self) -> None:
        task, self._task = self._task, None
        if task is not None and self._outcome is not None:
            value, error = self._outcome
            task.resume(value, error)

    def __repr__(self) -> str:
        return "<an answer from outside the tree>"
