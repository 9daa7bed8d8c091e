"""Regular files: what is in memory is read at once, all else is done in threads, in order."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from circuits import Component
from circuits.io import _regular
from circuits.io._regular import RegularFile
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator


class Holder:
    """Remembers what a file says."""

    def __init__(self, bufsize: int = 4096) -> None:
        self._bufsize = bufsize
        self.root = Component()
        self._evtree = self.root._evtree
        self.said: list[Any] = []
        self.data = b""
        self.pieces: list[int] = []

    def _has_read(self, data: bytes) -> None:
        self.data += data
        self.pieces.append(len(data))

    def _has_ended(self) -> None:
        self.said.append("eof")

    def _has_room(self) -> None:
        self.said.append("room")

    def _has_mishap(self, error: OSError) -> None:
        self.said.append(("mishap", error.errno))

    def _has_failed(self, error: OSError) -> None:
        self.said.append(("failed", error.errno))

    def _has_closed(self) -> None:
        self.said.append("closed")

    def until(self, what: Any) -> None:
        def has_happened() -> bool:
            self._evtree.loop.turn(0.001)
            return what in self.said if not callable(what) else bool(what())

        wait_until(has_happened)


@pytest.fixture
def holder() -> Iterator[Holder]:
    holder = Holder()
    yield holder
    holder._evtree.loop.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.fixture(params=["what is in memory", "nothing"], autouse=True)
def told_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run every test where the system can tell what is in memory, and where it cannot."""
    if request.param == "nothing":
        monkeypatch.setattr(_regular, "_NOWAIT", None)
    return str(request.param)


