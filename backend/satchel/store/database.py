"""Opens the one SQLite file: settings, migrations, and errors a person can act on."""

from __future__ import annotations

import functools
import importlib.util
import re
import time
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import apsw
import msgspec

from satchel.types import StoreError

BUSY_TIMEOUT_MS = 5_000
MAGIC = b"SQLite format 3\0"
"""How every SQLite file begins."""

APPLICATION_ID = 0x5A7C4E11  # marks the file as Satchel's, so that another program's database is never migrated


MEND = "Stop Satchel, then run `satchel recover`, or restore a backup with `satchel restore FILE`."


def explain(error: apsw.Error, path: str) -> StoreError:
    """The sentence a person sees for what SQLite reported."""
    match error:
        case apsw.BusyError() | apsw.LockedError():
            say = f"Another program holds {path} locked; close it (a backup or database tool?) and try again."
        case apsw.ReadOnlyError():
            say = f"{path} cannot be written; check the permissions of the file and its folder."
        case apsw.FullError():
            say = f"The disk that holds {path} is full; free some space and try again. Nothing of this was stored."
        case apsw.NotADBError():
            say = f"{path} is not an SQLite database, or its beginning is damaged. {MEND}"
        case apsw.CorruptError():
            say = f"{path} is damaged ({error}). {MEND}"
        case apsw.CantOpenError():
            say = f"{path} cannot be opened; check that its folder exists and belongs to you."
        case apsw.IOError():
            say = f"The disk reported an error on {path} ({error}); check the disk and its free space."
        case _:
            say = f"SQLite refused on {path} ({error}); `satchel doctor` looks for the reason."
    return StoreError(say)


@functools.cache
def _sqlite_vec() -> str:
    """What `sqlite_vec.loadable_path()` gives, without importing the package: that imports numpy, a quarter second."""
    spec = importlib.util.find_spec("sqlite_vec")
    if spec is None or not spec.submodule_search_locations:
        raise StoreError("The sqlite-vec package is missing; run ./scripts/run again to repair the installation.")
    return str(Path(spec.submodule_search_locations[0]) / "vec0")


def connect(path: Path, *, readonly: bool = False) -> apsw.Connection:
    """A connection with our settings and sqlite-vec loaded. Raises StoreError."""
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        _look_before_opening(path)
        db = apsw.Connection(str(path), flags=flags)
    except apsw.Error as error:
        raise explain(error, str(path)) from error
    try:
        _set_up(db, path, readonly=readonly)
    except apsw.Error as error:
        db.close()
        raise explain(error, str(path)) from error
    except StoreError:
        db.close()
        raise
    return db


def _look_before_opening(path: Path) -> None:
    """Raises apsw.Error for a file that SQLite would take for a new one, or for none: it would remove the write-ahead
    log beside it, in which the last of what was said may stand.

    Read through SQLite's own file layer: a descriptor that is opened and closed beside it drops the locks that this
    process holds on the file (POSIX), and another program would take the database for abandoned.
    """
    if not path.exists():
        return
    if not path.is_file():
        raise apsw.CantOpenError("it is no file")
    file = apsw.VFSFile("", str(path), [apsw.SQLITE_OPEN_MAIN_DB | apsw.SQLITE_OPEN_READONLY, 0])
    try:
        beginning = file.xRead(len(MAGIC), 0)
    except apsw.IOError:  # it holds less than that: what there is then does not matter
        beginning = b"" if not file.xFileSize() else b"?"
    finally:
        file.xClose()
    log = path.with_name(path.name + "-wal")
    if not beginning and log.exists() and log.stat().st_size:
        raise apsw.CorruptError("it is empty, and its log is not")
    if beginning and beginning != MAGIC:
        raise apsw.NotADBError("it does not begin as one")


def _set_up(db: apsw.Connection, path: Path, *, readonly: bool) -> None:
    db.set_busy_timeout(BUSY_TIMEOUT_MS)
    db.enable_load_extension(True)
    db.load_extension(_sqlite_vec())
    db.enable_load_extension(False)
    db.pragma("foreign_keys", True)
    db.pragma("temp_store", "memory")  # nothing of the log may lie about in temporary files
    db.pragma("cache_size", -16_000)
    if readonly:
        db.pragma("query_only", True)
    else:
        refuse_strangers(db, path)  # before the first setting that is written into the file
        _write_ahead(db)
        db.pragma("synchronous", "full")  # an acknowledged message is on disk
        db.pragma("secure_delete", True)
    db.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()  # reads the header, so that trouble shows here


def _write_ahead(db: apsw.Connection) -> None:
    """Switches to the write-ahead log. Two connections that do so at once are told "busy" without any timeout."""
    end = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            db.pragma("journal_mode", "wal")
            return
        except apsw.BusyError:
            if time.monotonic() >= end:
                raise
            time.sleep(0.02)


def refuse_strangers(db: apsw.Connection, path: Path) -> None:
    """Raises StoreError for another program's database and for one from a newer Satchel. Writes nothing."""
    with db:  # one snapshot: another Satchel may be making its tables just now
        version = int(str(db.pragma("user_version")))
        marked = int(str(db.pragma("application_id")))
        filled = db.execute("SELECT count(*) FROM sqlite_schema").get
    if marked != APPLICATION_ID and (version or marked or filled):
        raise StoreError(f"{path} belongs to another program; start Satchel with another --data folder.")
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreError(
            f"{path} was written by a newer Satchel (schema {version}, this one knows {newest}); "
            "update Satchel, or start it with another --data folder."
        )


def fetch(db: apsw.Connection, sql: str, args: Sequence[Any] = ()) -> list[Any]:
    """All rows of a query, as tuples. Untyped: what a column holds is known to the query alone."""
    return db.execute(sql, args).fetchall()


def migrations() -> list[tuple[int, str]]:
    """(number, SQL) of every migration, in order."""
    found = []
    for file in resources.files("satchel.store").joinpath("migrations").iterdir():
        if number := re.match(r"(\d{4})_\w+\.sql$", file.name):
            found.append((int(number[1]), file.read_text("utf-8")))
    return sorted(found)


def is_behind(db: apsw.Connection) -> bool:
    """Whether this is a store of an older schema; a new, empty one is not."""
    return 0 < int(str(db.pragma("user_version"))) < migrations()[-1][0]


def migrate(db: apsw.Connection, path: Path) -> None:
    """Brings the schema up to date, each step in its own transaction. Raises StoreError for a foreign or newer file."""
    try:
        refuse_strangers(db, path)
        version = int(str(db.pragma("user_version")))
        for number, sql in migrations():
            if number > version:
                db.execute("BEGIN IMMEDIATE")
                try:
                    # Another process may have been quicker between our look and our lock.
                    if int(str(db.pragma("user_version"))) < number:
                        db.execute(sql)
                        db.pragma("application_id", APPLICATION_ID)
                        db.pragma("user_version", number)
                    db.execute("COMMIT")
                finally:
                    if db.in_transaction:
                        db.execute("ROLLBACK")
    except apsw.Error as error:
        raise explain(error, str(path)) from error


def to_json(values: Iterable[object]) -> str:
    """A list as JSON text: for a column that holds one, and for `json_each`, which binds any number of values."""
    return msgspec.json.encode(list(values)).decode()
