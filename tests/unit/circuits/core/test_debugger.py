from __future__ import annotations

import gc
import io
import logging
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from circuits import Component, Debugger, Event, Manager, handler


class foo(Event):
    """Handled by adding two numbers."""


class fail(Event):
    """Makes its handler raise."""


class App(Component):
    def foo(self, x: int, y: int) -> int:
        return x + y

    def fail(self) -> None:
        raise RuntimeError("on purpose")


class Log:
    """What a logger is to a Debugger."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def debug(self, text: str) -> None:
        self.lines.append(("debug", text))

    def error(self, text: str) -> None:
        self.lines.append(("error", text))


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture(autouse=True)
def own_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Debugger, "IgnoreEvents", ["generate_events"])
    monkeypatch.setattr(Debugger, "IgnoreChannels", [])


def settle(app: Manager) -> None:
    while len(app):
        app.flush()


def debug(app: Manager, **options: Any) -> tuple[Debugger, io.StringIO]:
    """Give a Debugger of *app*, past its own registration, and the file that it writes to."""
    file = io.StringIO()
    debugger = Debugger(file=file, **options).register(app)
    settle(app)
    file.truncate(0)
    file.seek(0)
    return debugger, file


def said(app: Manager, file: io.StringIO, event: Event, *channels: Any) -> str:
    """Give what is written when *event* and all that follows from it is delivered."""
    app.fire(event, *channels)
    settle(app)
    return file.getvalue()


# ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_event_is_one_line(app: App) -> None:
    _, file = debug(app)

    assert said(app, file, foo(1, 2)) == "<foo[*] (1, 2 )>\n"


def test_an_event_without_arguments_and_one_that_nobody_handles_are_lines_too(app: App) -> None:
    _, file = debug(app)

    assert said(app, file, Event.create("unheard", "a", b=1), "news") == "<unheard[news] ('a' b=1)>\n"


def test_events_to_one_component_are_seen(app: App) -> None:
    _, file = debug(app)

    assert said(app, file, foo(1, 2), app) == f"<foo[{app!r}] (1, 2 )>\n"


def test_its_own_registration_is_seen(app: App) -> None:
    file = io.StringIO()
    debugger = Debugger(file=file).register(app)
    app.flush()

    assert file.getvalue() == f"<registered[*] ({debugger!r}, {app!r} )>\n"


@pytest.mark.parametrize("place", ["root", "child", "grandchild"])
def test_it_does_not_matter_where_it_is_registered(app: App, place: str) -> None:
    child = Component().register(app)
    grandchild = Component(channel="deep").register(child)
    _, file = debug({"root": app, "child": child, "grandchild": grandchild}[place])

    settle(app)
    file.truncate(0)
    file.seek(0)

    assert said(app, file, foo(1, 2)) == "<foo[*] (1, 2 )>\n"


def test_an_event_is_written_before_any_handler_sees_it() -> None:
    class First(Component):
        @handler("foo", priority=1000)
        def first(self, event: Event) -> None:
            file.write("handled\n")
            event.stop()

    app = First()
    _, file = debug(app)

    assert said(app, file, foo()) == "<foo[*] ( )>\nhandled\n"


def test_the_events_of_the_kernel_that_only_ask_for_events_are_left_out(app: App) -> None:
    _, file = debug(app)

    assert Debugger.IgnoreEvents == ["generate_events"]
    assert said(app, file, Event.create("generate_events")) == ""


@pytest.mark.parametrize(
    ("ignored", "channels", "is_ignored"),
    [
        (["foo"], ("a",), True),
        (["foo"], ("a", "b"), True),
        (["bar"], ("a",), False),
        ([("a", "foo")], ("a",), True),
        ([("a", "foo")], ("b",), False),
        ([("a", "foo")], ("a", "b"), False),
        ([("a", "foo"), ("b", "foo")], ("a", "b"), True),
        ([("a", "bar")], ("a",), False),
    ],
)
def test_an_event_is_ignored_by_name_or_by_channel_and_name(
    app: App, ignored: list[Any], channels: tuple[str, ...], is_ignored: bool
) -> None:
    _, file = debug(app)
    Debugger.IgnoreEvents.extend(ignored)

    assert (said(app, file, foo(1, 2), *channels) == "") is is_ignored


@pytest.mark.parametrize(
    ("ignored", "channels", "is_ignored"),
    [
        (["a"], ("a",), True),
        (["a"], ("b",), False),
        (["a"], ("a", "b"), False),
        (["a", "b"], ("a", "b"), True),
        ([("a", "foo")], ("a",), True),
        ([("a", "bar")], ("a",), False),
    ],
)
def test_channels_are_ignored_when_an_event_is_on_no_other(
    app: App, ignored: list[Any], channels: tuple[str, ...], is_ignored: bool
) -> None:
    _, file = debug(app)
    Debugger.IgnoreChannels.extend(ignored)

    assert (said(app, file, foo(1, 2), *channels) == "") is is_ignored


def test_what_is_ignored_is_shared_by_all_debuggers_unless_one_has_lists_of_its_own(app: App) -> None:
    one, first = debug(app)
    other, second = debug(app)
    one.IgnoreEvents.append("foo")
    other.IgnoreEvents = ["generate_events"]  # type: ignore[misc] - the shared list is left to the others
    first.truncate(0)
    first.seek(0)

    said(app, second, foo(1, 2))

    assert first.getvalue() == ""
    assert second.getvalue() == "<foo[*] (1, 2 )>\n"


# ── switches and forms ───────────────────────────────────────────────────────────────────────────────────────────────


def test_events_and_errors_are_switched_apart(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    debugger, file = debug(app)
    assert (debugger._events, debugger._errors) == (True, True)

    debugger._events = False
    assert said(app, file, fail()).startswith("ERROR <handler[*][fail] (App.fail)>")
    assert "<exception[*]" not in file.getvalue()

    file = debugger.file = io.StringIO()
    debugger._events, debugger._errors = True, False
    assert [line.partition("[")[0] for line in said(app, file, fail()).splitlines()] == ["<fail", "<exception"]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("options", "starts"), [({"events": False}, ["ERROR"]), ({"errors": False}, ["<fail", "<exce"])]
)
def test_the_switches_are_options(app: App, options: dict[str, bool], starts: list[str]) -> None:
    _, file = debug(app, **options)

    lines = [line for line in said(app, file, fail()).splitlines() if not line.startswith(" ")]

    assert [line[:5] for line in lines] == [start[:5] for start in starts]


def test_a_disabled_debugger_says_nothing_until_it_is_enabled_again(app: App) -> None:
    debugger, file = debug(app)
    assert debugger.enabled

    debugger.enabled = False
    assert said(app, file, foo(1, 2)) == ""

    debugger.enabled = True
    assert said(app, file, foo(3, 4)) == "<foo[*] (3, 4 )>\n"


def test_a_prefix_stands_before_each_event(app: App) -> None:
    _, file = debug(app, prefix="app 1")

    assert said(app, file, foo(1, 2)) == "app 1: <foo[*] (1, 2 )>\n"


@pytest.mark.parametrize(
    ("trim", "expected"),
    [(None, "<foo[*] ('0123456789', 2 )>"), (27, "<foo[*] ('0123456789', 2 )>"), (12, "<foo[*] ('01 ...>")],
)
def test_a_long_event_is_trimmed(app: App, trim: int | None, expected: str) -> None:
    _, file = debug(app, trim=trim)

    assert said(app, file, foo("0123456789", 2)).splitlines()[0] == expected


def test_an_event_that_is_not_trimmed_is_written_in_full(app: App) -> None:
    _, file = debug(app)

    assert said(app, file, Event.create("read", "x" * 100_000)) == f"<read[*] ('{'x' * 100_000}' )>\n"


def test_trim_still_has_its_name_from_circuits_1_and_works_for_a_logger(app: App) -> None:
    log = Log()
    debugger = Debugger(logger=log).register(app)
    debugger.chop = 5
    app.flush()

    assert debugger.trim == debugger.chop == 5
    assert log.lines == [("debug", "<regi ...>")]


def test_a_debugger_may_have_a_channel_and_still_sees_all(app: App) -> None:
    debugger, file = debug(app, channel="debugger")

    assert debugger.channel == "debugger"
    assert said(app, file, foo(1, 2), "elsewhere") == "<foo[elsewhere] (1, 2 )>\n"


# ── where to ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_file_it_writes_to_what_stderr_is_at_the_time(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    debugger = Debugger().register(app)
    settle(app)
    capsys.readouterr()

    app.fire(foo(1, 2))
    app.flush()

    assert debugger.file is sys.stderr
    assert capsys.readouterr().err == "<foo[*] (1, 2 )>\n"


def test_a_program_without_a_console_goes_on(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    Debugger().register(app)
    monkeypatch.setattr(sys, "stderr", None)

    app.fire(fail())
    value = app.fire(foo(1, 2))
    settle(app)

    assert value.value == 3


@pytest.mark.parametrize("kind", [str, Path])
def test_a_path_is_appended_to_line_by_line(tmp_path: Path, kind: type) -> None:
    app = App()  # its own: what pytest still holds keeps its file open
    path = tmp_path / "debug.log"
    path.write_text("before\n")
    Debugger(file=kind(path)).register(app)
    settle(app)
    app.fire(foo("é", 2))
    app.flush()

    lines = path.read_text(encoding="utf-8").splitlines()

    assert lines[0] == "before"
    assert lines[-1] == "<foo[*] ('é', 2 )>"


def test_text_that_has_no_bytes_is_written_all_the_same(tmp_path: Path) -> None:
    app = App()  # its own: what pytest still holds keeps its file open

    class Odd:
        def __repr__(self) -> str:
            return "\udcff"

    path = tmp_path / "debug.log"
    Debugger(file=path).register(app)
    app.fire(Event.create("odd", Odd()))
    settle(app)

    assert "<odd[*] (\\udcff )>" in path.read_text().splitlines()


def test_a_path_that_cannot_be_opened_is_told_when_the_debugger_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Debugger(file=tmp_path / "missing" / "debug.log")


def test_its_file_is_closed_when_it_leaves_and_opened_again_when_it_comes_back(tmp_path: Path) -> None:
    app = App()  # its own: what pytest still holds keeps its file open
    path = tmp_path / "debug.log"
    debugger = Debugger(file=path).register(app)
    settle(app)

    debugger.unregister()
    settle(app)
    assert debugger._file.closed

    debugger.register(app)
    settle(app)
    assert not debugger._file.closed
    assert [line.partition("[")[0] for line in path.read_text().splitlines()] == [
        "<registered",
        "<prepare_unregister",
        "<prepare_unregister_complete",
        "<registered",
    ]


def test_a_file_that_it_was_given_open_stays_open_and_in_use(app: App, tmp_path: Path) -> None:
    with (tmp_path / "debug.log").open("w") as file:
        debugger = Debugger(file=file).register(app)
        settle(app)
        debugger.unregister()
        settle(app)

        assert not file.closed
        # Not only in the buffer of the file: a crash loses nothing.
        assert (tmp_path / "debug.log").read_text().startswith("<registered[*]")


def test_anything_with_a_write_method_is_a_file(app: App) -> None:
    class Writer:
        text = ""

        def write(self, text: str) -> None:
            self.text += text

    writer: Any = Writer()
    debugger = Debugger().register(app)
    settle(app)
    debugger.file = writer
    app.fire(foo(1, 2))
    app.flush()

    assert writer.text == "<foo[*] (1, 2 )>\n"


def test_events_and_errors_go_to_a_logger_instead_at_their_levels(
    app: App, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    Debugger(logger=logging.getLogger("app")).register(app)
    settle(app)
    capsys.readouterr()
    caplog.clear()

    app.fire(fail())
    settle(app)

    assert [(record.levelname, record.getMessage()[:5]) for record in caplog.records] == [
        ("DEBUG", "<fail"),
        ("DEBUG", "<exce"),
        ("ERROR", "ERROR"),
    ]
    assert not caplog.records[-1].getMessage().endswith("\n")
    assert capsys.readouterr().err == ""


# ── it only looks on ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_closed_file_is_told_once_on_stderr_and_changes_nothing_for_the_event(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    file = io.StringIO()
    Debugger(file=file).register(app)
    settle(app)
    file.close()

    value = app.fire(foo(1, 2))
    app.flush()
    app.fire(foo(3, 4))
    settle(app)

    first, *rest = capsys.readouterr().err.splitlines()
    assert "goes on with stderr, as it cannot write to <_io.StringIO" in first
    assert first.endswith("ValueError('I/O operation on closed file')")
    assert rest == ["<foo[*] (1, 2 )>", "<foo[*] (3, 4 )>"]
    assert (value.value, value.errors) == (3, False)


def test_a_full_disk_is_told_with_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App()  # its own: what pytest still holds keeps its file open

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    path = tmp_path / "debug.log"
    debugger = Debugger(file=path)
    monkeypatch.setattr(debugger, "_file", Full())
    debugger.register(app)
    settle(app)

    assert f"cannot write to {str(path)!r}: OSError(28, 'No space left on device')" in capsys.readouterr().err


def test_a_logger_that_raises_is_told_of_and_given_up(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    debugger = Debugger(logger=object()).register(app)
    settle(app)

    assert "has no attribute 'debug'" in capsys.readouterr().err
    assert debugger.logger is None


def test_an_argument_without_a_text_form_hides_no_event(app: App) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    _, file = debug(app)

    text = said(app, file, Event.create("odd", 1, Broken(), key=Broken()))

    broken = "<Broken without a text form: ZeroDivisionError>"
    assert text == f"<odd[*] (1, {broken} key={broken})>\n"


def test_it_never_answers_an_event(app: App) -> None:
    debug(app)
    value = app.fire(Event.create("unheard"))
    settle(app)

    assert not value.result


# ── no error is lost ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_is_told_once_and_not_by_the_kernel_too(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    _, file = debug(app)

    assert said(app, file, fail()).count("ERROR ") == 1
    assert capsys.readouterr().err == ""


def test_while_it_is_disabled_the_kernel_prints_errors_as_without_it(
    app: App, capsys: pytest.CaptureFixture[str]
) -> None:
    debugger, file = debug(app)
    another, _ = debug(app)
    debugger.enabled = another.enabled = False
    file.truncate(0)

    app.fire(fail())
    settle(app)

    assert file.getvalue() == ""
    assert capsys.readouterr().err.count("ERROR <handler[*][fail] (App.fail)>") == 1


def test_a_disabled_debugger_prints_no_errors_that_others_handle(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    def report(self: Any, *args: Any, **kwargs: Any) -> None:
        reported.append(args[0])

    reported: list[Any] = []
    debugger, _ = debug(app)
    debugger.enabled = False
    app.addHandler(handler("exception")(report))

    app.fire(fail())
    settle(app)

    assert reported == [RuntimeError]
    assert capsys.readouterr().err == ""


def test_ignoring_exception_events_leaves_the_errors_themselves(app: App) -> None:
    _, file = debug(app)
    Debugger.IgnoreEvents.append("exception")

    lines = [line for line in said(app, file, fail()).splitlines() if not line.startswith(" ")]

    assert [line[:5] for line in lines] == ["<fail", "ERROR"]


def test_lines_of_several_threads_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    with path.open("w") as file:

        def work() -> None:
            app = App()
            Debugger(file=file).register(app)
            for number in range(200):
                app.fire(foo(number, 0))
            settle(app)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = path.read_text().splitlines()
    assert len(lines) == 4 * 201
    assert all(line[:5] in ("<foo[", "<regi") and line.endswith(" )>") for line in lines)


def test_a_file_is_closed_at_the_latest_with_the_debugger(tmp_path: Path) -> None:
    stream = Debugger(file=tmp_path / "debug.log")._file
    gc.collect()

    assert stream.closed
