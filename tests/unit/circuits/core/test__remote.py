from __future__ import annotations

import threading
from typing import Any

import pytest

from circuits.core._errors import RemoteError, SendError
from circuits.core._remote import dumps, loads, pack, unpack


class OddError(Exception):
    """Cannot be read again: pickle calls it with one argument."""

    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} {two}")


class HeldError(Exception):
    """Cannot be pickled: it holds a lock."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.lock = threading.Lock()


class DumbError(Exception):
    """Has no text form."""

    def __str__(self) -> str:
        raise ValueError("no text")

    def __reduce__(self) -> Any:
        raise ValueError("no pickle")


def throw(error: BaseException) -> None:
    raise error


def raised(error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        throw(error)
    return caught.value


@pytest.mark.parametrize("value", [None, 0, "ä", b"\0", [1, {2: (3,)}], {4}, LookupError])
def test_a_value_comes_back_whole(value: Any) -> None:
    assert loads(dumps(value, "a value")) == value


def test_a_value_that_cannot_be_pickled_is_refused_with_its_name_and_the_reason() -> None:
    with pytest.raises(SendError, match=r"cannot send the lock to another process: TypeError: cannot pickle") as caught:
        dumps(threading.Lock(), "the lock")

    assert isinstance(caught.value, TypeError)


def test_an_error_comes_back_with_its_type_its_text_and_its_traceback_as_lines() -> None:
    error = raised(LookupError("nothing here"))
    back: Any = unpack(pack(error, error.__traceback__))

    assert (type(back), str(back)) == (LookupError, "nothing here")
    assert back.__traceback__ is None
    assert "in throw" in "".join(back._evtraceback)


def test_lines_of_text_stay_as_they_are() -> None:
    back: Any = unpack(pack(LookupError("far"), ["one\n", "two\n"]))

    assert back._evtraceback == ["one\n", "two\n"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OddError("one", "two"), "OddError: one two"),
        (HeldError("held"), "HeldError: held"),
        (DumbError(), "DumbError: <DumbError without a text form: ValueError>"),
    ],
    ids=["unreadable", "unpicklable", "without a text form"],
)
def test_an_error_that_cannot_travel_is_stood_for_by_its_name_and_text(error: BaseException, text: str) -> None:
    back = unpack(pack(raised(error), None))

    assert isinstance(back, RemoteError)
    assert str(back) == text
