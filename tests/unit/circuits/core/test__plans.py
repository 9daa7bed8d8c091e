"""Who is called for an event."""

from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event
from support import run_until_idle


@pytest.mark.parametrize("channels", [["left"], ["left", "right"], [["left"], "right"]])
def test_lists_as_channels_or_among_them_do_not_end_the_program(app: Component, channels: Any) -> None:
    # A plan is kept by its channels, and a list cannot be a key.
    class Listener(Component):
        channel = "left"

        def call_up(self) -> str:
            return "heard"

    Listener().register(app)
    event = Event.create("call_up")
    event.channels = channels
    value = app.fire(event)
    app.fire(Event.create("call_up"), "left")
    run_until_idle(app)

    assert value.value == (None if channels[0] == ["left"] else "heard")
