"""What the dashboard's pictures are drawn from: counts over a whole profile, and short rows instead of whole ones."""

from __future__ import annotations

from collections import Counter
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
    event_time: int | None
    valid_from: int
    valid_to: int | None
    pinned: int
    observations: int
    updated_at: int

    @property
    def time(self) -> int:
        """When it happened, or was said."""
        return self.valid_from if self.event_time is None else self.event_time


def next_turn(outlines: Sequence[Outline], now: int) -> float:
    """The moment (ms) from which one of these does not hold any more, or does not lie ahead; infinity for none."""
    moments = (moment for one in outlines for moment in (one.event_time, one.valid_to) if moment and moment > now)
    return min(moments, default=float("inf"))


def last_change(db: apsw.Connection) -> int:
    """The place in the order of changes of the last one of any memory; 0 before the first."""
    found = db.execute("SELECT seq FROM change WHERE type IN ('memory', 'tombstone') ORDER BY seq DESC LIMIT 1").get
    return int(found or 0)


def forgotten_since(db: apsw.Connection, change: int) -> bool:
    """Whether anything was forgotten after that place."""
    return bool(db.execute("SELECT EXISTS (SELECT 1 FROM change WHERE seq > ? AND type = 'tombstone')", (change,)).get)


def changed_since(db: apsw.Connection, change: int) -> set[int]:
    """The pks of the memories that changed after that place."""
    rows = fetch(
        db, "SELECT y.pk FROM change h JOIN memory y ON y.id = h.id WHERE h.seq > ? AND h.type = 'memory'", (change,)
    )
    return {pk for (pk,) in rows}


def profile_pk(db: apsw.Connection, profile: str) -> int | None:
    """None for a profile that nobody has written to."""
    return db.execute("SELECT pk FROM profile WHERE name = ?", (profile,)).get  # type: ignore[no-any-return]


def outlines(db: apsw.Connection, profile: str, *, now: int) -> list[Outline]:
    """The memories that hold now."""
    rows = db.execute(
        f"SELECT pk, event_time, valid_from, valid_to, pinned, observations, updated_at {_HOLD}",
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
    their words was said; by when it was written, of what no turn says.

    From indexes alone: whole rows of turns are long.
    """
    mine = profile_pk(db, profile)
    kinds: dict[int, Kind] = dict(
        db.execute(
            "SELECT pk, kind FROM memory WHERE profile = ? AND status IN (SELECT value FROM json_each(?))",
            (mine, to_json(LEARNED)),
        )
    )
    slots: dict[int, int] = {}
    for pk, slot in db.execute(
        f"SELECT s.memory, m.time / {SLOT_MS} FROM conversation c CROSS JOIN message m ON m.conversation = c.pk"
        " CROSS JOIN source s ON s.message = m.pk WHERE c.profile = ?",
        (mine,),
    ):
        if slot < slots.get(pk, slot + 1):
            slots[pk] = slot
    for pk, created in db.execute(
        "SELECT pk, created_at FROM memory WHERE pk IN (SELECT value FROM json_each(?))",
        (to_json(kinds.keys() - slots.keys()),),
    ):
        slots[pk] = created // SLOT_MS
    counted = Counter((slots[pk], kind) for pk, kind in kinds.items())
    return [(slot, kind, count) for (slot, kind), count in counted.items()]


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
        "SELECT c.site, count(DISTINCT s.memory) FROM conversation c CROSS JOIN message m ON m.conversation = c.pk"
        " CROSS JOIN source s ON s.message = m.pk WHERE c.profile = ?1 AND s.memory NOT IN"
        " (SELECT pk FROM memory WHERE profile = ?1 AND status NOT IN (SELECT value FROM json_each(?2)))"
        " GROUP BY c.site",
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
