"""What an import adds to the start of a bare Python, in processes that alternate between the two."""

from __future__ import annotations

import resource
import subprocess
import sys
from statistics import median
from time import perf_counter

from _harness import ALL_CIRCUITS, Sample, Suite

__all__ = ["suite"]

PAIRS = 3

suite = Suite("startup")


def _start(code: str) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    wall = perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _import(module: str, sample: Sample) -> None:
    code = f"import {module}"
    _start(code)  # the compiled files are written now
    runs = [(_start("pass"), _start(code)) for _ in range(PAIRS)]
    wall, cpu = (median(imported[i] for _, imported in runs) - median(bare[i] for bare, _ in runs) for i in (0, 1))
    sample.record(1, wall, cpu)


def _add(module: str, *peers: str) -> None:
    suite.case("import", *peers, unit="import")(lambda sample: _import(module, sample))


_add("circuits", *ALL_CIRCUITS)
for peer in ("asyncio", "uvloop", "gevent", "pyee", "blinker"):
    _add(peer, peer)


if __name__ == "__main__":
    suite.main()
