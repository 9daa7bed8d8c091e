"""UDP: one socket that sends and receives datagrams; clients and servers are the same.

    poller ── readable ──▶ recvfrom ──▶ read(address, data) ──▶ handlers
                                                                  │ returned bytes, `write` events
    socket ◀── sendto, or queued until writable ◀── look-up ◀─────┘

Rule 1: a name is looked up in a thread; numeric addresses, and those that datagrams came from, cost no look-up.
Rule 2: a datagram that cannot be sent now waits; when `MAX_QUEUED` wait already it is dropped, and told: UDP promises
no more, and memory is not endless.
Rule 3: an error of one datagram is an `error` event and nothing else; the socket goes on.
"""

from __future__ import annotations

import socket
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from circuits.core.handlers import handler
from evkernel.address import look_up, numeric_address

from ._address import parse_ipv4_parameter, parse_ipv6_parameter
from ._incoming import as_bytes, incoming
from ._server import Server
from .events import closed, disconnected, error, ready, write

if TYPE_CHECKING:
    from circuits.core._tree import Tree

    from ._component import Option

__all__ = ["MAX_QUEUED", "UDP6Client", "UDP6Server", "UDPClient", "UDPServer"]

#: Datagrams received per readiness, so that a flood to one socket leaves the others their turn.
BATCH = 16
#: The largest datagram that UDP can carry; asking for less would cut what comes.
LARGEST = 65535
#: Datagrams that wait for the socket, or for a look-up. As many of the usual 1500 bytes make 1.5 MiB.
MAX_QUEUED = 1024
#: Addresses whose look-up is remembered.
MAX_KNOWN = 1024

Address = tuple[Any, ...]


class _Sender:
    """Where a datagram came from, and where what its handlers return is sent."""

    __slots__ = ("address", "server")

    def __init__(self, server: UDPServer, address: Address) -> None:
        self.server = server
        self.address = address

    def answer(self, data: bytes | memoryview) -> None:
        """Send an answer."""
        self.server.fire(write(self.address, data))


