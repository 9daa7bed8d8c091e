"""Workers: run functions in threads or in other processes, and have their results as values.

    task ──▶ Worker ──▶ pool ──▶ f(…), in a thread or a process
      ▲                              │
      └── value, or error ◀──────────┘

Rule 1: the handler of a task ends when its function has: the event then has its value, and `task_success` or
`task_failure` follows. What the function raises is the error of that handler.
Rule 2: the pool is made with the first task. It ends with the run, when all that was queued has been handled, and when
the worker leaves its tree: tasks that have not begun are refused, those at work are waited for, without holding up the
tree. Then no thread and no process is left.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from threading import Thread

from ._answers import Answer
from ._errors import RemoteError, SendError, TaskExitError, WorkerEndedError, WorkerLostError
from .components import BaseComponent
from .events import task
from .handlers import handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Executor, Future
    from typing import Any

    from ._tree import Tree
    from .events import prepare_unregister

__all__ = [
    "GRACE",
    "RemoteError",
    "SendError",
    "TaskExitError",
    "Worker",
    "WorkerEndedError",
    "WorkerLostError",
    "task",
]

#: Seconds that processes at work are given at the end before they are killed: as long as container systems give a
#: whole program. Threads cannot be killed.
GRACE = 10.0


class Worker(BaseComponent):
    """Run the functions of tasks in a pool of threads, or of processes.

    Threads are for work that waits (files, databases, libraries that block), processes for work that computes; those
    get and give only what can be pickled.

    Handles: task(f, *args, **kwargs). The value is what the function returns.

    Args:
        process: work in processes.
        workers: how many work at a time; by default one process for each processor, or four threads more than
            processors, 32 at the most.
        channel: where to listen.

    Raises:
        SendError: as the error of a task, when function, arguments or result cannot be sent to or from a process.
        TaskExitError: likewise, when the function raises SystemExit or KeyboardInterrupt.
        WorkerEndedError: likewise, when the worker ends before the task begins.
        WorkerLostError: likewise, when the process that works on it ends.
        ValueError: when *workers* is less than 1.
    """

    channel = "worker"

    def init(self, process: bool = False, workers: int | None = None, channel: Any = "worker") -> None:
        """Set up; see the class."""
        if workers is not None and workers < 1:
            raise ValueError(f"Worker: expected at least 1 worker, got {workers!r}")
        if channel != Worker.channel:
            self.channel = channel
        self._in_processes = bool(process)
        self._size = workers
        self._pool: Executor | None = None
        self._pid = 0
        self._answers: set[Answer] = set()
        self._endings: set[_Ending] = set()
        self._over = False

    @handler("task")
    def _on_task(self, f: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        from ._pools import make_work  # late: most programs have no worker

        if self._over:
            raise WorkerEndedError("the worker has ended with the run")
        work = make_work(self._in_processes, f, args, kwargs)
        answer = Answer()
        self._submit(work).add_done_callback(partial(self._on_done, answer))
        return answer.wait(self._answers)

    def _submit(self, work: tuple[Any, ...]) -> Future[Any]:
        from concurrent.futures import BrokenExecutor  # late: most programs have no worker

        from ._pools import make_pool, quiet_fork

        if self._pid != os.getpid():
            # Made anew in a forked child: the threads of a pool, and the way to its processes, are its parent's.
            self._pool = None
        if self._pool is not None:
            try:
                return self._pool.submit(*work)
            except BrokenExecutor:
                # Whoever lost a task with it has been told.
                self._pool.shutdown(wait=False)
        pool = make_pool(self._in_processes, self._size)
        with quiet_fork():
            future = pool.submit(*work)
        self._pool, self._pid = pool, os.getpid()
        return future

    def _on_done(self, answer: Answer, future: Future[Any]) -> None:
        """Hand over what a task has come to, from whatever thread."""
        answer.give(*_outcome(self._in_processes, future))

    # The end.

    def _end(self) -> bool:
        """Begin to end the pool; tell whether there is anything to wait for."""
        pool, self._pool = self._pool, None
        if self._pid != os.getpid():
            # In a forked child they go on in the parent only.
            self._endings.clear()
        elif pool is not None:
            self._endings.add(_Ending(self, pool))
        return bool(self._endings)

    @handler("prepare_unregister", channel="*")
    def _on_prepare_unregister(self, event: prepare_unregister, *_: Any) -> Generator[Any, Any, None] | None:
        return self._wait_for_end() if event.in_subtree(self) and self._end() else None

    def _wait_for_end(self) -> Generator[Any, Any, None]:
        for ending in tuple(self._endings):
            yield ending.ask()
            ending.finish()

    @handler("started", channel="*")
    def _on_started(self, *_: Any) -> None:
        self._over = False

    def _on_run_end(self) -> None:
        # A handler that calls one task after the other, for ever, would never let the run end.
        self._over = True
        if self._end():
            self._evtree.holders.add(self)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:  # noqa: ARG002 - who waits knows where it waits
        self._over = False
        old.holders.discard(self)
        for answer in tuple(self._answers):
            answer.repeat()

    def _on_ended(self, ending: _Ending) -> None:
        self._endings.discard(ending)
        if not self._endings:
            self._evtree.holders.discard(self)


class _Ending:
    """The end of one pool: a thread waits for it, so that the tree does not have to."""

    def __init__(self, worker: Worker, pool: Executor) -> None:
        self._worker = worker
        self._asked: list[Answer] = []
        self._gone = False
        # Empty for threads, which cannot be killed.
        processes = getattr(pool, "_processes", {})
        self._timer = worker._evtree.loop.call_later(GRACE, partial(_kill, processes))
        self._thread = Thread(target=self._wait, args=(pool,), name=f"{worker.name}-end")
        self._thread.start()

    def _wait(self, pool: Executor) -> None:
        pool.shutdown(wait=True, cancel_futures=True)
        # Published before the look at who waits; `ask` does it the other way round.
        self._gone = True
        for answer in tuple(self._asked):
            answer.give()
        self._worker._evtree.loop.call_soon(self.finish)

    def ask(self) -> Answer:
        """Give what to wait for: it is given when the pool is gone."""
        answer = Answer()
        self._asked.append(answer)
        if self._gone:
            answer.give()
        return answer

    def finish(self) -> None:
        """Clear up once the pool is gone; harmless when repeated."""
        self._thread.join()
        self._timer.cancel()
        self._worker._on_ended(self)


def _outcome(in_processes: bool, future: Future[Any]) -> tuple[Any, BaseException | None]:
    """Give the value and the error that a task has come to."""
    from concurrent.futures import BrokenExecutor, CancelledError  # late: loaded with the first pool

    from ._pools import read_result

    try:
        return read_result(in_processes, future.result())
    except CancelledError:
        return None, WorkerEndedError("the worker has ended before the task could begin")
    except BrokenExecutor as error:
        lost = WorkerLostError("a process of the pool has ended in the middle of its work")
        lost.__cause__ = error
        return None, lost
    except Exception as error:  # noqa: BLE001 - the pool's own: becomes the error of the task
        return None, error


def _kill(processes: dict[int, Any]) -> None:
    for process in list(processes.values()):
        with suppress(ValueError):  # it has ended meanwhile, and was closed
            process.kill()
