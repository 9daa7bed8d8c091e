"""Keep count of who still owes what: done, success, failure, complete.

    fire ─▶ enter ─▶ … handlers … ─▶ settle ─▶ done ─▶ waiters, X_done, X_success
                          │             ▲                       │
                          │             └─ the last suspended   ▼
                          └─ fail ─▶ X_failure, exception     leave ─▶ X_complete, once nothing of the scope is pending

Rule 1: a plain event (no flag, nobody waiting) never gets here.
Rule 2: a scope counts the events that one `complete` event has caused, directly or not, and is left once by each,
whatever happens to it: handled, failed, cancelled or dropped.
Rule 3: a failure suppresses success and nothing else.
"""

from __future__ import annotations

from _thread import get_ident

from ._flags import (
    ALERT_DONE,
    CANCELLED,
    COMPLETE,
    CUT,
    DONE,
    FAILURE,
    HAS_ERRORS,
    MAX_CAUSES,
    PER_FIRING,
    SCOPED,
    SUCCESS,
    SUSPENDED,
    WATCHED,
)
from ._story import lines_of, print_error
from ._waiting import wake_named
from .events import Event, exception
from .values import Value, _inform, _store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._tree import Tree
    from .manager import Manager

__all__ = ["Scope", "drop", "enqueue", "enter", "fail", "resume", "settle", "stop_root", "suspend"]


class Scope:
    """Everything that an event with the `complete` flag has caused and that is not yet processed."""

    __slots__ = ("event", "parent", "pending")

    event: Event
    parent: Scope | None
    pending: int


_new_scope = Scope.__new__


def enter(tree: Tree, event: Event) -> None:
    """Prepare an event that asks for something, or that a handler fires, for the queue."""
    current = tree.current
    if current is None:
        if event._flags & COMPLETE:
            _join(event, None)
        return
    parent = None
    # Other threads fire while a handler runs here; what they fire is not caused by it.
    if tree.thread == get_ident():
        if event._manager is not None:
            _cut_loop(event, current)
        if current is not event:
            _remember_cause(event, current, tree.handler)
        if current._flags & SCOPED:
            parent = current._scope
    if parent is not None or event._flags & COMPLETE:
        _join(event, parent)


def enqueue(tree: Tree, manager: Manager, event: Event, channels: tuple[Any, ...], priority: float) -> None:
    """Queue an event that has a priority, or that has been fired before: the event alone does not say enough.

    Fired again while it is in flight, it stays one event, which is done when the last of its deliveries is.
    """
    in_flight = event._manager is not None and not event._flags & DONE
    if event._flags & DONE:
        _forget(event)
    enter(tree, event)
    if in_flight:
        suspend(event)
    else:
        event.channels = channels
    event._manager = manager
    tree.queue.append((event, channels, priority, in_flight))
    if priority:
        tree.prioritised = True


def _forget(event: Event) -> None:
    """Have an event that is fired once more forget what it was given the last time."""
    event._flags &= ~PER_FIRING
    event._value = None
    event._cause = None
    event._source = None
    event._depth = 0
    event.waitingHandlers = 0


def _cut_loop(event: Event, cause: Event) -> None:
    """Keep the causes of an event that is fired again, by what it has caused, from leading back to itself."""
    node = cause
    while node is not event and node._cause is not None:
        if node._cause is event:
            node._cause = None
            return
        node = node._cause


def _remember_cause(event: Event, cause: Event, handler: Callable[..., Any] | None) -> None:
    event._cause = cause
    event._source = handler
    event._depth = cause._depth + 1
    if event._depth >= 2 * MAX_CAUSES:
        _cut_causes(event)


def _cut_causes(event: Event) -> None:
    """Forget the older half of what led to *event*."""
    oldest: Event | None = event
    for _ in range(MAX_CAUSES):
        oldest = oldest._cause if oldest is not None else None
    if oldest is not None:
        oldest._cause = None
    event._depth = MAX_CAUSES


def _join(event: Event, parent: Scope | None) -> None:
    """Count *event* in the scope of what caused it; one with the `complete` flag opens its own inside that."""
    if event._flags & SCOPED:
        return
    scope = parent
    if event._flags & COMPLETE:
        # No constructor: it would take longer than all that is done here.
        scope = _new_scope(Scope)
        scope.event = event
        scope.parent = parent
        scope.pending = 1
        if parent is not None:
            parent.pending += 1
    elif scope is not None:
        scope.pending += 1
    else:
        return
    event._scope = scope
    event._flags |= SCOPED


