"""Implicit preferences are counted evidence: how often, in how many conversations, and what speaks against them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import msgspec

from satchel.extract.dialogue.choices import Chosen
from satchel.extract.language.words import same, words
from satchel.extract.reconciling.stance import compares, stance
from satchel.extract.reconciling.statement import lemma, lemmas, read
from satchel.times import to_datetime
from satchel.types import Draft, Memory, Status

PROMOTE_AFTER = 3
"""Observations within one conversation that make a hint a preference; one in a second conversation does as well."""


AVOID = "-"
"""Stands among the words of a hint at what the user would rather not have."""


class Hint(msgspec.Struct, frozen=True):
    """What a choice hints at, as compared words: one thing preferred over others, on a topic."""

    topic: frozenset[str]
    liked: frozenset[str]
    over: tuple[frozenset[str], ...]


_CHOICE = re.compile(
    r"^The user may prefer (?P<avoid>to avoid )?(?:to )?(?:(?P<topic>.+?) like )?(?P<liked>.+?)"
    r"(?: (?:over|rather than) (?P<over>.+?))?(?:: “.*”)?\.?$",
    re.DOTALL,
)
_OTHERS = re.compile(r"^(?:\d+|the) other options?$")
_SERIES = re.compile(r",\s+(?:or\s+)?|\s+or\s+")
_PREFERS = re.compile(
    r"\bprefers?(?: to)? (?P<liked>.+?) (?:over|to|rather than|instead of|than) (?P<over>.+)$"
    r"|\b(?:likes?|loves?|always \w+|chooses?|picks?|wants?|takes?) (?P<liked2>.+?)"
    r" (?:more than|better than|over|rather than|instead of|,? not) (?P<over2>.+)$",
    re.IGNORECASE,
)


@functools.lru_cache(maxsize=5_000)
def hint(text: str) -> Hint | None:
    """What "The user may prefer A over B or C." says; None for a hint that compares nothing."""
    match = _CHOICE.match(text)
    if match is None:
        return None
    over = tuple(_forms(name) for name in _SERIES.split(match["over"] or "") if name and not _OTHERS.match(name))
    if match["avoid"]:
        return Hint(frozenset(), _forms(match["liked"]) | {AVOID}, (_forms(match["liked"]),))
    return Hint(frozenset(lemmas(match["topic"] or "")), _forms(match["liked"]), over)


def _forms(name: str) -> frozenset[str]:
    """An option's words: an option may be called "A", so that no word is too light to count."""
    forms = frozenset(lemma(same(word)) for word in words(name))
    return forms - {"a", "an", "the"} or forms


def same_hint(one: str, other: str) -> bool:
    """ "Chain hotels like A over B" again, when this time C was offered beside it."""
    mine, theirs = hint(one), hint(other)
    if mine is None or theirs is None:
        return False
    return bool(mine.liked) and mine.liked == theirs.liked and _same_topic(mine, theirs)


def _same_topic(one: Hint, other: Hint) -> bool:
    return not one.topic or not other.topic or bool(one.topic & other.topic)


def speaks_against(new: str, known: str) -> bool:
    """Whether one hint counts against the other: what one prefers was passed over for the other."""
    mine, theirs = hint(new), hint(known)
    if mine is not None and theirs is not None:
        passed_over = theirs.liked in mine.over or mine.liked in theirs.over
        return mine.liked != theirs.liked and passed_over and _same_topic(mine, theirs)
    return denies(new, known)


def denies(said: str, hinted: str) -> bool:
    """Whether a statement contradicts what a hint says."""
    one = hint(hinted)
    if one is None:
        mine, theirs = stance(said), stance(hinted)
        if mine.matter == theirs.matter:
            return bool(mine.matter) and mine.affirms != theirs.affirms
        return compares(said) and sorted(mine.matter) == sorted(theirs.matter)
    match = _PREFERS.search(read(said).text)
    if match is not None:
        liked = set(lemmas(match["liked"] or match["liked2"]))
        over = set(lemmas(match["over"] or match["over2"]))
        return bool(one.liked) and one.liked <= over and not one.liked <= liked
    taken = stance(said)
    return not taken.affirms and bool(one.liked) and one.liked <= set(taken.matter)


# --------------------------------------------------------------------------------------------------- weighing


class Weighed(msgspec.Struct, frozen=True):
    """A known hint whose standing a new one changes."""

    memory_id: str
    status: Status


def standing(observations: int, conversations: int, against: int, *, acted: bool) -> Status:
    """What a hint is by its evidence: `acted`, the user acted on a choice, so that once is enough.

    Twice as a candidate: too little is known, or as much speaks against it. Outweighed, it is superseded until it is
    seen again."""
    if against > observations:
        return "superseded"
    enough = conversations >= 2 or observations >= PROMOTE_AFTER or acted
    return "active" if enough and observations > against else "candidate"


def acted_on(one: Draft | Memory) -> bool:
    """Whether a hint rests on a choice. Of a memory only its wording still says so."""
    return isinstance(one, Chosen) or (isinstance(one, Memory) and hint(one.text) is not None and bool(one.reasoning))


def against(one: str, hints: Iterable[Memory]) -> int:
    """How many observations of other hints speak against this one."""
    return sum(memory.observations for memory in hints if speaks_against(memory.text, one))


_TOLD = re.compile(r"^(?:Seen \w+(?: times)?(?: in \d+ conversations)?, (?:last )?on \d{4}-\d\d-\d\d"
                   r"(?:; the opposite (?:once|\d+ times))?(?:; the user says otherwise)?\.) ?")  # fmt: skip
_ONCE = re.compile(r" ?One (?:choice|refusal) is a hint about [^.]*\.")


def told(
    reasoning: str | None,
    *,
    observations: int,
    conversations: int,
    last: int,
    against: int = 0,
    overruled: bool = False,
) -> str:
    """The reasoning of a hint with its evidence in front: "Seen 3 times in 2 conversations, last on 2026-05-02." `last`
    is when it was seen last (ms). What stood there of earlier evidence is replaced."""
    rest = _TOLD.sub("", reasoning or "").strip()
    if rest and observations < 2 and not against and not overruled:
        return rest
    if observations > 1:
        rest = _ONCE.sub("", rest).strip()
    often = "once" if observations == 1 else f"{observations} times"
    where = f" in {conversations} conversations" if conversations > 1 else ""
    day = to_datetime(last).date().isoformat()
    seen = f"Seen {often}{where}, {'last ' if observations > 1 else ''}on {day}"
    if against:
        seen += f"; the opposite {'once' if against == 1 else f'{against} times'}"
    if overruled:
        seen += "; the user says otherwise"
    return f"{seen}. {rest}".strip()
