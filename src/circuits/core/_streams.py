"""The events of a name as an asynchronous iterator."""

from __future__ import annotations

from collections import deque

from ._awaits import Future
from ._errors import StreamOverflow
from ._waiting import forget_named, on_one_of
from .events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from ._tree import Tree

__all__ = ["EventStream"]


class _Inbox:
    """What the kernel knows of a stream: a waiter that keeps events until they are taken."""

    def __init__(self, tree: Tree, name: str, channels: tuple[Any, ...], limit: int) -> None:
        self.tree = tree
        self.name = name
        self.channels = channels
        self.limit = limit
        self.events: deque[Event] = deque()
        self.lost = 0
        self.reader: Future | None = None
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
            inbox.reader = Future()
            try:
                await inbox.reader.wait(None)
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
