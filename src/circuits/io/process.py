"""Child processes as components.

    start ──▶ started ──▶ read, read, … on <channel>.stdout and <channel>.stderr ──▶ terminated, once
    write ──▶ stdin

    stop:  end of stdin ──▶ SIGTERM ── grace ──▶ SIGKILL ──▶ pipes that strangers hold are closed

Rule 1: `terminated` comes after the exit of the process and after the last byte of both its outputs.
Rule 2: nothing waits in the thread of the tree. Starting alone takes as long as the system needs to load a program.
Rule 3: no process outlasts the run of its tree, the stay of its component in it, or the interpreter.
"""

from __future__ import annotations

import threading
from _thread import get_ident
from typing import TYPE_CHECKING, Any

from circuits.core.components import BaseComponent
from circuits.core.events import Event
from circuits.core.handlers import handler

from ._child import Child
from ._gate import Gate
from ._pipes import Kept, PipeFile
from .events import close, started, write
from .file import BUFSIZE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from circuits.core._tree import Tree
    from circuits.core.components import prepare_unregister
    from circuits.core.values import Value
    from evkernel.timers import Timer

__all__ = ["EOF_GRACE", "GRACE", "KEPT", "PIPE_GRACE", "Process", "terminated"]

#: Seconds that a process has to end after SIGTERM, before it is killed. Half of what container systems give a whole
#: program after theirs, so that there is time left to say what has happened.
GRACE = 5.0
#: Seconds that a process which was written to has to take the rest of that and to end by itself, before SIGTERM.
EOF_GRACE = 0.5
#: Seconds that pipes may stay open once the process and its group have been killed: somebody outside holds them.
PIPE_GRACE = 1.0
#: Bytes of each output that are kept for `stdout.getvalue()`; the last ones, for what a process says when it fails.
KEPT = 1024 * 1024


class terminated(Event):  # noqa: N801 - an event
    """Tell that a process has ended, and that all it has said has been read.

    Args:
        args: (process).
    """


