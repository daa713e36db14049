"""Copies of the store: made while it is in use, checked by restoring them, and gone when something is forgotten.

A copy is one snapshot, read through SQLite's online backup; writers are not kept waiting. It gets its name only when
it has been checked, and inside a write transaction, in which nothing can be forgotten: whatever is forgotten is thus
either missing from the copy, or forgotten when the copy can be seen, so that `after_forgetting` removes it.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw
import msgspec
from filelock import FileLock, Timeout

from satchel.files import FILE_MODE, FOLDER_MODE, copy_private, new_private_file, shred, sync
from satchel.store import soundness
from satchel.store.clock import new_id
from satchel.store.database import connect, explain, fetch, migrations
from satchel.structs import decodable
from satchel.times import now_ms, to_iso
from satchel.types import StoreError

logger = logging.getLogger("satchel.backup")

FOLDER = "backups"
DATABASE = "satchel.sqlite"
ELSEWHERE_FILE = "elsewhere.json"

KEPT = 5
"""How many of our own copies are kept. Each is as large as the store; five reach back over the last few updates, each
of which makes one, and still leave those made by hand."""

STEP_PAGES = 256
"""Pages copied at a time, 1 MB: progress can be shown between, and Ctrl-C heeded."""

ROOM = 20_000_000
"""Bytes that stay free beside what a copy needs, for what is captured meanwhile."""

LOCK_FILE = "backup.lock"

WAIT_SECONDS = 600
"""How long a copy waits for another one to be made."""

ATTEMPTS = 5
"""How often a copy is begun anew because something was forgotten while it was made."""

PART = ".part"
RESTORING = ".restoring"
RECOVERING = ".recovering"
CHECK = ".check"
OWED = ".owed"
"""The mark of a fresh copy that is still to be made, because ours were removed for a forgetting."""

DAMAGED = "-damaged"
"""In the name of a file that `satchel recover` kept aside: no copy that could be restored."""

BEFORE_RESTORE = "before-restore"
"""In the name of a copy of the store that a backup was put in the place of."""

BEFORE_SCHEMA = "before-schema"
"""In the name of a copy of the store as it was before its form was brought up to date."""

AFTER_FORGETTING = "after-forgetting"
"""In the name of the fresh copy that takes the place of those that were removed for a forgetting."""

_NAME = re.compile(r"satchel-\d{8}T\d{6}Z[\w-]*\.db$")

Progress = Callable[[int, int], None]
"""Called with the pages copied so far and all there are."""


@decodable
class Elsewhere(msgspec.Struct, frozen=True):
    """A copy that was written to a place of the user's choice, which is not ours to remove."""

    path: str
    made_at: str


class Aftermath(msgspec.Struct, frozen=True):
    """What became of the copies after something was forgotten: how many of ours were removed, the fresh one that was
    made instead, and how many outside hold, or may hold, what was forgotten."""

    removed: int
    fresh: Path | None
    elsewhere: int


class UnsoundError(StoreError):
    """The copy does not hold what the store should, so that it is none."""


class BusyError(StoreError):
    """Another copy is being made."""

    status = 409
    title = "A backup is being made"


class _ForgottenMeanwhileError(Exception):
    """The copy holds what was forgotten after it was begun."""


def folder(data: Path) -> Path:
    return data / FOLDER


def own(data: Path) -> list[Path]:
    """Our own copies that could be restored, oldest first."""
    return [file for file in _ours(data) if DAMAGED not in file.name]


def damaged(data: Path) -> list[Path]:
    """The files that were kept aside because they were damaged, newest first."""
    return [file for file in reversed(_ours(data)) if DAMAGED in file.name]


def set_aside(data: Path) -> list[Path]:
    """Those of ours that hold what the store itself may not hold any more: it was restored over, or was damaged. No
    fresh copy replaces them when they go with what is forgotten."""
    return [file for file in _ours(data) if f"-{BEFORE_RESTORE}" in file.name or DAMAGED in file.name]


def _ours(data: Path) -> list[Path]:
    found = []
    for file in folder(data).glob("satchel-*.db"):
        if _NAME.match(file.name):
            with contextlib.suppress(FileNotFoundError):  # it went just now, with what was forgotten
                found.append((file.name[8:24], file.stat().st_mtime_ns, file))
    return [file for *_, file in sorted(found)]


