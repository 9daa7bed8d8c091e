"""Events: messages with arguments, carried to the handlers whose name and channel match.

    Event ── fire ──▶ queue ── deliver ──▶ handlers ── results ──▶ event.value

Rule 1: what an event asks for (`success`, `complete`, …) is one bit each of one int, so that an event that asks for
nothing pays a single test on its way through the kernel.
Rule 2: an event owns its results; a `Value` is only a view of them. No reference leads from the results back to the
event, so finished events are freed at once and never become work for the garbage collector.
Rule 3: `cause` leads from an event to the one whose handler fired it; the chain is cut after `MAX_CAUSES` events, so
that two events that fire each other for ever do not fill the memory.
"""

from __future__ import annotations

from functools import lru_cache

from ._flags import (
    ALERT_DONE,
    CANCELLED,
    COMPLETE,
    FAILURE,
    HAS_RESULT,
    NOTIFY,
    PER_FIRING,
    STOPPED,
    SUCCESS,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

    from ._tracking import Scope
    from ._waiting import Waiter
    from .manager import Manager
    from .values import Value

__all__ = [
    "MAX_CHILD_CLASSES",
    "MAX_NAMED_CLASSES",
    "Event",
    "EventType",
    "bridge_lost",
    "exception",
    "generate_events",
    "ipc",
    "prepare_unregister",
    "ready",
    "registered",
    "signal",
    "started",
    "stopped",
    "task",
    "unregistered",
]

#: Classes made from a name are kept; names may come from outside, so their number is limited.
MAX_NAMED_CLASSES = 1024
#: The kernel tells four things about an event; users may add some of their own.
MAX_CHILD_CLASSES = 16


class _Flag:
    """A yes-or-no wish that lives as one bit in the event's (or the event class's) flags."""

    __slots__ = ("bit", "name")

    def __init__(self, name: str, bit: int) -> None:
        self.name = name
        self.bit = bit

    def __get__(self, event: Event | None, owner: EventType) -> Any:
        if event is None:
            return owner.declared(self.name)
        if self.bit == NOTIFY and event._flags & NOTIFY:
            return event.__dict__.get("_notify", type(event).declared("notify") or True)
        return bool(event._flags & self.bit)

    def __set__(self, event: Event, wanted: Any) -> None:
        if self.bit == NOTIFY:
            event.__dict__["_notify"] = wanted
        event._flags = event._flags | self.bit if wanted else event._flags & ~self.bit


_FLAGS = {
    name: _Flag(name, bit)
    for name, bit in {
        "success": SUCCESS,
        "failure": FAILURE,
        "complete": COMPLETE,
        "notify": NOTIFY,
        "alert_done": ALERT_DONE,
    }.items()
}


class _Told:
    """Something that the kernel tells of an event, under a name that users may give to an attribute of their own."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[Event], Any]) -> None:
        self._tell = tell

    def __get__(self, event: Event | None, owner: EventType) -> Any:
        return self if event is None else self._tell(event)


class EventType(type):
    """Metaclass of events: names the class and turns declared flags into bits."""

    name: str
    _declared: dict[str, Any]
    _defaults: int
    #: The classes of the events that tell about one of this class, by suffix.
    _children: dict[str, Any]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> EventType:  # noqa: D102
        # A copy: the caller's dictionary stays as it is.
        namespace = dict(namespace)
        declared = {flag: namespace.pop(flag) for flag in _FLAGS if bases and flag in namespace}
        namespace.setdefault("name", name)
        cls = super().__new__(mcs, name, bases, namespace)
        cls._declared = declared
        cls._children = {}
        cls._recompute()
        return cls

    def __setattr__(cls, name: str, value: Any) -> None:
        if name in _FLAGS:
            cls._declared[name] = value
            cls._recompute()
        else:
            super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        if name in cls._declared:
            del cls._declared[name]
            cls._recompute()
        else:
            super().__delattr__(name)

    def declared(cls, flag: str) -> Any:
        """Give what the class, or the nearest base that says anything, declares for *flag*."""
        for base in cls.__mro__:
            if flag in base.__dict__.get("_declared", ()):
                return base.__dict__["_declared"][flag]
        return False

    def _recompute(cls) -> None:
        cls._defaults = sum(flag.bit for flag in _FLAGS.values() if cls.declared(flag.name))
        subclasses: list[Any] = type.__subclasses__(cls)
        for subclass in subclasses:
            subclass._recompute()


class Event(metaclass=EventType):
    """A message that is delivered to every handler of its name on its channels.

    Positional and keyword arguments go to the handlers as they are. A subclass names the event; its class attributes
    say what the event asks for.

    Attributes:
        name: what handlers are matched with; the name of the class unless set otherwise.
        args: positional arguments, a tuple.
        kwargs: keyword arguments.
        channels: preset channels, replaced by the real ones when the event is fired.
        cause: the event whose handler fired this one, or None.
        source: the handler that fired this one, or None.
        parent: the event that this one tells about (`x` for `x_success`), or None.
        success: fire `<name>_success(event, value)` once all handlers have succeeded.
        failure: fire `<name>_failure(event, error)` when a handler has raised.
        complete: fire `<name>_complete(event, value)` once everything the event caused has been processed.
        notify: fire `<name>_value_changed(value)` (or the event named here) to the firing component on every result.
        alert_done: fire the private `<name>_done` once all handlers have ended.
        waitingHandlers: how many generator and coroutine handlers are still suspended.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_cause",
        "_depth",
        "_flags",
        "_kwargs",
        "_manager",
        "_outers",
        "_scope",
        "_source",
        "_value",
        "_waiters",
        "args",
    )

    name: str
    args: tuple[Any, ...]
    channels: tuple[Any, ...] = ()
    #: Where the events about this one go, instead of to its own channels.
    success_channels: tuple[Any, ...] | None = None
    failure_channels: tuple[Any, ...] | None = None
    complete_channels: tuple[Any, ...] | None = None
    parent: Event | None = None
    waitingHandlers: int = 0  # noqa: N815 - documented name

    _flags: int
    _cause: Event | None
    _source: Callable[..., Any] | None
    _kwargs: dict[str, Any] | None
    _depth: int
    _manager: Manager | None
    _value: Any
    _scope: Scope | None
    _outers: list[Event]
    _waiters: list[Waiter]
    _defaults: int

    if TYPE_CHECKING:
        success: bool
        failure: bool
        complete: bool
        notify: bool | str
        alert_done: bool
        cause: Event | None
        source: Callable[..., Any] | None
    else:
        success = _FLAGS["success"]
        failure = _FLAGS["failure"]
        complete = _FLAGS["complete"]
        notify = _FLAGS["notify"]
        alert_done = _FLAGS["alert_done"]
        cause = _Told(lambda event: event._cause)
        source = _Told(lambda event: getattr(event, "_source", None))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        # Most events have none; a dictionary kept for each would be work for the garbage collector.
        self._kwargs = kwargs or None
        self._flags = self._defaults
        self._value = None
        self._manager = None
        self._cause = None
        self._depth = 0

    @classmethod
    def create(cls, _name: str, *args: Any, **kwargs: Any) -> Event:
        """Make an event named *_name* without writing a class for it."""
        event: Event = _named_class(cls, _name)(*args, **kwargs)
        return event

    def child(self, name: str, *args: Any, **kwargs: Any) -> Event:
        """Make the event `<name of this one>_<name>` that refers to this one as its parent.

        It inherits none of the flags: a child tells about its parent and asks for nothing itself.
        """
        cls = type(self)
        made = cls._children.get(name) if self.name is cls.name else None
        if made is None:
            made = _named_class(Event, f"{self.name}_{name}")
            if self.name is cls.name and len(cls._children) < MAX_CHILD_CLASSES:
                cls._children[name] = made
        event: Event = made(*args, **kwargs) if kwargs else made(*args)
        event.parent = self
        return event

    def stop(self) -> None:
        """Keep the remaining handlers from seeing the event."""
        self._flags |= STOPPED

    def cancel(self) -> None:
        """Keep the event from being processed, if it is still queued."""
        self._flags |= CANCELLED

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments that the handlers are given."""
        if self._kwargs is None:
            self._kwargs = {}
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs: dict[str, Any]) -> None:
        self._kwargs = kwargs

    @property
    def stopped(self) -> bool:
        """Whether a handler has stopped the event."""
        return bool(self._flags & STOPPED)

    @property
    def cancelled(self) -> bool:
        """Whether the event has been cancelled."""
        return bool(self._flags & CANCELLED)

    @property
    def value(self) -> Value | None:
        """The results of the handlers; None before the event is fired."""
        return None if self._manager is None else self._results()

    @value.setter
    def value(self, result: Any) -> None:
        self._value = result
        self._flags |= HAS_RESULT

    def _announce(self, manager: Manager) -> None:
        """Tell *manager*, which has fired this event, about a result; built-in events may have a shorter way."""
        notify = self.notify
        name = notify if isinstance(notify, str) else f"{self.name}_value_changed"
        manager.fire(Event.create(name, self._results()), manager)

    def _results(self) -> Value:
        return _view[0](self)

    def causes(self) -> Iterator[Event]:
        """Walk from the event that caused this one back to the first that is remembered."""
        event = self._cause
        while event is not None:
            yield event
            event = event._cause

    def __getitem__(self, x: int | str) -> Any:
        """Give the positional argument number *x*, or the keyword argument named *x*."""
        return self.kwargs[x] if isinstance(x, str) else self.args[x]

    def __setitem__(self, x: int | str, value: Any) -> None:
        if isinstance(x, str):
            self.kwargs[x] = value
        else:
            args = list(self.args)
            args[x] = value
            self.args = tuple(args)

    def __repr__(self) -> str:
        channels = ",".join(str(channel) for channel in self.channels)
        args = ", ".join(repr(arg) for arg in self.args)
        kwargs = ", ".join(f"{name}={value!r}" for name, value in self.kwargs.items())
        return f"<{self.name}[{channels}] ({args} {kwargs})>"

    def __getstate__(self) -> dict[str, Any]:
        """Give what another process needs: arguments, wishes and attributes, nothing of this process's kernel."""
        attributes = {name: value for name, value in self.__dict__.items() if name != "waitingHandlers"}
        # Components stay here; what an event was fired to by name, it can be fired to there.
        attributes["channels"] = tuple(channel for channel in self.channels if isinstance(channel, str))
        return {**attributes, "args": self.args, "kwargs": self.kwargs, "_flags": self._flags & ~PER_FIRING}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Event.__init__(self)
        for name, value in state.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[Any, ...]:
        cls = type(self)
        if "_made_from" in cls.__dict__:
            return _blank_named, cls.__dict__["_made_from"], self.__getstate__()
        return _blank, (cls,), self.__getstate__()


