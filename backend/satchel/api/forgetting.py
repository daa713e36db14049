"""Forgetting, to its end: rows, what memory still holds of them, bytes on disk, and the proof that they are gone.

The call answers when all of that is done. Should the daemon be cut off in between, the rows are gone or all there; what
was begun is ended at the next start, without the proof: nobody knows the words any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from satchel.api.events import Events
from satchel.faults import type_and_place
from satchel.models import Runtime
from satchel.recall.recall import Recall
from satchel.store import Store, Tx, backup, forget, receipts
from satchel.store.backup import Aftermath
from satchel.store.forget import Forgotten
from satchel.store.forget_plan import What
from satchel.store.receipts import Receipt
from satchel.types import StoreError

RETRY_SECONDS = 5.0
LONGEST_RETRY_SECONDS = 300.0
"""Between attempts at what could not be done yet, since another program reads the log, say: each wait twice the one
before."""

T = TypeVar("T")
AfterForgetting = Callable[[Store, str], Aftermath]

logger = logging.getLogger("satchel.forgetting")


class _Unproven:
    """A forgetting whose rows are gone, and whose bytes may lie somewhere still."""

    def __init__(self, gone: Forgotten) -> None:
        self.gone = gone
        self.let_go = False
        """Nothing in memory holds anything of it any more, here or in the models' processes."""
        self.copies: Aftermath | None = None
        """What became of the copies, once they were taken care of."""


