from __future__ import annotations

import re
import sys
import types
from typing import Any

import pytest

from circuits import Component, Event, Timer, handler
from circuits.core._story import MAX_ARGUMENT, MAX_TEXT, describe, print_error, tell
from circuits.core.events import exception


class greet(Event):
    """Greet somebody."""


class Broken:
    def __repr__(self) -> str:
        raise ZeroDivisionError


def story_of(app: Component, *events: Event, turns: int = 20) -> list[str]:
    """Give the lines of the first story that *app* tells, without the numbers that differ from run to run."""
    stories: list[str] = []

    def keep(self: Component, event: exception, *args: Any, **kwargs: Any) -> None:
        stories.append(tell(event))

    app.addHandler(handler("exception")(keep))
    for event in events:
        app.fire(event)
    for _ in range(turns):
        app.tick()
    assert stories, "no error was told"
    text = stories[0].replace(__file__, "test_story.py")
    return re.sub(r"line \d+", "line N", text).splitlines()


def without_marks(lines: list[str]) -> list[str]:
    """Leave out the lines that only underline a part of the one before; their form changes with Python's version."""
    return [line for line in lines if line.strip(" ~^")]


def test_a_story_tells_what_where_with_which_arguments_and_who_began_it() -> None:
    class App(Component):
        def begin(self) -> None:
            self.fire(greet("Bob"))

        def greet(self, name: str) -> str:
            raise LookupError(f"nobody is called {name}")

    story = story_of(App(), Event.create("begin"))

    assert story == [
        "ERROR <handler[*][greet] (App.greet)> (<greet[*] ('Bob' )>) {<class 'LookupError'>}: nobody is called Bob",
        '  File "test_story.py", line N, in greet',
        '    raise LookupError(f"nobody is called {name}")',
        "  fired by <handler[*][begin] (App.begin)> for <begin[*] ( )>",
    ]


def test_the_chain_goes_back_to_where_it_began() -> None:
    class App(Component):
        def a(self) -> None:
            self.fire(Event.create("b"))

        def b(self) -> None:
            event = Event.create("c", 3)
            event.success = True
            self.fire(event)

        def c(self, number: int) -> int:
            return number

        def c_success(self, evt: Event, value: int) -> None:
            raise LookupError

    story = story_of(App(), Event.create("a"))

    assert story[-3:] == [
        "  fired by the kernel for <c[*] (3 )>",
        "  fired by <handler[*][b] (App.b)> for <b[*] ( )>",
        "  fired by <handler[*][a] (App.a)> for <a[*] ( )>",
    ]


@pytest.mark.parametrize("args", [(), (1, 2)])
def test_a_call_that_does_not_fit_names_what_the_handler_takes_and_where(args: tuple[int, ...]) -> None:
    class App(Component):
        def greet(self, name: str, /, *, loud: bool = False) -> None:
            """Never get here."""

    story = story_of(App(), greet(*args))

    assert story[0].startswith("ERROR <handler[*][greet] (App.greet)> (<greet[*] (")
    assert story[-1] == '  it takes (name, /, *, loud=False): File "test_story.py", line N, in greet'


def test_a_type_error_inside_a_handler_is_not_taken_for_a_call_that_does_not_fit() -> None:
    class App(Component):
        def greet(self) -> None:
            len(5)  # type: ignore[arg-type] - that is the error

    assert not any("it takes" in line for line in story_of(App(), greet()))


class Suspended(Component):
    """Handlers that fail late, each in its own way."""

    @handler("generator")
    def generate(self) -> Any:
        yield
        raise LookupError("late")

    @handler("nested")
    def outer(self) -> Any:
        yield self.inner()

    @handler(False)
    def inner(self) -> Any:
        yield
        raise LookupError("late")

    @handler("coroutine")
    async def await_it(self) -> None:
        await self.deep()

    @handler(False)
    async def deep(self) -> None:
        raise LookupError("late")

    @handler("async_generator")
    async def stream(self) -> Any:
        yield 1
        raise LookupError("late")


@pytest.mark.parametrize(
    ("event", "method", "functions"),
    [
        ("generator", "generate", ["generate"]),
        ("nested", "outer", ["outer", "inner"]),
        ("coroutine", "await_it", ["await_it", "deep"]),
        ("async_generator", "stream", ["stream"]),
    ],
)
def test_an_error_in_a_suspended_handler_names_the_handler_and_none_of_the_kernels_frames(
    event: str, method: str, functions: list[str]
) -> None:
    story = story_of(Suspended(), Event.create(event))

    assert story[0] == (
        f"ERROR <handler[*][{event}] (Suspended.{method})> (<{event}[*] ( )>) {{<class 'LookupError'>}}: late"
    )
    assert [line for line in story if "File" in line] == [
        f'  File "test_story.py", line N, in {function}' for function in functions
    ]


def test_a_generator_that_was_registered_by_hand_is_named() -> None:
    def count() -> Any:
        yield
        raise LookupError("late")

    app = Component()
    app.registerTask((Event.create("counting"), count(), None))

    assert story_of(app)[0] == ("ERROR <handler[*][] (Unknown.count)> (<counting[] ( )>) {<class 'LookupError'>}: late")


def test_an_error_of_a_timer_event_names_the_event() -> None:
    class App(Component):
        def greet(self) -> None:
            raise LookupError

    app = App()
    Timer(0, greet()).register(app)

    assert story_of(app)[0].startswith("ERROR <handler[*][greet] (App.greet)> (<greet[*] ( )>)")


# ── what stands behind an error ──────────────────────────────────────────────────────────────────────────────────────


