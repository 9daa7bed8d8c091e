"""A tree runs in the main thread, in a thread of its own, or inside the main loop of another program."""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import pytest

from circuits import Component, Event, Timer, handler, sleep
from circuits.core.events import generate_events
from support import EventRecorder, clock_of, on_manual_clock, run_until_idle, running, wait_until


class work(Event):
    """Do something."""


class Worker(Component):
    def work(self, x: int = 1, y: int = 2) -> int:
        return x + y


# ── in a thread ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tree_can_run_in_a_thread_and_be_used_from_outside() -> None:
    app = Worker()
    thread, bridge = app.start()
    value = app.fire(work(20, 22))
    wait_until(lambda: value.done)

    assert bridge is None
    assert value.value == 42
    assert "[R]" in repr(app)
    app.stop()
    app.join()
    assert not thread.is_alive()
    assert "[S]" in repr(app)


def test_stop_is_safe_right_after_start() -> None:
    for _ in range(20):
        app = Worker()
        app.start()
        app.stop()
        app.join()


def test_many_trees_run_in_many_threads_at_once() -> None:
    apps = [Worker() for _ in range(8)]
    for app in apps:
        app.start()
    values = [app.fire(work(number, 0)) for number, app in enumerate(apps)]
    wait_until(lambda: all(value.done for value in values))
    for app in apps:
        app.stop()
    for app in apps:
        app.join()

    assert [value.value for value in values] == list(range(8))


def test_a_fired_event_wakes_a_sleeping_tree_at_once() -> None:
    with running(Worker()) as app:
        wait_until(lambda: app._evtree.idle)
        begun = time.monotonic()
        value = app.fire(work())
        wait_until(lambda: value.done)

    # Polling ten times a second would take a twentieth on average; a slow machine gets a lot of time.
    assert time.monotonic() - begun < 5


def test_a_component_can_be_registered_with_a_running_tree_from_outside() -> None:
    with running(Component()) as app:
        worker = Worker().register(app)
        value = worker.fire(work(1, 1))
        wait_until(lambda: value.done)
        worker.unregister()
        wait_until(lambda: worker.parent is worker)

    assert value.value == 2


# ── in another main loop ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_main_loop_of_ones_own_ticks_the_tree() -> None:
    class App(Component):
        def init(self) -> None:
            self.log: list[str] = []

        def work(self) -> Any:
            self.log.append("begin")
            yield sleep(0.01)
            self.log.append("end")

    app = App()
    app.fire(work())
    frames = 0
    while app.log != ["begin", "end"]:
        app.tick(0.001)
        frames += 1

    assert frames > 2
    assert not app.running


def test_a_tick_of_no_time_sees_to_input() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        app = Component()
        got = []
        app._evtree.loop.poller.set_reader(ours.fileno(), lambda: got.append(ours.recv(100)))
        app.tick(0)
        assert got == []
        theirs.send(b"hello")
        app.tick(0)
        assert got == [b"hello"]
        app._evtree.loop.close()


def test_a_tick_with_a_time_returns_when_input_comes() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        app = Component()
        got = []
        app._evtree.loop.poller.set_reader(ours.fileno(), lambda: got.append(ours.recv(100)))
        threading.Timer(0.02, theirs.send, [b"hello"]).start()
        begun = time.monotonic()
        while not got:
            app.tick(30)
        assert time.monotonic() - begun < 20
        app._evtree.loop.close()


def test_timers_are_served_by_ticks() -> None:
    app = on_manual_clock(Component())
    recorder = EventRecorder().register(app)
    Timer(5, work()).register(app)
    run_until_idle(app)
    for _ in range(5):
        assert "work" not in recorder.names()
        clock_of(app).advance(1)
        app.tick(0)
    run_until_idle(app)

    assert "work" in recorder.names()


# ── sources of events, as old programs have them ─────────────────────────────────────────────────────────────────────


class Source(Component):
    """Is asked for events, and counts how often."""

    def init(self, answer: Any = None) -> None:
        self.asked: list[float] = []
        self.answer = answer

    @handler("generate_events")
    def _on_generate_events(self, event: generate_events) -> None:
        self.asked.append(self._evtree.clock.now())
        if self.answer is not None:
            self.answer(self, event)


