"""What every poller component has to do alike: choose the mechanism of its tree, and watch descriptors for others."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from circuits.core import pollers
from circuits.core.components import BaseComponent
from circuits.core.handlers import handler
from circuits.core.pollers import BasePoller, EPoll, KQueue, Poll, Poller, Select
from circuits.net.sockets import TCPServer
from evkernel.errors import NotPollable, UnknownPoller
from evkernel.poll import available_kinds
from support.streams import Bench, echoing

if TYPE_CHECKING:
    from collections.abc import Iterator

CLASSES = {"select": Select, "poll": Poll, "epoll": EPoll, "kqueue": KQueue}
HERE = [cls for kind, cls in CLASSES.items() if kind in available_kinds()]


class Source(BaseComponent):
    """Something of a user's that has descriptors."""

    channel = "source"

    def init(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.reads = True

    @handler("_read")
    def _on_read(self, fd: Any) -> None:
        self.told.append(("read", fd))
        if self.reads:
            fd.recv(100)

    @handler("_write")
    def _on_write(self, fd: Any) -> None:
        self.told.append(("write", fd))


@pytest.fixture(params=HERE, ids=lambda cls: cls.__name__)
def cls(request: pytest.FixtureRequest) -> type[BasePoller]:
    found: type[BasePoller] = request.param
    return found


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    left.setblocking(False)
    with left, right:
        yield left, right


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


Pair = tuple[socket.socket, socket.socket]


def kind_of(bench: Bench) -> str:
    return bench.root._evtree.loop.poller.kind


def test_the_tree_polls_with_the_mechanism_of_its_poller(cls: type[BasePoller], bench: Bench) -> None:
    poller = cls().register(bench.root)
    assert poller.channel == kind_of(bench) == cls.__name__.lower()


def test_the_choice_stays_when_the_poller_leaves(cls: type[BasePoller], bench: Bench) -> None:
    poller = cls().register(bench.root)
    poller.unregister()
    bench.until(lambda: poller.parent is poller)
    assert kind_of(bench) == cls.__name__.lower()
    assert bench.root._evtree.poller is None


def test_a_poller_that_is_the_root_chooses_when_it_starts(cls: type[BasePoller]) -> None:
    class App(BaseComponent):
        @handler("started", channel="*", priority=-1)
        def _on_started(self, *_: Any) -> None:
            self.kind = self._evtree.loop.poller.kind
            raise SystemExit(0)

    root = cls()
    app = App().register(root)
    with pytest.raises(SystemExit):
        root.run()
    root._evtree.loop.close()
    assert app.kind == cls.__name__.lower()


def test_a_source_is_told_that_its_descriptor_is_readable(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    poller.addReader(source, pair[0])
    assert poller.isReading(pair[0])
    assert not poller.isWriting(pair[0])
    assert poller.getTarget(pair[0]) == "source"
    bench.settle()
    assert source.told == []
    pair[1].send(b"hello")
    bench.until(lambda: source.told)
    bench.settle()
    assert source.told == [("read", pair[0])]
    poller.discard(pair[0])


def test_what_a_source_leaves_unread_is_told_again(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    source.reads = False
    poller.addReader(source, pair[0])
    pair[1].send(b"hello")
    bench.until(lambda: len(source.told) > 2)
    poller.removeReader(pair[0])
    count = len(source.told)
    bench.settle()
    assert len(source.told) <= count + 1  # one may have been queued
    assert not poller.isReading(pair[0])


def test_readiness_is_told_once_until_it_is_handled(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    poller.addReader(source, pair[0])
    bench.settle()
    pair[1].send(b"hello")
    loop = bench.root._evtree.loop
    for _ in range(5):
        loop.turn(0)
    assert len(bench.root) == 1
    bench.until(lambda: source.told)
    poller.discard(pair[0])


def test_a_source_is_told_that_its_descriptor_is_writable(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    poller.addWriter(source, pair[0])
    assert poller.isWriting(pair[0])
    bench.until(lambda: source.told)
    assert source.told[0] == ("write", pair[0])
    poller.removeWriter(pair[0])
    assert not poller.isWriting(pair[0])


def test_a_descriptor_may_be_a_number(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    source.reads = False
    poller.addReader(source, pair[0].fileno())
    pair[1].send(b"hello")
    bench.until(lambda: source.told)
    assert source.told[0] == ("read", pair[0].fileno())
    poller.discard(pair[0].fileno())
    assert not poller.isReading(pair[0].fileno())


def test_a_descriptor_closed_underneath_disturbs_nobody_else(cls: type[BasePoller], bench: Bench, pair: Pair) -> None:
    poller, source = cls().register(bench.root), Source().register(bench.root)
    victim, other = socket.socketpair()
    with other:
        poller.addReader(source, victim)
        poller.addReader(source, pair[0])
        victim.close()
        pair[1].send(b"hello")
        bench.until(lambda: source.told)
        assert source.told == [("read", pair[0])]
        poller.discard(victim)
        assert not poller.isReading(victim)
    poller.discard(pair[0])


def test_what_is_watched_moves_with_the_poller_to_another_tree(cls: type[BasePoller], pair: Pair) -> None:
    first, second = Bench(), Bench()
    poller, source = cls().register(first.root), Source().register(first.root)
    poller.addReader(source, pair[0])
    poller.addWriter(source, pair[0])
    poller.register(second.root)
    source.register(second.root)
    assert poller.isReading(pair[0])
    assert poller.isWriting(pair[0])
    pair[1].send(b"hello")
    second.until(lambda: ("read", pair[0]) in source.told and ("write", pair[0]) in source.told)
    assert len(first.root._evtree.loop.poller) <= 1
    poller.discard(pair[0])
    first.close()
    second.close()


def test_sockets_use_the_poller_that_is_there(cls: type[BasePoller], bench: Bench) -> None:
    poller = cls().register(bench.root)

    class Echo(echoing, TCPServer):
        pass

    server = bench.add(Echo(("127.0.0.1", 0)))
    found = [member for member in bench.root._subtree() if isinstance(member, BasePoller)]
    assert found == [poller]
    peer = bench.adopt(socket.create_connection(("127.0.0.1", server.port)))
    peer.send(b"hello")
    bench.until(lambda: peer.received == b"hello")


def test_resume_ends_the_wait(cls: type[BasePoller], bench: Bench) -> None:
    poller = cls().register(bench.root)
    bench.settle()
    poller.resume()
    bench.root.tick(60)  # the test would time out


def test_a_socket_component_brings_the_best_poller_and_others_share_it(bench: Bench) -> None:
    servers = [bench.add(TCPServer(("127.0.0.1", 0))) for _ in range(3)]
    (poller,) = [member for member in bench.root._subtree() if isinstance(member, BasePoller)]
    assert type(poller).__name__.lower() == available_kinds()[0] == kind_of(bench)
    assert poller.parent is servers[0]


def test_another_poller_is_found_after_the_last_one_has_left(bench: Bench) -> None:
    first, second = Select().register(bench.root), Select().register(bench.root)
    second.unregister()
    bench.until(lambda: second.parent is second)
    bench.add(TCPServer(("127.0.0.1", 0)))
    assert [member for member in bench.root._subtree() if isinstance(member, BasePoller)] == [first]


def test_a_mechanism_that_is_not_there_is_refused_when_it_is_made() -> None:
    missing = [cls for kind, cls in CLASSES.items() if kind not in available_kinds()]
    for cls in missing:
        with pytest.raises(UnknownPoller, match=", ".join(available_kinds())):
            cls()


def test_the_documented_default_is_select() -> None:
    assert Poller is Select
    assert pollers.Poller.channel == "select"


def test_the_base_polls_with_the_best_on_the_channel_that_it_is_given(bench: Bench) -> None:
    assert BasePoller.channel is None
    assert BasePoller("mine").register(bench.root).channel == "mine"
    assert kind_of(bench) == available_kinds()[0]


def test_a_descriptor_that_is_not_watched_belongs_to_the_parent(bench: Bench, pair: Pair) -> None:
    poller = Select().register(bench.root)
    assert poller.getTarget(pair[0]) == bench.root.channel


@pytest.mark.skipif(available_kinds()[0] != "epoll", reason="poll and select can watch anything")
def test_a_regular_file_is_refused(bench: Bench, tmp_path: Any) -> None:
    poller, source = EPoll().register(bench.root), Source().register(bench.root)
    fd = os.open(tmp_path / "file", os.O_CREAT | os.O_RDONLY)
    try:
        with pytest.raises(NotPollable):
            poller.addReader(source, fd)
        assert not poller.isReading(fd)
    finally:
        os.close(fd)
