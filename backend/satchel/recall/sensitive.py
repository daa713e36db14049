"""Which hits touch a special category: what marks them for whoever looks them over, and what clears them where nobody
does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from satchel.special.judge import Judge
from satchel.special.language import is_english
from satchel.special.lexicon import by_words
from satchel.types import Candidate, Category

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_PIECES = 12
"""Sentences of one text that are judged one by one; a longer text is not cleared."""
SHORT = 25
"""Characters. A shorter sentence is judged together with the one before it ("It came back.")."""
MAX_PIECE = 500
"""Characters. A longer sentence is not cleared: its vector would drown what a part of it says."""

Vectors = Mapping[str, bytes]
"""What has a vector of the judge's embedding model → that vector (float32)."""

_SENTENCE = re.compile(r"[^.!?;。！？；\n]+[.!?;。！？；]*")


def words_of(hit: Candidate) -> frozenset[Category]:
    """The categories whose words stand in a hit, its reasoning, tags or quotes."""
    told = [hit.text, hit.reasoning or "", *hit.tags]
    if hit.type == "memory":
        told += [source.quote for source in hit.sources]
    return by_words("\n".join(told))


def mark(hits: Sequence[Candidate], judge: Judge | None, vectors: Vectors) -> None:
    """Sets `special` of each hit: by its words, and by its vector where it has one. `vectors` by hit id."""
    readable = [hit for hit in hits if hit.id in vectors and is_english(hit.text)]
    likely: dict[str, frozenset[Category]] = {}
    if judge is not None and readable:
        rows = judge.likely(_rows(vectors[hit.id] for hit in readable))
        likely = {hit.id: row for hit, row in zip(readable, rows, strict=True)}
    for hit in hits:
        hit.special = tuple(sorted(words_of(hit) | likely.get(hit.id, frozenset())))


def not_plainly_special(hits: Sequence[Candidate], judge: Judge, vectors: Vectors) -> list[Candidate]:
    """Those that neither their words nor, as a whole, their vectors speak against. `vectors` by hit id."""
    readable = [hit for hit in hits if hit.id in vectors and is_english(hit.text)]
    doubts = judge.doubtful(_rows(vectors[hit.id] for hit in readable)) if readable else []
    doubted = {hit.id for hit, doubt in zip(readable, doubts, strict=True) if doubt}
    return [hit for hit in hits if hit.id not in doubted and not words_of(hit)]


def pieces(hit: Candidate) -> list[str] | None:
    """The sentences that must each be cleared before `hit` is.

    None when it can never be: too long to look at closely, or not in English, where nothing finds what the lexicon
    misses.
    """
    found = [piece for text in (hit.text, hit.reasoning or "") for piece in _sentences(text)]
    if len(found) > MAX_PIECES or not all(len(piece) <= MAX_PIECE and is_english(piece) for piece in found):
        return None
    return found


def cleared(
    hits: Sequence[Candidate], judge: Judge, vector_of: Callable[[str], bytes | None]
) -> tuple[list[Candidate], list[Candidate]]:
    """`hits` parted into those whose every piece is judged and beyond doubt, and the rest, both in order.

    `vector_of` a piece gives None where there is none: what cannot be judged is not cleared.
    """
    kept, refused = [], []
    for hit in hits:
        parts = pieces(hit)
        found = [vector_of(part) for part in parts or ()]
        known = [vector for vector in found if vector is not None]
        sure = parts is not None and len(known) == len(found)
        if sure and not (known and any(judge.doubtful(_rows(known)))):
            kept.append(hit)
        else:
            refused.append(hit)
    return kept, refused


def _sentences(text: str) -> list[str]:
    found: list[str] = []
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        if found and len(sentence) < SHORT:
            found[-1] += f" {sentence}"
        elif sentence:
            found.append(sentence)
    return found


def _rows(vectors: Iterable[bytes]) -> NDArray[np.float32]:
    import numpy as np

    return np.stack([np.frombuffer(vector, dtype="<f4") for vector in vectors])
