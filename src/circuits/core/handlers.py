"""Handlers: methods that are called for events.

    @handler("read", channel="stdin", priority=1) ──▶ marks on the function ──▶ HandlerSpec, once per class

Rule 1: the decorator only leaves marks; nothing is wrapped, so a handler stays an ordinary method.
Rule 2: a class is read once. A method that redefines a base's handler is one more handler unless it says override.
"""

from __future__ import annotations

from types import FunctionType

from ._signature import wants_event
from ._specs import ANY, OWN, HandlerSpec, channel_attributes, check_fit
from .events import EventType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    F = TypeVar("F", bound="Callable[..., Any]")

__all__ = ["HandlerMetaClass", "Unknown", "handler", "reprhandler"]


def handler(*names: str | EventType | Literal[False], **kwargs: Any) -> Callable[[F], F]:
    """Mark a method as the handler of the events *names*.

    Args:
        names: names or classes of events; none at all means every event; False means that the method is no handler.
        kwargs: `channel` to listen on instead of the component's own; `priority`, the higher the earlier (0);
            `override`, true to replace the handler that a base class has under the same method name. Others are
            ignored, as old programs pass some that have lost their meaning.

    Raises:
        TypeError: when a name is neither text nor an event class.
    """

    def mark(function: F) -> F:
        target: Any = function
        if names and names[0] is False:
            target.handler = False
            return function
        target.handler = True
        target.names = tuple(_name_of(name, function) for name in names)
        target.event_classes = tuple(name for name in names if isinstance(name, EventType))
        target.priority = kwargs.get("priority", 0)
        target.channel = kwargs.get("channel")
        target.override = kwargs.get("override", False)
        target.event = wants_event(function, bound=True)
        return function

    return mark


def _name_of(name: Any, function: Any) -> str:
    if isinstance(name, str):
        return name
    if isinstance(name, EventType):
        return name.name
    raise TypeError(f"@handler of {function.__qualname__}: expected the name or the class of an event, got {name!r}")


class Unknown:
    """Stands for the owner of a handler that belongs to no component."""


def reprhandler(handler: Any) -> str:
    """Give the text form of a handler: `<handler[channel][names] (Class.method)>`."""
    owner = getattr(handler, "__self__", None)
    channel = getattr(handler, "channel", None)
    if channel is None:
        channel = getattr(owner, "channel", ANY)
    elif channel is OWN:
        channel = f"<instance of {type(owner).__name__}>"
    elif not isinstance(channel, str):
        channel = f"<instance of {type(channel).__name__}>"
    names = ",".join(getattr(handler, "names", ()))
    cls = type(owner) if owner is not None else Unknown
    return f"<handler[{channel}][{names}] ({cls.__name__}.{getattr(handler, '__name__', handler)})>"


class HandlerMetaClass(type):
    """Metaclass of components: makes public methods handlers where that is wanted, reads the handlers of a class."""

    def __new__(mcs, name: str, bases: tuple[type, ...], ns: dict[str, Any]) -> HandlerMetaClass:  # noqa: D102
        if "channel" in ns and not hasattr(ns["channel"], "__get__"):
            ns = {key: value for key, value in ns.items() if key != "channel"} | channel_attributes(ns["channel"])
        return super().__new__(mcs, name, bases, ns)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name == "channel":
            for key, attribute in channel_attributes(value).items():
                super().__setattr__(key, attribute)
        else:
            super().__setattr__(name, value)

    def __init__(cls, name: str, bases: tuple[type, ...], ns: dict[str, Any]) -> None:
        super().__init__(name, bases, ns)
        # A base says `_implicit_handlers = True` and leaves its own methods alone: they are the API of components.
        if any(getattr(base, "_implicit_handlers", False) for base in bases):
            for key, value in ns.items():
                # `init` is the second stage of the constructor, and no answer to an event of that name.
                public = not key.startswith("_") and key != "init"
                if public and type(value) is FunctionType and not hasattr(value, "handler"):
                    handler(key)(value)

    def handler_specs(cls) -> tuple[HandlerSpec, ...]:
        """Give the handlers of the class, those of the most derived class first.

        Raises:
            TypeError: when a handler named with an event class cannot take that event's arguments.
        """
        found = cls.__dict__.get("_handler_specs")
        if found is None:
            found = tuple(_collect(cls))
            cls._handler_specs = found
        return found

    _handler_specs: tuple[HandlerSpec, ...]


def _collect(cls: type) -> list[HandlerSpec]:
    specs: list[HandlerSpec] = []
    seen: set[Callable[..., Any]] = set()
    overridden: set[str] = set()
    for base in cls.__mro__:
        for key, function in base.__dict__.items():
            # A second name for the same function does not make a second handler.
            if not getattr(function, "handler", False) or key in overridden or function in seen:
                continue
            seen.add(function)
            specs.append(_spec(cls, function))
        overridden.update(key for key, value in base.__dict__.items() if getattr(value, "override", False))
    return specs


def _spec(cls: type, function: Any) -> HandlerSpec:
    check_fit(cls, function)
    return HandlerSpec(function, function.names, function.channel, function.priority, function.event)
