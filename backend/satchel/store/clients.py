"""Who may ask: clients with their tokens (stored hashed), scopes, profiles and, of extensions, their origin."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Any

import apsw
import msgspec

from satchel.store.clock import new_id
from satchel.store.database import fetch, to_json
from satchel.store.store import Tx
from satchel.types import SCOPES, NotFoundError, SatchelError, Scope

TOKEN_BYTES = 32
SEEN_EVERY_MS = 60_000
"""How often `last_used_at` is brought up to date at the most: a write for every request would cost a commit each."""
MAX_ORIGIN = 200
"""Characters: an extension's is some fifty long."""


PAGE_LASTS_MS = 30 * 86_400_000
"""After which `satchel open` has to be run again in that browser."""


class WideningError(SatchelError):
    status = 403
    title = "Not narrower"


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """`profiles` None: all of them. `origin`: the extension it was paired as, None for a program; where it is not
    `pinned`, its token was made before origins were kept, and nobody knows yet which of them it is. `page`: a browser
    in which the dashboard was opened. Times in ms."""

    id: str
    name: str
    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None
    created_at: int
    last_used_at: int | None = None
    origin: str | None = None
    pinned: bool = True
    page: bool = False
    revoked_at: int | None = None

    def may(self, scope: Scope) -> bool:
        return scope in self.scopes

    def sees(self, profile: str) -> bool:
        return self.profiles is None or profile in self.profiles

    def oversees(self, other: Client) -> bool:
        """Whether it may know of the other and take from it: all of the other's profiles are among its own."""
        if self.profiles is None or self.id == other.id:
            return True
        return other.profiles is not None and set(other.profiles) <= set(self.profiles)


