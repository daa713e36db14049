"""What can be read of a damaged store is saved, letter for letter, and what cannot is counted by name."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storing import Clock, capture, draft, quote, remember, said, turns
from test_backup import contents

from api.running import environment
from satchel.store import Store, backup, database, forget, log, soundness
from satchel.store.pages import Pages
from satchel.store.recover import Recovered, recover
from satchel.types import StoreError

PAGE = 4096


def lived_in(data: Path, *, keep_log: bool = False) -> Path:
    """A store with a life in it: profiles, long and short turns, revisions, memories, something forgotten."""
    store = Store(data, now=Clock())
    if keep_log:
        store.write_now(lambda tx: tx.db.wal_autocheckpoint(0))
    for chat in range(25):
        contents = [said(f"Chat {chat}, turn {n}: {'word ' * (chat * n % 90)}", f"m{n}") for n in range(12)]
        kept = capture(store, contents, external_id=f"c{chat}", profile="work" if chat % 5 == 4 else "me")
        if chat % 3 == 0:
            capture(store, [said(f"Chat {chat}, put otherwise.", "m0")], external_id=f"c{chat}")
        first = turns(store, kept.conversation_id)[1]
        profile = "work" if chat % 5 == 4 else "me"
        remember(store, draft(f"The user said turn 1 of {chat}.", quote(first, "turn 1")), profile=profile)
    remember(store, draft("Written by hand."), by_hand=True)
    capture(store, ["A long one. " + "很长 " * 9000], external_id="long")
    gone = capture(store, ["Xylophonist"], external_id="gone")
    store.write_now(lambda tx: forget.forget_conversation(tx, gone.conversation_id))
    if not keep_log:
        store.close()
        return store.path
    held = {file.name: file.read_bytes() for file in data.glob("satchel.sqlite*")}
    store.close()
    for name, raw in held.items():
        if not name.endswith("-shm"):
            (data / name).write_bytes(raw)
    return store.path


Said = dict[str, tuple[str, str]]


def everything(data: Path) -> tuple[Said, set[str]]:
    """Turns by id with conversation and words, and the memories' texts."""
    store = Store(data)
    try:
        rows = store.read_now(
            lambda db: db.execute(
                "SELECT m.id, c.external_id, m.content FROM message m JOIN conversation c ON c.pk = m.conversation"
            ).fetchall()
        )
        known = store.read_now(lambda db: {row[0] for row in db.execute("SELECT text FROM memory").fetchall()})
        assert store.read_now(lambda db: soundness.first_fault(db)) is None
        unfounded = (
            "SELECT count(*) FROM memory y WHERE y.by_hand = 0 AND NOT EXISTS (SELECT 1 FROM source s"
            " JOIN message m ON m.pk = s.message LEFT JOIN revision r ON r.message = m.pk AND r.revision = s.revision"
            " WHERE s.memory = y.pk"
            ' AND substr(coalesce(r.content, m.content), s.start + 1, s."end" - s.start) = s.quote)'
        )
        assert store.read_now(lambda db: db.execute(unfounded).get) == 0, "no memory without its words"
    finally:
        store.close()
    return {row[0]: (row[1], row[2]) for row in rows}, known


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return lived_in(tmp_path_factory.mktemp("lived in")).read_bytes()


@pytest.fixture(scope="module")
def before(model: bytes, tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, set[str]]:
    data = tmp_path_factory.mktemp("before")
    (data / "satchel.sqlite").write_bytes(model)
    return everything(data)


def put(data: Path, raw: bytes) -> Path:
    data.mkdir(exist_ok=True)
    (data / "satchel.sqlite").write_bytes(raw)
    return data


