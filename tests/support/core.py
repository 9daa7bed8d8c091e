"""Trees of components that a test turns by hand, on a clock that it sets.

    app = on_manual_clock(App())
    app.fire(greet("Bob"))
    run_until_idle(app)
    pass_time(app, 5.0)

Rule 1: a tree on a manual clock never sleeps; what would wait for ever raises `Deadlock`.
Rule 2: a recorder sees every event on every channel, before all other handlers.
"""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from circuits.core.components import BaseComponent
from circuits.core.handlers import handler
from evkernel.loop import Loop
from evkernel.testing import ManualClock, ScriptedPoller
from evkernel.testing import run_until_idle as repeat_until_idle

from .waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from circuits.core.events import Event
    from circuits.core.manager import Manager

__all__ = ["EventRecorder", "clock_of", "on_manual_clock", "pass_time", "run_until_idle", "running", "turn_until"]

#: Fired by the kernel in every test, and of no interest in most.
KERNEL = frozenset({"registered", "generate_events"})

M = TypeVar("M", bound="Manager")


def on_manual_clock(root: M, clock: ManualClock | None = None) -> M:
    """Give the tree of *root*, which has nothing in its loop yet, a clock that only the test turns."""
    clock = ManualClock() if clock is None else clock
    root._evtree.loop = Loop(clock=clock, poller=ScriptedPoller(clock))
    return root


def clock_of(manager: Manager) -> ManualClock:
    """Return the manual clock of a tree."""
    clock = manager._evtree.clock
    assert isinstance(clock, ManualClock)
    return clock


def run_until_idle(manager: Manager, limit: int = 10_000) -> int:
    """Tick until no event is queued and no task is ready; return how many turns that took.

    Raises:
        Deadlock: there was still work after *limit* turns.
    """

    def step() -> bool:
        if not manager._evtree.busy:
            return False
        manager.tick()
        return True

    return repeat_until_idle(step, limit)


def pass_time(manager: Manager, seconds: float) -> None:
    """Let time pass in one leap, then do all that has become due."""
    clock_of(manager).advance(seconds)
    manager.tick()
    run_until_idle(manager)


def turn_until(manager: Manager, condition: Any, timeout: float = 10.0) -> None:
    """Tick by hand, in real time, until *condition* holds; for coroutines, which asyncio times."""

    def has_happened() -> bool:
        manager.tick()
        return bool(condition())

    wait_until(has_happened, timeout)


@contextlib.contextmanager
def running(app: M) -> Iterator[M]:
    """Run *app* in a thread of its own while the block lasts; then stop it and wait for its end."""
    begun = threading.Event()

    def started(*_: Any) -> None:
        begun.set()

    method = app.addHandler(handler("started", channel="*", priority=-1000)(started))
    thread, _ = app.start()
    assert begun.wait(10)
    try:
        yield app
    finally:
        app.stop()
        thread.join(10)
        app.removeHandler(method)
        assert not thread.is_alive(), f"{app!r} did not stop"


class EventRecorder(BaseComponent):
    """Remember every event, in the order of delivery; once for each of its channels.

    Handles: every event on every channel.
    """

    def init(self) -> None:
        self.seen: list[Event] = []

    @handler(channel="*", priority=1_000_000)
    def _record(self, event: Event, *_: Any, **__: Any) -> None:
        self.seen.append(event)

    def names(self, *, without: frozenset[str] = KERNEL) -> list[str]:
        """Return the names of the events, without the kernel's own."""
        return [event.name for event in self.seen if event.name not in without]

    def of(self, name: str) -> list[Event]:
        """Return the events of one name."""
        return [event for event in self.seen if event.name == name]

    def clear(self) -> None:
        """Forget everything."""
        self.seen.clear()
