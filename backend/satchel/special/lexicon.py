"""Special categories by words alone: whole words, beginnings of words and phrases; see `english` and `chinese`.

A look-up a word, so that a text of thousands of characters takes well under a millisecond.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from satchel.special import chinese, english
from satchel.types import Category

CATEGORIES: tuple[Category, ...] = ("health", "politics", "religion", "sex")


class _Entry(NamedTuple):
    """The words of an entry, in order; `open`: the last one is only the beginning of a word."""

    category: Category
    words: tuple[str, ...]
    open: bool


_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile("[\u3400-\u9fff]")
_HARMLESS = re.compile(r"\b(?:" + "|".join(english.HARMLESS) + r")\b|" + "|".join(chinese.HARMLESS))
_SHORTEST = 3
"""Letters that a beginning has at the least."""


def _read() -> tuple[dict[str, list[_Entry]], dict[str, list[_Entry]]]:
    """Entries by their first word where that is whole, and by its first letters where it is open."""
    whole: dict[str, list[_Entry]] = {}
    beginnings: dict[str, list[_Entry]] = {}
    for category in CATEGORIES:
        for text in english.ENGLISH[category].split():
            # "kidney_*" leaves its second word wholly open, but asks for one.
            words = tuple(text.rstrip("*").split("_"))
            entry = _Entry(category, words, text.endswith("*"))
            if entry.open and len(words) == 1:
                beginnings.setdefault(words[0][:_SHORTEST], []).append(entry)
            else:
                whole.setdefault(words[0], []).append(entry)
    return whole, beginnings


_WHOLE, _BEGINNINGS = _read()
_CHINESE = tuple((category, re.compile("|".join(chinese.CHINESE[category].split()))) for category in CATEGORIES)


def by_words(text: str) -> frozenset[Category]:
    """The categories whose words stand in `text`; mostly none."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    found = _look_up(text)
    # What is harmless is seldom there, and costs more to find than all the rest.
    return _look_up(_HARMLESS.sub(" · ", text)) if found else found


def _look_up(text: str) -> frozenset[Category]:
    found: set[Category] = set()
    words = _WORD.findall(text)
    for place, word in enumerate(words):
        for entry in _WHOLE.get(word, ()):
            if _stands(entry, words[place : place + len(entry.words)]):
                found.add(entry.category)
        for entry in _BEGINNINGS.get(word[:_SHORTEST], ()):
            if word.startswith(entry.words[0]):
                found.add(entry.category)
    if _HAN.search(text):
        found.update(category for category, pattern in _CHINESE if pattern.search(text))
    return frozenset(found)


def _stands(entry: _Entry, words: list[str]) -> bool:
    *before, last = entry.words
    if len(words) < len(entry.words) or words[:-1] != before:
        return False
    return words[-1].startswith(last) if entry.open else words[-1] == last
