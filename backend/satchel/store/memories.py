"""Memories: what the log says about the user, each tied to the words it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import apsw
import msgspec

from satchel.store import vector_sets, vectors
from satchel.store.clock import new_id
from satchel.store.database import fetch, to_json
from satchel.store.log import ensure_profile
from satchel.store.segment import segment
from satchel.store.store import Tx
from satchel.structs import decodable
from satchel.types import Draft, Kind, Memory, NotFoundError, SaidBy, Source, Status

WROTE, REWORDED, REKEYED, RETAGGED, DECIDED = 1, 2, 4, 8, 16
"""What of a memory is the user's, as `memory.by_hand` keeps it."""
_BY_HAND = {"text": REWORDED, "key": REKEYED, "tags": RETAGGED, "pinned": 0}

LIVE: tuple[Status, ...] = ("active", "resolving")

Order = Literal["latest", "oldest", "observed"]
_ORDERS: dict[Order, str] = {
    "latest": "y.updated_at DESC, y.pk DESC",
    "oldest": "y.updated_at, y.pk",
    "observed": "y.observations DESC, y.updated_at DESC, y.pk DESC",
}

_MEMORY = (
    "SELECT y.pk, y.id, p.name, y.kind, y.text, y.key, y.tags, y.reasoning, y.said_by, y.status, y.event_time,"
    " y.valid_from, y.valid_to, y.observations, y.created_at, y.updated_at, y.pinned, y.model, y.prompt_version"
    " FROM memory y JOIN profile p ON p.pk = y.profile"
)
_FIELDS = [
    "pk",
    "id",
    "profile",
    "kind",
    "text",
    "key",
    "tags",
    "reasoning",
    "said_by",
    "status",
    "event_time",
    "valid_from",
    "valid_to",
    "observations",
    "created_at",
    "updated_at",
    "pinned",
    "model",
    "prompt_version",
]


