"""Find components in a tree, and import modules without a trace when that fails."""

from __future__ import annotations

import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

    from .manager import Manager

__all__ = ["findchannel", "findcmp", "findroot", "findtype", "flatten", "itercmp", "safeimport"]


def flatten(root: Manager, visited: set[Manager] | None = None) -> Iterator[Manager]:
    """Iterate over a component and all that are below it: parents first, siblings in the order they were registered.

    Args:
        root: where to begin.
        visited: components to leave out, with what is below them; those that are given out are added.
    """
    seen = set() if visited is None else visited
    if root in seen:
        return
    seen.add(root)
    yield root
    for component in sorted(root.components, key=lambda component: component._evnode.position):
        yield from flatten(component, seen)


def itercmp(x: Manager, c: type, /, subclass: bool = True) -> Iterator[Manager]:
    """Iterate over the components in a tree that match a class.

    Args:
        x: where to begin.
        c: the class.
        subclass: whether components of a subclass match, too.
    """
    for component in flatten(x):
        if isinstance(component, c) if subclass else type(component) is c:
            yield component


def findroot(component: Manager) -> Manager:
    """Give the topmost component of the tree that a component is in."""
    while component.parent is not component:
        component = component.parent
    return component


def findchannel(root: Manager, channel: Any, all: bool = False) -> Any:  # noqa: A002 - documented name
    """Give the first component in a tree that has a channel, or None.

    Args:
        root: where to begin.
        channel: the channel.
        all: give a list of all such components instead.
    """
    return _first_or_all((component for component in flatten(root) if component.channel == channel), all)


def findcmp(root: Manager, component: type, all: bool = False) -> Any:  # noqa: A002 - documented name
    """Give the first component in a tree that is an instance of a class, or None.

    Args:
        root: where to begin.
        component: the class; its subclasses count.
        all: give a list of all such components instead.
    """
    return _first_or_all(itercmp(root, component), all)


#: Two documented names for one thing.
findtype = findcmp


def _first_or_all(found: Iterator[Manager], everything: bool) -> Any:
    return list(found) if everything else next(found, None)


def safeimport(name: str) -> ModuleType:
    """Import a module anew, with the modules inside it, whether it is loaded already or not.

    Args:
        name: the module, with dots in it when it is inside a package.

    Raises:
        BaseException: whatever the import raises; the table of loaded modules is then as it was before.
    """
    from importlib import import_module, invalidate_caches

    with _loaded_modules_kept():
        for module in [module for module in sys.modules if f"{module}.".startswith(f"{name}.")]:
            _forget(sys.modules.pop(module))
        # A file that was written a moment ago may not be in the list of its folder yet.
        invalidate_caches()
        return import_module(name)


@contextmanager
def _loaded_modules_kept() -> Iterator[None]:
    """Restore the table of loaded modules when the block fails."""
    before = sys.modules.copy()
    try:
        yield
    except BaseException:
        for module in sys.modules.keys() - before.keys():
            del sys.modules[module]
        sys.modules.update(before)
        raise


def _forget(module: ModuleType | None) -> None:
    """Remove the compiled form of a module: it passes for new when its source was written again within a second."""
    import os
    from contextlib import suppress

    cached = getattr(getattr(module, "__spec__", None), "cached", None)
    if cached is not None:
        with suppress(OSError):
            os.unlink(cached)
