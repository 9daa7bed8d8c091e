"""What keeps a forked child from reaching into its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import evkernel
from evkernel import _fork
from evkernel._fork import isolate, keep_forever, mute_signals
from evkernel.poll import Poller, available_kinds

epoll_only = pytest.mark.skipif("epoll" not in available_kinds(), reason="only an epoll is shared with a child")


@epoll_only
def test_an_epoll_that_watches_the_descriptor_is_replaced_by_an_empty_one() -> None:
    reader, writer = os.pipe()
    poller = Poller("epoll")
    poller.set_reader(reader, print)
    os.write(writer, b"x")
    assert len(poller.wait(0)) == 1
    number = poller.fileno()

    isolate([reader])

    assert list(poller.wait(0)) == []
    assert poller.fileno() == number
    assert poller.discard(reader)  # knows nothing of it, and says nothing
    poller.close()
    os.close(reader)
    os.close(writer)


@epoll_only
def test_an_epoll_that_watches_others_is_left_alone() -> None:
    reader, writer = os.pipe()
    poller = Poller("epoll")
    poller.set_reader(reader, print)
    os.write(writer, b"x")

    isolate([writer])

    assert len(poller.wait(0)) == 1
    poller.close()
    os.close(reader)
    os.close(writer)


@epoll_only
def test_the_replacement_is_not_inherited_by_other_programs() -> None:
    reader, writer = os.pipe()
    poller = Poller("epoll")
    poller.set_reader(reader, print)

    isolate([reader])

    number = poller.fileno()
    assert number is not None
    assert not os.get_inheritable(number)
    poller.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("missing", ["/proc/self/fd", "linux"])
def test_nothing_is_replaced_where_nobody_can_tell_or_nothing_is_shared(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> list[str]:
        raise FileNotFoundError(missing)

    reader, writer = os.pipe()
    poller = Poller()
    poller.set_reader(reader, print)
    os.write(writer, b"x")
    monkeypatch.setattr("os.listdir", refuse)
    if missing == "linux":
        monkeypatch.setattr("sys.platform", "darwin")

    isolate([reader])

    assert len(poller.wait(0)) == 1
    poller.close()
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("prelude", ["", "sys.modules['ctypes'] = None; "], ids=["", "without ctypes"])
def test_what_is_kept_forever_is_not_finalized_while_the_interpreter_runs(prelude: str) -> None:
    program = (
        f"import sys, gc; {prelude}from evkernel._fork import keep_forever\n"
        "class Noisy:\n    def __del__(self): print('finalized', flush=True)\n"
        "keep_forever(Noisy()); gc.collect(); print('end', flush=True)"
    )
    path = str(Path(evkernel.__file__).parents[1])
    out = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": path}, capture_output=True, text=True, check=True
    ).stdout.split()

    assert out[0] == "end"
    assert out[1:] == ([] if not prelude else ["finalized"])  # not even at its end, with ctypes


def test_keeping_something_forever_keeps_it() -> None:
    before = len(_fork._kept)

    keep_forever(object())

    assert len(_fork._kept) == before + 1


def test_muted_signals_are_told_to_nobody() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)

    mute_signals()

    assert signal.set_wakeup_fd(-1) == -1
    os.close(reader)
    os.close(writer)


def test_only_the_main_thread_mutes_signals() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    thread = threading.Thread(target=mute_signals)

    thread.start()
    thread.join()

    assert signal.set_wakeup_fd(-1) == writer
    os.close(reader)
    os.close(writer)