class Process(BaseComponent):
    """Run a program beside this one.

    Its outputs come as `read(data)` on the channels `<channel>.stdout` and `<channel>.stderr`; two processes are told
    apart by their channels. `stdout.getvalue()` and `stderr.getvalue()` give the last `kept` bytes of each.

    The process leads a group of its own, and all signals go to the group: what it starts ends with it.

    Handles: write(data), close(): for its standard input.
    Fires: started(process), terminated(process).

    Attributes:
        stdout: what it has said so far.
        stderr: what it has complained about so far.
    """

    channel: Any = "process"

    _child: Child | None = None
    _stdin: PipeFile | None = None
    _stdout: PipeFile | None = None
    _stderr: PipeFile | None = None
    _terminated = False
    _stdout_closed = False
    _stderr_closed = False

    def init(
        self,
        args: Any,
        cwd: Any = None,
        shell: bool = False,
        *,
        env: Mapping[str, str] | None = None,
        encoding: str | None = None,
        bufsize: int = BUFSIZE,
        grace: float = GRACE,
        kept: int | None = KEPT,
    ) -> None:
        """Take the options of the constructor.

        Args:
            args: the program and its arguments; or a command line, for the shell.
            cwd: the directory to run in; None is the one we are in.
            shell: have a shell run it.
            env: its environment; None is ours.
            encoding: deliver text in this encoding instead of bytes.
            bufsize: bytes that one `read` event has at the most.
            grace: seconds from SIGTERM to SIGKILL.
            kept: bytes of each output to keep; None keeps all.
        """
        self._args = args
        self._options = {"cwd": cwd, "shell": shell, "env": env}
        self._encoding = encoding
        self._bufsize = bufsize
        self._grace = grace
        self._kept_size = kept
        self._end = Gate()
        self._is_over = threading.Event()
        self._deadline: Timer | None = None
        self._is_stopping = False
        self._was_written_to = False
        self.stdout = self.stderr = Kept(0)

    @property
    def pid(self) -> int:
        """The number of the process once it has been started; ours until then."""
        return super().pid if self._child is None else self._child.pid

    @property
    def status(self) -> int | None:
        """The exit code, negative for the number of a signal; None while there is none.

        It is 255 for a process that somebody else has waited for.
        """
        return None if self._child is None else self._child.status

    @property
    def is_alive(self) -> bool:
        """Whether it has been started and `terminated` is still to come."""
        return self._child is not None and not self._terminated

    # Asked for. The names are documented, and mean something else than for other components.

    def start(self) -> None:  # type: ignore[override]
        """Start the program. May be called from any thread, and again once it has ended.

        Raises:
            OSError: there is no such program or directory, or no right to run it.
            RuntimeError: it runs already.
        """
        if not self._is_elsewhere():
            self._start()
            return
        done = threading.Event()
        errors: list[BaseException] = []

        def start_there() -> None:
            try:
                self._start()
            except BaseException as error:  # noqa: BLE001 - raised below, where it was asked for
                errors.append(error)
            done.set()

        self._evtree.loop.call_soon(start_there)
        while not done.wait(0.1):
            if not self.root.running:
                raise RuntimeError(f"{self!r} was not started: its tree has stopped")
        if errors:
            raise errors[0]

    def stop(self) -> None:  # type: ignore[override]
        """Ask the process to end, and see to it that it does: see the top of this module. From any thread."""
        self._there(self._stop)

    def kill(self) -> None:
        """End the process, and all in its group, at once. From any thread."""
        if self._child is not None:
            self._child.kill()
            self._there(self._give_up_pipes_later)

    def signal(self, signal: int) -> None:
        """Send a signal to the process and its group. From any thread."""
        if self._child is not None:
            self._child.send(signal)

    def write(self, data: Any) -> Value:
        """Write bytes or text to the standard input. From any thread.

        Returns:
            The value of the event; `await` it to be held up while much is queued.

        Raises:
            RuntimeError: it has not been started.
        """
        if self._stdin is None:
            raise RuntimeError(f"{self!r} has not been started: there is nothing to write to")
        self._was_written_to = True
        return self.fire(write(data), self._stdin)

    def wait(self) -> Any:  # type: ignore[override]
        """Wait for the end of the process.

        Returns:
            In a handler what to yield or await, which gives the status. Elsewhere, when the process has ended, the
            status itself; a tree that nobody runs is turned meanwhile.

        Raises:
            RuntimeError: it has not been started, or its tree has stopped.
        """
        if self._child is None:
            raise RuntimeError(f"{self!r} has not been started: there is nothing to wait for")
        if self._is_elsewhere():
            while not self._is_over.wait(0.1):
                if not self.root.running:
                    raise RuntimeError(f"{self!r} has not ended, and its tree has stopped")
            return self.status
        if self.root.running or self._evtree.current is not None:
            return self._end.wait()
        while not self._terminated:
            self.root.tick(0.1)
        return self.status

    @handler("write")
    def _on_write(self, data: Any) -> Any:
        if self._stdin is None:
            raise RuntimeError(f"{self!r} has not been started: there is nothing to write to")
        self._was_written_to = True
        return self._stdin.write(data)

    @handler("close")
    def _on_close(self) -> None:
        if self._stdin is not None:
            self._stdin.close()

    # In the thread of the tree.

    def _is_elsewhere(self) -> bool:
        """Tell whether another thread runs the tree."""
        return self.root.running and self._evtree.thread != get_ident()

    def _there(self, what: Callable[[], None]) -> None:
        """Do something in the thread of the tree."""
        if self._is_elsewhere():
            self._evtree.loop.call_soon(what)
        else:
            what()

    def _start(self) -> None:
        if self.is_alive:
            raise RuntimeError(f"{self!r} runs already, as process {self.pid}")
        child = Child(self._args, tree=lambda: self._evtree, has_exited=self._look, **self._options)
        self._child = child
        self._terminated = self._stdout_closed = self._stderr_closed = False
        self._is_stopping = self._was_written_to = False
        self._is_over.clear()
        self._end.close()
        self.stdout, self.stderr = Kept(self._kept_size), Kept(self._kept_size)
        for pipe in (self._stdin, self._stdout, self._stderr):
            if pipe is not None:
                pipe.unregister()
        stdin, stdout, stderr = child.pipes
        self._stdin = self._pipe(stdin, "stdin", "w", None)
        self._stdout = self._pipe(stdout, "stdout", "r", self.stdout)
        self._stderr = self._pipe(stderr, "stderr", "r", self.stderr)
        if not self._starts_because_of_a_start():
            self.fire(started(self))

    def _pipe(self, fd: int, name: str, mode: str, kept: Kept | None) -> PipeFile:
        channel = f"{self.channel}.{name}" if isinstance(self.channel, str) else name
        pipe = PipeFile(
            fd, f"<{name} of {self.pid}>", mode, self._bufsize, self._encoding, kept, self._has_closed, channel=channel
        )
        if mode == "w" or not isinstance(self.channel, str):
            # What is written is for one process, whoever else has our channel.
            pipe.channel = pipe
        pipe.register(self)
        pipe.attach()
        return pipe

    def _starts_because_of_a_start(self) -> bool:
        """Tell whether this is done by a handler of `started`, or by what that has caused.

        Nearly always this is the handler by which a program begins, on every channel. It would hear of the process,
        take it for the beginning, start another process, hear of that, and so on.
        """
        event = self._evtree.current
        return event is not None and any(cause.name == "started" for cause in (event, *event.causes()))

    def _has_closed(self, pipe: PipeFile) -> None:
        if pipe is self._stdout:
            self._stdout_closed = True
        elif pipe is self._stderr:
            self._stderr_closed = True
        self._look()

    def _look(self) -> None:
        """See whether it is over."""
        child = self._child
        if child is None or child.status is None or self._terminated:
            return
        if not (self._stdout_closed and self._stderr_closed):
            return
        self._terminated = True
        self._set_deadline(None, None)
        if self._stdin is not None:
            self._stdin.close_at_once()
        child.reap()
        self.fire(terminated(self))
        self._evtree.holders.discard(self)
        self._is_over.set()
        self._end.open(child.status)

    # The way to the end.

    def _stop(self) -> None:
        if not self.is_alive or self._is_stopping:
            return
        self._is_stopping = True
        if self._stdin is not None:
            # Behind what was fired to be written.
            self.fire(close(), self._stdin)
        if self._was_written_to:
            self._set_deadline(EOF_GRACE, self._terminate)
        else:
            self._terminate()

    def _terminate(self) -> None:
        if self._child is not None:
            self._child.terminate()
        self._set_deadline(self._grace, self.kill)

    def _give_up_pipes_later(self) -> None:
        if self.is_alive:
            self._set_deadline(PIPE_GRACE, self._give_up_pipes)

    def _give_up_pipes(self) -> None:
        for pipe in (self._stdout, self._stderr):
            if pipe is not None:
                pipe.close_at_once()

    def _set_deadline(self, seconds: float | None, what: Callable[[], None] | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None or what is None else self._evtree.loop.call_later(seconds, what)

    # The tree.

    @handler("prepare_unregister", channel="*")
    def _on_prepare_unregister(self, event: prepare_unregister, component: Any) -> Any:  # noqa: ARG002
        if not event.in_subtree(self) or not self.is_alive:
            return None
        self._stop()
        return self._wait_for_end()

    def _wait_for_end(self) -> Generator[Any, Any, None]:
        while self.is_alive:
            yield self._end.wait()

    @handler("stopped", channel="*")
    def _on_stopped(self, manager: Any) -> None:
        if manager is self.root:
            self._stop()

    def _on_run_end(self) -> None:
        if self.is_alive:
            self._evtree.holders.add(self)
            self._stop()

    @handler("daemonized", channel="*")
    def _on_daemonized(self, *_: Any) -> None:
        if self._child is not None:
            self._child.adopt()

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        old.holders.discard(self)
        if self._child is not None and self.is_alive:
            self._child.move(old, new)
