"""The event of what a socket has received, by which handlers answer.

    handler ── returns bytes ──▶ incoming ──▶ connection.answer ──▶ socket

Rule 1: each result of each handler is sent once, in the order in which they come.
Rule 2: documented events tell of it, too, when there is somebody to hear them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from circuits.core._flags import NOTIFY
from circuits.core.values import Value

from .events import read

if TYPE_CHECKING:
    from circuits.core.manager import Manager

__all__ = ["VALUE_CHANGED", "Answerable", "as_bytes", "incoming"]

#: The documented event about an answer. Nobody but a stranger to the connection listens to it.
VALUE_CHANGED = "read_value_changed"


class Answerable(Protocol):
    """Where input came from, as far as it can be answered."""

    def answer(self, data: bytes | memoryview) -> None:
        """Send what a handler has returned."""


class incoming(read):  # noqa: N801 - an event
    """The `read` event of a connection; what its handlers return is sent to the peer, without an event if possible."""

    __slots__ = ("_answered", "_connection")

    name = "read"
    notify = True

    def __init__(self, connection: Answerable, args: tuple[Any, ...]) -> None:
        # What Event.__init__ does, without the calls: this is half of what an event costs.
        self.args = args
        self._kwargs = None
        self._flags = NOTIFY
        self._value = None
        self._manager = None
        self._cause = None
        self._depth = 0
        self._connection = connection
        #: How many of the results have been taken care of.
        self._answered = 0

    def _announce(self, manager: Manager) -> None:
        """Answer with the results that are new."""
        results = self._value
        if type(results) is bytes and not self._answered:
            self._answered = 1
            self._connection.answer(results)
        else:
            self._answer_with_the_new()
        if VALUE_CHANGED in manager._evtree.plans.receivers:
            super()._announce(manager)

    def _answer_with_the_new(self) -> None:
        results = Value(self).value
        if type(results) is not list:
            results = [results]
        new, self._answered = results[self._answered :], len(results)
        for result in new:
            # Anything else a handler may return is between it and whoever waits for the event.
            if isinstance(result, (bytes, str, bytearray, memoryview)):
                self._connection.answer(as_bytes(result))


def as_bytes(data: bytes | bytearray | memoryview | str) -> bytes | memoryview:
    """Give what a socket sends; bytes that their owner may still change are copied.

    Raises:
        TypeError: for anything but bytes and text.
    """
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, bytes):
        return data
    if isinstance(data, (bytearray, memoryview)):
        return bytes(data)
    raise TypeError(f"expected bytes or text to write, got {type(data).__name__}: {data!r:.80}")