def test_a_source_is_asked_about_ten_times_a_second() -> None:
    source = Source(lambda self, event: self.stop() if len(self.asked) == 50 else None)
    app = on_manual_clock(source)
    app.run()

    assert clock_of(app).now() == pytest.approx(4.9)


def test_a_source_that_reduces_the_time_left_is_asked_again_after_that() -> None:
    def soon(self: Source, event: generate_events) -> None:
        if len(self.asked) == 50:
            self.stop()
        event.reduce_time_left(0.01)

    app = on_manual_clock(Source(soon))
    app.run()

    assert clock_of(app).now() == pytest.approx(0.49)


def test_a_source_that_has_more_stops_the_event_and_is_asked_at_once() -> None:
    def more(self: Source, event: generate_events) -> None:
        self.fire(work(len(self.asked), 0))
        event.stop()
        if len(self.asked) == 100:
            self.stop()

    app = on_manual_clock(Source(more))
    recorder = EventRecorder().register(app)
    app.run()

    assert clock_of(app).now() == 0
    assert len(recorder.of("work")) == 100


def test_a_source_that_is_stopped_by_one_before_it_is_not_asked() -> None:
    class Selfish(Component):
        count = 0

        @handler("generate_events", priority=1)
        def _mine(self, event: generate_events) -> None:
            self.count += 1
            event.stop()
            if self.count == 20:
                self.stop()

    app = on_manual_clock(Selfish())
    source = Source().register(app)
    app.run()

    assert app.count == 20
    assert source.asked == []


def test_a_source_that_sleeps_itself_is_woken_by_its_resume_method() -> None:
    # What old pollers do: they spend the time left in a wait of their own, and offer `resume` to end it.
    class Sleeper(Component):
        def init(self) -> None:
            self.bell = threading.Event()
            self.naps = 0

        @handler("generate_events", priority=-10)
        def _nap(self, event: generate_events) -> None:
            self.naps += 1
            self.bell.wait(min(event.time_left, 0.5) if event.time_left >= 0 else 0.5)
            self.bell.clear()
            event.stop()

        @handler(False)
        def resume(self) -> None:
            self.bell.set()

        def work(self) -> str:
            return "done"

    with running(Sleeper()) as app:
        wait_until(lambda: app.naps > 1)
        value = app.fire(work())
        app.resume()
        wait_until(lambda: value.done)

    assert value.value == "done"


def test_reducing_the_time_left_to_nothing_from_another_thread_wakes_the_tree() -> None:
    events: list[generate_events] = []
    source = Source(lambda self, event: events.append(event))
    with running(source):
        wait_until(lambda: source._evtree.idle)
        count = len(source.asked)
        events[-1].reduce_time_left(0)
        wait_until(lambda: len(source.asked) > count)


def test_nobody_is_asked_while_the_tree_does_not_run() -> None:
    app = Source()
    for _ in range(5):
        app.tick()

    assert app.asked == []


def test_a_tree_without_sources_uses_no_processor_time_while_nothing_happens() -> None:
    with running(Worker()) as app:
        wait_until(lambda: app._evtree.idle)
        before = time.process_time()
        time.sleep(0.3)  # real time has to pass: it is the point
        assert time.process_time() - before < 0.1


# ── old ways to end ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_switching_running_off_drains_the_queue_and_returns() -> None:
    class App(Component):
        def init(self) -> None:
            self.recorder = EventRecorder().register(self)

        @handler(False)
        def tick(self, timeout: float = -1) -> None:
            super().tick(timeout)
            if "started" in self.recorder.names() and self.running:
                self.fire(work())
                self._running = False

    app = App()
    app.run()

    assert app.recorder.names() == ["started", "work"]


def test_the_thread_is_none_after_the_run() -> None:
    app = Component()
    app.start()
    assert app._Manager__thread is not None  # type: ignore[attr-defined]
    app.stop()
    app.join()

    assert app._Manager__thread is None  # type: ignore[attr-defined]
    assert app._running is False
