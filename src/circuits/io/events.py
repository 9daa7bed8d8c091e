"""What files, processes and watched paths say, and what they understand.

                 ask them                           hear from them
    files        open()  write(data)                ready(file)  opened(filename, mode)  read(data)  eof()
                 seek(offset)  close()              closed()  error(error)
    processes    write(data)  close()               started(process)  terminated(process), see `process`
    paths                                           accessed  closed  created  deleted  modified  moved
                                                    opened  unmounted, see `notify`

All of them are fired on the channel of the component.
"""

from __future__ import annotations

from circuits.core.events import Event

__all__ = [
    "accessed",
    "close",
    "closed",
    "created",
    "deleted",
    "eof",
    "error",
    "modified",
    "moved",
    "open",
    "opened",
    "read",
    "ready",
    "seek",
    "started",
    "stopped",
    "unmounted",
    "write",
]


class accessed(Event):
    """Tell that a watched file has been read from.

    Args:
        args: (name, path, fullpath, isdir): the name, the folder it is in, both together, and whether it is a folder.
    """


class close(Event):
    """Ask a file to close, once everything that was written before has arrived."""


class closed(Event):
    """Tell that a file has been closed.

    Args:
        args: none from a file component; (name, path, fullpath, isdir) of a watched file that somebody had open.
    """


class created(Event):
    """Tell that something has appeared in a watched folder.

    Args:
        args: (name, path, fullpath, isdir).
    """


class deleted(Event):
    """Tell that something has gone from a watched folder, or that what is watched has gone itself.

    Args:
        args: (name, path, fullpath, isdir).
    """


class eof(Event):
    """Tell that the end of a file has been reached: nothing more will be read."""


class error(Event):
    """Tell that a file has failed.

    Args:
        args: (error).
    """


class modified(Event):
    """Tell that the contents, the owner, the rights or the times of something that is watched have changed.

    Args:
        args: (name, path, fullpath, isdir).
    """


class moved(Event):
    """Tell that something has a new name or a new place among what is watched.

    Args:
        args: (name, path, fullpath, isdir), where it is now.

    Attributes:
        old_fullpath: the full path it had before.
    """

    old_fullpath = ""


class open(Event):
    """Ask a file to open again after it was closed.

    Args:
        args: (filename, mode, bufsize); each may be left out and stays then as it was.
    """


class opened(Event):
    """Tell that a file has been opened.

    Args:
        args: (filename, mode) from a file component; (name, path, fullpath, isdir) of a watched file.
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


class started(Event):
    """Tell that a process has been started.

    A handler of `started` on every channel hears this as well as that its own program has begun to run: the argument
    tells which of the two it is.

    Args:
        args: (process).
    """


class stopped(Event):
    """Stand for the end of something that was started. Nothing here fires it: to most programs it means their own end.

    Args:
        args: (component).
    """


class unmounted(Event):
    """Tell that the file system of a watched path is no longer there; the path is not watched any more.

    Args:
        args: (name, path, fullpath, isdir).
    """


class write(Event):
    """Ask a file to write.

    Args:
        args: (data): bytes or text.
    """
