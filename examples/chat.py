"""A chat room on TCP: everybody hears what anybody says.

    nc ──▶ TCPServer ── read ──▶ Lines ── line ──▶ Room ── write ──▶ TCPServer ──▶ every nc

Start it, and join it from other terminals with the commands that it prints.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from circuits import Component, Event, handler
from circuits.io import File
from circuits.net.events import close, connect, write
from circuits.net.sockets import TCPClient, TCPServer

if TYPE_CHECKING:
    from socket import socket

#: Bytes of one line; who types more is told so.
MAX_LINE = 1000
#: Characters of a name.
MAX_NAME = 20
#: Bytes that may wait for somebody who does not read. Then he is gone, for all we know.
MAX_QUEUED = 256 * 1024

HELP = "Type a line and press Enter. /who lists everybody, /name NAME changes your name, /quit leaves."


class line(Event):
    """Tell that somebody has typed a line: (sock, text)."""


class overlong(Event):
    """Tell that somebody has typed a line that is too long: (sock)."""


class Lines(Component):
    """Turn bytes into lines, and keep for each connection what is not a line yet."""

    channel = "server"

    def init(self) -> None:
        """Begin with nobody."""
        self.begun: dict[socket, bytes] = {}

    def connect(self, sock: socket, host: str, port: int) -> None:
        """Listen to one more."""
        del host, port
        self.begun[sock] = b""

    def disconnect(self, sock: socket) -> None:
        """Forget what was not finished."""
        self.begun.pop(sock, None)

    def read(self, sock: socket, data: bytes) -> None:
        """Fire a `line` for every line."""
        *lines, rest = (self.begun.get(sock, b"") + data).split(b"\n")
        for found in lines:
            if len(found) > MAX_LINE:
                self.fire(overlong(sock))
            else:
                self.fire(line(sock, as_text(found)))
        # One byte more than is allowed is enough to know that the line is too long.
        self.begun[sock] = rest[: MAX_LINE + 1]


class Room(Component):
    """Know who is here, and pass on what they say."""

    channel = "server"

    def init(self) -> None:
        """Begin with nobody."""
        #: Who is connected, by name once there is one.
        self.names: dict[socket, str] = {}

    def connect(self, sock: socket, host: str, port: int) -> None:
        """Ask for a name."""
        del host, port
        self.names[sock] = ""
        self._tell(sock, "Welcome! What is your name?")

    def line(self, sock: socket, text: str) -> None:
        """Take a name, a command, or something to pass on."""
        name = self.names.get(sock)
        if name is None:
            return  # it was typed before he left
        command, _, argument = text.partition(" ")
        if command == "/quit":
            self.fire(close(sock))
        elif not name:
            self._enter(sock, text)
        elif command == "/who":
            self._tell(sock, "Here: " + ", ".join(sorted(filter(None, self.names.values()))))
        elif command == "/name":
            self._rename(sock, argument)
        elif command.startswith("/"):
            self._tell(sock, HELP)
        elif text:
            self._tell_all(f"{name}: {text}", but=sock)

    def overlong(self, sock: socket) -> None:
        """Say why nobody has heard it."""
        self._tell(sock, f"That line was too long and was not passed on; {MAX_LINE} bytes is the most.")

    def disconnect(self, sock: socket) -> None:
        """Tell the others."""
        name = self.names.pop(sock, "")
        if name:
            self._tell_all(f"* {name} has left")
            report(f"{name} has left")

    @handler("stopped", channel="*", priority=1)  # before the server closes
    def _on_stopped(self, *_: object) -> None:
        self._tell_all("* the room closes")
        self.names.clear()

    def _enter(self, sock: socket, name: str) -> None:
        """Let somebody in under a name."""
        problem = self._problem_with(sock, name)
        if problem:
            self._tell(sock, f"{problem} What is your name?")
            return
        self.names[sock] = name
        others = sorted(other for other in self.names.values() if other and other != name)
        self._tell(sock, f"Hello, {name}. {HELP}")
        self._tell(sock, f"Here: {', '.join(others)}" if others else "Nobody else is here yet.")
        self._tell_all(f"* {name} has joined", but=sock)
        report(f"{name} has joined")

    def _rename(self, sock: socket, name: str) -> None:
        """Give somebody another name."""
        problem = self._problem_with(sock, name)
        if problem:
            self._tell(sock, problem)
            return
        old, self.names[sock] = self.names[sock], name
        self._tell_all(f"* {old} is now {name}")

    def _problem_with(self, sock: socket, name: str) -> str:
        """Say what is wrong with a name; nothing when it will do."""
        if not name or len(name) > MAX_NAME or " " in name or name.startswith("/"):
            return f"A name is one word of at most {MAX_NAME} characters."
        if any(taken.lower() == name.lower() for other, taken in self.names.items() if other is not sock):
            return f"Somebody here is called {name} already."
        return ""

    def _tell(self, sock: socket, text: str) -> None:
        """Send a line to one."""
        self.fire(write(sock, text + "\n"))

    def _tell_all(self, text: str, but: socket | None = None) -> None:
        """Send a line to everybody who has a name."""
        for sock, name in self.names.items():
            if name and sock is not but:
                self._tell(sock, text)


class Visitor(Component):
    """Join a room: send what is typed here, print what is said there."""

    channel = "visitor"

    def init(self, host: str, port: int) -> None:
        """Take where the room is."""
        self.address = host, port
        TCPClient(channel=self.channel).register(self)
        File(sys.stdin, channel="stdin").register(self)

    @handler("ready")
    def _on_ready(self, component: Component) -> None:
        del component
        self.fire(connect(*self.address))

    def read(self, data: bytes) -> None:
        """Print what is said."""
        print(data.decode(errors="replace"), end="", flush=True)

    def unreachable(self, host: str, port: int, reason: OSError) -> None:
        """Give up."""
        raise SystemExit(f"No chat room at {host} port {port}: {reason.strerror}")

    def disconnected(self) -> None:
        """Leave with the room."""
        raise SystemExit(0)

    @handler("read", channel="stdin")
    def _on_typed(self, data: bytes) -> None:
        self.fire(write(data))

    @handler("eof", channel="stdin")
    def _on_end_of_input(self) -> None:
        self.fire(write("/quit\n"))


def as_text(data: bytes) -> str:
    """Decode a line, without what would play tricks on the terminals of others."""
    return "".join(char for char in data.decode(errors="replace") if char.isprintable()).strip()


def report(text: str) -> None:
    """Print a line for whoever runs the room."""
    print(text, flush=True)


def serve(host: str, port: int) -> None:
    """Run the room until it is interrupted."""
    try:
        server = TCPServer((host, port), max_queued_bytes=MAX_QUEUED)
    except OSError as error:
        raise SystemExit(f"chat: cannot listen on {host} port {port}: {error.strerror}") from None
    server += Lines()
    server += Room()
    python = os.path.relpath(sys.executable) if sys.executable.startswith(os.getcwd()) else sys.executable
    report(
        f"A chat room is open on {server.host} port {server.port}. Join it from other terminals:\n\n"
        f"    nc {server.host} {server.port}\n\n"
        f"or, without nc:\n\n"
        f"    {python} {os.path.relpath(__file__)} --join --port {server.port}\n\n"
        "^C closes it."
    )
    server.run()
    report("\nThe room is closed.")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="A chat room on TCP.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on, or to join (%(default)s)")
    parser.add_argument("--port", type=int, default=9000, help="port (%(default)s); 0 for any that is free")
    parser.add_argument("--join", action="store_true", help="join the room there, instead of opening one")
    options = parser.parse_args()
    if options.join:
        Visitor(options.host, options.port).run()
    else:
        serve(options.host, options.port)


if __name__ == "__main__":
    main()
