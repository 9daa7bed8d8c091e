"""Watch descriptors and call back when they are ready.

    set_reader(fd, callback) ──▶ table ──▶ epoll │ kqueue │ poll │ select
                                                      │ wait(timeout)
    callback() ◀── dispatch(ready) ◀──────────────────┘

Rule 1: the table is the truth; the mechanism underneath can be replaced at any time and is filled from it.
Rule 2: readiness is a level. What a dispatch leaves undone, the next `wait` reports again; nothing is lost.
Rule 3: hang-up and error wake both directions that are registered, reader before writer.
Rule 4: a callback runs only if it is still registered when its turn comes, and never for readiness that was
        found before its descriptor was registered: numbers are reused within one dispatch.
Rule 5: removing never raises, whatever has become of the descriptor.

A poller belongs to the thread of its loop. Who sleeps and for how long is the business of `loop`.
"""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable

from ._static import Protocol
from .errors import LoopClosed, NotPollable, UnknownPoller

__all__ = ["MAX_WAIT", "READ", "WRITE", "Callback", "Poller", "Ready", "available_kinds"]

Callback = Callable[[], object]
Ready = list[tuple[int, int]]

#: The bits of poll(2), which epoll shares. The other mechanisms translate to them.
READ = 1
WRITE = 4
_BROKEN = 8 | 16  # POLLERR | POLLHUP: reported without being asked for
_INVALID = 32  # POLLNVAL: the descriptor is closed
_READABLE = READ | _BROKEN
_WRITABLE = WRITE | _BROKEN

#: Longest single sleep. The system calls take milliseconds in an int, which ends at 24 days.
MAX_WAIT = 86_400.0

_REFUSALS = {
    errno.EPERM: "it is always ready",
    errno.EBADF: "it is not open",
    errno.EINVAL: "it is the poller itself",
}
_NOTHING: Ready = []
_REPLACED = -1  # in a set of fresh descriptors: another wait has come, the rest of this dispatch is stale


class _Mechanism(Protocol):
    """Ask the system which descriptors are ready."""

    def fileno(self) -> int | None: ...

    # False when the system turned out not to know the descriptor any more.
    def update(self, fd: int, old: int, new: int) -> bool: ...

    def wait(self, timeout: float | None) -> Ready: ...
    def close(self) -> None: ...


class _Select:
    """Watch with select(2): everywhere, slow, and on most systems only numbers below 1024."""

    LIMIT = sys.maxsize if sys.platform == "win32" else 1024

    def __init__(self, forget: Callable[[int], None]) -> None:
        self._readers: set[int] = set()
        self._writers: set[int] = set()
        self._forget = forget

    def fileno(self) -> int | None:
        return None

    def update(self, fd: int, old: int, new: int) -> bool:
        if new & ~old:
            if fd >= self.LIMIT:
                raise NotPollable(fd, "select", f"numbers end at {self.LIMIT - 1}", errno.EINVAL)
            os.fstat(fd)
        for mask, watched in ((READ, self._readers), (WRITE, self._writers)):
            if new & mask:
                watched.add(fd)
            else:
                watched.discard(fd)
        return True

    def wait(self, timeout: float | None) -> Ready:
        # Windows reports a failed connection as exceptional, not as writable.
        exceptional = self._writers if sys.platform == "win32" else ()
        try:
            readable, writable, failed = select.select(self._readers, self._writers, exceptional, timeout)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise
            self._forget_closed()
            return []
        ready = dict.fromkeys(readable, READ)
        for fd in (*writable, *failed):
            ready[fd] = ready.get(fd, 0) | WRITE
        return list(ready.items())

    def _forget_closed(self) -> None:
        for fd in self._readers | self._writers:
            try:
                os.fstat(fd)
            except OSError:
                self._forget(fd)

    def close(self) -> None:
        self._readers.clear()
        self._writers.clear()


if sys.platform != "win32":

    class _Poll:
        """Watch with poll(2)."""

        def __init__(self, forget: Callable[[int], None]) -> None:
            self._poll = select.poll()
            self._forget = forget

        def fileno(self) -> int | None:
            return None

        def update(self, fd: int, old: int, new: int) -> bool:
            if new:
                if new & ~old:
                    os.fstat(fd)
                self._poll.register(fd, new)
            else:
                self._poll.unregister(fd)
            return True

        def wait(self, timeout: float | None) -> Ready:
            ready = self._poll.poll(None if timeout is None else timeout * 1000)
            closed = [fd for fd, mask in ready if mask & _INVALID]
            for fd in closed:
                self._forget(fd)
            return ready

        def close(self) -> None:
            del self._poll


