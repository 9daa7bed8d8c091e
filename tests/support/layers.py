"""The layers of the source, as tables, and what breaks them.

      4   circuits.web      circuits.node      circuits.app
      3   circuits.{protocols, net, io, tools}                 vanilla.{io, tcp, udp, http, …}   sig.carrier
      2   circuits.core                                        vanilla.core, .message            sig.main
      1   evkernel   (loop, timers, ready, poll, routes, tls)
      0   evkernel.wire   (pure functions of bytes)

Rule 1: imports go down, or sideways without a circle; inside a function too. Names come from the module that defines
        them, never from a package that only passes them on.
Rule 2: circuits, vanilla and sig never import each other, and only vanilla imports greenlet.
Rule 3: wire touches no sockets, clocks or threads; one module each knows the pollers, the clock and asyncio.
Rule 4: net and io do not know each other; protocols never imports web; core never imports net.
Rule 5: every file is walked, and the first offending line of a rule is named.

An import that only type checkers see still points up or across; but it loads nothing, so it closes no circle and may
name what only one module may load.
"""

from __future__ import annotations

import ast
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .sources import Module, is_type_checking

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["Import", "Offence", "imports_of", "rule_1", "rule_2", "rule_3", "rule_4"]

#: `name.*` is the package and everything in it; the longest entry that fits a module counts.
LEVELS = {
    "circuits": 5,  # the package roots pass names on, from all levels
    "vanilla": 5,
    "sig": 5,
    "circuits.web.*": 4,
    "circuits.node.*": 4,
    "circuits.app.*": 4,
    "circuits.protocols.*": 3,
    "circuits.net.*": 3,
    "circuits.io.*": 3,
    "circuits.tools.*": 3,
    "vanilla.*": 3,
    "sig.carrier.*": 3,
    "circuits.core.*": 2,
    "circuits.version": 2,
    "circuits.six": 2,
    "vanilla.core": 2,
    "vanilla.message": 2,
    "vanilla._pair": 2,
    "vanilla._queue": 2,
    "vanilla._router": 2,
    "vanilla._stream": 2,
    "vanilla.poll": 2,
    "vanilla.exception": 2,
    "vanilla.meta": 2,
    "sig.*": 2,
    "evkernel.*": 1,
    "evkernel.errors": 0,  # wire says what is wrong in the same words as the rest of the kernel
    "evkernel.wire.*": 0,
}

#: (rule, who, never imports, why)
APART = (
    (2, "circuits.*", ("vanilla.*", "sig.*"), "the three packages never import each other"),
    (2, "vanilla.*", ("circuits.*", "sig.*"), "the three packages never import each other"),
    (2, "sig.*", ("circuits.*", "vanilla.*"), "the three packages never import each other"),
    (
        3,
        "evkernel.wire.*",
        ("socket.*", "select.*", "selectors.*", "ssl.*", "time.*", "threading.*"),
        "wire is bytes in, messages out: no sockets, clocks or threads",
    ),
    (
        3,
        "circuits.protocols.irc.*",
        ("socket.*", "select.*", "selectors.*", "ssl.*", "time.*", "threading.*"),
        "a protocol gets its bytes from others",
    ),
    (4, "circuits.net.*", ("circuits.io.*",), "net and io do not know each other"),
    (4, "circuits.io.*", ("circuits.net.*",), "net and io do not know each other"),
    (4, "circuits.protocols.*", ("circuits.web.*",), "protocols never imports web"),
    (4, "circuits.core.*", ("circuits.net.*",), "core never imports net"),
)

#: (rule, what, the only one that may import it, why)
ONLY = (
    (2, "greenlet.*", "vanilla.*", "only vanilla switches greenlets"),
    (3, "select.*", "evkernel.poll", "only evkernel.poll knows what the system can poll"),
    (3, "selectors.*", "evkernel.poll", "only evkernel.poll knows what the system can poll"),
    (3, "asyncio.*", "evkernel.hosted", "only a hosted loop pays for importing asyncio"),
)

