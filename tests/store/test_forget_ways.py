"""What each way of forgetting takes with it, what it leaves, and what is kept out afterwards."""

from __future__ import annotations

import errno
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from storing import DAY, NOON, Clock, capture, draft, empty_journal, quote, remember, said, stands_in, turns

from satchel.store import (
    Store,
    forget,
    forget_plan,
    forgotten_turns,
    injections,
    jobs,
    log,
    memories,
    receipts,
    vectors,
)
from satchel.store.forget_plan import What
from satchel.store.verify_forgotten import verify
from satchel.times import to_iso
from satchel.types import BadInputError, NotFoundError


def act(store: Store, **what: object) -> forget.Forgotten:
    gone = store.write_now(lambda tx: forget.forget(tx, What(**what)))
    empty_journal(store)
    return gone


def contents(store: Store) -> set[str]:
    return set(store.read_now(lambda db: [row[0] for row in db.execute("SELECT content FROM message")]))


def texts(store: Store) -> set[str]:
    return set(store.read_now(lambda db: [row[0] for row in db.execute("SELECT text FROM memory")]))


def test_a_site_goes_with_all_that_was_said_and_given_there(store: Store, data: Path) -> None:
    gone = capture(store, ["I breed Axolotls"], site="a.test", title="Axolotls")
    capture(store, ["I keep bees"], site="b.test")
    capture(store, ["Mine are Axolotls"], site="a.test", profile="work")
    source = quote(turns(store, gone.conversation_id)[0], "breed Axolotls")
    remember(store, draft("The user breeds Axolotls", source))
    store.write_now(lambda tx: injections.offer(tx, "i", profile="me", site="a.test", external_id=None, hits=["h"]))
    answer = act(store, way="site", site="a.test")
    assert (answer.conversations, answer.messages, answer.memories, answer.counts.injections) == (2, 2, 1, 1)
    assert contents(store) == {"I keep bees"}
    assert not stands_in(data, "axolotl")
    with pytest.raises(NotFoundError):
        store.read_now(lambda db: injections.profile_of(db, "i"))


def test_only_the_named_profiles_are_touched(store: Store) -> None:
    for profile in ("me", "work"):
        capture(store, ["I breed Axolotls"], profile=profile)
        remember(store, draft(f"Axolotls at {profile}"), profile=profile, by_hand=True)
    for what in ({"way": "name", "name": "axolotls"}, {"way": "site", "site": "chat.test"}, {"way": "everything"}):
        act(store, profiles=("work",), **what)
    assert contents(store) == {"I breed Axolotls"}
    assert texts(store) == {"Axolotls at me"}
    memory_id = store.read_now(lambda db: db.execute("SELECT id FROM memory").get)
    for what in ({"way": "memory", "memory": memory_id}, {"way": "conversation", "conversation": "nothing"}):
        with pytest.raises(NotFoundError):
            act(store, profiles=("work",), **what)


def test_a_span_is_what_was_said_in_it(store: Store) -> None:
    said_at = [(f"Turn {n}", f"m{n}", to_iso(NOON - n * DAY)) for n in range(5)]
    chat = capture(store, [said(text, name, sent_at=at) for text, name, at in said_at])
    capture(store, [said("Alone", "a", sent_at=to_iso(NOON - 2 * DAY))], external_id="emptied")
    answer = act(store, way="span", since=NOON - 3 * DAY, until=NOON - DAY)
    assert contents(store) == {"Turn 0", "Turn 1", "Turn 4"}
    assert (answer.messages, answer.conversations) == (3, 1)
    assert len(turns(store, chat.conversation_id)) == 3
    with pytest.raises(BadInputError):
        act(store, way="span")


