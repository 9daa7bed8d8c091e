"""IRC as a component, for clients and for servers.

    read ──▶ Line ── line ──▶ IRC ──▶ privmsg(source, target, text), numeric(source, number, *params), …
    request(message), reply(sock, message) ──▶ IRC ──▶ write

Rule 1: only the commands in `EVENTS` become events of their own. A peer cannot make up the name of an event: what is
        not in the table is `unknown`, and what would mean something to a socket has another name.
Rule 2: a client gets no message with fewer parameters than its command needs; it is told as an `error`. A server gets
        all of them, because it has to answer (`ERR_NEEDMOREPARAMS`).
Rule 3: what is no message is told as an `error`, and the next line is read.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, Any

from circuits.core.components import BaseComponent
from circuits.core.handlers import handler
from circuits.net.events import error, write
from circuits.protocols.line import Line
from evkernel.errors import RemoteProtocolError

from .commands import PONG
from .events import response
from .message import MAX_MESSAGE, MAX_TAGS, Message

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EVENTS", "IRC", "MAX_LINE"]

#: Bytes of one line that comes: tags and a message at their largest.
MAX_LINE = MAX_TAGS + MAX_MESSAGE

#: The name of the event about each command, and how many parameters the command has at least.
EVENTS: dict[str, tuple[str, int]] = {
    # A socket would connect, and `error` is what it says itself.
    "CONNECT": ("irc_connect", 1),
    "ERROR": ("irc_error", 1),
    **{
        command: (command.lower(), needs)
        for needs, commands in {
            0: "ADMIN AWAY DIE INFO LINKS LIST LUSERS MOTD NAMES QUIT REHASH RESTART SERVLIST STATS TIME TRACE USERS "
            "VERSION WHO",
            1: "ACCOUNT AUTHENTICATE BATCH ISON JOIN MODE MONITOR NICK PART PASS PING PONG SETNAME SUMMON TAGMSG TOPIC "
            "USERHOST WALLOPS WHOIS WHOWAS",
            2: "CAP CHGHOST INVITE KICK KILL NJOIN NOTICE OPER PRIVMSG SQUERY SQUIT",
            3: "FAIL NOTE SERVER WARN",
            4: "USER",
            6: "SERVICE",
        }.items()
        for command in commands.split()
    },
}

_ENDS = re.compile(rb"[\r\n]+")


def _split(data: bytes, rest: bytes) -> tuple[list[bytes], bytes]:
    """Split at CR or LF, however many there are: others do it, so what has one inside is two messages for somebody."""
    *lines, rest = _ENDS.split(rest + data)
    return [line for line in lines if line], rest


class IRC(BaseComponent):
    """Speak IRC, on the channel of a `TCPClient` or a `TCPServer`.

    Handles: read and disconnect of sockets, by way of `Line`; request(message); reply(sock, message).
    Fires: an event for every message, with the socket first on a server, then the source in three parts (nick, user,
        host): the command in lower case with its parameters, numeric(source, number, *params), or
        unknown(source, command, *params) for one that is not in `EVENTS`; ERROR is `irc_error`, CONNECT `irc_connect`.
        Every one has the whole message, with its tags, as its attribute `message`.
        error(error), or error(sock, error), for a line that is no message or too long.
        write(data) or write(sock, data).

    A client answers PING by itself.

    Args:
        args: see `init`.
        kwargs: see `init`; and `channel`: that of the socket component.
    """

    def init(
        self,
        encoding: str = "utf-8",
        getBuffer: Callable[[Any], Any] | None = None,
        updateBuffer: Callable[[Any, Any], None] | None = None,
        *,
        max_bytes: int | None = MAX_LINE,
    ) -> None:
        """Take the options of the constructor.

        Args:
            encoding: of what comes; what is not in it is taken for Latin-1.
            getBuffer: see `Line`.
            updateBuffer: see `Line`.
            max_bytes: how long a line may be that comes; None for no limit.

        Raises:
            LookupError: there is no such encoding.
        """
        codecs.lookup(encoding)
        self._encoding = encoding
        Line(_split, getBuffer, updateBuffer, max_bytes=max_bytes, channel=self.channel).register(self)

    @handler("line")
    def _on_line(self, *args: Any) -> None:
        *sock, line = args
        try:
            message = Message.parse(line, self._encoding)
            event = _event_of(sock, message)
        except RemoteProtocolError as problem:
            self.fire(error(*sock, problem))
            return
        self.fire(event)
        if event.name == "ping" and not sock:
            self.fire(PONG(*message.args[:1]))

    # Others have events called `request`, too, and this component may listen on every channel.

    @handler("request")
    def _on_request(self, *args: Any) -> None:
        if len(args) == 1 and isinstance(args[0], Message):
            self.fire(write(args[0].encode()))

    @handler("reply")
    def _on_reply(self, *args: Any) -> None:
        if len(args) == 2 and isinstance(args[1], Message):
            self.fire(write(args[0], args[1].encode(truncate=True)))


def _event_of(sock: list[Any], message: Message) -> response:
    """Make the event about a message.

    Raises:
        RemoteProtocolError: it has too few parameters for a client.
    """
    command = message.command.upper()
    if command.isdecimal():
        event = response.create("numeric", *sock, message.source, int(command), *message.args)
    elif command in EVENTS:
        name, needs = EVENTS[command]
        if not sock and len(message.args) < needs:
            raise RemoteProtocolError(f"{command} needs at least {needs} parameters, got {message!s:.80}")
        event = response.create(name, *sock, message.source, *message.args)
    else:
        event = response.create("unknown", *sock, message.source, command, *message.args)
    assert isinstance(event, response)
    event.message = message
    return event
