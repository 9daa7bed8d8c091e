"""The standard streams as components, each on a channel of its name.

Making them touches nothing: a file is opened when its component comes into a tree.
"""

from __future__ import annotations

import sys

from .file import File

__all__ = ["stderr", "stdin", "stdout"]

stdin = File(sys.stdin, channel="stdin")
stdout = File(sys.stdout, "w", channel="stdout")
stderr = File(sys.stderr, "w", channel="stderr")
