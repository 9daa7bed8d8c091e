"""Who writes a lot fills no memory, and what was written before a stop arrives."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from circuits import Component, Event
from circuits.io import File
from circuits.io import file as file_module
from circuits.io._descriptor import HIGH_WATER, LOW_WATER
from circuits.io.events import write
from support.core import EventRecorder, run_until_idle, running
from support.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class copy(Event):
    pass


class Copier(Component):
    """Writes piece after piece, waiting each time."""

    def init(self, pieces: int) -> None:
        self._left = pieces
        self._most = 0

    def copy(self) -> Any:
        while self._left:
            self._left -= 1
            yield self.call(write(b"x" * 65536), "out")


@pytest.fixture
def pipe() -> Iterator[tuple[int, Any]]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb", buffering=0) as file:
        yield reading, file
    os.close(reading)


def take(reading: int, count: int) -> int:
    taken = 0
    while taken < count:
        taken += len(os.read(reading, 65536))
    return taken


def test_who_waits_for_a_write_goes_on_when_there_is_room(pipe: tuple[int, Any]) -> None:
    reading, writing = pipe
    root = Component()
    file = File(writing, channel="out").register(root)
    copier = Copier(100).register(root)
    run_until_idle(root)
    root.fire(copy())
    for _ in range(200):
        root.tick()
    assert file._descriptor is not None
    # The pipe has taken the first pieces.
    assert HIGH_WATER - 65536 < file._descriptor.queued <= HIGH_WATER + 65536
    left = copier._left
    assert left > 90

    os.set_blocking(reading, False)

    def empty() -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(reading, 65536)
        root.tick(0.001)
        assert file._descriptor is not None
        return copier._left < left

    wait_until(empty)
    file._descriptor.close_at_once()
    run_until_idle(root)
    file.unregister()
    run_until_idle(root)
    root._evtree.loop.close()


def test_who_does_not_wait_is_not_held_up(pipe: tuple[int, Any]) -> None:
    _, writing = pipe
    root = Component()
    file = File(writing, channel="out").register(root)
    run_until_idle(root)
    values = [root.fire(write(b"x" * HIGH_WATER), "out") for _ in range(5)]
    run_until_idle(root)

    assert all(value.done for value in values)
    file.unregister()
    run_until_idle(root)
    root._evtree.loop.close()


def test_a_write_that_waits_ends_when_the_file_does(pipe: tuple[int, Any]) -> None:
    _, writing = pipe
    root = Component()
    recorder = EventRecorder().register(root)
    file = File(writing, channel="out").register(root)
    run_until_idle(root)
    event = write(b"x" * (HIGH_WATER + LOW_WATER * 3))
    event.success = True
    root.fire(event, "out")
    run_until_idle(root)
    assert not recorder.of("write_success")

    file.unregister()
    run_until_idle(root)
    assert recorder.of("write_success")
    root._evtree.loop.close()


def test_a_run_ends_when_a_slow_reader_has_taken_all_that_was_written(pipe: tuple[int, Any]) -> None:
    reading, writing = pipe

    class App(Component):
        def opened(self, *_: Any) -> None:
            self.fire(write(b"x" * 1_000_000), "out")
            self.stop()

    app = App()
    File(writing, channel="out").register(app)
    thread, _ = app.start()
    assert take(reading, 1_000_000) == 1_000_000
    thread.join(10)
    assert not thread.is_alive()
    app._evtree.loop.close()


def test_a_run_does_not_wait_for_ever_for_a_reader_that_takes_nothing(
    pipe: tuple[int, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "GRACE", 0.05)
    app = Component()
    recorder = EventRecorder().register(app)
    File(pipe[1], channel="out").register(app)
    with running(app):
        app.fire(write(b"x" * 1_000_000), "out")
    assert recorder.names()[-1] == "closed"
    app._evtree.loop.close()


def test_what_was_written_to_a_disk_before_a_stop_is_there_when_the_run_has_ended(tmp_path: Path) -> None:
    path, has_opened = tmp_path / "file", threading.Event()

    class App(Component):
        def opened(self, *_: Any) -> None:
            has_opened.set()

    app = App()
    File(path, "w", channel="out").register(app)
    with running(app):
        assert has_opened.wait(10)
        for number in range(1000):
            app.fire(write(f"{number}\n"), "out")
    assert path.read_text() == "".join(f"{number}\n" for number in range(1000))
    app._evtree.loop.close()
