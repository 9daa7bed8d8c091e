"""`init` is the second stage of a component's constructor."""

from __future__ import annotations

from circuits import Component


def test_the_second_stage_constructor_is_no_handler_of_an_event_of_its_name() -> None:
    class App(Component):
        def init(self) -> None:
            pass

    assert "init" not in App.handlers()
