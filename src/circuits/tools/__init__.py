"""Look into a program, draw it, and take it apart; and a few helpers for those who write libraries."""

from ._imports import deprecated, tryimport
from ._picture import dot, graph, mermaid, png
from ._report import inspect
from ._tree import edges, findroot, kill, walk

__all__ = [
    "deprecated",
    "dot",
    "edges",
    "findroot",
    "graph",
    "inspect",
    "kill",
    "mermaid",
    "png",
    "tryimport",
    "walk",
]
