"""The bits of an event's flags, and how far back its causes are remembered."""

from __future__ import annotations

__all__ = [
    "ALERT_DONE",
    "CANCELLED",
    "COMPLETE",
    "CUT",
    "DONE",
    "FAILURE",
    "HAS_ERRORS",
    "HAS_RESULT",
    "INSIDE",
    "MAX_CAUSES",
    "NOTIFY",
    "PER_FIRING",
    "SCOPED",
    "STOPPED",
    "SUCCESS",
    "SUSPENDED",
    "TO_SETTLE",
    "WATCHED",
]

# What an event asks for. Settable on a class (also later) and on an instance.
SUCCESS, FAILURE, COMPLETE, NOTIFY, ALERT_DONE = 1, 2, 4, 8, 16
# What has happened to it.
STOPPED, CANCELLED, WATCHED, SCOPED, SUSPENDED, HAS_RESULT, HAS_ERRORS, DONE, INSIDE = (1 << n for n in range(8, 17))
#: A handler was ended before its time, so that nobody can speak of success.
CUT = 1 << 17
#: What is forgotten when the same event object is fired again.
PER_FIRING = STOPPED | CANCELLED | WATCHED | SCOPED | SUSPENDED | HAS_RESULT | HAS_ERRORS | DONE | INSIDE | CUT
#: Flags that need attention once the handlers have been called.
TO_SETTLE = SUCCESS | COMPLETE | ALERT_DONE | WATCHED | SCOPED | SUSPENDED

#: How many causes an event remembers at the least. Enough for any story that a person reads to its end.
MAX_CAUSES = 16
