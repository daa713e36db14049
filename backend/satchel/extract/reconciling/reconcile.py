"""A new draft against what is known already: the same again, something newer, a contradiction, or new.

A pure decision: nothing is read or written here, and nothing is ever deleted. What the user wrote by hand,
edited or pinned is never superseded; a contradiction with it is for the user to settle.

`statement` takes sentences apart, `slots` finds what one has one of at a time, `stance` says what is the same and what
ends what, `evidence` counts hints. Here they are put together."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeAlias

import msgspec

from satchel.extract.dialogue.choices import Chosen
from satchel.extract.reconciling import evidence
from satchel.extract.reconciling.evidence import PROMOTE_AFTER, Weighed
from satchel.extract.reconciling.rivals import DAY_MS, Near, against, slots_against
from satchel.extract.reconciling.slots import slot, slots
from satchel.extract.reconciling.stance import SAME_MEANING, Likeness, likeness, plain_statement
from satchel.extract.reconciling.statement import read
from satchel.types import Draft, Memory, Source, Status

__all__ = [
    "PROMOTE_AFTER", "SAME_MEANING", "Decision", "Ignore", "New", "Observe", "Resolve", "Supersede", "decide", "slot",
    "told_by",
]  # fmt: skip


class New(msgspec.Struct, frozen=True):
    """Store it. `status` is superseded, with `valid_to`, when something newer on the same matter is known; the memories
    `cut` were then true until its `valid_from` only. `weighed` are hints that it speaks against."""

    status: Status = "active"
    valid_to: int | None = None
    cut: tuple[str, ...] = ()
    weighed: tuple[Weighed, ...] = ()


class Observe(msgspec.Struct, frozen=True):
    """The same as `memory_id`: one more observation and its sources; `status` when that changes its
    status. `ended` is over by what it says, `weighed` are hints that it speaks against."""

    memory_id: str
    status: Status | None = None
    ended: tuple[str, ...] = ()
    weighed: tuple[Weighed, ...] = ()


class Supersede(msgspec.Struct, frozen=True):
    """Store it as active; `memory_ids` were true until its `valid_from`."""

    memory_ids: tuple[str, ...]


class Resolve(msgspec.Struct, frozen=True):
    """Store it as resolving, and mark `memory_ids` so: they contradict each other, and no date or word
    decides."""

    memory_ids: tuple[str, ...]


class Ignore(msgspec.Struct, frozen=True):
    """Nothing to store."""

    reason: str


Decision: TypeAlias = New | Observe | Supersede | Resolve | Ignore


def decide(draft: Draft, near: Near, *, users_own: Collection[str] = (), ended: Collection[str] = ()) -> Decision:
    """What to do with `draft`, given similar memories of the same profile with their cosine.

    `users_own` are the ids of memories that the user wrote or edited; pinned ones count as such. `ended` are those that
    the draft ends by its meaning, as a model read them (`superseding`); of the user's own it is not believed.
    """
    if not draft.sources:
        return Ignore("no words to rest on")
    for memory, _ in near:
        if _is_hint(draft) == _is_hint(memory) and told_by(draft, memory):
            return Ignore("these words are a memory already")
    if _is_hint(draft):
        return _hint(draft, near, users_own)
    living = [(memory, cosine) for memory, cosine in near if memory.status in {"active", "resolving", "candidate"}]
    refined = _refined(draft, living, users_own)
    if refined:
        return Supersede(refined)
    if _wished_once(draft):
        return New(valid_to=max(draft.event_time or 0, draft.valid_from) + 2 * DAY_MS)
    alike = _alike(draft, living)
    over, doubted = against(draft, living, {one for one in ended if one not in users_own})
    fuller = [memory for memory, how in alike if how == "more" and not _protected(memory, users_own)]
    again = next((memory for memory, how in alike if how == "same"), None)
    again = again or next((memory for memory, how in alike if how == "less"), None)
    if again is not None:
        gone = tuple(
            memory.id
            for memory in over
            if memory is not again and memory.valid_from <= draft.valid_from and not _protected(memory, users_own)
        )
        settled = bool(gone) and again.status == "resolving" and not any(_protected(m, users_own) for m in over)
        return Observe(again.id, "active" if settled else None, gone)
    if draft.kind != "event":
        for memory, cosine in near:
            if memory.status == "archived" and _how_alike(draft, memory, cosine) in {"same", "less"}:
                return Ignore("the user put this away")
    decided = _by_time(draft, over, near, users_own)
    if decided is None and doubted:
        return Resolve(tuple(memory.id for memory in doubted))
    if isinstance(decided, Supersede):
        both = dict.fromkeys((*decided.memory_ids, *(memory.id for memory in fuller)))
        return Supersede(tuple(both))
    if decided is not None:
        return decided
    return Supersede(tuple(memory.id for memory in fuller)) if fuller else New()


# ------------------------------------------------------------------------------------------------- the same


def told_by(draft: Draft, memory: Memory) -> bool:
    """Whether every source of the draft is one of the memory's, as when a job runs again."""
    return all(any(_same_place(mine, theirs) for theirs in memory.sources) for mine in draft.sources)


