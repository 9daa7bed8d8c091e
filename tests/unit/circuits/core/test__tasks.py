"""Generator handlers: what they may yield, and what becomes of it."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event, sleep
from support import EventRecorder, run_until_idle


class work(Event):
    pass


# ── rule 1: what a yield means ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "make",
    [
        lambda component: component.call("no event"),
        lambda component: component.call(work(), timeout=float("nan")),
        lambda component: component.wait("done", timeout=float("nan")),
        lambda component: sleep(float("nan")),
    ],
    ids=["call of no event", "call for no number of seconds", "wait for no number of seconds", "sleep of no length"],
)
def test_what_cannot_be_waited_for_is_an_error_at_the_yield(app: Component, recorder: EventRecorder, make: Any) -> None:
    # The error used to leave the kernel's turn, and with it the program.
    errors = []

    class Worker(Component):
        def job(self) -> Any:
            try:
                yield make(self)
            except (AttributeError, ValueError) as error:
                errors.append(error)
            yield "went on"

    Worker().register(app)
    value = app.fire(Event.create("job"))
    run_until_idle(app)

    assert len(errors) == 1
    assert value.value == "went on"