def test_a_name_goes_from_turns_revisions_memories_histories_and_titles(store: Store, data: Path) -> None:
    chat = capture(store, [said("Ottilie calls on Sundays", "m1"), said("I like tea", "m2"), said("OTTILIES", "m3")])
    capture(store, [said("I like tea with milk", "m2"), said("Nobody calls", "m1")])
    capture(store, ["Buy flour"], external_id="titled", title="For Óttilie's cake", url="https://x.test/ottilie")
    first = turns(store, chat.conversation_id)
    written = remember(store, draft("The user bakes for Ottilie", key="baking"), by_hand=True)
    edited = remember(store, draft("Ottilie lives next door"), by_hand=True)
    store.write_now(
        lambda tx: memories.edit(
            tx, memories.pk_of(tx.db, edited), memories.Edit(text="She lives next door"), by="user", change="edited"
        )
    )
    kept = remember(store, draft("The user likes tea", quote(first[1], "like tea")))
    answer = act(store, way="name", name="ottilie")
    assert (answer.messages, answer.counts.revisions, answer.memories) == (2, 1, 2)
    assert contents(store) == {"I like tea with milk", "Buy flour"}
    assert not stands_in(data, "ottilie")
    assert (
        store.read_now(lambda db: log.conversations(db, profiles=None, external_id="titled", page=1, size=1))[0][
            0
        ].title
        is None
    )
    assert {written, edited}.isdisjoint(store.read_now(lambda db: [r[0] for r in db.execute("SELECT id FROM memory")]))
    assert texts(store) == {"The user likes tea"}
    assert store.read_now(lambda db: memories.memory(db, kept)).sources


def test_everything_leaves_nothing_that_was_said(store: Store, data: Path) -> None:
    chat = capture(store, ["I breed Axolotls"], title="Axolotls")
    remember(store, draft("The user breeds Axolotls", quote(turns(store, chat.conversation_id)[0], "breed Axolotls")))
    remember(store, draft("I also keep Basilisks"), by_hand=True)
    act(store, way="everything")
    assert contents(store) == texts(store) == set()
    assert not stands_in(data, "axolotl")
    assert not stands_in(data, "basilisk")


def test_a_name_that_only_an_earlier_turn_gave_goes_from_the_memory_of_a_later_one(store: Store, data: Path) -> None:
    chat = capture(store, [said("Tell me about Ottilie", "m1"), said("She lives in Brno", "m2", sent_at=None)])
    source = quote(turns(store, chat.conversation_id)[1], "She lives in Brno")
    memory_id = remember(store, draft("Ottilie lives in Brno", source, key="ottilie", tags=["Brno", "Ottilie"]))
    first = remember(store, draft("The user asks", quote(turns(store, chat.conversation_id)[0], "Tell me")))
    act(store, way="memory", memory=first, messages=True)
    left = store.read_now(lambda db: memories.memory(db, memory_id))
    assert (left.text, left.key, left.tags) == ("She lives in Brno", "", ("Brno",))
    assert not stands_in(data, "ottilie")


def test_the_error_of_a_job_goes_with_its_turns(store: Store, data: Path) -> None:
    capture(store, ["I breed Axolotls", "Buy milk"], external_id="c")
    job = store.write_now(jobs.claim)
    assert job is not None
    store.write_now(lambda tx: jobs.fail(tx, job.id, "could not read 'Axolotls'"))
    act(store, way="name", name="Axolotls")
    assert store.read_now(lambda db: jobs.job(db, job.id)).error is None
    assert not stands_in(data, "axolotl")


# What is sent again


def again(store: Store, messages: list[object], **where: object) -> log.Recorded:
    return capture(store, messages, title="Axolotls for beginners", url="https://x.test/axolotls", **where)


def test_a_forgotten_conversation_that_is_sent_again_is_acknowledged_and_not_stored(store: Store, data: Path) -> None:
    turn = [said("I breed Axolotls", "m1"), "yes", "yes"]
    first = capture(store, turn)
    act(store, way="conversation", conversation=first.conversation_id)
    answer = again(store, turn)
    assert (answer.accepted, answer.duplicates, answer.forgotten, answer.job_id) == (0, 3, 3, None)
    assert (answer.conversation_id, answer.message_ids) == (first.conversation_id, first.message_ids)
    assert contents(store) == set()
    empty_journal(store)
    assert not stands_in(data, "axolotl")
    (found,), total = store.read_now(lambda db: forgotten_turns.listed(db, profiles=None, page=1, size=10))
    assert (found.site, found.turns, found.sent_again, total) == ("chat.test", 3, 3, 1)


def test_a_new_message_in_a_forgotten_conversation_is_stored(store: Store, data: Path) -> None:
    first = capture(store, [said("I breed Axolotls", "m1")])
    act(store, way="conversation", conversation=first.conversation_id)
    answer = again(store, [said("I breed Axolotls", "m1"), said("What about lunch?", "m2"), "yes"])
    assert (answer.accepted, answer.duplicates, answer.forgotten) == (2, 1, 1)
    assert contents(store) == {"What about lunch?", "yes"}
    assert answer.job_id is not None
    empty_journal(store)
    assert not stands_in(data, "axolotl")  # nor does the title that the site made of it