@decodable
class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What a memory said until `changed_at`, and who changed it."""

    version: int
    changed_at: int
    changed_by: Literal["user", "extraction"]
    change: str
    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...]
    status: Status
    valid_from: int
    valid_to: int | None


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """Changes to a memory; UNSET leaves as it is."""

    text: str | msgspec.UnsetType = msgspec.UNSET
    kind: Kind | msgspec.UnsetType = msgspec.UNSET
    key: str | msgspec.UnsetType = msgspec.UNSET
    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    status: Status | msgspec.UnsetType = msgspec.UNSET
    pinned: bool | msgspec.UnsetType = msgspec.UNSET
    valid_from: int | msgspec.UnsetType = msgspec.UNSET
    valid_to: int | msgspec.UnsetType | None = msgspec.UNSET
    observations: int | msgspec.UnsetType = msgspec.UNSET
    reasoning: str | msgspec.UnsetType | None = msgspec.UNSET


def _load(db: apsw.Connection, condition: str, args: Sequence[Any]) -> dict[int, Memory]:
    """Memories with their sources, by pk, in the order of the query."""
    rows = fetch(db, f"{_MEMORY} {condition}", args)
    sources: dict[int, list[Source]] = {row[0]: [] for row in rows}
    for pk, message, conversation, start, end, quote, revision in fetch(
        db,
        'SELECT s.memory, m.id, c.id, s.start, s."end", s.quote, s.revision FROM source s JOIN message m'
        " ON m.pk = s.message JOIN conversation c ON c.pk = m.conversation"
        " WHERE s.memory IN (SELECT value FROM json_each(?))"
        " ORDER BY m.time, m.position, s.start",
        (to_json(sources),),
    ):
        sources[pk].append(
            Source(
                message_id=message, conversation_id=conversation, start=start, end=end, quote=quote, revision=revision
            )
        )
    found = {}
    for row in rows:
        values = dict(zip(_FIELDS, row, strict=True))
        pk = values.pop("pk")
        values["tags"] = tuple(msgspec.json.decode(values["tags"]))
        values["pinned"] = bool(values["pinned"])
        held = tuple(sources[pk])
        found[pk] = Memory(**values, sources=held, conversations=len({s.conversation_id for s in held}))
    return found


def memory(db: apsw.Connection, memory_id: str) -> Memory:
    for found in _load(db, "WHERE y.id = ?", (memory_id,)).values():
        return found
    raise NotFoundError(f"There is no memory {memory_id[:64]!r}.")


def by_pks(db: apsw.Connection, pks: Sequence[int]) -> dict[int, Memory]:
    return _load(db, "WHERE y.pk IN (SELECT value FROM json_each(?))", (to_json(pks),))


def by_ids(db: apsw.Connection, ids: Sequence[str]) -> dict[str, Memory]:
    found = _load(db, "WHERE y.id IN (SELECT value FROM json_each(?))", (to_json(ids),))
    return {memory.id: memory for memory in found.values()}


def pk_of(db: apsw.Connection, memory_id: str) -> int:
    pk = db.execute("SELECT pk FROM memory WHERE id = ?", (memory_id,)).get
    if pk is None:
        raise NotFoundError(f"There is no memory {memory_id[:64]!r}.")
    return int(pk)


def history(db: apsw.Connection, memory_id: str) -> list[Version]:
    rows = db.execute(
        "SELECT h.version, h.changed_at, h.changed_by, h.change, h.kind, h.text, h.key, h.tags, h.status, h.valid_from,"
        " h.valid_to FROM history h JOIN memory y ON y.pk = h.memory WHERE y.id = ? ORDER BY h.version",
        (memory_id,),
    )
    names = Version.__struct_fields__
    versions = []
    for row in rows:
        values = dict(zip(names, row, strict=True))
        values["tags"] = tuple(msgspec.json.decode(values["tags"]))
        versions.append(msgspec.convert(values, Version))
    return versions


def page(
    db: apsw.Connection,
    *,
    profiles: Sequence[str] | None,
    kinds: Sequence[Kind] = (),
    statuses: Sequence[Status] = LIVE,
    tag: str | None = None,
    match: str | None = None,
    site: str | None = None,
    since: int | None = None,
    until: int | None = None,
    pinned: bool | None = None,
    said_by: SaidBy | None = None,
    order: Order = "latest",
    page: int = 1,
    size: int = 100,
) -> tuple[list[Memory], int]:
    """A page of memories and how many there are: pinned first, then the latest change, the oldest, or what was said
    most often. `profiles` None: of all.

    `match` is an FTS5 expression; the order stays. `site`: some of its words were said there. `since` and `until` (ms)
    bound `valid_from`, the latter excluded.
    """
    # The plus signs keep SQLite from looking memories up by status and profile, which most have in common, and sorting
    # them: it walks along `memory_in_order`.
    where, args = ["+y.status IN (SELECT value FROM json_each(?))"], [to_json(statuses)]

    def only(condition: str, value: Any) -> None:
        where.append(condition)
        args.append(value)

    if profiles is not None:
        only("+y.profile IN (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?)))", to_json(profiles))
    if kinds:
        only("y.kind IN (SELECT value FROM json_each(?))", to_json(kinds))
    if tag is not None:
        only("EXISTS (SELECT 1 FROM json_each(y.tags) t WHERE t.value = ?)", tag)
    if match is not None:
        only("y.pk IN (SELECT rowid FROM memory_words WHERE memory_words MATCH ?)", match)
    if site is not None:
        only(
            "y.pk IN (SELECT s.memory FROM conversation c JOIN message m ON m.conversation = c.pk"
            " JOIN source s ON s.message = m.pk WHERE c.site = ?)",
            site,
        )
    if since is not None:
        only("y.valid_from >= ?", since)
    if until is not None:
        only("y.valid_from < ?", until)
    if pinned is not None:
        only("y.pinned = ?", int(pinned))
    if said_by is not None:
        only("y.said_by = ?", said_by)
    condition = " AND ".join(where)
    total = db.execute(f"SELECT count(*) FROM memory y WHERE {condition}", args).get
    # The rows themselves are looked up for this page alone: what is passed over need not be read.
    pks = [
        row[0]
        for row in db.execute(
            f"SELECT y.pk FROM memory y WHERE {condition} ORDER BY y.pinned DESC, {_ORDERS[order]} LIMIT ? OFFSET ?",
            (*args, size, (page - 1) * size),
        )
    ]
    found = by_pks(db, pks)
    return [found[pk] for pk in pks], total


def counts(db: apsw.Connection) -> dict[str, int]:
    return dict(fetch(db, "SELECT status, count(*) FROM memory GROUP BY status"))


# Writing


def add(
    tx: Tx,
    draft: Draft,
    *,
    profile: str,
    status: Status = "active",
    valid_to: int | None = None,
    by_hand: bool = False,
    model: str | None = None,
    prompt_version: str | None = None,
) -> int:
    """Stores a memory with its sources; its pk.

    Raises ValueError where a source's quote does not stand in its message (rule 3), or a derived memory has none.
    """
    if not draft.sources and not by_hand:
        raise ValueError("a derived memory needs the words it came from")
    now = tx.now
    tx.db.execute(
        "INSERT INTO memory (id, profile, kind, text, key, tags, reasoning, said_by, status, event_time, valid_from,"
        " valid_to, by_hand, model, prompt_version, created_at, updated_at, device, clock)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new_id(),
            ensure_profile(tx, profile),
            draft.kind,
            draft.text,
            draft.key,
            to_json(draft.tags),
            draft.reasoning,
            draft.said_by,
            status,
            draft.event_time,
            draft.valid_from,
            valid_to,
            by_hand,
            model,
            prompt_version,
            now,
            now,
            tx.device,
            tx.tick(),
        ),
    )
    pk = tx.db.last_insert_rowid()
    _add_sources(tx, pk, draft.sources)
    index_words(tx.db, pk)
    return pk


def _add_sources(tx: Tx, pk: int, sources: Sequence[Source]) -> bool:
    """Ties sources to a memory; whether that changed any. They replace what the same message no longer says."""
    changed = False
    for source in sources:
        row = tx.db.execute("SELECT pk, revision, content FROM message WHERE id = ?", (source.message_id,)).fetchone()
        if row is None or row[2][source.start : source.end] != source.quote or not source.quote:
            raise ValueError("the quote does not stand in its message")
        message, revision, content = row
        changed |= _move_on(tx, pk, message, revision, content)
        tx.db.execute(
            "INSERT OR IGNORE INTO source VALUES (?, ?, ?, ?, ?, ?)",
            (pk, message, revision, source.start, source.end, source.quote),
        )
        changed |= tx.db.changes() > 0
    return changed


def _move_on(tx: Tx, pk: int, message: int, revision: int, content: str) -> bool:
    """Takes a memory's sources in an edited message to what it says now: those that still stand stay, the others go."""
    old = fetch(
        tx.db,
        'SELECT revision, start, "end", quote FROM source WHERE memory = ? AND message = ? AND revision < ?',
        (pk, message, revision),
    )
    for said_in, start, end, quote in old:
        tx.db.execute(
            'DELETE FROM source WHERE memory = ? AND message = ? AND revision = ? AND start = ? AND "end" = ?',
            (pk, message, said_in, start, end),
        )
        if content[start:end] == quote:
            tx.db.execute(
                "INSERT OR IGNORE INTO source VALUES (?, ?, ?, ?, ?, ?)", (pk, message, revision, start, end, quote)
            )
    return bool(old)


