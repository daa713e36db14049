"""Does a statement say what its quote says? Content words are compared both ways.

The comparison is strict on purpose: the same content words in the same order, the same negations, the same
tense, the same subject. What differs is not judged, it is refused, and the plainer wording is used instead.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import content, denials, is_about_the_past, plain, words

How = Literal["model", "rule", "quote"]
Problem = Literal["added", "lost", "order", "negation", "tense", "subject", "empty"]

_DATE = r"(?:week of |weekend of )?\d{4}(?:-\d\d){0,2}"
_BRACKETED = re.compile(rf"\s*\[{_DATE}(?:, {_DATE})*\]")
_FRAME = frozenset({"user", "other", "assistant"})
"""Content words that the third person brings along: "the user and others", "the assistant" for "you"."""
_YOU = listed("you your yourself")
_CHANGES_PLACES = listed("bit lot kind sort")
_I_SUBJECT = re.compile(r"\b(?:I|i|I'm|i'm|im|I've|i've|I'd|i'd|I'll|i'll|we|We|we're|We're|we've|We've)\b")
_USER_SUBJECT = re.compile(r"^The user (?!said: |asks: )", re.I)
_RELATIVE = re.compile(r"\b(?:who|whom|whose|that|which|named|called)\b")


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a statement; nothing, when `problems` is empty."""

    problems: tuple[Problem, ...] = ()
    added: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.problems


def check(statement: str, quote: str, *, context: str = "", dates: tuple[str, ...] = ()) -> Finding:
    """Compare `statement` with the `quote` it rests on.

    `context` may lend words (the options an assistant offered) but none of its words are required. `dates`
    are the resolved dates that may stand in square brackets; any other bracketed date counts as added."""
    added_dates = tuple(
        date
        for found in _BRACKETED.finditer(statement)
        for date in found[0].strip()[1:-1].split(", ")
        if date not in dates
    )
    bare = _BRACKETED.sub("", statement)
    said, meant = content(bare), content(quote)
    if "assistant" in said:
        meant = [word for word in meant if word not in _YOU]
    lent = set(content(context)) | _FRAME
    known = set(meant)
    added = tuple(word for word in said if word not in known and word not in lent)
    kept = set(said)
    lost = tuple(word for word in meant if word not in kept and word not in _CHANGES_PLACES)
    problems: list[Problem] = []
    if not bare.strip():
        problems.append("empty")
    if added or added_dates:
        problems.append("added")
    if lost:
        problems.append("lost")
    elif not _in_order(meant, said):
        problems.append("order")
    if denials(bare) != denials(quote) and not (context and denials(bare) >= denials(quote)):
        problems.append("negation")
    if not context and is_about_the_past(bare) != is_about_the_past(quote):
        problems.append("tense")
    if _turns_subject(plain(bare), plain(quote)):
        problems.append("subject")
    return Finding(problems=tuple(problems), added=added + added_dates, lost=lost)


def _in_order(meant: list[str], said: list[str]) -> bool:
    """Whether `meant` is a subsequence of `said`: "trains to planes" is not "planes to trains"."""
    rest = iter(said)
    return all(word in rest for word in meant if word not in _CHANGES_PLACES)


def _turns_subject(statement: str, quote: str) -> bool:
    """Whether what is said of somebody else ("my father used to work") has become something said of the
    user."""
    if _I_SUBJECT.search(quote) or re.match("me and ", quote, re.I) or not re.search(r"\b(?:my|our)\b", quote, re.I):
        return False
    first = next(iter(words(quote)), "").casefold()
    if (
        not _USER_SUBJECT.match(statement)
        or first in english.PREPOSITIONS
        or re.search(r"\bfor (?:me|us)\b", quote, re.I)
    ):
        return False
    return not (re.match(r"The user (?:has|had)\b", statement) and _RELATIVE.search(statement))


def quote_check(statement: str, quote: str, *, context: str = "") -> bool:
    """Whether a statement of the form `The user said: “…”` holds the quote's words, all of them and in order.

    `context` may lend the words before the quotation, as in `The user said of their daughter Mia: “…”`."""
    said, meant = content(statement)[1:], content(quote)
    lent = content(context)
    ahead = said[: len(said) - len(meant)]
    return said[len(ahead) :] == meant and ahead[:1] in (["said"], ["ask"]) and all(word in lent for word in ahead[1:])
