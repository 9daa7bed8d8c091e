"""Values: results that arrive later.

    fire(event) ──▶ Value ──▶ result, errors, value …      (a view: the event owns the results)

Rule 1: None is no result. The first result stands alone, a second one makes a list of them.
Rule 2: a result that is itself a Value is seen through: the reader gets what it resolves to.
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
        inner = self.event._value
        return inner.result if type(inner) is Value else bool(self.event._flags & HAS_RESULT)

    @property
    def errors(self) -> bool:
        """Whether a handler has raised."""
        inner = self.event._value
        return bool(self.event._flags & HAS_ERRORS) or (type(inner) is Value and inner.errors)

    @errors.setter
    def errors(self, errors: bool) -> None:
        self.event._flags = self.event._flags | HAS_ERRORS if errors else self.event._flags & ~HAS_ERRORS

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
        value = self.event._value
        if not recursive:
            return value
        if type(value) is Value:
            return value.getValue()
        if type(value) is list and any(type(item) is Value for item in value):
            return [item.getValue() if type(item) is Value else item for item in value]
        return value

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
        # The outer event announces what the inner one is given later; it is no part of what the inner one caused.
        result.event.__dict__.setdefault("_inside", []).append(event)
        result.event._flags |= INSIDE
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
    if event._flags & SUSPENDED and not force:
        return
    inner = event._value
    if type(inner) is Value and not inner.result:
        return
    manager = event._manager
    if event._flags & NOTIFY and manager is not None:
        event._announce(manager)
    if event._flags & INSIDE:
        for outer in event.__dict__["_inside"]:
            _inform(outer)


events._view.append(Value)
