"""Turn: wait for readiness, then run I/O callbacks, due timers and ready callbacks.

    call_soon ──▶ ready ─────────────────────────────┐
    call_later ─▶ timers ──▶ due ──────────────────┐ │
    poller ─────▶ wait(timeout) ──▶ I/O callbacks ─┴─┴─▶ process()

Rule 1: one loop, one thread. Only `call_soon`, `wake` and `stop` may be called from elsewhere; `wake` and
        `stop` from signal handlers too.
Rule 2: `process` runs what was there when it began. A callback that adds itself again waits for the next turn.
Rule 3: a callback that raises an Exception keeps none of the others from running; the first one is raised at
        the end. What is not an Exception leaves at once, and everything not yet run stays for the next turn.
Rule 4: going to sleep is: say so, look again, poll. Waking is: publish, look whether it sleeps, wake.
Rule 5: after a fork the child has the same callbacks and timers over descriptors of its own.

Handlers, fairness and the shutdown of a program are left to the drivers above.
"""

from __future__ import annotations

import os
from collections import deque
from weakref import WeakSet

from ._static import TYPE_CHECKING
from .clock import MONOTONIC, Clock
from .errors import LoopClosed
from .poll import Callback, Poller, Ready
from .timers import Timer, TimerHeap
from .wakeup import SignalWakeup, Wakeup

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Loop", "disown"]


