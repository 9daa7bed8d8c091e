"""What the IRC component understands, and what all that it says has in common.

    ask it                          hear from it
    client  request(message)        privmsg(source, target, text) …  numeric(source, number, *params)
    server  reply(sock, message)    the same, with the socket first

`commands` has a function for each request; `replies` helps a server with its numbers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from circuits.core.events import Event

if TYPE_CHECKING:
    from .message import Message

__all__ = ["reply", "request", "response"]


class request(Event):
    """Ask a client to send a message to its server.

    Args:
        message: what to send.
    """

    def __init__(self, message: Message) -> None:
        super().__init__(message)


class reply(Event):
    """Ask a server to send a message to one of its clients.

    Args:
        target: the socket of the client.
        message: what to send; what is too long for one message is cut off.
    """

    def __init__(self, target: object, message: Message) -> None:
        super().__init__(target, message)


class response(Event):
    """Be the base of the events about messages that have come; each is named after its command.

    Attributes:
        message: the whole message, with its tags.
    """

    message: Message
