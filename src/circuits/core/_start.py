"""Run a tree beside the caller: in a thread, or in a process with a bridge to it."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .manager import Manager

__all__ = ["make_thread", "start_process"]


def make_thread(manager: Manager) -> Thread:
    """Make, but do not start, the thread that runs *manager*; it is named after it."""
    return Thread(target=manager.run, name=manager.name)


def start_process(manager: Manager, link: Manager | None) -> tuple[Any, Any]:
    """Run *manager* in a new process."""
    raise NotImplementedError
