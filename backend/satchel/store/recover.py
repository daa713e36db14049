"""Salvages what can still be read of a damaged store into a new one, and says what is lost.

Rows are read from the pages (`pages`), in the trees that lead to them and, where those are broken, by what they look
like. The new store's own schema decides what is a row: its types, its checks, and that what points somewhere finds it.
The list of changes names every conversation, turn and memory, so that those whose pages are gone can be counted.
Indexes of words are built anew, those of meaning by the daemon.
"""

from __future__ import annotations

import contextlib
import filecmp
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import apsw
import msgspec

from satchel.files import shred
from satchel.store import backup, log, memories, soundness
from satchel.store.backup import beside, discard, said_plainly
from satchel.store.clock import new_id
from satchel.store.database import APPLICATION_ID, connect, fetch, migrate, migrations, refuse_strangers
from satchel.store.pages import Pages, Row, Value
from satchel.store.restore import is_damaged, keep_damaged, replace
from satchel.store.store import CELLS_FOLDER, FILE_NAME, prepare_folder
from satchel.times import now_ms
from satchel.types import StoreError

NAMED = ("conversation", "message", "memory", "tombstone")
"""What the list of changes names, one line each."""

_MADE_ANEW = re.compile(r"(turn|memory)_(words|vector|signs)|aside_|unindexed|vector_(set|change)|rederiv|change$")
"""Tables that are not salvaged: indexes, and what can be worked out again."""

