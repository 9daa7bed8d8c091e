"""Importing what should be light loads the standard library and nothing else.

Each package is imported in an interpreter of its own, which reports what came into `sys.modules`. Modules that are
added to a package are found by themselves.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.program import SRC
from support.sources import modules_of

#: Everything in these packages has to be importable on a bare Python. A package counts from the day it is there.
LIGHT = (
    "evkernel",
    "circuits.core",
    "circuits.net",
    "circuits.io",
    "circuits.protocols",
    "circuits.tools",
    "sig",
)
OWN = frozenset({"evkernel", "circuits", "vanilla", "sig"})

MODULES = {
    package: [module.name for module in modules_of() if f"{module.name}.".startswith(f"{package}.")]
    for package in LIGHT
}
PRESENT = [package for package, modules in MODULES.items() if modules]

#: Imports each argument in turn and prints, as JSON, which modules each one brought.
REPORTER = """
import json, sys
sys.path.insert(0, sys.argv[1])
import importlib
brought = {}
for name in sys.argv[2:]:
    before = set(sys.modules)
    importlib.import_module(name)
    brought[name] = sorted(set(sys.modules) - before)
print(json.dumps(brought))
"""


def brought_by(*modules: str, options: tuple[str, ...]) -> dict[str, list[str]]:
    """Return for each of *modules*, imported one after the other, which modules that added to `sys.modules`."""
    command = [sys.executable, *options, "-W", "error", "-c", REPORTER, str(SRC), *modules]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert finished.returncode == 0, finished.stderr
    report: dict[str, list[str]] = json.loads(finished.stdout)
    return report


def is_foreign(module: str) -> bool:
    return module.partition(".")[0] not in sys.stdlib_module_names | OWN


@pytest.mark.parametrize("package", PRESENT)
def test_a_light_package_works_where_nothing_is_installed(package: str) -> None:
    # -S leaves out site-packages, so an import of anything else fails, wherever it hides.
    report = brought_by(*MODULES[package], options=("-I", "-S"))

    assert list(report) == MODULES[package]


@pytest.mark.parametrize("package", PRESENT)
def test_a_light_package_leaves_installed_libraries_alone(package: str) -> None:
    # With site-packages, for a `try: import …` that would load a library wherever there is one.
    report = brought_by(*MODULES[package], options=("-I",))

    foreign = {name: found for name, brought in report.items() if (found := list(filter(is_foreign, brought)))}
    assert foreign == {}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("circuits", {"asyncio", "ssl", "multiprocessing"}),
        ("evkernel", {"asyncio", "ssl", "multiprocessing"}),
        ("evkernel.loop", {"asyncio", "ssl", "multiprocessing"}),
        ("sig", {"asyncio", "ssl", "multiprocessing"}),
    ],
)
def test_a_start_does_not_pay_for_what_it_may_never_use(module: str, heavy: set[str]) -> None:
    if module not in {found.name for found in modules_of()}:
        pytest.skip(f"{module} is not written yet")

    loaded = {name.partition(".")[0] for name in brought_by(module, options=("-I", "-S"))[module]}

    assert loaded & heavy == set()


def test_the_report_shows_a_library_that_is_not_ours() -> None:
    report = brought_by("iniconfig", options=("-I",))

    assert is_foreign("iniconfig")
    assert "iniconfig" in report["iniconfig"]


def test_without_site_packages_there_is_no_such_library() -> None:
    with pytest.raises(AssertionError, match="No module named 'iniconfig'"):
        brought_by("iniconfig", options=("-I", "-S"))