class PageSecrets(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser shows from now on: `cookie`, which no script can read, and `key`, which no other port is sent."""

    cookie: str
    key: str


def hash_token(token: str) -> bytes:
    """SHA-256: the token is 256 random bits, so that no slow hash is needed to keep it from being guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue(
    tx: Tx,
    *,
    name: str,
    scopes: Sequence[Scope] = SCOPES,
    profiles: Sequence[str] | None = None,
    origin: str | None = None,
) -> str:
    """A new client's token. It is stored nowhere: who loses it asks for another."""
    token = secrets.token_urlsafe(TOKEN_BYTES)
    tx.db.execute(
        "INSERT INTO client (id, name, token_hash, scopes, profiles, created_at, origin, pinned)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, 1)",
        (
            new_id(),
            name,
            hash_token(token),
            to_json(scopes),
            None if profiles is None else to_json(profiles),
            tx.now,
            origin,
        ),
    )
    return token


_SELECT = (
    "SELECT id, name, scopes, profiles, created_at, last_used_at, origin, pinned, revoked_at,"
    " page_key_hash IS NOT NULL FROM client"
)


def _client(row: tuple[Any, ...]) -> Client:
    client_id, name, scopes, profiles, created, used, origin, pinned, revoked, page = row
    return Client(
        id=client_id,
        name=name,
        scopes=tuple(msgspec.json.decode(scopes)),
        profiles=None if profiles is None else tuple(msgspec.json.decode(profiles)),
        created_at=created,
        last_used_at=used,
        origin=origin,
        pinned=bool(pinned),
        page=bool(page),
        revoked_at=revoked,
    )


def by_token(db: apsw.Connection, token: str) -> Client | None:
    """The client a token belongs to, None for an unknown or revoked one. Looked up by hash: no timing to learn from."""
    row = db.execute(
        f"{_SELECT} WHERE token_hash = ? AND revoked_at IS NULL AND page_key_hash IS NULL", (hash_token(token),)
    ).fetchone()
    return None if row is None else _client(row)


def open_page(tx: Tx, *, name: str, origin: str) -> PageSecrets:
    """Lets in a browser that was sent here by whoever may do everything. Sessions that are over are cleared out."""
    tx.db.execute("DELETE FROM client WHERE page_key_hash IS NOT NULL AND created_at <= ?", (tx.now - PAGE_LASTS_MS,))
    given = PageSecrets(cookie=secrets.token_urlsafe(TOKEN_BYTES), key=secrets.token_urlsafe(TOKEN_BYTES))
    tx.db.execute(
        "INSERT INTO client (id, name, token_hash, page_key_hash, scopes, profiles, created_at, origin, pinned)"
        " VALUES (?, ?, ?, ?, ?, NULL, ?, ?, 1)",
        (new_id(), name, hash_token(given.cookie), hash_token(given.key), to_json(SCOPES), tx.now, origin),
    )
    return given


def by_page(db: apsw.Connection, cookie: str, key: str | None, *, now: int) -> Client | None:
    """The browser with this cookie; None for an unknown, revoked or outlived one, and where a wrong `key` is given."""
    row = db.execute(
        f"{_SELECT} WHERE token_hash = ? AND revoked_at IS NULL AND created_at > ? AND page_key_hash = ifnull(?,"
        " page_key_hash)",
        (hash_token(cookie), now - PAGE_LASTS_MS, None if key is None else hash_token(key)),
    ).fetchone()
    return None if row is None else _client(row)


def close_page(tx: Tx, client_id: str) -> None:
    """Its browser signed out: there is nothing to keep of it."""
    tx.db.execute("DELETE FROM client WHERE id = ? AND page_key_hash IS NOT NULL", (client_id,))


def by_id(db: apsw.Connection, client_id: str) -> Client | None:
    """Revoked ones too."""
    row = db.execute(f"{_SELECT} WHERE id = ?", (client_id,)).fetchone()
    return None if row is None else _client(row)


def every(db: apsw.Connection) -> list[Client]:
    """All there ever were, the oldest first; ids are in order of time."""
    return [_client(row) for row in fetch(db, f"{_SELECT} ORDER BY id")]


def is_paired(db: apsw.Connection, origin: str) -> bool:
    """Whether some client that is not revoked was paired from this origin."""
    found = db.execute("SELECT 1 FROM client WHERE origin = ? AND revoked_at IS NULL LIMIT 1", (origin,)).fetchone()
    return found is not None


def pin(tx: Tx, client_id: str, origin: str | None) -> Client:
    """Gives a token that is not pinned to this origin, None for a program; whose it is now, as of two that ask at once
    only the first gets it. Raises NotFoundError."""
    tx.db.execute("UPDATE client SET origin = ?, pinned = 1 WHERE id = ? AND pinned = 0", (origin, client_id))
    client = by_id(tx.db, client_id)
    if client is None:
        raise NotFoundError(f"There is no client {client_id!r}.")
    return client


def seen(tx: Tx, client_id: str) -> None:
    tx.db.execute("UPDATE client SET last_used_at = ? WHERE id = ?", (tx.now, client_id))


def rename(tx: Tx, client_id: str, name: str) -> None:
    tx.db.execute("UPDATE client SET name = ? WHERE id = ?", (name, client_id))


def narrow(
    tx: Tx, client_id: str, *, scopes: Sequence[Scope] | None = None, profiles: Sequence[str] | None = None
) -> None:
    """Leaves it these scopes and profiles, None for what it has. Nobody is ever given more, whoever asks.

    Raises NotFoundError, and WideningError naming what it does not have.
    """
    client = by_id(tx.db, client_id)
    if client is None:
        raise NotFoundError(f"There is no client {client_id!r}.")
    for scope in scopes or ():
        if not client.may(scope):
            raise WideningError(f"{client.name!r} does not have the scope {scope!r}; it can only lose what it has.")
    for profile in profiles or ():
        if not client.sees(profile):
            raise WideningError(f"{client.name!r} is not for the profile {profile!r}; it can only lose what it has.")
    if scopes is not None:
        left = [scope for scope in client.scopes if scope in scopes]
        tx.db.execute("UPDATE client SET scopes = ? WHERE id = ?", (to_json(left), client_id))
    if profiles is not None:
        tx.db.execute("UPDATE client SET profiles = ? WHERE id = ?", (to_json(dict.fromkeys(profiles)), client_id))


def revoke(tx: Tx, client_id: str) -> None:
    """Its token is not accepted from now on. Nothing happens where it was revoked before."""
    tx.db.execute("UPDATE client SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", (tx.now, client_id))