class Loop:
    """Drive a poller, timers and ready callbacks on one thread.

    Attributes:
        clock: Where the loop takes its time from.
        timers: The deadlines.
        poller: The descriptors; opened when first needed.
        forked: How many forks lie between this process and the one that made the loop.
        on_fork: For the host: called in the child, once the loop has been separated from its parent's.
        on_timer: For the host: called when a timer is set while the host dozes.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_dozing",
        "_now",
        "_ready",
        "_signals",
        "_sleeping",
        "_stopping",
        "_wakeup",
        "_woken",
        "clock",
        "forked",
        "on_fork",
        "on_timer",
        "poller",
        "timers",
    )

    def __init__(self, *, clock: Clock = MONOTONIC, poller: Poller | None = None) -> None:
        self.clock = clock
        self.timers = TimerHeap()
        self.poller = Poller() if poller is None else poller
        self.forked = 0
        self.on_fork: Callable[[], None] | None = None
        self.on_timer: Callable[[], None] | None = None
        self._now = clock.now
        self._ready: deque[Callback] = deque()
        self._wakeup: Wakeup | None = None
        self._signals: SignalWakeup | None = None
        self._dozing = False  # the thread sleeps, or has said that it is about to
        self._sleeping = False  # and nobody has written to the wake-up since
        self._woken = False
        self._stopping = False
        self._closed = False
        _loops.add(self)

    # --- what is to come

    def call_at(self, when: float, callback: Callback) -> Timer:
        """Call *callback* once the clock shows *when*; never within the present turn's callbacks."""
        timer = self.timers.add(when, callback)
        if self._dozing and self.on_timer is not None:
            self.on_timer()
        return timer

    def call_later(self, delay: float, callback: Callback) -> Timer:
        """Call *callback* after *delay* seconds; never within the present turn's callbacks."""
        return self.call_at(self._now() + delay, callback)

    def call_soon(self, callback: Callback) -> None:
        """Call *callback* in the next turn; from any thread.

        Raises:
            LoopClosed: There will be no next turn.
        """
        if self._closed:
            raise LoopClosed("call_soon on a closed loop")
        self._ready.append(callback)
        if self._sleeping:
            self.wake()

    def wake(self) -> None:
        """End the present or the next wait; from any thread or signal handler."""
        self._woken = True
        if self._sleeping:
            # The first of many wakers takes the flag away and writes; the others are done here.
            self._sleeping = False
            if self._wakeup is not None:
                self._wakeup.wake()

    def time_to_next(self) -> float | None:
        """Return the seconds until something is due.

        Returns:
            0 when callbacks are ready or somebody woke the loop, None when no timer is set.
        """
        if self._ready or self._woken:
            return 0.0
        deadline = self.timers.next_deadline()
        return None if deadline is None else max(0.0, deadline - self._now())

    # --- the turn

    def wait(self, timeout: float | None) -> Ready:
        """Sleep until a descriptor is ready, a timer is due or somebody wakes the loop.

        Args:
            timeout: Seconds to sleep at most; None for no limit of the caller's own.

        Returns:
            What `process` takes.
        """
        if timeout is None or timeout > 0:
            due = self.time_to_next()
            if due is not None and (timeout is None or due < timeout):
                timeout = due
            if timeout is None or timeout > 0:
                return self._sleep(timeout)
        self._woken = False
        return self.poller.wait(0)

    def _sleep(self, timeout: float | None) -> Ready:
        hosted = self._dozing  # we are in a callback of the host's, not in one of ours
        self.doze()
        try:
            # Whoever published before we said that we sleep did not wake us: look again.
            ready = self.poller.wait(0 if self._woken or self._ready else timeout)
        finally:
            if not hosted:
                self.awake()
        self._woken = False
        return ready

    def doze(self) -> bool:
        """Say that the thread is about to sleep, here or in a host; from now on `wake` writes.

        Returns:
            False when something has come meanwhile, and sleeping is not the thing to do.
        """
        if self._wakeup is None:
            self._open_wakeup()
        self._dozing = self._sleeping = True
        return not (self._woken or self._ready)

    def awake(self) -> None:
        """Say that the thread does not sleep any more; ends `doze`."""
        self._dozing = self._sleeping = False

    def _drain(self) -> None:
        """Take note that somebody woke us, unless a host is asleep: then it is for the host to see."""
        if not self._dozing and self._wakeup is not None:
            self._wakeup.drain()

    def process(self, ready: Ready) -> None:
        """Run the I/O callbacks of *ready*, then the due timers, then the ready callbacks."""
        first: Exception | None = None
        if ready:
            try:
                self.poller.dispatch(ready)
            except Exception as error:  # noqa: BLE001 - raised below (rule 3)
                first = error
        if self.timers:
            due = self.timers.pop_due(self._now())
            if due:
                first = self._run_due(due, first)
        if self._ready:
            first = self._run_ready(first)
        if first is not None:
            raise first

    def _run_due(self, due: list[Timer], first: Exception | None) -> Exception | None:
        for index, timer in enumerate(due, 1):
            try:
                timer.run()
            except Exception as error:  # noqa: BLE001 - raised by process (rule 3)
                first = first or error
            except BaseException:
                self.timers.restore(due[index:])
                raise
        return first

    def _run_ready(self, first: Exception | None) -> Exception | None:
        ready = self._ready
        for _ in range(len(ready)):
            if not ready:
                break  # a callback turned the loop itself and took the rest
            try:
                ready.popleft()()
            except Exception as error:  # noqa: BLE001 - raised by process (rule 3)
                first = first or error
        return first

    def turn(self, timeout: float | None = None) -> None:
        """Wait, then process what came."""
        self.process(self.wait(timeout))

    def run(self) -> None:
        """Turn until somebody calls `stop`; in the main thread, signals are watched for the duration."""
        watches = not self.watches_signals and self.watch_signals()
        try:
            while not self._stopping:
                self.process(self.wait(None))
        finally:
            self._stopping = False
            if watches:
                self.unwatch_signals()

    def stop(self) -> None:
        """End `run` after its present turn, or the next `run` before its first; from any thread."""
        self._stopping = True
        self.wake()

    # --- descriptors

    def use(self, kind: str) -> None:
        """Change the polling mechanism in place.

        Raises:
            UnknownPoller: This system does not have it.
            NotPollable: It cannot watch one of the descriptors; nothing is changed.
        """
        self.poller.reopen(kind)

    @property
    def watches_signals(self) -> bool:
        """Tell whether every signal ends the wait."""
        return self._signals is not None

    def watch_signals(self) -> bool:
        """Let every signal end the wait, even one that comes in the instant before the thread falls asleep.

        To be called by the main thread, for the loop that runs there. Without this a handler may have to wait
        until something else ends the sleep.

        Returns:
            False when this is another thread, or when somebody else (a host, say) is told about signals.
        """
        if self._signals is None:
            try:
                self._signals = SignalWakeup()
            except ValueError:
                return False
            self.poller.set_reader(self._signals.fileno(), self._signals.drain)
            self.poller.quiet += 1
        return True

    def unwatch_signals(self) -> None:
        """Undo `watch_signals`; harmless when repeated."""
        signals, self._signals = self._signals, None
        if signals is not None:
            self.poller.discard(signals.fileno())
            self.poller.quiet -= 1
            signals.close()

    def close(self) -> None:
        """Give all descriptors back; idempotent. Timers can still be cancelled, `wake` does nothing."""
        self._closed = True
        self.awake()
        self._ready.clear()
        self.unwatch_signals()
        self._close_wakeup()
        self.poller.close()

    def _open_wakeup(self) -> None:
        if self._closed:
            raise LoopClosed("the loop is closed")
        self._wakeup = Wakeup()
        self.poller.set_reader(self._wakeup.fileno(), self._drain)
        self.poller.quiet += 1

    def _close_wakeup(self) -> None:
        wakeup, self._wakeup = self._wakeup, None
        if wakeup is not None:
            self.poller.discard(wakeup.fileno())
            self.poller.quiet -= 1
            wakeup.close()

    def _after_fork(self) -> None:
        """Let go of what is shared with the parent; the next sleep opens it anew (rule 5)."""
        self.forked += 1
        self.awake()
        self.poller.after_fork()
        self._close_wakeup()
        watched = self.watches_signals
        self.unwatch_signals()
        if self.on_fork is not None:
            self.on_fork()
        if watched:
            self.watch_signals()


def disown(*own: Loop) -> None:
    """Give back, in a forked child, the descriptors that the loops of its parent watch.

    A connection that the parent closes ends only when nobody else has it open. The numbers are not closed but lead
    nowhere from now on: the objects that own them may close them at any time.

    Args:
        own: Loops that the child goes on with.
    """
    for loop in list(_loops):
        if loop not in own:
            loop.unwatch_signals()
            loop.poller.abandon()


_loops: WeakSet[Loop] = WeakSet()


def _separate_loops() -> None:
    for loop in list(_loops):
        loop._after_fork()  # noqa: SLF001 - the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_separate_loops)
