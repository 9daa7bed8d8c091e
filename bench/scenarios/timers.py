"""Ten thousand timers at a time: added and cancelled, added and fired."""

from __future__ import annotations

from typing import Any

from _harness import ALL_CIRCUITS, Sample, Suite, Target, new_loop

__all__ = ["suite"]

BATCH = 10_000
FAR = 1000.0
SOON = 0.001
#: The cost of a timer of the release grows with their number: ten thousand take up to seven minutes.
LIMITS = {"release": 1_000}

suite = Suite("timers")


@suite.case("add and cancel", *ALL_CIRCUITS, unit="timer")
def circuits_cancel(sample: Sample) -> None:
    from _circuits import App, ping

    from circuits import Timer

    app = App()
    for n in sample.laps(BATCH, whole=True, limit=LIMITS.get(sample.peer)):
        timers = [Timer(FAR, ping()).register(app) for _ in range(n)]
        app.flush()
        for timer in timers:
            timer.unregister()
        for _ in range(4):  # leaving a tree takes some events, each fired by the one before
            app.flush()
    if len(app.components):
        raise AssertionError(f"{len(app.components)} timers are still there")


@suite.case("add and cancel", "asyncio", "uvloop", unit="timer")
def asyncio_cancel(sample: Sample) -> None:
    from asyncio import sleep

    target = Target()

    async def main() -> None:
        for n in sample.laps(BATCH, whole=True):
            timers = [loop.call_later(FAR, target.ping) for _ in range(n)]
            for timer in timers:
                timer.cancel()
            await sleep(0)

    loop = new_loop(sample.peer)
    loop.run_until_complete(main())


@suite.case("add and cancel", "gevent", unit="timer")
def gevent_cancel(sample: Sample) -> None:
    import gevent

    target = Target()
    for n in sample.laps(BATCH, whole=True):
        timers = [gevent.spawn_later(FAR, target.ping) for _ in range(n)]
        for timer in timers:
            timer.kill(block=False)
        gevent.sleep(0)


@suite.case("add and fire", *ALL_CIRCUITS, unit="timer")
def circuits_fire(sample: Sample) -> None:
    from _circuits import App, ping

    from circuits import Timer

    class Program(App):
        """Add timers and wait for all of them."""

        def started(self, *_args: object) -> Any:
            for n in sample.laps(BATCH, whole=True, limit=LIMITS.get(sample.peer)):
                for _ in range(n):
                    Timer(SOON, ping()).register(self)
                while self.hits < sample.performed:
                    yield
            self.stop()

    app = Program()
    app.run()
    sample.expect(app.hits)


@suite.case("add and fire", "asyncio", "uvloop", unit="timer")
def asyncio_fire(sample: Sample) -> None:
    from asyncio import sleep

    target = Target()

    async def main() -> None:
        for n in sample.laps(BATCH, whole=True):
            for _ in range(n):
                loop.call_later(SOON, target.ping)
            while target.hits < sample.performed:
                await sleep(0)

    loop = new_loop(sample.peer)
    loop.run_until_complete(main())
    sample.expect(target.hits)


@suite.case("add and fire", "gevent", unit="timer")
def gevent_fire(sample: Sample) -> None:
    import gevent

    target = Target()
    for n in sample.laps(BATCH, whole=True):
        for _ in range(n):
            gevent.spawn_later(SOON, target.ping)
        while target.hits < sample.performed:
            gevent.sleep(0)
    sample.expect(target.hits)


if __name__ == "__main__":
    suite.main()
