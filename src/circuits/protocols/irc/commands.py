"""A function for every command of RFC 1459, 2812 and 2813, and the newer ones in use: each gives the `request` to fire.

    self.fire(JOIN("#circuits"))
    self.fire(PRIVMSG(["ada", "#circuits"], "hello there"))

Where a command takes a list, it may be given as one, or as text with commas.

Raises:
    LocalProtocolError: each of them, when a parameter would make this another message, or more than one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evkernel.errors import LocalProtocolError

from .events import request
from .message import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "ADMIN",
    "AUTHENTICATE",
    "AWAY",
    "CAP",
    "CONNECT",
    "DIE",
    "ERROR",
    "INFO",
    "INVITE",
    "ISON",
    "JOIN",
    "KICK",
    "KILL",
    "LINKS",
    "LIST",
    "LUSERS",
    "MODE",
    "MONITOR",
    "MOTD",
    "NAMES",
    "NICK",
    "NJOIN",
    "NOTICE",
    "OPER",
    "PART",
    "PASS",
    "PING",
    "PONG",
    "PRIVMSG",
    "QUIT",
    "REHASH",
    "RESTART",
    "SERVER",
    "SERVICE",
    "SERVLIST",
    "SETNAME",
    "SQUERY",
    "SQUIT",
    "STATS",
    "SUMMON",
    "TAGMSG",
    "TIME",
    "TOPIC",
    "TRACE",
    "USER",
    "USERHOST",
    "USERS",
    "VERSION",
    "WALLOPS",
    "WHO",
    "WHOIS",
    "WHOWAS",
]


def _listed(items: Iterable[str] | None) -> str | None:
    """Join with commas what may be several things; none of the items of a list becomes two."""
    if items is None or isinstance(items, str):
        return items
    items = list(items)
    for item in items:
        if "," in item:
            raise LocalProtocolError(f"an item of a list has no comma in it, got {item!r:.80}")
    return ",".join(items)


# ── Registration ──────────────────────────────────────────────────────────────────────────────────────────────────────


def PASS(password: str) -> request:
    """Give the password of the server, before anything else."""
    return request(Message("PASS", password))


def NICK(nickname: str, hopcount: int | str | None = None) -> request:
    """Ask for a nick, the first one or another."""
    return request(Message("NICK", nickname, hopcount))


def USER(username: str, hostname: str, servername: str, realname: str) -> request:
    """Say who you are. Servers today look at the first and the last only; by RFC 2812 the second is a mode."""
    return request(Message("USER", username, hostname, servername, realname))


def OPER(name: str, password: str) -> request:
    """Ask to be an operator."""
    return request(Message("OPER", name, password))


def SERVICE(nickname: str, distribution: str, type_: str, info: str, *, reserved: str = "0") -> request:
    """Register as a service."""
    return request(Message("SERVICE", nickname, reserved, distribution, type_, "0", info))


def QUIT(message: str | None = None) -> request:
    """Leave the network."""
    return request(Message("QUIT", message))


def SQUIT(server: str, comment: str) -> request:
    """Break a link between servers."""
    return request(Message("SQUIT", server, comment))


def SERVER(servername: str, hopcount: int | str, token: int | str, info: str | None = None) -> request:
    """Register as a server; by RFC 1459 without the token."""
    return request(Message("SERVER", servername, hopcount, token, info))


# ── Channels ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def JOIN(channels: str | Iterable[str], keys: str | Iterable[str] | None = None) -> request:
    """Join channels; "0" leaves all of them."""
    return request(Message("JOIN", _listed(channels), _listed(keys)))


def PART(channels: str | Iterable[str], message: str | None = None) -> request:
    """Leave channels."""
    return request(Message("PART", _listed(channels), message))


def MODE(target: str, *modes: str) -> request:
    """Ask for, or change, the modes of a channel or of yourself: `MODE("#c", "+o", "nick")`."""
    return request(Message("MODE", target, *modes))


def TOPIC(channel: str, topic: str | None = None) -> request:
    """Ask for the topic of a channel, or set it; an empty one takes it away."""
    return request(Message("TOPIC", channel, topic))


def NAMES(channels: str | Iterable[str] | None = None, target: str | None = None) -> request:
    """Ask who is on channels."""
    return request(Message("NAMES", _listed(channels), target))


def LIST(channels: str | Iterable[str] | None = None, target: str | None = None) -> request:
    """Ask for channels and their topics."""
    return request(Message("LIST", _listed(channels), target))


def INVITE(nickname: str, channel: str) -> request:
    """Invite somebody to a channel."""
    return request(Message("INVITE", nickname, channel))


def KICK(channels: str | Iterable[str], users: str | Iterable[str], comment: str | None = None) -> request:
    """Put somebody out of a channel."""
    return request(Message("KICK", _listed(channels), _listed(users), comment))


def NJOIN(channel: str, nicknames: str | Iterable[str]) -> request:
    """Tell another server who is on a channel (RFC 2813)."""
    return request(Message("NJOIN", channel, _listed(nicknames)))


# ── Talk ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def PRIVMSG(receivers: str | Iterable[str], message: str) -> request:
    """Say something to people or channels."""
    return request(Message("PRIVMSG", _listed(receivers), message))


def NOTICE(receivers: str | Iterable[str], message: str) -> request:
    """Say something that no program may answer."""
    return request(Message("NOTICE", _listed(receivers), message))


def TAGMSG(target: str, tags: Mapping[str, str]) -> request:
    """Send tags without a text (IRCv3)."""
    return request(Message("TAGMSG", target, tags=tags))


# ── Servers ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def MOTD(target: str | None = None) -> request:
    """Ask for the message of the day."""
    return request(Message("MOTD", target))


def LUSERS(mask: str | None = None, target: str | None = None) -> request:
    """Ask how many people there are."""
    return request(Message("LUSERS", mask, target))


def VERSION(target: str | None = None) -> request:
    """Ask for the version of a server."""
    return request(Message("VERSION", target))


def STATS(query: str | None = None, target: str | None = None) -> request:
    """Ask for statistics."""
    return request(Message("STATS", query, target))


def LINKS(remote: str | None = None, mask: str | None = None) -> request:
    """Ask for the servers that a server knows."""
    return request(Message("LINKS", *(word for word in (remote, mask) if word is not None)))


def TIME(target: str | None = None) -> request:
    """Ask for the time of a server."""
    return request(Message("TIME", target))


def CONNECT(server: str, port: int | str | None = None, remote: str | None = None) -> request:
    """Ask a server to connect to another one."""
    return request(Message("CONNECT", server, port, remote))


def TRACE(target: str | None = None) -> request:
    """Ask for the way to a server or to somebody."""
    return request(Message("TRACE", target))


def ADMIN(target: str | None = None) -> request:
    """Ask who runs a server."""
    return request(Message("ADMIN", target))


def INFO(target: str | None = None) -> request:
    """Ask about a server."""
    return request(Message("INFO", target))


# ── Services ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def SERVLIST(mask: str | None = None, type_: str | None = None) -> request:
    """Ask for services."""
    return request(Message("SERVLIST", mask, type_))


def SQUERY(service: str, text: str) -> request:
    """Say something to a service."""
    return request(Message("SQUERY", service, text))


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def WHO(mask: str | None = None, operators: str | None = None) -> request:
    """Ask for people who match; `operators="o"` for operators only."""
    return request(Message("WHO", mask, operators))


def WHOIS(masks: str | Iterable[str], server: str | None = None) -> request:
    """Ask about people, if wanted at a certain server."""
    return request(Message("WHOIS", *(word for word in (server, _listed(masks)) if word is not None)))


def WHOWAS(nicknames: str | Iterable[str], count: int | str | None = None, target: str | None = None) -> request:
    """Ask about people who have left."""
    return request(Message("WHOWAS", _listed(nicknames), count, target))


def ISON(*nicknames: str) -> request:
    """Ask who of these is here."""
    return request(Message("ISON", *nicknames))


def USERHOST(*nicknames: str) -> request:
    """Ask where these, five at the most, come from."""
    return request(Message("USERHOST", *nicknames))


def AWAY(message: str | None = None) -> request:
    """Say that you are away; without a message, that you are back."""
    return request(Message("AWAY", message))


def USERS(target: str | None = None) -> request:
    """Ask who is logged in at a server."""
    return request(Message("USERS", target))


def SUMMON(user: str, target: str | None = None, channel: str | None = None) -> request:
    """Ask somebody who is logged in at a server to come."""
    return request(Message("SUMMON", user, target, channel))


# ── Housekeeping ──────────────────────────────────────────────────────────────────────────────────────────────────────


def KILL(nickname: str, comment: str) -> request:
    """End the connection of somebody."""
    return request(Message("KILL", nickname, comment))


def PING(server: str, server2: str | None = None) -> request:
    """Ask whether the other side is there."""
    return request(Message("PING", server, server2))


def PONG(server: str, server2: str | None = None) -> request:
    """Say that one is there; the IRC component does it by itself."""
    return request(Message("PONG", server, server2))


def ERROR(message: str) -> request:
    """Say why the connection ends (servers only)."""
    return request(Message("ERROR", message))


def REHASH() -> request:
    """Ask the server to read its configuration again."""
    return request(Message("REHASH"))


def DIE() -> request:
    """Ask the server to stop."""
    return request(Message("DIE"))


def RESTART() -> request:
    """Ask the server to start anew."""
    return request(Message("RESTART"))


def WALLOPS(message: str) -> request:
    """Say something to all operators."""
    return request(Message("WALLOPS", message))


# ── Newer than the RFCs ───────────────────────────────────────────────────────────────────────────────────────────────


def CAP(subcommand: str, *params: str) -> request:
    """Ask for capabilities: `CAP("LS", "302")`, `CAP("REQ", "message-tags")`, `CAP("END")`."""
    return request(Message("CAP", subcommand, *params))


def AUTHENTICATE(data: str) -> request:
    """Take a step of SASL."""
    return request(Message("AUTHENTICATE", data))


def SETNAME(realname: str) -> request:
    """Change the real name."""
    return request(Message("SETNAME", realname))


def MONITOR(subcommand: str, targets: str | Iterable[str] | None = None) -> request:
    """Be told when people come and go."""
    return request(Message("MONITOR", subcommand, _listed(targets)))
