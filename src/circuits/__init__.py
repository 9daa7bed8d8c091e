"""Components that fire and handle events."""

__version__ = "4.0.0.dev0"
