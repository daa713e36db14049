"""A secret's place in a text, and the mask that is put there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

MASK = "[{} masked by Satchel]"
_MASKED = re.compile(r"\[[A-Za-z0-9 -]{1,60} masked by Satchel\]")


class Secret(NamedTuple):
    """`text[start:end]` is to be hidden; `name` is what its mask calls it."""

    start: int
    end: int
    name: str


def holds_mask(text: str) -> bool:
    """Whether something was masked in `text`, or it begins within a mask: what the user told is not all there."""
    return "masked by Satchel]" in text


def hide(text: str, secrets: Iterable[Secret]) -> tuple[str, int]:
    """`text` with masks in place of `secrets`, and how many. Of two that overlap the earlier is hidden, and what
    touches a mask is left alone: so masking twice is masking once."""
    taken = [(mask.start(), mask.end()) for mask in _MASKED.finditer(text)] if holds_mask(text) else []
    kept: list[str] = []
    at = nearest = 0
    for secret in sorted(secrets):
        while nearest < len(taken) and taken[nearest][1] <= secret.start:
            nearest += 1
        if secret.start < at or (nearest < len(taken) and taken[nearest][0] < secret.end):
            continue
        kept += (text[at : secret.start], MASK.format(secret.name))
        at = secret.end
    return "".join((*kept, text[at:])), len(kept) // 2