def observe(tx: Tx, pk: int, draft: Draft) -> bool:
    """The same was said again: its sources, and one more observation. False when all its messages counted before.

    A message counts once for a memory, however often it is edited and read again.
    """
    named = to_json([source.message_id for source in draft.sources])
    fresh = tx.db.execute(
        "SELECT EXISTS (SELECT 1 FROM message WHERE id IN (SELECT value FROM json_each(?))"
        " AND pk NOT IN (SELECT message FROM source WHERE memory = ?))",
        (named, pk),
    ).get
    if not _add_sources(tx, pk, draft.sources):
        return False
    tx.db.execute(
        "UPDATE memory SET observations = observations + ?, updated_at = ?, device = ?, clock = ? WHERE pk = ?",
        (fresh, tx.now, tx.device, tx.tick(), pk),
    )
    return bool(fresh)


def edit(tx: Tx, pk: int, changes: Edit, *, by: Literal["user", "extraction"], change: str) -> None:
    """Changes a memory and keeps what it said before. `change` names what happened: edited, pinned, superseded, ..."""
    values: dict[str, Any] = {
        name: value for name in Edit.__struct_fields__ if (value := getattr(changes, name)) is not msgspec.UNSET
    }
    if "tags" in values:
        values["tags"] = to_json(values["tags"])
    current = tx.db.execute(
        "SELECT text, kind, key, tags, status, pinned, valid_from, valid_to, observations, reasoning FROM memory"
        " WHERE pk = ?",
        (pk,),
    ).fetchone()
    if current is None:
        raise NotFoundError("That memory was forgotten meanwhile.")
    before: Mapping[str, Any] = dict(zip(Edit.__struct_fields__, current, strict=True))
    values = {name: value for name, value in values.items() if value != before[name]}
    if not values:
        return
    _keep_version(tx, pk, by=by, change=change)
    columns = "".join(f"{name} = ?, " for name in values)  # names come from Edit's fields
    by_hand = sum({_BY_HAND.get(name, DECIDED) for name in values}) if by == "user" else 0
    tx.db.execute(
        f"UPDATE memory SET {columns}{_TOUCHED} WHERE pk = ?", (*values.values(), *_touch(tx, by, by_hand), pk)
    )
    if {"text", "key", "tags"} & values.keys():
        index_words(tx.db, pk, again=True)


