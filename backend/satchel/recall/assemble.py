"""The context that goes before a prompt, within a budget of tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from satchel.recall import layout
from satchel.types import Candidate, Style

Count = Callable[[Sequence[str]], Awaitable[list[int]]]
"""How many tokens each text has for the model."""


class Assembled(msgspec.Struct, frozen=True, kw_only=True):
    """`context` is one block between marker lines, or empty; `hits` are those in it, best first."""

    context: str
    tokens: int
    hits: list[Candidate]


EMPTY = Assembled(context="", tokens=0, hits=[])


async def assemble(
    hits: Sequence[Candidate], *, query: str, now: int, budget: int, style: Style | None = None, count: Count
) -> Assembled:
    """As many of `hits` (best first) as fit `budget` tokens, laid out for the language of `query`.

    Without a `style` it is the full one where its frame leaves at least half of the budget, else the
    compact one. Never more than `budget` tokens by `count`; when not even one hit fits, nothing.
    """
    if not hits or budget <= 0:
        return EMPTY
    full, compact = layout.words_for(query, "full"), layout.words_for(query, "compact")
    frames = await count([layout.block([], full, now=now), layout.block([], compact, now=now)])
    if style is None:
        style = "full" if 2 * frames[0] <= budget else "compact"
    words, frame = (full, frames[0]) if style == "full" else (compact, frames[1])
    lines = [layout.line(hit, words, query=query) for hit in hits]
    headings = {section: heading + "\n" for section, heading in words.headings.items()}
    sizes = await count([*(line.text + "\n" for line in lines), *headings.values()])
    heading_sizes = dict(zip(headings, sizes[len(lines) :], strict=True))
    chosen: list[layout.Line] = []
    used = frame
    for line, size in zip(lines, sizes, strict=False):
        more = size
        if all(line.section != other.section for other in chosen):
            more += heading_sizes.get(line.section, 0)
        if used + more <= budget:
            chosen.append(line)
            used += more
    # Tokens of the parts need not add up to those of the whole: the whole decides.
    while chosen:
        context = layout.block(layout.order(chosen), words, now=now)
        (tokens,) = await count([context])
        if tokens <= budget:
            return Assembled(context=context, tokens=tokens, hits=[line.hit for line in chosen])
        chosen.pop()
    return EMPTY


def prompt(context: str, query: str) -> str:
    """What is sent: the block, a blank line, the question; the question alone where there is no context."""
    return f"{context}\n\n{query}" if context else query
