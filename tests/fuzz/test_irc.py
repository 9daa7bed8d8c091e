"""IRC: every line parses or raises the documented error, what is sent comes back, and another parser agrees."""

from __future__ import annotations

import re
from typing import Any

import irctokens
from hypothesis import assume, given
from hypothesis import strategies as st

from circuits.protocols.irc import (
    MAX_MESSAGE,
    MAX_TAGS,
    Message,
    irc_color_to_ansi,
    jointags,
    parsemsg,
    parsetags,
    strip,
)
from circuits.protocols.irc.message import MessageTooLong
from circuits.protocols.irc.protocol import _split
from evkernel.errors import LocalProtocolError, RemoteProtocolError
from support.feeding import pieces_at

#: Lines in which what means something is much more frequent than chance would have it.
LINES = st.lists(
    st.sampled_from([b" ", b":", b"@", b";", b"=", b"\\", b"!", b"PRIVMSG", b"001", b"\0", b"\r"])
    | st.binary(max_size=8),
    max_size=20,
).map(b"".join)

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"))
WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n "), min_size=1)
MIDDLE = WORD.filter(lambda word: not word.startswith(":"))
COMMAND = st.from_regex(r"[A-Z]+|[0-9]{3}", fullmatch=True)
TAGS = st.dictionaries(
    st.from_regex(r"\+?([a-z.]+/)?[a-zA-Z0-9-]+", fullmatch=True), TEXT.map(lambda text: text + ";\n")
)


@given(LINES)
def test_every_line_is_a_message_or_the_documented_error(line: bytes) -> None:
    try:
        message = Message.parse(line)
    except RemoteProtocolError:
        return
    assert Message.parse(str(message)) == message


@given(LINES)
def test_the_documented_function_takes_every_line(line: bytes) -> None:
    (nick, user, host), command, args = parsemsg(line)

    assert all(part is None or isinstance(part, str) for part in (nick, user, host, command))
    assert all(isinstance(arg, str) for arg in args)


@given(st.lists(st.text() | st.none() | st.integers() | st.binary(), max_size=5), st.text() | st.none(), st.text())
def test_what_is_made_is_one_line_or_the_documented_error(args: list[Any], prefix: str | None, command: str) -> None:
    try:
        data = bytes(Message(command or "PRIVMSG", *args, prefix=prefix))
    except LocalProtocolError:
        return
    assert data.endswith(b"\r\n")
    assert data.count(b"\r") == data.count(b"\n") == 1
    assert b"\0" not in data


@given(COMMAND, st.lists(MIDDLE, max_size=4), TEXT, WORD | st.none(), TAGS)
def test_what_is_sent_comes_back(
    command: str, middle: list[str], last: str, prefix: str | None, tags: dict[str, str]
) -> None:
    message = Message(command, *middle, last, prefix=prefix, tags=tags)

    assert Message.parse(str(message).encode()) == message


@given(COMMAND, st.lists(MIDDLE, max_size=4), TEXT, MIDDLE | st.none(), TAGS)
def test_another_parser_agrees(
    command: str, middle: list[str], last: str, prefix: str | None, tags: dict[str, str]
) -> None:
    line = str(Message(command, *middle, last, prefix=prefix, tags=tags))

    theirs, ours = irctokens.tokenise(line), Message.parse(line)

    assert (theirs.command, tuple(theirs.params), theirs.source) == (ours.command, ours.args, ours.prefix)
    assert (theirs.tags or {}) == ours.tags
    assert theirs.format() == line or Message.parse(theirs.format()) == ours


@given(LINES)
def test_another_parser_agrees_on_what_is_no_nonsense(line: bytes) -> None:
    try:
        ours = Message.parse(line)
    except RemoteProtocolError:
        return
    assume(not line.startswith(b" "))
    theirs = irctokens.tokenise(str(ours))

    assert (theirs.command, tuple(theirs.params)) == (ours.command.upper(), ours.args)
    assert (theirs.tags or {}) == ours.tags


@given(st.text(max_size=600), st.sampled_from(["utf-8", "latin-1", "koi8-r"]))
def test_what_is_cut_off_is_a_message_of_the_right_size(text: str, encoding: str) -> None:
    try:
        message = Message("PRIVMSG", "x", text, encoding=encoding)
    except LocalProtocolError:
        return
    data = message.encode(truncate=True)

    assert len(data) <= MAX_MESSAGE
    Message.parse(data, encoding)
    try:
        assert bytes(message) == data
    except MessageTooLong:
        assert len(data) > MAX_MESSAGE - 4


@given(st.dictionaries(st.text(st.characters(exclude_characters="=;"), min_size=1), st.text()))
def test_tags_come_back(tags: dict[str, str]) -> None:
    assert parsetags(jointags(tags)) == tags


@given(st.lists(LINES, max_size=6), st.lists(st.integers(0, 300), max_size=12))
def test_lines_do_not_depend_on_the_pieces(lines: list[bytes], cuts: list[int]) -> None:
    data = b"\r\n".join(lines) + b"\n"
    found, rest = [], b""
    for piece in pieces_at(data, cuts):
        more, rest = _split(piece, rest)
        found += more

    assert (found, rest) == _split(data, b"")
    assert rest == b""


FORMATTED = st.lists(
    st.sampled_from(
        ["\x02", "\x03", "\x0304", "\x0304,", "\x034,12", "\x0399,99", "\x0f", "\x1d", "\x1f", "\x16", "\x1e"]
    )
    | st.sampled_from(["\x04", "\x04FF0000", "\x0400ff00,0000FF", "\x11", "\x01", "\x1b[2J", "\x9b2J", ","])
    | st.text(max_size=5),
    max_size=20,
).map("".join)


@given(FORMATTED, st.booleans())
def test_a_terminal_only_gets_what_sets_colours_and_styles(text: str, reset: bool) -> None:
    shown = irc_color_to_ansi(text, reset)
    rest = re.sub(r"\x1b\[[0-9;]+m", "", shown)

    assert not any((ord(char) < 32 and char != "\t") or 127 <= ord(char) < 160 for char in rest)


@given(FORMATTED)
def test_what_is_stripped_has_no_formats(text: str) -> None:
    plain = strip(text, color=True)

    assert not set(plain) & set("\x01\x02\x03\x04\x0f\x11\x16\x1d\x1e\x1f")
    assert strip(text) == text.removeprefix(":")


def test_the_limits_are_those_of_the_standards() -> None:
    assert (MAX_MESSAGE, MAX_TAGS) == (512, 8191)
