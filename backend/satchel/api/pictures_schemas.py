"""What the dashboard's home and pictures are told. Times are ISO 8601, days local."""

from __future__ import annotations

import msgspec

from satchel.api.schemas import Answer, MemoryAnswer
from satchel.recall.memory_map import MemoryMap
from satchel.recall.portrait import Section
from satchel.recall.timeline import By, Timeline
from satchel.store.pictures import SiteCounts
from satchel.times import to_iso
from satchel.types import Kind

LONGEST_TEXT = 240
"""Characters of a memory that a point of the map is labelled with."""


class SectionAnswer(Answer):
    """`total`: how many memories belong to it; `memories` are the first of them."""

    name: Section
    total: int
    memories: list[MemoryAnswer]


class TodayAnswer(Answer):
    """Since the computer's midnight, and however old what was said is: `turns` captured in so many `conversations`,
    memories `learned`, and hits that were `inserted` into prompts."""

    day: str
    conversations: int
    turns: int
    learned: int
    inserted: int


class PortraitAnswer(Answer):
    """`total`: all memories that hold now. Sections of which there is nothing are left out. A memory's `sources` is
    the last of them alone; `GET /v1/memories/{id}` has all."""

    profile: str
    sections: list[SectionAnswer]
    total: int
    today: TodayAnswer


class BarAnswer(Answer):
    """`start`: the bar's first day. `learned`: memories by kind, `captured`: turns."""

    start: str
    learned: dict[Kind, int]
    captured: int


class TimelineAnswer(Answer):
    """`from` is the first bar's first day, `until` the last that is told of. A memory stands where the earliest of its
    words was said, one that you wrote where you wrote it."""

    by: By
    from_: str = msgspec.field(name="from")
    until: str
    bars: list[BarAnswer]

    @classmethod
    def of(cls, found: Timeline) -> TimelineAnswer:
        return cls(
            by=found.by,
            from_=found.first.isoformat(),
            until=found.last.isoformat(),
            bars=[
                BarAnswer(start=bar.start.isoformat(), learned=bar.learned, captured=bar.captured) for bar in found.bars
            ],
        )


class SiteAnswer(Answer):
    """`memories` rest on what was said there; `inserted` hits went into prompts there; `last_at`: the last turn or
    insertion."""

    site: str
    conversations: int
    turns: int
    memories: int
    inserted: int
    last_at: str

    @classmethod
    def of(cls, one: SiteCounts) -> SiteAnswer:
        return cls(**msgspec.structs.asdict(one) | {"last_at": to_iso(one.last_at)})


class SitesAnswer(Answer):
    sites: list[SiteAnswer]


class PointAnswer(Answer):
    """`text` is the beginning of a long one. `x` and `y` are in [0, 1]; `cluster` is the id of one of the clusters."""

    id: str
    kind: Kind
    text: str
    x: float
    y: float
    cluster: int


class ClusterAnswer(Answer):
    """`name`: the tags that mark it. `x` and `y`: its middle."""

    id: int
    name: str
    size: int
    x: float
    y: float


class MapAnswer(Answer):
    """`total`: all memories that hold now; `shown`: those with a point. The others have no vector yet, or are left out
    because there are more than `limit`."""

    points: list[PointAnswer]
    clusters: list[ClusterAnswer]
    total: int
    shown: int

    @classmethod
    def of(cls, found: MemoryMap) -> MapAnswer:
        points = [
            PointAnswer(id=said.id, kind=said.kind, text=_short(said.text), x=round(x, 4), y=round(y, 4), cluster=group)
            for pk, x, y, group in found.drawn.points
            if (said := found.wordings.get(pk)) is not None
        ]
        return cls(
            points=points,
            clusters=[
                ClusterAnswer(id=one.id, name=one.name, size=one.size, x=round(one.x, 4), y=round(one.y, 4))
                for one in found.drawn.clusters
            ],
            total=found.drawn.total,
            shown=len(points),
        )


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1].rstrip() + "…"
