"""The log: conversations and their messages, verbatim. What is derived from it can be derived again."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import apsw
import msgspec

from satchel.store import forgotten_turns, jobs, vector_sets, vectors
from satchel.store.clock import new_id
from satchel.store.database import fetch, to_json
from satchel.store.forgotten_turns import KeptOut
from satchel.store.segment import segment
from satchel.store.store import Tx
from satchel.types import Conversation, Message, NotFoundError, Role

SEARCHED_ROLES = ("user", "assistant")

CLOCK_SKEW_MS = 24 * 3600 * 1000
"""A message said to be sent later than this from now carries a wrong clock; it is filed under its arrival."""


class Incoming(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it enters the log: cleaned, hashed, with the key that recognises it when it comes again."""

    key: str
    external_id: str | None
    role: Role
    content: str
    hash: bytes
    sent_at: int | None
    masked: int = 0


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """`forgotten` of the `duplicates` are turns that the user forgot: they are not stored, and their ids are those they
    had. `job_id` is None where nothing of the conversation is left to be read."""

    conversation_id: str
    message_ids: list[str]
    accepted: int
    duplicates: int
    forgotten: int
    job_id: str | None


def hash_of(role: Role, content: str) -> bytes:
    """SHA-256 of who said what."""
    return hashlib.sha256(f"{role}\0{content}".encode("utf-8", "surrogatepass")).digest()


def profile_pk(db: apsw.Connection, name: str) -> int | None:
    return db.execute("SELECT pk FROM profile WHERE name = ?", (name,)).get  # type: ignore[no-any-return]


def ensure_profile(tx: Tx, name: str) -> int:
    if (pk := profile_pk(tx.db, name)) is not None:
        return pk
    tx.db.execute("INSERT INTO profile (name, created_at) VALUES (?, ?)", (name, tx.now))
    return tx.db.last_insert_rowid()


def record(
    tx: Tx,
    *,
    profile: str,
    site: str,
    external_id: str,
    title: str | None,
    url: str | None,
    messages: Sequence[Incoming],
) -> Recorded:
    """Files messages under their conversation and queues the job that reads what is new in them.

    A message known already changes nothing; one whose words changed becomes a new revision, the old one kept. Words
    that were an earlier revision are a late repeat, not a change back. What the user forgot is not stored again.
    """
    db, now = tx.db, tx.now
    kept_out: dict[str, KeptOut] = {}
    if forgotten_turns.is_touched(db, profile, site, external_id):
        kept_out = forgotten_turns.sent_again(tx, profile, site, external_id, messages)
        title = url = None  # sites make them from what was said first, and that may be what was forgotten
        if all(message.key in kept_out for message in messages):
            return _all_kept_out(tx, profile, site, external_id, [kept_out[message.key] for message in messages])
    conversation = _ensure_conversation(tx, profile, site, external_id, title, url)
    ids: list[str] = []
    fresh: list[int] = []
    next_position = db.execute(
        "SELECT coalesce(max(position) + 1, 0) FROM message WHERE conversation = ?", (conversation.pk,)
    ).get
    last = db.execute(
        "SELECT time FROM message WHERE conversation = ? ORDER BY position DESC LIMIT 1", (conversation.pk,)
    ).get
    for message, time in zip(messages, _times(messages, now=now, last=last), strict=True):
        if message.key in kept_out:
            ids.append(kept_out[message.key].message_id)
            continue
        known = db.execute(
            "SELECT pk, id, hash, revision FROM message WHERE conversation = ? AND key = ?",
            (conversation.pk, message.key),
        ).fetchone()
        if known is None:
            pk, message_id = _insert(tx, conversation.pk, message, next_position, now, time=time)
            next_position += 1
            fresh.append(pk)
        else:
            pk, message_id, current, revision = known
            earlier = "SELECT 1 FROM revision WHERE message = ? AND hash = ?"
            if current != message.hash and not db.execute(earlier, (pk, message.hash)).get:
                _revise(tx, pk, message, revision, now)
                fresh.append(pk)
        ids.append(message_id)
    job_id: str | None
    if fresh:
        db.execute("UPDATE conversation SET updated_at = ?, clock = ? WHERE pk = ?", (now, tx.tick(), conversation.pk))
        job_id = jobs.enqueue(tx, conversation.pk, fresh)
    else:
        job_id = jobs.latest_of(db, conversation.pk)
    return Recorded(
        conversation_id=conversation.id,
        message_ids=ids,
        accepted=len(fresh),
        duplicates=len(messages) - len(fresh),
        forgotten=sum(message.key in kept_out for message in messages),
        job_id=job_id,
    )


