"""Kinds of stream sockets for suites that all of them must pass, and peers that are plain sockets.

    kind = STREAMS["unix"](folder)
    bench = Bench()
    server = bench.add(kind.server(Echo))
    peer = bench.peer(kind, server)
    peer.send(b"hello")
    bench.until(lambda: peer.received == b"hello")

Rule 1: everything happens in the thread of the test: the bench turns the tree, and lets its peers have their turn.
Rule 2: what a bench has made is closed at its end, so that a test that leaks does so in the code under test.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from circuits.core.components import BaseComponent
from circuits.core.handlers import handler
from circuits.net.sockets import TCP6Client, TCP6Server, TCPClient, TCPServer, UNIXClient, UNIXServer

from .core import EventRecorder
from .waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from circuits.net.sockets import Client, Server

__all__ = ["STREAMS", "TCP", "TCP6", "Bench", "Kind", "Peer", "Unix", "echoing", "has_ipv6"]

T = TypeVar("T", bound=BaseComponent)


class Kind:
    """One kind of stream socket."""

    server_class: type[Server]
    client_class: type[Any]
    family: int

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0

    def bind(self) -> Any:
        """Return what a server is made with, different each time."""
        raise NotImplementedError

    def where(self, server: Server) -> tuple[Any, ...]:
        """Return the arguments of the `connect` event for *server*."""
        raise NotImplementedError

    def nowhere(self) -> tuple[Any, ...]:
        """Return the arguments of a `connect` event that will be refused."""
        raise NotImplementedError

    def server(self, mixin: type | None = None, **options: Any) -> Any:
        """Make a server, with the handlers of *mixin* if there is one."""
        bases = (self.server_class,) if mixin is None else (mixin, self.server_class)
        return type("Server", bases, {})(self.bind(), **options)

    def client(self, mixin: type | None = None, **options: Any) -> Any:
        """Make a client, with the handlers of *mixin* if there is one."""
        bases = (self.client_class,) if mixin is None else (mixin, self.client_class)
        return type("Client", bases, {})(**options)

    def connect(self, server: Server) -> socket.socket:
        """Return a plain socket that is connected to *server*."""
        sock = socket.socket(self.family)
        sock.connect(self.address(server))
        return sock

    def address(self, server: Server) -> Any:
        """Return what a plain socket connects to."""
        return self.where(server)


class TCP(Kind):
    """TCP over IPv4."""

    server_class = TCPServer
    client_class = TCPClient
    family = socket.AF_INET
    host = "127.0.0.1"

    def bind(self) -> Any:
        return (self.host, 0)

    def where(self, server: Server) -> tuple[Any, ...]:
        return (self.host, server.port)

    def nowhere(self) -> tuple[Any, ...]:
        with socket.socket(self.family) as probe:
            probe.bind((self.host, 0))
            return (self.host, probe.getsockname()[1])


class TCP6(TCP):
    """TCP over IPv6."""

    server_class = TCP6Server
    client_class = TCP6Client
    family = socket.AF_INET6
    host = "::1"


class Unix(Kind):
    """UNIX sockets."""

    server_class = UNIXServer
    client_class = UNIXClient
    family = socket.AF_UNIX

    def bind(self) -> Any:
        self._made += 1
        return str(self.folder / f"socket{self._made}")

    def where(self, server: Server) -> tuple[Any, ...]:
        return (server.host,)

    def nowhere(self) -> tuple[Any, ...]:
        return (str(self.folder / "nobody"),)

    def address(self, server: Server) -> Any:
        return server.host


def has_ipv6() -> bool:
    """Tell whether this machine can talk to itself over IPv6."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        return True
    return False


STREAMS: dict[str, type[Kind]] = {"tcp": TCP, **({"tcp6": TCP6} if has_ipv6() else {}), "unix": Unix}


class echoing:
    """Answer with what has come; for servers and clients alike."""

    @handler("read")
    def _on_read(self, *args: Any) -> Any:
        return args[-1]


