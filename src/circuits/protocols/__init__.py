"""Protocols as components: they turn what sockets read into events, and events into what sockets write."""

from .line import Line

__all__ = ["Line"]
