"""Conflicts among several, and whose a memory is after a decision."""

from __future__ import annotations

import pytest
from storing import DAY, Clock, capture, draft, quote, remember, said, turns

from satchel.store import Store, contradictions, decisions, forget, jobs, memories
from satchel.store.decisions import Decided, UndecidableError
from satchel.store.memories import Edit
from satchel.types import Memory, Status


def known(store: Store, text: str, status: Status = "resolving") -> int:
    remembered = remember(store, draft(text), by_hand=True)

    def settle(tx) -> int:  # type: ignore[no-untyped-def]
        pk = memories.pk_of(tx.db, remembered)
        memories.edit(tx, pk, Edit(status=status), by="extraction", change="contradicted")
        tx.db.execute("UPDATE memory SET by_hand = 0")
        return pk

    return store.write_now(settle)


def contradict(store: Store, one: int, *others: int) -> None:
    store.write_now(lambda tx: contradictions.add(tx, one, others))


def listed(store: Store) -> list[tuple[int, list[int]]]:
    return store.read_now(lambda db: contradictions.open_ones(db, ("me",)))


def decide(store: Store, pk: int, decision: Decided) -> list[Memory]:
    return store.write_now(lambda tx: decisions.decide(tx, pk, decision))


def status(store: Store, pk: int) -> str:
    return store.read_now(lambda db: memories.by_pks(db, [pk])[pk].status)


def owned(store: Store, pk: int) -> bool:
    return store.read_now(lambda db: memories.is_users_own(db, pk))


def test_each_conflict_is_told_once_with_all_that_it_contradicts(store: Store) -> None:
    one, two, three = (known(store, text) for text in ("in Turin", "in Rome", "in Oslo"))
    contradict(store, three, one, two)
    contradict(store, two, one)
    beside, own = known(store, "vegan"), known(store, "eats meat", "active")
    contradict(store, beside, own)
    assert listed(store) == [(beside, [own]), (three, [two, one])]
    assert store.read_now(lambda db: contradictions.open_ones(db, ("work",))) == []


def test_what_is_settled_otherwise_is_asked_about_no_more(store: Store) -> None:
    one, two = known(store, "in Turin"), known(store, "in Rome")
    contradict(store, two, one)
    over = Edit(status="superseded")
    for pk in (one, two):
        store.write_now(lambda tx, pk=pk: memories.edit(tx, pk, over, by="extraction", change="superseded"))
    assert listed(store) == []
    with pytest.raises(UndecidableError):
        decide(store, one, "this")


def test_with_several_others_the_right_one_must_be_named(store: Store) -> None:
    one, two, three = (known(store, text) for text in ("in Turin", "in Rome", "in Oslo"))
    contradict(store, three, one, two)
    with pytest.raises(UndecidableError, match="2 others"):
        decide(store, three, "other")
    assert {status(store, pk) for pk in (one, two, three)} == {"resolving"}
    changed = decide(store, one, "this")
    assert {memory.status for memory in changed[:2]} == {"active", "superseded"}
    # Nothing speaks against the second any more. Nobody decided that it is so: extraction may still change it.
    assert [status(store, pk) for pk in (one, two, three)] == ["active", "active", "superseded"]
    assert [owned(store, pk) for pk in (one, two, three)] == [True, False, True]
    assert listed(store) == []


@pytest.mark.parametrize("decision", ["this", "other", "both"])
def test_whatever_is_decided_is_the_users_own_though_nothing_of_it_changes(store: Store, decision: Decided) -> None:
    new, old = known(store, "in Rome"), known(store, "in Turin", "active")
    contradict(store, new, old)
    for memory in decide(store, new, decision):
        pk = store.read_now(lambda db, memory=memory: memories.pk_of(db, memory.id))
        assert owned(store, pk)
        assert store.read_now(lambda db, memory=memory: memories.history(db, memory.id))[-1].changed_by == "user"


def test_what_ends_does_not_end_before_it_began(store: Store, clock: Clock) -> None:
    early, late = known(store, "in Turin"), known(store, "in Rome")
    contradict(store, late, early)
    store.write_now(lambda tx: memories.edit(tx, late, Edit(valid_from=clock.ms + DAY), by="user", change="edited"))
    changed = {memory.text: memory for memory in decide(store, early, "this")}
    ended = changed["in Rome"].valid_to
    assert ended is not None
    assert ended >= changed["in Rome"].valid_from


def test_an_edited_message_waits_to_be_read_before_anybody_is_asked(store: Store, clock: Clock) -> None:
    done = capture(store, [said("I like tea.", "m1")])
    (turn,) = turns(store, done.conversation_id)
    memory_id = remember(store, draft("The user likes tea.", quote(turn, "I like tea.")))
    clock.ms += 1000

    def waits() -> list[str]:
        found, _ = store.read_now(lambda db: decisions.page(db, profiles=None, page=1, size=10))
        return [one.memory.id for one in found]

    def read(job_id: str | None) -> None:
        assert job_id is not None
        store.write_now(jobs.claim)
        store.write_now(lambda tx: jobs.complete(tx, job_id, []))

    read(done.job_id)
    assert waits() == []
    edited = capture(store, [said("I like coffee.", "m1")])
    assert waits() == []
    read(edited.job_id)
    assert waits() == [memory_id]
    clock.ms += 1000
    pk = store.read_now(lambda db: memories.pk_of(db, memory_id))
    store.write_now(lambda tx: memories.edit(tx, pk, Edit(pinned=True), by="user", change="pinned"))
    assert waits() == []  # who pins it has looked at it


