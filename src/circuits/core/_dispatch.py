"""Deliver one event to its handlers, in the order of the plan.

    queue ──▶ deliver() ──▶ handler ──▶ result, task or coroutine ──▶ _tracking, when somebody cares

Rule 1: nothing here touches the queue; what handlers fire is queued by `fire`.
Rule 2: an error of a handler never escapes; it is recorded and the next handler is called.
Rule 3: the plan is taken before the first call; a change of the tree counts from the next event on.
"""

from __future__ import annotations

from types import AsyncGeneratorType, CoroutineType, GeneratorType

from ._flags import CANCELLED, DONE, STOPPED, TO_SETTLE
from ._tasks import start_generator
from ._tracking import drop, fail, settle
from ._waiting import wake_named
from .values import _store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ._tree import Tree
    from .events import Event

__all__ = ["deliver"]


def deliver(tree: Tree, event: Event, channels: tuple[Any, ...]) -> None:  # noqa: C901 - the kernel's hottest loop
    """Call the handlers of *event* on *channels* in *tree*."""
    if event._flags & CANCELLED:
        drop(tree, event)
        return
    try:
        plan = tree.planned[event.name][channels]
    except (KeyError, TypeError):
        plan = tree.plans.find(event.name, channels)
    previous = tree.current
    tree.current = event
    for method, wants_event in plan:
        tree.handler = method
        kwargs = event._kwargs
        try:
            if kwargs:
                result = method(event, *event.args, **kwargs) if wants_event else method(*event.args, **kwargs)
            elif wants_event:
                result = method(event, *event.args)
            else:
                result = method(*event.args)
            if result is not None:
                _take(tree, event, method, result)
        except BaseException as error:  # noqa: BLE001 - user code: reported as an `exception` event
            fail(tree, event, method, error)
        if event._flags & STOPPED:
            break
    tree.current = previous
    flags = event._flags
    if flags & TO_SETTLE:
        settle(tree, event)
    else:
        event._flags = flags | DONE
        if tree.waiters:
            wake_named(tree, event)


def _take(tree: Tree, event: Event, method: Callable[..., Any], result: Any) -> None:
    """Store what a handler has returned, or start what it has returned to be run."""
    kind = type(result)
    if kind is GeneratorType:
        start_generator(tree, event, method, result)
    elif kind is CoroutineType or kind is AsyncGeneratorType:
        # Loaded with the first coroutine: it brings asyncio with it.
        from ._coroutines import start_coroutine

        start_coroutine(tree, event, method, result)
    else:
        _store(event, result)
