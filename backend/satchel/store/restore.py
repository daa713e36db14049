"""Puts a backup in the place of the present store, without bringing back what was forgotten since it was made.

The backup is brought up to date in a copy of its own, and only then taken into the present file: in one transaction of
SQLite's, so that a kill at any moment leaves the one or the other. Where the present file is too damaged for that, the
copy takes its name instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import apsw
import msgspec

from satchel.files import copy_private, shred, sync
from satchel.store import backup, forget, forgotten_turns, soundness
from satchel.store.backup import beside, discard, said_plainly
from satchel.store.clock import HybridClock, new_id
from satchel.store.database import connect, fetch, migrate, to_json
from satchel.store.store import CELLS_FOLDER, FILE_NAME, Tx, prepare_folder
from satchel.times import now_ms
from satchel.types import StoreError

CARRIED_OVER = ("client", "forgetting")
"""Tables that stay as they are now, whatever the backup holds: who may ask, and the receipts of what was forgotten."""


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What is there now. `forgotten` counts what the backup held of what was forgotten since, and is forgotten again;
    None where the store before was too damaged to tell. `aside` is a copy of that store; `schema` the backup's."""

    turns: int
    memories: int
    forgotten: int | None
    aside: Path | None
    schema: int
    migrated: bool

    def as_json(self) -> dict[str, object]:
        return msgspec.structs.asdict(self) | {"aside": str(self.aside) if self.aside else None}


class Forgettings(msgspec.Struct, frozen=True):
    """What the present store knows that must outlive it: rows of the tables in `CARRIED_OVER`, of `tombstone`,
    `forgotten` and `forgotten_turn` (None: it is too old to have any) with its `key`, the id of this device, the last
    numbers that were given to changes, and the ids of conversations without a title, and of those without an address.
    """

    device: str
    carried: dict[str, list[dict[str, object]]]
    tombstones: list[dict[str, object]]
    turns: list[dict[str, object]] | None
    key: str | None
    places: list[tuple[object, ...]]
    profiles: dict[int, tuple[str, int]]
    numbers: list[tuple[str, int]]
    last_clock: str
    untitled: list[str] = []
    unaddressed: list[str] = []


def is_damaged(error: StoreError) -> bool:
    """Whether this is why: the file is no database any more, or not a whole one. Another's or a newer one is not."""
    return isinstance(error.__cause__, apsw.CorruptError | apsw.NotADBError | apsw.IOError)


def restore(data: Path, file: Path, *, now: Callable[[], int] = now_ms) -> Restored:
    """Makes the store what it was in the backup `file`, which stays. No daemon may run on the folder meanwhile.

    Who may ask stays as it is now. Raises StoreError, and the present store is then untouched: the file is no sound
    backup of a Satchel that this one knows, or there is no room.
    """
    live = data / FILE_NAME
    new = beside(live, backup.RESTORING)
    if not file.is_file():
        raise StoreError(f"There is no file {file}; `satchel doctor` lists where backups were written.")
    prepare_folder(data)
    backup.need_room(data, 3 * backup.size_of(file) + 2 * backup.size_of(live), "Restoring")
    with said_plainly(new):
        discard(new)
    try:
        schema = _take_in(file, new)
        keep, aside, whole = _set_aside(data, file, now)
        with contextlib.closing(connect(new)) as db, said_plainly(new):
            migrated = schema < int(str(db.pragma("user_version")))
            forgotten = _carry_over(db, keep, now)
            if fault := soundness.first_fault(db):
                raise StoreError(f"{file} came out unsound ({fault}), and nothing was changed; choose another backup.")
            [(turns, memories)] = fetch(db, "SELECT count(*), (SELECT count(*) FROM memory) FROM message")
            db.pragma("journal_mode", "delete")
        with said_plainly(live):
            if whole:
                _take_over(live, new)
            else:
                replace(live, new)
            for stale in (data / CELLS_FOLDER).glob("*"):
                shred(stale)
    finally:
        with said_plainly(new):
            discard(new)
    return Restored(
        turns=turns,
        memories=memories,
        forgotten=None if keep is None else forgotten,
        aside=aside,
        schema=schema,
        migrated=migrated,
    )


