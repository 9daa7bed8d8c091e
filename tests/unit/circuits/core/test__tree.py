"""What the components of one tree share, and one turn over it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from circuits import Component, Event, Timer, handler, sleep
from circuits.core import _tree
from circuits.core._tree import Tree
from support import EventRecorder, clock_of, on_manual_clock, pass_time, run_until_idle


class step(Event):
    pass


# ── the turn ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_advances_tasks_then_delivers_then_looks_at_timers(app: Component, recorder: EventRecorder) -> None:
    class Worker(Component):
        def step(self) -> Any:
            yield
            self.fire(Event.create("from_task"))

    Worker().register(app)
    Timer(0, Event.create("from_timer")).register(app)
    run_until_idle(app)
    recorder.clear()
    app.fire(step())
    app.tick()
    app.tick()
    Timer(0, Event.create("from_timer")).register(app)
    app.fire(Event.create("queued"))
    app.tick()

    assert recorder.names() == ["step", "queued", "from_task"]
    run_until_idle(app)
    assert recorder.names()[3:] == ["from_timer", "prepare_unregister", "prepare_unregister_complete", "unregistered"]


def test_a_flush_delivers_what_is_queued_when_it_begins(app: Component, recorder: EventRecorder) -> None:
    class Chain(Component):
        def step(self) -> None:
            self.fire(Event.create("next"))

    Chain().register(app)
    run_until_idle(app)
    app.fire(step())
    app.fire(step())
    app.flush()

    assert recorder.names() == ["step", "step"]
    assert len(app) == 2


def test_a_flush_inside_a_handler_delivers_the_rest_of_the_batch_and_what_was_fired_since(
    app: Component, recorder: EventRecorder
) -> None:
    order = []

    class Impatient(Component):
        def first(self) -> None:
            self.fire(Event.create("third"))
            self.flush()
            order.append("first ends")

        def second(self) -> None:
            order.append("second")

        def third(self) -> None:
            order.append("third")
            self.fire(Event.create("fourth"))

    Impatient().register(app)
    app.fire(Event.create("first"))
    app.fire(Event.create("second"))
    app.flush()

    assert order == ["second", "third", "first ends"]
    assert len(app) == 1


def test_a_tick_inside_a_handler_delivers_too(app: Component, recorder: EventRecorder) -> None:
    class Impatient(Component):
        def first(self) -> str:
            value = self.fire(Event.create("second"))
            self.tick()
            return f"got {value.value}"

        def second(self) -> str:
            return "it"

    Impatient().register(app)
    value = app.fire(Event.create("first"))
    app.tick()

    assert value.value == "got it"


def test_a_generator_may_turn_its_tree(app: Component) -> None:
    # The turn within took the tasks that the turn around it had counted.
    class Turner(Component):
        def step(self, name: str) -> Any:
            yield
            self.tick()
            yield name

    Turner().register(app)
    values = [app.fire(step(name)) for name in "abc"]
    run_until_idle(app)

    assert [value.value for value in values] == ["a", "b", "c"]


def test_what_a_handler_fires_after_it_has_turned_the_tree_is_still_caused_by_its_event(
    app: Component, recorder: EventRecorder
) -> None:
    # The turn within forgot who was at work.
    class Turner(Component):
        def step(self) -> None:
            self.fire(Event.create("before"))
            self.tick()
            self.fire(Event.create("after"))

    Turner().register(app)
    event = step()
    event.complete = True
    app.fire(event)
    run_until_idle(app)

    assert recorder.names() == ["step", "before", "after", "step_complete"]
    (after,) = recorder.of("after")
    assert after.cause is event
    assert after.source is not None
    assert after.source.__name__ == "step"


def test_what_a_flush_within_a_handler_delivers_does_not_take_its_place(
    app: Component, recorder: EventRecorder
) -> None:
    class Flusher(Component):
        def step(self) -> None:
            self.fire(Event.create("before"))
            self.flush()
            self.fire(Event.create("after"))

        def before(self) -> None:
            pass

    Flusher().register(app)
    app.fire(step())
    run_until_idle(app)

    (after,) = recorder.of("after")
    assert after.source is not None
    assert after.source.__name__ == "step"


def test_a_timer_that_is_due_while_a_handler_turns_the_tree_is_not_caused_by_it(
    app: Component, recorder: EventRecorder
) -> None:
    class Turner(Component):
        def step(self) -> None:
            clock_of(self).advance(5)
            self.tick()

    Turner().register(app)
    Timer(5, Event.create("due")).register(app)
    run_until_idle(app)
    app.fire(step())
    run_until_idle(app)

    (due,) = recorder.of("due")
    assert due.cause is None


# ── rule 2: nothing starves ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_of_events_lets_timers_happen_after_a_bounded_number_of_turns(
    app: Component, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns_until_due = []

    class Flood(Component):
        turns = 0

        def step(self) -> None:
            self.turns += 1
            self.fire(step())

        def due(self) -> None:
            turns_until_due.append(self.turns)

    Flood().register(app)
    Timer(0, Event.create("due")).register(app)
    app.fire(step())
    for _ in range(_tree.BUSY_TURNS + 2):
        app.tick()
    assert len(turns_until_due) == 1
    assert turns_until_due[0] <= _tree.BUSY_TURNS + 1

    # Without that bound the timer would never come: the test can fail.
    monkeypatch.setattr(_tree, "BUSY_TURNS", 10**9)
    Timer(0, Event.create("due")).register(app)
    for _ in range(1000):
        app.tick()
    assert len(turns_until_due) == 1


def test_a_generator_that_never_waits_lets_timers_happen(app: Component, recorder: EventRecorder) -> None:
    class Spinner(Component):
        def step(self) -> Any:
            while True:
                yield

    Spinner().register(app)
    Timer(0, Event.create("due")).register(app)
    app.fire(step())
    for _ in range(_tree.BUSY_TURNS + 3):
        app.tick()

    assert "due" in recorder.names()


# ── two trees become one ─────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_queued_goes_along_with_a_component_that_is_registered(app: Component, recorder: EventRecorder) -> None:
    other = Component()
    other.fire(Event.create("first"))
    other.fire(Event.create("urgent"), priority=-1)
    other.register(app)
    run_until_idle(app)

    assert recorder.names() == ["urgent", "first"]
    assert recorder.of("registered")[-1].args == (other, app)


def test_tasks_sleeps_and_waits_go_along(app: Component) -> None:
    class Worker(Component):
        def step(self) -> Any:
            yield
            yield sleep(5)
            yield self.wait("go_on")
            yield "done"

    worker = on_manual_clock(Worker(), clock_of(app))
    value = worker.fire(step())
    worker.tick()
    worker.tick()
    worker.tick()
    worker.register(app)
    pass_time(app, 5)
    app.fire(Event.create("go_on"))
    run_until_idle(app)

    assert value.value == "done"


def test_a_wait_goes_along_too(app: Component) -> None:
    class Worker(Component):
        def step(self) -> Any:
            yield (yield self.wait("go_on"))

    worker = Worker()
    value = worker.fire(step())
    run_until_idle(worker)
    worker.register(app)
    app.fire(Event.create("go_on"))
    run_until_idle(app)

    assert value.done


def test_a_handler_may_register_its_own_tree_while_that_is_flushed(app: Component, recorder: EventRecorder) -> None:
    # The flush went on over a queue that was gone.
    class Joiner(Component):
        @handler("step", priority=1)
        def join_in(self) -> None:
            self.register(app)

        def step(self) -> Any:
            yield sleep(1)
            yield "slept"

    joiner = Joiner()
    value = joiner.fire(step())
    joiner.fire(Event.create("later"))
    joiner.flush()
    run_until_idle(app)
    pass_time(app, 1)

    assert recorder.names() == ["later"]
    assert value.value == "slept"


def test_a_generator_may_register_its_own_tree(app: Component) -> None:
    class Joiner(Component):
        def step(self) -> Any:
            yield
            self.register(app)
            yield sleep(1)
            yield "slept"

        def other(self) -> Any:
            yield
            yield
            yield "went on"

    joiner = Joiner()
    values = [joiner.fire(step()), joiner.fire(Event.create("other"))]
    for _ in range(3):
        joiner.tick()
    run_until_idle(app)
    pass_time(app, 1)

    assert [value.value for value in values] == ["slept", "went on"]


def test_a_thread_that_fires_on_a_component_while_that_is_registered_loses_nothing(app: Component) -> None:
    # It fired into the queue of a tree that nobody would ever look at again.
    other = Component()
    old = other._evtree
    other.register(app)
    recorder = EventRecorder().register(app)
    run_until_idle(app)

    # What `fire` does once it has looked the tree up.
    event = step()
    event.channels, event._manager = ("*",), other
    old.queue.append(event)
    assert old.idle
    old.wake()
    run_until_idle(app)

    assert recorder.names()[-1] == "step"


def test_waking_a_tree_that_was_absorbed_wakes_its_heir(app: Component) -> None:
    other = Component()
    old = other._evtree
    other.register(app)
    app._evtree.idle = True
    old.wake()

    assert not app._evtree.idle
    assert old.idle


def test_a_tree_has_one_loop_also_when_many_threads_ask_for_it_first() -> None:
    for _ in range(50):
        tree = Tree(Component())
        loops = []
        gate = threading.Barrier(4)

        def ask(tree: Tree = tree, loops: list[Any] = loops, gate: threading.Barrier = gate) -> None:
            gate.wait()
            loops.append(tree.loop)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert len({id(loop) for loop in loops}) == 1


# ── generate_events ──────────────────────────────────────────────────────────────────────────────────────────────────


class Source(Component):
    """A source of events as old programs have them."""

    def init(self, answer: Any) -> None:
        self._answer = answer
        self._asked = 0

    @handler("generate_events")
    def _on_generate_events(self, event: Any) -> None:
        self._asked += 1
        self._answer(self, event)


@pytest.mark.parametrize(
    ("answer", "slept"),
    [
        (lambda self, event: None, 0.1),
        (lambda self, event: event.reduce_time_left(0.03), 0.03),
        (lambda self, event: event.reduce_time_left(5), 0.1),
        (lambda self, event: event.reduce_time_left(0), 0),
        (lambda self, event: event.stop(), 0),
    ],
    ids=["says nothing", "wants to be asked sooner", "wants to be asked later", "has an event now", "stops the event"],
)
def test_a_source_says_how_long_the_tree_may_sleep(answer: Any, slept: float) -> None:
    source = on_manual_clock(Source(answer))

    def started(self: Source, *_: object) -> None:
        self.fire(Event.create("nothing"))

    source.addHandler(started)

    @handler("generate_events", priority=-1)
    def end(self: Source, event: Any) -> None:
        if self._asked == 5:
            self.stop()

    # On its own, so that a stopped event ends the program too.
    source._evtree.loop.call_later(10, source.stop)
    if slept:
        source.addHandler(end)
        source.run()
        sleeps = source._evtree.loop.poller.sleeps  # type: ignore[attr-defined]
        assert set(sleeps) == {slept}
    else:
        count = 0

        @handler("generate_events", priority=1)
        def count_and_end(self: Source, event: Any) -> None:
            nonlocal count
            count += 1
            if count == 50:
                self.stop()

        source.addHandler(count_and_end)
        source.run()
        assert source._evtree.loop.poller.sleeps == []  # type: ignore[attr-defined]


def test_sources_are_asked_only_while_the_tree_runs(app: Component) -> None:
    source = Source(lambda self, event: None).register(app)
    for _ in range(3):
        app.tick()

    assert source._asked == 0
