"""One connected socket: bytes in become `read` events, what is written goes out, as far and as soon as it can.

    poller ── readable ──▶ receive ──▶ incoming ── queue ──▶ handlers
                                                               │ returned bytes, `write` events
    poller ── writable ──▶ flush ──▶ socket ◀── send ◀─────────┘

Rule 1: readiness costs no event: the kernel calls the connection. A descriptor stays registered for reading from the
first to the last byte; for writing only while something is queued.
Rule 2: one `recv` per readiness, so that no connection keeps the others waiting. It asks for 64 KiB, what a TCP socket
has at once under load; when 64 bytes come, asking for so much costs 0.06 µs.
Rule 3: bytes leave in the order in which they were written, answers of handlers and `write` events alike.
Rule 4: nothing that has arrived is lost: the end of the input closes the connection only when all that came before has
been handled and answered, and when the output fails first, the input is still read to its end.
Rule 5: a connection ends once, in `shut`, whichever way led there; its owner hears of it there.

TLS will be a subclass with bytes of its own between the socket and `receive` and `send`.
"""

from __future__ import annotations

import enum
import errno
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from circuits.core._waiting import watch
from evkernel.outbox import CHUNK, Outbox

from ._incoming import as_bytes, incoming

if TYPE_CHECKING:
    import socket

    from circuits.core._tree import Tree
    from circuits.core.events import Event

__all__ = ["Connection", "OutputOverflow", "Owner", "State"]

#: Bytes sent to one connection before the others have their turn.
FAIR_SHARE = 1024 * 1024
#: Looks at input and output that the last input is given to be answered. Each look comes when nothing is queued, or
#: after many turns; in the second look, in most programs, all has been answered.
PATIENCE = 32
#: `recv`s that empty the input of a connection before it is closed; see `Connection.shut`.
LAST_LOOKS = 16

#: Seconds that handlers of the last input may take to answer it before the connection is closed all the same. A handler
#: that waits for the end of the connection would otherwise wait for ever.
LAST_ANSWERS = 30.0

#: Errors of the output after which the input still has its end to tell.
_PEER_IS_GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ECONNABORTED, errno.ESHUTDOWN})


class OutputOverflow(OSError):  # noqa: N818 - reads as what has happened
    """More is queued for a peer than the limit allows: it does not read. The connection is closed."""


class State(enum.Enum):
    """How far a connection has come.

    OPEN ──▶ ENDED ──▶ DRAINING ──▶ CLOSED      any state may jump to CLOSED
      ├────────────────────▲
      └────▶ BROKEN
    """

    OPEN = 1
    #: The peer has sent its last byte; it may still be answered.
    ENDED = 2
    #: We close as soon as everything that is queued has been sent.
    DRAINING = 3
    #: Nothing can be sent any more; what the peer has sent is still read.
    BROKEN = 4
    CLOSED = 5


OPEN, ENDED, DRAINING, BROKEN, CLOSED = State


class Owner(Protocol):
    """What a connection needs of the component that it belongs to."""

    _evtree: Tree
    _receive_size: int
    _has_read_hook: bool
    _max_queued_bytes: int | None
    #: The plans for `write` events by which these reach nobody but the owner; something else when there are others.
    _plans_without_others: object

    def _receive_by_hook(self, connection: Connection) -> None:
        """Receive by way of the hook for subclasses."""

    def _deliver(self, connection: Connection, data: bytes) -> None:
        """Fire the event about *data*."""

    def _answer(self, connection: Connection, data: Any) -> None:
        """Fire the event that asks for *data* to be written to the connection."""

    def _writes_itself(self) -> bool:
        """Tell whether nobody but the owner would handle the event that `_answer` fires."""

    def _failed(self, connection: Connection, error: OSError) -> None:
        """Fire the event about an error."""

    def _shut(self, connection: Connection) -> None:
        """Close the connection, by way of the hook for subclasses."""

    def _has_shut(self, connection: Connection) -> None:
        """Forget the connection, fire the event about its end."""