def test_an_edit_of_a_forgotten_turn_is_still_that_turn(store: Store) -> None:
    first = capture(store, [said("I breed Axolotls", "m1")])
    act(store, way="conversation", conversation=first.conversation_id)
    assert capture(store, [said("I breed many Axolotls", "m1")]).forgotten == 1


def test_the_same_turn_elsewhere_is_another(store: Store) -> None:
    first = capture(store, [said("I breed Axolotls", "m1")])
    act(store, way="conversation", conversation=first.conversation_id)
    for where in ({"external_id": "c2"}, {"site": "other.test"}, {"profile": "work"}):
        assert capture(store, [said("I breed Axolotls", "m1")], **where).accepted == 1


LONG_ENOUGH = "I breed Axolotls in my cellar"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (first, then)
        for first in ("m1", None, "page:ab:1")
        for then in ("m2", None, "page:ab:1", "page:cd:3")
        if (first, then) != ("m1", "m2")
    ],
)
def test_a_forgotten_turn_is_known_under_another_id(store: Store, first: str | None, then: str | None) -> None:
    chat = capture(store, [said(f"**{LONG_ENOUGH}**", first)])
    act(store, way="conversation", conversation=chat.conversation_id)
    answer = again(store, [said(f"{LONG_ENOUGH}.\n", then)])
    assert (answer.accepted, answer.forgotten, answer.message_ids) == (0, 1, chat.message_ids)
    assert contents(store) == set()
    assert capture(store, [said(LONG_ENOUGH, "m9", role="assistant")]).accepted == 1
    assert capture(store, [said(LONG_ENOUGH, then)], external_id="c2").accepted == 1


def test_what_a_forgotten_turn_said_before_its_edit_is_known_under_another_id(store: Store) -> None:
    chat = capture(store, [said(LONG_ENOUGH, "m1")])
    capture(store, [said("I breed nothing", "m1")])
    act(store, way="conversation", conversation=chat.conversation_id)
    assert capture(store, [said(LONG_ENOUGH, "page:ab:1")]).forgotten == 1
    assert capture(store, [said("I breed nothing!", "page:cd:1")]).forgotten == 1


ANSWER = "Axolotls need cool and still water, below twenty degrees, and [a lid](https://x.test/{}) on the tank."


def test_an_answer_is_known_as_the_page_shows_it(store: Store) -> None:
    chat = capture(store, [said(ANSWER.format("a"), "m1", role="assistant")])
    act(store, way="conversation", conversation=chat.conversation_id)
    shown = "Axolotls need cool and still water, below twenty degrees, and a lid on the tank."
    assert capture(store, [said(shown, "page:ab:1", role="assistant")]).forgotten == 1
    longer = said(shown + " Feed them worms. " * 5, "page:cd:1", role="assistant")
    assert capture(store, [longer, said(shown, "page:ef:1")]).accepted == 2


def test_what_the_site_names_otherwise_is_new_though_it_says_what_was_forgotten(store: Store) -> None:
    chat = capture(store, [said(LONG_ENOUGH, "m1"), said(ANSWER.format("a"), "m2", role="assistant")])
    act(store, way="conversation", conversation=chat.conversation_id)
    anew = ANSWER.format("b").replace("a lid", "a net")
    new = [said(LONG_ENOUGH, "m3"), said(anew, "m4", role="assistant")]
    assert (capture(store, new).accepted, capture(store, new).accepted) == (2, 0)
    assert contents(store) == {LONG_ENOUGH, anew}
    assert capture(store, [said(LONG_ENOUGH, "m1")]).forgotten == 1


def test_a_short_yes_is_kept_out_no_oftener_than_it_was_forgotten(store: Store) -> None:
    chat = capture(store, [said("yes", "m1"), said("Is it far?", "m2"), said("Yes!", "m3")])
    act(store, way="conversation", conversation=chat.conversation_id)
    page = [said("yes", f"page:ab:{time}") for time in (1, 2, 3)]
    answer = capture(store, page[:2])
    assert (answer.forgotten, answer.message_ids) == (2, [chat.message_ids[0], chat.message_ids[2]])
    assert (capture(store, page).accepted, capture(store, page).accepted) == (1, 0)
    assert capture(store, [said("yes", "m4")]).accepted == 1
    assert capture(store, ["Yes", "yes.", "YES"]).accepted == 1


