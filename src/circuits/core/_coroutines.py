"""Handlers that are coroutines: run as tasks of the asyncio loop that hosts the tree.

    handler ── coroutine ──▶ start_coroutine ──▶ host.create_task ──▶ resume, when it ends
    await self.call(e), value, sleep, wait  ──▶ a future that the kernel's waiters set

Rule 1: this module, and asyncio with it, is loaded when the first coroutine appears and not before.
Rule 2: a coroutine belongs to the component whose handler it is; when that leaves or the tree stops it is cancelled,
and both wait until it has ended.
Rule 3: what a coroutine fires is caused by the event it handles, as with any other handler.
"""

from __future__ import annotations

from _thread import get_ident
from collections import deque
from collections.abc import Coroutine
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

from evkernel import hosted
from evkernel.clock import MONOTONIC

from ._flags import DONE, HAS_ERRORS
from ._story import shown
from ._tasks import TimeoutError, forget_named, on_one_of  # noqa: A004 - documented name
from ._tracking import fail, resume, suspend, unwatch, watch
from .events import Event
from .values import Value, _store, _with_nested

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from ._tasks import Call, Wait
    from ._tree import Tree

__all__ = ["CoroutineTask", "EventStream", "StreamOverflow", "start_coroutine"]


class CoroutineTask(Coroutine[Any, Any, Any]):
    """A coroutine handler on its way, and the coroutine that the asyncio task runs in its place.

    At every step it tells the kernel which event and which handler are at work.

    Args:
        tree: where it was started.
        event: the event it handles.
        handler: the handler that returned it.
        coroutine: what to run.
    """

    __slots__ = ("_cancelled", "_coroutine", "_task", "event", "handler", "owner", "tree")

    def __init__(self, tree: Tree, event: Event, handler: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.tree = tree
        self.event = event
        self.handler = handler
        #: The component it belongs to.
        self.owner = getattr(handler, "__self__", None)
        self._coroutine = coroutine
        self._task: Any = None
        self._cancelled = False

    def start(self, host: hosted.Host | hosted.ByHand) -> None:
        """Run on the asyncio loop of *host*."""
        # Not the text form of the event: its arguments may be large, or have none.
        self._task = host.create_task(self, name=f"{self._qualname} for {self.event.name}")
        self._task.add_done_callback(self._ended)
        if self._cancelled:
            self._task.cancel()

    def cancel(self) -> None:
        """Ask the coroutine to end; it has ended when it is no longer among the tasks of its tree."""
        self._cancelled = True
        if self._task is not None:
            self._task.cancel()

    def abandon(self) -> None:
        """Count the coroutine as ended: it was never started, or the loop that ran it is gone."""
        if self._task is None:
            self._coroutine.close()
        self._end(None, None)

    def send(self, value: Any) -> Any:
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        tree = self.tree
        before = tree.current, tree.handler, tree.thread
        tree.current, tree.handler, tree.thread = self.event, self.handler, get_ident()
        try:
            return step(*args)
        finally:
            tree.current, tree.handler, tree.thread = before

    def _ended(self, task: Any) -> None:
        if task.cancelled():
            self._end(None, None)
        else:
            error = task.exception()
            self._end(None if error else task.result(), error)

    def _end(self, result: Any, error: BaseException | None) -> None:
        tree = self.tree
        if self not in tree.tasks:
            return
        tree.tasks.discard(self)
        if error is not None:
            fail(tree, self.event, self.handler, error)
        elif result is not None:
            _store(self.event, result)
        resume(tree, self.event)
        node = getattr(self.owner, "_evnode", None)
        if node is not None and node.when_tasks_end is not None:
            node.when_tasks_end()

    @property
    def _qualname(self) -> str:
        return str(getattr(self._coroutine, "__qualname__", self._coroutine))

    def __repr__(self) -> str:
        return f"<{self._qualname} for {self.event!r}>"


def start_coroutine(tree: Tree, event: Event, handler: Any, result: Any) -> None:
    """Run what a coroutine handler has returned, on the host of the tree as soon as there is one."""
    suspend(event)
    coroutine = _drain(event, result) if type(result) is AsyncGeneratorType else result
    task = CoroutineTask(tree, event, handler, coroutine)
    tree.tasks.add(task)
    tree.start_coroutine(task)


async def _drain(event: Event, generator: AsyncGeneratorType[Any, None]) -> None:
    async for item in generator:
        if item is not None:
            _store(event, item)


class _Future:
    """A waiter that sets an asyncio future, also when the event is done in another thread."""

    __slots__ = ("_future", "accept")

    def __init__(self, accept: Callable[[Event], bool] | None = None) -> None:
        self._future = hosted.Promise()
        self.accept = accept

    def wake(self, event: Event) -> None:
        if self.accept is None or self.accept(event):
            self._future.set(event)

    async def wait(self, timeout: float | None, what: Any) -> Event:
        try:
            event: Event = await self._future.get(timeout)
        except hosted.OutOfTime:
            raise TimeoutError(f"{shown(what)} was not done within {timeout} s") from None
        return event


async def wait_until_done(event: Event, timeout: float | None = None, what: Any = None) -> Any:
    """Wait for the final result of *event*, that of nested values included.

    Raises:
        Exception: what a handler of the event has raised.
        TimeoutError: after *timeout* seconds.
    """
    deadline = None if timeout is None else MONOTONIC.now() + timeout
    # One after the other: what is nested in an event is known when that is done.
    for inner in _with_nested(event):
        left = None if deadline is None else max(0.0, deadline - MONOTONIC.now())
        await _wait_for_event(inner, left, what)
        if inner._flags & HAS_ERRORS:
            raise _error_of(inner)
    return Value(event).value


async def call(step: Call) -> Any:
    """Fire the event of a call and wait for its final result."""
    step.manager.fire(step.event, *step.channels)
    return await wait_until_done(step.event, step.timeout, step)


async def wait(step: Wait) -> Value:
    """Wait for an event, or for the next of a name."""
    if isinstance(step.event, Event):
        await _wait_for_event(step.event, step.timeout, step)
        return Value(step.event)
    waiter = _Future(lambda event: on_one_of(event, step.channels))
    tree = step.manager._evtree
    tree.waiters.setdefault(step.event, []).append(waiter)
    try:
        return Value(await waiter.wait(step.timeout, step))
    finally:
        forget_named(step.manager._evtree, step.event, waiter)


async def sleep_for(seconds: float) -> None:
    """Wait for a number of seconds."""
    await hosted.sleep(seconds)


async def _wait_for_event(event: Event, timeout: float | None, what: Any = None) -> None:
    if event._flags & DONE:
        return
    waiter = _Future()
    manager = event._manager
    tree = manager._evtree if manager is not None else None
    if tree is None or tree.thread in (None, get_ident()):
        watch(event, waiter)
        try:
            await waiter.wait(timeout, what)
        finally:
            unwatch(event, waiter)
    else:
        # The event belongs to a tree of another thread, which alone may look at its state.
        tree.loop.call_soon(lambda: waiter.wake(event) if event._flags & DONE else watch(event, waiter))
        try:
            await waiter.wait(timeout, what)
        finally:
            tree.loop.call_soon(lambda: unwatch(event, waiter))


def _error_of(event: Event) -> BaseException:
    results = event._value if type(event._value) is list else [event._value]
    for item in results:
        if isinstance(item, tuple) and len(item) == 3 and isinstance(item[1], BaseException):
            return item[1]
    return RuntimeError(f"{shown(event)} has failed")


class StreamOverflow(Exception):  # noqa: N818 - says what happened
    """Events have come faster than they were taken from a stream."""


class _Inbox:
    """What the kernel knows of a stream: a waiter that keeps events until they are taken."""

    def __init__(self, tree: Tree, name: str, channels: tuple[Any, ...], limit: int) -> None:
        self.tree = tree
        self.name = name
        self.channels = channels
        self.limit = limit
        self.events: deque[Event] = deque()
        self.lost = 0
        self.reader: _Future | None = None
        tree.waiters.setdefault(name, []).append(self)

    def wake(self, event: Event) -> None:
        if not on_one_of(event, self.channels):
            return
        if len(self.events) >= self.limit:
            self.lost += 1
            return
        self.events.append(event)
        self.notify(event)

    def notify(self, event: Event) -> None:
        if self.reader is not None:
            self.reader.wake(event)


class EventStream:
    """The events of a name, once each has been handled, for `async for`.

    It listens from its making until it is closed, or forgotten by the last who holds it.

    Args:
        tree: where to listen.
        name: the name of the events.
        channels: the channels of which an event must be on one; none means any.
        limit: how many events may wait to be taken.

    Raises:
        StreamOverflow: from `async for`, when more than *limit* events were waiting; those are delivered first.
    """

    def __init__(self, tree: Tree, name: str, channels: tuple[Any, ...], limit: int) -> None:
        self._inbox = _Inbox(tree, name, channels, limit)
        self._open = True

    def close(self) -> None:
        """Listen no longer; an `async for` over the stream ends once the waiting events are taken."""
        if self._open:
            self._open = False
            inbox = self._inbox
            forget_named(inbox.tree, inbox.name, inbox)
            inbox.notify(Event())

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event:
        inbox = self._inbox
        while not inbox.events:
            if inbox.lost:
                lost, inbox.lost = inbox.lost, 0
                raise StreamOverflow(f"{lost} {inbox.name!r} event(s) were lost: {inbox.limit} were waiting already")
            if not self._open:
                raise StopAsyncIteration
            inbox.reader = _Future()
            try:
                await inbox.reader.wait(None, self)
            finally:
                inbox.reader = None
        return inbox.events.popleft()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<EventStream {self._inbox.name!r}>"