class UDPServer(Server):
    """Send and receive datagrams.

    Handles: write(address, data), broadcast(data, port), close().
    Fires: ready(server, (host, port)), read(address, data), error(error), disconnected(), closed().

    Args:
        bind: the address to receive on; port 0 for any.
        secure: not for UDP.
        backlog: not for UDP.
        bufsize: the largest datagram to take; the default stands for the largest there is.
        channel: where events come from and go to.
        kwargs: options, see `SocketComponent`.

    Raises:
        OSError: when the address cannot be had.
    """

    socket_family: int = socket.AF_INET
    socket_type: int = socket.SOCK_DGRAM
    socket_options: list[Option] = [  # noqa: RUF012 - documented; replaced, never changed
        (socket.SOL_SOCKET, socket.SO_BROADCAST, 1),
        (socket.SOL_SOCKET, socket.SO_REUSEADDR, 1),
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._queue: deque[tuple[Address, bytes | memoryview]] = deque()
        self._known: dict[Address, Address] = {}
        self._looking_up = 0
        super().__init__(*args, **kwargs)

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "host:port" or an address into what the socket binds to."""
        return parse_ipv4_parameter(bind_parameter)

    def _begin_to_listen(self, sock: socket.socket) -> None:
        """Nobody has to be accepted."""

    # Asked for.

    @handler("write", override=True)
    def write(self, address: Address, data: Any) -> None:  # type: ignore[override]
        """Send bytes or text as one datagram to *address*; a name is looked up first.

        Raises:
            TypeError: for anything but bytes and text.
        """
        if self._sock is None:
            return
        payload = as_bytes(data)
        target = self._numeric(tuple(address))
        if target is None:
            self._look_up(tuple(address), payload)
        else:
            self._send(target, payload)

    @handler("broadcast", override=True)
    def broadcast(self, data: Any, port: int) -> None:
        """Send bytes or text to everybody on the local network who listens on *port*."""
        self.write(("<broadcast>", port), data)

    @handler("close", override=True)
    def close(self) -> None:  # type: ignore[override]
        """Send what waits, as far as the socket takes it, and close."""
        if self._sock is not None:
            self._flush()
            self._close(self._sock)

    # Hooks for subclasses.

    def _read(self, sock: socket.socket) -> None:
        """Receive datagrams and fire `read` for each. A hook."""
        size = min(self._receive_size, LARGEST)
        for _ in range(BATCH):
            try:
                data, address = sock.recvfrom(size)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as reason:
                # An earlier datagram has found nobody (ECONNREFUSED), for example.
                self.fire(error(reason))
                return
            self._fire_input(incoming(_Sender(self, address), (address, data)))

    def _close(self, sock: socket.socket) -> None:
        """Close the socket at once. A hook."""
        if sock is self._sock:
            self._sock = None
            self._queue.clear()
            self._evtree.loop.poller.discard(sock.fileno())
            sock.close()
            self.fire(disconnected())
            self.fire(closed())

    # Output.

    def _numeric(self, address: Address) -> Address | None:
        """Give the socket address of one that needs no look-up."""
        host, port = address[0], address[1]
        if host in ("<broadcast>", ""):
            return address
        known = self._known.get(address)
        if known is None:
            known = address if len(address) > 2 else numeric_address(self.socket_family, str(host), int(port))
            if known is not None:
                self._remember(address, known)
        return known

    def _remember(self, address: Address, target: Address) -> None:
        if len(self._known) >= MAX_KNOWN:
            self._known.clear()
        self._known[address] = target

    def _look_up(self, address: Address, payload: bytes | memoryview) -> None:
        if self._looking_up >= MAX_QUEUED:
            self.fire(error(OSError(f"{MAX_QUEUED} datagrams wait for look-ups; one to {address!r} was dropped")))
            return
        self._looking_up += 1
        loop = self._evtree.loop

        def answered(found: list[Address] | OSError) -> None:
            loop.call_soon(partial(self._looked_up, address, payload, found))

        look_up(str(address[0]), int(address[1]), self.socket_family, socket.SOCK_DGRAM, answered)

    def _looked_up(self, address: Address, payload: bytes | memoryview, found: list[Address] | OSError) -> None:
        self._looking_up -= 1
        if isinstance(found, OSError):
            self.fire(error(found))
        elif self._sock is not None:
            self._remember(address, found[0])
            self._send(found[0], payload)

    def _send(self, target: Address, payload: bytes | memoryview) -> None:
        if len(self._queue) >= MAX_QUEUED:
            self.fire(error(OSError(f"{MAX_QUEUED} datagrams wait for the socket; one to {target!r} was dropped")))
            return
        self._queue.append((target, payload))
        if len(self._queue) == 1:
            self._flush()

    def _flush(self) -> None:
        """Send what waits as far as the socket takes it; the poller calls this, too."""
        sock, queue = self._sock, self._queue
        if sock is None:
            return
        poller = self._evtree.loop.poller
        while queue:
            target, payload = queue[0]
            try:
                sock.sendto(payload, target)
            except (BlockingIOError, InterruptedError):
                poller.set_writer(sock.fileno(), self._flush)
                return
            except OSError as reason:
                self.fire(error(reason))
            queue.popleft()
        poller.remove_writer(sock.fileno())

    # The tree.

    def _attach(self) -> None:
        if self._sock is None:
            self._sock = self._create_socket()
            self._host, self._port = self._name_of(self._sock.getsockname())
        self._listen()
        self.fire(ready(self, (self._host, self._port)))

    def _listen(self) -> None:
        sock = self._sock
        if sock is not None:
            self._evtree.loop.poller.set_reader(sock.fileno(), partial(self._read, sock))

    def _give_up(self) -> None:
        self.close()

    def _move(self, old: Tree, new: Tree) -> None:  # noqa: ARG002 - what all socket components are asked
        if self._sock is not None and old.loop.poller.remove_reader(self._sock.fileno()):
            old.loop.poller.discard(self._sock.fileno())
            self._listen()
            self._flush()


UDPClient = UDPServer


class UDP6Server(UDPServer):
    """Send and receive datagrams over IPv6; see `UDPServer`."""

    socket_family: int = socket.AF_INET6

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn a port, "[host]:port" or an address into what the socket binds to."""
        return parse_ipv6_parameter(bind_parameter)


UDP6Client = UDP6Server