def _take_in(file: Path, new: Path) -> int:
    """Copies the backup, checks it and brings it up to date; the schema that it had. Raises StoreError."""
    with said_plainly(new):
        copy_private(file, new)
        for ending in ("-wal", "-journal"):  # of a store that was copied by hand while it was in use
            if beside(file, ending).exists():
                copy_private(beside(file, ending), beside(new, ending))
    try:
        with contextlib.closing(connect(new)) as db:
            schema, fault = int(str(db.pragma("user_version"))), _damage(db)
            if schema and not fault:
                migrate(db, new)
    except StoreError as error:
        if not is_damaged(error):
            raise StoreError(str(error).replace(str(new), str(file))) from error
        schema, fault = -1, str(error.__cause__)
    if fault:
        raise StoreError(f"{file} is damaged, or no backup ({fault}); choose another one. Nothing was changed.")
    if schema == 0:
        raise StoreError(f"{file} holds no memories; choose another file. Nothing was changed.")
    return schema


def _damage(db: apsw.Connection) -> str | None:
    try:
        return soundness.damage(db, thorough=True)
    except apsw.Error as error:
        return str(error)


def _set_aside(data: Path, file: Path, now: Callable[[], int]) -> tuple[Forgettings | None, Path | None, bool]:
    """What the present store knows, a copy of it, and whether it is whole. Raises StoreError."""
    live = data / FILE_NAME
    if not live.exists() or not backup.size_of(live):
        return Forgettings(new_id(), {}, [], None, None, [], {}, [], ""), None, False
    keep: Forgettings | None = None
    whole = False
    try:
        with contextlib.closing(connect(live)) as db:
            if not int(str(db.pragma("user_version"))):
                return Forgettings(new_id(), {}, [], None, None, [], {}, [], ""), None, True
            with contextlib.suppress(apsw.Error), db:
                keep = _known(db)
            whole = keep is not None and _damage(db) is None
        if whole:
            return keep, backup.make(data, why=backup.BEFORE_RESTORE, now=now, spare=file), True
    except backup.UnsoundError:
        pass  # SQLite finds it whole and Satchel does not: no backup, but it can be written over page by page
    except StoreError as error:
        if not is_damaged(error):
            raise
        whole = False
    return keep, keep_damaged(data, now), whole


def keep_damaged(data: Path, now: Callable[[], int]) -> Path:
    """Copies the files of a damaged store aside as they are, its write-ahead log included. Raises StoreError."""
    live = data / FILE_NAME
    with said_plainly(backup.folder(data)):
        backup.folder(data).mkdir(mode=0o700, exist_ok=True)
        backup.need_room(data, backup.size_of(live), "Keeping the damaged store")
        aside = backup.new_name(data, now(), backup.DAMAGED.strip("-"))
        shred(beside(aside, "-wal"))  # of a run that was killed in this very second
        if beside(live, "-wal").exists():
            copy_private(beside(live, "-wal"), beside(aside, "-wal"))
        copy_private(live, aside)
        sync(aside.parent)
    return aside


def _known(db: apsw.Connection) -> Forgettings:
    def rows(table: str) -> list[dict[str, object]]:
        names = [row[1] for row in fetch(db, f"PRAGMA table_info({table})")]
        return [dict(zip(names, row, strict=True)) for row in fetch(db, f"SELECT * FROM {table}")]

    places: list[tuple[object, ...]] = []
    if db.table_exists("main", "forgotten"):
        places = fetch(
            db,
            'SELECT m.id, f.revision, f.start, f."end" FROM forgotten f JOIN message m ON m.pk = f.message',
        )
    return Forgettings(
        device=str(db.execute("SELECT value FROM meta WHERE name = 'device'").get or new_id()),
        carried={table: rows(table) for table in CARRIED_OVER if db.table_exists("main", table)},
        tombstones=rows("tombstone"),
        turns=rows("forgotten_turn") if db.table_exists("main", "forgotten_turn") else None,
        key=_text(db.execute("SELECT value FROM meta WHERE name = ?", (forgotten_turns.KEY,)).get),
        places=places,
        profiles={pk: (name, made) for pk, name, made in fetch(db, "SELECT pk, name, created_at FROM profile")},
        numbers=fetch(db, "SELECT name, seq FROM sqlite_sequence"),
        last_clock=str(db.execute("SELECT max(clock) FROM change").get or ""),
        untitled=[row[0] for row in fetch(db, "SELECT id FROM conversation WHERE title IS NULL")],
        unaddressed=[row[0] for row in fetch(db, "SELECT id FROM conversation WHERE url IS NULL")],
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _carry_over(db: apsw.Connection, keep: Forgettings | None, now: Callable[[], int]) -> int:
    """Forgets anew what was forgotten since, and takes over who may ask; how many items were forgotten anew."""
    if keep is None:
        return 0
    clocks = (str(db.execute("SELECT max(clock) FROM change").get or ""), keep.last_clock)
    clock = HybridClock(keep.device)
    for known in filter(None, clocks):
        clock.observe(known)
    tx = Tx(db, clock, now)
    with db:
        if keep.key is not None:  # the marks of forgotten turns are made with it
            db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (forgotten_turns.KEY, keep.key))
        forgotten = _forget_again(tx, keep)
        db.execute("UPDATE meta SET value = ? WHERE name = 'device'", (keep.device,))
        for table, rows in keep.carried.items():
            db.execute(f"DELETE FROM {table}")
            _insert(db, table, rows)
        for message, revision, start, end in keep.places:
            db.execute(
                "INSERT OR IGNORE INTO forgotten SELECT pk, ?, ?, ? FROM message WHERE id = ?",
                (revision, start, end, message),
            )
        for name, number in keep.numbers:
            # Who follows the changes asks for those after the last one he saw: none may come before it again.
            db.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (number, name))
    db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    return forgotten