#: Makes the Value of an event; `values` puts it here, so that the two modules need no circle.
_view: list[Callable[[Event], Value]] = []


@lru_cache(maxsize=MAX_NAMED_CLASSES)
def _named_class(base: EventType, name: str) -> Any:
    return EventType(str(name), (base,), {"_made_from": (base, name), "__module__": base.__module__})


def _blank(cls: type[Event]) -> Event:
    return cls.__new__(cls)


def _blank_named(base: EventType, name: str) -> Event:
    return _blank(_named_class(base, name))


class exception(Event):
    """Tell that a handler has raised anything but SystemExit or KeyboardInterrupt.

    Fired by the kernel on every channel.

    Args:
        type: the class of the error.
        value: the error itself.
        traceback: lines of text, or a traceback that is turned into them.
        handler: the handler that raised.
        fevent: the event that was being handled.
    """

    def __init__(
        self,
        type: Any,  # noqa: A002 - documented name
        value: Any,
        traceback: Any,
        handler: Any = None,
        fevent: Any = None,
    ) -> None:
        super().__init__(type, value, self.format_traceback(traceback), handler=handler, fevent=fevent)

    def format_traceback(self, traceback: Any) -> list[str]:
        """Turn a traceback into lines of text; lines of text stay as they are."""
        if traceback is None or isinstance(traceback, list):
            return traceback or []
        # Imported on the first error: it costs more to load than the rest of the kernel together.
        from traceback import format_tb

        return format_tb(traceback)


