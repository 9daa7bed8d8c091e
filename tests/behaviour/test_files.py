"""Files, pipes and terminals as components."""

from __future__ import annotations

import io
import os
import pty
from typing import TYPE_CHECKING, Any

import pytest

import circuits.io
from circuits.core.handlers import handler
from circuits.io import File
from circuits.io.events import close, open, seek, write  # noqa: A004 - events
from support.program import run_program
from support.streams import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


def heard(bench: Bench) -> list[Any]:
    """Return what a file has said, in order; what was read in one piece."""
    said: list[Any] = []
    for event in bench.recorder.seen:
        if event.name == "read" and said and isinstance(said[-1], type(event.args[0])):
            said[-1] += event.args[0]
        elif event.name == "read":
            said.append(event.args[0])
        elif event.name in ("opened", "eof", "closed", "error"):
            said.append((event.name, *event.args))
    return said


def test_a_file_is_read_to_its_end_and_closed(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(256)) * 1000)
    file = bench.add(File(str(path)))
    bench.until(lambda: bench.recorder.of("closed"))
    assert heard(bench) == [("opened", str(path), "r"), path.read_bytes(), ("eof",), ("closed",)]
    assert max(len(event.args[0]) for event in bench.recorder.of("read")) == 4096
    assert file.closed
    assert (file.filename, file.mode) == (str(path), "r")


