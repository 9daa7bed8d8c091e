"""Cut a stream of bytes into lines, or at any other separator.

    one CR LF tw ──▶ one          o LF three LF ──▶ two, three

Rule 1: a line that is too long is an error once, as soon as that is known; it is not kept, and the next one is found.
Rule 2: without a separator of its own, a line ends with LF or CR LF.
"""

from __future__ import annotations

from evkernel.errors import LineTooLong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr, Self

__all__ = ["MAX_LINE", "LineReader", "split_lines"]

#: Bytes of one line, without its end. Mail allows 1000, IRC with tags 8703, HTTP servers 8 KiB and more; nobody types
#: as much, and a thousand peers that do not end their lines cost 64 MiB at the most.
MAX_LINE = 64 * 1024


def split_lines(data: AnyStr, rest: AnyStr) -> tuple[list[AnyStr], AnyStr]:
    """Give the lines that *data* completes, and what is not a line yet.

    Args:
        data: what has come.
        rest: what was not a line yet the last time.
    """
    whole: Any = rest + data
    cr, lf = ("\r", "\n") if isinstance(whole, str) else (b"\r", b"\n")
    *lines, rest = whole.split(lf)
    return [line.removesuffix(cr) for line in lines], rest


class LineReader:
    """Find the lines of a stream: `for line in reader.receive(data): …`.

    Args:
        separator: what ends a line; None for LF or CR LF.
        max_bytes: how long a line may be, without its end; None for no limit.

    Raises:
        LineTooLong: from the iteration, in the place of a line that is longer; the lines after it are still given.
        ValueError: the separator is empty.
    """

    __slots__ = ("_buffer", "_is_skipping", "_max_bytes", "_searched", "_separator", "_takes_cr")

    def __init__(self, separator: bytes | None = None, *, max_bytes: int | None = MAX_LINE) -> None:
        if separator is not None and not separator:
            raise ValueError(f"LineReader: expected a separator of at least one byte, got {separator!r}")
        self._separator = b"\n" if separator is None else separator
        self._takes_cr = separator is None
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        #: No separator begins before this place.
        self._searched = 0
        self._is_skipping = False

    @property
    def rest(self) -> bytes:
        """What has come and is not a line yet; nothing of a line that is too long."""
        return b"" if self._is_skipping else bytes(self._buffer)

    def clear(self) -> None:
        """Forget what has come, as for a new connection."""
        self._buffer.clear()
        self._searched = 0
        self._is_skipping = False

    def receive(self, data: bytes) -> Self:
        """Take what has come; iterate over the result for the lines."""
        self._buffer += data
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        buffer, separator = self._buffer, self._separator
        while (end := buffer.find(separator, self._searched)) >= 0:
            line = bytes(buffer[:end])
            del buffer[: end + len(separator)]
            self._searched = 0
            if self._is_skipping:
                self._is_skipping = False
                continue
            if self._takes_cr:
                line = line.removesuffix(b"\r")
            if self._max_bytes is not None and len(line) > self._max_bytes:
                raise LineTooLong(self._max_bytes)
            return line
        self._searched = max(0, len(buffer) - len(separator) + 1)
        self._limit_rest()
        raise StopIteration

    def _limit_rest(self) -> None:
        """Give up a line that is too long before its end has come."""
        # The bytes at the end may belong to the separator.
        ending = len(self._separator) - 1
        limit = self._max_bytes
        was_skipping = self._is_skipping
        if not was_skipping and (limit is None or len(self._buffer) <= limit + ending + self._takes_cr):
            return
        del self._buffer[: len(self._buffer) - ending]
        self._searched = 0
        self._is_skipping = True
        if not was_skipping and limit is not None:
            raise LineTooLong(limit)
