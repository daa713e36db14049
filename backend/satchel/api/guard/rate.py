"""How often may be asked: a token bucket for each client, and one for each kind of caller without a token.

No import and no extension should ever feel it: a client may ask as often as the daemon can answer on a small machine,
and only a program that has gone wild asks more. Who has no token shares one bucket with all like it, for there is
nothing to tell them apart by; clients with a token are not touched when it is empty.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """`burst` at once, and `per_second` in the long run."""

    per_second: float
    burst: float


CLIENT = Rate(per_second=1000, burst=5000)
"""About what two cores answer of the cheapest calls; a burst is an import's first five seconds."""

OPEN = Rate(per_second=100, burst=500)
"""`/health` and the OpenAPI document, also preflights: a program that waits for the daemon may look every few
milliseconds."""

PAIRING = Rate(per_second=10, burst=200)
"""Asking to pair, and whether it is confirmed: five may wait, and each looks every second or two."""

UNKNOWN = Rate(per_second=50, burst=500)
"""No token, or one that nobody has. At this rate the 2^256 tokens last beyond all time; what it bounds is the work."""


class _Bucket:
    __slots__ = ("at", "left")

    def __init__(self, left: float, at: float) -> None:
        self.left = left
        self.at = at


class Rates:
    """The buckets by the name of who asks. `now` gives seconds that never go back. Belongs to the event loop.

    Names are ids of clients that are in the store, and a few fixed ones: there is nothing to clear out.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._buckets: dict[str, _Bucket] = {}

    def take(self, who: str, rate: Rate) -> float:
        """Counts one request: 0 where it may go on, else the seconds after which the next one may."""
        now = self._now()
        bucket = self._buckets.get(who)
        if bucket is None:
            bucket = self._buckets[who] = _Bucket(rate.burst, now)
        bucket.left = min(rate.burst, bucket.left + (now - bucket.at) * rate.per_second)
        bucket.at = now
        if bucket.left < 1:
            return (1 - bucket.left) / rate.per_second
        bucket.left -= 1
        return 0.0
