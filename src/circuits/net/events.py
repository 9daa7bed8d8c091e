"""What socket components say, and what they understand.

              ask them                          hear from them
    server    write(sock, data)  close([sock])  connect(sock, host, port)  read(sock, data)  disconnect(sock)
                                                error(sock, error)  closed()  ready(server, (host, port))
    client    connect(host, port)  write(data)  connected(host, port)  read(data)  disconnected()
              close()  disconnect()             unreachable(host, port, reason)  error(error)  ready(client)

All of them are fired on the channel of the socket component.
"""

from __future__ import annotations

from typing import Any

from circuits.core.events import Event

__all__ = [
    "broadcast",
    "close",
    "closed",
    "connect",
    "connected",
    "disconnect",
    "disconnected",
    "error",
    "read",
    "ready",
    "starttls",
    "unreachable",
    "write",
]


class broadcast(Event):
    """Ask a datagram socket to send data to everybody on the network.

    Args:
        args: (data, port).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


class close(Event):
    """Ask a socket to close, once everything that was written before has been sent.

    Args:
        args: for a client (); for a server (sock) to close one connection, () to close everything.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


class closed(Event):
    """Tell that a server has closed its listening socket."""


class connect(Event):
    """Ask a client to connect; or tell that somebody has connected to a server.

    Args:
        args: for a client (host, port), or (path); from a server (sock, host, port).
        kwargs: for a client, `secure`.
    """


class connected(Event):
    """Tell that a client has connected.

    Args:
        host: as it was asked for.
        port: as it was asked for.
    """

    def __init__(self, host: Any, port: Any) -> None:
        super().__init__(host, port)


class disconnect(Event):
    """Tell that a connection of a server has come to its end; or ask a client to disconnect.

    Args:
        args: from a server (sock), the socket being closed by then; for a client ().
    """


class disconnected(Event):
    """Tell that the connection of a client has come to its end, whoever ended it."""

    def __init__(self) -> None:
        super().__init__()


class error(Event):
    """Tell that a socket has failed. What the failure ends is told by other events.

    Args:
        args: from a client (error); from a server (sock, error), with the listening socket when accepting fails.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


class read(Event):
    """Tell that data have come. A handler that returns bytes or text answers with them.

    Args:
        args: from a client (data); from a server (sock, data).
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)


class ready(Event):
    """Tell that a socket component can be used: it is part of a tree now, and a server accepts connections.

    Args:
        component: the socket component.
        bind: the (host, port) that a server is bound to.
    """

    def __init__(self, component: Any, bind: Any = None) -> None:
        args = (component,) if bind is None else (component, bind)
        super().__init__(*args)


class starttls(Event):
    """Ask a server to go on with TLS on a connection.

    Args:
        sock: the socket of the connection.
    """

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)


class unreachable(Event):
    """Tell that a client could not connect; `error` with the details follows.

    Args:
        host: as it was asked for.
        port: as it was asked for.
        reason: the error, if it is known.
    """

    def __init__(self, host: Any, port: Any, reason: Any = None) -> None:
        super().__init__(host, port, reason)


class write(Event):
    """Ask a socket to send data; what it cannot take at once is queued.

    Args:
        args: for a client (data); for a server (sock, data). Bytes, or text to be sent as UTF-8.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
