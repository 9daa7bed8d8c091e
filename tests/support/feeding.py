"""Feed a stream to a reader in different pieces: it has to give the same messages, and the same errors, each time.

    assert fed(LineReader, b"a\\nb\\n") == [b"a", b"b"]

Rule 1: an error is kept in its place among the messages, as its class and text, so that two runs can be compared.
Rule 2: what is no ProtocolError is not caught.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from evkernel.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["drain", "fed", "fed_in", "pieces_at", "ways_to_split"]


def pieces_at(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut *data* at the places *cuts*, in any order; empty pieces are possible and wanted."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


def ways_to_split(data: bytes, count: int = 20) -> Iterator[list[bytes]]:
    """Yield *data* whole, byte by byte, and cut at random, the same way in every run."""
    yield [data]
    yield [data[place : place + 1] for place in range(len(data))]
    chance = random.Random(len(data))
    for _ in range(count):
        yield pieces_at(data, (chance.randint(0, len(data)) for _ in range(chance.randint(1, 9))))


def drain(reader: Any) -> Iterator[Any]:
    """Yield what *reader* gives until it wants more data, and each error in its place as (class, text)."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except ProtocolError as error:
            yield type(error), str(error)


def fed_in(make: Callable[[], Any], pieces: Iterable[bytes]) -> list[Any]:
    """Return everything that a new reader gives for *pieces*, fed one after the other."""
    reader = make()
    found: list[Any] = []
    for piece in pieces:
        found += drain(reader.receive(piece))
    return found


def fed(make: Callable[[], Any], data: bytes) -> list[Any]:
    """Return what a new reader gives for *data*, or fail if that depends on how the data are split."""
    first: list[Any] | None = None
    for pieces in ways_to_split(data):
        found = fed_in(make, pieces)
        if first is None:
            first = found
        assert found == first, f"in pieces {pieces!r}: {found!r}, not {first!r}"
    assert first is not None
    return first
