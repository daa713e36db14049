"""Nothing is said twice: exact and near duplicates go, and turns that a chosen memory already tells."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable

from satchel.types import Candidate

NEAR = 0.9
"""Two texts are one when this share of their words, of all words in either, is the same (Jaccard)."""
RIVAL = 0.8
"""A memory stands in for a turn it quotes only if it scores at least this part of the turn's score."""

MOST_ALIKE = 6
"""So many of what differs in its numbers alone go into a context: a series of readings, and not a flood."""

_WORD = re.compile(r"\w+")
_DIGITS = re.compile(r"\d+")
_DAY_MS = 86_400_000
_TELLING = re.compile(r"\d|^(?:not|no|never|nor|without|cannot|don|doesn|didn|isn|wasn|won|stopped|quit)$|[不没]")


def drop_repeats(
    ordered: Iterable[Candidate],
    answers: Callable[[str], float],
    limit: int | None = None,
    *,
    most_alike: int | None = None,
) -> list[Candidate]:
    """The first `limit` of `ordered` (best first) without what says again what a better one says.

    `answers(text)` is how much of the question's words a text holds: a turn is dropped in favour of a
    memory drawn from it only when the memory and its quotes answer as much of the question. Of what differs in its
    numbers alone, `most_alike` are kept (None: all).
    """
    ordered = list(ordered)
    memories = [c for c in ordered if c.type == "memory"]
    kept: list[Candidate] = []
    seen: set[tuple[str, int]] = set()
    words: list[tuple[frozenset[str], int]] = []
    alike: Counter[str] = Counter()
    for candidate in ordered:
        if candidate.type == "turn" and _is_told(candidate, memories, answers):
            continue
        day = _day(candidate)
        plain = _plain(candidate.text)
        own = frozenset(_WORD.findall(plain))
        if (plain, day) in seen or any(day == other and _near(own, theirs) for theirs, other in words):
            continue
        numberless = _DIGITS.sub("0", plain)
        if most_alike is not None and alike[numberless] >= most_alike:
            continue
        alike[numberless] += 1
        seen.add((plain, day))
        words.append((own, day))
        kept.append(candidate)
        if len(kept) == limit:
            break
    return kept if limit is None else kept[:limit]


def _plain(text: str) -> str:
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _day(candidate: Candidate) -> int:
    """Events of different days are different events, however alike their words; for the rest the day is no
    matter."""
    return candidate.time // _DAY_MS if candidate.kind == "event" else -1


def _near(a: frozenset[str], b: frozenset[str]) -> bool:
    common = len(a & b)
    if not common or common < NEAR * len(a | b):
        return False
    # A number or a "not" that differs is the whole difference.
    return not any(_TELLING.search(word) for word in a ^ b)


def _is_told(turn: Candidate, memories: list[Candidate], answers: Callable[[str], float]) -> bool:
    for memory in memories:
        if memory.score < RIVAL * turn.score:
            continue
        quotes = [source.quote for source in memory.sources if source.message_id == turn.id]
        if not quotes:
            continue
        told = " ".join([memory.text, *quotes])
        if 2 * sum(map(len, quotes)) >= len(turn.text) or answers(told) >= answers(turn.text):
            return True
    return False
