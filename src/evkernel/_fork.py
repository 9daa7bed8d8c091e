"""Keep a forked child from reaching into its parent through an inherited event loop.

An epoll is shared over a fork, and it knows files and numbers, not processes: a child that unregisters a
descriptor, or merely lets an asyncio transport be collected, unregisters it for the parent too. Only Linux
has this problem: a kqueue is not inherited, and select and poll keep nothing in the kernel.
"""

from __future__ import annotations

import os
import signal
import sys

from ._static import TYPE_CHECKING
from .poll import Poller

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["isolate", "keep_forever", "mute_signals"]

_kept: list[object] = []


def isolate(watched: Collection[int]) -> None:
    """Put an empty epoll in the place of every inherited one that watches any of *watched*.

    The asyncio loop below us on the stack may poll once more on its way out, and finds nothing there.
    """
    if sys.platform != "linux":
        return
    found = [fd for fd in _epolls() if not _targets(fd).isdisjoint(watched)]
    if found:
        empty = Poller("epoll")
        for fd in found:
            os.dup2(empty.fileno() or 0, fd, inheritable=False)
        empty.close()


def _epolls() -> list[int]:
    """Return the numbers of all epolls of this process; none when /proc is not there to tell."""
    found = []
    try:
        for name in os.listdir("/proc/self/fd"):
            try:
                if os.readlink(f"/proc/self/fd/{name}") == "anon_inode:[eventpoll]":
                    found.append(int(name))
            except OSError:
                continue  # the descriptor of the listing itself
    except OSError:
        return []
    return found


def _targets(epoll: int) -> set[int]:
    """Return the descriptors that an epoll watches."""
    with open(f"/proc/self/fdinfo/{epoll}", encoding="ascii") as lines:
        return {int(line.split()[1]) for line in lines if line.startswith("tfd:")}


def mute_signals() -> None:
    """Stop telling the parent's event loop about the signals of the child.

    The descriptor that the interpreter writes to may be the asyncio loop's, which the parent still reads: it
    would take a SIGTERM of the child's for its own.
    """
    try:
        signal.set_wakeup_fd(-1)
    except ValueError:
        return  # not the main thread, which a fork of it always is


def keep_forever(thing: object) -> None:
    """Keep an object alive beyond the end of the interpreter, so that nothing ever finalizes it."""
    _kept.append(thing)
    try:
        import ctypes  # here: only forked children pay for it
    except ImportError:
        return  # the list keeps it for as long as there are modules
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))
