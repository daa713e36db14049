"""What can go wrong with the file and its disk: one clear sentence, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest
from storing import capture, empty_journal, said, stands_in, turns

from satchel.store import Store, database, forget, log
from satchel.store.store import FILE_NAME
from satchel.types import StoreError


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)


def refused(data: Path) -> str:
    with pytest.raises(StoreError) as caught:
        Store(data).close()
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def mount(*command: str) -> bool:
    return os.geteuid() == 0 and subprocess.run(["mount", *command], capture_output=True).returncode == 0


# Locked


def test_a_database_locked_by_another_program_is_said_and_passes(impatient: None, store: Store) -> None:
    kept = capture(store, ["before"])
    other = apsw.Connection(str(store.path))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match=r"Another program holds .*satchel.sqlite locked; close it"):
        capture(store, ["meanwhile"])
    assert [m.content for m in turns(store, kept.conversation_id)] == ["before"]
    other.execute("ROLLBACK")
    capture(store, ["after"])
    assert [m.content for m in turns(store, kept.conversation_id)] == ["before", "after"]
    other.close()


def test_a_database_held_by_another_program_cannot_be_opened(impatient: None, store: Store, data: Path) -> None:
    store.close()
    other = apsw.Connection(str(store.path))
    other.pragma("locking_mode", "exclusive")
    other.execute("BEGIN EXCLUSIVE")
    assert "Another program holds" in refused(data)
    other.close()
    Store(data).close()


def test_forgetting_says_when_another_programs_snapshot_keeps_the_bytes(
    impatient: None, store: Store, data: Path
) -> None:
    gone = capture(store, ["Xylophonist"])
    other = apsw.Connection(str(store.path), flags=apsw.SQLITE_OPEN_READONLY)
    other.execute("BEGIN")
    other.execute("SELECT count(*) FROM message").fetchall()
    store.write_now(lambda tx: forget.forget_conversation(tx, gone.conversation_id))
    with pytest.raises(StoreError, match="Another program holds"):
        empty_journal(store)
    other.execute("ROLLBACK")
    empty_journal(store)
    assert not stands_in(data, "Xylophonist")
    other.close()


# Not ours, or not whole


def test_a_file_that_is_no_database_is_refused_untouched(data: Path) -> None:
    data.mkdir()
    (data / FILE_NAME).write_bytes(b"Dear diary, " * 1000)
    before = files(data)
    assert "is not an SQLite database" in refused(data)
    assert files(data) == before


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("version", [0, 1, 9999])
def test_another_programs_database_is_refused_untouched(data: Path, journal: str, version: int) -> None:
    data.mkdir()
    other = apsw.Connection(str(data / FILE_NAME))
    other.pragma("journal_mode", journal)
    other.execute("CREATE TABLE moz_places (url); INSERT INTO moz_places VALUES ('https://example.org')")
    other.pragma("user_version", version)
    other.close()
    before = files(data)
    assert "belongs to another program" in refused(data)
    assert files(data) == before


def test_a_database_from_the_future_is_refused_untouched(store: Store, data: Path) -> None:
    capture(store, ["from 2040"])
    store.write_now(lambda tx: tx.db.pragma("user_version", 9999) and None)
    store.close()
    before = files(data)
    assert "was written by a newer Satchel (schema 9999" in refused(data)
    assert files(data) == before


@pytest.mark.parametrize("trace", ["backups", "command-line.token"])
def test_an_emptied_database_does_not_pass_for_a_new_one(store: Store, data: Path, trace: str) -> None:
    store.close()
    store.path.write_bytes(b"")
    (data / trace).touch()
    assert "is empty, though there was a store here" in refused(data)
    assert store.path.read_bytes() == b""
    (data / trace).unlink()
    Store(data).close()


@pytest.mark.parametrize("beginning", [b"", b"\0" * 4096])
def test_the_log_beside_a_damaged_database_is_left_alone(store: Store, data: Path, beginning: bytes) -> None:
    """SQLite would remove it: the last of what was said may stand in it."""
    capture(store, ["in the log"])
    held = (data / f"{FILE_NAME}-wal").read_bytes()
    store.close()
    store.path.write_bytes(beginning)
    (data / f"{FILE_NAME}-wal").write_bytes(held)
    assert "satchel recover" in refused(data)
    assert (data / f"{FILE_NAME}-wal").read_bytes() == held


def test_damaged_pages_are_said(store: Store, data: Path) -> None:
    kept = capture(store, [f"message {n} " + "words " * 200 for n in range(100)])
    store.close()
    with store.path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(8, size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    said_so = []
    try:
        again = Store(data)
    except StoreError as error:
        said_so.append(str(error))
    else:
        for attempt in (
            lambda: again.read_now(lambda db: log.messages_of(db, kept.conversation_id)),
            lambda: capture(again, ["more"]),
        ):
            with pytest.raises(StoreError) as caught:
                attempt()
            said_so.append(str(caught.value))
        again.close()
    assert said_so
    assert all("is damaged" in sentence and "restore a backup" in sentence for sentence in said_so), said_so


# Folders and permissions


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("hello")
    assert "cannot be used" in refused(tmp_path / "data")
    assert "cannot be used" in refused(tmp_path / "data" / "below")
    assert (tmp_path / "data").read_text() == "hello"


def test_a_folder_where_the_database_should_be_is_said(data: Path) -> None:
    (data / FILE_NAME).mkdir(parents=True)
    assert "cannot be opened" in refused(data)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_can_read_what_is_kept(data: Path) -> None:
    data.mkdir(mode=0o755)
    before = os.umask(0o022)
    try:
        opened = Store(data)
        capture(opened, ["private"])
        assert mode(data) == 0o700
        assert {file.name: mode(file) for file in data.iterdir()} == dict.fromkeys(
            (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm"), 0o600
        )
        opened.close()
    finally:
        os.umask(before)
    opened.path.chmod(0o644)
    Store(data).close()
    assert mode(opened.path) == 0o600


def test_a_folder_that_is_not_satchels_alone_is_not_closed_to_others(tmp_path: Path) -> None:
    shared, sticky = tmp_path / "shared", tmp_path / "tmp"
    shared.mkdir()
    (shared / "letter.txt").write_text("of somebody else")
    shared.chmod(0o755)
    sticky.mkdir()
    sticky.chmod(0o1777)
    for folder, expected in ((shared, 0o755), (sticky, 0o1777)):
        Store(folder).close()
        assert mode(folder) == expected
        assert mode(folder / FILE_NAME) == 0o600


@pytest.fixture
def readonly(store: Store, data: Path) -> Iterator[log.Recorded]:
    """A store with something in it whose files nobody may write: a read-only mount for root, whom permissions do not bind."""  # noqa: E501
    kept = capture(store, ["kept"])
    store.close()
    if os.geteuid():
        store.path.chmod(0o400)
        yield kept
        store.path.chmod(0o600)
        return
    if not (mount("--bind", str(data), str(data)) and mount("-o", "remount,ro,bind", str(data))):
        pytest.fail("root may not mount here, and permissions do not bind root: run the tests as another user")
    yield kept
    subprocess.run(["umount", str(data)], check=True)


def test_a_read_only_store_is_said_and_stays_whole(readonly: log.Recorded, data: Path) -> None:
    before = files(data)
    assert "cannot be" in refused(data)
    assert files(data) == before


# Half-way


@pytest.mark.parametrize("spilled", [True, False], ids=["on disk", "in memory"])
def test_a_migration_killed_half_way_is_done_again(data: Path, spilled: bool) -> None:
    data.mkdir()
    script = f"""
