"""Whose vectors there are: the embedding model's and, while its are still being made, the former model's.

Each set has tables of its own. When the embedding model changes, a second set is begun beside the first, which goes on
answering until the second lacks nothing; then the second takes its place, in one transaction, and the first is dropped.
What waits for its vector is listed for each set in the same transactions that store texts and vectors, so that a stop
at any moment costs a batch at the most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.store import Tx

Indexed = Literal["turn", "memory"]

KINDS: tuple[Indexed, ...] = ("memory", "turn")
"""Memories first: they are few, and what context is made of."""

TEXT_OF: dict[Indexed, tuple[str, str]] = {"turn": ("message", "content"), "memory": ("memory", "text")}
"""Table and column of what the vectors stand for."""

_SUFFIX = ("", "_b")
"""What a set's tables are called by its slot. sqlite-vec cannot rename a table: the slots take turns."""

_ASIDE = "aside_"
"""Begins the names of tables whose set was dropped."""

CLEARED = 1000
"""Vectors of dropped sets that are removed at a time."""


class VectorSet(msgspec.Struct, frozen=True):
    """One model's vectors; `model` is the hash of its file. `answers`: it is the one that questions are put to."""

    slot: int
    model: str
    dimensions: int
    answers: bool
    since: int

    def whole(self, kind: Indexed) -> str:
        """The table of the whole vectors."""
        return f"{kind}_vector{_SUFFIX[self.slot]}"

    def signs(self, kind: Indexed) -> str:
        """The sqlite-vec table of their signs."""
        return f"{kind}_signs{_SUFFIX[self.slot]}"


class Progress(msgspec.Struct, frozen=True):
    """How far the set of `model` is that is to replace that of `former`: items that have their vector, of all."""

    model: str
    former: str
    done: int
    total: int


def held(db: apsw.Connection) -> list[VectorSet]:
    """The set that answers, then the one that is being filled; none before the first vector."""
    rows = fetch(db, "SELECT slot, model, dimensions, answers, since FROM vector_set ORDER BY answers DESC")
    return [
        VectorSet(slot, model, dimensions, bool(answers), since) for slot, model, dimensions, answers, since in rows
    ]


def of(db: apsw.Connection, model: str) -> VectorSet | None:
    """This model's vectors, complete or not."""
    return next((one for one in held(db) if one.model == model), None)


def answering(db: apsw.Connection) -> VectorSet | None:
    """The set that questions are put to."""
    return next(iter(held(db)), None)


def begin(tx: Tx, model: str, dimensions: int) -> None:
    """Sees to it that what is stored gets `model`'s vectors: in the set there is, or in a new one beside it.

    The former set gets no more of what it still lacks, only what is new. When its model comes back before the change is
    complete, its vectors are there still, and only the lacking ones are made. `dimensions` must be a multiple of 8.
    """
    sets = held(tx.db)
    if sets and sets[-1].model == model:
        return
    for unfinished in sets[1:]:
        _drop(tx.db, unfinished)
    if sets and sets[0].model == model:
        _queue_lacking(tx.db, sets[0])
        return
    if sets:
        tx.db.execute("DELETE FROM unindexed WHERE slot = ?", (sets[0].slot,))
    _queue_lacking(tx.db, make(tx.db, model, dimensions))


def make(db: apsw.Connection, model: str, dimensions: int) -> VectorSet:
    """An empty set, which answers if it is the only one."""
    first = answering(db)
    slot = 0 if first is None else 1 - first.slot
    # A change of its own: no index of an earlier set in these tables can pass for one of this set.
    db.execute("INSERT INTO vector_change (slot, type, pk, profile) VALUES (?, 'turn', 0, 0)", (slot,))
    made = VectorSet(slot, model, dimensions, first is None, db.last_insert_rowid())
    db.execute(
        "INSERT INTO vector_set (slot, model, dimensions, answers, since) VALUES (?, ?, ?, ?, ?)",
        (made.slot, made.model, made.dimensions, made.answers, made.since),
    )
    for kind in KINDS:
        whole = made.whole(kind)
        db.execute(
            f"CREATE TABLE {whole} (pk INTEGER PRIMARY KEY, profile INTEGER NOT NULL, embedding BLOB NOT NULL) STRICT"
        )
        db.execute(f"CREATE INDEX {whole}_of_profile ON {whole} (profile)")
        db.execute(
            f"CREATE VIRTUAL TABLE {made.signs(kind)} USING vec0 (pk INTEGER PRIMARY KEY,"
            f" profile INTEGER PARTITION KEY, signs BIT[{int(dimensions)}])"
        )
    return made


def complete(tx: Tx) -> bool:
    """Lets the set that was being filled take the former's place, if it lacks nothing; whether it did."""
    sets = held(tx.db)
    if len(sets) < 2 or _waits_in(tx.db, sets[1].slot):
        return False
    _drop(tx.db, sets[0])
    tx.db.execute("UPDATE vector_set SET answers = 1 WHERE slot = ?", (sets[1].slot,))
    return True


