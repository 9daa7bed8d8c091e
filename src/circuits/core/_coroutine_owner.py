"""Find the coroutines of components, without loading what coroutines need when there is none."""

from __future__ import annotations

from ._tasks import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ._coroutines import CoroutineTask
    from ._tree import Tree

__all__ = ["coroutines_of"]


def coroutines_of(tree: Tree, members: Iterable[Any]) -> list[CoroutineTask]:
    """Give the coroutines that have not ended and belong to one of *members*."""
    if not tree.tasks:
        return []
    owners = set(members)
    return [task for task in tree.tasks if not isinstance(task, Task) and task.owner in owners]