def check(data: Path, before: tuple[Said, set[str]], raw: bytes) -> Recovered:
    """Recovers: nothing is there that was not, what is not there is counted, and the damaged file lies aside."""
    done = recover(data, now=Clock())
    assert done is not None
    after, known = everything(data)
    assert done.turns == len(after)
    assert done.memories == len(known)
    for row_id, (chat, content) in after.items():
        assert content == before[0][row_id][1]
        assert chat == before[0][row_id][0] or chat.startswith("recovered-")
    assert known <= before[1]
    assert not any("Xylophonist" in content for _, content in after.values())
    assert done.aside.read_bytes() == raw
    assert backup.own(data) == []
    return done


def test_a_whole_store_is_left_alone(model: bytes, data: Path) -> None:
    put(data, model)
    assert recover(data) is None
    assert (data / "satchel.sqlite").read_bytes() == model
    assert not (data / "backups").exists()


def test_pages_read_without_sqlite_are_what_sqlite_reads(data: Path) -> None:
    """Every table of a store whose newest pages are in its log alone."""
    file = lived_in(data, keep_log=True)
    pages = Pages(file, file.with_name(file.name + "-wal"))
    read = {table.name: list(pages.tree(table.root)) for table in pages.schema()}
    assert pages.broken == set()
    assert (data / "satchel.sqlite-wal").stat().st_size > 0
    held = contents(file)
    assert {name: len(rows) for name, rows in read.items() if name in held} == {n: len(r) for n, r in held.items()}
    assert [(row.rowid, *row.record[1:]) for row in read["message"]] == held["message"]
    assert [row.record for row in read["revision"]] == held["revision"]


def test_a_destroyed_beginning_loses_nothing_that_was_said(
    model: bytes, before: tuple[Said, set[str]], data: Path
) -> None:
    raw = b"\0" * PAGE + model[PAGE:]
    put(data, raw)
    with pytest.raises(StoreError, match="satchel recover"):
        Store(data)
    done = check(data, before, raw)
    after, known = everything(data)
    assert after == before[0]
    assert known == before[1]
    assert done.lost == {}
    assert done.unread[0] == "the schema"


def test_a_header_alone_destroyed_loses_nothing(model: bytes, before: tuple[Said, set[str]], data: Path) -> None:
    raw = os.urandom(100) + model[100:]
    put(data, raw)
    check(data, before, raw)
    assert everything(data) == before


def test_what_stands_in_the_log_alone_is_saved(data: Path, tmp_path: Path) -> None:
    file = lived_in(data, keep_log=True)
    (tmp_path / "copy").mkdir()
    for one in data.glob("satchel.sqlite*"):
        (tmp_path / "copy" / one.name).write_bytes(one.read_bytes())
    before = everything(tmp_path / "copy")
    raw = file.read_bytes()
    broken = b"\xff" * len(raw)
    file.write_bytes(broken)
    done = check(data, before, broken)
    after, known = everything(data)
    assert after == before[0], "the log was never taken in, and holds every page"
    assert known == before[1]
    assert done.aside.with_name(done.aside.name + "-wal").exists()