def test_text_is_delivered_when_an_encoding_is_given(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("äöü€" * 3000, encoding="utf-8")
    bench.add(File(path, encoding="utf-8", bufsize=1001))
    bench.until(lambda: bench.recorder.of("closed"))
    assert heard(bench)[1] == "äöü€" * 3000


def test_bytes_and_text_are_written_before_the_file_is_closed(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    bench.add(File(path, "w"))
    bench.until(lambda: bench.recorder.of("opened"))
    for data in (b"bytes ", "täxt ", bytearray(b"array ")):
        bench.root.fire(write(data), "file")
    bench.root.fire(close(), "file")
    bench.until(lambda: bench.recorder.of("closed"))
    assert path.read_bytes() == "bytes täxt array ".encode()


def test_an_open_file_goes_on_where_it_is_told(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    bench.add(File(path, "r+"))
    bench.until(lambda: bench.recorder.of("eof"))
    bench.root.fire(seek(2), "file")
    bench.until(lambda: len(bench.recorder.of("eof")) == 2)
    bench.root.fire(seek(-1, os.SEEK_END), "file")
    bench.root.fire(write(b"X"), "file")
    bench.root.fire(close(), "file")
    bench.until(lambda: bench.recorder.of("closed"))
    assert heard(bench)[1:4] == [b"0123456789", ("eof",), b"23456789"]
    assert path.read_bytes() == b"012345678X"


def test_a_closed_file_can_be_opened_again_or_another_one(bench: Bench, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    file = bench.add(File(first))
    bench.until(lambda: bench.recorder.of("closed"))
    bench.root.fire(open(), "file")
    bench.until(lambda: len(bench.recorder.of("closed")) == 2)
    bench.root.fire(open(second, "r", 10), "file")
    bench.until(lambda: len(bench.recorder.of("closed")) == 3)
    assert [event.args[0] for event in bench.recorder.of("read")] == [b"1", b"1", b"2"]
    assert file.filename == second


@pytest.mark.parametrize("name", ["missing", "", "a\0b"], ids=ascii)
def test_a_file_that_cannot_be_opened_is_an_error_and_stays_closed(bench: Bench, tmp_path: Path, name: str) -> None:
    file = bench.add(File(f"{tmp_path}/{name}" if name else tmp_path, "r" if name else "w"))
    bench.until(lambda: bench.recorder.of("error"))
    assert file.closed
    bench.recorder.clear()
    bench.root.fire(write(b"lost"), "file")
    bench.root.fire(seek(0), "file")
    bench.until(lambda: len(bench.recorder.of("error")) == 2)


def test_a_mode_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'z'"):
        File(tmp_path / "file", "z")


def test_writing_what_is_neither_bytes_nor_text_is_an_error_of_the_handler(bench: Bench, tmp_path: Path) -> None:
    bench.add(File(tmp_path / "file", "w"))
    bench.until(lambda: bench.recorder.of("opened"))
    bench.root.addHandler(handler("exception", channel="*")(lambda self, *args, **kwargs: None))
    value = bench.root.fire(write(7), "file")
    bench.until(lambda: value.errors)
    assert value.value[0] is TypeError


def test_a_pipe_that_nobody_empties_is_filled_without_waiting_and_no_byte_is_lost(bench: Bench) -> None:
    reading, writing = os.pipe()
    data = bytes(range(256)) * 4096
    with os.fdopen(writing, "wb", buffering=0) as file:
        bench.add(File(file, channel="out"))
        bench.until(lambda: bench.recorder.of("opened"))
        bench.root.fire(write(data), "out")
        bench.root.fire(close(), "out")
        bench.settle()
        assert not bench.recorder.of("closed")
        received = b""
        os.set_blocking(reading, False)

        def receive() -> bool:
            nonlocal received
            try:
                received += os.read(reading, 10_000)
            except BlockingIOError:
                return False
            return len(received) == len(data)

        bench.until(receive)
        assert received == data
        bench.until(lambda: bench.recorder.of("closed"))
        assert not file.closed
        assert os.get_blocking(writing)
    os.close(reading)


def test_a_pipe_without_a_reader_is_an_error_and_the_end(bench: Bench) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as file:
        bench.add(File(file, channel="out"))
        bench.root.fire(write(b"lost"), "out")
        bench.until(lambda: bench.recorder.of("closed"))
        assert isinstance(bench.recorder.of("error")[0].args[0], BrokenPipeError)


def test_a_terminal_is_read_line_by_line_and_keeps_its_settings(bench: Bench) -> None:
    controller, number = pty.openpty()
    with os.fdopen(number, "r+b", buffering=0) as terminal:
        bench.add(File(terminal, channel="tty"))
        os.write(controller, b"one\n")
        bench.until(lambda: bench.recorder.of("read"))
        assert bench.recorder.of("read")[0].args == (b"one\n",)
        bench.root.fire(write(b"two\n"), "tty")
        bench.until(lambda: b"two" in os.read(controller, 100))
        assert os.get_blocking(number)
        bench.root.fire(close(), "tty")
        bench.until(lambda: bench.recorder.of("closed"))
        os.fstat(number)
    os.close(controller)


def test_a_file_that_leaves_its_tree_is_closed_and_opened_again_when_it_returns(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"hello")
    file = bench.add(File(path, "r+"))
    bench.until(lambda: bench.recorder.of("eof"))
    file.unregister()
    bench.until(lambda: file.parent is file)
    assert file.closed
    bench.recorder.clear()
    bench.add(file)
    bench.until(lambda: bench.recorder.of("eof"))
    assert heard(bench)[1] == b"hello"


def test_an_open_file_moves_with_its_component_to_another_tree(bench: Bench) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as file:
        component = bench.add(File(file, channel="in"))
        bench.until(lambda: bench.recorder.of("opened"))
        other = Bench()
        component.register(other.root)
        os.write(writing, b"hello")
        other.until(lambda: other.recorder.of("read"))
        assert other.recorder.of("read")[0].args == (b"hello",)
        component.unregister()
        other.until(lambda: component.parent is component)
        other.close()
    os.close(writing)


def test_the_standard_streams_are_components_from_the_start() -> None:
    assert {name: getattr(circuits.io, name).channel for name in ("stdin", "stdout", "stderr")} == {
        "stdin": "stdin",
        "stdout": "stdout",
        "stderr": "stderr",
    }
    assert all(getattr(circuits.io, name).closed for name in ("stdin", "stdout", "stderr"))


CAT = """
from circuits import Component, handler
from circuits.io import stderr, stdin, stdout, write
from circuits.io.events import close

class Cat(Component):
    def init(self):
        for stream in (stdin, stdout, stderr):
            stream.register(self)

    @handler("read", channel="stdin")
    def _on_read(self, data):
        self.fire(write(data), "stdout")

    @handler("eof", channel="stdin")
    def _on_eof(self):
        self.fire(write("done\\n"), "stderr")
        self.fire(close(), "stdout")

    @handler("closed", channel="stdout")
    def _on_closed(self):
        raise SystemExit(0)

print("first")
Cat().run()
print("last")
"""


def test_a_program_copies_its_input_to_its_output() -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    finished = run_program(CAT.replace("raise SystemExit(0)", "self.stop()"), stdin=text).check()
    assert finished.stdout == f"first\n{text}last\n"
    assert finished.stderr == "done\n"


def test_output_is_complete_when_the_program_stops_right_after_writing() -> None:
    program = """
from circuits import Component
from circuits.io import stdout, write

class App(Component):
    def init(self):
        stdout.register(self)

    def opened(self, *args):
        self.fire(write("x" * 1_000_000), "stdout")
        raise SystemExit(3)

App(channel="stdout").run()
"""
    finished = run_program(program)
    assert finished.returncode == 3
    assert finished.stdout == "x" * 1_000_000


def test_a_stream_that_is_not_there_is_an_error_and_nothing_else(bench: Bench) -> None:
    for missing in (None, io.StringIO()):
        bench.add(File(missing, channel="in"))
    bench.until(lambda: len(bench.recorder.of("error")) == 2)
    assert not bench.recorder.of("opened")
