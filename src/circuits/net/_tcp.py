"""TCP, over IPv4 and IPv6."""

from __future__ import annotations

import socket
from typing import Any

from circuits.core.handlers import handler

from ._address import parse_ipv4_parameter, parse_ipv6_parameter
from ._client import CONNECT_TIMEOUT, Client
from ._component import Option, refuse_tls
from ._server import Server

__all__ = ["TCP6Client", "TCP6Server", "TCPClient", "TCPServer"]


class TCPServer(Server):
    """Serve on a TCP port; see `Server` for arguments and events.

    The port is bound when the server is made, and can be read from `port` if it was given as 0.
    """

    socket_family: int = socket.AF_INET
    socket_type: int = socket.SOCK_STREAM
    socket_options: list[Option] = [  # noqa: RUF012 - documented; replaced, never changed
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
        # Connections inherit it: what a handler writes shall leave at once.
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ]

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "host:port" or an address into what the socket binds to."""
        return parse_ipv4_parameter(bind_parameter)


class TCP6Server(TCPServer):
    """Serve on a TCP port over IPv6."""

    socket_family: int = socket.AF_INET6

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "[host]:port" or an address into what the socket binds to."""
        return parse_ipv6_parameter(bind_parameter)


class TCPClient(Client):
    """Connect to a TCP server; see `Client` for arguments and events."""

    socket_family: int = socket.AF_INET
    socket_type: int = socket.SOCK_STREAM
    socket_protocol: int = socket.IPPROTO_TCP
    socket_options: list[Option] = [  # noqa: RUF012 - documented; replaced, never changed
        (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    ]

    def init(self, connect_timeout: float | None = CONNECT_TIMEOUT, *args: Any, **kwargs: Any) -> None:
        """Take the options of the constructor.

        Args:
            connect_timeout: seconds to look up a name and to connect; None for as long as the system tries.
            args: for subclasses.
            kwargs: for subclasses.
        """
        self._connect_timeout = connect_timeout
        del args, kwargs

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "host:port" or an address into what the socket binds to."""
        return parse_ipv4_parameter(bind_parameter)

    @handler("connect")
    def connect(self, host: str, port: int, secure: bool = False, **kwargs: Any) -> None:  # noqa: ARG002 - for TLS
        """Connect; `connected`, or `unreachable` and `error`, tell how that has ended.

        Args:
            host: an address or a name, which is looked up without holding anything up.
            port: a number, or text that holds one.
            secure: speak TLS.
            kwargs: options of TLS.
        """
        if secure:
            refuse_tls("connect(secure=True)")
        self._connect_to((host, int(port)), (host, port))


class TCP6Client(TCPClient):
    """Connect to a TCP server over IPv6."""

    socket_family: int = socket.AF_INET6

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "[host]:port" or an address into what the socket binds to."""
        return parse_ipv6_parameter(bind_parameter)