class Peer:
    """A plain socket at the other end, which is served between the turns of the tree."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.received = bytearray()
        self.has_ended = False
        self.error: OSError | None = None
        #: Most bytes to take at a time; 0 is to take nothing.
        self.appetite = 1 << 20
        self._unsent = memoryview(b"")
        self._then_end = False

    def send(self, data: bytes, *, end: bool = False) -> None:
        """Send *data* as fast as it is taken; then, if wanted, the end of the input."""
        self._unsent = memoryview(bytes(self._unsent) + data)
        self._then_end = self._then_end or end
        self.turn()

    def turn(self) -> None:
        """Send and receive what can be."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.sock.send(self._unsent) :]
            if self._then_end:
                self._then_end = False
                self.sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError as error:
            self.error = error
            self._unsent = memoryview(b"")
        self._receive()

    def _receive(self) -> None:
        try:
            while self.appetite and not self.has_ended:
                data = self.sock.recv(self.appetite)
                self.received += data
                self.has_ended = not data
        except BlockingIOError:
            pass
        except OSError as error:
            self.error = error
            self.has_ended = True

    def reset(self) -> None:
        """Go without a word; TCP makes a reset of that."""
        if self.sock.family != socket.AF_UNIX:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.sock.close()

    def close(self) -> None:
        """Close as a program does that has nothing more to say."""
        self.sock.close()


class Bench:
    """A tree with a recorder, turned by hand, and the peers of its sockets."""

    def __init__(self, root: BaseComponent | None = None) -> None:
        self.root = BaseComponent() if root is None else root
        self.recorder = EventRecorder().register(self.root)
        self.peers: list[Peer] = []
        self._made: list[BaseComponent] = []

    def add(self, component: T) -> T:
        """Register *component*, and turn until it is ready."""
        component.register(self.root)
        self._made.append(component)
        self.until(lambda: any(event.args[0] is component for event in self.recorder.of("ready")))
        return component

    def peer(self, kind: Kind, server: Any) -> Peer:
        """Connect a plain socket to *server*."""
        return self.adopt(kind.connect(server))

    def adopt(self, sock: socket.socket) -> Peer:
        """Serve a plain socket between turns."""
        peer = Peer(sock)
        self.peers.append(peer)
        return peer

    def connect(self, kind: Kind, client: Client, server: Any) -> None:
        """Have *client* connect to *server*, and turn until both know it."""
        before = len(self.recorder.of("connected")), len(self.of_server("connect"))
        from circuits.net.events import connect

        self.root.fire(connect(*kind.where(server)), client.channel)
        self.until(lambda: len(self.recorder.of("connected")) > before[0])
        self.until(lambda: len(self.of_server("connect")) > before[1])

    def of_server(self, name: str) -> list[Any]:
        """Return the events of *name* that have a socket: those from servers."""
        return [event for event in self.recorder.of(name) if event.args and isinstance(event.args[0], socket.socket)]

    def of_client(self, name: str) -> list[Any]:
        """Return the events of *name* that have no socket: those from clients."""
        return [event for event in self.recorder.of(name) if not event.args or not _is_socket(event.args[0])]

    def until(self, condition: Callable[[], Any], timeout: float = 20.0) -> None:
        """Turn the tree and serve the peers until *condition* holds."""

        def has_happened() -> bool:
            # Many turns before the clock is looked at: a turn that has something to do takes microseconds.
            for _ in range(200):
                self.root.tick(0.001)
                for peer in self.peers:
                    if peer.sock.fileno() >= 0:
                        peer.turn()
                if condition():
                    return True
            return False

        wait_until(has_happened, timeout)

    def settle(self) -> None:
        """Turn until nothing has happened for a while."""
        quiet = 0
        while quiet < 10:
            seen = len(self.recorder.seen)
            self.root.tick(0.002)
            quiet = quiet + 1 if len(self.recorder.seen) == seen and not self.root._evtree.busy else 0

    def close(self) -> None:
        """Unregister what was added, and close what was opened."""
        for peer in self.peers:
            peer.close()
        for component in self._made:
            if component.parent is not component:
                component.unregister()
        self.until(lambda: all(component.parent is component for component in self._made))
        for tree in {self.root._evtree, *(component._evtree for component in self._made)}:
            if tree._loop is not None:
                tree.loop.close()


def _is_socket(value: Any) -> bool:
    return isinstance(value, socket.socket)
