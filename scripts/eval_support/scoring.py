"""What is right and what is wrong among the memories that were made: functions of values, without a model.

The words are compared by rules of this module's own, not by those of `checking.check`: a hole in the check
would not show in a measure that has the same hole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.extract.language.english import listed
from satchel.times import to_iso
from satchel.types import Kind, Role, Status

PREFERENCES: frozenset[Kind] = frozenset({"explicit_preference", "implicit_preference"})
LIVING: frozenset[Status] = frozenset({"candidate", "active", "resolving"})
ACTIVE: frozenset[Status] = frozenset({"active"})
WHOLE = 0.9
"""From this share of a turn's code points on, a quote is merely the whole turn."""
SAME_MEANING = 0.9
"""The cosine from which two memories with the same content words say the same."""


class Place(msgspec.Struct, frozen=True):
    """One source of a memory: `quote` is `[start:end]` of the conversation's turn number `turn`."""

    turn: int
    start: int
    end: int
    quote: str
    role: Role = "user"


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A memory as the store holds it, with its places in the conversation that gave it, first the one it rests on.

    `how` it was worded: "rule", "model" or "quote"; `correction`: it was flagged as correcting what was said before.
    `elsewhere`: the quotes of its sources in other conversations.
    """

    kind: Kind
    text: str
    places: tuple[Place, ...]
    status: Status = "active"
    event_time: int | None = None
    how: str = "rule"
    correction: bool = False
    elsewhere: tuple[str, ...] = ()


class Gold(msgspec.Struct, frozen=True, kw_only=True):
    """A memory that should come of `[start:end]` of a turn. `date`: "2026-03-13", "2026-03" or "2026"."""

    turn: int
    start: int
    end: int
    kind: Kind
    statement: str = ""
    correction: bool = False
    date: str | None = None


class Match(msgspec.Struct, frozen=True):
    """A gold memory and the made one that holds most of its quote; None when there is none."""

    gold: Gold
    made: Made | None


class Judged(msgspec.Struct, frozen=True):
    """`extra`: the living memories that rest on no gold quote. What a later turn replaced counts for its gold memory,
    and against nobody."""

    matches: tuple[Match, ...]
    extra: tuple[Made, ...]
    fitting: int
    """How many memories rest on some gold quote."""

    @property
    def right(self) -> bool:
        """Every gold memory is found, and nothing else is made."""
        return not self.extra and all(match.made is not None for match in self.matches)


def overlap(made: Made, turn: int, start: int, end: int) -> int:
    """How many code points of `[start:end]` of the user's turn `turn` the memory's sources hold."""
    return sum(
        max(0, min(place.end, end) - max(place.start, start))
        for place in made.places
        if place.turn == turn and place.role == "user"
    )


def judge(golds: Sequence[Gold], made: Sequence[Made]) -> Judged:
    """Compares what one conversation gave with what it should give.

    One memory may be the find of several gold ones (one sentence that says two things), and several of one.
    """
    matches = tuple(Match(gold, _best(gold, made)) for gold in golds)
    fitting = [one for one in made if any(overlap(one, gold.turn, gold.start, gold.end) for gold in golds)]
    extra = tuple(one for one in made if one.status in LIVING and one not in fitting)
    return Judged(matches, extra, len(fitting))


def _best(gold: Gold, made: Sequence[Made]) -> Made | None:
    sizes = [overlap(one, gold.turn, gold.start, gold.end) for one in made]
    if not any(sizes):
        return None
    return max(zip(made, sizes, strict=True), key=lambda pair: (pair[1], pair[0].kind == gold.kind))[0]


def turns_of(made: Sequence[Made]) -> set[int]:
    """The user's turns that memories rest on first of all."""
    firsts = (next((place for place in one.places if place.role == "user"), None) for one in made)
    return {place.turn for place in firsts if place is not None}


def is_misattributed(made: Made) -> bool:
    """Whether a memory rests first of all on, or only on, what somebody else than the user said."""
    return not made.places or made.places[0].role != "user"


def dated_right(match: Match) -> bool:
    """Whether the found memory's time lies in the gold one's day, month or year."""
    gold, made = match.gold, match.made
    if made is None or made.event_time is None or gold.date is None:
        return False
    return to_iso(made.event_time).startswith(gold.date)


def is_whole(made: Made, turn: int, length: int) -> bool:
    """Whether the memory merely quotes its turn of `length` code points."""
    return any(place.turn == turn and place.end - place.start >= WHOLE * length for place in made.places)


# Faithfulness


class Faith(msgspec.Struct, frozen=True):
    """What a statement does to its quote. `negation`: it denies more or less than its words do."""

    added: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    negation: bool = False


