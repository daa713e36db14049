"""Turns by what stands around them.

"By the lake near Orsa" answers "Where did we camp?" because of the question before it. So a turn counts with its two
neighbours and its conversation: a neighbour of what was found is a candidate too, and every candidate is told how well
what stands around it fits the question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import apsw

from satchel.recall.speakers import Speaker
from satchel.store import places, search
from satchel.store.places import Place
from satchel.store.search import Eligible, Found
from satchel.store.vectors import Meaning
from satchel.types import Surroundings

WORDS = 200
"""Turns that the search by words brings."""

SPREAD = 40
"""Of them, those whose neighbours become candidates."""

NEAREST = 120
"""Candidates whose neighbours' vectors are read."""

UNKNOWN = 0.1
"""Stands in for the cosine of what has no vector: about what two unrelated texts have."""

OWN = 0.8
"""What a turn's words count beside its meaning. This and the other weights were set by hand and then moved a little
towards what our own questions ask for (`models/corpus/recall`), whose wording is farther from the turns' than that of
LoCoMo's: weights learned from them alone find .80 of their evidence and .50 of LoCoMo's, these .72 and .76."""

NEIGHBOUR = 0.5
"""What the words of a turn's neighbours count beside its own: an answer is often known by its question."""

ASKED_FOR = 0.7


def look(
    db: apsw.Connection,
    near_by: search.Near,
    words: Mapping[int, float],
    near: Mapping[int, float | None],
    meaning: Meaning | None,
    among: Eligible,
    most: int,
    speaker: Speaker | None = None,
) -> tuple[Found, dict[int, Surroundings]]:
    """The best `most` turns of what words and meaning found and of their neighbours, each with its surroundings.

    `speaker`: whose words the question asks for.
    """
    best = max(words.values(), default=0.0) or 1.0
    own = {pk: score / best for pk, score in words.items()}
    placed = places.of_turns(db, list(dict.fromkeys((*words, *near))))
    found = dict.fromkeys(placed)  # without what was forgotten since words were looked for

    def window(pk: int) -> float:  # for hundreds of turns: written out, it takes a third of the time
        before, after = placed[pk].before, placed[pk].after
        beside = (0.0 if before is None else own.get(before, 0.0)) + (0.0 if after is None else own.get(after, 0.0))
        return own.get(pk, 0.0) + NEIGHBOUR * beside

    def cosines_of(pks: Iterable[int]) -> dict[int, float]:
        return dict(near_by.closest(db, "turn", meaning, profile=among.profile, pks=list(pks))) if meaning else {}

    leading = sorted(found, key=lambda pk: -window(pk) - (near.get(pk) or 0.0))[:SPREAD]
    beside = dict.fromkeys(other for pk in leading for other in _neighbours(placed[pk]) if other not in found)
    eligible = search.keep(db, dict.fromkeys(beside, 0.0), among)
    placed |= places.of_turns(db, list(eligible))
    found |= dict.fromkeys(eligible)
    cosines = cosines_of(found)
    leading = sorted(found, key=lambda pk: -window(pk) - cosines.get(pk, UNKNOWN))[:NEAREST]
    beside = dict.fromkeys(other for pk in leading for other in _neighbours(placed[pk]) if other not in cosines)
    cosines |= cosines_of(beside)
    by_words = _conversations(placed, own)
    by_meaning = _conversations(placed, {pk: cosines.get(pk, 0.0) for pk in found})
    told = max(by_words.values(), default=0.0) or 1.0
    around = {pk: _around(pk, placed[pk], own, cosines, by_words, by_meaning, told, speaker) for pk in leading}
    kept = sorted(leading, key=lambda pk: -fit(around[pk]))[:most]
    return (
        Found({pk: words.get(pk, 0.0) for pk in kept}, {pk: cosines.get(pk, near.get(pk)) for pk in kept}),
        {pk: around[pk] for pk in kept},
    )


def _neighbours(place: Place) -> list[int]:
    return [other for other in (place.before, place.after) if other is not None]


def _conversations(placed: Mapping[int, Place], scores: Mapping[int, float]) -> dict[int, float]:
    """The mean of the best three of each conversation."""
    held: dict[int, list[float]] = defaultdict(list)
    for pk, score in scores.items():
        if pk in placed:
            held[placed[pk].conversation].append(score)
    return {conversation: sum(sorted(all_, reverse=True)[:3]) / 3 for conversation, all_ in held.items()}


def _around(
    pk: int,
    place: Place,
    own: Mapping[int, float],
    cosines: Mapping[int, float],
    by_words: Mapping[int, float],
    by_meaning: Mapping[int, float],
    told: float,
    speaker: Speaker | None,
) -> Surroundings:
    def words_of(other: int | None) -> float:
        return 0.0 if other is None else own.get(other, 0.0)

    def cosine_of(other: int | None) -> float:
        return 0.0 if other is None else cosines.get(other, UNKNOWN)

    return Surroundings(
        own=own.get(pk, 0.0),
        before=words_of(place.before),
        after=words_of(place.after),
        conversation=by_words.get(place.conversation, 0.0) / told,
        similarity=cosine_of(pk),
        similarity_before=cosine_of(place.before),
        similarity_after=cosine_of(place.after),
        similarity_conversation=by_meaning.get(place.conversation, 0.0),
        asked_for=place.role == speaker,
    )


def fit(one: Surroundings) -> float:
    """How well a turn and what stands around it fit the question, as far as that is known before its text is read."""
    return sum(amount for _, amount in signs(one))


def signs(one: Surroundings) -> tuple[tuple[str, float], ...]:
    """What makes up the fit."""
    return (
        ("its words", OWN * one.own),
        ("its neighbours' words", NEIGHBOUR * (one.before + one.after)),
        ("its meaning", one.similarity),
        ("its neighbours' meaning", 0.5 * one.similarity_before + 0.3 * one.similarity_after),
        ("its conversation", 0.3 * one.conversation + 0.5 * one.similarity_conversation),
        ("it was said by whom the question asks for", ASKED_FOR * one.asked_for),
    )
