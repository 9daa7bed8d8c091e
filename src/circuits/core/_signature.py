"""Ask functions what they take: does a handler want the event?

The question is asked for every handler of every class, so it is answered from the code object: the module `inspect`
costs more to import than the kernel. Whether a handler can take what an event carries is the question of `_carried`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["place_of", "wants_event"]

#: The flag of a code object with *args.
VARARGS = 0x04


def wants_event(function: Callable[..., Any], *, bound: bool) -> bool:
    """Tell whether the first parameter, after `self` where there is one, is called `event`.

    Args:
        function: what will be called.
        bound: whether its first parameter is `self`.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        # An object that can be called: its method has a `self` of its own.
        code, bound = getattr(type(function).__call__, "__code__", None), True
    if code is None:
        return False
    first = 1 if bound else 0
    while code.co_argcount <= first and code.co_flags & VARARGS and hasattr(function, "__wrapped__"):
        # A decorator that takes anything passes it on to what it has wrapped.
        function = function.__wrapped__
        code = getattr(function, "__code__", code)
    return bool(code.co_argcount > first and code.co_varnames[first] == "event")


def place_of(function: Any) -> str:
    """Give where a function is written, as tracebacks do; nothing when it is not written in Python."""
    code = getattr(function, "__code__", None)
    return "" if code is None else f'File "{code.co_filename}", line {code.co_firstlineno}, in {code.co_name}'
