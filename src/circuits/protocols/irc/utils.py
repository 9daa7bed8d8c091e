"""Take IRC messages apart: tags, sources, parameters; and what a server needs to compare names.

    @time=12:00 :nick!user@host PRIVMSG #channel :some text
    └── tags ─┘  └── prefix ──┘ └ command ┘ └── parameters

Rule 1: these functions are lenient: every text gives something. `Message.parse` is the one that refuses.
Rule 2: nothing here knows components, sockets or clocks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Source",
    "decode",
    "irc_lower",
    "joinprefix",
    "jointags",
    "parsemsg",
    "parseprefix",
    "parsetags",
    "splitmsg",
]


class Source(NamedTuple):
    """Who has sent a message: a person by nick, user and host, or a server under `nick`; None for what is not said."""

    nick: str | None
    user: str | None
    host: str | None


def decode(data: bytes | str, encoding: str = "utf-8") -> str:
    """Decode what has come; each byte for itself (Latin-1) when it is not in *encoding*: some networks are old."""
    if isinstance(data, str):
        return data
    try:
        return bytes(data).decode(encoding)
    except UnicodeDecodeError:
        return bytes(data).decode("latin-1")


def splitmsg(text: str) -> tuple[str | None, str | None, list[str]]:
    """Give the tags and the prefix of a message, as they stand there, and its words: the command and its parameters.

    Spaces may be repeated; RFC 1459 allows that, and servers do it. A tab is no space.
    """
    tags = prefix = None
    text = text.lstrip(" ")
    if text.startswith("@"):
        tags, _, text = text[1:].partition(" ")
        text = text.lstrip(" ")
    if text.startswith(":"):
        prefix, _, text = text[1:].partition(" ")
    text, has_trailing, trailing = text.partition(" :")
    words = [word for word in text.split(" ") if word]
    if has_trailing:
        words.append(trailing)
    return tags, prefix, words


def parsemsg(s: bytes | str, encoding: str = "utf-8") -> tuple[Source, str | None, list[str]]:
    """Take a message apart: who has sent it, the command, and a list of its parameters. Tags are left out.

    Args:
        s: one line; what ends it may be there.
        encoding: of bytes.

    Returns:
        What is not there is None: all of the source of a message that does not name one, the command of an empty line.
    """
    _, prefix, words = splitmsg(decode(s, encoding).rstrip("\r\n"))
    source = Source(None, None, None) if prefix is None else parseprefix(prefix)
    return (source, words[0], words[1:]) if words else (source, None, [])


def parseprefix(prefix: str) -> Source:
    """Take "nick!user@host" apart; a part that is not there is None."""
    rest, _, host = prefix.partition("@")
    nick, _, user = rest.partition("!")
    return Source(nick, user or None, host or None)


def joinprefix(nick: str | None, user: str | None = None, host: str | None = None) -> str:
    """Put "nick!user@host" together, without the parts that are None or empty."""
    return (nick or "") + (f"!{user}" if user else "") + (f"@{host}" if host else "")


# ── tags ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

_ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_UNESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_ESCAPED = re.compile(r"\\(.?)", re.DOTALL)
_TO_ESCAPE = re.compile(r"[; \\\r\n]")


def parsetags(text: str) -> dict[str, str]:
    """Give the tags in "a=1;b;c=2", their values unescaped.

    A tag without a value has an empty one; of several of one name the last counts.
    """
    tags = {}
    for tag in text.split(";"):
        name, _, value = tag.partition("=")
        if name:
            tags[name] = _ESCAPED.sub(lambda match: _UNESCAPES.get(match[1], match[1]), value)
    return tags


def jointags(tags: Mapping[str, str]) -> str:
    """Put tags together as they stand in a message, their values escaped."""
    return ";".join(f"{name}={_TO_ESCAPE.sub(_escape, value)}" if value else name for name, value in tags.items())


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES[match[0]]


# ── names ────────────────────────────────────────────────────────────────────────────────────────────────────────────

#: The letters of the Scandinavian ASCII of 1988, of which the upper and lower ones are the same name.
_RFC1459 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ[]\\~", "abcdefghijklmnopqrstuvwxyz{}|^")


def irc_lower(name: str) -> str:
    """Give a nick or the name of a channel so that two of the same meaning are equal (CASEMAPPING=rfc1459)."""
    return name.translate(_RFC1459)
