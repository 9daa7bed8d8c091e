from __future__ import annotations

from typing import Any

import pytest

from circuits import Component, Event, handler
from circuits.net import events as net_events
from circuits.net.events import read
from circuits.protocols import IRC
from circuits.protocols.irc import (
    ERR_NICKNAMEINUSE,
    EVENTS,
    JOIN,
    PRIVMSG,
    Message,
    MessageTooLong,
    commands,
    reply,
    request,
)
from circuits.protocols.irc.protocol import MAX_LINE
from evkernel.errors import LineTooLong, RemoteProtocolError
from support import EventRecorder, run_until_idle

BOB = ("bob", "b", "example.org")
NOBODY = (None, None, None)


@pytest.fixture
def irc(app: Component, recorder: EventRecorder) -> IRC:
    irc = IRC().register(app)
    run_until_idle(app)
    recorder.clear()
    return irc


def told(app: Component, recorder: EventRecorder, *args: Any) -> list[tuple[str, Any]]:
    """Return the events about what is read, as (name, arguments), without those of lower layers."""
    app.fire(read(*args))
    run_until_idle(app)
    found = [(event.name, event.args) for event in recorder.seen if event.name not in ("read", "line", "registered")]
    recorder.clear()
    return found


@pytest.mark.parametrize(
    ("line", "name", "args"),
    [
        (b":localhost NOTICE * :*** Looking up", "notice", (("localhost", None, None), "*", "*** Looking up")),
        (b":bob!b@example.org PRIVMSG #c :hi all", "privmsg", (BOB, "#c", "hi all")),
        (b":bob!b@example.org privmsg #c hi", "privmsg", (BOB, "#c", "hi")),
        (b":bob!b@example.org JOIN :#c", "join", (BOB, "#c")),
        (b":bob!b@example.org PART #c", "part", (BOB, "#c")),
        (b":bob!b@example.org PART #c :bye bye", "part", (BOB, "#c", "bye bye")),
        (b":bob!b@example.org QUIT", "quit", (BOB,)),
        (b":bob!b@example.org NICK rob", "nick", (BOB, "rob")),
        (b":bob!b@example.org KICK #c ada :out", "kick", (BOB, "#c", "ada", "out")),
        (b":bob!b@example.org TOPIC #c :", "topic", (BOB, "#c", "")),
        (b":bob!b@example.org MODE #c +oo a b", "mode", (BOB, "#c", "+oo", "a", "b")),
        (b":bob!b@example.org INVITE ada #c", "invite", (BOB, "ada", "#c")),
        (b"@x=1 :bob!b@example.org TAGMSG #c", "tagmsg", (BOB, "#c")),
        (b":srv CAP * LS :a b", "cap", (("srv", None, None), "*", "LS", "a b")),
        (b":srv 433 * ada :Nickname is already in use", "numeric",
         (("srv", None, None), ERR_NICKNAMEINUSE, "*", "ada", "Nickname is already in use")),
        (b":srv 001 ada :Welcome", "numeric", (("srv", None, None), 1, "ada", "Welcome")),
        (b"ERROR :Closing Link", "irc_error", (NOBODY, "Closing Link")),
        (b":srv CONNECT other 6667", "irc_connect", (("srv", None, None), "other", "6667")),
        (b":srv XYZZY 1 2", "unknown", (("srv", None, None), "XYZZY", "1", "2")),
    ],
    ids=lambda value: repr(value) if isinstance(value, bytes) else "",
)  # fmt: skip
def test_a_message_becomes_an_event_of_its_own(
    app: Component, recorder: EventRecorder, irc: IRC, line: bytes, name: str, args: tuple[Any, ...]
) -> None:
    assert told(app, recorder, line + b"\r\n") == [(name, args)]
    # On a server, the socket comes first.
    assert told(app, recorder, 7, line + b"\r\n") == [(name, (7, *args))]


