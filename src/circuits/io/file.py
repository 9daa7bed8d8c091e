"""Files, pipes and terminals as components."""

from __future__ import annotations

import codecs
import os
import stat
from typing import TYPE_CHECKING, Any

from circuits.core.components import Component
from circuits.core.handlers import handler
from circuits.core.pollers import ensure_poller

from ._descriptor import HIGH_WATER, Descriptor
from ._gate import Gate, is_awaited
from ._regular import RegularFile
from .events import close, closed, eof, error, opened, read, ready

if TYPE_CHECKING:
    from collections.abc import Generator

    from circuits.core._tree import Tree
    from circuits.core.components import prepare_unregister
    from evkernel.timers import Timer

__all__ = ["BUFSIZE", "GRACE", "File"]

#: Bytes that one `read` event has at the most.
BUFSIZE = 4096

#: Seconds at the end of a run in which a pipe or a terminal may take what is left to be written.
GRACE = 5.0

#: Modes of `open`, as the system call wants them; "b" changes nothing, as a file delivers bytes unless told otherwise.
_FLAGS = {
    "r": os.O_RDONLY,
    "r+": os.O_RDWR,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "w+": os.O_RDWR | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "a+": os.O_RDWR | os.O_CREAT | os.O_APPEND,
    "x": os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    "x+": os.O_RDWR | os.O_CREAT | os.O_EXCL,
}


