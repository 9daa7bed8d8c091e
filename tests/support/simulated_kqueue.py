"""A kqueue on top of epoll, so that the code for BSD and macOS runs in the tests on Linux.

    load_poll_module() ──▶ evkernel/poll.py under another name, with `sys.platform` "darwin" and this as `select`

It has the part of kqueue(2) that the poller uses, with its habits: one filter for each direction, an event for each
filter, `EV_ADD` that replaces, and `ENOENT` for what is not there.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import select
import sys
import types
from typing import TYPE_CHECKING

import evkernel.poll

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["load_poll_module"]

KQ_FILTER_READ, KQ_FILTER_WRITE = -1, -2
KQ_EV_ADD, KQ_EV_DELETE, KQ_EV_EOF = 1, 2, 0x8000
_BITS = {KQ_FILTER_READ: select.EPOLLIN, KQ_FILTER_WRITE: select.EPOLLOUT}
_BROKEN = select.EPOLLERR | select.EPOLLHUP


class kevent:
    def __init__(self, ident: int, filter: int = KQ_FILTER_READ, flags: int = KQ_EV_ADD) -> None:  # noqa: A002 - theirs
        self.ident, self.filter, self.flags = ident, filter, flags


class kqueue:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._masks: dict[int, int] = {}
        self.fileno = self._epoll.fileno
        self.close = self._epoll.close

    def control(self, changes: Iterable[kevent] | None, max_events: int, timeout: float | None = 0) -> list[kevent]:
        for change in changes or ():
            self._change(change.ident, _BITS[change.filter], adds=change.flags & KQ_EV_ADD != 0)
        events = []
        for fd, ready in self._epoll.poll(timeout, max_events) if max_events else ():
            flags = KQ_EV_EOF if ready & _BROKEN else 0
            for kind, bit in _BITS.items():
                if self._masks.get(fd, 0) & bit and ready & (bit | _BROKEN):
                    events.append(kevent(fd, kind, flags))
        return events

    def _change(self, fd: int, bit: int, *, adds: bool) -> None:
        os.fstat(fd)  # EBADF comes before everything
        old = self._masks.get(fd, 0)
        if old:
            try:
                self._epoll.modify(fd, old)
            except FileNotFoundError:
                old = 0  # closed meanwhile, which removes it
        if not adds and not old & bit:
            raise FileNotFoundError(errno.ENOENT, "no such filter")
        self._masks[fd] = new = old | bit if adds else old & ~bit
        if not old:
            self._epoll.register(fd, new)
        elif new:
            self._epoll.modify(fd, new)
        else:
            self._epoll.unregister(fd)


def load_poll_module() -> types.ModuleType:
    """Return `evkernel.poll` as it is on a system with kqueue."""
    fake = types.ModuleType("select")
    for name in ("select", "poll"):
        setattr(fake, name, getattr(select, name))
    for name in ("kevent", "kqueue", "KQ_FILTER_READ", "KQ_FILTER_WRITE", "KQ_EV_ADD", "KQ_EV_DELETE", "KQ_EV_EOF"):
        setattr(fake, name, globals()[name])
    spec = importlib.util.spec_from_file_location("evkernel._poll_with_kqueue", evkernel.poll.__file__)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    platform, real = sys.platform, sys.modules["select"]
    sys.platform, sys.modules["select"] = "darwin", fake
    try:
        spec.loader.exec_module(module)
    finally:
        sys.platform, sys.modules["select"] = platform, real
    return module
