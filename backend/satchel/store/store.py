"""The store: one writer with group commit, several readers, each on its own thread.

A write is a function of a `Tx`; it runs in a savepoint of the transaction that commits it together with whatever
else was waiting, so that one fsync serves all of them. Its future resolves only after the commit: who gets a
result knows it to be on disk (rule 1). A read is a function of a read-only connection and never waits for a write.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import stat
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import Any, Generic, TypeVar

import apsw

from satchel.files import FILE_MODE, FOLDER_MODE, OTHERS, close_to_others, make_private, new_private_file
from satchel.store.clock import HybridClock, new_id
from satchel.store.database import MEND, connect, explain, is_behind, migrate
from satchel.times import now_ms
from satchel.types import StoreError

T = TypeVar("T")

READERS = 3
GROUP_LIMIT = 256
"""Writes that share one commit at the most: bounds how long the first of them waits."""

FILE_NAME = "satchel.sqlite"

CELLS_FOLDER = "vectors"
"""The folder beside it with what `neighbours` keeps of the vectors."""

cells_files = threading.Lock()
"""Held while a file in that folder is brought up to date and written, and while all are removed: else one could come
after the removal, with what was forgotten in it."""


class Tx:
    """A write in progress: the connection, and the clock that stamps what is written."""

    def __init__(self, db: apsw.Connection, clock: HybridClock, now: Callable[[], int]) -> None:
        self.db = db
        self.device = clock.device
        self._clock = clock
        self._now = now

    @property
    def now(self) -> int:
        return self._now()

    def tick(self) -> str:
        return self._clock.tick(self._now())


class _Write(Generic[T]):
    def __init__(self, work: Callable[[Tx], T], *, alone: bool = False) -> None:
        self.work = work
        self.alone = alone
        """Runs outside any transaction (a checkpoint cannot run inside one)."""
        self.future: Future[T] = Future()
        self.result: T | None = None
        self.error: BaseException | None = None


class Store:
    """The data folder's database. Raises StoreError where it cannot be used.

    `now` gives the time in ms; tests put their own clock in.
    """

    def __init__(self, data: Path, *, now: Callable[[], int] = now_ms) -> None:
        self.path = data / FILE_NAME
        self.now = now
        prepare_folder(data)
        _refuse_emptied(self.path)
        private_file(self.path)
        self._db = connect(self.path)
        try:
            if is_behind(self._db):
                from satchel.store import backup  # late: it looks at what is built on this

                backup.before_migration(self.path, now=now)
            migrate(self._db, self.path)
            self._tx = Tx(self._db, self._open_clock(), now)
        except BaseException:
            self._db.close()
            raise
        self._writes: queue.SimpleQueue[_Write[Any] | None] = queue.SimpleQueue()
        self._closed = False
        self._raw: dict[tuple[int, int], FileIO] = {}
        """Files of the database that are open to be read as bytes, by device and inode."""
        self._closing = threading.Lock()
        self._writer = threading.Thread(target=self._write_loop, name="satchel-writer", daemon=True)
        self._writer.start()
        self._local = threading.local()
        self._reader_connections: list[apsw.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="satchel-reader")

    def _open_clock(self) -> HybridClock:
        try:
            row = self._db.execute("SELECT value FROM meta WHERE name = 'device'").get
            device = str(row) if row else new_id()
            if not row:
                self._db.execute("INSERT OR IGNORE INTO meta VALUES ('device', ?)", (device,))
                device = str(self._db.execute("SELECT value FROM meta WHERE name = 'device'").get)
            last = self._db.execute("SELECT clock FROM change ORDER BY seq DESC LIMIT 1").get
        except apsw.Error as error:
            raise explain(error, str(self.path)) from error
        return HybridClock(device, str(last or ""))

    # Writing

    def submit(self, work: Callable[[Tx], T], *, alone: bool = False) -> Future[T]:
        """Queues a write; the future resolves after its commit. Order of submission is order of execution."""
        write = _Write(work, alone=alone)
        with self._closing:  # nothing may queue behind the end: nobody would ever answer it
            self._check_open()
            self._writes.put(write)
        return write.future

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError("Satchel is shutting down; try again when it runs.")

    async def write(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` in a transaction and returns its result when that is on disk."""
        # Shielded: a client that hangs up must not cancel a write that others' group shares.
        return await asyncio.shield(asyncio.wrap_future(self.submit(work)))

    def write_now(self, work: Callable[[Tx], T]) -> T:
        """`write` for callers without an event loop (the command line)."""
        return self.submit(work).result()

    def _write_loop(self) -> None:
        waiting = self._writes.get()
        while waiting is not None:
            group = [waiting]
            waiting = None
            while not group[0].alone and len(group) < GROUP_LIMIT:
                try:
                    waiting = self._writes.get_nowait()
                except queue.Empty:
                    break
                if waiting is None:
                    self._commit(group)
                    self._db.close()
                    return
                if waiting.alone:
                    break
                group.append(waiting)
                waiting = None
            if group[0].alone:
                self._run_alone(group[0])
            else:
                self._commit(group)
            waiting = waiting or self._writes.get()
        self._db.close()

    def _run_alone(self, write: _Write[Any]) -> None:
        if not write.future.set_running_or_notify_cancel():
            return
        try:
            write.future.set_result(write.work(self._tx))
        except BaseException as error:  # noqa: BLE001 - it is the caller's: handed over through the future
            said = explain(error, str(self.path)) if isinstance(error, apsw.Error) else error
            write.future.set_exception(said)

    def _commit(self, group: list[_Write[Any]]) -> None:
        # One that its caller took back before it began is not run; from here on none can be taken back.
        group = [write for write in group if write.future.set_running_or_notify_cancel()]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for write in group:
                self._run(write)
            self._db.execute("COMMIT")
        except apsw.Error as error:
            with contextlib.suppress(apsw.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            said = explain(error, str(self.path))
            for write in group:
                write.error = write.error or said
        for write in group:
            if write.error is not None:
                write.future.set_exception(write.error)
            else:
                write.future.set_result(write.result)

    def _run(self, write: _Write[Any]) -> None:
        """Runs one write in its savepoint. An apsw.Error escapes only when the whole transaction is gone with it."""
        self._db.execute("SAVEPOINT one")
        try:
            write.result = write.work(self._tx)
        except BaseException as error:
            write.error = explain(error, str(self.path)) if isinstance(error, apsw.Error) else error
            if not self._db.in_transaction:
                # SQLite rolls everything back by itself on a full disk or an I/O error: nothing of the group stands.
                raise error if isinstance(error, apsw.Error) else apsw.FullError(str(error)) from error
            self._db.execute("ROLLBACK TO one")
        self._db.execute("RELEASE one")

    # Reading

    async def read(self, work: Callable[[apsw.Connection], T]) -> T:
        """Runs `work` on a reader thread, in one consistent snapshot."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def read_now(self, work: Callable[[apsw.Connection], T]) -> T:
        """`read` on the calling thread, for look-ups of microseconds and for callers without an event loop."""
        return self._read(work)

    def _read(self, work: Callable[[apsw.Connection], T]) -> T:
        self._check_open()
        db = getattr(self._local, "db", None)
        if db is None:
            db = self._local.db = connect(self.path, readonly=True)
            self._reader_connections.append(db)
        try:
            with db:
                return work(db)
        except apsw.Error as error:
            raise explain(error, str(self.path)) from error

    async def truncate_log(self) -> None:
        """Copies the write-ahead log into the database and empties it, so that what was deleted is nowhere in it, nor
        in the files of vectors, which are written again later."""

        def remove_files() -> None:
            with cells_files:
                for file in (self.path.parent / CELLS_FOLDER).glob("*"):
                    file.unlink(missing_ok=True)

        def truncate(tx: Tx) -> None:
            tx.db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

        await asyncio.to_thread(remove_files)  # not by the writer: a large file may be in the midst of being written
        await asyncio.shield(asyncio.wrap_future(self.submit(truncate, alone=True)))

    async def rewrite(self) -> None:
        """Writes the whole database anew, without what free pages and gaps still hold. The copy is made in memory, and
        other writes wait: some seconds a gigabyte."""

        def vacuum(tx: Tx) -> None:
            tx.db.execute("VACUUM")

        await asyncio.shield(asyncio.wrap_future(self.submit(vacuum, alone=True)))

    def bytes_of(self, file: Path) -> FileIO:
        """One of the database's own files, to be read as bytes. Not to be closed: that would drop the locks that this
        process holds on it (POSIX), and another one that opens the database would take it for abandoned. The store
        closes it."""
        with self._closing:
            self._check_open()
            found = file.stat()
            identity = (found.st_dev, found.st_ino)
            if identity not in self._raw:
                self._raw[identity] = FileIO(file)
            return self._raw[identity]

    def close(self) -> None:
        """Finishes what was submitted and closes. Safe to call twice."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._readers.shutdown(wait=True)
        for db in self._reader_connections:
            db.close()
        # The writer last: a reader may not copy the write-ahead log into the database, and would leave it lying.
        self._writes.put(None)
        self._writer.join()
        for raw in self._raw.values():
            raw.close()


def prepare_folder(data: Path) -> None:
    """Makes the data folder, for its owner alone, and closes what lies in it to others. Raises StoreError."""
    try:
        make_private(data)
        if os.name == "posix" and _is_ours(data):
            data.chmod(FOLDER_MODE)
    except OSError as error:
        raise StoreError(
            f"The data folder {data} cannot be used ({error.strerror}); choose another with --data."
        ) from error
    close_to_others(data)


def _refuse_emptied(path: Path) -> None:
    """Raises StoreError for a database of no bytes where a daemon was before: it would pass for a new one."""
    traces = ("command-line.token", "backups")
    if path.exists() and not path.stat().st_size and any((path.parent / name).exists() for name in traces):
        raise StoreError(f"{path} is empty, though there was a store here. {MEND}")


def _is_ours(data: Path) -> bool:
    """Whether closing the folder to others harms nobody: `--data /tmp` must not lock everyone out of /tmp."""
    found = data.stat()
    if found.st_uid != os.getuid() or found.st_mode & stat.S_ISVTX:
        return False
    return (data / FILE_NAME).exists() or not any(data.iterdir())


def private_file(path: Path) -> None:
    """Makes the database's file, or what is there, for its owner alone: SQLite gives its journal the same mode."""
    with contextlib.suppress(OSError):  # SQLite says better what is wrong with a file that cannot be used
        # Never opened where it exists: closing it again would drop the locks this process holds on it.
        if not path.exists():
            new_private_file(path)
        elif path.stat().st_mode & OTHERS:
            path.chmod(FILE_MODE)
