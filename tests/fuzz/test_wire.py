"""Lines and frames: every reader parses or raises the documented error, and how the bytes were split never matters."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evkernel.wire.frames import FrameReader, JSONReader, encode, encode_json
from evkernel.wire.lines import LineReader, split_lines
from support.feeding import fed_in, pieces_at

CUTS = st.lists(st.integers(0, 300), max_size=12)
LIMIT = st.none() | st.integers(0, 20)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def stream_of(*tokens: bytes) -> st.SearchStrategy[bytes]:
    """Streams in which *tokens* are much more frequent than chance would have them."""
    return st.lists(st.sampled_from(tokens) | st.binary(max_size=12), max_size=30).map(b"".join)


@given(stream_of(b"\r", b"\n", b"\r\n", b"x"), CUTS, LIMIT, st.sampled_from([None, b"\r\n", b"\n", b"xx", b"~~~"]))
def test_lines_do_not_depend_on_the_pieces(
    data: bytes, cuts: list[int], limit: int | None, separator: bytes | None
) -> None:
    def make() -> LineReader:
        return LineReader(separator, max_bytes=limit)

    assert fed_in(make, pieces_at(data, cuts)) == fed_in(make, [data])


@given(stream_of(b"\r", b"\n", b"x"), CUTS)
def test_lines_are_those_that_splitting_everything_at_once_gives(data: bytes, cuts: list[int]) -> None:
    lines, rest = [], b""
    for piece in pieces_at(data, cuts):
        found, rest = split_lines(piece, rest)
        lines += found

    assert (lines, rest) == split_lines(data, b"")
    assert fed_in(LineReader, pieces_at(data, cuts)) == lines


@given(stream_of(b"\0\0\0\0", b"\0\0\0\x02", b"\0\0\0\x05"), CUTS, LIMIT)
def test_frames_do_not_depend_on_the_pieces(data: bytes, cuts: list[int], limit: int | None) -> None:
    def make() -> FrameReader:
        return FrameReader(max_bytes=limit)

    assert fed_in(make, pieces_at(data, cuts)) == fed_in(make, [data])


@given(st.lists(st.binary(max_size=40)), CUTS)
def test_frames_come_out_as_they_went_in(messages: list[bytes], cuts: list[int]) -> None:
    data = b"".join(map(encode, messages))

    assert fed_in(FrameReader, pieces_at(data, cuts)) == messages


@given(stream_of(b"~~~", b"~", b'{"a":', b"[", b"]", b"}", b'"', b"1", b"\\", b"NaN", b"\xff"), CUTS, LIMIT)
def test_json_does_not_depend_on_the_pieces(data: bytes, cuts: list[int], limit: int | None) -> None:
    def make() -> JSONReader:
        return JSONReader(max_bytes=limit)

    assert fed_in(make, pieces_at(data, cuts)) == fed_in(make, [data])


@given(st.lists(JSON, max_size=5), CUTS)
def test_json_comes_out_as_it_went_in(messages: list[Any], cuts: list[int]) -> None:
    data = b"".join(map(encode_json, messages))

    assert data.count(b"~~~") == len(messages)
    assert fed_in(JSONReader, pieces_at(data, cuts)) == messages
