from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from evkernel.testing import Recorder
from evkernel.timers import SWEEP_FLOOR, Timer, TimerHeap


@pytest.fixture
def heap() -> TimerHeap:
    return TimerHeap()


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


def run(timers: list[Timer]) -> None:
    for timer in timers:
        timer.run()


def test_timers_come_out_in_the_order_of_their_deadlines(heap: TimerHeap, recorder: Recorder) -> None:
    for deadline in (3, 1, 2):
        heap.add(deadline, recorder.callback(f"at {deadline}"))

    run(heap.pop_due(2))

    assert recorder.names() == ["at 1", "at 2"]
    assert heap.next_deadline() == 3


def test_equal_deadlines_come_out_first_in_first_out(heap: TimerHeap, recorder: Recorder) -> None:
    for name in "abcde":
        heap.add(1, recorder.callback(name))

    run(heap.pop_due(1))

    assert recorder.names() == list("abcde")


def test_a_deadline_is_due_the_moment_it_comes_and_not_before(heap: TimerHeap) -> None:
    timer = heap.add(1.0, print)

    assert heap.pop_due(math.nextafter(1.0, 0.0)) == []
    assert heap.pop_due(1.0) == [timer]


def test_an_empty_heap_has_no_next_deadline_and_nothing_due(heap: TimerHeap) -> None:
    assert heap.next_deadline() is None
    assert heap.pop_due(math.inf) == []
    assert not heap
    assert len(heap) == 0


def test_a_cancelled_timer_never_comes_out(heap: TimerHeap) -> None:
    timer = heap.add(1, print)
    kept = heap.add(2, print)

    timer.cancel()

    assert heap.next_deadline() == 2
    assert heap.pop_due(5) == [kept]


def test_cancelling_twice_is_cancelling_once(heap: TimerHeap) -> None:
    timer = heap.add(1, print)
    heap.add(2, print)

    timer.cancel()
    timer.cancel()

    assert timer.cancelled
    assert len(heap) == 1


def test_cancelling_after_the_timer_ran_changes_nothing(heap: TimerHeap) -> None:
    timer = heap.add(1, list)
    run(heap.pop_due(1))

    timer.cancel()

    assert not timer.cancelled
    assert len(heap) == 0


def test_a_timer_that_is_due_can_still_be_cancelled(heap: TimerHeap, recorder: Recorder) -> None:
    heap.add(1, lambda: second.cancel())
    second = heap.add(1, recorder.callback("second"))

    run(heap.pop_due(1))

    assert recorder.entries == []
    assert second.cancelled
    assert len(heap) == 0


def test_a_timer_runs_once_however_often_it_is_run(heap: TimerHeap, recorder: Recorder) -> None:
    timer = heap.add(1, recorder.callback("ran"))

    timer.run()
    timer.run()

    assert recorder.names() == ["ran"]


@pytest.mark.parametrize("end", ["cancel", "run"])
def test_a_timer_is_active_until_it_ran_or_was_cancelled(heap: TimerHeap, end: str) -> None:
    timer = heap.add(1, list)
    assert timer.active

    getattr(timer, end)()

    assert not timer.active


@pytest.mark.parametrize("end", ["cancel", "run"])
def test_a_timer_that_is_over_holds_on_to_nothing(heap: TimerHeap, end: str) -> None:
    class Owner:
        def __init__(self) -> None:
            self.timer = heap.add(1, self.on_time)

        def on_time(self) -> None:
            return

    owner = Owner()
    getattr(owner.timer, end)()
    gone = weakref.ref(owner)

    gc.disable()
    try:
        del owner
        assert gone() is None
    finally:
        gc.enable()


def test_a_timer_tells_its_state(heap: TimerHeap) -> None:
    active, cancelled, done = (heap.add(1, list) for _ in range(3))
    cancelled.cancel()
    done.run()

    assert [repr(timer).split()[-1] for timer in (active, cancelled, done)] == ["active>", "cancelled>", "done>"]


def test_a_deadline_that_is_not_a_number_is_refused(heap: TimerHeap) -> None:
    with pytest.raises(ValueError, match="must be a number, not nan"):
        heap.add(math.nan, print)

    assert len(heap) == 0


def test_a_deadline_may_be_never(heap: TimerHeap) -> None:
    heap.add(math.inf, print)

    assert heap.pop_due(1e300) == []
    assert heap.next_deadline() == math.inf


def test_restored_timers_take_their_old_places(heap: TimerHeap, recorder: Recorder) -> None:
    for name in "abc":
        heap.add(1, recorder.callback(name))
    first, *rest = heap.pop_due(1)
    heap.add(1, recorder.callback("later"))
    first.run()
    rest[1].cancel()

    heap.restore(rest)

    assert len(heap) == 2
    run(heap.pop_due(1))
    assert recorder.names() == ["a", "b", "later"]