#: The only module that asks what time it is; every other one asks the clock it was given.
CLOCK = "evkernel.clock"
#: Functions of `time` that read a clock; `sleep` and the conversions of a given time do not.
READS_CLOCK = frozenset(
    f"{clock}{unit}"
    for clock in ("time", "monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
    for unit in ("", "_ns")
)
#: These read it only when they are given no time.
READS_CLOCK_WITHOUT_ARGUMENT = frozenset({"localtime", "gmtime", "ctime", "asctime"})
#: `datetime.now()` and its kin.
READS_CALENDAR = frozenset({"now", "utcnow", "today"})


@dataclass(frozen=True)
class Import:
    """One name that a module takes from elsewhere, and the line where it does."""

    module: Module
    line: int
    target: str
    """The imported module, as far as one can tell without importing it."""
    name: str | None
    """What is taken out of it, when that is not a module itself."""
    is_for_types: bool


@dataclass(frozen=True)
class Offence:
    """A line that breaks a rule."""

    path: Path
    line: int
    text: str
    rule: int
    why: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}:{self.line}: {self.text}\n    rule {self.rule}: {self.why}"


def rule_1(modules: Sequence[Module]) -> list[Offence]:
    """Return what points up, goes round in a circle, or takes a name from a package that only passes it on."""
    known = {module.name: module for module in modules}
    offences = [
        Offence(module.path, 1, module.lines[0] if module.lines else "", 1, f"{module.name} is in no layer: add it")
        for module in modules
        if _level(module.name) is None
    ]
    imports = [found for found in imports_of(modules) if found.target in known]
    for found in imports:
        here, there = _level(found.module.name), _level(found.target)
        if here is not None and there is not None and there > here:
            offences.append(_offence(found, 1, f"{found.module.name} (level {here}) is below level {there}"))
        elif found.name is not None and known[found.target].is_package and not found.module.is_package:
            offences.append(_offence(found, 1, f"take {found.name} from the module that defines it"))
    return _in_order(offences + _circles(imports))


def rule_2(modules: Sequence[Module]) -> list[Offence]:
    """Return where the three packages meet, and who else imports greenlet."""
    return _forbidden(modules, 2)


def rule_3(modules: Sequence[Module]) -> list[Offence]:
    """Return where a socket, a poller, a clock, a thread or asyncio is known that should not be."""
    readings = [offence for module in modules if module.name != CLOCK for offence in _clock_readings(module)]
    return _in_order(_forbidden(modules, 3) + readings)


def rule_4(modules: Sequence[Module]) -> list[Offence]:
    """Return where neighbours that should not know each other do."""
    return _forbidden(modules, 4)


def imports_of(modules: Sequence[Module]) -> list[Import]:
    """Return every import of *modules*: statements wherever they stand, and `import_module("literal")`."""
    known = {module.name for module in modules}
    found = []
    for module in modules:
        for node, is_for_types in _walk(module.tree):
            for target, name in _targets(node, module, known):
                assert isinstance(node, ast.stmt | ast.expr)
                found.append(Import(module, node.lineno, target, name, is_for_types))
    return found


