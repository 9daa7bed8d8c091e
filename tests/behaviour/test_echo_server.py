"""The echo server of the documents, as a program, with plain sockets for nc."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.ports import free_port
from support.program import ROOT, Running, start_program
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ECHOSERVER = ROOT / "examples" / "echoserver.py"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(port: int) -> Iterator[Running]:
    # As it is printed, except that it has a port to itself.
    with start_program(ECHOSERVER.read_text(encoding="utf-8").replace("8000", str(port))) as server:
        wait_until(lambda: "<ready[server]" in server.stderr or not server.is_running)
        yield server


def received(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_what_is_typed_comes_back_and_the_debugger_shows_how(server: Running, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"hello\n")
        assert sock.recv(100) == b"hello\n"
        sock.sendall(b"again\n")
        assert sock.recv(100) == b"again\n"
    wait_until(lambda: "<disconnect[server]" in server.stderr)
    names = re.findall(r"^<(\w+)\[server\]", server.stderr, re.MULTILINE)
    assert names == ["started", "ready", "connect", "read", "write", "read", "write", "disconnect"]
    assert (
        f"<ready[server] (<EchoServer/server {server.process.pid}:MainThread (queued=0) [R]>, ('0.0.0.0', {port}) )>"
        in (server.stderr)
    )


def test_input_that_ends_at_once_is_answered_in_full(server: Running, port: int) -> None:
    # printf … | nc -N host port
    data = bytes(range(256)) * 4096
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.setblocking(False)
        unsent, answer = memoryview(data), b""
        while unsent or len(answer) < len(data):
            if unsent:
                try:
                    unsent = unsent[sock.send(unsent) :]
                    if not unsent:
                        sock.shutdown(socket.SHUT_WR)
                except BlockingIOError:
                    pass
            try:
                answer += sock.recv(65536)
            except BlockingIOError:
                time.sleep(0)  # one of two processes on a machine that may have one core
        sock.setblocking(True)
        assert answer + received(sock) == data


def test_an_interrupt_closes_the_connections_and_ends_the_program(server: Running, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(b"hello\n")
        assert sock.recv(100) == b"hello\n"
        server.interrupt()
        assert received(sock) == b""
    assert server.finish().returncode == 0
    names = re.findall(r"^<(\w+)\[", server.stderr, re.MULTILINE)
    assert names[-5:] == ["signal", "stopped", "close", "disconnect", "closed"]


SHORT_OF_DESCRIPTORS = """
import os, resource, sys
from circuits import Component, handler
from circuits.net.sockets import TCPServer

resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

class Server(TCPServer):
    @handler("read")
    def _on_read(self, sock, data):
        return data

    @handler("error")
    def _on_error(self, sock, error):
        print("error:", "listening" if sock is self._sock else "connection", error.strerror, flush=True)

server = Server(("127.0.0.1", 0))
print("port", server.port, flush=True)
server.run()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads the processor time of another process")
def test_a_server_without_free_descriptors_says_so_once_and_serves_on() -> None:
    with start_program(SHORT_OF_DESCRIPTORS) as server:
        port = int(server.wait_for("\n").split()[1])
        socks = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(100)]
        try:
            server.wait_for("error")
            # Those who came first are served.
            for sock in socks[:40]:
                sock.sendall(b"hello")
                assert sock.recv(100) == b"hello"
            before, begun = server_seconds(server), time.monotonic()
            socks[99].settimeout(1)
            with pytest.raises(TimeoutError):
                socks[99].recv(1)
            assert server_seconds(server) - before <= 0.05 * (time.monotonic() - begun)
            for sock in socks[:50]:
                sock.close()
            # Those who had to wait are served as soon as there is room.
            for sock in socks[50:]:
                sock.settimeout(10)
                sock.sendall(b"world")
                assert sock.recv(100) == b"world"
            assert server.stdout.count("error: listening Too many open files") == 1
        finally:
            for sock in socks:
                sock.close()
        server.interrupt()
        assert server.finish().returncode == 0


def server_seconds(server: Running) -> float:
    """Return the processor time that a program has taken so far."""
    fields = Path(f"/proc/{server.process.pid}/schedstat").read_text().split()
    return int(fields[0]) / 1e9
