"""The manager: fires events, keeps handlers and, as the root of a tree, runs it; the base of every component.

    fire ──▶ queue ──▶ _tree.turn ──▶ _dispatch.deliver ──▶ handlers
               ▲                                               │
               └───────────────────── fire ◀───────────────────┘

Rule 1: the queue and all else that a tree shares is its `Tree`; each manager holds it, so that firing costs the same
anywhere. Attributes of the kernel begin with `_ev`, the documented ones excepted: all other names are the user's.
Rule 2: `fire`, `stop` and `resume` are safe in every thread, all else belongs to the thread that runs the root.
"""

from __future__ import annotations

import os
from threading import current_thread
from types import MethodType

from ._errors import TimeoutError, UnregistrableError  # noqa: A004 - documented name
from ._plans import Entry
from ._specs import ANY, Channel, bound_spec
from ._tasks import Call, CallValue, ExceptionWrapper, Sleep, Task, Wait, cut_off, sleep
from ._tracking import enqueue, enter, suspend
from ._tree import POSITIONS, TIMEOUT, Node, Tree
from .events import Event, stopped
from .values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from threading import Thread
    from typing import Any

    from ._runner import Runner
    from ._specs import HandlerSpec
    from ._streams import EventStream

__all__ = [
    "STREAM_LIMIT",
    "TIMEOUT",
    "CallValue",
    "ExceptionWrapper",
    "Manager",
    "Sleep",
    "TimeoutError",
    "UnregistrableError",
    "sleep",
]

#: How many events a stream keeps for its reader before it says that it has overflown.
STREAM_LIMIT = 1024

_new_value = Value.__new__


