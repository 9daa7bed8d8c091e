"""Queue bytes that a descriptor could not take yet, and give them out in pieces worth a system call."""

from __future__ import annotations

from collections import deque

__all__ = ["CHUNK", "Outbox", "Piece"]

#: Small writes are put together up to this size: a socket takes no more at once under load.
CHUNK = 64 * 1024

#: What may be queued.
Piece = bytes | memoryview


class Outbox:
    """Hold what is to be sent, in order.

    Attributes:
        size: How many bytes are held.
    """

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: deque[Piece] = deque()
        self.size = 0

    def __bool__(self) -> bool:
        """Tell whether anything is held."""
        return bool(self._pieces)

    def append(self, data: Piece) -> None:
        """Queue *data*, which nobody may change from now on; nothing at all is not queued."""
        if data:
            self._pieces.append(data)
            self.size += len(data)

    def head(self) -> Piece:
        """Return what to send next: small writes in one piece; a large one as it is."""
        pieces = self._pieces
        first = pieces.popleft()
        if pieces and len(first) + len(pieces[0]) <= CHUNK:
            parts, size = [first], len(first)
            while pieces and size + len(pieces[0]) <= CHUNK:
                size += len(pieces[0])
                parts.append(pieces.popleft())
            first = b"".join(parts)
        pieces.appendleft(first)
        return first

    def drop(self, count: int) -> None:
        """Forget the first *count* bytes of the head: they have been sent."""
        self.size -= count
        head = self._pieces[0]
        if count < len(head):
            # A view: what is left of a large write is not copied again for every piece of it.
            self._pieces[0] = memoryview(head)[count:]
        else:
            self._pieces.popleft()
