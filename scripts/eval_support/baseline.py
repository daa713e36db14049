"""The baseline that choosing is compared with: a pattern over how sentences begin, without a model."""

from __future__ import annotations

import re

NAME = "sentences that begin with I, My, I'm, I've, I'd, I'll"

_BEGINS = re.compile(r"\W*(?:i|my|i['’]m|i['’]ve|i['’]d|i['’]ll)\b", re.IGNORECASE)
_ENDS = re.compile(r"[.!?]+\s+|\n+")


def kept(turn: str) -> list[tuple[int, int]]:
    """`[start:end]` of the sentences that the pattern keeps, in their order."""
    starts = [0, *(match.end() for match in _ENDS.finditer(turn))]
    ends = [*starts[1:], len(turn)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if _BEGINS.match(turn, start, end)]


def keeps(turn: str, start: int, end: int) -> bool:
    """Whether a kept sentence overlaps `[start:end]` of the turn."""
    return any(first < end and last > start for first, last in kept(turn))


def beside(turn: str, start: int, end: int) -> int:
    """How many kept sentences lie apart from `[start:end]` of the turn."""
    return sum(not (first < end and last > start) for first, last in kept(turn))
