"""Servers: a listening socket, and a connection for everybody who has come.

    poller ── readable ──▶ accept ──▶ Connection ──▶ connect, read …, disconnect

Rule 1: at most `BATCH` connections are accepted at a time; those who are connected have their turn in between.
Rule 2: when descriptors run out the server says so once, with an `error` event, and tries again when one may be free.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from circuits.core.handlers import handler

from ._component import BUFSIZE, SocketComponent, refuse_tls
from ._endpoint import Connection
from ._incoming import incoming
from .events import closed, connect, disconnect, error, ready, write

if TYPE_CHECKING:
    import socket

    from circuits.core._tree import Tree
    from evkernel.timers import Timer

__all__ = ["BACKLOG", "Server"]

#: The documented default of `backlog`; the system cuts it to what it allows (`net.core.somaxconn` on Linux).
BACKLOG = 5000
#: Connections accepted per readiness.
BATCH = 64
#: Seconds until accepting is tried again after descriptors ran out: soon enough for those who wait, and ten failures a
#: second cost nothing.
RETRY_AFTER = 0.1

_OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Server(SocketComponent):
    """Be the base of stream servers; and one, for a family that is set in a subclass.

    Handles: write(sock, data), close([sock]).
    Fires: ready(server, (host, port)), connect(sock, host, port), read(sock, data), disconnect(sock),
        error(sock, error), closed().

    Args:
        bind: the address to listen on.
        secure: speak TLS.
        backlog: how many connections may wait to be accepted.
        bufsize: how many bytes to receive at once.
        channel: where events come from and go to.
        kwargs: options, see `SocketComponent`.

    Raises:
        OSError: when the address cannot be had.
    """

    channel: Any = "server"
    _documented_channel = "server"
    #: Whether descriptors have run out, and that was told.
    _is_short = False

    def __init__(
        self,
        bind: Any,
        secure: bool = False,
        backlog: int = BACKLOG,
        bufsize: int = BUFSIZE,
        channel: str = channel,
        **kwargs: Any,
    ) -> None:
        if secure:
            refuse_tls(f"{type(self).__name__}(secure=True)")
        self._backlog = backlog
        self._connections: dict[socket.socket, Connection] = {}
        self._retry: Timer | None = None
        self._host: Any = None
        self._port: Any = None
        cls = type(self)
        self._has_read_hook = cls._read is not Server._read
        self._has_write_hook = cls._write is not Server._write
        super().__init__(bind, bufsize, channel, kwargs)
        self._sock = self._create_socket()
        self._host, self._port = self._name_of(self._sock.getsockname())

    def _create_socket(self) -> socket.socket:
        sock = super()._create_socket()
        try:
            self._begin_to_listen(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _begin_to_listen(self, sock: socket.socket) -> None:
        sock.listen(self._backlog)

    @property
    def host(self) -> Any:
        """The address that the server is bound to."""
        return self._host

    @property
    def port(self) -> Any:
        """The port that the server is bound to."""
        return self._port

    @property
    def connected(self) -> bool:
        """Whether the listening socket is open."""
        return self._sock is not None

    def _name_of(self, address: Any) -> tuple[Any, Any]:
        """Give host and port of an address of this family."""
        return address[0], address[1]

    # Asked for.

    @handler("write")
    def write(self, sock: socket.socket, data: Any) -> None:
        """Send bytes or text to the peer at *sock*; one that is gone gets nothing, as its `disconnect` has told.

        Raises:
            TypeError: for anything but bytes and text.
        """
        if sock in self._connections:
            self._write(sock, data)

    @handler("close")
    def close(self, sock: socket.socket | None = None) -> None:
        """Close one connection once everything has been sent; or stop listening, and close all of them."""
        if sock is not None:
            if sock in self._connections:
                self._connections[sock].close()
            return
        for connection in list(self._connections.values()):
            connection.close()
        self._stop_listening()

    @handler("starttls")
    def starttls(self, sock: socket.socket) -> None:  # noqa: ARG002 - documented
        """Go on with TLS on a connection.

        Raises:
            NotImplementedError: always, until TLS is there.
        """
        refuse_tls("starttls")

    # Hooks for subclasses.

    def _read(self, sock: socket.socket) -> None:
        """Receive from one connection and fire `read`. A hook."""
        self._connections[sock].receive()

    def _write(self, sock: socket.socket, data: Any) -> None:
        """Send to one connection, or queue what cannot be sent. A hook."""
        self._connections[sock].write(data)

    def _close(self, sock: socket.socket) -> None:
        """Close one connection, or the listening socket, at once. A hook."""
        if sock in self._connections:
            self._connections[sock].shut()
        elif sock is self._sock:
            self._sock = None
            self._evtree.loop.poller.discard(sock.fileno())
            sock.close()
            self.fire(closed())

    # What connections need.

    def _receive_by_hook(self, connection: Connection) -> None:
        self._read(connection.sock)

    def _deliver(self, connection: Connection, data: bytes) -> None:
        self._fire_input(incoming(connection, (connection.sock, data)))

    def _answer(self, connection: Connection, data: Any) -> None:
        self.fire(write(connection.sock, data))

    def _failed(self, connection: Connection, reason: OSError) -> None:
        self.fire(error(connection.sock, reason))

    def _shut(self, connection: Connection) -> None:
        self._close(connection.sock)

    def _has_shut(self, connection: Connection) -> None:
        del self._connections[connection.sock]
        self.fire(disconnect(connection.sock))
        if not self._connections:
            self._release()
        if self._retry is not None:
            # A descriptor is free now.
            self._listen_again()

    # Listening.

    def _attach(self) -> None:
        if self._sock is None:
            # It was closed, or has left another tree; it listens where it did.
            self._sock = self._create_socket()
            self._host, self._port = self._name_of(self._sock.getsockname())
        self._listen()
        self.fire(ready(self, (self._host, self._port)))

    def _listen(self) -> None:
        if self._sock is not None:
            self._evtree.loop.poller.set_reader(self._sock.fileno(), self._accept)

    def _accept(self) -> None:
        """Take in those who have come."""
        listening = self._sock
        if listening is None:
            return
        for _ in range(BATCH):
            try:
                sock, address = listening.accept()
            except (BlockingIOError, InterruptedError):
                self._is_short = False
                return
            except OSError as reason:
                if reason.errno in _OUT_OF_DESCRIPTORS:
                    self._pause_listening(listening, reason)
                    return
                # One who has come and gone already (ECONNABORTED), or whose network has failed meanwhile.
                continue
            self._take_in(sock, address)

    def _take_in(self, sock: socket.socket, address: Any) -> None:
        sock.setblocking(False)
        self._connections[sock] = connection = Connection(self, sock)
        connection.start()
        self.fire(connect(sock, *self._name_of(address)))

    def _pause_listening(self, listening: socket.socket, reason: OSError) -> None:
        self._evtree.loop.poller.remove_reader(listening.fileno())
        self._retry = self._evtree.loop.call_later(RETRY_AFTER, self._listen_again)
        if not self._is_short:
            self._is_short = True
            self.fire(error(listening, reason))

    def _listen_again(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._listen()

    def _stop_listening(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        if self._sock is not None:
            self._close(self._sock)

    # The tree.

    def _has_unsent(self) -> bool:
        return bool(self._connections)

    def _give_up(self) -> None:
        for connection in list(self._connections.values()):
            connection.give_up()
        self._stop_listening()

    def _move(self, old: Tree, new: Tree) -> None:
        for connection in self._connections.values():
            connection.move(old, new)
        if self._sock is not None and old.loop.poller.remove_reader(self._sock.fileno()):
            self._listen()
        if self._retry is not None:
            self._listen_again()
