"""Handlers that pause: generators, and the steps they may wait for.

    handler ── generator ──▶ Task ◀── resume ── Sleep, Call, Wait
                              │                     ▲
              once a turn:  next step ── yields ────┘ arm

Rule 1: `yield None` means "again in the next turn"; a step (`Sleep`, `Call`, `Wait`) means "when it resumes me";
a generator means "when that has ended"; anything else is a result of the handler.
Rule 2: a task that waits is in no list that is looked at every turn. Whoever it waits for holds it, and puts it back.
Rule 3: a step resumes its task once; what comes later finds it disarmed.
"""

from __future__ import annotations

from types import GeneratorType

from evkernel.clock import MONOTONIC

from ._errors import TimeoutError  # noqa: A004 - documented name
from ._flags import CUT, DONE
from ._story import shown
from ._tracking import fail, resume, suspend
from ._waiting import forget_named, on_one_of, unwatch, watch
from .events import Event
from .values import Value, _store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from typing import Any

    from evkernel.timers import Timer

    from ._tree import Tree
    from .manager import Manager

__all__ = ["Call", "CallValue", "ExceptionWrapper", "Sleep", "Step", "Task", "Wait", "sleep"]


class CallValue:
    """Mark *value* as the result of a call that a nested generator hands to the one that waits for it."""

    def __init__(self, value: Any) -> None:
        self.value = value


class ExceptionWrapper:
    """Carry an error to a generator that waits, to be raised there."""

    def __init__(self, exception: BaseException) -> None:
        self.exception = exception

    def extract(self) -> BaseException:
        """Give the error."""
        return self.exception


class Task:
    """A generator handler on its way, with those that it waits for on top of it.

    Args:
        tree: where it takes its steps; it stays there when the component of the handler leaves.
        event: the event it handles.
        handler: the handler that returned it.
        generator: what to advance.
    """

    __slots__ = ("error", "event", "generator", "handler", "inbox", "stack", "step", "tree")

    def __init__(
        self, tree: Tree, event: Event, handler: Callable[..., Any] | None, generator: Generator[Any, Any, Any]
    ) -> None:
        self.tree = tree
        self.event = event
        self.handler = handler
        self.generator = generator
        self.stack: list[Generator[Any, Any, Any]] = []
        self.step: Step | None = None
        self.inbox: Any = None
        self.error: BaseException | None = None

    def resume(self, value: Any = None, error: BaseException | None = None) -> None:
        """Have the task go on in the next turn, with *value* as the result of its yield or *error* raised there."""
        self.step = None
        self.inbox = value
        self.error = error
        tree = self.tree
        tree.ready.append(self)
        if tree.idle:
            tree.wake()

    def cancel(self) -> None:
        """End the generator where it stands; its `finally` blocks run."""
        if self.step is not None:
            self.step.disarm()
            self.step = None
        for generator in [self.generator, *reversed(self.stack)]:
            generator.close()

    def __repr__(self) -> str:
        name = getattr(self.generator, "__qualname__", repr(self.generator))
        return f"<Task {name} for {self.event!r}>"


def start_generator(tree: Tree, event: Event, handler: Any, generator: Generator[Any, Any, Any]) -> None:
    """Make a task of what a handler has returned; it takes its first step in the next turn."""
    suspend(event)
    task = Task(tree, event, handler, generator)
    tree.tasks.add(task)
    tree.ready.append(task)


def advance_tasks(tree: Tree) -> None:
    """Let every task that is ready take one step."""
    ready = tree.ready
    for _ in range(len(ready)):
        if not ready:
            # A task has turned the tree itself, or registered it with another one.
            break
        task = ready.popleft()
        tree.current = task.event
        tree.handler = task.handler
        try:
            if task.error is None:
                inbox = task.inbox
                if inbox is not None:
                    task.inbox = None
                item = task.generator.send(inbox)
            else:
                error, task.error = task.error, None
                item = task.generator.throw(error)
        except StopIteration as stop:
            _end(tree, task, stop.value, None)
        except BaseException as error:  # noqa: BLE001 - user code: reported as an `exception` event
            _end(tree, task, None, error)
        else:
            if item is None:
                task.tree.ready.append(task)
            else:
                _yielded(task, item)
    tree.current = None


