"""Load components by the name of the module that defines them.

load(name) ──▶ import, anew ──▶ the classes that the module itself defines ──▶ components ──▶ registered
"""

from __future__ import annotations

import sys

from .components import BaseComponent
from .handlers import handler
from .utils import _loaded_modules_kept, safeimport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from os import PathLike
    from types import ModuleType
    from typing import Any

__all__ = ["Loader"]


class Loader(BaseComponent):
    """Load components from modules, in folders, eggs and zip archives.

    A module is imported anew every time; components that were loaded from it before stay as they are until they are
    unregistered.

    Handles: load(name).

    Args:
        auto_register: whether to register what is loaded with the loader.
        init_args: positional arguments for each component.
        init_kwargs: keyword arguments for each component.
        paths: folders, eggs and zip archives to look for modules in, before all other places; in a folder, eggs are
            looked for, too. Modules that are loaded may import their neighbours at any time, so the places are put
            into `sys.path` and stay there.
        channel: where to listen.
    """

    channel = "loader"

    def __init__(
        self,
        auto_register: bool = True,
        init_args: Iterable[Any] | None = None,
        init_kwargs: Mapping[str, Any] | None = None,
        paths: Iterable[str | PathLike[str]] | None = None,
        channel: Any = "loader",
    ) -> None:
        if channel == Loader.channel:
            super().__init__()
        else:
            super().__init__(channel=channel)
        self._auto_register = auto_register
        self._init_args = tuple(init_args or ())
        self._init_kwargs = dict(init_kwargs or {})
        places = [place for path in paths or () for place in _places(path)]
        sys.path[:0] = [place for place in dict.fromkeys(places) if place not in sys.path]

    @handler("load")
    def load(self, name: str) -> Any:
        """Import a module and make the components that it defines; one for each class.

        These are the component classes in its `__all__`, or else those without a leading underscore; classes that it
        has only imported do not count.

        Args:
            name: the module, with dots in it when it is inside a package.

        Returns:
            The component, or the list of them, in the order of definition, when there are several.

        Raises:
            ImportError: when there is no such module, or it defines no component.
            BaseException: whatever the module raises, or one of its components when it is made. Nothing is registered
                then, and the table of loaded modules is as it was before.
        """
        with _loaded_modules_kept():
            module = safeimport(name)
            classes = _components_of(module)
            if not classes:
                raise ImportError(f"the module {name} ({module.__file__}) defines no component", name=name)
            components = [cls(*self._init_args, **self._init_kwargs) for cls in classes]
        if self._auto_register:
            for component in components:
                component.register(self)
        return components[0] if len(components) == 1 else components


def _places(name: str | PathLike[str]) -> list[str]:
    from pathlib import Path  # late: it costs as much to load as a third of the kernel

    path = Path(name)
    return [str(path), *(str(egg) for egg in sorted(path.glob("*.egg")))]


def _components_of(module: ModuleType) -> list[type[BaseComponent]]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if not name.startswith("_")]
    found = [getattr(module, name, None) for name in names]
    # Once each, though a class may have two names.
    return list(
        dict.fromkeys(
            thing
            for thing in found
            if isinstance(thing, type) and issubclass(thing, BaseComponent) and thing.__module__ == module.__name__
        )
    )
