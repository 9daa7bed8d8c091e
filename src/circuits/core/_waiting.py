"""Wait for events: those who wait hang on the event itself, or on its name.

Rule 1: whoever waits is woken once an event is done; a name keeps its waiters until they are forgotten.
"""

from __future__ import annotations

from ._flags import WATCHED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import Protocol as _Protocol

    from ._tree import Tree
    from .events import Event
else:
    # The kernel starts without the module typing; nothing asks a waiter at run time whether it is one.
    _Protocol = object

__all__ = ["Waiter", "forget_named", "on_one_of", "unwatch", "wake_named", "watch"]


class Waiter(_Protocol):
    """Somebody who waits for an event to be done."""

    def wake(self, event: Event) -> None:
        """Go on: *event* is done."""


def watch(event: Event, waiter: Waiter) -> None:
    """Have *waiter* woken once *event*, which is not done, is."""
    if event._flags & WATCHED:
        event._waiters.append(waiter)
    else:
        event._flags |= WATCHED
        event._waiters = [waiter]


def unwatch(event: Event, waiter: Waiter) -> None:
    """Undo `watch`."""
    if event._flags & WATCHED and waiter in event._waiters:
        event._waiters.remove(waiter)


def wake_named(tree: Tree, event: Event) -> None:
    """Wake those who wait for an event of this name."""
    for waiter in tuple(tree.waiters.get(event.name, ())):
        waiter.wake(event)


def on_one_of(event: Event, channels: tuple[Any, ...]) -> bool:
    """Tell whether *event* was fired on one of *channels*; on every channel counts for each of them."""
    return not channels or "*" in channels or any(channel == "*" or channel in channels for channel in event.channels)


def forget_named(tree: Tree, name: str, waiter: Any) -> None:
    """Take a waiter out of the list of those who wait for events of that name."""
    waiters = tree.waiters.get(name)
    if waiters is not None and waiter in waiters:
        waiters.remove(waiter)
        if not waiters:
            del tree.waiters[name]
