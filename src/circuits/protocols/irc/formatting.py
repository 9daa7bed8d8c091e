"""Colours and styles in IRC texts: leave them out, or show them on a terminal.

    ^C04red^C and ^Bbold ──▶ red and bold, plain or with the sequences that terminals know

Bold, italics and the others are switched on and off again by the same character; a colour ends at the next one.
"""

from __future__ import annotations

import re

__all__ = ["irc_color_to_ansi", "strip"]

_COLOR = r"\x03(?P<fg>[0-9]{1,2})?(?(fg)(?:,(?P<bg>[0-9]{1,2}))?)"
_HEX = r"\x04(?P<hex_fg>[0-9a-fA-F]{6})?(?(hex_fg)(?:,(?P<hex_bg>[0-9a-fA-F]{6}))?)"
#: Bold, reset, monospace, reverse (two forms), italics, strike-through, underline.
_STYLE = r"[\x02\x0f\x11\x12\x16\x1d\x1e\x1f]"
_FORMAT = re.compile(f"{_COLOR}|{_HEX}|(?P<style>{_STYLE})")
#: \x01 marks what programs say to each other (CTCP), such as the ACTION of `/me`.
_MARKS = re.compile(f"{_COLOR}|{_HEX}|{_STYLE}|\x01")
#: What a terminal would obey: everything from ESC to the 8-bit forms of its sequences; a tab is harmless.
_CONTROLS = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f]")

#: The parameters of a style, on and off.
_SWITCHES = {"\x02": (1, 22), "\x1d": (3, 23), "\x1f": (4, 24), "\x16": (7, 27), "\x12": (7, 27), "\x1e": (9, 29)}

#: The foregrounds of the 16 colours: white, black, blue, green, red, brown, magenta, orange, yellow, light green, cyan,
#: light cyan, light blue, pink, grey, light grey. A background is 10 more.
_BASIC = (97, 30, 34, 32, 91, 31, 35, 33, 93, 92, 36, 96, 94, 95, 90, 37)
#: 16 to 98 are the nearest ones of the 256 colours that terminals have.
_EXTENDED = (
    *(52, 94, 100, 58, 22, 29, 23, 24, 17, 54, 53, 89),
    *(88, 130, 142, 64, 28, 35, 30, 25, 18, 91, 90, 125),
    *(124, 166, 184, 106, 34, 49, 37, 33, 19, 129, 127, 161),
    *(196, 208, 226, 154, 46, 86, 51, 75, 21, 171, 201, 198),
    *(203, 215, 227, 191, 83, 122, 87, 111, 63, 177, 207, 205),
    *(217, 223, 229, 193, 157, 158, 159, 153, 147, 183, 219, 212),
    *(16, 233, 235, 237, 239, 241, 244, 247, 250, 254, 231),
)
_DEFAULT = 39
_BACKGROUND = 10


def strip(s: str, color: bool = False) -> str:
    """Leave out the colon that begins a last parameter; and with *color* all colours, styles and CTCP marks."""
    s = s.removeprefix(":")
    return _MARKS.sub("", s) if color else s


def irc_color_to_ansi(data: str, reset: bool = True) -> str:
    """Show colours and styles on a terminal.

    Other control characters are left out: a text from strangers must not tell a terminal what to do.

    Args:
        data: the text.
        reset: end with the terminal as it was, if anything has changed it.
    """
    pieces, place, is_on = [], 0, set[str]()
    for match in _FORMAT.finditer(data):
        pieces += [_CONTROLS.sub("", data[place : match.start()]), _sequence(match, is_on)]
        place = match.end()
    if pieces and reset:
        return "".join(pieces) + _CONTROLS.sub("", data[place:]) + "\x1b[0m"
    return "".join(pieces) + _CONTROLS.sub("", data[place:])


def _sequence(match: re.Match[str], is_on: set[str]) -> str:
    """Give what a terminal does for one format; *is_on* has the styles that are on."""
    style = match["style"]
    if style == "\x0f":
        is_on.clear()
        return "\x1b[0m"
    if style is not None:
        switch = _SWITCHES.get(style)
        if switch is None:
            return ""  # a terminal is monospaced anyway
        is_on ^= {style}
        return f"\x1b[{switch[style not in is_on]}m"
    if match[0].startswith("\x04"):
        wanted = [_true_color(match["hex_fg"], 0), _true_color(match["hex_bg"], _BACKGROUND)]
    else:
        wanted = [_color(match["fg"], 0), _color(match["bg"], _BACKGROUND)]
    if not any(wanted):  # the end of a colour
        return f"\x1b[{_DEFAULT};{_DEFAULT + _BACKGROUND}m"
    return f"\x1b[{';'.join(filter(None, wanted))}m"


def _color(digits: str | None, ground: int) -> str:
    if digits is None:
        return ""
    number = int(digits)
    if number < len(_BASIC):
        return str(_BASIC[number] + ground)
    if number == 99:
        return str(_DEFAULT + ground)
    return f"{38 + ground};5;{_EXTENDED[number - len(_BASIC)]}"


def _true_color(digits: str | None, ground: int) -> str:
    if digits is None:
        return ""
    red, green, blue = bytes.fromhex(digits)
    return f"{38 + ground};2;{red};{green};{blue}"
