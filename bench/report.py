"""Turn samples into medians, spreads, ratios and a table."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any

__all__ = ["goals", "header", "medians", "spread", "table"]

#: One case of the results: {"metric": …, "unit": …, "peers": {name: [sample, …]}}.
Case = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """A bound for the quotient of two medians, or for one median in nanoseconds."""

    case: str
    peer: str
    #: Case and peer of the divisor.
    over: tuple[str, str] | None = None
    at_least: float | None = None
    at_most: float | None = None

    def judge(self, cases: dict[str, Case]) -> str:
        """Say whether it is reached; nothing if it was not measured."""
        parts = [(self.case, self.peer), *filter(None, [self.over])]
        values = [medians(cases[case]).get(peer, 0.0) if case in cases else 0.0 for case, peer in parts]
        if not all(values):
            return ""
        value = values[0] / values[1] if self.over else values[0]
        write = times if self.over else duration
        if self.at_least is not None:
            reached, wanted = value >= self.at_least, f"at least {write(self.at_least)}"
        else:
            bound = self.at_most or 0.0
            reached, wanted = value <= bound, f"at most {write(bound)}"
        names = " / ".join(f"{peer}, {case}" for case, peer in parts)
        return f"  {'yes' if reached else 'NO ':3}  {write(value):>8}  {wanted:16}  {names}"


GOALS = (
    Goal("fire: queued", "release", ("fire: queued", "ours"), at_least=4),
    Goal("fire: queued", "pyee", ("fire: queued", "ours"), at_least=1),
    Goal("fire: one at a time", "release", ("fire: one at a time", "ours"), at_least=3),
    Goal("fire: success + complete", "release", ("fire: success + complete", "ours"), at_least=7),
    Goal("call: generator", "asyncio", ("call: generator", "ours"), at_least=1),
    Goal("turns: hundred in run()", "asyncio", ("turns: hundred in run()", "ours"), at_least=4),
    Goal("turns: hundred by tick()", "asyncio", ("turns: hundred by tick()", "ours"), at_least=4),
    Goal("tree: fire among 1000", "ours", ("tree: fire among 1", "ours"), at_most=1.1),
    Goal("tree: call among 1000", "ours", ("tree: call among 1", "ours"), at_most=1.1),
    Goal("echo: 50 connections", "ours", ("echo: 50 connections", "epoll"), at_most=1.4),
    Goal("startup: import", "ours", at_most=25e6),
)


def medians(case: Case) -> dict[str, float]:
    """Tell the median of each peer, in nanoseconds."""
    metric = case["metric"]
    return {peer: median(sample[metric] for sample in samples) for peer, samples in case["peers"].items() if samples}


def spread(values: list[float]) -> float:
    """Tell the median absolute deviation, as a part of the median."""
    middle = median(values)
    return median(abs(value - middle) for value in values) / abs(middle) if middle else 0.0


def duration(nanoseconds: float) -> str:
    """Write a duration with three digits and its unit."""
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(nanoseconds) >= size:
            return (
                f"{nanoseconds / size:.3g} {unit}"
                if abs(nanoseconds) < 1000 * size
                else f"{nanoseconds / size:.0f} {unit}"
            )
    return f"{nanoseconds:.0f} ns"


def times(ratio: float) -> str:
    """Write a ratio, with two decimals where they mean something."""
    return f"{ratio:.2f}x" if 0.1 <= abs(ratio) < 100 else f"{ratio:.3g}x"


def rate(nanoseconds: float) -> str:
    """Write how many of them fit into a second."""
    per_second = 1e9 / nanoseconds if nanoseconds > 0 else 0
    for size, unit in ((1e6, " M/s"), (1e3, " k/s")):
        if per_second >= size:
            return f"{per_second / size:.3g}{unit}"
    return f"{per_second:.3g} /s"


def _ratios(case: Case, peer: str, reference: str) -> str:
    """Write the ratio of medians, and between which quartiles the ratios of the single rounds lie."""
    metric = case["metric"]
    middle = medians(case)
    ours, theirs = case["peers"][reference], case["peers"][peer]
    rounds = [b[metric] / a[metric] for a, b in zip(ours, theirs, strict=False) if a[metric]]
    text = times(middle[peer] / middle[reference])
    if len(rounds) > 1 and peer != reference:
        low, _, high = quantiles(rounds, n=4, method="inclusive")
        text += f"  [{times(low)} {times(high)}]"
    return text


def _row(case: Case, peer: str, reference: str) -> list[str]:
    samples, metric = case["peers"][peer], case["metric"]
    wall, cpu = (median(sample[key] for sample in samples) for key in ("wall", "cpu"))
    main, other = (cpu, wall) if metric == "cpu" else (wall, cpu)
    part = f"{spread([sample[metric] for sample in samples]):.1%}"
    speed = rate(wall) if case["unit"] != "import" else ""
    note = f"only {samples[0]['batch']} at a time" if samples[0]["cut"] else ""
    return [f"  {peer}", duration(main), part, duration(other), speed, _ratios(case, peer, reference), note]


def table(title: str, case: Case) -> str:
    """Write one case: a line for each peer, ratios to the first of them."""
    measured = [peer for peer, samples in case["peers"].items() if samples]
    if not measured:
        return title
    metric, unit = case["metric"], case["unit"]
    other = "wall" if metric == "cpu" else "cpu"
    head = [title, f"{metric}/{unit}", "±", f"{other}/{unit}", f"{unit}s/s", f"vs {measured[0]}", ""]
    if unit == "import":
        head[4] = ""
    rows = [head, *(_row(case, peer, measured[0]) for peer in measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = []
    for name, *numbers, ratio, note in rows:
        columns = [number.rjust(width) for number, width in zip(numbers, widths[1:5], strict=True)]
        lines.append("  ".join((name.ljust(max(30, widths[0])), *columns, ratio.ljust(widths[5]), note)).rstrip())
    return "\n".join(lines)


def goals(cases: dict[str, Case]) -> str:
    """Say of each goal whether it is reached, as far as its cases were measured."""
    lines = [line for line in (goal.judge(cases) for goal in GOALS) if line]
    return "\n".join(["Goals", *lines]) if lines else ""


def header(results: dict[str, Any]) -> str:
    """Say what was measured where."""
    machine = results["machine"]
    versions = ", ".join(f"{peer} {version}" for peer, version in results["versions"].items())
    return (
        f"{results['when']}, Python {machine['python']}, {machine['cores']} cores, load {machine['load']:.1f} before\n"
        f"{versions}\n"
        f"{results['rounds']} rounds, peers in turn. Medians ± median absolute deviation; ratios of medians,\n"
        "and in brackets the quartiles of the ratios of single rounds."
    )
