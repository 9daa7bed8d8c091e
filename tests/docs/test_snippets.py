"""Every program in the documents is run, and prints what the document says it prints.

What counts as a program is in `tests/support/snippets.py`. `make docs` runs this file.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import run_program
from support.program import ROOT, SRC
from support.snippets import LABELS, Snippet, blocks_of, snippets_of

DOCUMENTS = [path for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md") if (path := ROOT / name).exists()]
SNIPPETS = [snippet for path in DOCUMENTS for snippet in snippets_of(path)]


def run(snippet: Snippet) -> None:
    finished = run_program(snippet.source).check()

    assert finished.stderr == ""
    if snippet.output is not None:
        assert finished.stdout == snippet.output


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: f"{snippet.path.name}:{snippet.line}")
def test_a_program_in_a_document_runs_and_prints_what_is_written_below_it(snippet: Snippet) -> None:
    if "circuits" in snippet.program and not (SRC / "circuits" / "core").exists():
        pytest.skip("circuits.core is not written yet")
    run(snippet)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_of_a_document_says_what_it_holds(path: Path) -> None:
    blocks = blocks_of(path.read_text(encoding="utf-8"))

    unknown = [f"{path.name}:{block.line}: {block.label!r}" for block in blocks if block.label not in LABELS]
    assert unknown == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_inside_the_repository_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8"))  # no colon: not another site

    assert [target for target in targets if not (ROOT / target).exists()] == []


# ── a document can be wrong ──────────────────────────────────────────────────────────────────────────────────────────


def written(tmp_path: Path, text: str) -> Snippet:
    path = tmp_path / "DOCUMENT.md"
    path.write_text(text, encoding="utf-8")
    (snippet,) = snippets_of(path)
    return snippet


def test_a_program_with_the_promised_output_passes(tmp_path: Path) -> None:
    run(written(tmp_path, "# Title\n```python\nprint(1)\n```\nprints\n```text\n1\n```\n"))


def test_a_program_without_promised_output_only_has_to_run(tmp_path: Path) -> None:
    run(written(tmp_path, "```python\nprint(1)\n```\n```console\n$ ls\n```\n"))


def test_other_output_than_promised_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run(written(tmp_path, "```python\nprint(2)\n```\n```text\n1\n```\n"))


def test_a_program_that_fails_shows_the_line_of_the_document(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="line 5, in <module>"):
        run(written(tmp_path, "# Title\n\n```python\nx = 1\nx.nothing\n```\n"))


def test_a_program_that_complains_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        run(written(tmp_path, "```python\nimport sys\nprint('oh', file=sys.stderr)\n```\n"))
