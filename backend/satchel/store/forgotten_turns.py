"""Turns that the user forgot, known again without their words when they are sent again.

A page that is loaded again or an import repeated sends what was forgotten. It is told by what makes a message the same
one (profile, site, conversation, and the site's id of it or the hash of its words and which occurrence of them it is),
kept as HMAC-SHA256 under a random key of this store.

What that is worth: the key lies in the same file, so whoever holds the whole file can test a guess, which must name all
of it: the conversation's id at the site and, for a turn with an id, that id, which no word list holds; for a turn
without one, every letter of the turn. Whoever holds the hashes alone (a change log, a row quoted in a report) can test
nothing. A slow hash would make each guess some 10,000 times dearer, and as much dearer every turn of an import and of a
forgetting (10 ms each: a quarter of an hour for 100,000 turns, while writes wait); for words that can be guessed whole
it would put off, not prevent. A key outside the file would be lost with a restored backup, and what was forgotten would
come back.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.store import Tx

KEY = "forgotten_key"
"""The name in `meta` of the key of the marks."""


class KeptOut(msgspec.Struct, frozen=True):
    """A forgotten turn that was sent again: the ids that it and its conversation had."""

    conversation_id: str
    message_id: str


class ForgottenConversation(msgspec.Struct, frozen=True, kw_only=True):
    """What of one conversation is kept out: how many turns, how many of them were sent again and when last (ms)."""

    id: str
    profile: str
    site: str
    forgotten_at: int
    turns: int
    sent_again: int
    sent_again_at: int | None


def secret(tx: Tx) -> bytes:
    """The store's key, made when it is first needed."""
    found = _secret(tx.db)
    if found is None:
        found = secrets.token_bytes(32)
        tx.db.execute("INSERT INTO meta VALUES (?, ?)", (KEY, found.hex()))
    return found


def _secret(db: apsw.Connection) -> bytes | None:
    kept = db.execute("SELECT value FROM meta WHERE name = ?", (KEY,)).get
    return None if kept is None else bytes.fromhex(str(kept))


def _digest(key: bytes, *parts: str) -> bytes:
    """Each part with its length before it: no two lists of parts give the same bytes."""
    said = b"".join(len(raw).to_bytes(4) + raw for raw in (part.encode("utf-8", "surrogatepass") for part in parts))
    return hmac.new(key, said, hashlib.sha256).digest()


def bury(tx: Tx, turns: Sequence[int]) -> None:
    """Leaves a mark for each of these turns (pks), which must still be there."""
    key = secret(tx)
    for profile, name, site, external_id, conversation, message, message_key in fetch(
        tx.db,
        "SELECT p.pk, p.name, c.site, c.external_id, c.id, m.id, m.key FROM message m JOIN conversation c"
        " ON c.pk = m.conversation JOIN profile p ON p.pk = c.profile WHERE m.pk IN (SELECT value FROM json_each(?))",
        (to_json(turns),),
    ):
        tx.db.execute(
            "INSERT OR REPLACE INTO forgotten_turn (key, place, profile, site, conversation, message, forgotten_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                _digest(key, name, site, external_id, message_key),
                _digest(key, name, site, external_id),
                profile,
                site,
                conversation,
                message,
                tx.now,
            ),
        )


def is_touched(db: apsw.Connection, profile: str, site: str, external_id: str) -> bool:
    """Whether anything of this conversation of a site was forgotten, and is kept out."""
    key = _secret(db)
    if key is None:
        return False
    place = _digest(key, profile, site, external_id)
    return db.execute("SELECT 1 FROM forgotten_turn WHERE place = ? LIMIT 1", (place,)).get is not None


def sent_again(tx: Tx, profile: str, site: str, external_id: str, keys: Sequence[str]) -> dict[str, KeptOut]:
    """Which of these messages (by their keys) the user forgot; that they came again is counted."""
    key = _secret(tx.db)
    if key is None:
        return {}
    found = {}
    for message_key in dict.fromkeys(keys):
        digest = _digest(key, profile, site, external_id, message_key)
        row = tx.db.execute(
            "UPDATE forgotten_turn SET sent_again = sent_again + 1, sent_again_at = ? WHERE key = ?"
            " RETURNING conversation, message",
            (tx.now, digest),
        ).fetchone()
        if row is not None:
            found[message_key] = KeptOut(*row)
    return found


_MINE = (
    "FROM forgotten_turn f JOIN profile p ON p.pk = f.profile"
    " WHERE (?1 IS NULL OR p.name IN (SELECT value FROM json_each(?1)))"
)


def _only(profiles: Sequence[str] | None) -> str | None:
    return None if profiles is None else to_json(profiles)


def listed(
    db: apsw.Connection, *, profiles: Sequence[str] | None, only_sent_again: bool = False, page: int, size: int
) -> tuple[list[ForgottenConversation], int]:
    """A page of the conversations of which something is kept out, and how many there are: those sent again last come
    first. `profiles` None: of all."""
    having = "HAVING sum(f.sent_again > 0) > 0" if only_sent_again else ""
    grouped = f"{_MINE} GROUP BY f.conversation {having}"
    total = db.execute(f"SELECT count(*) FROM (SELECT 1 {grouped})", (_only(profiles),)).get
    rows = fetch(
        db,
        "SELECT f.conversation, p.name, f.site, max(f.forgotten_at), count(*), sum(f.sent_again > 0),"
        f" max(f.sent_again_at) {grouped} ORDER BY max(f.sent_again_at) DESC, max(f.forgotten_at) DESC, f.conversation"
        " LIMIT ?2 OFFSET ?3",
        (_only(profiles), size, (page - 1) * size),
    )
    fields = ForgottenConversation.__struct_fields__
    return [ForgottenConversation(**dict(zip(fields, row, strict=True))) for row in rows], int(str(total))


def count_sent_again(db: apsw.Connection, *, profiles: Sequence[str] | None) -> int:
    """How many forgotten turns were sent again: the user may want to be asked about them."""
    return int(str(db.execute(f"SELECT count(*) {_MINE} AND f.sent_again > 0", (_only(profiles),)).get))


def allow(tx: Tx, conversation_ids: Sequence[str] | None, *, profiles: Sequence[str] | None) -> int:
    """Lets what was forgotten of these conversations (None: of all) in again when it is next sent; how many turns."""
    tx.db.execute(
        "DELETE FROM forgotten_turn WHERE (?1 IS NULL OR profile IN"
        " (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?1))))"
        " AND (?2 IS NULL OR conversation IN (SELECT value FROM json_each(?2)))",
        (_only(profiles), None if conversation_ids is None else to_json(conversation_ids)),
    )
    return tx.db.changes()