def _is_hint(one: Draft | Memory) -> bool:
    return one.kind == "implicit_preference"


def _same_place(one: Source, other: Source) -> bool:
    # The quote as well: a message that was edited keeps its id.
    return (one.message_id, one.start, one.end, one.quote) == (other.message_id, other.start, other.end, other.quote)


def _alike(draft: Draft, living: Near) -> list[tuple[Memory, Likeness]]:
    """Memories that say the same, more or less than the draft, nearest first. An event is like nothing."""
    if draft.kind == "event":
        return []
    found: list[tuple[Memory, Likeness]] = []
    for memory, cosine in sorted(living, key=lambda pair: -pair[1]):
        if memory.kind != "event" and not _is_hint(memory):
            how = _how_alike(draft, memory, cosine)
            if how is not None:
                found.append((memory, how))
    return found


_TASTES = {"explicit_preference", "implicit_preference", "instruction"}


def _how_alike(draft: Draft, memory: Memory, cosine: float) -> Likeness | None:
    if memory.kind == "event" or _is_hint(memory):
        return "same" if _is_hint(memory) and plain_statement(draft.text) == plain_statement(memory.text) else None
    if (draft.kind == "instruction") != (memory.kind == "instruction") and plain_statement(
        draft.text
    ) != plain_statement(memory.text):
        return None
    return likeness(draft.text, memory.text, cosine, taste=bool({draft.kind, memory.kind} & _TASTES))


def _refined(draft: Draft, living: Near, users_own: Collection[str]) -> tuple[str, ...]:
    """Memories whose every source lies within a choice's sources: the choice says what they say, and more."""
    if not isinstance(draft, Chosen) or draft.kind != "fact":
        return ()
    return tuple(
        memory.id
        for memory, _ in living
        if memory.kind != "implicit_preference"
        and memory.sources
        and len(memory.sources) < len(draft.sources)
        and not _protected(memory, users_own)
        and all(any(_covers(mine, theirs) for mine in draft.sources) for theirs in memory.sources)
    )


def _covers(mine: Source, theirs: Source) -> bool:
    return mine.message_id == theirs.message_id and mine.start <= theirs.start and theirs.end <= mine.end


def _protected(memory: Memory, users_own: Collection[str]) -> bool:
    return memory.pinned or memory.id in users_own or not memory.sources


_ONCE = re.compile(
    r"\b(?:tonight|this (?:time|evening|afternoon|morning|weekend)|just (?:this )?once|for once|right now|for a change"
    r"|(?:for|on) this (?:trip|one|occasion|meal|dinner))\b",
    re.IGNORECASE,
)


def _wished_once(draft: Draft) -> bool:
    """A wish for tonight is no preference: it is like nothing, contradicts nothing, and is over soon."""
    return draft.kind == "explicit_preference" and _ONCE.search(read(draft.text).text) is not None


# ------------------------------------------------------------------------------------------- what is current


