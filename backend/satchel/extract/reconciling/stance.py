"""What a statement affirms or denies, and of what: whether two say the same, and which a third one ends."""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from satchel.extract.language.english import listed
from satchel.extract.language.words import denials, plain, same, words
from satchel.extract.reconciling.slots import Slot, slots, wholly
from satchel.extract.reconciling.statement import DATED, USER, lemma, lemmas, read

SAME_MEANING = 0.86
"""Cosine from which two statements with the same content words count as one. Words decide; the vector only keeps
apart what happens to share them."""

SAME_WORDS = 0.55
"""The same for statements that differ in nothing but tense, order and synonyms."""

FULLER = 0.85
"""Cosine from which a statement with all words of another and some more counts as the same, told more fully."""

Likeness = Literal["same", "less", "more"]
"""How a new statement relates to a known one: says the same, says less of it, or says all of it and more."""

LIKES = frozenset(
    lemma(same(word)) for word in listed("like love enjoy adore prefer stand bear tolerate fan fond keen")
)
DISLIKES = frozenset(lemma(same(word)) for word in listed("hate dislike detest loathe despise"))
ASIDE = frozenset(
    lemma(same(word))
    for word in listed(
        "user now longer anymore more any still never no not cannot can't can actually others called named name since "
        "again also too currently recently just new as well said ask want always really get here there own day one"
        " time "
        "year month week please currently nowadays finally lately used use for is been long ago"
    )
) - {"more", "want", "use"}  # fmt: skip
HABITUAL = frozenset(
    lemma(same(word))
    for word in listed(
        "every morning evening night day daily week weekly often usually always regularly cup cups glass two three 2"
        " 3 4 5 "
        "few couple pack afternoon weekend weekends monday tuesday wednesday thursday friday saturday sunday main"
        " mainly "
        "mostly lot much twice once a all lots ten 10 lesson class classes lessons course"
    )
)
_DIVIDES = listed(
    "only never without except not if when before after unless until but no than over instead might maybe"
)


class Stance(msgspec.Struct, frozen=True):
    affirms: bool
    matter: tuple[str, ...]
    """The content words in order, without those that say how it is taken."""


@functools.lru_cache(maxsize=20_000)
def stance(text: str) -> Stance:
    """ "Can't stand liver" and "hates liver" deny the same."""
    form = read(text).text
    forms = lemmas(form)
    against = denials(form) + sum(form in DISLIKES for form in forms)
    kept = (form for form in forms if form not in LIKES | DISLIKES | ASIDE)
    return Stance(against % 2 == 0, tuple(kept))


@functools.lru_cache(maxsize=20_000)
def mode(text: str) -> str:
    """How a statement's first clause holds: "now", "plan" or "past"."""
    clauses = read(text).clauses
    return clauses[0].mode if clauses else "now"


def compares(text: str) -> bool:
    """Whether order matters: "prefers trains to planes"."""
    return re.search(r"\b(?:than|over|prefers?|rather|instead|from)\b", text, re.IGNORECASE) is not None


def plain_statement(text: str) -> str:
    return " ".join(plain(word).casefold() for word in words(DATED.sub("", text)))


def likeness(new: str, known: str, cosine: float, *, taste: bool) -> Likeness | None:
    """How `new` relates to `known`; None when they are two things. `taste`: either is a preference, where a word more
    ("green tea") is a narrower one and not a fuller account."""
    if plain_statement(new) == plain_statement(known):
        return "same"
    mine, theirs = stance(new), stance(known)
    if mode(new) != mode(known):
        return None
    by_slots = _by_slots(new, known)
    if by_slots is not None:
        return by_slots
    if set(mine.matter) != set(theirs.matter) and _subjects_differ(new, known):
        return None
    if mine.affirms != theirs.affirms or not mine.matter or not theirs.matter:
        return None
    ordered = compares(read(new).text) or compares(read(known).text)
    if mine.matter == theirs.matter or (not ordered and sorted(set(mine.matter)) == sorted(set(theirs.matter))):
        return "same" if cosine >= SAME_WORDS else None
    return _fuller(new, known, cosine, ordered=ordered, taste=taste)


def _subjects_differ(one: str, other: str) -> bool:
    first, second = (next((clause.subject for clause in read(text).clauses), USER) for text in (one, other))
    if "thing" in {first.relation, second.relation}:
        return False
    return not first.may_be(second) and first != second and "" not in {first.relation, second.relation}


def _by_slots(new: str, known: str) -> Likeness | None:
    mine, theirs = slots(new), slots(known)
    if not mine or not theirs:
        return None

    def held(ones: tuple[Slot, ...], others: tuple[Slot, ...]) -> bool:
        return all(
            (one.attribute == "marital" and any(other.attribute == "partner" for other in others))
            or any(
                one.same_matter(other)
                and (one.mode, one.denied) == (other.mode, other.denied)
                and set(one.value) <= set(other.value)
                for other in others
            )
            for one in ones
        )

    if any(one.passing and one.rest for one in mine) and wholly(known) and held(theirs, mine):
        return "less"  # what it says beside that was not said of the user for its own sake
    if any(one.passing and one.rest for one in theirs):
        return None
    less = wholly(new) and held(mine, theirs)
    more = wholly(known) and held(theirs, mine)
    if less and more:
        return "same"
    return "less" if less else "more" if more else None