def _walk(node: ast.AST, is_for_types: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield every node under *node*, and whether only type checkers come there."""
    for field, value in ast.iter_fields(node):
        only_types = is_for_types or (isinstance(node, ast.If) and field == "body" and is_type_checking(node.test))
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child, only_types
                yield from _walk(child, only_types)


def _targets(node: ast.AST, module: Module, known: set[str]) -> Iterator[tuple[str, str | None]]:
    """Yield what *node* imports, as (module, name in it or None)."""
    if isinstance(node, ast.Import):
        yield from ((alias.name, None) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        source = _absolute(node, module)
        for alias in node.names:
            submodule = f"{source}.{alias.name}"
            yield (submodule, None) if submodule in known else (source, alias.name)
    elif isinstance(node, ast.Call) and node.args:
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if function in {"import_module", "__import__"} and isinstance(first, ast.Constant):
            yield str(first.value), None


def _absolute(node: ast.ImportFrom, module: Module) -> str:
    if not node.level:
        return node.module or ""
    parts = module.package.split(".")
    base = parts[: len(parts) - (node.level - 1)]
    return ".".join([*base, node.module] if node.module else base)


def _fits(name: str, pattern: str) -> bool:
    """Say whether *name* is what *pattern* means: `a.b` exactly, or with `a.b.*` everything in it as well."""
    base = pattern.removesuffix(".*")
    return name == base or (base != pattern and name.startswith(base + "."))


def _level(name: str) -> int | None:
    fitting = [pattern for pattern in LEVELS if _fits(name, pattern)]
    if not fitting:
        return None
    # Of `circuits` and `circuits.*` the first says more about `circuits` itself.
    return LEVELS[max(fitting, key=lambda pattern: (len(pattern.removesuffix(".*")), not pattern.endswith(".*")))]


def _forbidden(modules: Sequence[Module], rule: int) -> list[Offence]:
    """Return what the tables forbid under *rule*."""
    offences = []
    for found in imports_of(modules):
        for number, who, whom, why in APART:
            if number == rule and _fits(found.module.name, who) and any(_fits(found.target, one) for one in whom):
                offences.append(_offence(found, rule, why))
        for number, what, who, why in ONLY:
            is_allowed = found.is_for_types or _fits(found.module.name, who)
            if number == rule and _fits(found.target, what) and not is_allowed:
                offences.append(_offence(found, rule, why))
    return _in_order(offences)


def _circles(imports: Sequence[Import]) -> list[Offence]:
    """Return the import that closes each circle of modules, once per set of modules."""
    loads: dict[str, dict[str, None]] = {}
    for found in imports:
        if not found.is_for_types:
            loads.setdefault(found.module.name, {})[found.target] = None
    offences, seen = [], set()
    for found in imports:
        if found.is_for_types:
            continue
        path = _path(loads, found.target, found.module.name)
        if path and (members := frozenset(path)) not in seen:
            seen.add(members)
            offences.append(_offence(found, 1, "a circle: " + " → ".join([found.module.name, *path])))
    return offences


def _path(loads: dict[str, dict[str, None]], start: str, goal: str) -> list[str]:
    """Return a shortest way from *start* to *goal* along *loads*, both included; empty when there is none."""
    came_from: dict[str, str | None] = {start: None}
    queue = deque([start])
    while queue and goal not in came_from:
        here = queue.popleft()
        for there in loads.get(here, {}):
            if there not in came_from:
                came_from[there] = here
                queue.append(there)
    way: list[str] = []
    step = goal if goal in came_from else None
    while step is not None:
        way.append(step)
        step = came_from[step]
    return way[::-1]


def _clock_readings(module: Module) -> Iterator[Offence]:
    """Yield every line of *module* that asks what time it is."""
    names_of_time = {
        alias.asname or "time"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "time"
    }
    for node in ast.walk(module.tree):
        if _reads_clock(node, names_of_time):
            assert isinstance(node, ast.stmt | ast.expr)
            yield Offence(
                module.path, node.lineno, module.lines[node.lineno - 1].strip(), 3, f"only {CLOCK} reads clocks"
            )


def _reads_clock(node: ast.AST, names_of_time: set[str]) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and not node.level and any(alias.name in READS_CLOCK for alias in node.names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args:
        owner, name = node.func.value, node.func.attr
        return name in READS_CLOCK_WITHOUT_ARGUMENT and isinstance(owner, ast.Name) and owner.id in names_of_time
    if isinstance(node, ast.Attribute):
        owner_name = node.value.id if isinstance(node.value, ast.Name) else getattr(node.value, "attr", "")
        is_calendar = node.attr in READS_CALENDAR and owner_name in {"datetime", "date"}
        return is_calendar or (node.attr in READS_CLOCK and owner_name in names_of_time)
    return False


def _offence(found: Import, rule: int, why: str) -> Offence:
    return Offence(found.module.path, found.line, found.module.lines[found.line - 1].strip(), rule, why)


def _in_order(offences: list[Offence]) -> list[Offence]:
    return sorted(offences, key=lambda offence: (offence.path, offence.line))
