"""Files and the standard streams as components."""

from typing import TYPE_CHECKING

from .events import close, open, seek, write  # noqa: A004 - documented names
from .file import File

if TYPE_CHECKING:
    stdin: File
    stdout: File
    stderr: File

__all__ = ["File", "close", "open", "seek", "stderr", "stdin", "stdout", "write"]


def __getattr__(name: str) -> File:
    """Make the component of a standard stream when it is first asked for: most programs never do."""
    if name not in ("stdin", "stdout", "stderr"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import sys  # here: see above

    component = File(getattr(sys, name), mode="r" if name == "stdin" else "w", channel=name)
    globals()[name] = component
    return component
