"""How many requests may be under way at once, for each client, and for all callers without a token together.

Event streams last for hours and do nothing meanwhile: they are counted apart, so that they neither use up what a client
may ask beside them nor grow without bound.
"""

from __future__ import annotations

from collections import Counter

CLIENT = 64
"""An import with as many senders as a large machine has cores; the store has one writer and few readers."""

STREAMS = 16
"""A browser's extension keeps one open; a second window, a program and what has not yet noticed its end fit beside."""

TOKENLESS = 32
"""Pairing waits for nothing, and its bodies were received before: more than this is a flood."""

EVENTS = "/v1/events"


def is_stream(path: str) -> bool:
    """As the router reads paths: slashes that are doubled or at the end do not count."""
    return "/" + "/".join(filter(None, path.split("/"))) == EVENTS


class UnderWay:
    """What is under way, by the name of who asked. Belongs to the event loop."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    def enter(self, who: str, limit: int) -> bool:
        """False where `limit` are under way already; else it counts until `leave`."""
        if self._count[who] >= limit:
            return False
        self._count[who] += 1
        return True

    def leave(self, who: str) -> None:
        self._count[who] -= 1
        if not self._count[who]:
            del self._count[who]
