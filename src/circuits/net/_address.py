"""Turn what a person writes into what a socket takes: a port, "host:port", a tuple, a path."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

from evkernel.address import split_host_port

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["name_host", "parse_ipv4_parameter", "parse_ipv6_parameter"]

#: Tells how this machine is called; `sockets` puts a function here that programs can replace there.
_own_name: Callable[[], str] = socket.gethostname


def name_host(own_name: Callable[[], str]) -> None:
    """Have *own_name* asked for the name of this machine."""
    global _own_name
    _own_name = own_name


def parse_ipv4_parameter(bind_parameter: Any) -> Any:
    """Give the address to bind to.

    Args:
        bind_parameter: a port, for the address that the name of this machine has (all addresses when it has none);
            "host:port"; or an address, which stays as it is.

    Raises:
        ValueError: for text that is no address.
    """
    if isinstance(bind_parameter, int):
        try:
            return socket.gethostbyname(_own_name()), bind_parameter
        except OSError:
            return "0.0.0.0", bind_parameter
    return _parse(bind_parameter)


def parse_ipv6_parameter(bind_parameter: Any) -> Any:
    """Give the address to bind to.

    Args:
        bind_parameter: a port, for all addresses; "[host]:port"; or an address, which stays as it is.

    Raises:
        ValueError: for text that is no address.
    """
    if isinstance(bind_parameter, int):
        return "::", bind_parameter
    return _parse(bind_parameter)


def _parse(bind_parameter: Any) -> Any:
    if isinstance(bind_parameter, str):
        return split_host_port(bind_parameter)
    return tuple(bind_parameter)
