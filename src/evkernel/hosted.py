"""Run a loop inside an asyncio loop, through nothing but asyncio's public API.

    descriptors ─▶ poller ─(its own descriptor is readable)─▶ add_reader ─┐
    timers ──────▶ next_deadline ──────────────────────────▶ call_at ─────┼─▶ step ─▶ turn()
    wake() ──────▶ same thread: call_soon · elsewhere: the wake-up ───────┘

Rule 1: nothing is registered twice. asyncio watches one descriptor, that of the poller; only mechanisms
        without one (select, poll) have each of theirs watched.
Rule 2: a step never runs inside a step. Between two steps the asyncio loop has its turn.
Rule 3: what leaves `turn()` as an exception ends `run` or `serve` with it.
Rule 4: after a fork the child never uses the asyncio loop again. It shares the epoll with its parent, and
        whatever it removed there would be gone from the parent's, too. The child abandons it unclosed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import traceback
from contextvars import Context, copy_context
from threading import get_ident

from ._fork import isolate, keep_forever, mute_signals
from ._static import TYPE_CHECKING
from .errors import HostError
from .poll import READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, NoReturn, TypeVar

    from .loop import Loop

    _T = TypeVar("_T")

__all__ = ["MIN_DELAY", "ByHand", "Host", "OutOfTime", "Promise", "is_running", "serve_to_the_end", "sleep"]

#: Shortest wait for a timer. uvloop rounds to whole milliseconds, down as well as up, and would
#: otherwise step many times within the last half millisecond before a deadline.
MIN_DELAY = 0.001


class _Abandoned(SystemExit):
    """Leave an inherited asyncio loop: it lets SystemExit through without touching anything."""


class Host:
    """Drive a loop from an asyncio loop.

    Attributes:
        attached: Whether an asyncio loop drives the kernel's at present.
        lost: Whether this process was forked off while hosted, and had to give its asyncio loop up.
    """

    def __init__(
        self, loop: Loop, turn: Callable[[], float | None], *, on_fork: Callable[[], None] | None = None
    ) -> None:
        """Prepare to host; nothing happens before `attach`, `serve` or `run`.

        Args:
            loop: What to drive.
            turn: Do all that can be done without waiting, `loop.turn(0)` included. Return 0 when more work
                is at hand, None to sleep until I/O, a timer or a wake, or the seconds to sleep at most.
            on_fork: Called in a forked child of a foreign asyncio loop; the child exits when it returns.
        """
        self.attached = False
        self.lost = False
        self._loop = loop
        self._turn = turn
        self._on_fork = on_fork
        self._aio: asyncio.AbstractEventLoop | None = None
        self._context: Context | None = None
        self._thread = 0
        self._fd: int | None = None  # of the poller, as watched by asyncio
        self._watched: dict[int, int] = {}  # descriptors watched by asyncio when the poller has none
        self._stepping = False
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._due = 0.0  # the deadline that `_later` stands for
        self._end: Callable[[], object] | None = None  # ends `run` or `serve`
        self._own = False  # the asyncio loop was made by `run`
        self._watches = False  # signals, on behalf of the loop
        self._stopped = False
        self._error: BaseException | None = None

    # --- coming and going

    def attach(self, aio: asyncio.AbstractEventLoop | None = None) -> None:
        """Let an asyncio loop drive the kernel's from now on.

        Args:
            aio: The asyncio loop, to be run by this thread; by default the one that is running.

        Raises:
            HostError: It is attached already.
        """
        if self.attached:
            raise HostError("the host is attached already")
        self._aio = asyncio.get_running_loop() if aio is None else aio
        self._context = copy_context()
        self._thread = get_ident()
        self._loop.on_fork, self._loop.on_timer = self._forked, self._step_soon
        self.attached, self.lost = True, False
        # asyncio itself learns of a signal only when the system call is interrupted, which may be too late.
        self._watches = not self._loop.watches_signals and self._loop.watch_signals()
        try:
            self._watch()
        except BaseException:
            self.detach()
            raise
        self._step_soon()

    def detach(self) -> None:
        """Give the loop back to whoever turns it; harmless when repeated."""
        if not self.attached:
            return
        self._unwatch()
        self.attached = False
        self._loop.on_fork = self._loop.on_timer = None
        self._loop.awake()
        if self._watches:
            self._loop.unwatch_signals()
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()
        self._soon = self._later = self._aio = None

    async def serve(self) -> None:
        """Attach to the running asyncio loop until `stop`, or until `turn()` raises.

        Raises:
            BaseException: What left `turn()`.
        """
        self.attach()
        ended = asyncio.Event()
        self._end = ended.set
        try:
            if not self._stopped:
                await ended.wait()
        finally:
            self._end, self._stopped = None, False
            self.detach()
        self._raise()

    def run(self, factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
        """Make an asyncio loop, serve on it until `stop`, and close it.

        Tasks that are left over are cancelled and awaited. Signals are left as they are. In a forked child
        this returns with `lost` set, and the caller goes on without asyncio.

        Args:
            factory: Makes the asyncio loop; by default the event loop policy does.

        Raises:
            HostError: It is attached already.
            BaseException: What left `turn()`.
        """
        if self.attached:
            raise HostError("the host is attached already")
        aio = (factory or asyncio.new_event_loop)()
        forks, self._own = self._loop.forked, True
        try:
            self.attach(aio)
            try:
                self._end = aio.stop
                if not self._stopped:
                    aio.run_forever()
            finally:
                self._end = None
                if self._loop.forked == forks:
                    _finish(aio)  # still attached: a task may need the kernel for its last words
        except _Abandoned:
            pass  # in the child; `lost` says so
        finally:
            self._own = self._stopped = False
            if self._loop.forked == forks:
                self.detach()
                aio.close()
        self._raise()

    def stop(self) -> None:
        """End `run` or `serve`, or the next of them at once; from any thread or signal handler."""
        self._stopped = True
        aio = self._aio
        if self._end is None or aio is None:
            return
        if get_ident() == self._thread:
            self._end_once()
            if not self._stepping:
                self._loop.wake()  # we may be in a signal handler, and asyncio asleep
            return
        try:
            aio.call_soon_threadsafe(self._end_once)
        except RuntimeError:
            return  # it has ended and is closed already

    def _end_once(self) -> None:
        """End `run` or `serve`; a second time would end the cleaning up that follows."""
        if self._end is not None:
            end, self._end = self._end, _nothing
            end()

    def create_task(self, coroutine: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        """Run a coroutine as a task of the asyncio loop.

        Raises:
            HostError: The host is not attached.
        """
        return self._require().create_task(coroutine, name=name)

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _require(self) -> asyncio.AbstractEventLoop:
        if self._aio is None:
            raise HostError("the host is not attached")
        return self._aio

    # --- what asyncio watches for us

    def _watch(self) -> None:
        poller = self._loop.poller
        self._loop.doze()  # opens the wake-up, so that it is among the descriptors below
        poller.nested = True
        poller.on_reopen = self._reopened
        self._fd = poller.fileno()
        if self._fd is not None:
            self._require().add_reader(self._fd, self._step)
            return
        poller.on_change = self._watch_one
        for fd, mask in poller.interests().items():
            self._watch_one(fd, mask)

    def _unwatch(self) -> None:
        poller, aio = self._loop.poller, self._require()
        poller.on_reopen = poller.on_change = None
        poller.nested = False
        fd, self._fd = self._fd, None
        if aio.is_closed():
            self._watched.clear()
        elif fd is not None:
            aio.remove_reader(fd)
        for fd in list(self._watched):
            self._watch_one(fd, 0)

    def _watch_one(self, fd: int, mask: int) -> None:
        """Follow the interest in one descriptor."""
        aio, old = self._require(), self._watched.get(fd, 0)
        if mask & READ and not old & READ:
            aio.add_reader(fd, self._step)
        elif old & READ and not mask & READ:
            aio.remove_reader(fd)
        if mask & WRITE and not old & WRITE:
            aio.add_writer(fd, self._step)
        elif old & WRITE and not mask & WRITE:
            aio.remove_writer(fd)
        if mask:
            self._watched[fd] = mask
        else:
            self._watched.pop(fd, None)

    def _reopened(self) -> None:
        """Follow the poller to its new mechanism."""
        self._unwatch()
        self._watch()
        self._step_soon()

    # --- the step

    def wake(self) -> None:
        """Have a step run soon; from any thread. Signal handlers use `loop.wake`."""
        if get_ident() == self._thread and self.attached and not self._stepping:
            self._step_soon()
        else:
            self._loop.wake()

    def _step_soon(self) -> None:
        if self._soon is None:
            self._soon = self._require().call_soon(self._soon_step)

    def _soon_step(self) -> None:
        self._soon = None
        self._step()

    def _late_step(self) -> None:
        self._later = None
        self._step()

    def _step(self) -> None:
        if self._stepping or not self.attached or self._context is None:
            return
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        forks, own = self._loop.forked, self._aio if self._own else None
        more: float | None = None
        error: BaseException | None = None
        self._loop.awake()
        self._stepping = True
        try:
            # Always in the same context: otherwise handlers would see the variables of whoever woke us.
            more = self._context.run(self._turn)
        except BaseException as raised:  # noqa: BLE001 - carried to the end of run or serve (rule 3)
            error = raised
        self._stepping = False
        if self._loop.forked != forks:
            self._leave(own, error)
        if error is not None:
            self._fail(error)
        elif self.attached:
            self._sleep(more)

    def _sleep(self, more: float | None) -> None:
        """Arrange for the next step."""
        if more is not None and more <= 0:
            self._step_soon()
            return
        deadline = self._loop.timers.next_deadline()
        if deadline is not None or more is not None:
            self._step_at(deadline, more)
        if not self._loop.doze():
            self._step_soon()

    def _step_at(self, deadline: float | None, more: float | None) -> None:
        """Step at *deadline*, or in *more* seconds when that is earlier."""
        now = self._loop.clock.now()
        if deadline is None or (more is not None and now + more < deadline):
            deadline = now + (more or 0.0)
        if self._later is not None:
            if self._due <= deadline:
                return  # comes early enough; a step too many costs less than a new handle each time
            self._later.cancel()
        self._due = deadline
        self._later = self._require().call_later(max(deadline - now, MIN_DELAY), self._late_step)

    def _fail(self, error: BaseException) -> None:
        if self._end is not None:
            self._error = self._error or error
            self._end_once()
            return
        if self.attached:
            self._sleep(None)
        raise error  # asyncio reports it

    # --- fork

    def _forked(self) -> None:
        """Let go of the asyncio loop, in the child, within `os.fork()`."""
        aio, stepping = self._require(), self._stepping
        own = aio if self._own else None
        isolate(self._watched if self._fd is None else (self._fd,))
        keep_forever(aio)
        self.attached, self.lost = False, True
        self._stepping = self._own = self._watches = False
        self._aio = self._soon = self._later = self._end = self._fd = None
        self._watched.clear()
        self._loop.on_fork = self._loop.on_timer = None
        mute_signals()
        if not stepping and get_ident() == self._thread:
            # Forked by a coroutine or another callback: asyncio goes on with it, and with nothing after it.
            aio.call_soon(self._leave, own, None)

    def _leave(self, own: asyncio.AbstractEventLoop | None, error: BaseException | None) -> NoReturn:
        """Get out of the asyncio loop, in the child (rule 4)."""
        if own is not None:
            # uvloop finishes the iteration before it lets us go, and due timers would resume coroutines here
            # that live in the parent. Cancelled, they have nothing to resume; nobody is left to tell them.
            for task in asyncio.all_tasks(own):
                task.cancel()
            self._error = error
            raise _Abandoned
        os._exit(self._live_and_die(error))

    def _live_and_die(self, error: BaseException | None) -> int:
        """Live the life of a child whose parent's asyncio loop is below us on the stack."""
        code = 0
        try:
            if error is not None:
                raise error  # noqa: TRY301 - sorted out below together with those of on_fork
            if self._on_fork is not None:
                self._on_fork()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 0 if leaving.code is None else 1
        except BaseException:  # noqa: BLE001 - nobody above us may see it
            traceback.print_exc()
            code = 1
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        return code


