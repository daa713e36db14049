"""Which memories those contradict that were derived again, by their words.

They were reconciled in a copy, where pairs name the copy's rows. Words and dates are what reconciling goes by as well,
but for what only a model reads: a memory whose pair is not found this way is asked about by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apsw
import msgspec

from satchel.store import Tx, contradictions, memories
from satchel.store.database import fetch
from satchel.types import Draft, Memory

LOOKED_AT = 200
"""Memories that are compared with each: the newest that wait or are the user's own, and those that hold its words."""


def look(db: apsw.Connection, memory_ids: Sequence[str]) -> dict[str, list[str]]:
    """What those of these contradict that are `resolving`, by id. It takes long, so it is no part of a write."""
    found = {}
    for memory in memories.by_ids(db, memory_ids).values():
        if memory.status == "resolving":
            against = _contradicted(db, memories.pk_of(db, memory.id), memory)
            found[memory.id] = [other.id for other in memories.by_pks(db, against).values()]
    return found


def relate(tx: Tx, found: Mapping[str, Sequence[str]]) -> None:
    """Notes what was found, of which may have been settled or forgotten meanwhile what it will."""
    known = memories.by_ids(tx.db, [*found, *(other for others in found.values() for other in others)])
    pks = {memory_id: memories.pk_of(tx.db, memory_id) for memory_id in known}
    for memory_id, others in found.items():
        if memory_id in known and known[memory_id].status == "resolving":
            there = [other for other in others if other in known]
            contradictions.add(
                tx, pks[memory_id], [pks[other] for other in there if _counts(tx.db, pks[other], known[other])]
            )


def _counts(db: apsw.Connection, pk: int, memory: Memory) -> bool:
    """Whether a memory may be contradicted: it waits itself, or is the user's own."""
    return memory.status == "resolving" or (memory.status == "active" and memories.is_users_own(db, pk))


def _contradicted(db: apsw.Connection, pk: int, memory: Memory) -> list[int]:
    from satchel.extract.reconciling import rivals  # late, as in the worker

    draft = _as_draft(memory)
    owner = int(str(db.execute("SELECT profile FROM memory WHERE pk = ?", (pk,)).get))
    rows = fetch(
        db,
        "SELECT pk FROM memory WHERE profile = ?1 AND status = 'resolving' AND pk <> ?2 ORDER BY pk DESC LIMIT ?3",
        (owner, pk, LOOKED_AT),
    )
    words = memories.holding_words(db, owner, rivals.probes(draft), limit=LOOKED_AT)
    known = memories.by_pks(db, [*(row[0] for row in rows), *(one for one in words if one != pk)])
    return [
        other
        for other, one in known.items()
        if _counts(db, other, one)
        and (any(rivals.against(draft, [(one, 0.0)])) or any(rivals.against(_as_draft(one), [(memory, 0.0)])))
    ]


def _as_draft(memory: Memory) -> Draft:
    values = {name: getattr(memory, name) for name in Draft.__struct_fields__ if name in Memory.__struct_fields__}
    return msgspec.convert(values, Draft)
