"""Helpers for those who write libraries: modules that may be missing, functions that are going away."""

from __future__ import annotations

import warnings
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["deprecated", "tryimport"]

P = ParamSpec("P")
R = TypeVar("R")


def tryimport(modules: str | Iterable[str], obj: str | None = None, message: str | None = None) -> Any:
    """Import the first of some modules that is there, or an object that one of them has.

    Args:
        modules: the name of a module, or several, the preferred one first.
        obj: the name of something in the module that is wanted instead of the module; without it the next is tried.
        message: what to warn with when there is none.

    Returns:
        The module, or the object; None when there is none.
    """
    for name in [modules] if isinstance(modules, str) else modules:
        try:
            module = import_module(name)
            return module if obj is None else getattr(module, obj)
        except (ImportError, AttributeError):
            continue
    if message is not None:
        warnings.warn(message, stacklevel=2)
    return None


def deprecated(f: Callable[P, R]) -> Callable[P, R]:
    """Have a function warn each time it is called that it is going away."""

    @wraps(f)
    def warn_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
        warnings.warn(f"{f.__module__}.{f.__qualname__} is deprecated", DeprecationWarning, stacklevel=2)
        return f(*args, **kwargs)

    return warn_and_call
