"""Which memories cannot hold beside a new statement: its slots filled otherwise, what it ends, what it denies."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from satchel.extract.reconciling import correction, evidence
from satchel.extract.reconciling.ending import contrasts, ended_by, ends, named_in
from satchel.extract.reconciling.lacks import ends_lack, gained
from satchel.extract.reconciling.slot_patterns import PROBES
from satchel.extract.reconciling.slots import Slot, slots
from satchel.extract.reconciling.stance import compares, replaces, stance, switched
from satchel.extract.reconciling.statement import read
from satchel.types import Draft, Memory

DAY_MS = 86_400_000

PROBED = 6
"""Words of what is gained that are looked for."""

Near = Sequence[tuple[Memory, float]]


def probes(draft: Draft) -> tuple[str, ...]:
    """Beginnings of words that memories hold which the draft may change, however far they are from it in meaning."""
    found: list[str] = []
    for one in slots(draft.text):
        found += PROBES.get(one.attribute, one.attribute.removeprefix("the ").removeprefix("when ")).split()
        if one.subject.name or one.subject.relation not in {"user", "thing"}:
            found.append(one.subject.name or one.subject.relation)
    found += sorted(gained(draft.text))[:PROBED]
    for end in (*ends(draft.text), *(end for said in draft.beside for end in ends(said))):
        found += [*end.matter, *end.left, end.parted or "", end.attribute or ""]
        found += ["partner", "wife", "husband", "girlfriend", "boyfriend"] if end.parted is not None else []
        found += [end.about.name or end.about.relation] if end.about is not None else []
    if draft.correction:
        told = (draft.text, *(source.quote for source in draft.sources))
        found += [word for text in told for _, wrong in contrasts(text) for word in wrong]
    return tuple(dict.fromkeys(word for word in found if len(word) >= 2))


def against(draft: Draft, living: Near, ended: Collection[str] = ()) -> tuple[list[Memory], list[Memory]]:
    """Memories that cannot hold beside the draft: those that a date decides about, and those that nothing does.

    `ended` are the ids of those that it ends by its meaning (`superseding`).
    """
    told_together = {source.message_id for source in draft.sources}
    others = [
        (memory, cosine)
        for memory, cosine in living
        if not told_together & {source.message_id for source in memory.sources}
    ]
    over: dict[str, Memory] = {}
    doubted: dict[str, Memory] = {}
    corrected = correction.corrected(draft, others) if draft.correction else ()
    over.update({memory.id: memory for memory in corrected})
    statement = read(draft.text)
    spoken = statement.changes or any(read(source.quote).changes for source in draft.sources)
    gone = ends(draft.text)
    gone_beside = [end for said in draft.beside for end in ends(said)]
    for memory, cosine in others:
        if memory.id in over:
            continue
        if memory.kind == "implicit_preference":
            if draft.kind in {"explicit_preference", "instruction"} and evidence.denies(draft.text, memory.text):
                over[memory.id] = memory
            continue
        verdict = slots_against(draft, memory, spoken=spoken, adds=statement.adds)
        if verdict is None and memory.kind != "event" and any(ended_by(end, memory.text) for end in gone):
            verdict = True
        if (
            verdict is None
            and memory.kind != "event"
            and any(ended_by(end, memory.text) or named_in(end, memory.text) for end in gone_beside)
        ):
            verdict = True
        if verdict is None and memory.kind != "event" and switched(draft.text, memory.text):
            verdict = True
        if verdict is None and memory.kind != "event" and ends_lack(draft.text, memory.text):
            verdict = True
        if verdict is None and memory.kind != "event" and replaces(draft.text, memory.text, cosine):
            verdict = True
        if verdict is not True and memory.id in ended:
            verdict = True
        if verdict is None:
            verdict = _opposed(draft, memory, spoken=spoken)
        if verdict is not None:
            (over if verdict else doubted)[memory.id] = memory
    return list(over.values()), list(doubted.values())


def slots_against(draft: Draft, memory: Memory, *, spoken: bool, adds: bool) -> bool | None:
    """Whether the draft ends the memory by a slot: True, False when it is not certain, None when it does not."""
    verdict: bool | None = None
    for mine in slots(draft.text):
        for theirs in slots(memory.text):
            if mine.same_matter(theirs):
                found = _slot_against(draft, mine, memory, theirs, spoken=spoken, adds=adds)
                verdict = found if verdict is None or found else verdict
    return verdict


def _slot_against(draft: Draft, mine: Slot, memory: Memory, theirs: Slot, *, spoken: bool, adds: bool) -> bool | None:
    """As `slots_against`, for one slot of each. A plan and a past contradict nothing; a plan is over when it has come
    true, and so is what is no longer planned."""
    if mine.denied:
        if theirs.denied or not mine.agrees(theirs) or (theirs.mode == "plan") != (mine.mode == "plan"):
            return None
        if theirs.mode == "past":
            return None
        return mine.over or spoken or mine.mode == "plan"
    if mine.mode != "now" or _is_ahead(draft, mine):
        return None
    if theirs.mode == "plan":
        return True if not theirs.denied and mine.agrees(theirs) and mine.attribute != "age" else None
    if theirs.mode == "past":
        return None
    if theirs.denied:
        return True if mine.agrees(theirs) else None
    if mine.agrees(theirs) or adds:
        return None
    if mine.attribute == "age" and mine.value[0].isdigit() and theirs.value[0].isdigit():
        return int(mine.value[0]) > int(theirs.value[0]) or draft.valid_from < memory.valid_from or draft.correction
    if mine.type == theirs.type == "date" and not spoken and memory.event_time is not None:
        return None if memory.event_time < draft.valid_from else True
    if mine.attribute.startswith("the ") and (
        (mine.type == "word" and not spoken) or (mine.rest and theirs.rest and mine.rest != theirs.rest)
    ):
        return None  # one may have two goals, and a budget for each of two things
    if mine.weak and not spoken:
        return False if mine.attribute.startswith("when ") and mine.type == theirs.type == "day" else None
    return True


def _is_ahead(draft: Draft, mine: Slot) -> bool:
    """Whether a statement that sounds like now has its date in the future: "starts at Acme on 3 May"."""
    dated = draft.event_time is not None and draft.event_time > draft.valid_from + DAY_MS
    return dated and not mine.attribute.startswith("when ") and mine.attribute != "age"


def _opposed(draft: Draft, memory: Memory, *, spoken: bool) -> bool | None:
    """The same content denied: a word of change lets the later one stand, otherwise the user is asked."""
    if draft.kind == "event" or memory.kind == "event":
        return None
    mine, theirs = stance(draft.text), stance(memory.text)
    if not mine.matter or _mode(draft.text) != _mode(memory.text):
        return None
    turned = (
        mine.matter != theirs.matter
        and sorted(mine.matter) == sorted(theirs.matter)
        and compares(read(draft.text).text)
    )
    if not turned and (mine.matter != theirs.matter or mine.affirms == theirs.affirms):
        return None
    # The latest order on how to answer counts.
    return spoken or draft.kind == memory.kind == "instruction"


def _mode(text: str) -> str:
    clauses = read(text).clauses
    # What is over is compared with what is.
    return "now" if not clauses or clauses[0].mode == "past" else clauses[0].mode