def _all_kept_out(tx: Tx, profile: str, site: str, external_id: str, known: Sequence[KeptOut]) -> Recorded:
    """The answer to a call that brings only what was forgotten. It leaves no new trace of the conversation."""
    row = tx.db.execute(
        "SELECT pk, id FROM conversation WHERE site = ? AND external_id = ? AND profile ="
        " (SELECT pk FROM profile WHERE name = ?)",
        (site, external_id, profile),
    ).fetchone()
    pk, conversation_id = row or (None, known[-1].conversation_id)
    return Recorded(
        conversation_id=conversation_id,
        message_ids=[one.message_id for one in known],
        accepted=0,
        duplicates=len(known),
        forgotten=len(known),
        job_id=None if pk is None else jobs.latest_of(tx.db, pk),
    )


class _Row(msgspec.Struct, frozen=True):
    pk: int
    id: str


def _ensure_conversation(tx: Tx, profile: str, site: str, external_id: str, title: str | None, url: str | None) -> _Row:
    owner = ensure_profile(tx, profile)
    known = tx.db.execute(
        "SELECT pk, id, title, url FROM conversation WHERE profile = ? AND site = ? AND external_id = ?",
        (owner, site, external_id),
    ).fetchone()
    if known is None:
        conversation_id, now = new_id(), tx.now
        tx.db.execute(
            "INSERT INTO conversation (id, profile, site, external_id, title, url, created_at, updated_at, device,"
            " clock)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (conversation_id, owner, site, external_id, title, url, now, now, tx.device, tx.tick()),
        )
        return _Row(tx.db.last_insert_rowid(), conversation_id)
    pk, conversation_id, old_title, old_url = known
    if (title or old_title, url or old_url) != (old_title, old_url):
        tx.db.execute(
            "UPDATE conversation SET title = ?, url = ?, clock = ? WHERE pk = ?",
            (title or old_title, url or old_url, tx.tick(), pk),
        )
    return _Row(pk, conversation_id)


def _insert(tx: Tx, conversation: int, message: Incoming, position: int, now: int, *, time: int) -> tuple[int, str]:
    message_id = new_id()
    tx.db.execute(
        "INSERT INTO message (id, conversation, key, external_id, role, content, hash, sent_at, received_at, time,"
        " position, masked, device, clock) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message_id,
            conversation,
            message.key,
            message.external_id,
            message.role,
            message.content,
            message.hash,
            message.sent_at,
            now,
            time,
            position,
            message.masked,
            tx.device,
            tx.tick(),
        ),
    )
    pk = tx.db.last_insert_rowid()
    index_words(tx.db, pk, message.role, message.content)
    return pk, message_id


def _revise(tx: Tx, pk: int, message: Incoming, revision: int, now: int) -> None:
    tx.db.execute(
        "INSERT INTO revision (message, revision, role, content, hash, received_at)"
        " SELECT pk, revision, role, content, hash, received_at FROM message WHERE pk = ?",
        (pk,),
    )
    unindex(tx.db, pk)
    tx.db.execute(
        "UPDATE message SET role = ?, content = ?, hash = ?, revision = ?, sent_at = coalesce(?, sent_at),"
        " received_at = ?, masked = ?, device = ?, clock = ? WHERE pk = ?",
        (
            message.role,
            message.content,
            message.hash,
            revision + 1,
            message.sent_at,
            now,
            message.masked,
            tx.device,
            tx.tick(),
            pk,
        ),
    )
    index_words(tx.db, pk, message.role, message.content)


