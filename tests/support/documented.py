"""Compare modules with a table of the names that documents promise.

    text ── read ──▶ promises ── complaints ──▶ what is not kept

The form of the table is described in its head: `tests/conformance/documented_names.txt`. A promise is kept when the
name is there and is what it should be, and, where there are parameters, when every call that they allow is accepted: by
position, by name, and with only what is required.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import inspect
import re
import socket
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

__all__ = ["Promise", "complaints", "read"]

ALIAS = re.compile(r"(?P<name>\w+) -> (?P<same_as>[\w.]+)")
EITHER = re.compile(r"(?P<name>\w+)(?P<others>( or [\w.]+)+)")
TOP = re.compile(r"((?P<kind>class|event|exception) )?(?P<name>\w+)(\((?P<parameters>.*)\))?( of (?P<base>[\w.]+))?")
MEMBER = re.compile(r"    (?P<of_object>self\.)?(?P<name>\w+)(\((?P<parameters>.*)\))?( = (?P<value>.+))?")


@dataclass(frozen=True)
class Promise:
    """One name, and what the documents say of it; None is left open."""

    module: str
    name: str
    kind: str | None = None
    parameters: str | None = None
    base: str | None = None
    same_as: str | None = None
    value: str | None = None
    of_object: bool = False
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


def read(text: str) -> list[Promise]:
    """Return what a table promises, or fail with the number of a line that says nothing."""
    promises: list[Promise] = []
    module = owner = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if heading := re.fullmatch(r"\[([\w.]+)\]", line):
            module, owner = heading[1], ""
            continue
        pattern = next((one for one in (ALIAS, EITHER, MEMBER, TOP) if one.fullmatch(line)), None)
        if pattern is None or not module or (pattern is MEMBER and not owner):
            raise AssertionError(f"line {number} of the table says nothing: {line!r}")
        match = pattern.fullmatch(line)
        assert match is not None
        found: dict[str, Any] = match.groupdict()
        if pattern is MEMBER:
            found |= {"name": f"{owner}.{found['name']}", "of_object": bool(found["of_object"])}
        else:
            owner = found["name"]
        if pattern is EITHER:
            found["others"] = tuple(found["others"].removeprefix(" or ").split(" or "))
        promises.append(Promise(module, **found))
    return promises


def complaints(promise: Promise) -> Iterator[str]:
    """Yield every way in which *promise* is not kept."""
    try:
        owner, found = _find_any(promise)
    except (ImportError, AttributeError) as error:
        yield f"{promise}: {error}"
        return
    if promise.same_as is not None and found is not _named(promise.same_as):
        yield f"{promise} is not {promise.same_as}"
    if promise.kind is not None and not _is_kind(found, promise.kind):
        yield f"{promise} is not a class, or not of the kind: {promise.kind}"
    elif promise.base is not None and not issubclass(found, _named(promise.base)):
        yield f"{promise} is not a {promise.base}"
    elif promise.parameters is not None:
        yield from (f"{promise}({promise.parameters}): {problem}" for problem in _call_problems(owner, promise, found))
    if promise.value is not None:
        value = getattr(owner(), promise.name.rpartition(".")[2]) if promise.of_object else found
        if _plain(value) != _plain(eval(promise.value, {"socket": socket})):
            yield f"{promise} = {promise.value}: found {value!r}"


def _find_any(promise: Promise) -> tuple[Any, Any]:
    """Return what holds the promised name, and what is under it; None for an attribute that only objects have."""
    for other in promise.others:
        with contextlib.suppress(ImportError, AttributeError):
            return None, _named(other)
    owner, _, name = promise.name.rpartition(".")
    holder: Any = importlib.import_module(promise.module)
    if owner:
        holder = getattr(holder, owner)
    if not promise.of_object:
        return holder, getattr(holder, name)
    if not _objects_have(holder, name):
        raise AttributeError(f"objects of {owner} have no attribute {name!r}")
    return holder, None


def _named(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _is_kind(found: Any, kind: str) -> bool:
    bases = {"class": "builtins.object", "event": "circuits.core.events.Event", "exception": "builtins.Exception"}
    return isinstance(found, type) and issubclass(found, _named(bases[kind]))


def _objects_have(cls: type, name: str) -> bool:
    """Say whether objects of *cls* have an attribute: declared in the class or a base, or set on `self` there."""
    for base in cls.__mro__[:-1]:
        if name in base.__dict__ or name in inspect.get_annotations(base):
            return True
        tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        stored = (
            node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        )
        if any(node.attr == name and isinstance(node.value, ast.Name) and node.value.id == "self" for node in stored):
            return True
    return False


def _call_problems(owner: Any, promise: Promise, found: Any) -> Iterator[str]:
    actual = inspect.signature(found)
    name = promise.name.rpartition(".")[2]
    if isinstance(owner, type) and isinstance(inspect.getattr_static(owner, name), FunctionType):
        actual = actual.replace(parameters=list(actual.parameters.values())[1:])
    for args, kwargs in _calls(promise.parameters or ""):
        try:
            actual.bind(*args, **kwargs)
        except TypeError as error:
            yield f"{error}; found {actual}"
            return


def _calls(parameters: str) -> list[tuple[list[None], dict[str, None]]]:
    """Return calls that documented parameters allow: all by position, all by name, and only what is required."""
    documented = list(inspect.signature(eval(f"lambda {parameters}: None")).parameters.values())
    only_by_place = [one for one in documented if one.kind is inspect.Parameter.POSITIONAL_ONLY]
    either = [one for one in documented if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    kinds = {one.kind for one in documented}
    more = [None] * (2 if inspect.Parameter.VAR_POSITIONAL in kinds else 0)
    named: dict[str, None] = {"some_other_name": None} if inspect.Parameter.VAR_KEYWORD in kinds else {}
    required = [one for one in only_by_place + either if one.default is inspect.Parameter.empty]
    by_name = named | dict.fromkeys(one.name for one in either)
    return [
        ([None] * len(only_by_place + either) + more, named),
        ([None] * len(only_by_place), by_name),
        ([None] * len(required), {}),
    ]


def _plain(value: Any) -> Any:
    """Make a list of what may as well be a tuple or a set, in an order that does not depend on which it is."""
    return sorted(map(_plain, value), key=repr) if isinstance(value, list | tuple | set | frozenset) else value
