"""Meaning: the vector index, sqlite-vec tables partitioned by profile (the one filter that prunes there)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import apsw
import msgspec

from satchel.store.database import to_json
from satchel.store.store import Tx

Indexed = Literal["turn", "memory"]

_TABLES: dict[Indexed, str] = {"turn": "turn_vectors", "memory": "memory_vectors"}

MAX_K = 4096
"""sqlite-vec's own limit of neighbours a query."""


class Waiting(msgspec.Struct, frozen=True):
    """Something that has no vector yet."""

    type: Indexed
    pk: int
    text: str


def ready(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'turn_vectors'").get is not None


def prepare(tx: Tx, model: str, dimensions: int) -> None:
    """Makes the tables for an embedding model; vectors of another model are dropped and everything queued again.

    `model` is what tells one model's vectors from another's (its hash).
    """
    current = tx.db.execute("SELECT value FROM meta WHERE name = 'embedder'").get
    stamp = f"{model}:{dimensions}"
    if current == stamp and ready(tx.db):
        return
    for table in _TABLES.values():
        tx.db.execute(f"DROP TABLE IF EXISTS {table}")
        tx.db.execute(
            f"CREATE VIRTUAL TABLE {table} USING vec0 (pk INTEGER PRIMARY KEY, profile INTEGER PARTITION KEY,"
            f" embedding FLOAT[{int(dimensions)}] DISTANCE_METRIC=cosine)"
        )
    tx.db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (stamp,))
    tx.db.execute(
        "INSERT OR IGNORE INTO unindexed SELECT 'turn', pk FROM message WHERE role IN ('user', 'assistant') AND"
        " content <> ''"
    )
    tx.db.execute("INSERT OR IGNORE INTO unindexed SELECT 'memory', pk FROM memory")


def waiting(db: apsw.Connection, limit: int) -> list[Waiting]:
    """What waits for its vector, memories first (they are few, and what context is made of)."""
    rows = db.execute(
        "SELECT u.type, u.pk, coalesce(y.text, m.content) FROM unindexed u"
        " LEFT JOIN memory y ON u.type = 'memory' AND y.pk = u.pk"
        " LEFT JOIN message m ON u.type = 'turn' AND m.pk = u.pk ORDER BY u.type, u.pk LIMIT ?",
        (limit,),
    )
    return [Waiting(kind, pk, text or "") for kind, pk, text in rows]


def count_waiting(db: apsw.Connection) -> int:
    return db.execute("SELECT count(*) FROM unindexed").get  # type: ignore[no-any-return]


def put(tx: Tx, items: Sequence[tuple[Waiting, bytes]]) -> None:
    """Stores vectors (float32, little endian, unit length). One whose text changed meanwhile waits on."""
    for item, vector in items:
        profile_and_text = tx.db.execute(
            "SELECT c.profile, m.content FROM message m JOIN conversation c ON c.pk = m.conversation WHERE m.pk = ?"
            if item.type == "turn"
            else "SELECT profile, text FROM memory WHERE pk = ?",
            (item.pk,),
        ).fetchone()
        if profile_and_text is not None and profile_and_text[1] != item.text:
            continue
        tx.db.execute("DELETE FROM unindexed WHERE type = ? AND pk = ?", (item.type, item.pk))
        if profile_and_text is not None:
            table = _TABLES[item.type]
            tx.db.execute(f"DELETE FROM {table} WHERE pk = ?", (item.pk,))
            tx.db.execute(
                f"INSERT INTO {table} (pk, profile, embedding) VALUES (?, ?, ?)", (item.pk, profile_and_text[0], vector)
            )


def remove(db: apsw.Connection, kind: Indexed, pk: int) -> None:
    """Takes a vector out. sqlite-vec only marks the slot free, so its bytes are overwritten first."""
    if not ready(db):
        return
    table = _TABLES[kind]
    size = db.execute(f"SELECT length(embedding) FROM {table} WHERE pk = ?", (pk,)).get
    if size is not None:
        db.execute(f"UPDATE {table} SET embedding = zeroblob(?) WHERE pk = ?", (size, pk))
        db.execute(f"DELETE FROM {table} WHERE pk = ?", (pk,))


def nearest(
    db: apsw.Connection, kind: Indexed, vector: bytes, *, profile: int, k: int, among: Sequence[int] | None = None
) -> list[tuple[int, float]]:
    """(pk, cosine similarity) of the k nearest, best first; empty before the first vector was stored.

    With `among`, the nearest of these pks: sqlite-vec looks at no others.
    """
    if not ready(db):
        return []
    sql = f"SELECT pk, distance FROM {_TABLES[kind]} WHERE embedding MATCH ? AND k = ? AND profile = ?"
    values: tuple[bytes | int | str, ...] = (vector, min(k, MAX_K), profile)
    if among is not None:
        sql += " AND pk IN (SELECT value FROM json_each(?))"
        values += (to_json(among),)
    return [(pk, 1.0 - distance) for pk, distance in db.execute(sql, values)]


def stored(db: apsw.Connection, kind: Indexed, ids: Sequence[str], *, model: str) -> dict[str, bytes]:
    """The vectors (float32, little endian) of these memories or turns by id, where `model` made them.

    What has none yet, or waits for a new one because its text changed, is not among them.
    """
    stamp = db.execute("SELECT value FROM meta WHERE name = 'embedder'").get
    if not ids or not ready(db) or not str(stamp).startswith(f"{model}:"):
        return {}
    table = "message" if kind == "turn" else "memory"
    # CROSS JOIN keeps the order: `pk IN (...)` would have sqlite-vec read its whole table.
    return dict(
        db.execute(
            f"SELECT t.id, v.embedding FROM json_each(?) j CROSS JOIN {table} t ON t.id = j.value"
            f" CROSS JOIN {_TABLES[kind]} v ON v.pk = t.pk"
            " WHERE NOT EXISTS (SELECT 1 FROM unindexed u WHERE u.type = ? AND u.pk = t.pk)",
            (to_json(ids), kind),
        )
    )
