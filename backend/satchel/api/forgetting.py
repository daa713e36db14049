"""Forgetting, to its end: rows, what memory still holds of them, bytes on disk, and the proof that they are gone.

The call answers when all of that is done. Should the daemon be cut off in between, the rows are gone or all there; what
was begun is ended at the next start, without the proof: nobody knows the words any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from satchel.api.events import Events
from satchel.models import Runtime
from satchel.recall.recall import Recall
from satchel.store import Store, backup, forget, receipts
from satchel.store.backup import Aftermath
from satchel.store.forget import Forgotten
from satchel.store.forget_plan import What
from satchel.store.receipts import Receipt
from satchel.types import StoreError

RETRY_SECONDS = 5.0
"""Between attempts to take forgotten bytes out of a log that another program is reading."""

AfterForgetting = Callable[[Store, str], Aftermath]

logger = logging.getLogger("satchel.forgetting")


class Forgetting:
    """One forgetting at a time. To be used from the server's event loop.

    `after` is called in a thread when the rows are gone from the database and its journal, with the store and the id of
    the receipt, and before the files are read: whoever keeps copies of the database in the data folder (backups) takes
    out of them there what the store does not hold any more (`clean_backups`). It may raise StoreError or OSError, which
    is then the call's answer.
    """

    def __init__(self, store: Store, runtime: Runtime, recall: Recall, events: Events) -> None:
        self.after: AfterForgetting = clean_backups
        self._store = store
        self._runtime = runtime
        self._recall = recall
        self._events = events
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def act(self, what: What, **named: str) -> Receipt:
        """Forgets; `named` goes into the event that tells of it. What takes nothing leaves a receipt and no more: no
        process is ended for it, no copy removed and no file read. Raises NotFoundError, BadInputError, and StoreError
        when the bytes cannot be taken out yet, which is then tried again until they are."""
        return await asyncio.shield(self._task(self._act(what, named)))  # a client that hangs up stops nothing half-way

    async def end_what_was_cut_off(self) -> None:
        """At the start of the daemon: what was forgotten when it stopped may still lie in the journal."""
        left = await self._store.read(receipts.unfinished)
        if left:
            self._task(self._until_done(functools.partial(self._empty, left)))
        self._make_owed_later()

    def owed(self) -> frozenset[str]:
        """The receipts of forgettings whose fresh backup is still to be made."""
        return backup.owed(self._store.path.parent)

    def _make_owed_later(self) -> None:
        if self.owed():
            self._task(self._until_done(self._make_owed))

    async def _make_owed(self) -> None:
        await asyncio.to_thread(backup.make_owed, self._store.path.parent, now=self._store.now)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _task(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name="forgetting")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _act(self, what: What, named: dict[str, str]) -> Receipt:
        async with self._lock:
            gone = await self._store.write(lambda tx: forget.forget(tx, what))
            if gone.nothing:
                return await self._store.write(
                    lambda tx: receipts.finish(tx, gone.receipt, files=0, bytes_read=0, bytes_found=0)
                )
            for profile in gone.profiles:
                self._events.publish("forgotten", profile, **(named or {"receipt": gone.receipt}))
            try:
                return await self._prove(gone)
            except (StoreError, OSError) as error:
                self._task(self._until_done(lambda: self._prove(gone)))
                raise StoreError(
                    f"It is forgotten, but its bytes may still lie on disk: {error} Satchel goes on trying."
                ) from error
            finally:
                self._make_owed_later()

    async def _prove(self, gone: Forgotten) -> Receipt:
        """Takes it out of memory and files, and reads the files. If they hold any of it, once more, thoroughly."""
        from satchel.store.verify_forgotten import verify

        await asyncio.to_thread(self._recall.forget)
        await self._runtime.forget()
        clear_caches()
        await self._store.truncate_log()
        copies = await asyncio.to_thread(self.after, self._store, gone.receipt)
        found = await asyncio.to_thread(verify, self._store, gone.traces)
        rewritten = 0
        if found.in_store:
            rewritten = 1
            await self._store.rewrite()
            await self._store.truncate_log()
            found = await asyncio.to_thread(verify, self._store, gone.traces)
        if found.bytes_found:
            logger.warning("%d bytes of what was forgotten are still in the data folder", found.bytes_found)
        return await self._store.write(
            lambda tx: receipts.finish(
                tx,
                gone.receipt,
                files=found.files,
                bytes_read=found.bytes_read,
                bytes_found=found.bytes_found,
                rewritten=rewritten,
                backups=copies.removed,
                elsewhere=copies.elsewhere,
            )
        )

    async def _empty(self, left: list[str]) -> None:
        await self._store.truncate_log()
        copies = await asyncio.to_thread(self.after, self._store, left[-1])
        for receipt in left:
            await self._store.write(
                functools.partial(receipts.finish, receipt=receipt, backups=copies.removed, elsewhere=copies.elsewhere)
            )

    async def _until_done(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        while True:
            with contextlib.suppress(StoreError, OSError):
                async with self._lock:
                    await work()
                return
            await asyncio.sleep(RETRY_SECONDS)


def clean_backups(store: Store, receipt: str) -> Aftermath:
    """Takes what was forgotten out of our own backups. Raises StoreError."""
    return backup.after_forgetting(store.path.parent, receipt, now=store.now)


def clear_caches() -> None:
    """Empties what functions remember of texts they were given (`functools.cache`): all of it, for a few milliseconds
    of work done again, so that no new cache can be overlooked."""
    for name, module in list(sys.modules.items()):
        if name.startswith("satchel."):
            for value in list(vars(module).values()):
                if clear := getattr(value, "cache_clear", None):
                    clear()
