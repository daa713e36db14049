"""With the real embedder: what bears on a question is found, and one that needs nothing gets nothing."""

import asyncio
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from situations import GENERIC, WANTED, candidates

from satchel.models import Runtime, models_folder
from satchel.recall.rank import CONTEXT_THRESHOLD, rank
from satchel.times import parse_iso
from satchel.types import Candidate, SatchelError

NOW = parse_iso("2026-03-01")
MORE = Path(__file__).with_name("generic.txt").read_text("utf-8").splitlines()
"""Two hundred questions about the world, about code and words: no memory bears on them."""


@pytest.fixture(scope="module")
def vectors() -> dict[str, NDArray[np.float32]]:
    """Every text of the situations → its vector."""
    texts = [*(c.text for c in candidates().values()), *WANTED, *GENERIC, *MORE]

    async def embed() -> NDArray[np.float32]:
        async with Runtime(models_folder(), embed="all-MiniLM-L6-v2", generate=None) as models:
            return await models.embed(texts)

    try:
        found = asyncio.run(embed())
    except SatchelError as error:
        pytest.fail(f"{error} Run ./scripts/test, which fetches the models.")
    found = found / np.linalg.norm(found, axis=1, keepdims=True)
    return dict(zip(texts, found, strict=True))


def context(query: str, vectors: dict[str, NDArray[np.float32]]) -> list[Candidate]:
    found = list(candidates().values())
    for candidate in found:
        candidate.similarity = float(vectors[candidate.text] @ vectors[query])
    return rank(found, query=query, now=NOW, limit=10, threshold=CONTEXT_THRESHOLD)


@pytest.mark.parametrize("query", WANTED)
def test_what_bears_on_the_question_is_found(query: str, vectors) -> None:
    found = [c.id for c in context(query, vectors)]
    assert WANTED[query] <= set(found)
    assert len(found) <= len(WANTED[query]) + 5


@pytest.mark.parametrize("query", GENERIC)
def test_a_question_that_needs_nothing_gets_nothing(query: str, vectors) -> None:
    assert [(c.id, c.score) for c in context(query, vectors)] == []


def test_hardly_any_of_two_hundred_questions_about_the_world_gets_anything(vectors) -> None:
    given = [query for query in MORE if context(query, vectors)]
    assert len(MORE) >= 200
    assert len(given) <= 0.03 * len(MORE), given
