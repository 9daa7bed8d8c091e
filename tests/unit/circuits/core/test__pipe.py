from __future__ import annotations

import errno

import pytest

from circuits import BaseComponent, Component, Event, handler
from circuits.core import _pipe
from circuits.core._errors import FrameTooLargeError
from circuits.core._pipe import PIECE, ComponentPipe, Frames, SocketPipe, framed
from evkernel.loop import Loop
from evkernel.testing import ManualClock, ScriptedPoller
from support import on_manual_clock, run_until_idle

FD = 7


class Socket:
    """A connected socket, of which the test says what it takes and what it gives."""

    def __init__(self) -> None:
        self.sent = b""
        self.room: float = float("inf")
        self.incoming: list[bytes | OSError] = []
        self.closed = False
        self.error: OSError | None = None

    def setblocking(self, blocking: bool) -> None:
        assert not blocking

    def fileno(self) -> int:
        return -1 if self.closed else FD

    def send(self, data: bytes) -> int:
        if self.error is not None:
            raise self.error
        if self.room <= 0:
            raise BlockingIOError
        taken = bytes(data[: int(min(self.room, len(data)))])
        self.room -= len(taken)
        self.sent += taken
        return len(taken)

    def recv(self, size: int) -> bytes:
        assert size == PIECE
        item = self.incoming.pop(0)
        if isinstance(item, OSError):
            raise item
        return item

    def close(self) -> None:
        self.closed = True


class Ends:
    """A pipe over such a socket, on a loop that the test turns, and what it reports."""

    def __init__(self) -> None:
        self.socket = Socket()
        self.frames: list[bytes] = []
        self.lost: list[str] = []
        self.pipe = SocketPipe(self.socket, self.frames.append, self.lost.append)  # type: ignore[arg-type]
        self.loop, self.poller = make_loop()
        self.pipe.attach(self.loop)

    def receive(self, *pieces: bytes | OSError) -> None:
        for piece in pieces:
            self.socket.incoming.append(piece)
            self.poller.set_ready(FD, read=True)
            self.loop.turn(0)
            self.poller.set_idle(FD)

    def make_room(self, room: float = float("inf")) -> None:
        self.socket.room = room
        self.poller.set_ready(FD, write=True)
        self.loop.turn(0)
        self.poller.set_idle(FD)


def make_loop() -> tuple[Loop, ScriptedPoller]:
    clock = ManualClock()
    poller = ScriptedPoller(clock)
    return Loop(clock=clock, poller=poller), poller


@pytest.fixture
def ends() -> Ends:
    return Ends()


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────

STREAM = framed(b"one") + framed(b"") + framed(b"three")


def test_frames_are_found_in_one_piece() -> None:
    assert Frames().feed(STREAM) == [b"one", b"", b"three"]


def test_frames_are_found_byte_by_byte() -> None:
    frames = Frames()

    assert [frame for byte in STREAM for frame in frames.feed(bytes([byte]))] == [b"one", b"", b"three"]


@pytest.mark.parametrize("cut", range(len(STREAM) + 1))
def test_frames_are_found_wherever_the_stream_is_cut(cut: int) -> None:
    frames = Frames()

    assert frames.feed(STREAM[:cut]) + frames.feed(STREAM[cut:]) == [b"one", b"", b"three"]


def test_a_length_beyond_the_limit_is_refused_before_anything_is_kept() -> None:
    frames = Frames(limit=5)
    assert frames.feed(framed(b"12345")) == [b"12345"]

    with pytest.raises(FrameTooLargeError, match="a frame of 6 bytes was announced, the limit is 5"):
        frames.feed((6).to_bytes(4, "big"))


def test_a_frame_larger_than_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pipe, "MAX_FRAME_BYTES", 5)
    assert framed(b"12345") == b"\0\0\0\x0512345"

    with pytest.raises(FrameTooLargeError, match="the message has 6 bytes, the limit is 5"):
        framed(b"123456")


# ── over a socket ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_frame_is_sent_at_once(ends: Ends) -> None:
    ends.pipe.send(b"hello")

    assert ends.socket.sent == framed(b"hello")
    assert not ends.poller.is_writing(FD)


