"""Run a tree: standalone until the first coroutine appears, then on an asyncio loop, in place.

    run ──▶ standalone ──── first coroutine ───▶ hosted by a loop of its own ──▶ stopped
               ▲                                      │
               └──────────── in a forked child ◀──────┘
    serve ──▶ hosted by the loop that runs ──▶ stopped
    tick by hand, with coroutines ──▶ a loop of its own, one step per turn

Rule 1: the poller, the timers and the queue are the same all the way; only who calls `tick` changes.
Rule 2: a stop is orderly: what is queued is delivered, `stopped` and what that causes included; then coroutines are
cancelled and awaited, components close what must not outlast the run, and generators are closed.
"""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from ._tasks import Task
from ._tree import BUSY_TURNS
from .events import signal as signal_event
from .events import started, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from evkernel.hosted import ByHand, Host

    from ._coroutines import CoroutineTask
    from ._tree import Tree

__all__ = ["Runner"]

#: Turns that suspended generators are given after a stop to come to their end before they are closed.
LAST_TURNS = 16
#: Seconds that a turn sleeps at the most while something is being closed; whoever has closed it wakes the tree.
LAST_SLEEP = 1.0

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Runner:
    """Run one tree.

    Args:
        tree: what to run.
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.exit_code: int | str | None = None
        #: Whether a turn must not sleep: an asyncio loop decides when the next one comes, or is about to.
        self.sleepless = False
        #: Whether the tree is turned by hand and has coroutines that want steps, too.
        self.stepping = False
        self._host: Host | None = None
        self._by_hand: ByHand | None = None
        self._unstarted: list[CoroutineTask] = []
        self._old_signals: dict[int, Any] = {}
        self._closing = False

    # The three ways to run.

    def run(self, socket: Any = None) -> None:
        """Run until stopped, in the calling thread; see `Manager.run`."""
        self._begin()
        try:
            if socket is not None:
                self._bridge(socket)
            self._turn_standalone()
            while self._unstarted or self._by_hand is not None:
                self._turn_hosted()
                self._turn_standalone()
        finally:
            self._end()
        if self.exit_code is not None:
            raise SystemExit(self.exit_code)

    async def serve(self) -> None:
        """Run until stopped, inside the asyncio program that awaits this; see `Manager.serve`."""
        from evkernel import hosted  # late: brings asyncio, which most programs do without

        self._begin()
        host = self._make_host(on_fork=self._serve_in_child)
        try:
            self.sleepless = True
            await hosted.serve_to_the_end(host, self.tree.root.stop)
        finally:
            self.sleepless = False
            self._end()
        if self.exit_code is not None:
            raise SystemExit(self.exit_code)

    def step(self) -> None:
        """Let the coroutines of a tree that is turned by hand go one step."""
        if self._by_hand is None:
            return
        if any(self._coroutines()):
            self._by_hand.step()
        else:
            self._by_hand.close()
            self._by_hand = None
            self.stepping = False

    # What the tree asks for.

    def wake(self) -> None:
        """End the sleep, wherever the tree sleeps. Safe in any thread and any signal handler."""
        if self._host is not None and self._host.attached:
            self._host.wake()
        else:
            self.tree.loop.wake()

    def start_coroutine(self, task: CoroutineTask) -> None:
        """Run a coroutine on the host, now or as soon as there is one."""
        host = self._host
        if host is not None and host.attached:
            task.start(host)
        elif self.tree.root._running:
            self._unstarted.append(task)
            self.sleepless = True
        else:
            self._start_by_hand(task)

    def _start_by_hand(self, task: CoroutineTask) -> None:
        from evkernel import hosted  # late: loaded already, with the coroutine

        if hosted.is_running():
            host = self._make_host()
            host.attach()
            self.sleepless = True
            task.start(host)
            return
        if self._by_hand is None:
            self._by_hand = hosted.ByHand()
            self.stepping = True
        task.start(self._by_hand)

    # Beginning and ending.

    def _begin(self) -> None:
        tree, root = self.tree, self.tree.root
        if root._running:
            raise RuntimeError(f"{root!r} runs already")
        if tree.runner is not None:
            # It has been turned by hand: its coroutines go on here.
            self._by_hand = tree.runner._by_hand
            tree.runner._leave_host()
        tree.runner = self
        # Made before anybody can see that we run: from then on other threads may ask for it.
        loop = tree.loop
        root._running = True
        root._set_thread(current_thread())
        if current_thread() is main_thread():
            for number in SIGNALS:
                self._old_signals[number] = signal.signal(number, self._on_signal)
            # A handler wakes no loop that falls asleep at this very moment, nor an asyncio loop that goes on sleeping.
            loop.watch_signals()
        root.fire(started(root))

    def _end(self) -> None:
        tree, root = self.tree, self.tree.root
        root._running = False
        tree.holders.clear()
        self._close_generators()
        for number, handler in self._old_signals.items():
            # None stands for a handler that was not installed from Python and cannot be put back from there.
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        if self._old_signals:
            tree.loop.unwatch_signals()
        tree.runner = None
        tree.idle = False
        root._set_thread(None)

    def _on_signal(self, signo: int, stack: Any) -> None:
        if not self.tree.root._running:
            # Asked again while it stops: whoever waits for a handler that does not end can leave at once.
            if signo == signal.SIGINT:
                raise KeyboardInterrupt
            raise SystemExit(128 + signo)
        self.tree.root.fire(signal_event(signo, stack))

    def _leave_host(self) -> None:
        if self._host is not None:
            self._host.detach()
            self._host = None
        self.sleepless = self.stepping = False

    def _bridge(self, socket: Any) -> None:
        root = self.tree.root
        bridge = root._evbridge(socket, channel=f"bridge-{root.name}")
        # When the parent dies without a word nobody is left to stop this process.
        bridge._stops_with_peer = True
        root._bridge = bridge.register(root)

    # Turning.

    def _turn_standalone(self) -> None:
        tree, root = self.tree, self.tree.root
        while (root._running or tree.queue) and not (self._unstarted or self._by_hand):
            root.tick()
        if not self._unstarted:
            self._last_turns()
            while not (self._by_hand or self._is_closed()):
                tree.turn(LAST_SLEEP)
            self._last_turns()

    def _is_closed(self) -> bool:
        """Have the components close what must not outlast the run, once; tell whether all is closed."""
        if not self._closing:
            self._closing = True
            for member in list(self.tree.root._subtree()):
                member._on_run_end()
        return not self.tree.holders

    def _last_turns(self) -> None:
        for _ in range(LAST_TURNS):
            if not self.tree.busy:
                return
            self.tree.root.tick()

    def _turn_hosted(self) -> None:
        host = self._make_host()
        by_hand, self._by_hand = self._by_hand, None
        self.sleepless = True
        try:
            host.run(None if by_hand is None else lambda: by_hand.aio)
        finally:
            self.sleepless = False
            self._host = None
        if host.lost:
            self._abandon_coroutines()

    def _hosted_turn(self) -> float | None:
        """Do all that needs no waiting; give the seconds until more may be done, None for ever."""
        tree, root = self.tree, self.tree.root
        tree.idle = False
        while self._unstarted:
            assert self._host is not None
            self._unstarted.pop(0).start(self._host)
        for _ in range(BUSY_TURNS):
            root.tick()
            if not tree.busy:
                break
        if tree.busy:
            return 0
        if self._is_over():
            assert self._host is not None
            self._host.stop()
            return None
        tree.idle = True
        # Whoever fired before the line above did not wake the host.
        if tree.queue or tree.ready:
            return 0
        return LAST_SLEEP if tree.holders else tree.sleep

    def _is_over(self) -> bool:
        """Once stopped, cancel the coroutines that are left; tell whether all have ended, and all is closed.

        Those that the stop itself has begun are there to clean up, and are let be.
        """
        if self.tree.root._running:
            return False
        left = list(self._coroutines())
        for task in left:
            if not any(isinstance(event, stopped) for event in (task.event, *task.event.causes())):
                task.cancel()
        return not left and self._is_closed()

    def _serve_in_child(self) -> None:
        """Go on standalone in a child forked by a handler; the asyncio loop is its parent's."""
        self.sleepless = False
        self._host = None
        self._abandon_coroutines()
        self._turn_standalone()
        while self._unstarted:
            self._turn_hosted()
            self._turn_standalone()
        self._end()

    def _make_host(self, on_fork: Any = None) -> Host:
        from evkernel import hosted  # late: brings asyncio, which most programs do without

        self._host = hosted.Host(self.tree.loop, self._hosted_turn, on_fork=on_fork)
        return self._host

    def _coroutines(self) -> Iterator[CoroutineTask]:
        return (task for task in self.tree.tasks if not isinstance(task, Task))

    def _abandon_coroutines(self) -> None:
        for task in list(self._coroutines()):
            task.abandon()

    def _close_generators(self) -> None:
        for task in list(self.tree.tasks):
            if isinstance(task, Task):
                task.cancel()
                self.tree.tasks.discard(task)
        self.tree.ready.clear()
