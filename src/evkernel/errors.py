"""Name every way in which the kernel refuses.

    KernelError
    ├─ NotPollable     (OSError)       this descriptor cannot be watched by this mechanism
    ├─ UnknownPoller   (ValueError)    no such mechanism, or not on this system
    ├─ LoopClosed      (RuntimeError)  the loop or poller was closed and is asked to work
    ├─ HostError       (RuntimeError)  attach and detach out of order
    └─ ProtocolError   (ValueError)    bytes that a protocol does not allow
       ├─ LocalProtocolError           ours: they were not sent
       └─ RemoteProtocolError          the peer's: they have come
          ├─ LineTooLong               a line is longer than the limit
          └─ FrameTooLong              a message is larger than the limit

Each error is also the builtin that people already catch.
"""

from __future__ import annotations

__all__ = [
    "FrameTooLong",
    "HostError",
    "KernelError",
    "LineTooLong",
    "LocalProtocolError",
    "LoopClosed",
    "NotPollable",
    "ProtocolError",
    "RemoteProtocolError",
    "UnknownPoller",
]


class KernelError(Exception):
    """Be the root of everything the kernel raises on its own account."""


class NotPollable(KernelError, OSError):  # noqa: N818 - reads as the state that it reports
    """Say that a descriptor cannot be watched: a regular file under epoll, a closed or too large number."""

    def __init__(self, fd: int, kind: str, reason: str, errno: int) -> None:
        super().__init__(errno, f"{kind} cannot watch descriptor {fd}: {reason}")
        self.fd = fd
        self.kind = kind


class UnknownPoller(KernelError, ValueError):  # noqa: N818 - reads as the state that it reports
    """Say that a polling mechanism does not exist here."""


class LoopClosed(KernelError, RuntimeError):  # noqa: N818 - reads as the state that it reports
    """Say that a closed loop or poller was asked to work."""


class HostError(KernelError, RuntimeError):
    """Say that a host was attached twice, or used before it was attached."""


class ProtocolError(KernelError, ValueError):
    """Be the root of what a protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """Say that we were asked to send what the protocol does not allow; nothing of it was sent."""


class RemoteProtocolError(ProtocolError):
    """Say that the peer has sent what the protocol does not allow.

    Attributes:
        status_hint: how a protocol that answers with numbers, such as HTTP, should call this; None if it has no number.
    """

    def __init__(self, message: str, *, status_hint: int | None = None) -> None:
        super().__init__(message)
        self.status_hint = status_hint


class LineTooLong(RemoteProtocolError):  # noqa: N818 - reads as what is wrong
    """Say that the peer has sent a line that is longer than the limit. What follows the line can still be read."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a line is longer than {limit}, which is the limit")
        self.limit = limit


class FrameTooLong(RemoteProtocolError):  # noqa: N818 - reads as what is wrong
    """Say that the peer has sent, or announced, a message that is larger than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"a message is larger than {limit} bytes, which is the limit")
        self.limit = limit
