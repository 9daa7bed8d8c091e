"""Report what a component consists of: the components registered with it, and its handlers by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.core.handlers import reprhandler

from ._tree import children

if TYPE_CHECKING:
    from circuits.core.manager import Manager

__all__ = ["handlers_of", "inspect"]


def inspect(x: Manager) -> str:
    """Report on a component: what is registered with it, and which of its own handlers are called for which event.

    Args:
        x: a component, or a manager.

    Returns:
        Lines of text. The event `*` stands for every event.
    """
    handlers = handlers_of(x)
    lines = [f" Components: {len(x.components)}"]
    lines += [f"  {component!r}" for component in children(x)]
    lines += ["", f" Event Handlers: {sum(map(len, handlers.values()))}"]
    for name, methods in handlers.items():
        lines.append(f"  {name}; {len(methods)}")
        lines += [f"   {reprhandler(method)}" for method in methods]
    return "\n".join(lines)


def handlers_of(x: Manager) -> dict[str, list[Any]]:
    """Give the handlers of one component by the names of their events, both in the order of definition."""
    found: dict[str, list[Any]] = {}
    for entry in x._evnode.entries:
        for name in entry.names or ("*",):
            found.setdefault(name, []).append(entry.method)
    return found
