"""A name as it stands in a text: a word of its own, in any case, with its diacritics or without, in the possessive."""

from __future__ import annotations

import re
import unicodedata

from satchel.store.segment import CJK
from satchel.types import BadInputError

MAX_NAME = 200
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th"})
"""Letters that Unicode does not take for a letter with a mark."""
_CJK = re.compile(f"[{CJK}]")
_LETTERS = re.compile(r"[^\W_]+")


def fold(text: str) -> str:
    """Without case, and without marks on letters."""
    if text.isascii():
        return text.lower()
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return bare.casefold().translate(_PLAIN)


class Name:
    """Looks for one name. Raises BadInputError for what has too few letters to be one.

    Several words stand for a name where they follow one another, whatever stands between them but letters: "Anna Maria"
    is in "Anna-Maria". The possessive counts ("Anna's", "Annas"). In scripts without spaces the name is found wherever
    its characters stand.
    """

    def __init__(self, name: str) -> None:
        words = _LETTERS.findall(fold(name[: MAX_NAME + 1]))
        self._first = max(words, key=len, default="")
        if len(name) > MAX_NAME or (len("".join(words)) < 2 and not _CJK.search(name)):
            raise BadInputError(f"`name` must have two letters at the least, and {MAX_NAME} characters at the most.")
        pattern = r"[\W_]+".join(map(re.escape, words))
        self._pattern = re.compile(pattern if _CJK.search(name) else rf"(?<![^\W_]){pattern}s?(?![^\W_])")

    def stands_in(self, text: str | None) -> bool:
        if not text:
            return False
        folded = fold(text)
        return self._first in folded and self._pattern.search(folded) is not None
