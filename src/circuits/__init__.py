"""Components that fire and handle events."""

from .core import (
    BaseComponent,
    Component,
    Debugger,
    Event,
    Manager,
    TimeoutError,  # noqa: A004 - documented name
    Timer,
    Value,
    handler,
    reprhandler,
    sleep,
)

__all__ = [
    "BaseComponent",
    "Component",
    "Debugger",
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
