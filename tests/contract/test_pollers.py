"""What every polling mechanism has to do alike. kqueue is simulated where there is none."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from typing import TYPE_CHECKING

import pytest

import evkernel.poll
from evkernel.errors import LoopClosed, NotPollable, UnknownPoller
from evkernel.poll import Poller, available_kinds
from evkernel.testing import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    MakePoller = Callable[[], Poller]

KINDS = [*available_kinds(), *(["kqueue"] if sys.platform == "linux" else [])]


def make(kind: str) -> Poller:
    if kind in available_kinds():
        return Poller(kind)
    from support.simulated_kqueue import load_poll_module

    poller: Poller = load_poll_module().Poller(kind)
    return poller


@pytest.fixture(params=KINDS)
def poller(request: pytest.FixtureRequest) -> Iterator[Poller]:
    poller = make(request.param)
    yield poller
    poller.close()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.setblocking(False)
    right.setblocking(False)
    yield left, right
    left.close()
    right.close()


def fill(send: Callable[[bytes], int]) -> None:
    """Send until nothing more fits."""
    with contextlib.suppress(BlockingIOError):
        while True:
            send(bytes(4096))


def turn(poller: Poller, timeout: float | None = 0) -> None:
    poller.dispatch(poller.wait(timeout))


Pair = tuple[socket.socket, socket.socket]

# ── readiness ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_is_called_when_there_is_something_to_read(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    turn(poller)
    assert recorder.entries == []

    right.send(b"x")
    turn(poller)

    assert recorder.names() == ["read"]


def test_a_writer_is_called_while_there_is_room(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_writer(left.fileno(), recorder.callback("write"))
    turn(poller)
    assert recorder.names() == ["write"]

    fill(left.send)
    turn(poller)
    assert recorder.names() == ["write"]

    with contextlib.suppress(BlockingIOError):
        while True:
            right.recv(1 << 20)
    turn(poller)
    assert recorder.names() == ["write", "write"]


def test_readiness_that_is_not_used_up_is_reported_again(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")

    for _ in range(3):
        turn(poller)

    assert recorder.names() == ["read"] * 3


def test_the_reader_comes_before_the_writer_of_the_same_descriptor(
    poller: Poller, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair
    poller.set_writer(left.fileno(), recorder.callback("write"))
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")

    turn(poller)

    assert recorder.names() == ["read", "write"]


def test_a_hang_up_wakes_both_directions(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    fill(left.send)
    poller.set_reader(left.fileno(), recorder.callback("read"))
    poller.set_writer(left.fileno(), recorder.callback("write"))
    turn(poller)
    assert recorder.entries == []

    right.close()
    turn(poller)

    assert recorder.names() == ["read", "write"]


def test_a_hang_up_wakes_a_lone_reader(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.close()

    turn(poller)

    assert recorder.names() == ["read"]


def test_a_pipe_without_a_writer_wakes_its_lone_reader(poller: Poller, recorder: Recorder) -> None:
    reader, writer = os.pipe()
    poller.set_reader(reader, recorder.callback("read"))

    os.close(writer)  # a hang-up, and nothing to read
    turn(poller)

    assert recorder.names() == ["read"]
    poller.discard(reader)
    os.close(reader)


def test_a_pipe_without_a_reader_wakes_its_lone_writer(poller: Poller, recorder: Recorder) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    fill(lambda data: os.write(writer, data))
    poller.set_writer(writer, recorder.callback("write"))
    turn(poller)
    assert recorder.entries == []

    os.close(reader)
    turn(poller)

    assert recorder.names() == ["write"]
    poller.discard(writer)
    os.close(writer)


def test_a_refused_connection_wakes_the_writer(poller: Poller, recorder: Recorder) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    with socket.socket() as client:
        client.setblocking(False)
        client.connect_ex(address)
        poller.set_writer(client.fileno(), recorder.callback("write"))

        turn(poller, 10)

        assert recorder.names() == ["write"]
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        poller.discard(client.fileno())


# ── waiting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_waiting_with_nothing_to_watch_and_no_time_opens_nothing(poller: Poller) -> None:
    assert poller.wait(0) == []
    assert poller.wait(-1) == []
    assert poller._mechanism is None


def test_a_wait_ends_when_its_time_is_up(poller: Poller, pair: Pair) -> None:
    poller.set_reader(pair[0].fileno(), print)
    before = time.monotonic()

    assert list(poller.wait(0.02)) == []

    assert time.monotonic() - before >= 0.0199


@pytest.mark.parametrize("timeout", [None, 1e9, float("inf")])
def test_a_wait_may_be_as_long_as_one_likes(poller: Poller, pair: Pair, timeout: float | None) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), print)
    right.send(b"x")

    assert len(poller.wait(timeout)) == 1


def test_a_negative_timeout_does_not_wait(poller: Poller, pair: Pair) -> None:
    poller.set_reader(pair[0].fileno(), print)

    assert list(poller.wait(-5)) == []


def test_a_signal_in_the_midst_of_a_wait_is_handled_and_the_wait_goes_on(poller: Poller, pair: Pair) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), print)
    before = signal.signal(signal.SIGUSR1, lambda *_: right.send(b"x"))
    sender = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGUSR1))
    sender.start()
    try:
        ready = poller.wait(30)
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)

    assert [fd for fd, _ in ready] == [left.fileno()]


def test_readers_that_need_no_look_are_not_looked_at_without_time(
    poller: Poller, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")
    poller.quiet = 1

    turn(poller, 0)
    assert recorder.entries == []

    turn(poller, 10)
    assert recorder.names() == ["read"]

    poller.nested = True
    turn(poller, 0)
    assert recorder.names() == ["read", "read"]


# ── the table ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_descriptor_has_one_callback_for_each_direction(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    right.send(b"x")
    poller.set_reader(left.fileno(), recorder.callback("old"))
    poller.set_reader(left.fileno(), recorder.callback("new"))
    poller.set_writer(left.fileno(), recorder.callback("old writer"))
    poller.set_writer(left.fileno(), recorder.callback("new writer"))

    turn(poller)

    assert recorder.names() == ["new", "new writer"]
    assert len(poller) == 1


def test_a_removed_direction_is_not_called_and_the_other_one_is(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    right.send(b"x")
    fd = left.fileno()
    poller.set_reader(fd, recorder.callback("read"))
    poller.set_writer(fd, recorder.callback("write"))

    assert poller.remove_reader(fd)
    turn(poller)
    assert recorder.names() == ["write"]

    assert poller.remove_writer(fd)
    turn(poller)
    assert recorder.names() == ["write"]
    assert len(poller) == 0


def test_removing_what_is_not_there_says_so(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.set_reader(fd, print)

    assert not poller.remove_writer(fd)
    assert poller.discard(fd)
    assert not poller.discard(fd)
    assert not poller.remove_reader(fd)


def test_the_table_can_be_asked(poller: Poller, pair: Pair) -> None:
    one, other = (sock.fileno() for sock in pair)
    poller.set_reader(one, print)
    poller.set_writer(one, print)
    poller.set_writer(other, print)

    assert poller.interests() == {one: 1 | 4, other: 4}
    assert (poller.is_reading(one), poller.is_writing(one)) == (True, True)
    assert (poller.is_reading(other), poller.is_writing(other)) == (False, True)
    assert len(poller) == 2
    assert repr(poller) == f"<Poller {poller.kind}, 2 descriptors>"


def test_a_host_hears_of_every_change(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    fd = pair[0].fileno()
    poller.on_change = recorder.record

    poller.set_reader(fd, print)
    poller.set_writer(fd, print)
    poller.remove_reader(fd)
    poller.discard(fd)

    assert recorder.entries == [(fd, 1), (fd, 5), (fd, 4), (fd, 0)]


def test_more_descriptors_than_one_wait_reports_all_have_their_turn(poller: Poller) -> None:
    if poller.kind == "select":
        pytest.skip("select ends at 1024")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 4096), hard), hard))
    pairs = [socket.socketpair() for _ in range(1500)]
    called: set[int] = set()
    try:
        for left, right in pairs:
            right.send(b"x")
            poller.set_reader(left.fileno(), lambda left=left: called.add(len(left.recv(1)) and left.fileno()))  # type: ignore[misc]
        assert len(poller) == 1500

        turn(poller)
        turn(poller)

        assert called == {left.fileno() for left, _ in pairs}
    finally:
        for left, right in pairs:
            poller.discard(left.fileno())
            left.close()
            right.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ── descriptors that go away, and come back as something else ────────────────────────────────────────────────────────


def test_a_descriptor_closed_underneath_does_not_disturb_the_others(
    poller: Poller, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair
    gone, other_end = socket.socketpair()
    poller.set_reader(gone.fileno(), recorder.callback("gone"))
    poller.set_writer(gone.fileno(), recorder.callback("gone"))
    poller.set_reader(left.fileno(), recorder.callback("read"))
    gone.close()
    right.send(b"x")

    turn(poller)  # select finds out first
    turn(poller)
    assert set(recorder.names()) == {"read"}

    left.recv(1)
    before = time.monotonic()
    assert list(poller.wait(0.02)) == []  # and it makes nobody spin
    assert time.monotonic() - before >= 0.0199
    other_end.close()


@pytest.mark.parametrize("way", ["remove_reader", "remove_writer", "discard"])
def test_removing_a_closed_descriptor_is_no_error(poller: Poller, pair: Pair, way: str) -> None:
    left, _ = pair
    fd = left.fileno()
    poller.set_reader(fd, print)
    poller.set_writer(fd, print)
    left.close()

    assert getattr(poller, way)(fd)
    poller.discard(fd)

    assert len(poller) == 0


def test_a_number_that_serves_a_new_file_is_watched_again(poller: Poller, recorder: Recorder) -> None:
    old, old_end = socket.socketpair()
    fd = old.fileno()
    poller.set_reader(fd, recorder.callback("old"))
    old.close()  # without a word to the poller
    new, new_end = reuse(fd)

    poller.set_reader(fd, recorder.callback("new"))
    turn(poller)
    new_end.send(b"x")
    turn(poller)

    assert recorder.names() == ["new"]
    for sock in (new, new_end, old_end):
        sock.close()


def test_a_number_that_serves_a_new_file_is_watched_for_writing_too(poller: Poller, recorder: Recorder) -> None:
    old, old_end = socket.socketpair()
    fd = old.fileno()
    poller.set_reader(fd, recorder.callback("read"))
    old.close()
    new, new_end = reuse(fd)

    poller.set_writer(fd, recorder.callback("write"))
    turn(poller)
    turn(poller)

    assert set(recorder.names()) == {"write"}
    for sock in (new, new_end, old_end):
        sock.close()


def test_a_number_that_was_removed_too_late_works_for_a_new_file(poller: Poller, recorder: Recorder) -> None:
    old, old_end = socket.socketpair()
    fd = old.fileno()
    poller.set_reader(fd, recorder.callback("old"))
    old.close()
    poller.discard(fd)
    new, new_end = reuse(fd)
    new_end.send(b"x")

    poller.set_reader(fd, recorder.callback("new"))
    turn(poller)

    assert recorder.names() == ["new"]
    for sock in (new, new_end, old_end):
        sock.close()


def reuse(fd: int) -> Pair:
    """Return a socket pair whose first half has the number *fd*."""
    left, right = socket.socketpair()
    if left.fileno() == fd:
        return left, right
    if right.fileno() == fd:
        return right, left
    os.dup2(left.fileno(), fd)
    left.close()
    return socket.socket(fileno=fd), right


def test_a_file_that_lives_on_in_a_copy_does_not_haunt_the_poller(poller: Poller, pair: Pair) -> None:
    # epoll goes on reporting a file whose number is closed here as long as it is open anywhere, in a child say.
    left, right = pair
    fd = left.fileno()
    copy = os.dup(fd)
    poller.set_reader(fd, print)
    right.send(b"x")
    left.close()
    poller.set_reader(right.fileno(), print)  # something to wait for
    poller.discard(fd)

    turn(poller)

    assert list(poller.wait(0)) == []
    os.close(copy)


def test_a_number_that_gets_its_old_file_back_is_watched_again(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    fd = left.fileno()
    copy = os.dup(fd)
    poller.set_reader(fd, recorder.callback("old"))
    left.close()
    poller.discard(fd)
    os.dup2(copy, fd)

    poller.set_reader(fd, recorder.callback("new"))
    right.send(b"x")
    turn(poller)

    assert recorder.names() == ["new"]
    poller.discard(fd)
    os.close(fd)
    os.close(copy)


# ── what cannot be watched ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_regular_file_is_watched_or_refused_by_name(poller: Poller, recorder: Recorder) -> None:
    with tempfile.TemporaryFile() as file:
        if poller.kind == "epoll" or KINDS[-1] == poller.kind:
            with pytest.raises(NotPollable, match=f"cannot watch descriptor {file.fileno()}: it is always ready"):
                poller.set_reader(file.fileno(), print)
            assert len(poller) == 0
        else:
            poller.set_reader(file.fileno(), recorder.callback("read"))
            turn(poller)
            assert recorder.names() == ["read"]


@pytest.mark.parametrize("way", ["set_reader", "set_writer"])
def test_a_closed_descriptor_is_refused(poller: Poller, way: str) -> None:
    left, right = socket.socketpair()
    fd = left.fileno()
    poller.fileno()  # opens it, before the number becomes free
    left.close()

    with pytest.raises(NotPollable, match=f"cannot watch descriptor {fd}: it is not open") as caught:
        getattr(poller, way)(fd, print)

    assert (caught.value.fd, caught.value.kind) == (fd, poller.kind)
    assert len(poller) == 0
    right.close()


def test_a_negative_number_is_refused(poller: Poller) -> None:
    with pytest.raises(NotPollable, match="descriptor -1: it is negative"):
        poller.set_reader(-1, print)


def test_a_poller_cannot_watch_itself(poller: Poller) -> None:
    own = poller.fileno()
    if own is None or poller.kind == "kqueue":
        pytest.skip("it has no descriptor, or is only a simulation")

    with pytest.raises(NotPollable, match=f"descriptor {own}: it is the poller itself"):
        poller.set_reader(own, print)


def test_a_system_that_has_no_room_says_so_itself(poller: Poller, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(fd: int, old: int, new: int) -> bool:
        raise OSError(errno.ENOSPC, "no room")

    poller.fileno()
    monkeypatch.setattr(poller._mechanism, "update", refuse)

    with pytest.raises(OSError, match="no room") as caught:
        poller.set_reader(pair[0].fileno(), print)

    assert not isinstance(caught.value, NotPollable)
    assert len(poller) == 0


def test_what_a_host_refuses_is_not_watched(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    def refuse(fd: int, mask: int) -> None:
        raise PermissionError(errno.EPERM, "not this one")

    left, right = pair
    poller.set_reader(right.fileno(), print)
    poller.on_change = refuse
    with pytest.raises(NotPollable, match="it is always ready"):
        poller.set_reader(left.fileno(), recorder.callback("read"))
    poller.on_change = None
    right.send(b"x")

    assert list(poller.wait(0)) == []
    assert not poller.is_reading(left.fileno())


def test_select_says_where_its_numbers_end(pair: Pair) -> None:
    poller = Poller("select")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2048), hard), hard))
    high = fcntl.fcntl(pair[0].fileno(), fcntl.F_DUPFD, 1024)
    try:
        with pytest.raises(NotPollable, match="numbers end at 1023"):
            poller.set_reader(high, print)
        assert len(poller) == 0
    finally:
        os.close(high)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_mechanism_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(UnknownPoller, match="no poller 'iocp' on linux; there are epoll, poll, select"):
        Poller("iocp")


def test_the_best_mechanism_is_the_default() -> None:
    assert Poller().kind == available_kinds()[0]


# ── callbacks that change the table ──────────────────────────────────────────────────────────────────────────────────


def test_a_callback_that_removes_the_others_is_the_only_one_called(poller: Poller, recorder: Recorder) -> None:
    pairs = [socket.socketpair() for _ in range(5)]
    fds = [left.fileno() for left, _ in pairs]

    def read(fd: int) -> None:
        recorder.record("read")
        for other in fds:
            if other != fd:
                poller.discard(other)

    for fd, (_, right) in zip(fds, pairs, strict=True):
        right.send(b"x")
        poller.set_reader(fd, lambda fd=fd: read(fd))  # type: ignore[misc]

    turn(poller)

    assert recorder.names() == ["read"]
    for left, right in pairs:
        left.close()
        right.close()


def test_a_reader_that_removes_the_writer_of_its_descriptor_keeps_it_from_being_called(
    poller: Poller, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair
    right.send(b"x")
    poller.set_reader(left.fileno(), lambda: poller.remove_writer(left.fileno()))
    poller.set_writer(left.fileno(), recorder.callback("write"))

    turn(poller)

    assert recorder.entries == []


def test_a_reader_may_replace_itself(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    right.send(b"x")

    def first() -> None:
        recorder.record("first")
        poller.set_reader(left.fileno(), recorder.callback("second"))

    poller.set_reader(left.fileno(), first)
    turn(poller)
    turn(poller)

    assert recorder.names() == ["first", "second"]


def test_readiness_of_a_closed_descriptor_is_not_that_of_the_next_one_with_its_number(
    poller: Poller, recorder: Recorder
) -> None:
    # Otherwise a connection in progress, made within the same dispatch, would be told that it is established.
    pairs = [socket.socketpair() for _ in range(2)]
    fds = [left.fileno() for left, _ in pairs]
    made: list[socket.socket] = []

    def close_the_other(own: int) -> None:
        other = 1 - own
        poller.discard(fds[other])
        pairs[other][0].close()
        new, end = reuse(fds[other])
        made.extend((new, end))
        poller.set_reader(fds[other], recorder.callback("new reader"))

    for index, (_, right) in enumerate(pairs):
        right.send(b"x")
        poller.set_reader(fds[index], lambda index=index: close_the_other(index))  # type: ignore[misc]

    turn(poller)
    assert recorder.entries == []

    made[1].send(b"y")
    poller.set_reader(next(fd for fd in fds if fd != made[0].fileno()), recorder.callback("survivor"))
    turn(poller)
    turn(poller)

    assert "new reader" in recorder.names()
    for sock in (*made, *(sock for pair in pairs for sock in pair)):
        sock.close()


def test_a_callback_may_turn_the_poller_itself(poller: Poller, recorder: Recorder) -> None:
    pairs = [socket.socketpair() for _ in range(3)]

    def read(left: socket.socket) -> None:
        left.recv(1)
        recorder.record("read", left.fileno())
        turn(poller)

    for left, right in pairs:
        right.send(b"x")
        left.setblocking(False)
        poller.set_reader(left.fileno(), lambda left=left: read(left))  # type: ignore[misc]

    turn(poller)
    turn(poller)

    # each exactly once: what the inner turns used up is not reported to the outer one again
    assert sorted(recorder.entries) == sorted(("read", left.fileno()) for left, _ in pairs)
    for left, right in pairs:
        left.close()
        right.close()


# ── callbacks that raise ─────────────────────────────────────────────────────────────────────────────────────────────


def ready_pairs(count: int) -> list[Pair]:
    pairs = [socket.socketpair() for _ in range(count)]
    for _, right in pairs:
        right.send(b"x")
    return pairs


def test_an_error_keeps_no_other_callback_from_being_called(poller: Poller, recorder: Recorder) -> None:
    pairs = ready_pairs(4)
    errors = [ValueError(str(number)) for number in range(4)]

    def fail(index: int) -> None:
        recorder.record(index)
        raise errors[index]

    for index, (left, _) in enumerate(pairs):
        poller.set_reader(left.fileno(), lambda index=index: fail(index))  # type: ignore[misc]

    with pytest.raises(ValueError, match=r"\d") as caught:
        turn(poller)

    assert sorted(recorder.names()) == [0, 1, 2, 3]  # type: ignore[type-var]
    first = recorder.names()[0]
    assert isinstance(first, int)
    assert caught.value is errors[first]
    for left, right in pairs:
        left.close()
        right.close()


def test_an_error_of_the_reader_does_not_cost_the_writer_its_call_for_long(
    poller: Poller, pair: Pair, recorder: Recorder
) -> None:
    left, right = pair
    right.send(b"x")

    def fail() -> None:
        left.recv(1)
        raise ValueError("once")

    poller.set_reader(left.fileno(), fail)
    poller.set_writer(left.fileno(), recorder.callback("write"))

    with pytest.raises(ValueError, match="once"):
        turn(poller)
    assert recorder.names() == ["write"]


def test_the_error_of_a_writer_is_raised_too(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair

    def fail() -> None:
        recorder.record("write")
        raise ValueError("broken")

    poller.set_writer(left.fileno(), fail)
    poller.set_writer(right.fileno(), fail)

    with pytest.raises(ValueError, match="broken"):
        turn(poller)

    assert recorder.names() == ["write", "write"]


def test_an_interrupt_leaves_at_once_and_nothing_is_lost(poller: Poller, recorder: Recorder) -> None:
    pairs = ready_pairs(4)
    interrupts = iter([KeyboardInterrupt()])

    def read(left: socket.socket) -> None:
        left.recv(1)
        recorder.record(left.fileno())
        for interrupt in interrupts:
            raise interrupt

    for left, _ in pairs:
        poller.set_reader(left.fileno(), lambda left=left: read(left))  # type: ignore[misc]

    with pytest.raises(KeyboardInterrupt):
        turn(poller)
    assert len(recorder.entries) == 1

    turn(poller)
    assert sorted(recorder.entries) == [(left.fileno(),) for left, _ in pairs]
    for left, right in pairs:
        left.close()
        right.close()


# ── the mechanism ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_poller_with_a_descriptor_is_readable_when_something_is_ready(poller: Poller, pair: Pair) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), print)
    fd = poller.fileno()
    if fd is None:
        assert poller.kind in {"select", "poll"}
        return
    outer = Poller("select")
    outer.set_reader(fd, print)
    assert list(outer.wait(0)) == []

    right.send(b"x")

    assert len(outer.wait(0)) == 1
    outer.close()


def test_reopening_keeps_every_registration(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    poller.set_writer(right.fileno(), recorder.callback("write"))
    right.send(b"x")
    poller.on_reopen = recorder.callback("reopened")

    poller.reopen()
    turn(poller)

    assert recorder.names()[0] == "reopened"
    assert set(recorder.names()[1:]) == {"read", "write"}


@pytest.mark.parametrize("other", available_kinds())
def test_another_mechanism_takes_over_every_registration(
    poller: Poller, pair: Pair, recorder: Recorder, other: str
) -> None:
    if poller.kind == "kqueue" and other == "epoll":
        pytest.skip("no system has both")
    left, right = pair
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")

    poller.reopen(other)
    turn(poller)

    assert poller.kind == other
    assert recorder.names() == ["read"]


def test_reopening_forgets_what_was_closed_underneath(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), print)
    poller.set_reader(right.fileno(), print)
    left.close()
    poller.on_change = recorder.record

    poller.reopen()

    assert list(poller.interests()) == [right.fileno()]
    assert len(recorder.entries) == 1


@pytest.mark.skipif("epoll" not in available_kinds(), reason="only epoll refuses regular files")
def test_a_mechanism_that_cannot_take_over_changes_nothing(pair: Pair, recorder: Recorder) -> None:
    poller = Poller("poll")
    left, right = pair
    with tempfile.TemporaryFile() as file:
        poller.set_reader(left.fileno(), recorder.callback("read"))
        poller.set_reader(file.fileno(), print)
        right.send(b"x")

        with pytest.raises(NotPollable):
            poller.reopen("epoll")

        assert poller.kind == "poll"
        poller.discard(file.fileno())
        turn(poller)
    assert recorder.names() == ["read"]


def test_a_mechanism_that_cannot_be_made_changes_nothing(
    poller: Poller, pair: Pair, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OSError(errno.EMFILE, "too many open files")

    left, right = pair
    kind = poller.kind
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")
    monkeypatch.setattr(poller, "_make", refuse)

    with pytest.raises(OSError, match="too many open files"):
        poller.reopen("select")

    assert poller.kind == kind
    turn(poller)
    assert recorder.names() == ["read"]


def test_an_unknown_mechanism_changes_nothing(poller: Poller) -> None:
    kind = poller.kind

    with pytest.raises(ValueError, match="no poller 'iocp'"):
        poller.reopen("iocp")

    assert poller.kind == kind


def test_a_closed_poller_says_so(poller: Poller, pair: Pair) -> None:
    fd = pair[0].fileno()
    poller.set_reader(fd, print)
    poller.close()
    poller.close()

    for refused in (lambda: poller.wait(1), lambda: poller.set_reader(fd, print), poller.fileno, poller.reopen):
        with pytest.raises(LoopClosed):
            refused()
    assert not poller.discard(fd)
    assert len(poller) == 0


def test_an_error_that_no_descriptor_is_to_blame_for_is_raised(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @staticmethod
        def select(*_: object) -> None:
            raise OSError(errno.ENOMEM, "no memory")

    poller = Poller("select")
    poller.set_reader(pair[0].fileno(), print)
    monkeypatch.setattr(evkernel.poll, "select", Broken)

    with pytest.raises(OSError, match="no memory"):
        poller.wait(0)


def test_two_threads_have_pollers_of_their_own(poller: Poller, pair: Pair, recorder: Recorder) -> None:
    left, right = pair
    other = make(poller.kind)

    def echo() -> None:
        other.set_reader(right.fileno(), lambda: right.send(right.recv(1)))
        turn(other, 30)

    thread = threading.Thread(target=echo)
    thread.start()
    poller.set_reader(left.fileno(), lambda: recorder.record(left.recv(1)))
    left.send(b"x")
    turn(poller, 30)
    thread.join()

    assert recorder.entries == [(b"x",)]
    other.close()


# ── giving up in a child ─────────────────────────────────────────────────────────────────────────────────────────────


def test_an_abandoned_descriptor_leads_nowhere_and_is_still_there_to_be_closed(
    poller: Poller, pair: tuple[socket.socket, socket.socket]
) -> None:
    left, right = pair
    poller.set_reader(left.fileno(), lambda: None)
    poller.set_writer(left.fileno(), lambda: None)
    poller.abandon()

    assert len(poller) == 0
    assert right.recv(1) == b""
    assert os.readlink(f"/proc/self/fd/{left.fileno()}") == os.devnull


def test_a_poller_that_was_abandoned_can_watch_others(
    poller: Poller, pair: tuple[socket.socket, socket.socket], recorder: Recorder
) -> None:
    left, right = pair
    poller.abandon()
    poller.set_reader(left.fileno(), recorder.callback("read"))
    right.send(b"x")
    poller.dispatch(poller.wait(0))

    assert recorder.names() == ["read"]