def _drop(db: apsw.Connection, one: VectorSet) -> None:
    """Puts the whole vectors aside for `clear_away`: dropped at once, with all their bytes overwritten, they would keep
    other writes waiting for seconds."""
    for kind in KINDS:
        db.execute(f"DROP TABLE {one.signs(kind)}")
        db.execute(f"DROP INDEX {one.whole(kind)}_of_profile")
        db.execute(f"ALTER TABLE {one.whole(kind)} RENAME TO {_ASIDE}{kind}_{one.since}")
    db.execute("DELETE FROM unindexed WHERE slot = ?", (one.slot,))
    db.execute("DELETE FROM vector_set WHERE slot = ?", (one.slot,))


def put_aside(db: apsw.Connection, kind: Indexed | None = None) -> list[str]:
    """The tables that dropped sets left, of one kind or both."""
    pattern = f"{_ASIDE}{kind or ''}*"
    return [name for (name,) in fetch(db, "SELECT name FROM sqlite_schema WHERE name GLOB ?", (pattern,))]


def clear_away(tx: Tx) -> None:
    """Removes a piece of what dropped sets left."""
    for table in put_aside(tx.db)[:1]:
        tx.db.execute(f"DELETE FROM {table} WHERE pk IN (SELECT pk FROM {table} LIMIT {CLEARED})")
        if not tx.db.changes():
            tx.db.execute(f"DROP TABLE {table}")


# ------------------------------------------------------------------------------------- what waits for its vector


def queue(db: apsw.Connection, kind: Indexed, pk: int) -> None:
    """Notes that something new waits for its vector, in every set."""
    for slot in [one.slot for one in held(db)] or [0]:
        db.execute("INSERT OR IGNORE INTO unindexed VALUES (?, ?, ?)", (slot, kind, pk))


def _queue_lacking(db: apsw.Connection, one: VectorSet) -> None:
    db.execute(
        "INSERT OR IGNORE INTO unindexed SELECT ?, 'turn', pk FROM message WHERE role IN ('user', 'assistant')"
        f" AND content <> '' AND pk NOT IN (SELECT pk FROM {one.whole('turn')})",
        (one.slot,),
    )
    db.execute(
        f"INSERT OR IGNORE INTO unindexed SELECT ?, 'memory', pk FROM memory"
        f" WHERE pk NOT IN (SELECT pk FROM {one.whole('memory')})",
        (one.slot,),
    )


def _waits_in(db: apsw.Connection, slot: int) -> bool:
    return db.execute("SELECT 1 FROM unindexed WHERE slot = ? LIMIT 1", (slot,)).get is not None


def anything_waits(db: apsw.Connection) -> bool:
    """Whether anything has no vector of the model that was last begun with."""
    return _waits_in(db, _last_slot(db))


def count_waiting(db: apsw.Connection, *, profiles: Sequence[str] | None = None) -> int:
    """How much has no vector of the model that was last begun with, in these profiles or all."""
    return _count_waiting(db, _last_slot(db), profiles)


def _last_slot(db: apsw.Connection) -> int:
    sets = held(db)
    return sets[-1].slot if sets else 0


def _count_waiting(db: apsw.Connection, slot: int, profiles: Sequence[str] | None) -> int:
    if profiles is None:
        return int(str(db.execute("SELECT count(*) FROM unindexed WHERE slot = ?", (slot,)).get))
    counted = fetch(
        db,
        f"{_MINE} SELECT count(*) FROM unindexed u JOIN message m ON m.pk = u.pk JOIN conversation c"
        " ON c.pk = m.conversation WHERE u.slot = ?2 AND u.type = 'turn' AND c.profile IN mine UNION ALL"
        " SELECT count(*) FROM unindexed u JOIN memory y ON y.pk = u.pk"
        " WHERE u.slot = ?2 AND u.type = 'memory' AND y.profile IN mine",
        (to_json(profiles), slot),
    )
    return sum(count for (count,) in counted)


_MINE = "WITH mine AS (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?1)))"


def progress(db: apsw.Connection, *, profiles: Sequence[str] | None = None) -> Progress | None:
    """How far a change of the embedding model is, in these profiles or all; None while there is none."""
    sets = held(db)
    if len(sets) < 2:
        return None
    former, filled = sets
    done = 0
    for kind in KINDS:
        if profiles is None:
            done += fetch(db, f"SELECT count(*) FROM {filled.whole(kind)}")[0][0]
        else:
            sql = f"{_MINE} SELECT count(*) FROM {filled.whole(kind)} WHERE profile IN mine"
            done += fetch(db, sql, (to_json(profiles),))[0][0]
    return Progress(filled.model, former.model, done, done + _count_waiting(db, filled.slot, profiles))
