"""Who may ask: clients with their tokens (stored hashed), scopes and profiles."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence

import apsw
import msgspec

from satchel.store.clock import new_id
from satchel.store.database import to_json
from satchel.store.store import Tx
from satchel.types import SCOPES, Scope

TOKEN_BYTES = 32
SEEN_EVERY_MS = 60_000
"""How often `last_used_at` is brought up to date at the most: a write for every request would cost a commit each."""


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """`profiles` None: all of them."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None
    created_at: int
    last_used_at: int | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, profile: str) -> bool:
        return self.profiles is None or profile in self.profiles


def hash_token(token: str) -> bytes:
    """SHA-256: the token is 256 random bits, so that no slow hash is needed to keep it from being guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue(tx: Tx, *, name: str, scopes: Sequence[Scope] = SCOPES, profiles: Sequence[str] | None = None) -> str:
    """A new client's token. It is stored nowhere: who loses it asks for another."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    tx.db.execute(
        "INSERT INTO client (id, name, token_hash, scopes, profiles, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        (
            new_id(),
            name,
            hash_token(token),
            to_json(scopes),
            None if profiles is None else to_json(profiles),
            tx.now,
        ),
    )
    return token


def by_token(db: apsw.Connection, token: str) -> Client | None:
    """The client a token belongs to, None for an unknown or revoked one. Looked up by hash: no timing to learn from."""
    row = db.execute(
        "SELECT id, name, scopes, profiles, created_at, last_used_at FROM client WHERE token_hash = ? AND"
        " revoked_at IS NULL",
        (hash_token(token),),
    ).fetchone()
    if row is None:
        return None
    client_id, name, scopes, profiles, created, used = row
    return Client(
        id=client_id,
        name=name,
        scopes=tuple(msgspec.json.decode(scopes)),
        profiles=None if profiles is None else tuple(msgspec.json.decode(profiles)),
        created_at=created,
        last_used_at=used,
    )


def seen(tx: Tx, client_id: str) -> None:
    tx.db.execute("UPDATE client SET last_used_at = ? WHERE id = ?", (tx.now, client_id))


def revoke(tx: Tx, client_id: str) -> None:
    """Its token is not accepted from now on. Nothing happens where it was revoked before."""
    tx.db.execute("UPDATE client SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (tx.now, client_id))
