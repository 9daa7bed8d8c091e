"""Errors are told so that a person can act on them, and telling them makes no new ones."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from circuits import Component, Event, handler
from circuits.core._story import MAX_TEXT, shown, tell
from circuits.core.events import exception
from support import EventRecorder, run_until_idle


class greet(Event):
    pass


class Greeter(Component):
    def greet(self, name: Any) -> None:
        raise KeyError(name)


class Unshowable:
    def __repr__(self) -> str:
        raise ValueError("no text form")


def story_of(recorder: EventRecorder) -> str:
    (event,) = recorder.of("exception")
    assert isinstance(event, exception)
    return tell(event)


def test_the_first_line_names_the_handler_the_event_its_arguments_and_the_error(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    Greeter().register(app)
    app.fire(greet("Bob"))
    run_until_idle(app)

    assert capsys.readouterr().err.splitlines()[0] == (
        "ERROR <handler[*][greet] (Greeter.greet)> (<greet[*] ('Bob' )>) {<class 'KeyError'>}: 'Bob'"
    )


def test_the_traceback_starts_in_the_handler_not_in_the_kernel(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    Greeter().register(app)
    app.fire(greet("Bob"))
    run_until_idle(app)

    story = capsys.readouterr().err
    assert "in greet\n    raise KeyError(name)" in story
    assert "_dispatch.py" not in story


def test_it_tells_who_fired_the_event_back_to_the_first_cause(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Host(Component):
        def arrive(self) -> None:
            self.fire(Event.create("enter"))

        @handler("enter")
        def welcome(self) -> None:
            self.fire(greet("Bob"))

    Host().register(app)
    Greeter().register(app)
    app.fire(Event.create("arrive"))
    run_until_idle(app)

    assert capsys.readouterr().err.splitlines()[-2:] == [
        "  fired by <handler[*][enter] (Host.welcome)> for <enter[*] ( )>",
        "  fired by <handler[*][arrive] (Host.arrive)> for <arrive[*] ( )>",
    ]


def test_what_the_kernel_fires_is_told_as_fired_by_the_kernel(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Host(Component):
        def arrive(self) -> None:
            pass

        def arrive_success(self, *_: object) -> None:
            raise ValueError

    Host().register(app)
    event = Event.create("arrive")
    event.success = True
    app.fire(event)
    run_until_idle(app)

    assert capsys.readouterr().err.splitlines()[-1] == "  fired by the kernel for <arrive[*] ( )>"


def test_it_tells_what_the_error_came_from(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Careful(Component):
        def greet(self, name: str) -> None:
            try:
                int(name)
            except ValueError as error:
                raise LookupError("no such guest") from error

    Careful().register(app)
    app.fire(greet("Bob"))
    run_until_idle(app)

    assert "because of ValueError: invalid literal for int()" in capsys.readouterr().err


def test_a_long_line_is_cut_and_says_how_long_it_was(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    Greeter().register(app)
    app.fire(greet("x" * 100_000))
    run_until_idle(app)

    first = capsys.readouterr().err.splitlines()[0]
    assert len(first) < 2 * MAX_TEXT
    assert "characters)" in first


# What cannot be shown used to end the program: telling about an error raised another one, outside of any handler.


def test_an_argument_without_a_text_form_does_not_keep_the_error_from_being_told(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(Component):
        def greet(self, name: Any) -> None:
            raise OSError("broken")

    Broken().register(app)
    app.fire(greet(Unshowable()))
    run_until_idle(app)

    story = capsys.readouterr().err
    assert "<Unshowable without a text form: ValueError>" in story
    assert "broken" in story


def test_an_error_without_a_text_form_is_told_all_the_same(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Mute(Exception):  # noqa: N818 - says what it is
        def __str__(self) -> str:
            raise ValueError("no text form")

    class Broken(Component):
        def greet(self, name: str) -> None:
            raise Mute

    Broken().register(app)
    app.fire(greet("Bob"))
    run_until_idle(app)

    assert "<Mute without a text form: ValueError>" in capsys.readouterr().err


def test_a_cause_without_a_text_form_is_told_all_the_same(
    app: Component, recorder: EventRecorder, capsys: pytest.CaptureFixture[str]
) -> None:
    class Host(Component):
        def arrive(self, who: Any) -> None:
            self.fire(greet("Bob"))

    Host().register(app)
    Greeter().register(app)
    app.fire(Event.create("arrive", Unshowable()))
    run_until_idle(app)

    assert "for <arrive[*] (<Unshowable without a text form: ValueError> )>" in capsys.readouterr().err


@pytest.mark.parametrize("state", ["absent", "closed"])
def test_a_program_without_stderr_goes_on(
    app: Component, recorder: EventRecorder, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, state: str
) -> None:
    stderr = (tmp_path / "stderr").open("w")
    stderr.close()
    monkeypatch.setattr(sys, "stderr", None if state == "absent" else stderr)
    Greeter().register(app)
    app.fire(greet("Bob"))
    app.fire(Event.create("next"))
    run_until_idle(app)

    assert recorder.names() == ["greet", "next", "exception"]


def test_the_story_can_be_told_of_an_event_that_nobody_handled(app: Component) -> None:
    assert tell(exception(ValueError, ValueError("late"), None)) == (
        "ERROR <no handler> (None) {<class 'ValueError'>}: late\n"
    )


def test_a_text_form_is_shown_as_it_is() -> None:
    assert shown("Bob") == "'Bob'"
    assert shown(Unshowable()) == "<Unshowable without a text form: ValueError>"
