from __future__ import annotations

from typing import Any

import pytest

from circuits import Component
from circuits.net.events import disconnect, disconnected, read
from circuits.protocols import Line
from circuits.protocols.line import line, splitLines
from evkernel.errors import LineTooLong
from support import EventRecorder, run_until_idle
from support.feeding import ways_to_split


def seen(recorder: EventRecorder) -> list[Any]:
    """Return what was told since the last time: lines as they are, errors by their class, with their sockets."""
    found = [
        tuple(type(arg) if isinstance(arg, Exception) else arg for arg in event.args)
        for event in recorder.seen
        if event.name in ("line", "error")
    ]
    recorder.clear()
    return [args[0] if len(args) == 1 else args for args in found]


def feed(app: Component, recorder: EventRecorder, *args: Any) -> list[Any]:
    """Return what is told about one `read`."""
    app.fire(read(*args))
    run_until_idle(app)
    return seen(recorder)


def test_a_client_gets_lines_and_what_is_left_waits_for_its_end(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)

    assert feed(app, recorder, b"1\n2\r\n3\n4") == [b"1", b"2", b"3"]
    assert feed(app, recorder, b"5") == []
    assert feed(app, recorder, b"6\r") == []
    assert feed(app, recorder, b"\n\n") == [b"456", b""]


def test_a_server_keeps_what_is_left_for_each_socket(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)

    assert feed(app, recorder, 1, b"a1\na") == [(1, b"a1")]
    assert feed(app, recorder, 2, b"b1\nb") == [(2, b"b1")]
    assert feed(app, recorder, 1, b"2\n") == [(1, b"a2")]
    assert feed(app, recorder, 2, b"2\n") == [(2, b"b2")]


def test_a_client_and_a_server_do_not_mix(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)

    assert feed(app, recorder, b"client") == []
    assert feed(app, recorder, 1, b"server\n") == [(1, b"server")]
    assert feed(app, recorder, b"\n") == [b"client"]


def test_text_gives_lines_of_text(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)

    assert feed(app, recorder, "é\nü") == ["é"]
    assert feed(app, recorder, "!\r\n") == ["ü!"]


def test_lines_come_from_the_channel_of_the_component_and_go_there(app: Component, recorder: EventRecorder) -> None:
    Line(channel="a").register(app)

    app.fire(read(b"one\n"), "a")
    app.fire(read(b"two\n"), "b")
    run_until_idle(app)

    assert [(event.args, event.channels) for event in recorder.of("line")] == [((b"one",), ("a",))]


def test_a_splitter_of_ones_own_may_cut_anything(app: Component, recorder: EventRecorder) -> None:
    def pairs(data: bytes, rest: bytes) -> tuple[list[Any], bytes]:
        whole = rest + data
        even = len(whole) // 2 * 2
        return [tuple(whole[place : place + 2]) for place in range(0, even, 2)], whole[even:]

    Line(pairs).register(app)

    assert feed(app, recorder, b"\1\2\3") == [(1, 2)]
    assert feed(app, recorder, b"\4") == [(3, 4)]


def test_the_splitter_can_be_given_by_name(app: Component, recorder: EventRecorder) -> None:
    Line(splitter=lambda data, rest: ((rest + data).split(b";")[:-1], (rest + data).split(b";")[-1])).register(app)

    assert feed(app, recorder, b"1;2\n;3") == [b"1", b"2\n"]
    assert feed(app, recorder, b";") == [b"3"]


def test_ones_own_functions_keep_what_is_left_for_a_socket(app: Component, recorder: EventRecorder) -> None:
    kept: dict[int, bytes] = {}
    Line(getBuffer=lambda sock: kept.setdefault(sock, b""), updateBuffer=kept.__setitem__).register(app)

    assert feed(app, recorder, 1, b"1\n2\r\n3\n4") == [(1, b"1"), (1, b"2"), (1, b"3")]
    assert feed(app, recorder, 2, b"x") == []
    assert kept == {1: b"4", 2: b"x"}
    kept[1] = b"changed"
    assert feed(app, recorder, 1, b"\n") == [(1, b"changed")]
    assert kept == {1: b"", 2: b"x"}


def test_a_buffer_that_is_not_there_yet_may_be_none(app: Component, recorder: EventRecorder) -> None:
    kept: dict[int, bytes] = {}
    Line(getBuffer=kept.get, updateBuffer=kept.__setitem__).register(app)

    assert feed(app, recorder, 1, b"a\nb") == [(1, b"a")]


