"""TCP, UDP and UNIX sockets as components. Start at `_endpoint` to read how they work."""

from __future__ import annotations

from socket import gethostname

from ._address import name_host, parse_ipv4_parameter, parse_ipv6_parameter
from ._client import Client
from ._component import BUFSIZE
from ._endpoint import OutputOverflow
from ._server import BACKLOG, Server
from ._tcp import TCP6Client, TCP6Server, TCPClient, TCPServer
from ._udp import UDP6Client, UDP6Server, UDPClient, UDPServer
from ._unix import Pipe, UNIXClient, UNIXServer
from .events import close, connect, write

__all__ = [
    "BACKLOG",
    "BUFSIZE",
    "Client",
    "OutputOverflow",
    "Pipe",
    "Server",
    "TCP6Client",
    "TCP6Server",
    "TCPClient",
    "TCPServer",
    "UDP6Client",
    "UDP6Server",
    "UDPClient",
    "UDPServer",
    "UNIXClient",
    "UNIXServer",
    "close",
    "connect",
    "gethostname",
    "parse_ipv4_parameter",
    "parse_ipv6_parameter",
    "write",
]

# Looked up here for every call: `gethostname` of this module is a name that programs replace.
name_host(lambda: gethostname())
