"""The core of circuits: events, components and what runs them."""

from . import helpers as _helpers  # noqa: F401 - puts the fallbacks in place
from .components import BaseComponent, Component
from .debugger import Debugger
from .events import Event
from .handlers import handler, reprhandler
from .manager import Manager, TimeoutError, sleep  # noqa: A004 - documented name
from .timers import Timer
from .values import Value

__all__ = [
    "BaseComponent",
    "Component",
    "Debugger",
    "Event",
    "Manager",
    "TimeoutError",
    "Timer",
    "Value",
    "handler",
    "reprhandler",
    "sleep",
]
