"""What the kernel does about errors and signals that nobody handles.

Rule 1: a fallback is no member of the tree. It stands behind the handlers of its event, in the plan: an error is
printed when there is no handler for `exception` by name; a signal stops the tree unless a handler stops the signal.
"""

from __future__ import annotations

from ._plans import Fallback, stand_in
from ._story import print_error
from .components import BaseComponent
from .handlers import handler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .events import Event, exception, generate_events

__all__ = ["FallBackExceptionHandler", "FallBackGenerator", "FallBackSignalHandler"]


class FallBackExceptionHandler(BaseComponent):
    """Print errors on stderr. Stands in when nobody in the tree handles `exception`.

    Handles: exception(type, value, traceback, handler=, fevent=) on every channel.
    """

    @handler("exception", channel="*")
    def _on_exception(self, event: exception, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        print_error(event)


class FallBackSignalHandler(BaseComponent):
    """Stop the tree on INT and TERM. Stands in behind those who handle `signal`.

    Handles: signal(signo, stack) on every channel.
    """

    @handler("signal", channel="*")
    def _on_signal(self, event: Event, signo: int, stack: Any) -> None:  # noqa: ARG002
        from signal import SIGINT, SIGTERM  # late: the module takes as long to import as the kernel

        if signo in (SIGINT, SIGTERM):
            manager = event._manager
            if manager is not None:
                manager.stop()


class FallBackGenerator(BaseComponent):
    """Put the tree to sleep when nobody generates events. The kernel's loop does this by itself.

    Registered all the same, it leaves the time to the loop, and `resume` ends the sleep.

    Handles: generate_events on every channel.
    """

    @handler("generate_events", priority=-100, channel="*")
    def _on_generate_events(self, event: generate_events) -> None:
        """Take all the time that is left."""


stand_in("exception", Fallback(FallBackExceptionHandler()._on_exception, always=False))
stand_in("signal", Fallback(FallBackSignalHandler()._on_signal, always=True))
