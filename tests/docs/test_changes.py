"""The entries in `changes/` are what `changes/README.md` asks for: a name with a kind, and one sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.program import ROOT

ENTRIES = sorted(path for path in (ROOT / "changes").iterdir() if path.name != "README.md")

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.(feature|bugfix|removal|doc|misc)\.md")
CODE = re.compile(r"`[^`]+`")
NEXT_SENTENCE = re.compile(r"[.!?]\s+[A-Z]")


def complaint(name: str, text: str) -> str:
    """Return what is wrong with the entry called *name*, or nothing."""
    words = CODE.sub("Code", text.strip())
    if not NAME.fullmatch(name):
        return "is not called <slug>.<feature|bugfix|removal|doc|misc>.md"
    if not words or not (words[0].isupper() or words[0].isdigit()):
        return "does not begin with a capital letter or a name in `code`"
    if not words.endswith("."):
        return "does not end with a full stop"
    if "\n\n" in words or NEXT_SENTENCE.search(words):
        return "holds more than one sentence"
    return ""


@pytest.mark.parametrize("path", ENTRIES, ids=lambda path: path.name)
def test_an_entry_is_one_sentence_under_a_name_with_a_kind(path: Path) -> None:
    assert complaint(path.name, path.read_text(encoding="utf-8")) == ""


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text", ["A timer can be cancelled twice.", "`app.fire` takes\na class.\n", "3.11 is enough, e.g. for `a. B`."]
)
def test_a_sentence_is_accepted(text: str) -> None:
    assert complaint("timers-2.feature.md", text) == ""


@pytest.mark.parametrize("name", ["timers.md", "timers.feature", "Timers.feature.md", "a b.misc.md", "-x.doc.md"])
def test_a_name_without_a_slug_or_a_kind_is_refused(name: str) -> None:
    assert complaint(name, "Fine.").startswith("is not called")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin"),
        ("fix it.", "does not begin"),
        ("Fixed it", "does not end"),
        ("Fixed it. Really.", "holds more than one"),
        ("Fixed it\n\nReally.", "holds more than one"),
    ],
)
def test_anything_but_a_sentence_is_refused(text: str, reason: str) -> None:
    assert complaint("timers.bugfix.md", text).startswith(reason)