@pytest.mark.parametrize("option", ["getBuffer", "updateBuffer"])
def test_one_of_the_two_functions_alone_is_refused(option: str) -> None:
    with pytest.raises(TypeError, match="belong together"):
        Line(**{option: print})


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(TypeError, match="max_byte"):
        Line(max_byte=1)


def test_what_is_left_is_forgotten_when_the_connection_ends(app: Component, recorder: EventRecorder) -> None:
    component = Line(max_bytes=5).register(app)
    feed(app, recorder, 1, b"old")
    feed(app, recorder, 2, b"x" * 100)
    feed(app, recorder, 3, b"other")

    for sock in (1, 2, 99):
        app.fire(disconnect(sock))
    run_until_idle(app)

    assert feed(app, recorder, 1, b"new\n") == [(1, b"new")]
    assert feed(app, recorder, 2, b"new\n") == [(2, b"new")]
    assert feed(app, recorder, 3, b"\n") == [(3, b"other")]
    assert not component._unfinished
    assert not component._overlong


def test_a_client_that_connects_again_begins_anew(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)
    feed(app, recorder, b"old")
    app.fire(disconnect())  # asks for it; more may still come
    run_until_idle(app)
    assert feed(app, recorder, b"er\nrest") == [b"older"]

    app.fire(disconnected())
    run_until_idle(app)

    assert feed(app, recorder, b"new\n") == [b"new"]


def test_idle_connections_cost_nothing(app: Component, recorder: EventRecorder) -> None:
    component = Line().register(app)
    for sock in range(100):
        feed(app, recorder, sock, b"a\nb")
        feed(app, recorder, sock, b"\n")
    assert not component._unfinished


LONG = LineTooLong


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"12345\n12345\r\n", [b"12345", b"12345"]),
        (b"a\n123456\nb\n", [b"a", LONG, b"b"]),
        (b"a\n" + b"x" * 1000 + b"\nb\nc", [b"a", LONG, b"b"]),
        (b"x" * 1000, [LONG]),
        (b"x" * 100 + b"\n\r\n" + b"y" * 100 + b"\r\n" + b"z" * 6 + b"\n", [LONG, b"", LONG, LONG]),
    ],
)
@pytest.mark.parametrize("sock", [(), (7,)], ids=["client", "server"])
def test_a_line_that_is_too_long_is_told_once_in_its_place_and_nothing_else_is_lost(
    app: Component, recorder: EventRecorder, data: bytes, lines: list[Any], sock: tuple[int, ...]
) -> None:
    expected = [(7, one) for one in lines] if sock else lines
    for pieces in ways_to_split(data, count=5):
        component = Line(max_bytes=5).register(app)
        run_until_idle(app)
        recorder.clear()

        found = [one for piece in pieces if piece for one in feed(app, recorder, *sock, piece)]

        assert found == expected, pieces
        component.unregister()
        run_until_idle(app)


def test_the_error_says_what_the_limit_is(app: Component, recorder: EventRecorder) -> None:
    Line(max_bytes=5).register(app)
    feed_args = (1, b"123456\n")
    app.fire(read(*feed_args))
    run_until_idle(app)

    (event,) = recorder.of("error")
    sock, error = event.args
    assert sock == 1
    assert isinstance(error, LineTooLong)
    assert error.limit == 5


def test_what_is_too_long_is_not_kept(app: Component, recorder: EventRecorder) -> None:
    component = Line(max_bytes=100).register(app)
    for _ in range(100):
        feed(app, recorder, 1, b"x" * 99)
    assert not component._unfinished


def test_the_limit_can_be_taken_away(app: Component, recorder: EventRecorder) -> None:
    Line(max_bytes=None).register(app)
    long = b"x" * 1_000_000

    assert feed(app, recorder, long + b"\n") == [long]


def test_the_default_limit_is_64_kib(app: Component, recorder: EventRecorder) -> None:
    Line().register(app)

    assert feed(app, recorder, b"x" * 65536 + b"\n" + b"y" * 65537 + b"\n") == [b"x" * 65536, LineTooLong]


def test_the_splitter_of_the_documents_gives_lines_and_the_rest() -> None:
    assert splitLines(b"1\r\n2\n3", b"0") == ([b"01", b"2"], b"3")
    assert splitLines("1\r\n2\n3", "") == (["1", "2"], "3")


def test_a_line_is_an_event_for_one_or_two() -> None:
    assert line(b"x").args == (b"x",)
    assert line(1, b"x").args == (1, b"x")
    assert line.name == "line"