def _by_time(draft: Draft, rivals: Sequence[Memory], near: Near, users_own: Collection[str]) -> Decision | None:
    """The latest of rivals counts, in whatever order they arrive; what is the user's own counts for itself."""
    if not rivals:
        return None
    later = [memory for memory in rivals if memory.valid_from > draft.valid_from and not _is_hint(memory)]
    if later and (draft.kind != "event" or slots(draft.text)):
        return New("superseded", min(memory.valid_from for memory in later), _cut(draft, near, users_own))
    rivals = [memory for memory in rivals if memory not in later and not _outgrown(draft, memory, users_own)]
    if not rivals:
        return None
    ids = tuple(memory.id for memory in rivals)
    if any(_protected(memory, users_own) for memory in rivals):
        return Resolve(ids)
    if not draft.correction and any(
        memory.valid_from == draft.valid_from and not _is_hint(memory) for memory in rivals
    ):
        return Resolve(ids)
    return Supersede(ids)


def _outgrown(draft: Draft, memory: Memory, users_own: Collection[str]) -> bool:
    """Whether the user's own memory tells an age that has grown since: no contradiction."""
    mine = [one for one in slots(draft.text) if one.attribute == "age"]
    theirs = [one for one in slots(memory.text) if one.attribute == "age"]
    return _protected(memory, users_own) and any(one.same_matter(other) for one in mine for other in theirs)


def _cut(draft: Draft, near: Near, users_own: Collection[str]) -> tuple[str, ...]:
    """What was superseded by something later than the draft was so by the draft already."""
    return tuple(
        memory.id
        for memory, _ in near
        if memory.status == "superseded"
        and not _protected(memory, users_own)
        and memory.valid_to is not None
        and memory.valid_from < draft.valid_from < memory.valid_to
        and slots_against(draft, memory, spoken=True, adds=False)
    )


# -------------------------------------------------------------------------------------------------------- hints


def _hint(draft: Draft, near: Near, users_own: Collection[str]) -> Decision:
    """An implicit preference: counted where it is known, weighed against what speaks for the opposite."""
    known = [memory for memory, _ in near if _is_hint(memory)]
    same = [memory for memory, cosine in near if _is_hint(memory) and _same_hint(draft, memory, cosine)]
    if any(memory.status == "archived" for memory in same):
        return Ignore("the user put this away")
    rivals = [
        memory
        for memory in known
        if memory.status != "archived" and memory not in same and evidence.speaks_against(draft.text, memory.text)
    ]
    overruled = overrules(draft.text, [memory for memory, _ in near])
    mine = next((memory for memory in same if memory.status != "superseded"), next(iter(same), None))
    hints = [memory for memory in known if memory is not mine]
    opposite = evidence.against(draft.text, hints)
    weighed = tuple(
        Weighed(memory.id, status)
        for memory in rivals
        if not _protected(memory, users_own)
        and (status := _standing(memory, evidence.against(memory.text, [*known]) + 1)) != memory.status
    )
    weighed_ids = {memory.id for memory in rivals}
    if mine is None:
        status = evidence.standing(1, 1, opposite, acted=isinstance(draft, Chosen))
        return New("active" if status == "active" and not overruled else "candidate", weighed=weighed)
    places = {source.conversation_id for source in (*mine.sources, *draft.sources)}
    acted = isinstance(draft, Chosen) or evidence.acted_on(mine)
    status = evidence.standing(mine.observations + 1, len(places), opposite, acted=acted)
    if overruled and status == "active":
        status = "candidate"
    changed = status != mine.status and not _protected(mine, users_own) and mine.id not in weighed_ids
    return Observe(mine.id, status if changed else None, weighed=weighed)


def _standing(memory: Memory, against: int) -> Status:
    return evidence.standing(memory.observations, memory.conversations, against, acted=evidence.acted_on(memory))


def overrules(hint: str, memories: Sequence[Memory]) -> bool:
    """Whether something that the user said outright contradicts a hint."""
    return any(
        not _is_hint(memory)
        and memory.status in {"active", "resolving"}
        and memory.kind in {"explicit_preference", "fact", "instruction"}
        and evidence.denies(memory.text, hint)
        for memory in memories
    )


def _same_hint(draft: Draft, memory: Memory, cosine: float) -> bool:
    if plain_statement(draft.text) == plain_statement(memory.text) or evidence.same_hint(draft.text, memory.text):
        return True
    if evidence.hint(draft.text) is not None or evidence.hint(memory.text) is not None:
        return False
    return likeness(draft.text, memory.text, cosine, taste=True) == "same"
