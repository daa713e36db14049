"""Which candidates answer a question, and how surely.

Words find what happened, meaning finds what is liked, so each kind of candidate weighs them its own way. BM25
alone cannot tell a good match from a bad one: its scale depends on how much is stored. It only orders;
whether something is relevant at all is judged by how much of the question the candidate holds and how close
its meaning is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from satchel.recall import surroundings
from satchel.recall.diversity import MOST_ALIKE, drop_repeats
from satchel.recall.query import Term, asks_about_past, asks_assistant, is_foreign, similar_stems, stem, stems, terms
from satchel.recall.topics import topics, topics_of
from satchel.store.segment import CJK
from satchel.types import Candidate, Surroundings

CONTEXT_THRESHOLD = 0.5
"""The score from which a memory is worth putting into somebody's prompt (see
`tests/recall/situations.py`)."""


class Weights(NamedTuple):
    """What each sign adds to the log-odds that a candidate of this kind is wanted. Set by hand."""

    meaning: float
    """times the cosine of the vectors"""
    words: float
    """times the share of the question's content words found, by weight"""
    order: float
    """times the BM25 score relative to the best of these candidates, times the share of words"""
    owned: float
    """when the question's "my ..." names a word that the candidate holds"""
    topic: float
    """when both speak of the same field of life, and the question is a personal one"""
    personal: float
    """when the question is about the asker, or asks for advice"""
    bias: float
    bar: float
    """How much more than the threshold is asked of this kind before it may enter a prompt."""


WEIGHTS: dict[str, Weights] = {
    #                             meaning words order owned topic personal bias  bar
    "fact": Weights(                 10.0, 2.2, 0.6, 1.2, 0.6, 1.1, -4.5, 0.0),
    "event": Weights(                10.0, 2.2, 0.6, 1.2, 0.6, 1.1, -4.5, 0.0),
    "explicit_preference": Weights(  11.0, 1.5, 0.2, 0.8, 1.9, 1.1, -4.5, 0.0),
    "implicit_preference": Weights(  11.0, 1.5, 0.2, 0.8, 1.9, 1.1, -4.7, 0.0),
    "instruction": Weights(          11.0, 1.5, 0.2, 0.8, 1.9, 1.1, -4.5, 0.0),
    "turn": Weights(                  8.0, 3.5, 2.0, 0.9, 0.0, 1.1, -4.5, 0.3),
}  # fmt: skip

FOREIGN_MEANING = 0.25
"""What is left of the weight of meaning when the question is Chinese, Japanese or Korean, which the default
embedding model hardly reads."""
STATUS = {"active": 0.0, "resolving": -0.3, "candidate": -1.0, "superseded": -0.3}
ASSISTANT = -0.5
QUESTION = -0.5
PINNED = 0.5
RECENT = 0.3
HALF_LIFE_MS = 180 * 86_400_000
ASSISTANT_BAR = 3.0
"""An assistant's words enter a prompt only when the question is about them, or past this much more."""
COMPANION = 0.25
"""An instruction on how to answer comes along with other memories from this score."""

LONG = 60
"""Words beyond which a turn matches a little of everything; an assistant's page-long answers most of all."""
EVEN = 2.7
"""The fit at which a turn is as likely the answer as not, and how fast that changes around it."""
STEEP = 3.0

BEARING = 0.9
LIFT = 0.25
"""What the log-odds count that a question bears on the asker's life, where they speak against it and for it. That
it does says nothing of which memory is meant."""

IMPERSONAL = 0.4
"""What an assistant's turn loses in which nobody speaks of themselves: advice, where what happened is asked for."""

ALONG = 0.12
"""The score from which a turn comes along with one that passes, and how many do."""
ALONG_MOST = 6

_PERSONAL = re.compile(
    r"\b(?:my|mine|our|ours|me|us|am i|i am|i'm|i've|i'd|i'll|"
    r"(?:should|did|do|was|have|had|will|could|would|am) (?:i|we)|"
    r"(?:i|we) (?:want|need|should|have|had|was|were|am|are|like|love|can|live|work)|recommend\w*|"
    r"suggest\w*|advice|advise|ideas?|tips?|plan(?:ning)?|gift|mi|mis|mein\w*|mon|ma|mes|meu|minha)\b"
    r"|我|咱|推荐|建议|帮忙|私|僕|俺|おすすめ|내|나의|추천",
    re.IGNORECASE,
)
_HOW_TO = re.compile(r"\b(?:how|where|what) (?:do|does|can|could|would) (?:i|we|you|one)\b", re.IGNORECASE)
_OWNED = re.compile(r"\b(?:my|our|mi|mis|mein\w*|mon|ma|mes|meu|minha)\s+((?:[\w'’-]+\s*){1,3})", re.IGNORECASE)
_OWNED_CJK = re.compile(rf"我(?:的|们的|家的?|家)?([{CJK}]{{1,4}})")
_TELLS_OF_ITSELF = re.compile(
    r"\bI(?:['’](?:m|ve)| was| went| had| got| just| have| love| am| took| felt| used| saw| made| tried| started)\b"
    r"|\b(?:my|me|our)\b|\bwe(?:['’](?:re|ve)| went| had| were| are)\b|我",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?。\uff01\uff1f\n]+[.!?。\uff01\uff1f]*")
