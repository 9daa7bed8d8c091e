from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess
from pathlib import Path

import pytest

from circuits import BaseComponent, Component, Debugger, Manager, handler
from circuits.tools import dot, graph, mermaid, png

PNG = b"\x89PNG\r\n\x1a\n"

needs_graphviz = pytest.mark.skipif(shutil.which("dot") is None, reason="graphviz is not installed")


class Bob(Component):
    channel = "bob"

    def bark(self) -> None:
        """Bark."""

    def sit(self) -> None:
        """Sit."""


class Pound(Component):
    def __init__(self) -> None:
        super().__init__()
        self.bob = Bob().register(self)
        self.puppy = Component(channel="puppy").register(self.bob)
        self.debugger = Debugger().register(self)


@pytest.fixture
def pound() -> Pound:
    return Pound()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory; nothing but what a test puts into `bin` is found as a program."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def install_dot(folder: Path, script: str) -> None:
    program = folder.parent / "bin" / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def files(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_tree_is_drawn_as_the_guide_shows_it(folder: Path, pound: Pound) -> None:
    assert graph(pound).splitlines() == [
        f"* <Pound/* {os.getpid()}:MainThread (queued=3) [S]>",
        f" * <Bob/bob {os.getpid()}:MainThread (queued=0) [S]>",
        f"  * <Component/puppy {os.getpid()}:MainThread (queued=0) [S]>",
        f" * <Debugger/* {os.getpid()}:MainThread (queued=0) [S]>",
    ]


def test_a_part_of_a_tree_and_a_manager_can_be_drawn(folder: Path, pound: Pound) -> None:
    assert graph(pound.puppy) == f"* {pound.puppy!r}"
    assert graph(Manager()).startswith("* <Manager/* ")


def test_the_graph_for_graphviz_has_a_box_for_each_component_and_an_arrow_to_each_child(pound: Pound) -> None:
    lines = [line.strip() for line in dot(pound).splitlines()]

    assert lines[0] == 'strict digraph "Pound" {'
    assert lines[-1] == "}"
    assert [line for line in lines if line.startswith("n") and "[label" in line] == [
        'n0 [label=<<b>Pound</b><br/><font point-size="10" color="#52606d">channel *</font>>, penwidth=2]',
        'n1 [label=<<b>Bob</b><br/><font point-size="10" color="#52606d">channel bob</font>>]',
        'n2 [label=<<b>Component</b><br/><font point-size="10" color="#52606d">channel puppy</font>>]',
        'n3 [label=<<b>Debugger</b><br/><font point-size="10" color="#52606d">channel *</font>>]',
    ]
    assert [line for line in lines if "->" in line] == ["n0 -> n1", "n1 -> n2", "n0 -> n3"]


def test_the_flowchart_for_mermaid_has_the_same(pound: Pound) -> None:
    assert mermaid(pound).splitlines() == [
        "flowchart TD",
        '    n0["<b>Pound</b><br/>channel *"]',
        '    n1["<b>Bob</b><br/>channel bob"]',
        "    n0 --> n1",
        '    n2["<b>Component</b><br/>channel puppy"]',
        "    n1 --> n2",
        '    n3["<b>Debugger</b><br/>channel *"]',
        "    n0 --> n3",
    ]


def test_the_events_that_each_handles_are_named_when_wanted(pound: Pound) -> None:
    assert '"<b>Bob</b><br/>channel bob<br/>on bark<br/>on sit"' in mermaid(pound, handlers=True)
    assert '"<b>Debugger</b><br/>channel *<br/>on every event<br/>on exception"' in mermaid(pound, handlers=True)
    assert '<font point-size="9">on bark</font><br/><font point-size="9">on sit</font>>]' in dot(pound, handlers=True)


def test_many_events_are_counted_rather_than_named() -> None:
    class Busy(BaseComponent):
        @handler(*(f"event_{number}" for number in range(20)))
        def handle(self) -> None:
            """Handle them all."""

    assert mermaid(Busy(), handlers=True).endswith('<br/>on event_11<br/>and 8 more"]\n')


def test_a_wide_tree_grows_downwards_instead() -> None:
    app = Component()
    for _ in range(6):
        Component().register(app)
    assert "rankdir=TB" in dot(app)

    Component().register(app)
    assert "rankdir=LR" in dot(app)


def test_signs_with_a_meaning_of_their_own_are_only_signs() -> None:
    class Odd(Component):
        @property
        def name(self) -> str:
            return 'a "b" \\ <c>'

    odd = Odd(channel="x & `y` ]")

    assert dot(odd).startswith('strict digraph "a \\"b\\" \\\\ <c>" {')
    assert "<b>a &quot;b&quot; \\ &lt;c&gt;</b>" in dot(odd)
    assert ">channel x &amp; `y` ]</font>" in dot(odd)
    assert 'n0["<b>a #34;b#34; #92; #60;c#62;</b><br/>channel x #38; #96;y#96; #93;"]' in mermaid(odd)


def test_a_component_as_channel_is_named_by_its_class(pound: Pound) -> None:
    pound.puppy.channel = pound.bob

    assert "<br/>channel #60;instance of Bob#62;" in mermaid(pound)


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_graphviz_there_is_the_text_and_no_picture(folder: Path, pound: Pound) -> None:
    assert graph(pound, name="pound").startswith("* <Pound/*")

    assert files(folder) == []


@pytest.mark.parametrize(
    ("name", "expected"), [(None, ["Pound.png"]), ("dogs", ["dogs.png"]), ("dogs.png", ["dogs.png"]), ("", [])]
)
def test_with_graphviz_a_picture_is_saved_by_the_name_of_the_component_or_the_name_given(
    folder: Path, pound: Pound, name: str | None, expected: list[str]
) -> None:
    install_dot(folder, "read text; echo picture")

    graph(pound, name=name)

    assert files(folder) == expected
    assert all((folder / file).read_text() == "picture\n" for file in expected)


@pytest.mark.parametrize(
    ("script", "name", "reason"),
    [
        ("exit 3", None, "non-zero exit status 3"),
        ("echo picture", "missing/dogs", "No such file or directory"),
    ],
)
def test_a_picture_that_cannot_be_made_or_saved_is_logged_and_costs_nobody_the_text(
    folder: Path, pound: Pound, caplog: pytest.LogCaptureFixture, script: str, name: str | None, reason: str
) -> None:
    install_dot(folder, script)

    assert graph(pound, name=name).startswith("* <Pound/*")

    assert files(folder) == []
    [record] = caplog.records
    assert (record.name, record.levelname) == ("circuits.tools", "WARNING")
    assert record.getMessage().startswith(f"no picture {name or 'Pound'}.png: ")
    assert reason in record.getMessage()


def test_graphviz_that_hangs_is_given_up(
    folder: Path, pound: Pound, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("circuits.tools._picture.PATIENCE", 0.05)
    install_dot(folder, "while :; do :; done")

    assert graph(pound).startswith("* <Pound/*")

    assert "timed out" in caplog.text


def test_asking_for_a_picture_says_what_is_missing(folder: Path, pound: Pound) -> None:
    with pytest.raises(FileNotFoundError, match="install graphviz"):
        png(pound, "pound.png")


def test_asking_for_a_picture_says_what_went_wrong(folder: Path, pound: Pound) -> None:
    install_dot(folder, "exit 3")

    with pytest.raises(subprocess.CalledProcessError):
        png(pound, "pound.png")


@needs_graphviz
@pytest.mark.parametrize("handlers", [False, True])
def test_graphviz_understands_every_sign(tmp_path: Path, handlers: bool) -> None:
    app = Component(channel="<b>&amp;\"'é\\n\\")
    for number in range(8):
        Component(channel=f"number {number}").register(app)

    png(app, tmp_path / "odd.png", handlers)

    picture = (tmp_path / "odd.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    assert picture.startswith(PNG)
    # Eight boxes below each other.
    assert height > width
