from __future__ import annotations

import os
import threading
from typing import Any

import pytest

from circuits.core import _pools
from circuits.core._errors import SendError, TaskExitError
from circuits.core._pools import make_pool, make_work, read_result


def double(number: int, plus: int = 0) -> int:
    return 2 * number + plus


def fail(error: BaseException) -> None:
    raise error


def make_lock() -> Any:
    return threading.Lock()


class Unreadable:
    def __reduce__(self) -> Any:
        return fail, (ValueError("not here"),)


def give_unreadable() -> Any:
    return Unreadable()


def done(in_processes: bool, f: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """Do the work here, whatever the pool, and give its value and its error."""
    run, *rest = make_work(in_processes, f, args, kwargs)
    return read_result(in_processes, run(*rest))


both = pytest.mark.parametrize("in_processes", [False, True], ids=["threads", "processes"])


@both
def test_work_gives_its_value(in_processes: bool) -> None:
    assert done(in_processes, double, 2, plus=1) == (5, None)


@both
def test_work_gives_its_error_and_does_not_raise(in_processes: bool) -> None:
    value, error = done(in_processes, fail, LookupError("nothing"))

    assert value is None
    assert (type(error), str(error)) == (LookupError, "nothing")


def test_the_traceback_of_an_error_begins_with_the_function() -> None:
    _, error = done(False, fail, LookupError("nothing"))

    assert error.__traceback__.tb_frame.f_code.co_name == "fail"


def test_a_call_that_is_wrong_keeps_the_one_line_it_has() -> None:
    _, error = done(False, double)

    assert isinstance(error, TypeError)
    assert error.__traceback__ is not None


@both
@pytest.mark.parametrize("leaving", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_work_that_would_end_a_thread_or_a_process_fails_instead(in_processes: bool, leaving: BaseException) -> None:
    _, error = done(in_processes, fail, leaving)

    assert isinstance(error, TaskExitError)
    assert "has raised" in str(error)
    assert type(leaving).__name__ in str(error)


def test_what_cannot_be_sent_is_refused_before_it_is_submitted() -> None:
    with pytest.raises(SendError, match=r"cannot send the task <function double .*> with its arguments"):
        make_work(True, double, (threading.Lock(),), {})
    assert make_work(False, double, (threading.Lock(),), {})


def test_a_task_that_a_process_cannot_read_fails() -> None:
    _, error = done(True, double, Unreadable())

    assert isinstance(error, SendError)
    assert str(error) == "a process of the pool cannot read a task: ValueError: not here"


def test_a_result_that_cannot_be_sent_fails() -> None:
    _, error = done(True, make_lock)

    assert isinstance(error, SendError)
    assert "the result of <function make_lock" in str(error)


def test_a_result_that_cannot_be_read_fails() -> None:
    _, error = done(True, give_unreadable)

    assert isinstance(error, SendError)
    assert str(error) == "cannot read the result of a task: ValueError: not here"


@pytest.mark.parametrize(("processors", "threads"), [(1, 5), (2, 6), (28, 32), (128, 32)])
def test_there_are_four_threads_more_than_processors_but_32_at_the_most(
    processors: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pools, "_processors", lambda: processors)

    assert make_pool(False, None)._max_workers == threads  # type: ignore[attr-defined]


def test_there_is_one_process_for_each_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pools, "_processors", lambda: 3)

    assert make_pool(True, None)._max_workers == 3  # type: ignore[attr-defined]


@both
def test_the_size_can_be_chosen(in_processes: bool) -> None:
    assert make_pool(in_processes, 7)._max_workers == 7  # type: ignore[attr-defined]


def test_only_the_processors_that_this_process_may_use_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _pools._processors() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert _pools._processors() == os.cpu_count()
