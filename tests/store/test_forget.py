"""Rule 8: forget means gone, wherever the words had got to."""

from __future__ import annotations

import random
import string
import struct
from pathlib import Path

import pytest
from storing import capture, draft, empty_journal, quote, raw_bytes, remember, said, stands_in, turns

from satchel.store import Store, changes, forget, injections, jobs, log, memories, vectors
from satchel.types import NotFoundError


def forget_conversation(store: Store, conversation_id: str) -> forget.Forgotten:
    gone = store.write_now(lambda tx: forget.forget_conversation(tx, conversation_id))
    empty_journal(store)
    return gone


def memory(store: Store, memory_id: str):
    return store.read_now(lambda db: memories.memory(db, memory_id))


def edit(store: Store, memory_id: str, by: str = "user", **changed: object) -> None:
    store.write_now(
        lambda tx: memories.edit(tx, memories.pk_of(tx.db, memory_id), memories.Edit(**changed), by=by, change="edited")
    )


def test_a_conversation_goes_with_everything_drawn_from_it(store: Store, data: Path) -> None:
    kept = capture(store, ["I keep bees"], external_id="kept")
    gone = capture(
        store, [said("I keep Wyverns", "m1"), "and Basilisks"], title="Wyverns at home", url="https://x.test/wyverns"
    )
    capture(store, [said("I keep Cockatrices", "m1")])
    first = turns(store, gone.conversation_id)[0]
    written = draft(
        "The user keeps Cockatrices", quote(first, "keep Cockatrices"), key="cockatrices", tags=["cockatrices"],
        reasoning="mentioned Cockatrices",
    )  # fmt: skip
    memory_id = remember(store, written)
    edit(store, memory_id, "extraction", text="The user keeps many Cockatrices")
    store.write_now(
        lambda tx: injections.offer(tx, "i1", profile="me", site="s", external_id="c1", hits=[memory_id, first.id])
    )
    answer = forget_conversation(store, gone.conversation_id)
    assert (answer.conversations, answer.messages, answer.memories) == (1, 2, 1)
    for word in ("wyvern", "basilisk", "cockatric"):
        assert not stands_in(data, word)
    assert not stands_in(data, memory_id) or store.read_now(
        lambda db: db.execute("SELECT count(*) FROM injection_hit").get == 0
    )
    assert [m.content for m in turns(store, kept.conversation_id)] == ["I keep bees"]
    with pytest.raises(NotFoundError):
        store.read_now(lambda db: log.conversation(db, gone.conversation_id))
    with pytest.raises(NotFoundError):
        store.read_now(lambda db: jobs.job(db, gone.job_id))


def test_a_forgotten_number_is_not_left_between_two_pages_of_the_word_index(store: Store, data: Path) -> None:
    """FTS5's secure-delete leaves separators standing; neighbours that differ in the last digit make them whole words."""  # noqa: E501
    chance = random.Random(3)
    neighbours = [f"{n:07d}{digit}" for n in range(0, 4000, 10) for digit in (1, 3, 5, 8)]
    secrets = [f"{n:07d}6" for n in range(0, 3600, 10)]
    for k in range(60):
        capture(store, [" ".join(chance.choices(neighbours, k=60)) for _ in range(4)], external_id=f"kept{k}")
        capture(store, [" ".join(secrets[k * 6 : k * 6 + 6])], external_id=f"gone{k}")
    ids = store.read_now(
        lambda db: [r[0] for r in db.execute("SELECT id FROM conversation WHERE external_id LIKE 'gone%'")]
    )
    for conversation_id in ids:
        store.write_now(lambda tx, c=conversation_id: forget.forget_conversation(tx, c))
    empty_journal(store)
    raw = raw_bytes(data)
    assert [secret for secret in secrets if secret.encode() in raw] == []
    for word in neighbours[:40]:
        found = store.read_now(
            lambda db, w=word: db.execute("SELECT count(*) FROM turn_words WHERE turn_words MATCH ?", (w,)).get
        )
        said_in = store.read_now(
            lambda db, w=word: db.execute("SELECT count(*) FROM message WHERE instr(content, ?)", (w,)).get
        )
        assert found == said_in


