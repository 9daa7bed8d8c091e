"""Measure this project beside its peers, in one interleaved run, and report ratios of medians.

    python bench/run.py --quick            two minutes, to see where things stand
    python bench/run.py                    under ten minutes, to quote numbers
    python bench/run.py --scenario fire --peer ours --peer release --rounds 15

For each case the peers take turns, round after round. Each sample is a process of its own, pinned to one core where the
system can do that. The load generator of the echo has another core, and needs Linux.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers import HERE, PEERS, Peer, UnavailableError
from report import goals, header, table

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIOS = ("fire", "call", "tree", "turns", "thread", "timers", "startup", "echo")
RESULTS = HERE / "results"
LONGEST_SAMPLE = 60.0


class SampleError(Exception):
    """A sample ended with an error or not at all."""


def cores() -> tuple[int, ...]:
    """Choose the core of the samples and the one of the load generator: the last and the first there are."""
    if not hasattr(os, "sched_getaffinity"):
        return ()
    available = sorted(os.sched_getaffinity(0))
    return (available[-1], available[0]) if len(available) > 1 else (available[0],)


def take_sample(peer: Peer, scenario: str, case: str, seconds: float) -> dict[str, float]:
    """Run one sample in its own process.

    Raises:
        SampleError: It ended with an error or took too long.
    """
    script = HERE / "scenarios" / f"{scenario}.py"
    command = [str(peer.python), str(script), case, peer.name, "--seconds", str(seconds)]
    command += ["--cores", *map(str, cores())]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # A session of its own, so that the server of an echo sample goes with it.
    with subprocess.Popen(command, env=peer.environment(), start_new_session=True, **pipes) as process:
        try:
            output, errors = process.communicate(timeout=LONGEST_SAMPLE)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                raise SampleError(f"no end after {LONGEST_SAMPLE:.0f} s") from None
            raise
    if process.returncode:
        raise SampleError(errors.strip().splitlines()[-1] if errors.strip() else f"exit code {process.returncode}")
    sample: dict[str, float] = json.loads(output.splitlines()[-1])
    return sample


def find_cases(scenarios: list[str], peers: list[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield scenario, case and an empty result for everything that was asked for."""
    sys.path.insert(0, str(HERE / "scenarios"))
    for scenario in scenarios:
        for name, entry in importlib.import_module(scenario).suite.entries.items():
            chosen: dict[str, list[Any]] = {peer: [] for peer in peers if peer in entry.peers}
            if chosen:
                yield scenario, name, {"metric": entry.metric, "unit": entry.unit, "peers": chosen}


def measure(
    case: dict[str, Any], scenario: str, name: str, rounds: int, seconds: float, peers: dict[str, Peer]
) -> dict[str, str]:
    """Fill in the samples of one case, the peers in turn and each round beginning with another.

    Returns: What went wrong, by peer; a peer that failed is not asked again.
    """
    failures: dict[str, str] = {}
    names = list(case["peers"])
    for number in range(rounds):
        start = number % len(names)
        for peer in names[start:] + names[:start]:
            if peer not in failures:
                try:
                    case["peers"][peer].append(take_sample(peers[peer], scenario, name, seconds))
                except SampleError as error:
                    failures[peer] = str(error)
    return failures


def prepare(wanted: list[str], source: Path, base: Path | None) -> dict[str, Peer]:
    """Make the environments of the peers; leave out, and say so, whom pip cannot install."""
    ready = {}
    for name in wanted:
        peer = PEERS[name]
        if name in ("ours", "base"):
            tree = source if name == "ours" else base
            if tree is None:
                continue
            peer = replace(peer, source=tree.resolve())
        try:
            peer.prepare()
        except UnavailableError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
        else:
            ready[name] = peer
    return ready


def version(peer: Peer) -> str:
    """Tell what is measured: the requirement, the commit of a source tree, or the Python it comes with."""
    if peer.source is None:
        return peer.requirement.partition("==")[2] or f"of Python {platform.python_version()}"
    command = ["git", "-C", str(peer.source), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or str(peer.source)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter samples")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="only this one (repeatable)")
    parser.add_argument("--peer", action="append", choices=tuple(PEERS), help="only this one (repeatable)")
    parser.add_argument("--case", default="", help="only cases whose name contains this")
    parser.add_argument("--rounds", type=int, help="samples of each peer and case (5, quick 3)")
    parser.add_argument("--seconds", type=float, help="time measured in a sample (0.3, quick 0.1)")
    parser.add_argument("--src", type=Path, default=HERE.parent / "src", help="source tree to measure as `ours`")
    parser.add_argument("--base", type=Path, help="another source tree of ours, to measure as `base`")
    parser.add_argument("--output", type=Path, help="file of the results (bench/results/<time>.json)")
    return parser.parse_args()


def main() -> int:
    """Measure, print and save."""
    asked = options()
    rounds, seconds = asked.rounds or (3 if asked.quick else 5), asked.seconds or (0.1 if asked.quick else 0.3)
    peers = prepare(asked.peer or list(PEERS), asked.src, asked.base)
    results: dict[str, Any] = {
        "when": time.strftime("%Y-%m-%d %H:%M"),
        "rounds": rounds,
        "seconds": seconds,
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
        },
        "versions": {name: version(peer) for name, peer in peers.items()},
        "cases": {},
        "failures": {},
    }
    print(header(results), flush=True)
    began = time.monotonic()
    for scenario, name, case in find_cases(asked.scenario or list(SCENARIOS), list(peers)):
        if asked.case not in name:
            continue
        title = f"{scenario}: {name}"
        failures = measure(case, scenario, name, rounds, seconds, peers)
        results["cases"][title] = case
        print("", table(title, case), sep="\n")
        for peer, error in failures.items():
            results["failures"][f"{title}, {peer}"] = error
            print(f"  {peer} failed: {error}")
        sys.stdout.flush()
    print("", goals(results["cases"]), sep="\n")

    output = asked.output or RESULTS / time.strftime("%Y%m%d-%H%M%S.json")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1))
    took, load = time.monotonic() - began, os.getloadavg()[0]
    print(f"\n{took:.0f} s, load {load:.1f} at the end, saved as {os.path.relpath(output)}")
    return 1 if results["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
