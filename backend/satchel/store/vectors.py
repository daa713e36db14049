"""Meaning: the vectors of turns and memories, as they lie on disk.

Each vector stands twice: whole (float32) in a plain table, from which single ones are read fast, and as the signs of
its numbers in a sqlite-vec table, partitioned by profile (the one filter that prunes there), which is a thirtieth of
the size. The signs find what may be near, the whole vectors say how near. `neighbours` keeps faster forms in memory;
they follow the list of changes that every write adds to.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.store import Tx

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Indexed = Literal["turn", "memory"]

_OF: dict[Indexed, str] = {"turn": "message", "memory": "memory"}
"""Where what the vectors stand for lies."""
_WHOLE: dict[Indexed, str] = {"turn": "turn_vector", "memory": "memory_vector"}
_SIGNS: dict[Indexed, str] = {"turn": "turn_signs", "memory": "memory_signs"}
_OLD = ("turn_vectors", "memory_vectors")
"""Tables of before: sqlite-vec with whole vectors. `take_over` moves what they hold."""

MAX_K = 4096
"""sqlite-vec's own limit of neighbours a query."""

RESCORED = 8
"""How many times as many are found by their signs as are wanted, before the whole vectors decide."""

KEPT_CHANGES = 200_000
"""Changes that are remembered: an index that missed more is built anew."""


class Waiting(msgspec.Struct, frozen=True):
    """Something that has no vector yet."""

    type: Indexed
    pk: int
    text: str


def ready(db: apsw.Connection) -> bool:
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'turn_vector'").get is not None


def prepare(tx: Tx, model: str, dimensions: int) -> None:
    """Makes the tables for an embedding model; vectors of another model are dropped and everything queued again.

    `model` is what tells one model's vectors from another's (its hash). `dimensions` must be a multiple of 8.
    """
    stamp = f"{model}:{dimensions}"
    if embedder(tx.db) == stamp:
        take_over(tx)
        if ready(tx.db):
            return
    for table in (*_WHOLE.values(), *_SIGNS.values(), *_OLD):
        tx.db.execute(f"DROP TABLE IF EXISTS {table}")
    _make(tx.db, dimensions)
    tx.db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (stamp,))
    tx.db.execute("DELETE FROM vector_change")
    queue_all(tx)


def queue_all(tx: Tx) -> None:
    """Has everything wait for a vector, whether it has one or not."""
    tx.db.execute(
        "INSERT OR IGNORE INTO unindexed SELECT 'turn', pk FROM message WHERE role IN ('user', 'assistant') AND"
        " content <> ''"
    )
    tx.db.execute("INSERT OR IGNORE INTO unindexed SELECT 'memory', pk FROM memory")


def _make(db: apsw.Connection, dimensions: int) -> None:
    for kind in _WHOLE:
        db.execute(
            f"CREATE TABLE {_WHOLE[kind]} (pk INTEGER PRIMARY KEY, profile INTEGER NOT NULL, embedding BLOB NOT NULL)"
            " STRICT"
        )
        db.execute(f"CREATE INDEX {_WHOLE[kind]}_of_profile ON {_WHOLE[kind]} (profile)")
        db.execute(
            f"CREATE VIRTUAL TABLE {_SIGNS[kind]} USING vec0 (pk INTEGER PRIMARY KEY, profile INTEGER PARTITION KEY,"
            f" signs BIT[{int(dimensions)}])"
        )


def is_old(db: apsw.Connection) -> bool:
    """Whether there is something for `take_over`."""
    return not ready(db) and db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'turn_vectors'").get is not None


def take_over(tx: Tx) -> None:
    """Moves the vectors of an earlier Satchel, which kept them whole in sqlite-vec, into the tables of this one."""
    if not is_old(tx.db):
        return
    _make(tx.db, int(embedder(tx.db).rpartition(":")[2]))
    for kind, old in zip(_WHOLE, _OLD, strict=True):
        for pk, profile, vector in tx.db.execute(f"SELECT pk, profile, embedding FROM {old}"):
            store(tx.db, kind, pk, profile, vector)
        tx.db.execute(f"DROP TABLE {old}")


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
            store(tx.db, item.type, item.pk, profile_and_text[0], vector)


