"""Messages in a stream: behind their length, or before a delimiter.

    message ── encode ──▶ 4 bytes of length, message ── FrameReader ──▶ message
    object ── encode_json ──▶ JSON ~~~ ── JSONReader ──▶ object

Rule 1: a frame cannot contain its own boundary. A length says where it ends; a tilde in JSON can only stand in a
        string, where it is written as an escape that every JSON parser knows.
Rule 2: a message that is too large is an error before it is kept; it is skipped, and the next one found.
"""

from __future__ import annotations

import json
from reprlib import repr as shortened

from evkernel.errors import FrameTooLong, LineTooLong, LocalProtocolError, RemoteProtocolError

from .lines import LineReader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["DELIMITER", "MAX_FRAME", "FrameReader", "JSONReader", "encode", "encode_json"]

#: Bytes of one message. Room for a batch of events or a picture; what is larger belongs into a stream of its own.
MAX_FRAME = 16 * 1024 * 1024
#: Ends a message in JSON.
DELIMITER = b"~~~"

#: Bytes of the length.
_HEAD = 4


def encode(message: bytes, *, max_bytes: int | None = MAX_FRAME) -> bytes:
    """Put *message* behind its length, four bytes with the highest first.

    Raises:
        LocalProtocolError: the message is larger than *max_bytes*, or than a length can say.
    """
    limit = 0xFFFFFFFF if max_bytes is None else min(max_bytes, 0xFFFFFFFF)
    if len(message) > limit:
        raise LocalProtocolError(f"cannot send a message of {len(message)} bytes, the limit is {limit}")
    return len(message).to_bytes(_HEAD, "big") + message


def encode_json(message: object, *, max_bytes: int | None = MAX_FRAME) -> bytes:
    """Put *message* as JSON before the delimiter.

    Raises:
        LocalProtocolError: the message is nothing that JSON can say, or is larger than *max_bytes*.
    """
    try:
        text = json.dumps(message, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"cannot send this as JSON: {error}: {shortened(message)}") from error
    data = text.replace("~", "\\u007e").encode()
    if max_bytes is not None and len(data) > max_bytes:
        raise LocalProtocolError(f"cannot send a message of {len(data)} bytes, the limit is {max_bytes}")
    return data + DELIMITER


class FrameReader:
    """Find the messages that stand behind their length: `for message in reader.receive(data): …`.

    Args:
        max_bytes: how large a message may be; None for no limit.

    Raises:
        FrameTooLong: from the iteration, in the place of a message that is larger. Whoever goes on gets those after
            it; but a length that makes no sense often means that the peer speaks something else.
    """

    __slots__ = ("_buffer", "_max_bytes", "_skip")

    def __init__(self, *, max_bytes: int | None = MAX_FRAME) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        #: How many bytes belong to a message that was too large.
        self._skip = 0

    def receive(self, data: bytes) -> Self:
        """Take what has come; iterate over the result for the messages."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._buffer += data
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        buffer = self._buffer
        if len(buffer) < _HEAD:
            raise StopIteration
        size = int.from_bytes(buffer[:_HEAD], "big")
        if self._max_bytes is not None and size > self._max_bytes:
            here = min(size, len(buffer) - _HEAD)
            del buffer[: _HEAD + here]
            self._skip = size - here
            raise FrameTooLong(self._max_bytes)
        end = _HEAD + size
        if len(buffer) < end:
            raise StopIteration
        with memoryview(buffer) as view, view[_HEAD:end] as part:  # one copy, not two
            message = bytes(part)
        del buffer[:end]
        return message


class JSONReader:
    """Find the JSON texts that stand before a delimiter: `for message in reader.receive(data): …`.

    Args:
        max_bytes: how many bytes of JSON a message may have; None for no limit.

    Raises:
        FrameTooLong: from the iteration, in the place of a message that is larger; those after it are still given.
        RemoteProtocolError: in the place of a message that is not JSON; those after it are still given.
    """

    __slots__ = ("_packets",)

    def __init__(self, *, max_bytes: int | None = MAX_FRAME) -> None:
        self._packets = LineReader(DELIMITER, max_bytes=max_bytes)

    @property
    def rest(self) -> bytes:
        """What has come behind the last delimiter."""
        return self._packets.rest

    def clear(self) -> None:
        """Forget what has come, as for a new connection."""
        self._packets.clear()

    def receive(self, data: bytes) -> Self:
        """Take what has come; iterate over the result for the messages."""
        self._packets.receive(data)
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        try:
            packet = next(self._packets)
        except LineTooLong as error:
            raise FrameTooLong(error.limit) from None
        try:
            return json.loads(packet, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise RemoteProtocolError(f"expected JSON, got {packet!r:.80}: {error}") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