def test_what_was_said_twice_and_forgotten_once_stays(store: Store) -> None:
    chat = capture(store, [said(LONG_ENOUGH, "m1"), said(f"{LONG_ENOUGH}, truly", "m2"), said(LONG_ENOUGH, "m3")])
    store.write_now(lambda tx: forget.forget_messages(tx, chat.message_ids[2:]))
    answer = capture(store, [said(LONG_ENOUGH, "m1"), said(LONG_ENOUGH, "m3")])
    assert (answer.forgotten, answer.message_ids) == (1, [chat.message_ids[0], chat.message_ids[2]])
    assert len(turns(store, chat.conversation_id)) == 2


@given(st.text(), st.text())
def test_letters_are_the_same_however_a_text_is_set_off(text: str, other: str) -> None:
    own = forgotten_turns.letters(text)
    assert forgotten_turns.letters(own) == own
    if any(letter.isalnum() for letter in own):
        assert forgotten_turns.letters(f"> **{text}**\n") == own


def test_what_is_allowed_comes_in_again_and_only_that(store: Store) -> None:
    ids = {}
    for name in ("c1", "c2"):
        ids[name] = capture(store, [said("I breed Axolotls", "m1")], external_id=name).conversation_id
        act(store, way="conversation", conversation=ids[name])
    assert store.write_now(lambda tx: forgotten_turns.allow(tx, [ids["c1"]], profiles=("work",))) == 0
    assert store.write_now(lambda tx: forgotten_turns.allow(tx, [ids["c1"]], profiles=None)) == 1
    assert capture(store, [said("I breed Axolotls", "m1")], external_id="c1").accepted == 1
    assert capture(store, [said("I breed Axolotls", "m1")], external_id="c2").forgotten == 1
    assert store.write_now(lambda tx: forgotten_turns.allow(tx, None, profiles=None)) == 1
    assert capture(store, [said("I breed Axolotls", "m1")], external_id="c2").accepted == 1


def test_a_mark_holds_no_plain_hash_of_what_was_said(store: Store, data: Path) -> None:
    from satchel.capture.normalise import hash_of

    first = capture(store, ["I breed Axolotls"])
    digest = hash_of("user", "I breed Axolotls")
    act(store, way="conversation", conversation=first.conversation_id)
    raw = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert digest not in raw
    assert b"axolotl" not in raw.lower()
    assert digest.hex().encode() not in raw
    other = Store(data.parent / "other")
    try:  # another store marks the same turn otherwise: no list of marks serves for two
        first = capture(other, ["I breed Axolotls"])
        act(other, way="conversation", conversation=first.conversation_id)
        marks = [s.read_now(lambda db: db.execute("SELECT key FROM forgotten_turn").get) for s in (store, other)]
        assert marks[0] != marks[1]
    finally:
        other.close()


# Preview, receipts, verification


def test_a_preview_says_what_goes_and_why_something_stays(store: Store) -> None:
    one = capture(store, ["My sister Ottilie lives in Brno"], external_id="one", title="Sisters")
    two = capture(store, ["I visit my sister in Brno"], external_id="two")
    first, second = turns(store, one.conversation_id)[0], turns(store, two.conversation_id)[0]
    alone = remember(store, draft("Ottilie is a sister", quote(first, "sister Ottilie")))
    both = remember(store, draft("A sister in Brno", quote(first, "Brno"), quote(second, "Brno")))
    own = remember(store, draft("Ottilie's birthday is in May"), by_hand=True)
    store.write_now(
        lambda tx: memories.observe(tx, memories.pk_of(tx.db, own), draft("again", quote(first, "Ottilie")))
    )
    what = What(way="conversation", conversation=one.conversation_id)
    going = store.read_now(lambda db: forget_plan.plan(db, what))
    goes = store.read_now(lambda db: forget_plan.items(db, going, limit=10))
    stays = store.read_now(lambda db: forget_plan.staying(db, going, limit=10))
    assert [(i.type, i.text) for i in goes] == [
        ("conversation", "Sisters"),
        ("memory", "Ottilie is a sister"),
        ("turn", "My sister Ottilie lives in Brno"),
    ]
    assert {i.id: i.why for i in (*goes, *stays) if i.type == "memory"} == {
        alone: "derived",
        both: "other words",
        own: "yours",
    }


