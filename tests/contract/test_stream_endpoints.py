"""What every kind of stream socket has to do alike: TCP over IPv4 and IPv6, UNIX sockets; pipes where they can."""

from __future__ import annotations

import asyncio
import errno
import random
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

import evkernel.address
from circuits.core.components import BaseComponent, Component
from circuits.core.events import Event
from circuits.core.handlers import handler
from circuits.core.manager import sleep
from circuits.net import sockets
from circuits.net.events import close, connect, starttls, write
from circuits.net.sockets import OutputOverflow, Pipe, TCPClient, TCPServer
from support.streams import STREAMS, TCP, Bench, Kind, Unix, echoing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MIB = 1 << 20


@pytest.fixture(params=STREAMS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return STREAMS[request.param](tmp_path)


@pytest.fixture
def tcp(tmp_path: Path) -> TCP:
    return TCP(tmp_path)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def pattern(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


# ── coming together ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_is_ready_where_it_says(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server())
    (ready,) = bench.recorder.of("ready")
    assert ready.args == (server, (server.host, server.port))
    assert server.connected


def test_a_client_and_a_server_tell_each_that_they_are_connected(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server()), bench.add(kind.client())
    assert not client.connected
    bench.connect(kind, client, server)
    assert client.connected
    (connected,) = bench.recorder.of("connected")
    assert (*connected.args, None)[:2] == (*kind.where(server), None)[:2]
    (arrived,) = bench.of_server("connect")
    assert len(arrived.args) == 3
    assert arrived.channels == ("server",)


def test_nobody_there_is_told_as_unreachable_and_then_as_an_error(kind: Kind, bench: Bench) -> None:
    client = bench.add(kind.client())
    where = kind.nowhere()
    bench.root.fire(connect(*where), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    names = [name for name in bench.recorder.names() if name in ("unreachable", "error", "connected", "disconnected")]
    assert names == ["unreachable", "error"]
    (unreachable,) = bench.recorder.of("unreachable")
    (error,) = bench.recorder.of("error")
    assert unreachable.args[0] == where[0]
    assert isinstance(error.args[0], OSError)
    assert unreachable.args[2] is error.args[0]
    assert not client.connected


def test_a_client_that_was_refused_can_try_again(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    bench.root.fire(connect(*kind.nowhere()), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    bench.connect(kind, client, server)
    bench.root.fire(write(b"hello"), client.channel)
    bench.until(lambda: bench.of_client("read"))


def test_a_connected_client_goes_on_when_it_is_asked_to_connect_again(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    bench.connect(kind, client, server)
    bench.root.fire(connect(*kind.where(server)), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    assert bench.recorder.of("error")[0].args[0].errno == errno.EISCONN
    assert client.connected


def test_what_is_written_while_connecting_is_sent_once_connected(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    client.connect(*kind.where(server))
    client.write("early ")
    client.write(b"bird")
    bench.until(lambda: b"".join(event.args[0] for event in bench.of_client("read")) == b"early bird")


def test_writing_without_a_connection_is_an_error(kind: Kind, bench: Bench) -> None:
    client = bench.add(kind.client())
    bench.root.fire(write(b"lost"), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    assert bench.recorder.of("error")[0].args[0].errno == errno.ENOTCONN


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("size", [0, 1, 64, 65_536, MIB, 16 * MIB])
def test_a_client_gets_back_what_it_sends_in_random_pieces(kind: Kind, bench: Bench, size: int) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    bench.connect(kind, client, server)
    data, pieces = pattern(size), random.Random(size)
    received = bytearray()

    def collect(self: Any, data: bytes) -> None:
        received.extend(data)

    client.addHandler(handler("read")(collect))
    position = 0
    while position < size:
        length = pieces.choice([1, 7, 64, 1000, 65_536, 300_000, size])
        bench.root.fire(write(data[position : position + length]), client.channel)
        position += length
    bench.root.fire(write(b""), client.channel)
    bench.until(lambda: len(received) >= size and not bench.root._evtree.busy)
    assert received == data


def test_one_read_carries_no_more_than_bufsize(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(bufsize=100))
    bench.peer(kind, server).send(bytes(1000))
    bench.until(lambda: sum(len(event.args[1]) for event in bench.of_server("read")) == 1000)
    assert {len(event.args[1]) for event in bench.of_server("read")} == {100}


@pytest.mark.parametrize(
    "answer", [b"x\xe9", "é", bytearray(b"abc"), memoryview(b"abc")], ids=lambda it: type(it).__name__
)
def test_bytes_and_text_returned_by_a_handler_are_sent(kind: Kind, bench: Bench, answer: Any) -> None:
    class Answering:
        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> Any:
            return answer

    peer = bench.peer(kind, bench.add(kind.server(Answering)))
    peer.send(b"?")
    bench.until(lambda: peer.received == (answer.encode() if isinstance(answer, str) else bytes(answer)))


@pytest.mark.parametrize("answer", [None, True, 7, {"a": 1}, ["a", 1, b"b"]], ids=repr)
def test_of_other_results_only_the_bytes_and_texts_in_a_list_are_sent(kind: Kind, bench: Bench, answer: Any) -> None:
    class Answering:
        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> Any:
            return b"." if data == b"." else answer

    peer = bench.peer(kind, bench.add(kind.server(Answering)))
    peer.send(b"?")
    bench.until(lambda: bench.of_server("read"))
    peer.send(b".")
    bench.until(lambda: peer.received.endswith(b"."))
    assert peer.received == (b"ab." if isinstance(answer, list) else b".")


def test_a_client_sends_what_its_handler_returns(kind: Kind, bench: Bench) -> None:
    class Answering:
        @handler("read")
        def _on_read(self, data: bytes) -> bytes:
            return b"got " + data

    server, client = bench.add(kind.server()), bench.add(kind.client(Answering))
    bench.connect(kind, client, server)
    bench.root.fire(write(bench.of_server("connect")[0].args[0], b"it"), "server")
    bench.until(lambda: bench.of_server("read"))
    assert bench.of_server("read")[0].args[1] == b"got it"


def test_the_results_of_all_handlers_are_sent_once_each(kind: Kind, bench: Bench) -> None:
    class Answering:
        @handler("read", priority=2)
        def _first(self, sock: socket.socket, data: bytes) -> bytes:
            return b"1"

        @handler("read", priority=1)
        def _fails(self, sock: socket.socket, data: bytes) -> bytes:
            raise ValueError("on purpose")

        @handler("read")
        def _second(self, sock: socket.socket, data: bytes) -> bytes:
            return b"2"

        @handler("exception", channel="*")
        def _on_exception(self, *args: Any, **kwargs: Any) -> None:
            pass  # keeps it off stderr

    peer = bench.peer(kind, bench.add(kind.server(Answering)))
    peer.send(b"?")
    bench.until(lambda: len(peer.received) >= 2)
    bench.settle()
    peer.turn()
    assert peer.received == b"12"


def test_generators_and_coroutines_answer_when_they_end(kind: Kind, bench: Bench) -> None:
    class Answering:
        @handler("read")
        def _generator(self, sock: socket.socket, data: bytes) -> Any:
            yield None
            yield b"g"

    class Awaiting:
        @handler("read")
        async def _coroutine(self, sock: socket.socket, data: bytes) -> bytes:
            await sleep(0)
            return b"c"

    first, second = (
        bench.peer(kind, bench.add(kind.server(mixin, channel=mixin.__name__))) for mixin in (Answering, Awaiting)
    )
    first.send(b"?")
    second.send(b"?")
    bench.until(lambda: first.received == b"g" and second.received == b"c")


def test_what_a_handler_writes_is_sent_before_what_it_returns(kind: Kind, bench: Bench) -> None:
    class Answering:
        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> bytes:
            self.fire(write(sock, b"1"))  # type: ignore[attr-defined]
            self.fire(write(sock, b"2"))  # type: ignore[attr-defined]
            return b"3"

    peer = bench.peer(kind, bench.add(kind.server(Answering)))
    peer.send(b"?")
    bench.until(lambda: len(peer.received) == 3)
    assert peer.received == b"123"


def test_what_one_handler_writes_is_sent_before_what_a_later_one_returns(kind: Kind, bench: Bench) -> None:
    # Both reads are in one batch: the answer to the second is there before the event fired for the first is handled.
    class Telling:
        @handler("connect")
        def _on_connect(self, sock: socket.socket, *address: Any) -> None:
            self.socks = [*getattr(self, "socks", []), sock]

        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> bytes:
            other = self.socks[1 - self.socks.index(sock)]
            self.fire(write(other, b"news "))  # type: ignore[attr-defined]
            return b"answer "

    # Without the recorder: the short way is taken only when nobody looks on.
    server = bench.add(kind.server(Telling))
    bench.recorder.unregister()
    peers = [bench.peer(kind, server) for _ in range(2)]
    bench.until(lambda: len(getattr(server, "socks", ())) == 2)
    for peer in peers:
        peer.sock.send(b"?")
    bench.until(lambda: all(len(peer.received) == 12 for peer in peers))
    # Whoever is heard first has his answer first; the other has the news of that before his own.
    assert sorted(bytes(peer.received) for peer in peers) == [b"answer news ", b"news answer "]


def test_whoever_watches_all_events_sees_the_answer_as_a_write(kind: Kind, bench: Bench) -> None:
    peer = bench.peer(kind, bench.add(kind.server(echoing)))
    peer.send(b"hello")
    bench.until(lambda: peer.received == b"hello")
    assert [event.args[1] for event in bench.of_server("write")] == [b"hello"]


def test_a_slow_writer_is_heard_byte_by_byte(kind: Kind, bench: Bench) -> None:
    peer = bench.peer(kind, bench.add(kind.server(echoing)))
    for number in range(100):
        peer.send(bytes([number]))
        bench.until(lambda number=number: len(peer.received) == number + 1)
    assert peer.received == bytes(range(100))


def test_a_slow_reader_keeps_nobody_waiting_and_misses_nothing(kind: Kind, bench: Bench) -> None:
    data = pattern(8 * MIB)
    server = bench.add(kind.server(echoing))
    slow, quick = bench.peer(kind, server), bench.peer(kind, server)
    slow.appetite = 0
    bench.until(lambda: len(bench.of_server("connect")) == 2)
    bench.root.fire(write(bench.of_server("connect")[0].args[0], data), "server")
    for _ in range(20):
        quick.send(b"ping")
        bench.until(lambda: quick.received == b"ping")
        quick.received.clear()
    slow.appetite = 100_000
    bench.until(lambda: len(slow.received) == len(data))
    assert slow.received == data


def test_data_that_their_owner_changes_after_writing_are_sent_as_they_were(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server())
    peer = bench.peer(kind, server)
    peer.appetite = 0
    bench.until(lambda: bench.of_server("connect"))
    data = bytearray(pattern(4 * MIB))
    expected = bytes(data)
    server.write(bench.of_server("connect")[0].args[0], data)
    data[:] = bytes(len(data))
    peer.appetite = MIB
    bench.until(lambda: len(peer.received) == len(expected))
    assert peer.received == expected


def test_writing_what_is_neither_bytes_nor_text_is_an_error_of_the_handler(kind: Kind, bench: Bench) -> None:
    peer = bench.peer(kind, bench.add(kind.server()))
    bench.until(lambda: bench.of_server("connect"))
    sock = bench.of_server("connect")[0].args[0]
    bench.root.addHandler(handler("exception", channel="*")(lambda self, *args, **kwargs: None))
    value = bench.root.fire(write(sock, 7), "server")
    bench.until(lambda: value.errors)
    assert value.value[0] is TypeError
    server_is_fine = bench.root.fire(write(sock, b"fine"), "server")
    bench.until(lambda: peer.received == b"fine")
    assert not server_is_fine.errors


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_comes_together_with_the_end_is_answered_before_the_close(kind: Kind, bench: Bench) -> None:
    peer = bench.peer(kind, bench.add(kind.server(echoing)))
    data = pattern(300_000)
    peer.send(data, end=True)
    bench.until(lambda: peer.has_ended)
    assert peer.received == data
    assert peer.error is None
    bench.until(lambda: bench.of_server("disconnect"))
    assert len(bench.of_server("disconnect")) == 1
    assert not bench.recorder.of("error")


def test_what_comes_together_with_the_end_is_answered_through_several_events(kind: Kind, bench: Bench) -> None:
    class Answering:
        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> None:
            self.fire(Event.create("first", sock, data))  # type: ignore[attr-defined]

        @handler("first")
        def _on_first(self, sock: socket.socket, data: bytes) -> None:
            self.fire(Event.create("second", sock, data))  # type: ignore[attr-defined]

        @handler("second")
        def _on_second(self, sock: socket.socket, data: bytes) -> None:
            self.fire(write(sock, data))  # type: ignore[attr-defined]

    peer = bench.peer(kind, bench.add(kind.server(Answering)))
    peer.send(b"hello", end=True)
    bench.until(lambda: peer.has_ended)
    assert peer.received == b"hello"


def test_a_handler_that_takes_its_time_still_answers_a_peer_that_has_ended(kind: Kind, bench: Bench) -> None:
    class Thinking:
        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> Any:
            self.fire(Event.create("think", sock, data))  # type: ignore[attr-defined]
            yield sleep(0.03)
            yield b"read "

        @handler("think")
        async def _on_think(self, sock: socket.socket, data: bytes) -> None:
            await asyncio.sleep(0.06)
            self.fire(write(sock, b"thought"))  # type: ignore[attr-defined]

    peer = bench.peer(kind, bench.add(kind.server(Thinking)))
    peer.send(b"?", end=True)
    bench.until(lambda: peer.has_ended)
    assert peer.received == b"read thought"


def test_a_client_hears_the_last_words_of_a_server_that_closes(kind: Kind, bench: Bench) -> None:
    class Leaving:
        @handler("connect")
        def _on_connect(self, sock: socket.socket, *address: Any) -> None:
            self.fire(write(sock, b"bye"))  # type: ignore[attr-defined]
            self.fire(close(sock))  # type: ignore[attr-defined]

    server, client = bench.add(kind.server(Leaving)), bench.add(kind.client())
    bench.root.fire(connect(*kind.where(server)), client.channel)
    bench.until(lambda: bench.recorder.of("disconnected"))
    names = [event.name for event in bench.recorder.seen if event.channels == ("client",)]
    assert [name for name in names if name in ("connected", "read", "disconnected", "error")] == [
        "connected",
        "read",
        "disconnected",
    ]
    assert not client.connected


def test_closing_waits_until_everything_is_sent(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server())
    peer = bench.peer(kind, server)
    peer.appetite = 0
    data = pattern(8 * MIB)
    bench.until(lambda: bench.of_server("connect"))
    sock = bench.of_server("connect")[0].args[0]
    bench.root.fire(write(sock, data), "server")
    bench.root.fire(close(sock), "server")
    bench.root.fire(write(sock, b"too late"), "server")
    peer.send(b"anybody there?")
    bench.settle()
    assert not bench.of_server("disconnect")
    peer.appetite = MIB
    bench.until(lambda: peer.has_ended)
    assert peer.received == data
    assert peer.error is None
    assert not bench.of_server("read")
    bench.until(lambda: bench.of_server("disconnect"))


def test_unread_input_does_not_destroy_our_last_words(kind: Kind, bench: Bench) -> None:
    # A socket closed over unread input is reset, and a reset overtakes what has been sent.
    server = bench.add(kind.server())
    peer = bench.peer(kind, server)
    bench.until(lambda: bench.of_server("connect"))
    sock = bench.of_server("connect")[0].args[0]
    peer.appetite = 0
    peer.send(bytes(1000))
    server.write(sock, b"bye")
    server.close(sock)
    peer.appetite = MIB
    bench.until(lambda: peer.has_ended)
    assert peer.received == b"bye"
    assert peer.error is None


def test_a_client_can_connect_again_and_again(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    for number in range(1, 4):
        bench.connect(kind, client, server)
        bench.root.fire(write(f"{number}".encode()), client.channel)
        bench.until(lambda number=number: len(bench.of_client("read")) == number)
        bench.root.fire(close(), client.channel)
        bench.until(lambda number=number: len(bench.recorder.of("disconnected")) == number)
    assert [event.args[0] for event in bench.of_client("read")] == [b"1", b"2", b"3"]
    bench.until(lambda: len(bench.of_server("disconnect")) == 3)


def test_connecting_right_after_closing_waits_for_what_is_still_to_be_sent(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server()), bench.add(kind.client())
    bench.connect(kind, client, server)
    data = pattern(4 * MIB)
    bench.root.fire(write(data), client.channel)
    bench.root.fire(close(), client.channel)
    bench.root.fire(connect(*kind.where(server)), client.channel)
    bench.root.fire(write(b"again"), client.channel)
    bench.until(lambda: sum(len(event.args[1]) for event in bench.of_server("read")) == len(data) + 5)
    first, second = (event.args[0] for event in bench.of_server("connect"))
    received = {
        sock: b"".join(event.args[1] for event in bench.of_server("read") if event.args[0] is sock)
        for sock in (first, second)
    }
    assert received == {first: data, second: b"again"}
    assert len(bench.recorder.of("disconnected")) == 1


def test_closing_while_connecting_calls_it_off(tcp: TCP, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(evkernel.address.socket, "getaddrinfo", _waits_for(answer))
    server, client = bench.add(tcp.server()), bench.add(tcp.client())
    bench.root.fire(connect("localhost", server.port), client.channel)
    bench.root.fire(close(), client.channel)
    bench.until(lambda: bench.recorder.of("disconnected"))
    answer.set()
    bench.settle()
    assert not bench.recorder.of("connected")
    assert not bench.of_server("connect")


_getaddrinfo = socket.getaddrinfo


def _waits_for(answer: threading.Event) -> Any:
    def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> Any:  # noqa: A002
        if not flags & socket.AI_NUMERICHOST:
            assert answer.wait(10)
        return _getaddrinfo(host, port, family, type, proto, flags)

    return getaddrinfo


def test_a_peer_that_vanishes_while_we_write_is_an_error_and_the_end(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(echoing))
    peer, other = bench.peer(kind, server), bench.peer(kind, server)
    peer.appetite = 0
    bench.until(lambda: len(bench.of_server("connect")) == 2)
    sock = bench.of_server("connect")[0].args[0]
    bench.root.fire(write(sock, bytes(16 * MIB)), "server")
    bench.settle()
    peer.reset()
    bench.until(lambda: bench.of_server("disconnect"))
    assert [event.args[0] for event in bench.of_server("disconnect")] == [sock]
    assert [event.args[0] for event in bench.of_server("error")] == [sock]
    other.send(b"still here")
    bench.until(lambda: other.received == b"still here")


def test_what_a_peer_has_sent_before_it_vanished_is_still_read(kind: Kind, bench: Bench) -> None:
    # It has closed with our answers unread: the first of them to arrive there is refused, while input still waits.
    data = pattern(1000)
    server = bench.add(kind.server(bufsize=100))
    peer = bench.peer(kind, server)
    bench.until(lambda: bench.of_server("connect"))
    sock = bench.of_server("connect")[0].args[0]
    peer.send(data)
    peer.close()
    server.write(sock, b"1")
    server.write(sock, b"2")
    bench.until(lambda: bench.of_server("disconnect"))
    if kind.family != socket.AF_UNIX:  # TCP drops them with the reset that follows, on this system
        received = b"".join(event.args[1] for event in bench.of_server("read"))
        assert data.startswith(received)
        return
    assert b"".join(event.args[1] for event in bench.of_server("read")) == data


def test_a_socket_closed_underneath_disturbs_nobody_else(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(echoing))
    first, other = bench.peer(kind, server), bench.peer(kind, server)
    bench.until(lambda: len(bench.of_server("connect")) == 2)
    victim = bench.of_server("connect")[0].args[0]
    number = victim.fileno()
    victim.close()
    other.send(b"one")
    bench.until(lambda: other.received == b"one")
    # The number is free, and serves the next.
    third = bench.peer(kind, server)
    bench.until(lambda: len(bench.of_server("connect")) == 3)
    numbers = {event.args[0].fileno() for event in bench.of_server("connect")}
    assert number in numbers or third.sock.fileno() == number
    third.send(b"two")
    bench.until(lambda: third.received == b"two")
    server.write(victim, b"lost")
    server.close(victim)
    third.send(b"three")
    other.send(b"four")
    bench.until(lambda: third.received == b"twothree" and other.received == b"onefour")
    bench.until(lambda: [event.args[0] for event in bench.of_server("disconnect")] == [victim])
    first.close()


def test_a_peer_that_takes_nothing_is_given_up_beyond_the_limit(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(max_queued_bytes=MIB))
    peer = bench.peer(kind, server)
    peer.appetite = 0
    bench.until(lambda: bench.of_server("connect"))
    sock = bench.of_server("connect")[0].args[0]
    for _ in range(64):
        server.write(sock, bytes(MIB // 4))
    bench.until(lambda: bench.of_server("disconnect"))
    ((failed, error),) = [event.args for event in bench.of_server("error")]
    assert failed is sock
    assert isinstance(error, OutputOverflow)


def test_three_hundred_connections_are_served_and_forgotten(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(echoing))
    peers = [bench.peer(kind, server) for _ in range(300)]
    for number, peer in enumerate(peers):
        peer.send(b"%d" % number)
    bench.until(lambda: all(peer.received == b"%d" % number for number, peer in enumerate(peers)))
    for peer in peers:
        peer.close()
    bench.until(lambda: len(bench.of_server("disconnect")) == 300)
    assert not server._connections
    assert len(bench.root._evtree.loop.poller) <= 2


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_closing_a_server_closes_all_connections_and_says_closed(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server()), bench.add(kind.client())
    bench.connect(kind, client, server)
    bench.root.fire(close(), "server")
    bench.until(lambda: bench.recorder.of("closed") and bench.recorder.of("disconnected"))
    assert len(bench.of_server("disconnect")) == 1
    assert not server.connected
    bench.root.fire(connect(*kind.where(server)), client.channel)
    bench.until(lambda: bench.recorder.of("unreachable"))


def test_the_end_of_the_program_closes_everything_and_says_so(kind: Kind) -> None:
    class App(Component):
        def init(self) -> None:
            self.heard: list[str] = []
            self.server = kind.server(echoing).register(self)
            self.client = kind.client().register(self)

        @handler("ready", channel="client")
        def _on_ready(self, *_: Any) -> None:
            self.fire(connect(*kind.where(self.server)), "client")

        @handler("connect", channel="server")
        def _on_connect(self, *_: Any) -> None:
            raise SystemExit(3)

        @handler("disconnect", "disconnected", "closed", channel="*")
        def _on_end(self, event: Event, *_: Any) -> None:
            self.heard.append(event.name)

    app = App()
    with pytest.raises(SystemExit) as end:
        app.run()
    app._evtree.loop.close()
    assert end.value.code == 3
    assert sorted(app.heard) == ["closed", "disconnect", "disconnected"]
    assert app.heard.index("disconnect") < app.heard.index("closed")


@pytest.mark.parametrize("run", [lambda app: app.run(), lambda app: asyncio.run(app.serve())], ids=["run", "serve"])
@pytest.mark.parametrize("reads", [True, False])
def test_what_was_written_before_the_end_of_the_program_is_sent_while_there_is_time(
    kind: Kind, reads: bool, run: Any
) -> None:
    class Writing:
        @handler("connect")
        def _on_connect(self, sock: socket.socket, *address: Any) -> None:
            self.fire(write(sock, bytes(8 * MIB)))  # type: ignore[attr-defined]
            raise SystemExit(0)

        @handler("disconnect", "closed")
        def _on_end(self, event: Event, *_: Any) -> None:
            self.heard = [*getattr(self, "heard", []), event.name]

    def receive() -> None:
        while reads and (data := sock.recv(MIB)):
            received.extend(data)

    received = bytearray()
    server = kind.server(Writing)
    with kind.connect(server) as sock:
        reader = threading.Thread(target=receive)
        reader.start()
        with pytest.raises(SystemExit):
            run(server)
        reader.join()
    server._evtree.loop.close()
    assert len(received) == (8 * MIB if reads else 0)
    assert sorted(server.heard) == ["closed", "disconnect"]


def test_a_server_that_is_run_again_listens_again(kind: Kind) -> None:
    class Ending:
        @handler("ready")
        def _on_ready(self, *_: Any) -> None:
            self.fire(close(), "other")  # type: ignore[attr-defined]
            self.stop()  # type: ignore[attr-defined]

        @handler("ready", "closed")
        def _on_all(self, event: Event, *_: Any) -> None:
            self.heard = [*getattr(self, "heard", []), event.name]

    server = kind.server(Ending)
    server.run()
    server.run()
    server._evtree.loop.close()
    assert server.heard == ["ready", "closed"] * 2


def test_a_server_that_leaves_its_tree_closes_and_listens_again_when_it_returns(kind: Kind, bench: Bench) -> None:
    server = bench.add(kind.server(echoing))
    peer = bench.peer(kind, server)
    bench.until(lambda: bench.of_server("connect"))
    server.unregister()
    bench.until(lambda: server.parent is server)
    bench.until(lambda: peer.has_ended)
    assert bench.recorder.of("closed")
    assert len(bench.of_server("disconnect")) == 1
    assert not server.connected
    bench.recorder.clear()
    bench.add(server)
    again = bench.peer(kind, server)
    again.send(b"hello")
    bench.until(lambda: again.received == b"hello")


def test_connections_move_with_their_components_to_another_tree(kind: Kind, bench: Bench) -> None:
    server, client = bench.add(kind.server(echoing)), bench.add(kind.client())
    bench.connect(kind, client, server)
    elsewhere = Bench()
    try:
        for component in (server, client):
            component.register(elsewhere.root)
        client.write(b"hello")
        elsewhere.until(lambda: elsewhere.of_client("read"))
        assert elsewhere.of_client("read")[0].args == (b"hello",)
        peer = elsewhere.peer(kind, server)
        peer.send(b"new")
        elsewhere.until(lambda: peer.received == b"new")
    finally:
        elsewhere._made += [server, client]
        elsewhere.close()


def test_subclasses_have_their_own_way_of_reading_writing_and_closing(kind: Kind, bench: Bench) -> None:
    done: list[str] = []

    class Own:
        def _read(self, sock: socket.socket) -> None:
            done.append("read")
            super()._read(sock)  # type: ignore[misc]

        def _write(self, sock: socket.socket, data: bytes) -> None:
            done.append("write")
            super()._write(sock, data.upper())  # type: ignore[misc]

        def _close(self, sock: socket.socket) -> None:
            done.append("close")
            super()._close(sock)  # type: ignore[misc]

        @handler("read")
        def _on_read(self, sock: socket.socket, data: bytes) -> bytes:
            return data

    peer = bench.peer(kind, bench.add(kind.server(Own)))
    peer.send(b"hello", end=True)
    bench.until(lambda: peer.has_ended)
    assert peer.received == b"HELLO"
    assert done == ["read", "write", "read", "close"]


def test_subclasses_of_clients_have_their_own_way_too(kind: Kind, bench: Bench) -> None:
    done: list[str] = []

    class Own:
        def _create_socket(self) -> socket.socket:
            done.append("create")
            sock: socket.socket = super()._create_socket()  # type: ignore[misc]
            return sock

        def _read(self) -> None:
            done.append("read")
            super()._read()  # type: ignore[misc]

        def _write(self, data: bytes) -> None:
            done.append("write")
            super()._write(data.upper())  # type: ignore[misc]

        def _close(self) -> None:
            done.append("close")
            super()._close()  # type: ignore[misc]

    server, client = bench.add(kind.server(echoing)), bench.add(kind.client(Own))
    bench.connect(kind, client, server)
    client.write(b"hello")
    bench.until(lambda: bench.of_client("read"))
    assert bench.of_client("read")[0].args == (b"HELLO",)
    client.close()
    bench.until(lambda: bench.recorder.of("disconnected"))
    assert done == ["create", "write", "read", "close"]


def test_several_servers_on_one_channel_write_to_their_own_connections_only(kind: Kind, bench: Bench) -> None:
    servers = [bench.add(kind.server(echoing)) for _ in range(2)]
    peers = [bench.peer(kind, server) for server in servers]
    for number, peer in enumerate(peers):
        peer.send(b"%d" % number)
        bench.until(lambda peer=peer: peer.received)
    bench.settle()
    # Each handler of a channel answers; the connection belongs to one server all the same.
    assert [bytes(peer.received) for peer in peers] == [b"00", b"11"]


def test_tls_is_refused_as_long_as_it_is_not_there(kind: Kind, bench: Bench) -> None:
    with pytest.raises(NotImplementedError, match="TLS"):
        kind.server(secure=True)
    server, client = bench.add(kind.server()), bench.add(kind.client())
    bench.root.addHandler(handler("exception", channel="*")(lambda self, *args, **kwargs: None))
    value = bench.root.fire(connect(*kind.where(server), secure=True), client.channel)
    bench.until(lambda: value.errors)
    assert value.value[0] is NotImplementedError
    value = bench.root.fire(starttls(object()), "server")
    bench.until(lambda: value.errors)


def test_an_unknown_option_is_refused(kind: Kind) -> None:
    with pytest.raises(TypeError, match="nonsense"):
        kind.server(nonsense=1)


def test_options_are_set_on_the_socket(kind: Kind, bench: Bench) -> None:
    options = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]
    server = bench.add(kind.server(socket_options=options))
    assert server._sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert kind.server_class.socket_options != options


def test_a_subclass_keeps_its_channel_unless_another_is_asked_for(kind: Kind, bench: Bench) -> None:
    class Named:
        channel = "named"

    assert bench.add(kind.server(Named)).channel == "named"
    assert bench.add(kind.server(Named, channel="asked")).channel == "asked"


def test_it_all_works_inside_an_asyncio_program(tcp: TCP) -> None:
    class App(BaseComponent):
        def init(self) -> None:
            self.server = tcp.server(echoing).register(self)

    async def main() -> bytes:
        app = App()
        serving = asyncio.create_task(app.serve())
        reader, writer = await asyncio.open_connection("127.0.0.1", app.server.port)
        writer.write(b"hello")
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        app.stop()
        await serving
        app._evtree.loop.close()
        return answer

    assert asyncio.run(main()) == b"hello"


# ── TCP alone ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_is_looked_up_while_the_tree_goes_on(tcp: TCP, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(evkernel.address.socket, "getaddrinfo", _waits_for(answer))
    server, client = bench.add(tcp.server()), bench.add(tcp.client())
    bench.root.fire(connect("localhost", server.port), client.channel)
    bench.root.fire(Event.create("meanwhile"))
    bench.until(lambda: bench.recorder.of("meanwhile"))
    assert not bench.recorder.of("connected")
    answer.set()
    bench.until(lambda: bench.recorder.of("connected"))
    assert bench.recorder.of("connected")[0].args == ("localhost", server.port)


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_port_that_cannot_be_is_unreachable(tcp: TCP, bench: Bench, port: int) -> None:
    client = bench.add(tcp.client())
    bench.root.fire(connect("127.0.0.1", port), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    assert bench.recorder.of("unreachable")[0].args[:2] == ("127.0.0.1", port)


@pytest.mark.parametrize("name", ["no.such.host.invalid", "a..b", "x" * 300, "\ud800"], ids=ascii)
def test_a_name_that_cannot_be_found_is_unreachable(tcp: TCP, bench: Bench, name: str) -> None:
    client = bench.add(tcp.client())
    bench.root.fire(connect(name, 1), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    assert isinstance(bench.recorder.of("error")[0].args[0], socket.gaierror)
    assert bench.recorder.of("unreachable")[0].args[:2] == (name, 1)


def test_connecting_ends_with_the_time_for_it(tcp: TCP, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = threading.Event()
    monkeypatch.setattr(evkernel.address.socket, "getaddrinfo", _waits_for(answer))
    client = bench.add(tcp.client(connect_timeout=0.05))
    bench.root.fire(connect("localhost", 1), client.channel)
    bench.until(lambda: bench.recorder.of("error"))
    assert isinstance(bench.recorder.of("error")[0].args[0], TimeoutError)
    assert bench.recorder.of("unreachable")
    answer.set()
    bench.settle()
    assert len(bench.recorder.of("error")) == 1


def test_the_next_address_is_tried_when_one_fails(tcp: TCP, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    server, client = bench.add(tcp.server()), bench.add(tcp.client())
    refused = tcp.nowhere()

    def getaddrinfo(host: Any, port: Any, family: int, kind: int, proto: int = 0, flags: int = 0) -> Any:
        if flags & socket.AI_NUMERICHOST:
            return _getaddrinfo(host, port, family, kind, proto, flags)
        return [(0, 0, 0, "", refused), (0, 0, 0, "", tcp.where(server))]

    monkeypatch.setattr(evkernel.address.socket, "getaddrinfo", getaddrinfo)
    bench.root.fire(connect("several", 7), client.channel)
    bench.until(lambda: bench.recorder.of("connected"))
    assert not bench.recorder.of("error")


def test_what_is_written_leaves_at_once(tcp: TCP, bench: Bench) -> None:
    server, client = bench.add(tcp.server()), bench.add(tcp.client())
    bench.connect(tcp, client, server)
    for sock in (client._sock, bench.of_server("connect")[0].args[0]):
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_is_refused_when_the_server_is_made(tcp: TCP, bench: Bench) -> None:
    server = bench.add(tcp.server())
    with pytest.raises(OSError, match="in use"):
        TCPServer(("127.0.0.1", server.port))


def test_a_client_connects_from_where_it_is_bound(tcp: TCP, bench: Bench) -> None:
    server, client = bench.add(tcp.server()), bench.add(TCPClient(("127.0.0.2", 0)))
    bench.connect(tcp, client, server)
    assert bench.of_server("connect")[0].args[1] == "127.0.0.2"


@pytest.mark.parametrize(
    ("given", "bound"),
    [("127.0.0.1:0", "127.0.0.1"), (("127.0.0.1", 0), "127.0.0.1"), (["127.0.0.1", 0], "127.0.0.1"), (":0", "0.0.0.0")],
    ids=str,
)
def test_a_server_is_bound_where_it_is_told(given: Any, bound: str, bench: Bench) -> None:
    server = bench.add(TCPServer(given))
    assert server.host == bound
    assert server.port > 0
    assert isinstance(server._bind, tuple)


def test_a_port_alone_is_on_the_address_of_this_host(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "gethostname", lambda: "localhost")
    assert bench.add(TCPServer(0)).host == "127.0.0.1"
    monkeypatch.setattr(sockets, "gethostname", lambda: "no.such.host.invalid")
    assert bench.add(TCPServer(0, channel="other")).host == "0.0.0.0"


# ── UNIX sockets and pipes ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_unix_socket_that_nobody_serves_is_replaced(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "left over"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(path))
    server = bench.add(Unix.server_class(path))
    with pytest.raises(OSError, match="in use"):
        Unix.server_class(path)
    assert server.host == str(path)
    server.close()
    assert not path.exists()


def test_a_server_never_removes_the_socket_of_another(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "contested"
    first = bench.add(Unix.server_class(path))
    path.unlink()
    second = bench.add(Unix.server_class(path, channel="second"))
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()


def test_the_ends_of_a_pipe_are_connected_with_each_other(bench: Bench) -> None:
    left, right = Pipe("left", "right")
    bench.root.fire(write("early"), "left")
    bench.add(left)
    bench.add(right)
    right.write(b"hello")
    left.write(b"world")
    bench.until(lambda: len(bench.recorder.of("read")) >= 2)
    heard = {event.channels[0]: event.args[0] for event in bench.recorder.of("read")}
    assert heard["left"] == b"hello"
    assert heard["right"].endswith(b"world")
    left.close()
    bench.until(lambda: len(bench.recorder.of("disconnected")) == 2)


@pytest.mark.parametrize(
    ("given", "channels"), [((), ("pipe", "pipe")), (("a",), ("a", "a")), (("a", "b"), ("a", "b"))]
)
def test_a_pipe_has_the_channels_that_it_is_given(given: Any, channels: Any, bench: Bench) -> None:
    ends = Pipe(*given)
    assert tuple(end.channel for end in ends) == channels
    for end in ends:
        bench.add(end)


def test_a_pipe_echoes_sixteen_mebibytes(bench: Bench) -> None:
    left, right = (bench.add(end) for end in Pipe("left", "right"))
    data, received = pattern(16 * MIB), bytearray()
    right.addHandler(handler("read")(lambda self, data: data))
    left.addHandler(handler("read")(lambda self, data: received.extend(data)))
    left.write(data)
    bench.until(lambda: len(received) == len(data))
    assert received == data