def _times(messages: Sequence[Incoming], *, now: int, last: int | None) -> list[int]:
    """Under which times (ms) the turns of one call are filed; `last` is that of the turn stored before them.

    A turn without a believable time of its own has that of the one before it in the call; before the first that has
    one, and where none has, it is said as it arrives. A stored turn lends no time of its own: it may be weeks old.
    """
    own = [None if m.sent_at is None or m.sent_at > now + CLOCK_SKEW_MS else m.sent_at for m in messages]
    arrived = now if last is None or last > now + CLOCK_SKEW_MS else max(now, last)
    time = min(arrived, next((sent_at for sent_at in own if sent_at is not None), arrived))
    times = []
    for sent_at in own:
        time = time if sent_at is None else sent_at
        times.append(time)
    return times


def index_words(db: apsw.Connection, pk: int, role: str, content: str) -> None:
    """Makes a turn searchable by its words at once, and queues it for its vector."""
    if role in SEARCHED_ROLES and content:
        db.execute("INSERT INTO turn_words (rowid, text) VALUES (?, ?)", (pk, segment(content)))
        vector_sets.queue(db, "turn", pk)


def unindex(db: apsw.Connection, pk: int) -> None:
    """Takes a turn out of words and vectors."""
    db.execute("DELETE FROM turn_words WHERE rowid = ?", (pk,))
    vectors.remove(db, "turn", pk)


# Reading

_CONVERSATION = (
    "SELECT c.id, p.name, c.site, c.external_id, c.title, c.url, c.created_at, c.updated_at,"
    " (SELECT count(*) FROM message m WHERE m.conversation = c.pk)"
    " FROM conversation c JOIN profile p ON p.pk = c.profile"
)
_MESSAGE = (
    "SELECT m.id, c.id, m.role, m.content, m.time, m.position, m.revision, m.external_id, m.sent_at, m.received_at"
    " FROM message m JOIN conversation c ON c.pk = m.conversation"
)


def _conversation(row: tuple[object, ...]) -> Conversation:
    fields = ("id", "profile", "site", "external_id", "title", "url", "created_at", "updated_at", "message_count")
    return msgspec.convert(dict(zip(fields, row, strict=True)), Conversation)


def _message(row: tuple[object, ...]) -> Message:
    fields = (
        "id",
        "conversation_id",
        "role",
        "content",
        "time",
        "position",
        "revision",
        "external_id",
        "sent_at",
        "received_at",
    )
    return msgspec.convert(dict(zip(fields, row, strict=True)), Message)


_LITERAL, _ESCAPED = re.compile(r"[\\%_]"), r"\\\g<0>"
"""What LIKE would read as anything but itself."""


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """`day` in the time of this machine, as in 2026-12-01."""

    day: str
    conversations: int


def days(db: apsw.Connection, *, profiles: Sequence[str], site: str | None = None, limit: int) -> list[DayCount]:
    """The latest `limit` days on which something last came of conversations, newest first."""
    rows = db.execute(
        "SELECT date(c.updated_at / 1000, 'unixepoch', 'localtime') AS day, count(*) FROM conversation c"
        " JOIN profile p ON p.pk = c.profile WHERE p.name IN (SELECT value FROM json_each(?1))"
        " AND (?2 IS NULL OR c.site = ?2) GROUP BY day ORDER BY day DESC LIMIT ?3",
        (to_json(profiles), site, limit),
    )
    return [DayCount(day=str(day), conversations=int(str(count))) for day, count in rows]


