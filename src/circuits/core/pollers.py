"""Pollers as components: choose how the tree watches descriptors, and watch some for a component of your own.

    poller.addReader(source, fd) ──▶ the tree's kernel poller ── readable ──▶ _read(fd) on the channel of source

Rule 1: a tree polls by itself; a component here only says which mechanism it uses, and lends it to others. The last
one registered chooses, and its choice stays when it leaves.
Rule 2: readiness is told once until its event has been handled; then again, if it is still there.
Rule 3: sockets and files of circuits do not come through here: the kernel calls them without an event.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from evkernel.poll import available_kinds

from ._flags import DONE, SUSPENDED
from .components import BaseComponent
from .events import Event
from .handlers import handler

if TYPE_CHECKING:
    from ._tree import Tree
    from .manager import Manager

__all__ = ["BasePoller", "EPoll", "KQueue", "Poll", "Poller", "Select", "ensure_poller"]


class _read(Event):  # noqa: N801 - an event
    """Tell a source that its descriptor, the argument, is readable. Fired by a poller on the source's channel."""


class _write(Event):  # noqa: N801 - an event
    """Tell a source that its descriptor, the argument, is writable. Fired by a poller on the source's channel."""


class _Watch:
    """One descriptor that is watched for a component."""

    __slots__ = ("channel", "fd", "number", "told")

    def __init__(self, fd: Any, channel: Any) -> None:
        self.fd = fd
        self.number = _number(fd)
        self.channel = channel
        self.told: dict[type[Event], Event] = {}


class BasePoller(BaseComponent):
    """Watch descriptors with the best mechanism of the system.

    Fires: _read(fd) and _write(fd), with *fd* as it was given, on the channel of the source.

    Args:
        channel: the channel of the poller itself.

    Raises:
        UnknownPoller: when the system does not have the mechanism.
    """

    channel: Any = None
    _kind = available_kinds()[0]

    def __init__(self, channel: Any = None) -> None:
        super().__init__()
        if channel is not None:
            self.channel = channel
        if self._kind not in available_kinds():
            self._evtree.loop.use(self._kind)  # raises, and says what there is instead
        self._watches: dict[int, _Watch] = {}

    # Watching.

    def addReader(self, source: Manager, fd: Any) -> None:
        """Fire `_read(fd)` on the channel of *source* whenever the descriptor is readable.

        Args:
            source: the component that reads.
            fd: a number, or an object with a `fileno`.

        Raises:
            NotPollable: when the mechanism cannot watch this descriptor, such as that of a regular file.
        """
        watch = self._watch(source, fd)
        self._evtree.loop.poller.set_reader(watch.number, partial(self._tell, watch, _read))

    def addWriter(self, source: Manager, fd: Any) -> None:
        """Fire `_write(fd)` on the channel of *source* whenever the descriptor is writable; else as `addReader`."""
        watch = self._watch(source, fd)
        self._evtree.loop.poller.set_writer(watch.number, partial(self._tell, watch, _write))

    def removeReader(self, fd: Any) -> None:
        """Stop telling that *fd* is readable."""
        number = self._number_of(fd)
        self._evtree.loop.poller.remove_reader(number)
        self._forget_idle(number)

    def removeWriter(self, fd: Any) -> None:
        """Stop telling that *fd* is writable."""
        number = self._number_of(fd)
        self._evtree.loop.poller.remove_writer(number)
        self._forget_idle(number)

    def discard(self, fd: Any) -> None:
        """Forget *fd*, best before it is closed."""
        number = self._number_of(fd)
        if self._watches.pop(number, None) is not None:
            self._evtree.loop.poller.discard(number)

    def isReading(self, fd: Any) -> bool:
        """Tell whether *fd* is watched here for being readable."""
        number = self._number_of(fd)
        return number in self._watches and self._evtree.loop.poller.is_reading(number)

    def isWriting(self, fd: Any) -> bool:
        """Tell whether *fd* is watched here for being writable."""
        number = self._number_of(fd)
        return number in self._watches and self._evtree.loop.poller.is_writing(number)

    def getTarget(self, fd: Any) -> Any:
        """Give the channel that the events of *fd* go to; that of the parent for a descriptor that is not watched."""
        watch = self._watches.get(self._number_of(fd))
        return self.parent.channel if watch is None else watch.channel

    def resume(self) -> None:
        """End the wait that is going on. May be called from any thread."""
        super().resume()

    def _watch(self, source: Manager, fd: Any) -> _Watch:
        watch = self._watches.get(_number(fd))
        if watch is None or watch.fd is not fd or watch.channel != source.channel:
            watch = _Watch(fd, source.channel)
            self._watches[watch.number] = watch
        return watch

    def _number_of(self, fd: Any) -> int:
        """Give the number of a descriptor; an object that has been closed meanwhile does not know it any more."""
        try:
            number = _number(fd)
        except (OSError, ValueError):
            number = -1
        if number < 0:
            return next((watch.number for watch in self._watches.values() if watch.fd is fd), number)
        return number

    def _forget_idle(self, number: int) -> None:
        poller = self._evtree.loop.poller
        if not (poller.is_reading(number) or poller.is_writing(number)):
            self._watches.pop(number, None)

    def _tell(self, watch: _Watch, event_class: type[Event]) -> None:
        told = watch.told.get(event_class)
        if told is None or told._flags & (DONE | SUSPENDED):
            watch.told[event_class] = event = event_class(watch.fd)
            self.fire(event, watch.channel)

    # The tree.

    @handler("started", channel="*")
    def _on_started(self, component: Any) -> None:
        if component is self:
            self._choose(self._evtree)

    def _choose(self, tree: Tree) -> None:
        tree.poller = self
        if tree.loop.poller.kind != self._kind:
            tree.loop.use(self._kind)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        if old.poller is self:
            old.poller = None
        if self.parent is not self:
            self._choose(new)
        for watch in self._watches.values():
            is_reading = old.loop.poller.is_reading(watch.number)
            is_writing = old.loop.poller.is_writing(watch.number)
            old.loop.poller.discard(watch.number)
            if is_reading:
                new.loop.poller.set_reader(watch.number, partial(self._tell, watch, _read))
            if is_writing:
                new.loop.poller.set_writer(watch.number, partial(self._tell, watch, _write))