def two_sources(store: Store) -> tuple[log.Recorded, log.Recorded, str]:
    one = capture(store, ["My sister Ottilie lives in Brno"], external_id="one")
    two = capture(store, ["I visit my sister in Brno"], external_id="two")
    memory_id = remember(
        store,
        draft(
            "The user has a sister Ottilie in Brno",
            quote(turns(store, one.conversation_id)[0], "My sister Ottilie lives in Brno"),
            key="sister Ottilie",
            tags=["Ottilie", "Brno"],
            reasoning="The user named Ottilie.",
        ),
    )
    seen = draft("again", quote(turns(store, two.conversation_id)[0], "my sister in Brno"))
    store.write_now(lambda tx: memories.observe(tx, memories.pk_of(tx.db, memory_id), seen))
    return one, two, memory_id


def test_a_memory_that_rests_on_other_words_too_stays_but_says_only_those(store: Store, data: Path) -> None:
    one, _, memory_id = two_sources(store)
    edit(store, memory_id, "extraction", text="The user's sister Ottilie lives in Brno")
    assert forget_conversation(store, one.conversation_id).memories == 0
    left = memory(store, memory_id)
    assert left.text == "my sister in Brno"
    assert left.tags == ("Brno",)
    assert [s.quote for s in left.sources] == ["my sister in Brno"]
    assert not stands_in(data, "Ottilie")


def test_a_memory_whose_words_all_stand_in_what_is_left_keeps_its_wording(store: Store) -> None:
    _, two, memory_id = two_sources(store)
    before = memory(store, memory_id)
    forget_conversation(store, two.conversation_id)
    left = memory(store, memory_id)
    assert (left.text, left.key, left.tags, left.reasoning) == (before.text, before.key, before.tags, before.reasoning)
    assert len(left.sources) == 1


def test_a_follower_learns_that_a_memory_has_lost_a_source(store: Store) -> None:
    one, _, memory_id = two_sources(store)
    _, cursor = store.read_now(lambda db: changes.since(db, "", limit=1000))
    forget_conversation(store, one.conversation_id)
    found, _ = store.read_now(lambda db: changes.since(db, cursor, limit=1000))
    assert memory_id in {change.row.id for change in found}


def test_what_the_user_reworded_stays_without_what_extraction_had_said(store: Store, data: Path) -> None:
    gone = capture(store, ["My sister Ottilie lives in Brno"])
    source = quote(turns(store, gone.conversation_id)[0], "My sister Ottilie lives in Brno")
    written = draft(
        "The user has a sister Ottilie", source, key="ottilie", tags=["Ottilie"], reasoning="Named Ottilie."
    )
    memory_id = remember(store, written)
    edit(store, memory_id, "extraction", text="The user's sister Ottilie lives in Brno")
    edit(store, memory_id, text="I have one sister")
    assert forget_conversation(store, gone.conversation_id).memories == 0
    assert memory(store, memory_id).text == "I have one sister"
    assert not stands_in(data, "Ottilie")
    # ... and can still be changed.
    edit(store, memory_id, text="I have two sisters")
    edit(store, memory_id, text="I have three sisters")


def test_what_the_user_wrote_keeps_every_word_of_it(store: Store) -> None:
    gone = capture(store, ["My sister Ottilie lives in Brno"])
    own = draft("My sister Ottilie", key="Ottilie", tags=["Ottilie"])
    memory_id = remember(store, own, by_hand=True)
    again = draft("again", quote(turns(store, gone.conversation_id)[0], "My sister Ottilie"))
    store.write_now(lambda tx: memories.observe(tx, memories.pk_of(tx.db, memory_id), again))
    edit(store, memory_id, text="Ottilie is my sister")
    forget_conversation(store, gone.conversation_id)
    left = memory(store, memory_id)
    assert (left.text, left.key, left.tags, left.sources) == ("Ottilie is my sister", "Ottilie", ("Ottilie",), ())
    versions = store.read_now(lambda db: memories.history(db, memory_id))
    assert [version.text for version in versions] == ["My sister Ottilie"]


def test_a_key_and_tags_that_the_user_chose_stay_when_one_of_two_turns_goes(store: Store) -> None:
    one, _, memory_id = two_sources(store)
    edit(store, memory_id, key="Ottilie", tags=("Ottilie", "family"))
    forget_conversation(store, one.conversation_id)
    left = memory(store, memory_id)
    assert (left.key, left.tags) == ("Ottilie", ("Ottilie", "family"))


def test_a_key_that_the_user_chose_does_not_keep_a_memory_without_words(store: Store, data: Path) -> None:
    gone = capture(store, ["My sister Ottilie lives in Brno"])
    source = quote(turns(store, gone.conversation_id)[0], "My sister Ottilie lives in Brno")
    memory_id = remember(store, draft("The user has a sister Ottilie", source))
    edit(store, memory_id, key="family", status="archived")
    assert forget_conversation(store, gone.conversation_id).memories == 1
    assert not stands_in(data, "Ottilie")


