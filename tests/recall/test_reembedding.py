"""A change of the embedding model, from the background work and from the questions put meanwhile."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.helpers import until
from satchel.models import ModelMissingError
from satchel.recall import indexer
from satchel.recall.indexer import Indexer
from satchel.recall.recall import Recall
from satchel.store import Store, forget, vector_sets
from satchel.types import ModelError
from store.storing import capture, said

WIDTHS = {"old": 16, "new": 32, "newer": 16}


class Models:
    """Embedding models for which a text means its first word: `model` is in use, `installed` are there."""

    prompt_format = "plain"

    def __init__(self, model: str, *installed: str) -> None:
        self.model = model
        self.installed = {model, *installed}
        self.asked: list[tuple[str, str]] = []

    @property
    def dimensions(self) -> int:
        return WIDTHS[self.model]

    def model_id(self, _: str) -> str:
        if self.model not in self.installed:
            raise ModelMissingError(f"{self.model} is not there", "embed")
        return self.model

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        return await self.embed_with(self.model, texts, urgent=urgent)

    async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        if model not in self.installed:
            raise ModelMissingError(f"{model} is not there", "embed")
        self.asked += [(model, text) for text in texts]
        rows = [np.random.default_rng([*model.encode(), *text.split()[0].encode()]) for text in texts]
        matrix = np.array([row.normal(size=WIDTHS[model]) for row in rows], np.float32)
        return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


def index(store: Store, models: Any, batches: int = 1000) -> None:
    async def work() -> None:
        indexing = Indexer(store, models)
        for _ in range(batches):
            if not await indexing.index_some():
                return

    asyncio.run(work())


def near(store: Store, models: Any, question: str) -> list[str]:
    """What meaning alone brings: the question shares a word with everything, and its first word with what it means."""
    recall = Recall(store, models)
    hits = asyncio.run(recall.search(question, profile="me", limit=100))
    recall.close()
    return [hit.text for hit in hits if hit.similarity is not None and hit.similarity > 0.99]


def progress(store: Store) -> tuple[int, int] | None:
    told = store.read_now(vector_sets.progress)
    return told and (told.done, told.total)


TURNS = [f"{word} shared" for word in ("heron", "axolotl", "numbat", "quokka", "ibis", "newt")]


@pytest.fixture
def changed(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Six turns with their vectors of the old model."""
    monkeypatch.setattr(indexer, "BATCH", 2)
    capture(store, [said(text, text) for text in TURNS])
    index(store, Models("old"))
    return store


def test_the_change_begins_without_anything_new(changed: Store) -> None:
    index(changed, Models("new", "old"), 1)
    assert progress(changed) == (2, 6)


def test_questions_are_read_by_the_former_model_until_the_change_is_complete(changed: Store) -> None:
    models = Models("new", "old")
    for _ in range(3):
        assert near(changed, models, "heron shared") == ["heron shared"]
        index(changed, models, 1)
    assert {model for model, text in models.asked if text == "heron shared"} == {"old", "new"}
    assert progress(changed) == (6, 6)
    index(changed, models)
    assert progress(changed) is None
    models.asked.clear()
    assert near(changed, models, "ibis shared") == ["ibis shared"]
    assert models.asked == [("new", "ibis shared")]


def test_what_is_new_meanwhile_is_found_at_once(changed: Store) -> None:
    models = Models("new", "old")
    index(changed, models, 1)
    capture(changed, ["zebra shared"], external_id="c2")
    index(changed, models, 1)
    assert near(changed, models, "zebra shared") == ["zebra shared"]


def test_without_the_former_model_words_answer_and_what_is_done(changed: Store) -> None:
    models = Models("new")
    assert near(changed, models, "newt shared") == []
    index(changed, models, 1)
    assert near(changed, models, "newt shared") == ["newt shared"], "the newest comes first"
    assert near(changed, models, "heron shared") == []
    hits = asyncio.run(Recall(changed, models).search("heron", profile="me", limit=9))  # type: ignore[arg-type]
    assert hits[0].text == "heron shared"
    index(changed, models)
    assert near(changed, models, "heron shared") == ["heron shared"]


