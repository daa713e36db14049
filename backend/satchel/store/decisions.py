"""What waits for the user's decision: contradictions, hints without enough evidence, memories whose words were edited.

Nothing is deleted, and whatever a decision changes stays in the history. What the user decided is the user's own:
extraction may add to it and never changes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import apsw
import msgspec

from satchel.store import contradictions, memories
from satchel.store.database import fetch, to_json
from satchel.store.memories import Edit
from satchel.store.store import Tx
from satchel.types import Memory, SatchelError

Why = Literal["conflict", "candidate", "changed"]
Decided = Literal["this", "other", "both", "keep", "drop"]


class UndecidableError(SatchelError):
    status = 409
    title = "Nothing to decide so"


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A memory that waits, and, of a conflict, those that it contradicts."""

    why: Why
    memory: Memory
    against: list[Memory]


_CHANGED = (
    "SELECT s.memory FROM message m JOIN source s ON s.message = m.pk JOIN memory y ON y.pk = s.memory"
    " WHERE m.revision > 1 AND s.revision < m.revision AND y.status = 'active'"
    " AND m.received_at > coalesce(y.looked_at, -1)"
    " AND NOT EXISTS (SELECT 1 FROM job_message w JOIN job j ON j.pk = w.job WHERE w.message = m.pk"
    " AND j.status IN ('queued', 'running'))"
)
"""Active memories that rest on words of before an edit, unless the user looked at them after it. While the message
still waits to be read again, most of them settle by themselves."""


def page(db: apsw.Connection, *, profiles: Sequence[str] | None, page: int, size: int) -> tuple[list[Open], int]:
    """A page of what waits, and how much does: conflicts, then what was edited, then hints, each the latest first.
    `profiles` None: of all."""
    named = None if profiles is None else to_json(profiles)
    start = (page - 1) * size
    conflicts = contradictions.open_ones(db, profiles)
    mine = "(?1 IS NULL OR y.profile IN (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?1))))"
    others = (
        f"SELECT 0 AS rank, 'changed' AS why, y.updated_at, y.pk FROM memory y WHERE y.pk IN ({_CHANGED}) AND {mine}"
        " UNION ALL"
        f" SELECT 1, 'candidate', y.updated_at, y.pk FROM memory y WHERE y.status = 'candidate' AND {mine}"
    )
    total = len(conflicts) + int(str(db.execute(f"SELECT count(*) FROM ({others})", (named,)).get))
    wanted: list[tuple[Why, int, list[int]]] = [
        ("conflict", pk, against) for pk, against in conflicts[start : start + size]
    ]
    rows = fetch(
        db,
        f"SELECT why, pk FROM ({others}) ORDER BY rank, updated_at DESC, pk DESC LIMIT ? OFFSET ?",
        (named, size - len(wanted), max(start - len(conflicts), 0)),
    )
    wanted += [(why, pk, []) for why, pk in rows]
    found = memories.by_pks(db, [pk for _, one, against in wanted for pk in (one, *against)])
    return [
        Open(why=why, memory=found[pk], against=[found[other] for other in against]) for why, pk, against in wanted
    ], total


def decide(tx: Tx, pk: int, decision: Decided, *, seen: Sequence[str] | None = None) -> list[Memory]:
    """Does what the user decided of a memory (by its pk); the memories that it concerned, that one first.

    Of a conflict `this` ends what it contradicts, `other` ends it, `both` lets all hold. `keep` makes a hint a
    preference, or lets stand what rests on edited words; `drop` puts it away. What stands and contradicts yet another
    memory still waits for that to be decided.

    `seen` are the ids of what it contradicted when the user decided; None: not told. Raises UndecidableError, also when
    they are others now.
    """
    if seen is not None:
        rivals = memories.by_pks(tx.db, contradictions.against(tx.db, pk)).values()
        if {memory.id for memory in rivals} != set(seen):
            raise UndecidableError("What it contradicts has changed meanwhile; look at it again.")
    if decision in ("keep", "drop"):
        _judge(tx, pk, keep=decision == "keep")
        concerned = [pk, *contradictions.release_beside(tx, [pk])]
    else:
        concerned = _settle(tx, pk, decision)
    found = memories.by_pks(tx.db, concerned)
    return [found[one] for one in concerned]


def _settle(tx: Tx, pk: int, decision: Decided) -> list[int]:
    rivals = contradictions.against(tx.db, pk)
    if not rivals and _status(tx.db, pk) != "resolving":
        raise UndecidableError("This memory contradicts no other any more; look again at what is to be decided.")
    if decision == "other" and len(rivals) != 1:
        raise UndecidableError(
            f"It contradicts {len(rivals) or 'no'} others: decide `this` for the one that is right, or `both`."
        )
    stands, over = {"this": ([pk], rivals), "other": (rivals, [pk]), "both": ([pk, *rivals], [])}[decision]
    concerned = {pk, *rivals}
    # Before anything changes: a conflict is known by its memories' states.
    waiting = {
        one
        for one in stands
        if _status(tx.db, one) == "resolving" and not concerned.issuperset(contradictions.against(tx.db, one))
    }
    since = max(_valid_from(tx.db, one) for one in stands)
    for one in stands:
        _change(tx, one, Edit() if one in waiting else Edit(status="active"), "decided")
    if waiting:  # else what waits would be asked about with what it was decided beside
        contradictions.settled(tx, stands)
    for one in over:
        ended = max(since, _valid_from(tx.db, one))
        _change(tx, one, Edit(status="superseded", valid_to=ended), "decided against")
    freed = contradictions.release_beside(tx, over)
    return [pk, *rivals, *freed]


def _judge(tx: Tx, pk: int, *, keep: bool) -> None:
    status = _status(tx.db, pk)
    if status == "resolving":
        raise UndecidableError("It contradicts another memory: decide `this`, `other` or `both`.")
    if status != "candidate" and not tx.db.execute(f"{_CHANGED} AND y.pk = ? LIMIT 1", (pk,)).get:
        raise UndecidableError(
            "This memory is no candidate, and its words were not edited since you last looked at it; look again at "
            "what is to be decided."
        )
    _change(tx, pk, Edit(status="active" if keep else "archived"), "kept" if keep else "dropped")


def _change(tx: Tx, pk: int, changes: Edit, change: str) -> None:
    """Also where nothing of it changes: that it stands is decided then."""
    before = memories.by_pks(tx.db, [pk])[pk]
    same = all(
        value is msgspec.UNSET or value == getattr(before, name)
        for name, value in msgspec.structs.asdict(changes).items()
    )
    if same:
        memories.confirm(tx, pk, change=change)
    else:
        memories.edit(tx, pk, changes, by="user", change=change)


def _status(db: apsw.Connection, pk: int) -> str:
    return str(db.execute("SELECT status FROM memory WHERE pk = ?", (pk,)).get)


def _valid_from(db: apsw.Connection, pk: int) -> int:
    return int(str(db.execute("SELECT valid_from FROM memory WHERE pk = ?", (pk,)).get))
