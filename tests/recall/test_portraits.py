"""The portrait of a profile: what holds now, in order, sorted again only where it changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from satchel.recall import portraits
from satchel.recall.portrait import SHOWN, Section, section_of
from satchel.recall.portraits import Portraits, SectionOf
from satchel.store import Store, forget, memories
from satchel.store.forget_plan import What
from satchel.types import Draft, Kind

DAY = 24 * 3600 * 1000
NOW = 1_780_000_000_000
WORDS = (  # noqa: SIM905 - a list of these is longer
    "amber basil cedar delta ember fjord grape hazel iris juniper kelp lotus maple nettle opal poppy"
).split()


class Clock:
    ms = NOW

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(tmp_path / "satchel", now=clock)
    yield opened
    opened.close()


def add(
    store: Store, text: str, kind: Kind = "fact", *, event_time: int | None = None, valid_to: int | None = None
) -> int:
    draft = Draft(kind=kind, text=text, key="k", tags=(), sources=(), valid_from=NOW - DAY, event_time=event_time)
    return store.write_now(lambda tx: memories.add(tx, draft, profile="me", by_hand=True, valid_to=valid_to))


def edit(store: Store, pk: int, **changes: object) -> None:
    new = memories.Edit(**changes)  # type: ignore[arg-type]
    store.write_now(lambda tx: memories.edit(tx, pk, new, by="user", change="edited"))


def read(store: Store, found: Portraits, now: int = NOW) -> dict[Section, SectionOf]:
    return {one.name: one for one in store.read_now(lambda db: found.of(db, "me", now=now))}


def test_sections_come_in_order_and_empty_ones_not_at_all(store: Store) -> None:
    assert read(store, Portraits()) == {}
    add(store, "Short answers.", "instruction")
    add(store, "The user works at Siemens.")
    add(store, "The user's sister is called Ada.")
    found = read(store, Portraits())
    assert list(found) == ["people", "work", "answers"]
    assert [one.total for one in found.values()] == [1, 1, 1]


def test_pinned_come_first_then_what_was_said_most_often_then_the_latest(store: Store, clock: Clock) -> None:
    pks = []
    for word in WORDS:
        clock.ms += 1
        pks.append(add(store, f"The user collects {word}."))
    edit(store, pks[0], pinned=True)
    edit(store, pks[3], observations=5)
    life = read(store, Portraits())["life"]
    assert (life.total, len(life.memories)) == (len(WORDS), SHOWN)
    named = [one.text.split()[-1].rstrip(".") for one in life.memories]
    assert named[:4] == [WORDS[0], WORDS[3], WORDS[-1], WORDS[-2]]


def test_only_what_holds_now_is_there(store: Store) -> None:
    gone = add(store, "The user lives in Porto.")
    doubted = add(store, "The user lives in Lyon.")
    add(store, "The user wants to order soup.", valid_to=NOW + DAY)
    found = Portraits()
    assert read(store, found)["you"].total == 2
    edit(store, gone, status="superseded")
    edit(store, doubted, status="resolving")
    after = read(store, found)
    assert [(one.text, one.status) for one in after["you"].memories] == [("The user lives in Lyon.", "resolving")]
    assert "plans" in after
    assert "plans" not in read(store, found, NOW + 2 * DAY)


def test_what_lay_ahead_has_happened_when_its_day_is_over(store: Store) -> None:
    add(store, "The user flies to Toronto.", "event", event_time=NOW + DAY)
    found = Portraits()
    assert list(read(store, found)) == ["plans"]
    assert list(read(store, found, NOW + 2 * DAY)) == ["happened"]


def test_what_happened_last_stands_first(store: Store) -> None:
    for days, word in enumerate(WORDS[:4]):
        add(store, f"The user planted {word}.", "event", event_time=NOW - (days + 1) * DAY)
    happened = read(store, Portraits())["happened"]
    assert [one.text.split()[-1].rstrip(".") for one in happened.memories] == WORDS[:4]


def test_only_what_is_new_or_changed_is_sorted_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    sorted_ = []

    def noted(kind: Kind, text: str, **more: object) -> Section:
        sorted_.append(text)
        return section_of(kind, text, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(portraits, "section_of", noted)
    found = Portraits()
    pks = [add(store, f"The user collects {word}.") for word in WORDS]
    assert read(store, found)["life"].total == len(WORDS)
    sorted_.clear()
    read(store, found)
    assert sorted_ == []
    edit(store, pks[2], text="The user works at Siemens.")
    add(store, "The user is called Ada.")
    assert {name: one.total for name, one in read(store, found).items()} == {"you": 1, "work": 1, "life": 15}
    assert sorted(sorted_) == ["The user is called Ada.", "The user works at Siemens."]


def test_what_is_forgotten_is_out_of_it(store: Store) -> None:
    found = Portraits()
    pk = add(store, "The user collects amber.")
    read(store, found)
    named = store.read_now(lambda db: memories.by_pks(db, [pk]))[pk].id
    store.write_now(lambda tx: forget.forget(tx, What(way="memory", profiles=None, memory=named, messages=False)))
    assert read(store, found) == {}
    add(store, "The user works at Siemens.")  # in the same place
    assert list(read(store, found)) == ["work"]
