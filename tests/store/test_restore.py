"""A restored store is what it was, but for what was forgotten since; a kill leaves the one or the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from storing import DAY, Clock, capture, draft, empty_journal, quote, raw_bytes, remember, stands_in, turns
from test_backup import contents, filled, older

from api.running import environment
from satchel.store import Store, backup, clients, database, forget, forgotten, forgotten_turns
from satchel.store.database import connect
from satchel.store.forget_plan import What
from satchel.store.restore import restore
from satchel.types import StoreError


def texts(data: Path) -> list[str]:
    store = Store(data)
    try:
        return [row[0] for row in store.read_now(lambda db: db.execute("SELECT content FROM message").fetchall())]
    finally:
        store.close()


@pytest.fixture
def copy(store: Store, data: Path, tmp_path: Path, clock: Clock) -> Path:
    """A backup of forty turns and a memory, made a day ago; the store is closed, and says something else since."""
    filled(store)
    made = backup.make(data, tmp_path / "copy.db", now=clock)
    clock.ms += DAY
    capture(store, ["Said since."], external_id="since")
    store.close()
    return made


def test_the_store_is_what_it_was_and_what_was_since_is_kept_aside(copy: Path, data: Path, clock: Clock) -> None:
    before, since = contents(copy), contents(data / "satchel.sqlite")
    done = restore(data, copy, now=clock)
    assert (done.turns, done.memories, done.forgotten, done.migrated) == (40, 1, 0, False)
    after = contents(data / "satchel.sqlite")
    own = {"sqlite_sequence", "client", "meta"}
    assert {name: rows for name, rows in after.items() if name not in own} == {
        name: rows for name, rows in before.items() if name not in own
    }
    assert done.aside is not None
    assert contents(done.aside) == since
    assert restore(data, done.aside, now=clock).turns == 41
    assert "Said since." in texts(data)
    assert sorted(file.name for file in data.iterdir()) == ["backup.lock", "backups", "satchel.sqlite"]


def test_it_goes_on_working_and_followers_of_changes_miss_nothing(copy: Path, data: Path, clock: Clock) -> None:
    db = connect(data / "satchel.sqlite", readonly=True)
    last = db.execute("SELECT max(seq), max(clock) FROM change").fetchone()
    db.close()
    restore(data, copy, now=clock)
    clock.ms += 1
    store = Store(data, now=clock)
    capture(store, ["Said after."], external_id="after")
    seq, stamp = store.read_now(lambda db: db.execute("SELECT max(seq), max(clock) FROM change").fetchone())
    store.close()
    assert last is not None
    assert seq > last[0]
    assert stamp > last[1]


def test_what_was_forgotten_since_does_not_come_back(store: Store, data: Path, tmp_path: Path, clock: Clock) -> None:
    kept = filled(store)
    other = capture(store, ["I like Marimbas.", "I live in Porto.", "I have a Glockenspiel."], external_id="other")
    said = turns(store, other.conversation_id)
    marimba = remember(store, draft("The user likes Marimbas.", quote(said[0], "like Marimbas")))
    glocken = remember(store, draft("The user has a Glockenspiel.", quote(said[2], "have a Glockenspiel")))
    copy = backup.make(data, tmp_path / "copy.db", now=clock)
    clock.ms += DAY
    # Made and forgotten since: its words must not be read again.
    since = remember(store, draft("The user lives in Porto.", quote(said[1], "live in Porto")))
    for memory, with_turns in ((since, False), (marimba, True), (glocken, False)):
        store.write_now(lambda tx, m=memory, t=with_turns: forget.forget_memory(tx, m, messages=t))
    store.write_now(lambda tx: forget.forget_conversation(tx, kept.conversation_id))
    empty_journal(store)
    graves = store.read_now(lambda db: db.execute("SELECT * FROM tombstone ORDER BY id").fetchall())
    places = store.read_now(lambda db: forgotten.places(db, [m.id for m in said]))
    store.close()
    copy = shutil.move(copy, tmp_path / "elsewhere.db")
    done = restore(data, copy, now=clock)
    assert (done.turns, done.memories) == (2, 0)
    assert done.forgotten == 1 + 40 + 1 + 1, "a conversation, its turns, the turn about Marimbas, and one memory"
    for word in ("Xylophon", "Marimba"):
        assert not stands_in(data, word)
    assert not stands_in(data, "The user has")
    store = Store(data)
    assert store.read_now(lambda db: db.execute("SELECT * FROM tombstone ORDER BY id").fetchall()) == graves
    assert store.read_now(lambda db: forgotten.places(db, [m.id for m in said])) == places
    store.close()


def test_titles_and_addresses_that_were_forgotten_since_do_not_come_back(
    store: Store, data: Path, tmp_path: Path, clock: Clock
) -> None:
    capture(store, ["Hello."], external_id="a", title="Letter to Theodolinda")
    capture(store, ["Hello."], external_id="b", title="A letter", url="https://chat.test/Theodolinda")
    capture(store, ["Hello."], external_id="c", title="Marimbas")
    copy = shutil.move(backup.make(data, tmp_path / "copy.db", now=clock), tmp_path / "elsewhere.db")
    store.write_now(lambda tx: forget.forget(tx, What(way="name", name="Theodolinda")))
    capture(store, ["Hello again."], external_id="d", title="Said since")
    empty_journal(store)
    store.close()
    restore(data, copy, now=clock)
    assert not stands_in(data, "Theodolinda")
    store = Store(data)
    named = store.read_now(lambda db: db.execute("SELECT title, url FROM conversation ORDER BY external_id").fetchall())
    assert named == [(None, None), (None, None), ("Marimbas", None)]
    store.close()


def test_what_was_forgotten_since_is_kept_out_when_it_is_sent_again(
    store: Store, data: Path, tmp_path: Path, clock: Clock
) -> None:
    said = ["I like Marimbas.", "I live in Porto."]
    told = capture(store, said, external_id="c")
    copy = backup.make(data, tmp_path / "copy.db", now=clock)
    store.write_now(lambda tx: forget.forget_conversation(tx, told.conversation_id))
    receipts = store.read_now(lambda db: db.execute("SELECT * FROM forgetting").fetchall())
    store.close()
    restore(data, copy, now=clock)
    store = Store(data)
    again = capture(store, [*said, "I have a Glockenspiel."], external_id="c")
    assert (again.accepted, again.forgotten) == (1, 2)
    assert store.read_now(lambda db: db.execute("SELECT * FROM forgetting").fetchall()) == receipts
    store.write_now(lambda tx: forgotten_turns.allow(tx, None, profiles=None))
    store.close()
    restore(data, copy, now=clock)
    store = Store(data)
    assert capture(store, said, external_id="c").forgotten == 0, "what was allowed since stays allowed"
    store.close()


def test_who_was_let_in_or_turned_away_since_stays_so(store: Store, data: Path, tmp_path: Path, clock: Clock) -> None:
    old = store.write_now(lambda tx: clients.issue(tx, name="old"))
    copy = backup.make(data, tmp_path / "copy.db", now=clock)
    new = store.write_now(lambda tx: clients.issue(tx, name="new"))
    client = store.read_now(lambda db: clients.by_token(db, old))
    assert client is not None
    store.write_now(lambda tx: tx.db.execute("UPDATE client SET revoked_at = 1 WHERE id = ?", (client.id,)) and None)
    store.close()
    restore(data, copy, now=clock)
    store = Store(data)
    assert store.read_now(lambda db: clients.by_token(db, old)) is None
    assert store.read_now(lambda db: clients.by_token(db, new)) is not None
    store.close()


def test_a_backup_of_an_older_schema_is_migrated(
    copy: Path, data: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = len(database.migrations())
    older(Store(data), monkeypatch)
    Store(data, now=clock).close()
    done = restore(data, copy, now=clock)
    assert (done.schema, done.migrated) == (version, True)
    db = connect(data / "satchel.sqlite", readonly=True)
    assert db.execute("SELECT x FROM news").get == 1
    db.close()


def test_the_first_schemas_store_can_be_restored(data: Path, tmp_path: Path, clock: Clock) -> None:
    """What the first release of all wrote, made by its own migration."""
    db = apsw.Connection(str(tmp_path / "first.db"))
    db.execute(database.migrations()[0][1])
    db.execute("INSERT INTO profile VALUES (1, 'me', 1)")
    db.execute("INSERT INTO meta VALUES ('device', 'd')")
    db.execute("INSERT INTO conversation VALUES (1, 'c', 1, 's', 'x', NULL, NULL, 1, 1, 'd', '0000000000001-0000-d')")
    db.execute(
        "INSERT INTO message VALUES (1, 'm', 1, 'k', NULL, 'user', 'Hello from before.', x'00', 1, 1, 1, 1, 0, 0, 'd',"
        " '0000000000001-0001-d')"
    )
    db.execute("INSERT INTO turn_words (rowid, text) VALUES (1, 'Hello from before.')")
    db.pragma("application_id", database.APPLICATION_ID)
    db.pragma("user_version", 1)
    db.close()
    done = restore(data, tmp_path / "first.db", now=clock)
    assert (done.turns, done.schema, done.migrated, done.aside) == (1, 1, True, None)
    assert texts(data) == ["Hello from before."]


@pytest.mark.parametrize("kind", ["text", "empty", "foreign", "newer", "cut", "garbled", "fresh", "missing"])
def test_what_is_no_sound_backup_is_refused_and_changes_nothing(
    copy: Path, data: Path, tmp_path: Path, clock: Clock, kind: str
) -> None:
    file = tmp_path / "bad.db"
    shutil.copy(copy, file)
    raw = bytearray(file.read_bytes())
    if kind == "text":
        file.write_bytes(b"Dear diary, " * 1000)
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "foreign":
        file.unlink()
        db = apsw.Connection(str(file))
        db.execute("CREATE TABLE bookmarks (url)")
        db.close()
    elif kind == "newer":
        db = apsw.Connection(str(file))
        db.pragma("user_version", 4711)
        db.close()
    elif kind == "cut":
        file.write_bytes(raw[: len(raw) // 2])
    elif kind == "garbled":
        raw[4096 * 9 : 4096 * 12] = os.urandom(4096 * 3)
        file.write_bytes(raw)
    elif kind == "fresh":
        file.unlink()
        apsw.Connection(str(file)).close()
    else:
        file.unlink()
    before = raw_bytes(data)
    with pytest.raises(StoreError, match=r"bad\.db") as caught:
        restore(data, file, now=clock)
    assert "\n" not in str(caught.value)
    assert "restoring" not in str(caught.value)
    assert raw_bytes(data) == before
    assert sorted(path.name for path in data.iterdir()) == ["backup.lock", "backups", "satchel.sqlite"]


def test_a_store_that_is_no_database_any_more_is_kept_aside_and_replaced(copy: Path, data: Path, clock: Clock) -> None:
    (data / "satchel.sqlite").write_bytes(b"\0" * 50_000)
    (data / "satchel.sqlite-wal").write_bytes(b"something")
    done = restore(data, copy, now=clock)
    assert (done.turns, done.forgotten) == (40, None)
    assert done.aside is not None
    assert done.aside.name.endswith("-damaged.db")
    assert done.aside.read_bytes() == b"\0" * 50_000
    assert done.aside.with_name(done.aside.name + "-wal").read_bytes() == b"something"
    assert len(texts(data)) == 40


@pytest.mark.parametrize("harm", ["DELETE FROM turn_words WHERE rowid = 3", "DELETE FROM turn_vector WHERE pk = 3"])
def test_a_store_that_only_satchel_finds_unsound_is_kept_aside_and_restored_over(
    copy: Path, data: Path, clock: Clock, harm: str
) -> None:
    db = connect(data / "satchel.sqlite")
    db.execute(harm)
    db.close()
    since = contents(data / "satchel.sqlite")
    done = restore(data, copy, now=clock)
    assert (done.turns, done.forgotten) == (40, 0)
    assert done.aside is not None
    assert done.aside.name.endswith("-damaged.db")
    assert contents(done.aside) == since
    assert backup.own(data) == []
    assert "Said since." not in texts(data)


def test_another_programs_database_is_not_replaced(copy: Path, data: Path, clock: Clock) -> None:
    (data / "satchel.sqlite").unlink()
    db = apsw.Connection(str(data / "satchel.sqlite"))
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    before = (data / "satchel.sqlite").read_bytes()
    with pytest.raises(StoreError, match="another program"):
        restore(data, copy, now=clock)
    assert (data / "satchel.sqlite").read_bytes() == before


def test_the_oldest_of_our_own_can_be_restored_and_stays(store: Store, data: Path, clock: Clock) -> None:
    filled(store)
    made = []
    for _ in range(backup.KEPT):
        made.append(backup.make(data, now=clock))
        clock.ms += 1000
    store.close()
    done = restore(data, made[0], now=clock)
    assert done.aside is not None
    assert backup.own(data) == [*made, done.aside]


KILLED = """
import os, sys
from pathlib import Path
from satchel.store import backup, restore
backup.STEP_PAGES = 8
end, seen = int(sys.argv[3]), 0
def count(frame, event, _):
    global seen
    if event in ("call", "c_call") and frame.f_code.co_filename.endswith(("restore.py", "backup.py", "files.py")):
        seen += 1
        if seen == end:
            os.kill(os.getpid(), 9)
