"""Walk a tree of components, and take one apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from circuits.core.manager import Manager

__all__ = ["children", "edges", "findroot", "kill", "walk"]

T = TypeVar("T")


def children(x: Manager) -> list[Any]:
    """Give the components registered with *x*, in the order in which they were."""
    return sorted(x.components, key=lambda component: component._evnode.position)


def walk(x: Manager, f: Callable[[int, Any], T], d: int = 0, v: set[Any] | None = None) -> Iterator[T]:
    """Yield what `f(depth, component)` gives for a component and all its descendants, parents before their children.

    Args:
        x: where to begin.
        f: what to call for each.
        d: the depth of *x*.
        v: components that have been visited, and that are left out; it is added to.
    """
    visited = set() if v is None else v
    if x in visited:
        return
    visited.add(x)
    yield f(d, x)
    for component in children(x):
        yield from walk(component, f, d + 1, visited)


def edges(
    x: Manager, e: set[tuple[Any, Any, int]] | None = None, v: set[Any] | None = None, d: int = 0
) -> set[tuple[Any, Any, int]]:
    """Give who is registered with whom, from *x* down: a set of (parent, child, depth of the child).

    Args:
        x: where to begin.
        e: a set to add to.
        v: components that have been visited, and that are not looked into; it is added to.
        d: the depth of *x*.
    """
    found: set[tuple[Any, Any, int]] = set() if e is None else e
    found.update(
        (component.parent, component, depth) for depth, component in walk(x, _both, d, v) if component is not x
    )
    return found


def _both(depth: int, component: Any) -> tuple[int, Any]:
    return depth, component


def findroot(x: Manager) -> Manager:
    """Give the root of the tree that *x* is in."""
    return x if x.parent is x else findroot(x.parent)


def kill(x: Any) -> None:
    """Unregister a component and all its descendants, children first.

    Each leaves as it does with its own `unregister`: once the events have been delivered that this fires.
    """
    for component in children(x):
        kill(component)
    if x.parent is not x:
        x.unregister()
