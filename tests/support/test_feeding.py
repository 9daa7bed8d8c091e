from __future__ import annotations

import pytest

from evkernel.errors import LineTooLong, RemoteProtocolError
from evkernel.wire.lines import LineReader
from support.feeding import drain, fed, fed_in, pieces_at, ways_to_split


class Nothing:
    """A reader that gives nothing; the tests make it worse."""

    def receive(self, data: bytes) -> Nothing:
        self.data = data
        return self

    def __iter__(self) -> Nothing:
        return self

    def __next__(self) -> bytes:
        raise StopIteration


def test_every_way_to_split_has_all_the_bytes_in_order() -> None:
    ways = list(ways_to_split(b"0123456789"))

    assert len(ways) == 22
    assert {b"".join(pieces) for pieces in ways} == {b"0123456789"}
    assert ways[0] == [b"0123456789"]
    assert ways[1] == [b"%d" % digit for digit in range(10)]
    assert list(ways_to_split(b"0123456789")) == ways


def test_pieces_are_cut_where_that_is_asked_for() -> None:
    assert pieces_at(b"abcd", [3, 1, 1, 9]) == [b"a", b"", b"bc", b"d", b""]


def test_messages_and_errors_come_in_their_order() -> None:
    reader = LineReader(max_bytes=3)

    found = list(drain(reader.receive(b"one\nthree\ntwo\nthree\nthree\nend")))

    too_long = (LineTooLong, "a line is longer than 3, which is the limit")
    assert found == [b"one", too_long, b"two", too_long, too_long]


def test_a_reader_that_depends_on_the_pieces_is_found_out() -> None:
    class Forgetful(Nothing):
        def __next__(self) -> bytes:
            data, self.data = self.data, b""
            if b"\n" not in data:
                raise StopIteration
            return data

    with pytest.raises(AssertionError, match="in pieces"):
        fed(Forgetful, b"one\n")


def test_an_error_that_no_protocol_documents_comes_through() -> None:
    class Broken(Nothing):
        def __next__(self) -> bytes:
            raise KeyError("oh")

    with pytest.raises(KeyError):
        fed_in(Broken, [b""])


def test_an_error_is_told_by_class_and_text() -> None:
    class Refusing(Nothing):
        def __next__(self) -> bytes:
            if not self.data:
                raise StopIteration
            self.data = b""
            raise RemoteProtocolError("no")

    assert fed_in(Refusing, [b"x", b"y"]) == [(RemoteProtocolError, "no")] * 2