def settle(tree: Tree, event: Event) -> None:
    """Tell about an event whose handlers have all been called; later, if some are suspended."""
    flags = event._flags
    # Done already: a handler has turned the tree, and so ended one that was suspended, before it ended itself.
    if flags & (SUSPENDED | DONE):
        return
    event._flags = flags | DONE
    scope = event._scope if flags & SCOPED else None
    if flags & (ALERT_DONE | SUCCESS) and not flags & CANCELLED:
        if flags & ALERT_DONE:
            _tell(tree, event, event.child("done", event, _result(event)), event.channels, scope)
        if flags & SUCCESS and not flags & (HAS_ERRORS | CUT):
            told = event.child("success", event, _result(event))
            _tell(tree, event, told, event.success_channels or event.channels, scope)
    if flags & WATCHED:
        waiters, event._waiters = event._waiters, []
        for waiter in waiters:
            waiter.wake(event)
    if tree.waiters and not flags & CANCELLED:
        wake_named(tree, event)
    if scope is not None:
        _leave(tree, scope)


def _leave(tree: Tree, scope: Scope | None) -> None:
    while scope is not None:
        scope.pending -= 1
        if scope.pending:
            return
        event = scope.event
        # The event and its scope would keep each other alive.
        event._flags &= ~SCOPED
        event._scope = None
        if not event._flags & CANCELLED:
            told = event.child("complete", event, _result(event))
            _tell(tree, event, told, event.complete_channels or event.channels, scope.parent)
        scope = scope.parent


def _result(event: Event) -> Any:
    """Give the value of an event; most are told of without one, or with one that is nothing but itself."""
    value = event._value
    kind = type(value)
    return Value(event).value if kind is Value or kind is list else value


def _tell(tree: Tree, event: Event, told: Event, channels: tuple[Any, ...], scope: Scope | None) -> None:
    """Fire *told*, which is about *event*, as the kernel: the event is its cause, not the handler that runs."""
    told.channels = channels
    told._manager = tree.root
    told._cause = event
    told._depth = event._depth + 1
    if told._depth >= 2 * MAX_CAUSES:
        _cut_causes(told)
    if scope is not None and not told._flags:
        # As `_join` would do for an event that asks for nothing.
        told._scope = scope
        told._flags = SCOPED
        scope.pending += 1
    elif scope is not None:
        _join(told, scope)
    tree.queue.append(told)
    if tree.idle:
        tree.wake()


def drop(tree: Tree, event: Event) -> None:
    """Settle an event that was cancelled: those who count it or wait for it go on, nobody is told."""
    settle(tree, event)


def fail(tree: Tree, event: Event, method: Any, error: BaseException) -> None:
    """Record that a handler has raised, and tell: first `X_failure`, then `exception`.

    Args:
        tree: where the event was delivered.
        event: what was being handled.
        method: the handler, or the generator that was registered by hand.
        error: what was raised.
    """
    if isinstance(error, (SystemExit, KeyboardInterrupt)):
        stop_root(tree, error)
        return
    # An error that has come from another process has its traceback with it, as lines of text.
    foreign = getattr(error, "_evtraceback", None)
    triple = (type(error), error, foreign or error.__traceback__)
    event._flags |= HAS_ERRORS
    _store(event, triple)
    scope = event._scope if event._flags & SCOPED else None
    if event._flags & FAILURE:
        told = event.child("failure", event, triple)
        _tell(tree, event, told, event.failure_channels or event.channels, scope)
    told = exception(type(error), error, lines_of(error.__traceback__, foreign), handler=method, fevent=event)
    if isinstance(event, exception):
        # A reporter of errors that fails itself would be asked to report that, and so on for ever.
        told._cause = event._cause
        print_error(told)
    else:
        _tell(tree, event, told, ("*",), scope)


def stop_root(tree: Tree, error: BaseException) -> None:
    """Stop the tree because a handler has raised SystemExit or KeyboardInterrupt."""
    runner = tree.runner
    if runner is not None and error is runner.forced:
        raise error
    tree.root.stop(error.code if isinstance(error, SystemExit) else None)


def resume(tree: Tree, event: Event) -> None:
    """Count one suspended handler of *event* as ended, and settle the event with the last of them."""
    event.waitingHandlers -= 1
    if event.waitingHandlers == 0:
        event._flags &= ~SUSPENDED
        _inform(event)
        settle(tree, event)


def suspend(event: Event) -> None:
    """Count one more suspended handler of *event*."""
    event.waitingHandlers += 1
    event._flags |= SUSPENDED
