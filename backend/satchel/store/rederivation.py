"""Deriving a profile's memories again: how far that is, what each turn gave, and the changes it would make.

One run a profile. It reads turns, keeps what they gave, and holds a preview of changes, which is applied a few at a
time. All of it is durable, and all that forgetting reaches goes with it (migrations/0002_rederive.sql).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import apsw
import msgspec

from satchel.store import contradictions, forgotten, jobs, log, memories
from satchel.store.database import fetch, to_json
from satchel.store.store import Tx
from satchel.structs import decodable
from satchel.types import Draft, Memory, NotFoundError, SatchelError, Source

State = Literal["reading", "ready", "applying", "applied"]
ChangeKind = Literal["reworded", "status_changed", "new", "withdrawn", "sources_changed"]
Outcome = Literal["applied", "skipped"]

CHANGE_KINDS: tuple[ChangeKind, ...] = ("reworded", "status_changed", "new", "withdrawn", "sources_changed")
"""In the order in which they are shown and applied."""


class PreviewError(SatchelError):
    """What is to be applied is not what was shown."""

    status = 409
    title = "Conflict"


@decodable
class Run(msgspec.Struct, frozen=True, kw_only=True):
    """`generation` rises whenever something of the profile is forgotten; `preview` is None before it is ready."""

    pk: int
    profile: str
    state: State
    stamp: str
    preview: str | None
    generation: int
    started_at: int


class Unread(msgspec.Struct, frozen=True):
    message_id: str
    conversation_id: str


class Read(msgspec.Struct, frozen=True):
    """What a turn gave. `drafts` is JSON, None where it could not be read; `vectors` float32, one after another."""

    message_id: str
    drafts: str | None
    vectors: bytes


@decodable
class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would change. `memory_id` and `before` are None for a new memory, until it is applied.

    `clock` is the memory's when this was worked out: another one means that it was changed since.
    """

    change: ChangeKind
    memory_id: str | None
    clock: str | None
    before: Memory | None
    after: Memory
    outcome: Outcome | None = None
    reason: str | None = None
    """Why it was skipped, in a sentence."""


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Turns of the user, those read, those that could not be, and changes by kind and by what became of them."""

    run: Run
    turns: int
    read: int
    unreadable: int
    changes: dict[ChangeKind, int]
    applied: int
    skipped: int


_RUN = (
    "SELECT r.pk, p.name, r.state, r.stamp, r.preview, r.generation, r.started_at"
    " FROM rederivation r JOIN profile p ON p.pk = r.profile"
)


def _run(row: tuple[object, ...] | None) -> Run | None:
    return None if row is None else msgspec.convert(dict(zip(Run.__struct_fields__, row, strict=True)), Run)


def run_of(db: apsw.Connection, profile: str) -> Run | None:
    return _run(db.execute(f"{_RUN} WHERE p.name = ?", (profile,)).fetchone())


def under_way(db: apsw.Connection) -> Run | None:
    """The run that has something to do, the oldest first; None when there is none, or extraction is paused."""
    if jobs.paused(db):
        return None
    return _run(db.execute(f"{_RUN} WHERE r.state IN ('reading', 'applying') ORDER BY r.pk LIMIT 1").fetchone())


def begin(tx: Tx, profile: str) -> Run:
    """Starts a run, or goes on with it. What was read stays read; a preview is worked out anew.

    Turns that could not be read are tried again. A run that is being applied goes on as it is. Raises NotFoundError
    where the profile has no turns to read.
    """
    owner, now = log.profile_pk(tx.db, profile), tx.now
    if owner is None or not tx.db.execute(f"SELECT EXISTS (SELECT 1 {_TURNS})", (owner,)).get:
        raise NotFoundError(f"The profile {profile[:100]!r} holds no turns of yours: there is nothing to derive again.")
    tx.db.execute(
        "INSERT INTO rederivation (profile, state, started_at, updated_at) VALUES (?1, 'reading', ?2, ?2)"
        " ON CONFLICT (profile) DO UPDATE SET state = 'reading', preview = NULL, updated_at = ?2"
        " WHERE state IN ('ready', 'applied')",
        (owner, now),
    )
    found = run_of(tx.db, profile)
    assert found is not None
    if found.state == "reading":
        tx.db.execute("DELETE FROM rederived_change WHERE run = ?", (found.pk,))
        tx.db.execute("DELETE FROM rederived_turn WHERE run = ? AND drafts IS NULL", (found.pk,))
    return found


def drop(tx: Tx, profile: str) -> None:
    """Ends a run with all that it read. What it changed already stays changed."""
    tx.db.execute("DELETE FROM rederivation WHERE profile = (SELECT pk FROM profile WHERE name = ?)", (profile,))


# Reading

_TURNS = "FROM message m JOIN conversation c ON c.pk = m.conversation WHERE c.profile = ? AND m.role = 'user'"
_UNREAD = (
    "FROM rederivation r JOIN conversation c ON c.profile = r.profile JOIN message m ON m.conversation = c.pk"
    " WHERE r.pk = ? AND m.role = 'user' AND NOT EXISTS"
    " (SELECT 1 FROM rederived_turn t WHERE t.message = m.pk AND t.run = r.pk AND t.revision = m.revision)"
)


def stamp(tx: Tx, run: Run, by: str) -> None:
    """From now on `by` reads; what another read is read again."""
    tx.db.execute("UPDATE rederivation SET stamp = ?, updated_at = ? WHERE pk = ?", (by, tx.now, run.pk))
    tx.db.execute("DELETE FROM rederived_turn WHERE run = ?", (run.pk,))


def unread(db: apsw.Connection, run: Run, limit: int) -> list[Unread]:
    """Turns of the user that were not read in this run, a conversation after the other."""
    rows = db.execute(f"SELECT m.id, c.id {_UNREAD} ORDER BY c.pk, m.time, m.position LIMIT ?", (run.pk, limit))
    return [Unread(message, conversation) for message, conversation in rows]


def keep(tx: Tx, run: Run, read: Read, revision: int) -> bool:
    """Keeps what a turn gave when it was in that revision; False when it is to be read again.

    So it is when it was edited, or something of the profile was forgotten, since reading it began.
    """
    tx.db.execute(
        "INSERT OR REPLACE INTO rederived_turn SELECT m.pk, r.pk, m.conversation, m.revision, ?, ?"
        " FROM message m, rederivation r"
        " WHERE m.id = ? AND m.revision = ? AND r.pk = ? AND r.generation = ? AND r.stamp = ?",
        (read.drafts, read.vectors, read.message_id, revision, run.pk, run.generation, run.stamp),
    )
    return tx.db.changes() > 0


def unkeep(tx: Tx, run: Run, message_ids: Sequence[str]) -> None:
    """These turns are to be read again."""
    tx.db.execute(
        "DELETE FROM rederived_turn WHERE run = ? AND message IN"
        " (SELECT pk FROM message WHERE id IN (SELECT value FROM json_each(?)))",
        (run.pk, to_json(message_ids)),
    )


def reads(db: apsw.Connection, run: Run) -> list[Read]:
    """What all turns gave, in the order they were said."""
    rows = db.execute(
        "SELECT m.id, t.drafts, t.vectors FROM rederived_turn t JOIN message m ON m.pk = t.message"
        " WHERE t.run = ? AND t.revision = m.revision ORDER BY m.time, m.conversation, m.position",
        (run.pk,),
    )
    return [Read(message, drafts, vectors) for message, drafts, vectors in rows]


def progress(db: apsw.Connection, profile: str) -> Progress | None:
    """How far the profile's run is; None when there is none."""
    run = run_of(db, profile)
    if run is None:
        return None
    turns = db.execute(f"SELECT count(*) {_TURNS}", (log.profile_pk(db, profile),)).get
    return Progress(
        run=run,
        turns=turns,
        read=turns - db.execute(f"SELECT count(*) {_UNREAD}", (run.pk,)).get,
        unreadable=db.execute("SELECT count(*) FROM rederived_turn WHERE run = ? AND drafts IS NULL", (run.pk,)).get,
        changes=dict.fromkeys(CHANGE_KINDS, 0)
        | dict(fetch(db, "SELECT change, count(*) FROM rederived_change WHERE run = ? GROUP BY change", (run.pk,))),
        **{
            outcome: db.execute(
                "SELECT count(*) FROM rederived_change WHERE run = ? AND outcome = ?", (run.pk, outcome)
            ).get
            for outcome in ("applied", "skipped")
        },
    )