def test_a_change_is_later_than_the_one_before_even_within_a_millisecond(store: Store) -> None:
    pk = known(store, "in Turin")
    seen = []
    for text in ("a", "b", "c"):
        store.write_now(lambda tx, text=text: memories.edit(tx, pk, Edit(text=text), by="user", change="edited"))
        seen.append(store.read_now(lambda db: memories.by_pks(db, [pk])[pk].updated_at))
    assert seen == sorted(set(seen))


# More than one conflict


def change(store: Store, pk: int, changes: Edit) -> None:
    store.write_now(lambda tx: memories.edit(tx, pk, changes, by="extraction", change="changed"))


@pytest.mark.parametrize("decision", ["this", "other", "both"])
def test_a_decision_leaves_a_memory_the_end_that_it_has(store: Store, clock: Clock, decision: Decided) -> None:
    tonight, meat = known(store, "wants no meat tonight"), known(store, "eats meat")
    contradict(store, tonight, meat)
    ends = clock.ms + DAY
    for pk in (tonight, meat):
        change(store, pk, Edit(valid_to=ends))
    held = [memory for memory in decide(store, tonight, decision) if memory.status == "active"]
    assert held
    assert {memory.valid_to for memory in held} == {ends}


@pytest.mark.parametrize(("asked", "decision"), [("new", "both"), ("new", "other"), ("old", "both")])
def test_what_contradicts_yet_another_still_waits(store: Store, asked: str, decision: Decided) -> None:
    own, old, new = known(store, "in Turin", "active"), known(store, "in Rome"), known(store, "in Oslo")
    contradict(store, old, own)
    contradict(store, new, old)
    if asked == "old":  # asked about beside `own`, so both are decided: nothing is left
        decide(store, old, decision)
        assert listed(store) == []
        assert {status(store, pk) for pk in (own, old, new)} == {"active"}
        return
    decide(store, new, decision)
    assert status(store, old) == "resolving"
    assert owned(store, old)
    assert listed(store) == [(old, [own])]
    decide(store, old, "other")
    assert listed(store) == []
    assert (status(store, own), status(store, old)) == ("active", "superseded")


def test_what_was_not_seen_is_not_decided(store: Store) -> None:
    one, two, three = (known(store, text) for text in ("in Turin", "in Rome", "in Oslo"))
    contradict(store, three, one)
    seen = [store.read_now(lambda db, pk=pk: memories.by_pks(db, [pk])[pk].id) for pk in (one, two)]
    contradict(store, three, two)
    for wrong in ([], seen[:1], [*seen, "another"]):
        with pytest.raises(UndecidableError, match="changed meanwhile; look at it again"):
            store.write_now(lambda tx, wrong=wrong: decisions.decide(tx, three, "this", seen=wrong))
    assert {status(store, pk) for pk in (one, two, three)} == {"resolving"}
    store.write_now(lambda tx: decisions.decide(tx, three, "this", seen=seen[::-1]))
    assert [status(store, pk) for pk in (one, two, three)] == ["superseded", "superseded", "active"]


@pytest.mark.parametrize("messages", [False, True])
def test_what_contradicted_only_a_forgotten_memory_holds(store: Store, messages: bool) -> None:
    done = capture(store, [said("I live in Rome.", "m1")])
    (turn,) = turns(store, done.conversation_id)
    named = remember(store, draft("The user lives in Rome.", quote(turn, "I live in Rome.")))
    rome = store.read_now(lambda db: memories.pk_of(db, named))
    turin, lonely, oslo, own = (
        known(store, text, state)
        for text, state in (
            ("in Turin", "resolving"),
            ("in Bath", "resolving"),
            ("in Oslo", "resolving"),
            ("x", "active"),
        )
    )
    contradict(store, rome, turin, oslo)
    contradict(store, oslo, own)
    store.write_now(lambda tx: forget.forget_memory(tx, named, messages=messages))
    assert [status(store, pk) for pk in (turin, lonely, oslo)] == ["active", "resolving", "resolving"]
    assert not owned(store, turin)
    assert listed(store) == [(oslo, [own]), (lonely, [])]


@pytest.mark.parametrize("state", ["superseded", "archived", "candidate"])
def test_what_contradicted_only_what_is_over_holds(store: Store, state: Status) -> None:
    one, two, lonely = known(store, "in Turin"), known(store, "in Rome"), known(store, "in Bath")
    contradict(store, two, one)
    assert store.write_now(lambda tx: contradictions.release_beside(tx, [one, two, lonely])) == []
    change(store, two, Edit(status=state))
    assert store.write_now(lambda tx: contradictions.release_beside(tx, [two, lonely])) == [one]
    assert [status(store, pk) for pk in (one, lonely)] == ["active", "resolving"]
    assert not owned(store, one)