class Select(BasePoller):
    """Watch with select(2), which every system has.

    It is slow with many descriptors, and on most systems cannot watch those with numbers above 1023.
    """

    channel = "select"
    _kind = "select"


class Poll(BasePoller):
    """Watch with poll(2): no limit to the numbers; the cost of a wait grows with the descriptors."""

    channel = "poll"
    _kind = "poll"


class EPoll(BasePoller):
    """Watch with epoll(7) of Linux: the cost of a wait grows with what is ready only."""

    channel = "epoll"
    _kind = "epoll"


class KQueue(BasePoller):
    """Watch with kqueue(2) of the BSDs and macOS: the cost of a wait grows with what is ready only."""

    channel = "kqueue"
    _kind = "kqueue"

    # Here the documented parameter has a name of its own.

    def addReader(self, source: Manager, sock: Any) -> None:
        """Do what `BasePoller.addReader` does."""
        super().addReader(source, sock)

    def addWriter(self, source: Manager, sock: Any) -> None:
        """Do what `BasePoller.addWriter` does."""
        super().addWriter(source, sock)

    def removeReader(self, sock: Any) -> None:
        """Do what `BasePoller.removeReader` does."""
        super().removeReader(sock)

    def removeWriter(self, sock: Any) -> None:
        """Do what `BasePoller.removeWriter` does."""
        super().removeWriter(sock)

    def discard(self, sock: Any) -> None:
        """Do what `BasePoller.discard` does."""
        super().discard(sock)


#: The documented default, for programs that register a poller themselves.
Poller = Select

_CLASSES: dict[str, type[BasePoller]] = {cls._kind: cls for cls in (Select, Poll, EPoll, KQueue)}


def ensure_poller(component: BaseComponent) -> BasePoller:
    """Give the poller component of the tree; when there is none, register one as a child of *component*.

    It is the best one of the system, EPoll on Linux, and not the documented default `Poller`: select cannot watch
    descriptors above 1023.
    """
    tree = component._evtree
    if tree.poller is None:
        # The last one that was registered has left; an earlier one may still be there.
        for member in tree.root._subtree():
            if isinstance(member, BasePoller):
                tree.poller = member
                return member
        return _CLASSES[available_kinds()[0]]().register(component)
    return tree.poller


def _number(fd: Any) -> int:
    return fd if isinstance(fd, int) else int(fd.fileno())