def confirm(tx: Tx, pk: int, *, change: str) -> None:
    """The user looked at a memory and decided that it stands as it is: it is the user's from now on."""
    _keep_version(tx, pk, by="user", change=change)
    tx.db.execute(f"UPDATE memory SET {_TOUCHED} WHERE pk = ?", (*_touch(tx, "user", DECIDED), pk))


# A change is later than the one before it even within a millisecond: who edits says by `updated_at` what they had seen.
_TOUCHED = (
    f"by_hand = iif(by_hand & {WROTE}, by_hand, by_hand | ?), looked_at = coalesce(?, looked_at),"
    " updated_at = max(?, updated_at + 1), device = ?, clock = ?"
)


def _touch(tx: Tx, by: Literal["user", "extraction"], by_hand: int) -> tuple[Any, ...]:
    return by_hand, tx.now if by == "user" else None, tx.now, tx.device, tx.tick()


def _keep_version(tx: Tx, pk: int, *, by: Literal["user", "extraction"], change: str) -> None:
    tx.db.execute(
        "INSERT INTO history SELECT pk, (SELECT coalesce(max(version), 0) + 1 FROM history WHERE memory = ?1),"
        " ?2, ?3, ?4, kind, text, key,"
        " tags, status, valid_from, valid_to FROM memory WHERE pk = ?1",
        (pk, tx.now, by, change),
    )


def explain(tx: Tx, pk: int, reasoning: str) -> None:
    """Says anew what a memory rests on. What it says stays, and so its history does."""
    tx.db.execute(
        "UPDATE memory SET reasoning = ?1, updated_at = ?2, device = ?3, clock = ?4 WHERE pk = ?5 AND reasoning IS"
        " NOT ?1",
        (reasoning, tx.now, tx.device, tx.tick(), pk),
    )


def reword(tx: Tx, pk: int, *, text: str, key: str, tags: Sequence[str], reasoning: str | None) -> None:
    """Changes what a memory says and keeps nothing of what it said: for forgetting. `edit` is for everything else."""
    tx.db.execute(
        "UPDATE memory SET text = ?, key = ?, tags = ?, reasoning = ?, updated_at = ?, device = ?, clock = ?"
        " WHERE pk = ?",
        (text, key, to_json(tags), reasoning, tx.now, tx.device, tx.tick(), pk),
    )
    index_words(tx.db, pk, again=True)


def is_users_own(db: apsw.Connection, pk: int) -> bool:
    """Whether the user wrote, changed or pinned it: extraction may add to it, never change it."""
    return bool(db.execute("SELECT by_hand OR pinned FROM memory WHERE pk = ?", (pk,)).get)


def is_by_hand(db: apsw.Connection, memory_id: str) -> bool:
    """Whether the user wrote or changed it."""
    return bool(db.execute("SELECT by_hand FROM memory WHERE id = ?", (memory_id,)).get)


def index_words(db: apsw.Connection, pk: int, *, again: bool = False) -> None:
    """Puts a memory's words into their index, and queues it for its vector. `again`: instead of what is there."""
    if again:
        unindex(db, pk)
    text, key, tags = db.execute("SELECT text, key, tags FROM memory WHERE pk = ?", (pk,)).fetchone() or ("", "", "[]")
    words = " ".join((text, key, *msgspec.json.decode(tags)))
    db.execute("INSERT INTO memory_words (rowid, text) VALUES (?, ?)", (pk, segment(words)))
    vector_sets.queue(db, "memory", pk)


def unindex(db: apsw.Connection, pk: int) -> None:
    """Takes a memory out of words and vectors."""
    db.execute("DELETE FROM memory_words WHERE rowid = ?", (pk,))
    vectors.remove(db, "memory", pk)


