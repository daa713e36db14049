"""What is known about a person as a page one would read, and the pictures of it: by time, by site, by meaning."""

from __future__ import annotations

from typing import Annotated

import apsw
import msgspec
from litestar import Controller, get
from litestar.params import QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile
from satchel.api.pictures_schemas import (
    MapAnswer,
    PortraitAnswer,
    SectionAnswer,
    SiteAnswer,
    SitesAnswer,
    TimelineAnswer,
    TodayAnswer,
)
from satchel.api.schemas import MemoryAnswer
from satchel.recall.portrait import within
from satchel.recall.portraits import SectionOf
from satchel.recall.timeline import By, local_day, midnight, timeline
from satchel.store import pictures
from satchel.store.pictures import Today
from satchel.types import Memory

PORTRAIT_BYTES = 58_000
"""Room for the memories of a portrait, which shall be there at once."""

ProfileName = Annotated[str, QueryParameter(max_length=100)]


def _with_one_source(memory: Memory) -> MemoryAnswer:
    return MemoryAnswer.of(msgspec.structs.replace(memory, sources=memory.sources[-1:]))


def _bytes_of(memory: Memory) -> int:
    return len(msgspec.json.encode(_with_one_source(memory))) + 1


class PicturesController(Controller):
    path = "/v1"
    tags = ("pictures",)

    @get("/portrait", opt={"scope": "manage"})
    async def portrait(self, request: AnyRequest, daemon: TheDaemon, profile: ProfileName = "me") -> PortraitAnswer:
        """What the AIs know about a person, in sections, and what was done today. At most 12 memories of each, pinned
        first, then those said most often, then the latest; fewer where they are long: the whole is under 60 kB."""
        check_profile(request, profile)
        now = daemon.store.now()

        def look(db: apsw.Connection) -> tuple[list[SectionOf], Today]:
            return daemon.portraits.of(db, profile, now=now), pictures.since(db, profile, midnight(now))

        found, today = await daemon.store.read(look)
        kept = within({one.name: one.memories for one in found}, _bytes_of, PORTRAIT_BYTES)
        return PortraitAnswer(
            profile=profile,
            sections=[
                SectionAnswer(name=one.name, total=one.total, memories=[_with_one_source(m) for m in kept[one.name]])
                for one in found
            ],
            total=sum(one.total for one in found),
            today=TodayAnswer(day=local_day()(now).isoformat(), **msgspec.structs.asdict(today)),
        )

    @get("/pictures/timeline", opt={"scope": "manage"})
    async def timeline(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: ProfileName = "me",
        by: Annotated[By | None, QueryParameter()] = None,
    ) -> TimelineAnswer:
        """What was learned and captured when, in local days, weeks from Monday, or months, those without anything
        included. When something was learned is when it was said, so that an import of old conversations stands where
        they were; whatever became of it since. Without `by` as narrow as some 120 bars allow. There are at most
        5,000 bars: what lies beyond them counts into the first, or the last."""
        check_profile(request, profile)
        day_of = local_day()

        def look(db: apsw.Connection) -> TimelineAnswer:
            learned, captured = pictures.learned_at(db, profile), pictures.captured_at(db, profile)
            return TimelineAnswer.of(
                timeline(learned, captured, today=day_of(daemon.store.now()), by=by, day_of=day_of)
            )

        return await daemon.store.read(look)

    @get("/pictures/sites", opt={"scope": "manage"})
    async def sites(self, request: AnyRequest, daemon: TheDaemon, profile: ProfileName = "me") -> SitesAnswer:
        """What was captured, learned and inserted on each site, most turns first."""
        check_profile(request, profile)
        found = await daemon.store.read(lambda db: pictures.sites(db, profile))
        return SitesAnswer(sites=[SiteAnswer.of(one) for one in found])

    @get("/pictures/map", opt={"scope": "manage"})
    async def map(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: ProfileName = "me",
        limit: Annotated[int, QueryParameter(ge=1, le=5000)] = 2000,
    ) -> MapAnswer:
        """The memories that hold now by meaning: near each other is what means nearly the same, in named clusters. Of
        more than `limit` those that are pinned, said most often and newest, and some of every cluster. The first time
        after a change it takes some seconds."""
        check_profile(request, profile)
        return MapAnswer.of(await daemon.maps.of(profile, limit))
