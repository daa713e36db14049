"""Turns that the user forgot, known again without their words when they are sent again.

A page that is loaded again or an import repeated sends what was forgotten. It is told by what makes a message the same
one (profile, site, conversation, and the site's id of it or the hash of its words and which occurrence of them it is),
kept as HMAC-SHA256 under a random key of this store.

The same turn also comes under another id: the extension names a turn of the site's traffic by the site's id, and one
that it read from the rendered page `page:HASH:OCCURRENCE`; an import may have no ids. So a second mark is made of the
conversation, who spoke, and the letters and digits alone, of which two renderings of one text have the same. Of an
assistant's answer it is the first BEGINS of them, with their number beside it, for a page leaves out links' addresses
and adds labels: what begins the same and is about as long is the same, as the extension's ledger has it.

Words alone would also keep out what is said anew. Where the site itself gave both an id, these tell the turns apart,
and words do not count: an answer begun like a forgotten one is another answer. Else, whoever says LONG letters again,
letter for letter, in the conversation where they were forgotten, is taken to send the forgotten turn; it counts as sent
again, where it can be let in. People do say "yes" twice: a shorter text is kept out only when it comes without the
site's id, and no oftener than it was forgotten there. A short turn that was forgotten without an id and comes with one
is let in.

What that is worth: the key lies in the same file, so whoever holds the whole file can test a guess, which must name the
conversation's id at the site, which no word list holds, and every letter of the turn or the first BEGINS of an answer.
Whoever holds the hashes alone (a change log, a row quoted in a report) can test
nothing. A slow hash would make each guess some 10,000 times dearer, and as much dearer every turn of an import and of a
forgetting (10 ms each: a quarter of an hour for 100,000 turns, while writes wait); for words that can be guessed whole
it would put off, not prevent. A key outside the file would be lost with a restored backup, and what was forgotten would
come back.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.store import Tx

if TYPE_CHECKING:
    from satchel.store.log import Incoming

KEY = "forgotten_key"
"""The name in `meta` of the key of the marks."""

LONG = 20
"""Letters from which words alone tell a turn: nobody says so much twice without meaning the same."""

BEGINS = 40
"""Letters of an answer that are compared, as in extension/src/worker/ledger.ts."""
SAME_LENGTH = 0.25
"""By which part of the longer one two such answers may differ in length; from there too."""

_BETWEEN = re.compile(r"[\W_]+")
_FROM_THE_PAGE = re.compile(r"id:page:[0-9a-f]+:([0-9]+)")
"""The key of a turn that the extension named itself; in it, which time those words are said."""


class KeptOut(msgspec.Struct, frozen=True):
    """A forgotten turn that was sent again: the ids that it and its conversation had."""

    conversation_id: str
    message_id: str


class Words(msgspec.Struct, frozen=True, array_like=True):
    """What tells a turn by its words: a keyed hash in hex, and how many letters there are; `by_site`: whether the site
    gave the turn an id."""

    hash: str
    letters: int
    by_site: bool = False


class _Mark(msgspec.Struct, frozen=True):
    key: bytes
    words: tuple[Words, ...]


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


def letters(content: str) -> str:
    """Lower-case letters and digits alone, as the extension's ledger has them; a text without any stays as it is."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", content).lower()) or content


def _words(key: bytes, place: bytes, role: str, content: str, message_key: str) -> Words:
    own = letters(content)
    told = own[:BEGINS] if role == "assistant" else own
    by_site = message_key.startswith("id:") and not _FROM_THE_PAGE.fullmatch(message_key)
    return Words(_digest(key, place.hex(), role, told).hex(), len(own), by_site)


def _alike(one: Words, other: Words) -> bool:
    if one.by_site and other.by_site:
        return False
    # Of what the user says the hash holds every letter, so that the lengths agree when it does.
    longer = max(one.letters, other.letters)
    within = longer <= BEGINS or abs(one.letters - other.letters) <= SAME_LENGTH * longer
    return one.hash == other.hash and within