def _yielded(task: Task, item: Any) -> None:
    tree = task.tree
    if isinstance(item, Step):
        task.step = item
        try:
            item.arm(task)
        except Exception as error:  # noqa: BLE001 - what was yielded cannot be waited for: told where it was yielded
            task.resume(error=error)
    elif type(item) is GeneratorType:
        task.stack.append(task.generator)
        task.generator = item
        tree.ready.append(task)
    elif isinstance(item, ExceptionWrapper):
        task.resume(error=item.extract())
    else:
        _store(task.event, item.value if isinstance(item, CallValue) else item)
        tree.ready.append(task)


def _end(tree: Tree, task: Task, value: Any, error: BaseException | None) -> None:
    if task.stack:
        task.generator = task.stack.pop()
        task.resume(value, error)
        return
    tree.tasks.discard(task)
    if error is not None:
        # One that was registered by hand has no handler; its own name says as much.
        fail(tree, task.event, task.handler or task.generator, error)
    elif value is not None:
        _store(task.event, value)
    resume(tree, task.event)


def cut_off(tree: Tree, task: Task) -> None:
    """End a generator handler before its time; who waits for its event goes on."""
    try:
        task.cancel()
    except BaseException as error:  # noqa: BLE001 - user code: a `finally` that fails, reported as any error of a handler
        fail(tree, task.event, task.handler or task.generator, error)
    task.event._flags |= CUT
    resume(tree, task.event)


class Step:
    """Something that a generator handler can yield, and a coroutine handler await, to be resumed later."""

    __slots__ = ()

    def arm(self, task: Task) -> None:
        """Begin to wait on behalf of *task*."""
        raise NotImplementedError

    def disarm(self) -> None:
        """Wait no longer: the task is gone or resumed."""

    def __iter__(self) -> Generator[Step, Any, Any]:  # noqa: PYI058 - it returns what it was sent
        # For `yield from`: the step travels up to the kernel, its result back down.
        return (yield self)