# Previewing


def preview(tx: Tx, run: Run, changes: Sequence[Change], *, name: str) -> bool:
    """Stores the changes that a run would make; False when they are to be worked out again, as with `keep`.

    `name`, an id made before the memories were looked at, tells this preview from others, and what is newer than it.
    """
    tx.db.execute(
        "UPDATE rederivation SET state = 'ready', preview = ?, updated_at = ?"
        " WHERE pk = ? AND generation = ? AND stamp = ? AND state = 'reading'",
        (name, tx.now, run.pk, run.generation, run.stamp),
    )
    if not tx.db.changes():
        return False
    tx.db.execute("DELETE FROM rederived_change WHERE run = ?", (run.pk,))
    tx.db.executemany(
        "INSERT INTO rederived_change (run, change, memory, clock, before, after) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (run.pk, one.change, one.memory_id, one.clock, one.before and _json(one.before), _json(one.after))
            for one in sorted(changes, key=lambda one: CHANGE_KINDS.index(one.change))
        ],
    )
    return True


def _json(memory: Memory) -> str:
    return msgspec.json.encode(memory).decode()


def changes(db: apsw.Connection, run: Run, *, page: int, size: int) -> list[Change]:
    """A page of the changes of a run, in the order in which they are applied."""
    rows = db.execute(
        f"SELECT {_CHANGE} FROM rederived_change WHERE run = ? ORDER BY pk LIMIT ? OFFSET ?",
        (run.pk, size, (page - 1) * size),
    )
    return [_change(row) for row in rows]


