"""Where memories stand in a portrait, told by their words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from satchel.extract.saying import keys
from satchel.recall.portrait import SECTIONS, SHOWN, Section, section_of, shown, within
from satchel.types import KINDS, Kind, Memory

DAY = 24 * 3600 * 1000
NOW = 1_780_000_000_000
EXAMPLES = [
    line.split(" | ")
    for line in (Path(__file__).parent / "portrait_examples.txt").read_text("utf-8").splitlines()
    if not line.startswith("#")
]


def section(kind: str, text: str) -> Section:
    event_time = {"+": NOW + DAY, "-": NOW - DAY}.get(kind[-1])
    plain: Kind = kind.rstrip("+-")  # type: ignore[assignment]
    return section_of(plain, text, tags=keys.tags(text), event_time=event_time, now=NOW)


@pytest.mark.parametrize(("half", "right"), [(0, 0.99), (1, 0.96)], ids=["tuned on", "held out"])
def test_statements_stand_where_one_looks_for_them(half: int, right: float) -> None:
    examples = EXAMPLES[half::2]
    wrong = [(told, text) for told, kind, text in examples if section(kind, text) != told]
    assert len(examples) >= 75
    assert {told for told, _, _ in examples} == set(SECTIONS)
    assert 1 - len(wrong) / len(examples) >= right, wrong


def memory(text: str, number: int = 0, kind: Kind = "fact") -> Memory:
    return Memory(id=str(number), profile="me", kind=kind, text=text, key="k")


@settings(deadline=None)
@given(st.sampled_from(KINDS), st.text(max_size=200), st.none() | st.integers(0, 2 * NOW))
def test_every_memory_has_one_section(kind: Kind, text: str, event_time: int | None) -> None:
    found = section_of(kind, text, event_time=event_time, now=NOW)
    assert found in SECTIONS
    assert (found == "preferences") == (kind in ("explicit_preference", "implicit_preference"))
    assert (found == "answers") == (kind == "instruction")
    if kind == "event":
        assert found in ("plans", "happened")


def test_a_plan_whose_day_is_over_is_none_any_more() -> None:
    text = "The user is going to visit Rome on 3 May."
    assert section_of("fact", text, event_time=NOW + DAY, now=NOW) == "plans"
    assert section_of("fact", text, event_time=NOW - DAY, now=NOW) != "plans"
    assert section_of("event", text, event_time=NOW - DAY, now=NOW) == "happened"


def test_what_nothing_tells_apart_is_part_of_life() -> None:
    assert section_of("fact", "Zorblax frumious.", now=NOW) == "life"


def test_what_says_nearly_the_same_is_shown_once() -> None:
    same = ["The user lives in Porto.", "the user lives in Porto", "The user has lived in Lyon."]
    assert [m.text for m in shown(memory(text, n) for n, text in enumerate(same))] == [same[0], same[2]]
    many = [memory(f"The user knows a person called {chr(65 + n)}na{chr(97 + n)}.", n) for n in range(26)]
    assert shown(many) == many[:SHOWN]


@settings(deadline=None)
@given(
    st.dictionaries(st.sampled_from(SECTIONS), st.lists(st.integers(1, 3000), max_size=SHOWN)),
    st.integers(0, 20_000),
)
def test_what_is_shown_fits_and_no_section_takes_anothers_room(sizes: dict[Section, list[int]], room: int) -> None:
    given_ = {name: [memory("x" * size, n) for n, size in enumerate(those)] for name, those in sizes.items()}
    kept = within(given_, lambda one: len(one.text), room)
    assert sum(len(one.text) for those in kept.values() for one in those) <= room
    for name, those in kept.items():
        assert those == [one for one in given_[name] if one in those]
    if all(size <= room // 100 for those in sizes.values() for size in those):
        assert kept == given_
