"""What a correction corrects: "no, I moved to Porto", "I meant Thursday", "it's an owl, not a hawk"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from satchel.extract.reconciling.ending import contrasts
from satchel.extract.reconciling.slots import slots, type_of
from satchel.extract.reconciling.stance import stance
from satchel.extract.reconciling.statement import lemmas, read
from satchel.types import Draft, Memory

OVERLAP = 0.5
"""Share of the shorter's content words that a correction has in common with what was said before in the same
conversation."""

NEAR = 0.3
"""Cosine from which a memory of another conversation may be what "X, not Y" is about."""


def corrected(draft: Draft, living: Sequence[tuple[Memory, float]]) -> tuple[Memory, ...]:
    """The memories that a correcting draft replaces; empty when what it corrects is not known.

    `living` are memories that hold, of other messages, with their cosine. What was said later than the draft stands."""
    known = [(memory, cosine) for memory, cosine in living if memory.valid_from <= draft.valid_from]
    known.sort(key=lambda pair: (not _same_conversation(draft, pair[0]), -pair[1]))
    return (
        _by_contrast(draft, known)
        or _by_slot(draft, known)
        or _by_kind_of_value(draft, known)
        or _by_words(draft, known)
    )


def _same_conversation(draft: Draft, memory: Memory) -> bool:
    return bool(
        {source.conversation_id for source in draft.sources} & {source.conversation_id for source in memory.sources}
    )


def _by_slot(draft: Draft, known: Sequence[tuple[Memory, float]]) -> tuple[Memory, ...]:
    """The memories that fill the same slot otherwise."""
    mine = [one for one in slots(draft.text) if not one.denied and one.mode != "past"]
    return tuple(
        memory
        for memory, _ in known
        if any(
            one.same_matter(other) and one.mode == other.mode and not other.denied and not one.agrees(other)
            for one in mine
            for other in slots(memory.text)
        )
    )


def _by_contrast(draft: Draft, known: Sequence[tuple[Memory, float]]) -> tuple[Memory, ...]:
    """ "X, not Y": the memory with Y in it, of this conversation if there is one."""
    told = [pair for text in (draft.text, *(source.quote for source in draft.sources)) for pair in contrasts(text)]
    for right, wrong in told:
        holding = [
            (memory, cosine)
            for memory, cosine in known
            if set(wrong) <= set(lemmas(read(memory.text).text))
            and not set(right) <= set(lemmas(read(memory.text).text))
        ]
        here = [memory for memory, _ in holding if _same_conversation(draft, memory)]
        if here:
            return tuple(here)
        near = [memory for memory, cosine in holding if cosine >= NEAR]
        if near:
            return (near[0],)
    return ()


_MEANT = re.compile(
    r"\b(?:meant|mean|should (?:be|say)|it is|make that|rather)\b:? (?:(?:the|an?|on|at|in) )?(?P<value>.+)$", re.I
)


def _by_kind_of_value(draft: Draft, known: Sequence[tuple[Memory, float]]) -> tuple[Memory, ...]:
    """ "I meant Thursday": what was said in this conversation with another day in it."""
    match = _MEANT.search(read(draft.text).text)
    if match is None:
        return ()
    kind, value = type_of(match["value"]), set(lemmas(match["value"]))
    if kind in {"word", "name"}:
        return ()
    for memory, _ in known:
        if _same_conversation(draft, memory) and any(
            one.type == kind and not set(one.value) & value for one in slots(memory.text)
        ):
            return (memory,)
    return ()


def _by_words(draft: Draft, known: Sequence[tuple[Memory, float]]) -> tuple[Memory, ...]:
    """What was said in this conversation in much the same words."""
    mine = set(stance(draft.text).matter)
    for memory, _ in known:
        theirs = set(stance(memory.text).matter)
        shared = len(mine & theirs)
        if (
            _same_conversation(draft, memory)
            and shared
            and shared >= OVERLAP * min(len(mine), len(theirs))
            and mine != theirs
        ):
            return (memory,)
    return ()
