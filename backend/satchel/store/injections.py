"""What was offered to a chat, and what really went in: only that counts as given."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.log import ensure_profile
from satchel.store.store import Tx
from satchel.types import BadInputError, NotFoundError

KEEP_OFFERS_MS = 24 * 3600 * 1000
"""An offer nobody inserted is dropped after a day."""


def offer(
    tx: Tx, injection_id: str, *, profile: str, site: str | None, external_id: str | None, hits: Sequence[str]
) -> None:
    """Remembers what a context held, so that its insertion can be reported."""
    tx.db.execute(
        "DELETE FROM injection WHERE pk IN (SELECT pk FROM injection WHERE inserted_at IS NULL AND created_at < ?"
        " LIMIT 100)",
        (tx.now - KEEP_OFFERS_MS,),
    )
    tx.db.execute(
        "INSERT INTO injection (id, profile, site, external_id, created_at) VALUES (?, ?, ?, ?, ?)",
        (injection_id, ensure_profile(tx, profile), site, external_id, tx.now),
    )
    pk = tx.db.last_insert_rowid()
    tx.db.executemany("INSERT OR IGNORE INTO injection_hit (injection, hit) VALUES (?, ?)", [(pk, hit) for hit in hits])


def profile_of(db: apsw.Connection, injection_id: str) -> str:
    name = db.execute(
        "SELECT p.name FROM injection i JOIN profile p ON p.pk = i.profile WHERE i.id = ?", (injection_id,)
    ).get
    if name is None:
        raise NotFoundError(f"There is no injection {injection_id[:64]!r}; ask for the context again.")
    return str(name)


def inserted(tx: Tx, injection_id: str, hits: Sequence[str], *, external_id: str | None) -> None:
    """Marks what went into which conversation. Reported again, it replaces what was said before."""
    pk = tx.db.execute("SELECT pk FROM injection WHERE id = ?", (injection_id,)).get
    if pk is None:
        raise NotFoundError(f"There is no injection {injection_id[:64]!r}; ask for the context again.")
    offered = {row[0] for row in tx.db.execute("SELECT hit FROM injection_hit WHERE injection = ?", (pk,))}
    if strange := [hit for hit in hits if hit not in offered]:
        raise BadInputError(f"`inserted` names {strange[0][:64]!r}, which this injection did not offer.")
    tx.db.execute(
        "UPDATE injection_hit SET inserted = hit IN (SELECT value FROM json_each(?)) WHERE injection = ?",
        (to_json(hits), pk),
    )
    tx.db.execute(
        "UPDATE injection SET inserted_at = ?, external_id = coalesce(?, external_id) WHERE pk = ?",
        (tx.now, external_id, pk),
    )


def given(db: apsw.Connection, *, profile: str, site: str | None, external_id: str) -> list[str]:
    """Ids of the hits that this conversation was already given."""
    rows = db.execute(
        "SELECT DISTINCT h.hit FROM injection i JOIN profile p ON p.pk = i.profile JOIN injection_hit h ON"
        " h.injection = i.pk"
        " WHERE p.name = ? AND i.external_id = ? AND (?3 IS NULL OR i.site IS NULL OR i.site = ?3) AND h.inserted",
        (profile, external_id, site),
    )
    return [row[0] for row in rows]


class Insertion(msgspec.Struct, frozen=True, kw_only=True):
    """Where a hit was really inserted. `conversation_id` and `title` are those of a conversation in the log; None where
    it was not captured, or has no title. `at` in ms."""

    at: int
    site: str | None
    external_id: str | None
    conversation_id: str | None
    title: str | None


def insertions_of(db: apsw.Connection, hit: str, *, limit: int) -> list[Insertion]:
    """Where a hit was inserted, the latest `limit` of them, newest first."""
    rows = fetch(
        db,
        "SELECT i.inserted_at, i.site, i.external_id, c.id, c.title FROM injection_hit h"
        " JOIN injection i ON i.pk = h.injection LEFT JOIN conversation c"
        " ON c.profile = i.profile AND c.site = i.site AND c.external_id = i.external_id"
        " WHERE h.hit = ? AND h.inserted ORDER BY i.inserted_at DESC, i.pk DESC LIMIT ?",
        (hit, limit),
    )
    return [Insertion(**dict(zip(Insertion.__struct_fields__, row, strict=True))) for row in rows]