def test_a_file_cut_in_half_gives_its_first_half(model: bytes, before: tuple[Said, set[str]], data: Path) -> None:
    raw = model[: len(model) // 2 // PAGE * PAGE + 1234]
    put(data, raw)
    done = check(data, before, raw)
    after, _ = everything(data)
    assert len(before[0]) > len(after) > len(before[0]) // 10
    # Of what is lost only those are known by name whose line in the list of changes was saved.
    assert 0 <= done.lost.get("message", 0) <= len(before[0]) - len(after)
    assert done.unread


@pytest.mark.parametrize("raw", [b"", b"\0" * 5 * PAGE, os.urandom(3 * PAGE)], ids=["empty", "zeros", "noise"])
def test_where_nothing_can_be_read_nothing_is_changed(data: Path, raw: bytes) -> None:
    put(data, raw)
    (data / "backups").mkdir()
    with pytest.raises(StoreError, match=r"Nothing that was said could be read.*satchel restore FILE"):
        recover(data)
    assert (data / "satchel.sqlite").read_bytes() == raw
    assert sorted(file.name for file in data.rglob("*")) == ["backups", "satchel.sqlite"]


def test_lost_turns_are_counted_by_name(model: bytes, before: tuple[Said, set[str]], data: Path) -> None:
    """One leaf of the turns is overwritten: as many are lost as stood on it, and no more."""
    put(data, model)
    pages = Pages(data / "satchel.sqlite")
    root = next(table.root for table in pages.schema() if table.name == "message")
    inner = pages.page(root)
    assert inner[0] == 5, "the turns take more than one page"
    leaf = int.from_bytes(inner[int.from_bytes(inner[12:14], "big") :][:4], "big")
    count = int.from_bytes(pages.page(leaf)[3:5], "big")
    raw = model[: (leaf - 1) * PAGE] + b"\xa5" * PAGE + model[leaf * PAGE :]
    put(data, raw)
    done = check(data, before, raw)
    assert done.lost["message"] == count == len(before[0]) - done.turns
    assert done.unread == ("message",)
    assert done.unfounded + done.memories == len(before[1])


def test_turns_whose_conversation_is_lost_are_kept_under_one_made_for_them(
    model: bytes, before: tuple[Said, set[str]], data: Path
) -> None:
    put(data, model)
    pages = Pages(data / "satchel.sqlite")
    root = next(table.root for table in pages.schema() if table.name == "conversation")
    raw = model[: (root - 1) * PAGE] + os.urandom(PAGE) + model[root * PAGE :]
    put(data, raw)
    done = check(data, before, raw)
    assert done.turns == len(before[0])
    assert done.lost.get("conversation", 0) == done.homeless


def test_a_turn_whose_words_were_altered_is_lost_and_not_told_otherwise(
    model: bytes, before: tuple[Said, set[str]], data: Path
) -> None:
    # A row holds the role and then the words; long ones begin in it as well.
    at = next(
        at for _, c in before[0].values() if c[:20].isascii() and (at := model.find(b"user" + c[:20].encode())) > 0
    )
    at += len("user") + 4
    raw = model[:at] + b"Q" + model[at + 1 :]
    put(data, bytes(100) + raw[100:])  # without its header it is salvaged
    recover(data)
    after, _ = everything(data)
    assert all(content == before[0][row_id][1] for row_id, (_, content) in after.items())
    assert len(after) == len(before[0]) - 1


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), share=st.floats(0, 0.6), kind=st.sampled_from(["noise", "zeros", "bits", "moved"]))
def test_whatever_is_damaged_nothing_false_comes_back(
    model: bytes,
    before: tuple[Said, set[str]],
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    share: float,
    kind: str,
) -> None:
    source = random.Random(seed)
    raw = bytearray(model)
    count = len(raw) // PAGE
    for page in source.sample(range(count), round(count * share)):
        at = page * PAGE
        if kind == "noise":
            raw[at : at + PAGE] = source.randbytes(PAGE)
        elif kind == "zeros":
            raw[at : at + PAGE] = bytes(PAGE)
        elif kind == "moved":
            other = source.randrange(count) * PAGE
            raw[at : at + PAGE] = model[other : other + PAGE]
        else:  # in the page's own numbers, not in words: those nobody could tell from what was said
            for _ in range(3):
                raw[at + source.randrange(8)] ^= 1 << source.randrange(8)
    data = put(tmp_path_factory.mktemp("damaged") / "data", bytes(raw))
    told = ""
    try:
        if recover(data) is None:
            return
    except StoreError as error:
        told = str(error)
    if told:
        assert "Nothing that was said" in told
        return
    after, known = everything(data)
    for row_id, (_, content) in after.items():
        assert content == before[0][row_id][1]
    assert known <= before[1]


