"""Tell the story of an error so that a person can act on it: what, where, with which arguments, and why at all.

ERROR <handler[*][greet] (App.greet)> (<greet[*] ('Bob' )>) {<class 'KeyError'>}: 'Bob'
  File "app.py", line 12, in greet
    return self.names[name]
  fired by <handler[*][started] (App.started)> for <started[*] (<App/* 27098:MainThread (queued=0) [R]> )>
"""

from __future__ import annotations

import contextlib
import sys

from .handlers import reprhandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .events import Event, exception

__all__ = ["print_error", "shown", "tell"]

#: Arguments may be large (a megabyte that was read); a line of the story is cut here.
MAX_LINE = 1000


def tell(event: exception) -> str:
    """Give the text for an `exception` event: the error, its traceback, and the chain of events that led to it."""
    kind, error, traceback = event.args[:3]
    failed, handler = event.kwargs.get("fevent"), event.kwargs.get("handler")
    where = reprhandler(handler) if handler is not None else "<no handler>"
    lines = [
        _cut(f"ERROR {where} ({shown(failed)}) {{{kind!r}}}: {shown(error, str)}"),
        *(line.rstrip("\n") for line in traceback),
    ]
    cause = getattr(error, "__cause__", None) or getattr(error, "__context__", None)
    if cause is not None:
        lines.append(_cut(f"  because of {type(cause).__name__}: {shown(cause, str)}"))
    if failed is not None:
        lines += _fired_by(failed)
    return "\n".join(lines) + "\n"


def print_error(event: exception) -> None:
    """Print the story on stderr; if that is gone, nobody is left to be told."""
    # A program without a console has no stderr.
    if sys.stderr is not None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(tell(event))


def shown(thing: object, form: Callable[[object], str] = repr) -> str:
    """Give the text form of a thing, or say that it has none: what tells about errors must not make more of them."""
    try:
        return form(thing)
    except Exception as error:  # noqa: BLE001 - user code: a __repr__ or __str__ that fails
        return f"<{type(thing).__name__} whose text form raises {type(error).__name__}>"


def _fired_by(event: Event) -> list[str]:
    lines = []
    while event.cause is not None:
        source = reprhandler(event.source) if event.source is not None else "the kernel"
        lines.append(_cut(f"  fired by {source} for {shown(event.cause)}"))
        event = event.cause
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}… ({len(line)} characters)"