class Sleep(Step):
    """Wait for a number of seconds.

    Raises:
        ValueError: when *seconds* is negative.
    """

    __slots__ = ("_deadline", "_over", "_timer", "seconds", "task")

    def __init__(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError(f"sleep: expected seconds of at least 0, got {seconds!r}")
        self.seconds = seconds
        self.task: Task | None = None
        self._timer: Timer | None = None
        self._over = False
        self._deadline = MONOTONIC.now() + seconds

    @property
    def expired(self) -> bool:
        """Whether the time has passed."""
        # A task is timed by the clock of its tree; a sleep that nobody has yielded yet runs from its making.
        return self._over or (self._timer is None and MONOTONIC.now() >= self._deadline)

    def arm(self, task: Task) -> None:
        self.task = task
        self._timer = task.tree.loop.call_later(self.seconds, self._expire)

    def disarm(self) -> None:
        self.task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._over = True
        task, self.task, self._timer = self.task, None, None
        if task is not None:
            task.resume()

    def __iter__(self) -> Iterator[Sleep]:  # type: ignore[override]
        return self

    def __next__(self) -> Sleep:
        """Give itself until the time has passed, for code that drives a sleep by hand or with `yield from`."""
        if self.expired:
            raise StopIteration
        return self

    def __await__(self) -> Generator[Any, Any, None]:
        from ._awaits import sleep_for  # late: loaded with the first coroutine

        return sleep_for(self.seconds).__await__()


def sleep(seconds: float) -> Sleep:
    """Pause a handler for some seconds: `yield` what this gives in a generator, `await` it in a coroutine.

    Args:
        seconds: at least 0, fractions allowed.

    Raises:
        ValueError: when *seconds* is negative.
    """
    return Sleep(seconds)


class _Timed(Step):
    """A step that may run out of time."""

    __slots__ = ("_task", "_timer", "manager", "timeout")

    def __init__(self, manager: Manager, timeout: float | None) -> None:
        self.manager = manager
        self.timeout = timeout
        self._task: Task | None = None
        self._timer: Timer | None = None

    def _begin(self, task: Task) -> bool:
        """Start the clock; False when there is no time at all, and the task has been told so."""
        self._task = task
        if self.timeout is None:
            return True
        if self.timeout <= 0:
            self._out_of_time()
            return False
        self._timer = task.tree.loop.call_later(self.timeout, self._out_of_time)
        return True

    def _out_of_time(self) -> None:
        task = self._task
        self.disarm()
        if task is not None:
            task.resume(error=TimeoutError(f"{shown(self)} was not done within {self.timeout} s"))

    def _finish(self, event: Event) -> None:
        # The event has let go of this step already; what is left is the clock.
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if task is not None:
            task.resume(Value(event))

    def disarm(self) -> None:
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Call(_Timed):
    """Fire an event and wait until it has been handled.

    In a generator `yield` gives the Value, whatever happened; in a coroutine `await` gives the result and raises the
    error of a handler that has failed.
    """

    __slots__ = ("channels", "event")

    def __init__(self, manager: Manager, event: Event, channels: tuple[Any, ...], timeout: float | None) -> None:
        self.manager = manager
        self.timeout = timeout
        self._task = None
        self._timer = None
        self.event = event
        self.channels = channels

    def arm(self, task: Task) -> None:
        event = self.event
        self.manager.fire(event, *self.channels)
        if self.timeout is None:
            self._task = task
            watch(event, self)
        elif self._begin(task):
            watch(event, self)

    def disarm(self) -> None:
        super().disarm()
        unwatch(self.event, self)

    def wake(self, event: Event) -> None:
        """Go on: the event is done."""
        self._finish(event)

    def __await__(self) -> Generator[Any, Any, Any]:
        from ._awaits import call  # late: loaded with the first coroutine

        return call(self).__await__()

    def __repr__(self) -> str:
        return f"<call of {self.event!r}>"


class Wait(_Timed):
    """Wait until an event, named or given, has been handled.

    Args:
        manager: who waits.
        event: the event itself, or the name of any.
        channels: for a name, the channels of which the event must be on one; none means any.
        timeout: seconds, None for ever.
    """

    __slots__ = ("channels", "event")

    def __init__(self, manager: Manager, event: Event | str, channels: tuple[Any, ...], timeout: float | None) -> None:
        super().__init__(manager, timeout)
        self.event = event
        self.channels = channels

    def arm(self, task: Task) -> None:
        event = self.event
        if isinstance(event, Event) and event._flags & DONE:
            task.resume(Value(event))
        elif self._begin(task):
            if isinstance(event, Event):
                watch(event, self)
            else:
                task.tree.waiters.setdefault(event, []).append(self)

    def disarm(self) -> None:
        task = self._task
        super().disarm()
        if isinstance(self.event, Event):
            unwatch(self.event, self)
        elif task is not None:
            forget_named(task.tree, self.event, self)

    def wake(self, event: Event) -> None:
        """Go on, if the event is one that is waited for."""
        if isinstance(self.event, Event):
            self._finish(event)
        elif on_one_of(event, self.channels):
            if self._task is not None:
                forget_named(self._task.tree, self.event, self)
            self._finish(event)

    def __await__(self) -> Generator[Any, Any, Any]:
        from ._awaits import wait  # late: loaded with the first coroutine

        return wait(self).__await__()

    def __repr__(self) -> str:
        return f"<wait for {self.event!r}>"
