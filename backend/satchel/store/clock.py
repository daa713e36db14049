"""Ids and clocks of rows that travel between devices.

The hybrid logical clock is that of Kulkarni et al., "Logical Physical Clocks" (2014): wall-clock milliseconds with
a counter that keeps it rising when the wall clock stands still or is set back.
"""

from __future__ import annotations

import uuid_utils

COUNTER_LIMIT = 0xFFFF


def new_id() -> str:
    """A UUIDv7 (RFC 9562) in text form: sorts by time of creation."""
    return str(uuid_utils.uuid7())


class HybridClock:
    """Hands out clock values `<ms, 13 digits>-<counter, 4 hex digits>-<device>`, each greater than the last.

    `last` is the greatest value known so far ("" for none). Not thread-safe: the writer owns it.
    """

    def __init__(self, device: str, last: str = "") -> None:
        self.device = device
        self._ms, self._counter = 0, 0
        if last:
            self.observe(last)

    def observe(self, value: str) -> None:
        """Never fall behind a value seen elsewhere."""
        ms, counter, _ = value.split("-", 2)
        self._ms, self._counter = max((self._ms, self._counter), (int(ms), int(counter, 16)))

    def tick(self, now: int) -> str:
        if now > self._ms:
            self._ms, self._counter = now, 0
        elif self._counter < COUNTER_LIMIT:
            self._counter += 1
        else:
            self._ms, self._counter = self._ms + 1, 0
        return f"{self._ms:013d}-{self._counter:04x}-{self.device}"