_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])[^\W_])+(?:['.\-/](?:(?![{_CJK}])[^\W_])+)*")
_DATED = re.compile(r"\s*\[(?:(?:week of |weekend of )?\d{4}(?:-\d\d){0,2}(?:, )?)+\]")
_GRAMMAR = listed(
    "a an the i me my mine myself we us our ours ourselves you your yours yourself he him his she her hers it its "
    "they them their theirs themselves this that these those who whom whose which what and or but if so as than then "
    "too also because while when where there here of in on at by to from for with without about into over up down "
    "out off am is are was were be been being have has had having do does did doing done will would shall should can "
    "could may might must i'm i've i'd i'll we're we've we'd we'll it's that's she's he's they're there's im ive "
    "id ill well oh ok okay yeah yes just not no never none nobody nothing neither nor cannot 我 的 了 是 在 和 "
    "也 都 很 就 不 没"
)
_FRAME = listed("user said say ask asks assistant other others prefer wants chose 用 户")
"""Content words that the third person brings along: "The user may prefer", "The user said"."""
_DENIALS = listed(
    "not no never none nobody nothing nowhere neither nor without cannot cant dont wont isnt arent wasnt werent "
    "doesnt didnt hasnt havent hadnt couldnt wouldnt shouldnt 不 没 别"
)


def faith_of(made: Made) -> Faith:
    """Compares a memory with the user's words it rests on first of all; what stands in any other source is held too.

    The others are an assistant's question or offer, an antecedent, or where the same was said before.
    """
    rests_on = next((place for place in made.places if place.role == "user"), made.places[0])
    others = [place.quote for place in made.places if place is not rests_on]
    inferred = made.kind == "implicit_preference"
    return faith(made.text, rests_on.quote, [*others, *made.elsewhere], inferred=inferred)


def faith(text: str, quote: str, others: Sequence[str] = (), *, inferred: bool = False) -> Faith:
    """Compares a statement with the quote it rests on; `others` (further sources) may lend words.

    Resolved dates in square brackets are no addition: whether they are right is judged against the gold date. What
    is `inferred` ("The user may prefer ...") says less than the choice it rests on: it loses nothing.
    """
    bare = _DATED.sub("", text)
    said, meant = _content(bare), _content(quote)
    lent = {_stem(word) for word in _FRAME} | {word for other in others for word in _content(other)}
    added = tuple(word for word in said if word not in meant and word not in lent)
    lost = () if inferred else tuple(word for word in meant if word not in said)
    denied = _denials(bare)
    negation = denied != _denials(quote) and denied != _denials(" ".join((quote, *others)))
    return Faith(added, lost, negation)


def content(text: str) -> list[str]:
    """The content words of a text, in their order, under a form in which "lives" meets "live"."""
    return _content(text)


_PLAIN = str.maketrans("’‘–—", "''--")


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold().translate(_PLAIN))


def _content(text: str) -> list[str]:
    return [_stem(word) for word in _words(text) if word not in _GRAMMAR and not _denies(word)]


def _stem(word: str) -> str:
    word = word.removesuffix("'s")
    if not word.isascii() or len(word) < 3:
        return word
    for ending in ("ies", "ied", "es", "ed", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 2 and not word.endswith(("ss", "eed")):
            return word.removesuffix(ending) + ("i" if ending in {"ies", "ied"} else "")
    return word[:-1] + "i" if word.endswith("y") and word[-2] not in "aeou" else word


def _denials(text: str) -> int:
    return sum(map(_denies, _words(text)))


def _denies(word: str) -> bool:
    return word in _DENIALS or word.endswith("n't")


# What is current


def holds(text: str, words: Sequence[str]) -> bool:
    """Whether one of `words` stands in `text` as a word of its own (CJK: anywhere)."""
    return any(
        re.search(rf"(?<!\w){re.escape(word)}s?(?!\w)" if word.isascii() else re.escape(word), text, re.IGNORECASE)
        for word in words
    )


def still_wrong(texts: Sequence[str], right: Sequence[str], wrong: Sequence[str]) -> list[str]:
    """The texts that hold a `wrong` value as if it were so: "moved from Lisbon to Porto" holds the right one too, and
    "when the user still lived in Lisbon" speaks of the past."""
    return [text for text in texts if holds(text, wrong) and not holds(text, right) and not _OF_THE_PAST.search(text)]


_OF_THE_PAST = re.compile(r"\bwhen the user (?:still )?(?:lived|worked|had|was)\b|\bused to\b|\bformer", re.IGNORECASE)


_OTHERS = re.compile(
    r"(?:the user said:? )?[“\"]?(?:the user['’]s|my|an?|the) (?:[\w-]+ ){0,2}?"
    r"(?:boss|manager|supervisor|colleague|coworker|co-worker|client|customer|teacher|tutor|coach|friend|neighbou?r|"
    r"flatmate|roommate|landlord|landlady|bloke|guy|stranger)\b",
    re.IGNORECASE,
)


def said_of_another(text: str) -> bool:
    """Whether a statement begins with somebody outside the user's family: their boss, friend, neighbour, ..."""
    return _OTHERS.match(text) is not None


class Absence(msgspec.Struct, frozen=True, kw_only=True):
    """The texts that hold words which no memory should say of the user: those that do, and those of somebody else."""

    about: str
    of_user: tuple[str, ...] = ()
    of_others: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        return not self.of_user


def absence(about: str, words: Sequence[str], texts: Sequence[str]) -> Absence:
    """Looks for a word that begins with one of `words` in the texts of the living memories."""
    holding = [text for text in texts if holds_beginning(text, words)]
    return Absence(
        about=about,
        of_user=tuple(text for text in holding if not said_of_another(text)),
        of_others=tuple(text for text in holding if said_of_another(text)),
    )


def holds_beginning(text: str, words: Sequence[str]) -> bool:
    """Whether a word of `text` begins with one of `words`: "skydiv" stands in "skydiver" (CJK: anywhere)."""
    return any(
        re.search((r"(?<!\w)" if word.isascii() else "") + re.escape(word), text, re.IGNORECASE) for word in words
    )


def duplicates(texts: Sequence[str], vectors: NDArray[np.float32]) -> list[tuple[str, str]]:
    """Pairs that say the same: the same content words, and unit vectors that are near each other."""
    words = [sorted(set(_content(text))) for text in texts]
    return [
        (texts[one], texts[other])
        for one in range(len(texts))
        for other in range(one + 1, len(texts))
        if words[one] == words[other] and float(vectors[one] @ vectors[other]) >= SAME_MEANING
    ]