def test_what_another_site_was_given_under_the_same_number_stays(store: Store) -> None:
    gone = capture(store, ["I keep bees"], site="a.test", external_id="1")
    capture(store, ["I keep bees"], site="b.test", external_id="1")
    for name, site in (("a", "a.test"), ("b", "b.test"), ("none", None)):
        store.write_now(
            lambda tx, n=name, s=site: injections.offer(tx, n, profile="me", site=s, external_id="1", hits=[n])
        )
        store.write_now(lambda tx, n=name: injections.inserted(tx, n, [n], external_id=None))
    forget_conversation(store, gone.conversation_id)
    assert store.read_now(lambda db: injections.given(db, profile="me", site="b.test", external_id="1")) == ["b"]


def test_a_title_made_from_forgotten_turns_goes_with_them(store: Store, data: Path) -> None:
    kept = capture(
        store, ["My rash is called Zoonosis", "Buy milk"], title="Zoonosis question", url="https://x.test/s/zoonosis-q"
    )
    source = quote(turns(store, kept.conversation_id)[0], "My rash is called Zoonosis")
    memory_id = remember(store, draft("The user has a rash", source))
    gone = store.write_now(lambda tx: forget.forget_memory(tx, memory_id, messages=True))
    empty_journal(store)
    assert (gone.memories, gone.messages) == (1, 1)
    assert not stands_in(data, "Zoonosis")
    assert [m.content for m in turns(store, kept.conversation_id)] == ["Buy milk"]


def test_a_memory_alone_goes_and_its_turn_stays(store: Store, data: Path) -> None:
    kept = capture(store, ["I keep bees"])
    source = quote(turns(store, kept.conversation_id)[0], "keep bees")
    memory_id = remember(store, draft("The user is an Apiarist", source))
    assert store.write_now(lambda tx: forget.forget_memory(tx, memory_id)).messages == 0
    empty_journal(store)
    assert not stands_in(data, "Apiarist")
    assert [m.content for m in turns(store, kept.conversation_id)] == ["I keep bees"]


@pytest.mark.parametrize(
    "script", ["Schneeeule", "СНЕГОВИК", "我喜欢雪人世界", "雪だるまの国", "ثلجرجل", "눈사람나라", "qzv\0nulword"]
)
def test_words_of_every_script_go(store: Store, data: Path, script: str) -> None:
    gone = capture(store, [f"one {script} two"])
    forget_conversation(store, gone.conversation_id)
    raw = raw_bytes(data)
    for form in (script, script.lower(), script.split("\0")[-1], script[:3]):
        assert form.encode() not in raw or len(form) < 3


def test_forgetting_a_large_conversation_leaves_none_of_its_words(store: Store, data: Path) -> None:
    chance = random.Random(5)

    def word() -> str:
        return "".join(chance.choices(string.ascii_lowercase, k=11))

    kept, gone = ([[word() for _ in range(30)] for _ in range(80)] for _ in range(2))
    for name, texts in (("kept", kept), ("gone", gone)):
        answer = capture(store, [" ".join(text).title() for text in texts], external_id=name)
    forget_conversation(store, answer.conversation_id)
    raw = raw_bytes(data)
    assert [w for text in gone for w in text if w.encode() in raw] == []
    assert all(w.encode() in raw for text in kept for w in text)


def test_a_vectors_bytes_go_with_what_they_stood_for(store: Store, data: Path) -> None:
    store.write_now(lambda tx: vectors.prepare(tx, "model", 16))
    gone, kept = capture(store, ["one"], external_id="gone"), capture(store, ["two"], external_id="kept")
    packed = {text: struct.pack("<16f", *(random.Random(text).random() for _ in range(16))) for text in ("one", "two")}
    items = store.read_now(lambda db: vectors.waiting(db, "model", 10))
    store.write_now(lambda tx: vectors.put(tx, "model", [(item, packed[item.text]) for item in items]))
    empty_journal(store)

    def on_disk(text: str) -> bool:
        return packed[text] in b"".join(f.read_bytes() for f in data.iterdir())

    assert on_disk("one")
    assert on_disk("two")
    forget_conversation(store, gone.conversation_id)
    assert not on_disk("one")
    assert on_disk("two")
    assert len(turns(store, kept.conversation_id)) == 1
