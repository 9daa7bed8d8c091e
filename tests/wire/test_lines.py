from __future__ import annotations

import pytest

from evkernel.errors import LineTooLong, RemoteProtocolError
from evkernel.wire.lines import MAX_LINE, LineReader, split_lines
from support.feeding import drain, fed

TOO_LONG = (LineTooLong, "a line is longer than 5, which is the limit")

#: (separator, bytes, lines), with a limit of 5.
TABLE = [
    (None, b"", []),
    (None, b"\n", [b""]),
    (None, b"\r\n", [b""]),
    (None, b"one\ntwo\r\n", [b"one", b"two"]),
    (None, b"one\n\ntwo\n", [b"one", b"", b"two"]),
    (None, b"one", []),
    (None, b"a\rb\n", [b"a\rb"]),
    (None, b"a\r\r\n", [b"a\r"]),
    (None, b"\n\r\n\r", [b"", b""]),
    (None, b"a\0b\xff\n", [b"a\0b\xff"]),
    (None, b"12345\n12345\r\n", [b"12345", b"12345"]),
    (None, b"123456\nok\n", [TOO_LONG, b"ok"]),
    (None, b"123456\r\nok\r\n", [TOO_LONG, b"ok"]),
    (None, b"12345\r", []),
    (None, b"12345\r\r\nok\n", [TOO_LONG, b"ok"]),
    (None, b"1234567", [TOO_LONG]),
    (None, b"123456789 123456789 123456789", [TOO_LONG]),
    (None, b"ok\n123456789 123456789\n\n123456789\nok\n", [b"ok", TOO_LONG, b"", TOO_LONG, b"ok"]),
    (b"\r\n", b"a\nb\r\nc\rd\r\n", [b"a\nb", b"c\rd"]),
    (b"\r\n", b"12345\r\n123456\r\n1234\r\r\n", [b"12345", TOO_LONG, b"1234\r"]),
    (b"\0", b"one\0two\n\0", [b"one", b"two\n"]),
    (b"~~~", b"one~~~~two~~~", [b"one", b"~two"]),
    (b"~~~", b"12345~~~123456~~~ok~~~", [b"12345", TOO_LONG, b"ok"]),
    (b"~~~", b"123456789~~123456789~~~ok~~~", [TOO_LONG, b"ok"]),
    (b"aab", b"aaab", [b"a"]),
    (b"aab", b"aaaaaaaaaaaaaab1aab", [TOO_LONG, b"1"]),
]


@pytest.mark.parametrize(("separator", "data", "lines"), TABLE)
def test_a_stream_is_cut_into_the_same_lines_however_it_comes(
    separator: bytes | None, data: bytes, lines: list[object]
) -> None:
    assert fed(lambda: LineReader(separator, max_bytes=5), data) == lines


def test_what_is_no_line_yet_can_be_seen_and_forgotten() -> None:
    reader = LineReader()
    assert list(reader.receive(b"one\ntw")) == [b"one"]
    assert reader.rest == b"tw"

    reader.clear()

    assert reader.rest == b""
    assert list(reader.receive(b"three\n")) == [b"three"]


def test_lines_that_were_not_taken_are_still_there_after_more_has_come() -> None:
    reader = LineReader()
    assert next(reader.receive(b"one\ntwo\nth")) == b"one"

    assert list(reader.receive(b"ree\n")) == [b"two", b"three"]


def test_a_loop_goes_on_after_a_line_that_is_too_long() -> None:
    reader = LineReader(max_bytes=3)
    found: list[bytes] = []
    with pytest.raises(LineTooLong) as caught:
        found.extend(reader.receive(b"one\nthree\ntwo\n"))
    assert found == [b"one"]
    assert caught.value.limit == 3
    assert isinstance(caught.value, RemoteProtocolError)

    assert list(reader) == [b"two"]


@pytest.mark.parametrize("separator", [None, b"\r\n", b"~~~"])
def test_a_line_without_an_end_is_not_kept(separator: bytes | None) -> None:
    reader = LineReader(separator, max_bytes=100)

    found = [item for _ in range(1000) for item in drain(reader.receive(b"x" * 99))]

    assert [kind for kind, _ in found] == [LineTooLong]
    assert reader.rest == b""
    assert len(reader._buffer) < 100


def test_what_was_too_long_is_forgotten_with_the_rest() -> None:
    reader = LineReader(max_bytes=3)
    list(drain(reader.receive(b"12345")))

    reader.clear()

    assert list(reader.receive(b"one\n")) == [b"one"]


def test_there_is_a_limit_unless_it_is_taken_away() -> None:
    long = b"x" * (MAX_LINE + 1) + b"\n"

    assert [kind for kind, _ in drain(LineReader().receive(long))] == [LineTooLong]
    assert list(LineReader(max_bytes=None).receive(long)) == [long[:-1]]


def test_a_byte_at_a_time_is_not_searched_again_from_the_beginning() -> None:
    reader = LineReader(b"\r\n")
    list(reader.receive(b"x" * 1000))

    assert reader._searched == 999


def test_nothing_is_no_separator() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        LineReader(b"")


@pytest.mark.parametrize(
    ("data", "rest", "lines", "left"),
    [
        (b"1\n2\r\n3\n4", b"", [b"1", b"2", b"3"], b"4"),
        (b"2\n", b"1", [b"12"], b""),
        (b"\n", b"1\r", [b"1"], b""),
        (b"", b"1", [], b"1"),
    ],
)
def test_lines_are_split_off_with_what_was_left_the_last_time(
    data: bytes, rest: bytes, lines: list[bytes], left: bytes
) -> None:
    assert split_lines(data, rest) == (lines, left)
    assert split_lines(data.decode(), rest.decode()) == ([line.decode() for line in lines], left.decode())
