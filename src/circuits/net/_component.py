"""What servers and clients have in common: options, hooks, and how they come into a tree, move, and leave it.

constructed ──▶ registered, or started as a root ──▶ ready ──▶ … ──▶ stopped or unregistered ──▶ closed

Rule 1: the loop calls sockets directly. A poller component is there for whoever looks for one.
Rule 2: a socket component that leaves its tree closes what it has open; registered again, it begins anew.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from circuits.core.components import BaseComponent
from circuits.core.handlers import handler
from circuits.core.pollers import ensure_poller
from evkernel.outbox import CHUNK

from .events import close

if TYPE_CHECKING:
    from circuits.core._tree import Tree
    from circuits.core.components import prepare_unregister
    from evkernel.timers import Timer

__all__ = ["BUFSIZE", "GRACE", "SocketComponent", "refuse_tls"]

#: The documented default of `bufsize`. It stands for as much as is good: 64 KiB.
BUFSIZE = 4096

#: Seconds that peers have, when the tree stops, to take what was written to them before.
GRACE = 0.5

#: Options of the TLS layer, accepted so that programs can pass them on whether they use TLS or not.
TLS_OPTIONS = frozenset({"certfile", "keyfile", "cert_reqs", "ssl_version", "ca_certs"})

Option = tuple[int, int, int | bytes]


class SocketComponent(BaseComponent):
    """Be the base of all socket components.

    Args:
        bind: the address to be bound to, in any form that `parse_bind_parameter` takes.
        bufsize: how many bytes to receive at once; the default stands for as many as is good.
        channel: where events come from and go to.
        options: `socket_options`: a list of (level, option, value) in place of the one of the class;
            `max_queued_bytes`: how much may be queued for one peer before it is given up (None: no limit).
            All others go to `init`.
    """

    socket_family: int = socket.AF_INET
    socket_type: int = socket.SOCK_STREAM
    socket_protocol: int = 0
    socket_options: list[Option] = []  # noqa: RUF012 - documented; replaced, never changed

    _bind: Any = None
    _sock: socket.socket | None = None
    _is_ready = False
    #: What ends the wait of a run for what is still to be sent.
    _holding: Timer | None = None
    _has_read_hook = False
    _has_write_hook = False
    #: See `_writes_itself`; no plans are this class.
    _plans_without_others: object = BaseComponent

    def __init__(self, bind: Any, bufsize: int, channel: str, options: dict[str, Any]) -> None:
        if channel == self._documented_channel:
            channel = self.channel  # a subclass may have one of its own
        if "socket_options" in options:
            self.socket_options = options.pop("socket_options")
        self._max_queued_bytes: int | None = options.pop("max_queued_bytes", None)
        self._bufsize = bufsize
        self._receive_size = CHUNK if bufsize == BUFSIZE else bufsize
        self._tls_options = {name: options.pop(name) for name in TLS_OPTIONS & options.keys()}
        if options and not hasattr(self, "init"):
            raise TypeError(f"{type(self).__name__}() does not know the option {', '.join(map(repr, options))}")
        super().__init__(channel=channel, **options)
        self._bind = None if bind is None else self.parse_bind_parameter(bind)

    #: The channel that the documents show as the default of the constructor.
    _documented_channel = ""

    def parse_bind_parameter(self, bind_parameter: Any) -> Any:
        """Turn what the constructor was given into what a socket binds to."""
        return bind_parameter

    def _create_socket(self) -> socket.socket:
        """Make a socket with its options, bound if that is wanted. A hook: subclasses may make it differently."""
        sock = socket.socket(self.socket_family, self.socket_type, self.socket_protocol)
        try:
            for level, option, value in self.socket_options:
                sock.setsockopt(level, option, value)
            sock.setblocking(False)
            if self._bind is not None:
                self._bind_socket(sock)
        except BaseException:
            sock.close()
            raise
        return sock

    def _bind_socket(self, sock: socket.socket) -> None:
        sock.bind(self._bind)

    # What nobody else would handle is done without an event.

    def _writes_itself(self) -> bool:
        """Tell whether a `write` event on our channel would reach nobody but us."""
        if self._has_write_hook:
            return False
        tree = self._evtree
        plan = tree.plans.find("write", (self.channel,))
        alone = len(plan) == 1 and getattr(plan[0][0], "__self__", None) is self
        # The plans of a name are thrown away when who handles it changes, so the same ones mean the same answer.
        self._plans_without_others = tree.planned.get("write") if alone else BaseComponent
        return alone

    # The tree.

    @handler("registered")
    def _on_registered(self, component: Any, manager: Any) -> None:  # noqa: ARG002 - what the event carries
        if component is self:
            self._get_ready()

    @handler("started", channel="*")
    def _on_started(self, component: Any) -> None:  # noqa: ARG002 - what the event carries
        self._get_ready()

    def _get_ready(self) -> None:
        """Have a poller in the tree, begin to work, and say so: once for every stay in a tree."""
        if not self._is_ready:
            self._is_ready = True
            ensure_poller(self)
            self._attach()

    def _attach(self) -> None:
        """Begin to work and fire `ready`."""

    @handler("prepare_unregister", channel="*")
    def _on_prepare_unregister(self, event: prepare_unregister, component: Any) -> None:  # noqa: ARG002
        if event.in_subtree(self):
            self._is_ready = False
            self._give_up()

    @handler("stopped", channel="*")
    def _on_stopped(self, manager: Any) -> None:  # noqa: ARG002 - what the event carries
        self._is_ready = False  # a tree that is run again listens again
        self.fire(close())

    def _on_run_end(self) -> None:
        # Something is still to be sent. The run waits for it, but not for ever.
        if not self._is_ready and self._has_unsent():
            self._evtree.holders.add(self)
            self._holding = self._evtree.loop.call_later(GRACE, self._give_up)

    def _release(self) -> None:
        """Let the run end, as far as we are concerned."""
        if self._holding is not None:
            self._holding.cancel()
            self._holding = None
        self._evtree.holders.discard(self)

    def _has_unsent(self) -> bool:
        """Tell whether anything waits to be sent."""
        return False

    def _give_up(self) -> None:
        """Close everything at once: there is no loop any more in which to wait for anything."""

    def _move(self, old: Tree, new: Tree) -> None:
        """Take the descriptors along to another tree."""

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        old.holders.discard(self)
        self._release()
        self._move(old, new)


def refuse_tls(what: str) -> None:
    """Say that TLS is not there yet, rather than to send in the clear what was meant to be secret.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(f"{what}: circuits.net cannot do TLS yet; it is planned for a later step of version 4")
