from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.store.names import Name
from satchel.types import BadInputError


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ottilie", "I met OTTILIE."),
        ("ottilie", "Óttïlie’s cake"),
        ("Ottilie", "Ottilies Kuchen"),
        ("Ottilie", "ask @ottilie_b"),
        ("José", "JOSE said so"),
        ("Jose", "Jose\u0301 said so"),
        ("Søren", "Soren sails"),
        ("Łukasz", "lukasz"),
        ("Strauß", "STRAUSS"),
        ("Anna Maria", "Anna-Maria's and anna  maria"),
        ("O'Brien", "o’brien"),
        ("李雷", "我和李雷去"),
        ("Дмитрий", "ДМИТРИЙ"),
    ],
)
def test_a_name_is_found(name: str, text: str) -> None:
    assert Name(name).stands_in(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Ann", "annual, Anna, banns, channels"),
        ("Anna Maria", "Maria Anna"),
        ("Li", "list"),
        ("Ottilie", ""),
        ("May", "maybe"),
    ],
)
def test_a_part_of_a_word_is_no_name(name: str, text: str) -> None:
    assert not Name(name).stands_in(text)


@pytest.mark.parametrize("name", ["", "x", " - ", "a" * 201])
def test_what_cannot_be_a_name_is_refused(name: str) -> None:
    with pytest.raises(BadInputError):
        Name(name)


letters = st.text(st.characters(categories=("Lu", "Ll")), min_size=2, max_size=12)


@given(
    name=letters, before=st.text(" .,(\n'", max_size=3), after=st.sampled_from(["", "'s", "’s", "s", ", ", ")", "\n"])
)
def test_a_name_is_found_in_every_form_that_it_is_written_in(name: str, before: str, after: str) -> None:
    for form in (name, name.upper(), name.lower(), unicodedata.normalize("NFD", name)):
        assert Name(name).stands_in(f"x {before}{form}{after}")
