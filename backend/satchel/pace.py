"""How fast things are worked off (turns read, texts embedded), and how long the waiting ones will take."""

from __future__ import annotations

import math
from collections import deque

RECENT = 50
"""Things that are looked back on: enough for a long paste among greetings to even out."""


class Pace:
    """Measured over the last things while they were worked on: waiting in between does not count."""

    def __init__(self, recent: int = RECENT) -> None:
        self._seconds: deque[float] = deque(maxlen=recent)

    def add(self, seconds: float) -> None:
        """One more was done, in so many seconds."""
        self._seconds.append(seconds)

    @property
    def per_minute(self) -> float | None:
        """How many a minute, to a tenth; None before the first."""
        taken = sum(self._seconds)
        return round(60 * len(self._seconds) / taken, 1) if taken > 0 else None

    def seconds_for(self, count: int) -> int | None:
        """How long so many will take, in whole seconds; None while that cannot be told."""
        if count == 0:
            return 0
        if not self._seconds:
            return None
        return math.ceil(count * sum(self._seconds) / len(self._seconds))
