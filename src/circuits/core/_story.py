"""Tell the story of an error so that a person can act on it: what, where, with which arguments, and why at all.

ERROR <handler[*][greet] (App.greet)> (<greet[*] ('Bob' )>) {<class 'KeyError'>}: 'Bob'
  File "app.py", line 12, in greet
    return self.names[name]
  fired by <handler[*][started] (App.started)> for <started[*] (<App/* 27098:MainThread (queued=0) [R]> )>
"""

from __future__ import annotations

import sys

from .handlers import reprhandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .events import Event, exception

__all__ = ["print_error", "tell"]

#: Arguments may be large (a megabyte that was read); a line of the story is cut here.
MAX_LINE = 1000


def tell(event: exception) -> str:
    """Give the text for an `exception` event: the error, its traceback, and the chain of events that led to it."""
    kind, error, traceback = event.args[:3]
    failed, handler = event.kwargs.get("fevent"), event.kwargs.get("handler")
    where = reprhandler(handler) if handler is not None else "<no handler>"
    lines = [_cut(f"ERROR {where} ({failed!r}) {{{kind!r}}}: {error}"), *(line.rstrip("\n") for line in traceback)]
    cause = getattr(error, "__cause__", None) or getattr(error, "__context__", None)
    if cause is not None:
        lines.append(f"  because of {type(cause).__name__}: {cause}")
    if failed is not None:
        lines += _fired_by(failed)
    return "\n".join(lines) + "\n"


def print_error(event: exception) -> None:
    """Print the story on stderr."""
    # A program without a console has no stderr.
    if sys.stderr is not None:
        sys.stderr.write(tell(event))


def _fired_by(event: Event) -> list[str]:
    lines = []
    while event.cause is not None:
        source = reprhandler(event.source) if event.source is not None else "the kernel"
        lines.append(_cut(f"  fired by {source} for {event.cause!r}"))
        event = event.cause
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}… ({len(line)} characters)"
