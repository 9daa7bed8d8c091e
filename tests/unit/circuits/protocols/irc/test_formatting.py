from __future__ import annotations

import pytest

from circuits.protocols.irc import irc_color_to_ansi, strip


@pytest.mark.parametrize(
    ("text", "colourless"),
    [
        (":\x01\x02test\x02\x01", "test"),
        ("\x0304red\x03 plain", "red plain"),
        ("\x034,12both\x0f", "both"),
        ("\x0304,text", ",text"),
        ("\x03123", "3"),
        ("\x04FF0000hex\x04", "hex"),
        ("\x04FF0000,00ff00hex", "hex"),
        ("\x04FF00", "FF00"),
        ("a\x02b\x1dc\x1fd\x16e\x1ef\x11g\x12h", "abcdefgh"),
        ("::)", ":)"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_formats_are_left_out(text: str, colourless: str) -> None:
    assert strip(text, color=True) == colourless


def test_without_colours_only_the_first_colon_goes() -> None:
    assert strip(":\x01\x02test\x02\x01") == "\x01\x02test\x02\x01"
    assert strip("::)") == ":)"
    assert strip("a:b") == "a:b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("", ""),
        ("\x02bold\x02 not", "\x1b[1mbold\x1b[22m not\x1b[0m"),
        (
            "\x1di\x1d\x1fu\x1f\x16r\x16\x1es\x1e",
            "\x1b[3mi\x1b[23m\x1b[4mu\x1b[24m\x1b[7mr\x1b[27m\x1b[9ms\x1b[29m\x1b[0m",
        ),
        ("\x02b\x0fn\x02b", "\x1b[1mb\x1b[0mn\x1b[1mb\x1b[0m"),
        ("\x034red\x03 not", "\x1b[91mred\x1b[39;49m not\x1b[0m"),
        ("\x0304,12x", "\x1b[91;104mx\x1b[0m"),
        ("\x031,0x", "\x1b[30;107mx\x1b[0m"),
        ("\x0304,x", "\x1b[91m,x\x1b[0m"),
        ("\x0316x\x0398,40y", "\x1b[38;5;52mx\x1b[38;5;231;48;5;124my\x1b[0m"),
        ("\x0399,99x", "\x1b[39;49mx\x1b[0m"),
        ("\x04FF8000,000001x\x04y", "\x1b[38;2;255;128;0;48;2;0;0;1mx\x1b[39;49my\x1b[0m"),
        ("\x11mono", "mono\x1b[0m"),
    ],
)
def test_formats_become_sequences(text: str, shown: str) -> None:
    assert irc_color_to_ansi(text) == shown
    assert irc_color_to_ansi(text, reset=False) == (shown if shown == text else shown.removesuffix("\x1b[0m"))


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\x1b]0;title\x07", "a\rb", "a\nb", "\x7f\x08"])
def test_a_stranger_cannot_tell_the_terminal_what_to_do(text: str) -> None:
    shown = irc_color_to_ansi(f"{text}\x02{text}", reset=False)

    assert shown.count("\x1b") == 1
    assert not set(shown) & set("\x07\x08\r\n\x7f\x9b")


def test_a_tab_is_harmless() -> None:
    assert irc_color_to_ansi("a\tb") == "a\tb"
