"""The map of a profile's memories by meaning: where each lies, and in which group.

It is worked out in a thread, one at a time, and kept until the memories change. What is kept are places, and the
groups' names, which are words of memories: a forgetting drops it, and gives up what is being drawn.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import apsw
import msgspec

from satchel.recall import projection
from satchel.recall.clusters import grouped, named
from satchel.recall.projection import GivenUpError
from satchel.store import Store, pictures, vector_sets, vectors
from satchel.store.pictures import Outline, Wording
from satchel.types import StoreError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 4
"""Maps that are kept, of different profiles or limits."""

SPREAD_OVER = 3
"""How many times more memories than are shown are looked at, to show some of every group."""


class Version(msgspec.Struct, frozen=True):
    """What a map is drawn of: memories as of a change, whose vectors, and how many of these there were."""

    change: int
    model: str
    vectors: int


class Cluster(msgspec.Struct, frozen=True):
    id: int
    name: str
    size: int
    x: float
    y: float


class Drawn(msgspec.Struct, frozen=True):
    """`points`: (pk, x, y, cluster), by pk. `total` memories hold, until the moment `until` (ms) at the least."""

    version: Version
    until: float
    points: list[tuple[int, float, float, int]]
    clusters: list[Cluster]
    total: int


class _Sample(NamedTuple):
    """What a map is drawn of, until when, of how many memories, and the vectors of those to be shown."""

    version: Version
    until: float
    total: int
    pks: list[int]
    rows: NDArray[np.float32]


class MemoryMap(msgspec.Struct, frozen=True):
    """A map with the words of its points as they are now, by pk; a point without words is not to be shown."""

    drawn: Drawn
    wordings: dict[int, Wording]


class Maps:
    """To be used from the server's event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: dict[tuple[str, int], Drawn] = {}
        self._one_at_a_time = asyncio.Lock()
        self._drawing: asyncio.Future[Drawn] | None = None
        self._tasks: set[asyncio.Task[Drawn | None]] = set()
        self._generation = 0
        self._closed = False

    async def of(self, profile: str, limit: int) -> MemoryMap:
        """The map of the memories that hold now and have a vector. Of more than `limit`, a sample: the pinned, then a
        fifth of it those said most often, a fifth the newest; the rest from all groups alike, as many of each, so that
        small ones are seen too. The same memories give the same map. While many are written, it may be a few changes
        old. Raises StoreError."""
        while True:
            found = await self._store.read(lambda db: self._as_kept(db, profile, limit))
            if found is not None:
                return found
            if self._closed:
                raise StoreError("Satchel is shutting down; try again when it runs.")
            # A task of its own: when the one who asks hangs up, the thread goes on, and nobody may begin beside it.
            task = asyncio.create_task(self._draw(profile, limit), name="map")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            drawn = await asyncio.shield(task)
            # It is answered with though memories were written meanwhile: while many are, no map would ever be current.
            if drawn is not None and (found := await self._unless_forgotten(drawn)) is not None:
                return found

    async def forget(self) -> None:
        """Lets go of all maps, and of what is being made of vectors and words that may be gone."""
        self._generation += 1
        self._kept.clear()
        if self._drawing is not None:
            await asyncio.wait([self._drawing])

    async def close(self) -> None:
        self._closed = True
        await self.forget()

    def _as_kept(self, db: apsw.Connection, profile: str, limit: int) -> MemoryMap | None:
        kept = self._kept.get((profile, limit))
        if kept is None or version(db, profile) != kept.version or self._store.now() >= kept.until:
            return None
        return _with_words(db, kept)

    async def _unless_forgotten(self, drawn: Drawn) -> MemoryMap | None:
        """None where anything was forgotten since: its groups' names may be words of that, and its pks given anew."""

        def look(db: apsw.Connection) -> MemoryMap | None:
            return None if pictures.forgotten_since(db, drawn.version.change) else _with_words(db, drawn)

        return await self._store.read(look)

    async def _draw(self, profile: str, limit: int) -> Drawn | None:
        """None where it was given up."""
        async with self._one_at_a_time:
            kept = await self._store.read(lambda db: self._as_kept(db, profile, limit))
            if kept is not None:
                return kept.drawn  # drawn while this one waited
            generation = self._generation

            def given_up() -> bool:
                return self._closed or generation != self._generation

            def work() -> Drawn:
                return draw(self._store, profile, limit, given_up)

            self._drawing = asyncio.ensure_future(asyncio.to_thread(work))
            try:
                drawn = await self._drawing
            except GivenUpError:
                return None
            finally:
                self._drawing = None
            if given_up():
                return None
            self._kept.pop((profile, limit), None)
            self._kept[profile, limit] = drawn
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
            return drawn


