"""The errors of the core.

Exception
├─ UnregistrableError       a component cannot become the child of that parent
├─ StreamOverflow           events have come faster than they were taken from a stream
├─ RemoteError              stands for an error of another process that could not be sent
├─ builtins.TimeoutError
│  └─ TimeoutError          a wait or a call has run out of time
├─ TypeError
│  └─ SendError             a value cannot be sent to another process
├─ ValueError
│  └─ FrameTooLargeError    a message is too large for a bridge
├─ ConnectionError
│  └─ BridgeLostError       the process at the other end of a bridge has gone
└─ RuntimeError
├─ TaskExitError         the function of a task has tried to end the program
├─ WorkerEndedError      the worker has ended before a task could begin
└─ WorkerLostError       a process of a worker has ended in the middle of its work
"""

from __future__ import annotations

import builtins

__all__ = [
    "BridgeLostError",
    "FrameTooLargeError",
    "RemoteError",
    "SendError",
    "StreamOverflow",
    "TaskExitError",
    "TimeoutError",
    "UnregistrableError",
    "WorkerEndedError",
    "WorkerLostError",
]


class TimeoutError(builtins.TimeoutError):  # noqa: A001 - documented name; whoever catches the builtin catches it
    """A wait or a call has run out of time."""


class UnregistrableError(Exception):
    """A component cannot become the child of that parent."""


class StreamOverflow(Exception):  # noqa: N818 - says what happened
    """Events have come faster than they were taken from a stream."""


class RemoteError(Exception):
    """Stand for an error of another process that could not be sent itself; the message holds its name and text."""


class SendError(TypeError):
    """A value cannot be sent to another process, because it cannot be pickled, or not read there."""


class FrameTooLargeError(ValueError):
    """A message is larger than a bridge takes, or too much waits for the other process to read it already."""


class BridgeLostError(ConnectionError):
    """The process at the other end of a bridge has gone, or the bridge is closed, before an event was answered."""


class TaskExitError(RuntimeError):
    """The function of a task has raised SystemExit or KeyboardInterrupt; a task cannot end the program."""


class WorkerEndedError(RuntimeError):
    """The worker has ended before the task could begin."""


class WorkerLostError(RuntimeError):
    """A process of the pool has ended in the middle of its work: it was killed, has crashed, or has left."""