class started(Event):
    """Tell that *manager* has begun to run. Fired on its channel."""

    def __init__(self, manager: Manager) -> None:
        super().__init__(manager)


class stopped(Event):
    """Tell that *manager* has been asked to stop and ends once its queue is empty. Fired on its channel."""

    def __init__(self, manager: Manager) -> None:
        super().__init__(manager)


class signal(Event):
    """Tell that the process has received a signal. Fired by a running manager for INT and TERM.

    A handler that stops the event keeps the manager running.

    Args:
        signo: the number of the signal.
        stack: the interrupted frame.
    """

    def __init__(self, signo: int, stack: FrameType | None) -> None:
        super().__init__(signo, stack)


class registered(Event):
    """Tell that *component* is now a child of *manager*. Fired on the component's channel."""

    def __init__(self, component: Any, manager: Manager) -> None:
        super().__init__(component, manager)


class unregistered(Event):
    """Tell the tree it has left that a component, first argument, is no longer a child of the second."""


class prepare_unregister(Event):
    """Tell that a component, the first argument, is about to leave its tree together with its subtree.

    Components that hold references to it, or that leave with it, react to this event; the component is detached once
    everything that the reactions caused has been processed.
    """

    complete = True

    def in_subtree(self, component: Manager) -> bool:
        """Tell whether *component* is in the subtree that leaves."""
        leaving, node = self.args[0], component
        while node is not leaving:
            parent = getattr(node, "parent", node)
            if parent is node:
                return False
            node = parent
        return True


