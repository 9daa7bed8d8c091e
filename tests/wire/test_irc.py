from __future__ import annotations

from typing import Any

import pytest

from circuits.protocols.irc.message import MAX_MESSAGE, MAX_TAGS, Message, MessageTooLong
from circuits.protocols.irc.utils import (
    decode,
    irc_lower,
    joinprefix,
    jointags,
    parsemsg,
    parseprefix,
    parsetags,
)
from evkernel.errors import LocalProtocolError, RemoteProtocolError

#: (line, source, command, parameters)
LINES: list[tuple[bytes | str, Any, str | None, list[str]]] = [
    (b":foo!bar@localhost NICK foobar", ("foo", "bar", "localhost"), "NICK", ["foobar"]),
    (b":localhost NOTICE * :*** Looking up", ("localhost", None, None), "NOTICE", ["*", "*** Looking up"]),
    (b"PING :token", (None, None, None), "PING", ["token"]),
    (b"@time=1;a :x 001 me :Hi", ("x", None, None), "001", ["me", "Hi"]),
    ("text is fine", (None, None, None), "text", ["is", "fine"]),
    (b"  JOIN   #a  \r\n", (None, None, None), "JOIN", ["#a"]),
    (b"", (None, None, None), None, []),
    (b"\r\n", (None, None, None), None, []),
    (b":only", ("only", None, None), None, []),
    (b":", ("", None, None), None, []),
    (b"@tags", (None, None, None), None, []),
    (b"A :b :c", (None, None, None), "A", ["b :c"]),
    (b"A b: :", (None, None, None), "A", ["b:", ""]),
    ("PRIVMSG #é :ü".encode(), (None, None, None), "PRIVMSG", ["#é", "ü"]),
    (b"PRIVMSG x :\xfc", (None, None, None), "PRIVMSG", ["x", "ü"]),
]


@pytest.mark.parametrize(("line", "source", "command", "params"), LINES)
def test_a_line_is_taken_apart(line: bytes | str, source: Any, command: str | None, params: list[str]) -> None:
    assert parsemsg(line) == (source, command, params)


def test_an_encoding_is_tried_before_latin_1() -> None:
    assert parsemsg("A é".encode("cp1251", "replace"), "cp1251")[2] == ["?"]
    assert parsemsg("A Ж".encode("koi8-r"), encoding="koi8-r")[2] == ["Ж"]
    assert decode(b"\xff\xfe") == "ÿþ"


@pytest.mark.parametrize(
    ("prefix", "parts"),
    [
        ("test!foo@localhost", ("test", "foo", "localhost")),
        ("test", ("test", None, None)),
        ("test@host", ("test", None, "host")),
        ("test!user", ("test", "user", None)),
        ("a!b!c@d@e", ("a", "b!c", "d@e")),
        ("", ("", None, None)),
    ],
)
def test_a_prefix_is_taken_apart_and_put_together(prefix: str, parts: tuple[str | None, ...]) -> None:
    assert parseprefix(prefix) == parts
    assert parseprefix(prefix).nick == parts[0]
    assert joinprefix(*parts) == prefix


