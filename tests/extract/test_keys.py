"""Keys are short and made of the quote's own words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.extract.saying import keys


@pytest.mark.parametrize(
    ("quote", "key", "tags"),
    [
        (
            "I've decided to go to Guangzhou for the summer vacation",
            "Guangzhou summer vacation",
            ("guangzhou", "summer", "vacation"),
        ),
        ("I live in Porto and prefer trains to planes", "Porto trains planes", ("porto", "trains", "planes")),
        ("I can't stand phone calls", "Phone calls", ("phone", "calls")),
        ("I was born in 1984 in Graz", "Born 1984 Graz", ("1984", "graz", "born")),
        ("我住在杭州", "杭州", ("杭州",)),
        ("I hike", "Hike", ("hike",)),
    ],
)
def test_a_key_names_what_the_memory_is_about(quote: str, key: str, tags: tuple[str, ...]) -> None:
    assert keys.key(quote) == key
    assert keys.tags(quote) == tags


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_key_is_never_empty_and_never_long(text: str) -> None:
    assert 1 <= len(keys.key(text)) <= 80 + 1
    assert len(keys.tags(text)) <= keys.TAGS
    assert all(tag and len(tag) <= 40 for tag in keys.tags(text))