_CHANGE = "change, memory, clock, before, after, outcome, reason"


def _change(row: tuple[object, ...]) -> Change:
    change, memory, clock, before, after, outcome, reason = row
    return msgspec.convert(
        {
            "change": change,
            "memory_id": memory,
            "clock": clock,
            "before": before and msgspec.json.decode(str(before)),
            "after": msgspec.json.decode(str(after)),
            "outcome": outcome,
            "reason": reason,
        },
        Change,
    )


# Applying


def confirm(tx: Tx, profile: str, shown: str) -> Run:
    """The preview `shown` is to be applied. Raises PreviewError when it is not the current one."""
    run = run_of(tx.db, profile)
    if run is not None and run.state == "applying" and run.preview == shown:
        return run
    if run is None or run.state != "ready" or run.preview != shown:
        raise PreviewError("This preview does not hold any more; look at the changes again, then apply those.")
    tx.db.execute("UPDATE rederivation SET state = 'applying', updated_at = ? WHERE pk = ?", (tx.now, run.pk))
    return msgspec.structs.replace(run, state="applying")


def apply_some(tx: Tx, run: Run, limit: int) -> list[str]:
    """Makes the next changes of a run; the ids of the memories changed. The run is over when none is left."""
    if run_of(tx.db, run.profile) != run:  # it was dropped, or something was forgotten
        return []
    rows = fetch(
        tx.db,
        f"SELECT pk, {_CHANGE} FROM rederived_change WHERE run = ? AND outcome IS NULL ORDER BY pk LIMIT ?",
        (run.pk, limit),
    )
    changed = []
    if not rows:
        tx.db.execute("UPDATE rederivation SET state = 'applied', updated_at = ? WHERE pk = ?", (tx.now, run.pk))
        changed = _release(tx, run)
    for pk, *row in rows:
        change = _change(tuple(row))
        memory_id, reason = change.memory_id, _hindrance(tx.db, run, change)
        if reason is None:
            memory_id = _make(tx, run, change)
            changed.append(memory_id)
        outcome: Outcome = "applied" if reason is None else "skipped"
        tx.db.execute(
            "UPDATE rederived_change SET memory = ?, outcome = ?, reason = ? WHERE pk = ?",
            (memory_id, outcome, reason, pk),
        )
    return changed


