"""Lines of text: what a socket, a file or a terminal reads, cut at the ends of lines.

    read(data) ──▶ Line ──▶ line(line)              of a client, a file, a terminal
    read(sock, data) ──▶ Line ──▶ line(sock, line)  of a server

Rule 1: what is not a line yet is kept, for each connection on its own, until that ends. An idle one costs nothing.
Rule 2: a line that is too long is told once, in its place, and is not kept; the lines after it come as always.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from circuits.core.components import BaseComponent
from circuits.core.events import Event
from circuits.core.handlers import handler
from circuits.net.events import error
from evkernel.errors import LineTooLong
from evkernel.wire.lines import MAX_LINE, split_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import AnyStr

    Splitter = Callable[[Any, Any], tuple[list[Any], Any]]

__all__ = ["Line", "line", "splitLines"]

#: An unfinished line may be longer than the limit by this much: its last bytes may belong to what ends it.
_ENDING = 16


class line(Event):  # noqa: N801 - events are lower-case by design
    """Tell that a line has come, without what ended it.

    Args:
        args: of a client or a file (line); of a server (sock, line). Bytes, or text where text was read.
    """


def splitLines(s: AnyStr, buffer: AnyStr) -> tuple[list[AnyStr], AnyStr]:
    """Give the lines that *s* completes, without their ends, CR LF or LF, and what is not a line yet.

    Args:
        s: what has come.
        buffer: what was not a line yet the last time.
    """
    return split_lines(s, buffer)


class Line(BaseComponent):
    """Cut what is read into lines.

    Handles: read(data), read(sock, data), disconnect(sock), disconnected().
    Fires: line(line) or line(sock, line); error(LineTooLong) or error(sock, LineTooLong) in the place of a line that
        is longer than *max_bytes*.

    Args:
        args: see `init`.
        kwargs: see `init`; and `channel`: that of the component that reads, every channel if it is not given.
    """

    def init(
        self,
        splitter: Splitter = splitLines,
        getBuffer: Callable[[Any], Any] | None = None,
        updateBuffer: Callable[[Any, Any], None] | None = None,
        *,
        max_bytes: int | None = MAX_LINE,
    ) -> None:
        """Take the options of the constructor.

        Args:
            splitter: takes what was read and what was left the last time; gives a list of lines, and what is left.
            getBuffer: gives what was left for a socket, if you would rather keep that yourself; and forget it.
            updateBuffer: takes the socket and what is left for it.
            max_bytes: how long a line may be, in bytes, or in characters where text is read; None for no limit.

        Raises:
            TypeError: only one of *getBuffer* and *updateBuffer* was given.
        """
        if (getBuffer is None) is not (updateBuffer is None):
            raise TypeError("Line: getBuffer and updateBuffer belong together; only one of them was given")
        self._splitter = splitter
        self._max_bytes = max_bytes
        #: What is left, by socket; under None what is left for a client.
        self._unfinished: dict[Any, Any] = {}
        self._get_buffer = getBuffer or self._unfinished.get
        self._update_buffer = updateBuffer or self._keep
        #: Whose line has already been too long, while its end has not come.
        self._overlong: set[Any] = set()

    @handler("read")
    def _on_read(self, *args: Any) -> None:
        *sock, data = args
        if sock:
            rest = self._split(sock, sock[0], data, self._get_buffer(sock[0]))
            self._update_buffer(sock[0], rest)
        else:
            self._keep(None, self._split(sock, None, data, self._unfinished.get(None)))

    def _split(self, sock: list[Any], key: Any, data: Any, rest: Any) -> Any:
        """Fire an event for every line; give what is left."""
        lines, rest = self._splitter(data, rest or data[:0])
        if lines and key in self._overlong:
            self._overlong.remove(key)
            lines = lines[1:]
        for found in lines:
            if self._is_too_long(found, 0):
                self._complain(sock)
            else:
                self.fire(line(*sock, found))
        if key in self._overlong:
            return data[:0]
        if self._is_too_long(rest, _ENDING):
            self._overlong.add(key)
            self._complain(sock)
            return data[:0]
        return rest

    def _is_too_long(self, found: Any, allowance: int) -> bool:
        # A splitter may give anything; only what has come in one piece has a length that means something.
        limit = self._max_bytes
        return limit is not None and isinstance(found, (bytes, str, bytearray)) and len(found) > limit + allowance

    def _complain(self, sock: list[Any]) -> None:
        self.fire(error(*sock, LineTooLong(self._max_bytes or 0)))

    def _keep(self, key: Any, rest: Any) -> None:
        if rest:
            self._unfinished[key] = rest
        else:
            self._unfinished.pop(key, None)

    @handler("disconnect")
    def _on_disconnect(self, sock: Any = None) -> None:
        # Without a socket, a client is asked to disconnect: what it still reads until then counts.
        if sock is not None:
            self._forget(sock)

    @handler("disconnected")
    def _on_disconnected(self, *_: object) -> None:
        self._forget(None)

    def _forget(self, key: Any) -> None:
        self._unfinished.pop(key, None)
        self._overlong.discard(key)
