"""Send values and errors to another process of the same program, and get them back whole.

    value ── dumps ──▶ bytes ── … ──▶ loads ──▶ value
    error ── pack ───▶ bytes, its text, its traceback as lines ── … ──▶ unpack ──▶ the error, or a RemoteError

Rule 1: this is pickle. It goes between processes that were forked from one another, or belong to one pool, over a pipe
that nobody else can open; never over a network: what is unpickled can do anything.
Rule 2: whatever cannot be sent is refused where it is sent, in words, and nothing waits for it.
Rule 3: an error always arrives. One that cannot be pickled arrives as a RemoteError with its name and its text.
"""

from __future__ import annotations

from ._errors import RemoteError, SendError
from ._story import lines_of, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Packed", "dumps", "loads", "pack", "unpack"]

#: An error as it travels: pickled, or None when it cannot be; its name and text; its traceback.
Packed = tuple["bytes | None", str, "list[str]"]


def dumps(value: Any, what: str) -> bytes:
    """Turn a value into bytes.

    Args:
        value: anything that pickle can take.
        what: names the value in the error.

    Raises:
        SendError: when it cannot be pickled.
    """
    import pickle  # late: most programs have one process

    try:
        return pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        # Pickle runs code of the value, and raises whatever that raises.
        why = f"{type(error).__name__}: {shown(error, str)}"
        raise SendError(f"cannot send {what} to another process: {why}") from error


def loads(data: bytes) -> Any:
    """Turn bytes from `dumps` into the value again; what that raises depends on the value."""
    import pickle  # late: most programs have one process

    return pickle.loads(data)  # from a process of this program, see rule 1


def pack(error: BaseException, traceback: Any) -> Packed:
    """Make an error ready to travel.

    Args:
        error: what was raised.
        traceback: its traceback, or lines of text.
    """
    lines = traceback if isinstance(traceback, list) else lines_of(traceback)
    text = f"{type(error).__name__}: {shown(error, str)}"
    try:
        return dumps(error, "an error"), text, lines
    except SendError:
        return None, text, lines


def unpack(packed: Packed) -> BaseException:
    """Give the error that was packed in another process; the kernel finds its traceback with it."""
    data, text, lines = packed
    error: BaseException = RemoteError(text)
    if data is not None:
        try:
            error = loads(data)
        except Exception as why:  # noqa: BLE001 - its constructor wants more than a text, or its class is not here
            error.__cause__ = why
    error.__dict__["_evtraceback"] = lines
    return error
