"""The state that the components of one tree share: queue, tasks, handlers, loop; and one turn over it.

    turn:  tasks ─▶ flush ─▶ look (input, output, timers; asleep there when nothing is left to do)

It lives apart from the manager so that a component's own attributes may have any name, and so that every component
reaches it in one step.

Rule 1: `queue.append` and `wake` are safe in every thread, all else belongs to the thread that runs the root.
Rule 2: a turn never starves input and output: after `BUSY_TURNS` turns with work left they are looked at all the same.
"""

from __future__ import annotations

from _thread import RLock, get_ident
from collections import deque
from itertools import count
from weakref import WeakSet

from evkernel.clock import MONOTONIC
from evkernel.loop import Loop

from ._dispatch import deliver
from ._flags import STOPPED
from ._plans import Plans
from ._tasks import advance_tasks
from ._tracking import resume
from .events import generate_events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from evkernel.clock import Clock

    from ._coroutines import CoroutineTask
    from ._plans import Entry
    from ._runner import Runner
    from ._tasks import Task
    from ._waiting import Waiter
    from .events import Event
    from .manager import Manager
    from .pollers import BasePoller

__all__ = ["BUSY_TURNS", "LAST_SLEEP", "TIMEOUT", "Node", "Tree"]

#: Seconds that a tree with `generate_events` handlers sleeps at the most, so that sources that are only asked for
#: events, and never announce any, are asked ten times a second.
TIMEOUT = 0.1
#: Seconds that a turn sleeps at the most while a run that is over waits for something to be closed. Whoever has closed
#: it wakes the tree, so this is only for those who forget.
LAST_SLEEP = 1.0
#: Turns with work left before input, output and timers are looked at. One look costs about as much as two events.
BUSY_TURNS = 32


_making = RLock()

#: Places among siblings, the same numbers for all trees: a component keeps its place when its tree joins another.
POSITIONS = count(1)


class Node:
    """What the kernel keeps about one component."""

    __slots__ = ("entries", "guests", "hosts", "leaving", "own_plans", "position", "when_tasks_end")

    def __init__(self) -> None:
        #: Its handlers, in the order of definition.
        self.entries: list[Entry] = []
        #: Components with a handler on this one as a channel.
        self.guests: WeakSet[Manager] = WeakSet()
        #: Components that it is such a guest of.
        self.hosts: set[Manager] = set()
        #: The event by which it is about to leave its tree; until then it gets no more events.
        self.leaving: Event | None = None
        #: Plans for events to the component itself, with the version of the tree's observers they were made for.
        self.own_plans: tuple[int, dict[str, Any]] | None = None
        #: Its place among its siblings: behind all that were registered before it, anywhere.
        self.position = 0
        #: Called when a coroutine of the component has ended, while it waits for that to leave.
        self.when_tasks_end: Callable[[], None] | None = None


