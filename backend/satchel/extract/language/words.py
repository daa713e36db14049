"""Words as they are compared: what a text's content words are, and whether it denies something."""

from __future__ import annotations

import re

from satchel.extract.language.english import FUNCTION_WORDS, NEGATIONS, PAST_AUXILIARIES

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W_])+(?:['.\-/](?:(?![{_CJK}])[^\W_])+)*")
_CHINESE_FUNCTION = frozenset("我的了是在和也都很就用户")
_POSSESSIVE = re.compile(r"(?<=\w)'s$")


def plain(text: str) -> str:
    """`text` with typographic apostrophes and dashes as ASCII; the same number of code points."""
    return text.translate(_PLAIN)


_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "‐": "-", "‑": "-", "–": "-", "—": "-"})


def words(text: str) -> list[str]:
    """The words of `text`, as written; numbers and "T-shirt", "can't", "3.5" are one word, a CJK character
    too."""
    return _WORD.findall(plain(text))


def same(word: str) -> str:
    """The form under which two words count as the same: case, possessive and a final -s do not matter.

    "carries" meets "carry", "houses" meets "house" (both lose their silent e). Tense does matter: "worked"
    and "work" stay apart. The form is for comparing only."""
    form = _POSSESSIVE.sub("", plain(word).casefold())
    if len(form) < 3 or not form.isascii():
        return form
    if form.endswith("ies") and len(form) > 4:
        return form[:-3] + "y"
    if form.endswith("es") and len(form) > 3:
        return form[:-2]
    if form.endswith("s") and not form.endswith("ss") and len(form) > 3:
        form = form[:-1]
    return form.removesuffix("e")


def is_content(word: str) -> bool:
    """Whether a word carries something of its own, rather than grammar."""
    lower = _POSSESSIVE.sub("", plain(word).casefold())
    return lower not in FUNCTION_WORDS and word not in _CHINESE_FUNCTION


def content(text: str) -> list[str]:
    """The content words of `text` in order, each in the form that `same` gives."""
    return [same(word) for word in words(text) if is_content(word)]


def denials(text: str) -> int:
    """How many negations `text` holds ("not", "never", "can't", "no longer", 不, 没)."""
    return sum(plain(word).casefold() in NEGATIONS or word in "不没别未" for word in words(text))


def is_about_the_past(text: str) -> bool:
    """Whether an auxiliary puts `text` in the past."""
    return any(plain(word).casefold() in PAST_AUXILIARIES for word in words(text))
