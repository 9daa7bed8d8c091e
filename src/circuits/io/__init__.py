"""Files, the standard streams and child processes as components."""

from ._standard import stderr, stdin, stdout
from .events import close, open, seek, write  # noqa: A004 - documented names
from .file import File
from .process import Process

__all__ = ["File", "Process", "close", "open", "seek", "stderr", "stdin", "stdout", "write"]
