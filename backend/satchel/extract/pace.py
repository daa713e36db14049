"""How fast turns are read, and how long the waiting ones will take."""

from __future__ import annotations

import math
from collections import deque

RECENT_TURNS = 50
"""Turns that are looked back on: enough for a long paste among greetings to even out."""


class Pace:
    """Measured over the last turns while they were read: waiting in between does not count."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=RECENT_TURNS)

    def add(self, seconds: float) -> None:
        """One more turn was read, in so many seconds."""
        self._seconds.append(seconds)

    @property
    def per_minute(self) -> float | None:
        """Turns a minute, to a tenth; None before the first."""
        taken = sum(self._seconds)
        return round(60 * len(self._seconds) / taken, 1) if taken > 0 else None

    def seconds_for(self, turns: int) -> int | None:
        """How long so many turns will take, in whole seconds; None while that cannot be told."""
        if turns == 0:
            return 0
        if not self._seconds:
            return None
        return math.ceil(turns * sum(self._seconds) / len(self._seconds))
