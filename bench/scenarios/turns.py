"""Turns of cooperative tasks: a generator that yields None, a task that sleeps for zero seconds.

"alone" is one task, so that each of its turns is a turn of the loop; "hundred" are a hundred tasks with many turns,
once in a running program and, for circuits, once by calling `tick()` (the release idles in `run()` between two turns).
"""

from __future__ import annotations

from typing import Any

from _harness import ALL_CIRCUITS, Sample, Suite, new_loop

__all__ = ["suite"]

TASKS = 100

suite = Suite("turns")


@suite.case("alone in run()", *ALL_CIRCUITS, metric="wall", unit="turn")
def circuits_alone(sample: Sample) -> None:
    from _circuits import App

    class Program(App):
        """Yield to nobody."""

        def started(self, *_args: object) -> Any:
            for n in sample.laps(10_000):
                for _ in range(n):
                    yield
                    self.hits += 1
            self.stop()

    app = Program()
    app.run()
    sample.expect(app.hits)


@suite.case("alone in run()", "asyncio", "uvloop", metric="wall", unit="turn")
def asyncio_alone(sample: Sample) -> None:
    from asyncio import sleep

    async def main() -> int:
        hits = 0
        for n in sample.laps(10_000):
            for _ in range(n):
                await sleep(0)
                hits += 1
        return hits

    sample.expect(new_loop(sample.peer).run_until_complete(main()))


@suite.case("alone in run()", "gevent", metric="wall", unit="turn")
def gevent_alone(sample: Sample) -> None:
    import gevent

    hits = 0
    for n in sample.laps(10_000):
        for _ in range(n):
            gevent.sleep(0)
            hits += 1
    sample.expect(hits)


# Operations are counted in rounds, one turn of each of the hundred tasks, until `_finish` makes turns of them.


def _finish(sample: Sample, hits: int) -> None:
    sample.expect(hits, TASKS)
    sample.count *= TASKS


def _circuits_hundred(sample: Sample) -> Any:
    from circuits import Component, Event

    class spin(Event):
        """Take so many turns."""

    class Program(Component):
        """Start the hundred and wait for them."""

        hits = 0
        ended = 0

        def spin(self, turns: int) -> Any:
            for _ in range(turns):
                yield
                self.hits += 1
            self.ended += 1

        def laps(self) -> Any:
            for n in sample.laps(1_000):
                self.ended = 0
                for _ in range(TASKS):
                    self.fire(spin(n))
                while self.ended < TASKS:
                    yield

        def started(self, *_args: object) -> Any:
            yield from self.laps()
            self.stop()

    return Program()


@suite.case("hundred in run()", *ALL_CIRCUITS, metric="wall", unit="turn")
def circuits_hundred_running(sample: Sample) -> None:
    app = _circuits_hundred(sample)
    app.run()
    _finish(sample, app.hits)


@suite.case("hundred by tick()", *ALL_CIRCUITS, metric="wall", unit="turn")
def circuits_hundred_ticked(sample: Sample) -> None:
    app = _circuits_hundred(sample)
    for _ in app.laps():
        app.tick(0)
    _finish(sample, app.hits)


@suite.case("hundred in run()", "asyncio", "uvloop", metric="wall", unit="turn")
@suite.case("hundred by tick()", "asyncio", "uvloop", metric="wall", unit="turn")
def asyncio_hundred(sample: Sample) -> None:
    from asyncio import gather, sleep

    hits = 0

    async def spin(turns: int) -> None:
        nonlocal hits
        for _ in range(turns):
            await sleep(0)
            hits += 1

    async def main() -> None:
        for n in sample.laps(1_000):
            await gather(*(spin(n) for _ in range(TASKS)))

    new_loop(sample.peer).run_until_complete(main())
    _finish(sample, hits)


@suite.case("hundred in run()", "gevent", metric="wall", unit="turn")
@suite.case("hundred by tick()", "gevent", metric="wall", unit="turn")
def gevent_hundred(sample: Sample) -> None:
    import gevent

    hits = 0

    def spin(turns: int) -> None:
        nonlocal hits
        for _ in range(turns):
            gevent.sleep(0)
            hits += 1

    for n in sample.laps(1_000):
        gevent.joinall([gevent.spawn(spin, n) for _ in range(TASKS)])
    _finish(sample, hits)


if __name__ == "__main__":
    suite.main()
