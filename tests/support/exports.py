"""What a module promises to the outside, read from its syntax tree.

A public module lists its public names in a literal `__all__`: everything public that it defines, and nothing that it
does not have. A package's `__init__` passes names on and does nothing else.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .sources import Module, is_type_checking

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["complaints", "declared_names", "defined_names"]

#: What `__init__` may define: the version, and the two hooks that let a name be loaded when it is first asked for.
ALLOWED_IN_INIT = frozenset({"__all__", "__version__", "__getattr__", "__dir__"})


def declared_names(module: Module) -> list[str] | None:
    """Return the names in `__all__`, None when there is none, or fail when it is not a literal list of strings."""
    for node in module.tree.body:
        if "__all__" in _assigned(node):
            try:
                names = ast.literal_eval(getattr(node, "value", None) or ast.Constant(None))
            except ValueError:
                names = None
            if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
                raise AssertionError(f"{module.path}:{node.lineno}: __all__ is not a literal list of names")
            return list(names)
    return None


def defined_names(module: Module) -> set[str]:
    """Return the public names that *module* defines itself, imports not counted.

    TYPE_CHECKING is how a module says, without importing typing, what is for the type checker only.
    """
    names = {name for node in _statements(module.tree.body) for name in _assigned(node)}
    return {name for name in names if not name.startswith("_") and name != "TYPE_CHECKING"}


def complaints(module: Module) -> Iterator[str]:
    """Yield every way in which *module* breaks the rules above, as `path:line: what`."""
    where = f"{module.path.as_posix()}:1"
    declared = declared_names(module)
    defined = defined_names(module)
    if declared is None:
        if defined or (module.is_package and _passes_names_on(module)):
            yield f"{where}: no __all__"
        declared = []
    elif len(set(declared)) != len(declared):
        yield f"{where}: __all__ holds a name twice"
    if missing := sorted(defined - set(declared)):
        yield f"{where}: public, but not in __all__: {', '.join(missing)}"
    if private := sorted(name for name in declared if name.startswith("_") and name != "__version__"):
        yield f"{where}: private, but in __all__: {', '.join(private)}"
    if module.is_package:
        for node in module.tree.body:
            if not _only_passes_on(node):
                yield f"{module.path.as_posix()}:{node.lineno}: a package's __init__ only passes names on"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements of *body* that run when the module is imported, those in branches included."""
    for node in body:
        yield node
        if isinstance(node, ast.If) and is_type_checking(node.test):
            yield from _statements(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            for field in ("body", "orelse", "finalbody"):
                yield from _statements(getattr(node, field, []))
            for handler in getattr(node, "handlers", []):
                yield from _statements(handler.body)


def _assigned(node: ast.stmt) -> set[str]:
    """Return the names that *node* defines by itself, as a definition or an assignment."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        targets = [node.target]
    elif node.__class__.__name__ == "TypeAlias":  # `type X = …`, Python 3.12 and later
        targets = [node.name]  # type: ignore[attr-defined]
    leaves = [leaf for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)]
    # In `Thing.attribute = …` the thing is only looked up.
    return {leaf.id for leaf in leaves if isinstance(leaf.ctx, ast.Store)}


def _passes_names_on(module: Module) -> bool:
    return any(
        isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and node.module != "__future__")
        for node in module.tree.body
    )


def _only_passes_on(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)  # the docstring
    if isinstance(node, ast.If) and is_type_checking(node.test):
        return all(_only_passes_on(inner) for inner in [*node.body, *node.orelse])
    names = _assigned(node)
    is_private_table = isinstance(node, ast.Assign | ast.AnnAssign) and all(name.startswith("_") for name in names)
    return bool(names) and (names <= ALLOWED_IN_INIT or is_private_table)
