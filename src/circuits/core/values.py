"""Values: results that arrive later.

    fire(event) ──▶ Value ──▶ result, errors, value …      (a view: the event owns the results)

Rule 1: None is no result. The first result stands alone, a second one makes a list of them.
Rule 2: a result that is itself a Value is seen through: the reader gets what it resolves to. A Value that leads back to
itself resolves to None.
Rule 3: events may be nested as deep as memory allows, so nothing here calls itself.
"""

from __future__ import annotations

from . import events
from ._flags import DONE, HAS_ERRORS, HAS_RESULT, INSIDE, NOTIFY, SUSPENDED
from .events import Event

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from .manager import Manager

__all__ = ["Value"]


class Value:
    """The result, or results, of handling one event; `await` it for the final result.

    Args:
        event: the event whose results to show; without one the value stands for itself.
        manager: the component that is told of changes.
    """

    __slots__ = ("event",)

    event: Event

    def __init__(self, event: Event | None = None, manager: Manager | None = None) -> None:
        self.event = Event() if event is None else event
        if manager is not None:
            self.event._manager = manager

    @property
    def manager(self) -> Manager | None:
        """The component that fired the event and that is told of changes."""
        return self.event._manager

    @manager.setter
    def manager(self, manager: Manager | None) -> None:
        self.event._manager = manager

    @property
    def result(self) -> bool:
        """Whether there is a result yet."""
        return _has_result(self.event)

    @property
    def errors(self) -> bool:
        """Whether a handler has raised, nested values included."""
        return any(event._flags & HAS_ERRORS for event in _with_nested(self.event))

    @errors.setter
    def errors(self, errors: bool) -> None:
        self.event._flags = self.event._flags | HAS_ERRORS if errors else self.event._flags & ~HAS_ERRORS

    def events(self) -> Iterator[Event]:
        """Walk over the event and all events whose values are among its results, or among theirs."""
        return _with_nested(self.event)

    @property
    def done(self) -> bool:
        """Whether all handlers have ended, suspended ones included."""
        return bool(self.event._flags & DONE)

    @property
    def notify(self) -> bool | str:
        """True, or the name of an event, to have changes announced to the component that fired."""
        return self.event.notify

    @notify.setter
    def notify(self, notify: bool | str) -> None:
        self.event.notify = notify

    @property
    def value(self) -> Any:
        """The result, the list of results, or None; nested values resolved."""
        return self.getValue()

    @value.setter
    def value(self, value: Any) -> None:
        self.setValue(value)

    def getValue(self, recursive: bool = True) -> Any:
        """Give the result, the list of results, or None.

        Args:
            recursive: see through results that are values themselves.
        """
        return _resolved(self.event) if recursive else self.event._value

    def setValue(self, value: Any) -> None:
        """Store a result; from the second on results form a list."""
        _store(self.event, value)

    def inform(self, force: bool = False) -> None:
        """Announce a change, if that is wanted and the handlers have ended.

        Args:
            force: announce also while a handler is suspended.
        """
        _inform(self.event, force)

    def __await__(self) -> Generator[Any, Any, Any]:
        # Loaded with the first coroutine: it brings asyncio with it.
        from ._awaits import wait_until_done

        return wait_until_done(self.event).__await__()

    def __contains__(self, item: Any) -> bool:
        value = self.value
        return bool(item in value) if isinstance(value, (list, tuple, str, bytes, dict, set)) else bool(item == value)

    def __getitem__(self, index: Any) -> Any:
        return self.value[index]

    def __iter__(self) -> Iterator[Any]:
        value = self.value
        if value is None:
            return iter(())
        return iter(value if isinstance(value, list) else [value])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and other.event is self.event

    def __hash__(self) -> int:
        return hash(id(self.event))

    def __str__(self) -> str:
        return str(self.value)

    def __repr__(self) -> str:
        shown = repr(self.value) if self.result else ""
        return f"<Value ({shown}) result={self.result}; errors={self.errors}; for {self.event!r}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self.event, self.value, self.event._flags & (HAS_RESULT | HAS_ERRORS | DONE))