class File(Component):
    """Read and write a file without waiting for it.

    It is opened once the component is in a tree, and read from then on, from its beginning to its end.

    The handler of `write` ends at once. But when somebody waits for it, as in `yield self.call(write(data), "file")`,
    and more than `HIGH_WATER` bytes are queued, it ends when little of that is left: who writes a lot and waits each
    time fills no memory.

    When the run ends, what is left is written first, to a pipe or a terminal for `GRACE` seconds at the most.

    Handles: open([filename, mode, bufsize]), write(data), seek(offset, whence=0), close().
    Fires: ready(file), opened(filename, mode), read(data), eof(), closed(), error(error).
    """

    channel: Any = "file"

    _descriptor: Descriptor | RegularFile | None = None
    _is_ready = False
    _last_chance: Timer | None = None

    def init(
        self,
        filename: Any,
        mode: str = "r",
        bufsize: int = BUFSIZE,
        encoding: str | None = None,
        channel: str = channel,
    ) -> None:
        """Take the options of the constructor.

        Args:
            filename: a path; or an open file with a `fileno`, such as `sys.stdin`, which stays open at the end.
            mode: as for the builtin `open`; an open file brings its own.
            bufsize: bytes that one `read` event has at the most.
            encoding: deliver text in this encoding instead of bytes.
            channel: where events come from and go to.
        """
        del channel  # the constructor has it already
        self._bufsize = bufsize
        self._encoding = encoding
        self._room = Gate()
        self._end = Gate()
        self._set_target(filename, mode)

    def _set_target(self, filename: Any, mode: str) -> None:
        self._borrowed = filename if hasattr(filename, "fileno") else None
        self._filename = filename if self._borrowed is None else getattr(filename, "name", filename)
        own_mode = getattr(self._borrowed, "mode", None)
        self._mode = own_mode if isinstance(own_mode, str) else mode
        self._decoder = None if self._encoding is None else codecs.getincrementaldecoder(self._encoding)("replace")
        if self._mode.replace("b", "").replace("t", "") not in _FLAGS:
            raise ValueError(f"File: expected a mode such as 'r', 'w' or 'a+', got {mode!r}")

    @property
    def closed(self) -> bool:
        """Whether the file is closed, or not yet open."""
        return self._descriptor is None

    @property
    def filename(self) -> Any:
        """The name of the file."""
        return self._filename

    @property
    def mode(self) -> str:
        """The mode in which the file is or will be open."""
        return self._mode

    # Asked for.

    def open(self, filename: Any = None, mode: str | None = None, bufsize: int | None = None) -> None:
        """Open the file, or another one, unless one is open."""
        if self._descriptor is not None:
            return
        self._bufsize = bufsize or self._bufsize
        if filename is not None or mode is not None:
            self._set_target(self._borrowed or self._filename if filename is None else filename, mode or self._mode)
        try:
            self._descriptor = self._open()
        except (OSError, TypeError, ValueError) as problem:
            # A file that was closed, a stream that this program does not have, or a path that is none.
            self.fire(error(problem))
            return
        self.fire(opened(self._filename, self._mode))
        self._read_on()

    def _open(self) -> Descriptor | RegularFile:
        if self._borrowed is not None:
            # Text that Python still holds back comes first.
            if hasattr(self._borrowed, "flush"):
                self._borrowed.flush()
            return self._descriptor_of(self._borrowed.fileno(), owned=False)
        flags = _FLAGS[self._mode.replace("b", "").replace("t", "")]
        fd = os.open(self._filename, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
        return self._descriptor_of(fd, owned=True)

    def _descriptor_of(self, fd: int, *, owned: bool) -> Descriptor | RegularFile:
        mode = os.fstat(fd).st_mode
        cls = RegularFile if stat.S_ISREG(mode) or stat.S_ISBLK(mode) else Descriptor
        return cls(self, fd, owned=owned)

    def write(self, data: Any) -> Generator[Any, Any, None] | None:
        """Write bytes, or text in the encoding of the file, else UTF-8.

        Raises:
            TypeError: for anything but bytes and text.
        """
        if isinstance(data, str):
            data = data.encode(self._encoding or "utf-8")
        elif not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"expected bytes or text to write, got {type(data).__name__}: {data!r:.80}")
        if self._descriptor is None:
            self.fire(error(ValueError(f"cannot write to {self._filename!r}: it is not open")))
            return None
        self._descriptor.write(bytes(data))
        if self._descriptor.queued > HIGH_WATER and is_awaited(self._evtree.current):
            return self._wait_for_room()
        return None

    def _wait_for_room(self) -> Generator[Any, Any, None]:
        yield self._room.wait()

    def seek(self, offset: int, whence: int = 0) -> None:
        """Go on reading and writing somewhere else."""
        if self._descriptor is None:
            self.fire(error(ValueError(f"cannot seek in {self._filename!r}: it is not open")))
            return
        self._descriptor.seek(offset, whence)
        self._read_on()

    def _read_on(self) -> None:
        if self._descriptor is not None and ("r" in self._mode or "+" in self._mode):
            self._descriptor.start_reading()

    def close(self) -> None:
        """Close once everything has been written."""
        if self._descriptor is not None:
            self._descriptor.close()

    # What the descriptor needs.

    def _has_read(self, data: bytes) -> None:
        if self._decoder is None:
            self._fire_input(read(data))
        elif text := self._decoder.decode(data):
            self._fire_input(read(text))

    def _has_ended(self) -> None:
        if self._decoder is not None and (text := self._decoder.decode(b"", final=True)):
            self.fire(read(text))
        self.fire(eof())
        if "+" not in self._mode:
            self._ask_to_close()

    def _has_room(self) -> None:
        self._room.let_pass()

    def _has_mishap(self, problem: OSError) -> None:
        self.fire(error(problem))

    def _has_failed(self, problem: OSError) -> None:
        self.fire(error(problem))
        self._ask_to_close()

    def _ask_to_close(self) -> None:
        self.fire(close())

    def _has_closed(self) -> None:
        self._descriptor = None
        self._evtree.holders.discard(self)
        if self._last_chance is not None:
            self._last_chance.cancel()
            self._last_chance = None
        self.fire(closed())
        self._room.let_pass()
        self._end.let_pass()

    # The tree.

    @handler("registered")
    def _on_registered(self, component: Any, manager: Any) -> None:  # noqa: ARG002 - what the event carries
        if component is self:
            self._get_ready()

    @handler("started", channel="*")
    def _on_started(self, component: Any) -> None:  # noqa: ARG002 - what the event carries
        self._get_ready()

    def _get_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            ensure_poller(self)
            self.fire(ready(self))

    @handler("ready")
    def _on_ready(self, component: Any) -> None:
        if component is self:
            self.open()

    @handler("prepare_unregister", channel="*")
    def _on_prepare_unregister(self, event: prepare_unregister, component: Any) -> Any:  # noqa: ARG002
        if not event.in_subtree(self):
            return None
        self._is_ready = False
        if self._descriptor is not None:
            self._descriptor.close_at_once()
        # What was accepted for a disk is still being written.
        return None if self._descriptor is None else self._wait_for_end()

    def _wait_for_end(self) -> Generator[Any, Any, None]:
        yield self._end.wait()

    @handler("stopped", channel="*")
    def _on_stopped(self, manager: Any) -> None:  # noqa: ARG002 - what the event carries
        self._is_ready = False  # a tree that is run again opens it again
        self._ask_to_close()

    def _on_run_end(self) -> None:
        if self._descriptor is not None:
            self._descriptor.close()
        # It may be closed by now.
        if self._descriptor is not None:
            self._evtree.holders.add(self)
            self._last_chance = self._evtree.loop.call_later(GRACE, self._descriptor.close_at_once)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        old.holders.discard(self)
        if self._last_chance is not None:
            self._last_chance.cancel()
            self._last_chance = None
        if self._descriptor is not None:
            self._descriptor.move(old, new)
