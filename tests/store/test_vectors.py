"""The index of meaning."""

from __future__ import annotations

import math
import struct

import pytest
from storing import capture, draft, remember, said

from satchel.store import Store, log, vectors


def pack(*values: float, width: int = 8) -> bytes:
    """A unit vector that begins with these numbers."""
    length = math.sqrt(sum(v * v for v in values))
    return struct.pack(f"<{width}f", *(v / length for v in values), *[0.0] * (width - len(values)))


def waiting(store: Store, model: str = "model") -> list[vectors.Waiting]:
    return store.read_now(lambda db: vectors.waiting(db, model, 100))


def fill(store: Store, model: str = "model", /, **by_text: bytes) -> None:
    items = [(item, by_text[item.text]) for item in waiting(store, model) if item.text in by_text]
    store.write_now(lambda tx: vectors.put(tx, model, items))


def nearest(
    store: Store, vector: bytes, profile: str = "me", k: int = 10, model: str = "model"
) -> list[tuple[str, float]]:
    def look(db):
        pk = log.profile_pk(db, profile)
        found = vectors.nearest(db, "turn", vectors.Meaning(model, vector), profile=pk or 0, k=k)
        return [(db.execute("SELECT content FROM message WHERE pk = ?", (p,)).get, round(s, 3)) for p, s in found]

    return store.read_now(look)


@pytest.fixture
def prepared(store: Store) -> Store:
    store.write_now(lambda tx: vectors.prepare(tx, "model", 8))
    return store


def test_before_the_first_vector_nothing_is_near(store: Store) -> None:
    capture(store, ["a"])
    assert nearest(store, pack(1, 0)) == []


def test_the_nearest_come_first_with_their_cosine(prepared: Store) -> None:
    capture(prepared, ["east", "northeast", "north", "west"])
    fill(prepared, east=pack(1, 0), northeast=pack(1, 1), north=pack(0, 1), west=pack(-1, 0))
    assert nearest(prepared, pack(1, 0)) == [("east", 1.0), ("northeast", 0.707), ("north", 0.0), ("west", -1.0)]
    assert [text for text, _ in nearest(prepared, pack(1, 0), k=2)] == ["east", "northeast"]
    assert nearest(prepared, pack(1, 0), k=100_000)[0] == ("east", 1.0)


def test_one_profile_never_sees_anothers(prepared: Store) -> None:
    capture(prepared, ["mine"], profile="me")
    capture(prepared, ["works"], profile="work")
    fill(prepared, mine=pack(0, 1), works=pack(1, 0))
    assert [text for text, _ in nearest(prepared, pack(1, 0), "me")] == ["mine"]
    assert [text for text, _ in nearest(prepared, pack(1, 0), "work")] == ["works"]
    assert nearest(prepared, pack(1, 0), "nobody") == []


def test_another_model_queues_everything_again_and_the_same_model_nothing(prepared: Store) -> None:
    capture(prepared, ["a", said("b", role="assistant"), said("c", role="system")])
    remember(prepared, draft("m"), by_hand=True)
    fill(prepared, a=pack(1, 0), b=pack(1, 0), m=pack(1, 0))
    prepared.write_now(lambda tx: vectors.prepare(tx, "model", 8))
    assert waiting(prepared) == []
    assert len(nearest(prepared, pack(1, 0))) == 2
    prepared.write_now(lambda tx: vectors.prepare(tx, "another", 16))
    assert sorted((item.type, item.text) for item in waiting(prepared, "another")) == [
        ("memory", "m"),
        ("turn", "a"),
        ("turn", "b"),
    ]
    assert nearest(prepared, pack(1, width=16), model="another") == []
    fill(prepared, "another", a=pack(1, width=16))
    assert nearest(prepared, pack(1, width=16), model="another") == [("a", 1.0)]


def test_memories_come_first_and_what_is_new_before_what_is_old(prepared: Store) -> None:
    capture(prepared, ["old", "new"])
    remember(prepared, draft("m"), by_hand=True)
    assert [item.text for item in waiting(prepared)] == ["m", "new", "old"]
    assert [item.text for item in prepared.read_now(lambda db: vectors.waiting(db, "model", 2))] == ["m", "new"]


def test_a_vector_made_for_words_that_changed_meanwhile_is_not_stored(prepared: Store) -> None:
    capture(prepared, [said("before", "m1")])
    stale = waiting(prepared)
    capture(prepared, [said("after", "m1")])
    prepared.write_now(lambda tx: vectors.put(tx, "model", [(item, pack(1, 0)) for item in stale]))
    assert nearest(prepared, pack(1, 0)) == []
    assert [item.text for item in waiting(prepared)] == ["after"]


def test_a_changed_turn_is_found_by_its_new_meaning_alone(prepared: Store) -> None:
    capture(prepared, [said("before", "m1")])
    fill(prepared, before=pack(1, 0))
    capture(prepared, [said("after", "m1")])
    assert nearest(prepared, pack(1, 0)) == []
    fill(prepared, after=pack(0, 1))
    assert nearest(prepared, pack(1, 0)) == [("after", 0.0)]