def _release(tx: Tx, run: Run) -> list[str]:
    """Lets hold what only such of the run's memories contradicted that hold no more; the ids of what it lets hold.

    Only when all changes are made: one that was released could not be changed by the run any more. What the run itself
    left `resolving` is so.
    """
    rows = fetch(
        tx.db,
        "SELECT y.pk, y.status FROM rederived_change c JOIN memory y ON y.id = c.memory"
        " WHERE c.run = ? AND c.outcome = 'applied'",
        (run.pk,),
    )
    over = [pk for pk, status in rows if status not in memories.LIVE]
    those = set(contradictions.beside(tx.db, over)) - {pk for pk, _ in rows}
    freed = memories.by_pks(tx.db, contradictions.release(tx, sorted(those)))
    return [memory.id for memory in freed.values()]


def _hindrance(db: apsw.Connection, run: Run, change: Change) -> str | None:
    """Why a change may not be made any more, in a sentence; None when it may."""
    if change.memory_id is not None:
        row = db.execute("SELECT pk, clock FROM memory WHERE id = ?", (change.memory_id,)).fetchone()
        if row is None or row[1] != change.clock or memories.is_users_own(db, row[0]):
            return "It was changed since the preview."
    if change.change == "withdrawn":
        return None
    sources = change.after.sources
    turns = log.messages(db, [source.message_id for source in sources])
    if any(
        source.message_id not in turns or turns[source.message_id].revision != source.revision for source in sources
    ):
        return "Its words were edited since the preview."
    if forgotten.touched(db, sources):
        return "The user forgot a memory of its words."
    if change.memory_id is None and _remembered_since(db, run, sources):
        return "A memory of its words was made since the preview."
    return None


def _remembered_since(db: apsw.Connection, run: Run, sources: Sequence[Source]) -> bool:
    """Whether a memory that is newer than the preview, but not of it, rests on any of these words."""
    own = {row[0] for row in fetch(db, "SELECT memory FROM rederived_change WHERE run = ?", (run.pk,))}
    return any(
        memory.id not in own
        and memory.id > str(run.preview)  # ids are UUIDv7, in the order of their making
        and any(forgotten.shares_words(one, other) for one in sources for other in memory.sources)
        for memory in memories.of_messages(db, [source.message_id for source in sources]).values()
    )


def _make(tx: Tx, run: Run, change: Change) -> str:
    """Makes one change; the id of its memory."""
    after = change.after
    derived = Draft(
        kind=after.kind,
        text=after.text,
        key=after.key,
        tags=after.tags,
        sources=after.sources,
        said_by=after.said_by,
        reasoning=after.reasoning,
        event_time=after.event_time,
        valid_from=after.valid_from,
    )
    if change.memory_id is None:
        pk = memories.add(
            tx,
            derived,
            profile=run.profile,
            status=after.status,
            valid_to=after.valid_to,
            model=after.model,
            prompt_version=after.prompt_version,
        )
    else:
        pk = memories.pk_of(tx.db, change.memory_id)
        fields = {name: getattr(after, name) for name in memories.Edit.__struct_fields__}
        named = "withdrawn" if change.change == "withdrawn" else "rederived"
        memories.edit(tx, pk, memories.Edit(**fields), by="extraction", change=named)
        if change.change == "withdrawn":
            return change.memory_id
        tx.db.execute("DELETE FROM source WHERE memory = ?", (pk,))
        memories.observe(tx, pk, derived)
    tx.db.execute(
        "UPDATE memory SET observations = ?, said_by = ?, event_time = ?, model = ?, prompt_version = ? WHERE pk = ?",
        (after.observations, after.said_by, after.event_time, after.model, after.prompt_version, pk),
    )
    return memories.by_pks(tx.db, [pk])[pk].id
