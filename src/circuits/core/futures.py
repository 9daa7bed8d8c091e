"""Handlers that run in a thread: the tree goes on, the result arrives later.

    @future ─▶ handler ─▶ thread, or a Worker ─▶ Answer ─▶ the result of the event, in the tree's own thread

Rule 1: without a pool every call has a thread of its own; no process is ever started.
Rule 2: what the function fires goes where the component fires; `fire` is safe in every thread.
"""

from __future__ import annotations

from functools import partial, wraps
from threading import Thread

from ._answers import Answer
from .events import task
from .manager import Manager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from .workers import Worker

__all__ = ["future"]


def future(pool: Worker | Callable[..., Any] | None = None) -> Callable[..., Any]:
    """Run a handler in a thread: `@future`, `@future()`, or `@future(worker)`.

    The event's value is what the function returns, once it has; an error is that of the handler.

    Args:
        pool: a Worker of threads that runs the function; by default each call has a thread of its own.

    Raises:
        TypeError: for a pool that is nothing of the kind.
    """
    if pool is None or isinstance(pool, Manager):
        return partial(_decorate, pool)
    if callable(pool):
        return _decorate(None, pool)
    raise TypeError(f"@future: expected a Worker, got {pool!r}")


def _decorate(pool: Manager | None, function: Callable[..., Any]) -> Callable[..., Any]:
    if pool is None:

        @wraps(function)
        def begin(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            answer = Answer()
            # A daemon: a function that hangs must not keep the program from ending.
            Thread(target=_run, args=(answer, function, args, kwargs), name=function.__name__, daemon=True).start()
            return answer.wait(set())
    else:

        @wraps(function)
        def begin(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            return _in_pool(pool, partial(function, *args, **kwargs), args[0])

    return begin


def _run(answer: Answer, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        result = function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - user code: it becomes the error of the handler
        answer.give(error=error)
    else:
        answer.give(result)


def _in_pool(pool: Manager, work: Callable[[], Any], component: Any) -> Generator[Any, Any, Any]:
    asked = task(work)
    # Who asked for the failure of our event hears of that; nobody has asked for the failure of the task.
    asked.failure = False
    value = yield component.call(asked, pool)
    if value.errors:
        raise value.value[1]
    return value.value
