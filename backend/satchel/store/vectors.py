"""Meaning: the vectors of turns and memories, as they lie on disk.

Each vector stands twice: whole (float32) in a plain table, from which single ones are read fast, and as the signs of
its numbers in a sqlite-vec table, partitioned by profile (the one filter that prunes there), which is a thirtieth of
the size. The signs find what may be near, the whole vectors say how near. `neighbours` keeps faster forms in memory;
they follow the list of changes that every write adds to. Which model's vectors there are, `vector_sets` knows: a vector
is only ever compared with those that the same model made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import apsw
import msgspec

from satchel.store import vector_sets
from satchel.store.database import fetch, to_json
from satchel.store.store import Tx
from satchel.store.vector_sets import KINDS, TEXT_OF, Indexed, VectorSet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_OLD: dict[Indexed, str] = {"turn": "turn_vectors", "memory": "memory_vectors"}
"""Tables of before: sqlite-vec with whole vectors. `take_over` moves what they hold."""

MAX_K = 4096
"""sqlite-vec's own limit of neighbours a query."""

RESCORED = 8
"""How many times as many are found by their signs as are wanted, before the whole vectors decide."""

KEPT_CHANGES = 200_000
"""Changes that are remembered: an index that missed more is built anew."""


class Meaning(msgspec.Struct, frozen=True):
    """A vector (float32, little endian, unit length), and the hash of the model that made it."""

    model: str
    vector: bytes


class Waiting(msgspec.Struct, frozen=True):
    """Something that has no vector yet."""

    type: Indexed
    pk: int
    text: str


def prepare(tx: Tx, model: str, dimensions: int) -> None:
    """Makes room for the vectors of an embedding model, and queues what has none of it (`vector_sets.begin`)."""
    take_over(tx)
    vector_sets.begin(tx, model, dimensions)


def is_old(db: apsw.Connection) -> bool:
    """Whether there is something for `take_over`."""
    return db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'turn_vectors'").get is not None


def take_over(tx: Tx) -> None:
    """Moves the vectors of an earlier Satchel, which kept them whole in sqlite-vec, into the tables of this one."""
    if not is_old(tx.db):
        return
    model, _, dimensions = str(tx.db.execute("SELECT value FROM meta WHERE name = 'embedder'").get).rpartition(":")
    made = vector_sets.make(tx.db, model, int(dimensions))
    for kind, old in _OLD.items():
        for pk, profile, vector in tx.db.execute(f"SELECT pk, profile, embedding FROM {old}"):
            store(tx.db, made, kind, pk, profile, vector)
        tx.db.execute(f"DROP TABLE {old}")
    tx.db.execute("DELETE FROM meta WHERE name = 'embedder'")


def waiting(db: apsw.Connection, model: str, limit: int) -> list[Waiting]:
    """What waits for its vector of this model: memories first, and what is new before what is old."""
    of = vector_sets.of(db, model)
    found: list[Waiting] = []
    if of is None:
        return found
    for kind in KINDS:
        table, text = TEXT_OF[kind]
        rows = db.execute(
            f"SELECT u.pk, t.{text} FROM unindexed u LEFT JOIN {table} t ON t.pk = u.pk"
            " WHERE u.slot = ? AND u.type = ? ORDER BY u.pk DESC LIMIT ?",
            (of.slot, kind, limit - len(found)),
        )
        found += [Waiting(kind, pk, text or "") for pk, text in rows]
    return found


def put(tx: Tx, model: str, items: Sequence[tuple[Waiting, bytes]]) -> None:
    """Stores vectors that `model` made. One whose text changed meanwhile waits on; with another model's alone, there is
    no place for them."""
    of = vector_sets.of(tx.db, model)
    if of is None:
        return
    for item, vector in items:
        profile_and_text = tx.db.execute(
            "SELECT c.profile, m.content FROM message m JOIN conversation c ON c.pk = m.conversation WHERE m.pk = ?"
            if item.type == "turn"
            else "SELECT profile, text FROM memory WHERE pk = ?",
            (item.pk,),
        ).fetchone()
        if profile_and_text is not None and profile_and_text[1] != item.text:
            continue
        tx.db.execute("DELETE FROM unindexed WHERE slot = ? AND type = ? AND pk = ?", (of.slot, item.type, item.pk))
        if profile_and_text is not None:
            store(tx.db, of, item.type, item.pk, profile_and_text[0], vector)


