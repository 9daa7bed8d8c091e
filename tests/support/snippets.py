"""The code blocks of a Markdown document, as programs with the output they promise.

Rule 1: every block says what it holds: an unlabelled one would be a way around being run.
Rule 2: a `python` block is a whole program. When the next block is `text`, that is what the program prints, exactly.
Rule 3: other blocks are shown, not run. To show text after a program that is not its output, label it `console`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LABELS", "Block", "Snippet", "blocks_of", "snippets_of"]

LABELS = frozenset({"python", "text", "console", "sh", "toml", "json", "markdown", "mermaid", "make"})

_FENCE = re.compile(r"^ {0,3}(?P<ticks>`{3,})(?P<label>[^`]*)$")


@dataclass(frozen=True)
class Block:
    """One fenced block; *line* is that of its first line of content."""

    label: str
    line: int
    text: str


@dataclass(frozen=True)
class Snippet:
    """A program in a document, and what it prints if the document says so."""

    path: Path
    line: int
    program: str
    output: str | None

    @property
    def source(self) -> str:
        """The program, moved down to where the document has it, so that a traceback names the document's lines."""
        return "\n" * (self.line - 1) + self.program


def blocks_of(text: str) -> list[Block]:
    """Return the fenced blocks of a document; a block that is never closed ends with the text."""
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    inside: list[str] = []
    for number, line in enumerate([*text.splitlines(), None], 1):
        fence = None if line is None else _FENCE.match(line)
        if opened is None:
            opened, inside = fence, []
        elif line is None or (fence and not fence["label"].strip() and len(fence["ticks"]) >= len(opened["ticks"])):
            content = "".join(f"{content}\n" for content in inside)
            blocks.append(Block(opened["label"].strip(), number - len(inside), content))
            opened = None
        else:
            inside.append(line)
    return blocks


def snippets_of(path: Path) -> list[Snippet]:
    """Return the programs in the document at *path*, in order."""
    blocks = blocks_of(path.read_text(encoding="utf-8"))
    return [
        Snippet(path, block.line, block.text, after.text if after.label == "text" else None)
        for block, after in pairwise([*blocks, Block("", 0, "")])
        if block.label == "python"
    ]
