"""Who may ask. An ASGI wrapper around the whole app, so that no path is in front of it."""

from satchel.api.guard.guard import Guard

__all__ = ["Guard"]
