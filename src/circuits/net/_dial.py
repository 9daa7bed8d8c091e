"""Connect without waiting: look the name up, try one address after the other, give up when the time is over.

    begin ──▶ look-up (names only) ──▶ connect to an address ──▶ connected
                                          │        ▲
                                          └────────┘ failed: the next one

Rule 1: it ends once, with a connected socket or with an error; the error is that of the last address.
Rule 2: the time-out covers everything, the look-up too.

Trying both families at once will come here, between the look-up and the result.
"""

from __future__ import annotations

import errno
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from evkernel.address import look_up, numeric_address

if TYPE_CHECKING:
    from circuits.core._tree import Tree
    from evkernel.address import Address
    from evkernel.timers import Timer

__all__ = ["MAX_PORT", "TRY_AGAIN_AFTER", "Dial", "Dialer"]

#: Seconds until a UNIX socket whose server has its backlog full is tried again: the system does not tell when it may.
TRY_AGAIN_AFTER = 0.01

MAX_PORT = 65535

_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EWOULDBLOCK, errno.EAGAIN, errno.EINTR})


class Dialer(Protocol):
    """Who wants to be connected."""

    _evtree: Tree
    socket_family: int
    socket_type: int

    def _fresh_socket(self) -> socket.socket:
        """Give a socket that has not been connected before."""

    def _has_connected(self, sock: socket.socket) -> None:
        """Take the connected socket."""

    def _has_failed(self, reason: OSError) -> None:
        """Take note that there will be no connection."""


class Dial:
    """One attempt to connect.

    Args:
        client: whom to connect.
        address: what to connect to: (host, port), or the path of a UNIX socket.
        timeout: seconds for all of it; None for as long as the system tries.
    """

    def __init__(self, client: Dialer, address: Any, timeout: float | None) -> None:
        self._client = client
        self._address = address
        self._timeout = timeout
        self._deadline: Timer | None = None
        self._again: Timer | None = None
        self._left: list[Address | str] = []
        self._sock: socket.socket | None = None
        self._over = False

    def begin(self) -> None:
        """Connect; the client hears of the end, at once or later."""
        self._arm()
        if isinstance(self._address, str):
            self._take([self._address])
            return
        host, port = self._address
        if not 0 <= port <= MAX_PORT:
            # The system would take the number modulo 65536, and connect to something else.
            self._fail(OSError(errno.EINVAL, f"expected a port of 0-{MAX_PORT}, got {port}"))
            return
        known = numeric_address(self._client.socket_family, host, port)
        if known is not None:
            self._take([known])
        else:
            look_up(host, port, self._client.socket_family, self._client.socket_type, self._answer)

    def cancel(self) -> None:
        """Do not connect, and say nothing."""
        self._over = True
        self._disarm()
        if self._sock is not None:
            self._let_go(self._sock).close()

    def move(self, old: Tree, new: Tree) -> None:
        """Go on in another tree."""
        if self._sock is not None:
            old.loop.poller.discard(self._sock.fileno())
            new.loop.poller.set_writer(self._sock.fileno(), self._see)
        # Two trees may have different clocks, so what is carried over is the time left.
        if self._deadline is not None:
            self._timeout = self._deadline.deadline - old.clock.now()
        self._disarm()
        self._arm()

    def _arm(self) -> None:
        if self._timeout is not None:
            self._deadline = self._client._evtree.loop.call_later(self._timeout, self._time_is_over)

    def _disarm(self) -> None:
        for timer in (self._deadline, self._again):
            if timer is not None:
                timer.cancel()
        self._deadline = self._again = None

    def _answer(self, found: list[Address] | OSError) -> None:
        """Take what a look-up has found, on the thread that has looked."""
        self._client._evtree.loop.call_soon(partial(self._take, found))

    def _take(self, found: Any) -> None:
        if self._over:
            return
        if isinstance(found, OSError):
            self._fail(found)
        else:
            self._left = list(found)
            self._next(OSError(errno.EADDRNOTAVAIL, f"no address to connect to for {self._address!r}"))

    def _next(self, reason: OSError) -> None:
        """Try the next address; *reason* is why the one before has failed."""
        if not self._left:
            self._fail(reason)
            return
        try:
            self._sock = self._client._fresh_socket()
        except OSError as error:
            self._fail(error)
            return
        self._try(self._sock, self._left.pop(0))

    def _try(self, sock: socket.socket, address: Any) -> None:
        try:
            problem = sock.connect_ex(address)
        except OSError as error:  # an address that the family cannot take
            self._drop(error)
            return
        if problem == 0:
            self._succeed()
        elif problem == errno.EAGAIN and isinstance(address, str):
            self._again = self._client._evtree.loop.call_later(TRY_AGAIN_AFTER, partial(self._try, sock, address))
        elif problem in _UNDER_WAY:
            self._client._evtree.loop.poller.set_writer(sock.fileno(), self._see)
        else:
            self._drop(_error(problem, self._address))

    def _see(self) -> None:
        """See how connecting has ended; the poller calls this."""
        sock = self._sock
        if sock is None:
            return
        problem = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if problem:
            self._drop(_error(problem, self._address))
        else:
            self._succeed()

    def _drop(self, reason: OSError) -> None:
        if self._sock is not None:
            self._let_go(self._sock).close()
        self._next(reason)

    def _let_go(self, sock: socket.socket) -> socket.socket:
        self._client._evtree.loop.poller.discard(sock.fileno())
        self._sock = None
        return sock

    def _succeed(self) -> None:
        assert self._sock is not None
        self._over = True
        self._disarm()
        self._client._has_connected(self._let_go(self._sock))

    def _fail(self, reason: OSError) -> None:
        self.cancel()
        self._client._has_failed(reason)

    def _time_is_over(self) -> None:
        self._fail(TimeoutError(errno.ETIMEDOUT, f"no connection to {_text(self._address)} in time"))


def _error(problem: int, address: Any) -> OSError:
    import os  # here: only failures need it

    return OSError(problem, f"{os.strerror(problem)}: {_text(address)}")


def _text(address: Any) -> str:
    return address if isinstance(address, str) else ":".join(map(str, address[:2]))