def of_messages(db: apsw.Connection, message_ids: Sequence[str]) -> dict[int, Memory]:
    """Memories that rest on any of these messages."""
    return _load(
        db,
        "WHERE y.pk IN (SELECT s.memory FROM source s JOIN message m ON m.pk = s.message"
        " WHERE m.id IN (SELECT value FROM json_each(?)))",
        (to_json(message_ids),),
    )


def of_conversations(db: apsw.Connection, conversation_ids: Sequence[str]) -> dict[int, Memory]:
    """Memories that rest on anything said in these conversations."""
    return _load(
        db,
        "WHERE y.pk IN (SELECT s.memory FROM source s JOIN message m ON m.pk = s.message"
        " JOIN conversation c ON c.pk = m.conversation WHERE c.id IN (SELECT value FROM json_each(?)))",
        (to_json(conversation_ids),),
    )


def holding_words(db: apsw.Connection, profile: int, beginnings: Sequence[str], *, limit: int) -> list[int]:
    """The pks of the memories of a profile (by its pk) that hold words beginning so, those that hold most first."""
    wanted = [f'"{word}"*' for word in (beginning.replace('"', "") for beginning in beginnings) if word.strip()]
    if not wanted:
        return []
    rows = fetch(
        db,
        "SELECT memory_words.rowid FROM memory_words JOIN memory y ON y.pk = memory_words.rowid"
        " WHERE memory_words MATCH ? AND y.profile = ? AND y.status <> 'archived' ORDER BY rank LIMIT ?",
        (" OR ".join(wanted), profile, limit),
    )
    return [row[0] for row in rows]


def last_said(db: apsw.Connection, pk: int) -> int | None:
    """When the latest of its words was said (ms); None without any."""
    last = db.execute(
        "SELECT max(m.time) FROM source s JOIN message m ON m.pk = s.message WHERE s.memory = ?", (pk,)
    ).get
    return None if last is None else int(last)


def in_conversation(db: apsw.Connection, conversation_id: str) -> list[Memory]:
    """Memories that rest on a conversation, whatever became of them, in the order in which it first says them."""
    rows = db.execute(
        "SELECT s.memory FROM source s JOIN message m ON m.pk = s.message JOIN conversation c ON c.pk = m.conversation"
        " WHERE c.id = ? ORDER BY m.time, m.position, s.start, s.memory",
        (conversation_id,),
    )
    pks = list(dict.fromkeys(int(str(pk)) for (pk,) in rows))
    found = by_pks(db, pks)
    return [found[pk] for pk in pks]


def count_in_conversations(db: apsw.Connection, conversation_ids: Sequence[str]) -> dict[str, int]:
    """How many memories rest on each of these conversations, by its id; none is left out."""
    found = fetch(
        db,
        "SELECT c.id, count(DISTINCT s.memory) FROM conversation c JOIN message m ON m.conversation = c.pk"
        " JOIN source s ON s.message = m.pk WHERE c.id IN (SELECT value FROM json_each(?)) GROUP BY c.id",
        (to_json(conversation_ids),),
    )
    return dict.fromkeys(conversation_ids, 0) | dict(found)


def rests_on_edited(db: apsw.Connection, memory_id: str) -> bool:
    """Whether any message that a memory rests on was edited since it was read."""
    found = db.execute(
        "SELECT EXISTS (SELECT 1 FROM memory y JOIN source s ON s.memory = y.pk JOIN message m ON m.pk = s.message"
        " WHERE y.id = ? AND s.revision < m.revision)",
        (memory_id,),
    ).get
    return bool(found)


def resting_on_old_words(db: apsw.Connection, message_ids: Sequence[str]) -> list[int]:
    """Memories all of whose sources are words that their messages no longer say, among those of these messages."""
    rows = fetch(
        db,
        "SELECT DISTINCT s.memory FROM source s JOIN message m ON m.pk = s.message"
        " WHERE m.id IN (SELECT value FROM json_each(?)) AND s.revision < m.revision",
        (to_json(message_ids),),
    )
    return [row[0] for row in rows if not _stands(db, row[0])]


def _stands(db: apsw.Connection, pk: int) -> bool:
    """Whether a message still says any of the quotes in its place. Compared here: SQL's substr ends at a NUL."""
    return any(
        content[start:end] == quote
        for content, start, end, quote in fetch(
            db,
            'SELECT m.content, s.start, s."end", s.quote FROM source s JOIN message m ON m.pk = s.message'
            " WHERE s.memory = ?",
            (pk,),
        )
    )