def store(db: apsw.Connection, of: VectorSet, kind: Indexed, pk: int, profile: int, vector: bytes) -> None:
    """Stores one vector in a set, in place of an earlier one."""
    _remove_from(db, of, kind, pk)
    db.execute(f"INSERT INTO {of.whole(kind)} VALUES (?, ?, ?)", (pk, profile, vector))
    db.execute(
        f"INSERT INTO {of.signs(kind)} (pk, profile, signs) VALUES (?, ?, vec_quantize_binary(?))",
        (pk, profile, vector),
    )
    _note(db, of, kind, pk, profile)


def _note(db: apsw.Connection, of: VectorSet, kind: Indexed, pk: int, profile: int) -> None:
    db.execute("INSERT INTO vector_change (slot, type, pk, profile) VALUES (?, ?, ?, ?)", (of.slot, kind, pk, profile))
    if db.last_insert_rowid() % 1024 == 0:
        db.execute("DELETE FROM vector_change WHERE seq <= ?", (db.last_insert_rowid() - KEPT_CHANGES,))


def remove(db: apsw.Connection, kind: Indexed, pk: int) -> None:
    """Takes something out of meaning: its vectors of every model, dropped ones too, and what it waits for."""
    db.execute("DELETE FROM unindexed WHERE slot IN (0, 1) AND type = ? AND pk = ?", (kind, pk))
    for of in vector_sets.held(db):
        _remove_from(db, of, kind, pk)
    for table in vector_sets.put_aside(db, kind):
        db.execute(f"DELETE FROM {table} WHERE pk = ?", (pk,))


