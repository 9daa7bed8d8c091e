"""The core of circuits: events, components and what runs them."""

from . import helpers as _helpers  # noqa: F401 - puts the fallbacks in place
from .bridge import Bridge, ipc
from .components import BaseComponent, Component
from .debugger import Debugger
from .events import Event
from .futures import future
from .handlers import handler, reprhandler
from .loader import Loader
from .manager import Manager, TimeoutError, sleep  # noqa: A004 - documented name
from .timers import Timer
from .values import Value
from .workers import Worker, task

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
    "future",
    "handler",
    "ipc",
    "reprhandler",
    "sleep",
    "task",
]