_STATES = re.compile(r"\b(?:i'm|i am|i've|i have|i was|i will|my|we're|we have|our)\b|我", re.IGNORECASE)


class Question(NamedTuple):
    """All that ranking reads from the question, read once."""

    terms: Sequence[Term]
    weights: Mapping[str, float]
    """Stem of each term → its weight."""
    words: frozenset[str]
    """Stems of all its content words."""
    owned: frozenset[str]
    topics: frozenset[str]
    personal: bool
    about_past: bool
    about_assistant: bool
    foreign: bool


def read_question(query: str, frequencies: Mapping[str, float] | None = None) -> Question:
    """`frequencies` gives the inverse document frequency (any positive scale) of the terms it knows."""
    found = terms(query)
    weights: dict[str, float] = {}
    for term in found:
        weight = frequencies.get(term.text, term.weight) if frequencies else term.weight
        weights[stem(term.text)] = max(weight, 1e-6)
    owned = {s for m in _OWNED.finditer(query) for s in stems(m[1])}
    owned |= {s for m in _OWNED_CJK.finditer(query) for s in stems(m[1])}
    return Question(
        terms=found,
        weights=weights,
        words=frozenset(stems(query)),
        owned=frozenset(owned),
        topics=frozenset(topics(query)),
        personal=_PERSONAL.search(_HOW_TO.sub("", query)) is not None,
        about_past=asks_about_past(query),
        about_assistant=asks_assistant(query),
        foreign=is_foreign(query),
    )


def rank(
    candidates: Sequence[Candidate],
    *,
    query: str,
    now: int,
    limit: int,
    threshold: float | None = None,
    at: int | None = None,
    repeats: bool = False,
    frequencies: Mapping[str, float] | None = None,
    bearing: float = 0.0,
    below: list[Candidate] | None = None,
) -> list[Candidate]:
    """The at most `limit` best of `candidates`, best first, each with its `score` in [0, 1] and its `signs` set.

    With `threshold` (for context) only what reaches it is returned, turns having to do more, and nothing at
    all for a question without content words. Without it (for search) the order alone counts. `at` (ms) asks
    as of that time: what was said later, or was not valid then, is left out. What is superseded answers
    only questions about the past. `repeats` leaves in what says again what a better one says. `frequencies`
    maps a term to its inverse document frequency, where the store knows it. `bearing` is the log-odds that the
    question bears on the asker's life (see `bearing`): it moves what may enter a context. `below` is filled with what
    did not reach the threshold, best first.
    """
    question = read_question(query, frequencies)
    if threshold is not None and not question.terms:
        return []
    valid = [c for c in candidates if _is_valid(c, question, now=now, at=at)]
    best = max((c.lexical for c in valid), default=0.0)
    lift = bearing * (BEARING if bearing < 0 else LIFT)
    for candidate in valid:
        if threshold is None and candidate.around is not None:
            signs = tuple(_turn_signs(candidate, candidate.around))
        else:
            signs = tuple(_signs(candidate, question, best_lexical=best, now=now if at is None else at))
            if threshold is not None:
                signs = (*signs, ("what the question is about", lift))
        candidate.signs = signs
        candidate.score = _sigmoid(sum(amount for _, amount in signs))
    valid.sort(key=lambda c: (-c.score, -c.time, c.id))
    if threshold is not None:
        passed = _worth_inserting(valid, question, threshold, lift)
        if below is not None:
            taken = {id(c) for c in passed}
            below[:] = [c for c in valid if id(c) not in taken]
        valid = passed
    if repeats:
        return valid[:limit]
    most_alike = None if threshold is None else MOST_ALIKE
    return drop_repeats(valid, lambda text: coverage(question, stems(text)), limit, most_alike=most_alike)


def coverage(question: Question, words: set[str]) -> float:
    """The share, in [0, 1], of the question's content words that are among `words` (stems), by weight."""
    total = sum(question.weights.values())
    if not total or not words:
        return 0.0
    return sum(weight for term, weight in question.weights.items() if _holds(words, term)) / total


def _holds(words: set[str], term: str) -> bool:
    if term in words:
        return True
    beginning = term[:5]
    return any(word[:5] == beginning and similar_stems(term, word) for word in words)


def _is_valid(candidate: Candidate, question: Question, *, now: int, at: int | None) -> bool:
    if candidate.status == "archived":
        return False
    moment = now if at is None else at
    if at is not None and (candidate.valid_from > at or candidate.time > at):
        return False
    over = candidate.valid_to is not None and candidate.valid_to <= moment
    if candidate.status == "superseded" and at is not None and not over:
        # It was still true at the time that is asked for.
        return True
    return question.about_past or not (over or candidate.status == "superseded")


