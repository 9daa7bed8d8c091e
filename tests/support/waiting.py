"""Waiting for something that no clock of ours can turn: a process, a thread, a real socket."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["wait_until"]

_T = TypeVar("_T")

#: Between two looks. Short against what a person notices, long against what a look costs.
INTERVAL = 0.005


def wait_until(condition: Callable[[], _T], timeout: float = 10.0, *, what: str = "") -> _T:
    """Call *condition* again and again until it answers with something true, and return that.

    Args:
        condition: what to ask; it is asked at least once, and once more at the very end.
        timeout: seconds. Generous on purpose: a busy machine is no reason to fail, and nobody waits for it otherwise.
        what: names what was waited for in the error.

    Raises:
        TimeoutError: the condition never came true.
    """
    deadline = time.monotonic() + timeout
    while True:
        is_over = time.monotonic() >= deadline
        answer = condition()
        if answer:
            return answer
        if is_over:
            wanted = what or getattr(condition, "__qualname__", repr(condition))
            raise TimeoutError(f"waited {timeout:g} seconds for {wanted}; the last answer was {answer!r}")
        time.sleep(INTERVAL)
