"""Gives everything that was stored its vector, in the background, oldest memories first."""

from __future__ import annotations

import asyncio
import logging

from satchel.faults import type_and_place
from satchel.models import Runtime
from satchel.store import Store, Tx, vectors
from satchel.types import ModelError, StoreError

BATCH = 16
RETRY_SECONDS = 30.0

logger = logging.getLogger("satchel.indexing")


class Indexer:
    """Follows the store's list of what waits for a vector."""

    def __init__(self, store: Store, models: Runtime) -> None:
        self._store = store
        self._models = models
        self._work = asyncio.Event()
        self._work.set()

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
                await self._queue_if_foreign()
                while await self.index_some():
                    pass
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

    async def _queue_if_foreign(self) -> None:
        """Vectors of another model than the chosen one say nothing beside a question's: they are made again, although
        nothing new may wait that would bring it about."""
        made_by = (await self._store.read(vectors.embedder)).rpartition(":")[0]
        if made_by and made_by != await asyncio.to_thread(self._models.model_id, "embed"):
            await self._store.write(vectors.queue_all)

    async def index_some(self) -> int:
        """Embeds and stores one batch; how many were in it."""
        items = await self._store.read(lambda db: vectors.waiting(db, BATCH))
        if not items:
            return 0
        rows = await self._models.embed([item.text for item in items])
        # In a thread: a large model's file may have to be hashed.
        model, dimensions = await asyncio.to_thread(self._models.model_id, "embed"), rows.shape[1]
        packed = [(item, row.tobytes()) for item, row in zip(items, rows, strict=True)]

        def store(tx: Tx) -> None:
            vectors.prepare(tx, model, dimensions)
            vectors.put(tx, packed)

        await self._store.write(store)
        return len(items)
