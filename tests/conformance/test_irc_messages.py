"""The tables of `irc-parser-tests`, which many IRC programs share: splitting messages, joining them, and sources."""

from __future__ import annotations

from typing import Any

import pytest
from parser_tests import data

from circuits.protocols.irc import Message, joinprefix, parsemsg, parseprefix

SPLIT: list[dict[str, Any]] = data.msg_split["tests"]
JOIN: list[dict[str, Any]] = data.msg_join["tests"]
SOURCES: list[dict[str, Any]] = data.userhost_split["tests"]


def test_the_tables_are_there() -> None:
    assert (len(SPLIT), len(JOIN), len(SOURCES)) >= (30, 15, 9)


@pytest.mark.parametrize("case", SPLIT, ids=[repr(case["input"]) for case in SPLIT])
def test_a_message_is_split_as_everybody_does(case: dict[str, Any]) -> None:
    atoms = case["atoms"]

    message = Message.parse(case["input"].encode())

    assert message.command == atoms["verb"]
    assert list(message.args) == atoms.get("params", [])
    assert message.prefix == atoms.get("source")
    assert message.tags == atoms.get("tags", {})


@pytest.mark.parametrize("case", SPLIT, ids=[repr(case["input"]) for case in SPLIT])
def test_the_documented_function_agrees(case: dict[str, Any]) -> None:
    atoms = case["atoms"]

    source, command, args = parsemsg(case["input"].encode())

    assert (command, args) == (atoms["verb"], atoms.get("params", []))
    assert source == (parseprefix(atoms["source"]) if "source" in atoms else (None, None, None))


@pytest.mark.parametrize("case", JOIN, ids=lambda case: case["matches"][0])
def test_a_message_is_joined_as_everybody_understands_it(case: dict[str, Any]) -> None:
    atoms = case["atoms"]

    message = Message(atoms["verb"], *atoms.get("params", []), prefix=atoms.get("source"), tags=atoms.get("tags", {}))

    assert str(message) in case["matches"]
    assert bytes(message) == str(message).encode() + b"\r\n"


@pytest.mark.parametrize("case", SOURCES, ids=lambda case: case["source"])
def test_a_source_is_split_as_everybody_does(case: dict[str, Any]) -> None:
    atoms = case["atoms"]

    nick, user, host = parseprefix(case["source"])

    assert (nick or "", user or "", host or "") == tuple(atoms.get(part, "") for part in ("nick", "user", "host"))
    assert parseprefix(joinprefix(nick, user, host)) == (nick, user, host)
