"""UDP: datagrams come in as `read` events, and go out by `write`, `broadcast` and by returning."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from circuits import Component, handler
from circuits.net import _udp
from circuits.net.events import broadcast, close, write
from circuits.net.sockets import UDP6Server, UDPClient, UDPServer
from support import wait_until


class Echo(UDPServer):
    @handler("read")
    def on_read(self, address: tuple[str, int], data: bytes) -> bytes:
        return data.upper()


class Watch(Component):
    """Remember what a socket component fires."""

    channel = "server"

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[str, tuple[Any, ...]]] = []

    @handler("ready", "read", "error", "disconnected", "closed")
    def on_any(self, event: Any, *args: Any) -> None:
        self.told.append((event.name, args))

    def names(self) -> list[str]:
        return [name for name, _ in self.told]

    def of(self, name: str) -> list[tuple[Any, ...]]:
        return [args for told, args in self.told if told == name]


def turn_until(app: Component, condition: Any) -> None:
    def turned() -> bool:
        app.tick(0.01)
        return bool(condition())

    wait_until(turned)


@pytest.fixture
def peer() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(5)
        yield sock


def served(server: UDPServer) -> tuple[Component, Watch]:
    app = Component()
    watch = Watch().register(app)
    server.register(app)
    turn_until(app, lambda: watch.of("ready"))
    return app, watch


def test_what_a_read_handler_returns_goes_back_to_the_sender(peer: socket.socket) -> None:
    server = Echo(("127.0.0.1", 0))
    app, watch = served(server)

    peer.sendto(b"hello", (server.host, server.port))
    turn_until(app, lambda: watch.of("read"))
    app.tick()
    app.tick()

    assert watch.of("read") == [(peer.getsockname(), b"hello")]
    assert peer.recvfrom(100) == (b"HELLO", (server.host, server.port))
    server.unregister()
    turn_until(app, lambda: not server.connected)


def test_text_and_bytes_can_be_written_to_any_address(peer: socket.socket) -> None:
    client = UDPClient(("127.0.0.1", 0))
    app, _ = served(client)

    app.fire(write(peer.getsockname(), b"bytes"), "server")
    app.fire(write(peer.getsockname(), "text"), "server")
    app.tick()

    assert [peer.recv(100), peer.recv(100)] == [b"bytes", b"text"]
    client.unregister()
    turn_until(app, lambda: not client.connected)


def test_a_name_is_looked_up_and_the_datagram_arrives(peer: socket.socket) -> None:
    client = UDPClient(("127.0.0.1", 0))
    app, _ = served(client)

    app.fire(write(("localhost", peer.getsockname()[1]), b"by name"), "server")
    peer.setblocking(False)
    arrived: list[bytes] = []

    def came() -> bool:
        try:
            arrived.append(peer.recv(100))
        except BlockingIOError:
            return False
        return True

    turn_until(app, came)

    assert arrived == [b"by name"]
    wait_until(lambda: not any(thread.name.startswith("look up") for thread in threading.enumerate()))
    client.unregister()
    turn_until(app, lambda: not client.connected)


def test_a_name_that_nobody_knows_is_an_error_event() -> None:
    client = UDPClient(("127.0.0.1", 0))
    app, watch = served(client)

    app.fire(write(("no such host", 9), b"lost"), "server")
    turn_until(app, lambda: watch.of("error"))

    assert isinstance(watch.of("error")[0][0], OSError)
    wait_until(lambda: not any(thread.name.startswith("look up") for thread in threading.enumerate()))
    client.unregister()
    turn_until(app, lambda: not client.connected)


def test_a_datagram_that_is_too_large_is_an_error_and_the_next_one_arrives(peer: socket.socket) -> None:
    client = UDPClient(("127.0.0.1", 0))
    app, watch = served(client)

    app.fire(write(peer.getsockname(), bytes(70_000)), "server")
    app.fire(write(peer.getsockname(), b"small"), "server")
    turn_until(app, lambda: watch.of("error"))

    assert peer.recv(100) == b"small"
    client.unregister()
    turn_until(app, lambda: not client.connected)


def test_the_largest_datagram_arrives_whole(peer: socket.socket) -> None:
    server = UDPServer(("127.0.0.1", 0))
    app, watch = served(server)
    payload = bytes(range(256)) * 255

    peer.sendto(payload, (server.host, server.port))
    turn_until(app, lambda: watch.of("read"))

    assert watch.of("read")[0][1] == payload
    server.unregister()
    turn_until(app, lambda: not server.connected)


def test_closing_tells_disconnected_and_closed() -> None:
    server = UDPServer(("127.0.0.1", 0))
    app, watch = served(server)

    app.fire(close(), "server")
    turn_until(app, lambda: watch.of("closed"))

    assert watch.names() == ["ready", "disconnected", "closed"]
    assert not server.connected


def test_a_flood_that_the_socket_does_not_take_is_bounded_and_told(
    monkeypatch: pytest.MonkeyPatch, peer: socket.socket
) -> None:
    class Full(UDPServer):
        """A socket that is full for ever."""

        def _flush(self) -> None:
            pass

    client = Full(("127.0.0.1", 0))
    app, watch = served(client)
    monkeypatch.setattr(_udp, "MAX_QUEUED", 3)

    for _ in range(3):
        app.fire(write(peer.getsockname(), b"x"), "server")
    app.tick()
    below = len(watch.of("error"))
    app.fire(write(peer.getsockname(), b"x"), "server")
    app.tick()
    app.tick()

    assert (below, len(watch.of("error"))) == (0, 1)
    assert "dropped" in str(watch.of("error")[0][0])
    client.unregister()
    turn_until(app, lambda: not client.connected)


def test_broadcast_is_sent_to_the_broadcast_address(monkeypatch: pytest.MonkeyPatch) -> None:
    client = UDPServer(("127.0.0.1", 0))
    app, _ = served(client)
    sent: list[tuple[Any, ...]] = []
    monkeypatch.setattr(client, "_send", lambda target, payload: sent.append((target, bytes(payload))))

    app.fire(broadcast(b"all", 9), "server")
    app.tick()

    assert sent == [(("<broadcast>", 9), b"all")]
    client.unregister()
    turn_until(app, lambda: not client.connected)


@pytest.mark.skipif(not socket.has_ipv6, reason="needs IPv6")
def test_datagrams_over_ipv6() -> None:
    server = UDP6Server(("::1", 0))
    app, watch = served(server)

    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"six", ("::1", server.port))
        turn_until(app, lambda: watch.of("read"))

    assert watch.of("read")[0][1] == b"six"
    server.unregister()
    turn_until(app, lambda: not server.connected)
