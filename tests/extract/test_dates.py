"""Relative dates are resolved against the message's time, and ordinary words are never taken for dates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking import dates
from satchel.times import parse_iso

TUESDAY = parse_iso("2025-06-10T09:30:00Z")


@pytest.mark.parametrize(
    ("clause", "phrase", "label"),
    [
        ("I saw her yesterday", "yesterday", "2025-06-09"),
        ("we leave next week", "next week", "week of 2025-06-16"),
        ("My appointment has been moved to 2 July", "2 July", "2025-07-02"),
        ("I ran it on 20 December", "20 December", "2024-12-20"),
        ("we moved on 3 May", "3 May", "2025-05-03"),
        ("I've been at it since 3 June", "3 June", "2025-06-03"),
        ("I moved here last March", "last March", "2025-03"),
        ("I moved here last autumn", "last autumn", "2024-09"),
        ("My exam is on 5 July", "5 July", "2025-07-05"),
        ("The flight is tomorrow at 6pm", "tomorrow at 6pm", "2025-06-11"),
        ("Day after tomorrow we get the keys", "Day after tomorrow", "2025-06-12"),
        ("I graduated in 2019", "in 2019", "2019"),
        ("I met him on Friday", "on Friday", "2025-06-06"),
        ("I'll see him on Friday", "on Friday", "2025-06-13"),
        ("I start next Friday", "next Friday", "2025-06-20"),
        ("she was born on May 5th, 1990", "May 5th, 1990", "1990-05-05"),
        ("I started three weeks ago", "three weeks ago", "week of 2025-05-19"),
        ("I have been here since January", "since January", "2025-01"),
        ("I retire in two years", "in two years", "2027"),
        ("I'm away this weekend", "this weekend", "weekend of 2025-06-14"),
        ("上周我去了北京", "上周", "week of 2025-06-02"),
        ("我2019年5月搬到了上海", "2019年5月", "2019-05"),
    ],
)
def test_a_phrase_is_resolved_and_kept(clause: str, phrase: str, label: str) -> None:
    (when,) = dates.find(clause, TUESDAY)
    assert (when.words, when.label) == (phrase, label)
    assert clause[when.start : when.end] == phrase


@pytest.mark.parametrize(
    "clause",
    [
        "I may come", "the sun is out", "wait a second", "we march on", "every Monday I swim", "I swim on Mondays",
        "I swim every last Friday", "the 31st of February", "2025-13-45", "in 3 days a week", "April is my sister",
        "I sat in seat 12 a", "room 1984",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_date_is_none(clause: str) -> None:
    assert dates.find(clause, TUESDAY) == ()


PHRASES = [
    *("yesterday", "next week", "last month", "in 999 years", "on Friday", "last summer", "3 days ago", "5 May"),
    *("this weekend", "next year", "明年", "back in 1900", "since June", "29 February", "900 years ago"),
]


@given(
    st.lists(st.sampled_from(PHRASES), max_size=4),
    st.one_of(
        st.integers(min_value=-(10**18), max_value=10**18),
        st.sampled_from([-62135596800000, 253402300799999, 0]),
    ),
)
def test_no_time_is_too_far_away(phrases: list[str], said_at: int) -> None:
    for when in dates.find(" and ".join(phrases), said_at):
        assert when.label


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_no_text_raises(text: str) -> None:
    dates.find(text, TUESDAY)


def test_the_date_follows_the_words_it_explains_and_never_enters_a_quotation() -> None:
    found = dates.find("I leave next week for Rome", TUESDAY)
    assert (
        dates.annotate("The user leaves next week for Rome.", found)
        == "The user leaves next week [week of 2025-06-16] for Rome."
    )
    assert dates.annotate("The user said: “I leave next week”", found).endswith("week” [week of 2025-06-16]")
    assert dates.annotate("The user graduated in 2019.", dates.find("I graduated in 2019", TUESDAY)).endswith("2019.")


@pytest.mark.parametrize(
    ("clause", "label"),
    [
        ("We get the keys a week on Friday", "2026-03-20"),
        ("back at work on Friday week", "2026-03-20"),
        ("Three years ago this month I had a stroke", "2023-03"),
        ("I'm off from 3 August, sorry, 10 August, for my knee", "2026-08-10"),
        ("Ich bin seit Januar in Rente", "2026-01"),
        ("Je déménage le 12 juin", "2026-06-12"),
        ("Me mudé el mes pasado", "2026-02"),
        ("来月から大阪で一人暮らしを始めます", "2026-04"),
    ],
)
def test_more_ways_to_name_a_day(clause: str, label: str) -> None:
    assert [when.label for when in dates.find(clause, parse_iso("2026-03-06T10:00:00Z"))] == [label]


def test_what_was_not_taken_back_stands() -> None:
    both = dates.find("I was off on 3 August and on 10 August", parse_iso("2026-09-06T10:00:00Z"))
    assert [when.label for when in both] == ["2026-08-03", "2026-08-10"]


def test_english_words_are_no_foreign_days() -> None:
    assert dates.find("the hier of the house was den mars", parse_iso("2026-03-06T10:00:00Z")) == ()