def test_the_event_has_the_whole_message_with_its_tags(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    app.fire(read(b"@time=12:00 :bob!b@example.org PRIVMSG #c :hi\n"))
    run_until_idle(app)

    (event,) = recorder.of("privmsg")
    assert event.message.tags == {"time": "12:00"}  # type: ignore[attr-defined]
    assert event.message.command == "PRIVMSG"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "name", sorted({*net_events.__all__, "signal", "stopped", "exception", "line", "task", "request"})
)
def test_a_peer_cannot_make_up_an_event(app: Component, recorder: EventRecorder, irc: IRC, name: str) -> None:
    told_about = told(app, recorder, f":x {name.upper()} a b c d\r\n".encode())

    assert [told_name for told_name, _ in told_about] in (["unknown"], [f"irc_{name}"])


def test_every_command_that_can_be_sent_has_an_event() -> None:
    assert set(commands.__all__) <= set(EVENTS)
    assert len({name for name, _ in EVENTS.values()}) == len(EVENTS)


def test_messages_in_pieces_and_several_at_once(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    assert told(app, recorder, b":a JOIN #c\r\n:b JO") == [("join", (("a", None, None), "#c"))]
    assert told(app, recorder, b"IN #c\n\r\n\r:c JOIN #c\r") == [
        ("join", (("b", None, None), "#c")),
        ("join", (("c", None, None), "#c")),
    ]


def test_a_carriage_return_alone_ends_a_message_as_it_does_for_others(
    app: Component, recorder: EventRecorder, irc: IRC
) -> None:
    found = told(app, recorder, 7, b"PRIVMSG #c :hi\rQUIT\n")

    assert found == [("privmsg", (7, NOBODY, "#c", "hi")), ("quit", (7, NOBODY))]


@pytest.mark.parametrize(
    ("line", "names"),
    [(b":srv", ["error"]), (b"12 x", ["error"]), (b"PRIVMSG x :a\0b", ["error"]), (b" ", ["error"]), (b"", [])],
)
@pytest.mark.parametrize("sock", [(), (7,)], ids=["client", "server"])
def test_what_is_no_message_is_told_and_the_next_one_is_read(
    app: Component, recorder: EventRecorder, irc: IRC, line: bytes, names: list[str], sock: tuple[int, ...]
) -> None:
    found = told(app, recorder, *sock, b":a JOIN #c\r\n" + line + b"\r\n:b JOIN #c\r\n")

    assert [name for name, _ in found] == ["join", *names, "join"]
    for name, args in found:
        if name == "error":
            assert args[:-1] == sock
            assert isinstance(args[-1], RemoteProtocolError)


def test_a_client_is_spared_messages_that_lack_what_they_are_about(
    app: Component, recorder: EventRecorder, irc: IRC
) -> None:
    ((name, (problem,)),) = told(app, recorder, b":bob PRIVMSG #c\r\n")

    assert name == "error"
    assert str(problem) == "PRIVMSG needs at least 2 parameters, got :bob PRIVMSG #c"


def test_a_server_gets_them_because_it_has_to_answer(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    assert told(app, recorder, 7, b"PRIVMSG\r\n") == [("privmsg", (7, NOBODY))]


@pytest.mark.parametrize("sock", [(), (7,)], ids=["client", "server"])
def test_a_line_that_is_too_long_is_told(
    app: Component, recorder: EventRecorder, irc: IRC, sock: tuple[int, ...]
) -> None:
    found = told(app, recorder, *sock, b"A " + b"x" * MAX_LINE + b"\r\nQUIT\r\n")

    assert [name for name, _ in found] == ["error", "quit"]
    assert found[0][1][:-1] == sock
    assert isinstance(found[0][1][-1], LineTooLong)


def test_the_limit_of_a_line_can_be_chosen(app: Component, recorder: EventRecorder) -> None:
    IRC(max_bytes=10).register(app)
    run_until_idle(app)
    recorder.clear()

    assert [name for name, _ in told(app, recorder, b"QUIT :12345\r\nQUIT :1234\r\n")] == ["error", "quit"]


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        (b"PING :irc.example.org", b"PONG irc.example.org\r\n"),
        (b":s PING a b", b"PONG a\r\n"),
        (b"PING :a b", b"PONG :a b\r\n"),
    ],
)
def test_a_client_answers_a_ping(app: Component, recorder: EventRecorder, irc: IRC, ping: bytes, pong: bytes) -> None:
    found = told(app, recorder, ping + b"\r\n")

    assert [name for name, _ in found] == ["ping", "request", "write"]
    assert found[-1] == ("write", (pong,))


