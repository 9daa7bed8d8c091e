from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from circuits import Component, Event
from circuits.core._answers import Answer
from support import clock_of, on_manual_clock, run_until_idle


class Asking(Component):
    """Waits for an answer in the handler of `ask`."""

    def init(self) -> None:
        self.answer = Answer()
        self.waiting: set[Answer] = set()
        self.errors: list[BaseException] = []

    def ask(self) -> Iterator[Any]:
        return self.answer.wait(self.waiting)

    def exception(self, kind: type, error: BaseException, *_: Any, **__: Any) -> None:
        self.errors.append(error)


def asked(give_first: bool = False) -> tuple[Asking, Any]:
    app = on_manual_clock(Asking())
    if give_first:
        app.answer.give("first")
    value = app.fire(Event.create("ask"))
    run_until_idle(app)
    return app, value


def test_whoever_waits_goes_on_with_the_value() -> None:
    app, value = asked()
    assert not value.done

    app.answer.give(42)
    app.tick()
    run_until_idle(app)

    assert (value.done, value.value) == (True, 42)


def test_whoever_waits_goes_on_with_the_error() -> None:
    app, value = asked()
    error = LookupError("nothing")

    app.answer.give(error=error)
    app.tick()
    run_until_idle(app)

    assert value.errors
    assert app.errors == [error]


def test_an_answer_that_is_there_already_is_not_waited_for() -> None:
    _, value = asked(give_first=True)

    assert value.value == "first"


def test_only_the_first_answer_counts() -> None:
    app, value = asked()

    app.answer.give("one")
    app.answer.give("two")
    app.tick()
    run_until_idle(app)
    app.answer.repeat()
    app.tick()
    run_until_idle(app)

    assert value.value == "one"


def test_an_answer_that_nobody_waits_for_any_more_is_ignored() -> None:
    app, value = asked()
    [task] = app._evtree.tasks
    task.cancel()

    app.answer.give("late")
    app.tick()
    run_until_idle(app)

    assert not value.result


def test_those_that_somebody_waits_for_are_known_by_their_set() -> None:
    app, _ = asked()
    assert app.waiting == {app.answer}

    app.answer.give()
    app.tick()
    run_until_idle(app)

    assert app.waiting == set()


def test_an_answer_that_was_told_to_a_tree_which_has_joined_another_can_be_repeated() -> None:
    app, value = asked()
    app.answer.give("told")
    outer = on_manual_clock(Component(), clock_of(app))
    app.register(outer)
    run_until_idle(outer)
    assert not value.done

    app.answer.repeat()
    outer.tick()
    run_until_idle(outer)

    assert value.value == "told"


def test_another_thread_wakes_the_tree() -> None:
    app, value = asked()
    thread = threading.Thread(target=app.answer.give, args=("from afar",))
    thread.start()
    thread.join()

    assert app._evtree.loop.time_to_next() == 0
    app.tick()
    run_until_idle(app)
    assert value.value == "from afar"


def test_its_text_form_says_what_is_waited_for() -> None:
    assert "outside the tree" in repr(Answer())
