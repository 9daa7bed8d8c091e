"""Pools of threads and of processes: how they are made, what runs in them, and how they end.

    submit ──▶ executor ──▶ run_here, in a thread
                       └──▶ run_there, in a process: bytes in, bytes out

Rule 1: what runs in a pool never raises; value and error come back side by side. An error that left the function
for good (SystemExit, KeyboardInterrupt) would end a thread or a process of the pool without a word.
Rule 2: functions, arguments and results are pickled here and not by the executor: that one loses its whole pool over
a function that a process cannot find.
Rule 3: processes are forked on Linux, whatever the interpreter's default: functions of a program that has no
`if __name__ == "__main__"`, or was typed in, can be run then. They give back at once what their parent's trees watch,
or a connection that the parent closes would stay open in them.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress

from evkernel.loop import disown

from ._errors import SendError, TaskExitError
from ._remote import dumps, loads, pack, unpack
from ._story import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from typing import Any

__all__ = ["make_pool", "make_work", "quiet_fork", "read_result"]

#: Threads wait for disks, databases and other machines most of their time, so there may be more of them than
#: processors: four more at the least, as in the standard library. Past 32 their stacks cost more than the waiting.
MORE_THREADS = 4
MAX_THREADS = 32


def make_pool(in_processes: bool, size: int | None) -> Executor:
    """Make a pool; its threads or processes start with the first work.

    Args:
        in_processes: whether to work in processes.
        size: how many there are; None means one process for each processor this program may use, which is all that
            work on processors can make use of, or four threads more than that, but 32 at the most.
    """
    # Late: the two bring logging and multiprocessing, which most programs do without.
    if not in_processes:
        from concurrent.futures import ThreadPoolExecutor

        return ThreadPoolExecutor(size or min(MAX_THREADS, _processors() + MORE_THREADS), "worker")
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("fork" if sys.platform == "linux" else None)
    return ProcessPoolExecutor(size or _processors(), context, initializer=_begin_process)


def _processors() -> int:
    """Give how many processors this process may use, which containers and `taskset` limit."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _begin_process() -> None:
    """Make a process of the pool stand on its own."""
    import signal

    # The terminal sends ^C to all processes; it is for the parent to say what becomes of the work. The handlers that
    # were inherited belong to trees of the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(ValueError):
        signal.set_wakeup_fd(-1)
    disown()


@contextmanager
def quiet_fork() -> Iterator[None]:
    """Fork without the warning that other threads may hold locks: the child uses none of theirs."""
    if sys.version_info < (3, 12):
        yield
        return
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*multi-threaded.*fork", DeprecationWarning)
        yield


def make_work(in_processes: bool, f: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, ...]:
    """Give what to submit to a pool to have *f* called.

    Raises:
        SendError: when the pool works in processes, and function or arguments cannot be sent there.
    """
    if not in_processes:
        return (run_here, f, args, kwargs)
    return (run_there, dumps((f, args, kwargs), f"the task {shown(f)} with its arguments"))


def read_result(in_processes: bool, result: Any) -> tuple[Any, BaseException | None]:
    """Give the value and the error that the work in a pool has come to."""
    if not in_processes:
        value, error = result
        return value, error
    try:
        value, packed = loads(result)
    except Exception as why:  # noqa: BLE001 - code of the value
        return None, SendError(f"cannot read the result of a task: {type(why).__name__}: {why}")
    return value, None if packed is None else unpack(packed)


def run_here(f: Callable[..., Any], args: Any, kwargs: Any) -> tuple[Any, BaseException | None]:
    """Call *f*; give its value, or its error."""
    try:
        return f(*args, **kwargs), None
    except Exception as error:  # noqa: BLE001 - user code: becomes the error of the task
        # The first frame is this function, which helps nobody.
        return None, error.with_traceback(error.__traceback__ and (error.__traceback__.tb_next or error.__traceback__))
    except BaseException as error:  # noqa: BLE001 - see rule 1
        exit_error = TaskExitError(f"{shown(f)} has raised {error!r}, but a task cannot end the program")
        exit_error.__cause__ = error
        return None, exit_error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)


def run_there(work: bytes) -> bytes:
    """Call the function in *work*, in a process of the pool; give what `read_result` takes."""
    try:
        f, args, kwargs = loads(work)
    except Exception as why:  # noqa: BLE001 - code that cannot be found here, or fails
        return _failed(SendError(f"a process of the pool cannot read a task: {type(why).__name__}: {why}"))
    value, error = run_here(f, args, kwargs)
    if error is not None:
        return _failed(error)
    try:
        return dumps((value, None), f"the result of {shown(f)}")
    except SendError as why:
        return _failed(why)


def _failed(error: BaseException) -> bytes:
    return dumps((None, pack(error, error.__traceback__)), "an error")