class Tree:
    """The shared state of a root and its descendants."""

    __slots__ = (
        "__weakref__",
        "_busy",
        "_flushes",
        "_lock",
        "_loop",
        "_sorted",
        "current",
        "handler",
        "heir",
        "holders",
        "idle",
        "planned",
        "plans",
        "poller",
        "prioritised",
        "queue",
        "ready",
        "root",
        "runner",
        "sleep",
        "tasks",
        "thread",
        "waiters",
    )

    def __init__(self, root: Manager) -> None:
        self.root = root
        #: Events, or (event, channels, priority) where the event alone does not say enough.
        self.queue: deque[Any] = deque()
        #: Whether something in the queue has a priority of its own.
        self.prioritised = False
        #: Tasks that take a step in the next turn.
        self.ready: deque[Task] = deque()
        #: All tasks and coroutines that have not ended.
        self.tasks: set[Task | CoroutineTask] = set()
        #: Those who wait for events by name.
        self.waiters: dict[str, list[Waiter]] = {}
        self.plans = Plans(self)
        self.planned = self.plans.by_name
        #: The event and the handler at work, and the thread that works.
        self.current: Event | None = None
        self.handler: Callable[..., Any] | None = None
        self.thread: int | None = None
        #: The tree that has absorbed this one.
        self.heir: Tree | None = None
        #: True while the tree sleeps, or is about to: who fires then must wake it.
        self.idle = False
        self.runner: Runner | None = None
        #: The component that stands for the loop's poller, if there is one.
        self.poller: BasePoller | None = None
        #: Components that a run waits for at its end: they are closing something that takes time.
        self.holders: set[Manager] = set()
        #: Seconds that the last turn left to sleep to the loop that hosts the tree; None is for ever.
        self.sleep: float | None = 0
        self._loop: Loop | None = None
        self._lock: RLock | None = None
        self._busy = 0
        self._flushes = 0
        #: Whether what is being delivered was put in the order of priority.
        self._sorted = False

    @property
    def loop(self) -> Loop:
        """The poller, the timers and the wake-up; made when they are first needed, by whatever thread."""
        if self._loop is None:
            if self.heir is not None:
                return self.heir.loop
            with _making:
                if self._loop is None:
                    self._loop = Loop()
        return self._loop

    @loop.setter
    def loop(self, loop: Loop) -> None:
        self._loop = loop

    @property
    def clock(self) -> Clock:
        """Where the tree takes its time from."""
        return MONOTONIC if self._loop is None else self._loop.clock

    @property
    def lock(self) -> RLock:
        """Guards the time left of `generate_events`."""
        if self._lock is None:
            self._lock = RLock()
        return self._lock

    @property
    def busy(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self.queue or self.ready)

    def wake(self) -> None:
        """End the sleep. Safe in any thread and any signal handler."""
        if self.heir is not None:
            self.heir.wake()
            return
        # Whoever comes next need not wake it again.
        self.idle = False
        if self.runner is not None:
            self.runner.wake()
        else:
            self.loop.wake()

    def turn(self, timeout: float) -> None:
        """Take one turn.

        Args:
            timeout: seconds to wait for something to happen when nothing is left to do; negative: until something
                does, but not at all unless the root runs.
        """
        self.thread = get_ident()
        # A handler that turns its tree is not the one who fires what happens meanwhile.
        current, handler, self.current = self.current, self.handler, None
        if self.ready:
            advance_tasks(self)
        asked = None
        if self.root._evrunning and "generate_events" in self.plans.receivers:
            asked = generate_events(self.lock, timeout)
            self.root.fire(asked, "*")
        if self.queue:
            self.flush()
        runner = self.runner
        if runner is not None and runner.stepping:
            runner.step()
        if not (self.queue or self.ready):
            self.sleep = self._budget(timeout, asked)
            self._look(self.sleep if runner is None else runner.longest_sleep(self.sleep))
        else:
            self._busy += 1
            if self._busy >= BUSY_TURNS or timeout == 0:
                self._look(0)
        self.current, self.handler = current, handler

    def flush(self) -> None:
        """Deliver the events that are queued now; what their handlers fire stays queued."""
        queue = self.queue
        # A flush within a flush sorts anew: what is left of the outer batch and what came since are one batch now.
        if self.prioritised or self._sorted:
            self._sort_queue()
        self.thread = get_ident()
        handler = self.handler
        flushes = self._flushes = self._flushes + 1
        left = len(queue)
        while left:
            left -= 1
            item = queue.popleft()
            if type(item) is tuple:
                self._deliver_special(*item)
            else:
                deliver(self, item, item.channels)
            # A handler has flushed, and so delivered the rest of what this flush began with.
            if self._flushes != flushes:
                break
        self.handler = handler
        self._sorted = False

    def _deliver_special(self, event: Event, channels: tuple[Any, ...], _priority: float, in_flight: bool) -> None:
        """Deliver an event that has a priority or was fired before; see `_tracking.enqueue`."""
        event.channels = channels
        if in_flight:
            event._flags &= ~STOPPED
        deliver(self, event, channels)
        if in_flight:
            resume(self, event)

    def _sort_queue(self) -> None:
        """Put what is queued in the order of priority; other threads may append meanwhile."""
        self.prioritised = False
        self._sorted = True
        batch = [self.queue.popleft() for _ in range(len(self.queue))]
        batch.sort(key=lambda item: item[2] if type(item) is tuple else 0)
        self.queue.extendleft(reversed(batch))

    def _budget(self, timeout: float, asked: generate_events | None) -> float | None:
        """Give how many seconds this turn may sleep; None is for ever."""
        if timeout < 0 and not self.root._evrunning:
            return LAST_SLEEP if self.holders else 0
        budget = None if timeout < 0 else timeout
        if asked is not None:
            limit = 0 if asked.stopped else TIMEOUT if asked.time_left < 0 else min(asked.time_left, TIMEOUT)
            budget = limit if budget is None else min(budget, limit)
        return budget

    def _look(self, budget: float | None) -> None:
        """Let input, output and timers happen, after sleeping for them *budget* seconds at the most."""
        self._busy = 0
        loop = self._loop
        if loop is None:
            if budget == 0:
                return
            loop = self.loop
        if budget != 0:
            self.idle = True
            # Looked at again after saying so: who fires sees either an idle tree, or the event taken here.
            if self.queue or self.ready or not (self.root._evrunning or budget):
                budget = 0
        ready = loop.wait(budget)
        self.idle = False
        loop.process(ready)

    def absorb(self, other: Tree) -> None:
        """Take over what was begun while *other* was a tree of its own."""
        # A thread may be about to fire there, and a handler there may be the one who registers: whatever they still add
        # to that tree is added to this one, and waking that one wakes this one.
        self.queue.extend(other.queue)
        other.queue.clear()
        self.prioritised = self.prioritised or other.prioritised
        self.ready.extend(other.ready)
        other.ready.clear()
        for task in other.tasks:
            task.tree = self
        self.tasks |= other.tasks
        for name, waiters in other.waiters.items():
            self.waiters.setdefault(name, []).extend(waiters)
        other.queue, other.ready, other.tasks, other.waiters = self.queue, self.ready, self.tasks, self.waiters
        other.heir, other.idle = self, True
        # Ends the flush whose handler has registered.
        other._flushes += 1
        if other._loop is not None:
            self.loop.timers.adopt(other._loop.timers)
        if self.idle:
            self.wake()

    def retire(self) -> None:
        """Let go of the loop, once the components have moved what they had in it to that of the tree that took over."""
        self._loop = None