def store(db: apsw.Connection, kind: Indexed, pk: int, profile: int, vector: bytes) -> None:
    """Stores one vector, in place of an earlier one."""
    remove(db, kind, pk)
    db.execute(f"INSERT INTO {_WHOLE[kind]} VALUES (?, ?, ?)", (pk, profile, vector))
    db.execute(
        f"INSERT INTO {_SIGNS[kind]} (pk, profile, signs) VALUES (?, ?, vec_quantize_binary(?))", (pk, profile, vector)
    )
    _note(db, kind, pk, profile)


def _note(db: apsw.Connection, kind: Indexed, pk: int, profile: int) -> None:
    db.execute("INSERT INTO vector_change (type, pk, profile) VALUES (?, ?, ?)", (kind, pk, profile))
    if db.last_insert_rowid() % 1024 == 0:
        db.execute("DELETE FROM vector_change WHERE seq <= ?", (db.last_insert_rowid() - KEPT_CHANGES,))


def remove(db: apsw.Connection, kind: Indexed, pk: int) -> None:
    """Takes a vector out. sqlite-vec only marks the slot free, so its bytes are overwritten first."""
    if not ready(db):
        return
    row = db.execute(f"SELECT profile, length(embedding) FROM {_WHOLE[kind]} WHERE pk = ?", (pk,)).fetchone()
    if row is None:
        return
    profile, size = row
    db.execute(f"DELETE FROM {_WHOLE[kind]} WHERE pk = ?", (pk,))
    _overwrite(db, _SIGNS[kind], pk, size // 32)
    db.execute(f"DELETE FROM {_SIGNS[kind]} WHERE pk = ?", (pk,))
    _note(db, kind, pk, profile)


def _overwrite(db: apsw.Connection, table: str, pk: int, size: int) -> None:
    """Zeroes a slot in sqlite-vec's own table: an UPDATE cannot, for it takes every value for a float vector."""
    place = db.execute(f"SELECT chunk_id, chunk_offset FROM {table}_rowids WHERE rowid = ?", (pk,)).fetchone()
    if place is None:
        return
    chunk, offset = place
    with db.blob_open("main", f"{table}_vector_chunks00", "vectors", chunk, True) as blob:
        blob.seek(offset * size)
        blob.write(bytes(size))


def nearest(db: apsw.Connection, kind: Indexed, vector: bytes, *, profile: int, k: int) -> list[tuple[int, float]]:
    """(pk, cosine similarity) of the k nearest, best first; empty before the first vector was stored.

    They are the best of some hundreds whose signs are nearest: exact while there are no more than those.
    """
    if not ready(db):
        return []
    found = db.execute(
        f"SELECT pk FROM {_SIGNS[kind]} WHERE signs MATCH vec_quantize_binary(?) AND k = ? AND profile = ?",
        (vector, min(max(RESCORED * k, 400), MAX_K), profile),
    )
    return closest(db, kind, vector, [pk for (pk,) in found])[:k]


def closest(db: apsw.Connection, kind: Indexed, vector: bytes, pks: Sequence[int]) -> list[tuple[int, float]]:
    """(pk, cosine similarity) of those of these pks that have a vector, best first."""
    import numpy as np

    there, rows = whole(db, kind, pks) if ready(db) else ([], np.empty((0, 0), np.float32))
    query = np.frombuffer(vector, np.float32)
    if rows.shape[1] != len(query):  # none of them, or those of another model
        return []
    cosines = rows @ query
    return [(there[place], float(cosines[place])) for place in np.argsort(-cosines, kind="stable")]


def stored(db: apsw.Connection, kind: Indexed, ids: Sequence[str], *, model: str) -> dict[str, bytes]:
    """The vectors (float32, little endian) of these memories or turns by id, where `model` made them.

    What has none yet, or waits for a new one because its text changed, is not among them.
    """
    if not ids or not ready(db) or not embedder(db).startswith(f"{model}:"):
        return {}
    table = _OF[kind]
    return dict(
        db.execute(
            f"SELECT t.id, v.embedding FROM json_each(?) j CROSS JOIN {table} t ON t.id = j.value"
            f" CROSS JOIN {_WHOLE[kind]} v ON v.pk = t.pk"
            " WHERE NOT EXISTS (SELECT 1 FROM unindexed u WHERE u.type = ? AND u.pk = t.pk)",
            (to_json(ids), kind),
        )
    )


def unsound(db: apsw.Connection) -> int:
    """How many vectors stand for nothing, lack their signs, have others' signs, or have signs alone."""
    if not ready(db):
        return 0
    count = 0
    for kind, table in _OF.items():
        signs = dict(fetch(db, f"SELECT pk, signs FROM {_SIGNS[kind]}"))
        rows = db.execute(
            f"SELECT v.pk, vec_quantize_binary(v.embedding), EXISTS (SELECT 1 FROM {table} t WHERE t.pk = v.pk)"
            f" FROM {_WHOLE[kind]} v"
        )
        for pk, right, there in rows:
            count += signs.pop(pk, None) != right or not there
        count += len(signs)
    return count


# ------------------------------------------------------------------------------------- for indexes beside it


class State(msgspec.Struct, frozen=True):
    """What an index of one kind and profile must agree with: whose vectors, how many, and the last change."""

    embedder: str
    dimensions: int
    count: int
    seq: int


def state(db: apsw.Connection, kind: Indexed, profile: int) -> State | None:
    """None before the first vector was stored."""
    stamp = embedder(db)
    if not stamp or not ready(db):
        return None
    count = db.execute(f"SELECT count(*) FROM {_WHOLE[kind]} WHERE profile = ?", (profile,)).get
    return State(stamp, int(stamp.rpartition(":")[2]), int(str(count)), last_change(db))


def embedder(db: apsw.Connection) -> str:
    """Whose vectors are stored: "" before the first."""
    return str(db.execute("SELECT value FROM meta WHERE name = 'embedder'").get or "")


def all_of(db: apsw.Connection, kind: Indexed, profile: int) -> list[int]:
    """The pks of a profile that have a vector, ascending."""
    return [pk for (pk,) in fetch(db, f"SELECT pk FROM {_WHOLE[kind]} WHERE profile = ? ORDER BY pk", (profile,))]


def last_change(db: apsw.Connection) -> int:
    return int(str(db.execute("SELECT coalesce(max(seq), 0) FROM vector_change").get))


def changed_since(db: apsw.Connection, seq: int, kind: Indexed, profile: int) -> list[int] | None:
    """The pks whose vector came, went or changed after `seq`; None when not all of that is remembered."""
    oldest = db.execute("SELECT min(seq) FROM vector_change").get
    if seq and oldest is not None and seq < int(str(oldest)) - 1:
        return None
    rows = db.execute(
        "SELECT DISTINCT pk FROM vector_change WHERE seq > ? AND type = ? AND profile = ?", (seq, kind, profile)
    )
    return [pk for (pk,) in rows]


def whole(db: apsw.Connection, kind: Indexed, pks: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
    """These pks' vectors, (pks that have one, rows)."""
    import numpy as np

    rows = fetch(
        db,
        f"SELECT v.pk, v.embedding FROM json_each(?) j CROSS JOIN {_WHOLE[kind]} v ON v.pk = j.value",
        (to_json(pks),),
    )
    matrix = np.frombuffer(b"".join(row[1] for row in rows), np.float32)
    return [row[0] for row in rows], matrix.reshape(len(rows), -1) if rows else matrix.reshape(0, 0)