def test_what_the_socket_does_not_take_follows_in_order(ends: Ends) -> None:
    ends.socket.room = 6
    ends.pipe.send(b"hello")
    ends.pipe.send(b"world")
    assert ends.socket.sent == framed(b"hello")[:6]
    assert ends.poller.is_writing(FD)
    assert ends.pipe.busy

    ends.make_room(5)
    ends.make_room()
    ends.make_room()

    assert ends.socket.sent == framed(b"hello") + framed(b"world")
    assert not ends.poller.is_writing(FD)
    assert not ends.pipe.busy


def test_too_much_that_waits_is_refused(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pipe, "MAX_UNSENT_BYTES", 10)
    ends.socket.room = 0
    ends.pipe.send(b"0123456789")

    with pytest.raises(FrameTooLargeError, match="14 bytes are waiting for the other process to read, limit is 10"):
        ends.pipe.send(b"more")


def test_frames_are_reported_as_they_arrive(ends: Ends) -> None:
    ends.receive(STREAM[:9], STREAM[9:])

    assert ends.frames == [b"one", b"", b"three"]


def test_a_reader_that_was_woken_for_nothing_waits_on(ends: Ends) -> None:
    ends.receive(BlockingIOError(), InterruptedError(), framed(b"x"))

    assert (ends.frames, ends.lost) == ([b"x"], [])


def test_the_end_of_the_peer_is_reported_once(ends: Ends) -> None:
    ends.receive(framed(b"last"), b"")

    assert ends.frames == [b"last"]
    assert ends.lost == ["the other process has gone"]
    assert ends.socket.closed
    assert not ends.poller.is_reading(FD)


def test_a_broken_connection_is_reported_with_the_reason(ends: Ends) -> None:
    ends.receive(OSError(errno.ECONNRESET, "reset by peer"))

    assert ends.lost == ["the connection is broken: [Errno 104] reset by peer"]
    assert ends.socket.closed


def test_a_peer_that_sends_garbage_is_given_up(ends: Ends) -> None:
    ends.receive(b"\xff" * 4)

    assert ends.lost == ["a frame of 4294967295 bytes was announced, the limit is 67108864"]
    assert ends.socket.closed


def test_a_failure_to_send_is_left_to_the_reader_to_report(ends: Ends) -> None:
    ends.socket.error = BrokenPipeError()
    ends.pipe.send(b"into the void")
    ends.pipe.send(b"and more")
    assert ends.lost == []
    assert not ends.pipe.busy

    ends.receive(framed(b"the last answer"), b"")

    assert ends.frames == [b"the last answer"]
    assert ends.lost == ["the other process has gone"]


def test_frames_behind_the_one_that_made_us_close_are_not_reported(ends: Ends) -> None:
    def close(frame: bytes) -> None:
        ends.frames.append(frame)
        ends.pipe.close()

    ends.pipe._on_frame = close
    ends.receive(STREAM)

    assert ends.frames == [b"one"]


def test_closing_gives_up_what_is_unsent(ends: Ends) -> None:
    ends.socket.room = 0
    ends.pipe.send(b"unsent")
    ends.pipe.close()
    ends.pipe.close()
    ends.pipe.send(b"too late")

    assert ends.socket.closed
    assert ends.socket.sent == b""
    assert len(ends.poller) == 0


def test_closing_when_sent_waits_for_the_rest(ends: Ends) -> None:
    closed: list[bool] = []
    ends.socket.room = 2
    ends.pipe.send(b"rest")
    ends.pipe.close_when_sent(lambda: closed.append(True))
    assert (closed, ends.socket.closed) == ([], False)

    ends.make_room()

    assert (closed, ends.socket.closed) == ([True], True)
    assert ends.socket.sent == framed(b"rest")


def test_closing_when_sent_is_at_once_when_nothing_is_left(ends: Ends) -> None:
    closed: list[bool] = []
    ends.pipe.close_when_sent(lambda: closed.append(True))

    assert (closed, ends.socket.closed) == ([True], True)


def test_closing_when_sent_ends_when_the_peer_has_gone(ends: Ends) -> None:
    closed: list[bool] = []
    ends.socket.room = 0
    ends.pipe.send(b"rest")
    ends.pipe.close_when_sent(lambda: closed.append(True))
    ends.socket.error = BrokenPipeError()
    ends.make_room()

    assert (closed, ends.socket.closed) == ([True], True)