class Manager:
    """Fire events, keep handlers, and, as the root of a tree, run it."""

    #: What the manager listens and fires on; `*` means every channel. May be changed at any time.
    channel: Any = Channel()

    root: Manager
    parent: Manager
    components: set[Any]

    _evrunning = False
    _evtree: Tree
    _evnode: Node
    #: The class that joins two processes; `bridge` puts it here.
    _evbridge: Any = None
    #: The channel as it was set, and as `fire` wants it: one tuple for all events, not one for each.
    _evchannel: Any = ANY
    _evchannels: tuple[Any, ...] = (ANY,)
    # Read by test helpers in the wild as _Manager__thread: None once the run has ended.
    __thread: Thread | None = None
    __starting = False
    __asked_to_stop: tuple[int | str | None] | None = None
    # The thread made by `start`, for those who join it: it ends a moment after the run.
    __started: Thread | None = None
    # Likewise: the process that was started last.
    __process: Any = None
    __processes: tuple[Any, ...] = ()
    __starter = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002 - documented: subclasses pass theirs on
        self.root = self.parent = self
        self.components = set()
        self._handlers: dict[str, set[Callable[..., Any]]] = {}
        self._evnode = Node()
        self._evtree = Tree(self)

    # What a manager is.

    @property
    def name(self) -> str:
        """The name of the component: that of its class."""
        return type(self).__name__

    @property
    def pid(self) -> int:
        """The process the manager runs in: that of the child once it was started as one."""
        process = self.__process
        return os.getpid() if process is None else int(process.pid)

    @property
    def running(self) -> bool:
        """Whether the manager runs its loop."""
        return self._evrunning

    @property
    def _running(self) -> bool:
        # Old programs switch it off to have the run drain the queue and return.
        return self._evrunning

    @_running.setter
    def _running(self, running: bool) -> None:
        self._evrunning = running
        if self._evtree.idle:
            self._evtree.wake()

    def __repr__(self) -> str:
        channel = self.channel if isinstance(self.channel, str) else f"<instance of {type(self.channel).__name__}>"
        state = "R" if self._evrunning else "S"
        return f"<{self.name}/{channel} {self.pid}:{current_thread().name} (queued={len(self)}) [{state}]>"

    def __len__(self) -> int:
        """Give the number of queued events; only a root has any."""
        return len(self._evtree.queue) if self.root is self else 0

    def __bool__(self) -> bool:
        return True

    def __contains__(self, component: object) -> bool:
        return component in self.components

    # Firing and waiting.

    def fire(self, event: Event, *channels: Any, **kwargs: Any) -> Value:
        """Queue an event for delivery. May be called from any thread.

        Args:
            event: what to deliver.
            channels: where to: names, or components; else the event's own channels, else the one of this component.
            kwargs: `priority`: among the events that are queued when the queue is next emptied, lower ones go first.

        Returns:
            The value that will hold the results of the handlers.

        Raises:
            TypeError: for an unknown keyword.
        """
        tree = self._evtree
        if not channels:
            channels = event.channels or self._evchannels
        if kwargs or event._manager is not None:
            enqueue(tree, self, event, channels, _option("fire", "priority", kwargs, 0))
        else:
            if event._flags or tree.current is not None:
                enter(tree, event)
            event.channels = channels
            event._manager = self
            # Last: from here on the thread that runs the tree may deliver it.
            tree.queue.append(event)
        if tree.idle:
            tree.wake()
        value = _new_value(Value)
        value.event = event
        return value

    fireEvent = fire  # noqa: N815 - documented name

    def _fire_input(self, event: Event) -> None:
        """Fire a new event on our channel from a callback of the loop: it has no cause, and nobody wants its value.

        This is `fire` without what such an event has no use for, for those who fire one for every packet.
        """
        tree = self._evtree
        if tree.current is not None or tree.idle or self._evchannels[0] is not self.channel:
            self.fire(event)
            return
        event.channels = self._evchannels
        event._manager = self
        tree.queue.append(event)

    def call(self, event: Event, *channels: Any, **kwargs: Any) -> Call:
        """Fire an event and wait for it: `x = yield self.call(e)` gives the Value, `await self.call(e)` the result.

        Args:
            event: what to fire.
            channels: as for `fire`.
            kwargs: `timeout` in seconds.

        Raises:
            TimeoutError: in the handler that waits, when the time is over.
            Exception: in a coroutine, what a handler of the event has raised.
        """
        return Call(self, event, channels, _option("call", "timeout", kwargs, None))

    callEvent = call  # noqa: N815 - documented name

    def wait(self, event: Event | type[Event] | str, *channels: Any, **kwargs: Any) -> Wait:
        """Wait until an event has been handled: `yield self.wait("x")`, or `await self.wait("x")`; gives its Value.

        Args:
            event: one event, or the name or the class of any.
            channels: with a name, the channels of which the event must be on one.
            kwargs: `timeout` in seconds.

        Raises:
            TimeoutError: in the handler that waits, when the time is over.
        """
        what = event.name if isinstance(event, type) else event
        return Wait(self, what, channels, _option("wait", "timeout", kwargs, None))

    waitEvent = wait  # noqa: N815 - documented name

    def stream(self, event: type[Event] | str, *channels: Any, limit: int = STREAM_LIMIT) -> EventStream:
        """Listen to the events of a name: `async for event in self.stream("read", "server"): …`.

        Args:
            event: the name or the class of the events.
            channels: the channels of which an event must be on one; none means any.
            limit: how many events may wait to be taken.

        Raises:
            StreamOverflow: from the `async for`, when more than *limit* events were waiting.
        """
        from ._streams import EventStream  # late: brings asyncio, as the first coroutine does

        return EventStream(self._evtree, event if isinstance(event, str) else event.name, channels, limit)

    # Handlers.

    def addHandler(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Add a handler at run time.

        Args:
            f: a function that takes this manager first, as a method would, or a bound method; with the marks of
                `handler`, or else for the event of its own name.

        Returns:
            The bound method, as `removeHandler` takes it.
        """
        method = f if isinstance(f, MethodType) else MethodType(f, self)
        spec = bound_spec(method)
        # Handlers are a set: to add one a second time changes nothing.
        if not any(entry.method == method and entry.names == spec.names for entry in self._evnode.entries):
            self._add_handlers([(spec, method)])
        return method

    def removeHandler(self, method: Callable[..., Any], event: str | None = None) -> None:
        """Remove a handler, for one event or for all that it handles.

        Args:
            method: the bound method that `addHandler` gave.
            event: the name of the event; None means all.
        """
        node = self._evnode
        node.entries = [kept for entry in node.entries if (kept := _without(entry, method, event)) is not None]
        names = list(self._handlers) if event is None else [event]
        gone = [name for name in names if self._discard(name, method)]
        self._evtree.plans.detach(self, gone)
        self._evtree.plans.forget(self, names)

    def _discard(self, name: str, method: Callable[..., Any]) -> bool:
        """Take one of the handlers for *name* away; tell whether none is left."""
        methods = self._handlers.get(name, set())
        methods.discard(method)
        if not methods:
            self._handlers.pop(name, None)
        return not methods

    def getHandlers(self, event: Event, channel: Any, **kwargs: Any) -> list[Callable[..., Any]]:  # noqa: ARG002
        """Give the handlers that would be called for *event* on *channel*, in the order of the calls."""
        return [method for method, _ in self._evtree.plans.find(event.name, (channel,))]

    def _add_handlers(self, handlers: list[tuple[HandlerSpec, Callable[..., Any]]]) -> None:
        names: dict[str, None] = {}
        node = self._evnode
        for spec, method in handlers:
            node.entries.append(Entry(self, method, spec.names, spec.channel, spec.priority, spec.wants_event))
            for name in spec.names or (ANY,):
                names[name] = None
                self._handlers.setdefault(name, set()).add(method)
            if isinstance(spec.channel, Manager):
                spec.channel._evnode.guests.add(self)
                node.hosts.add(spec.channel)
        self._evtree.plans.attach(self, names)

    # The tree.

    def registerChild(self, component: Any) -> None:
        """Take over a component with its subtree, its queue and its tasks. `component.register(self)` calls this.

        Raises:
            UnregistrableError: when the component is this manager or one of its ancestors, or runs a loop of its own.
        """
        if self.root is component:
            raise UnregistrableError(f"{component!r} cannot be registered with {self!r}, which is in its subtree")
        if component._evrunning:
            raise UnregistrableError(f"{component!r} runs a loop of its own; stop it before it is registered")
        old, tree = component._evtree, self._evtree
        # First, so that what other threads fire from now on comes behind what they have fired before.
        tree.absorb(old)
        self.components.add(component)
        component.parent = self
        component._evnode.position = next(POSITIONS)
        for member in component._subtree():
            member.root = self.root
            member._evtree = tree
            tree.plans.attach(member, member._handlers)
        for member in component._subtree():
            member._on_tree_changed(old, tree)
        old.retire()

    def unregisterChild(self, component: Any) -> None:
        """Let a component go; it becomes the root of its own subtree."""
        old, tree = self._evtree, Tree(component)
        self.components.discard(component)
        component.parent = component
        component._evnode.leaving = None
        members = list(component._subtree())
        for member in members:
            old.plans.detach(member, member._handlers)
            member.root = component
            member._evtree = tree
            tree.plans.attach(member, member._handlers)
        for member in members:
            member._on_tree_changed(old, tree)
        for member in members:
            # Who was about to leave as well has nobody any more who would tell it when.
            if member._evnode.leaving is not None:
                member._leave()

    def _subtree(self) -> Iterator[Any]:
        waiting: list[Any] = [self]
        while waiting:
            component = waiting.pop()
            yield component
            # Siblings in the order in which they were registered.
            waiting += sorted(component.components, key=lambda child: child._evnode.position, reverse=True)

    def _on_tree_changed(self, old: Tree, new: Tree) -> None:
        """Take along what this component has in the loop of the old tree; components that have something do."""

    def _on_process_start(self) -> None:
        """Let go, in a process made by `start`, of what only the parent can go on with; components that have it do."""

    def _on_run_end(self) -> None:
        """Close what must not outlast a run, which is over but for this; components that have such a thing do.

        One that needs more time puts itself among the `holders` of its tree, and wakes the tree once it has gone.
        """

    # Running.

    def flush(self) -> None:
        """Deliver the events that are queued now; what their handlers fire stays queued."""
        self._evtree.flush()

    flushEvents = flush  # noqa: N815 - documented name

    def tick(self, timeout: float = -1) -> None:
        """Take one turn: let every task take a step, deliver what is queued, then see to input, output and timers.

        Args:
            timeout: seconds to wait for something to happen when nothing is left to do; negative: until something
                does, but not at all unless the manager runs.
        """
        self._evtree.turn(timeout)

    _evtick = tick

    def resume(self) -> None:
        """End the sleep of the tree at once. May be called from any thread."""
        self._evtree.wake()

    def run(self, socket: Any = None) -> None:
        """Run the tree until it is stopped; fire `started` first, `stopped` at the end.

        In the main thread INT and TERM are trapped: they fire `signal`, and stop the tree.

        Args:
            socket: one end of a pair that bridges to the parent process.

        Raises:
            RuntimeError: when the tree runs already.
            SystemExit: when the tree was stopped with a code.
        """
        from ._runner import Runner  # late: most components never run

        Runner(self._evtree).run(socket)

    async def serve(self) -> None:
        """Run the tree inside the asyncio program that awaits this, until it is stopped.

        Raises:
            RuntimeError: when the tree runs already.
            SystemExit: when the tree was stopped with a code.
            asyncio.CancelledError: when the awaiting task is cancelled; the tree is stopped orderly first.
        """
        from ._runner import Runner  # late: most components never run

        await Runner(self._evtree).serve()

    def start(self, process: bool = False, link: Manager | None = None) -> tuple[Any, Any]:
        """Run the tree in a new thread, or this component in a new process, and return at once.

        The process is a fork: it has a copy of the component with its subtree, as the root of a tree of its own.
        `stop` asks it to end, and kills it if it does not within some seconds.

        Args:
            process: make a process.
            link: with a process, the tree to be joined with it by a bridge; the process then ends with this one.

        Returns:
            The thread and None, or the process and the bridge (None without a link).

        Raises:
            RuntimeError: when the tree runs already, or this system cannot fork.
        """
        from ._start import make_thread, start_process  # late: most components are never started

        if process:
            started, bridge = start_process(self, link)
            self.__process, self.__starter = started, os.getpid()
            self.__processes = (*self._own_processes(), started)
            if bridge is not None:
                # Documented: whether the process is up shows in `_bridge.ready`.
                self._bridge = bridge
            return started, bridge
        if self.root._evrunning or (self.__started is not None and self.__started.is_alive()):
            raise RuntimeError(f"{self!r} runs already")
        self.__thread = self.__started = thread = make_thread(self)
        self.root.__starting = True
        thread.start()
        return thread, None

    def join(self) -> None:
        """Wait until the thread, and the processes, made by `start` have ended."""
        for runner in (self.__started, *self._own_processes()):
            if runner is not None:
                runner.join()

    def _own_processes(self) -> tuple[Any, ...]:
        """Give the processes made by `start`; in a forked child, which is no parent of theirs, there are none."""
        return self.__processes if self.__starter == os.getpid() else ()

    def stop(self, code: int | str | None = None) -> None:
        """Have `run` deliver what is queued, tell `stopped`, and return. May be called from any thread.

        Args:
            code: with one, `run` ends with SystemExit(code).
        """
        processes = self._own_processes()
        for process in processes:
            from ._start import stop_process  # late: loaded with the first process

            stop_process(process)
        root = self.root
        # A component that was started as a process, and is part of a tree here, is not the one that ends that tree.
        if root is not self and processes:
            return
        if root.__starting:
            # The thread has not come as far as to run; it finds this when it has.
            root.__asked_to_stop = (code,)
        runner = root._evtree.runner
        if root._evrunning and runner is not None:
            runner.exit_code = code
            root.fire(stopped(root))
            root._evrunning = False
            root._evtree.wake()

    def _stop_if_asked(self) -> None:
        """Stop at once, if that was asked for between `start` and the beginning of `run`."""
        self.__starting = False
        asked, self.__asked_to_stop = self.__asked_to_stop, None
        if asked is not None:
            self.stop(*asked)

    def _turned_by_hand(self) -> Runner:
        """Give the tree, which nobody runs, what looks after its coroutines."""
        from ._runner import Runner  # late: most components never run

        self._evtree.runner = Runner(self._evtree)
        return self._evtree.runner

    def _set_thread(self, thread: Thread | None) -> None:
        self.__thread = thread

    def _forget_processes(self) -> None:
        """Become, in a forked child, the one that was started and not the one that did it."""
        self.__process = None
        self.__processes = ()

    # Tasks, by their documented names.

    def registerTask(self, g: Any) -> None:
        """Add a suspended generator: (event, generator, parent), where the parent counts for nothing."""
        task = g if isinstance(g, Task) else Task(self._evtree, g[0], None, g[1])
        if task not in self._evtree.tasks:
            self._evtree.tasks.add(task)
            suspend(task.event)
            task.resume()

    def unregisterTask(self, g: Any) -> None:
        """Forget a suspended generator, as it was given to registerTask."""
        tree = self._evtree
        for task in [task for task in tree.tasks if isinstance(task, Task)]:
            if task is g or (isinstance(g, tuple) and task.generator is g[1]):
                tree.tasks.discard(task)
                if task in tree.ready:
                    tree.ready.remove(task)
                cut_off(tree, task)

    def processTask(self, event: Event, task: Generator[Any, Any, Any], parent: Any = None) -> None:
        """Have a suspended generator of *event* advanced with the other tasks, from the next turn on."""
        self.registerTask((event, task, parent))


def _without(entry: Entry, method: Callable[..., Any], event: str | None) -> Entry | None:
    """Give what remains of a handler entry when *method* no longer handles *event* (None: no event at all)."""
    if entry.method != method or (event is not None and event not in (entry.names or (ANY,))):
        return entry
    names = tuple(name for name in entry.names if event is not None and name != event)
    return Entry(entry.owner, method, names, entry.channel, entry.priority, entry.wants_event) if names else None


def _option(function: str, name: str, kwargs: dict[str, Any], default: Any) -> Any:
    """Take the one keyword that a function with a documented `**kwargs` knows."""
    value = kwargs.pop(name, default)
    if kwargs:
        raise TypeError(f"{function}() knows the keyword {name!r}, not {', '.join(map(repr, kwargs))}")
    return value
