"""The daemon's parts, put together: store, models, recall, and the two workers that follow capture."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from satchel.api.events import Events
from satchel.api.forgetting import Forgetting
from satchel.api.links import Links
from satchel.api.pairing import Pairings
from satchel.api.pulling import Pulls
from satchel.capture.normalise import Captured, normalise, title_of, url_of
from satchel.config import Config
from satchel.extract.keep_out import KeepOut
from satchel.extract.rederive import Rederiver
from satchel.extract.worker import ExtractionWorker
from satchel.models import ModelState, Runtime
from satchel.models.hosts import Hosts
from satchel.recall.indexer import Indexer
from satchel.recall.memory_map import Maps
from satchel.recall.portraits import Portraits
from satchel.recall.recall import Recall
from satchel.store import Store, clients, jobs, log
from satchel.store.clients import Client
from satchel.types import ModelError

LARGE_CAPTURE = 50_000
"""Code points from which a capture is cleaned in a thread, so that others are answered meanwhile."""

logger = logging.getLogger("satchel.daemon")


class Daemon:
    """Everything that lives as long as the process. `start` and `stop` run in the server's event loop.

    `command_line` is the client id of the command line's own token.
    """

    def __init__(self, store: Store, runtime: Runtime, config: Config, *, command_line: str | None = None) -> None:
        self.store = store
        self.runtime = runtime
        self.config = config
        self.command_line = command_line
        self.events = Events()
        self.pairings = Pairings(now=store.now, random=secrets.SystemRandom())
        self.links = Links(now=time.monotonic)
        self.recall = Recall(store, runtime, threshold=config.recall.threshold)
        self.indexer = Indexer(store, runtime)
        self.worker = ExtractionWorker(store, runtime, publish=self.events.publish, stored=self.indexer.wake)
        self.worker.keep_out = KeepOut(config.extract.keep_out)
        self.rederiver = Rederiver(store, runtime, self.worker, publish=self.events.publish, stored=self.indexer.wake)
        self.maps = Maps(store)
        self.portraits = Portraits()
        self.forgetting = Forgetting(
            store, runtime, self.recall, self.events, (self.rederiver.forget, self.worker.forget, self.maps.forget)
        )
        self.pulls = Pulls(publish=self.events.publish, fetched=self.wake)
        self.hosts = Hosts()
        self.ready = False
        self._tasks: list[asyncio.Task[None]] = []
        self._changing_settings = asyncio.Lock()
        self._seen: dict[str, int] = {}

    async def start(self) -> None:
        await self.store.write(jobs.release_all)
        await self.forgetting.end_what_was_cut_off()
        self._tasks = [
            asyncio.create_task(self.worker.run(), name="extraction"),
            asyncio.create_task(self.indexer.run(), name="indexing"),
        ]
        self.ready = True

    async def stop(self) -> None:
        """Ends streams, puts the running job back, ends the model processes, closes the store: each step,
        whatever became of the ones before."""
        self.ready = False
        self.events.close()
        await self.maps.close()
        await self.pulls.close()
        await self.forgetting.close()
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                logger.error("a background task had ended early: %s", type(ended).__name__)
        try:
            await self.runtime.close()
        finally:
            await asyncio.to_thread(self.recall.close)
            await asyncio.to_thread(self.store.close)

    # What the controllers call

    @property
    def folder(self) -> Path:
        """The data folder."""
        return self.store.path.parent

    async def capture(self, captured: Captured) -> log.Recorded:
        """Files a capture; returns when it is on disk. Raises BadInputError, StoreError."""
        large = sum(len(message.content) for message in captured.messages) > LARGE_CAPTURE
        messages = await asyncio.to_thread(normalise, captured) if large else normalise(captured)
        recorded = await self.store.write(
            lambda tx: log.record(
                tx,
                profile=captured.profile,
                site=captured.site,
                external_id=captured.external_id,
                title=title_of(captured),
                url=url_of(captured),
                messages=messages,
            )
        )
        if recorded.accepted:
            self.changed("job", captured.profile, id=recorded.job_id, status="queued")
            self.wake()
        return recorded

    async def pause(self, paused: bool) -> None:
        """Pauses extraction, or lets it go on; it stays so when the daemon is started anew."""
        await self.store.write(lambda tx: jobs.set_paused(tx, paused))
        self.worker.wake()

    def wake(self) -> None:
        """There is work for the workers."""
        self.worker.wake()
        self.indexer.wake()

    async def change_settings(self, write: Callable[[], Config]) -> Config:
        """Writes settings in a thread and takes them over, one change after the other, so that the latest written is
        the latest that holds. Raises what `write` raises."""
        async with self._changing_settings:
            kept = await asyncio.to_thread(write)
            self.apply(kept)
            return kept

    def apply(self, config: Config) -> None:
        """Takes over, of changed settings, what can be changed while the daemon runs; `self.config` says what holds."""
        models = msgspec.structs.replace(
            self.config.models, idle_seconds=config.models.idle_seconds, threads=config.models.threads
        )
        self.config = msgspec.structs.replace(self.config, models=models, extract=config.extract, recall=config.recall)
        self.recall.set_threshold(config.recall.threshold)
        self.worker.keep_out.categories = frozenset(config.extract.keep_out)
        self.runtime.set_limits(idle_seconds=models.idle_seconds, threads=models.threads or None)

    def changed(self, name: str, profile: str, **data: Any) -> None:
        self.events.publish(name, profile, **data)
        self.indexer.wake()

    def model_states(self) -> Sequence[ModelState]:
        return self.runtime.status()

    def embedder_called(self, model: str) -> str | None:
        """The name of an installed embedding model by its file's hash. A large file may have to be hashed."""
        try:
            return self.runtime.embedder_called(model)
        except ModelError:  # the list of models cannot be read: the models' states say so
            return None

    async def still_may(self, client: Client) -> bool:
        """Whether a client may still do all that it might when its request came."""
        now = await self.store.read(lambda db: clients.by_id(db, client.id))
        same = now is not None and (now.scopes, now.profiles) == (client.scopes, client.profiles)
        return same and now is not None and now.revoked_at is None

    # What the guard calls

    def client_of_token(self, token: str) -> Client | None:
        return self.store.read_now(lambda db: clients.by_token(db, token))

    def client_of_page(self, cookie: str, key: str | None) -> Client | None:
        return self.store.read_now(lambda db: clients.by_page(db, cookie, key, now=self.store.now()))

    async def pin_client(self, client: Client, origin: str | None) -> Client:
        return await self.store.write(lambda tx: clients.pin(tx, client.id, origin))

    def is_paired(self, origin: str) -> bool:
        return self.store.read_now(lambda db: clients.is_paired(db, origin))

    def client_seen(self, client: Client) -> None:
        now = self.store.now()
        last = self._seen.get(client.id, client.last_used_at or 0)
        if abs(now - last) >= clients.SEEN_EVERY_MS:
            self._seen[client.id] = now
            # Not awaited: whether this is written must not slow down or fail the request.
            self.store.submit(lambda tx: clients.seen(tx, client.id)).add_done_callback(_note_failure)


def _note_failure(future: Any) -> None:
    if error := future.exception():
        logger.warning("could not note a client's last use: %s", error)
