from __future__ import annotations

import pytest

from circuits.protocols import irc
from circuits.protocols.irc import TEXTS, numeric_reply, numerics
from evkernel.errors import LocalProtocolError

NUMBERS = {name: getattr(numerics, name) for name in numerics.__all__}

#: All that RFC 2812 section 5 lists.
OF_THE_RFC = {
    *range(1, 6),
    *range(200, 220),
    *(221, 231, 232, 233, 234, 235, 240, 241, 242, 243, 244, 246, 247, 250),
    *range(251, 260),
    *(261, 262, 263),
    *(300, 301, 302, 303, 305, 306, *range(311, 320), *range(321, 326), 331, 332, 341, 342, *range(346, 350)),
    *(351, 352, 353, *range(361, 370), *range(371, 377), 381, 382, 383, 384, *range(391, 396)),
    *(*range(401, 410), *range(411, 416), 421, 422, 423, 424, 431, 432, 433, 436, 437, *range(441, 447), 451),
    *(*range(461, 468), *range(471, 479), *range(481, 486), 491, 492, 501, 502),
}


def test_every_number_of_the_rfc_has_a_name() -> None:
    assert sorted(OF_THE_RFC - set(NUMBERS.values())) == []


def test_a_number_is_a_reply_or_an_error_by_its_name() -> None:
    for name, number in NUMBERS.items():
        assert name.startswith(("RPL_", "ERR_"))
        assert 1 <= number <= 999
        assert (400 <= number < 600) <= name.startswith("ERR_"), name


def test_the_package_passes_all_of_them_on() -> None:
    assert set(numerics.__all__) <= set(irc.__all__)
    assert irc.ERR_NICKNAMEINUSE == 433
    assert irc.RPL_ENDOFMOTD == 376


def test_names_for_the_same_number_are_few_and_known() -> None:
    values = list(NUMBERS.values())
    assert {number for number in values if values.count(number) > 1} == {5, 244, 250}


def test_a_reply_says_what_the_rfc_says() -> None:
    reply = numeric_reply(irc.ERR_NOSUCHNICK, "ada", "bob", prefix="irc.example.org")

    assert bytes(reply) == b":irc.example.org 401 ada bob :No such nick/channel\r\n"


def test_a_reply_may_say_it_in_other_words_or_have_none() -> None:
    assert str(numeric_reply(irc.ERR_NOSUCHNICK, "ada", "bob", text="Who?", prefix="s")) == ":s 401 ada bob Who?"
    assert str(numeric_reply(irc.RPL_UMODEIS, "ada", "+i", prefix="s")) == ":s 221 ada +i"
    assert str(numeric_reply(irc.RPL_WELCOME, "ada", text="Welcome!", prefix="s")) == ":s 001 ada Welcome!"


def test_who_has_no_nick_yet_is_a_star() -> None:
    assert str(numeric_reply(irc.ERR_NOTREGISTERED, None, prefix="s")) == ":s 451 * :You have not registered"


def test_a_reply_is_one_line() -> None:
    with pytest.raises(LocalProtocolError):
        numeric_reply(irc.ERR_NOSUCHNICK, "ada", "bob\r\nQUIT", prefix="s")


def test_the_texts_belong_to_numbers() -> None:
    assert set(TEXTS) <= set(NUMBERS.values())
    assert all(text == text.strip() and text for text in TEXTS.values())
