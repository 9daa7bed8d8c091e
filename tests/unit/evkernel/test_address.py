from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from evkernel.address import look_up, numeric_address, split_host_port


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("localhost:80", ("localhost", 80)),
        (":0", ("", 0)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("[fe80::1%eth0]:80", ("fe80::1%eth0", 80)),
    ],
)
def test_host_and_port_are_taken_apart(text: str, parts: tuple[str, int]) -> None:
    assert split_host_port(text) == parts


@pytest.mark.parametrize(
    "text", ["", "localhost", "80", "a:", "a:b", "a:-1", "a:65536", "::1:80", "a: 1", "a:1e3", "a:²"]
)
def test_what_is_no_host_and_port_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(ValueError, match="expected") as refusal:
        split_host_port(text)
    assert repr(text) in str(refusal.value)


def test_a_numeric_address_needs_no_look_up() -> None:
    assert numeric_address(socket.AF_INET, "127.0.0.1", 80) == ("127.0.0.1", 80)
    assert numeric_address(socket.AF_INET6, "::1", 80) == ("::1", 80, 0, 0)


@pytest.mark.parametrize("host", ["localhost", "::1", "a..b", "\ud800", "x" * 300])
def test_a_name_or_an_address_of_another_family_is_not_numeric(host: str) -> None:
    assert numeric_address(socket.AF_INET, host, 80) is None


def answer_of(host: str) -> Any:
    answers: list[Any] = []
    there = threading.Event()

    def answer(found: Any) -> None:
        answers.append(found)
        there.set()

    look_up(host, 80, socket.AF_INET, socket.SOCK_STREAM, answer)
    assert there.wait(30)
    return answers[0]


def test_a_look_up_answers_with_the_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda *_: [(0, 0, 0, "", ("1.2.3.4", 80)), (0, 0, 0, "", ("5.6.7.8", 80))]
    )
    assert answer_of("name") == [("1.2.3.4", 80), ("5.6.7.8", 80)]


def test_a_look_up_answers_with_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    failure = socket.gaierror(socket.EAI_AGAIN, "try again")

    def fail(*_: Any) -> Any:
        raise failure

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert answer_of("name") is failure


def test_a_name_that_cannot_be_encoded_is_not_found() -> None:
    answer = answer_of("\ud800")
    assert isinstance(answer, socket.gaierror)
    assert answer.errno == socket.EAI_NONAME