if sys.platform == "linux":

    class _EPoll:
        """Watch with epoll(7): the cost of a wait depends on what is ready, not on what is watched."""

        def __init__(self, forget: Callable[[int], None]) -> None:  # noqa: ARG002 - it forgets by itself
            self._epoll = select.epoll()
            self.fileno = self._epoll.fileno
            self.wait = self._epoll.poll
            self.close = self._epoll.close

        def update(self, fd: int, old: int, new: int) -> bool:
            epoll = self._epoll
            try:
                if not new:
                    epoll.unregister(fd)
                elif old:
                    epoll.modify(fd, new)
                else:
                    epoll.register(fd, new)
            except OSError as error:
                if new and error.errno == errno.ENOENT:
                    epoll.register(fd, new)  # closed underneath, the number serves a new file
                elif error.errno == errno.EEXIST:
                    epoll.modify(fd, new)
                    return True
                elif new:
                    raise
                return False
            return True


if sys.platform != "linux" and sys.platform != "win32":

    class _KQueue:
        """Watch with kqueue(2): one filter for each direction."""

        MAX_EVENTS = 1024

        def __init__(self, forget: Callable[[int], None]) -> None:  # noqa: ARG002 - it forgets by itself
            self._queue = select.kqueue()
            self.fileno = self._queue.fileno
            self.close = self._queue.close

        def update(self, fd: int, old: int, new: int) -> bool:
            known = True
            for mask, kind in ((READ, select.KQ_FILTER_READ), (WRITE, select.KQ_FILTER_WRITE)):
                if new & mask:
                    # Adding what is there already replaces it, and revives a number that was reused.
                    self._queue.control([select.kevent(fd, kind, select.KQ_EV_ADD)], 0)
                elif old & mask:
                    try:
                        self._queue.control([select.kevent(fd, kind, select.KQ_EV_DELETE)], 0)
                    except OSError:
                        known = False
            return known

        def wait(self, timeout: float | None) -> Ready:
            ready: dict[int, int] = {}
            for event in self._queue.control(None, self.MAX_EVENTS, timeout):
                # A hang-up comes once for each filter, so it wakes both directions without being asked.
                mask = READ if event.filter == select.KQ_FILTER_READ else WRITE
                ready[event.ident] = ready.get(event.ident, 0) | mask
            return list(ready.items())


def _mechanisms() -> dict[str, Callable[[Callable[[int], None]], _Mechanism]]:
    """Return what this system has, best first."""
    found: dict[str, Callable[[Callable[[int], None]], _Mechanism]] = {}
    if sys.platform == "linux":
        found["epoll"] = _EPoll
    if sys.platform != "linux" and sys.platform != "win32":
        found["kqueue"] = _KQueue
    if sys.platform != "win32":
        found["poll"] = _Poll
    found["select"] = _Select
    return found


_KINDS = _mechanisms()


def available_kinds() -> tuple[str, ...]:
    """Return the names of the mechanisms of this system, best first."""
    return tuple(_KINDS)


