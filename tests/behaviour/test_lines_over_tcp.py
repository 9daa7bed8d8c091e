"""Lines come out of a TCP server and a TCP client as they were sent, whatever the network does to them."""

from __future__ import annotations

import socket
from typing import Any

from circuits import Component
from circuits.net.events import close, connect, write
from circuits.net.sockets import TCPClient, TCPServer
from circuits.protocols import Line
from circuits.protocols.line import line
from support import running, wait_until


class Shout(Component):
    """Answer every line in capitals."""

    channel = "server"

    def init(self, **options: Any) -> None:
        self.server = TCPServer(("127.0.0.1", 0), channel=self.channel).register(self)
        self.lines = Line(channel=self.channel, **options).register(self)
        self.problems: list[Any] = []

    def line(self, sock: socket.socket, data: bytes) -> bytes:
        self.fire(write(sock, data.upper() + b"\r\n"))
        return data

    def error(self, sock: socket.socket, error: Exception) -> None:
        self.problems.append(error)
        self.fire(write(sock, b"TOO LONG\r\n"))


def receive(peer: socket.socket, count: int) -> bytes:
    data = b""
    while data.count(b"\r\n") < count:
        piece = peer.recv(65536)
        assert piece, data
        data += piece
    return data


def test_a_line_that_comes_in_pieces_is_one_line_and_two_in_one_piece_are_two() -> None:
    with running(Shout()) as app, socket.create_connection(("127.0.0.1", app.server.port), 10) as peer:
        peer.sendall(b"hel")
        peer.sendall(b"lo\r\nwor")
        peer.sendall(b"ld\nlast\n")
        assert receive(peer, 3) == b"HELLO\r\nWORLD\r\nLAST\r\n"


def test_who_sends_too_long_a_line_is_told_and_may_go_on() -> None:
    with running(Shout(max_bytes=10)) as app, socket.create_connection(("127.0.0.1", app.server.port), 10) as peer:
        peer.sendall(b"before\n" + b"x" * 100_000 + b"\nafter\n")
        assert receive(peer, 3) == b"BEFORE\r\nTOO LONG\r\nAFTER\r\n"
        assert len(app.problems) == 1


def test_what_somebody_left_unfinished_is_forgotten_with_him() -> None:
    with running(Shout()) as app:
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", app.server.port), 10) as peer:
                peer.sendall(b"ping\nunfinished")
                assert receive(peer, 1) == b"PING\r\n"
        wait_until(lambda: not app.lines._unfinished)


class Listener(Component):
    """Connect, and keep the lines that come."""

    channel = "listener"

    def init(self, port: int) -> None:
        self.port = port
        self.heard: list[bytes] = []
        TCPClient(channel=self.channel).register(self)
        Line(channel=self.channel).register(self)

    def ready(self, component: Any) -> None:
        self.fire(connect("127.0.0.1", self.port))

    def line(self, found: bytes) -> None:
        self.heard.append(found)
        if found == b"BYE":
            self.fire(close())


def test_a_client_gets_lines_without_a_socket() -> None:
    with running(Shout()) as app, running(Listener(app.server.port)) as listener:
        wait_until(lambda: app.server._connections)
        (sock,) = app.server._connections
        app.fire(line(sock, b"hello"), "server")
        app.fire(line(sock, b"bye"), "server")
        wait_until(lambda: listener.heard == [b"HELLO", b"BYE"])
