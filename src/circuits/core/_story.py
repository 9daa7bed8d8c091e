"""Tell the story of an error so that a person can act on it: what, where, with which arguments, and why at all.

ERROR <handler[*][greet] (App.greet)> (<greet[*] ('Bob' )>) {<class 'LookupError'>}: nobody is called Bob
  File "app.py", line 12, in greet
    raise LookupError(f"nobody is called {name}") from error
  because of KeyError: 'Bob'
    File "app.py", line 10, in greet
      return self.names[name]
             ~~~~~~~~~~^^^^^^
  fired by <handler[*][started] (App.started)> for <started[*] (<App/* 27098:MainThread (queued=0) [R]> )>

Rule 1: the story never fails, whatever the text forms of arguments and errors do; it is what is left when all else has.
Rule 2: frames of the kernel are left out: nobody who reads the story can change them.
"""

from __future__ import annotations

import sys

from ._signature import place_of
from .events import Event
from .handlers import reprhandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any

__all__ = ["describe", "lines_of", "print_error", "say_on_stderr", "shown", "tell"]

#: An event, or the message of an error, may be large (a megabyte that was read); the story cuts each of them here.
MAX_TEXT = 1000
#: One argument of such an event: the beginnings of all say more than all of the first.
MAX_ARGUMENT = 200
#: Errors behind an error, and members of a group of errors, that are told of. More would bury the first.
MAX_ERRORS = 10

#: Where handlers are called from and resumed.
KERNEL = {
    __file__.replace("_story.py", name) for name in ("_answers.py", "_dispatch.py", "_tasks.py", "_coroutines.py")
}


def tell(event: Event) -> str:
    """Give the text for an `exception` event: the error, its traceback, and the chain of events that led to it."""
    kind, error, traceback = (*event.args, None, None, None)[:3]
    failed, handler = event.kwargs.get("fevent"), event.kwargs.get("handler")
    where = shown(handler, reprhandler) if handler is not None else "<no handler>"
    what = describe(failed) if isinstance(failed, Event) else _cut(shown(failed))
    lines = [f"ERROR {where} ({what}) {{{shown(kind)}}}: {_cut(shown(error, str))}"]
    lines += [str(line).rstrip("\n") for line in traceback or ()]
    if isinstance(error, BaseException):
        lines += _definition(error, handler)
        lines += _behind(error, "  ", [error])
    if isinstance(failed, Event):
        lines += _fired_by(failed)
    return "\n".join(lines) + "\n"


def print_error(event: Event) -> None:
    """Print the story on stderr."""
    say_on_stderr(tell(event))


def say_on_stderr(text: str) -> None:
    """Print a text as it is, if there is anybody to read it."""
    # A program without a console has no stderr.
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
    except (OSError, ValueError):
        # The other end of a pipe is gone, or the stream is closed: there is nobody left to tell.
        return


def describe(event: Event, size: int = MAX_TEXT) -> str:
    """Give the text form of an event; where it would be longer than *size*, or cannot be had, cut each argument."""
    try:
        text = repr(event)
    except Exception:  # noqa: BLE001 - user code: the text form of an argument
        text = None
    if text is not None and len(text) <= size:
        return text
    channels = ",".join(shown(channel, str) for channel in event.channels)
    args = ", ".join(_cut(shown(arg), MAX_ARGUMENT) for arg in event.args)
    kwargs = ", ".join(f"{name}={_cut(shown(value), MAX_ARGUMENT)}" for name, value in event.kwargs.items())
    return f"<{event.name}[{channels}] ({_cut(args)} {_cut(kwargs)})>"


def lines_of(traceback: TracebackType | None, foreign: list[str] | None = None) -> list[str]:
    """Give the traceback of an error in a handler as lines of text, without the frames of the kernel.

    When it has no others, because the call itself was wrong, the last of them is given.

    Args:
        traceback: the traceback.
        foreign: lines of the traceback that the error has from another process.
    """
    # Imported on the first error: it costs more to load than the rest of the kernel together.
    from traceback import extract_tb, format_list

    frames = extract_tb(traceback)
    kept = [frame for frame in frames if frame.filename not in KERNEL]
    return [*format_list(kept), *foreign] if foreign else format_list(kept or frames[-1:])


def _definition(error: BaseException, handler: Any) -> list[str]:
    """Tell what a handler takes, when calling it has failed already."""
    place, traceback = place_of(handler), error.__traceback__
    if not place or not isinstance(error, TypeError) or traceback is None or traceback.tb_next is not None:
        return []
    return [f"  it takes {shown(handler, _parameters)}: {place}"]


def _parameters(function: Callable[..., Any]) -> str:
    """Give the parameters of a function as they are called: without their types."""
    import inspect  # late: few errors are of this kind

    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def _behind(error: BaseException, indent: str, told: list[BaseException]) -> Iterator[str]:
    """Tell what stands behind an error: notes, the error that caused it, the members of a group."""
    for note in getattr(error, "__notes__", ()):
        yield from _indented([shown(note, str)], indent)
    if isinstance(error, BaseExceptionGroup):
        for number, member in enumerate(error.exceptions, 1):
            yield from _one(member, f"{number} of {len(error.exceptions)}:", indent, told)
    if error.__cause__ is not None:
        yield from _one(error.__cause__, "because of", indent, told)
    elif error.__context__ is not None and not error.__suppress_context__:
        yield from _one(error.__context__, "while handling", indent, told)


def _one(error: BaseException, why: str, indent: str, told: list[BaseException]) -> Iterator[str]:
    """Tell of one error behind another; of none twice."""
    if len(told) >= MAX_ERRORS or any(error is other for other in told):
        return
    told.append(error)
    message = _cut(shown(error, str))
    yield from _indented([f"{why} {type(error).__name__}{': ' if message else ''}{message}"], indent)
    yield from _indented(lines_of(error.__traceback__), indent)
    yield from _behind(error, indent + "  ", told)


def _indented(texts: list[str], indent: str) -> Iterator[str]:
    for text in texts:
        for line in text.splitlines():
            yield indent + line


def _fired_by(event: Event) -> Iterator[str]:
    for cause in event.causes():
        source = shown(event.source, reprhandler) if event.source is not None else "the kernel"
        yield f"  fired by {source} for {describe(cause)}"
        event = cause


def shown(value: Any, form: Callable[[Any], str] = repr) -> str:
    """Give a text form of *value*, or else what went wrong with it."""
    try:
        return form(value)
    except Exception as error:  # noqa: BLE001 - user code: __repr__ or __str__
        return f"<{type(value).__name__} without a text form: {type(error).__name__}>"


def _cut(text: str, size: int = MAX_TEXT) -> str:
    return text if len(text) <= size else f"{text[:size]}… ({len(text)} characters)"
