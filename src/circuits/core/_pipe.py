"""Carry frames between two processes, over a socket pair or over a component that reads and writes.

    send(frame) ──▶ length + frame ──▶ socket ══▶ socket ──▶ Frames ──▶ on_frame(frame)
                       (kept, while the socket is full)                 on_lost(reason), once

Rule 1: a frame is its length in four bytes, then its bytes. A length beyond the limit ends the connection.
Rule 2: nothing blocks. Reading takes one piece at a time, so that a talkative peer does not hold up the tree.
Rule 3: a failure to write is not reported: what the peer has sent before it went is read first, and then its end.
"""

from __future__ import annotations

from evkernel.outbox import Outbox

from ._errors import FrameTooLargeError
from .events import Event
from .handlers import handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from socket import socket
    from typing import Any

    from evkernel.loop import Loop

    from .manager import Manager

__all__ = ["MAX_FRAME_BYTES", "ComponentPipe", "Frames", "SocketPipe", "is_private", "make_pair"]

#: Largest frame. Events carry messages, not files; a length that was read from garbage must not fill the memory.
MAX_FRAME_BYTES = 64 * 1024 * 1024
#: Most bytes that may wait for the peer to read. A peer that has stopped reading must not fill the memory either.
MAX_UNSENT_BYTES = 4 * MAX_FRAME_BYTES
#: Bytes read at a time: as much as a socket pair holds on Linux.
PIECE = 256 * 1024

_LENGTH = 4


