"""Every public module says what it exports; the rules are in `tests/support/exports.py`."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from support.exports import complaints, declared_names
from support.sources import Module, modules_of

PUBLIC = [module for module in modules_of() if module.is_public]
every_public_module = pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.name)


@every_public_module
def test_a_public_module_lists_what_it_defines(module: Module) -> None:
    assert list(complaints(module)) == []


@every_public_module
def test_a_listed_name_is_there(module: Module) -> None:
    imported = importlib.import_module(module.name)

    names = declared_names(module) or []

    assert [name for name in names if not hasattr(imported, name)] == []
    assert set(names) <= set(dir(imported))


# ── the rules can be broken ──────────────────────────────────────────────────────────────────────────────────────────


def complain_about(source: str, path: str = "src/circuits/core/events.py") -> list[str]:
    return [text.partition(": ")[2] for text in complaints(Module("circuits.core.events", Path(path), source))]


@pytest.mark.parametrize(
    "definition",
    [
        "class Event: ...",
        "def Event(): ...",
        "async def Event(): ...",
        "Event = 1",
        "Event: int = 1",
        "if os.name == 'posix':\n    Event = 1",
        "try:\n    import x\nexcept ImportError:\n    Event = None",
    ],
)
def test_whatever_is_public_and_defined_has_to_be_listed(definition: str) -> None:
    assert complain_about(definition) == ["no __all__", "public, but not in __all__: Event"]
    assert complain_about(f"{definition}\n__all__ = []") == ["public, but not in __all__: Event"]
    assert complain_about(f"{definition}\n__all__ = ['Event']") == []


@pytest.mark.parametrize(
    "source", ["'''Only words.'''", "import os", "_T = TypeVar('_T')", "if TYPE_CHECKING:\n    Event = int", "x: int"]
)
def test_a_module_that_defines_nothing_public_needs_no_list(source: str) -> None:
    assert complain_about(source) == []


def test_a_name_is_listed_once_and_not_when_it_is_private() -> None:
    assert complain_about("def x(): ...\n__all__ = ['x', 'x']") == ["__all__ holds a name twice"]
    assert complain_about("__all__ = ['_x']") == ["private, but in __all__: _x"]


@pytest.mark.parametrize("value", ["[*other.__all__]", "sorted(['x'])", "'x'", "[1]"])
def test_a_list_that_has_to_be_computed_is_refused(value: str) -> None:
    with pytest.raises(AssertionError, match=r"events\.py:1: __all__ is not a literal list"):
        complain_about(f"__all__ = {value}")


def complain_about_init(source: str) -> list[str]:
    return complain_about(source, "src/circuits/core/__init__.py")


@pytest.mark.parametrize(
    "source",
    [
        "'''A package.'''\n__version__ = '4'",
        "from .events import Event\n__all__ = ['Event']",
        "if TYPE_CHECKING:\n    from .events import Event\n"
        "_HOMES = {'Event': '.events'}\n__all__ = ['Event']\n"
        "def __getattr__(name): ...\ndef __dir__(): ...",
    ],
)
def test_an_init_may_pass_names_on_at_once_or_late(source: str) -> None:
    assert complain_about_init(source) == []


def test_an_init_that_passes_names_on_lists_them() -> None:
    assert complain_about_init("from .events import Event") == ["no __all__"]


@pytest.mark.parametrize("logic", ["def start(): ...", "for x in y: pass", "register()", "if win32:\n    import z"])
def test_logic_in_an_init_is_refused(logic: str) -> None:
    assert complain_about_init(f"__all__ = ['start']\n{logic}") == ["a package's __init__ only passes names on"]
