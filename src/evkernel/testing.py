"""Test what runs on the kernel without sockets, threads or sleeping.

    ManualClock ──▶ Loop(clock=…, poller=ScriptedPoller(clock)) ──▶ Recorder
                        ▲
    run_until_idle ─────┘

Rule 1: time passes only when the test says so, or when a scripted poller is asked to sleep.
Rule 2: what would block for ever raises `Deadlock` instead.
"""

from __future__ import annotations

from ._static import TYPE_CHECKING
from .poll import READ, WRITE, Poller, Ready

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Deadlock", "ManualClock", "Recorder", "ScriptedPoller", "run_until_idle"]


class Deadlock(AssertionError):  # noqa: N818 - reads as the state that it reports
    """Say that the code under test would have waited for ever."""


class ManualClock:
    """Show the time that a test sets."""

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def now(self) -> float:
        """Return the present, in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass.

        Raises:
            ValueError: Monotonic time does not go back.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back, and not by {seconds!r} seconds either")
        self._now += seconds


class _Script:
    """Be the mechanism of a scripted poller."""

    def __init__(self, wait: Callable[[float | None], Ready]) -> None:
        self.wait = wait

    def fileno(self) -> int | None:
        return None

    def update(self, fd: int, old: int, new: int) -> bool:  # noqa: ARG002 - every number is as good as another
        return True

    def close(self) -> None:
        return


class ScriptedPoller(Poller):
    """Report the readiness that a test scripts; descriptors are any numbers.

    Readiness is a level, as with real descriptors: it stays until `set_idle`. A `wait` that would sleep
    advances the clock instead, up to the next readiness that is scripted with `at`.
    """

    def __init__(self, clock: ManualClock | None = None) -> None:
        super().__init__("select")
        self.kind = "scripted"
        self.sleeps: list[float] = []
        self._clock = ManualClock() if clock is None else clock
        self._levels: dict[int, int] = {}
        self._script: list[tuple[float, int, int]] = []

    def set_ready(self, fd: int, *, read: bool = False, write: bool = False, hang_up: bool = False) -> None:
        """Make *fd* ready from now on."""
        self._levels[fd] = self._levels.get(fd, 0) | _bits(read, write, hang_up)

    def set_idle(self, fd: int) -> None:
        """Make *fd* ready for nothing."""
        self._levels.pop(fd, None)

    def at(self, when: float, fd: int, *, read: bool = False, write: bool = False, hang_up: bool = False) -> None:
        """Make *fd* ready once the clock shows *when*."""
        self._script.append((when, fd, _bits(read, write, hang_up)))
        self._script.sort()

    def _make(self) -> _Script:
        return _Script(self._play)

    def _play(self, timeout: float | None) -> Ready:
        ready = self._ready_now()
        if ready or timeout == 0:
            return ready
        now = self._clock.now()
        until = [when - now for when, _, _ in self._script[:1]] + ([] if timeout is None else [timeout])
        if not until:
            raise Deadlock(f"nothing is ready, nothing is scripted, and there is no timeout: {self!r}")
        self.sleeps.append(min(until))
        self._clock.advance(min(until))
        return self._ready_now()

    def _ready_now(self) -> Ready:
        while self._script and self._script[0][0] <= self._clock.now():
            _, fd, bits = self._script.pop(0)
            self._levels[fd] = self._levels.get(fd, 0) | bits
        interests = self.interests()
        asked = {fd: bits & (interests[fd] | _HANG_UP) for fd, bits in self._levels.items() if fd in interests}
        return [(fd, bits) for fd, bits in asked.items() if bits]


_HANG_UP = 16


def _bits(read: bool, write: bool, hang_up: bool) -> int:
    return (READ if read else 0) | (WRITE if write else 0) | (_HANG_UP if hang_up else 0)


class Recorder:
    """Remember what happened, in order."""

    def __init__(self) -> None:
        self.entries: list[tuple[object, ...]] = []

    def record(self, *entry: object) -> None:
        """Add one entry; its first item is its name."""
        self.entries.append(entry)

    def names(self) -> list[object]:
        """Return the first item of every entry."""
        return [entry[0] for entry in self.entries]

    def callback(self, name: str) -> Callable[..., None]:
        """Return a function that records *name* and its arguments."""
        return lambda *arguments: self.record(name, *arguments)

    def clear(self) -> None:
        """Forget everything."""
        self.entries.clear()


def run_until_idle(step: Callable[[], bool], limit: int = 10_000) -> int:
    """Call *step* until it returns False.

    Returns:
        How many steps did something.

    Raises:
        Deadlock: It was not idle after *limit* steps.
    """
    for count in range(limit):
        if not step():
            return count
    raise Deadlock(f"still busy after {limit} steps")
