"""Time one case of a scenario in its own process and print one JSON line.

    suite.case(...) ──▶ function(sample) ──▶ for n in sample.laps(batch): do n operations ──▶ {"wall": …, "cpu": …}

Rule 1: what is timed is the body of the `laps` loop and nothing else; the first laps warm up and are not counted.
Rule 2: every case proves by `sample.expect` that its operations really happened.
Rule 3: the standard library only; a peer is imported inside the function that measures it.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

    Case = Callable[["Sample"], None]

__all__ = ["ALL_CIRCUITS", "OURS", "Sample", "Suite", "Target", "new_loop"]

#: Source trees of this project: the one under test and, when asked for, another to compare it with.
OURS = ("ours", "base")
#: Whoever speaks the documented circuits API; one scenario serves them all.
ALL_CIRCUITS = (*OURS, "release")


class Target:
    """Count calls: the listener, callback or handler that every peer calls."""

    def __init__(self) -> None:
        self.hits = 0

    def ping(self, *_: object, **__: object) -> None:
        """Take whatever the peer passes to a listener."""
        self.hits += 1

    def plain(self) -> None:
        """Take nothing, for peers that pass nothing."""
        self.hits += 1


class Sample:
    """One run of one case for one peer, with its clock."""

    def __init__(self, peer: str, seconds: float, cores: tuple[int, ...]) -> None:
        self.peer = peer
        self.seconds = seconds
        self.cores = cores
        self.performed = 0
        self.batch = 0
        self.cut = False
        self.count = 0
        self.wall = 0.0
        self.cpu = 0.0

    def laps(self, batch: int, *, whole: bool = False, limit: int | None = None) -> Iterator[int]:
        """Yield how many operations the loop's body should do, and time that body.

        Args:
            batch: Most operations of one lap.
            whole: Do exactly *batch* operations per lap, however long that takes.
            limit: What this peer can bear at a time, where *batch* would take it minutes. The tables mention it.
        """
        size = min(batch, limit or batch)
        self.cut = size < batch
        if whole:
            yield self._performing(max(1, size // 10))
        else:
            count, elapsed = 0, 0.0
            while count < size and elapsed < self.seconds / 20:
                count = min(size, count * 10 or 1)
                start = perf_counter()
                yield self._performing(count)
                elapsed = perf_counter() - start
            size = max(1, min(size, int(count * self.seconds / 4 / elapsed)))
        self.batch = size
        while self.wall < self.seconds:
            start, start_cpu = perf_counter(), process_time()
            yield self._performing(size)
            self.record(size, perf_counter() - start, process_time() - start_cpu)

    def _performing(self, count: int) -> int:
        self.performed += count
        return count

    def record(self, count: int, wall: float, cpu: float) -> None:
        """Add *count* operations that took so many seconds."""
        self.count += count
        self.wall += wall
        self.cpu += cpu

    def expect(self, hits: int, per_operation: int = 1) -> None:
        """Fail unless the handlers were called once for each operation, warm-up included."""
        if hits != self.performed * per_operation:
            raise AssertionError(f"{self.performed} operations, but {hits} calls instead of {per_operation} for each")

    def result(self) -> dict[str, float]:
        """Tell nanoseconds per operation, how many were done, and whether the batch had to be cut."""
        return {
            "wall": self.wall / self.count * 1e9,
            "cpu": self.cpu / self.count * 1e9,
            "count": self.count,
            "batch": self.batch,
            "cut": self.cut,
        }


@dataclass
class _Entry:
    metric: str
    unit: str
    peers: dict[str, Case]


class Suite:
    """The cases of one scenario file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: dict[str, _Entry] = {}

    def case(self, name: str, *peers: str, metric: str = "cpu", unit: str = "event") -> Callable[[Case], Case]:
        """Register the decorated function as case *name* of these *peers*.

        Args:
            name: What is measured.
            peers: For whom this function measures it.
            metric: "cpu" or "wall": which of the two medians and ratios are made of.
            unit: What one operation is called.
        """

        def add(function: Case) -> Case:
            entry = self.entries.setdefault(name, _Entry(metric, unit, {}))
            entry.peers.update(dict.fromkeys(peers, function))
            return function

        return add

    def main(self) -> None:
        """Run one case for one peer, as the command line says, and print its JSON line."""
        parser = argparse.ArgumentParser(description=f"One sample of the scenario {self.name!r}.")
        parser.add_argument("case", choices=self.entries)
        parser.add_argument("peer")
        parser.add_argument("--seconds", type=float, default=0.3, help="time to measure (default: %(default)s)")
        parser.add_argument("--cores", type=int, nargs="*", default=(), help="first for us, last for a load generator")
        options = parser.parse_args()
        if options.cores:
            os.sched_setaffinity(0, {options.cores[0]})
        sample = Sample(options.peer, options.seconds, tuple(options.cores))
        self.entries[options.case].peers[options.peer](sample)
        print(json.dumps(sample.result()))


def new_loop(peer: str) -> asyncio.AbstractEventLoop:
    """Make the event loop of *peer*: uvloop's for uvloop, else the standard one."""
    if peer == "uvloop":
        uvloop: Any = __import__("uvloop")
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    import asyncio

    return asyncio.new_event_loop()
