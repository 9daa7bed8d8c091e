"""Run a tree: standalone until the first coroutine appears, then on an asyncio loop, in place.

    run ──▶ standalone ──── first coroutine ───▶ hosted by a loop of its own ──▶ stopped
               ▲                                      │
               └──────────── in a forked child ◀──────┘
    serve ──▶ hosted by the loop that runs ──▶ stopped
    tick by hand, with coroutines ──▶ a loop of its own, one step per turn

Rule 1: the poller, the timers and the queue are the same all the way; only who calls `tick` changes.
Rule 2: a stop is orderly: what is queued is delivered, `stopped` and what that causes included; then generators are
closed, coroutines cancelled and awaited, and what those fire with their last breath is delivered, too;
last of all components close what must not outlast the run.
Rule 3: a stop ends. Events that go on causing events are dropped after `STORM_TURNS` turns and `STORM_SECONDS` seconds;
a second signal ends everything at once.
"""

from __future__ import annotations

import signal
from threading import current_thread, main_thread
from typing import TYPE_CHECKING, Any

from ._story import say_on_stderr
from ._tasks import Task, cut_off
from ._tree import BUSY_TURNS, LAST_SLEEP, TIMEOUT
from .events import signal as signal_event
from .events import started, stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from evkernel.hosted import ByHand, Host

    from ._coroutines import CoroutineTask
    from ._tree import Tree

__all__ = ["Runner"]

#: Turns that suspended generators are given after a stop to come to their end before they are closed.
LAST_TURNS = 16
#: What a stop waits for at the least, in turns and in seconds both: a long way to the end is not mistaken for a circle.
STORM_TURNS = 1000
STORM_SECONDS = 2.0

