"""Receipts of what was forgotten: when, how much of each kind, and what reading the files afterwards found. No content.

A receipt is begun in the transaction that forgets and finished when the files were read. One that is not finished
belongs to a process that was cut off in between: the bytes may still lie in the write-ahead log.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from satchel.store.clock import new_id
from satchel.store.database import fetch, to_json
from satchel.store.forget_plan import Counts, Way
from satchel.store.store import Tx
from satchel.structs import decodable


@decodable
class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """`bytes_found`: of what was forgotten, in the files of the data folder, after the act; None when they could not be
    read for it. `rewritten`: how often the whole database was written anew because something was found. `backups`: how
    many of our own were removed; `elsewhere`: how many that the user had written outside may hold it still."""

    id: str
    way: Way
    profiles: tuple[str, ...]
    counts: Counts
    forgotten_at: int
    finished_at: int | None
    files: int | None
    bytes_read: int | None
    bytes_found: int | None
    rewritten: int
    backups: int
    elsewhere: int


def begin(tx: Tx, way: Way, profiles: Sequence[str], counts: Counts) -> str:
    """Notes a forgetting; the receipt's id."""
    receipt = new_id()
    tx.db.execute(
        "INSERT INTO forgetting (id, way, profiles, counts, forgotten_at) VALUES (?, ?, ?, ?, ?)",
        (receipt, way, to_json(profiles), msgspec.json.encode(counts).decode(), tx.now),
    )
    return receipt


def finish(
    tx: Tx,
    receipt: str,
    *,
    files: int | None = None,
    bytes_read: int | None = None,
    bytes_found: int | None = None,
    rewritten: int = 0,
    backups: int = 0,
    elsewhere: int = 0,
) -> Receipt:
    """Notes what reading the files found."""
    tx.db.execute(
        "UPDATE forgetting SET finished_at = ?, files = ?, bytes_read = ?, bytes_found = ?, rewritten = ?, backups = ?,"
        " elsewhere = ? WHERE id = ?",
        (tx.now, files, bytes_read, bytes_found, rewritten, backups, elsewhere, receipt),
    )
    return one(tx.db, receipt)


def unfinished(db: apsw.Connection) -> list[str]:
    """The receipts of forgettings that were cut off before their end."""
    return [row[0] for row in fetch(db, "SELECT id FROM forgetting WHERE finished_at IS NULL ORDER BY pk")]


def generation(db: apsw.Connection) -> int:
    """Rises with every forgetting: what was read before may hold what is forgotten now."""
    return int(str(db.execute("SELECT coalesce(max(pk), 0) FROM forgetting").get))


_RECEIPT = f"SELECT {', '.join(Receipt.__struct_fields__)} FROM forgetting"


def _receipt(row: tuple[object, ...]) -> Receipt:
    values = dict(zip(Receipt.__struct_fields__, row, strict=True))
    return msgspec.convert(
        values | {name: msgspec.json.decode(str(values[name])) for name in ("profiles", "counts")}, Receipt
    )


def one(db: apsw.Connection, receipt: str) -> Receipt:
    return _receipt(fetch(db, f"{_RECEIPT} WHERE id = ?", (receipt,))[0])


def listed(db: apsw.Connection, *, profiles: Sequence[str] | None, page: int, size: int) -> tuple[list[Receipt], int]:
    """A page of receipts, latest first, and how many there are. `profiles`: only what concerns none but these."""
    mine = (
        "?1 IS NULL OR NOT EXISTS (SELECT 1 FROM json_each(profiles)"
        " WHERE value NOT IN (SELECT value FROM json_each(?1)))"
    )
    only = None if profiles is None else to_json(profiles)
    total = db.execute(f"SELECT count(*) FROM forgetting WHERE {mine}", (only,)).get
    rows = fetch(db, f"{_RECEIPT} WHERE {mine} ORDER BY pk DESC LIMIT ?2 OFFSET ?3", (only, size, (page - 1) * size))
    return [_receipt(row) for row in rows], int(str(total))
