"""Run a tree beside the caller: in a thread, or in a process with a bridge to it.

    start_process:   fork ──▶ child: become a root ──▶ give back what is the parent's ──▶ run
                      └─────▶ parent: (process, bridge)

Rule 1: the child goes on with the component and its subtree and nothing else of the parent: no other tree, no handler
for signals, no connection. Nobody is told that the component has left its tree, since in the parent it has not.
Rule 2: a signal that comes while the child starts is not lost: it waits until the child can handle it.
Rule 3: a child that was asked to stop ends, if need be by force.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from threading import Event as Flag
from threading import Thread, get_ident

from evkernel.loop import disown

from ._pipe import make_pair
from ._pools import quiet_fork

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.context import ForkProcess
    from socket import socket
    from typing import Any

    from .bridge import Bridge
    from .manager import Manager

__all__ = ["GRACE", "make_thread", "start_process", "stop_process"]

#: Seconds between asking a process to stop and killing it: as long as container systems give theirs.
GRACE = 10.0
#: Seconds to wait for a busy thread to take a bridge into its tree. It gets the bridge in any case, later if not now.
PATIENCE = 1.0

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

#: Keeps, in a child, what it has left of its parent's trees: their generators must not end here.
_left_behind: list[Any] = []


def make_thread(manager: Manager) -> Thread:
    """Make, but do not start, the thread that runs *manager*; it is named after it."""
    return Thread(target=manager.run, name=manager.name)


def start_process(manager: Manager, link: Manager | None) -> tuple[ForkProcess, Bridge | None]:
    """Run *manager*, with its subtree, in a new process.

    Args:
        manager: what to run; it is a copy that runs, the one in this process stays as it is.
        link: the tree that gets a bridge to the process.

    Raises:
        RuntimeError: when this system cannot fork; a component cannot be taken to a process in any other way.
    """
    if not hasattr(os, "fork"):
        raise RuntimeError(f"cannot start {manager!r} as a process: this system has no fork")
    from multiprocessing import get_context  # late: most programs have one process

    ours, theirs = (None, None) if link is None else make_pair()
    # With a link it has no life of its own: it is asked to stop when the parent ends without having stopped it.
    process = get_context("fork").Process(
        target=_live, args=(manager, ours, theirs), name=manager.name, daemon=link is not None
    )
    # The mask is inherited: what comes before the child can handle signals waits for it.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        with quiet_fork():
            process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if theirs is not None:
            theirs.close()
    if link is None or ours is None:
        return process, None
    return process, _join(ours, manager, link)


def _join(sock: socket, manager: Manager, link: Manager) -> Bridge:
    """Give *link* its bridge to the process of *manager*."""
    bridge: Bridge = link._evbridge(sock, channel=f"bridge-{manager.name}")
    tree = link._evtree
    if not tree.root._running or tree.thread in (None, get_ident()):
        return bridge.register(link)
    # The tree belongs to the thread that runs it.
    registered = Flag()

    def register() -> None:
        bridge.register(link)
        registered.set()

    tree.loop.call_soon(register)
    registered.wait(PATIENCE)
    return bridge


def stop_process(process: ForkProcess) -> None:
    """Ask a process to stop, and kill it if it does not; returns at once."""
    if process.is_alive():
        process.terminate()
        # A copy: whoever started the process may close it meanwhile.
        sentinel = os.dup(process.sentinel)
        Thread(target=_see_to_the_end, args=(process, sentinel), name=f"{process.name}-end", daemon=True).start()


def _see_to_the_end(process: ForkProcess, sentinel: int) -> None:
    from multiprocessing.connection import wait

    # Not `join`, which takes the exit code of the process: that is for those who started it.
    if not wait([sentinel], GRACE):
        with suppress(ValueError):  # it has ended meanwhile, and was closed
            process.kill()
    os.close(sentinel)


# In the child.


def _live(manager: Manager, ours: socket | None, theirs: socket | None) -> None:
    """Live the life of the child."""
    from multiprocessing import current_process

    if ours is not None:
        ours.close()
    # Processes that end with their parent may have none of their own, says multiprocessing; ours are stopped orderly.
    current_process().daemon = False
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    _come_of_age(manager)
    # Once it runs, and so has handlers for them; signals that came before are handled then.
    manager._evtree.loop.call_soon(_unblock)
    try:
        if theirs is None:
            manager.run()
        else:
            manager.run(theirs)
    finally:
        _unblock()


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _come_of_age(manager: Manager) -> None:
    """Make *manager* a root that has never run, and give back what belongs to the parent's trees."""
    tree = manager._evtree
    manager._forget_processes()
    if tree.root is not manager or manager._running:
        _left_behind.append((tree, tree.root))
        # A root that runs in the parent is its own parent here; it gets a fresh tree, with the same components in it.
        manager.parent.unregisterChild(manager)
        manager._running = False
    for member in manager._subtree():
        member._on_process_start()
    disown(manager._evtree.loop)