class Poller:
    """Map descriptors to callbacks and call those that are ready.

    The mechanism is opened when it is first needed.

    Attributes:
        kind: The mechanism in use.
        quiet: How many readers need no look when nobody wants to sleep (the wake-up of a loop).
        nested: Whether a host watches this poller: then it has to look every time, because whatever it
            leaves unread makes the host spin.
        on_change: Called with (fd, mask) whenever the interest in a descriptor changes; for hosts that
            cannot watch the poller itself.
        on_reopen: Called when the descriptor of the poller has been replaced.
    """

    def __init__(self, kind: str = "auto") -> None:
        """Choose a mechanism.

        Args:
            kind: One of `available_kinds()`, or "auto" for the best of them.

        Raises:
            UnknownPoller: This system does not have it.
        """
        self.kind = _resolve(kind)
        self.quiet = 0
        self.nested = False
        self.on_change: Callable[[int, int], None] | None = None
        self.on_reopen: Callable[[], None] | None = None
        self._readers: dict[int, Callback] = {}
        self._writers: dict[int, Callback] = {}
        self._mechanism: _Mechanism | None = None
        self._wait: Callable[[float | None], Ready] | None = None
        self._closed = False
        self._fresh: set[int] = set()  # registered since the last wait
        self._dispatching: set[int] | None = None
        self._ghosts: set[int] = set()  # removed only after they had been closed

    # --- what is watched

    def __len__(self) -> int:
        """Return the number of descriptors watched."""
        return len(self._readers.keys() | self._writers.keys())

    def is_reading(self, fd: int) -> bool:
        """Tell whether *fd* has a reader."""
        return fd in self._readers

    def is_writing(self, fd: int) -> bool:
        """Tell whether *fd* has a writer."""
        return fd in self._writers

    def reader(self, fd: int) -> Callback | None:
        """Return who is called when *fd* is readable."""
        return self._readers.get(fd)

    def writer(self, fd: int) -> Callback | None:
        """Return who is called when *fd* is writable."""
        return self._writers.get(fd)

    def interests(self) -> dict[int, int]:
        """Return every descriptor watched, with READ and WRITE as it has them."""
        masks = dict.fromkeys(self._readers, READ)
        for fd in self._writers:
            masks[fd] = masks.get(fd, 0) | WRITE
        return masks

    def set_reader(self, fd: int, callback: Callback) -> None:
        """Call *callback* whenever *fd* is readable; replaces an earlier reader.

        Raises:
            NotPollable: The mechanism cannot watch this descriptor.
            LoopClosed: The poller was closed.
        """
        old = self._mask(fd)
        self._watch(fd, old, old | READ)
        self._readers[fd] = callback

    def set_writer(self, fd: int, callback: Callback) -> None:
        """Call *callback* whenever *fd* is writable; replaces an earlier writer.

        Raises:
            NotPollable: The mechanism cannot watch this descriptor.
            LoopClosed: The poller was closed.
        """
        old = self._mask(fd)
        self._watch(fd, old, old | WRITE)
        self._writers[fd] = callback

    def remove_reader(self, fd: int) -> bool:
        """Stop reading; return False when there was no reader."""
        if self._readers.pop(fd, None) is None:
            return False
        left = self._mask(fd)
        self._unwatch(fd, left | READ, left)
        return True

    def remove_writer(self, fd: int) -> bool:
        """Stop writing; return False when there was no writer."""
        if self._writers.pop(fd, None) is None:
            return False
        left = self._mask(fd)
        self._unwatch(fd, left | WRITE, left)
        return True

    def discard(self, fd: int) -> bool:
        """Stop watching *fd*, best before it is closed; return False when it was not watched."""
        old = self._mask(fd)
        if not old:
            return False
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        self._unwatch(fd, old, 0)
        return True

    def _mask(self, fd: int) -> int:
        return (READ if fd in self._readers else 0) | (WRITE if fd in self._writers else 0)

    def _watch(self, fd: int, old: int, new: int) -> None:
        """Tell the mechanism first: a refusal leaves the table as it was."""
        if fd < 0:
            raise NotPollable(fd, self.kind, "it is negative", errno.EBADF)
        mechanism = self._mechanism or self._open()
        try:
            known = mechanism.update(fd, old, new)
            if self.on_change is not None:
                self._tell_host(fd, old, new)
        except NotPollable:
            raise
        except OSError as error:
            if error.errno not in _REFUSALS:
                raise
            raise NotPollable(fd, self.kind, _REFUSALS[error.errno], error.errno) from None
        if not old or not known:
            self._fresh.add(fd)
            self._ghosts.discard(fd)

    def _tell_host(self, fd: int, old: int, new: int) -> None:
        """Let the host refuse what its own mechanism cannot watch: a regular file that select takes, say."""
        try:
            if self.on_change is not None:
                self.on_change(fd, new)
        except BaseException:
            if self._mechanism is not None:
                self._mechanism.update(fd, new, old)
            raise

    def _unwatch(self, fd: int, old: int, new: int) -> None:
        if self.on_change is not None:
            self.on_change(fd, new)
        mechanism = self._mechanism
        if mechanism is None:
            return  # closed, or forked: opened again from the table
        try:
            known = mechanism.update(fd, old, new)
        except OSError:
            known = False
        if not known:
            self._ghosts.add(fd)

    def _forget(self, fd: int) -> None:
        """Drop a descriptor that the mechanism found closed."""
        self.discard(fd)
        self._ghosts.discard(fd)

    # --- readiness

    def wait(self, timeout: float | None) -> Ready:
        """Return what is ready, for `dispatch`.

        Args:
            timeout: Seconds to block at most; None blocks until something is ready.

        Raises:
            LoopClosed: The poller was closed.
        """
        if self._dispatching is not None:
            # A callback waits: it sees everything that is ready now, so what the dispatch around it
            # still has in hand may be stale.
            self._dispatching.add(_REPLACED)
            self._fresh = set()
        elif self._fresh:
            self._fresh.clear()
        if timeout is not None:
            if timeout <= 0:
                if len(self._readers) <= self.quiet and not self._writers and not self.nested:
                    return _NOTHING
                timeout = 0
            elif timeout > MAX_WAIT:
                timeout = MAX_WAIT
        wait = self._wait
        if wait is None:
            wait = self._open().wait
        return wait(timeout)

    def dispatch(self, ready: Ready) -> None:  # noqa: C901 - the hot path; a call per descriptor would double its cost
        """Call the callbacks of what `wait` returned.

        Raises:
            Exception: The first that a callback raised, after all others were called. Anything that is
                not an Exception leaves at once; what was not called yet is reported by the next `wait`.
        """
        readers, writers, fresh = self._readers, self._writers, self._fresh
        first: Exception | None = None
        around, self._dispatching = self._dispatching, fresh
        try:
            for fd, mask in ready:
                if fresh:
                    if _REPLACED in fresh:
                        break
                    if fd in fresh:
                        continue
                if mask & _READABLE:
                    callback = readers.get(fd)
                    if callback is not None:
                        try:
                            callback()
                        except Exception as error:  # noqa: BLE001 - raised below, after the others had their turn
                            first = first or error
                    elif self._ghosts:
                        self._lay_ghost(fd)
                if mask & _WRITABLE:
                    callback = writers.get(fd)
                    if callback is not None and not (fresh and fd in fresh):
                        try:
                            callback()
                        except Exception as error:  # noqa: BLE001 - as above
                            first = first or error
        finally:
            self._dispatching = around
        if first is not None:
            raise first

    def _lay_ghost(self, fd: int) -> None:
        """Get rid of a descriptor that was closed here before it was removed, while a copy lives elsewhere.

        epoll knows files, not numbers: it goes on reporting the file of the copy, and without the number
        there is no way to remove it. Only a new epoll forgets.
        """
        if fd in self._ghosts and not self._mask(fd):
            self.reopen()

    # --- the mechanism

    def fileno(self) -> int | None:
        """Return the descriptor that is readable when something is ready; None when the mechanism has none."""
        return (self._mechanism or self._open()).fileno()

    def reopen(self, kind: str | None = None) -> None:
        """Replace the mechanism by a new one and register everything again.

        Args:
            kind: Another mechanism; None for another of the same.

        Raises:
            UnknownPoller: This system does not have it.
            NotPollable: The other mechanism cannot watch one of the descriptors; nothing is changed.
        """
        old, old_kind = self._mechanism, self.kind
        if kind is not None:
            self.kind = _resolve(kind)
        try:
            self._open()
        except BaseException:
            self.kind = old_kind
            raise
        if self.on_reopen is not None:
            self.on_reopen()
        if old is not None:
            old.close()

    def after_fork(self) -> None:
        """Let go of a mechanism that is shared with the parent; the next use opens a new one.

        The copy of its descriptor is closed, and nothing is unregistered: that would reach the parent's.
        """
        self.on_change = self.on_reopen = None
        self.nested = False
        old, self._mechanism, self._wait = self._mechanism, None, None
        self._ghosts.clear()
        if old is not None:
            old.close()

    def abandon(self) -> None:
        """Forget everything, in a forked child that has no use for it, and let its descriptors lead nowhere."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in self.interests():
            self.discard(fd)
            os.dup2(nowhere, fd, inheritable=False)
        os.close(nowhere)

    def close(self) -> None:
        """Forget everything; idempotent."""
        self._closed = True
        self._readers.clear()
        self._writers.clear()
        mechanism, self._mechanism, self._wait = self._mechanism, None, None
        if mechanism is not None:
            mechanism.close()

    def _open(self) -> _Mechanism:
        if self._closed:
            raise LoopClosed("the poller is closed")
        mechanism = self._make()
        own = mechanism.fileno()
        for fd, mask in self.interests().items():
            if fd == own:
                self._drop(fd)  # closed underneath, and the mechanism has got its number
                continue
            try:
                mechanism.update(fd, 0, mask)
            except OSError as error:
                if error.errno == errno.EBADF:
                    self._drop(fd)
                    continue
                mechanism.close()
                if isinstance(error, NotPollable) or error.errno != errno.EPERM:
                    raise
                raise NotPollable(fd, self.kind, _REFUSALS[errno.EPERM], errno.EPERM) from None
        self._mechanism = mechanism
        self._wait = mechanism.wait
        self._ghosts.clear()
        return mechanism

    def _make(self) -> _Mechanism:
        return _KINDS[self.kind](self._forget)

    def _drop(self, fd: int) -> None:
        """Forget a descriptor that was closed underneath."""
        self._readers.pop(fd, None)
        self._writers.pop(fd, None)
        if self.on_change is not None:
            self.on_change(fd, 0)

    def __repr__(self) -> str:
        return f"<Poller {self.kind}, {len(self)} descriptors>"


def _resolve(kind: str) -> str:
    if kind == "auto":
        return next(iter(_KINDS))
    if kind not in _KINDS:
        raise UnknownPoller(f"no poller {kind!r} on {sys.platform}; there are {', '.join(_KINDS)}")
    return kind