def _nothing() -> None:
    """Be what ends something that is ending."""


def _finish(aio: asyncio.AbstractEventLoop) -> None:
    """End what is left on an asyncio loop, as `asyncio.Runner` does."""
    tasks = asyncio.all_tasks(aio)
    for task in tasks:
        task.cancel()
    if tasks:
        aio.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            message = "unhandled exception while the host was stopping"
            aio.call_exception_handler({"message": message, "exception": task.exception(), "task": task})
    aio.run_until_complete(aio.shutdown_asyncgens())
    aio.run_until_complete(aio.shutdown_default_executor())


class ByHand:
    """An asyncio loop that goes one step whenever it is told to, for a kernel that is turned by hand."""

    attached = False

    def __init__(self) -> None:
        self.aio = asyncio.new_event_loop()

    def create_task(self, coroutine: Coroutine[Any, Any, _T], *, name: str | None = None) -> asyncio.Task[_T]:
        """Run a coroutine as a task that goes on with every step."""
        return self.aio.create_task(coroutine, name=name)

    def step(self) -> None:
        """Run what is ready, without waiting."""
        self.aio.call_soon(self.aio.stop)
        self.aio.run_forever()

    def close(self) -> None:
        """Close the asyncio loop; harmless when repeated."""
        if not self.aio.is_closed():
            _finish(self.aio)
            self.aio.close()


