"""Fire an event and have it handled: queued, one at a time, ten handlers, success and complete.

Queued means: n events are fired, then all are dispatched. Signal libraries have no queue; they call at once.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from _harness import ALL_CIRCUITS, Sample, Suite, Target, new_loop

__all__ = ["suite"]

QUEUED = 100_000

suite = Suite("fire")


# ── queued ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@suite.case("queued", *ALL_CIRCUITS)
def circuits_queued(sample: Sample) -> None:
    from _circuits import App, ping

    app = App()
    for n in sample.laps(QUEUED, whole=True):
        for _ in range(n):
            app.fire(ping())
        app.flush()
    sample.expect(app.hits)


@suite.case("queued", "floor")
def floor_queued(sample: Sample) -> None:
    target = Target()
    queue: deque[Any] = deque()
    for n in sample.laps(QUEUED, whole=True):
        for _ in range(n):
            queue.append((target.ping, ()))
        while queue:
            function, args = queue.popleft()
            function(*args)
    sample.expect(target.hits)


@suite.case("queued", "asyncio", "uvloop")
def asyncio_queued(sample: Sample) -> None:
    loop, target = new_loop(sample.peer), Target()
    for n in sample.laps(QUEUED, whole=True):
        for _ in range(n):
            loop.call_soon(target.ping)
        loop.call_soon(loop.stop)
        loop.run_forever()
    sample.expect(target.hits)


@suite.case("queued", "gevent")
def gevent_queued(sample: Sample) -> None:
    import gevent

    target = Target()
    for n in sample.laps(QUEUED, whole=True, limit=10_000):  # two seconds otherwise
        gevent.joinall([gevent.spawn(target.ping) for _ in range(n)])
    sample.expect(target.hits)


# ── one at a time ────────────────────────────────────────────────────────────────────────────────────────────────────


@suite.case("one at a time", *ALL_CIRCUITS)
def circuits_single(sample: Sample) -> None:
    from _circuits import App, ping

    app = App()
    for n in sample.laps(10_000):
        for _ in range(n):
            app.fire(ping())
            app.flush()
    sample.expect(app.hits)


@suite.case("one at a time", "asyncio", "uvloop")
def asyncio_single(sample: Sample) -> None:
    loop, target = new_loop(sample.peer), Target()
    for n in sample.laps(10_000):
        for _ in range(n):
            loop.call_soon(target.ping)
            loop.call_soon(loop.stop)
            loop.run_forever()
    sample.expect(target.hits)


# ── signal libraries: they call at once, so the same code answers both questions ─────────────────────────────────────


def _blinker(sample: Sample, targets: int, batch: int) -> None:
    import blinker

    listeners = [Target() for _ in range(targets)]
    signal = blinker.Signal()
    for listener in listeners:
        signal.connect(listener.ping)
    for n in sample.laps(batch):
        for _ in range(n):
            signal.send()
    sample.expect(sum(listener.hits for listener in listeners), targets)


def _pyee(sample: Sample, targets: int, batch: int) -> None:
    from pyee import EventEmitter

    listeners = [Target() for _ in range(targets)]
    emitter = EventEmitter()
    for listener in listeners:
        emitter.on("ping", listener.ping)
    for n in sample.laps(batch):
        for _ in range(n):
            emitter.emit("ping")
    sample.expect(sum(listener.hits for listener in listeners), targets)


for name in ("queued", "one at a time"):
    suite.case(name, "blinker")(lambda sample: _blinker(sample, 1, QUEUED))
    suite.case(name, "pyee")(lambda sample: _pyee(sample, 1, QUEUED))
suite.case("ten handlers", "blinker")(lambda sample: _blinker(sample, 10, 10_000))
suite.case("ten handlers", "pyee")(lambda sample: _pyee(sample, 10, 10_000))


# ── ten handlers, success, complete ──────────────────────────────────────────────────────────────────────────────────


@suite.case("ten handlers", *ALL_CIRCUITS)
def circuits_ten(sample: Sample) -> None:
    from _circuits import App, ping

    app = App()
    others = [App().register(app) for _ in range(9)]
    app.flush()
    for n in sample.laps(10_000):
        for _ in range(n):
            app.fire(ping())
        app.flush()
    sample.expect(app.hits + sum(component.hits for component in others), 10)


def _with_flags(sample: Sample, **flags: bool) -> None:
    from circuits import Component, Event

    work = type("work", (Event,), flags)

    class App(Component):
        """Count what the flags promise."""

        told = 0
        hits = 0

        def work(self) -> None:
            self.hits += 1

        def work_success(self, *_: object) -> None:
            self.told += 1

        def work_complete(self, *_: object) -> None:
            self.told += 1

    app = App()
    app.flush()
    for n in sample.laps(10_000):
        expected = app.told + n * len(flags)
        for _ in range(n):
            app.fire(work())
        for _ in range(10):
            app.flush()
            if app.told == expected:
                break
    sample.expect(app.hits)
    sample.expect(app.told, len(flags))


suite.case("success", *ALL_CIRCUITS)(lambda sample: _with_flags(sample, success=True))
suite.case("complete", *ALL_CIRCUITS)(lambda sample: _with_flags(sample, complete=True))
suite.case("success + complete", *ALL_CIRCUITS)(lambda sample: _with_flags(sample, success=True, complete=True))


if __name__ == "__main__":
    suite.main()
