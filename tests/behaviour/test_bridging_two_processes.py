"""A bridge has events handled in another process: their values come back, and so do errors, and the end of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from circuits import Bridge, Component, Event, handler, ipc, sleep
from circuits.core.bridge import BridgeLostError, FrameTooLargeError, RemoteError, SendError
from support import EventRecorder, running, wait_until


class ask(Event):
    """Asks the app in the other process for something, by name."""


class say(Event):
    """Has two handlers in the other process, on two channels."""


class note(Event):
    """Has the app in the other process remember a number."""


class OddError(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(f"{one} and {two}")


class Unreadable:
    """Can be pickled, and not be read again."""

    def __reduce__(self) -> Any:
        return _refuse, ()


def _refuse() -> None:
    raise ValueError("not here")


class App(Component):
    """What runs in the other process."""

    channel = "app"

    def init(self) -> None:
        self.noted: list[int] = []

    def ask(self, what: str, *args: Any) -> Any:
        return getattr(self, f"_{what}")(*args)

    def say(self) -> str:
        return "app"

    @handler("say", channel="elsewhere")
    def _elsewhere(self) -> str:
        return "elsewhere"

    def note(self, number: int) -> None:
        self.noted.append(number)

    def _pid(self) -> int:
        return os.getpid()

    def _echo(self, thing: Any) -> Any:
        return thing

    def _noted(self) -> list[int]:
        return self.noted

    def _nothing(self) -> None:
        return None

    def _slowly(self) -> Iterator[Any]:
        yield sleep(0.02)
        yield "slow"

    def _passing_on(self) -> Any:
        return self.fire(Event.create("ask", "slowly"))

    def _fail(self) -> None:
        raise LookupError("no such thing")

    def _fail_slowly(self) -> Iterator[Any]:
        yield sleep(0.01)
        raise LookupError("no such thing")

    def _fail_inside(self) -> Any:
        return self.fire(Event.create("ask", "fail"))

    def _fail_oddly(self) -> None:
        raise OddError("one", "two")

    def _lock(self) -> Any:
        return threading.Lock()

    def _unreadable(self) -> Any:
        return Unreadable()

    def _large(self, size: int) -> bytes:
        return bytes(size)

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _leave(self) -> None:
        raise SystemExit(0)

    def _for_ever(self) -> Iterator[Any]:
        yield sleep(3600)

    def _back(self) -> Iterator[Any]:
        value = yield self.call(ipc(Event.create("question", 6)))
        yield f"the answer was {value.value}"

    def _notify(self) -> None:
        self.fire(ipc(Event.create("news", "from far")))


class Link(Component):
    """What runs in this process."""

    def init(self) -> None:
        self.recorder = EventRecorder().register(self)
        self.errors: list[Any] = []

    def question(self, number: int) -> int:
        return number * 7

    def exception(self, kind: type, error: Exception, lines: list[str], **_: Any) -> None:
        self.errors.append((kind, str(error), "".join(lines)))


@pytest.fixture
def link() -> Iterator[Link]:
    link = Link()
    with running(link):
        yield link
    link._evtree.loop.close()


@pytest.fixture
def app(link: Link) -> Iterator[App]:
    """An app in a process of its own, with a bridge to `link`; its errors go nowhere."""
    app = App()
    Silent().register(app)
    app.start(process=True, link=link)
    yield app
    app.stop()
    app.join()
    bridge = app._bridge  # type: ignore[attr-defined]
    bridge.unregister()
    wait_until(lambda: bridge.parent is bridge)
    # The test still holds it when it is asked for what it has left open.
    app._Manager__process.close()  # type: ignore[attr-defined]


class Silent(Component):
    def exception(self, *_: Any, **__: Any) -> None: ...


def outcome(link: Link, *args: Any) -> Any:
    """Have the app handle `ask`, and give the value, which is done."""
    value = link.fire(ipc(ask(*args)))
    wait_until(lambda: value.done)
    return value


def handled(link: Link, event: Event, channel: Any = None) -> Any:
    """Have the app handle an event, and give its result."""
    value = link.fire(ipc(event, channel))
    wait_until(lambda: value.done)
    return value.value


def test_an_event_is_handled_in_the_other_process(link: Link, app: App) -> None:
    assert outcome(link, "pid").value == app.pid


def test_arguments_and_results_arrive_whole(link: Link, app: App) -> None:
    thing = {"text": "ä", "bytes": b"\0~~~", "nested": [(1, None), {2}], "large": "x" * 1_000_000}

    assert outcome(link, "echo", thing).value == thing


def test_the_value_is_there_when_a_slow_handler_has_ended(link: Link, app: App) -> None:
    assert outcome(link, "slowly").value == "slow"


def test_a_result_that_is_the_value_of_another_event_is_waited_for(link: Link, app: App) -> None:
    assert outcome(link, "passing_on").value == "slow"


def test_no_result_is_no_result_and_the_caller_goes_on(link: Link, app: App) -> None:
    value = outcome(link, "nothing")

    assert (value.result, value.value, value.errors) == (False, None, False)


def test_results_of_several_handlers_come_as_a_list(link: Link, app: App) -> None:
    assert sorted(handled(link, say())) == ["app", "elsewhere"]


def test_the_channel_in_the_other_process_can_be_chosen(link: Link, app: App) -> None:
    assert handled(link, say(), "app") == "app"
    assert handled(link, say(), "elsewhere") == "elsewhere"
    assert handled(link, say(), "nowhere") is None


def test_an_event_has_its_own_channels_there_too(link: Link, app: App) -> None:
    event = say()
    event.channels = ("elsewhere",)

    assert handled(link, event) == "elsewhere"


def test_success_carries_the_value(link: Link, app: App) -> None:
    event = ipc(ask("echo", "carried"))
    event.success = True
    link.fire(event)
    wait_until(lambda: link.recorder.of("ipc_success"))

    assert link.recorder.of("ipc_success")[0].args == (event, "carried")


def test_events_that_are_sent_at_once_all_arrive_in_order(link: Link, app: App) -> None:
    for number in range(1000):
        link.fire(ipc(note(number)))

    assert outcome(link, "noted").value == list(range(1000))


def test_a_generator_and_a_coroutine_wait_for_the_answer(link: Link, app: App) -> None:
    class Caller(Component):
        def generate(self) -> Iterator[Any]:
            value = yield self.call(ipc(ask("pid")))
            yield value.value

        async def coroutine(self) -> Any:
            return await self.call(ipc(ask("pid")))

    Caller().register(link)
    values = [link.fire(Event.create("generate")), link.fire(Event.create("coroutine"))]
    wait_until(lambda: all(value.done for value in values))

    assert [value.value for value in values] == [app.pid, app.pid]


def test_the_other_process_asks_back(link: Link, app: App) -> None:
    assert outcome(link, "back").value == "the answer was 42"


def test_the_other_process_sends_news(link: Link, app: App) -> None:
    outcome(link, "notify")
    wait_until(lambda: link.recorder.of("news"))

    assert link.recorder.of("news")[0].args == ("from far",)


def test_an_event_can_be_passed_on_while_it_is_handled(link: Link, app: App) -> None:
    class Passing(Component):
        def ask(self, event: Event, *_: Any) -> Iterator[Any]:
            value = yield self.call(ipc(event))
            yield ("passed on", value.value)

    Passing().register(link)
    value = link.fire(ask("echo", 1))
    wait_until(lambda: value.done)

    assert value.value == ("passed on", 1)


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("what", ["fail", "fail_slowly", "fail_inside"])
def test_an_error_comes_back_with_its_traceback_as_lines_of_text(link: Link, app: App, what: str) -> None:
    value = outcome(link, what)
    kind, error, lines = value.value

    assert value.errors
    assert kind is LookupError
    assert str(error) == "no such thing"
    assert 'raise LookupError("no such thing")' in "".join(lines)
    wait_until(lambda: link.errors)
    assert link.errors == [(LookupError, "no such thing", "".join(lines))]


def test_failure_is_told_when_it_is_asked_for(link: Link, app: App) -> None:
    event = ipc(ask("fail"))
    event.failure = event.success = True
    link.fire(event)
    wait_until(lambda: link.recorder.of("ipc_failure"))

    assert link.recorder.of("ipc_failure")[0].args[1][0] is LookupError
    assert link.recorder.of("ipc_success") == []


def test_a_coroutine_gets_the_error_raised_and_its_own_lines_are_shown_too(link: Link, app: App) -> None:
    class Caller(Component):
        async def coroutine(self) -> Any:
            return await self.call(ipc(ask("fail")))

    Caller().register(link)
    value = link.fire(Event.create("coroutine"))
    wait_until(lambda: value.done and len(link.errors) == 2)

    assert value.value[0] is LookupError
    assert "in coroutine" in link.errors[1][2]
    assert "in _fail" in link.errors[1][2]


def test_an_error_that_cannot_be_sent_arrives_with_its_name_and_text(link: Link, app: App) -> None:
    kind, error, lines = outcome(link, "fail_oddly").value

    assert kind is RemoteError
    assert str(error) == "OddError: one and two"
    assert 'raise OddError("one", "two")' in "".join(lines)


def test_what_cannot_be_sent_is_refused_in_words_on_either_side(link: Link, app: App) -> None:
    refused = [
        outcome(link, "echo", threading.Lock()),
        outcome(link, "lock"),
        outcome(link, "echo", Unreadable()),
        outcome(link, "unreadable"),
    ]

    assert [value.value[0] for value in refused] == [SendError] * 4
    texts = [str(value.value[1]) for value in refused]
    assert "cannot send <ask[] ('echo', <unlocked _thread.lock" in texts[0]
    assert "cannot send the result of <ask[*] ('lock' )>" in texts[1]
    assert "the other process cannot read the event: ValueError: not here" in texts[2]
    assert "cannot read the answer: ValueError: not here" in texts[3]
    assert outcome(link, "pid").value == app.pid


def test_what_is_too_large_is_refused_in_words_on_either_side(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("circuits.core._pipe.MAX_FRAME_BYTES", 1000)
    app = App()
    Silent().register(app)
    app.start(process=True, link=link)
    refused = [outcome(link, "echo", bytes(2000)), outcome(link, "large", 2000)]

    assert [value.value[0] for value in refused] == [FrameTooLargeError] * 2
    assert "the limit is 1000" in str(refused[0].value[1])
    assert outcome(link, "pid").value == app.pid
    app.stop()
    app.join()
    wait_until(lambda: link.recorder.of("bridge_lost"))


# ── the end of one side ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_process_that_dies_fails_those_who_wait_and_is_told_of(link: Link, app: App) -> None:
    waiting = [link.fire(ipc(ask("for_ever"))) for _ in range(3)]
    link.fire(ipc(ask("die")))
    wait_until(lambda: all(value.done for value in waiting))

    assert all(value.value[0] is BridgeLostError for value in waiting)
    assert "the other process has gone" in str(waiting[0].value[1])
    wait_until(lambda: link.recorder.of("bridge_lost"))
    [told] = link.recorder.of("bridge_lost")
    assert told.args == (app._bridge, "the other process has gone")  # type: ignore[attr-defined]


def test_a_process_that_ends_says_so_and_answers_first(link: Link, app: App) -> None:
    leaving = outcome(link, "leave")
    wait_until(lambda: link.recorder.of("bridge_lost"))

    assert not leaving.errors
    assert link.recorder.of("bridge_lost")[0].args[1] == "the other process has closed it"


def test_an_event_for_a_process_that_has_gone_fails_at_once(link: Link, app: App) -> None:
    outcome(link, "leave")
    wait_until(lambda: link.recorder.of("bridge_lost"))
    value = outcome(link, "pid")

    assert value.value[0] is BridgeLostError
    assert "was not sent: the other process has closed it" in str(value.value[1])


def test_a_bridge_that_leaves_fails_those_who_wait_and_the_process_goes_on(link: Link, app: App) -> None:
    value = link.fire(ipc(ask("for_ever")))
    outcome(link, "pid")
    app._bridge.unregister()  # type: ignore[attr-defined]
    wait_until(lambda: value.done)
    process = app._Manager__process  # type: ignore[attr-defined]

    assert value.value[0] is BridgeLostError
    assert "the bridge is closed" in str(value.value[1])
    assert process.is_alive()


def test_what_a_process_sends_at_its_very_end_still_arrives(link: Link) -> None:
    class Last(Component):
        def stopped(self, *_: Any) -> None:
            self.fire(ipc(Event.create("news", "x" * 3_000_000)))

    app = Last()
    app.start(process=True, link=link)
    wait_until(lambda: link.recorder.of("ready"))
    app.stop()
    wait_until(lambda: link.recorder.of("news"))
    app.join()
    wait_until(lambda: link.recorder.of("bridge_lost"))

    assert len(link.recorder.of("news")[0].args[0]) == 3_000_000


def test_a_stopped_tree_closes_its_bridges() -> None:
    link, app = Link(), App()
    with running(link):
        app.start(process=True, link=link)
        bridge: Bridge = app._bridge  # type: ignore[attr-defined]
        wait_until(lambda: bridge.ready)
    process = app._Manager__process  # type: ignore[attr-defined]

    assert not bridge.ready
    assert process.is_alive()
    app.stop()
    app.join()


# ── several bridges ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_goes_to_every_bridge_or_to_the_one_it_is_fired_to(link: Link) -> None:
    class Other(App):
        pass

    first, second, third = App(), App(), Other()
    for app in (first, second, third):
        app.start(process=True, link=link)
    wait_until(lambda: len(link.recorder.of("ready")) == 3)

    def pids(*channels: Any) -> list[int]:
        value = link.fire(ipc(ask("pid"), "app"), *channels)
        wait_until(lambda: value.done)
        return sorted(value)

    assert pids() == sorted([first.pid, second.pid, third.pid])
    assert pids("whatever") == pids()
    assert pids("bridge-App") == sorted([first.pid, second.pid])
    assert pids("bridge-Other") == [third.pid]
    assert pids(second._bridge) == [second.pid]  # type: ignore[attr-defined]
    for app in (first, second, third):
        app.stop()
        app.join()
    wait_until(lambda: len(link.recorder.of("bridge_lost")) == 3)