def _with_words(db: apsw.Connection, drawn: Drawn) -> MemoryMap:
    return MemoryMap(drawn, {one.pk: one for one in pictures.wordings(db, [point[0] for point in drawn.points])})


def version(db: apsw.Connection, profile: str) -> Version:
    one = vector_sets.answering(db)
    return Version(
        change=pictures.last_change(db),
        model="" if one is None else f"{one.model}:{one.since}",
        vectors=0 if one is None else pictures.count_vectors(db, one, profile),
    )


def draw(store: Store, profile: str, limit: int, given_up: Callable[[], bool]) -> Drawn:
    """Works a map out, in the calling thread: seconds. Raises GivenUpError soon after `given_up` says so."""
    sample = store.read_now(lambda db: _sample(db, profile, limit, store.now()))
    places = projection.project(sample.rows, given_up=given_up)
    # Of the places, not the vectors: groups are then seen as such, and hold more of what means nearly the same.
    groups = grouped(places)
    said = store.read_now(lambda db: {one.pk: one for one in pictures.wordings(db, sample.pks)})
    there = [place for place, pk in enumerate(sample.pks) if pk in said]
    pks, places, groups = [sample.pks[place] for place in there], places[there], groups[there]
    names = named(groups.tolist(), [said[pk].tags for pk in pks], [said[pk].key for pk in pks])
    if given_up():
        raise GivenUpError
    return Drawn(
        version=sample.version,
        until=sample.until,
        points=[(pk, float(x), float(y), int(group)) for pk, (x, y), group in zip(pks, places, groups, strict=True)],
        clusters=_clusters(names, places, groups),
        total=sample.total,
    )


def _clusters(names: Sequence[str], places: NDArray[np.float32], groups: NDArray[np.int64]) -> list[Cluster]:
    import numpy as np

    found = []
    for number, name in enumerate(names):
        if (members := places[groups == number]).size:
            x, y = np.median(members, axis=0)
            found.append(Cluster(number, name, len(members), float(x), float(y)))
    return found


def _sample(db: apsw.Connection, profile: str, limit: int, now: int) -> _Sample:
    import numpy as np

    outlines = pictures.outlines(db, profile, now=now)
    pks: list[int] = []
    rows = np.empty((0, 0), np.float32)
    one, mine = vector_sets.answering(db), pictures.profile_pk(db, profile)
    if one is not None and mine is not None:
        embedded = set(vectors.all_of(db, one.model, "memory", mine))
        wanted = [outline for outline in outlines if outline.pk in embedded]
        if len(wanted) > limit:
            first, others = ranked(wanted, limit)
            pks, rows = vectors.whole(db, one.model, "memory", [outline.pk for outline in others])
            wanted = first + spread(others, dict(zip(pks, grouped(rows).tolist(), strict=True)), limit - len(first))
        pks, rows = vectors.whole(db, one.model, "memory", sorted(outline.pk for outline in wanted))
    return _Sample(version(db, profile), pictures.next_turn(outlines, now), len(outlines), pks, rows)


def ranked(outlines: Sequence[Outline], limit: int) -> tuple[list[Outline], list[Outline]]:
    """Those that a sample of `limit` holds in any case, and others to choose the rest from: evenly drawn, always the
    same ones, so that a new memory changes little."""
    fifth = limit // 5
    first: dict[int, Outline] = {}
    pinned = [one for one in outlines if one.pinned]
    for some in (
        heapq.nlargest(limit - 2 * fifth, pinned, key=lambda one: (one.observations, one.pk)),
        heapq.nlargest(fifth, outlines, key=lambda one: (one.observations, one.updated_at, one.pk)),
        heapq.nlargest(fifth, outlines, key=lambda one: (one.time, one.pk)),
    ):
        first |= {one.pk: one for one in some}
    rest = (one for one in outlines if one.pk not in first)
    return list(first.values()), heapq.nsmallest(SPREAD_OVER * limit, rest, key=lambda one: _mixed(one.pk))


def spread(others: Sequence[Outline], groups: Mapping[int, int], number: int) -> list[Outline]:
    """`number` of `others`, as many as can be from each group."""
    by_group: dict[int, list[Outline]] = {}
    for one in others:
        by_group.setdefault(groups[one.pk], []).append(one)
    turns = itertools.zip_longest(*by_group.values())
    return [one for turn in turns for one in turn if one is not None][:number]


def _mixed(pk: int) -> int:
    """A number that looks like chance and is always the same for a pk (Knuth's multiplicative hash)."""
    return pk * 2_654_435_761 % 2**32
