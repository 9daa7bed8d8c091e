"""A program may fork at any time: parent and child both go on serving, and neither takes anything from the other.

The program under test serves TCP. Its answers begin with its pid, so that a client knows who has served it. To be sure
of one process, the other one is stopped (SIGSTOP) for as long as the client asks.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import evkernel
from evkernel.poll import available_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROGRAM = """
import asyncio, logging, os, signal, socket, sys, threading, time, warnings
# In development mode asyncio tells of callbacks that took long: on a busy machine all of them may.
logging.getLogger("asyncio").setLevel(logging.ERROR)
# A child abandons what belongs to the asyncio loop of its parent, unclosed and on purpose; when the garbage collector
# finds that out is anybody's guess.
warnings.simplefilter("ignore", ResourceWarning)
from evkernel.loop import Loop
from evkernel.poll import Poller

way, factory, kind = sys.argv[1:]
loop = Loop(poller=Poller(kind))
loop.watch_signals()
connections = set()
ticks = tasks = terms = 0
aio = stream = None

def accept():
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        return  # the other process was faster
    connection.setblocking(False)
    connections.add(connection)
    loop.poller.set_reader(connection.fileno(), lambda: read(connection))

def read(connection):
    try:
        command = connection.recv(100).decode()
    except BlockingIOError:
        return
    if not command:
        close(connection)
    else:
        globals()["do_" + command](connection)

def close(connection):
    connections.discard(connection)
    loop.poller.discard(connection.fileno())
    connection.close()

def answer(connection, *words):
    connection.send(" ".join(map(str, (os.getpid(), *words))).encode())

def do_hello(connection):
    answer(connection, "hello")

def do_counts(connection):
    answer(connection, ticks, tasks, terms)

def do_fork(connection):
    pid = os.fork()
    if pid:
        return answer(connection, pid)
    for inherited in list(connections):
        close(inherited)  # must not reach the parent's
    if stream is not None:
        stream.transport.abort()  # nor this, though asyncio itself does it
    time.sleep(0.02)  # the parent's coroutines would be due by now

def do_fork_in_task(connection):
    async def fork():
        do_fork(connection)
    host.create_task(fork())

def do_thread(connection):
    # asyncio's own way to be woken still works
    threading.Timer(0.01, aio.call_soon_threadsafe, (answer, connection, "woken")).start()

def do_wake(connection):
    threading.Timer(0.01, loop.call_soon, (lambda: answer(connection, "woken"),)).start()

def do_stop(connection):
    answer(connection, "stops")
    loop.stop()
    if host is not None:
        host.stop()

def tick():
    global ticks
    ticks += 1
    loop.call_later(0.005, tick)

async def task():
    global tasks
    while True:
        await asyncio.sleep(0.005)
        tasks += 1

def on_term(*_):
    global terms
    terms += 1
    loop.wake()

async def echo():
    # a connection that belongs to asyncio, and its other end, which belongs to the kernel
    global stream
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    reader, stream = await asyncio.open_connection(sock=ours)
    stream.other_end = theirs
    try:
        while data := await reader.read(100):
            stream.write(data)
    finally:
        stream.close()

def do_echo(connection):
    if stream is None:  # the coroutine has not come that far
        return loop.call_later(0.005, lambda: do_echo(connection))
    end = stream.other_end
    def echoed():
        loop.poller.discard(end.fileno())
        answer(connection, end.recv(100).decode())
    loop.poller.set_reader(end.fileno(), echoed)
    end.send(b"echo")

def start():
    global aio
    aio = asyncio.get_running_loop()
    host.create_task(task())
    host.create_task(echo())

listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
loop.poller.set_reader(listener.fileno(), accept)
loop.call_later(0.005, tick)
signal.signal(signal.SIGTERM, on_term)
print(listener.getsockname()[1], flush=True)
parent = os.getpid()
host = None
if way == "alone":
    loop.run()
else:
    from evkernel.hosted import Host
    import uvloop
    make = {"asyncio": asyncio.SelectorEventLoop, "uvloop": uvloop.new_event_loop}[factory]
    host = Host(loop, lambda: loop.turn(0), on_fork=loop.run)
    loop.call_soon(start)
    if way == "run":
        host.run(make)
        if host.lost:
            assert os.getpid() != parent
            loop.run()
    else:
        with asyncio.Runner(loop_factory=make) as runner:
            runner.run(host.serve())
        assert os.getpid() == parent  # the child never comes back to a foreign loop
for connection in list(connections):
    close(connection)
if stream is not None:
    stream.other_end.close()
loop.close()
listener.close()
print("ends", "parent" if os.getpid() == parent else "child", flush=True)
"""

WAYS = [("alone", "-"), ("run", "asyncio"), ("run", "uvloop"), ("serve", "asyncio"), ("serve", "uvloop")]


class Program:
    """The program under test, with all of its processes."""

    def __init__(self, way: str, factory: str, kind: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-X", "dev", "-W", "error", "-c", PROGRAM, way, factory, kind],
            env={**os.environ, "PYTHONPATH": str(Path(evkernel.__file__).parents[1])},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())
        self.parent = self.process.pid
        self.children: list[int] = []
        self.clients: list[socket.socket] = []

    def connect(self) -> Client:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        self.clients.append(sock)
        return Client(sock)

    def fork(self, client: Client, command: str = "fork") -> int:
        """Have the process that serves *client* fork; return the child's pid."""
        child = int(client.ask(command)[1])
        self.children.append(child)
        return child

    def connect_to(self, pid: int) -> Client:
        """Return a connection that is served by *pid* and by no other process."""
        others = [other for other in (self.parent, *self.children) if other != pid]
        with contextlib.ExitStack() as stack:
            for other in others:
                stack.enter_context(stopped(other))
            client = self.connect()
            assert client.ask("hello") == [str(pid), "hello"]
        return client

    def end(self) -> tuple[str, str]:
        return self.process.communicate(timeout=20)

    def close(self) -> None:
        for sock in self.clients:
            sock.close()
        for pid in self.children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.communicate()


