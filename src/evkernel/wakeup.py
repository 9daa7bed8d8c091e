"""Wake a loop that sleeps in its poller.

    any thread, any signal handler: wake() ──▶ descriptor readable ──▶ the poller returns ──▶ drain()

Rule 1: `wake` never blocks and never raises; many wakes before a drain count as one.
Rule 2: publish first, wake second. Whoever drains looks at everything that may have been published afterwards.
Rule 3: a wake that comes too late, after `close`, is dropped.
"""

from __future__ import annotations

import os
import sys
from io import FileIO

__all__ = ["Wakeup"]


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

    class _EventWakeup:
        """Count wakes in one eventfd."""

        __slots__ = ("_file",)

        # A counter of one, in the byte order of this machine.
        _ONE = (1).to_bytes(8, sys.byteorder)

        def __init__(self) -> None:
            # A file object, not a number: after close() a late wake meets a closed file, never a
            # stranger's descriptor that happens to have the same number.
            self._file = FileIO(os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC), "r+")

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

        def __del__(self) -> None:
            # FileIO would warn about a loop that was dropped without being closed; that is allowed.
            file = getattr(self, "_file", None)
            if file is not None:
                file.close()

    Wakeup = _EventWakeup
else:
    Wakeup = _SocketWakeup
