"""Fire from another thread into a running program: in bursts, and one by one into a sleeping loop.

Measured by the wall, from the first fire until the last event was handled. Both threads share one core.
"""

from __future__ import annotations

from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import TYPE_CHECKING

from _harness import ALL_CIRCUITS, Sample, Suite, new_loop

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["suite"]

suite = Suite("thread")


class Arrivals:
    """Count arrivals and tell the other thread when the last one is in."""

    def __init__(self) -> None:
        self.hits = 0
        self.goal = 0
        self.done = Flag()

    def arrive(self) -> None:
        """Count one more."""
        self.hits += 1
        if self.hits == self.goal:
            self.done.set()


def produce(
    sample: Sample, burst: int, arrivals: Arrivals, fire: Callable[[], object], stop: Callable[[], None]
) -> None:
    """Fire in bursts, waiting for the last of each, then stop the other side."""
    try:
        for n in sample.laps(10_000):
            for _ in range(0, n, burst):
                size = min(burst, n)
                arrivals.goal += size
                for _ in range(size):
                    fire()
                if not arrivals.done.wait(30):
                    raise TimeoutError(f"{arrivals.hits} of {arrivals.goal} events arrived")
                arrivals.done.clear()
    finally:
        stop()


def circuits_thread(burst: int, sample: Sample) -> None:
    from circuits import Component, Event

    class ping(Event):
        """Comes from the other thread."""

    class finish(Event):
        """Ends the program."""

    class Program(Component):
        """Count what arrives."""

        def started(self, *_args: object) -> None:
            thread.start()

        def ping(self) -> None:
            arrivals.arrive()

        def finish(self) -> None:
            self.stop()

    app, arrivals = Program(), Arrivals()
    arguments = (sample, burst, arrivals, lambda: app.fire(ping()), lambda: app.fire(finish()))
    thread = Thread(target=produce, args=arguments)
    app.run()
    thread.join()
    sample.expect(arrivals.hits)


def asyncio_thread(burst: int, sample: Sample) -> None:
    loop, arrivals = new_loop(sample.peer), Arrivals()
    soon = loop.call_soon_threadsafe
    arguments = (sample, burst, arrivals, lambda: soon(arrivals.arrive), lambda: soon(loop.stop))
    thread = Thread(target=produce, args=arguments)
    loop.call_soon(thread.start)
    loop.run_forever()
    thread.join()
    sample.expect(arrivals.hits)


for case, size in (("burst", 10_000), ("one by one", 1)):
    suite.case(case, *ALL_CIRCUITS, metric="wall")(partial(circuits_thread, size))
    suite.case(case, "asyncio", "uvloop", metric="wall")(partial(asyncio_thread, size))


if __name__ == "__main__":
    suite.main()