def _remove_from(db: apsw.Connection, of: VectorSet, kind: Indexed, pk: int) -> None:
    """sqlite-vec only marks the slot free, so its bytes are overwritten first."""
    row = db.execute(f"SELECT profile, length(embedding) FROM {of.whole(kind)} WHERE pk = ?", (pk,)).fetchone()
    if row is None:
        return
    profile, size = row
    db.execute(f"DELETE FROM {of.whole(kind)} WHERE pk = ?", (pk,))
    _overwrite(db, of.signs(kind), pk, size // 32)
    db.execute(f"DELETE FROM {of.signs(kind)} WHERE pk = ?", (pk,))
    _note(db, of, kind, pk, profile)


def _overwrite(db: apsw.Connection, table: str, pk: int, size: int) -> None:
    """Zeroes a slot in sqlite-vec's own table: an UPDATE cannot, for it takes every value for a float vector."""
    place = db.execute(f"SELECT chunk_id, chunk_offset FROM {table}_rowids WHERE rowid = ?", (pk,)).fetchone()
    if place is None:
        return
    chunk, offset = place
    with db.blob_open("main", f"{table}_vector_chunks00", "vectors", chunk, True) as blob:
        blob.seek(offset * size)
        blob.write(bytes(size))


def nearest(db: apsw.Connection, kind: Indexed, meaning: Meaning, *, profile: int, k: int) -> list[tuple[int, float]]:
    """(pk, cosine similarity) of the k nearest, best first; empty before the model's first vector was stored.

    They are the best of some hundreds whose signs are nearest: exact while there are no more than those.
    """
    of = vector_sets.of(db, meaning.model)
    if of is None:
        return []
    found = db.execute(
        f"SELECT pk FROM {of.signs(kind)} WHERE signs MATCH vec_quantize_binary(?) AND k = ? AND profile = ?",
        (meaning.vector, min(max(RESCORED * k, 400), MAX_K), profile),
    )
    return closest(db, kind, meaning, [pk for (pk,) in found])[:k]


def closest(db: apsw.Connection, kind: Indexed, meaning: Meaning, pks: Sequence[int]) -> list[tuple[int, float]]:
    """(pk, cosine similarity) of those of these pks that have a vector of the same model, best first."""
    import numpy as np

    there, rows = whole(db, meaning.model, kind, pks)
    if not there:
        return []
    cosines = rows @ np.frombuffer(meaning.vector, np.float32)
    return [(there[place], float(cosines[place])) for place in np.argsort(-cosines, kind="stable")]


def stored(db: apsw.Connection, kind: Indexed, ids: Sequence[str], *, model: str) -> dict[str, bytes]:
    """The vectors (float32, little endian) of these memories or turns by id, where `model` made them.

    What has none yet, or waits for a new one because its text changed, is not among them.
    """
    of = vector_sets.of(db, model)
    if not ids or of is None:
        return {}
    table, _ = TEXT_OF[kind]
    return dict(
        db.execute(
            f"SELECT t.id, v.embedding FROM json_each(?) j CROSS JOIN {table} t ON t.id = j.value"
            f" CROSS JOIN {of.whole(kind)} v ON v.pk = t.pk"
            " WHERE NOT EXISTS (SELECT 1 FROM unindexed u WHERE u.slot = ? AND u.type = ? AND u.pk = t.pk)",
            (to_json(ids), of.slot, kind),
        )
    )


def unsound(db: apsw.Connection) -> int:
    """How many vectors stand for nothing, lack their signs, have others' signs, or have signs alone."""
    count = 0
    for of in vector_sets.held(db):
        for kind, (table, _) in TEXT_OF.items():
            signs = dict(fetch(db, f"SELECT pk, signs FROM {of.signs(kind)}"))
            rows = db.execute(
                f"SELECT v.pk, vec_quantize_binary(v.embedding), EXISTS (SELECT 1 FROM {table} t WHERE t.pk = v.pk)"
                f" FROM {of.whole(kind)} v"
            )
            for pk, right, there in rows:
                count += signs.pop(pk, None) != right or not there
            count += len(signs)
    return count


# ------------------------------------------------------------------------------------- for indexes beside it


class State(msgspec.Struct, frozen=True):
    """What an index of one model, kind and profile must agree with: how wide its vectors are, how many, and the last
    change."""

    dimensions: int
    count: int
    seq: int


def state(db: apsw.Connection, model: str, kind: Indexed, profile: int) -> State | None:
    """None before the model's first vector was stored."""
    of = vector_sets.of(db, model)
    if of is None:
        return None
    count = db.execute(f"SELECT count(*) FROM {of.whole(kind)} WHERE profile = ?", (profile,)).get
    return State(of.dimensions, int(str(count)), last_change(db))


def all_of(db: apsw.Connection, model: str, kind: Indexed, profile: int) -> list[int]:
    """The pks of a profile that have a vector of this model, ascending."""
    of = vector_sets.of(db, model)
    if of is None:
        return []
    return [pk for (pk,) in fetch(db, f"SELECT pk FROM {of.whole(kind)} WHERE profile = ? ORDER BY pk", (profile,))]


def last_change(db: apsw.Connection) -> int:
    return int(str(db.execute("SELECT coalesce(max(seq), 0) FROM vector_change").get))


def changed_since(db: apsw.Connection, seq: int, model: str, kind: Indexed, profile: int) -> list[int] | None:
    """The pks whose vector of this model came, went or changed after `seq`; None when not all of that is remembered."""
    of = vector_sets.of(db, model)
    oldest = db.execute("SELECT min(seq) FROM vector_change").get
    if of is None or seq < of.since or (seq and oldest is not None and seq < int(str(oldest)) - 1):
        return None
    rows = db.execute(
        "SELECT DISTINCT pk FROM vector_change WHERE seq > ? AND slot = ? AND type = ? AND profile = ?",
        (seq, of.slot, kind, profile),
    )
    return [pk for (pk,) in rows]


def whole(db: apsw.Connection, model: str, kind: Indexed, pks: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
    """These pks' vectors of this model, (pks that have one, rows)."""
    import numpy as np

    of = vector_sets.of(db, model)
    if of is None:
        return [], np.empty((0, 0), np.float32)
    rows = fetch(
        db,
        f"SELECT v.pk, v.embedding FROM json_each(?) j CROSS JOIN {of.whole(kind)} v ON v.pk = j.value",
        (to_json(pks),),
    )
    matrix = np.frombuffer(b"".join(row[1] for row in rows), np.float32)
    return [row[0] for row in rows], matrix.reshape(len(rows), of.dimensions)