def test_a_recovered_store_finds_words_and_takes_more(model: bytes, data: Path) -> None:
    put(data, bytes(PAGE) + model[PAGE:])
    recover(data)
    store = Store(data)
    found = store.read_now(
        lambda db: db.execute("SELECT count(*) FROM turn_words WHERE turn_words MATCH '\"put otherwise\"'").get
    )
    assert found == 9
    again = capture(store, [said("Chat 1, turn 0: ", "m0")], external_id="c1")
    assert (again.accepted, again.duplicates) == (0, 1)
    assert store.read_now(lambda db: db.execute("SELECT count(*) FROM unindexed").get) > 300
    kept = capture(store, ["New."], external_id="new")
    seq = store.read_now(lambda db: db.execute("SELECT seq FROM change WHERE id = ?", (kept.message_ids[0],)).get)
    assert isinstance(seq, int)
    assert seq > 350
    store.close()


def test_an_older_store_is_salvaged_and_brought_up_to_date(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = database.migrations()
    data.mkdir()
    db = apsw.Connection(str(data / "satchel.sqlite"))
    db.execute(steps[0][1])
    db.execute("INSERT INTO profile VALUES (1, 'me', 1)")
    one = "01a23077-7716-752d-b256-7e9fc95{:05d}"
    stamp = "0000000000001-0000-d"
    db.execute("INSERT INTO conversation VALUES (1, ?, 1, 's', 'x', NULL, NULL, 1, 1, 'd', ?)", (one.format(0), stamp))
    for n in range(1, 200):
        db.execute(
            "INSERT INTO message VALUES (?1, ?2, 1, ?2, NULL, 'user', ?4, ?5, 1, 1, 1, 1, ?1, 0, 'd', ?3)",
            (n, one.format(n), stamp, "Hello from before.", log.hash_of("user", "Hello from before.")),
        )
    db.pragma("application_id", database.APPLICATION_ID)
    db.pragma("user_version", 1)
    root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'message_in_order'").get
    db.close()
    raw = bytearray((data / "satchel.sqlite").read_bytes())
    raw[(int(str(root)) - 1) * PAGE : int(str(root)) * PAGE] = bytes(PAGE)
    put(data, bytes(raw))
    done = recover(data)
    assert done is not None
    assert (done.turns, done.lost) == (199, {})
    assert len(everything(data)[0]) == 199


def test_another_programs_database_is_left_alone(data: Path) -> None:
    data.mkdir()
    db = apsw.Connection(str(data / "satchel.sqlite"))
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    with pytest.raises(StoreError, match="another program"):
        recover(data)


@pytest.mark.skipif(os.name != "posix", reason="a killed process")
def test_a_kill_at_any_moment_loses_nothing(data: Path, tmp_path: Path) -> None:
    """Killed and begun again, it saves as much as if it had not been: also what stands in the log alone."""
    file = lived_in(data, keep_log=True)
    raw, held = b"\xff" * file.stat().st_size, (data / "satchel.sqlite-wal").read_bytes()
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom satchel.store import recover\n"
        "end, seen = int(sys.argv[2]), 0\n"
        "def count(frame, event, _):\n"
        "    global seen\n"
        "    mine = frame.f_code.co_filename.endswith(('restore.py', 'backup.py', 'files.py'))\n"
        "    if event in ('call', 'c_call') and mine:\n"
        "        seen += 1\n"
        "        if seen == end: os.kill(os.getpid(), 9)\n"
        "sys.setprofile(count)\n"
        "recover.recover(Path(sys.argv[1]))\n"
        "sys.setprofile(None)\n"
        "print(seen)\n"
    ).replace("\\\n", "\n")

    def run(moment: int) -> int | None:
        done = subprocess.run(
            [sys.executable, "-c", script, str(data), str(moment)], env=environment(), capture_output=True, text=True
        )
        assert done.returncode in (0, -9), done.stderr
        return None if done.returncode else int(done.stdout)

    def begin() -> None:
        for left in (data / "backups").glob("*"):
            left.unlink()
        file.write_bytes(raw)
        (data / "satchel.sqlite-wal").write_bytes(held)

    begin()
    total = run(0)
    whole = everything(data)
    assert total is not None
    assert len(whole[0]) > 300
    for n in range(10):
        begin()
        assert run(total - n * total // 14) is None
        run(0)
        assert everything(data) == whole
