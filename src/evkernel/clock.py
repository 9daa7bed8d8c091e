"""Tell the time, behind a protocol that a test can replace.

Rule 1: delays and deadlines use `Clock.now()`, which never jumps when somebody sets the wall clock.
Rule 2: `wall_time()` is for people and protocols: HTTP dates, log lines, datetimes. Never for delays.
"""

from __future__ import annotations

import time

from ._static import Protocol

__all__ = ["MONOTONIC", "Clock", "MonotonicClock", "wall_time"]


class Clock(Protocol):
    """Tell monotonic seconds; only differences mean something."""

    def now(self) -> float:
        """Return the present, in seconds."""
        raise NotImplementedError


class MonotonicClock:
    """Tell the seconds of `time.monotonic`."""

    __slots__ = ()

    # The builtin itself: a Python function around it would double the cost of asking.
    now = staticmethod(time.monotonic)


#: The instance everybody shares.
MONOTONIC: Clock = MonotonicClock()


def wall_time() -> float:
    """Return seconds since the epoch, as the wall clock has them."""
    return time.time()
