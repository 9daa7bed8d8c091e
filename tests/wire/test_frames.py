from __future__ import annotations

import json
from typing import Any

import pytest

from evkernel.errors import FrameTooLong, LocalProtocolError, RemoteProtocolError
from evkernel.wire.frames import FrameReader, JSONReader, encode, encode_json
from support.feeding import drain, fed

TOO_LONG = (FrameTooLong, "a message is larger than 9 bytes, which is the limit")


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (b"", []),
        (b"\0\0\0", []),
        (b"\0\0\0\0", [b""]),
        (b"\0\0\0\x03one\0\0\0\x03two", [b"one", b"two"]),
        (b"\0\0\0\x03on", []),
        (b"\0\0\0\x04\0\0\0\x01", [b"\0\0\0\x01"]),
        (encode(b"123456789") + encode(b""), [b"123456789", b""]),
        (b"\0\0\0\x0a", [TOO_LONG]),
        (encode(b"1234567890") + encode(b"ok"), [TOO_LONG, b"ok"]),
        (encode(b"1" * 300) + encode(b"2" * 300) + encode(b"ok"), [TOO_LONG, TOO_LONG, b"ok"]),
        (b"GET / HTTP/1.1\r\n\r\n", [TOO_LONG]),
    ],
)
def test_messages_behind_their_length_are_the_same_however_they_come(data: bytes, messages: list[Any]) -> None:
    assert fed(lambda: FrameReader(max_bytes=9), data) == messages


def test_a_message_that_is_too_large_is_refused_before_it_comes_and_never_kept() -> None:
    reader = FrameReader(max_bytes=9)
    with pytest.raises(FrameTooLong) as caught:
        next(reader.receive(b"\xff\xff\xff\xff"))
    assert caught.value.limit == 9

    for _ in range(1000):
        assert list(reader.receive(b"x" * 1000)) == []

    assert len(reader._buffer) == 0


def test_without_a_limit_there_is_only_that_of_the_length() -> None:
    message = b"x" * (17 * 1024 * 1024)
    with pytest.raises(LocalProtocolError, match="cannot send a message of 17825792 bytes, the limit is 16777216"):
        encode(message)

    data = encode(message, max_bytes=None)

    assert [kind for kind, _ in drain(FrameReader().receive(data))] == [FrameTooLong]
    assert list(FrameReader(max_bytes=None).receive(data)) == [message]


def test_no_message_is_larger_than_a_length_can_say() -> None:
    class Large(bytes):
        def __len__(self) -> int:
            return 1 << 32

    with pytest.raises(LocalProtocolError, match="the limit is 4294967295"):
        encode(Large(), max_bytes=None)


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("message", [None, 0, -1.5, "", "~", "~~~", "é~\0\n", {"~~~": ["~~~~"]}, [[], {}], "\\u007e"])
def test_a_message_in_json_never_contains_its_delimiter(message: object) -> None:
    data = encode_json(message)

    assert data.index(b"~~~") == len(data) - 3
    assert json.loads(data[:-3]) == message
    assert fed(JSONReader, data * 3) == [message] * 3


@pytest.mark.parametrize("bad", [b"", b"{", b"nul", b"NaN", b"-Infinity", b"\xff", b"1 2", b"[" * 100_000, b"9" * 5000])
def test_what_is_not_json_is_an_error_between_its_neighbours(bad: bytes) -> None:
    found = list(drain(JSONReader().receive(b"1~~~" + bad + b"~~~2~~~")))

    assert [found[0], found[2:]] == [1, [2]]
    kind, text = found[1]
    assert kind is RemoteProtocolError
    assert text.startswith("expected JSON, got b'")
    assert len(text) < 300


def test_json_that_is_too_large_is_skipped() -> None:
    data = encode_json("1234567") + encode_json("12345678") + encode_json({})

    assert fed(lambda: JSONReader(max_bytes=9), data) == ["1234567", TOO_LONG, {}]


class Unknown:
    """Nothing that JSON can say."""

    def __repr__(self) -> str:
        return "<unknown>"


def a_circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


def a_great_depth() -> list[Any]:
    depth: list[Any] = []
    for _ in range(100_000):
        depth = [depth]
    return depth


def not_a_number() -> float:
    return float("nan")


def a_key_that_is_no_text() -> object:
    return {(): 1}


@pytest.mark.parametrize("make", [Unknown, a_circle, a_great_depth, not_a_number, a_key_that_is_no_text])
def test_what_json_cannot_say_is_not_sent(make: Any) -> None:
    with pytest.raises(LocalProtocolError, match="cannot send this as JSON"):
        encode_json(make())


def test_json_that_is_too_large_is_not_sent() -> None:
    assert encode_json("1234567", max_bytes=9)
    with pytest.raises(LocalProtocolError, match="cannot send a message of 10 bytes, the limit is 9"):
        encode_json("12345678", max_bytes=9)


def test_what_came_behind_the_last_delimiter_can_be_seen_and_forgotten() -> None:
    reader = JSONReader()
    assert list(reader.receive(b'1~~~{"a": 1}')) == [1]
    assert reader.rest == b'{"a": 1}'

    reader.clear()

    assert reader.rest == b""
    assert list(reader.receive(b"2~~~")) == [2]
