"""Bridges: have an event handled in another process, and its value come back.

    ipc(event) ──▶ Bridge ── EVENT ──▶ Bridge ──▶ fire(event) ──▶ handlers
        ▲                                                            │
        └─ value, or error ◀─ _VALUE, _ERROR, when the event is done ◀─┘

Rule 1: the handler of an `ipc` ends when the other side has processed the event: the Value then has its result, and
`ipc_success` or `ipc_failure` can follow. A result of None is not sent; its arrival is.
Rule 2: events arrive, and are fired, in the order in which they were sent; answers come as the events are done.
Rule 3: what travels is pickled, so both ends must be processes of the same program, and the socket between them one
that nobody else can reach: a pair. Sockets that lead anywhere else are refused; for networks there are nodes.
Rule 4: nobody waits in vain: when the other side goes, or this one is closed, all who wait are told.
"""

from __future__ import annotations

from itertools import count

from ._answers import Answer
from ._errors import BridgeLostError, FrameTooLargeError, RemoteError, SendError
from ._flags import DONE
from ._remote import dumps, loads, pack, unpack
from ._story import describe
from ._waiting import watch
from .components import BaseComponent
from .events import Event, bridge_lost, ipc, ready
from .handlers import handler
from .manager import Manager
from .values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

    from evkernel.timers import Timer

    from ._pipe import ComponentPipe, SocketPipe
    from ._tree import Tree
    from .events import prepare_unregister

__all__ = [
    "GRACE",
    "Bridge",
    "BridgeLostError",
    "FrameTooLargeError",
    "RemoteError",
    "SendError",
    "bridge_lost",
    "ipc",
    "ready",
]

#: What a frame is: its first byte. READY and BYE stand alone; the others go on with the number of the event.
_READY, _EVENT, _VALUE, _ERROR, _BYE = (bytes([kind]) for kind in range(5))
_NUMBER = 8

#: Seconds that the other side is given at the end to read what is still to be sent.
GRACE = 10.0


