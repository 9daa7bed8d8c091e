"""A child process: start it, hear of its end, send signals to all of it, and never leave it behind.

    Popen ──▶ pidfd in the loop, or a thread that waits ──▶ has_exited ──▶ status ──▶ reap

Rule 1: nothing waits for a child in the thread of the tree, and no handler of SIGCHLD, which is one for the whole
program, is needed.
Rule 2: a child leads a process group of its own, and signals go to the group: to a shell and to what it runs. ^C at a
terminal goes to the program alone, which ends its children in order.
Rule 3: a child that has ended is reaped only when nobody sends it signals any more: until then its number, and that of
its group, belong to nobody else.
Rule 4: children that still run when the interpreter ends are killed.
"""

from __future__ import annotations

import atexit
import os
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, Any

from evkernel.errors import LoopClosed, NotPollable

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Mapping

    from circuits.core._tree import Tree

__all__ = ["UNKNOWN_STATUS", "Child"]

_NEW_GROUP: dict[str, Any] = {"process_group": 0} if os.name == "posix" else {}

#: The status of a child that somebody else has waited for: what a shell gives for one out of range.
UNKNOWN_STATUS = 255


class Child:
    """One child process.

    Args:
        args: the program and its arguments; or a command line for the shell.
        cwd: where it runs; None is where we are.
        shell: have a shell run it.
        env: its environment; None is ours.
        tree: gives the tree that is told.
        has_exited: is called in that tree, once.

    Attributes:
        pid: the number of the process and of its group.
        pipes: our ends of stdin, stdout and stderr, non-blocking; whoever takes them closes them.
        status: the exit code, negative for a signal; None while it runs.
    """

    def __init__(
        self,
        args: Any,
        *,
        cwd: Any,
        shell: bool,
        env: Mapping[str, str] | None,
        tree: Callable[[], Tree],
        has_exited: Callable[[], None],
    ) -> None:
        self.status: int | None = None
        self._tree = tree
        self._has_exited = has_exited
        self._pidfd = -1
        self._popen, self.pipes = _spawn(args, cwd, shell, env)
        self.pid = self._popen.pid
        self._owner = os.getpid()
        if not _alive:
            atexit.register(_kill_all)
        _alive.add(self)
        self._watch()

    def adopt(self) -> None:
        """Answer for the child from now on: the process that started it has gone on as this one."""
        self._owner = os.getpid()

    # Its end.

    def _watch(self) -> None:
        try:
            self._pidfd = os.pidfd_open(self.pid)
            self._tree().loop.poller.set_reader(self._pidfd, self._look)
        except (AttributeError, OSError, NotPollable):
            # Another system, an old Linux, no descriptor left, or one that this poller does not take.
            self._close_pidfd()
            Thread(target=self._wait, name=f"wait-{self.pid}", daemon=True).start()

    def _wait(self) -> None:
        if hasattr(os, "waitid"):
            with suppress(ChildProcessError):
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._popen.wait()
        with suppress(LoopClosed):  # nobody is left who could be told
            self._tree().loop.call_soon(self._look)

    def _look(self) -> None:
        """See whether it has ended; harmless when it has not."""
        if self.status is None:
            self.status = self._exit_status()
            if self.status is not None:
                self._close_pidfd()
                self._has_exited()

    def _exit_status(self) -> int | None:
        if not hasattr(os, "waitid"):
            return self._popen.poll()
        try:
            result = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
        except ChildProcessError:
            return UNKNOWN_STATUS
        if result is None:
            return None
        return result.si_status if result.si_code == os.CLD_EXITED else -result.si_status

    def move(self, old: Tree, new: Tree) -> None:
        """Tell another tree."""
        if self._pidfd >= 0:
            old.loop.poller.discard(self._pidfd)
            new.loop.poller.set_reader(self._pidfd, self._look)
        elif self.status is None:
            # The thread may have told the old one.
            new.loop.call_soon(self._look)

    def _close_pidfd(self) -> None:
        if self._pidfd >= 0:
            self._tree().loop.poller.discard(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def reap(self) -> None:
        """Give the number back; no more signals from now on."""
        _alive.discard(self)
        self._popen.poll()

    # Signals.

    def send(self, signo: int) -> None:
        """Send a signal to the process and to all that it has started in its group."""
        if self not in _alive:
            return
        if not hasattr(os, "killpg"):
            self._popen.send_signal(signo)
            return
        # macOS says EPERM for a group of processes that have all ended.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signo)

    def terminate(self) -> None:
        """Ask it to end; one that is held is let go on, or it would never hear of it."""
        import signal  # late: see `_spawn`

        if os.name == "posix":
            self.send(signal.SIGTERM)
            self.send(signal.SIGCONT)
        else:
            self.kill()

    def kill(self) -> None:
        """End it."""
        import signal  # late: see `_spawn`

        if os.name == "posix":
            self.send(signal.SIGKILL)
        elif self in _alive:
            self._popen.kill()

    def kill_if_ours(self) -> None:
        """End it, unless it is the child of the process that has forked us."""
        if self._owner == os.getpid():
            self.kill()


_alive: set[Child] = set()


def _kill_all() -> None:
    for child in tuple(_alive):
        child.kill_if_ours()


def _spawn(
    args: Any, cwd: Any, shell: bool, env: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], tuple[int, ...]]:
    """Start a process with three pipes; give it and our ends of them."""
    import subprocess  # late: it takes longer to load than the kernel, and most programs start no other

    ours: list[int] = []
    theirs: list[int] = []
    try:
        # Of stdin the end that is written to is ours, of stdout and stderr the one that is read from.
        for end in (1, 0, 0):
            pipe = os.pipe()
            ours.append(pipe[end])
            theirs.append(pipe[1 - end])
        for fd in ours:
            os.set_blocking(fd, False)
        stdin, stdout, stderr = theirs
        popen = subprocess.Popen(
            args, cwd=cwd, shell=shell, env=env, stdin=stdin, stdout=stdout, stderr=stderr, **_NEW_GROUP
        )
    except BaseException:
        for fd in ours:
            os.close(fd)
        raise
    finally:
        for fd in theirs:
            os.close(fd)
    return popen, tuple(ours)
