"""Protocols as components: they turn what sockets read into events, and events into what sockets write."""

from .irc.protocol import IRC
from .line import Line

__all__ = ["IRC", "Line"]
