"""What the dashboard's pictures are drawn from: counts over a whole profile, and short rows instead of whole ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.memories import LIVE
from satchel.store.vector_sets import VectorSet
from satchel.types import KINDS, Kind

LEARNED = ("active", "resolving", "superseded", "archived")
"""What counts as learned, whatever became of it. A candidate is not learned yet."""

SLOT_MS = 900_000
"""Times are counted by the quarter of an hour: every zone's days begin with one."""

CHUNK = 5_000
"""Wordings read at a time."""


_HOLD = (
    "FROM memory WHERE profile = ? AND status IN (SELECT value FROM json_each(?))"
    " AND (valid_to IS NULL OR valid_to > ?)"
)
"""The memories that hold now."""


class Outline(NamedTuple):
    """Of a memory what puts it in its order; times in ms."""

    pk: int
    clock: str
    event_time: int | None
    valid_from: int
    pinned: int
    observations: int
    updated_at: int

    @property
    def time(self) -> int:
        """When it happened, or was said."""
        return self.valid_from if self.event_time is None else self.event_time

    def lies_ahead(self, now: int) -> bool:
        return self.event_time is not None and self.event_time > now


def profile_pk(db: apsw.Connection, profile: str) -> int | None:
    """None for a profile that nobody has written to."""
    return db.execute("SELECT pk FROM profile WHERE name = ?", (profile,)).get  # type: ignore[no-any-return]


def outlines(db: apsw.Connection, profile: str, *, now: int) -> list[Outline]:
    """The memories that hold now."""
    rows = db.execute(
        f"SELECT pk, clock, event_time, valid_from, pinned, observations, updated_at {_HOLD}",
        (profile_pk(db, profile), to_json(LIVE), now),
    )
    return [Outline._make(row) for row in rows]


class Wording(NamedTuple):
    pk: int
    id: str
    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...]
    event_time: int | None


def wordings(db: apsw.Connection, pks: Sequence[int]) -> Iterator[Wording]:
    """What these memories say, in no order."""
    decode = msgspec.json.Decoder(tuple[str, ...]).decode
    for start in range(0, len(pks), CHUNK):
        for pk, id_, kind, text, key, tags, event_time in db.execute(
            "SELECT pk, id, kind, text, key, tags, event_time FROM memory WHERE pk IN (SELECT value FROM json_each(?))",
            (to_json(pks[start : start + CHUNK]),),
        ):
            yield Wording(pk, id_, kind, text, key, decode(tags), event_time)


def latest(db: apsw.Connection, profile: str, *, now: int) -> tuple[int, str]:
    """How many memories hold now, and the clock of the last change among them."""
    count, clock = fetch(
        db, f"SELECT count(*), coalesce(max(clock), '') {_HOLD}", (profile_pk(db, profile), to_json(LIVE), now)
    )[0]
    return count, clock


def count_vectors(db: apsw.Connection, one: VectorSet, profile: str) -> int:
    """How many of a profile's memories have a vector in this set."""
    counted = fetch(db, f"SELECT count(*) FROM {one.whole('memory')} WHERE profile = ?", (profile_pk(db, profile),))
    return int(counted[0][0])


class Today(msgspec.Struct, frozen=True):
    """What Satchel did since a moment: `turns` captured in so many `conversations`, memories `learned`, hits `inserted`
    into prompts."""

    conversations: int
    turns: int
    learned: int
    inserted: int


