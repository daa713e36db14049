"""From new messages to drafts: choose, say, check, date, align.

Only the user's turns give memories; what others said is context. Nothing is stored here, and nothing here
knows what is stored: `reconcile` decides that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from satchel.extract import align, choices, clauses, dates, gate, keys, rewrite, say
from satchel.extract.check import check, quote_check
from satchel.types import Draft, Kind, Message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from satchel.models import Embedder, Generator
    from satchel.models.registry import PromptFormat

MAX_DRAFTS = 8
"""Memories from one message, the likeliest ones: who says more than that at once has pasted something. A
choice's two come on top."""

CONTEXT_TURNS = 8
"""Earlier turns that are looked at."""

EMBED_BATCH = 32

LARGE = 20_000
"""Code points from which a message is cut and judged in a thread, to leave the event loop free."""

MAX_QUOTE = 600
"""Code points. A longer clause is not a statement: nothing is made of it."""


class Picked(msgspec.Struct, frozen=True):
    """A clause worth remembering: its place in the message without politeness, its kind, and how sure that
    is."""

    start: int
    end: int
    kind: Kind
    probability: float


async def extract(
    new: Sequence[Message],
    context: Sequence[Message],
    *,
    embedder: Embedder,
    generator: Generator | None,
    gate: gate.Gate,
    now: int,
    prompt_format: PromptFormat = "plain",
) -> list[Draft]:
    """The drafts that `new` messages give, in their order; `context` are the turns before them.

    Every draft's sources stand in its messages letter for letter. `now` (ms) bounds `valid_from`. With
    `generator` None, rules alone word the statements. Raises ModelError when a model fails, so that the job
    is tried again."""
    history = list(context)
    found: list[Draft] = []
    for message in new:
        if message.role == "user" and message.content.strip():
            found += await _from_turn(
                message,
                history[-CONTEXT_TURNS:],
                embedder=embedder,
                generator=generator,
                judge=gate,
                now=now,
                prompt_format=prompt_format,
            )
        history.append(message)
    return found


async def _from_turn(
    message: Message,
    before: Sequence[Message],
    *,
    embedder: Embedder,
    generator: Generator | None,
    judge: gate.Gate,
    now: int,
    prompt_format: PromptFormat,
) -> list[Draft]:
    chosen = [_bounded(draft, now) for draft in choices.drafts(message, before)]
    acted = {
        (source.start, source.end) for draft in chosen for source in draft.sources if source.message_id == message.id
    }
    found: list[Draft] = []
    for picked in await pick(message.content, embedder, judge):
        if any(start < picked.end and picked.start < end for start, end in acted):
            continue
        draft = await _draft(message, picked, generator, now, prompt_format)
        if draft is not None and all(draft.text != other.text for other in found):
            found.append(draft)
        await asyncio.sleep(0)
    known = {message.id: message, **{turn.id: turn for turn in before}}
    return [draft for draft in (*found, *chosen) if _rests_on(draft, known)]


async def pick(text: str, embedder: Embedder, judge: gate.Gate) -> list[Picked]:
    """The clauses of `text` that are worth remembering, in their order, at most `MAX_DRAFTS`."""
    cut = await asyncio.to_thread(_candidates, text) if len(text) > LARGE else _candidates(text)
    picked: list[Picked] = []
    for at in range(0, len(cut), EMBED_BATCH):
        batch = cut[at : at + EMBED_BATCH]
        texts = [clause.text for clause in batch]
        vectors: NDArray[np.float32] = np.asarray(await embedder.embed(texts), dtype=np.float32)
        for clause, verdict in zip(batch, judge.judge(texts, vectors), strict=True):
            if verdict.kind is None:
                continue
            start, end = rewrite.trim(clause.text)
            if start < end:
                picked.append(Picked(clause.start + start, clause.start + end, verdict.kind, verdict.probability))
    likeliest = sorted(picked, key=lambda one: -one.probability)[:MAX_DRAFTS]
    return sorted(likeliest, key=lambda one: one.start)


def _candidates(text: str) -> list[clauses.Clause]:
    return [
        clause for clause in clauses.split(text) if len(clause.text) <= MAX_QUOTE and gate.worth_embedding(clause.text)
    ]


async def _draft(
    message: Message, picked: Picked, generator: Generator | None, now: int, prompt_format: PromptFormat
) -> Draft | None:
    source = align.source(message, picked.start, picked.end)
    worded = await say.word(source.quote, picked.kind, generator, prompt_format=prompt_format)
    when = dates.find(source.quote, message.time)
    text = dates.annotate(worded.text, when)
    if worded.how == "quote":
        sound = quote_check(worded.text, source.quote)
    else:
        sound = check(text, source.quote, dates=dates.labels(when)).ok
    if not sound:
        return None
    return Draft(
        kind=picked.kind,
        text=text,
        key=keys.key(source.quote),
        tags=keys.tags(source.quote),
        sources=(source,),
        event_time=when[0].time if when and picked.kind in {"event", "fact"} else None,
        valid_from=min(message.time, now),
        how=worded.how,
    )


def _bounded(draft: Draft, now: int) -> Draft:
    return msgspec.structs.replace(draft, valid_from=min(draft.valid_from, now))


def _rests_on(draft: Draft, known: dict[str, Message]) -> bool:
    return bool(draft.sources) and all(
        source.message_id in known and align.stands(source, known[source.message_id]) for source in draft.sources
    )