def _fuller(new: str, known: str, cosine: float, *, ordered: bool, taste: bool) -> Likeness | None:
    mine, theirs = set(stance(new).matter), set(stance(known).matter)
    if not (mine < theirs or theirs < mine):
        return None
    less = mine < theirs
    short, long = (new, known) if less else (known, new)
    extra = (mine ^ theirs) - {lemma(same(word)) for word in words(read(short).text)}
    spoken = {word.casefold() for word in words(read(long).text)} - {
        word.casefold() for word in words(read(short).text)
    }
    if ordered or spoken & _DIVIDES:
        return None
    if not taste and _continues(read(short).text, read(long).text):
        return "less" if less else "more"
    told = any(form.isdigit() for form in extra) or _names(long) - _names(short)
    close = len(mine & theirs) >= 3 and cosine >= FULLER and not told and len(extra) <= 2
    return ("less" if less else "more") if close else None


def _names(text: str) -> set[str]:
    return {word.casefold() for word in words(read(text).text)[1:] if word[:1].isupper()}


_AFTER = re.compile(
    r"^(?:[,;]|(?:and|who|which|that|called|named|because|since|where|with|in|at|near|from|for)\b|(?-i:[A-Z]))", re.I
)


def _continues(short: str, long: str) -> bool:
    """Whether `long` is `short` with something after it that only adds: "has a dog" and "has a dog called Rex", not
    "has a cat" and "has a cat allergy"."""
    if not long.casefold().startswith(short.casefold()):
        return False
    return _AFTER.match(long[len(short) :].strip()) is not None


_NOW = re.compile(
    r"\b(?:now|nowadays|these days|from now on|instead|chang\w+|switch\w+|lately|since then|again)\b", re.IGNORECASE
)
REPLACES = 0.6
"""Cosine from which a statement that differs from another in one place, and says "now", replaces it."""
MAX_CHANGED = 3
"""Words in which it may differ."""


def replaces(new: str, known: str, cosine: float) -> bool:
    """Whether a word of change makes `new` what `known` was: "now prefers window seats" and "prefers aisle seats".

    They differ in one place, and share a content word beside the verb: "now likes tea" says nothing of coffee."""
    first, second = read(new), read(known)
    if cosine < REPLACES or not _NOW.search(first.text) or first.adds or not first.clauses or not second.clauses:
        return False
    mine, theirs = first.clauses[0], second.clauses[0]
    if (
        mine.mode != "now"
        or theirs.mode != "now"
        or mine.denied
        or theirs.denied
        or not mine.subject.may_be(theirs.subject)
    ):
        return False
    one, other = ([word.casefold() for word in words(clause.predicate)] for clause in (mine, theirs))
    start = _shared(one, other)
    end = _shared(one[start:][::-1], other[start:][::-1])
    changed, before = one[start : len(one) - end], other[start : len(other) - end]
    kept = {lemma(same(word)) for word in (*one[1:start], *one[len(one) - end :])} - HABITUAL - ASIDE
    kept &= set(lemmas(mine.predicate))
    return start > 0 and bool(kept) and 0 < len(changed) <= MAX_CHANGED and 0 < len(before) <= MAX_CHANGED


_SWITCHED = re.compile(
    r"^(?:has |have )?(?:switched|moved|changed|gone|went|converted)(?: \w+ly| over| back)* to (?P<new>.+?)"
    r" (?:for|at|in|with) (?P<what>.+)$",
    re.IGNORECASE,
)
_WITH = re.compile(
    r"^(?:uses?|does|runs?|writes?|works?|builds?|makes?|keeps?|codes?|plans?|has)\b(?P<what>.*?)"
    r"\b(?:uses?|in|on|with|using) (?P<old>[\w.+#' -]+)$",
    re.IGNORECASE,
)


def switched(new: str, known: str) -> bool:
    """ "Has switched to MicroPython for all boat things" ends "does all boat gadgets in Arduino": another means to do
    the same, the same being said in a word that both have."""
    for mine in read(new).clauses:
        change = _SWITCHED.match(mine.predicate)
        if change is None or mine.mode != "now" or mine.denied:
            continue
        for theirs in read(known).clauses:
            before = _WITH.match(theirs.predicate)
            if before is None or theirs.mode != "now" or theirs.denied or not mine.subject.may_be(theirs.subject):
                continue
            shared = (set(lemmas(change["what"])) & set(lemmas(before["what"]))) - HABITUAL - ASIDE
            if shared and not set(lemmas(change["new"])) & set(lemmas(before["old"])):
                return True
    return False


def _shared(one: list[str], other: list[str]) -> int:
    """How many words two begin with alike."""
    count = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        count += 1
    return count
