"""Many strings looked for at once in gigabytes.

`bytes.find` reads a gigabyte in a third of a second and more, for each string. From some strings on it is faster to
look once at every place, at the six bytes that stand there: most are the beginning of none of them, which a table of
bits tells, a page of numbers at a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHORTEST = 6
"""Bytes of a needle at the least: so many are compared at first."""

LONGEST = 48
"""Bytes of a needle that are compared: a pasted line is known by its beginning."""

FEW = 12
"""Needles up to which each is looked for by itself (measured: 0.4 s a gigabyte and needle, 5 s for any number)."""

_MASK = (1 << 8 * SHORTEST) - 1
_MIX = 0x9E3779B97F4A7C15
"""2^64 by the golden ratio: spreads the six bytes over the table (Knuth, multiplicative hashing)."""


class Needles:
    """Finds which of some byte strings stand in a buffer, in any case of their ASCII letters.

    Needles shorter than SHORTEST are left out; `found` gathers those seen in any buffer, which are looked for no more.
    """

    def __init__(self, needles: Iterable[bytes]) -> None:
        self.left = {needle[:LONGEST].lower() for needle in needles if len(needle) >= SHORTEST}
        self.found: set[bytes] = set()
        self._table: NDArray[np.bool_] | None = None
        self._built_for = -1

    def look(self, lowered: bytes) -> set[bytes]:
        """Those of the needles that are left which stand in this buffer, whose ASCII letters are lower-case."""
        if not self.left:
            return set()
        if len(self.left) <= FEW:
            seen = {needle for needle in self.left if needle in lowered}
        else:
            seen = self._look_at_all(lowered)
        self.found |= seen
        self.left -= seen
        return seen

    def _look_at_all(self, lowered: bytes) -> set[bytes]:
        import numpy as np

        self._build()
        assert self._table is not None
        padded = lowered + bytes(16)
        seen: set[bytes] = set()
        for offset in range(8):
            windows = np.frombuffer(padded, "<u8", (len(lowered) - offset + 7) // 8, offset) & np.uint64(_MASK)
            places = np.flatnonzero(self._table[(windows * np.uint64(_MIX)) >> self._shift])
            if not len(places):
                continue
            likely = windows[places]
            at = np.minimum(np.searchsorted(self._beginnings, likely), len(self._beginnings) - 1)
            true = self._beginnings[at] == likely
            for place, gram in zip(places[true].tolist(), at[true].tolist(), strict=True):
                start = place * 8 + offset
                seen.update(needle for needle in self._by_beginning[gram] if lowered.startswith(needle, start))
        return seen

    def _build(self) -> None:
        """The table for what is left; built anew when much was found, else what is common would be compared forever."""
        import numpy as np

        if len(self.left) == self._built_for:
            return
        self._built_for = len(self.left)
        grouped: dict[int, list[bytes]] = {}
        for needle in self.left:
            grouped.setdefault(int.from_bytes(needle[:SHORTEST], "little"), []).append(needle)
        ordered = sorted(grouped)
        bits = max(16, min(24, (len(ordered) * 16).bit_length()))
        self._shift = np.uint64(64 - bits)
        self._beginnings = np.array(ordered, np.uint64)
        self._by_beginning = [grouped[beginning] for beginning in ordered]
        self._table = np.zeros(1 << bits, np.bool_)
        self._table[(self._beginnings * np.uint64(_MIX)) >> self._shift] = True
