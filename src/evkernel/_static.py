"""Show type checkers what nobody should import at run time.

`typing` takes twice as long to import as all of the standalone kernel does (7 ms against 4, measured), and
most of what it brings is only read by type checkers.
"""

from __future__ import annotations

#: Checkers take any name spelled like this for true.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol
else:

    class Protocol:
        """Be the base of a class that others match by their shape."""


__all__ = ["TYPE_CHECKING", "Protocol"]
