"""Two bridges in one process, joined by components that pass bytes on: no descriptor, no process, no time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from circuits import BaseComponent, Bridge, Component, Event, ipc, sleep
from circuits.core._pipe import framed
from circuits.core.bridge import BridgeLostError, RemoteError, SendError
from support import EventRecorder, clock_of, on_manual_clock, pass_time, run_until_idle


class Wire(Component):
    """One end of a pipe: what is written comes out at the other end when the test says so."""

    def init(self, channel: Any) -> None:
        self.channel = channel
        self.outgoing: list[bytes] = []
        self.open = True

    def write(self, data: bytes) -> None:
        self.outgoing.append(data)

    def close(self) -> None:
        self.open = False


class App(Component):
    """Handles events for the other side."""

    channel = "app"

    def init(self) -> None:
        self.errors: list[Any] = []

    def double(self, number: int) -> int:
        return 2 * number

    def slow(self) -> Iterator[Any]:
        yield sleep(1)
        yield "slow"

    def several(self) -> Any:
        slow = Event.create("slow")
        values = [self.fire(slow), self.fire(Event.create("double", 1))]
        return self.fire(Event.create("collect", values))

    def collect(self, values: list[Any]) -> list[Any]:
        return values

    def twice(self) -> int:
        return 1

    def fail(self) -> None:
        raise LookupError("nothing")

    def exception(self, kind: type, error: Exception, lines: list[str], **_: Any) -> None:
        self.errors.append((kind, str(error)))


class Side:
    """One of two trees, with its bridge."""

    def __init__(self, name: str) -> None:
        self.root = on_manual_clock(BaseComponent())
        self.app = App().register(self.root)
        self.recorder = EventRecorder().register(self.root)
        self.wire = Wire(name)
        self.bridge = Bridge(self.wire, channel=f"bridge-{name}").register(self.root)

    def deliver_to(self, other: Side) -> bool:
        pieces, self.wire.outgoing = self.wire.outgoing, []
        for piece in pieces:
            other.root.fire(Event.create("read", piece), other.wire.channel)
        return bool(pieces)


class Two:
    """Two trees that talk."""

    def __init__(self) -> None:
        self.here, self.there = Side("here"), Side("there")
        self.talk()

    def talk(self) -> None:
        while True:
            run_until_idle(self.here.root)
            run_until_idle(self.there.root)
            if not (self.here.deliver_to(self.there) | self.there.deliver_to(self.here)):
                return

    def ask(self, name: str, *args: Any, channel: Any = None) -> Any:
        value = self.here.root.fire(ipc(Event.create(name, *args), channel))
        self.talk()
        return value


@pytest.fixture
def two() -> Two:
    return Two()


def test_both_are_ready_once_both_are_up(two: Two) -> None:
    assert two.here.bridge.ready
    assert two.there.bridge.ready
    assert two.here.recorder.of("ready")[0].args == (two.here.bridge,)
    assert two.here.recorder.of("ready")[0].channels == ("bridge-here",)


def test_a_bridge_is_not_ready_while_the_other_side_is_not_up() -> None:
    side = Side("here")
    run_until_idle(side.root)

    assert not side.bridge.ready


def test_the_news_of_another_component_on_the_channel_makes_nobody_ready() -> None:
    side = Side("here")
    side.root.fire(Event.create("ready", side.app), "bridge-here")
    run_until_idle(side.root)

    assert not side.bridge.ready


def test_the_channel_is_bridge_unless_another_is_chosen() -> None:
    class Own(Bridge):
        channel = "own"

    assert Bridge(Wire("x")).channel == "bridge"
    assert Bridge(Wire("x"), "chosen").channel == "chosen"
    assert Bridge(Wire("x"), channel="chosen").channel == "chosen"
    assert Own(Wire("x")).channel == "own"


def test_an_event_is_handled_on_the_other_side(two: Two) -> None:
    value = two.ask("double", 4)

    assert value.value == 8
    assert [event.name for event in two.there.recorder.of("double")] == ["double"]
    assert two.here.recorder.of("double") == []


def test_the_handler_ends_only_when_the_other_side_has_processed_the_event(two: Two) -> None:
    value = two.ask("slow")
    assert not value.done

    pass_time(two.there.root, 1)
    two.talk()

    assert value.value == "slow"


def test_values_inside_the_result_are_waited_for(two: Two) -> None:
    value = two.ask("several")
    assert not value.done

    pass_time(two.there.root, 1)
    two.talk()

    assert value.value == ["slow", 2]


def test_an_error_comes_with_lines_of_text(two: Two) -> None:
    value = two.ask("fail")

    assert value.errors
    kind, error, lines = value.value
    assert (kind, str(error)) == (LookupError, "nothing")
    assert "in fail" in "".join(lines)
    assert two.here.app.errors == two.there.app.errors == [(LookupError, "nothing")]


def test_a_channel_can_be_given(two: Two) -> None:
    assert two.ask("double", 1, channel="app").value == 2
    assert two.ask("double", 1, channel="nowhere").result is False


def test_what_cannot_be_sent_fails_at_once(two: Two) -> None:
    value = two.ask("double", lambda: None)

    assert value.value[0] is SendError
    assert two.here.bridge._waiting == {}


def test_components_among_the_channels_of_an_event_stay_here(two: Two) -> None:
    event = Event.create("double", 3)
    event.channels = ("app", two.here.app)
    value = two.here.root.fire(ipc(event))
    two.talk()

    assert value.value == 6


def test_an_answer_to_nobody_is_ignored(two: Two) -> None:
    from circuits.core.bridge import _VALUE

    two.here.root.fire(Event.create("read", framed(_VALUE + (999).to_bytes(8, "big"))), "here")
    two.talk()

    assert two.ask("double", 1).value == 2


def test_a_frame_of_an_unknown_kind_is_ignored(two: Two) -> None:
    two.here.root.fire(Event.create("read", framed(b"\xff")), "here")
    two.talk()

    assert two.ask("double", 1).value == 2


def test_an_event_that_cannot_be_read_there_fails_here(two: Two) -> None:
    from circuits.core.bridge import _EVENT

    two.there.root.fire(Event.create("read", framed(_EVENT + bytes(8) + b"garbage")), "there")
    run_until_idle(two.there.root)
    [answer] = two.there.wire.outgoing

    assert b"the other process cannot read the event" in answer


def test_a_bridge_that_leaves_says_so(two: Two) -> None:
    value = two.ask("slow")
    two.here.bridge.unregister()
    two.talk()

    assert value.value[0] is BridgeLostError
    assert not two.here.wire.open
    assert not two.there.wire.open
    assert two.here.bridge.parent is two.here.bridge
    assert two.there.recorder.of("bridge_lost")[0].args[1] == "the other process has closed it"
    assert two.here.recorder.of("bridge_lost") == []


def test_a_bridge_that_is_part_of_what_leaves_is_closed_too() -> None:
    root = on_manual_clock(BaseComponent())
    middle, other = BaseComponent().register(root), BaseComponent().register(root)
    wire = Wire("x").register(root)
    Bridge(wire).register(middle)
    other.unregister()
    run_until_idle(root)
    assert wire.open

    middle.unregister()
    run_until_idle(root)

    assert not wire.open


def test_what_is_handled_when_the_bridge_has_gone_is_not_answered(two: Two) -> None:
    two.ask("slow")
    two.here.bridge.unregister()
    two.talk()
    pass_time(two.there.root, 1)
    two.talk()

    assert two.there.wire.outgoing == []
    assert two.there.app.errors == []


def test_a_lost_transport_fails_what_waits_and_what_comes(two: Two) -> None:
    value = two.ask("slow")
    two.here.root.fire(Event.create("disconnected"), "here")
    two.talk()

    assert value.value[0] is BridgeLostError
    assert two.here.recorder.of("bridge_lost")[0].args == (two.here.bridge, "the transport is closed")
    assert two.ask("double", 1).value[0] is BridgeLostError
    assert not two.here.bridge.ready


def test_a_bridge_takes_its_calls_to_another_tree(two: Two) -> None:
    value = two.ask("slow")
    outer = on_manual_clock(BaseComponent(), clock_of(two.here.root))
    two.here.root.register(outer)
    two.here.root = outer
    pass_time(two.there.root, 1)
    two.talk()

    assert value.value == "slow"


def test_an_error_too_large_to_be_sent_is_named(two: Two, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_largely(self: Any) -> None:
        raise LookupError("x" * 5000)

    monkeypatch.setattr("circuits.core._pipe.MAX_FRAME_BYTES", 3000)
    two.there.app.addHandler(fail_largely)
    value = two.ask("fail_largely")

    assert value.value[0] is RemoteError
    assert str(value.value[1]).startswith("LookupError, which cannot be sent: the message has")


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_a_socket_that_strangers_can_reach_is_refused(family: int) -> None:
    class Named:
        """What a connected socket says of itself."""

        type = socket.SOCK_STREAM

        def __init__(self) -> None:
            self.family = family

        def getsockname(self) -> Any:
            return "/run/name" if family == socket.AF_UNIX else ("127.0.0.1", 1)

        getpeername = getsockname

    class Client(Wire):
        _sock = Named()

    for given in (Named(), Client("x")):
        with pytest.raises(ValueError, match="expected one of a pair of UNIX sockets"):
            Bridge(given)
