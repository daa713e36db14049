"""How well what was found answers a question, and the tables of that: the pure parts, without store or models."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec

from eval_support.recall_data import Place, Question
from eval_support.running import Cell, Share, Table

CUTS = (5, 10, 20)
"""Hits among which evidence is looked for."""

MAIN = 10
"""The cut whose hits are weighed in tokens, and that the ways are compared at by category."""

RECALL = "Satchel"
BASELINES = ("BM25 alone", "vectors alone", "equal fusion")
WAYS = (RECALL, *BASELINES)

FUSION = 60
"""Reciprocal rank fusion's constant, as in Cormack, Clarke and Büttcher (SIGIR 2009)."""

Hits = Sequence[Collection[Place]]
"""Of each hit, best first, the places that it stands for."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one way found for a question. `tokens` of its first ten hits; `ms` that it took, the question's embedding
    apart."""

    hits: tuple[frozenset[Place], ...]
    tokens: int
    ms: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A question with what each of `WAYS` found. `context`: the places that a prompt's block stands for; `kept`:
    whether its evidence can be found at all; `notes`: lines of --list."""

    question: Question
    outcomes: dict[str, Outcome]
    context: frozenset[Place]
    context_tokens: int
    embedding_ms: float
    kept: bool = True
    notes: tuple[str, ...] = ()


def recall_at(evidence: Collection[Place], hits: Hits, cut: int) -> float:
    """The share, in [0, 1], of the evidence for which one of the first `cut` hits stands."""
    found = {place for places in hits[:cut] for place in places}
    return len(found & set(evidence)) / len(evidence)


def reciprocal(evidence: Collection[Place], hits: Hits) -> float:
    """One divided by the rank of the first hit that is evidence; 0 without any."""
    ranks = (rank for rank, places in enumerate(hits, start=1) if not set(places).isdisjoint(evidence))
    return next((1 / rank for rank in ranks), 0.0)


def fused(rankings: Iterable[Sequence[int]], limit: int) -> list[int]:
    """The `limit` best by reciprocal rank fusion, each ranking weighing the same; of equals, what came first."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, item in enumerate(ranking, start=1):
            scores[item] = scores.get(item, 0.0) + 1 / (FUSION + rank)
    return sorted(scores, key=lambda item: -scores[item])[:limit]


def tables(title: str, unit: str, answers: Sequence[Answer]) -> list[Table]:
    """Overall, by category, and the rest. Only what was kept counts in the first two."""
    kept = [answer for answer in answers if answer.kept]
    notes = tuple(line for answer in kept for line in answer.notes)
    return [
        _overall(f"{title}: {unit} found, {len(kept)} questions", kept, notes),
        _by_category(title, kept),
        _rest(title, unit, answers, kept),
    ]


def _overall(title: str, answers: Sequence[Answer], notes: tuple[str, ...]) -> Table:
    header = ("", *(f"recall@{cut}, %" for cut in CUTS), "MRR, %", "tokens of the ten", "ms a question")
    rows: Iterable[tuple[Cell, ...]] = (
        (
            way,
            *(_recall(answers, way, cut) for cut in CUTS),
            _reciprocal(answers, way),
            _mean(answer.outcomes[way].tokens for answer in answers),
            _mean(answer.outcomes[way].ms for answer in answers),
        )
        for way in WAYS
    )
    return Table(title, header, tuple(rows), notes)


def _by_category(title: str, answers: Sequence[Answer]) -> Table:
    header = ("", "questions", *(f"@{cut}, %" for cut in CUTS), "MRR, %", *(f"@{MAIN}, {way}" for way in BASELINES))
    rows: list[tuple[Cell, ...]] = []
    for category in sorted({answer.question.category for answer in answers}):
        among = [answer for answer in answers if answer.question.category == category]
        rows.append(
            (
                category,
                len(among),
                *(_recall(among, RECALL, cut) for cut in CUTS),
                _reciprocal(among, RECALL),
                *(_recall(among, way, MAIN) for way in BASELINES),
            )
        )
    return Table(f"{title}: {RECALL}'s recall by category, and others'", header, tuple(rows))


def _rest(title: str, unit: str, answers: Sequence[Answer], kept: Sequence[Answer]) -> Table:
    rows: dict[str, Cell] = {}
    if unit == "preferences":
        rows["preferences that extraction kept"] = Share(len(kept), len(answers))
    rows |= {
        "tokens of the context, mean": _mean(answer.context_tokens for answer in answers),
        "tokens of the context, most": max((answer.context_tokens for answer in answers), default=0),
        "contexts that are empty": Share(sum(not answer.context_tokens for answer in answers), len(answers)),
        "evidence that stands in the context, %": 100
        * _mean(recall_at(answer.question.evidence, [answer.context], 1) for answer in kept),
        "ms for a question's embedding": _mean(answer.embedding_ms for answer in answers),
    }
    return Table(f"{title}: context and time", ("", "figure"), tuple(rows.items()))


def _recall(answers: Sequence[Answer], way: str, cut: int) -> float:
    return _percent(answers, lambda answer: recall_at(answer.question.evidence, answer.outcomes[way].hits, cut))


def _reciprocal(answers: Sequence[Answer], way: str) -> float:
    return _percent(answers, lambda answer: reciprocal(answer.question.evidence, answer.outcomes[way].hits))


def _percent(answers: Sequence[Answer], figure: Callable[[Answer], float]) -> float:
    return 100 * _mean(map(figure, answers))


def _mean(figures: Iterable[float]) -> float:
    """0 of nothing."""
    found = list(figures)
    return statistics.fmean(found) if found else 0.0