class OutOfTime(Exception):  # noqa: N818 - says what happened
    """A promise was not kept in time."""


class Promise:
    """A result that a coroutine waits for and that any thread may set, once."""

    __slots__ = ("_aio", "_future", "_thread")

    def __init__(self) -> None:
        self._aio = asyncio.get_running_loop()
        self._future: asyncio.Future[Any] = self._aio.create_future()
        self._thread = get_ident()

    def set(self, result: Any) -> None:
        """Give the result to the coroutine that waits; what comes after the first is ignored."""
        if get_ident() == self._thread:
            self._set(result)
        elif not self._aio.is_closed():
            self._aio.call_soon_threadsafe(self._set, result)

    def _set(self, result: Any) -> None:
        if not self._future.done():
            self._future.set_result(result)

    async def get(self, timeout: float | None) -> Any:
        """Wait for the result.

        Args:
            timeout: Seconds; None for ever.

        Raises:
            OutOfTime: There is no result yet.
        """
        if timeout is None:
            return await self._future
        try:
            async with asyncio.timeout(timeout):
                return await self._future
        except TimeoutError:
            raise OutOfTime from None


async def sleep(seconds: float) -> None:
    """Wait for a number of seconds."""
    await asyncio.sleep(seconds)


async def serve_to_the_end(host: Host, stop: Callable[[], object]) -> None:
    """Serve until the end even when the waiting task is cancelled: that calls *stop* and waits for the end.

    Raises:
        CancelledError: The waiting task was cancelled.
        BaseException: What left the host's `turn()`.
    """
    serving = asyncio.ensure_future(host.serve())
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        if not serving.done():
            stop()
            await serving
        raise


def is_running() -> bool:
    """Tell whether this thread runs an asyncio loop at this moment."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
