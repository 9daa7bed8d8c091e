"""The modules under `src`, read and parsed but never imported."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .program import SRC

__all__ = ["Module", "is_type_checking", "modules_of"]


@dataclass(frozen=True)
class Module:
    """One source file: `circuits.net.sockets`, or a package's `__init__` under the name of the package."""

    name: str
    path: Path
    source: str

    @property
    def is_package(self) -> bool:
        """Whether this is the `__init__` of a package."""
        return self.path.name == "__init__.py"

    @property
    def is_public(self) -> bool:
        """Whether people may import it: nothing in its name begins with an underscore."""
        return not any(part.startswith("_") for part in self.name.split("."))

    @property
    def package(self) -> str:
        """The name that a relative import with one dot starts from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.source, str(self.path))

    @cached_property
    def lines(self) -> list[str]:
        """The text, line by line."""
        return self.source.splitlines()


def modules_of(folder: Path = SRC) -> list[Module]:
    """Return every module under *folder*, in the order of their paths."""
    return [_read(path, folder) for path in sorted(folder.rglob("*.py"))]


def is_type_checking(test: ast.expr) -> bool:
    """Say whether *test* is the condition of a block that only type checkers enter."""
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _read(path: Path, folder: Path) -> Module:
    relative = path.relative_to(folder)
    parts = relative.parts[:-1] if relative.name == "__init__.py" else relative.with_suffix("").parts
    return Module(".".join(parts), Path(folder.name) / relative, path.read_text(encoding="utf-8"))
