"""Handlers that run in a thread: for code that blocks, which would otherwise hold up the whole tree.

    class Library(Component):
        @future()
        def lookup(self, word):            event ──▶ thread: lookup(word) ──▶ value of the event
            return slow_database(word)

Rule 1: the event is done when the function is: its value is what that returns, `lookup_success` or `lookup_failure`
follow, and what it raises is the error of the handler.
Rule 2: without a pool it is a thread, never a process, and there is one only as long as there is work.
Rule 3: in the thread the component may fire, and so may everybody; all else of the tree belongs to the tree's thread.
"""

from __future__ import annotations

from functools import partial, wraps
from threading import Lock

from ._tasks import Step
from ._threads import Threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor, Future
    from typing import Any

    from ._tasks import Task

__all__ = ["MAX_THREADS", "future"]

#: Handlers at work at the same time; others wait. As many as the standard library gives its own pools at the most.
MAX_THREADS = 32

#: The flags of code of generator, coroutine and asynchronous generator functions; `inspect` would know, but costs more
#: to import than the kernel.
_PAUSES = 0x20 | 0x80 | 0x200

_threads = Threads("circuits-future", MAX_THREADS)


def future(function: Callable[..., Any] | None = None, /, *, pool: Executor | None = None) -> Any:
    """Have a handler run in a thread: `@future()`, or `@future(pool=…)`, above or below `@handler(…)`.

    Args:
        function: the method, for `@future` without parentheses.
        pool: what to run in instead: anything with a `submit`, such as a `ThreadPoolExecutor`.

    Raises:
        TypeError: for a generator or a coroutine function, which pause by themselves.
    """
    if function is None:
        return partial(_in_thread, pool=pool)
    return _in_thread(function, pool=pool)


def _in_thread(function: Any, pool: Executor | None) -> Callable[..., Any]:
    code = getattr(function, "__code__", None)
    if not callable(function) or (code is not None and code.co_flags & _PAUSES):
        raise TypeError(f"@future takes an ordinary function that blocks, got {function!r}")

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        outcome = _Outcome()
        if pool is None:
            _threads.submit(partial(outcome.run, function, args, kwargs))
        else:
            pool.submit(function, *args, **kwargs).add_done_callback(outcome.take)
        return (yield outcome)

    return run


class _Outcome(Step):
    """What a generator waits for, and any thread gives."""

    __slots__ = ("_error", "_is_there", "_lock", "_task", "_value")

    def __init__(self) -> None:
        # Guards who resumes the task: the one who gives, or, when that was faster, `arm`; and nobody once it is gone.
        self._lock = Lock()
        self._is_there = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._task: Task | None = None

    def run(self, function: Callable[..., Any], args: Any, kwargs: Any) -> None:
        """Call *function*, in a thread."""
        try:
            value = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - user code: raised in the handler
            self._give(None, error)
        else:
            self._give(value, None)

    def take(self, future: Future[Any]) -> None:
        """Take what a pool has to give, in one of its threads."""
        try:
            value = future.result()
        except BaseException as error:  # noqa: BLE001 - user code: raised in the handler
            self._give(None, error)
        else:
            self._give(value, None)

    def _give(self, value: Any, error: BaseException | None) -> None:
        with self._lock:
            self._value, self._error, self._is_there = value, error, True
            self._resume()

    def arm(self, task: Task) -> None:
        with self._lock:
            self._task = task
            if self._is_there:
                self._resume()

    def _resume(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.resume(self._value, self._error)

    def disarm(self) -> None:
        with self._lock:
            self._task = None
