"""A statement that adds, loses or turns something is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.checking.check import check
from satchel.extract.language.words import content, plain, same, words


@pytest.mark.parametrize(
    ("quote", "statement", "problem"),
    [
        ("I chose 7 Days Inn", "The user chose 7 Days in Ibiza.", "added"),
        ("I hate long bullet lists", "The user has a tendency to use long bullet lists.", "lost"),
        ("my father used to work", "The user used to work.", "lost"),
        ("my father sails", "The user is a father who sails.", "ok"),
        ("my father sails", "The user has a father who sails.", "ok"),
        ("my parrot screams", "The user is a parrot, screams.", "subject"),
        ("I don't eat meat", "The user does eat meat.", "negation"),
        ("I eat meat", "The user doesn't eat meat.", "negation"),
        ("I was a nurse", "The user is a nurse.", "tense"),
        ("I had two dogs", "The user has two dogs.", "tense"),
        ("I prefer trains to planes", "The user prefers planes to trains.", "order"),
        ("I pay 300 euros", "The user pays 200 euros.", "added"),
        ("I might move", "The user moves.", "lost"),
        ("I only drink tea", "The user drinks tea.", "lost"),
        ("I live in Porto", "", "empty"),
        ("I leave next week", "The user leaves next week [week of 2025-06-16].", "added"),
    ],
)
def test_what_a_wording_changes_is_named(quote: str, statement: str, problem: str) -> None:
    found = check(statement, quote)
    if problem == "ok":
        assert "lost" not in found.problems
        assert "added" not in found.problems
    else:
        assert problem in found.problems


def test_a_resolved_date_may_be_added_and_another_may_not() -> None:
    statement = "The user leaves next week [week of 2025-06-16]."
    assert check(statement, "I leave next week", dates=("week of 2025-06-16",)).ok
    assert not check(statement, "I leave next week", dates=("week of 2025-06-23",)).ok


def test_context_may_lend_words_but_none_of_them_are_required() -> None:
    assert check("The user chose Hilton.", "I chose that one", context="the options are Hilton and Ibis").added == ()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_every_text_says_what_it_says(text: str) -> None:
    found = check(text, text)
    assert found.added == ()
    assert found.lost == ()
    assert "order" not in found.problems


@given(st.text(max_size=40))
def test_plain_text_keeps_its_length(text: str) -> None:
    assert len(plain(text)) == len(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("carry", "carries"), ("house", "houses"), ("train", "Trains"), ("Mia's", "Mia"), ("box", "boxes")],
)
def test_endings_do_not_make_another_word(one: str, other: str) -> None:
    assert same(one) == same(other)


def test_tense_makes_another_word() -> None:
    assert same("worked") != same("work")


def test_numbers_and_scripts_are_words() -> None:
    assert words("3.5 kg, 7-Eleven; 我住") == ["3.5", "kg", "7-Eleven", "我", "住"]
    assert content("I am the one with a T-shirt") == ["on", "t-shirt"]
