"""Running a tree: alone, on an asyncio loop of its own or of somebody else, by hand; and its orderly end."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Any

import pytest

from circuits import Component, Event, Timer, handler, sleep
from circuits.core import _runner
from support import EventRecorder, on_manual_clock, running, turn_until


class work(Event):
    pass


class Recording(Component):
    """Has a recorder."""

    def init(self) -> None:
        self._recorder = EventRecorder().register(self)

    def _names(self) -> list[str]:
        return self._recorder.names()


# ── beginning ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_begins_with_started_and_ends_with_stopped() -> None:
    class App(Recording):
        def started(self, manager: Any) -> None:
            assert manager is self
            assert self.running
            self.stop()

        def stopped(self, manager: Any) -> None:
            assert manager is self
            assert not self.running

    app = App()
    app.run()

    assert app._names() == ["started", "stopped"]
    assert not app.running


def test_a_tree_that_runs_cannot_be_run_again() -> None:
    errors = []

    class App(Component):
        def started(self, *_: object) -> None:
            try:
                self.run()
            except RuntimeError as error:
                errors.append(str(error))
            self.stop()

    App().run()

    assert len(errors) == 1
    assert "runs already" in errors[0]


def test_a_component_runs_the_tree_it_is_in() -> None:
    class Child(Component):
        def started(self, manager: Any) -> None:
            assert manager is self.root
            self.stop()

    app = Component()
    child = Child().register(app)
    child.run()

    assert not app.running


def test_a_tree_can_run_once_more_after_its_end() -> None:
    class App(Recording):
        def started(self, *_: object) -> Any:
            yield
            self.stop()

    app = App()
    app.run()
    app.run()

    assert app._names() == ["started", "stopped", "started", "stopped"]


def test_what_was_fired_before_the_run_comes_before_started() -> None:
    class App(Recording):
        def started(self, *_: object) -> None:
            self.stop()

    app = App()
    app.fire(work())
    app.run()

    assert app._names() == ["work", "started", "stopped"]


def test_a_stop_between_start_and_the_beginning_of_the_run_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    # It was lost, and the thread ran for ever.
    gate = threading.Event()

    class App(Recording):
        def run(self, socket: Any = None) -> None:
            gate.wait(10)
            super().run(socket)

    app = App()
    app.start()
    app.stop()
    gate.set()
    app.join()

    assert app._names() == ["started", "stopped"]


def test_a_stop_before_the_start_does_not_count() -> None:
    class App(Recording):
        def started(self, *_: object) -> Any:
            yield
            yield
            self.fire(work())
            self.stop()

    app = App()
    app.stop()
    app.run()

    assert app._names() == ["started", "work", "stopped"]


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_queued_at_a_stop_is_delivered_and_what_that_causes() -> None:
    class App(Recording):
        def started(self, *_: object) -> None:
            self.fire(Event.create("one"))
            self.stop()
            self.fire(Event.create("two"))

        def stopped(self, *_: object) -> None:
            self.fire(Event.create("three"))

        def three(self) -> None:
            self.fire(Event.create("four"))

    app = App()
    app.run()

    assert app._names() == ["started", "one", "stopped", "two", "three", "four"]


def test_switching_running_off_drains_and_returns_without_stopped() -> None:
    # A subclass may do that after a turn that has nothing to do, and must not wait for ever for its end.
    class App(Recording):
        ticks = 0

        def started(self, *_: object) -> None:
            self.fire(work())

        @handler(False)
        def tick(self, timeout: float = -1) -> None:
            super().tick(timeout)
            self.ticks += 1
            if self.ticks == 4:
                self.fire(Event.create("rest"))
                self._running = False

    app = App()
    app.run()

    assert app._names() == ["started", "work", "rest"]


def test_switching_running_off_in_another_thread_ends_the_run() -> None:
    class App(Recording):
        def started(self, *_: object) -> None:
            threading.Timer(0.02, switch_off).start()

    def switch_off() -> None:
        app._running = False

    app = App()
    app.run()

    assert not app.running
    assert app._names() == ["started"]


def test_a_generator_that_waits_at_the_end_is_closed_and_may_still_fire() -> None:
    # What its `finally` fired used to lie in the queue for ever.
    class App(Recording):
        def started(self, *_: object) -> Any:
            self.stop()
            try:
                yield self.wait("never")
            finally:
                self.fire(Event.create("goodbye"))

    app = App()
    app.run()

    assert app._names() == ["started", "stopped", "goodbye"]
    assert len(app) == 0


def test_a_generator_that_would_turn_for_ever_is_closed_after_some_turns() -> None:
    turns = 0

    class App(Component):
        def started(self, *_: object) -> Any:
            nonlocal turns
            self.stop()
            while True:
                turns += 1
                yield

    App().run()

    assert _runner.LAST_TURNS <= turns <= _runner.LAST_TURNS + 3


def test_a_generator_that_turns_for_ever_does_not_keep_a_hosted_tree_running() -> None:
    # It did: the host was told that there was work at hand, always.
    class App(Component):
        async def started(self, *_: object) -> None:
            self.fire(work())
            await sleep(0)
            self.stop()

        def work(self) -> Any:
            while True:
                yield

    App().run()


@pytest.mark.parametrize("stubborn", [True, False])
def test_a_generator_that_fails_when_it_is_closed_does_not_spoil_the_end(
    stubborn: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    # Its error left `run`, before the signal handlers were given back.
    class App(Recording):
        def started(self, *_: object) -> Any:
            self.stop()
            try:
                yield self.wait("never")
            finally:
                if stubborn:
                    yield
                raise ZeroDivisionError

    before = signal.getsignal(signal.SIGINT)
    app = App()
    app.run()

    assert app._names() == ["started", "stopped", "exception"]
    assert signal.getsignal(signal.SIGINT) is before
    assert ("generator ignored GeneratorExit" if stubborn else "ZeroDivisionError") in capsys.readouterr().err


def test_an_event_whose_handler_was_cut_off_is_done_but_no_success() -> None:
    class App(Recording):
        def started(self, *_: object) -> None:
            event = work()
            event.success = event.complete = event.alert_done = True
            self.value = self.fire(event)
            self.stop()

        def work(self) -> Any:
            yield self.wait("never")

    app = App()
    app.run()

    assert app.value.done
    assert app._names() == ["started", "work", "stopped", "work_done", "work_complete"]


def test_an_endless_storm_of_events_ends_with_a_word_about_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # A stop used to wait for the end of something that has none.
    class Storm(Component):
        count = 0

        def started(self, *_: object) -> None:
            self.fire(work())

        def work(self) -> None:
            self.count += 1
            self.fire(work())
            if self.count == 10:
                self.stop()

    monkeypatch.setattr(_runner, "STORM_SECONDS", 0.0)
    storm = Storm()
    storm.run()

    assert _runner.STORM_TURNS <= storm.count <= _runner.STORM_TURNS + 20
    assert len(storm) == 0
    assert "was stopped, but its events go on causing events: they are dropped" in capsys.readouterr().err


def test_a_long_way_to_the_end_is_not_taken_for_a_storm() -> None:
    class Long(Component):
        count = 0

        def started(self, *_: object) -> None:
            self.stop()
            self.fire(work())

        def work(self) -> None:
            self.count += 1
            if self.count < 5 * _runner.STORM_TURNS:
                self.fire(work())

    app = Long()
    app.run()

    assert app.count == 5 * _runner.STORM_TURNS


def test_few_turns_that_take_long_are_not_taken_for_a_storm() -> None:
    class Slow(Component):
        count = 0

        def started(self, *_: object) -> None:
            self.stop()
            self.fire(work())

        def work(self) -> None:
            self.count += 1
            self._evtree.clock.advance(60)  # type: ignore[attr-defined]
            if self.count < 100:
                self.fire(work())

    app = on_manual_clock(Slow())
    app.run()

    assert app.count == 100


def test_a_hosted_storm_ends_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    class Storm(Component):
        async def started(self, *_: object) -> None:
            self.fire(work())
            self.stop()

        def work(self) -> None:
            self.fire(work())

    monkeypatch.setattr(_runner, "STORM_SECONDS", 0.0)
    Storm().run()

    assert "they are dropped" in capsys.readouterr().err


# ── signals (more in processes of their own: tests/behaviour) ────────────────────────────────────────────────────────


def test_signals_are_watched_while_the_main_thread_runs_and_given_back() -> None:
    # Without this a signal that comes just before the poller falls asleep is handled when something else wakes it.
    seen = []

    class App(Component):
        def started(self, *_: object) -> None:
            seen.append(signal.set_wakeup_fd(-1))
            signal.set_wakeup_fd(seen[0])
            seen.append(signal.getsignal(signal.SIGTERM))
            self.stop()

    before = [signal.getsignal(number) for number in _runner.SIGNALS]
    App().run()

    assert seen[0] != -1
    assert seen[1] != before[1]
    assert [signal.getsignal(number) for number in _runner.SIGNALS] == before
    assert signal.set_wakeup_fd(-1) == -1


def test_another_thread_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    with running(Component()):
        assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_is_not_caused_by_the_handler_that_it_interrupts() -> None:
    class App(Recording):
        def started(self, *_: object) -> None:
            signal.raise_signal(signal.SIGTERM)

    app = App()
    app.run()

    (event,) = app._recorder.of("signal")
    assert event.cause is None


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


class Async(Component):
    """Answers `work` after some steps of asyncio."""

    async def work(self, steps: int = 3) -> str:
        for _ in range(steps):
            await asyncio.sleep(0)
        return "done"


def test_a_tree_that_is_turned_by_hand_gives_its_coroutines_steps() -> None:
    app = Async()
    value = app.fire(work())
    turn_until(app, lambda: value.done)

    assert value.value == "done"


def test_sleeping_turns_by_hand_do_not_hold_coroutines_up() -> None:
    # Each step of a coroutine used to wait for the whole time that the turn was given.
    app = Async()
    value = app.fire(work(20))
    before = app._evtree.clock.now()
    for _ in range(40):
        app.tick(60)
        if value.done:
            break

    assert value.done
    assert app._evtree.clock.now() - before < 30


def test_the_asyncio_loop_of_a_tree_that_is_turned_by_hand_is_closed_after_the_last_coroutine() -> None:
    app = Async()
    value = app.fire(work())
    turn_until(app, lambda: value.done)
    app.tick()
    assert app._evtree.runner is not None
    assert app._evtree.runner._by_hand is None

    value = app.fire(work())
    turn_until(app, lambda: value.done)
    app.tick()


def test_coroutines_begun_by_hand_go_on_when_the_tree_is_run() -> None:
    app = Async()
    event = work(50)
    event.success = True
    app.addHandler(handler("work_success")(lambda self, *_: self.stop()))
    value = app.fire(event)
    app.tick()
    app.tick()
    assert not value.done
    app.run()

    assert value.value == "done"


def test_a_tree_turned_by_hand_inside_an_asyncio_program_uses_its_loop() -> None:
    # The coroutine was cancelled before its first step, as if the tree, which never ran, had been stopped.
    app = Async()

    async def main() -> str:
        value = app.fire(work())
        app.tick()
        async with asyncio.timeout(10):
            return str(await value)

    assert asyncio.run(main()) == "done"
    assert asyncio.run(main()) == "done"


def test_an_asyncio_program_may_end_while_a_tree_has_coroutines_on_its_loop() -> None:
    class App(Component):
        async def work(self) -> str:
            await self.wait("go_on")
            return "done"

    app = App()

    async def main() -> Any:
        value = app.fire(work())
        app.tick()
        await asyncio.sleep(0)
        return value

    assert asyncio.run(main()).done
    assert app._evtree.waiters == {}

    async def again() -> Any:
        value = app.fire(work())
        app.tick()
        await asyncio.sleep(0)
        app.fire(Event.create("go_on"))
        return await value

    assert asyncio.run(again()) == "done"


# ── hosted ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_coroutine_that_cleans_up_when_it_is_cancelled_is_waited_for_and_not_cancelled_again() -> None:
    # Every turn of the stop cancelled it once more, in the middle of its cleaning up.
    log = []

    class App(Component):
        async def started(self, *_: object) -> None:
            Timer(0.01, Event.create("end")).register(self)
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                for number in range(3):
                    self.fire(Event.create("cleaning", number))
                    await asyncio.sleep(0.01)
                log.append("clean")
                raise

        def cleaning(self, number: int) -> None:
            log.append(str(number))

        def end(self) -> None:
            self.stop()

    App().run()

    assert log == ["0", "1", "2", "clean"]


def test_a_tree_that_waits_for_its_coroutines_to_end_does_not_spin() -> None:
    turns = 0

    class App(Component):
        def tick(self, timeout: float = -1) -> None:
            nonlocal turns
            turns += 1
            super().tick(timeout)

        async def started(self, *_: object) -> None:
            self.stop()
            try:
                await asyncio.sleep(1000)
            finally:
                await asyncio.sleep(0.2)

    App().run()

    assert turns < 50


def test_a_coroutine_that_is_begun_by_the_stop_may_end_in_peace() -> None:
    log = []

    class App(Component):
        async def started(self, *_: object) -> None:
            self.stop()

        async def stopped(self, *_: object) -> None:
            await asyncio.sleep(0.01)
            log.append(await self.call(Event.create("last")))

        async def last(self) -> str:
            await asyncio.sleep(0.01)
            return "words"

    App().run()

    assert log == ["words"]


@pytest.mark.parametrize("code", [3, "for a reason", None])
def test_a_coroutine_may_end_the_program_with_a_code(code: Any) -> None:
    class App(Recording):
        async def started(self, *_: object) -> None:
            self.fire(work())
            await asyncio.sleep(0)
            self.fire(Event.create("more"))
            raise SystemExit(code)

    app = App()
    if code is None:
        app.run()
    else:
        with pytest.raises(SystemExit) as info:
            app.run()
        assert info.value.code == code

    assert app._names() == ["started", "work", "more", "stopped"]


def test_a_keyboard_interrupt_in_a_coroutine_stops_the_tree_like_one_in_a_function() -> None:
    class App(Recording):
        async def started(self, *_: object) -> None:
            raise KeyboardInterrupt

    app = App()
    app.run()

    assert app._names() == ["started", "stopped"]


def test_a_tree_is_hosted_from_the_first_coroutine_on_and_knows_no_asyncio_before() -> None:
    hosted = []

    class App(Component):
        def started(self, *_: object) -> None:
            hosted.append(self._evtree.runner._host)  # type: ignore[union-attr]
            self.fire(work())

        async def work(self) -> None:
            hosted.append(self._evtree.runner._host)  # type: ignore[union-attr]
            self.stop()

    App().run()

    assert hosted[0] is None
    assert hosted[1] is not None


def test_serving_ends_with_the_code_of_the_stop() -> None:
    class App(Component):
        @handler("started")
        def leave(self, *_: object) -> None:
            self.stop(4)

    async def main() -> int:
        try:
            await App().serve()
        except SystemExit as leaving:
            return int(str(leaving.code))
        return 0

    assert asyncio.run(main()) == 4


# ── what must not outlast a run ──────────────────────────────────────────────────────────────────────────────────────


class slow_end(Event):
    pass


class Slow(Component):
    """Needs two looks at the clock, and a third from another thread, before it is closed."""

    def init(self) -> None:
        self._asked = 0

    def _on_run_end(self) -> None:
        self._asked += 1
        self._evtree.holders.add(self)
        self._evtree.loop.call_later(0.01, lambda: threading.Thread(target=self._say).start())

    def _say(self) -> None:
        self.fire(slow_end())

    def slow_end(self) -> None:
        self._evtree.holders.discard(self)


@pytest.mark.parametrize("has_coroutines", [False, True])
def test_a_run_ends_when_its_components_have_closed_what_they_must(has_coroutines: bool) -> None:
    class App(Recording):
        def started(self, *_: Any) -> None:
            self.fire(work())

        if has_coroutines:

            async def work(self) -> None:
                self.stop()

        else:

            def work(self) -> None:
                self.stop()

    app = App()
    slow = Slow().register(app)
    app.run()

    assert slow._asked == 1
    assert app._names()[-2:] == ["stopped", "slow_end"]
    assert not app._evtree.holders


def test_a_run_that_waits_for_a_component_sleeps_meanwhile() -> None:
    class App(Recording):
        turns = 0

        def started(self, *_: Any) -> None:
            self.stop()

        def tick(self, timeout: float = -1) -> None:
            App.turns += 1
            super().tick(timeout)

    Slow().register(app := App())
    app.run()

    assert App.turns < 30
