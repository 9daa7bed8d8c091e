r"""One message of IRC: built by whoever sends it, or parsed from a line.

    Message("PRIVMSG", "#circuits", "hello there") ── bytes ──▶ PRIVMSG #circuits :hello there CR LF
    Message.parse(b":bob!b@example.org PART #circuits") ──▶ command, args, prefix, tags

Rule 1: a message never becomes two. Line ends, NUL and spaces where they would begin another parameter are refused when
        the message is made, which is where the mistake is.
Rule 2: a message has a length: 512 bytes with its line end, and 8191 more for tags (RFC 2812 2.3, IRCv3 message-tags).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evkernel.errors import LocalProtocolError, RemoteProtocolError

from .utils import Source, decode, joinprefix, jointags, parseprefix, parsetags, splitmsg

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["MAX_MESSAGE", "MAX_TAGS", "Message", "MessageTooLong"]

#: Bytes of a message with its line end, but without tags.
MAX_MESSAGE = 512
#: Bytes of the tags of a message, from the `@` to the space. Servers take 4096 of them from clients.
MAX_TAGS = 8191

_COMMAND = re.compile(r"[A-Za-z]+|[0-9]{3}")
_TAG = re.compile(r"[^=; \0\r\n]+")
_FORBIDDEN = re.compile(r"[\0\r\n]")


class MessageTooLong(LocalProtocolError):  # noqa: N818 - reads as what is wrong
    """Say that a message does not fit into what IRC allows for one."""


@dataclass(frozen=True, init=False, slots=True)
class Message:
    """A command with its parameters, where it comes from, and its tags.

    Args:
        command: a word, or the number of a reply.
        args: the parameters, text or numbers; None at the end is left out. Only the last one may be empty, have
            spaces, or begin with a colon.
        prefix: where it comes from: "nick!user@host", the same in three parts, or the name of a server. Clients leave
            that to their server.
        tags: IRCv3 tags, with their values as they are meant.
        encoding: of the bytes.

    Raises:
        LocalProtocolError: this would be no message, or more than one.
    """

    command: str
    args: tuple[str, ...]
    prefix: str | None
    tags: Mapping[str, str]
    encoding: str

    def __init__(
        self,
        command: str | int,
        *args: Any,
        prefix: str | tuple[str | None, ...] | None = None,
        tags: Mapping[str, str] | None = None,
        encoding: str = "utf-8",
    ) -> None:
        while args and args[-1] is None:
            args = args[:-1]
        self._fill(
            _checked_command(command),
            _checked_args(args, encoding),
            _checked_prefix(joinprefix(*prefix) if isinstance(prefix, tuple) else prefix),
            _checked_tags(tags or {}),
            encoding,
        )

    def _fill(self, *values: Any) -> None:
        # The dataclass is frozen: what was checked stays as it is.
        for name, value in zip(self.__slots__, values, strict=True):
            object.__setattr__(self, name, value)

    @classmethod
    def parse(cls, line: bytes | str, encoding: str = "utf-8") -> Message:
        """Read a message from a line.

        Args:
            line: the line; what ends it may be there.
            encoding: of bytes; what is not in it is taken for Latin-1.

        Raises:
            RemoteProtocolError: there is no command in it, or something that no message may have.
        """
        text = decode(line, encoding).rstrip("\r\n")
        tags, prefix, words = splitmsg(text)
        if not words or not _COMMAND.fullmatch(words[0]):
            raise RemoteProtocolError(f"expected a command of letters or three digits, got {text!r:.80}")
        if _FORBIDDEN.search(text):
            raise RemoteProtocolError(f"a message has no NUL, CR or LF in it, got {text!r:.80}")
        message = cls.__new__(cls)
        values = (words[0], tuple(words[1:]), prefix or None, parsetags(tags or ""), encoding)
        message._fill(*values)  # noqa: SLF001 - one of our own
        return message

    @property
    def source(self) -> Source:
        """Where it comes from, in parts."""
        return Source(None, None, None) if self.prefix is None else parseprefix(self.prefix)

    def encode(self, *, truncate: bool = False) -> bytes:
        """Give the line that is sent.

        Args:
            truncate: cut off what is too long, as servers do with what they pass on, between two characters.

        Raises:
            MessageTooLong: it is too long, and not to be cut off; tags never are.
        """
        body = self._body().encode(self.encoding, "replace")
        limit = MAX_MESSAGE - 2
        if len(body) > limit:
            if not truncate:
                raise MessageTooLong(f"a message of {len(body)} bytes, the limit is {limit}: {self.command}")
            body = body[:limit].decode(self.encoding, "ignore").encode(self.encoding)
        return self._encoded_tags() + body + b"\r\n"

    def _encoded_tags(self) -> bytes:
        if not self.tags:
            return b""
        tags = f"@{jointags(self.tags)} ".encode(errors="replace")
        if len(tags) > MAX_TAGS:
            raise MessageTooLong(f"tags of {len(tags)} bytes, the limit is {MAX_TAGS}: {self.command}")
        return tags

    def _body(self) -> str:
        words = [self.command, *self.args]
        if self.args and _needs_colon(self.args[-1]):
            words[-1] = f":{words[-1]}"
        if self.prefix is not None:
            words.insert(0, f":{self.prefix}")
        return " ".join(words)

    def __bytes__(self) -> bytes:
        return self.encode()

    def __str__(self) -> str:
        return (f"@{jointags(self.tags)} " if self.tags else "") + self._body()


def _needs_colon(arg: str) -> bool:
    return not arg or arg.startswith(":") or " " in arg


def _checked_command(command: str | int) -> str:
    text = f"{command:03d}" if isinstance(command, int) else command
    if not _COMMAND.fullmatch(text):
        raise LocalProtocolError(f"expected a command of letters or three digits, got {command!r:.80}")
    return text


def _checked_args(args: tuple[Any, ...], encoding: str) -> tuple[str, ...]:
    if None in args:
        raise LocalProtocolError(f"a parameter before others is missing, got {args!r:.80}")
    texts = [decode(arg, encoding) if isinstance(arg, bytes) else str(arg) for arg in args]
    for text in texts:
        if _FORBIDDEN.search(text):
            raise LocalProtocolError(f"a parameter has no NUL, CR or LF in it, got {text!r:.80}")
    for text in texts[:-1]:
        if _needs_colon(text):
            raise LocalProtocolError(
                f"only the last parameter may be empty, have spaces or begin with a colon, got {text!r:.80}"
            )
    return tuple(texts)


def _checked_prefix(prefix: str | None) -> str | None:
    if prefix is not None and (not prefix or " " in prefix or _FORBIDDEN.search(prefix)):
        raise LocalProtocolError(f"expected a prefix without NUL, CR, LF and spaces, got {prefix!r:.80}")
    return prefix


def _checked_tags(tags: Mapping[str, str]) -> dict[str, str]:
    for name, value in tags.items():
        if not _TAG.fullmatch(name) or "\0" in value:
            raise LocalProtocolError(
                f"expected a tag name without '=', ';' and spaces, got {name!r:.80}: {value!r:.80}"
            )
    return dict(tags)
