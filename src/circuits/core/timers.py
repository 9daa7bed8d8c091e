"""Timers: fire an event later, once or again and again.

    Timer ── registered ──▶ the tree's timer heap ── due ──▶ fire(event)

Rule 1: a due time is counted from the due time before, not from when the timer was served: no drift.
Rule 2: intervals that have passed while the tree was busy are made up for, `MAX_CATCH_UP` of them at the most.
"""

from __future__ import annotations

from datetime import datetime

from evkernel.clock import wall_time

from .components import BaseComponent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from evkernel import timers

    from ._tree import Tree
    from .events import Event

__all__ = ["MAX_CATCH_UP", "Timer"]

#: A tree that was held up for a minute owes a timer of 10 ms six thousand events; nobody wants them all at once.
MAX_CATCH_UP = 100


class Timer(BaseComponent):
    """Fire *event* once after *interval* and leave the tree, or at every interval.

    The wait begins when the timer is made; it fires while it is registered.

    Args:
        interval: seconds (fractions allowed), or the time of day as a datetime.
        event: what to fire; a persistent timer fires this same object every time.
        channels: where to; else the event's own channels, else the channel of the timer.
        kwargs: `persist`: repeat until the timer is unregistered. Others as for any component.

    Raises:
        ValueError: when the interval is negative, or zero and to be repeated.
    """

    def __init__(self, interval: float | datetime, event: Event, *channels: Any, **kwargs: Any) -> None:
        self._persist = bool(kwargs.pop("persist", False))
        self._event = event
        self._channels = channels
        self._armed: timers.Timer | None = None
        self._expiry = 0.0
        self._interval = 0.0
        super().__init__(**kwargs)
        self.reset(interval)

    @property
    def expiry(self) -> float:
        """When the timer fires next, in seconds of the tree's monotonic clock."""
        return self._expiry

    def reset(self, interval: float | datetime | None = None) -> None:
        """Begin the wait anew.

        Args:
            interval: the new interval; None keeps the old one.

        Raises:
            ValueError: when the interval is negative, or zero and to be repeated.
        """
        if interval is not None:
            self._interval = _seconds(interval)
            if self._interval < 0 or (self._persist and self._interval == 0):
                kind = "positive seconds" if self._persist else "seconds of at least 0"
                raise ValueError(f"Timer: expected {kind}, got {interval!r}")
        self._expiry = self._evtree.clock.now() + self._interval
        self._arm()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
            self._armed = None
        # A timer on its own has no place where its event could go.
        if self.parent is not self:
            self._armed = self._evtree.loop.call_at(self._expiry, self._due)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        # Two trees may have different clocks, so what is carried over is the time left.
        if new.clock is not old.clock:
            self._expiry += new.clock.now() - old.clock.now()
        self._arm()

    def _due(self) -> None:
        self._armed = None
        if self.unregister_pending:
            return
        self.fire(self._event, *self._channels)
        if self._persist:
            missed = int((self._evtree.clock.now() - self._expiry) / self._interval)
            self._expiry += self._interval * (1 + max(0, missed - MAX_CATCH_UP))
            self._arm()
        else:
            self.unregister()


def _seconds(interval: float | datetime) -> float:
    if isinstance(interval, datetime):
        return max(0.0, interval.timestamp() - wall_time())
    return float(interval)
