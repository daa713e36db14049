"""A backup is one whole snapshot for its owner alone, made beside captures, and gone with what is forgotten."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import shutil
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import apsw
import msgspec
import numpy as np
import pytest
from storing import NOON, Clock, capture, draft, empty_journal, quote, raw_bytes, remember, said, stands_in, turns

from api.running import environment
from satchel.store import Store, backup, database, forget, log, soundness, vectors
from satchel.store.database import connect
from satchel.store.vectors import Waiting
from satchel.types import StoreError

NAME = "satchel-20260528T202640Z.db"
"""What the clock of the tests makes of `NOON`."""


def filled(store: Store, count: int = 40) -> log.Recorded:
    """Turns, memories and vectors, some revised."""
    source = random.Random(1)
    kept = capture(store, [said(f"Turn {n} about Xylophonists. " + "word " * 50, f"m{n}") for n in range(count)])
    capture(store, [said("Turn 0, put otherwise.", "m0")])
    message = turns(store, kept.conversation_id)[1]
    remember(store, draft("The user knows a Xylophonist.", quote(message, "Xylophonists")))
    vector = np.array([source.random() for _ in range(16)], np.float32)
    unit = (vector / np.linalg.norm(vector)).astype(np.float32).tobytes()
    store.write_now(lambda tx: vectors.prepare(tx, "m" * 64, 16))
    waiting: list[Waiting] = store.read_now(lambda db: vectors.waiting(db, "m" * 64, 100))
    store.write_now(lambda tx: vectors.put(tx, "m" * 64, [(one, unit) for one in waiting]))
    return kept


def contents(file: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every ordinary table."""
    db = connect(file, readonly=True)
    try:
        return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in soundness.counts(db)}
    finally:
        db.close()


def test_a_backup_holds_every_row_and_is_one_file_for_its_owner(store: Store, data: Path, clock: Clock) -> None:
    filled(store)
    seen: list[tuple[int, int]] = []
    made = backup.make(data, now=clock, progress=lambda done, total: seen.append((done, total)))
    assert made == data / "backups" / NAME
    assert [file.name for file in made.parent.iterdir()] == [NAME]
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    assert seen[-1][0] == seen[-1][1] > 0
    assert contents(made) == contents(store.path)
    assert made.read_bytes()[18:20] == b"\1\1", "no write-ahead log is needed to read it"


def test_a_backup_is_one_snapshot_while_captures_go_on(store: Store, data: Path) -> None:
    """Each capture makes a conversation of three turns: a copy never holds two of them. None waits for the copy."""
    filled(store, 3000)
    end = threading.Event()
    waits: list[float] = []

    def write() -> None:
        n = 0
        while not end.is_set():
            began = time.monotonic()
            capture(store, ["one", "two", "three"], external_id=f"during-{n}")
            waits.append(time.monotonic() - began)
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [backup.make(data, data.parent / f"copy-{n}.db") for n in range(3)]
    finally:
        end.set()
        writer.join()
    for file in made:
        db = connect(file, readonly=True)
        held = db.execute(
            "SELECT count(*) FROM message m JOIN conversation c ON c.pk = m.conversation"
            " WHERE c.external_id GLOB 'during-*' GROUP BY c.pk"
        ).fetchall()
        db.close()
        assert {count for (count,) in held} <= {3}
    assert len(waits) > 10
    assert max(waits) < 2, "far longer than any capture takes, far shorter than being locked out"


def test_nothing_is_overwritten_and_no_folder_is_made(store: Store, data: Path, tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "mine.db").write_text("precious")
    with pytest.raises(StoreError, match="exists already"):
        backup.make(data, tmp_path / "mine.db")
    assert (tmp_path / "mine.db").read_text() == "precious"
    with pytest.raises(StoreError, match="no folder"):
        backup.make(data, tmp_path / "none" / "b.db")
    assert backup.make(data, tmp_path, now=clock) == tmp_path / NAME
    with pytest.raises(StoreError, match="no store"):
        backup.make(tmp_path / "elsewhere")


