"""A quote points at the very words of its message, or at nothing."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from satchel.extract.checking import align
from satchel.types import Message

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def message(content: str) -> Message:
    return Message(id="m", conversation_id="c", role="user", content=content, time=0, position=0)


@given(content=TEXT, quote=TEXT)
@example(content="a\0b", quote="\0")
@example(content="Straße", quote="s")
@example(content="STRASSE", quote="straße")
@example(content="👩‍👩‍👧 and 👩", quote="👩")
@example(content="İstanbul", quote="i̇stanbul")
def test_a_source_is_always_what_its_message_says(content: str, quote: str) -> None:
    source = align.align(message(content), quote)
    if source is not None:
        assert source.quote == content[source.start : source.end]
        assert source.quote
        assert align.stands(source, message(content))


@given(before=TEXT, quote=TEXT, after=TEXT)
def test_a_quote_between_spaces_is_found(before: str, quote: str, after: str) -> None:
    content = f"{before} {quote} {after}"
    if quote.strip() and not quote.strip()[0].isspace():
        first, last = quote.strip()[0], quote.strip()[-1]
        if first.isalnum() and last.isalnum() and first.isascii() and last.isascii():
            source = align.align(message(content), quote)
            assert source is not None
            assert source.quote == quote.strip() or source.start <= len(before) + 1


@pytest.mark.parametrize(
    ("content", "quote", "found"),
    [
        ("I live in Porto.", "I live in Porto", "I live in Porto"),
        ("so I  LIVE\nin Porto", "i live in porto", "I  LIVE\nin Porto"),
        ("I can’t stand it", "I can't stand it", "I can’t stand it"),
        ("a party of art lovers", "art", "art"),
        ("日本語と我住在杭州", "我住在杭州", "我住在杭州"),
    ],
)
def test_case_white_space_and_marks_may_differ_and_the_message_s_form_is_kept(
    content: str, quote: str, found: str
) -> None:
    source = align.align(message(content), quote)
    assert source is not None
    assert source.quote == found


@pytest.mark.parametrize(
    ("content", "quote"),
    [
        ("I live in Porto", "I live in Lisbon"),
        ("cafe\u0301 au lait", "cafe"),
        ("👍🏽", "👍"),
        ("Straße", "Stras"),
        ("anything", " \n"),
        ("", "a"),
    ],
)
def test_what_does_not_stand_there_or_would_be_cut_apart_is_not_found(content: str, quote: str) -> None:
    assert align.align(message(content), quote) is None


@pytest.mark.parametrize(("start", "end"), [(0, 0), (3, 2), (-1, 2), (0, 99)])
def test_a_span_outside_the_message_is_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a span"):
        align.source(message("hello"), start, end)
