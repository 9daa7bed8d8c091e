from __future__ import annotations

from typing import Any

import pytest

from circuits.protocols import irc
from circuits.protocols.irc import (
    AUTHENTICATE,
    AWAY,
    CAP,
    INVITE,
    ISON,
    JOIN,
    KICK,
    LINKS,
    LIST,
    MODE,
    NAMES,
    NICK,
    NOTICE,
    OPER,
    PART,
    PASS,
    PONG,
    PRIVMSG,
    QUIT,
    REHASH,
    SERVER,
    SERVICE,
    SUMMON,
    TAGMSG,
    TOPIC,
    USER,
    USERHOST,
    WHO,
    WHOIS,
    commands,
    request,
)
from evkernel.errors import LocalProtocolError

#: Every command of RFC 1459 section 4 and 5, RFC 2812 section 3 and 4, and NJOIN of RFC 2813.
OF_THE_RFCS = {
    *("PASS", "NICK", "USER", "SERVER", "OPER", "QUIT", "SQUIT", "JOIN", "PART", "MODE", "TOPIC"),
    *("NAMES", "LIST", "INVITE", "KICK", "VERSION", "STATS", "LINKS", "TIME", "CONNECT", "TRACE", "ADMIN"),
    *("INFO", "PRIVMSG", "NOTICE", "WHO", "WHOIS", "WHOWAS", "KILL", "PING", "PONG", "ERROR", "AWAY"),
    *("REHASH", "RESTART", "SUMMON", "USERS", "WALLOPS", "USERHOST", "ISON", "SERVICE", "MOTD", "LUSERS", "SERVLIST"),
    *("SQUERY", "DIE", "NJOIN"),
}


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (PASS("secret"), "PASS secret"),
        (USER("foo", "localhost", "localhost", "Test Client"), "USER foo localhost localhost :Test Client"),
        (NICK("test"), "NICK test"),
        (NICK("test", 1), "NICK test 1"),
        (OPER("me", "secret"), "OPER me secret"),
        (SERVER("a.b", 1, 34, "Some server"), "SERVER a.b 1 34 :Some server"),
        (SERVICE("dict", "*.fr", "0", "French dictionary"), "SERVICE dict 0 *.fr 0 0 :French dictionary"),
        (PONG("localhost"), "PONG localhost"),
        (QUIT(), "QUIT"),
        (QUIT("Test"), "QUIT Test"),
        (QUIT("Test Message"), "QUIT :Test Message"),
        (JOIN("#test"), "JOIN #test"),
        (JOIN("#test", "secret"), "JOIN #test secret"),
        (JOIN(["#a", "#b"], ("x", "y")), "JOIN #a,#b x,y"),
        (PART("#test"), "PART #test"),
        (PART("#test", "Good bye"), "PART #test :Good bye"),
        (PRIVMSG("test", "Hello"), "PRIVMSG test Hello"),
        (PRIVMSG("test", "Hello World"), "PRIVMSG test :Hello World"),
        (PRIVMSG({"test": 1, "#c": 2}, ""), "PRIVMSG test,#c :"),
        (NOTICE("test", "Hello World"), "NOTICE test :Hello World"),
        (TAGMSG("#c", {"+typing": "active"}), "@+typing=active TAGMSG #c"),
        (KICK("#test", "test"), "KICK #test test"),
        (KICK("#test", "test", "Good Bye"), "KICK #test test :Good Bye"),
        (TOPIC("#test"), "TOPIC #test"),
        (TOPIC("#test", "Hello World!"), "TOPIC #test :Hello World!"),
        (TOPIC("#test", ""), "TOPIC #test :"),
        (MODE("+i"), "MODE +i"),
        (MODE("#test", "+o", "test"), "MODE #test +o test"),
        (INVITE("test", "#test"), "INVITE test #test"),
        (NAMES(), "NAMES"),
        (NAMES("#test"), "NAMES #test"),
        (LIST(["#a", "#b"], "srv"), "LIST #a,#b srv"),
        (LINKS(mask="*.edu"), "LINKS *.edu"),
        (LINKS("srv", "*.edu"), "LINKS srv *.edu"),
        (AWAY("I am away."), "AWAY :I am away."),
        (AWAY(), "AWAY"),
        (WHO("*.fi", "o"), "WHO *.fi o"),
        (WHOIS("somenick"), "WHOIS somenick"),
        (WHOIS(["a", "b"], "srv"), "WHOIS srv a,b"),
        (ISON("a", "b"), "ISON a b"),
        (USERHOST("a", "b"), "USERHOST a b"),
        (SUMMON("jto", "tolsun.oulu.fi"), "SUMMON jto tolsun.oulu.fi"),
        (REHASH(), "REHASH"),
        (CAP("REQ", "a b"), "CAP REQ :a b"),
        (AUTHENTICATE("+"), "AUTHENTICATE +"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_asks_for_its_message(event: request, line: str) -> None:
    assert isinstance(event, request)
    assert event.name == "request"
    assert bytes(event.args[0]) == line.encode() + b"\r\n"


def test_every_command_of_the_rfcs_is_there() -> None:
    assert OF_THE_RFCS <= set(commands.__all__) <= set(irc.__all__)


@pytest.mark.parametrize("name", commands.__all__)
def test_a_command_says_its_own_name_and_can_be_called_with_as_little_as_it_needs(name: str) -> None:
    function: Any = getattr(commands, name)
    required = function.__code__.co_argcount - len(function.__defaults__ or ())
    arguments: list[Any] = ["x"] * required
    if name == "TAGMSG":
        arguments = ["x", {"a": "1"}]

    assert function(*arguments).args[0].command == name


@pytest.mark.parametrize("text", ["hi\r\nQUIT", "hi\nQUIT", "hi\0"])
def test_what_somebody_has_typed_cannot_become_a_second_command(text: str) -> None:
    with pytest.raises(LocalProtocolError):
        PRIVMSG("#c", text)


def test_one_receiver_of_a_list_cannot_become_two() -> None:
    with pytest.raises(LocalProtocolError, match="no comma"):
        PRIVMSG(["ada", "bob,#c"], "hi")
    assert bytes(PRIVMSG("bob,#c", "hi").args[0]) == b"PRIVMSG bob,#c hi\r\n"


def test_a_parameter_that_is_left_out_before_another_is_not_made_up() -> None:
    with pytest.raises(LocalProtocolError, match="missing"):
        LIST(None, "srv")
