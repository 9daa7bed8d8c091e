"""UNIX sockets: streams by the path of a file, and pairs without a name."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import Any

from circuits.core.handlers import handler

from ._client import Client
from ._component import Option, refuse_tls
from ._server import Server

__all__ = ["Pipe", "UNIXClient", "UNIXServer"]

#: Not there on Windows, where the classes exist but cannot be made.
AF_UNIX: int = getattr(socket, "AF_UNIX", -1)

#: The channel of both ends of a pipe that is made without one.
PIPE_CHANNEL = "pipe"


class UNIXServer(Server):
    """Serve on a UNIX socket; see `Server`. The host is the path, the port None.

    A socket that a server which is gone has left at the path is replaced; one that is served is not.
    """

    socket_family: int = AF_UNIX
    socket_type: int = socket.SOCK_STREAM
    socket_options: list[Option] = [  # noqa: RUF012 - documented; replaced, never changed
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ]

    #: What we have made at the path, so that we never remove what somebody else has put there since.
    _file: tuple[int, int] | None = None

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a path, text or other, into what the socket binds to."""
        return os.fspath(bind_parameter)

    def _bind_socket(self, sock: socket.socket) -> None:
        try:
            sock.bind(self._bind)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or not _is_left_over(self._bind):
                raise
            os.unlink(self._bind)
            sock.bind(self._bind)
        with contextlib.suppress(OSError):  # a name that is no path: Linux has sockets without a file
            self._file = _identity(self._bind)

    def _name_of(self, address: Any) -> tuple[Any, Any]:
        return os.fsdecode(address), None

    def _close(self, sock: socket.socket) -> None:
        if sock is self._sock and self._file is not None:
            with contextlib.suppress(OSError):  # somebody has removed it already
                if _identity(self._bind) == self._file:
                    os.unlink(self._bind)
            self._file = None
        super()._close(sock)


class UNIXClient(Client):
    """Connect to a UNIX socket; see `Client`. The host in events is the path, the port None."""

    socket_family: int = AF_UNIX
    socket_type: int = socket.SOCK_STREAM
    socket_options: list[Option] = []  # noqa: RUF012 - documented; replaced, never changed

    @handler("ready")
    def ready(self, component: Any) -> None:
        """Begin to read, if this is the end of a pipe: it is connected from the start."""
        if component is self and self._connection is not None:
            self._connection.start()

    @handler("connect")
    def connect(self, path: Any, secure: bool = False, **kwargs: Any) -> None:  # noqa: ARG002 - for TLS
        """Connect; `connected`, or `unreachable` and `error`, tell how that has ended.

        Args:
            path: where the socket is.
            secure: speak TLS.
            kwargs: options of TLS.
        """
        if secure:
            refuse_tls("connect(secure=True)")
        self._connect_to(os.fsdecode(path), (path, None))

    def _adopt(self, sock: socket.socket) -> None:
        """Take the end of a pipe into use."""
        if self._sock is not None:
            self._sock.close()
        sock.setblocking(False)
        self._hold(sock)


def Pipe(*channels: str, **kwargs: Any) -> tuple[UNIXClient, UNIXClient]:
    """Make two clients that are connected with each other.

    Args:
        channels: of the one end and of the other; one channel is for both.
        kwargs: options for both, as for `UNIXClient`.
    """
    names = [*channels, *[channels[0] if channels else PIPE_CHANNEL] * 2][:2]
    first, second = (UNIXClient(channel=name, **kwargs) for name in names)
    for end, sock in zip((first, second), socket.socketpair(), strict=True):
        end._adopt(sock)
    return first, second


def _is_left_over(path: Any) -> bool:
    """Tell whether nobody listens at the socket that is in the way."""
    with socket.socket(AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(path) == errno.ECONNREFUSED


def _identity(path: Any) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_dev, found.st_ino
