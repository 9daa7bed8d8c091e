from __future__ import annotations

import socket

import pytest

from support import free_port, wait_until


def test_waiting_asks_until_the_answer_is_true_and_returns_it() -> None:
    answers = iter([0, None, "", "yes", "never asked"])

    assert wait_until(lambda: next(answers)) == "yes"


def test_waiting_gives_up_after_its_time_and_names_what_it_waited_for() -> None:
    def the_moon() -> int:
        return 0

    with pytest.raises(TimeoutError, match=r"waited 0 seconds for .*the_moon; the last answer was 0"):
        wait_until(the_moon, timeout=0)
    with pytest.raises(TimeoutError, match="for the sun;"):
        wait_until(the_moon, timeout=0, what="the sun")


def test_a_condition_is_asked_once_even_without_time() -> None:
    assert wait_until(lambda: True, timeout=0)


def test_an_error_of_the_condition_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0)


def test_a_free_port_can_be_bound() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
