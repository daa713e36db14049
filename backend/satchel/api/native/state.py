"""What the daemon is doing, what changed, and everything as a file."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Annotated

import apsw
import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage, Stream

from satchel import __version__
from satchel.api.access import (
    AnyRequest,
    ForbiddenError,
    TheDaemon,
    check_profile,
    client_of,
    oversees_all,
    sees,
    visible_profiles,
)
from satchel.api.daemon import Daemon
from satchel.api.schemas import (
    ChangeList,
    ExtractionAnswer,
    ExtractionRequest,
    Health,
    ModelAnswer,
    ReembeddingAnswer,
    StatusAnswer,
    record_of,
)
from satchel.store import changes, forgotten_turns, jobs, memories, vector_sets

EXPORT_BATCH = 500


@get("/health", tags=("state",), security=[{}])
async def health(daemon: TheDaemon) -> Health:
    """Whether Satchel answers. Needs no token and tells nothing private."""
    return Health(name="satchel", version=__version__, ready=daemon.ready)


_MINE = "WITH mine AS (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?)))"

Counts = tuple[dict[str, int], dict[str, int], int]
"""Jobs by state, how much is stored, and how much waits for its vector."""


def _counts(db: apsw.Connection) -> Counts:
    queue = {str(status): number for status, number in jobs.counts(db).items()}
    stored = {
        "conversations": db.execute("SELECT count(*) FROM conversation").get,
        "messages": db.execute("SELECT count(*) FROM message").get,
    }
    return queue, stored | _by_status(memories.counts(db).items()), vector_sets.count_waiting(db)


def _counts_in(db: apsw.Connection, profiles: Sequence[str]) -> Counts:
    """The same, of what a client limited to some profiles may see."""

    def count(sql: str) -> dict[str, int]:
        return {str(what): int(str(number)) for what, number in db.execute(f"{_MINE} {sql}", only)}

    only = (msgspec.json.encode(profiles).decode(),)
    queue = count(
        "SELECT j.status, count(*) FROM job j JOIN conversation c ON c.pk = j.conversation"
        " WHERE c.profile IN mine GROUP BY j.status"
    )
    stored = count(
        "SELECT 'conversations', count(*) FROM conversation WHERE profile IN mine UNION ALL"
        " SELECT 'messages', count(*) FROM message m JOIN conversation c ON c.pk = m.conversation"
        " WHERE c.profile IN mine"
    )
    by_status = count("SELECT status, count(*) FROM memory WHERE profile IN mine GROUP BY status")
    none = {"queued": 0, "running": 0, "failed": 0, "completed": 0}
    return none | queue, stored | _by_status(by_status.items()), vector_sets.count_waiting(db, profiles=profiles)


def _by_status(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    return {f"memories_{status}": number for status, number in counted}


async def _reembedding(daemon: Daemon, progress: vector_sets.Progress | None) -> ReembeddingAnswer | None:
    if progress is None:
        return None
    names = [await asyncio.to_thread(daemon.embedder_called, model) for model in (progress.model, progress.former)]
    return ReembeddingAnswer(
        model=names[0],
        former=names[1],
        done=progress.done,
        total=progress.total,
        rate=daemon.indexer.pace.per_minute,
        seconds_left=daemon.indexer.pace.seconds_for(progress.total - progress.done),
    )


class StateController(Controller):
    path = "/v1"
    tags = ("state",)

    @get("/status")
    async def status(self, request: AnyRequest, daemon: TheDaemon) -> StatusAnswer:
        """The queue, what waits for its vector, the models, a change of the embedding model, and how much is stored."""
        profiles = visible_profiles(request)

        read = daemon.worker.read_already

        def look(db: apsw.Connection) -> tuple[Counts, int, bool, vector_sets.Progress | None, int]:
            counted = _counts(db) if profiles is None else _counts_in(db, profiles)
            waiting = jobs.waiting_turns(db, read, profiles=profiles)
            again = forgotten_turns.count_sent_again(db, profiles=profiles)
            return counted, waiting, jobs.paused(db), vector_sets.progress(db, profiles=profiles), again

        (queue, counts, indexing), waiting, paused, progress, again = await daemon.store.read(look)
        return StatusAnswer(
            queued=queue["queued"],
            running=queue["running"],
            failed=queue["failed"],
            completed=queue["completed"],
            indexing=indexing,
            models=[
                ModelAnswer(role=m.role, name=m.name, state=m.state, error=m.error, resident_bytes=m.resident)
                for m in daemon.model_states()
            ],
            counts=counts,
            forgotten_sent_again=again,
            paused=paused,
            rate=daemon.worker.pace.per_minute,
            seconds_left=None if paused else daemon.worker.pace.seconds_for(waiting),
            reembedding=await _reembedding(daemon, progress),
        )

    @post("/extraction", status_code=200, opt={"scope": "manage"})
    async def extraction(
        self, request: AnyRequest, data: JSONBody[ExtractionRequest], daemon: TheDaemon
    ) -> ExtractionAnswer:
        """Pauses the making of memories, or lets it go on. What is captured is kept meanwhile, and questions answered.

        It concerns all profiles: a client that is limited to some may not.
        """
        if visible_profiles(request) is not None:
            raise ForbiddenError("Pausing concerns all profiles, and this token is limited to some.")
        await daemon.pause(data.paused)
        return ExtractionAnswer(paused=data.paused)

    @get("/events", media_type="text/event-stream")
    async def events(self, request: AnyRequest, daemon: TheDaemon) -> ServerSentEvent:
        """Server-sent events: `job`, `memory`, `inserted`, `forgotten`; ids and states only.

        Who manages all profiles, and is no browser extension, is also told that a `client` changed, and that somebody
        waits in a `pairing`, or no longer does: these have no profile.
        """

        client = client_of(request)

        async def stream() -> AsyncIterator[ServerSentEventMessage]:
            async for event in daemon.events.listen(client=client.id, first=True):
                if event is None:
                    if not await daemon.still_may(client):  # it may have changed before we began to listen
                        return
                    yield ServerSentEventMessage(comment="listening", data=None)
                elif oversees_all(client) if event.profile is None else sees(request, event.profile):
                    data = msgspec.json.encode({"profile": event.profile, **event.data}).decode()
                    yield ServerSentEventMessage(event=event.name, data=data)

        return ServerSentEvent(stream())

    @get("/changes", opt={"scope": "manage"})
    async def changes(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        since: Annotated[str, QueryParameter(max_length=40)] = "",
        limit: Annotated[int, QueryParameter(ge=1, le=5000)] = 1000,
    ) -> ChangeList:
        """Rows that changed after the cursor, in order, tombstones included. Go on until nothing comes."""
        profiles = visible_profiles(request)
        found, cursor = await daemon.store.read(lambda db: changes.since(db, since, limit=limit, profiles=profiles))
        return ChangeList(changes=[record_of(c) for c in found], cursor=cursor)

    @get("/export", opt={"scope": "manage"}, media_type="application/x-ndjson")
    async def export(
        self, request: AnyRequest, daemon: TheDaemon, profile: Annotated[str, QueryParameter(max_length=100)] = "me"
    ) -> Stream:
        """Everything in a profile, one JSON record a line: earlier revisions and history too, unlike `/v1/changes`."""
        check_profile(request, profile)

        async def lines() -> AsyncIterator[bytes]:
            cursor: changes.Cursor | None = changes.Cursor()
            while cursor is not None:
                look = functools.partial(changes.export_batch, profile=profile, cursor=cursor, size=EXPORT_BATCH)
                found, cursor = await daemon.store.read(look)
                if found:
                    yield b"".join(msgspec.json.encode(record_of(c)) + b"\n" for c in found)

        return Stream(lines(), media_type="application/x-ndjson")
