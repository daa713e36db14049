"""Finding by words (FTS5, BM25) and by meaning (vectors), among what a question may be answered with.

What is eligible is decided in SQL and inside the search, so that a filter never hides what it asks for behind a
hundred better matches that it rejects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.vector_sets import Indexed
from satchel.store.vectors import Meaning, closest

NOW: tuple[str, ...] = ("active", "resolving")
PAST_TOO: tuple[str, ...] = ("active", "resolving", "superseded")

SCORED = 4_000
"""Rows that one search by words scores at the most, beyond those of its rarest word: common words are left out."""

MOST_NEAR = 3_000
"""Neighbours that are asked for at the most."""

_WORDS: dict[Indexed, str] = {"turn": "turn_words", "memory": "memory_words"}


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What hits must be like. Times in ms; an absent field allows everything."""

    site: str | None = None
    conversation_id: str | None = None
    said_by: str | None = None
    tags: tuple[str, ...] = ()
    """All of these (turns have no tags and drop out)."""
    since: int | None = None
    until: int | None = None
    not_from: tuple[str, ...] = ()
    """Sites: none of their turns, and no memory with a source on any of them."""
    ids: tuple[str, ...] | None = None
    """These memories and turns alone."""


class Conversation(msgspec.Struct, frozen=True):
    """The chat that asks, by its site's id; `site` None: on whichever site."""

    site: str | None
    external_id: str


_ROW: dict[Indexed, str] = {"turn": "m", "memory": "y"}
_TABLE: dict[Indexed, str] = {"turn": "message m", "memory": "memory y"}
_JOIN: dict[Indexed, str] = {"turn": " JOIN conversation c ON c.pk = m.conversation", "memory": ""}


class Eligible(msgspec.Struct, frozen=True):
    """What may be found: `where` over `memory y`, or over `message m` and its `conversation c`, with its values, and
    whether it is narrower than the whole profile."""

    kind: Indexed
    profile: int
    where: str
    values: tuple[object, ...]
    narrow: bool

    @property
    def sql(self) -> str:
        """A SELECT of all of it."""
        kind = self.kind
        return f"SELECT {_ROW[kind]}.pk AS pk FROM {_TABLE[kind]}{_JOIN[kind]} WHERE {self.where}"

    @property
    def among_sql(self) -> str:
        """The same of a JSON list of pks, which comes before the other values. CROSS JOIN keeps the order: SQLite would
        go through the whole profile otherwise."""
        row, table, joined = _ROW[self.kind], _TABLE[self.kind], _JOIN[self.kind]
        return (
            f"SELECT {row}.pk FROM json_each(?) j CROSS JOIN {table} ON {row}.pk = j.value{joined} WHERE {self.where}"
        )


class Found(msgspec.Struct, frozen=True):
    """Raw finds, by pk: BM25 (higher is better) and cosine similarity."""

    lexical: Mapping[int, float]
    similarity: Mapping[int, float | None]

    def pks(self) -> list[int]:
        return list(dict.fromkeys((*self.lexical, *self.similarity)))


class _Where:
    """Conditions with their values, in step."""

    def __init__(self) -> None:
        self.conditions: list[str] = []
        self.values: list[object] = []

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def add_if(self, condition: str, value: object) -> None:
        if value is not None:
            self.add(condition, value)


def eligible_memories(
    profile: int,
    *,
    statuses: Sequence[str] = NOW,
    kinds: Sequence[str] | None = None,
    only: Filter | None = None,
    at: int | None = None,
    given: Sequence[str] = (),
) -> Eligible:
    """Memories in one of these states, or with `at` (ms) those that held then; none of the ids in `given`."""
    only = only or Filter()
    where = _Where()
    where.add("y.profile = ?", profile)
    if at is None:
        where.add("y.status IN (SELECT value FROM json_each(?))", to_json(statuses))
    else:
        where.add("y.status IN (SELECT value FROM json_each(?))", to_json(PAST_TOO))
        where.add("y.valid_from <= ? AND (y.valid_to IS NULL OR y.valid_to > ?)", at, at)
    if kinds is not None:
        where.add("y.kind IN (SELECT value FROM json_each(?))", to_json(kinds))
    where.add_if("y.said_by = ?", only.said_by)
    for tag in only.tags:
        where.add("EXISTS (SELECT 1 FROM json_each(y.tags) t WHERE t.value = ?)", tag)
    where.add_if("coalesce(y.event_time, y.valid_from) >= ?", only.since)
    where.add_if("coalesce(y.event_time, y.valid_from) <= ?", only.until)
    come_from = (
        "EXISTS (SELECT 1 FROM source s JOIN message m ON m.pk = s.message"
        " JOIN conversation c ON c.pk = m.conversation WHERE s.memory = y.pk AND "
    )
    where.add_if(come_from + "c.site = ?)", only.site)
    where.add_if(come_from + "c.id = ?)", only.conversation_id)
    if only.not_from:
        where.add(f"NOT {come_from}c.site IN (SELECT value FROM json_each(?)))", to_json(only.not_from))
    if only.ids is not None:
        where.add("y.id IN (SELECT value FROM json_each(?))", to_json(only.ids))
    if given:
        where.add("y.id NOT IN (SELECT value FROM json_each(?))", to_json(given))
    return Eligible(
        "memory", profile, " AND ".join(where.conditions), tuple(where.values), narrow=len(where.conditions) > 2
    )