#: Seconds that a turn by hand sleeps at the most while there are coroutines: asyncio does not tell whether they have
#: something to do.
STEP_PAUSE = 0.01

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
        #: What a second signal has raised, to end everything at once.
        self.forced: BaseException | None = None
        self._host: Host | None = None
        self._by_hand: ByHand | None = None
        self._unstarted: list[CoroutineTask] = []
        self._old_signals: dict[int, Any] = {}
        #: Seconds that a turn sleeps at the most.
        self._nap: float | None = None
        self._begun = False
        self._closing = False
        self._last_turns = LAST_TURNS
        self._turns_since_stop = 0
        self._stopped_at = 0.0

    # The three ways to run.

    def run(self, socket: Any = None) -> None:
        """Run until stopped, in the calling thread; see `Manager.run`."""
        self._begin()
        try:
            if socket is not None:
                self._bridge(socket)
            if current_thread() is main_thread():
                self.tree.loop.watch_signals()
            self._turn_standalone()
            while self._unstarted or self._by_hand is not None:
                self._turn_hosted()
                self._turn_standalone()
        finally:
            self.tree.loop.unwatch_signals()
            self._end()
        if self.exit_code is not None:
            raise SystemExit(self.exit_code)

    async def serve(self) -> None:
        """Run until stopped, inside the asyncio program that awaits this; see `Manager.serve`."""
        from evkernel import hosted  # late: brings asyncio, which most programs do without

        self._begin()
        host = self._make_host(self._hosted_turn, on_fork=self._serve_in_child)
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
            self._nap = None
            self.stepping = False
            return
        self._by_hand.step()
        if not any(self._coroutines()):
            self._by_hand.close()
            self._by_hand = None

    # What the tree asks for.

    def wake(self) -> None:
        """End the sleep, wherever the tree sleeps. Safe in any thread and any signal handler."""
        if self._host is not None and self._host.attached:
            self._host.wake()
        else:
            self.tree.loop.wake()

    def longest_sleep(self, wanted: float | None) -> float | None:
        """Give how long a turn may sleep that would sleep for *wanted* seconds; None is for ever."""
        limit = 0 if self.sleepless else self._nap
        return wanted if limit is None else limit if wanted is None else min(wanted, limit)

    def start_coroutine(self, task: CoroutineTask) -> None:
        """Run a coroutine on the host, now or as soon as there is one."""
        host = self._host
        if host is not None and host.attached:
            task.start(host)
        elif self.tree.root._evrunning:
            self._unstarted.append(task)
            self.sleepless = True
        else:
            self._start_by_hand(task)

    def coroutine_ended(self) -> None:
        """Go on with what waits for the end of the coroutines."""
        if self._begun:
            if self.tree.idle:
                self.tree.wake()
        elif self._host is not None and not any(self._coroutines()):
            self._leave_host()

    def _start_by_hand(self, task: CoroutineTask) -> None:
        from evkernel import hosted  # late: loaded already, with the coroutine

        if hosted.is_running():
            host = self._make_host(self._hand_turn)
            host.attach()
            self.sleepless = True
            task.start(host)
            return
        if self._by_hand is None:
            self._by_hand = hosted.ByHand()
            self._nap = STEP_PAUSE
            self.stepping = True
        task.start(self._by_hand)

    # Beginning and ending.

    def _begin(self) -> None:
        tree, root = self.tree, self.tree.root
        if root._evrunning:
            raise RuntimeError(f"{root!r} runs already")
        if tree.runner is not None:
            # It has been turned by hand: its coroutines go on here.
            self._by_hand = tree.runner._by_hand
            tree.runner._leave_host()
        tree.runner = self
        # Made before anybody can see that we run: from then on other threads may ask for it.
        _ = tree.loop
        if getattr(root.tick, "__func__", None) is not type(root)._evtick:
            # A subclass takes turns of its own; what it looks at between two of them does not wake us.
            self._nap = TIMEOUT
        # Before anybody can stop it.
        root.fire(started(root))
        self._begun = root._evrunning = True
        root._set_thread(current_thread())
        if current_thread() is main_thread():
            for number in SIGNALS:
                self._old_signals[number] = signal.signal(number, self._on_signal)
        root._stop_if_asked()

    def _end(self) -> None:
        tree, root = self.tree, self.tree.root
        root._evrunning = False
        tree.holders.clear()
        self._close_generators()
        for number, handler in self._old_signals.items():
            # None stands for a handler that was not installed from Python and cannot be put back from there.
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        tree.runner = None
        tree.idle = False
        root._set_thread(None)

    def _on_signal(self, signo: int, stack: Any) -> None:
        tree = self.tree
        if not tree.root._evrunning:
            # Asked again while it stops: whoever waits for a handler that does not end can leave at once.
            self.forced = KeyboardInterrupt() if signo == signal.SIGINT else SystemExit(128 + signo)
            raise self.forced
        # The handler that happens to be interrupted is not the one who fires it.
        current, tree.current = tree.current, None
        tree.root.fire(signal_event(signo, stack))
        tree.current = current

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
        root = self.tree.root
        while (root._evrunning or self._has_more()) and not (self._unstarted or self._by_hand):
            root.tick()
            self._leave_if_forced()

    def _has_more(self) -> bool:
        """Once stopped, tell whether another turn is wanted; close the generators when none is."""
        tree = self.tree
        if tree.queue:
            # Those who hold the run have deadlines of their own, and may have a lot to say until then.
            return bool(tree.holders) or not self._is_storm()
        if tree.ready and self._last_turns > 0:
            self._last_turns -= 1
            return True
        if not self._is_closed():
            # What comes of it is heard by those who wait for it.
            self._last_turns = LAST_TURNS
            return True
        if not tree.queue:
            self._close_generators()
        return bool(tree.queue)

    def _is_closed(self) -> bool:
        """Have the components close what must not outlast the run, once; tell whether all is closed."""
        if not self._closing:
            self._closing = True
            for member in list(self.tree.root._subtree()):
                member._on_run_end()
        return not self.tree.holders

    def _is_storm(self) -> bool:
        """Tell whether events go on causing events for ever, as far as one can tell; drop them then."""
        tree = self.tree
        now = tree.clock.now()
        if self._turns_since_stop == 0:
            self._stopped_at = now
        self._turns_since_stop += 1
        if self._turns_since_stop <= STORM_TURNS or now - self._stopped_at <= STORM_SECONDS:
            return False
        say_on_stderr(f"{tree.root!r} was stopped, but its events go on causing events: they are dropped\n")
        tree.queue.clear()
        return True

    def _leave_if_forced(self) -> None:
        if self.forced is not None:
            raise self.forced

    def _turn_hosted(self) -> None:
        host = self._make_host(self._hosted_turn)
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
        assert self._host is not None
        tree.idle = False
        while self._unstarted:
            self._unstarted.pop(0).start(self._host)
        self._turn_while_busy()
        if tree.busy and root._evrunning:
            return 0
        if not root._evrunning:
            if self._has_more():
                # What is being closed wakes the tree; all else is to be done at once.
                return 0 if tree.busy or not tree.holders else self._doze()
            if self._is_over():
                self._host.stop()
                return None
            # The end of the last coroutine wakes the tree.
            tree.sleep = None
        return self._doze()

    def _hand_turn(self) -> float | None:
        """Do the same for a tree that nobody runs, but that has coroutines on a loop which somebody runs."""
        self.tree.idle = False
        self._turn_while_busy()
        return 0 if self.tree.busy else self._doze()

    def _turn_while_busy(self) -> None:
        for _ in range(BUSY_TURNS):
            self.tree.root.tick()
            self._leave_if_forced()
            if not self.tree.busy:
                break

    def _doze(self) -> float | None:
        tree = self.tree
        tree.idle = True
        # Whoever fired before the line above did not wake the host.
        if tree.queue or tree.ready:
            return 0
        return LAST_SLEEP if tree.holders else tree.sleep

    def _is_over(self) -> bool:
        """Cancel the coroutines that are left; tell whether all have ended.

        Those that the stop itself has begun are there to clean up, and are let be.
        """
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

    def _make_host(self, turn: Callable[[], float | None], on_fork: Any = None) -> Host:
        from evkernel import hosted  # late: brings asyncio, which most programs do without

        self._host = hosted.Host(self.tree.loop, turn, on_fork=on_fork)
        return self._host

    def _coroutines(self) -> Iterator[CoroutineTask]:
        return (task for task in self.tree.tasks if not isinstance(task, Task))

    def _abandon_coroutines(self) -> None:
        for task in list(self._coroutines()):
            task.abandon()

    def _close_generators(self) -> None:
        tree = self.tree
        tree.ready.clear()
        for task in [task for task in tree.tasks if isinstance(task, Task)]:
            tree.tasks.discard(task)
            cut_off(tree, task)