class Connection:
    """A connected stream socket of a component.

    Attributes:
        owner: the component.
        sock: the socket, non-blocking.
        state: how far it has come.
    """

    # An idle connection is this object, its socket and one callback: programs keep thousands of them.
    __slots__ = ("_outbox", "fd", "owner", "sock", "state")

    def __init__(self, owner: Owner, sock: socket.socket) -> None:
        self.owner = owner
        self.sock = sock
        self.fd = sock.fileno()
        self.state = OPEN
        self._outbox: Outbox | None = None

    @property
    def queued(self) -> int:
        """How many bytes wait to be sent."""
        return 0 if self._outbox is None else self._outbox.size

    # Input.

    def start(self) -> None:
        """Begin to read."""
        poller = self.owner._evtree.loop.poller
        stale = getattr(poller.reader(self.fd), "__self__", None)
        if isinstance(stale, Connection) and stale is not self:
            stale.shut()  # closed underneath, unnoticed until now that its number is used again
        poller.set_reader(self.fd, self.receive_by_hook if self.owner._has_read_hook else self.receive)

    def receive_by_hook(self) -> None:
        """Have the owner, which has its own idea of receiving, take what has come."""
        self.owner._receive_by_hook(self)

    def receive(self) -> None:
        """Take what has come, once; the poller calls this."""
        owner = self.owner
        try:
            data = self.sock.recv(owner._receive_size)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(error)
            return
        if data:
            owner._deliver(self, data)
        else:
            self.end()

    def end(self) -> None:
        """Take note that the peer sends no more."""
        loop = self.owner._evtree.loop
        loop.poller.remove_reader(self.fd)
        if self.state is OPEN:
            self.state = ENDED
            # This runs in the present look, and its successor in the next: by then what has come is handled.
            loop.call_soon(partial(self._close_when_answered, PATIENCE))
        elif self.state is BROKEN:
            self.owner._shut(self)

    def _close_when_answered(self, patience: int) -> None:
        """Close once no event is queued and no handler at work that may still answer what has come."""
        if self.state is not ENDED:
            return
        tree = self.owner._evtree
        if patience == PATIENCE or (tree.queue and patience):
            tree.loop.call_soon(partial(self._close_when_answered, patience - 1))
            return
        unanswered = self._unanswered(tree)
        if unanswered is None:
            self.close()
        else:
            watch(unanswered, self)
            tree.loop.call_later(LAST_ANSWERS, self.close)

    def _unanswered(self, tree: Tree) -> Event | None:
        """Give an event with a suspended handler that goes back to what this connection has received."""
        for task in tree.tasks:
            for event in (task.event, *task.event.causes()):
                if type(event) is incoming and event._connection is self:
                    return task.event
        return None

    def wake(self, event: Event) -> None:  # noqa: ARG002 - what the kernel calls
        """Look again: a handler has come to its end."""
        self.owner._evtree.loop.call_soon(partial(self._close_when_answered, PATIENCE))

    # Output.

    def answer(self, data: bytes | memoryview) -> None:
        """Send the bytes that a handler has returned, as if it had fired a `write` event."""
        owner = self.owner
        tree = owner._evtree
        queue = tree.queue
        # When the last in the queue is input too, then nothing was queued since this turn began: nothing that ought to
        # be written before. Then, and when nobody else wants to see the event, it is left out: it would cost as much
        # as all the rest.
        if (not queue or type(queue[-1]) is incoming) and (
            tree.planned.get("write") is owner._plans_without_others or owner._writes_itself()
        ):
            if self._outbox is None and self.state is OPEN:
                self._send(data)
            else:
                self.write(data)
        else:
            owner._answer(self, data)

    def write(self, data: Any) -> None:
        """Send bytes or text, now as far as the socket takes it; the rest is queued."""
        if type(data) is not bytes:
            data = as_bytes(data)
        if self.state is not OPEN and self.state is not ENDED:
            return  # the peer is gone, or we are about to go: its end has been or will be told
        if self._outbox:
            self._queue(data)
        else:
            self._send(data)

    def _send(self, data: bytes | memoryview) -> None:
        try:
            sent = self.sock.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self.fail_output(error)
            return
        if sent < len(data):
            self._queue(memoryview(data)[sent:] if sent else data)

    def _queue(self, data: bytes | memoryview) -> None:
        if self._outbox is None:
            self._outbox = Outbox()
            self.owner._evtree.loop.poller.set_writer(self.fd, self.flush)
        self._outbox.append(data)
        size, limit = self._outbox.size, self.owner._max_queued_bytes
        if limit is not None and size > limit:
            self.fail(
                OutputOverflow(errno.ENOBUFS, f"{size} bytes are queued for a peer that takes {limit} at the most")
            )

    def flush(self) -> None:
        """Send of what is queued as much as the socket takes; the poller calls this."""
        outbox = self._outbox
        share = FAIR_SHARE
        try:
            while outbox and share > 0:
                head = outbox.head()
                sent = self.sock.send(head)
                outbox.drop(sent)
                share -= sent
                if sent < len(head):
                    break  # full: asking again would only be refused
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self.fail_output(error)
            return
        if outbox:
            return
        self._outbox = None
        self.owner._evtree.loop.poller.remove_writer(self.fd)
        if self.state is DRAINING:
            self.owner._shut(self)

    # The end.

    def close(self) -> None:
        """Close once everything that is queued has been sent."""
        if self.state is CLOSED:
            return
        if self._outbox:
            if self.state is OPEN:
                # What comes now is not wanted any more, but has to be taken off the socket; see `shut`.
                self.owner._evtree.loop.poller.set_reader(self.fd, self._ignore_input)
            self.state = DRAINING
        else:
            self.owner._shut(self)

    def _ignore_input(self) -> None:
        try:
            if self.sock.recv(CHUNK):
                return
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(error)
            return
        self.owner._evtree.loop.poller.remove_reader(self.fd)

    def fail(self, error: OSError) -> None:
        """Tell about an error that leaves nothing to be done, and close at once."""
        if self.state is CLOSED:
            return
        if self.state is not BROKEN:
            self.owner._failed(self, error)
        self.owner._shut(self)

    def fail_output(self, error: OSError) -> None:
        """Tell about an error of the output; close when the input has come to its end, too."""
        reads_on = self.state is OPEN and error.errno in _PEER_IS_GONE
        if not reads_on:
            self.fail(error)
            return
        self._drop_output()
        self.owner._failed(self, error)
        self.state = BROKEN

    def _drop_output(self) -> None:
        self._outbox = None
        self.owner._evtree.loop.poller.remove_writer(self.fd)

    def shut(self) -> None:
        """Close at once, whatever is queued."""
        if self.state is CLOSED:
            return
        if self.state is OPEN or self.state is DRAINING:
            self._empty_input()
        self.state = CLOSED
        self._outbox = None
        self.unwatch(self.owner._evtree)
        self.sock.close()
        self.owner._has_shut(self)

    def _empty_input(self) -> None:
        """Take off the socket what nobody will read: a socket closed over unread input is reset.

        A reset overtakes what has been sent, and the peer never sees our last words.
        """
        try:
            for _ in range(LAST_LOOKS):
                if len(self.sock.recv(CHUNK)) < CHUNK:
                    break
        except OSError:
            return  # nothing there, or nobody: closing will not do any harm

    def give_up(self) -> None:
        """Close at once, after one more try to send what is queued."""
        if self._outbox:
            self.flush()
        if self.state is not CLOSED:
            self.owner._shut(self)

    # The tree.

    def unwatch(self, tree: Tree) -> tuple[Any, Any]:
        """Take the descriptor from the poller of *tree*; give the callbacks that it had there."""
        poller = tree.loop.poller
        reader, writer = poller.reader(self.fd), poller.writer(self.fd)
        # Somebody who got hold of the socket may have closed it; its number then serves another one by now.
        if getattr(reader or writer, "__self__", None) is not self:
            return None, None
        poller.discard(self.fd)
        return reader, writer

    def move(self, old: Tree, new: Tree) -> None:
        """Be watched by another tree."""
        reader, writer = self.unwatch(old)
        if reader is not None:
            new.loop.poller.set_reader(self.fd, reader)
        if writer is not None:
            new.loop.poller.set_writer(self.fd, writer)