def test_a_server_answers_pings_itself(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    assert [name for name, _ in told(app, recorder, 7, b"PING x\r\n")] == ["ping"]


def test_a_request_is_written(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    for event in (JOIN("#c"), PRIVMSG("#c", "hi all"), request(Message("XYZZY"))):
        app.fire(event)
    run_until_idle(app)

    assert [event.args for event in recorder.of("write")] == [
        (b"JOIN #c\r\n",),
        (b"PRIVMSG #c :hi all\r\n",),
        (b"XYZZY\r\n",),
    ]


def test_a_request_that_is_too_long_is_not_sent_and_says_so(app: Component, recorder: EventRecorder, irc: IRC) -> None:
    catcher = Catcher().register(app)
    app.fire(PRIVMSG("#c", "x" * 600))
    run_until_idle(app)

    assert recorder.of("write") == []
    assert catcher.caught == [MessageTooLong]


class Catcher(Component):
    """Handle errors, so that they are not printed."""

    def init(self) -> None:
        self.caught: list[type] = []

    @handler("exception", channel="*")
    def _on_exception(self, kind: type, *_: Any, **__: Any) -> None:
        self.caught.append(kind)


def test_a_reply_is_written_to_its_socket_and_cut_off_when_it_is_too_long(
    app: Component, recorder: EventRecorder, irc: IRC
) -> None:
    app.fire(reply(7, Message("PRIVMSG", "#c", "hi all", prefix=BOB)))
    app.fire(reply(8, Message("PRIVMSG", "#c", "x" * 600, prefix=BOB)))
    run_until_idle(app)

    first, second = (event.args for event in recorder.of("write"))
    assert first == (7, b":bob!b@example.org PRIVMSG #c :hi all\r\n")
    assert second[0] == 8
    assert len(second[1]) == 512
    assert second[1].endswith(b"xxx\r\n")


def test_requests_and_replies_of_others_are_none_of_its_business(
    app: Component, recorder: EventRecorder, irc: IRC
) -> None:
    for name in ("request", "reply"):
        for args in ((), (1,), (1, 2), (1, 2, 3)):
            app.fire(Event.create(name, *args))
    run_until_idle(app)

    assert recorder.of("write") == []
    assert recorder.of("exception") == []


def test_all_of_it_happens_on_its_channel(app: Component, recorder: EventRecorder) -> None:
    IRC(channel="bot").register(app)
    run_until_idle(app)
    recorder.clear()

    app.fire(read(b"PING x\r\n"), "bot")
    app.fire(read(b"PING y\r\n"), "other")
    app.fire(JOIN("#c"), "other")
    run_until_idle(app)

    assert [event.name for event in recorder.seen if event.channels == ("other",)] == ["read", "request"]
    assert [event.name for event in recorder.seen if event.channels == ("bot",)] == [
        *("read", "line", "ping", "request", "write")
    ]


def test_text_is_read_in_another_encoding(app: Component, recorder: EventRecorder) -> None:
    IRC("koi8-r").register(app)
    run_until_idle(app)
    recorder.clear()

    assert told(app, recorder, ":a TOPIC #c :Ж\r\n".encode("koi8-r")) == [("topic", (("a", None, None), "#c", "Ж"))]


def test_an_encoding_that_nobody_knows_is_refused() -> None:
    with pytest.raises(LookupError):
        IRC(encoding="no-such-thing")


def test_buffers_can_be_kept_elsewhere(app: Component, recorder: EventRecorder) -> None:
    kept: dict[int, bytes] = {}
    IRC(getBuffer=kept.get, updateBuffer=kept.__setitem__).register(app)
    run_until_idle(app)
    recorder.clear()

    assert told(app, recorder, 7, b"QU") == []
    assert kept == {7: b"QU"}
    assert told(app, recorder, 7, b"IT\r\n") == [("quit", (7, NOBODY))]
