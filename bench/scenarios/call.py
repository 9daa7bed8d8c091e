"""Call an event and wait for its result, inside a running program, one call after the other.

Measured by the wall, because a loop that idles between a call and its answer uses no processor time for it.
"""

from __future__ import annotations

from typing import Any

from _harness import ALL_CIRCUITS, OURS, Sample, Suite, new_loop

__all__ = ["suite"]

BATCH = 10_000

suite = Suite("call")


@suite.case("generator", *ALL_CIRCUITS, metric="wall", unit="call")
def circuits_call(sample: Sample) -> None:
    from _circuits import App, ping

    class Caller(App):
        """Call `ping` from a generator handler."""

        def started(self, *_args: object) -> Any:
            for n in sample.laps(BATCH):
                for _ in range(n):
                    yield self.call(ping())
            self.stop()

    app = Caller()
    app.run()
    sample.expect(app.hits)


@suite.case("coroutine", *OURS, metric="wall", unit="call")
def circuits_await(sample: Sample) -> None:
    from _circuits import App, ping

    class Caller(App):
        """Await `ping` from a coroutine handler."""

        async def started(self, *_args: object) -> None:
            for n in sample.laps(BATCH):
                for _ in range(n):
                    await self.call(ping())
            self.stop()

    app = Caller()
    app.run()
    sample.expect(app.hits)


@suite.case("coroutine calls coroutine", *OURS, metric="wall", unit="call")
def circuits_await_coroutine(sample: Sample) -> None:
    from circuits import Component, Event

    class ping(Event):
        """Handled by a coroutine."""

    class Caller(Component):
        """Await a handler that is itself a coroutine."""

        hits = 0

        async def ping(self) -> None:
            self.hits += 1

        async def started(self, *_args: object) -> None:
            for n in sample.laps(BATCH):
                for _ in range(n):
                    await self.call(ping())
            self.stop()

    app = Caller()
    app.run()
    sample.expect(app.hits)


@suite.case("generator", "asyncio", "uvloop", metric="wall", unit="call")
@suite.case("coroutine", "asyncio", "uvloop", metric="wall", unit="call")
@suite.case("coroutine calls coroutine", "asyncio", "uvloop", metric="wall", unit="call")
def asyncio_task(sample: Sample) -> None:
    hits = 0

    async def ping() -> None:
        nonlocal hits
        hits += 1

    async def main() -> None:
        for n in sample.laps(BATCH):
            for _ in range(n):
                await loop.create_task(ping())

    loop = new_loop(sample.peer)
    loop.run_until_complete(main())
    sample.expect(hits)


@suite.case("generator", "gevent", metric="wall", unit="call")
def gevent_spawn(sample: Sample) -> None:
    import gevent
    from _harness import Target

    target = Target()
    for n in sample.laps(BATCH):
        for _ in range(n):
            gevent.spawn(target.ping).join()
    sample.expect(target.hits)


if __name__ == "__main__":
    suite.main()
