"""Run a Python program in a process of its own, with the source of this repository on its path.

    run_program("print(input())", stdin="hello\\n").stdout == "hello\\n"

    with start_program(ROOT / "examples" / "chat.py") as chat:
        chat.wait_for("listening\\n")
        chat.interrupt()
        assert chat.finish().returncode == 0

Rule 1: nothing of the caller's Python settings reaches the program; it behaves the same on every machine.
Rule 2: no program outlives its test. What is still running at the end is killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from .waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["ROOT", "SRC", "Finished", "Running", "program_environment", "run_program", "start_program"]

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

#: A warning in a program is an error, as it is in a test.
OPTIONS = ("-W", "error")


@dataclass(frozen=True)
class Finished:
    """What a program left behind. A negative *returncode* is the signal that ended it."""

    returncode: int
    stdout: str
    stderr: str

    def check(self) -> Finished:
        """Return self, or fail with everything the program said when its exit code is not 0."""
        if self.returncode != 0:
            raise AssertionError(f"exit code {self.returncode}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}")
        return self


class Running:
    """A program that has started and not yet been waited for; `start_program` makes it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._outputs = process.stdin, (process.stdout, process.stderr)
        self._said = (bytearray(), bytearray())
        # One reader per stream, so that a program which says much on one never blocks on the other.
        self._readers = [
            threading.Thread(target=self._read, args=pair, daemon=True)
            for pair in zip(self._outputs, self._said, strict=True)
        ]
        for reader in self._readers:
            reader.start()

    @property
    def stdout(self) -> str:
        """What the program has printed so far."""
        return self._said[0].decode(errors="replace")

    @property
    def stderr(self) -> str:
        """What the program has complained about so far."""
        return self._said[1].decode(errors="replace")

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self.process.poll() is None

    def send(self, text: str) -> None:
        """Write *text* to the program's standard input."""
        self._stdin.write(text.encode())
        self._stdin.flush()

    def wait_for(self, text: str, timeout: float = 10.0) -> str:
        """Return all of stdout once *text* is in it; fail at once when the program ends without saying it.

        Put the line end into *text* before you interrupt: an unbuffered `print` writes it on its own, a moment later.
        """

        def has_said_it_or_ended() -> bool:
            return text in self.stdout or not any(reader.is_alive() for reader in self._readers)

        with contextlib.suppress(TimeoutError):  # the message below says more
            wait_until(has_said_it_or_ended, timeout)
        if text not in self.stdout:
            raise AssertionError(f"never said {text!r}\n-- stdout\n{self.stdout}\n-- stderr\n{self.stderr}")
        return self.stdout

    def interrupt(self) -> None:
        """Do what ^C does."""
        self.process.send_signal(signal.SIGINT)

    def finish(self, timeout: float = 10.0) -> Finished:
        """Close the program's standard input, wait for its end and return what it left behind."""
        with contextlib.suppress(BrokenPipeError):  # it did not want the rest of its input
            self._stdin.close()
        returncode = self.process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        return Finished(returncode, self.stdout, self.stderr)

    def close(self) -> None:
        """Kill the program if it still runs, and give back its descriptors."""
        if self.process.poll() is None:
            self.process.kill()
        self.finish()
        for stream in self._outputs:
            stream.close()

    @staticmethod
    def _read(stream: IO[bytes], said: bytearray) -> None:
        # Whatever is there, not line by line: a prompt has no line end.
        while chunk := os.read(stream.fileno(), 65536):
            said += chunk


def program_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a program: ours without Python's own variables, `src` as PYTHONPATH, and *changes*."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**environment, "PYTHONPATH": str(SRC), "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **(changes or {})}


@contextlib.contextmanager
def start_program(
    program: str | Path,
    *args: str,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    options: tuple[str, ...] = OPTIONS,
    pass_fds: tuple[int, ...] = (),
) -> Iterator[Running]:
    """Start *program* and hand it out while it runs; kill it at the end if it still does.

    Args:
        program: the text of a program, or the path of one.
        args: its arguments.
        env: variables to add to `program_environment()`.
        cwd: where it runs; an empty folder that is removed afterwards if None.
        options: for the interpreter.
        pass_fds: descriptors that the program has, too, under the same numbers.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = program if isinstance(program, Path) else _written(program, Path(folder))
        running = Running(
            subprocess.Popen(
                [sys.executable, *options, str(path), *args],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=program_environment(env),
                cwd=cwd or folder,
                pass_fds=pass_fds,
            )
        )
        try:
            yield running
        finally:
            running.close()


def run_program(
    program: str | Path,
    *args: str,
    stdin: str = "",
    timeout: float = 30.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    options: tuple[str, ...] = OPTIONS,
) -> Finished:
    """Run *program* to its end and return what it left behind; the arguments are those of `start_program`.

    Raises:
        subprocess.TimeoutExpired: it was still running after *timeout* seconds; it has been killed.
    """
    with start_program(program, *args, env=env, cwd=cwd, options=options) as running:
        with contextlib.suppress(BrokenPipeError):  # it ended without reading all of it
            running.send(stdin)
        return running.finish(timeout)


def _written(source: str, folder: Path) -> Path:
    """Return the path of a file in *folder* with *source* in it: tracebacks show its lines, and it can be spawned."""
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    return path