def made_at(file: Path) -> datetime:
    """When one of our own copies was made, by its name."""
    return datetime.strptime(file.name[8:24], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def owed(data: Path) -> frozenset[str]:
    """The receipts of the forgettings for which our own copies were removed, and no fresh one is there yet."""
    return frozenset(mark.name.partition(".")[0] for mark in _marks(data))


def _marks(data: Path) -> list[Path]:
    return list(folder(data).glob(f"*{OWED}"))


def _owe(data: Path, receipt: str) -> None:
    """Notes that a fresh copy is to be made. Each time by a mark of its own: a copy that is just done takes away those
    it saw before it was begun, and may be one of those that are removed for this. Raises OSError."""
    new_private_file(folder(data) / f"{receipt}.{new_id()}{OWED}")
    sync(folder(data))


def new_name(data: Path, now: int, why: str = "") -> Path:
    """A name in the folder of our own copies that none has yet: `satchel-YYYYMMDDTHHMMSSZ[-WHY].db`."""
    stem = f"satchel-{datetime.fromtimestamp(now / 1000, UTC):%Y%m%dT%H%M%SZ}{f'-{why}' if why else ''}"
    taken = {file.name for file in folder(data).glob(f"{stem}*")}
    number = next(n for n in range(1, len(taken) + 2) if f"{stem}{f'-{n}' if n > 1 else ''}.db" not in taken)
    return folder(data) / f"{stem}{f'-{number}' if number > 1 else ''}.db"


def elsewhere(data: Path) -> tuple[Elsewhere, ...]:
    """The copies that were written outside, whether they still lie there or not. Raises StoreError."""
    file = folder(data) / ELSEWHERE_FILE
    try:
        return tuple(msgspec.json.decode(file.read_bytes(), type=list[Elsewhere]))
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise StoreError(f"{file}, which lists backups written elsewhere, cannot be read ({error}).") from error


def lies_there(one: Elsewhere) -> bool | None:
    """Whether a copy lies where it was written; None: nobody can tell, its disk is not there or does not answer."""
    place = Path(one.path)
    try:
        return place.exists() or (False if place.parent.exists() else None)
    except OSError:  # Python 3.11 raises where others may look and we may not
        return None


def _note_elsewhere(data: Path, target: Path, now: int) -> None:
    """Before the first byte is written there: a copy that was broken off lies there too."""
    path = str(target.absolute())
    known = [one for one in elsewhere(data) if one.path != path]
    file = folder(data) / ELSEWHERE_FILE
    part = file.with_name(file.name + PART)
    part.unlink(missing_ok=True)
    new_private_file(part)
    part.write_bytes(msgspec.json.encode([*known, Elsewhere(path, to_iso(now))]))
    sync(part)
    part.replace(file)
    sync(file.parent)


@contextlib.contextmanager
def said_plainly(target: Path) -> Iterator[None]:
    """Turns what the system or SQLite reports about files at `target` into a StoreError."""
    try:
        yield
    except apsw.Error as error:
        raise explain(error, str(target)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise explain(apsw.FullError(), str(target)) from error
        raise StoreError(f"{target} cannot be written ({error.strerror or error}); choose another place.") from error


def need_room(where: Path, needed: int, what: str) -> None:
    """Raises StoreError when `needed` bytes and some more are not free in the folder `where`."""
    free = shutil.disk_usage(where).free
    if free < needed + ROOM:
        raise StoreError(
            f"{what} needs {(needed + ROOM) / 1e6:,.0f} MB in {where}, and {free / 1e6:,.0f} MB are free; "
            "free some space and try again. Nothing was changed."
        )


def size_of(database: Path) -> int:
    """Bytes of a database with its write-ahead log."""
    return sum(file.stat().st_size for file in (database, beside(database, "-wal")) if file.exists())


def beside(database: Path, ending: str) -> Path:
    """`-wal` or `-shm` of a database, or our own `.part` or `.check`."""
    return database.with_name(database.name + ending)


def discard(database: Path) -> None:
    """Removes a database of ours, with its bytes and whatever stands beside it."""
    for ending in ("-wal", "-shm", "-journal", PART, CHECK, f"{CHECK}-wal", f"{CHECK}-shm", ""):
        shred(beside(database, ending))


def make(
    data: Path,
    target: Path | None = None,
    *,
    why: str = "",
    now: Callable[[], int] = now_ms,
    progress: Progress | None = None,
    spare: Path | None = None,
    wait: float = WAIT_SECONDS,
) -> Path:
    """Copies the store, checks the copy by restoring it, and returns where it lies.

    Without `target` it is one of our own, of which the newest `KEPT` stay, and `spare`; `why` goes into its name. They
    are made one after the other. Raises StoreError: there is no store, no room, no right to write, something is there
    already, or the copy is not sound; BusyError when another one is still being made after `wait` (s).
    """
    if not (data / DATABASE).exists():
        raise StoreError(f"There is no store in {data}; name its folder with --data.")
    with said_plainly(folder(data)), _one_at_a_time(data, wait):
        return _make(data, target, why, now, progress, spare)


@contextlib.contextmanager
def _one_at_a_time(data: Path, seconds: float) -> Iterator[None]:
    """Holds the right to make a copy. Raises StoreError when another copy is being made for so long."""
    lock = FileLock(data / LOCK_FILE, timeout=seconds, mode=FILE_MODE)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError("Another backup is being made; run it again when that is done.") from None
    try:
        yield
    finally:
        lock.release()


def _make(
    data: Path,
    target: Path | None,
    why: str,
    now: Callable[[], int],
    progress: Progress | None,
    spare: Path | None,
) -> Path:
    source = data / DATABASE
    time = now()
    with said_plainly(target or folder(data)):
        folder(data).mkdir(mode=FOLDER_MODE, exist_ok=True)
        if target is not None and target.is_dir():
            target = target / new_name(data, time).name
        place = target or new_name(data, time, why)
        if os.path.lexists(place):
            raise StoreError(f"{place} exists already; name another file, or remove it first.")
        if not place.parent.is_dir():
            raise StoreError(f"There is no folder {place.parent}; make it first, or name another.")
        need_room(place.parent, 2 * size_of(source), "A backup and its check")
        if target is not None:
            _note_elsewhere(data, target, time)
    marks: list[Path] = []
    for _ in range(ATTEMPTS):
        marks = _marks(data) if target is None else []
        try:
            _copy_and_check(source, place, progress)
            break
        except _ForgottenMeanwhileError:
            continue
    else:
        raise StoreError("Something was forgotten each time a backup was nearly done; run it again in a while.")
    if target is None:
        with said_plainly(folder(data)):
            for mark in marks:
                mark.unlink(missing_ok=True)
            for old in own(data)[:-KEPT]:
                if spare is None or not (spare.exists() and old.samefile(spare)):
                    discard(old)
    return place


def _copy_and_check(source: Path, place: Path, progress: Progress | None) -> None:
    part = beside(place, PART)
    fault: StoreError | None = None
    try:
        with contextlib.closing(connect(source, readonly=True)) as db, said_plainly(source), db:
            before = _forgettings(db)
            expected = soundness.counts(db)
            try:
                with said_plainly(place):
                    _copy(db, part, progress)
            except StoreError as error:
                fault = error
        if fault is None and (found := _restored_fault(part, beside(place, CHECK), expected)):
            fault = UnsoundError(f"The backup came out unsound ({found}), and was removed; run `satchel doctor`.")
        with contextlib.closing(connect(source)) as db, said_plainly(place):
            db.execute("BEGIN IMMEDIATE")
            try:
                if _forgettings(db) != before:  # then its bytes may have been taken from under it, too
                    raise _ForgottenMeanwhileError
                if fault is not None:
                    raise fault
                part.replace(place)
                sync(place.parent)
            finally:
                db.execute("ROLLBACK")
    finally:
        with said_plainly(place):
            for ending in (PART, f"{PART}-journal", CHECK, f"{CHECK}-wal", f"{CHECK}-shm"):
                shred(beside(place, ending))


def _forgettings(db: apsw.Connection) -> object:
    """Changes whenever something is forgotten."""
    return fetch(db, "SELECT count(*), max(clock) FROM tombstone")


def _copy(db: apsw.Connection, part: Path, progress: Progress | None) -> None:
    """One snapshot of `db`, which is in a transaction, into a single file on the disk."""
    shred(part)
    new_private_file(part)
    copy = apsw.Connection(str(part))
    try:
        copy.pragma("synchronous", "off")  # asked for once, at the end
        with copy.backup("main", db, "main") as steps:
            while not steps.done:
                steps.step(STEP_PAGES)
                if progress is not None:
                    progress(steps.page_count - steps.remaining, steps.page_count)
        copy.pragma("journal_mode", "delete")  # one file, that can be read from a read-only place as well
    finally:
        copy.close()
    sync(part)


def _restored_fault(part: Path, check: Path, expected: dict[str, int]) -> str | None:
    """Restores a copy beside itself; what is wrong with it there, in a few words."""
    for ending in ("", "-wal", "-shm"):
        shred(beside(check, ending))
    try:
        copy_private(part, check)
        with contextlib.closing(connect(check)) as db:
            if fault := soundness.first_fault(db):
                return fault
            found = soundness.counts(db)
    except (apsw.Error, StoreError, OSError) as error:
        return str(error)
    different = [name for name in expected if found.get(name) != expected[name]]
    return f"rows are missing from {', '.join(different)}" if different else None


def before_migration(database: Path, *, now: Callable[[], int] = now_ms) -> Path:
    """Copies a store of an older schema before it is changed.

    Raises StoreError when there is no room for it and for the change: the store is then as it was.
    """
    need_room(database.parent, 3 * size_of(database), "Bringing the store up to date, with a copy of it from before,")
    made = make(database.parent, why=f"{BEFORE_SCHEMA}-{migrations()[-1][0]}", now=now)
    logger.info("the store is brought up to date; a copy from before is %s", made.name)
    return made


def after_forgetting(data: Path, receipt: str = "forgetting", *, now: Callable[[], int] = now_ms) -> Aftermath:
    """Removes every copy of ours, all of which may hold what was just forgotten, and makes one fresh copy if there was
    any; those made before a restoring and files kept aside because they were damaged go too.

    To be called when the forgetting is committed. What `shred` says of file systems holds here. Copies outside are not
    touched: the answer counts those that still lie where they were written, and those that nobody can tell of, be it
    that their disk is not there or fails, or that the list of them cannot be read (it counts as one).
    Where the fresh copy cannot be made yet, it is `owed`, under the id of the `receipt`: whatever happens from the
    first removal on, `make_owed` makes it later. Raises StoreError when a copy of ours cannot be removed.
    """
    ours = _ours(data)  # before the mark: see `_owe`
    with said_plainly(folder(data)):
        if any(DAMAGED not in file.name for file in ours):
            _owe(data, receipt)
        for file in ours:
            discard(file)
        for ending in (PART, CHECK):
            for left in folder(data).glob(f"*{ending}*"):
                shred(left)
        _discard_unfinished(data)
        if folder(data).is_dir():
            sync(folder(data))
    outside = _clean_outside(data)
    fresh = None
    try:
        fresh = make_owed(data, now=now)
    except BusyError:
        pass  # one of ours begins anew by itself, and is the fresh one
    except StoreError as error:
        logger.warning("no fresh backup could be made yet; it is tried again: %s", error)
    return Aftermath(removed=len(ours), fresh=fresh, elsewhere=outside)


def make_owed(data: Path, *, now: Callable[[], int] = now_ms) -> Path | None:
    """Makes the fresh copy that is owed; None when none is. Raises StoreError when it cannot be made yet: there is no
    room, say, or another copy is being made, which may be for a place outside."""
    if not owed(data):
        return None
    with said_plainly(folder(data)), _one_at_a_time(data, 0):
        return _make(data, None, AFTER_FORGETTING, now, None, None) if owed(data) else None


def _clean_outside(data: Path) -> int:
    """Removes what broken-off copies left outside, which is ours; how many copies lie there, or may."""
    try:
        noted = elsewhere(data)
    except StoreError:
        logger.warning("the list of backups written elsewhere cannot be read; it counts as one of them")
        return 1
    return sum(not _cleaned(one) or lies_there(one) is not False for one in noted)


def _cleaned(one: Elsewhere) -> bool:
    """Whether nothing that a broken-off copy left lies there: a place that cannot be asked holds up no forgetting."""
    try:
        for ending in (PART, CHECK):
            shred(beside(Path(one.path), ending))
    except (OSError, ValueError):  # ValueError: no path of ours, the list was edited
        return False
    return True


def _discard_unfinished(data: Path) -> None:
    for ending in (RESTORING, RECOVERING):
        discard(beside(data / DATABASE, ending))


def tidy(data: Path) -> None:
    """Removes what a restoring, recovering or copying left that was killed. For whom the folder belongs to alone.

    Raises StoreError.
    """
    with said_plainly(folder(data)):
        _discard_unfinished(data)
        left = [file for ending in (PART, CHECK) for file in folder(data).glob(f"*{ending}*")]
        if left:
            with contextlib.suppress(BusyError), _one_at_a_time(data, 0):
                for file in left:
                    shred(file)
