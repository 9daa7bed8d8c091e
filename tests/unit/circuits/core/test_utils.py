from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from circuits import BaseComponent
from circuits.core.utils import findchannel, findcmp, findroot, findtype, flatten, itercmp, safeimport


class A(BaseComponent):
    pass


class B(A):
    channel = "b"


class C(BaseComponent):
    pass


class Forest:
    """root ─ a ─ (b, c), root ─ b2"""

    def __init__(self) -> None:
        self.root = BaseComponent()
        self.a = A().register(self.root)
        self.b2 = B().register(self.root)
        self.b = B().register(self.a)
        self.c = C(channel="c").register(self.a)


@pytest.fixture
def forest() -> Forest:
    return Forest()


def test_flatten_goes_from_parents_to_children_in_the_order_of_registration(forest: Forest) -> None:
    assert list(flatten(forest.root)) == [forest.root, forest.a, forest.b, forest.c, forest.b2]
    assert list(flatten(forest.a)) == [forest.a, forest.b, forest.c]


def test_flatten_leaves_out_what_was_visited_and_adds_what_it_visits(forest: Forest) -> None:
    visited: Any = {forest.a}

    assert list(flatten(forest.root, visited)) == [forest.root, forest.b2]
    assert visited == {forest.a, forest.root, forest.b2}
    assert list(flatten(forest.root, visited)) == []


def test_findroot_gives_the_topmost_component(forest: Forest) -> None:
    assert findroot(forest.c) is forest.root
    assert findroot(forest.root) is forest.root


@pytest.mark.parametrize("find", [findcmp, findtype], ids=["findcmp", "findtype"])
def test_components_are_found_by_class_subclasses_included(forest: Forest, find: Any) -> None:
    assert find(forest.root, A) is forest.a
    assert find(forest.root, B) is forest.b
    assert find(forest.root, A, all=True) == [forest.a, forest.b, forest.b2]
    assert find(forest.root, dict) is None
    assert find(forest.root, dict, all=True) == []


def test_components_are_found_by_channel(forest: Forest) -> None:
    assert findchannel(forest.root, "b") is forest.b
    assert findchannel(forest.root, "b", all=True) == [forest.b, forest.b2]
    assert findchannel(forest.root, "c") is forest.c
    assert findchannel(forest.root, "nowhere") is None
    assert findchannel(forest.root, "nowhere", all=True) == []


def test_itercmp_iterates_with_subclasses_or_without(forest: Forest) -> None:
    assert list(itercmp(forest.root, A)) == [forest.a, forest.b, forest.b2]
    assert list(itercmp(forest.root, A, False)) == [forest.a]


# ── importing ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A folder to import from; what was imported is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def write(name: str, source: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_safeimport_gives_the_module(modules: Any) -> None:
    modules("plug.py", "x = 1")

    assert safeimport("plug").x == 1
    assert sys.modules["plug"].x == 1


def test_safeimport_imports_anew_and_leaves_nothing_of_the_old_module(modules: Any) -> None:
    modules("plug.py", "x = 1; old = 1")
    old = safeimport("plug")
    modules("plug.py", "x = 2; new = 1")
    new = safeimport("plug")

    assert (new.x, hasattr(new, "old"), old.x) == (2, False, 1)
    assert sys.modules["plug"] is new


def test_a_source_of_the_same_size_that_was_written_in_the_same_second_is_read_again(modules: Any) -> None:
    for number in range(5):
        modules("plug.py", f"x = {number}")
        assert safeimport("plug").x == number


def test_the_modules_of_a_package_are_imported_anew_with_it(modules: Any) -> None:
    modules("pack/__init__.py", "from . import inner")
    modules("pack/inner.py", "x = 1")
    modules("packed.py", "untouched = True")
    neighbour = safeimport("packed")
    assert safeimport("pack").inner.x == 1
    modules("pack/inner.py", "x = 2")

    assert safeimport("pack").inner.x == 2
    assert sys.modules["packed"] is neighbour


def test_a_module_inside_a_package_is_imported_by_its_full_name(modules: Any) -> None:
    modules("pack/__init__.py", "")
    modules("pack/inner.py", "x = 1")

    assert safeimport("pack.inner").x == 1


def test_an_import_that_fails_raises_and_leaves_no_trace(modules: Any) -> None:
    modules("helper.py", "")
    modules("broken.py", "import helper\nraise LookupError('broken')")
    before = dict(sys.modules)

    with pytest.raises(LookupError, match="broken"):
        safeimport("broken")

    assert sys.modules == before


def test_an_import_anew_that_fails_leaves_the_old_module(modules: Any) -> None:
    modules("plug.py", "x = 1")
    old = safeimport("plug")
    modules("plug.py", "this is no Python")

    with pytest.raises(SyntaxError):
        safeimport("plug")

    assert sys.modules["plug"] is old


def test_a_module_that_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ImportError):
        safeimport("no.such.module")