def _signs(candidate: Candidate, question: Question, *, best_lexical: float, now: int) -> Iterator[tuple[str, float]]:
    """What speaks for and against a candidate by itself, each with what it adds to the log-odds."""
    weights = WEIGHTS.get(candidate.kind, WEIGHTS["fact"])
    words = stems(candidate.text)
    covered = coverage(question, words)
    similarity = surroundings.UNKNOWN if candidate.similarity is None else candidate.similarity
    meaning = weights.meaning * (FOREIGN_MEANING if question.foreign else 1.0)
    yield "to begin with", weights.bias
    yield "its meaning", meaning * similarity
    yield "its words", weights.words * covered
    if best_lexical > 0:
        yield "its words beside others'", weights.order * candidate.lexical / best_lexical * covered
    if any(_holds(words, owned) for owned in question.owned):
        yield "it is about what is yours", weights.owned
    if question.personal:
        yield "the question is a personal one", weights.personal
        if question.topics and question.topics & topics_of(words, candidate.text):
            yield "the same field of life", weights.topic
    yield f"it is {candidate.status}", STATUS.get(candidate.status, 0.0)
    if candidate.said_by != "user":
        yield "the assistant said it", ASSISTANT
    if candidate.type == "turn" and _only_asks(candidate.text):
        yield "it only asks", QUESTION
    if candidate.pinned:
        yield "it is pinned", PINNED
    age = max(now - candidate.time, 0)
    yield "it is recent", RECENT * math.pow(0.5, age / HALF_LIFE_MS)


def _turn_signs(candidate: Candidate, around: Surroundings) -> Iterator[tuple[str, float]]:
    """The same of a turn by its own words and meaning and what stands around it."""
    length = len(candidate.text.split())
    yield "to begin with", -STEEP * EVEN
    for sign, fit in surroundings.signs(around):
        yield sign, STEEP * fit
    yield "its length", STEEP * (0.19 * math.log1p(min(length, LONG)) - 0.3 * math.log(max(length, LONG) / LONG))
    if candidate.said_by == "assistant":
        if length > LONG:
            yield "the assistant said it, at length", STEEP * -0.3
        if not _TELLS_OF_ITSELF.search(candidate.text):
            yield "the assistant's advice", STEEP * -IMPERSONAL
    if candidate.text.rstrip().endswith(("?", "\uff1f")):
        yield "it asks", STEEP * -0.4


def turn_odds(candidate: Candidate, around: Surroundings) -> float:
    """The log-odds that a turn answers."""
    return sum(amount for _, amount in _turn_signs(candidate, around))


def _worth_inserting(ordered: list[Candidate], question: Question, threshold: float, lift: float) -> list[Candidate]:
    chosen = [c for c in ordered if _passes(c, question, threshold)]
    if not chosen:
        return []
    floor = min(COMPANION, threshold)
    taken = {id(c) for c in chosen}
    taken |= {id(c) for c in _along(ordered, question, _sigmoid(_logit(ALONG) + max(lift, 0.0)))}
    return [c for c in ordered if id(c) in taken or (c.kind == "instruction" and c.score >= floor)]


def _along(ordered: Sequence[Candidate], question: Question, floor: float) -> list[Candidate]:
    """Turns that come along once the question is known to be about the past: the best by what stands around them, of
    those that are not far from passing themselves, from the score `floor`."""
    near = [
        c
        for c in ordered
        if c.around is not None
        and c.score >= floor
        and (c.said_by == "user" or question.about_assistant or not question.personal)
        and not _only_asks(c.text)
    ]
    return sorted(near, key=lambda c: -turn_odds(c, c.around) if c.around else 0.0)[:ALONG_MOST]


def _passes(candidate: Candidate, question: Question, threshold: float) -> bool:
    bar = WEIGHTS.get(candidate.kind, WEIGHTS["fact"]).bar
    if candidate.said_by == "assistant" and not question.about_assistant:
        bar += ASSISTANT_BAR if question.personal else math.inf
    # The score first: it spares most candidates a second reading.
    if candidate.score < (_sigmoid(_logit(threshold) + bar) if bar else threshold):
        return False
    if candidate.type == "memory":
        return candidate.status != "candidate"  # one hint is no preference yet
    words = stems(candidate.text)
    # A turn that says nothing beyond the question (it was asked before) is no answer to it.
    return len(words) >= 3 and not words <= question.words and not _only_asks(candidate.text)


def _only_asks(text: str) -> bool:
    """Whether a turn is nothing but questions, and tells nothing about the asker on the way."""
    if not text.rstrip().endswith(("?", "\uff1f")):
        return False
    sentences = [s.strip() for s in _SENTENCE.findall(text[:2000]) if s.strip()]
    return bool(sentences) and all(s.endswith(("?", "\uff1f")) and not _STATES.search(s) for s in sentences)


def _sigmoid(x: float) -> float:
    if x >= 0:
        return 1.0 / (1.0 + math.exp(-min(x, 700.0)))
    power = math.exp(max(x, -700.0))
    return power / (1.0 + power)


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))