def conversations(
    db: apsw.Connection,
    *,
    profiles: Sequence[str] | None,
    site: str | None = None,
    external_id: str | None = None,
    since: int | None = None,
    until: int | None = None,
    title: Sequence[str] = (),
    page: int,
    size: int,
) -> tuple[list[Conversation], int]:
    """A page of conversations, latest first, and how many there are. `profiles` None: of all.

    `since` and `until` (ms) bound when something last came of it, the latter excluded; `title` are words that stand in
    its title, in any order.
    """
    where: list[str] = ["1"]
    args: list[str | int] = []
    if profiles is not None:
        where.append("p.name IN (SELECT value FROM json_each(?))")
        args.append(to_json(profiles))
    if site is not None:
        where.append("c.site = ?")
        args.append(site)
    if external_id is not None:
        where.append("c.external_id = ?")
        args.append(external_id)
    if since is not None:
        where.append("c.updated_at >= ?")
        args.append(since)
    if until is not None:
        where.append("c.updated_at < ?")
        args.append(until)
    for word in title:
        where.append(r"c.title LIKE ? ESCAPE '\'")
        args.append(f"%{_LITERAL.sub(_ESCAPED, word)}%")
    condition = " AND ".join(where)
    total = db.execute(
        f"SELECT count(*) FROM conversation c JOIN profile p ON p.pk = c.profile WHERE {condition}",
        args,
    ).get
    rows = db.execute(
        f"{_CONVERSATION} WHERE {condition} ORDER BY c.updated_at DESC, c.pk DESC LIMIT ? OFFSET ?",
        (*args, size, (page - 1) * size),
    )
    return [_conversation(row) for row in rows], total


def conversation(db: apsw.Connection, conversation_id: str) -> Conversation:
    row = db.execute(f"{_CONVERSATION} WHERE c.id = ?", (conversation_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no conversation {conversation_id[:64]!r}.")
    return _conversation(row)


def messages_of(db: apsw.Connection, conversation_id: str) -> list[Message]:
    """All turns of a conversation, in the order they were said."""
    return [
        _message(row)
        for row in db.execute(f"{_MESSAGE} WHERE c.id = ? ORDER BY m.time, m.position", (conversation_id,))
    ]


def messages(db: apsw.Connection, ids: Sequence[str]) -> dict[str, Message]:
    rows = db.execute(f"{_MESSAGE} WHERE m.id IN (SELECT value FROM json_each(?))", (to_json(ids),))
    return {message.id: message for message in map(_message, rows)}


def external_ids(db: apsw.Connection, conversation_ids: Sequence[str]) -> dict[str, str]:
    """The sites' own ids of conversations, by ours."""
    return dict(
        fetch(
            db,
            "SELECT id, external_id FROM conversation WHERE id IN (SELECT value FROM json_each(?))",
            (to_json(conversation_ids),),
        )
    )


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    revision: int
    content: str
    received_at: int


def revisions_of(db: apsw.Connection, conversation_id: str) -> dict[str, list[Revision]]:
    """Earlier words of the turns that were changed, by message id, oldest first."""
    found: dict[str, list[Revision]] = {}
    for message_id, number, content, received_at in db.execute(
        "SELECT m.id, r.revision, r.content, r.received_at FROM revision r JOIN message m ON m.pk = r.message"
        " JOIN conversation c ON c.pk = m.conversation WHERE c.id = ? ORDER BY r.revision",
        (conversation_id,),
    ):
        found.setdefault(message_id, []).append(Revision(revision=number, content=content, received_at=received_at))
    return found


def revisions_of_message(db: apsw.Connection, message_id: str) -> list[Revision]:
    """What one turn said before it was changed, oldest first."""
    rows = db.execute(
        "SELECT r.revision, r.content, r.received_at FROM revision r JOIN message m ON m.pk = r.message WHERE m.id = ?"
        " ORDER BY r.revision",
        (message_id,),
    )
    return [Revision(revision=number, content=content, received_at=at) for number, content, at in rows]


class ProfileCount(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    conversations: int
    messages: int
    memories: int


def profiles(db: apsw.Connection) -> list[ProfileCount]:
    rows = db.execute(
        "SELECT p.name, (SELECT count(*) FROM conversation c WHERE c.profile = p.pk),"
        " (SELECT count(*) FROM message m JOIN conversation c ON c.pk = m.conversation WHERE c.profile = p.pk),"
        " (SELECT count(*) FROM memory y WHERE y.profile = p.pk) FROM profile p ORDER BY p.name"
    )
    return [ProfileCount(name=n, conversations=c, messages=m, memories=y) for n, c, m, y in rows]