def test_a_model_that_was_chosen_but_is_not_there_leaves_the_former_answering(changed: Store) -> None:
    models = Models("new", "old")
    models.installed.discard("new")
    index(changed, models)
    assert progress(changed) is None
    assert near(changed, models, "heron shared") == ["heron shared"]
    capture(changed, ["zebra shared"], external_id="c2")
    index(changed, models, 1)
    assert near(changed, models, "zebra shared") == ["zebra shared"]
    models.installed.clear()
    capture(changed, ["ostrich shared"], external_id="c3")
    with pytest.raises(ModelError):
        index(changed, models)


def test_a_model_that_does_not_work_begins_no_change(changed: Store) -> None:
    class Broken(Models):
        async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
            if model == "new":
                raise ModelError("the file is damaged")
            return await super().embed_with(model, texts, urgent=urgent)

    models = Broken("new", "old")
    with pytest.raises(ModelError):
        index(changed, models)
    assert progress(changed) is None
    assert near(changed, models, "heron shared") == ["heron shared"]


def test_forgotten_in_between_it_is_not_embedded_again(changed: Store) -> None:
    models = Models("new", "old")
    index(changed, models, 1)
    conversation = changed.read_now(lambda db: str(db.execute("SELECT id FROM conversation").get))
    kept = capture(changed, ["zebra shared"], external_id="c2")
    assert kept.accepted == 1
    changed.write_now(lambda tx: forget.forget_conversation(tx, conversation))
    index(changed, models)
    assert progress(changed) is None
    assert near(changed, models, "heron shared") == []
    assert near(changed, models, "zebra shared") == ["zebra shared"]


def test_a_change_while_everything_was_forgotten_is_complete_at_once(changed: Store) -> None:
    models = Models("new", "old")
    index(changed, models, 1)
    conversation = changed.read_now(lambda db: str(db.execute("SELECT id FROM conversation").get))
    changed.write_now(lambda tx: forget.forget_conversation(tx, conversation))
    index(changed, models)
    held = changed.read_now(vector_sets.held)
    assert [(one.model, one.answers) for one in held] == [("new", True)]


def test_the_dropped_vectors_are_cleared_away_in_the_background(changed: Store) -> None:
    async def work() -> None:
        task = asyncio.create_task(Indexer(changed, Models("new", "old")).run())  # type: ignore[arg-type]
        held = [("new", True)]
        try:
            await until(
                lambda: (
                    [(one.model, one.answers) for one in changed.read_now(vector_sets.held)] == held
                    and not changed.read_now(vector_sets.put_aside)
                )
            )
        finally:
            task.cancel()

    asyncio.run(work())


def test_the_pace_is_that_of_the_model_in_use(changed: Store) -> None:
    async def work() -> None:
        indexing = Indexer(changed, Models("new", "old"))  # type: ignore[arg-type]
        assert indexing.pace.seconds_for(6) is None
        await indexing.index_some()
        assert indexing.pace.per_minute is not None

    asyncio.run(work())


INDEX_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from recall.test_reembedding import Models
from satchel.recall import indexer
from satchel.store import Store

indexer.BATCH = 3
store = Store(Path(sys.argv[1]))
print("begun", flush=True)

async def main():
    indexing = indexer.Indexer(store, Models(sys.argv[2], *sys.argv[2:]))
    task = asyncio.create_task(indexing.run())
    while True:
        print(await indexing.index_some(), flush=True)

asyncio.run(main())
"""


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL in the middle of embedding, of the change, and of clearing away; each start goes on, and none begins
    anew."""
    data = tmp_path / "data"
    store = Store(data)
    texts = [f"w{number} shared" for number in range(90)]
    capture(store, [said(text, text) for text in texts])
    index(store, Models("old"))
    store.close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    chance = random.Random(3)
    done = 0
    for _ in range(40):
        child = subprocess.Popen(
            [sys.executable, "-c", INDEX_UNTIL_KILLED, str(data), "new", "old"],
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        assert child.stdout is not None
        for _ in range(chance.randint(2, 9)):
            child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.stdout.close()
        child.wait()
        store = Store(data)
        models = Models("new", "old")
        now = progress(store)
        for text in (texts[0], texts[-1]):
            assert near(store, models, text) == [text], "it is found whatever happened"
        assert store.read_now(lambda db: db.execute("PRAGMA integrity_check").get) == "ok"
        store.close()
        if now is None:
            break
        assert now[1] == len(texts)
        assert now[0] >= done
        done = now[0]
    assert now is None, "the change was never complete"
    assert done > 0, "it was never seen half way"