def since(db: apsw.Connection, profile: str, moment: int) -> Today:
    """What came in since `moment` (ms), however old what was said is."""
    mine = profile_pk(db, profile)
    conversations, turns = fetch(
        db,
        "SELECT count(DISTINCT m.conversation), count(*) FROM conversation c JOIN message m ON m.conversation = c.pk"
        " WHERE c.profile = ?1 AND c.updated_at >= ?2 AND m.received_at >= ?2",
        (mine, moment),
    )[0]
    # No memory is older than its last change: the index of those finds the new ones.
    learned = fetch(
        db,
        "SELECT count(*) FROM memory WHERE profile = ?1 AND status IN (SELECT value FROM json_each(?3))"
        " AND kind IN (SELECT value FROM json_each(?4)) AND updated_at >= ?2 AND created_at >= ?2",
        (mine, moment, to_json(LEARNED), to_json(KINDS)),
    )[0][0]
    inserted = fetch(
        db,
        "SELECT count(*) FROM injection i JOIN injection_hit h ON h.injection = i.pk"
        " WHERE i.profile = ? AND i.inserted_at >= ? AND h.inserted",
        (mine, moment),
    )[0][0]
    return Today(conversations, turns, learned, inserted)


def learned_at(db: apsw.Connection, profile: str) -> list[tuple[int, Kind, int]]:
    """(time, kind, how many) of the memories that were ever learned, by the quarter of an hour in which the earliest of
    their words was said; by when it was written, of what no turn says."""
    return fetch(
        db,
        "SELECT coalesce((SELECT min(m.time) FROM source s JOIN message m ON m.pk = s.message WHERE s.memory = y.pk),"
        f" y.created_at) / {SLOT_MS} AS slot, y.kind, count(*) FROM memory y"
        " WHERE y.profile = ? AND y.status IN (SELECT value FROM json_each(?)) GROUP BY slot, y.kind",
        (profile_pk(db, profile), to_json(LEARNED)),
    )


def captured_at(db: apsw.Connection, profile: str) -> list[tuple[int, int]]:
    """(time, how many) of the turns, by the quarter of an hour in which they were said."""
    return fetch(
        db,
        f"SELECT m.time / {SLOT_MS} AS slot, count(*) FROM conversation c JOIN message m ON m.conversation = c.pk"
        " WHERE c.profile = ? GROUP BY slot",
        (profile_pk(db, profile),),
    )


class SiteCounts(msgspec.Struct, kw_only=True):
    """`memories` rest on what was said there; `inserted` hits went into prompts there; `last_at` (ms): the last turn or
    insertion."""

    site: str
    conversations: int = 0
    turns: int = 0
    memories: int = 0
    inserted: int = 0
    last_at: int = 0


def sites(db: apsw.Connection, profile: str) -> list[SiteCounts]:
    """Every site of which there is a conversation or an insertion, most turns first."""
    mine = profile_pk(db, profile)
    found: dict[str, SiteCounts] = {}

    def at(site: str) -> SiteCounts:
        return found.setdefault(site, SiteCounts(site=site))

    for site, conversations, turns, last in db.execute(
        "SELECT c.site, count(*), sum(n), max(last) FROM conversation c JOIN (SELECT conversation, count(*) AS n,"
        " max(time) AS last FROM message GROUP BY conversation) t ON t.conversation = c.pk WHERE c.profile = ?"
        " GROUP BY c.site",
        (mine,),
    ):
        one = at(site)
        one.conversations, one.turns, one.last_at = conversations, turns, last
    for site, count in db.execute(
        "SELECT c.site, count(DISTINCT s.memory) FROM memory y JOIN source s ON s.memory = y.pk"
        " JOIN message m ON m.pk = s.message JOIN conversation c ON c.pk = m.conversation"
        " WHERE y.profile = ? AND y.status IN (SELECT value FROM json_each(?)) GROUP BY c.site",
        (mine, to_json(LEARNED)),
    ):
        at(site).memories = count
    for site, count, last in db.execute(
        "SELECT i.site, count(*), max(i.inserted_at) FROM injection i JOIN injection_hit h ON h.injection = i.pk"
        " WHERE i.profile = ? AND i.inserted_at IS NOT NULL AND i.site IS NOT NULL AND h.inserted GROUP BY i.site",
        (mine,),
    ):
        one = at(site)
        one.inserted, one.last_at = count, max(one.last_at, last)
    return sorted(found.values(), key=lambda one: (-one.turns, -one.inserted, one.site))
