"""Which memories those contradict that were derived again, by their words.

They were reconciled in a copy, where pairs name the copy's rows. Words and dates are what reconciling goes by as well,
but for what only a model reads: a memory whose pair is not found this way is asked about by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw
import msgspec

from satchel.store import Tx, contradictions, memories
from satchel.store.database import fetch
from satchel.types import Draft, Memory

LOOKED_AT = 200
"""Memories that are compared with each: the newest that wait or are the user's own, and those that hold its words."""


def relate(tx: Tx, memory_ids: Iterable[str]) -> None:
    """Notes for those of these that are `resolving` what they contradict."""
    for memory_id in memory_ids:
        pk, memory = memories.pk_of(tx.db, memory_id), memories.memory(tx.db, memory_id)
        if memory.status == "resolving":
            contradictions.add(tx, pk, _contradicted(tx.db, pk, memory))


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
        if (one.status == "resolving" or (one.status == "active" and memories.is_users_own(db, other)))
        and (any(rivals.against(draft, [(one, 0.0)])) or any(rivals.against(_as_draft(one), [(memory, 0.0)])))
    ]


def _as_draft(memory: Memory) -> Draft:
    values = {name: getattr(memory, name) for name in Draft.__struct_fields__ if name in Memory.__struct_fields__}
    return msgspec.convert(values, Draft)
