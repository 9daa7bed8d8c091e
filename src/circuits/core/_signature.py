"""Ask functions what they take: does a handler want the event, can it accept an event's arguments?

The first question is asked for every handler of every class, so it is answered from the code object; the module
`inspect`, which costs more to import than the kernel, is loaded for the second question only.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .events import EventType

__all__ = ["accepts", "wants_event"]


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
    return bool(code.co_argcount > first and code.co_varnames[first] == "event")


def accepts(function: Callable[..., Any], event_class: EventType) -> str | None:
    """Explain why a handler cannot take what an event class is made with; None when it can.

    Only the constructor says what an event carries, so a class with the inherited `(*args, **kwargs)` fits everything.

    Args:
        function: the plain function of the handler, `self` first.
        event_class: the class named in `@handler(event_class)`.
    """
    import inspect  # late: see the module's text

    parameters = list(inspect.signature(event_class).parameters.values())
    signature = inspect.signature(function)
    offered = list(signature.parameters.values())[1:]
    if offered and offered[0].name == "event":
        offered = offered[1:]
    kinds = inspect.Parameter
    handler_signature = signature.replace(parameters=offered)
    positional = [p for p in parameters if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    required = [p for p in positional if p.default is kinds.empty]
    open_ended = any(p.kind is kinds.VAR_POSITIONAL for p in parameters)
    # An event with optional parameters may pass on any number between the required ones and all of them.
    sizes = [len(required)] if open_ended else range(len(required), len(positional) + 1)
    for size in sizes:
        try:
            handler_signature.bind(*[None] * size)
        except TypeError as error:
            if open_ended and size == 0:
                return None
            return f"{error}; {event_class.__name__}{inspect.signature(event_class)} fires {size} argument(s)"
    return None