class generate_events(Event):
    """Ask sources for events, once in each turn of a running manager. Fired on every channel.

    A handler fires what it has; it then stops the event, or tells with `reduce_time_left` how long the manager may
    sleep before it must be asked again.

    Args:
        lock: guards the time left.
        max_wait: seconds that the manager would sleep otherwise; negative means without a limit.
    """

    def __init__(self, lock: Any, max_wait: float) -> None:
        super().__init__()
        self._lock = lock
        self._time_left = max_wait

    @property
    def lock(self) -> Any:
        """The lock that guards the time left."""
        return self._lock

    @property
    def time_left(self) -> float:
        """Seconds that the manager may sleep; negative means without a limit."""
        return self._time_left

    def reduce_time_left(self, time_left: float) -> None:
        """Lower the time that the manager may sleep to *time_left* seconds; a larger number changes nothing.

        With 0 a manager that sleeps already is woken.
        """
        with self._lock:
            if time_left >= 0 and (self._time_left < 0 or time_left < self._time_left):
                self._time_left = time_left
                if time_left == 0 and self._manager is not None:
                    self._manager._evtree.wake()


class task(Event):
    """Ask a `Worker` to call *f* in its pool. Fired by whoever wants that, on the channel of the worker.

    The value is what the function returns; `task_success` or `task_failure` follows.

    Args:
        f: the function.
        args: positional arguments for it.
        kwargs: keyword arguments for it.
    """

    success = True
    failure = True

    def __init__(self, f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(f, *args, **kwargs)


class ipc(Event):
    """Ask a `Bridge` to have *event* handled in the process at its other end. The value is the one of *event*.

    It goes to every bridge of the tree, unless it is fired to the channel of one, or to the bridge itself.

    Args:
        event: what to fire there.
        channel: where to fire it there; else the event's own channels, else every one.
    """

    def __init__(self, event: Event, channel: Any = None) -> None:
        super().__init__(event, channel)


class ready(Event):
    """Tell that *component*, the first argument, can be used. Fired by a `Bridge`, on its channel, for both ends."""

    def __init__(self, component: Any, *args: Any) -> None:
        super().__init__(component, *args)


class bridge_lost(Event):
    """Tell that the other end of a bridge is gone, whether it has said so or not. Fired by the bridge on its channel.

    Args:
        bridge: the bridge, which is of no use any more.
        reason: what is known about it, in words.
    """

    def __init__(self, bridge: Any, reason: str) -> None:
        super().__init__(bridge, reason)
