"""Which memories contradict each other where neither a date nor a word decides. It is the user who settles it.

A pair counts while both hold and at least one of them is `resolving`: what was settled meanwhile, by the user, by a
later statement or by forgetting, is asked about no more. The user's own memories take part and stay `active`.
"""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from satchel.store import memories
from satchel.store.database import fetch, to_json
from satchel.store.memories import LIVE, Edit
from satchel.store.store import Tx

_PAIR = (
    "SELECT k.memory, k.other FROM contradiction k JOIN memory a ON a.pk = k.memory JOIN memory b ON b.pk = k.other"
    " WHERE a.status IN (SELECT value FROM json_each(?1)) AND b.status IN (SELECT value FROM json_each(?1))"
    " AND 'resolving' IN (a.status, b.status)"
)


def add(tx: Tx, memory: int, others: Sequence[int]) -> None:
    """`memory` contradicts these (by their pks)."""
    tx.db.executemany("INSERT OR IGNORE INTO contradiction VALUES (?, ?)", [(memory, other) for other in others])


def against(db: apsw.Connection, memory: int) -> list[int]:
    """The pks of those that a memory contradicts, the newest first."""
    pairs = fetch(db, f"{_PAIR} AND ?2 IN (k.memory, k.other)", (to_json(LIVE), memory))
    return sorted(({pk for pair in pairs for pk in pair} - {memory}), reverse=True)


def beside(db: apsw.Connection, these: Sequence[int]) -> list[int]:
    """The pks of the `resolving` memories that one of these contradicts, whatever became of that one, itself not
    among them. To be asked before any of these is deleted."""
    rows = fetch(
        db,
        "SELECT pk FROM memory WHERE status = 'resolving' AND pk NOT IN (SELECT value FROM json_each(?1)) AND pk IN"
        " (SELECT other FROM contradiction WHERE memory IN (SELECT value FROM json_each(?1))"
        " UNION SELECT memory FROM contradiction WHERE other IN (SELECT value FROM json_each(?1))) ORDER BY pk",
        (to_json(these),),
    )
    return [pk for (pk,) in rows]


def release(tx: Tx, those: Sequence[int]) -> list[int]:
    """Lets hold again those of these `resolving` memories that nothing contradicts any more; their pks. Nobody decided
    that they are so: extraction may still change them. Which to ask about is found by `beside`."""
    freed = [pk for pk in those if not against(tx.db, pk)]
    for pk in freed:
        memories.edit(tx, pk, Edit(status="active"), by="extraction", change="what it contradicted is over")
    return freed


def release_beside(tx: Tx, these: Sequence[int]) -> list[int]:
    """As `release`, of what contradicted those of these that hold no more. To be called wherever memories may have
    ceased to hold."""
    rows = fetch(
        tx.db,
        "SELECT pk FROM memory WHERE pk IN (SELECT value FROM json_each(?))"
        " AND status NOT IN (SELECT value FROM json_each(?))",
        (to_json(these), to_json(LIVE)),
    )
    return release(tx, beside(tx.db, [pk for (pk,) in rows]))


def settled(tx: Tx, these: Sequence[int]) -> None:
    """These do not contradict each other: the user said so."""
    tx.db.execute(
        "DELETE FROM contradiction WHERE memory IN (SELECT value FROM json_each(?1))"
        " AND other IN (SELECT value FROM json_each(?1))",
        (to_json(these),),
    )


def open_ones(db: apsw.Connection, profiles: Sequence[str] | None) -> list[tuple[int, list[int]]]:
    """Each conflict once: the newest memory in it that is `resolving`, with those that it contradicts, newest first.
    The newest conflict comes first. `profiles` None: of all.

    A memory in a conflict with several, of which some contradict each other too, is asked about with the newest.
    """
    near: dict[int, set[int]] = {}
    for one, other in fetch(db, _PAIR, (to_json(LIVE),)):
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    rows = fetch(
        db,
        "SELECT pk FROM memory WHERE status = 'resolving' AND (?1 IS NULL OR profile IN"
        " (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?1)))) ORDER BY pk DESC",
        (None if profiles is None else to_json(profiles),),
    )
    found: list[tuple[int, list[int]]] = []
    told: set[int] = set()
    for (pk,) in rows:
        others = near.get(pk, set())
        if pk not in told:
            found.append((pk, sorted(others, reverse=True)))
            told |= {pk, *others}
    return found