_STRAYS = ("conversation", "message", "memory", "profile", "client", "revision", "source", "history", "tombstone")
"""Tables whose rows can be told by what they look like. Those of other tables look like some index's."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CLOCK = re.compile(r"\d{13}-[0-9a-f]{4}-.+")


class Recovered(msgspec.Struct, frozen=True, kw_only=True):
    """What is there now, and what is not.

    `lost`: how many rows of which table are known to be gone. `unread`: tables of which pages could not be read.
    `unfounded`: memories that were dropped because the words they rest on are lost. `homeless`: conversations of which
    only turns are left. `aside`: the damaged file, as it was.
    """

    turns: int
    memories: int
    lost: dict[str, int]
    unread: tuple[str, ...]
    unfounded: int
    homeless: int
    aside: Path

    def as_json(self) -> dict[str, object]:
        return msgspec.structs.asdict(self) | {"aside": str(self.aside)}


class _Table:
    """A table of the new store: the columns in the order in which a record holds them."""

    def __init__(self, db: apsw.Connection, name: str) -> None:
        info = fetch(db, f"PRAGMA table_info({name})")
        sql = str(db.execute("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,)).get)
        self.name = name
        self.without_rowid = "WITHOUT ROWID" in sql
        keys = sorted((row for row in info if row[5]), key=lambda row: int(row[5]))
        if self.without_rowid:
            info = keys + [row for row in info if not row[5]]
        self.columns = [str(row[1]) for row in info]
        self.alias = str(keys[0][1]) if not self.without_rowid and len(keys) == 1 and keys[0][2] == "INTEGER" else None
        """The column that is the rowid, NULL in the record itself."""
        self.later = sum(1 for row in info if row[4] is not None or not row[3])
        """How many columns may be missing at the end of a record that was written before they were added."""

    def values(self, row: Row) -> dict[str, Value] | None:
        """The row by columns; None where it cannot be one of this table."""
        missing = len(self.columns) - len(row.record)
        if (row.rowid is None) != self.without_rowid or not 0 <= missing <= self.later:
            return None
        values = dict(zip(self.columns, row.record, strict=False))
        if self.alias is not None:
            if values[self.alias] is not None:
                return None
            values[self.alias] = row.rowid
        return values

    def looks_right(self, values: dict[str, Value]) -> bool:
        """Whether a row that no tree led to is one of this table: its ids and clock look like ours."""
        return all(
            form.fullmatch(str(values[name])) for name, form in (("id", _ID), ("clock", _CLOCK)) if name in values
        )


def recover(data: Path, *, now: Callable[[], int] = now_ms) -> Recovered | None:
    """Replaces a damaged store by what can be read of it; None where nothing is wrong with it, and nothing was done.

    No daemon may run on the folder meanwhile. Raises StoreError, and changes nothing: the file is another program's or
    a newer Satchel's, nothing can be read, or there is no room.
    """
    prepare_folder(data)
    live = data / FILE_NAME
    if not live.exists():
        raise StoreError(f"There is no store in {data}; restore a backup with `satchel restore FILE`.")
    if _is_whole(live):
        return None
    backup.need_room(data, 3 * backup.size_of(live), "Recovering")
    new = beside(live, backup.RECOVERING)
    with said_plainly(new):
        discard(new)
    try:
        with said_plainly(new):
            pages = Pages(*_as_it_was(data))
            found = _Salvage(pages, new, now).run()
        aside = keep_damaged(data, now)
        with said_plainly(live):
            replace(live, new)
            for stale in (data / CELLS_FOLDER).glob("*"):
                shred(stale)
    finally:
        with said_plainly(new):
            discard(new)
    return msgspec.structs.replace(found, aside=aside)


def _is_whole(live: Path) -> bool:
    """Raises StoreError for another program's database and for a newer Satchel's."""
    try:
        with contextlib.closing(connect(live, readonly=True)) as db:
            refuse_strangers(db, live)
            return int(str(db.pragma("user_version"))) > 0 and soundness.first_fault(db) is None
    except apsw.Error:
        return False
    except StoreError as error:
        if not is_damaged(error):
            raise
        return False


def _as_it_was(data: Path) -> tuple[Path, Path]:
    """The damaged file and its log. An earlier recovering that was killed may have left the log with the copy alone."""
    live = data / FILE_NAME
    if not beside(live, "-wal").exists():
        for aside in backup.damaged(data):
            if filecmp.cmp(live, aside, shallow=False):
                return aside, beside(aside, "-wal")
    return live, beside(live, "-wal")


class _Salvage:
    def __init__(self, pages: Pages, new: Path, now: Callable[[], int]) -> None:
        self.pages = pages
        self.new = new
        self.now = now
        self.lost: dict[str, int] = {}
        self.unread: list[str] = []

    def run(self) -> Recovered:
        """Makes the new store. Raises StoreError when nothing could be read."""
        with contextlib.closing(connect(self.new)) as db:
            self._make(db)
            db.pragma("foreign_keys", False)
            db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
            with db:
                changes, sequence = self._take(db)
                _drop_altered(db)
                if not db.execute("SELECT 1 FROM message UNION ALL SELECT 1 FROM memory LIMIT 1").get:
                    raise StoreError(
                        "Nothing that was said could be read from the damaged store; nothing was changed. Restore a"
                        " backup with `satchel restore FILE` (`satchel doctor` tells of the last one)."
                    )
                homeless = self._house(db)
                _drop_dangling(db)
                unfounded = _drop_unfounded(db)
                self._set_changes(db, changes, sequence)
            db.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 1)
            db.pragma("foreign_keys", True)
            migrate(db, self.new)
            with db:
                _index(db)
            if fault := soundness.first_fault(db):
                raise StoreError(
                    f"What was salvaged came out unsound ({fault}); nothing was changed. Please report this."
                )
            [(turns, known)] = fetch(db, "SELECT count(*), (SELECT count(*) FROM memory) FROM message")
            db.pragma("journal_mode", "delete")
        return Recovered(
            turns=turns,
            memories=known,
            lost=self.lost,
            unread=tuple(self.unread),
            unfounded=unfounded,
            homeless=homeless,
            aside=self.new,
        )

    def _make(self, db: apsw.Connection) -> None:
        """An empty store of the schema that the damaged one had, as far as that can be told."""
        newest = migrations()[-1][0]
        told = self.pages.version() or newest
        version = told if told <= newest else newest
        with db:
            for number, sql in migrations():
                if number <= version:
                    db.execute(sql)
        db.pragma("application_id", APPLICATION_ID)
        db.pragma("user_version", version)

    def _take(self, db: apsw.Connection) -> tuple[dict[str, tuple[int, str, str]], int]:
        """All rows that can be read. Returns the list of changes by id as (seq, type, clock), and its last number."""
        names = [name for name in soundness.counts(db) if not _MADE_ANEW.match(name)]
        tables = {name: _Table(db, name) for name in (*names, "change")}
        roots = self.pages.schema()
        if self.pages.broken:
            self.unread.append("the schema")
        changes: dict[str, tuple[int, str, str]] = {}
        sequence = 0
        for found in roots:
            before = len(self.pages.broken)
            for row in self.pages.tree(found.root):
                if found.name == "change":
                    _note_change(changes, tables["change"].values(row))
                elif (
                    found.name == "sqlite_sequence" and row.record[:1] == ("change",) and isinstance(row.record[1], int)
                ):
                    sequence = row.record[1]
                elif found.name in tables and (values := tables[found.name].values(row)):
                    _insert(db, found.name, values)
            if len(self.pages.broken) > before:
                name = found.name if found.name in tables else "an index"
                self.unread += [name] if name not in self.unread else []
        for row in self.pages.strays():
            if values := tables["change"].values(row):
                _note_change(changes, values)
            for name in _STRAYS:
                values = tables[name].values(row)
                if values and tables[name].looks_right(values) and _insert(db, name, values):
                    break
        db.execute("DELETE FROM meta WHERE name = 'embedder'")  # its vectors are made anew
        for name in NAMED[:3]:
            db.execute(f"DELETE FROM {name} WHERE id IN (SELECT id FROM tombstone)")
        return changes, sequence

    def _house(self, db: apsw.Connection) -> int:
        """Makes a conversation for turns whose own is lost, and a profile where that is; how many conversations."""
        now = self.now()
        for (pk,) in fetch(
            db,
            "SELECT profile FROM conversation UNION SELECT profile FROM memory EXCEPT SELECT pk FROM profile",
        ):
            taken = db.execute("SELECT 1 FROM profile WHERE name = 'me'").get
            db.execute("INSERT INTO profile VALUES (?, ?, ?)", (pk, f"recovered-{pk}" if taken else "me", now))
        homeless = fetch(db, "SELECT DISTINCT conversation FROM message EXCEPT SELECT pk FROM conversation")
        if homeless:
            owner = _owner_of_homeless(db, now)
            for (pk,) in homeless:
                db.execute(
                    "INSERT INTO conversation (pk, id, profile, site, external_id, created_at, updated_at, device,"
                    " clock) SELECT ?1, ?2, ?3, 'recovered', 'recovered-' || ?1, min(received_at), max(received_at),"
                    " device, max(clock) FROM message WHERE conversation = ?1",
                    (pk, new_id(), owner),
                )
        return len(homeless)

    def _set_changes(self, db: apsw.Connection, changes: dict[str, tuple[int, str, str]], sequence: int) -> None:
        """Writes the list of changes for what is there, and counts what it names that is not."""
        there = {
            row_id: (kind, clock)
            for kind in NAMED
            for row_id, clock in fetch(db, f"SELECT id, clock FROM {kind} ORDER BY clock")
        }
        for row_id, (_, kind, _) in changes.items():
            if row_id not in there:
                self.lost[kind] = self.lost.get(kind, 0) + 1
        known = [(changes[row_id][0], row_id) for row_id in there if row_id in changes]
        for seq, row_id in sorted(known):
            kind, clock = there[row_id]
            db.execute("INSERT OR IGNORE INTO change VALUES (?, ?, ?, ?)", (seq, kind, row_id, clock))
        for row_id, (kind, clock) in there.items():
            db.execute("INSERT OR IGNORE INTO change (type, id, clock) VALUES (?, ?, ?)", (kind, row_id, clock))
        db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'change'", (sequence,))


def _note_change(changes: dict[str, tuple[int, str, str]], values: dict[str, Value] | None) -> None:
    match values:
        case {"seq": int(seq), "type": str(kind), "id": str(row_id), "clock": str(clock)}:
            if kind in NAMED and _ID.fullmatch(row_id) and _CLOCK.fullmatch(clock):
                changes[row_id] = (seq, kind, clock)


def _insert(db: apsw.Connection, table: str, values: dict[str, Value]) -> bool:
    """Whether the table took the row: not what is not of its types, against its checks, or there already."""
    columns = ", ".join(f'"{name}"' for name in values)
    try:
        db.execute(
            f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
        )
    except (apsw.ConstraintError, apsw.MismatchError):
        return False
    return db.changes() > 0


def _owner_of_homeless(db: apsw.Connection, now: int) -> int:
    """The one profile there is; where there are several, one of its own, so that work does not turn up at home."""
    profiles = fetch(db, "SELECT pk FROM profile")
    if len(profiles) == 1:
        return int(profiles[0][0])
    name = "recovered" if profiles else "me"
    db.execute("INSERT OR IGNORE INTO profile (name, created_at) VALUES (?, ?)", (name, now))
    return int(str(db.execute("SELECT pk FROM profile WHERE name = ?", (name,)).get))


def _drop_altered(db: apsw.Connection) -> None:
    """Drops turns, and earlier wordings of them, whose words are not those that were hashed when they came."""
    for table, columns in (("message", ("pk",)), ("revision", ("message", "revision"))):
        rows = db.execute(f"SELECT role, content, hash, {', '.join(columns)} FROM {table}")
        altered = [tuple(place) for role, content, digest, *place in rows if log.hash_of(role, content) != digest]
        where = " AND ".join(f"{column} = ?" for column in columns)
        db.executemany(f"DELETE FROM {table} WHERE {where}", altered)


def _drop_dangling(db: apsw.Connection) -> None:
    """Drops what points to rows that are lost, until nothing does."""
    names = list(soundness.counts(db))
    again = True
    while again:
        again = False
        for name in names:
            for _, _, parent, column, target, *_ in fetch(db, f"PRAGMA foreign_key_list({name})"):
                found = f"SELECT {target} FROM {parent}"
                db.execute(f'DELETE FROM {name} WHERE "{column}" IS NOT NULL AND "{column}" NOT IN ({found})')
                again = again or db.changes() > 0


def _drop_unfounded(db: apsw.Connection) -> int:
    """Drops sources whose quote does not stand where they say, then derived memories without any; how many."""
    stand = fetch(
        db,
        'SELECT s.memory, s.message, s.revision, s.start, s."end", s.quote, coalesce(r.content, m.content), m.revision'
        " FROM source s JOIN message m ON m.pk = s.message"
        " LEFT JOIN revision r ON r.message = s.message AND r.revision = s.revision",
    )
    for memory, message, revision, start, end, quote, content, latest in stand:
        if revision > latest or content[start:end] != quote:
            db.execute(
                'DELETE FROM source WHERE memory = ? AND message = ? AND revision = ? AND start = ? AND "end" = ?',
                (memory, message, revision, start, end),
            )
    own = memories.WROTE | memories.REWORDED
    unfounded = fetch(
        db, "SELECT pk FROM memory WHERE NOT by_hand & ? AND pk NOT IN (SELECT memory FROM source)", (own,)
    )
    _delete_memories(db, (pk for (pk,) in unfounded))
    return len(unfounded)


def _delete_memories(db: apsw.Connection, pks: Iterable[int]) -> None:
    for pk in pks:
        for table, column in (("memory", "pk"), ("history", "memory"), ("job_memory", "memory")):
            db.execute(f"DELETE FROM {table} WHERE {column} = ?", (pk,))


def _index(db: apsw.Connection) -> None:
    for pk, role, content in fetch(db, "SELECT pk, role, content FROM message"):
        log.index_words(db, pk, role, content)
    for (pk,) in fetch(db, "SELECT pk FROM memory"):
        memories.index_words(db, pk)