def bury(tx: Tx, turns: Sequence[int]) -> None:
    """Leaves a mark for each of these turns (pks), which must still be there."""
    key = secret(tx)
    for pk, profile, name, site, external_id, conversation, message, message_key in fetch(
        tx.db,
        "SELECT m.pk, p.pk, p.name, c.site, c.external_id, c.id, m.id, m.key FROM message m JOIN conversation c"
        " ON c.pk = m.conversation JOIN profile p ON p.pk = c.profile WHERE m.pk IN (SELECT value FROM json_each(?))",
        (to_json(turns),),
    ):
        place = _digest(key, name, site, external_id)
        said = tx.db.execute(
            "SELECT role, content FROM message WHERE pk = ?1"
            " UNION ALL SELECT role, content FROM revision WHERE message = ?1",
            (pk,),
        )
        words = dict.fromkeys(_words(key, place, role, content, message_key) for role, content in said)
        tx.db.execute(
            "INSERT OR REPLACE INTO forgotten_turn"
            " (key, place, words, profile, site, conversation, message, forgotten_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                _digest(key, name, site, external_id, message_key),
                place,
                to_json(words),
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


def sent_again(tx: Tx, profile: str, site: str, external_id: str, messages: Sequence[Incoming]) -> dict[str, KeptOut]:
    """Which of these messages the user forgot, by their keys; that they came again is counted."""
    key = _secret(tx.db)
    if key is None:
        return {}
    place = _digest(key, profile, site, external_id)
    rows = fetch(tx.db, "SELECT key, words FROM forgotten_turn WHERE place = ? ORDER BY message", (place,))
    marks = [_Mark(mark, msgspec.json.decode(words, type=tuple[Words, ...])) for mark, words in rows]
    by_key = {mark.key: mark for mark in marks}
    said: Counter[str] = Counter()
    """How often words came without an id in this call."""
    found = {}
    for message in {message.key: message for message in messages}.values():
        words = _words(key, place, message.role, message.content, message.key)
        said[words.hash] += message.external_id is None
        mark = by_key.get(_digest(key, profile, site, external_id, message.key))
        if mark is None and not _is_stored(tx.db, profile, site, external_id, message.key):
            alike = [mark for mark in marks if any(_alike(words, one) for one in mark.words)]
            mark = _kept_out_by(alike, message, words, said[words.hash])
        if mark is not None:
            [(conversation, message_id)] = fetch(
                tx.db,
                "UPDATE forgotten_turn SET sent_again = sent_again + 1, sent_again_at = ? WHERE key = ?"
                " RETURNING conversation, message",
                (tx.now, mark.key),
            )
            found[message.key] = KeptOut(conversation, message_id)
    return found


def _is_stored(db: apsw.Connection, profile: str, site: str, external_id: str, message_key: str) -> bool:
    """Whether the log has this very turn: it was said beside the forgotten one, in the same words."""
    found = db.execute(
        "SELECT 1 FROM message m JOIN conversation c ON c.pk = m.conversation JOIN profile p ON p.pk = c.profile"
        " WHERE p.name = ? AND c.site = ? AND c.external_id = ? AND m.key = ?",
        (profile, site, external_id, message_key),
    )
    return found.get is not None


def _kept_out_by(alike: Sequence[_Mark], message: Incoming, words: Words, time: int) -> _Mark | None:
    """Which of the forgotten turns with these words this message is, whose id is another. `time`: for the which time
    the words come in a call without an id; one that the page named says itself which it is."""
    if page := _FROM_THE_PAGE.fullmatch(message.key):
        time = int(page[1])
    if (page or message.external_id is None) and 1 <= time <= len(alike):
        return alike[time - 1]
    return alike[-1] if alike and words.letters >= LONG else None


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


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation as its site names it."""

    site: str
    external_id: str


def latest(db: apsw.Connection, *, profiles: Sequence[str] | None) -> int | None:
    """When (ms) the last turn that is kept out was forgotten; None where nothing is."""
    found = db.execute(f"SELECT max(f.forgotten_at) {_MINE}", (_only(profiles),)).get
    return None if found is None else int(str(found))


class LostTurns(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation of which turns were forgotten: whether any of its turns is `left` in the profiles that were looked
    at, and which of the profiles that lost some lost all."""

    site: str
    external_id: str
    left: bool
    gone_from: list[str]


def among(
    db: apsw.Connection, places: Sequence[Place], *, profiles: Sequence[str] | None, after: int | None
) -> list[LostTurns]:
    """Of which of these conversations a turn was forgotten after that time (ms; None: ever), and what is left."""
    key = _secret(db)
    if key is None:
        return []
    names = [name for (name,) in fetch(db, "SELECT name FROM profile")]
    seen = [name for name in names if profiles is None or name in profiles]
    asked = "SELECT 1 FROM forgotten_turn WHERE place = ?1 AND (?2 IS NULL OR forgotten_at > ?2) LIMIT 1"
    stored = (
        "SELECT p.name FROM conversation c JOIN profile p ON p.pk = c.profile WHERE c.site = ? AND c.external_id = ?"
        " AND EXISTS (SELECT 1 FROM message m WHERE m.conversation = c.pk)"
    )
    found = []
    for place in places:
        digests = {name: _digest(key, name, place.site, place.external_id) for name in seen}
        lost = [name for name in seen if db.execute(asked, (digests[name], after)).get is not None]
        if lost:
            left = {name for (name,) in fetch(db, stored, (place.site, place.external_id))}.intersection(seen)
            found.append(
                LostTurns(
                    site=place.site,
                    external_id=place.external_id,
                    left=bool(left),
                    gone_from=[name for name in lost if name not in left],
                )
            )
    return found


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
