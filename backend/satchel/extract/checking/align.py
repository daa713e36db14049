"""Finding a quote in its message again, so that a memory can point at the very words it came from.

Offsets count Unicode code points. The span found is always the message's own text: a quote that differs in
case, white space or typographic quotation marks is found, and the message's form is what is kept."""

from __future__ import annotations

import unicodedata
from typing import Literal, NamedTuple

from satchel.types import Message, Source

_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " "})


class Span(NamedTuple):
    """Where a quote stands: `content[start:end]`, and how it was found."""

    start: int
    end: int
    how: Literal["exact", "folded"]


def find(content: str, quote: str, start: int = 0) -> Span | None:
    """The first place at or after `start` where `quote` stands in `content`, else None.

    Exact first; otherwise case, white space and typographic marks may differ. A place that would cut a word
    or an accent off its letter gives way to a later one that does not, and a cut-off accent is never
    accepted."""
    quote = quote.strip()
    if not quote:
        return None
    return _exact(content, quote, start) or _folded(content, quote, start)


def _exact(content: str, quote: str, start: int) -> Span | None:
    first: Span | None = None
    at = content.find(quote, start)
    while at >= 0:
        end = at + len(quote)
        if not _cuts_character(content, at, end):
            if not _cuts_word(content, at, end):
                return Span(at, end, "exact")
            first = first or Span(at, end, "exact")
        at = content.find(quote, at + 1)
    return first


def _folded(content: str, quote: str, start: int) -> Span | None:
    needle = "".join(_fold(quote)[0])
    if not needle:
        return None
    letters, places = _fold(content[start:])
    text = "".join(letters)
    first: Span | None = None
    at = text.find(needle)
    while at >= 0:
        last = at + len(needle)
        # One code point can fold to several ("ß" to "ss"): the match must begin and end between code points.
        whole = (at == 0 or places[at - 1] != places[at]) and (last == len(text) or places[last - 1] != places[last])
        begin, end = start + places[at], start + places[last - 1] + 1
        if whole and not _cuts_character(content, begin, end):
            if not _cuts_word(content, begin, end):
                return Span(begin, end, "folded")
            first = first or Span(begin, end, "folded")
        at = text.find(needle, at + 1)
    return first


def _fold(text: str) -> tuple[list[str], list[int]]:
    """`text` with case and marks folded and runs of white space made one space; and where each part came
    from."""
    letters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if letters and letters[-1] == " ":
                continue
            folded = " "
        else:
            folded = character.translate(_SAME).casefold()
        letters.extend(folded)
        places.extend([place] * len(folded))
    return letters, places


def _cuts_character(content: str, start: int, end: int) -> bool:
    """Whether a cut at `start` or `end` parts a letter from its accents, or an emoji from its joined
    parts."""
    return any(
        0 < cut < len(content) and (_joins(content[cut]) or content[cut] == "\u200d" or content[cut - 1] == "\u200d")
        for cut in (start, end)
    )


def _joins(character: str) -> bool:
    return unicodedata.combining(character) != 0 or character in "\ufe0e\ufe0f" or "🏻" <= character <= "🏿"


def _cuts_word(content: str, start: int, end: int) -> bool:
    return any(
        0 < cut < len(content) and content[cut - 1].isalnum() and content[cut].isalnum() and content[cut].isascii()
        for cut in (start, end)
    )


def source(message: Message, start: int, end: int) -> Source:
    """The source that points at `message.content[start:end]`. Raises ValueError for an empty or outside
    span."""
    if not 0 <= start < end <= len(message.content):
        raise ValueError(f"{start}-{end} is not a span of a message of {len(message.content)} characters")
    return Source(
        message_id=message.id,
        conversation_id=message.conversation_id,
        start=start,
        end=end,
        quote=message.content[start:end],
        revision=message.revision,
    )


def align(message: Message, quote: str, start: int = 0) -> Source | None:
    """The source for `quote` in `message`, its quote as the message has it; None when it does not stand
    there."""
    span = find(message.content, quote, start)
    return None if span is None else source(message, span.start, span.end)


def stands(candidate: Source, message: Message) -> bool:
    """Whether the source's quote is what the message has at its place, letter for letter."""
    return (
        candidate.message_id == message.id
        and 0 <= candidate.start < candidate.end
        and message.content[candidate.start : candidate.end] == candidate.quote
    )
