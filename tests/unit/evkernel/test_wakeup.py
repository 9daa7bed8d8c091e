from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from evkernel import wakeup as module
from evkernel.wakeup import SignalWakeup, Wakeup

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = list(dict.fromkeys([Wakeup, module._SocketWakeup]))  # the same, where there is no eventfd


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def wakeup(request: pytest.FixtureRequest) -> Iterator[Wakeup]:
    made: Wakeup = request.param()
    yield made
    made.close()


def is_readable(fd: int) -> bool:
    return bool(select.select([fd], [], [], 0)[0])


def test_nobody_has_woken_a_new_one(wakeup: Wakeup) -> None:
    assert not is_readable(wakeup.fileno())


def test_a_wake_makes_it_readable_and_a_drain_unreadable(wakeup: Wakeup) -> None:
    wakeup.wake()
    assert is_readable(wakeup.fileno())

    wakeup.drain()
    assert not is_readable(wakeup.fileno())


def test_many_wakes_never_block_and_count_as_one(wakeup: Wakeup) -> None:
    for _ in range(3000):  # more than a socket buffer holds, in whole packets
        wakeup.wake()

    wakeup.drain()

    assert not is_readable(wakeup.fileno())


def test_a_full_one_still_does_not_block(wakeup: Wakeup) -> None:
    if isinstance(wakeup, module._SocketWakeup):
        with contextlib.suppress(BlockingIOError):
            while True:
                wakeup._sender.send(bytes(4096))
    else:
        os.eventfd_write(wakeup.fileno(), 2**64 - 2)

    wakeup.wake()

    wakeup.drain()
    assert not is_readable(wakeup.fileno())


def test_draining_what_is_dry_does_nothing(wakeup: Wakeup) -> None:
    wakeup.drain()

    assert not is_readable(wakeup.fileno())


def test_a_wake_that_comes_too_late_is_dropped(wakeup: Wakeup) -> None:
    wakeup.close()
    reader, writer = os.pipe()  # may well get the number that has just become free
    try:
        wakeup.wake()

        assert not is_readable(reader)
    finally:
        os.close(reader)
        os.close(writer)


def test_closing_twice_is_closing_once(wakeup: Wakeup) -> None:
    wakeup.close()
    wakeup.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_one_that_is_dropped_gives_its_descriptors_back_without_a_word(kind: type[Wakeup]) -> None:
    fd = kind().fileno()  # dropped at once

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


@pytest.mark.skipif(sys.platform != "linux", reason="there is no eventfd")
def test_a_file_that_is_garbage_before_its_wakeup_is_closes_without_a_word() -> None:
    # the collector finalized the file of a dropped tree first, about one time in two, and that warned
    circle: list[Any] = []
    circle += [circle, type(Wakeup()._file)(os.eventfd(0), "r+")]
    fd = circle[1].fileno()

    del circle
    gc.collect()

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_wake_from_another_thread_ends_a_sleep(wakeup: Wakeup) -> None:
    asleep = threading.Event()

    def wake() -> None:
        asleep.wait()
        wakeup.wake()

    thread = threading.Thread(target=wake)
    thread.start()
    asleep.set()

    assert select.select([wakeup.fileno()], [], [], 30)[0]
    thread.join()


class TestSignalWakeup:
    @pytest.fixture
    def handled(self) -> Iterator[list[int]]:
        handled: list[int] = []
        before = signal.signal(signal.SIGUSR1, lambda number, _: handled.append(number))
        yield handled
        signal.signal(signal.SIGUSR1, before)

    def test_every_signal_makes_it_readable(self, handled: list[int]) -> None:
        wakeup = SignalWakeup()
        os.kill(os.getpid(), signal.SIGUSR1)

        assert is_readable(wakeup.fileno())
        assert handled == [signal.SIGUSR1]

        wakeup.drain()
        assert not is_readable(wakeup.fileno())
        wakeup.close()

    def test_draining_what_is_dry_does_nothing(self) -> None:
        wakeup = SignalWakeup()
        wakeup.drain()
        wakeup.close()

    def test_more_signals_than_it_can_hold_are_no_trouble(self, handled: list[int]) -> None:
        wakeup = SignalWakeup()
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(wakeup._writer, bytes(4096))

        os.kill(os.getpid(), signal.SIGUSR1)

        assert handled == [signal.SIGUSR1]
        wakeup.close()

    def test_closing_gives_the_place_back(self) -> None:
        wakeup = SignalWakeup()
        wakeup.close()
        wakeup.close()

        assert signal.set_wakeup_fd(-1) == -1

    def test_a_place_that_is_taken_stays_taken(self) -> None:
        first = SignalWakeup()

        with pytest.raises(ValueError, match="told about signals already"):
            SignalWakeup()

        assert signal.set_wakeup_fd(-1) == first._writer
        first.close()

    def test_closing_leaves_the_place_to_whoever_has_taken_it(self) -> None:
        wakeup = SignalWakeup()
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer)

        wakeup.close()

        assert signal.set_wakeup_fd(-1) == writer
        os.close(reader)
        os.close(writer)

    def test_only_the_main_thread_is_told_about_signals(self) -> None:
        errors: list[ValueError] = []

        def try_it() -> None:
            try:
                SignalWakeup()
            except ValueError as error:
                errors.append(error)

        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join()

        assert len(errors) == 1
