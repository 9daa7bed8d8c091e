"""Fire and call in trees of 1, 10, 100 and 1000 components: the cost should not depend on the bystanders.

Processor time, so that the work shows; how long the release idles in a call is told by its wall time and by `call`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from _harness import ALL_CIRCUITS, Sample, Suite

__all__ = ["suite"]

SIZES = (1, 10, 100, 1000)

suite = Suite("tree")


def fire(components: int, sample: Sample) -> None:
    from _circuits import App, ping, with_bystanders

    app = with_bystanders(App(), components)
    for n in sample.laps(10_000):
        for _ in range(n):
            app.fire(ping())
        app.flush()
    sample.expect(app.hits)


def call(components: int, sample: Sample) -> None:
    from _circuits import App, ping, with_bystanders

    class Caller(App):
        """Call `ping` from a generator handler."""

        def started(self, *_args: object) -> Any:
            for n in sample.laps(10_000):
                for _ in range(n):
                    yield self.call(ping())
            self.stop()

    app = with_bystanders(Caller(), components)
    app.run()
    sample.expect(app.hits)


for size in SIZES:
    suite.case(f"fire among {size}", *ALL_CIRCUITS)(partial(fire, size))
for size in SIZES:
    suite.case(f"call among {size}", *ALL_CIRCUITS, unit="call")(partial(call, size))


if __name__ == "__main__":
    suite.main()
