"""Waiting for something that a component will say."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event
from circuits.io._gate import Gate, is_awaited
from support.core import run_until_idle, turn_until


class enter(Event):
    pass


class Visitor(Component):
    def init(self, gate: Gate) -> None:
        self._gate = gate
        self._inside = 0

    def enter(self) -> Any:
        yield self._gate.wait()
        self._inside += 1


class AsyncVisitor(Component):
    def init(self, gate: Gate) -> None:
        self._gate = gate
        self._inside = 0

    async def enter(self) -> None:
        await self._gate.wait()  # type: ignore[misc]
        self._inside += 1


def test_all_who_wait_go_on_when_the_gate_opens_and_later_ones_wait(app: Component) -> None:
    gate = Gate()
    visitor = Visitor(gate).register(app)
    for _ in range(3):
        app.fire(enter())
    run_until_idle(app)
    assert visitor._inside == 0

    gate.let_pass()
    app.fire(enter())
    run_until_idle(app)
    assert visitor._inside == 3

    gate.let_pass()
    run_until_idle(app)
    assert visitor._inside == 4


def test_a_handler_that_is_given_up_waits_no_longer(app: Component) -> None:
    gate = Gate()
    visitor = Visitor(gate).register(app)
    app.fire(enter())
    run_until_idle(app)
    for task in list(app._evtree.tasks):
        app.unregisterTask(task)

    assert not gate.waiting
    gate.let_pass()
    run_until_idle(app)
    assert visitor._inside == 0


def test_a_coroutine_waits_at_a_gate_too() -> None:
    app = Component()
    gate = Gate()
    visitor = AsyncVisitor(gate).register(app)
    app.fire(enter())
    turn_until(app, lambda: gate.waiting)
    gate.let_pass()
    turn_until(app, lambda: visitor._inside and not app._evtree.tasks)
    assert not gate.waiting


def test_an_open_gate_holds_nobody_up(app: Component) -> None:
    gate, seen = Gate(), []
    step = gate.wait()

    class Late(Component):
        def enter(self) -> Any:
            seen.append((yield step))
            seen.append((yield gate.wait()))

    Late().register(app)
    gate.open("value")
    app.fire(enter())
    run_until_idle(app)
    assert seen == ["value", "value"]

    gate.close()
    app.fire(enter())
    run_until_idle(app)
    assert len(seen) == 2
    gate.open()


@pytest.mark.parametrize(("wish", "awaited"), [({}, False), ({"success": True}, True), ({"complete": True}, True)])
def test_an_event_is_awaited_when_somebody_asks_for_its_end(wish: dict[str, bool], awaited: bool) -> None:
    event = enter()
    for name, value in wish.items():
        setattr(event, name, value)

    assert is_awaited(event) is awaited
    assert not is_awaited(None)
