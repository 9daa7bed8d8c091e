from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evkernel.outbox import CHUNK, Outbox


def test_an_empty_outbox_holds_nothing() -> None:
    outbox = Outbox()
    outbox.append(b"")
    assert not outbox
    assert outbox.size == 0


def test_small_writes_leave_together() -> None:
    outbox = Outbox()
    for _ in range(5):
        outbox.append(b"ab")
    assert outbox.head() == b"ab" * 5
    outbox.drop(10)
    assert not outbox


def test_no_more_than_a_chunk_is_put_together() -> None:
    outbox = Outbox()
    for _ in range(3):
        outbox.append(bytes(CHUNK // 2))
    assert len(outbox.head()) == CHUNK


def test_a_large_write_is_not_copied() -> None:
    outbox, large = Outbox(), bytes(10 * CHUNK)
    outbox.append(large)
    outbox.append(b"x")
    assert outbox.head() is large
    outbox.drop(CHUNK)
    rest = outbox.head()
    assert isinstance(rest, memoryview)
    assert rest.obj is large


@given(st.lists(st.binary(max_size=CHUNK * 2 // 10)), st.lists(st.integers(1, CHUNK)))
def test_what_comes_out_is_what_went_in(pieces: list[bytes], sizes: list[int]) -> None:
    outbox, out = Outbox(), bytearray()
    for piece in pieces:
        outbox.append(piece)
    assert outbox.size == sum(map(len, pieces))
    while outbox:
        head = outbox.head()
        count = min(len(head), sizes.pop() if sizes else CHUNK)
        out += head[:count]
        outbox.drop(count)
    assert out == b"".join(pieces)
    assert outbox.size == 0