def _forget_again(tx: Tx, keep: Forgettings) -> int:
    db = tx.db

    def there(table: str) -> list[str]:
        wanted = to_json(str(row["id"]) for row in keep.tombstones if row["type"] == table)
        return [
            row[0]
            for row in fetch(db, f"SELECT id FROM {table} WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
        ]

    count = 0
    for conversation in there("conversation"):
        count += 1 + forget.forget_conversation(tx, conversation).messages
    if messages := there("message"):
        count += forget.forget_messages(tx, messages).messages
    memories = there("memory")
    for memory in memories:
        forget.forget_memory(tx, memory)
    _forget_names_again(tx, keep)
    for row in (*keep.tombstones, *(keep.turns or ())):
        name, made = keep.profiles[int(str(row["profile"]))]
        db.execute("INSERT OR IGNORE INTO profile (name, created_at) VALUES (?, ?)", (name, made))
        row["profile"] = db.execute("SELECT pk FROM profile WHERE name = ?", (name,)).get
    _insert(db, "tombstone", keep.tombstones)
    if keep.turns is not None:  # what was allowed again since may come in again
        db.execute("DELETE FROM forgotten_turn")
        _insert(db, "forgotten_turn", keep.turns)
    return count + len(memories)


def _forget_names_again(tx: Tx, keep: Forgettings) -> None:
    """Titles and addresses go without a tombstone, by themselves or with the turns that they told of. Nothing else
    takes one away: where the present store has none, it was forgotten or there never was one."""
    for column, without in (("title", keep.untitled), ("url", keep.unaddressed)):
        for (pk,) in fetch(
            tx.db,
            f"SELECT pk FROM conversation WHERE {column} IS NOT NULL AND id IN (SELECT value FROM json_each(?))",
            (to_json(without),),
        ):
            tx.db.execute(
                f"UPDATE conversation SET {column} = NULL, device = ?, clock = ? WHERE pk = ?",
                (tx.device, tx.tick(), pk),
            )


def _insert(db: apsw.Connection, table: str, rows: list[dict[str, object]]) -> None:
    for row in rows:
        places = ", ".join("?" * len(row))
        db.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))


def _take_over(live: Path, new: Path) -> None:
    """Takes all pages of `new` into `live`, in one transaction. Raises apsw.Error."""
    target, source = connect(live), connect(new, readonly=True)
    try:
        with target.backup("main", source, "main") as copying:
            while not copying.done:
                copying.step(backup.STEP_PAGES)
        target.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    finally:
        source.close()
        target.close()


def replace(live: Path, new: Path) -> None:
    """Gives `new`, a single file, the name of a damaged store that was kept aside. Raises OSError."""
    sync(new)
    # First: a log that stays would be read as the new store's own.
    for ending in ("-wal", "-shm", "-journal"):
        beside(live, ending).unlink(missing_ok=True)
    sync(live.parent)
    new.replace(live)
    sync(live.parent)
