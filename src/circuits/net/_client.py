"""Clients: one connection at a time, and as many after each other as are asked for.

connect ──▶ Dial ──▶ Connection ──▶ connected, read …, disconnected
              └────▶ unreachable, error
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from circuits.core.handlers import handler

from ._component import BUFSIZE, SocketComponent
from ._dial import Dial
from ._endpoint import DRAINING, Connection
from ._incoming import as_bytes, incoming
from .events import connected, disconnected, error, ready, unreachable, write

if TYPE_CHECKING:
    import socket

    from circuits.core._tree import Tree

__all__ = ["Client"]

#: Seconds to connect, unless said otherwise.
CONNECT_TIMEOUT = 5.0


class Client(SocketComponent):
    """Be the base of stream clients.

    Handles: write(data), close(), disconnect(); subclasses connect(…).
    Fires: ready(client), connected(host, port), read(data), disconnected(), unreachable(host, port, reason),
        error(error).

    Args:
        bind: the local address to connect from, if it matters.
        bufsize: how many bytes to receive at once.
        channel: where events come from and go to.
        kwargs: options, see `SocketComponent`.
    """

    channel: Any = "client"
    _documented_channel = "client"

    _connect_timeout: float | None = CONNECT_TIMEOUT
    _connection: Connection | None = None
    _dial: Dial | None = None
    #: What we are, or will be, connected to: host and port for `connected`.
    _peer: tuple[Any, Any] = ("", None)

    def __init__(self, bind: Any = None, bufsize: int = BUFSIZE, channel: str = channel, **kwargs: Any) -> None:
        self._unsent: list[bytes | memoryview] = []
        #: The address and the peer to connect to as soon as the present connection has sent everything.
        self._wanted_next: tuple[Any, tuple[Any, Any]] | None = None
        cls = type(self)
        self._has_read_hook = cls._read is not Client._read
        self._has_write_hook = cls._write is not Client._write
        super().__init__(bind, bufsize, channel, kwargs)
        self._sock = self._create_socket()

    @property
    def connected(self) -> bool:
        """Whether there is a connection."""
        return self._connection is not None

    # Asked for.

    @handler("write")
    def write(self, data: Any) -> None:
        """Send bytes or text; what is written while we connect is sent as soon as there is a connection.

        Raises:
            TypeError: for anything but bytes and text.
        """
        if self._dial is not None or self._wanted_next is not None:
            self._unsent.append(as_bytes(data))
        elif self._connection is not None:
            self._write(data)
        else:
            self.fire(error(OSError(errno.ENOTCONN, "cannot write: there is no connection")))

    @handler("close", "disconnect")
    def close(self) -> None:
        """Close the connection once everything has been sent, or stop connecting."""
        self._wanted_next = None
        if self._dial is not None:
            self._dial.cancel()
            self._forget_dial()
            self.fire(disconnected())
        elif self._connection is not None:
            self._connection.close()
        elif self._sock is not None:
            self._sock.close()

    def _connect_to(self, address: Any, peer: tuple[Any, Any]) -> None:
        """Connect to *address*, which is called *peer* in events."""
        if self._connection is not None and self._connection.state is DRAINING:
            self._wanted_next = (address, peer)
        elif self._connection is not None or self._dial is not None:
            # The client goes on with what it has.
            self.fire(error(OSError(errno.EISCONN, f"cannot connect to {peer[0]}: connected or connecting already")))
        else:
            self._peer = peer
            self._dial = Dial(self, address, self._connect_timeout)
            self._dial.begin()

    # Hooks for subclasses.

    def _read(self) -> None:
        """Receive and fire `read`. A hook."""
        if self._connection is not None:
            self._connection.receive()

    def _write(self, data: Any) -> None:
        """Send, or queue what cannot be sent. A hook."""
        if self._connection is not None:
            self._connection.write(data)

    def _close(self) -> None:
        """Close the connection at once. A hook."""
        if self._connection is not None:
            self._connection.shut()

    # What an attempt to connect needs.

    def _fresh_socket(self) -> socket.socket:
        sock, self._sock = self._sock, None
        if sock is None or sock.fileno() < 0:
            sock = self._create_socket()
        self._sock = sock
        return sock

    def _has_connected(self, sock: socket.socket) -> None:
        unsent = self._forget_dial()
        self._hold(sock).start()
        self.fire(connected(*self._peer))
        for data in unsent:
            self._write(data)

    def _has_failed(self, reason: OSError) -> None:
        self._forget_dial()
        self.fire(unreachable(*self._peer, reason))
        self.fire(error(reason))

    def _forget_dial(self) -> list[bytes | memoryview]:
        self._dial = None
        unsent, self._unsent = self._unsent, []
        return unsent

    def _hold(self, sock: socket.socket) -> Connection:
        """Take a connected socket into use."""
        self._sock = sock
        self._connection = connection = Connection(self, sock)
        return connection

    # What a connection needs.

    def _receive_by_hook(self, connection: Connection) -> None:  # noqa: ARG002 - there is only one
        self._read()

    def _deliver(self, connection: Connection, data: bytes) -> None:
        self._fire_input(incoming(connection, (data,)))

    def _answer(self, connection: Connection, data: Any) -> None:  # noqa: ARG002 - there is only one
        self.fire(write(data))

    def _failed(self, connection: Connection, reason: OSError) -> None:  # noqa: ARG002 - there is only one
        self.fire(error(reason))

    def _shut(self, connection: Connection) -> None:  # noqa: ARG002 - there is only one
        self._close()

    def _has_shut(self, connection: Connection) -> None:  # noqa: ARG002 - there is only one
        self._connection = None
        self.fire(disconnected())
        self._release()
        if self._wanted_next is not None:
            wanted, self._wanted_next = self._wanted_next, None
            self._connect_to(*wanted)

    # The tree.

    def _attach(self) -> None:
        self.fire(ready(self))

    def _has_unsent(self) -> bool:
        return self._connection is not None

    def _give_up(self) -> None:
        if self._connection is not None:
            self._wanted_next = None
            self._connection.give_up()
        self.close()

    def _move(self, old: Tree, new: Tree) -> None:
        if self._connection is not None:
            self._connection.move(old, new)
        if self._dial is not None:
            self._dial.move(old, new)
