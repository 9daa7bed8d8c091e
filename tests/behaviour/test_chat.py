"""The chat room that `make run` opens, as the people in it see it; plain sockets stand for nc."""

from __future__ import annotations

import os
import re
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from support.program import ROOT, Running, start_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHAT = ROOT / "examples" / "chat.py"


class Guest:
    """Somebody with nc."""

    def __init__(self, port: int, name: str = "") -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), 10)
        self.seen = ""
        self.see("What is your name?\n")
        if name:
            self.type(name)
            self.see(f"Hello, {name}.")

    def type(self, line: str) -> None:
        self.sock.sendall(line.encode() + b"\n")

    def see(self, text: str) -> str:
        """Return all that was printed up to *text*, and forget it."""
        while text not in self.seen:
            data = self.sock.recv(65536)
            assert data, f"the room was closed before it said {text!r}; it said {self.seen!r}"
            self.seen += data.decode()
        seen, _, self.seen = self.seen.partition(text)
        return seen + text

    def rest(self) -> str:
        """Return all that is printed until the connection is closed."""
        while data := self.sock.recv(65536):
            self.seen += data.decode()
        return self.seen

    def leave(self) -> None:
        self.sock.close()


@pytest.fixture
def room() -> Iterator[Running]:
    with start_program(CHAT, "--port", "0") as room:
        room.wait_for("^C closes it.\n")
        yield room


@pytest.fixture
def join(room: Running) -> Iterator[Callable[..., Guest]]:
    guests: list[Guest] = []

    def join(name: str = "") -> Guest:
        guests.append(Guest(port_of(room), name))
        return guests[-1]

    yield join
    for guest in guests:
        guest.leave()


def port_of(room: Running) -> int:
    found = re.search(r"nc 127\.0\.0\.1 (\d+)", room.stdout)
    assert found is not None
    return int(found[1])


Join = "Callable[..., Guest]"


def test_the_room_prints_what_to_type_with_nc_and_without(room: Running) -> None:
    port = port_of(room)
    assert f"    nc 127.0.0.1 {port}\n" in room.stdout
    (command,) = re.findall(r"^    (\S+) (\S+) --join --port (\d+)$", room.stdout, re.MULTILINE)
    assert os.path.basename(command[1]) == "chat.py"
    assert int(command[2]) == port


def test_people_hear_each_other_and_who_comes_and_goes(room: Running, join: Join) -> None:
    ada = join("ada")
    assert ada.see("Nobody else is here yet.\n")
    bob = join("bob")
    bob.see("Here: ada\n")
    ada.see("* bob has joined\n")
    ada.type("hello all")
    bob.see("ada: hello all\n")
    bob.type("hello ada")
    # Nobody hears himself: he has seen what he typed.
    assert ada.see("bob: hello ada\n") == "bob: hello ada\n"
    bob.type("/quit")
    assert bob.rest() == ""
    ada.see("* bob has left\n")
    room.wait_for("bob has left\n")


def test_a_name_is_one_word_that_nobody_else_has(room: Running, join: Join) -> None:
    join("ada")
    guest = join()
    for name in ("", "two words", "x" * 21, "/who"):
        guest.type(name)
        guest.see("A name is one word of at most 20 characters. What is your name?\n")
    guest.type("ADA")
    guest.see("Somebody here is called ADA already. What is your name?\n")
    guest.type("bob")
    guest.see("Hello, bob.")


def test_commands_tell_who_is_here_and_change_a_name(room: Running, join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    bob.type("/who")
    bob.see("Here: ada, bob\n")
    bob.type("/name ada")
    bob.see("Somebody here is called ada already.\n")
    bob.type("/name bertram")
    bob.see("* bob is now bertram\n")
    ada.see("* bob is now bertram\n")
    ada.type("/dance")
    ada.see("/who lists everybody")


def test_nobody_is_heard_before_he_has_a_name(room: Running, join: Join) -> None:
    ada, stranger = join("ada"), join()
    stranger.type("/quit")
    stranger.rest()
    join("bob")
    assert "left" not in ada.see("* bob has joined\n")


def test_a_long_line_is_not_passed_on_and_the_next_one_is(room: Running, join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.see("* bob has joined\n")
    for length in (1001, 5_000_000):
        ada.type("x" * length)
        ada.see("1000 bytes is the most.\n")
    ada.type("y" * 1000)
    assert "xx" not in bob.see("y" * 1000 + "\n")


def test_what_plays_tricks_on_a_terminal_is_left_out(room: Running, join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.see("* bob has joined\n")
    ada.sock.sendall(b"\x1b[2Jred\x07 \xff caf\xc3\xa9\r\n")
    bob.see("ada: [2Jred \ufffd café\n")


def test_somebody_who_does_not_read_keeps_nobody_waiting_and_is_given_up(room: Running, join: Join) -> None:
    ada, deaf, bob = join("ada"), join("deaf"), join("bob")
    ada.see("* bob has joined\n")
    words = "blah" * 200
    seen = ""
    for number in range(50_000):
        ada.type(f"{number} {words}")
        seen = bob.see(f"ada: {number} {words}\n")
        if "* deaf has left\n" in seen:
            break
    assert "* deaf has left\n" in seen
    deaf.leave()


def test_somebody_whose_machine_vanishes_is_said_to_have_left(room: Running, join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.see("* bob has joined\n")
    bob.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    bob.leave()
    ada.see("* bob has left\n")


def test_an_interrupt_closes_the_room_within_a_second_and_without_complaint(room: Running, join: Join) -> None:
    ada = join("ada")
    begun = time.monotonic()
    room.interrupt()
    finished = room.finish()
    assert time.monotonic() - begun < 1
    assert finished.returncode == 0
    assert finished.stderr == ""
    assert finished.stdout.endswith("\nThe room is closed.\n")
    assert ada.rest().endswith("* the room closes\n")


def test_a_port_in_use_is_one_line(room: Running) -> None:
    port = port_of(room)
    with start_program(CHAT, "--port", str(port)) as second:
        finished = second.finish()
    assert finished.returncode == 1
    assert finished.stdout == ""
    assert finished.stderr == f"chat: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_the_room_can_be_joined_without_nc(room: Running, join: Join) -> None:
    ada = join("ada")
    with start_program(CHAT, "--join", "--port", str(port_of(room))) as visitor:
        visitor.wait_for("What is your name?\n")
        visitor.send("bob\n")
        ada.see("* bob has joined\n")
        ada.type("hello")
        visitor.wait_for("ada: hello\n")
        visitor.send("bye\n")
        assert visitor.finish().check().stderr == ""
    ada.see("bob: bye\n")
    ada.see("* bob has left\n")


def test_joining_a_room_that_is_not_there_is_one_line(room: Running) -> None:
    port = port_of(room)
    room.interrupt()
    room.finish()
    with start_program(CHAT, "--join", "--port", str(port)) as visitor:
        finished = visitor.finish()
    assert finished.returncode == 1
    assert finished.stderr.count("\n") == 1
    assert f"No chat room at 127.0.0.1 port {port}" in finished.stderr


def test_a_hundred_people_talk_at_once(room: Running, join: Join) -> None:
    guests = [join(f"guest{number}") for number in range(100)]
    for guest in guests:
        guest.seen = ""

    def talk(number: int) -> None:
        guests[number].type(f"hello from {number}")

    threads = [threading.Thread(target=talk, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, guest in enumerate(guests):
        heard = set()
        while len(heard) < 99:
            heard.add(guest.see("\n").strip())
            heard = {line for line in heard if ": hello from " in line}
        assert heard == {f"guest{other}: hello from {other}" for other in range(100) if other != number}
