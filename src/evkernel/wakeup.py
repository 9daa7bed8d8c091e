"""Wake a loop that sleeps in its poller.

    any thread, any signal handler: wake() ──▶ descriptor readable ──▶ the poller returns ──▶ drain()
    any signal: the interpreter writes ──────▶ descriptor readable ──▶ the poller returns ──▶ its handler runs

Rule 1: `wake` never blocks and never raises; many wakes before a drain count as one.
Rule 2: publish first, wake second. Whoever drains looks at everything that may have been published afterwards.
Rule 3: a wake that comes too late, after `close`, is dropped.

Why signals need a descriptor of their own: a handler written in Python runs between two steps of the interpreter.
A signal that comes after the last of them and before the system call does not interrupt that call, and its
handler, wake and all, would wait for whatever ends the sleep.
"""

from __future__ import annotations

import os
import sys
from io import FileIO

__all__ = ["SignalWakeup", "Wakeup"]


class _SocketWakeup:
    """Send bytes through a socket pair, where there is no eventfd."""

    __slots__ = ("_receiver", "_sender")

    def __init__(self) -> None:
        import socket  # here: it costs milliseconds, and most systems never come this way

        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor to watch for reading."""
        return self._receiver.fileno()

    def wake(self) -> None:
        """Make the descriptor readable."""
        try:
            self._sender.send(b"\0")
        except OSError:
            return  # full, so readable already; or closed meanwhile (rule 3)

    def drain(self) -> None:
        """Make the descriptor unreadable again."""
        try:
            while len(self._receiver.recv(4096)) == 4096:
                continue
        except OSError:
            return  # empty, or closed meanwhile

    def close(self) -> None:
        """Give the descriptors back; idempotent."""
        self._receiver.close()
        self._sender.close()

    def __del__(self) -> None:
        if hasattr(self, "_sender"):
            self.close()


if sys.platform == "linux":

    class _QuietFile(FileIO):
        """Close without a warning: a loop may be dropped without being closed."""

        # Not left to who holds the file: in a circle of garbage the order of finalizers is anybody's guess.
        def __del__(self) -> None:
            self.close()

    class _EventWakeup:
        """Count wakes in one eventfd."""

        __slots__ = ("_file",)

        # A counter of one, in the byte order of this machine.
        _ONE = (1).to_bytes(8, sys.byteorder)

        def __init__(self) -> None:
            # A file object, not a number: after close() a late wake meets a closed file, never a
            # stranger's descriptor that happens to have the same number.
            self._file = _QuietFile(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC), "r+")

        def fileno(self) -> int:
            """Return the descriptor to watch for reading."""
            return self._file.fileno()

        def wake(self) -> None:
            """Make the descriptor readable."""
            try:
                self._file.write(self._ONE)
            except ValueError:
                return  # closed meanwhile (rule 3)

        def drain(self) -> None:
            """Make the descriptor unreadable again."""
            self._file.read(8)

        def close(self) -> None:
            """Give the descriptor back; idempotent."""
            self._file.close()

    Wakeup = _EventWakeup
else:
    Wakeup = _SocketWakeup


class SignalWakeup:
    """Have the interpreter itself write for every signal that it catches.

    There is one such descriptor for a process, so at most one of these is of use at a time.
    """

    __slots__ = ("_reader", "_writer")

    _reader: int
    _writer: int

    def __init__(self) -> None:
        """Take the place, if it is free.

        Raises:
            ValueError: This is not the main thread, this is Windows, or somebody else has the place (asyncio, say).
        """
        import signal  # here: most loops never come this way, and it brings enum along

        if sys.platform == "win32":
            raise ValueError("pipes cannot be watched here")
        taken = signal.set_wakeup_fd(-1)
        if taken != -1:
            signal.set_wakeup_fd(taken)
            raise ValueError(f"descriptor {taken} is told about signals already")
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor to watch for reading."""
        return self._reader

    def drain(self) -> None:
        """Make the descriptor unreadable again; the handlers run by themselves."""
        try:
            os.read(self._reader, 4096)
        except BlockingIOError:
            return  # another turn was faster

    def close(self) -> None:
        """Give the place and the descriptors back, from the main thread; idempotent."""
        import signal

        if self._reader < 0:
            return
        now = signal.set_wakeup_fd(-1)
        if now not in (self._writer, -1):
            signal.set_wakeup_fd(now)  # somebody has taken the place from us
        os.close(self._reader)
        os.close(self._writer)
        self._reader = self._writer = -1
