"""A few months of one person's statements through the worker's `settle`, with real vectors in a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from satchel.extract.dialogue.choices import Chosen
from satchel.extract.worker import settle
from satchel.store import Store, memories, vectors
from satchel.types import Draft, Kind, Memory, Status
from store.storing import NOON, Clock, capture, quote, said, turns

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Tell = Callable[..., Memory]
NEW_YEAR = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "store", now=Clock(NOON))
    yield opened
    opened.close()


@pytest.fixture
def tell(store: Store, embed: Embed) -> Tell:
    """Says a statement on a day in a conversation of its own, or in a named one, and settles it."""
    count = 0

    def tell(
        text: str,
        *,
        day: int,
        kind: Kind = "fact",
        chat: str | None = None,
        correction: bool = False,
        chosen: bool = False,
    ) -> Memory:
        nonlocal count
        count += 1
        at = NEW_YEAR + timedelta(days=day, minutes=count)
        recorded = capture(
            store, [said(text, id=f"m{count}", sent_at=at.isoformat())], external_id=chat or f"chat {count}"
        )
        message = turns(store, recorded.conversation_id)[-1]
        draft = (Chosen if chosen else Draft)(
            kind=kind, text=text, key="k", tags=(), sources=(quote(message, text),), valid_from=message.time,
            correction=correction, reasoning="The user chose it." if chosen else None,
        )  # fmt: skip
        vector = embed([text])[0]

        def settled(tx: object) -> int | None:
            vectors.prepare(tx, "embedder", len(vector))  # type: ignore[arg-type]
            return settle(tx, draft, "me", vectors.Meaning("embedder", vector.tobytes()), "embedder")  # type: ignore[arg-type]

        pk = store.write_now(settled)
        assert pk is not None
        return store.read_now(lambda db: memories.by_pks(db, [pk])[pk])

    return tell


def held(store: Store, *statuses: Status) -> list[str]:
    found, _ = store.read_now(lambda db: memories.page(db, profiles=["me"], statuses=statuses or ("active",), size=500))
    return sorted(memory.text for memory in found)


FILLER: Sequence[str] = [
    f"The user {verb} {thing}."
    for verb in ("likes", "once repaired", "reads about", "collects")
    for thing in ("old clocks", "maps of the Alps", "fountain pens", "jazz records", "moss", "board games", "tin toys",
                  "bread ovens", "stamps", "bonsai", "chess problems", "radio plays", "kites", "violins", "tide tables")
]  # fmt: skip


def test_half_a_year_of_changes_leaves_the_current_values_and_no_others(store: Store, tell: Tell, embed: Embed) -> None:
    embed(FILLER)  # in one go: each call loads the model
    before = ["The user lives in Ghent.", "The user works as a data analyst at Bellwether.", "The user is vegetarian.",
              "The user swims on Tuesdays.", "The user drives a Golf.", "The user's sister Ana lives in Oslo.",
              "The user has a dog called Rex.", "The user's landlord is Mr Berg.", "The user drinks two coffees"
                                                                                   " every morning.",
              "The user's exam is on 3 May."]  # fmt: skip
    for day, text in enumerate(before):
        tell(text, day=day)
    for day, text in enumerate(FILLER, 10):
        tell(text, day=day, kind="explicit_preference" if "likes" in text else "fact")
    again = ["The user has been vegetarian for years.", "The user's job is data analyst.", "The user is based in"
                                                                                           " Ghent.",
             "The user might move to Bruges.", "The user has a dog."]  # fmt: skip
    for day, text in enumerate(again, 75):
        tell(text, day=day)
    after = ["The user moved to Bruges.", "The user joined Initech.", "The user eats meat again.",
             "The user moved swimming to Thursdays.", "The user sold the car.", "The user's sister has moved to"
                                                                                " Bergen.",
             "Rex died.", "The user's landlord is now Ms Holt.", "The user quit coffee.", "The user's exam was moved"
                                                                                          " to 10 May."]  # fmt: skip
    for day, text in enumerate(after, 100):
        tell(text, day=day)
    tell("The user lives in Bruges.", day=130)
    assert held(store) == sorted([*after, *FILLER])
    assert held(store, "superseded") == sorted([*before, "The user might move to Bruges."])
    assert held(store, "resolving", "candidate") == []


def test_conversations_that_arrive_late_change_nothing_that_is_current(store: Store, tell: Tell) -> None:
    for text, day in (
        ("The user lives in Oslo.", 90),
        ("The user lives in Ghent.", 1),
        ("The user moved to Turin.", 50),
    ):
        tell(text, day=day)
    assert held(store) == ["The user lives in Oslo."]
    found, _ = store.read_now(lambda db: memories.page(db, profiles=["me"], statuses=("superseded",)))
    spans = {memory.text: (memory.valid_from, memory.valid_to) for memory in found}
    assert spans["The user lives in Ghent."][1] == spans["The user moved to Turin."][0]


def test_a_correction_in_the_same_conversation_replaces_what_was_said(store: Store, tell: Tell) -> None:
    tell("There is a hawk in the user's garden.", day=1, chat="birds")
    tell("It's an owl, not a hawk.", day=1, chat="birds", correction=True)
    assert held(store) == ["It's an owl, not a hawk."]


def test_hints_count_for_and_against_and_say_so(store: Store, tell: Tell) -> None:
    window, aisle = (f"The user may prefer {one} seats over {other} seats."
                     for one, other in (("window", "aisle"), ("aisle", "window")))  # fmt: skip
    tell(window, day=1, kind="implicit_preference", chosen=True)
    tell(window, day=2, kind="implicit_preference", chosen=True)
    counted = tell(window, day=3, kind="implicit_preference", chosen=True)
    assert counted.reasoning == "Seen 3 times in 3 conversations, last on 2026-01-04. The user chose it."
    assert (counted.status, counted.observations) == ("active", 3)
    for day in (4, 5, 6):
        tell(aisle, day=day, kind="implicit_preference", chosen=True)
    assert held(store, "candidate") == sorted([window, aisle])
    tell(aisle, day=7, kind="implicit_preference", chosen=True)
    assert (held(store), held(store, "superseded")) == ([aisle], [window])
    tell(window, day=8, kind="implicit_preference", chosen=True)
    back = tell(window, day=9, kind="implicit_preference", chosen=True)
    assert back.reasoning is not None
    assert back.reasoning.startswith("Seen 5 times in 5 conversations, last on 2026-01-10; the opposite 4 times.")
    assert (held(store), held(store, "superseded")) == ([window], [aisle])
    assert back.valid_to is None
    tell("The user prefers aisle seats over window seats.", day=10, kind="explicit_preference")
    assert held(store) == ["The user prefers aisle seats over window seats."]


def test_what_the_user_pinned_stays_and_the_contradiction_is_resolving(store: Store, tell: Tell) -> None:
    pinned = tell("The user lives in Ghent.", day=1)
    store.write_now(
        lambda tx: memories.edit(
            tx, memories.pk_of(tx.db, pinned.id), memories.Edit(pinned=True), by="user", change="pinned"
        )
    )
    assert tell("The user moved to Turin.", day=9).status == "resolving"
    assert held(store) == ["The user lives in Ghent."]