def test_a_receipt_names_no_content(store: Store, clock: Clock) -> None:
    first = capture(store, ["I breed Axolotls"], title="Axolotls")
    gone = act(store, way="conversation", conversation=first.conversation_id)
    assert store.read_now(receipts.unfinished) == [gone.receipt]
    clock.ms += 5
    receipt = store.write_now(
        lambda tx: receipts.finish(tx, gone.receipt, files=3, bytes_read=9, bytes_found=0, rewritten=0)
    )
    assert (receipt.counts.messages, receipt.forgotten_at, receipt.finished_at) == (1, NOON, NOON + 5)
    assert "xolotl" not in str(receipt)
    assert "xolotl" not in repr(gone)
    assert store.read_now(lambda db: receipts.listed(db, profiles=("work",), page=1, size=9)) == ([], 0)
    assert store.read_now(lambda db: receipts.listed(db, profiles=("me",), page=1, size=9)) == ([receipt], 1)
    assert store.read_now(receipts.unfinished) == []


WORDS = ["Axolotl", "Žluťoučký", "СНЕГОВИК", "雪だるまの国"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", [str, str.lower, str.upper, lambda w: json.dumps(w)])
def test_a_word_left_in_any_file_is_found(store: Store, data: Path, word: str, form: object) -> None:
    first = capture(store, [f"I breed {word} at home"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    assert verify(store, gone.traces).bytes_found == 0
    (data / "backups").mkdir()
    (data / "backups" / "old.bin").write_bytes(b"\0" * 9 + form(word).encode() + b"\xff" * 9)  # type: ignore[operator]
    assert verify(store, gone.traces).bytes_found > 0


@pytest.mark.parametrize("refused", ["open", "is_file"])
def test_a_file_that_nobody_lets_us_read_holds_up_no_proof(
    store: Store, data: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refused: str
) -> None:
    first = capture(store, ["I breed Axolotls"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    (data / "logs").mkdir()
    (data / "logs" / "axolotls.log").write_text("of another user")
    before = verify(store, gone.traces)
    whole = getattr(Path, refused)

    def refuse(path: Path, *args: object, **named: object) -> object:
        if path.name == "axolotls.log":
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path, *args, **named)

    monkeypatch.setattr(Path, refused, refuse)
    found = verify(store, gone.traces)
    assert (found.files, found.bytes_found) == (before.files - 1, 0)
    assert "1 files" in caplog.text
    assert "xolotl" not in caplog.text


OWN_LOG = """\
2026-03-01 10:00:00 WARNING satchel.recall: recall by words alone: the embedding took longer than 5 s
2026-03-01 10:00:01 ERROR litestar.middleware: at handling.py:17 (ConnectionError at /usr/lib/Zwischengeschoss/a.py:9)
2026-03-01 10:00:02 WARNING satchel.indexing: indexing waits: /home/x/satchel cannot be written (Permission denied);
"""


@pytest.mark.parametrize("word", ["warning", "Embedding", "litestar", "handling", "ConnectionError", "permission"])
def test_what_satchel_says_of_itself_does_not_count(store: Store, data: Path, word: str) -> None:
    first = capture(store, [f"I said {word} once"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    (data / "logs").mkdir()
    (data / "logs" / "satchel.log").write_text(OWN_LOG)
    assert stands_in(data / "logs", word)
    assert verify(store, gone.traces).bytes_found == 0
    (data / "backups").mkdir()
    (data / "backups" / "old.bin").write_text(word)
    found = verify(store, gone.traces)
    assert (found.bytes_found > 0, found.in_store) == (True, False), "a copy is no place for it"


@pytest.mark.parametrize("word", ["Axolotls", "diabetes", "basketball"])
def test_what_a_log_holds_of_what_was_said_is_found(store: Store, data: Path, word: str) -> None:
    first = capture(store, [f"I said {word} once"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    (data / "logs").mkdir()
    line = f"2026-03-01 10:00:00 ERROR satchel.worker: job 7: KeyError: 'I said {word} once'\n"
    (data / "logs" / "satchel.log.1").write_text(OWN_LOG + line)
    assert verify(store, gone.traces).bytes_found > 0


def test_the_users_own_files_and_where_copies_were_written_are_not_searched(store: Store, data: Path) -> None:
    first = capture(store, ["I breed Axolotls"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    before = verify(store, gone.traces)
    (data / "backups").mkdir()
    (data / "backups" / "elsewhere.json").write_text('[{"path": "/disk/axolotls.db", "made_at": "2026-03-01"}]')
    (data / "notes").mkdir()
    (data / "notes" / "axolotls.txt").write_text("Axolotls, kept by hand")
    (data / "axolotls.txt").write_text("Axolotls, kept by hand")
    assert verify(store, gone.traces) == before


def test_what_also_stands_in_what_stays_does_not_count(store: Store, data: Path) -> None:
    first = capture(store, ["I breed Axolotls because of difficulties with conversations"])
    capture(store, ["Axolotls are a difficulty"], external_id="stays")
    (data / "config.toml").write_text("# conversations are not forgotten\n")
    gone = act(store, way="conversation", conversation=first.conversation_id)
    assert verify(store, gone.traces).bytes_found == 0


def test_a_word_that_the_index_alone_still_holds_is_found(store: Store) -> None:
    first = capture(store, ["I breed Axolotls"])
    row = store.read_now(lambda db: db.execute("SELECT rowid, text FROM turn_words").fetchone())
    gone = act(store, way="conversation", conversation=first.conversation_id)
    store.write_now(lambda tx: tx.db.execute("INSERT INTO turn_words (rowid, text) VALUES (?, ?)", row))
    empty_journal(store)
    assert verify(store, gone.traces).bytes_found > 0


def test_a_vector_left_on_disk_is_found_unless_another_is_the_same(store: Store, data: Path) -> None:
    store.write_now(lambda tx: vectors.prepare(tx, "model", 16))
    first, _ = capture(store, ["one"], external_id="gone"), capture(store, ["two", "three"], external_id="kept")
    rows = {"one": [1.5, -2.25] * 8, "two": [0.75, 3.5] * 8, "three": [1.5, -2.25] * 8}
    packed = {text: struct.pack("<16f", *row) for text, row in rows.items()}
    items = store.read_now(lambda db: vectors.waiting(db, "model", 10))
    store.write_now(lambda tx: vectors.put(tx, "model", [(item, packed[item.text]) for item in items]))
    gone = act(store, way="conversation", conversation=first.conversation_id)
    assert verify(store, gone.traces).bytes_found == 0  # "three" has the same vector
    act(store, way="everything")
    assert verify(store, gone.traces).bytes_found == 0
    (data / "backups").mkdir()
    (data / "backups" / "old.bin").write_bytes(packed["one"])
    assert verify(store, gone.traces).bytes_found > 0


def test_rewriting_the_database_keeps_every_vector_in_its_place(store: Store) -> None:
    import asyncio
    import random

    store.write_now(lambda tx: vectors.prepare(tx, "model", 16))
    for k in range(40):
        capture(store, [f"w{k}-{i}" for i in range(60)], external_id=f"c{k}")
    while items := store.read_now(lambda db: vectors.waiting(db, "model", 1000)):
        made = [(i, struct.pack("<16f", *(random.Random(i.text).random() - 0.5 for _ in range(16)))) for i in items]
        store.write_now(lambda tx, m=made: vectors.put(tx, "model", m))
    for k in range(0, 40, 2):
        found, _ = store.read_now(
            lambda db, k=k: log.conversations(db, profiles=None, external_id=f"c{k}", page=1, size=1)
        )
        store.write_now(lambda tx, c=found[0].id: forget.forget_conversation(tx, c))
    asyncio.run(store.rewrite())
    assert store.read_now(vectors.unsound) == 0
    capture(store, ["one more"], external_id="new")
    (item,) = store.read_now(lambda db: vectors.waiting(db, "model", 10))
    store.write_now(lambda tx: vectors.put(tx, "model", [(item, struct.pack("<16f", *([0.25] * 16)))]))
    assert store.read_now(vectors.unsound) == 0


def test_reading_the_files_drops_no_lock_of_the_database(store: Store, data: Path) -> None:
    """Another process that finds none takes the database for abandoned, and cuts the index of the journal that this one
    has mapped: the next write dies of it."""
    look = (
        "import apsw, sys; db = apsw.Connection(sys.argv[1]); db.execute('BEGIN IMMEDIATE')\n"
        "try: print(db.execute('SELECT count(*) FROM message').get)\n"
        "finally: db.execute('ROLLBACK'); db.close()"
    )
    first = capture(store, ["I breed Axolotls"])
    gone = act(store, way="conversation", conversation=first.conversation_id)
    for round_ in range(3):
        assert verify(store, gone.traces).bytes_found == 0
        capture(store, ["I keep bees"], external_id=f"c{round_}")
        seen = subprocess.run([sys.executable, "-c", look, str(store.path)], capture_output=True, text=True, timeout=60)
        assert seen.stdout.strip() == str(round_ + 1), seen.stderr
        assert (data / "satchel.sqlite-wal").exists(), "the other process took itself for the last"
    assert contents(store) == {"I keep bees"}
