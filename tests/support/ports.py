"""Port numbers for programs that cannot be told "any port" and asked which one they got."""

from __future__ import annotations

import socket

__all__ = ["free_port"]


def free_port(host: str = "127.0.0.1") -> int:
    """Return a TCP port on *host* that nobody listened on a moment ago.

    Another program may take it in between. Where the server is ours, bind port 0 and ask it instead.
    """
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
    return port
