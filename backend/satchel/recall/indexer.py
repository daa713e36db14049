"""Gives everything that was stored its vector, in the background: memories first, what is new before what is old.

After a change of the embedding model, everything is embedded anew. Until that is done the former model's vectors
answer, and what is new is given one of each, as long as the former model is installed.
"""

from __future__ import annotations

import asyncio
import logging
import time

from satchel.faults import type_and_place
from satchel.models import Runtime
from satchel.pace import Pace
from satchel.store import Store, vector_sets, vectors
from satchel.types import ModelError, StoreError

BATCH = 16
RETRY_SECONDS = 30.0
PACED_BATCHES = 30

logger = logging.getLogger("satchel.indexing")


class Indexer:
    """Follows the store's lists of what waits for a vector. `pace` is that of the model in use."""

    def __init__(self, store: Store, models: Runtime) -> None:
        self._store = store
        self._models = models
        self._work = asyncio.Event()
        self._work.set()
        self.pace = Pace(PACED_BATCHES * BATCH)

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        """Runs until cancelled. Whatever goes wrong (no model, the store in trouble, a bug), it waits and tries
        again."""
        while True:
            await self._work.wait()
            self._work.clear()
            try:
                if await self._store.read(vectors.is_old):
                    await self._store.write(vectors.take_over)
                while await self.index_some():
                    pass
                while await self._store.read(vector_sets.put_aside):
                    await self._store.write(vector_sets.clear_away)
            except (ModelError, StoreError) as error:
                logger.warning("indexing waits: %s", error)
                await self._pause()
                self._work.set()
            except Exception as error:  # noqa: BLE001 - what is captured after it must still get its vectors
                logger.error("indexing: %s", type_and_place(error))  # noqa: TRY400 - no text in logs
                await self._pause()
                self._work.set()

    async def _pause(self) -> None:
        await asyncio.sleep(RETRY_SECONDS)

    async def index_some(self) -> int:
        """Embeds and stores one batch; how many were in it."""
        sets = await self._store.read(vector_sets.held)
        waits = await self._store.read(vector_sets.anything_waits)
        if not sets and not waits:
            return 0
        try:
            # In a thread: a large model's file may have to be hashed.
            model = await asyncio.to_thread(self._models.model_id, "embed")
        except ModelError:
            if not waits:  # nothing misses it
                return 0
            # Chosen and not installed yet: the one that answers goes on.
            if sets and (done := await self._former(sets[0].model)):
                return done
            raise
        if not sets or sets[-1].model != model:
            # A model that cannot embed this begins no change.
            dimensions = (await self._models.embed_with(model, ["."])).shape[1]
            if sets:
                logger.info("the embedding model changed: everything is embedded anew")
            await self._store.write(lambda tx: vectors.prepare(tx, model, dimensions))
            sets = await self._store.read(vector_sets.held)
        # What is new, for the former model: it is little, and whoever asks now finds it.
        if sets[0].model != model and (done := await self._former(sets[0].model)):
            return done
        started = time.monotonic()
        if done := await self._embed(model):
            for _ in range(done):
                self.pace.add((time.monotonic() - started) / done)
            return done
        if len(sets) > 1 and await self._store.write(vector_sets.complete):
            logger.info("everything is embedded anew, and answers from now on")
        return 0

    async def _former(self, model: str) -> int:
        try:
            return await self._embed(model)
        except ModelError as error:  # the status says so
            logger.debug("nothing more for the former embedding model: %s", error)
            return 0

    async def _embed(self, model: str) -> int:
        """One batch of what waits for a vector of this model."""
        items = await self._store.read(lambda db: vectors.waiting(db, model, BATCH))
        if not items:
            return 0
        rows = await self._models.embed_with(model, [item.text for item in items])
        packed = [(item, row.tobytes()) for item, row in zip(items, rows, strict=True)]
        await self._store.write(lambda tx: vectors.put(tx, model, packed))
        return len(items)
