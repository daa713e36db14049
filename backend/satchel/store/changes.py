"""What changed since a cursor, for whoever follows along: other devices, later, and programs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from satchel.store import log, memories
from satchel.store.database import fetch, to_json
from satchel.types import BadInputError, Conversation, Memory, Message, NotFoundError


class Tombstone(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    type: str
    deleted_at: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The latest state of one row, or that it is gone. `clock` orders it against other devices' rows."""

    seq: int
    clock: str
    profile: str
    row: Conversation | Message | Memory | Tombstone


class Exported(Change, frozen=True, kw_only=True):
    """A row with all that is kept of it: a message's earlier revisions, a memory's history and whose it is."""

    revisions: tuple[log.Revision, ...] = ()
    history: tuple[memories.Version, ...] = ()
    by_hand: bool = False


def since(
    db: apsw.Connection, cursor: str, *, limit: int, profiles: Sequence[str] | None = None
) -> tuple[list[Change], str]:
    """Changes after the cursor ("" for the start), in order, and the cursor to go on from.

    Nothing comes only at the end: what `profiles` (None: all) leaves out is passed over.
    """
    if not re.fullmatch(r"[0-9]{0,18}", cursor):
        raise BadInputError("`since` must be empty or a cursor that an earlier answer gave.")
    after = int(cursor or "0")
    found: list[Change] = []
    only = "" if profiles is None else f"AND {_PROFILE} IN (SELECT value FROM json_each(?4))"
    end = db.execute("SELECT coalesce(max(seq), 0) FROM change").get
    args = (after, limit, end) if profiles is None else (after, limit, end, to_json(profiles))
    rows = fetch(
        db, f"SELECT seq, type, id, clock FROM change WHERE seq > ?1 AND seq <= ?3 {only} ORDER BY seq LIMIT ?2", args
    )
    for seq, kind, row_id, clock in rows:
        profile, row = _row(db, kind, row_id)
        found.append(Change(seq=seq, clock=clock, profile=profile, row=row))
    # After the last page nothing of theirs lies behind: the next question need not pass over the others' rows again.
    return found, str(rows[-1][0] if len(rows) == limit else max(after, end))


def place(db: apsw.Connection) -> int:
    """The place of the latest change in their order; 0 before the first."""
    return int(str(db.execute("SELECT coalesce(max(seq), 0) FROM change").get))


def memories_since(db: apsw.Connection, after: int) -> list[str]:
    """The ids of the memories that changed after a place in the order."""
    rows = fetch(db, "SELECT id FROM change WHERE seq > ? AND type = 'memory' ORDER BY seq", (after,))
    return [row[0] for row in rows]


_PROFILE = (
    "(SELECT p.name FROM profile p WHERE p.pk = CASE type"
    " WHEN 'conversation' THEN (SELECT profile FROM conversation c WHERE c.id = change.id)"
    " WHEN 'message' THEN (SELECT c.profile FROM message m JOIN conversation c ON c.pk = m.conversation"
    "   WHERE m.id = change.id)"
    " WHEN 'memory' THEN (SELECT profile FROM memory y WHERE y.id = change.id)"
    " ELSE (SELECT profile FROM tombstone t WHERE t.id = change.id) END)"
)


def _row(db: apsw.Connection, kind: str, row_id: str) -> tuple[str, Any]:
    if kind == "conversation":
        conversation = log.conversation(db, row_id)
        return conversation.profile, conversation
    if kind == "memory":
        memory = memories.memory(db, row_id)
        return memory.profile, memory
    if kind == "message":
        message = log.messages(db, [row_id])[row_id]
        return log.conversation(db, message.conversation_id).profile, message
    row = db.execute(
        "SELECT p.name, t.type, t.deleted_at FROM tombstone t JOIN profile p ON p.pk = t.profile WHERE t.id = ?",
        (row_id,),
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no tombstone {row_id!r}.")
    return row[0], Tombstone(id=row_id, type=row[1], deleted_at=row[2])


KINDS = ("conversation", "message", "memory", "tombstone")


class Cursor(msgspec.Struct, frozen=True):
    """How far an export is: which kind of row, and after which place in the order of changes."""

    kind: int = 0
    after: int = 0


def export_batch(
    db: apsw.Connection, *, profile: str, cursor: Cursor, size: int
) -> tuple[list[Exported], Cursor | None]:
    """The next rows of a profile, and the cursor to go on from; None at the end.

    Conversations come before their messages, and those before the memories drawn from them, so that a reader can
    file each record as it arrives.
    """
    rows = fetch(
        db,
        "SELECT seq, id, clock FROM change WHERE type = ? AND seq > ? ORDER BY seq LIMIT ?",
        (KINDS[cursor.kind], cursor.after, size),
    )
    found = []
    for seq, row_id, clock in rows:
        owner, row = _row(db, KINDS[cursor.kind], row_id)
        if owner == profile:
            found.append(_exported(db, Exported(seq=seq, clock=clock, profile=owner, row=row)))
    if len(rows) == size:
        return found, Cursor(cursor.kind, rows[-1][0])
    return found, Cursor(cursor.kind + 1) if cursor.kind + 1 < len(KINDS) else None


def _exported(db: apsw.Connection, record: Exported) -> Exported:
    row = record.row
    if isinstance(row, Message) and row.revision > 1:
        return msgspec.structs.replace(record, revisions=tuple(log.revisions_of_message(db, row.id)))
    if isinstance(row, Memory):
        return msgspec.structs.replace(
            record, history=tuple(memories.history(db, row.id)), by_hand=memories.is_by_hand(db, row.id)
        )
    return record
