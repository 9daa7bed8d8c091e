"""Handlers that are coroutines: run as tasks of the asyncio loop that hosts the tree.

    handler ── coroutine ──▶ start_coroutine ──▶ host.create_task ──▶ resume, when it ends
    await self.call(e), value, sleep, wait  ──▶ a future that the kernel's waiters set

Rule 1: this module, and asyncio with it, is loaded when the first coroutine appears and not before.
Rule 2: a coroutine belongs to the component whose handler it is; when that leaves or the tree stops it is cancelled,
and both wait until it has ended.
Rule 3: what a coroutine fires is caused by the event it handles, as with any other handler.
"""

from __future__ import annotations

from _thread import get_ident
from collections.abc import Coroutine
from types import AsyncGeneratorType
from typing import TYPE_CHECKING, Any

from ._flags import CUT
from ._tracking import fail, resume, stop_root, suspend
from .values import _store

if TYPE_CHECKING:
    from collections.abc import Callable

    from evkernel import hosted

    from ._tree import Tree
    from .events import Event

__all__ = ["CoroutineTask", "start_coroutine"]


class CoroutineTask(Coroutine[Any, Any, Any]):
    """A coroutine handler on its way, and the coroutine that the asyncio task runs in its place.

    At every step it tells the kernel which event and which handler are at work.

    Args:
        tree: where it was started.
        event: the event it handles.
        handler: the handler that returned it.
        coroutine: what to run.
    """

    __slots__ = ("_cancelled", "_coroutine", "_task", "event", "handler", "owner", "tree")

    def __init__(self, tree: Tree, event: Event, handler: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        self.tree = tree
        self.event = event
        self.handler = handler
        #: The component it belongs to.
        self.owner = getattr(handler, "__self__", None)
        self._coroutine = coroutine
        self._task: Any = None
        self._cancelled = False

    def start(self, host: hosted.Host | hosted.ByHand) -> None:
        """Run on the asyncio loop of *host*."""
        # Not the text form of the event: its arguments may be large, or have none.
        self._task = host.create_task(self, name=f"{self._qualname} for {self.event.name}")
        self._task.add_done_callback(self._ended)
        if self._cancelled:
            self._task.cancel()

    def cancel(self) -> None:
        """Ask the coroutine to end; it has ended when it is no longer among the tasks of its tree.

        It is asked once: a second time would cut off what it does to end properly.
        """
        if self._task is not None and not self._cancelled:
            self._task.cancel()
        self._cancelled = True

    def abandon(self) -> None:
        """Count the coroutine as ended: it was never started, or the loop that ran it is gone."""
        if self._task is None:
            self._coroutine.close()
        self.event._flags |= CUT
        self._end(None, None)

    def send(self, value: Any) -> Any:
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        self._coroutine.close()

    def __await__(self) -> Any:
        return self._coroutine.__await__()

    def _step(self, step: Callable[..., Any], *args: Any) -> Any:
        tree = self.tree
        before = tree.current, tree.handler, tree.thread
        tree.current, tree.handler, tree.thread = self.event, self.handler, get_ident()
        try:
            return step(*args)
        except (SystemExit, KeyboardInterrupt) as error:
            # Let through, it would end the asyncio loop at once.
            stop_root(tree, error)
            raise StopIteration from None
        finally:
            tree.current, tree.handler, tree.thread = before

    def _ended(self, task: Any) -> None:
        if task.cancelled():
            self.event._flags |= CUT
            self._end(None, None)
        else:
            error = task.exception()
            self._end(None if error else task.result(), error)

    def _end(self, result: Any, error: BaseException | None) -> None:
        tree = self.tree
        if self not in tree.tasks:
            return
        tree.tasks.discard(self)
        if error is not None:
            fail(tree, self.event, self.handler, error)
        elif result is not None:
            _store(self.event, result)
        resume(tree, self.event)
        node = getattr(self.owner, "_evnode", None)
        if node is not None and node.when_tasks_end is not None:
            node.when_tasks_end()
        if tree.runner is not None:
            tree.runner.coroutine_ended()

    @property
    def _qualname(self) -> str:
        return str(getattr(self._coroutine, "__qualname__", self._coroutine))

    def __repr__(self) -> str:
        return f"<{self._qualname} for {self.event!r}>"


def start_coroutine(tree: Tree, event: Event, handler: Any, result: Any) -> None:
    """Run what a coroutine handler has returned, on the host of the tree as soon as there is one."""
    suspend(event)
    coroutine = _drain(event, result) if type(result) is AsyncGeneratorType else result
    task = CoroutineTask(tree, event, handler, coroutine)
    tree.tasks.add(task)
    while tree.heir is not None:
        tree = tree.heir
    (tree.runner or tree.root._turned_by_hand()).start_coroutine(task)


async def _drain(event: Event, generator: AsyncGeneratorType[Any, None]) -> None:
    async for item in generator:
        if item is not None:
            _store(event, item)
