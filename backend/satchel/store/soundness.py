"""Whether a store is whole: asked of the present one by `satchel doctor`, and of every backup before it counts."""

from __future__ import annotations

import apsw

from satchel.store import vectors
from satchel.store.database import fetch, migrations

CHECKED_AT_START = 25_000_000
"""Bytes up to which all of a store is checked at the start: a tenth of a second."""


def damage(db: apsw.Connection, *, thorough: bool = False) -> str | None:
    """The first thing that SQLite itself finds wrong; None when nothing is. Raises apsw.Error.

    Both checks look into the word indexes too. `thorough` also compares every index with its table, which takes
    several times as long.
    """
    check = "integrity_check" if thorough else "quick_check"
    found = str(db.execute(f"PRAGMA {check}(1)").get)
    return None if found == "ok" else found.splitlines()[-1]


def look_at_start(db: apsw.Connection, size: int) -> None:
    """Raises apsw.CorruptError where a store of `size` bytes is damaged. Of a large one only the way to the first row
    of every table is looked at: the start must not take seconds."""
    for (name,) in fetch(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0"):
        db.execute(f'SELECT * FROM "{name}" LIMIT 1').fetchall()
    if size <= CHECKED_AT_START and (found := damage(db)):
        raise apsw.CorruptError(found)


def dangling(db: apsw.Connection) -> int:
    """How many rows point to one that is not there."""
    return len(fetch(db, "PRAGMA foreign_key_check"))


def unsearchable(db: apsw.Connection) -> int:
    """How many turns and memories are missing from the word indexes."""
    return sum(
        int(str(db.execute(sql).get))
        for sql in (
            "SELECT count(*) FROM message WHERE role IN ('user', 'assistant') AND content <> ''"
            " AND pk NOT IN (SELECT id FROM turn_words_docsize)",
            "SELECT count(*) FROM memory WHERE pk NOT IN (SELECT id FROM memory_words_docsize)",
        )
    )


def counts(db: apsw.Connection) -> dict[str, int]:
    """How many rows each table has, those behind the indexes of words and meaning included."""
    names = fetch(
        db,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT GLOB 'sqlite_*'"
        " ORDER BY name",
    )
    return {name: int(str(db.execute(f'SELECT count(*) FROM "{name}"').get)) for (name,) in names}


def first_fault(db: apsw.Connection) -> str | None:
    """Everything above: the first fault in a few words, None when it is whole. Raises apsw.Error.

    Of an older schema only what SQLite knows by itself is asked: the rest is asked in this one's words.
    """
    if found := damage(db, thorough=True):
        return found
    if count := dangling(db):
        return f"{count} rows point to rows that are not there"
    if int(str(db.pragma("user_version"))) < migrations()[-1][0]:
        return None
    if count := unsearchable(db):
        return f"{count} texts are missing from the word indexes"
    if count := vectors.unsound(db):
        return f"{count} entries of the index of meaning do not fit what they stand for"
    return None
