"""What a class or a method says about its handlers, and the channel of a component."""

from __future__ import annotations

from ._signature import place_of, wants_event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["ANY", "OWN", "Channel", "HandlerSpec", "bound_spec", "channel_attributes", "check_fit"]

#: The name under which handlers are kept that are called for every event.
ANY = "*"


class _Own:
    """The channel of a handler that is called only for events fired to its very component."""


OWN = _Own()


class Channel:
    """The attribute `channel` of managers: kept ready as a tuple, and followed by the plans when it changes."""

    def __get__(self, manager: Any, owner: Any) -> Any:
        return (owner if manager is None else manager)._evchannel

    def __set__(self, manager: Any, channel: Any) -> None:
        for name, value in channel_attributes(channel).items():
            setattr(manager, name, value)
        # A subclass may set its channel before it calls the constructor of its base.
        if hasattr(manager, "_evtree"):
            manager._evtree.plans.forget(manager, manager._handlers)


def channel_attributes(channel: Any) -> dict[str, Any]:
    """Give the attributes that hold a channel; no channel at all means every one."""
    return {"_evchannel": channel, "_evchannels": (ANY if channel is None else channel,)}


class HandlerSpec:
    """What a class says about one of its handlers."""

    # No dataclass: that module alone takes longer to import than the whole kernel.
    __slots__ = ("channel", "function", "names", "priority", "wants_event")

    def __init__(
        self, function: Callable[..., Any], names: tuple[str, ...], channel: Any, priority: float, wants_event: bool
    ) -> None:
        self.function = function
        self.names = names
        self.channel = channel
        self.priority = priority
        self.wants_event = wants_event


def check_fit(cls: type, function: Any) -> None:
    """Refuse a handler that cannot take what the events carry that it is for.

    Raises:
        TypeError: naming the handler and the event.
    """
    if not function.event_classes:
        return
    from ._carried import misfit  # late: see there

    for event_class in function.event_classes:
        problem = misfit(function, event_class)
        if problem is not None:
            name = getattr(function, "__qualname__", function)
            raise TypeError(
                f"{cls.__name__}: the handler {name} cannot take the event {event_class.__qualname__}: {problem}\n"
                f"  {place_of(function)}"
            )


def bound_spec(method: Any) -> HandlerSpec:
    """Read the marks of a bound method; a method without marks handles the event of its own name."""
    function = getattr(method, "__func__", method)
    if not getattr(function, "handler", False):
        return HandlerSpec(function, (function.__name__,), None, 0, wants_event(function, bound=True))
    check_fit(type(getattr(method, "__self__", None)), function)
    return HandlerSpec(function, function.names, function.channel, function.priority, wants_event(function, bound=True))
