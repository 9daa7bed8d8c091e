from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from textwrap import dedent
from typing import Any

import pytest

from circuits import Event
from support.documented import Promise, complaints, read


class base:
    """A base that declares an attribute."""

    declared: int


class thing(base):
    kind = "a thing"
    pairs = ((2, 3), (1, 2))

    def __init__(self, size: int, *more: int, color: str = "red") -> None:
        self.size = size

    def move(self, x: int, y: int = 0) -> None:
        """Take a documented call."""

    @classmethod
    def make(cls, size: int) -> thing:
        return cls(size)

    @staticmethod
    def count(things: list[thing]) -> int:
        return len(things)

    def __add__(self, other: thing) -> thing:
        return other

    @property
    def volume(self) -> int:
        return self.size**3


class happens(Event):
    """An event."""


class Simple:
    def __init__(self) -> None:
        self.state = "new"


@pytest.fixture(autouse=True)
def module() -> Iterator[None]:
    made: Any = types.ModuleType("made_up")
    made.thing, made.base, made.happens, made.Simple, made.one = thing, base, happens, Simple, 1
    made.same = thing
    made.run = lambda a, b=1, *rest, **options: None
    made.exact = lambda a: None
    sys.modules["made_up"] = made
    yield
    del sys.modules["made_up"]


def complaints_about(table: str) -> list[str]:
    promises = read(f"[made_up]\n{dedent(table)}")
    return [complaint for promise in promises for complaint in complaints(promise)]


def test_a_table_is_read_into_promises() -> None:
    table = """\
# a comment
[a.b]
class C(x, y=1) of a.c.D
    f(z, /)
    k = [(1, 2)]
    self.s = 'text'

E -> a.e.E
F or a.f.F or a.g.F
"""
    assert read(table) == [
        Promise("a.b", "C", kind="class", parameters="x, y=1", base="a.c.D"),
        Promise("a.b", "C.f", parameters="z, /"),
        Promise("a.b", "C.k", value="[(1, 2)]"),
        Promise("a.b", "C.s", value="'text'", of_object=True),
        Promise("a.b", "E", same_as="a.e.E"),
        Promise("a.b", "F", others=("a.f.F", "a.g.F")),
    ]


@pytest.mark.parametrize("table", ["x", "[a]\n    f()", "[a]\nclass f( of", "[a]\nx ->", "[a]\nx or", "[a]\ntwo words"])
def test_a_line_that_says_nothing_is_refused_with_its_number(table: str) -> None:
    number = len(table.splitlines())

    with pytest.raises(AssertionError, match=f"line {number} of the table says nothing"):
        read(table)


@pytest.mark.parametrize(
    "table",
    [
        "one",
        "one or nowhere.one",
        "two or made_up.three or made_up.one",
        "same -> made_up.thing",
        "class thing",
        "class thing of made_up.base",
        "class thing(size)",
        "class thing(size, *more)",
        "event happens",
        "event happens(a, b=1)",
        "run(a)",
        "run(a, b=1, *rest, **options)",
        "run(a, /)",
        "run(x, /)",
        "class thing\n    move(x)\n    move(x, y=0)\n    make(size)\n    count(things)\n    __add__(x, /)",
        "class thing\n    kind = 'a thing'\n    volume\n    pairs = [(1, 2), (2, 3)]",
        "class thing\n    self.size\n    self.declared\n    self.volume",
        "class Simple\n    self.state = 'new'",
    ],
)
def test_a_promise_that_is_kept_is_no_complaint(table: str) -> None:
    assert complaints_about(table) == []


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("two", "made_up.two: module 'made_up' has no attribute 'two'"),
        ("two or made_up.three", "made_up.two: module 'made_up' has no attribute 'two'"),
        ("one -> made_up.thing", "made_up.one is not made_up.thing"),
        ("class one", "made_up.one is not a class, or not of the kind: class"),
        ("event thing", "made_up.thing is not a class, or not of the kind: event"),
        ("exception happens", "made_up.happens is not a class, or not of the kind: exception"),
        ("class base of made_up.thing", "made_up.base is not a made_up.thing"),
        ("class thing(size, shape=1)", "made_up.thing(size, shape=1): got an unexpected keyword argument 'shape'"),
        ("class thing()", "made_up.thing(): missing a required argument: 'size'"),
        ("exact(a, b=1)", "made_up.exact(a, b=1): too many positional arguments; found (a)"),
        ("exact(b)", "made_up.exact(b): missing a required argument: 'a'; found (a)"),
        ("exact(a, **options)", "made_up.exact(a, **options): got an unexpected keyword argument 'some_other_name'"),
        ("exact(a, *more)", "made_up.exact(a, *more): too many positional arguments; found (a)"),
        ("class thing\n    move(x, z=0)", "made_up.thing.move(x, z=0): got an unexpected keyword argument 'z'"),
        ("class thing\n    make()", "made_up.thing.make(): missing a required argument: 'size'"),
        ("class thing\n    missing()", "made_up.thing.missing: type object 'thing' has no attribute 'missing'"),
        ("class thing\n    kind = 'x'", "made_up.thing.kind = 'x': found 'a thing'"),
        ("class thing\n    self.weight", "made_up.thing.weight: objects of thing have no attribute 'weight'"),
        ("class Simple\n    self.state = 1", "made_up.Simple.state = 1: found 'new'"),
    ],
)
def test_one_that_is_broken_is_told(table: str, complaint: str) -> None:
    [found] = complaints_about(table)

    assert found.startswith(complaint)


def test_a_module_that_is_not_there_is_told_by_each_of_its_names() -> None:
    [promise] = read("[nowhere_at_all]\nx(a)")

    assert list(complaints(promise)) == ["nowhere_at_all.x: No module named 'nowhere_at_all'"]
