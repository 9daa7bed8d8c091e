"""What a coroutine handler may await: a call, a value, a wait, a sleep.

    await ──▶ Future, a waiter like all others ──▶ the event is done ──▶ the coroutine goes on

Rule 1: this module, and asyncio with it, is loaded when the first coroutine awaits something and not before.
Rule 2: an event of a tree that another thread runs is looked at in that thread only.
"""

from __future__ import annotations

from _thread import get_ident

from evkernel import hosted
from evkernel.clock import MONOTONIC

from ._errors import TimeoutError  # noqa: A004 - documented name
from ._flags import DONE, HAS_ERRORS
from ._story import shown
from ._waiting import forget_named, on_one_of, unwatch, watch
from .events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._tasks import Call, Wait
    from .values import Value

__all__ = ["Future", "call", "sleep_for", "wait", "wait_until_done"]


class Future:
    """A waiter that sets an asyncio future, also when the event is done in another thread."""

    __slots__ = ("_future", "accept")

    def __init__(self, accept: Callable[[Event], bool] | None = None) -> None:
        self._future = hosted.Promise()
        self.accept = accept

    def wake(self, event: Event) -> None:
        if self.accept is None or self.accept(event):
            self._future.set(event)

    async def wait(self, timeout: float | None) -> Event:
        event: Event = await self._future.get(timeout)
        return event


async def wait_until_done(event: Event, timeout: float | None = None, what: Any = None) -> Any:
    """Wait for the final result of *event*, that of nested values included.

    Raises:
        Exception: what a handler of the event has raised.
        TimeoutError: after *timeout* seconds.
    """
    deadline = None if timeout is None else MONOTONIC.now() + timeout
    # One after the other: what is nested in an event is known when that is done.
    for inner in event._results().events():
        left = None if deadline is None else max(0.0, deadline - MONOTONIC.now())
        try:
            await _wait_for_event(inner, left)
        except hosted.OutOfTime:
            raise _too_late(what, timeout) from None
        if inner._flags & HAS_ERRORS:
            raise _error_of(inner)
    return event._results().value


async def call(step: Call) -> Any:
    """Fire the event of a call and wait for its final result."""
    step.manager.fire(step.event, *step.channels)
    return await wait_until_done(step.event, step.timeout, step)


async def wait(step: Wait) -> Value:
    """Wait for an event, or for the next of a name."""
    try:
        if isinstance(step.event, Event):
            await _wait_for_event(step.event, step.timeout)
            return step.event._results()
        return (await _wait_for_name(step, step.event))._results()
    except hosted.OutOfTime:
        raise _too_late(step, step.timeout) from None


async def _wait_for_name(step: Wait, name: str) -> Event:
    waiter = Future(lambda event: on_one_of(event, step.channels))
    step.manager._evtree.waiters.setdefault(name, []).append(waiter)
    try:
        return await waiter.wait(step.timeout)
    finally:
        forget_named(step.manager._evtree, name, waiter)


def _too_late(what: Any, timeout: float | None) -> TimeoutError:
    return TimeoutError(f"{shown(what)} was not done within {timeout} s")


async def sleep_for(seconds: float) -> None:
    """Wait for a number of seconds."""
    await hosted.sleep(seconds)


async def _wait_for_event(event: Event, timeout: float | None) -> None:
    if event._flags & DONE:
        return
    waiter = Future()
    manager = event._manager
    tree = manager._evtree if manager is not None else None
    if tree is None or tree.thread in (None, get_ident()):
        watch(event, waiter)
        try:
            await waiter.wait(timeout)
        finally:
            unwatch(event, waiter)
    else:
        # The event belongs to a tree of another thread, which alone may look at its state.
        tree.loop.call_soon(lambda: waiter.wake(event) if event._flags & DONE else watch(event, waiter))
        try:
            await waiter.wait(timeout)
        finally:
            tree.loop.call_soon(lambda: unwatch(event, waiter))


def _error_of(event: Event) -> BaseException:
    results = event._value if type(event._value) is list else [event._value]
    for item in results:
        if isinstance(item, tuple) and len(item) == 3 and isinstance(item[1], BaseException):
            return item[1]
    return RuntimeError(f"{shown(event)} has failed")
