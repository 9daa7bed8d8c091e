"""Who is measured, and the environment of each: `.venvs/<peer>`, made on demand, with the packages named here."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PEERS", "Peer", "UnavailableError"]

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / ".venvs"


class UnavailableError(Exception):
    """The environment of a peer cannot be made here."""


@dataclass(frozen=True)
class Peer:
    """One implementation to measure."""

    name: str
    #: What pip installs; nothing for the standard library and for source trees.
    requirement: str = ""
    #: Source tree to import from.
    source: Path | None = None

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        return ENVIRONMENTS / self.name.replace(" ", "-") / "bin" / "python"

    def prepare(self) -> None:
        """Make the environment, unless it is there already for this Python and requirement.

        Raises:
            UnavailableError: pip could not install the requirement.
        """
        folder = self.python.parent.parent
        mark, wanted = folder / "made-for.txt", f"{sys.version} {self.requirement}"
        if mark.exists() and mark.read_text() == wanted:
            return
        venv.create(folder, clear=True, symlinks=True, with_pip=bool(self.requirement))
        if self.requirement:
            install = [str(self.python), "-m", "pip", "install", "--quiet", "--only-binary=:all:", self.requirement]
            done = subprocess.run(install, capture_output=True, text=True)
            if done.returncode:
                lines = done.stderr.strip().splitlines() or ["no message"]
                raise UnavailableError(f"pip install {self.requirement}: {lines[-1]}")
        mark.write_text(wanted)

    def environment(self) -> dict[str, str]:
        """Variables of its processes: no paths but its own."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        if self.source is not None:
            variables["PYTHONPATH"] = str(self.source)
        return variables


#: In the order of the tables. `base` is another source tree of ours, given on the command line.
PEERS = {
    peer.name: peer
    for peer in (
        Peer("ours"),
        Peer("base"),
        Peer("release", "circuits==3.2.5"),
        Peer("blinker", "blinker==1.9.0"),
        Peer("pyee", "pyee==13.0.1"),
        Peer("asyncio"),
        Peer("asyncio streams"),
        Peer("uvloop", "uvloop==0.23.0"),
        Peer("gevent", "gevent==26.9.0"),
        Peer("epoll"),
        Peer("floor"),
    )
}
