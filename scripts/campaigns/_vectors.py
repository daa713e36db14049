"""Stores with more vectors than the embedding model could make while a campaign runs.

Some hundred sentences get real vectors; the rest are theirs again with noise of a third of their length, so that each
question has some dozens of near answers, as in `bench_scale.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from satchel.models import Runtime
from satchel.store import Store, Tx, jobs, log, memories, vector_sets, vectors
from satchel.store.clock import new_id
from satchel.store.vector_sets import Indexed
from satchel.store.vectors import Waiting
from satchel.types import Draft

Rows = NDArray[np.float32]

PROFILE = "me"
NOISE = 0.33
"""Length of the noise that is added to a vector of length 1."""

CONVERSATION = 12
"""Turns of a conversation."""

PAGE = 2_500
"""Turns written in one transaction."""

BEGAN = 1_750_000_000_000
MINUTE = 60_000

WHO = ("my sister", "our neighbour", "the dentist", "my boss", "the plumber", "Mira", "our band", "my old teacher")
DID = ("repaired", "sold", "painted", "forgot", "borrowed", "described", "ordered", "photographed", "cleaned")
WHAT = ("the violin", "a red kayak", "the allotment shed", "two concert tickets", "an espresso machine", "the piano")
WHERE = ("in Porto", "near the canal", "at the market", "after the storm", "on Tuesday", "before the wedding")


class Source(NamedTuple):
    """Sentences with their vectors, questions with theirs, and the hash of the model that made them."""

    model: str
    sentences: list[str]
    rows: Rows
    questions: list[str]
    asked: Rows


def source(seed: int, sentences: int, questions: int) -> Source:
    chooser = random.Random(seed)
    said = [(who, did, what, where) for who in WHO for did in DID for what in WHAT for where in WHERE]
    chooser.shuffle(said)
    texts = [f"I was surprised that {' '.join(parts)}." for parts in said[:sentences]]
    asked = [f"Who {did} {what} {where}?" for _, did, what, where in said[:questions]]

    async def embed() -> tuple[str, Rows]:
        async with Runtime() as runtime:
            return runtime.model_id("embed"), await runtime.embed([*texts, *asked])

    model, rows = asyncio.run(embed())
    return Source(model, texts, rows[: len(texts)], asked, rows[len(texts) :])


def again(of: Source, picks: Sequence[int], noise: np.random.Generator) -> Rows:
    """Vectors near those of these sentences, of length 1."""
    added = noise.normal(size=(len(picks), of.rows.shape[1])).astype(np.float32)
    rows = of.rows[list(picks)] + NOISE * added / np.linalg.norm(added, axis=1, keepdims=True)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def fill(data: Path, of: Source, *, turns: int, known: int, seed: int) -> None:
    """Makes a store of `turns` turns and `known` memories, all with vectors, in which extraction is paused: the
    generator would take the time that the index is to be killed in, and change what is compared."""
    chooser, noise = random.Random(seed), np.random.default_rng(seed)
    with contextlib.closing(Store(data)) as store:

        def begin(tx: Tx) -> None:
            vectors.prepare(tx, of.model, of.rows.shape[1])
            jobs.set_paused(tx, True)
            log.ensure_profile(tx, PROFILE)
            picks = [chooser.randrange(len(of.sentences)) for _ in range(known)]
            for number, (pick, row) in enumerate(zip(picks, again(of, picks, noise), strict=True)):
                text = f"{of.sentences[pick]} That was memory {number}."
                draft = Draft(kind="fact", text=text, key=str(number), tags=(), sources=(), valid_from=BEGAN)
                pk = memories.add(tx, draft, profile=PROFILE, by_hand=True)
                vectors.put(tx, of.model, [(Waiting("memory", pk, text), row.tobytes())])

        store.write_now(begin)
        for start in range(0, turns, PAGE):
            picks = [chooser.randrange(len(of.sentences)) for _ in range(min(PAGE, turns - start))]
            rows = again(of, picks, noise)

            def page(tx: Tx, start: int = start, picks: list[int] = picks, rows: Rows = rows) -> None:
                add_turns(
                    tx,
                    of.model,
                    start,
                    [f"{of.sentences[pick]} That was day {start + n}." for n, pick in enumerate(picks)],
                    rows,
                )

            store.write_now(page)


def add_turns(tx: Tx, model: str, start: int, texts: Sequence[str], rows: Rows) -> None:
    """Writes turns as a capture does, without its job, and their vectors as the indexer does. `start` numbers them."""
    profile = log.ensure_profile(tx, PROFILE)
    conversation = 0
    for number, (text, row) in enumerate(zip(texts, rows, strict=True), start):
        at = BEGAN + number * MINUTE
        if number % CONVERSATION == 0 or not conversation:
            tx.db.execute(
                "INSERT INTO conversation (id, profile, site, external_id, created_at, updated_at, device, clock)"
                " VALUES (?, ?, 'campaign', ?, ?, ?, ?, ?)",
                (new_id(), profile, f"made-{number}", at, at, tx.device, tx.tick()),
            )
            conversation = tx.db.last_insert_rowid()
        role = "assistant" if number % 2 else "user"
        tx.db.execute(
            "INSERT INTO message (id, conversation, key, role, content, hash, received_at, time, position, device,"
            " clock) VALUES (?, ?, ?, ?, ?, x'', ?, ?, ?, ?, ?)",
            (new_id(), conversation, str(number), role, text, at, at, number % CONVERSATION, tx.device, tx.tick()),
        )
        pk = tx.db.last_insert_rowid()
        log.index_words(tx.db, pk, role, text)
        vectors.put(tx, model, [(Waiting("turn", pk, text), row.tobytes())])


def change_many(data: Path, of: Source, *, moved: int, dropped: int, added: int, seed: int) -> None:
    """Changes behind the back of an index beside the database: some vectors are others now, some turns are gone, some
    are new."""
    chooser, noise = random.Random(seed), np.random.default_rng(seed)
    with contextlib.closing(Store(data)) as store:

        def change(tx: Tx) -> None:
            profile = log.ensure_profile(tx, PROFILE)
            pks = chooser.sample(vectors.all_of(tx.db, of.model, "turn", profile), moved + dropped)
            for pk in pks[moved:]:
                log.unindex(tx.db, pk)
                tx.db.execute("DELETE FROM message WHERE pk = ?", (pk,))
            picks = [chooser.randrange(len(of.sentences)) for _ in range(moved + added)]
            rows = again(of, picks, noise)
            held = vector_sets.of(tx.db, of.model)
            assert held is not None
            for pk, row in zip(pks[:moved], rows, strict=False):
                vectors.store(tx.db, held, "turn", pk, profile, row.tobytes())
            texts = [f"{of.sentences[pick]} That was later, day {n}." for n, pick in enumerate(picks[moved:])]
            add_turns(tx, of.model, 1_000_000, texts, rows[moved:])

        store.write_now(change)


FOREIGN = "another model"


def make_foreign(data: Path, dimensions: int) -> None:
    """Has a store's vectors come from another embedding model than the one that is chosen."""
    noise = np.random.default_rng(0)
    with contextlib.closing(Store(data)) as store:

        def change(tx: Tx) -> None:
            profile = log.ensure_profile(tx, PROFILE)
            kinds: tuple[Indexed, ...] = ("turn", "memory")
            known = vector_sets.answering(tx.db)
            assert known is not None
            vectors.prepare(tx, FOREIGN, dimensions)
            other = vector_sets.of(tx.db, FOREIGN)
            assert other is not None
            for kind in kinds:
                for pk in vectors.all_of(tx.db, known.model, kind, profile):
                    row = noise.normal(size=dimensions).astype(np.float32)
                    row /= np.linalg.norm(row)
                    vectors.store(tx.db, other, kind, pk, profile, row.tobytes())
            tx.db.execute("DELETE FROM unindexed")
            vector_sets.complete(tx)

        store.write_now(change)
