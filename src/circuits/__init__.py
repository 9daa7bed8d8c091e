"""Components that fire and handle events."""

from .core import BaseComponent, Component, Event, Manager, TimeoutError, Timer, Value, handler, reprhandler, sleep  # noqa: A004

__all__ = [
    "BaseComponent",
    "Component",
    "Event",
    "Manager",
    "TimeoutError",
    "Timer",
    "Value",
    "__version__",
    "handler",
    "reprhandler",
    "sleep",
]

__version__ = "4.0.0.dev0"
