"""Deriving memories again: read the log anew, look at what would change, apply it."""

from __future__ import annotations

from typing import Annotated

import apsw
from litestar import Controller, delete, get, post
from litestar.params import JSONBody, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile
from satchel.api.daemon import Daemon
from satchel.api.schemas import (
    Done,
    RederiveApply,
    RederiveChange,
    RederivePage,
    RederiveProgress,
    RederiveRequest,
)
from satchel.store import jobs, rederivation
from satchel.times import to_iso

MAX_PAGE = 1_000_000

Told = tuple[rederivation.Progress | None, list[rederivation.Change], bool]


async def _tell(daemon: Daemon, profile: str, *, page: int, size: int) -> RederivePage:
    def look(db: apsw.Connection) -> Told:
        found = rederivation.progress(db, profile)
        changes = rederivation.changes(db, found.run, page=page, size=size) if found and size else []
        return found, changes, jobs.paused(db)

    found, changes, paused = await daemon.store.read(look)
    if found is None:
        return RederivePage(profile=profile, state="none", paused=paused, page=page, size=size)
    reading = found.run.state == "reading"
    pace = daemon.rederiver.pace
    return RederivePage(
        profile=profile,
        state=found.run.state,
        preview=found.run.preview,
        turns=found.turns,
        read=found.read,
        unreadable=found.unreadable,
        rate=pace.per_minute if reading else None,
        seconds_left=None if paused or not reading else pace.seconds_for(found.turns - found.read),
        paused=paused,
        error=daemon.rederiver.held_up_by() if reading else None,
        started_at=to_iso(found.run.started_at),
        counts={str(kind): number for kind, number in found.changes.items()},
        total=sum(found.changes.values()),
        applied=found.applied,
        skipped=found.skipped,
        page=page,
        size=size,
        items=[RederiveChange.of(change) for change in changes],
    )


class RederiveController(Controller):
    path = "/v1/rederive"
    tags = ("memories",)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @post("/", status_code=202)
    async def start(self, request: AnyRequest, data: JSONBody[RederiveRequest], daemon: TheDaemon) -> RederiveProgress:
        """Starts deriving a profile's memories again, or goes on with it. Nothing changes before it is applied."""
        check_profile(request, data.profile)
        await daemon.store.write(lambda tx: rederivation.begin(tx, data.profile))
        daemon.worker.wake()
        return (await _tell(daemon, data.profile, page=1, size=0)).progress()

    @get("/")
    async def page(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str, QueryParameter(max_length=100)] = "me",
        page: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> RederivePage:
        """How far it is, and a page of what would change, or was changed, in the order in which it is applied."""
        check_profile(request, profile)
        return await _tell(daemon, profile, page=page, size=size)

    @post("/apply", status_code=202, opt={"problems": (409,)})
    async def apply(self, request: AnyRequest, data: JSONBody[RederiveApply], daemon: TheDaemon) -> RederiveProgress:
        """Applies the changes that `preview` names. What was changed since it was made is skipped."""
        check_profile(request, data.profile)
        await daemon.store.write(lambda tx: rederivation.confirm(tx, data.profile, data.preview))
        daemon.worker.wake()
        return (await _tell(daemon, data.profile, page=1, size=0)).progress()

    @delete("/", status_code=200)
    async def drop(
        self, request: AnyRequest, daemon: TheDaemon, profile: Annotated[str, QueryParameter(max_length=100)] = "me"
    ) -> Done:
        """Drops what was read again and the preview. Changes that were applied stay."""
        check_profile(request, profile)
        await daemon.store.write(lambda tx: rederivation.drop(tx, profile))
        return Done()
