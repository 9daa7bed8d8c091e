"""The Debugger: print every event and every error, as it is delivered, to stderr, a file or a logger.

    event ──▶ Debugger ──▶ <foo[*] (1, 2 )>
    exception ──▶ Debugger ──▶ ERROR <handler[*][foo] (App.foo)> (<foo[*] ( )>) {<class 'TypeError'>}: …

Rule 1: it only looks on. It is called before all other handlers, so that none hides an event from it, and what goes
wrong with its file or its logger is told on stderr and changes nothing for the event.
Rule 2: no error is lost. Where a Debugger handles errors the kernel does not print them, but one that is switched off
is as good as none.
"""

from __future__ import annotations

import sys
from os import PathLike, fspath
from typing import IO, TYPE_CHECKING, Any, ClassVar
from weakref import finalize

from ._specs import ANY
from ._story import describe, print_error, say_on_stderr, tell
from .components import BaseComponent
from .handlers import handler

if TYPE_CHECKING:
    from ._tree import Tree
    from .events import Event

__all__ = ["Debugger"]

#: Before all other handlers: one that stops an event does not hide it.
_FIRST = float("inf")


class Debugger(BaseComponent):
    """Print every event and every error of the tree; it does not matter where in the tree it is registered.

    Handles: every event, and `exception` by name.

    Attributes:
        IgnoreEvents: events that are not printed, by name or as (channel, name); one list for all Debuggers.
        IgnoreChannels: channels whose events are not printed, by name or as (channel, name); one list for all too. An
            event that was fired on several channels is printed unless each of them is ignored.
        enabled: false to print nothing at all.
        logger: where events (`logger.debug`) and errors (`logger.error`) go, instead of the file.
        prefix: what each event begins with, followed by a colon; None for nothing.
        trim: how many characters are printed of an event; None for all.

    Args:
        errors: print errors with their traceback and with the events that led to them.
        events: print events.
        file: the path of a file to append to, or an open text file; None is stderr.
        logger: anything with the methods `debug` and `error`.
        prefix: see above.
        trim: see above.
        kwargs: go to BaseComponent.

    Raises:
        OSError: when the file at the path given cannot be opened.
    """

    IgnoreEvents: ClassVar[list[Any]] = ["generate_events"]
    IgnoreChannels: ClassVar[list[Any]] = []

    #: The path of the file, when the Debugger opened it and has to close it.
    _path: str | None
    _file: Any

    def __init__(
        self,
        errors: bool = True,
        events: bool = True,
        file: str | PathLike[str] | IO[str] | None = None,
        logger: Any = None,
        prefix: str | None = None,
        trim: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._errors = errors
        self._events = events
        self.file = file
        self.logger = logger
        self.prefix = prefix
        self.trim = trim
        self.enabled = True

    @property
    def file(self) -> Any:
        """The open file that is written to: stderr unless another was given; None in a program without a console."""
        if self._path is not None and self._file.closed:
            self._file = self._open(self._path)
        return sys.stderr if self._file is None else self._file

    @file.setter
    def file(self, file: str | PathLike[str] | IO[str] | None) -> None:
        if isinstance(file, (str, PathLike)):
            self._path, self._file = fspath(file), self._open(fspath(file))
        else:
            self._path, self._file = None, file

    @property
    def chop(self) -> int | None:
        """The name that `trim` had in circuits 1."""
        return self.trim

    @chop.setter
    def chop(self, trim: int | None) -> None:
        self.trim = trim

    @handler(channel=ANY, priority=_FIRST)
    def _on_event(self, event: Event, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if self.enabled and self._events and not self._ignores(event):
            text = describe(event, sys.maxsize)
            if self.trim is not None and len(text) > self.trim:
                text = f"{text[: self.trim]} ...>"
            self._say("debug", text if self.prefix is None else f"{self.prefix}: {text}")

    @handler("exception", channel=ANY, priority=_FIRST)
    def _on_exception(self, event: Event, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        if not self.enabled:
            if self._is_last_resort(event):
                print_error(event)
        elif self._errors:
            self._say("error", tell(event).rstrip("\n"))

    def _ignores(self, event: Event) -> bool:
        name = event.name
        if name in self.IgnoreEvents:
            return True
        pairs = (*self.IgnoreEvents, *self.IgnoreChannels)
        return bool(event.channels) and all(
            channel in self.IgnoreChannels or (channel, name) in pairs for channel in event.channels
        )

    def _is_last_resort(self, event: Event) -> bool:
        """Tell whether nobody but Debuggers that are switched off handles an error, and this is the first of them."""
        plan = self._evtree.plans.find(event.name, event.channels)
        owners = [getattr(method, "__self__", None) for method, _ in plan if getattr(method, "names", None) != ()]
        return owners[0] is self and all(isinstance(owner, Debugger) and not owner.enabled for owner in owners)

    def _say(self, level: str, text: str) -> None:
        """Write a text to the logger, or to the file; go on with stderr when that fails."""
        try:
            if self.logger is not None:
                getattr(self.logger, level)(text)
            else:
                _write(self.file, text)
        except Exception as error:  # noqa: BLE001 - user code, a full disk, a closed pipe: the program goes on as it would
            broken = self._path or self._file if self.logger is None else self.logger
            self.logger = self.file = None
            say_on_stderr(f"{self!r} goes on with stderr, as it cannot write to {broken!r}: {error!r}\n{text}\n")

    def _open(self, path: str) -> IO[str]:
        # Line by line, so that a crash loses nothing; any text can be written, whatever it holds.
        stream = open(path, "a", buffering=1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        finalize(self, stream.close)
        return stream

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:  # noqa: ARG002
        # It has left; should it come back, the file is opened again.
        if self.parent is self and self._path is not None:
            self._file.close()


def _write(stream: Any, text: str) -> None:
    if stream is not None:
        # At once, line end included, so that what several threads write stays whole.
        stream.write(f"{text}\n")
        if hasattr(stream, "flush"):
            stream.flush()