def test_a_restored_timer_can_be_cancelled_like_any_other(heap: TimerHeap) -> None:
    heap.add(1, print)
    heap.restore(due := heap.pop_due(1))

    due[0].cancel()

    assert len(heap) == 0
    assert heap.next_deadline() is None


def test_cancelled_entries_are_swept_by_the_next_addition(heap: TimerHeap) -> None:
    heap.add(0, print)
    cancelled = [heap.add(1000 + number, print) for number in range(2 * SWEEP_FLOOR)]
    for timer in cancelled:
        timer.cancel()

    heap.add(1, print)

    assert len(heap) == 2
    assert heap.stale == 0


def test_cancelled_entries_are_swept_by_the_next_look(heap: TimerHeap) -> None:
    heap.add(0, print)
    for timer in [heap.add(1000, print) for _ in range(2 * SWEEP_FLOOR)]:
        timer.cancel()

    assert heap.next_deadline() == 0
    assert heap.stale == 0


def test_few_cancelled_entries_among_many_are_left_alone(heap: TimerHeap) -> None:
    timers = [heap.add(number, print) for number in range(10 * SWEEP_FLOOR)]
    for timer in timers[-2 * SWEEP_FLOOR :]:
        timer.cancel()

    heap.add(0, print)

    assert heap.stale == 2 * SWEEP_FLOOR  # a sweep would cost more than it gives back


def test_a_timer_cancelled_in_the_midst_of_a_sweep_is_counted_once(heap: TimerHeap) -> None:
    # A finalizer may cancel a timer while the sweep is copying the heap.
    victim = heap.add(0.5, print)
    entries = heap._entries

    class Meddling(list[Any]):
        def __iter__(self) -> Any:
            yield from list(entries)
            victim.cancel()  # after it was copied

    heap._entries = Meddling(entries)
    for timer in [heap.add(1, print) for _ in range(2 * SWEEP_FLOOR)]:
        entries.append((timer.deadline, timer._order, timer))
        timer.cancel()
    heap._entries = Meddling(entries)

    heap.next_deadline()

    assert len(heap) == 0
    assert heap.stale == len(heap._entries)


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans())), st.floats(0, 10))
def test_what_is_due_is_what_a_sorted_list_says(timers: list[tuple[float, bool]], now: float) -> None:
    heap = TimerHeap()
    made = [heap.add(deadline, print) for deadline, _ in timers]
    for timer, (_, cancelled) in zip(made, timers, strict=True):
        if cancelled:
            timer.cancel()

    due = heap.pop_due(now)

    live = [timer for timer in made if not timer.cancelled]
    assert due == sorted((timer for timer in live if timer.deadline <= now), key=lambda timer: timer.deadline)
    assert len(heap) == len(live) - len(due)


class HeapAgainstSortedList(RuleBasedStateMachine):
    """Do to a heap and to a plain list what a program does, and compare."""

    timers = Bundle("timers")

    def __init__(self) -> None:
        super().__init__()
        self.heap = TimerHeap()
        self.model: list[Timer] = []  # live ones, in the order of their making
        self.now = 0.0

    @rule(target=timers, delay=st.floats(0, 5), count=st.integers(1, 3))
    def add(self, delay: float, count: int) -> Timer:
        for _ in range(count):
            timer = self.heap.add(self.now + delay, list)
            self.model.append(timer)
        return timer

    @rule(timer=timers)
    def cancel(self, timer: Timer) -> None:
        was_active = timer.active
        timer.cancel()
        assert timer.cancelled or not was_active
        if timer in self.model:
            self.model.remove(timer)

    @rule()
    def cancel_most(self) -> None:
        for timer in self.model[: len(self.model) * 9 // 10]:
            timer.cancel()
            self.model.remove(timer)

    @rule(count=st.integers(50, 150), delay=st.floats(0, 5))
    def add_and_cancel_many(self, count: int, delay: float) -> None:
        for timer in [self.heap.add(self.now + delay, list) for _ in range(count)]:
            timer.cancel()

    @rule(seconds=st.floats(0, 3), run=st.integers(0, 100))
    def advance(self, seconds: float, run: int) -> None:
        self.now += seconds
        due = self.heap.pop_due(self.now)
        assert due == [timer for timer in self.sorted_model() if timer.deadline <= self.now]
        for timer in due[:run]:
            timer.run()
            self.model.remove(timer)
        self.heap.restore(due[run:])

    @invariant()
    def the_same_is_next(self) -> None:
        live = self.sorted_model()
        assert self.heap.next_deadline() == (live[0].deadline if live else None)
        assert len(self.heap) == len(live)

    @invariant()
    def the_dead_do_not_pile_up(self) -> None:
        self.heap.next_deadline()  # once in each turn
        assert self.heap.stale <= max(SWEEP_FLOOR, len(self.heap))

    def sorted_model(self) -> list[Timer]:
        return sorted(self.model, key=lambda timer: timer.deadline)  # stable: ties stay first in, first out


TestHeapAgainstSortedList = HeapAgainstSortedList.TestCase
