"""The telnet program of the documents, as a program, against the echo server of the documents and against nobody."""

from __future__ import annotations

import os
import pty
import socket
import termios
import threading
from typing import TYPE_CHECKING

import pytest

from support.ports import free_port
from support.program import ROOT, start_program
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TELNET = ROOT / "examples" / "telnet.py"
ECHOSERVER = ROOT / "examples" / "echoserver.py"


@pytest.fixture
def port() -> Iterator[int]:
    """Run the echo server of the documents."""
    port = free_port()
    with start_program(ECHOSERVER.read_text(encoding="utf-8").replace("8000", str(port))) as server:
        wait_until(lambda: "<ready[server]" in server.stderr or not server.is_running)
        yield port


def test_a_line_that_is_typed_comes_back_and_is_printed(port: int) -> None:
    with start_program(TELNET, "localhost", str(port)) as telnet:
        telnet.send("Hello World!\n")
        assert telnet.wait_for("\n") == "b'Hello World!'\n"
        telnet.send("again\n")
        telnet.wait_for("b'again'\n")
        telnet.interrupt()
        assert telnet.finish().check().stderr == ""


def test_the_end_of_the_input_is_not_the_end_of_the_connection(port: int) -> None:
    with start_program(TELNET, "localhost", str(port)) as telnet:
        telnet.send("last words\n")
        telnet._stdin.close()
        telnet.wait_for("b'last words'\n")
        assert telnet.is_running
        telnet.interrupt()
        telnet.finish().check()


def test_a_file_can_be_the_input(port: int, tmp_path: object) -> None:
    program = TELNET.read_text(encoding="utf-8").replace("sys.stdin", "open(sys.argv[3])")
    with start_program(program, "localhost", str(port), str(TELNET), options=()) as telnet:
        wait_until(lambda: "Telnet(host, port).run()" in telnet.stdout)
        telnet.interrupt()
        telnet.finish().check()


def test_what_is_typed_at_a_terminal_is_sent_and_the_terminal_stays_as_it_was(port: int) -> None:
    controller, terminal = pty.openpty()
    try:
        before = termios.tcgetattr(terminal), os.get_blocking(terminal)
        program = f"""
import os, sys
os.dup2(os.open({os.ttyname(terminal)!r}, os.O_RDWR | os.O_NOCTTY), 0)
sys.argv = ["telnet.py", "localhost", "{port}"]
exec(open({str(TELNET)!r}).read())
"""
        with start_program(program) as telnet:
            os.write(controller, b"typed\n")
            telnet.wait_for("b'typed'\n")
            assert os.get_blocking(terminal)
            telnet.interrupt()
            telnet.finish().check()
        assert (termios.tcgetattr(terminal), os.get_blocking(terminal)) == before
    finally:
        os.close(controller)
        os.close(terminal)


HANDED_A_PIPE = f"""
import os, sys
os.dup2(int(sys.argv[1]), 0)
sys.argv = ["telnet.py", "127.0.0.1", sys.argv[2]]
exec(open({str(TELNET)!r}).read())
"""


def test_a_pipe_shared_with_others_is_left_blocking() -> None:
    # The shell's next program in the pipe would find it non-blocking.
    with (
        socket.create_server(("127.0.0.1", 0)) as nobody,
        start_program(TELNET, "127.0.0.1", str(nobody.getsockname()[1])) as telnet,
    ):
        accepted, _ = nobody.accept()
        with accepted:
            telnet.send("hello\n")
            assert accepted.recv(100) == b"hello\n"
            assert os.get_blocking(telnet._stdin.fileno())
        telnet.interrupt()
        telnet.finish().check()


def test_much_input_arrives_in_full() -> None:
    text = "".join(f"line {number}\n" for number in range(50_000))
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        start_program(TELNET, "127.0.0.1", str(server.getsockname()[1])) as telnet,
    ):
        accepted, _ = server.accept()
        with accepted:
            sender = threading.Thread(target=telnet.send, args=(text,))
            sender.start()
            received = b""
            while len(received) < len(text):
                received += accepted.recv(65536)
            sender.join()
            assert received == text.encode()
        telnet.interrupt()
        telnet.finish().check()
