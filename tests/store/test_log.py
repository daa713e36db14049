"""The log, and the memories that rest on it, one claim at a time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from storing import DAY, NOON, Clock, capture, draft, quote, remember, said, turns

from satchel.store import Store, changes, jobs, log, memories
from satchel.times import to_iso
from satchel.types import BadInputError


def revisions(store: Store, conversation_id: str) -> list[list[str]]:
    found = store.read_now(lambda db: log.revisions_of(db, conversation_id))
    return [[r.content for r in each] for each in found.values()]


def test_the_same_message_twice_changes_nothing(store: Store) -> None:
    first = capture(store, [said("a", "m1"), "yes", "yes"])
    before = store.read_now(lambda db: changes.since(db, "", limit=100))
    again = capture(store, [said("a", "m1"), "yes", "yes"])
    assert (again.accepted, again.duplicates) == (0, 3)
    assert (again.message_ids, again.job_id) == (first.message_ids, first.job_id)
    assert store.read_now(lambda db: changes.since(db, "", limit=100)) == before


def test_the_same_id_with_other_words_is_a_revision_and_the_old_words_are_kept(store: Store) -> None:
    first = capture(store, [said("one", "m1")])
    second = capture(store, [said("two", "m1")])
    assert second.message_ids == first.message_ids
    assert second.job_id != first.job_id
    (turn,) = turns(store, first.conversation_id)
    assert (turn.content, turn.revision) == ("two", 2)
    assert revisions(store, first.conversation_id) == [["one"]]


def test_words_that_were_an_earlier_revision_are_a_late_repeat_and_no_change_back(store: Store) -> None:
    first = capture(store, [said("one", "m1")])
    capture(store, [said("two", "m1")])
    late = capture(store, [said("one", "m1")])
    assert (late.accepted, late.duplicates) == (0, 1)
    (turn,) = turns(store, first.conversation_id)
    assert (turn.content, turn.revision) == ("two", 2)


def test_what_arrives_out_of_order_is_listed_in_the_order_it_was_said(store: Store) -> None:
    kept = capture(store, [said("third", sent_at="2026-03-03"), said("first", sent_at="2026-03-01")])
    capture(store, [said("second", sent_at="2026-03-02")])
    assert [m.content for m in turns(store, kept.conversation_id)] == ["first", "second", "third"]


def test_a_turn_without_a_time_is_filed_under_that_of_the_turn_before_it(store: Store) -> None:
    sent = [said("a", sent_at="2026-03-01T09:00Z"), said("b", role="assistant"), said("c", sent_at="2026-03-01T09:02Z")]
    kept = capture(store, sent)
    found = turns(store, kept.conversation_id)
    assert [m.content for m in found] == ["a", "b", "c"]
    assert found[1].time == found[0].time
    assert found[1].sent_at is None


def test_a_turn_without_a_time_that_begins_a_call_is_not_filed_after_the_turns_behind_it(store: Store) -> None:
    kept = capture(store, ["a", said("b", sent_at="2026-03-01T09:02Z")])
    assert [m.content for m in turns(store, kept.conversation_id)] == ["a", "b"]


def test_what_a_site_without_times_says_next_week_was_said_next_week(store: Store, clock: Clock) -> None:
    kept = capture(store, [said("a", "m1", sent_at=to_iso(NOON - 300 * DAY))])
    clock.ms += 7 * DAY
    capture(store, [said("a", "m1"), said("b", "m2")])
    assert [m.time for m in turns(store, kept.conversation_id)] == [NOON - 300 * DAY, NOON + 7 * DAY]


def test_a_site_whose_clock_is_a_little_ahead_keeps_its_order(store: Store, clock: Clock) -> None:
    kept = capture(store, [said("a", sent_at=to_iso(clock.ms + 60_000))])
    capture(store, [said("b", role="assistant")])
    assert [m.content for m in turns(store, kept.conversation_id)] == ["a", "b"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1, max_size=8), st.integers(0, 3))
def test_turns_sent_in_order_read_back_in_order(steps: list[tuple[int, bool]], ago: int) -> None:
    at, sent = NOON - ago * DAY, []
    for number, (hours, timed) in enumerate(steps):
        at += hours * 3600 * 1000
        sent.append(said(f"turn {number}", sent_at=to_iso(at) if timed else None))
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder), now=Clock())
        kept = capture(store, sent)
        assert [m.content for m in turns(store, kept.conversation_id)] == [m.content for m in sent]
        store.close()


def test_profiles_and_sites_have_conversations_of_their_own(store: Store) -> None:
    places = [("me", "a"), ("me", "b"), ("work", "a")]
    kept = {p: capture(store, [said("x", "m1")], profile=p[0], site=p[1]).conversation_id for p in places}
    assert len(set(kept.values())) == 3
    found, total = store.read_now(lambda db: log.conversations(db, profiles=["me"], page=1, size=10))
    assert total == len(found) == 2


def test_a_memory_without_its_words_is_refused(store: Store) -> None:
    kept = capture(store, ["I keep bees"])
    (turn,) = turns(store, kept.conversation_id)
    right = quote(turn, "keep bees")
    for wrong in (
        type(right)(message_id="none", conversation_id="c", start=0, end=1, quote="I"),
        type(right)(message_id=turn.id, conversation_id="c", start=0, end=1, quote="i"),
        type(right)(message_id=turn.id, conversation_id="c", start=0, end=0, quote=""),
        type(right)(message_id=turn.id, conversation_id="c", start=2, end=99, quote="keep bees and wasps"),
    ):
        with pytest.raises(ValueError, match="does not stand in its message"):
            remember(store, draft("The user keeps bees", right, wrong))
    with pytest.raises(ValueError, match="needs the words"):
        remember(store, draft("The user keeps bees"))
    assert store.read_now(memories.counts) == {}


@pytest.mark.parametrize("before", ["", "a\0b ", "👩‍👩‍👧 ", "é好 "])
def test_a_memory_rests_on_old_words_only_when_its_message_says_them_no_more(store: Store, before: str) -> None:
    kept = capture(store, [said(f"{before}I keep bees", "m1")])
    (turn,) = turns(store, kept.conversation_id)
    memory_id = remember(store, draft("The user keeps bees", quote(turn, "I keep bees")))

    def old_words() -> list[int]:
        return store.read_now(lambda db: memories.resting_on_old_words(db, [turn.id]))

    assert old_words() == []
    capture(store, [said(f"{before}I keep bees!", "m1")])
    assert old_words() == []
    capture(store, [said(f"{before}I keep wasps", "m1")])
    assert old_words() == [store.read_now(lambda db: memories.pk_of(db, memory_id))]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "9" * 19, "9" * 5000, " 1", "１", "1_0"])
def test_a_cursor_that_no_answer_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(BadInputError, match="`since`"):
        store.read_now(lambda db: changes.since(db, cursor, limit=1))


def test_words_read_again_after_an_edit_take_the_place_of_the_old_ones(store: Store) -> None:
    mia = "My daughter Mia is allergic to peanuts."
    kept = capture(store, [said(f"I live in Turin. {mia}", "m1")])
    (turn,) = turns(store, kept.conversation_id)
    memory_id = remember(store, draft("Mia is allergic to peanuts", quote(turn, mia)))
    pk = store.read_now(lambda db: memories.pk_of(db, memory_id))
    for number, opening in enumerate(("Hello! I moved to Rome.", "I moved!"), start=2):
        capture(store, [said(f"{opening} {mia}", "m1")])
        (turn,) = turns(store, kept.conversation_id)
        again = draft("Mia is allergic to peanuts", quote(turn, mia))
        assert not store.write_now(lambda tx, d=again: memories.observe(tx, pk, d))
        memory = store.read_now(lambda db: memories.memory(db, memory_id))
        assert [turn.content[s.start : s.end] for s in memory.sources] == [mia]
        assert [s.revision for s in memory.sources] == [number]
        assert memory.observations == 1
    elsewhere = capture(store, [mia], external_id="c2")
    again = draft("again", quote(turns(store, elsewhere.conversation_id)[0], mia))
    assert store.write_now(lambda tx: memories.observe(tx, pk, again))
    assert store.read_now(lambda db: memories.memory(db, memory_id)).observations == 2


def test_of_two_quotes_in_an_edited_message_the_one_that_stands_stays(store: Store) -> None:
    kept = capture(store, [said("I keep bees. I love bees.", "m1")])
    (turn,) = turns(store, kept.conversation_id)
    memory_id = remember(store, draft("Bees", quote(turn, "I keep bees."), quote(turn, "I love bees.")))
    capture(store, [said("I keep bees. Yes, I adore bees.", "m1")])
    (turn,) = turns(store, kept.conversation_id)
    again = draft("Bees", quote(turn, "I adore bees."))
    store.write_now(lambda tx: memories.observe(tx, memories.pk_of(tx.db, memory_id), again))
    memory = store.read_now(lambda db: memories.memory(db, memory_id))
    assert [(s.quote, s.revision) for s in memory.sources] == [("I keep bees.", 2), ("I adore bees.", 2)]
    assert all(turn.content[s.start : s.end] == s.quote for s in memory.sources)


def test_a_source_tells_in_which_revision_its_quote_stands(store: Store) -> None:
    kept = capture(store, [said("I keep bees", "m1")])
    (turn,) = turns(store, kept.conversation_id)
    memory_id = remember(store, draft("Bees", quote(turn, "I keep bees")))
    capture(store, [said("I keep wasps", "m1")])
    (source,) = store.read_now(lambda db: memories.memory(db, memory_id)).sources
    assert (source.revision, turns(store, kept.conversation_id)[0].revision) == (1, 2)


def test_what_others_wrote_never_hides_what_lies_behind_it(store: Store) -> None:
    for number in range(9):
        capture(store, [f"turn {number}"], profile="work" if number in (4, 8) else "me", external_id=f"c{number}")
    seen, cursor = [], ""
    while True:
        found, cursor = store.read_now(lambda db, c=cursor: changes.since(db, c, limit=3, profiles=["work"]))
        if not found:
            break
        seen += found
    assert {change.profile for change in seen} == {"work"}
    assert len(seen) == 4
    capture(store, ["later"], profile="work", external_id="later")
    found, _ = store.read_now(lambda db: changes.since(db, cursor, limit=3, profiles=["work"]))
    assert len(found) == 2


def test_the_jobs_of_some_profiles_are_listed_however_many_others_there_are(store: Store) -> None:
    mine = capture(store, ["mine"], profile="work")
    for number in range(4):
        capture(store, ["theirs"], external_id=f"c{number}")
    found = store.read_now(lambda db: jobs.listed(db, "queued", 3, profiles=["work"]))
    assert [job.id for job in found] == [mine.job_id]


@pytest.mark.parametrize("change", [{"kind": "event"}, {"key": "k"}, {"tags": ("t",)}, {"status": "archived"}])
def test_what_the_user_changed_is_the_users_own(store: Store, change: dict[str, object]) -> None:
    kept = capture(store, ["I keep bees"])
    memory_id = remember(store, draft("Bees", quote(turns(store, kept.conversation_id)[0], "I keep bees")))
    pk = store.read_now(lambda db: memories.pk_of(db, memory_id))
    for by, owned in (("extraction", False), ("user", True)):
        other = {"extraction": {"text": "Bees!"}, "user": change}[by]
        store.write_now(lambda tx, b=by, c=other: memories.edit(tx, pk, memories.Edit(**c), by=b, change="edited"))
        assert store.read_now(lambda db: memories.is_users_own(db, pk)) == owned