def test_a_pipe_moves_to_another_loop_with_what_is_unsent(ends: Ends) -> None:
    ends.socket.room = 0
    ends.pipe.send(b"unsent")
    other, poller = make_loop()
    ends.pipe.attach(other)
    assert len(ends.poller) == 0
    assert poller.is_reading(FD)
    assert poller.is_writing(FD)

    ends.loop, ends.poller = other, poller
    ends.make_room()

    assert ends.socket.sent == framed(b"unsent")


def test_a_closed_pipe_is_not_attached(ends: Ends) -> None:
    ends.pipe.close()
    ends.pipe.attach(ends.loop)

    assert len(ends.poller) == 0


def test_what_is_sent_before_a_pipe_has_a_loop_goes_out_all_the_same() -> None:
    socket = Socket()
    socket.room = 3
    pipe = SocketPipe(socket, print, print)  # type: ignore[arg-type]
    pipe.send(b"early")
    loop, poller = make_loop()
    pipe.attach(loop)
    socket.room = 100
    poller.set_ready(FD, write=True)
    loop.turn(0)

    assert socket.sent == framed(b"early")


# ── over a component ─────────────────────────────────────────────────────────────────────────────────────────────────


class Transport(Component):
    """Handles `write` and `close` as a socket does, and remembers them."""

    channel = "transport"

    def init(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    @handler(False)
    def receive(self, data: bytes) -> None:
        self.fire(Event.create("read", data))

    @handler(False)
    def end(self) -> None:
        self.fire(Event.create("disconnected"))


class Carried:
    """A pipe over such a component."""

    def __init__(self) -> None:
        self.root = on_manual_clock(BaseComponent())
        self.bridge = BaseComponent().register(self.root)
        self.transport = Transport()
        self.frames: list[bytes] = []
        self.lost: list[str] = []
        self.pipe = ComponentPipe(self.transport, self.bridge, self.frames.append, self.lost.append)
        self.pipe.attach(self.root._evtree.loop)
        self.turn()

    def turn(self) -> None:
        run_until_idle(self.root)


def test_a_transport_without_a_parent_is_taken_into_the_tree() -> None:
    carried = Carried()

    assert carried.transport.parent is carried.root


def test_a_transport_that_has_a_parent_stays_where_it_is() -> None:
    root = BaseComponent()
    transport = Transport().register(root)
    ComponentPipe(transport, BaseComponent().register(root), print, print).attach(root._evtree.loop)

    assert transport.parent is root


def test_a_transport_writes_frames_and_reads_them() -> None:
    carried = Carried()
    carried.pipe.send(b"out")
    carried.transport.receive(STREAM[:9])
    carried.transport.receive(STREAM[9:])
    carried.turn()

    assert carried.transport.written == framed(b"out")
    assert carried.frames == [b"one", b"", b"three"]


def test_a_transport_that_is_disconnected_is_lost_once() -> None:
    carried = Carried()
    carried.transport.end()
    carried.transport.end()
    carried.transport.receive(STREAM)
    carried.turn()

    assert carried.lost == ["the transport is closed"]
    assert carried.frames == []
    assert carried.transport.closed


def test_a_transport_that_brings_garbage_is_given_up() -> None:
    carried = Carried()
    carried.transport.receive(b"\xff" * 4)
    carried.turn()

    assert carried.lost == ["a frame of 4294967295 bytes was announced, the limit is 67108864"]
    assert carried.transport.closed


def test_a_transport_closes_by_itself_when_all_is_sent() -> None:
    carried = Carried()
    closed: list[bool] = []
    carried.pipe.send(b"last")
    carried.pipe.close_when_sent(lambda: closed.append(True))
    carried.pipe.close()
    carried.pipe.send(b"too late")
    carried.turn()

    assert closed == [True]
    assert carried.transport.written == framed(b"last")
    assert carried.transport.closed
    assert not carried.pipe.busy


def test_frames_behind_the_one_that_made_us_close_the_transport_are_not_reported() -> None:
    carried = Carried()

    def close(frame: bytes) -> None:
        carried.frames.append(frame)
        carried.pipe.close()

    carried.pipe._on_frame = close
    carried.transport.receive(STREAM)
    carried.turn()

    assert carried.frames == [b"one"]
    carried.pipe.detach()