def test_the_parts_of_a_prefix_may_be_missing() -> None:
    assert joinprefix("test") == "test"
    assert joinprefix("test", "", "") == "test"
    assert joinprefix(None, None, "host") == "@host"


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", {}),
        (";;", {}),
        ("=x", {}),
        ("a", {"a": ""}),
        ("a=;b=1;+draft/c=2", {"a": "", "b": "1", "+draft/c": "2"}),
        ("a=1;a=2", {"a": "2"}),
        (r"a=\:\s\\\r\n\x\\", {"a": "; \\\r\nx\\"}),
        (r"a=end\\"[:-1], {"a": "end"}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_tags_are_unescaped(text: str, tags: dict[str, str]) -> None:
    assert parsetags(text) == tags
    assert parsetags(jointags(tags)) == tags


def test_names_are_compared_as_in_1988() -> None:
    assert irc_lower("Nick[]\\~Ä") == "nick{}|^Ä"


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────

MESSAGES = [
    (Message("QUIT"), b"QUIT\r\n"),
    (Message("NICK", "test"), b"NICK test\r\n"),
    (Message("PRIVMSG", "test", "Hello"), b"PRIVMSG test Hello\r\n"),
    (Message("PRIVMSG", "test", "Hello World"), b"PRIVMSG test :Hello World\r\n"),
    (Message("KICK", "#test", "test", ""), b"KICK #test test :\r\n"),
    (Message("PRIVMSG", "test", ":)"), b"PRIVMSG test ::)\r\n"),
    (Message("JOIN", "#test", None, None), b"JOIN #test\r\n"),
    (Message("SERVER", "a.b", 1), b"SERVER a.b 1\r\n"),
    (Message(1, "me", "Hi", prefix="srv"), b":srv 001 me Hi\r\n"),
    (Message("PART", "#c", prefix=("n", "u", "h")), b":n!u@h PART #c\r\n"),
    (Message("PART", "#c", prefix=("n", None, None)), b":n PART #c\r\n"),
    (Message("TAGMSG", "#c", tags={"a": "1;2", "b": ""}), b"@a=1\\:2;b TAGMSG #c\r\n"),
    (Message("PRIVMSG", "x", "é"), "PRIVMSG x é\r\n".encode()),
    (Message("PRIVMSG", "x", "é€", encoding="latin-1"), b"PRIVMSG x \xe9?\r\n"),
    (Message("PRIVMSG", b"x", "ü".encode()), "PRIVMSG x ü\r\n".encode()),
    (Message("PRIVMSG", "x", "\ud800"), b"PRIVMSG x ?\r\n"),
]


@pytest.mark.parametrize(
    ("message", "data"), MESSAGES, ids=lambda value: repr(value) if isinstance(value, bytes) else ""
)
def test_a_message_is_written_in_one_line(message: Message, data: bytes) -> None:
    assert bytes(message) == data
    assert message.encode() == data


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\0", "\r\nQUIT"])
def test_no_parameter_makes_two_messages_of_one(end: str) -> None:
    with pytest.raises(LocalProtocolError, match="no NUL, CR or LF"):
        Message("PRIVMSG", "#c", f"hello{end}")
    with pytest.raises(LocalProtocolError, match="no NUL, CR or LF"):
        Message("PRIVMSG", f"#c{end}", "hello")
    with pytest.raises(LocalProtocolError, match="no NUL, CR or LF"):
        Message("PRIVMSG", "#c", f"hello{end}".encode())
    with pytest.raises(LocalProtocolError, match="a prefix without"):
        Message("PRIVMSG", "#c", "x", prefix=f"n{end}")
    with pytest.raises(LocalProtocolError, match="expected a command"):
        Message(f"QUIT{end}")
    with pytest.raises(LocalProtocolError, match="a tag name"):
        Message("TAGMSG", "x", tags={f"a{end}": ""})


@pytest.mark.parametrize("bad", ["", "a b", ":a", " "])
def test_a_parameter_before_others_stays_one(bad: str) -> None:
    with pytest.raises(LocalProtocolError, match="only the last parameter"):
        Message("PRIVMSG", bad, "hello")
    assert Message.parse(bytes(Message("PRIVMSG", "x", bad))).args == ("x", bad)


def test_a_parameter_that_is_missing_before_others_is_not_made_up() -> None:
    with pytest.raises(LocalProtocolError, match="missing"):
        Message("WHO", None, "o")


@pytest.mark.parametrize("command", ["", "A B", "12", "1234", "É", ":A", 12345, -1, "٣٣٣"])
def test_a_command_is_letters_or_three_digits(command: str | int) -> None:
    with pytest.raises(LocalProtocolError, match="letters or three digits"):
        Message(command)


@pytest.mark.parametrize("prefix", ["", "a b", ("", None, None)])
def test_a_prefix_is_one_word(prefix: Any) -> None:
    with pytest.raises(LocalProtocolError, match="expected a prefix"):
        Message("QUIT", prefix=prefix)


@pytest.mark.parametrize(("name", "value"), [("", "x"), ("a=b", "x"), ("a;b", ""), ("a b", ""), ("a", "\0")])
def test_a_tag_that_would_be_another_is_refused(name: str, value: str) -> None:
    with pytest.raises(LocalProtocolError, match="a tag name"):
        Message("TAGMSG", "x", tags={name: value})


def test_a_message_has_512_bytes_at_the_most() -> None:
    room = MAX_MESSAGE - len("PRIVMSG x :") - 2
    fits = Message("PRIVMSG", "x", "a b" + "c" * (room - 3))
    assert len(bytes(fits)) == 512

    with pytest.raises(MessageTooLong, match="a message of 511 bytes, the limit is 510: PRIVMSG"):
        bytes(Message("PRIVMSG", "x", "a b" + "c" * (room - 2)))
    assert issubclass(MessageTooLong, LocalProtocolError)


@pytest.mark.parametrize("shift", range(4))
def test_what_is_too_long_can_be_cut_off_between_two_characters(shift: int) -> None:
    message = Message("PRIVMSG", "x", " " * shift + "€" * 500)

    data = message.encode(truncate=True)

    assert 508 <= len(data) <= 512
    text = Message.parse(data).args[1]
    assert message.args[1].startswith(text)


def test_tags_have_a_length_of_their_own() -> None:
    fits = Message("A", "b" * 508, tags={"t": "v" * (MAX_TAGS - 4)})
    assert len(bytes(fits)) == MAX_TAGS + MAX_MESSAGE

    with pytest.raises(MessageTooLong, match="tags of 8192 bytes, the limit is 8191"):
        Message("A", tags={"t": "v" * (MAX_TAGS - 3)}).encode(truncate=True)


# ── what comes ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("line", [b"", b"\r\n", b":src", b"@a=b", b"@a=b :src", b"12 x", b"1234", b"\xc3\x89", b": :x"])
def test_a_line_without_a_command_is_no_message(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="expected a command"):
        Message.parse(line)


@pytest.mark.parametrize("line", [b"A b\0c", b"A b\rc", b"A b\nc", b":a\0 B"])
def test_what_no_message_may_have_is_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="no NUL, CR or LF"):
        Message.parse(line)


def test_a_parsed_message_can_be_sent_again() -> None:
    line = "@time=12:00;x=\\s :bob!b@example.org PRIVMSG #c :hello there\r\n"
    message = Message.parse(line)

    assert message.source == ("bob", "b", "example.org")
    assert message.tags == {"time": "12:00", "x": " "}
    assert str(message) == line.rstrip()
    assert bytes(message) == line.encode()
    assert message == Message(
        "PRIVMSG", "#c", "hello there", prefix="bob!b@example.org", tags={"time": "12:00", "x": " "}
    )


def test_a_message_without_a_source_says_so_in_parts() -> None:
    assert Message("QUIT").source == (None, None, None)
    assert Message.parse(": QUIT").prefix is None


def test_what_was_checked_stays_as_it_is() -> None:
    with pytest.raises(AttributeError):
        Message("QUIT").args = ("a\r\n",)  # type: ignore[misc]