class Client:
    """One connection to the program."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock

    def ask(self, command: str) -> list[str]:
        self.sock.send(command.encode())
        return self.sock.recv(100).decode().split()


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        wait_until(lambda: state(pid) == "T")
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture(params=[(*way, kind) for way in WAYS for kind in available_kinds()], ids="-".join)
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    program = Program(*request.param)
    yield program
    program.close()


def counts(client: Client) -> tuple[int, int, int]:
    _, ticks, tasks, terms = (int(word) for word in client.ask("counts"))
    return ticks, tasks, terms


def test_parent_and_child_both_go_on_serving(program: Program) -> None:
    old = [program.connect() for _ in range(3)]
    for client in old:
        assert client.ask("hello") == [str(program.parent), "hello"]

    child = program.fork(old[0])

    of_child, of_parent = program.connect_to(child), program.connect_to(program.parent)
    for _ in range(3):
        assert of_child.ask("hello") == [str(child), "hello"]
        assert of_parent.ask("hello") == [str(program.parent), "hello"]
        for client in old:  # the child closed its copies of these
            assert client.ask("hello") == [str(program.parent), "hello"]


def test_timers_and_tasks_go_on(program: Program, request: pytest.FixtureRequest) -> None:
    is_hosted = "alone" not in request.node.name
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)
    parent_before, child_before = counts(first), counts(of_child)

    wait_until(lambda: counts(first)[0] > parent_before[0] + 2)
    wait_until(lambda: counts(of_child)[0] > child_before[0] + 2)
    if is_hosted:
        wait_until(lambda: counts(first)[1] > parent_before[1] + 2)
        assert counts(of_child)[1] == child_before[1]  # coroutines stay with the parent


def test_threads_wake_both(program: Program, request: pytest.FixtureRequest) -> None:
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)

    for _ in range(3):
        assert first.ask("wake") == [str(program.parent), "woken"]
        assert of_child.ask("wake") == [str(child), "woken"]
        if "alone" not in request.node.name:
            assert first.ask("thread") == [str(program.parent), "woken"]


def test_a_signal_reaches_the_process_that_it_was_sent_to(program: Program) -> None:
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)

    os.kill(child, signal.SIGTERM)
    wait_until(lambda: counts(of_child)[2] == 1)
    assert counts(first)[2] == 0

    os.kill(program.parent, signal.SIGTERM)
    wait_until(lambda: counts(first)[2] == 1)
    assert counts(of_child)[2] == 1


def test_a_child_that_ends_in_peace_takes_nothing_with_it(program: Program, request: pytest.FixtureRequest) -> None:
    # The interpreter finalizes what is left, asyncio's loop of the parent included if nobody sees to it.
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)

    assert of_child.ask("stop") == [str(child), "stops"]
    wait_until(lambda: state(child) == "Z")
    with stopped(program.parent):
        later = program.connect()  # nobody else is left to accept

    for client in (first, later):
        assert client.ask("hello") == [str(program.parent), "hello"]
        assert client.ask("wake") == [str(program.parent), "woken"]
        if "alone" not in request.node.name:
            assert client.ask("thread") == [str(program.parent), "woken"]
    assert first.ask("stop") == [str(program.parent), "stops"]
    out, err = program.end()
    assert err == ""
    foreign = "serve" in request.node.name
    assert out.splitlines() == (["ends parent"] if foreign else ["ends child", "ends parent"])


def test_a_parent_that_ends_leaves_its_child_serving(program: Program) -> None:
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)

    assert first.ask("stop") == [str(program.parent), "stops"]
    program.process.wait(20)

    assert of_child.ask("hello") == [str(child), "hello"]
    assert program.connect().ask("wake") == [str(child), "woken"]


def test_a_child_may_have_children(program: Program) -> None:
    first = program.connect()
    child = program.fork(first)
    of_child = program.connect_to(child)

    grandchild = program.fork(of_child)

    of_grandchild = program.connect_to(grandchild)
    assert of_grandchild.ask("wake") == [str(grandchild), "woken"]
    assert of_child.ask("wake") == [str(child), "woken"]
    assert first.ask("wake") == [str(program.parent), "woken"]


@pytest.mark.parametrize("program", [(*way, "epoll") for way in WAYS[1:]], ids="-".join, indirect=True)
def test_a_child_that_closes_what_belongs_to_asyncio_closes_only_its_copy(program: Program) -> None:
    first = program.connect()
    assert first.ask("echo") == [str(program.parent), "echo"]

    program.fork(first)
    program.connect_to(program.children[0])

    assert first.ask("echo") == [str(program.parent), "echo"]


@pytest.mark.parametrize("program", [(*way, "epoll") for way in WAYS[1:]], ids="-".join, indirect=True)
def test_a_task_may_fork(program: Program) -> None:
    first = program.connect()

    child = program.fork(first, "fork_in_task")

    of_child = program.connect_to(child)
    assert of_child.ask("wake") == [str(child), "woken"]
    assert first.ask("wake") == [str(program.parent), "woken"]
    assert first.ask("thread") == [str(program.parent), "woken"]
