"""Keep deadlines in order.

    add(deadline, callback) ──▶ heap ──▶ pop_due(now) ──▶ timer.run()
                                 ▲
    timer.cancel() ──────────────┘  marks only; the entry is swept later

Rule 1: equal deadlines run first in, first out.
Rule 2: `cancel` never restructures the heap, so a finalizer may call it in the middle of anything.
Rule 3: cancelled entries never outnumber the live ones by more than `SWEEP_FLOOR` for longer than one turn.
Rule 4: a heap belongs to the thread of its loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

__all__ = ["SWEEP_FLOOR", "Callback", "Timer", "TimerHeap"]

#: Fewer cancelled entries than this are not worth a sweep; the top of the heap sheds them anyway.
SWEEP_FLOOR = 64

_NONE: list[Timer] = []

Callback = Callable[[], object]


class Timer:
    """Call back once, at a deadline, unless cancelled before.

    Attributes:
        deadline: The moment, on the clock of the loop.
        callback: What to call; None once the timer has run or was cancelled.
        cancelled: Whether `cancel` came before the callback.
    """

    __slots__ = ("_heap", "_order", "callback", "cancelled", "deadline")

    def __init__(self, deadline: float, callback: Callback, order: int = 0, heap: TimerHeap | None = None) -> None:
        self.deadline = deadline
        self.callback: Callback | None = callback
        self.cancelled = False
        self._order = order
        self._heap = heap

    @property
    def active(self) -> bool:
        """Tell whether the callback is still to come."""
        return self.callback is not None

    def cancel(self) -> None:
        """Forget the callback; harmless after it ran, and when repeated."""
        if self.callback is None:
            return
        self.callback = None
        self.cancelled = True
        if self._heap is not None:
            self._heap.stale += 1
            self._heap = None

    def run(self) -> None:
        """Call back, unless cancelled or run before."""
        callback = self.callback
        if callback is not None:
            # Dropped before the call: a callback that holds its timer would otherwise be a cycle.
            self.callback = None
            callback()

    def __repr__(self) -> str:
        state = "cancelled" if self.cancelled else "active" if self.active else "done"
        return f"<Timer at {self.deadline:.6f} {state}>"


class TimerHeap:
    """Hold timers and give back those that are due.

    Attributes:
        stale: How many cancelled entries still wait in the heap to be swept.
    """

    __slots__ = ("_added", "_entries", "stale")

    def __init__(self) -> None:
        # Tuples compare in C; timers with a __lt__ of their own would cost three times as much.
        self._entries: list[tuple[float, int, Timer]] = []
        self._added = 0
        self.stale = 0

    def __len__(self) -> int:
        """Return the number of live timers."""
        return len(self._entries) - self.stale

    def __bool__(self) -> bool:
        """Tell whether any entry is left, live or not; cheaper than counting."""
        return bool(self._entries)

    def add(self, deadline: float, callback: Callback) -> Timer:
        """Call *callback* when *deadline* has come.

        Raises:
            ValueError: The deadline is not a number; it would scramble the order of all others.
        """
        if deadline != deadline:  # only NaN differs from itself
            raise ValueError(f"timer deadline must be a number, not {deadline!r}")
        if self.stale > SWEEP_FLOOR:
            self._sweep()
        self._added = order = self._added + 1
        timer = Timer(deadline, callback, order, self)
        heappush(self._entries, (deadline, order, timer))
        return timer

    def next_deadline(self) -> float | None:
        """Return the earliest live deadline, or None when nothing waits."""
        if self.stale > SWEEP_FLOOR:
            self._sweep()
        entries = self._entries
        while entries:
            deadline, _, timer = entries[0]
            if not timer.cancelled:
                return deadline
            heappop(entries)
            self.stale -= 1
        return None

    def pop_due(self, now: float) -> list[Timer]:
        """Take out every live timer whose deadline is not after *now*, earliest first."""
        entries = self._entries
        if not entries or entries[0][0] > now:
            return _NONE  # most turns come this way
        due: list[Timer] = []
        while entries and entries[0][0] <= now:
            timer = heappop(entries)[2]
            if timer.cancelled:
                self.stale -= 1
            else:
                timer._heap = None  # noqa: SLF001 - same module: a timer outside the heap is not counted as stale
                due.append(timer)
        return due

    def restore(self, timers: Iterable[Timer]) -> None:
        """Put popped timers back at their old places; those cancelled meanwhile are left out."""
        for timer in timers:
            if timer.active:
                timer._heap = self  # noqa: SLF001 - undoes pop_due
                heappush(self._entries, (timer.deadline, timer._order, timer))  # noqa: SLF001 - same module

    def adopt(self, other: TimerHeap) -> None:
        """Take over the live timers of another heap, which is left empty; their deadlines stay as they are."""
        for _, _, timer in sorted(other._entries):
            if timer.active:
                self._added = timer._order = self._added + 1  # noqa: SLF001 - same module
                self.restore([timer])
        other._entries, other.stale = [], 0

    def _sweep(self) -> None:
        """Drop the cancelled entries once they are more than half."""
        entries = self._entries
        if self.stale * 2 <= len(entries):
            return
        live = [entry for entry in entries if not entry[2].cancelled]
        heapify(live)
        self._entries = live
        # Not "= 0": a finalizer may have cancelled one that the line above had already kept.
        self.stale -= len(entries) - len(live)