def test_the_newest_are_kept(store: Store, data: Path, clock: Clock) -> None:
    made = []
    for _ in range(backup.KEPT + 3):
        made.append(backup.make(data, now=clock))
        clock.ms += 1000
    made += [backup.make(data, now=clock, why="before-restore"), backup.make(data, now=clock, why="before-restore")]
    assert backup.own(data) == made[-backup.KEPT :]
    assert backup.made_at(made[0]).timestamp() * 1000 == NOON


@pytest.mark.parametrize(
    "harm",
    [
        "DELETE FROM source",
        "UPDATE turn_words_content SET c0 = 'something else' WHERE id = 3",
        "DELETE FROM turn_vector WHERE pk = 3",
        "DELETE FROM turn_words WHERE rowid = 3",
    ],
)
def test_a_copy_that_came_out_unsound_is_refused_and_removed(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    filled(store)
    whole = backup.copy_private

    def harmful(source: Path, target: Path) -> None:
        whole(source, target)
        db = connect(target)
        db.execute(harm)
        db.close()

    monkeypatch.setattr(backup, "copy_private", harmful)
    with pytest.raises(StoreError, match="came out unsound"):
        backup.make(data)
    assert list((data / "backups").iterdir()) == []


def test_without_room_it_says_so_and_leaves_nothing(store: Store, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store)
    monkeypatch.setattr(backup.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(StoreError, match=r"needs \d+ MB in .*, and 0 MB are free; free some space"):
        backup.make(data)
    assert list((data / "backups").iterdir()) == []


def test_a_disk_that_fills_up_in_the_midst_is_said_and_leaves_nothing(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "sync", full)
    with pytest.raises(StoreError, match="is full; free some space"):
        backup.make(data)
    assert list((data / "backups").iterdir()) == []


# Before a migration


def older(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program learns of one more migration."""
    steps = database.migrations()
    more = (steps[-1][0] + 1, "CREATE TABLE news (x); INSERT INTO news VALUES (1);")
    for module in (database, backup, soundness):
        monkeypatch.setattr(module, "migrations", lambda: [*steps, more])


def test_a_store_is_copied_before_it_is_migrated(
    store: Store, data: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    store.close()
    before, version = contents(store.path), len(database.migrations())
    older(store, monkeypatch)
    Store(data, now=clock).close()
    (made,) = backup.own(data)
    assert made.name == f"satchel-20260528T202640Z-before-schema-{version + 1}.db"
    assert contents(made) == before
    Store(data, now=clock).close()
    assert backup.own(data) == [made], "and only then"


def test_a_new_store_needs_no_copy(data: Path) -> None:
    Store(data).close()
    assert not (data / "backups").exists()


def test_without_room_for_the_copy_nothing_is_migrated(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    store.close()
    before = contents(store.path)
    with monkeypatch.context() as patch:
        older(store, patch)
        patch.setattr(backup.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9 - 1000, 1000))
        with pytest.raises(StoreError, match=r"Bringing the store up to date.*free some space"):
            Store(data)
    assert contents(store.path) == before
    assert connect(store.path, readonly=True).pragma("user_version") == len(database.migrations())


# What is forgotten


def forget_all(store: Store, kept: log.Recorded) -> None:
    store.write_now(lambda tx: forget.forget_conversation(tx, kept.conversation_id))
    empty_journal(store)


def test_what_is_forgotten_is_in_no_copy_of_ours(store: Store, data: Path, tmp_path: Path, clock: Clock) -> None:
    kept = filled(store)
    capture(store, ["This stays."], external_id="other")
    for _ in range(3):
        backup.make(data, now=clock)
        clock.ms += 1000
    backup.make(data, tmp_path / "mine.db", now=clock)
    backup.make(data, tmp_path / "lost.db", now=clock)
    (tmp_path / "lost.db").unlink()
    (data / "backups" / "satchel-20260101T000000Z-damaged.db").write_bytes(b"Xylophonist")
    (data / "backups" / "satchel-20260101T000000Z-damaged.db-wal").write_bytes(b"Xylophonist")
    (data / "backups" / f"{NAME}.part").write_bytes(b"Xylophonist")
    (tmp_path / "mine.db.part").write_bytes(b"Xylophonist")
    forget_all(store, kept)
    assert stands_in(data, "Xylophonist"), "in the copies"
    clock.ms += 1000
    done = backup.after_forgetting(data, now=clock)
    assert not stands_in(data, "Xylophonist")
    assert done.removed == 4
    assert done.fresh is not None
    assert backup.own(data) == [done.fresh]
    assert b"this stays" in raw_bytes(done.fresh.parent)
    assert done.elsewhere == 1
    assert [backup.lies_there(one) for one in backup.elsewhere(data)] == [True, False]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["mine.db", "satchel"]


def test_where_there_was_no_copy_none_is_made(store: Store, data: Path) -> None:
    done = backup.after_forgetting(data)
    assert (done.removed, done.fresh, done.elsewhere) == (0, None, 0)
    assert not (data / "backups").exists()


@pytest.mark.parametrize("moment", ["copying", "_copy", "_restored_fault"])
def test_what_is_forgotten_while_a_copy_is_made_is_not_in_it(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    kept = filled(store)
    capture(store, ["This stays."], external_id="other")
    forgotten = []

    def forget_once(*_: object) -> None:
        if not forgotten:
            forgotten.append(1)
            store.write_now(lambda tx: forget.forget_conversation(tx, kept.conversation_id))
            assert backup.after_forgetting(data).fresh is None

    if moment != "copying":
        whole = getattr(backup, moment)

        def and_forget(*args: object) -> object:
            result = whole(*args)
            forget_once()
            return result

        monkeypatch.setattr(backup, moment, and_forget)
    made = backup.make(data, progress=forget_once if moment == "copying" else None)
    assert forgotten
    assert b"this stays" in made.read_bytes().lower()
    empty_journal(store)
    assert not stands_in(data, "Xylophonist")


def refuse_room(*_: object) -> None:
    raise StoreError("There is no room.")


def test_a_fresh_copy_that_finds_no_room_is_owed_and_fails_no_forgetting(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = filled(store)
    backup.make(data)
    forget_all(store, kept)
    with monkeypatch.context() as full:
        full.setattr(backup, "need_room", refuse_room)
        done = backup.after_forgetting(data, "receipt")
        assert (done.removed, done.fresh, backup.own(data)) == (1, None, [])
        assert backup.owed(data) == {"receipt"}
        with pytest.raises(StoreError, match="no room"):
            backup.make_owed(data)
        assert backup.after_forgetting(data, "another").fresh is None
    assert backup.owed(data) == {"receipt"}
    made = backup.make_owed(data)
    assert backup.own(data) == [made]
    assert backup.owed(data) == frozenset()
    assert backup.make_owed(data) is None


@pytest.mark.parametrize("moment", ["discard", "_make"])
def test_a_kill_between_the_removal_and_the_fresh_copy_leaves_it_owed(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    filled(store)
    backup.make(data)
    backup.make(data)
    whole = getattr(backup, moment)

    def die(*args: object) -> None:
        if moment == "discard":
            whole(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(backup, moment, die)
        with pytest.raises(KeyboardInterrupt):
            backup.after_forgetting(data)
    assert backup.owed(data)
    done = backup.after_forgetting(data)
    assert backup.own(data) == [done.fresh]
    assert not backup.owed(data)


@pytest.mark.parametrize("outside", [True, False])
def test_a_copy_that_is_being_made_is_the_fresh_one_only_if_it_is_ours(
    store: Store, data: Path, tmp_path: Path, outside: bool
) -> None:
    kept = filled(store)
    capture(store, ["This stays."], external_id="other")
    backup.make(data)
    done: list[backup.Aftermath] = []

    def forget_once(*_: object) -> None:
        if not done:
            store.write_now(lambda tx: forget.forget_conversation(tx, kept.conversation_id))
            done.append(backup.after_forgetting(data))

    made = backup.make(data, tmp_path / "mine.db" if outside else None, progress=forget_once)
    assert (done[0].removed, done[0].fresh) == (1, None)
    assert bool(backup.owed(data)) == outside
    fresh = backup.make_owed(data) if outside else made
    assert backup.own(data) == [fresh]
    empty_journal(store)
    assert not stands_in(data, "Xylophonist")


def test_a_copy_that_is_removed_as_soon_as_it_is_done_is_not_taken_for_the_fresh_one(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(store)
    whole = backup._copy_and_check

    def and_forget(*args: object) -> None:
        whole(*args)  # type: ignore[arg-type]
        if not backup.owed(data):
            assert backup.after_forgetting(data).removed == 1

    monkeypatch.setattr(backup, "_copy_and_check", and_forget)
    made = backup.make(data)
    assert not made.exists()
    assert backup.owed(data)


def test_a_copy_can_be_made_while_others_read_and_write(store: Store, data: Path) -> None:
    async def all_at_once() -> list[Path]:
        return await asyncio.gather(*(asyncio.to_thread(backup.make, data, data.parent / f"{n}.db") for n in range(4)))

    filled(store)
    made = asyncio.run(all_at_once())
    assert all(contents(file)["message"] == contents(store.path)["message"] for file in made)
    assert len(backup.elsewhere(data)) == 4


def test_a_list_of_copies_outside_that_cannot_be_read_is_said_and_holds_up_no_forgetting(
    store: Store, data: Path, tmp_path: Path
) -> None:
    made = backup.make(data)
    (data / "backups" / "elsewhere.json").write_text("[{")
    with pytest.raises(StoreError, match=r"elsewhere.json.*cannot be read"):
        backup.make(data, tmp_path / "mine.db")
    done = backup.after_forgetting(data)
    assert (done.removed, done.elsewhere) == (1, 1)
    assert not made.exists() or done.fresh == made


def unreachable(tmp_path: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place outside that was a folder, and answers with this error now."""
    place = tmp_path / "disk"
    if why == "ENOTDIR":
        place.write_text("a file took its name")
    elif why == "nonsense":
        return Path()
    else:
        place.mkdir()
        (place / "mine.db.part").write_bytes(b"left")
        error = OSError(getattr(errno, why), os.strerror(getattr(errno, why)))
        whole = os.stat

        def refuse(path: object, *args: object, **named: object) -> os.stat_result:
            if str(path).startswith(str(place)):
                raise error
            return whole(path, *args, **named)  # type: ignore[call-overload, no-any-return]

        monkeypatch.setattr(os, "stat", refuse)
        monkeypatch.setattr(os, "lstat", refuse)
    return place / "mine.db"


@pytest.mark.parametrize("why", ["ENOTDIR", "EACCES", "ESTALE", "EIO", "nonsense"])
def test_a_place_outside_that_cannot_be_asked_is_counted_and_holds_up_no_forgetting(
    store: Store, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    filled(store)
    backup.make(data)
    place = unreachable(tmp_path, why, monkeypatch)
    noted = [backup.Elsewhere(str(place) if place.name else "", "2026-03-01T00:00:00Z")]
    (data / "backups" / "elsewhere.json").write_bytes(msgspec.json.encode(noted))
    done = backup.after_forgetting(data)
    assert (done.removed, done.elsewhere) == (1, 1)
    assert done.fresh is not None
    assert why == "nonsense" or backup.lies_there(noted[0]) is not True


@pytest.mark.skipif(os.name != "posix", reason="a killed process")
def test_a_copy_that_was_killed_leaves_no_backup(store: Store, data: Path) -> None:
    filled(store)
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom satchel.store import backup\n"
        "backup.STEP_PAGES = 4\n"
        "backup.make(Path(sys.argv[1]), progress=lambda done, of: done > of // 2 and os.kill(os.getpid(), 9))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(data)], env=environment(), capture_output=True)
    assert done.returncode == -9, done.stderr
    assert backup.own(data) == []
    assert len(list((data / "backups").iterdir())) >= 1
    backup.make(data)
    assert len(backup.own(data)) == 1
    db = apsw.Connection(str(store.path))
    assert db.execute("PRAGMA quick_check").get == "ok"
    db.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of locks")
def test_looking_at_the_file_before_it_is_opened_drops_no_lock_of_this_process(store: Store, data: Path) -> None:
    filled(store)
    inode = str((data / "satchel.sqlite").stat().st_ino)

    def held() -> list[str]:
        return [line for line in Path("/proc/locks").read_text().splitlines() if f":{inode} " in line]

    assert held(), "in WAL mode every connection holds one"
    database.connect(data / "satchel.sqlite", readonly=True).close()
    assert held()
