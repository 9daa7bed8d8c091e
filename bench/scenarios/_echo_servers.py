"""The echo servers, one function each: listen on a free port, print it, serve until killed.

    python _echo_servers.py PEER CORE

Every server is what a user of that library would write first, with its default poller and options.
"""

from __future__ import annotations

import os
import select
import socket
import sys
from typing import Any

from _harness import new_loop

__all__: list[str] = []

LOCAL = ("127.0.0.1", 0)


def announce(port: int) -> None:
    print(port, flush=True)


def circuits_server(_: str) -> None:
    from circuits import handler
    from circuits.net.sockets import TCPServer

    class EchoServer(TCPServer):
        """Send back what came, by returning it."""

        def __init__(self) -> None:
            super().__init__(LOCAL)

        @handler("ready")
        def on_ready(self, *_: object) -> None:
            announce(self.port)

        @handler("read")
        def on_read(self, sock: Any, data: bytes) -> bytes:  # noqa: ARG002 - the documented signature
            return data

    EchoServer().run()


def asyncio_protocol(peer: str) -> None:
    import asyncio

    class Echo(asyncio.Protocol):
        """Send back what came."""

        def connection_made(self, transport: Any) -> None:
            self.write = transport.write

        def data_received(self, data: bytes) -> None:
            self.write(data)

    loop = new_loop(peer)
    server = loop.run_until_complete(loop.create_server(Echo, *LOCAL, backlog=1024))
    announce(server.sockets[0].getsockname()[1])
    loop.run_forever()


def asyncio_streams(peer: str) -> None:
    import asyncio

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()

    loop = new_loop(peer)
    server = loop.run_until_complete(asyncio.start_server(echo, *LOCAL, backlog=1024))
    announce(server.sockets[0].getsockname()[1])
    loop.run_forever()


def gevent_server(_: str) -> None:
    from gevent.server import StreamServer

    def echo(sock: Any, _: object) -> None:
        while data := sock.recv(65536):
            sock.sendall(data)

    server = StreamServer(LOCAL, echo, backlog=1024)
    server.start()
    announce(server.server_port)
    server.serve_forever()


def raw_epoll(_: str) -> None:
    """Receive and send at once: the least that Python can do. Assumes that a send of 64 bytes never blocks."""
    listener = socket.create_server(LOCAL, backlog=1024)
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    announce(listener.getsockname()[1])
    while True:
        for descriptor, _mask in poller.poll():
            connection = connections.get(descriptor)
            if connection is None:
                connection, _address = listener.accept()
                connection.setblocking(False)
                connections[connection.fileno()] = connection
                poller.register(connection.fileno(), select.EPOLLIN)
            elif data := connection.recv(65536):
                connection.send(data)
            else:
                del connections[descriptor]
                connection.close()


SERVERS = {
    "ours": circuits_server,
    "base": circuits_server,
    "release": circuits_server,
    "asyncio": asyncio_protocol,
    "asyncio streams": asyncio_streams,
    "uvloop": asyncio_protocol,
    "gevent": gevent_server,
    "epoll": raw_epoll,
}


if __name__ == "__main__":
    peer, core = sys.argv[1:]
    if core != "any":
        os.sched_setaffinity(0, {int(core)})
    SERVERS[peer](peer)
