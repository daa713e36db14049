"""Which Origins may ask: the daemon's own pages and browser extensions, never a page of the web.

A missing Origin proves nothing (a browser leaves it out of many GETs): the token decides then.
"""

from __future__ import annotations

from satchel.api.guard.host import LOOPBACK

EXTENSIONS = ("chrome-extension://", "moz-extension://", "safari-web-extension://")


def is_allowed(origin: str | None, port: int) -> bool:
    if origin is None:
        return True
    return origin.lower() in {f"http://{name}:{port}" for name in LOOPBACK} or is_extension(origin)


def is_extension(origin: str) -> bool:
    return origin.startswith(EXTENSIONS)
