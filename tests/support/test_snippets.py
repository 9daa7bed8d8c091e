"""How a document is cut into blocks; what running them finds out is in `tests/docs/test_snippets.py`."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from support.snippets import Block, Snippet, blocks_of, snippets_of

lines = st.lists(st.sampled_from(["x = 1", "", "  y", "prose `code` prose", "``", "``` inline ```", "# Title"]))
labels = st.sampled_from(["python", "text", "console", ""])


def test_blocks_keep_their_text_and_know_their_line() -> None:
    blocks = blocks_of("a\n```python\nx\n\n  y\n```\nb\n\n```text\n```\n")

    assert blocks == [Block("python", 3, "x\n\n  y\n"), Block("text", 10, "")]


def test_a_longer_fence_can_hold_a_shorter_one() -> None:
    (block,) = blocks_of("````markdown\n```python\n1 / 0\n```\n````\n")

    assert (block.label, block.text) == ("markdown", "```python\n1 / 0\n```\n")


def test_a_block_that_is_never_closed_ends_with_the_text() -> None:
    assert blocks_of("```python\nx = 1\n") == [Block("python", 2, "x = 1\n")]


@given(st.lists(st.tuples(lines, labels, lines)))
def test_whatever_is_written_into_blocks_is_found_again(parts: list[tuple[list[str], str, list[str]]]) -> None:
    text: list[str] = []
    expected = []
    for prose, label, content in parts:
        text += [*prose, f"```{label}"]
        expected.append(Block(label, len(text) + 1, "".join(f"{line}\n" for line in content)))
        text += [*content, "```"]

    assert blocks_of("\n".join(text)) == expected


def test_only_python_is_a_program_and_only_text_right_after_it_its_output(tmp_path: Path) -> None:
    path = tmp_path / "DOCUMENT.md"
    path.write_text("```python\na\n```\n```console\nb\n```\n```text\nc\n```\n```python\nd\n```\nso\n```text\ne\n```\n")

    assert snippets_of(path) == [Snippet(path, 2, "a\n", None), Snippet(path, 11, "d\n", "e\n")]