class Forgetting:
    """One forgetting at a time. To be used from the server's event loop.

    `after` is called in a thread when the rows are gone from the database and its journal, with the store and the id of
    the receipt, and before the files are read: whoever keeps copies of the database in the data folder (backups) takes
    out of them there what the store does not hold any more (`clean_backups`). It may raise StoreError or OSError, which
    is then the call's answer.
    """

    def __init__(
        self,
        store: Store,
        runtime: Runtime,
        recall: Recall,
        events: Events,
        readers: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        self.after: AfterForgetting = clean_backups
        self._store = store
        self._runtime = runtime
        self._recall = recall
        self._readers = readers
        self._events = events
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._unproven: list[_Unproven] = []
        self._cut_off: list[str] = []
        """Receipts of an earlier run of the daemon."""
        self._retrying: asyncio.Task[None] | None = None
        self._soon = asyncio.Event()
        """Set when there is something new to be tried again."""

    async def act(self, what: What, **named: str) -> Receipt:
        """Forgets; `named` goes into the event that tells of it. What takes nothing leaves a receipt and no more: no
        process is ended for it, no copy removed and no file read. Raises NotFoundError, BadInputError, and StoreError
        when the bytes cannot be taken out yet, which is then tried again until they are."""
        return await asyncio.shield(self._task(self._act(what, named)))  # a client that hangs up stops nothing half-way

    async def end_what_was_cut_off(self) -> None:
        """At the start of the daemon: what was forgotten when it stopped may still lie in the journal, and a fresh
        backup may be owed."""
        self._cut_off = await self._store.read(receipts.unfinished)
        self._try_again(at_once=True)

    def owed(self) -> frozenset[str]:
        """The receipts of forgettings whose fresh backup is still to be made."""
        return backup.owed(self._store.path.parent)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _task(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="forgetting")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _act(self, what: What, named: dict[str, str]) -> Receipt:
        async with self._lock:
            gone, ended = await self._store.write(lambda tx: _forget(tx, what))
            if ended is not None:
                if self._unproven or self._cut_off:  # it may be these that are asked for again
                    await self._end_them()
                return ended
            for profile in gone.profiles:
                self._events.publish("forgotten", profile, **(named or {"receipt": gone.receipt}))
            self._unproven.append(_Unproven(gone))
            return (await self._end_them())[gone.receipt]

    async def _end_them(self) -> dict[str, Receipt]:
        """As `_end_all`; what stays to be done is tried again. Raises StoreError."""
        try:
            return await self._end_all()
        except (StoreError, OSError) as error:
            raise StoreError(
                f"It is forgotten, but its bytes may still lie on disk: {error} Satchel goes on trying."
            ) from error
        finally:
            self._try_again()

    async def _end_all(self) -> dict[str, Receipt]:
        """Takes all that was forgotten, now and before, out of memory and files, and proves it for each; the receipts.

        What was done for one is not done for it again: models begin anew, and copies are made, once.
        Raises StoreError and OSError: what is not done then stays to be done.
        """
        await self._let_go()
        await self._store.truncate_log()  # first of what may fail: another program may be reading it for long
        to_clean = [one for one in self._unproven if one.copies is None]
        if to_clean or self._cut_off:
            newest = to_clean[-1].gone.receipt if to_clean else self._cut_off[-1]
            copies = await asyncio.to_thread(self.after, self._store, newest)
            for one in to_clean:
                one.copies = copies
            for receipt in list(self._cut_off):  # its words are not known any more
                await self._finish(receipt, copies)
                self._cut_off.remove(receipt)
        ended: dict[str, Receipt] = {}
        for one in list(self._unproven):
            assert one.copies is not None
            ended[one.gone.receipt] = await self._prove(one.gone, one.copies)
            self._unproven.remove(one)
        return ended

    async def _let_go(self) -> None:
        held = [one for one in self._unproven if not one.let_go]
        if held:
            await asyncio.to_thread(self._recall.forget)
            for let_go in self._readers:  # before the models, of which they would ask more
                await let_go()
            await self._runtime.forget()
            clear_caches()
            for one in held:
                one.let_go = True

    async def _prove(self, gone: Forgotten, copies: Aftermath) -> Receipt:
        """Reads the files. If the database holds any of it, once more, when it was written anew."""
        from satchel.store.verify_forgotten import verify

        found = await asyncio.to_thread(verify, self._store, gone.traces)
        rewritten = 0
        if found.in_store:
            rewritten = 1
            await self._store.rewrite()
            await self._store.truncate_log()
            # The fresh copy was made of the same pages.
            anew = await asyncio.to_thread(self.after, self._store, gone.receipt)
            copies = msgspec.structs.replace(anew, removed=copies.removed)
            found = await asyncio.to_thread(verify, self._store, gone.traces)
        if found.bytes_found:
            logger.warning("%d bytes of what was forgotten are still in the data folder", found.bytes_found)
        return await self._finish(
            gone.receipt,
            copies,
            files=found.files,
            bytes_read=found.bytes_read,
            bytes_found=found.bytes_found,
            rewritten=rewritten,
        )

    async def _finish(self, receipt: str, copies: Aftermath, **found: int) -> Receipt:
        return await self._store.write(
            lambda tx: receipts.finish(tx, receipt, backups=copies.removed, elsewhere=copies.elsewhere, **found)
        )

    def _try_again(self, *, at_once: bool = False) -> None:
        """Has one task do what is left to be done, if anything is."""
        if not self._left():
            return
        if self._retrying is not None and not self._retrying.done():
            self._soon.set()
        else:
            self._retrying = self._task(self._until_done(0.0 if at_once else RETRY_SECONDS))

    def _left(self) -> bool:
        return bool(self._unproven or self._cut_off or self.owed())

    async def _until_done(self, wait: float) -> None:
        said = ""
        while self._left():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), wait)
                self._soon.clear()
                wait = RETRY_SECONDS  # what is new is not kept waiting for what has failed for long
                await asyncio.sleep(wait)
            wait = longer(wait)
            try:
                async with self._lock:
                    if self._unproven or self._cut_off:
                        await self._end_all()
                # Not under the lock: a copy of a large store takes its time, and begins anew by itself.
                await asyncio.to_thread(backup.make_owed, self._store.path.parent, now=self._store.now)
            except (StoreError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    logger.warning("what was forgotten is not all ended yet: %s", said)
            except Exception as error:  # noqa: BLE001 - nothing starts this again before something else is forgotten
                logger.error("forgetting: %s", type_and_place(error))  # noqa: TRY400 - no text in logs


def _forget(tx: Tx, what: What) -> tuple[Forgotten, Receipt | None]:
    """Forgets; with the receipt where there was nothing, so that nothing is left to be done for it after a kill."""
    gone = forget.forget(tx, what)
    nothing = {"files": 0, "bytes_read": 0, "bytes_found": 0}
    return gone, receipts.finish(tx, gone.receipt, **nothing) if gone.nothing else None


def longer(wait: float) -> float:
    """The seconds until the next attempt, after those before this one (0: it was made at once)."""
    return min(2 * wait or RETRY_SECONDS, LONGEST_RETRY_SECONDS)


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