class Frames:
    """Cut a stream of bytes into the frames that were put into it."""

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read; give the frames that are complete.

        Raises:
            FrameTooLargeError: when a frame is announced that is larger than the limit.
        """
        buffer = self._buffer
        buffer += data
        frames = []
        begin = 0
        while len(buffer) - begin >= _LENGTH:
            size = int.from_bytes(buffer[begin : begin + _LENGTH], "big")
            if size > self._limit:
                raise FrameTooLargeError(f"a frame of {size} bytes was announced, the limit is {self._limit}")
            end = begin + _LENGTH + size
            if len(buffer) < end:
                break
            frames.append(bytes(buffer[begin + _LENGTH : end]))
            begin = end
        del buffer[:begin]
        return frames


def framed(frame: bytes, unsent: int = 0) -> bytes:
    """Put a frame into the form that travels.

    Raises:
        FrameTooLargeError: when it is larger than a frame may be, or *unsent* bytes are waiting already.
    """
    if len(frame) > MAX_FRAME_BYTES:
        raise FrameTooLargeError(f"the message has {len(frame)} bytes, the limit is {MAX_FRAME_BYTES}")
    if unsent > MAX_UNSENT_BYTES:
        raise FrameTooLargeError(
            f"{unsent} bytes are waiting for the other process to read, limit is {MAX_UNSENT_BYTES}"
        )
    return len(frame).to_bytes(_LENGTH, "big") + frame


def make_pair() -> tuple[socket, socket]:
    """Make two sockets that are connected with each other and with nothing else."""
    from socket import socketpair  # late: it costs more to load than the rest of this module

    return socketpair()


def is_private(sock: Any) -> bool:
    """Tell whether a socket is one of a pair: connected, but with no name by which a stranger could reach it."""
    import socket

    unix = getattr(socket, "AF_UNIX", None)
    if unix is None or sock.family != unix or sock.type != socket.SOCK_STREAM:
        return False
    return not sock.getsockname() and not sock.getpeername()


class SocketPipe:
    """Carry frames over a connected stream socket, which it owns from now on.

    Args:
        sock: the socket.
        on_frame: called for each frame that arrives.
        on_lost: called once, when the peer has gone, with what is known about it.
    """

    def __init__(self, sock: socket, on_frame: Callable[[bytes], None], on_lost: Callable[[str], None]) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._frames = Frames()
        self._unsent = Outbox()
        self._loop: Loop | None = None
        self._when_sent: Callable[[], None] | None = None
        self._broken = False

    def attach(self, loop: Loop) -> None:
        """Read and write on *loop* from now on."""
        self.detach()
        if self._sock.fileno() < 0:
            return
        self._loop = loop
        loop.poller.set_reader(self._sock.fileno(), self._read)
        if self._unsent:
            loop.poller.set_writer(self._sock.fileno(), self._write)

    def detach(self) -> None:
        """Leave the loop."""
        if self._loop is not None:
            self._loop.poller.discard(self._sock.fileno())
            self._loop = None

    def send(self, frame: bytes) -> None:
        """Send a frame; what the socket does not take at once is kept.

        Raises:
            FrameTooLargeError: when it is larger than a frame may be, or too much is kept already.
        """
        data = framed(frame, self._unsent.size)
        if self._broken or self._sock.fileno() < 0:
            return
        waits = bool(self._unsent)
        self._unsent.append(data)
        if not waits:
            self._write()

    @property
    def busy(self) -> bool:
        """Whether something is still to be sent."""
        return bool(self._unsent)

    def close(self) -> None:
        """Give the socket back, whatever is still to be sent; idempotent."""
        self.detach()
        self._unsent = Outbox()
        self._sock.close()
        self._tell_sent()

    def close_when_sent(self, then: Callable[[], None]) -> None:
        """Close once all has been sent, or the peer is gone, and call *then*; maybe at once."""
        self._when_sent = then
        if not self._unsent:
            self.close()

    def _tell_sent(self) -> None:
        then, self._when_sent = self._when_sent, None
        if then is not None:
            then()

    def _read(self) -> None:
        try:
            data = self._sock.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(f"the connection is broken: {error}")
            return
        if not data:
            self._lose("the other process has gone")
            return
        try:
            frames = self._frames.feed(data)
        except FrameTooLargeError as error:
            self._lose(str(error))
            return
        for frame in frames:
            # One of them may have us close.
            if self._sock.fileno() >= 0:
                self._on_frame(frame)

    def _write(self) -> None:
        try:
            self._unsent.drop(self._sock.send(self._unsent.head()))
        except (BlockingIOError, InterruptedError):
            pass  # as much as nothing was sent
        except OSError:
            self._broken = True
            self._unsent = Outbox()
        self._watch_writing()

    def _watch_writing(self) -> None:
        if self._unsent:
            if self._loop is not None and not self._loop.poller.is_writing(self._sock.fileno()):
                self._loop.poller.set_writer(self._sock.fileno(), self._write)
            return
        if self._loop is not None:
            self._loop.poller.remove_writer(self._sock.fileno())
        if self._when_sent is not None:
            self.close()

    def _lose(self, reason: str) -> None:
        self.close()
        self._on_lost(reason)


class ComponentPipe:
    """Carry frames over a component that handles `write` and fires `read`, such as one end of a `Pipe`.

    Args:
        transport: the component; it is best alone on its channel.
        bridge: who gets handlers for what the transport fires, and who fires `write` and `close` to it.
        on_frame: called for each frame that arrives.
        on_lost: called once, when the peer has gone, with what is known about it.
    """

    #: The transport sends the rest by itself before it closes.
    busy = False

    def __init__(
        self, transport: Any, bridge: Manager, on_frame: Callable[[bytes], None], on_lost: Callable[[str], None]
    ) -> None:
        self._transport = transport
        self._bridge = bridge
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._frames = Frames()
        self._open = True
        pipe = self

        @handler("read", channel=transport.channel)
        def _on_read(bridge: Manager, data: bytes) -> None:  # noqa: ARG001 - becomes a method
            pipe._read(data)

        @handler("disconnected", "closed", channel=transport.channel)
        def _on_closed(bridge: Manager, *_: Any) -> None:  # noqa: ARG001 - becomes a method
            pipe._lose("the transport is closed")

        bridge.addHandler(_on_read)
        bridge.addHandler(_on_closed)

    def attach(self, loop: Loop) -> None:  # noqa: ARG002 - the transport has its own ways
        """Take the transport into the tree of the bridge, unless it is in one already."""
        if self._transport.parent is self._transport:
            # Beside the bridge: below it, it would hear no good-bye, for what is about to leave gets no events.
            self._transport.register(self._bridge.parent)

    def detach(self) -> None:
        """Leave the loop; the transport does that by itself."""

    def send(self, frame: bytes) -> None:
        """Have the transport write a frame.

        Raises:
            FrameTooLargeError: when it is larger than a frame may be.
        """
        data = framed(frame)
        if self._open:
            self._bridge.fire(Event.create("write", data), self._transport)

    def close(self) -> None:
        """Have the transport close; idempotent."""
        if self._open:
            self._open = False
            self._bridge.fire(Event.create("close"), self._transport)

    def close_when_sent(self, then: Callable[[], None]) -> None:
        """Have the transport close, which sends the rest first by itself, and call *then*."""
        self.close()
        then()

    def _read(self, data: bytes) -> None:
        if not self._open:
            return
        try:
            frames = self._frames.feed(data)
        except FrameTooLargeError as error:
            self._lose(str(error))
            return
        for frame in frames:
            if self._open:
                self._on_frame(frame)

    def _lose(self, reason: str) -> None:
        if self._open:
            self.close()
            self._on_lost(reason)
