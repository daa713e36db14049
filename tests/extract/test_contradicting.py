"""What memories that were derived again contradict, worked out from their words."""

from __future__ import annotations

from pathlib import Path

import pytest

from satchel.extract import contradicting
from satchel.store import Store, contradictions, memories
from satchel.store.memories import Edit
from store.storing import Clock, capture, draft, quote, remember, turns


@pytest.fixture
def store(tmp_path: Path):  # type: ignore[no-untyped-def]
    store = Store(tmp_path / "data", now=Clock())
    yield store
    store.close()


def said(store: Store, chat: str, text: str, *, resolving: bool = True, profile: str = "me") -> str:
    done = capture(store, [text], external_id=chat, profile=profile)
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


def test_what_fills_the_same_slot_otherwise_is_contradicted_and_nothing_else(store: Store) -> None:
    turin = said(store, "a", "The user lives in Turin.")
    said(store, "b", "The user's sister lives in Ghent.")
    said(store, "c", "The user lives in Oslo.", profile="work")
    said(store, "d", "The user lives in Lyon.", resolving=False)  # it holds: nobody is asked about it
    rome = said(store, "e", "The user lives in Rome.")
    store.write_now(lambda tx: contradicting.relate(tx, [rome]))
    assert pairs(store, rome) == [turin]
    assert pairs(store, turin) == [rome]


def test_what_is_the_users_own_is_contradicted_though_it_stays_active(store: Store) -> None:
    own = remember(store, draft("The user lives in Turin."), by_hand=True)
    rome = said(store, "e", "The user lives in Rome.")
    store.write_now(lambda tx: contradicting.relate(tx, [rome, own]))
    assert pairs(store, rome) == [own]


def test_the_same_content_denied_is_contradicted(store: Store) -> None:
    likes = said(store, "a", "The user likes coriander.")
    dislikes = said(store, "b", "The user doesn't like coriander.")
    store.write_now(lambda tx: contradicting.relate(tx, [likes, dislikes]))
    assert pairs(store, dislikes) == [likes]
