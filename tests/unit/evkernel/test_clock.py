from __future__ import annotations

import time

from evkernel.clock import MONOTONIC, Clock, MonotonicClock, wall_time
from evkernel.testing import ManualClock


def test_the_shared_clock_shows_monotonic_time() -> None:
    before = time.monotonic()
    now = MONOTONIC.now()

    assert before <= now <= time.monotonic()


def test_wall_time_is_the_time_of_the_calendar() -> None:
    before = time.time()
    now = wall_time()

    assert before <= now <= time.time()


def test_a_clock_is_known_by_its_shape() -> None:
    clocks: list[Clock] = [MonotonicClock(), ManualClock(5.0)]

    assert clocks[1].now() == 5.0