sys.setprofile(count)
restore.restore(Path(sys.argv[1]), Path(sys.argv[2]))
sys.setprofile(None)
print(seen)
"""


@pytest.mark.skipif(os.name != "posix", reason="a killed process")
@pytest.mark.parametrize("damaged", [False, True], ids=["whole", "damaged"])
def test_a_kill_at_any_moment_leaves_the_old_store_or_the_new(
    copy: Path, data: Path, tmp_path: Path, damaged: bool
) -> None:
    if damaged:
        (data / "satchel.sqlite").write_bytes(b"\0" * 50_000)
    original = tmp_path / "original"
    shutil.copytree(data, original)

    def run(moment: int) -> int | None:
        """Restores; after how many calls it was done, None when killed before."""
        shutil.rmtree(data)
        shutil.copytree(original, data)
        done = subprocess.run(
            [sys.executable, "-c", KILLED, str(data), str(copy), str(moment)],
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode in (0, -9), done.stderr
        return None if done.returncode else int(done.stdout)

    total = run(0)
    assert total is not None
    seen = set()
    for n in range(12):
        assert run(1 + total * n // 12) is None
        backup.tidy(data)
        assert not list(data.glob("*.restoring*"))
        if damaged and (data / "satchel.sqlite").read_bytes() == b"\0" * 50_000:
            seen.add(0)
            continue
        db = connect(data / "satchel.sqlite")
        assert db.execute("PRAGMA integrity_check").get == "ok"
        db.close()
        seen.add(len(texts(data)))
    assert seen <= ({0, 40} if damaged else {40, 41})
    assert run(0) is not None
    assert len(texts(data)) == 40
