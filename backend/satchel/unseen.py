"""Characters that show as nothing or turn the text around them: what they carry nobody sees.

Two joiners are letters' own business in Persian or Hindi, and hold emoji together; whether they are meant is told by
what stands beside them.
"""

from __future__ import annotations

import re
import unicodedata

BLANKS = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff"
"""Variation selectors, tags, and the letters without a shape, as the inside of a character class."""

JOINERS = "\u200c\u200d"
SELECTORS = "\ufe0e\ufe0f"

_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_BLANK = re.compile(f"[{BLANKS}]")


_DROPPED = re.compile(f"[{BLANKS}\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]+")


def without(text: str) -> str:
    """`text` as it is seen, emoji and joined letters fallen apart; the very same where nothing is hidden in it."""
    return text if text.isascii() else _DROPPED.sub("", text)


def first(text: str) -> int | None:
    """Where in `text` the first character stands that nobody sees, None where there is none.

    A joiner, or a selector of an emoji's look, counts as seen where it has a letter or sign that is not ASCII on its
    left, and a joiner on its right too.
    """
    if text.isascii():
        return next((at for at, c in enumerate(text) if not c.isprintable()), None)
    for at, c in enumerate(text):
        if c in JOINERS or c in SELECTORS:
            beside = text[at - 1 : at] + (text[at + 1 : at + 2] or "x" if c in JOINERS else "")
            if beside and not any(other.isascii() or other in JOINERS for other in beside):
                continue
            return at
        if unicodedata.category(c) in _CATEGORIES or _BLANK.match(c):
            return at
    return None
