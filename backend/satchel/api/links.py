"""Links that open the dashboard: each is good once, for a minute, in one browser.

Nothing of this is on disk: a daemon that starts again has forgotten them, and `satchel open` makes another.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable

from satchel.types import SatchelError

LIFETIME_SECONDS = 60
"""A browser that has yet to start takes some ten on a slow machine."""
MAX_WAITING = 8
"""A new one pushes out the oldest."""


class LinkGoneError(SatchelError):
    status = 410
    title = "The link is over"

    def __init__(self) -> None:
        super().__init__("This link was used, or is older than a minute; run `satchel open` again.")


class Links:
    """`now` gives seconds that never go back. Belongs to the event loop."""

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[str, float] = {}
        """Codes with when they end."""

    def make(self) -> str:
        """A new code of 256 random bits."""
        while len(self._waiting) >= MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        code = secrets.token_urlsafe(32)
        self._waiting[code] = self._now() + LIFETIME_SECONDS
        return code

    def take(self, code: str) -> None:
        """Uses a code up. Raises LinkGoneError."""
        found = [one for one in self._waiting if hmac.compare_digest(one.encode(), code.encode())]
        for one in found:
            if self._waiting.pop(one) > self._now():
                return
        raise LinkGoneError
