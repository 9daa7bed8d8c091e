"""Helpers that tests share. Each has tests of its own beside it."""

from __future__ import annotations

from .core import EventRecorder, clock_of, on_manual_clock, pass_time, run_until_idle, running, turn_until
from .ports import free_port
from .program import Finished, Running, run_program, start_program
from .waiting import wait_until

__all__ = [
    "EventRecorder",
    "Finished",
    "Running",
    "clock_of",
    "free_port",
    "on_manual_clock",
    "pass_time",
    "run_program",
    "run_until_idle",
    "running",
    "start_program",
    "turn_until",
    "wait_until",
]
