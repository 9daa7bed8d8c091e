"""Read and write a descriptor that is not a socket, without ever waiting for it, whatever it is.

    kind             read when                written when
    pipe, terminal   the poller says so       the poller says so, and no more than certainly fits
    /dev/null, …     once in every look at input and output: the system says that it is always ready
    regular file     see `_regular`

Rule 1: a descriptor that was there before us is not set non-blocking. The setting belongs to everybody who has it
open: to the shell, to the next program in the pipe, to our own stdout; and a program that is killed never sets it back.
A terminal is opened once more instead, which gives us a setting of our own.
Rule 2: what was open before us is never closed by us.
Rule 3: one piece per readiness, so that a long file keeps nobody waiting.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from evkernel.errors import NotPollable
from evkernel.outbox import Outbox

if TYPE_CHECKING:
    from circuits.core._tree import Tree

__all__ = ["HIGH_WATER", "LOW_WATER", "Descriptor", "Holder"]

#: Whoever waits for what it has asked to be written waits while more than this is queued, …
HIGH_WATER = 256 * 1024
#: … and goes on once no more than this is left: as much as a pipe of Linux takes, so that it never runs dry meanwhile.
LOW_WATER = 64 * 1024
#: What POSIX lets every pipe take at once when it is reported as writable.
PIPE_BUF = 512


class Holder(Protocol):
    """What a descriptor needs of the component that it belongs to."""

    _evtree: Tree
    _bufsize: int

    def _has_read(self, data: bytes) -> None:
        """Take what was read."""

    def _has_ended(self) -> None:
        """Take note that nothing more will be read."""

    def _has_room(self) -> None:
        """Take note that little is left to be written."""

    def _has_mishap(self, error: OSError) -> None:
        """Take note of an error after which one can go on."""

    def _has_failed(self, error: OSError) -> None:
        """Take note of an error after which the descriptor is of no use."""

    def _has_closed(self) -> None:
        """Take note that the descriptor is closed."""


class Descriptor:
    """A descriptor in use by a component.

    Args:
        holder: the component.
        fd: its number.
        owned: whether it is ours: non-blocking, and to be closed.
    """

    __slots__ = ("_is_closing", "_is_pumping", "_is_reading", "_limit", "_outbox", "_to_close", "fd", "holder")

    def __init__(self, holder: Holder, fd: int, *, owned: bool) -> None:
        self.holder = holder
        self._to_close = fd if owned else None
        if not owned and os.isatty(fd):
            fd = self._reopen(fd)
        self.fd = fd
        #: Bytes that one write may have; None for as many as there are.
        self._limit = None if self._to_close is not None else _certain_to_fit(fd)
        self._outbox = Outbox()
        self._is_reading = False
        self._is_pumping = False
        self._is_closing = False

    def _reopen(self, fd: int) -> int:
        try:
            self._to_close = os.open(os.ttyname(fd), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return fd  # a terminal without a name here, as in some containers
        return self._to_close

    # Input.

    def start_reading(self) -> None:
        """Give what can be read to the holder, until the end or `stop_reading`."""
        self._is_reading = True
        try:
            self.holder._evtree.loop.poller.set_reader(self.fd, self._receive)
        except NotPollable:
            self._pump()

    def stop_reading(self) -> None:
        """Leave the rest unread."""
        self._is_reading = False
        self.holder._evtree.loop.poller.remove_reader(self.fd)

    def _receive(self) -> None:
        try:
            data = os.read(self.fd, self.holder._bufsize)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.stop_reading()
            self.holder._has_failed(error)
            return
        if data:
            self.holder._has_read(data)
        else:
            self.stop_reading()
            self.holder._has_ended()

    # Output.

    @property
    def queued(self) -> int:
        """Bytes that have been asked for and are not written yet."""
        return self._outbox.size

    def seek(self, offset: int, whence: int) -> None:
        """Go on somewhere else, where that is possible; an error is told to the holder."""
        try:
            os.lseek(self.fd, offset, whence)
        except OSError as error:
            self.holder._has_mishap(error)

    def write(self, data: bytes) -> None:
        """Write *data*, or queue it; never more at once than is certain to fit."""
        if self._is_closing:
            return
        self._outbox.append(data)
        self._want_to_write()

    def _want_to_write(self) -> None:
        if not self._outbox:
            return
        poller = self.holder._evtree.loop.poller
        if self._limit is None:
            # It cannot block, so it need not be asked.
            self._send()
        if self._outbox and not self._is_pumping and not poller.is_writing(self.fd):
            try:
                poller.set_writer(self.fd, self._send)
            except NotPollable:
                self._pump()

    def _send(self) -> None:
        try:
            written = os.write(self.fd, self._outbox.head()[: self._limit])
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._outbox = Outbox()
            self.holder._has_room()
            self._after_sending()
            self.holder._has_failed(error)
            return
        self._outbox.drop(written)
        if self._outbox.size <= LOW_WATER:
            self.holder._has_room()
        self._after_sending()

    def _after_sending(self) -> None:
        if not self._outbox:
            self.holder._evtree.loop.poller.remove_writer(self.fd)
            if self._is_closing:
                self.close_at_once()

    # What is always ready.

    def _pump(self) -> None:
        if not self._is_pumping:
            self._is_pumping = True
            self.holder._evtree.loop.call_soon(self._do_a_piece)

    def _do_a_piece(self) -> None:
        self._is_pumping = False
        if self.fd < 0:
            return
        if self._outbox:
            self._send()
        if self._is_reading:
            self._receive()
        if self.fd >= 0 and (self._outbox or self._is_reading):
            self._pump()

    # The end.

    def close(self) -> None:
        """Close once everything has been written."""
        self.stop_reading()
        if self._outbox:
            self._is_closing = True
        else:
            self.close_at_once()

    def close_at_once(self) -> None:
        """Close, whatever is queued; harmless when repeated."""
        if self.fd < 0:
            return
        self._is_reading = False
        self._outbox = Outbox()
        self.holder._evtree.loop.poller.discard(self.fd)
        if self._to_close is not None:
            os.close(self._to_close)
        self.fd = -1
        self.holder._has_closed()

    def move(self, old: Tree, new: Tree) -> None:
        """Be watched by another tree."""
        reader, writer = old.loop.poller.reader(self.fd), old.loop.poller.writer(self.fd)
        old.loop.poller.discard(self.fd)
        if reader is not None:
            new.loop.poller.set_reader(self.fd, reader)
        if writer is not None:
            new.loop.poller.set_writer(self.fd, writer)
        if self._is_pumping:
            self._is_pumping = False
            self._pump()


def _certain_to_fit(fd: int) -> int:
    try:
        return os.fpathconf(fd, "PC_PIPE_BUF")
    except (OSError, ValueError):
        return PIPE_BUF
