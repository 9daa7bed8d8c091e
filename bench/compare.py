"""Compare two files of results, made by two runs.

    python bench/compare.py before.json after.json

A ratio above 1 means that the second file is slower. The runs were not interleaved, so the machine may have changed
between them: the drift of the peers that did not change tells by how much. To compare two versions of this project
without that doubt, run them in one: `python bench/run.py --base <other source tree>`.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from statistics import median
from typing import Any

from report import duration, medians, spread, times

__all__ = ["compare"]

OURS = ("ours", "base")
#: A difference counts when it exceeds so many median absolute deviations of both runs together.
CLEAR = 3


def _noise(case: dict[str, Any], peer: str) -> float:
    return spread([sample[case["metric"]] for sample in case["peers"][peer]])


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Write a line for each case and peer that both files have, and the drift of the unchanged peers at the end."""
    lines, drift = [], []
    for title, old in before["cases"].items():
        new = after["cases"].get(title)
        if new is None:
            continue
        was, now = medians(old), medians(new)
        for peer in [peer for peer in was if peer in now]:
            ratio = now[peer] / was[peer]
            if peer not in OURS:
                drift.append(ratio)
            noise = CLEAR * math.hypot(_noise(old, peer), _noise(new, peer))
            verdict = "" if abs(ratio - 1) <= noise else "slower" if ratio > 1 else "faster"
            values = f"{duration(was[peer]):>9} → {duration(now[peer]):>9}"
            lines.append(f"{title:34}  {peer:16} {values}  {times(ratio):>7} ±{noise:.0%}  {verdict}".rstrip())
    if drift:
        lines += ["", f"drift of the machine (median of all peers but ours): {times(median(drift))}"]
    return lines


def main() -> None:
    """Read two files and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    chosen = parser.parse_args()
    print("\n".join(compare(json.loads(chosen.before.read_text()), json.loads(chosen.after.read_text()))))


if __name__ == "__main__":
    main()