import os, sys
from pathlib import Path
from satchel.store import database
db = database.connect(Path(sys.argv[1]))
if {spilled}:
    db.pragma("cache_size", 1)
    db.pragma("cache_spill", 1)
db.execute("BEGIN IMMEDIATE")
for number, sql in database.migrations():
    db.execute(sql)
    fill = "INSERT INTO meta SELECT hex(randomblob(8)), hex(randomblob(5000)) FROM generate_series(1, 50)"
    db.execute(fill if {spilled} else "")
    db.pragma("application_id", database.APPLICATION_ID)
print("now", flush=True)
os.kill(os.getpid(), 9)
"""
    script = script.replace("FROM generate_series(1, 50)", "FROM json_each('[1,2,3,4,5,6,7,8,9]')")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.run(
        [sys.executable, "-c", script, str(data / FILE_NAME)], env=environment, capture_output=True, text=True
    )
    assert (child.returncode, child.stdout) == (-signal.SIGKILL, "now\n"), child.stderr
    opened = Store(data)
    kept = capture(opened, ["hello"])
    assert [m.content for m in turns(opened, kept.conversation_id)] == ["hello"]
    assert opened.read_now(lambda db: db.execute("SELECT count(*) FROM meta").get) == 1
    opened.close()


def test_a_migration_that_fails_leaves_the_version_before_it(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = capture(store, ["hello"])
    store.close()
    steps = database.migrations()
    broken = (steps[-1][0] + 1, "CREATE TABLE half (x); INSERT INTO no_such_table VALUES (1);")
    with monkeypatch.context() as patch:
        patch.setattr(database, "migrations", lambda: [*steps, broken])
        refused(data)
    opened = Store(data)
    assert [m.content for m in turns(opened, kept.conversation_id)] == ["hello"]
    assert opened.read_now(lambda db: db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'half'").get) is None
    opened.close()


def test_migrations_are_numbered_without_gaps() -> None:
    assert [number for number, _ in database.migrations()] == list(range(1, len(database.migrations()) + 1))


def test_two_that_open_a_new_store_at_once_both_succeed(data: Path) -> None:
    async def open_one() -> Store:
        return await asyncio.to_thread(Store, data)

    async def open_all() -> list[Store]:
        return await asyncio.gather(*(open_one() for _ in range(4)))

    opened = asyncio.run(open_all())
    for n, one in enumerate(opened):
        capture(one, [said(f"from {n}", f"m{n}")])
    assert {one.read_now(lambda db: db.execute("SELECT value FROM meta").get) for one in opened} != {None}
    assert len({one._tx.device for one in opened}) == 1
    for one in opened:
        one.close()


# Full


BASE_VFS = apsw.vfs_names()[0]


class _FullDisk(apsw.VFS):
    """SQLite's own file system, on a disk that can be full: for machines where a test may not mount one."""

    def __init__(self) -> None:
        self.full = False
        super().__init__("full-disk", base=BASE_VFS, makedefault=True)

    def xOpen(self, name: object, flags: list[int]) -> apsw.VFSFile:
        disk = self

        class File(apsw.VFSFile):
            def __init__(self) -> None:
                super().__init__(BASE_VFS, name, flags)

            def xWrite(self, data: bytes, offset: int) -> None:
                if disk.full:
                    raise apsw.FullError("no space left on device")
                super().xWrite(data, offset)

        return File()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None], Callable[[], None]]]:
    """A folder on a disk, what fills the disk, and what frees it again: a tmpfs of 8 MB where that may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount("-t", "tmpfs", "-o", "size=8m", "none", str(folder)):
        filler = folder / "filler"

        def fill() -> None:
            with filler.open("ab", buffering=0) as file:
                try:
                    while file.write(b"x" * 4096) == 4096:
                        pass
                except OSError:
                    return

        yield folder / "data", fill, filler.unlink
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    vfs = _FullDisk()
    yield folder / "data", lambda: setattr(vfs, "full", True), lambda: setattr(vfs, "full", False)
    vfs.unregister()


def test_on_a_full_disk_writes_fail_clearly_and_work_again_when_there_is_space(disk) -> None:
    data, fill, free = disk
    store = Store(data)
    kept = [capture(store, [f"kept {n} " + "x" * 3_000], external_id=f"c{n}") for n in range(20)]
    fill()
    failed = []
    for n in range(30):
        try:
            kept.append(capture(store, [f"kept {len(kept)} " + "y" * 20_000], external_id=f"d{n}"))
        except StoreError as error:
            failed.append(str(error))
    assert failed
    assert all("is full; free some space" in sentence for sentence in failed), failed

    async def together() -> list[log.Recorded | BaseException]:
        big = "kept or not " + "z" * 900_000
        return await asyncio.gather(
            *(asyncio.to_thread(capture, store, [big], external_id=f"e{n}") for n in range(10)), return_exceptions=True
        )

    answers = asyncio.run(together())
    assert any(isinstance(answer, StoreError) for answer in answers)
    kept += [answer for answer in answers if isinstance(answer, log.Recorded)]
    for answer in kept:
        assert turns(store, answer.conversation_id)[0].content.startswith("kept")
    free()
    kept.append(capture(store, ["kept after"], external_id="after"))
    empty_journal(store)
    store.close()
    again = Store(data)
    assert {c.conversation_id for c in kept} == {
        c.id for c in again.read_now(lambda db: log.conversations(db, profiles=None, page=1, size=100))[0]
    }
    assert again.read_now(lambda db: db.execute("PRAGMA integrity_check").get) == "ok"
    again.close()


def test_the_stand_in_for_a_full_disk_fails_alike(tmp_path: Path) -> None:
    vfs = _FullDisk()
    try:
        store = Store(tmp_path / "data")
        kept = capture(store, ["kept"])
        vfs.full = True
        with pytest.raises(StoreError, match="is full; free some space"):
            capture(store, ["more"])
        vfs.full = False
        capture(store, ["again"])
        assert [m.content for m in turns(store, kept.conversation_id)] == ["kept", "again"]
        store.close()
    finally:
        vfs.unregister()