def eligible_turns(
    profile: int,
    *,
    only: Filter | None = None,
    at: int | None = None,
    asking: Conversation | None = None,
    given: Sequence[str] = (),
) -> Eligible:
    """Turns said until `at` (ms), none of the conversation that asks, none of the ids in `given`."""
    only = only or Filter()
    where = _Where()
    where.add("c.profile = ?", profile)
    if only.tags:
        where.add("0")
    where.add_if("c.site = ?", only.site)
    where.add_if("c.id = ?", only.conversation_id)
    if only.not_from:
        where.add("c.site NOT IN (SELECT value FROM json_each(?))", to_json(only.not_from))
    if only.ids is not None:
        where.add("m.id IN (SELECT value FROM json_each(?))", to_json(only.ids))
    where.add_if("m.role = ?", only.said_by)
    where.add_if("m.time >= ?", only.since)
    where.add_if("m.time <= ?", only.until)
    where.add_if("m.time <= ?", at)
    if asking is not None:
        if asking.site is None:
            where.add("c.external_id <> ?", asking.external_id)
        else:
            where.add("(c.external_id <> ? OR c.site <> ?)", asking.external_id, asking.site)
    if given:
        where.add("m.id NOT IN (SELECT value FROM json_each(?))", to_json(given))
    return Eligible(
        "turn", profile, " AND ".join(where.conditions), tuple(where.values), narrow=len(where.conditions) > 1
    )


def by_words(db: apsw.Connection, terms: Sequence[str], among: Eligible, *, limit: int) -> dict[int, float]:
    """BM25 (higher is better) of the best `limit` that hold any of the terms (FTS5 expressions), best first."""
    match = " OR ".join(_telling(db, among.kind, terms))
    if not match:
        return {}
    crowded = among.narrow or fetch(db, "SELECT count(*) FROM profile")[0][0] > 1
    table, enough = _WORDS[among.kind], (4 if crowded else 1) * limit + 50
    # FTS5 finds the best by itself much faster than behind a join. Its rank is negative: turned round here.
    best = fetch(db, f"SELECT rowid, -rank FROM {table} WHERE {table} MATCH ? ORDER BY rank LIMIT ?", (match, enough))
    found = keep(db, dict(best), among)
    if len(found) < limit and len(best) == enough:
        # What is not eligible took the places.
        sql = f"SELECT rowid, -rank FROM {table} WHERE {table} MATCH ? AND rowid IN ({among.sql}) ORDER BY rank LIMIT ?"
        return dict(fetch(db, sql, (match, *among.values, limit)))
    return dict(list(found.items())[:limit])


def _telling(db: apsw.Connection, kind: Indexed, terms: Sequence[str]) -> list[str]:
    """The terms worth searching for: the rarest, until together they stand in `SCORED` rows."""
    table = _WORDS[kind]
    if fetch(db, f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {SCORED + 1})")[0][0] <= SCORED:
        return list(terms)
    sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {table} MATCH ? LIMIT {SCORED + 1})"
    counted = sorted((fetch(db, sql, (term,))[0][0], place) for place, term in enumerate(terms))
    kept: list[int] = []
    rows = 0
    for count, place in counted:
        if kept and rows + count > SCORED:
            break
        kept.append(place)
        rows += count
    return [terms[place] for place in sorted(kept)]


class Near(Protocol):
    """Who knows the nearest vectors: `neighbours.Neighbours`, or `vectors` by itself."""

    def nearest(
        self, db: apsw.Connection, kind: Indexed, meaning: Meaning, *, profile: int, k: int
    ) -> list[tuple[int, float]]: ...

    def closest(
        self, db: apsw.Connection, kind: Indexed, meaning: Meaning, *, profile: int, pks: Sequence[int]
    ) -> list[tuple[int, float]]: ...


def by_meaning(db: apsw.Connection, near: Near, meaning: Meaning, among: Eligible, *, limit: int) -> dict[int, float]:
    """Cosine similarity of the `limit` nearest (or a few more), best first.

    Where what is not eligible takes the places, more are asked for, and when even many do not do, what is eligible is
    so little that all of it is looked at.
    """
    k = limit if not among.narrow else 2 * limit
    while k <= MOST_NEAR:
        nearest = near.nearest(db, among.kind, meaning, profile=among.profile, k=k)
        # Neighbours are one profile's: where all its turns may answer, none needs to be asked for.
        all_may = among.kind == "turn" and not among.narrow
        found = dict(nearest) if all_may else keep(db, dict(nearest), among)
        if len(found) >= limit or len(nearest) < k:
            return found
        k *= 6
    return dict(closest(db, among.kind, meaning, all_of(db, among))[:limit])


def keep(db: apsw.Connection, found: Mapping[int, float], among: Eligible) -> dict[int, float]:
    """What of `found` is eligible, in its order."""
    eligible = {pk for (pk,) in fetch(db, among.among_sql, (to_json(list(found)), *among.values))}
    return {pk: value for pk, value in found.items() if pk in eligible}


def all_of(db: apsw.Connection, among: Eligible) -> list[int]:
    """Every eligible pk, whatever was asked: for the few that the asker named."""
    return [pk for (pk,) in fetch(db, among.sql, among.values)]


def always_offered(db: apsw.Connection, among: Eligible, *, limit: int) -> list[int]:
    """Pks of standing instructions and pinned memories: candidates for any question."""
    # In the words of the index, which SQLite would not choose by itself.
    sql = (
        f"SELECT y.pk FROM memory y INDEXED BY memory_always_offered WHERE {among.where}"
        " AND (y.pinned OR y.kind = 'instruction') ORDER BY y.pinned DESC, y.updated_at DESC LIMIT ?"
    )
    return [pk for (pk,) in fetch(db, sql, (*among.values, limit))]
