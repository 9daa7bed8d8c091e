"""The errors of the core.

Exception
├─ UnregistrableError     a component cannot become the child of that parent
├─ StreamOverflow         events have come faster than they were taken from a stream
└─ builtins.TimeoutError
└─ TimeoutError        a wait or a call has run out of time
"""

from __future__ import annotations

import builtins

__all__ = ["StreamOverflow", "TimeoutError", "UnregistrableError"]


class TimeoutError(builtins.TimeoutError):  # noqa: A001 - documented name; whoever catches the builtin catches it
    """A wait or a call has run out of time."""


class UnregistrableError(Exception):
    """A component cannot become the child of that parent."""


class StreamOverflow(Exception):  # noqa: N818 - says what happened
    """Events have come faster than they were taken from a stream."""
