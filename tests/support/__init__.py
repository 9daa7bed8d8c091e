"""Helpers that tests share. Each has tests of its own beside it."""

from __future__ import annotations

from .ports import free_port
from .program import Finished, Running, run_program, start_program
from .waiting import wait_until

__all__ = ["Finished", "Running", "free_port", "run_program", "start_program", "wait_until"]
