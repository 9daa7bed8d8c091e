"""What the circuits scenarios share: an event, a component that counts, a tree with bystanders."""

from __future__ import annotations

from typing import Any

from circuits import Component, Event

__all__ = ["App", "ping", "with_bystanders"]


class ping(Event):
    """The event that is measured."""


class other(Event):
    """An event that is never fired."""


class App(Component):
    """Count the events that arrive."""

    def __init__(self) -> None:
        super().__init__()
        self.hits = 0
        self.flush()  # its own registration must not end up in the first lap

    def ping(self) -> None:
        """Count."""
        self.hits += 1


class Bystander(Component):
    """One more component in the tree, with a handler for something else."""

    channel = "bystander"

    def other(self) -> None:
        """Never called."""


def with_bystanders(app: Any, components: int) -> Any:
    """Grow the tree of *app* to so many components."""
    for _ in range(components - 1):
        Bystander().register(app)
    for _ in range(3):
        app.flush()
    return app
