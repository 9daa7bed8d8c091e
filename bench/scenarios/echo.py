"""Echo 64 bytes over TCP: processor time of the server for each message, and messages per second.

This process is the load generator, one and the same for all servers: a raw epoll loop on a core of its own. Each
connection has one message under way (closed loop), so a server that is slower than the generator is busy all the time,
and one that is faster waits for it in between. The generator never sleeps: to wake an idle core costs a virtual machine
several microseconds, which the system would charge to the server that sends.
"""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

from _harness import ALL_CIRCUITS, Sample, Suite

__all__ = ["suite"]

MESSAGE = bytes(range(64))
CONNECTIONS = (1, 50, 500)
#: Messages per second of sampling time, which makes 36 000 for a full sample.
RATE = 120_000
LONGEST = 5.0

suite = Suite("echo")


def cpu_time(pid: int) -> float:
    """Read user and system seconds of all threads of another process, from its scheduler clock (to the nanosecond)."""
    return time.clock_gettime((~pid << 3) | 2)


class Load:
    """Connections that send, and send again once the message is back."""

    def __init__(self, port: int, connections: int) -> None:
        self.poller = select.epoll()
        self.sockets = {}
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port), timeout=10)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._exchange(sock)  # it is accepted now: a full backlog would delay connections by a second
            sock.setblocking(False)
            self.poller.register(sock.fileno(), select.EPOLLIN)
            self.sockets[sock.fileno()] = sock

    @staticmethod
    def _exchange(sock: socket.socket) -> None:
        sock.sendall(MESSAGE)
        if sock.recv(len(MESSAGE), socket.MSG_WAITALL) != MESSAGE:
            raise AssertionError("the server changed the message")

    def pump(self, messages: int, seconds: float) -> int:
        """Exchange so many messages, or fewer when the time is up.

        Returns: How many came back.
        """
        deadline = time.monotonic() + seconds
        receive = {descriptor: sock.recv for descriptor, sock in self.sockets.items()}
        send = {descriptor: sock.send for descriptor, sock in self.sockets.items()}
        for write in send.values():
            write(MESSAGE)
        sent, received = len(send), 0
        while received < sent:
            for descriptor, _ in self.poller.poll(0):
                if receive[descriptor](256) != MESSAGE:
                    raise AssertionError("the server changed, split or dropped a message")
                received += 1
                if sent < messages:
                    send[descriptor](MESSAGE)
                    sent += 1
            if time.monotonic() > deadline:
                messages = 0
        return received


def port_of(server: subprocess.Popen[str]) -> int:
    """Wait until the server listens, and tell where.

    Raises:
        RuntimeError: It ended instead.
    """
    output, errors = server.stdout, server.stderr
    assert output is not None
    assert errors is not None
    line = output.readline()
    if not line:
        raise RuntimeError(f"the server ended: {errors.read().strip().splitlines()[-1:]}")
    return int(line)


def echo(connections: int, sample: Sample) -> None:
    server_core = str(sample.cores[0]) if sample.cores else "any"
    if len(sample.cores) > 1:
        os.sched_setaffinity(0, {sample.cores[-1]})
    script = Path(__file__).with_name("_echo_servers.py")
    command = [sys.executable, str(script), sample.peer, server_core]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            load = Load(port_of(server), connections)
            messages = max(int(RATE * sample.seconds), connections)
            load.pump(max(messages // 10, connections), LONGEST)
            start, start_cpu = time.perf_counter(), cpu_time(server.pid)
            count = load.pump(messages, LONGEST)
            sample.record(count, time.perf_counter() - start, cpu_time(server.pid) - start_cpu)
        finally:
            server.kill()


PEERS = (*ALL_CIRCUITS, "asyncio", "asyncio streams", "uvloop", "gevent", "epoll")
for size in CONNECTIONS:
    name = f"{size} connection{'s' if size > 1 else ''}"
    suite.case(name, *PEERS, unit="message")(partial(echo, size))


if __name__ == "__main__":
    suite.main()
