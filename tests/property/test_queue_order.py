"""Whatever is fired with whatever priority, also by handlers that flush: the order is that of a simple model."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from circuits import Component, Event

#: What a handler does: fire events (index into the program, priority), and perhaps flush in the middle of it.
PRIORITIES = st.sampled_from([None, None, None, 0, 1, -1, 0.5, -7])
ACTIONS = st.lists(
    st.one_of(st.tuples(st.just("fire"), PRIORITIES), st.just(("flush", None))),
    max_size=3,
)


class Model:
    """The queue in its simplest form: a list."""

    def __init__(self, programs: list[Any]) -> None:
        self.programs = programs
        self.queue: list[tuple[int, float]] = []
        self.order: list[int] = []
        self.fired = 0
        self.flushes = 0

    def fire(self, priority: float | None) -> None:
        self.queue.append((self.fired, priority or 0))
        self.fired += 1

    def flush(self) -> None:
        self.queue.sort(key=lambda item: item[1])
        self.flushes += 1
        flushes = self.flushes
        for _ in range(len(self.queue)):
            number, _ = self.queue.pop(0)
            self.order.append(number)
            self.handle(number)
            if self.flushes != flushes:
                return

    def handle(self, number: int) -> None:
        # Only the first events have a program, so that every run has an end.
        if number < len(self.programs):
            for action, priority in self.programs[number]:
                if action == "fire":
                    self.fire(priority)
                else:
                    self.flush()


class App(Component):
    """The same with components."""

    def init(self, programs: list[Any]) -> None:
        self.programs = programs
        self.order: list[int] = []
        self.fired = 0

    def fire_one(self, priority: float | None) -> None:
        event = Event.create("numbered", self.fired)
        self.fired += 1
        if priority is None:
            self.fire(event)
        else:
            self.fire(event, priority=priority)

    def numbered(self, number: int) -> None:
        self.order.append(number)
        if number < len(self.programs):
            for action, priority in self.programs[number]:
                if action == "fire":
                    self.fire_one(priority)
                else:
                    self.flush()


@given(st.lists(PRIORITIES, min_size=1, max_size=8), st.lists(ACTIONS, max_size=12))
def test_events_are_delivered_in_the_order_of_the_model(first: list[float | None], programs: list[Any]) -> None:
    model, app = Model(programs), App(programs)
    for priority in first:
        model.fire(priority)
        app.fire_one(priority)
    while model.queue:
        model.flush()
    while len(app):
        app.flush()

    assert app.order == model.order


@given(st.lists(st.lists(PRIORITIES, max_size=5), max_size=5))
def test_each_batch_is_sorted_by_priority_and_stable(batches: list[list[float | None]]) -> None:
    app = App([])
    expected: list[int] = []
    for batch in batches:
        begin = app.fired
        for priority in batch:
            app.fire_one(priority)
        app.flush()
        numbered = list(enumerate(batch, begin))
        expected += [number for number, _ in sorted(numbered, key=lambda item: item[1] or 0)]

    assert app.order == expected
