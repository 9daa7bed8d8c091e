"""What files and other descriptors say, and what they understand.

    ask them                             hear from them
    open()  write(data)  seek(offset)    ready(file)  opened(filename, mode)  read(data)  eof()
    close()                              closed()  error(error)

All of them are fired on the channel of the component.
"""

from __future__ import annotations

from circuits.core.events import Event

__all__ = ["close", "closed", "eof", "error", "open", "opened", "read", "ready", "seek", "write"]


class close(Event):
    """Ask a file to close, once everything that was written before has arrived."""


class closed(Event):
    """Tell that a file has been closed."""


class eof(Event):
    """Tell that the end of a file has been reached: nothing more will be read."""


class error(Event):
    """Tell that a file has failed.

    Args:
        args: (error).
    """


class open(Event):
    """Ask a file to open again after it was closed.

    Args:
        args: (filename, mode, bufsize); each may be left out and stays then as it was.
    """


class opened(Event):
    """Tell that a file has been opened.

    Args:
        args: (filename, mode).
    """


class read(Event):
    """Tell that data have been read.

    Args:
        args: (data): bytes, or text when the file has an encoding.
    """


class ready(Event):
    """Tell that a file component can be used: it is part of a tree now.

    Args:
        args: (file).
    """


class seek(Event):
    """Ask a file to go on somewhere else.

    Args:
        args: (offset, whence), with *whence* as for `os.lseek`, 0 if it is left out.
    """


class write(Event):
    """Ask a file to write.

    Args:
        args: (data): bytes or text.
    """