def fail_with(failing: Any) -> list[str]:
    class App(Component):
        def greet(self) -> None:
            failing()

    return without_marks(story_of(App(), greet()))


def test_the_error_that_caused_it_is_told_with_its_own_traceback() -> None:
    def failing() -> None:
        try:
            int("x")
        except ValueError as error:
            raise LookupError("nobody") from error

    assert fail_with(failing)[-3:] == [
        "  because of ValueError: invalid literal for int() with base 10: 'x'",
        '    File "test_story.py", line N, in failing',
        '      int("x")',
    ]


def test_an_error_while_another_was_handled_tells_of_both() -> None:
    def failing() -> None:
        try:
            int("x")
        except ValueError:
            {}["missing"]

    story = fail_with(failing)

    assert "{<class 'KeyError'>}: 'missing'" in story[0]
    assert story[-3] == "  while handling ValueError: invalid literal for int() with base 10: 'x'"


def test_a_context_that_was_hidden_on_purpose_stays_hidden() -> None:
    def failing() -> None:
        try:
            int("x")
        except ValueError:
            raise LookupError("nobody") from None

    assert not any("ValueError" in line for line in fail_with(failing))


def test_causes_of_causes_are_told_deeper_in_and_a_circle_ends() -> None:
    def failing() -> None:
        first, second, third = KeyError(1), ValueError(2), LookupError(3)
        third.__cause__, second.__cause__, first.__cause__ = second, first, third
        raise third

    assert [line for line in fail_with(failing) if "because" in line] == [
        "  because of ValueError: 2",
        "    because of KeyError: 1",
    ]


def test_a_long_line_of_causes_is_cut() -> None:
    def failing() -> None:
        error = LookupError("0")
        for number in range(1, 100):
            outer = LookupError(str(number))
            outer.__cause__, error = error, outer
        raise error

    story = fail_with(failing)

    assert sum("because" in line for line in story) == 9
    assert "because of LookupError: 90" in story[-1]


def test_notes_are_part_of_the_story() -> None:
    def failing() -> None:
        error = LookupError("nobody")
        error.add_note("ask Alice\nor Ada")
        raise error

    assert fail_with(failing)[-2:] == ["  ask Alice", "  or Ada"]


def test_each_member_of_a_group_of_errors_is_told() -> None:
    def failing() -> None:
        raise ExceptionGroup("both", [ValueError("one"), ExceptionGroup("inner", [KeyError("two")])])

    assert fail_with(failing)[-3:] == [
        "  1 of 2: ValueError: one",
        "  2 of 2: ExceptionGroup: inner (1 sub-exception)",
        "    1 of 1: KeyError: 'two'",
    ]


def test_an_error_without_a_message_has_no_dangling_colon() -> None:
    def failing() -> None:
        raise LookupError from KeyError()

    assert fail_with(failing)[-1] == "  because of KeyError"


# ── a story never fails ──────────────────────────────────────────────────────────────────────────────────────────────


def test_long_arguments_are_cut_and_hide_neither_each_other_nor_the_error() -> None:
    class App(Component):
        def read(self, data: bytes, name: str, key: str) -> None:
            raise LookupError("nobody")

    story = story_of(App(), Event.create("read", b"x" * 1_000_000, "Bob", key="y" * 1_000_000))

    data, key = (
        f"b'{'x' * (MAX_ARGUMENT - 2)}… (1000003 characters)",
        f"'{'y' * (MAX_ARGUMENT - 1)}… (1000002 characters)",
    )
    assert story[0] == (
        f"ERROR <handler[*][read] (App.read)> (<read[*] ({data}, 'Bob' key={key})>) {{<class 'LookupError'>}}: nobody"
    )


def test_many_arguments_are_cut_too() -> None:
    text = describe(Event.create("many", *range(10_000)))

    assert len(text) < MAX_TEXT + 100
    assert text.startswith("<many[] (0, 1, 2,")
    assert text.endswith("characters) )>")


def test_a_long_message_is_cut() -> None:
    def failing() -> None:
        raise LookupError("x" * 5000)

    assert fail_with(failing)[0].endswith(f"{'x' * 10}… (5000 characters)")


def test_arguments_and_errors_without_a_text_form_are_named() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    class App(Component):
        def greet(self, whom: Any) -> None:
            raise OddError from OddError()

    story = without_marks(story_of(App(), greet(Broken())))

    assert "<greet[*] (<Broken without a text form: ZeroDivisionError> )>" in story[0]
    assert story[0].endswith(": <OddError without a text form: ZeroDivisionError>")
    assert story[-1] == "  because of OddError: <OddError without a text form: ZeroDivisionError>"


def test_an_error_event_that_a_program_makes_itself_is_told_as_far_as_it_goes() -> None:
    assert tell(Event.create("exception")) == "ERROR <no handler> (None) {None}: None\n"
    assert tell(exception(ValueError, ValueError("far"), ["  File elsewhere\n"])) == (
        "ERROR <no handler> (None) {<class 'ValueError'>}: far\n  File elsewhere\n"
    )
    assert tell(exception(ValueError, "far", None, fevent="sent here")) == (
        "ERROR <no handler> ('sent here') {<class 'ValueError'>}: far\n"
    )


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("I/O operation on closed file")])
def test_a_console_that_is_gone_is_no_second_error(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def write(text: str) -> None:
        raise error

    monkeypatch.setattr(sys, "stderr", types.SimpleNamespace(write=write))

    print_error(exception(ValueError, ValueError("far"), None))


def test_without_a_console_nothing_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)

    print_error(exception(ValueError, ValueError("far"), None))
