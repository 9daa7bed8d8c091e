"""Read addresses, and look up names without holding up a loop.

    "host:port" ──▶ split_host_port ──▶ (host, port) ──▶ numeric? ──▶ addresses
                                                            │ no
                                                            └──▶ look_up, in a thread ──▶ answer, back on the loop

Rule 1: a numeric address never costs a look-up.
Rule 2: the answer of a look-up comes as a callback of the loop, an error too; never on the thread that looked it up.
"""

from __future__ import annotations

import socket

from ._static import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Address", "Answer", "look_up", "numeric_address", "split_host_port"]

#: What the calls of a socket take: (host, port), and for IPv6 flow and scope.
Address = tuple[object, ...]
#: The addresses of a name, best first; or why there are none.
Answer = "list[Address] | OSError"


def split_host_port(text: str) -> tuple[str, int]:
    """Take "host:port" apart; the host may be empty, and an IPv6 address stands in brackets.

    Raises:
        ValueError: The text is nothing of the kind.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError(f"expected '[host]:port' for an IPv6 address, got {text!r}")
    if not colon or not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"expected 'host:port' with a port of 0-65535, got {text!r}")
    return host, int(port)


def numeric_address(family: int, host: str, port: int) -> Address | None:
    """Return the socket address for a numeric *host* of this family; None when it is a name, or of another family."""
    try:
        found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM, 0, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    return found[0][4]


def look_up(host: str, port: int, family: int, kind: int, answer: Callable[[list[Address] | OSError], None]) -> None:
    """Ask for the addresses of a name; *answer* is called on another thread, with them or with the error."""
    # Late: a program that knows its peers by number, as servers do, needs no threads.
    from threading import Thread

    def ask() -> None:
        try:
            found: list[Address] | OSError = [entry[4] for entry in socket.getaddrinfo(host, port, family, kind)]
        except OSError as error:
            found = error
        except UnicodeError as error:
            # What no encoding of host names can express.
            found = socket.gaierror(socket.EAI_NONAME, f"{host!r} is not the name of a host: {error}")
        answer(found)

    # A daemon: a look-up that hangs for minutes must not keep the program from ending.
    Thread(target=ask, name=f"look up {host}", daemon=True).start()
