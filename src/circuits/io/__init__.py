"""Files and the standard streams as components."""

from ._standard import stderr, stdin, stdout
from .events import close, open, seek, write  # noqa: A004 - documented names
from .file import File

__all__ = ["File", "close", "open", "seek", "stderr", "stdin", "stdout", "write"]
