"""The pipes to a child process as file components, and what they keep of its output.

They differ from other files in whose they are: the process decides how long they live. A run that ends, or a tree that
is left, closes them when the process has ended, not before.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from circuits.core.handlers import handler
from circuits.core.pollers import ensure_poller

from ._descriptor import Descriptor
from .events import opened
from .file import File

if TYPE_CHECKING:
    from collections.abc import Callable

    from circuits.core.events import Event
    from circuits.core.values import Value

__all__ = ["Kept", "PipeFile"]


class Kept:
    """The last bytes of what a process has said.

    Args:
        limit: how many are kept at the most; None keeps all.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._pieces: deque[bytes] = deque()
        self._size = 0

    def add(self, data: bytes) -> None:
        """Keep *data*, and drop what is too old for that."""
        self._pieces.append(data)
        self._size += len(data)
        while self._limit is not None and self._pieces and self._size - len(self._pieces[0]) >= self._limit:
            self._size -= len(self._pieces.popleft())

    def getvalue(self) -> bytes:
        """Give what is kept."""
        data = b"".join(self._pieces)
        return data if self._limit is None else data[max(0, len(data) - self._limit) :]


class PipeFile(File):
    """Our end of one of the pipes to a process.

    Handles and fires what every `File` does, `open` excepted. What is fired on its channel goes to the component as a
    channel, too, when somebody has a handler there.
    """

    def init(  # type: ignore[override]  # made by the process alone
        self,
        fd: int,
        name: str,
        mode: str,
        bufsize: int,
        encoding: str | None,
        kept: Kept | None,
        has_closed: Callable[[PipeFile], None],
    ) -> None:
        """Take the options of the constructor."""
        super().init(name, mode, bufsize, encoding)
        self._fd = fd
        self._kept = kept
        self._tell_closed = has_closed

    @handler(False)
    def attach(self) -> None:
        """Begin at once: the tree may be about to deliver what is to be written."""
        ensure_poller(self)
        self._is_ready = True
        self._descriptor = Descriptor(self, self._fd, owned=True)
        self.fire(opened(self._filename, self._mode))
        self._read_on()

    def _open(self) -> Descriptor:
        raise ValueError(f"{self._filename} cannot be opened again")

    @handler(False)
    def fire(self, event: Event, *channels: Any, **kwargs: Any) -> Value:
        """Do what every component does, and let those hear it who have this one as a channel."""
        if not channels and self._evnode.guests and self.channel is not self:
            channels = (self.channel, self)
        return super().fire(event, *channels, **kwargs)

    def _has_read(self, data: bytes) -> None:
        if self._kept is not None:
            self._kept.add(data)
        super()._has_read(data)

    def _fire_input(self, event: Event) -> None:
        if self._evnode.guests:
            self.fire(event)
        else:
            super()._fire_input(event)

    def _ask_to_close(self) -> None:
        # Not by an event on a channel that the pipes of other processes may have, too.
        self.close()

    def _has_closed(self) -> None:
        super()._has_closed()
        self._tell_closed(self)

    @handler("prepare_unregister", channel="*", override=True)
    def _on_prepare_unregister(self, event: Event, component: Any) -> Any:  # noqa: ARG002
        if component is self:
            self.close_at_once()

    @handler("stopped", channel="*", override=True)
    def _on_stopped(self, manager: Any) -> None:
        """Go on: the process may still have something to say."""

    def _on_run_end(self) -> None:
        """Leave it to the process."""

    @handler(False)
    def close_at_once(self) -> None:
        """Close, whatever is queued or unread."""
        if self._descriptor is not None:
            self._descriptor.close_at_once()
