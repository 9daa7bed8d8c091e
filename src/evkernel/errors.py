"""Name every way in which the kernel refuses.

    KernelError
    ├─ NotPollable     (OSError)       this descriptor cannot be watched by this mechanism
    ├─ UnknownPoller   (ValueError)    no such mechanism, or not on this system
    ├─ LoopClosed      (RuntimeError)  the loop or poller was closed and is asked to work
    └─ HostError       (RuntimeError)  attach and detach out of order

Each error is also the builtin that people already catch.
"""

from __future__ import annotations

__all__ = ["HostError", "KernelError", "LoopClosed", "NotPollable", "UnknownPoller"]


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
