"""Components that fire and handle events."""

from .core import (
    BaseComponent,
    Bridge,
    Component,
    Debugger,
    Event,
    Loader,
    Manager,
    TimeoutError,  # noqa: A004 - documented name
    Timer,
    Value,
    Worker,
    future,
    handler,
    ipc,
    reprhandler,
    sleep,
    task,
)

__all__ = [
    "BaseComponent",
    "Bridge",
    "Component",
    "Debugger",
    "Event",
    "Loader",
    "Manager",
    "TimeoutError",
    "Timer",
    "Value",
    "Worker",
    "__version__",
    "future",
    "handler",
    "ipc",
    "reprhandler",
    "sleep",
    "task",
]

__version__ = "4.0.0.dev0"
