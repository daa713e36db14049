"""What memories that were derived again contradict, worked out from their words."""

from __future__ import annotations

from pathlib import Path

import pytest

from satchel.extract import contradicting, worker
from satchel.extract.reconciling import reconcile
from satchel.store import Store, contradictions, forget, memories, vectors
from satchel.store.memories import Edit
from store.storing import Clock, capture, draft, quote, remember, turns
from store.storing import said as message


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    store = Store(tmp_path / "data", now=Clock())
    yield store
    store.close()


def said(store: Store, chat: str, text: str, *, resolving: bool = True, profile: str = "me") -> str:
    done = capture(store, [message(text, "m1")], external_id=chat, profile=profile)
    (turn,) = turns(store, done.conversation_id)
    memory_id = remember(store, draft(text, quote(turn, text)), profile=profile)
    if resolving:
        edit = Edit(status="resolving")
        store.write_now(
            lambda tx: memories.edit(tx, memories.pk_of(tx.db, memory_id), edit, by="extraction", change="derived")
        )
    return memory_id


def pairs(store: Store, memory_id: str) -> list[str]:
    def look(db):  # type: ignore[no-untyped-def]
        return [m.id for m in memories.by_pks(db, contradictions.against(db, memories.pk_of(db, memory_id))).values()]

    return store.read_now(look)  # type: ignore[no-any-return]


def relate(store: Store, memory_ids: list[str]) -> None:
    found = store.read_now(lambda db: contradicting.look(db, memory_ids))
    store.write_now(lambda tx: contradicting.relate(tx, found))


def test_what_fills_the_same_slot_otherwise_is_contradicted_and_nothing_else(store: Store) -> None:
    turin = said(store, "a", "The user lives in Turin.")
    said(store, "b", "The user's sister lives in Ghent.")
    said(store, "c", "The user lives in Oslo.", profile="work")
    said(store, "d", "The user lives in Lyon.", resolving=False)  # it holds: nobody is asked about it
    rome = said(store, "e", "The user lives in Rome.")
    relate(store, [rome])
    assert pairs(store, rome) == [turin]
    assert pairs(store, turin) == [rome]


def test_what_is_the_users_own_is_contradicted_though_it_stays_active(store: Store) -> None:
    own = remember(store, draft("The user lives in Turin."), by_hand=True)
    rome = said(store, "e", "The user lives in Rome.")
    relate(store, [rome, own])
    assert pairs(store, rome) == [own]


def test_the_same_content_denied_is_contradicted(store: Store) -> None:
    likes = said(store, "a", "The user likes coriander.")
    dislikes = said(store, "b", "The user doesn't like coriander.")
    relate(store, [likes, dislikes])
    assert pairs(store, dislikes) == [likes]


def test_what_was_settled_or_forgotten_before_it_is_noted_is_not_noted(store: Store) -> None:
    rome, *others = (
        said(store, town, f"The user lives in {town}.") for town in ("Rome", "Turin", "Oslo", "Bath", "Ghent")
    )
    turin, oslo, bath, ghent = others
    found = store.read_now(lambda db: contradicting.look(db, [rome]))
    assert set(found[rome]) == set(others)

    def meanwhile(tx):  # type: ignore[no-untyped-def]
        forget.forget_memory(tx, turin)
        edit = Edit(status="active")
        memories.edit(tx, memories.pk_of(tx.db, oslo), edit, by="extraction", change="settled")
        memories.edit(tx, memories.pk_of(tx.db, bath), edit, by="user", change="settled")  # the user's own: it counts

    store.write_now(meanwhile)
    store.write_now(lambda tx: contradicting.relate(tx, found))
    assert set(pairs(store, rome)) == {bath, ghent}
    over = store.read_now(lambda db: contradicting.look(db, [ghent]))
    store.write_now(lambda tx: forget.forget_memory(tx, ghent))
    store.write_now(lambda tx: contradicting.relate(tx, over))
    assert pairs(store, rome) == [bath]


# Released by the worker


def state(store: Store, memory_id: str) -> str:
    return store.read_now(lambda db: memories.memory(db, memory_id).status)


def contradict(store: Store, one: str, other: str) -> None:
    store.write_now(lambda tx: contradictions.add(tx, memories.pk_of(tx.db, one), [memories.pk_of(tx.db, other)]))


def test_what_contradicted_only_words_that_were_edited_away_holds(store: Store) -> None:
    turin = said(store, "a", "The user lives in Turin.")
    rome, lonely = said(store, "b", "The user lives in Rome."), said(store, "c", "The user lives in Oslo.")
    contradict(store, rome, turin)
    capture(store, [message("Good morning!", "m1")], external_id="a")
    held = store.read_now(lambda db: memories.memory(db, turin)).sources
    (turn,) = turns(store, held[0].conversation_id)
    assert turn.content == "Good morning!"
    changed = store.write_now(lambda tx: worker._withdraw(tx, [turn.id]))
    assert [state(store, one) for one in (turin, rome, lonely)] == ["superseded", "active", "resolving"]
    assert set(changed) == {turin, rome}


def test_what_contradicted_only_what_a_later_statement_ended_holds(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    turin, rome = (said(store, chat, f"The user lives in {chat}.") for chat in ("Turin", "Rome"))
    contradict(store, rome, turin)
    done = capture(store, ["The user left Turin."], external_id="later")
    (turn,) = turns(store, done.conversation_id)
    monkeypatch.setattr(reconcile, "decide", lambda *_, **__: reconcile.Supersede(memory_ids=(turin,)))
    later = draft(turn.content, quote(turn, turn.content))

    def settle(tx):  # type: ignore[no-untyped-def]
        vectors.prepare(tx, "m" * 64, 8)
        return worker.settle(tx, later, "me", vectors.Meaning("m" * 64, b"\0\0\x80?" * 8), "m" * 64)

    store.write_now(settle)
    assert (state(store, turin), state(store, rome)) == ("superseded", "active")