def opened(holder: Any, path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> RegularFile:
    return RegularFile(holder, os.open(path, flags, 0o600), owned=True)


def test_a_file_is_read_in_pieces_to_its_end(holder: Holder, path: Path) -> None:
    path.write_bytes(os.urandom(1_000_000))
    file = opened(holder, path)
    file.start_reading()
    holder.until("eof")
    file.close()
    holder.until("closed")

    assert holder.data == path.read_bytes()
    assert max(holder.pieces) == 4096


def test_no_read_and_no_write_blocks_the_thread_of_the_tree(
    holder: Holder, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = threading.get_ident(), set()

    def watched(function: Any) -> Any:
        def call(*args: Any) -> Any:
            assert threading.get_ident() != here
            elsewhere.add(function.__name__)
            return function(*args)

        return call

    path.write_bytes(b"x" * 10_000)
    # Not even what is in memory can be told from what is not.
    monkeypatch.setattr(_regular, "_NOWAIT", None)
    for name in ("read", "write"):
        monkeypatch.setattr(os, name, watched(getattr(os, name)))
    file = opened(holder, path)
    file.start_reading()
    holder.until("eof")
    file.write(b"y" * 10_000)
    file.close()
    holder.until("closed")

    assert elsewhere == {"read", "write"}
    assert path.stat().st_size == 20_000


def test_what_comes_from_memory_needs_no_thread(holder: Holder, path: Path, told_at_once: str) -> None:
    path.write_bytes(b"x" * 10_000)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.preadv(fd, [bytearray(1)], 0, os.RWF_NOWAIT)
    except (OSError, AttributeError):
        os.close(fd)
        pytest.skip("this file system cannot tell what is in memory")
    file = RegularFile(holder, fd, owned=False)
    started = []
    original, _regular._threads.submit = _regular._threads.submit, started.append  # type: ignore[method-assign]
    try:
        file.start_reading()
        for _ in range(10):
            holder._evtree.loop.turn(0.001)
    finally:
        _regular._threads.submit = original  # type: ignore[method-assign]
    if told_at_once == "nothing":
        # A thread has been asked for, and nothing happens before it has answered.
        assert (len(started), holder.data) == (1, b"")
        started[0]()
        holder.until("eof")
    assert holder.data == b"x" * 10_000
    assert bool(started) == (told_at_once == "nothing")
    os.close(fd)


def test_orders_are_carried_out_in_their_order(holder: Holder, path: Path) -> None:
    file = opened(holder, path)
    for order in (b"0123", b"456", 2, b"X", 5, b"Y", b"Z!"):
        if isinstance(order, int):
            file.seek(order, os.SEEK_SET)
        else:
            file.write(order)
    assert file.queued == 11
    file.close()
    holder.until("closed")

    assert path.read_bytes() == b"01X34YZ!"
    assert file.queued == 0


def test_what_is_written_lands_behind_what_was_delivered_not_behind_what_was_read_ahead(
    holder: Holder, path: Path
) -> None:
    path.write_bytes(b"a" * 100_000)
    file = opened(holder, path)
    file.start_reading()
    holder.until(lambda: holder.pieces)
    file.stop_reading()
    delivered = len(holder.data)
    assert delivered < 100_000
    file.write(b"HERE")
    file.close()
    holder.until("closed")

    assert path.read_bytes()[delivered : delivered + 4] == b"HERE"
    assert path.stat().st_size == 100_000


def test_a_borrowed_descriptor_is_left_where_reading_stopped_and_open(holder: Holder, path: Path) -> None:
    path.write_bytes(b"a" * 100_000)
    fd = os.open(path, os.O_RDONLY)
    file = RegularFile(holder, fd, owned=False)
    file.start_reading()
    holder.until(lambda: holder.pieces)
    file.close()
    holder.until("closed")

    assert os.lseek(fd, 0, os.SEEK_CUR) == len(holder.data)
    os.close(fd)


def test_a_failed_write_drops_the_rest_and_says_so_once(holder: Holder, path: Path) -> None:
    path.write_bytes(b"")
    file = opened(holder, path, os.O_RDONLY)
    file.write(b"x" * (_regular.WRITE_AT_ONCE + 1))
    file.write(b"y")
    holder.until(("failed", errno.EBADF))
    assert file.queued == 0
    file.close()
    holder.until("closed")

    assert holder.said == [("failed", errno.EBADF), "room", "closed"]


def test_a_failed_seek_is_a_mishap_and_the_file_goes_on(holder: Holder, path: Path) -> None:
    file = opened(holder, path)
    file.seek(-5, os.SEEK_SET)
    file.write(b"goes on")
    file.close()
    holder.until("closed")

    assert ("mishap", errno.EINVAL) in holder.said
    assert path.read_bytes() == b"goes on"


def test_a_failed_read_is_a_failure(holder: Holder, tmp_path: Path) -> None:
    file = RegularFile(holder, os.open(tmp_path, os.O_RDONLY), owned=True)
    file.start_reading()
    holder.until(("failed", errno.EISDIR))
    file.close()
    holder.until("closed")


def test_a_failed_close_is_told(holder: Holder, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, close = opened(holder, path), os.close

    def fail(fd: int) -> None:
        close(fd)
        raise OSError(errno.EIO, "the last write has failed after all")

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", fail)
        file.close()
        holder.until("closed")

    assert holder.said == [("mishap", errno.EIO), "closed"]


def test_a_file_moves_to_another_tree_while_its_thread_is_at_work(holder: Holder, path: Path) -> None:
    gate = threading.Event()
    file = opened(holder, path)
    file._at_work(lambda: gate.wait(10), lambda _: holder.said.append("back"))
    old, other = holder._evtree, Holder()
    holder._evtree = other._evtree
    file.move(old, other._evtree)
    gate.set()
    holder.until("back")
    # What was done before the move is told after it, too.
    file._at_work(lambda: None, lambda _: holder.said.append("again"))
    wait_until(lambda: file._outcome)
    holder._evtree = old
    file.move(other._evtree, old)
    holder.until("again")
    file.close()
    holder.until("closed")
    other._evtree.loop.close()


def test_nothing_is_told_to_a_loop_that_is_closed(path: Path) -> None:
    holder = Holder()
    file = opened(holder, path)
    file.write(b"kept")
    holder._evtree.loop.turn(0)
    holder._evtree.loop.close()
    wait_until(lambda: path.read_bytes() == b"kept")
    wait_until(lambda: file._outcome)
    os.close(file.fd)
    assert holder.said == []