class Bridge(BaseComponent):
    """Join this tree with one in another process of the same program.

    There is a bridge at both ends of a socket pair; `start(process=True, link=…)` makes the pair and both bridges.

    Handles: ipc(event, channel=None).
    Fires: ready(bridge) when the other end is up, bridge_lost(bridge, reason) when it has gone.

    Attributes:
        ready: whether the other end is up.

    Args:
        socket: one of a pair of connected sockets, or a component that handles `write` and fires `read`, one end of a
            `Pipe` for example. Whoever writes such a component vouches for what is at its other end.
        channel: the channel of the bridge.

    Raises:
        BridgeLostError: as the error of an `ipc`, when the other process has gone.
        SendError: likewise, when the event, or its result, cannot be pickled.
        FrameTooLargeError: likewise, when it is larger than 64 MiB.
        ValueError: when *socket* is not one of a pair.
    """

    channel = "bridge"

    def init(self, socket: Any, channel: Any = "bridge") -> None:
        """Set up; see the class."""
        if channel != Bridge.channel:
            self.channel = channel
        self.ready = False
        self._numbers = count()
        #: By the number of the event, until its answer has come; and all, until they have gone on.
        self._waiting: dict[int, Answer] = {}
        self._answers: set[Answer] = set()
        self._lost: str | None = None
        self._closed = Answer()
        self._grace: Timer | None = None
        self._greeted = False
        self._stops_with_peer = False
        self._pipe = self._make_pipe(socket)

    def _make_pipe(self, socket: Any) -> SocketPipe | ComponentPipe:
        from ._pipe import ComponentPipe, SocketPipe, is_private  # late: most programs have no bridge

        sock = getattr(socket, "_sock", None) if isinstance(socket, Manager) else socket
        if sock is not None and not is_private(sock):
            raise ValueError(
                f"Bridge: expected one of a pair of UNIX sockets, got {socket!r}: a bridge unpickles what it is sent, "
                "which is safe between processes of one program only"
            )
        if isinstance(socket, Manager):
            return ComponentPipe(socket, self, self._on_frame, self._on_lost)
        return SocketPipe(socket, self._on_frame, self._on_lost)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        old.holders.discard(self)
        if self._lost is not None:
            self._pipe.close()
            return
        if self.parent is self:
            self._pipe.detach()
            return
        self._pipe.attach(new.loop)
        if not self._greeted:
            self._greeted = True
            self._pipe.send(_READY)
        for answer in tuple(self._answers):
            answer.repeat()

    @handler("ready")
    def _on_ready(self, component: Any, *_: Any) -> None:
        if component is self:
            self.ready = True

    # Events to the other side.

    @handler("ipc", channel="*")
    def _on_ipc(self, event: ipc, remote: Event, channel: Any = None) -> Generator[Any, Any, Any] | None:
        if not self._is_meant(event.channels):
            return None
        if self._lost is not None:
            raise BridgeLostError(f"{describe(remote)} was not sent: {self._lost}")
        number = next(self._numbers)
        channels = (channel,) if channel is not None else tuple(c for c in remote.channels if isinstance(c, str))
        body = dumps((remote, channels), describe(remote))
        self._pipe.send(_EVENT + number.to_bytes(_NUMBER, "big") + body)
        answer = self._waiting[number] = Answer()
        return answer.wait(self._answers)

    def _is_meant(self, channels: tuple[Any, ...]) -> bool:
        """Tell whether an `ipc` on these channels is for this bridge: it is, unless it is for another one."""
        if self in channels or self.channel in channels:
            return True
        owners = [getattr(method, "__self__", None) for method, _ in self._evtree.plans.find("ipc", ("*",))]
        others = [owner for owner in owners if isinstance(owner, Bridge)]
        return not any(other in channels or other.channel in channels for other in others)

    # Frames from the other side.

    def _on_frame(self, frame: bytes) -> None:
        kind, number, body = frame[:1], int.from_bytes(frame[1 : 1 + _NUMBER], "big"), frame[1 + _NUMBER :]
        if kind == _EVENT:
            self._serve(number, body)
        elif kind in (_VALUE, _ERROR):
            self._on_answer(kind, number, body)
        elif kind == _READY:
            self.fire(ready(self), self.channel)
        elif kind == _BYE:
            self._stops_with_peer = False
            self._pipe.close()
            self._on_lost("the other process has closed it")

    def _on_answer(self, kind: bytes, number: int, body: bytes) -> None:
        answer = self._waiting.pop(number, None)
        if answer is None:
            return
        try:
            if kind == _ERROR:
                answer.give(error=unpack(loads(body)))
            else:
                answer.give(loads(body) if body else None)
        except Exception as error:  # noqa: BLE001 - code of the value, or code that is not here
            answer.give(error=SendError(f"cannot read the answer: {type(error).__name__}: {error}"))

    def _serve(self, number: int, body: bytes) -> None:
        """Have an event handled here, and the answer sent when it is done."""
        try:
            event, channels = loads(body)
        except Exception as error:  # noqa: BLE001 - code of the event, or code that is not here
            problem = SendError(f"the other process cannot read the event: {type(error).__name__}: {error}")
            self._send_error(number, problem, [])
            return
        self.fire(event, *(channels or ("*",)))
        watch(event, _Reply(self, number, event))

    def _reply(self, number: int, event: Event) -> None:
        if self._lost is not None:
            return
        failed = _error_of(event)
        if failed is not None:
            self._send_error(number, failed[1], failed[2])
            return
        value = Value(event).value
        try:
            body = b"" if value is None else dumps(value, f"the result of {describe(event)}")
            self._pipe.send(_VALUE + number.to_bytes(_NUMBER, "big") + body)
        except (SendError, FrameTooLargeError) as error:
            self._send_error(number, error, error.__traceback__)

    def _send_error(self, number: int, error: BaseException, traceback: Any) -> None:
        body = dumps(pack(error, traceback), "an error")
        try:
            self._pipe.send(_ERROR + number.to_bytes(_NUMBER, "big") + body)
        except FrameTooLargeError as too_large:
            # The error carries what is too large; its name must do.
            name = RemoteError(f"{type(error).__name__}, which cannot be sent: {too_large}")
            body = dumps(pack(name, []), "an error")
            self._pipe.send(_ERROR + number.to_bytes(_NUMBER, "big") + body)

    # The end.

    def _on_lost(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._give_up(reason)
        self.fire(bridge_lost(self, reason), self.channel)
        if self._stops_with_peer:
            self.root.stop()

    def _give_up(self, reason: str) -> None:
        self._lost = reason
        self.ready = False
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            answer.give(error=BridgeLostError(f"the event was not answered: {reason}"))

    def _close(self) -> None:
        """Say good-bye and close, once all has been sent; the tree is held until then."""
        if self._lost is not None:
            return
        self._give_up("the bridge is closed")
        self._pipe.send(_BYE)
        self._grace = self._evtree.loop.call_later(GRACE, self._pipe.close)
        self._pipe.close_when_sent(self._on_closed)

    def _on_closed(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
        self._evtree.holders.discard(self)
        self._closed.give()

    def _on_process_start(self) -> None:
        self._give_up("the bridge belongs to the parent of this process")
        self._pipe.close()

    def _on_run_end(self) -> None:
        self._close()
        if self._pipe.busy:
            self._evtree.holders.add(self)

    @handler("prepare_unregister", channel="*")
    def _on_prepare_unregister(self, event: prepare_unregister, *_: Any) -> Generator[Any, Any, Any] | None:
        if not event.in_subtree(self):
            return None
        self._close()
        return self._closed.wait(self._answers) if self._pipe.busy else None


class _Reply:
    """Wait, on behalf of the other side, until an event is done, together with those whose values it has as results."""

    def __init__(self, bridge: Bridge, number: int, event: Event) -> None:
        self._bridge = bridge
        self._number = number
        self._event = event

    def wake(self, event: Event) -> None:  # noqa: ARG002 - one of several it waits for
        """Look whether all is done."""
        pending = _unfinished(self._event)
        if pending is not None:
            watch(pending, self)
        else:
            self._bridge._reply(self._number, self._event)


def _results(event: Event) -> list[Any]:
    return event._value if type(event._value) is list else [event._value]


def _unfinished(event: Event) -> Event | None:
    """Give an event that is not done and whose value is among the results of *event*, directly or not."""
    for result in _results(event):
        if type(result) is Value:
            inner = result.event if not result.event._flags & DONE else _unfinished(result.event)
            if inner is not None:
                return inner
    return None


def _error_of(event: Event) -> tuple[Any, BaseException, Any] | None:
    """Give the first error among the results of *event*, and of those whose values it has as results."""
    for result in _results(event):
        if type(result) is Value:
            found = _error_of(result.event)
            if found is not None:
                return found
        elif Value(event).errors and _is_error(result):
            kind, error, traceback = result
            # The first frame is the kernel's own call of the handler.
            return kind, error, getattr(traceback, "tb_next", None) or traceback
    return None


def _is_error(result: Any) -> bool:
    return isinstance(result, tuple) and len(result) == 3 and isinstance(result[1], BaseException)


# For those below who start processes: importing this module from there would be a circle.
Manager._evbridge = Bridge
