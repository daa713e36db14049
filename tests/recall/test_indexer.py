"""The indexer: everything has a vector of the model that is chosen, and soon."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from models.helpers import run, until
from recall.test_recall import say
from satchel.recall.indexer import Indexer
from satchel.store import Store, vector_sets, vectors


class OneModel:
    """An embedder of which only the name is of interest."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        return np.full((len(texts), 8), 8**-0.5, dtype=np.float32)

    def model_id(self, role: str) -> str:
        return self.name


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


def index(store: Store, model: str) -> None:
    """As the daemon does from its start, until all vectors are this model's."""

    def done() -> bool:
        return store.read_now(
            lambda db: [one.model for one in vector_sets.held(db)] == [model] and not vector_sets.anything_waits(db)
        )

    async def follow() -> None:
        task = asyncio.create_task(Indexer(store, OneModel(model)).run())  # type: ignore[arg-type]
        await until(done, seconds=5)
        task.cancel()

    run(follow())


def test_another_model_makes_all_vectors_again_though_nothing_new_was_captured(store: Store) -> None:
    say(store, "site", "c", "I moved to Porto.", "My sister is Ana.")
    index(store, "one")
    index(store, "another")
    assert len(store.read_now(lambda db: vectors.all_of(db, "another", "turn", 1))) == 2
