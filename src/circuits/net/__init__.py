"""Sockets as components: `sockets` has them, `events` what they say and understand."""

__all__: list[str] = []
