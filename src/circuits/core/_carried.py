"""What do the events of a class carry, and can a handler take it?

    class greet(Event):
        def __init__(self, name, loudly=False):
            super().__init__(name, loud=loudly)      ──▶ one positional argument, and `loud`

The constructor decides what goes to the handlers; what it is given need not be what it passes on. So its
source is read.

Rule 1: only what is certain counts. Where the source cannot be had, or leaves open what is carried, every handler fits.
Rule 2: loaded when a handler names an event class, and not before: it needs modules that cost more than the kernel.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from inspect import Parameter
from typing import TYPE_CHECKING, Any, NamedTuple

from .events import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from .events import EventType

__all__ = ["misfit"]


class Carried(NamedTuple):
    """What an event carries, as far as its constructor says."""

    #: How many positional arguments, or how many at the least.
    positional: int
    names: frozenset[str]
    more_positional: bool
    more_names: bool
    #: Whether it goes to the next constructor in line, and not to one that is named.
    is_super: bool
    #: As it is written in the constructor.
    text: str


def misfit(function: Callable[..., Any], event_class: EventType) -> str | None:
    """Tell why a handler cannot take what the events of a class carry; None when it can, or may.

    Args:
        function: the plain function of the handler, `self` first.
        event_class: the class named in `@handler(event_class)`.
    """
    signature = inspect.Signature(_after_self(function))
    owners = [cls for cls in event_class.__mro__ if "__init__" in cls.__dict__]
    problems = [_problem(signature, carried) for carried in _carried_by(owners)]
    if not problems or None in problems:
        return None
    return f"it takes {signature}, the event carries {problems[0]}"


def _after_self(function: Callable[..., Any]) -> list[Parameter]:
    """Give the parameters that are left for the arguments of an event, without their types."""
    parameters = [one.replace(annotation=Parameter.empty) for one in inspect.signature(function).parameters.values()]
    for name in (None, "event"):
        first = parameters[0] if parameters else None
        if first is None or first.kind not in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD):
            break
        if name is None or first.name == name:
            del parameters[0]
    return parameters


def _problem(signature: inspect.Signature, carried: Carried) -> str | None:
    """Tell why a call with what is carried fails; None when there is one that does not."""
    parameters = list(signature.parameters.values())
    limit = max(carried.positional, len(parameters)) if carried.more_positional else carried.positional
    problem = None
    for count in range(carried.positional, limit + 1):
        names = set(carried.names)
        if carried.more_names:
            names.update(one.name for one in parameters[count:] if one.kind is Parameter.POSITIONAL_OR_KEYWORD)
            names.update(one.name for one in parameters if one.kind is Parameter.KEYWORD_ONLY)
        try:
            signature.bind(*[None] * count, **dict.fromkeys(names))
        except TypeError as error:
            problem = problem or f"{carried.text}: {error}"
        else:
            return None
    return problem


def _carried_by(owners: list[type]) -> list[Carried]:
    """Give what the first of some constructors may make an event carry; nothing when that is not certain.

    Args:
        owners: the classes that have a constructor, each followed by the one that its `super()` leads to.
    """
    if owners[0] is Event:
        return []
    calls = _calls(owners[0].__dict__["__init__"])
    if owners[1] is Event or not calls:
        return calls
    # What a base passes on is its own affair, and known when it is always the same.
    inner = _carried_by(owners[1:])
    is_open = any(carried.more_positional or carried.more_names for carried in inner)
    return [] if is_open or not all(call.is_super for call in calls) else inner


def _calls(constructor: Any) -> list[Carried]:
    """Give what a constructor passes on to the next, for each place where it may do so."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(constructor)))
    except (OSError, TypeError, SyntaxError):
        # Typed in by hand, made by a program, compiled: the source is not there.
        return []
    nodes = list(ast.walk(tree))
    if any(isinstance(node, ast.Attribute) and node.attr in ("args", "kwargs") for node in nodes):
        # It does not leave it at what it passes on.
        return []
    return [
        _read(node, node.func.value)
        for node in nodes
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "__init__"
    ]


def _read(call: ast.Call, target: ast.expr) -> Carried:
    is_super = isinstance(target, ast.Call)
    # Event.__init__(self, …)
    args = call.args if is_super else call.args[1:]
    texts = [*map(ast.unparse, args), *map(ast.unparse, call.keywords)]
    return Carried(
        positional=sum(not isinstance(arg, ast.Starred) for arg in args),
        names=frozenset(keyword.arg for keyword in call.keywords if keyword.arg is not None),
        more_positional=any(isinstance(arg, ast.Starred) for arg in args),
        more_names=any(keyword.arg is None for keyword in call.keywords),
        is_super=is_super,
        text=f"({', '.join(texts)})",
    )