def _restore(event: Event, value: Any, flags: int) -> Value:
    event._value = value
    event._flags |= flags
    return Value(event)


def _store(event: Event, result: Any) -> None:
    """Add *result* to the results of *event* and announce it where that is wanted."""
    if type(result) is Value:
        _enclose(result.event, event)
    if not event._flags & HAS_RESULT:
        event._value = result
        event._flags |= HAS_RESULT
    elif type(event._value) is list:
        event._value.append(result)
    else:
        event._value = [event._value, result]
    if event._flags & (NOTIFY | INSIDE):
        _inform(event)


def _inform(event: Event, force: bool = False) -> None:
    """Announce the results of *event*, and of the events whose results they are part of, where that is wanted."""
    flags, manager = event._flags, event._manager
    if not flags & INSIDE and type(event._value) is not Value:
        # Nothing is nested, as in nearly all events: no walk is needed.
        if flags & NOTIFY and flags & HAS_RESULT and (force or not flags & SUSPENDED) and manager is not None:
            event._announce(manager)
        return
    if not _has_result(event):
        return
    # What has a result gives one to all it is part of.
    waiting = [event]
    seen = set()
    while waiting:
        event = waiting.pop()
        flags = event._flags
        if id(event) in seen or (flags & SUSPENDED and not force):
            continue
        seen.add(id(event))
        manager = event._manager
        if flags & NOTIFY and manager is not None:
            event._announce(manager)
        if flags & INSIDE:
            waiting += event._outers
        force = False


def _enclose(inner: Event, outer: Event) -> None:
    """Have the outer event announce what the inner one is given later."""
    if inner._flags & INSIDE:
        inner._outers.append(outer)
    else:
        inner._flags |= INSIDE
        inner._outers = [outer]


def _inner_events(event: Event) -> list[Event]:
    """Give the events whose values are results of *event*."""
    value = event._value
    if type(value) is Value:
        return [value.event]
    if type(value) is list:
        return [item.event for item in value if type(item) is Value]
    return []


def _with_nested(event: Event) -> Iterator[Event]:
    """Walk over *event* and all whose values are among its results, or among theirs."""
    waiting = [event]
    seen = set()
    while waiting:
        event = waiting.pop()
        if id(event) not in seen:
            seen.add(id(event))
            yield event
            waiting += reversed(_inner_events(event))


def _end_of_chain(event: Event) -> Event | None:
    """Follow the Values that are the only result; None when they lead back to where they began."""
    seen = set()
    while type(event._value) is Value:
        seen.add(id(event))
        event = event._value.event
        if id(event) in seen:
            return None
    return event


def _has_result(event: Event) -> bool:
    end = _end_of_chain(event)
    return end is not None and bool(end._flags & HAS_RESULT)


def _resolved(event: Event) -> Any:
    """Give what the results of *event* come to once nested values are seen through."""
    kind = type(event._value)
    if kind is not Value and kind is not list:
        return event._value
    copies: dict[int, list[Any]] = {}
    waiting: list[Event] = []
    resolved = _seen_through(event, copies, waiting)
    while waiting:
        event = waiting.pop()
        copies[id(event)] += [
            _seen_through(item.event, copies, waiting) if type(item) is Value else item for item in event._value
        ]
    return resolved


def _seen_through(event: Event, copies: dict[int, list[Any]], waiting: list[Event]) -> Any:
    """Give the results of *event*, or a list that takes them once those nested in them are known."""
    end = _end_of_chain(event)
    if end is None or not _inner_events(end):
        return None if end is None else end._value
    if id(end) not in copies:
        copies[id(end)] = []
        waiting.append(end)
    return copies[id(end)]


events._view.append(Value)
