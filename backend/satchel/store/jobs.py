"""The durable queue of extraction: leases, attempts, back-off, and dead letters a person can see and retry."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import apsw
import msgspec

from satchel.store.clock import new_id
from satchel.store.database import fetch, to_json
from satchel.store.store import Tx
from satchel.types import Job, JobStatus, NotFoundError

LEASE_MS = 60_000
MAX_ATTEMPTS = 5
BACK_OFF_MS = (1_000, 5_000, 30_000, 120_000)
"""Waits after the first, second, ... failed attempt."""
AT_ONCE = 0
"""`run_after` of a job that waits for nothing, also when the clock is set back."""


def enqueue(tx: Tx, conversation: int, messages: Sequence[int]) -> str:
    """Queues the reading of some messages (their pks) of a conversation; the job's id."""
    job_id, now = new_id(), tx.now
    tx.db.execute(
        "INSERT INTO job (id, conversation, status, run_after, created_at, updated_at) VALUES (?, ?, 'queued', ?,"
        " ?, ?)",
        (job_id, conversation, AT_ONCE, now, now),
    )
    job = tx.db.last_insert_rowid()
    tx.db.executemany("INSERT OR IGNORE INTO job_message VALUES (?, ?)", [(job, pk) for pk in messages])
    return job_id


def latest_of(db: apsw.Connection, conversation: int) -> str | None:
    """The last job of a conversation (its pk); None without any."""
    return db.execute("SELECT id FROM job WHERE conversation = ? ORDER BY pk DESC LIMIT 1", (conversation,)).get  # type: ignore[no-any-return]


_PAUSED = "EXISTS (SELECT 1 FROM meta WHERE name = 'extraction_paused')"


def paused(db: apsw.Connection) -> bool:
    """Whether the user paused extraction: jobs wait, also after a restart."""
    return bool(db.execute(f"SELECT {_PAUSED}").get)


def set_paused(tx: Tx, to: bool) -> None:
    """Pauses extraction, or lets it go on. A running job is its worker's to put back."""
    if to:
        tx.db.execute("INSERT OR IGNORE INTO meta VALUES ('extraction_paused', ?)", (str(tx.now),))
    else:
        tx.db.execute("DELETE FROM meta WHERE name = 'extraction_paused'")


# A job behind an earlier one of its conversation, or beside a running one (it was given a fresh start itself).
_BLOCKED = (
    "EXISTS (SELECT 1 FROM job e WHERE e.conversation = j.conversation"
    " AND (e.status = 'running' OR e.pk < j.pk AND e.status = 'queued'))"
)


def claim(tx: Tx) -> Job | None:
    """Takes the oldest due job and leases it; None when nothing is due, or extraction is paused.

    A job whose lease ran out belonged to a process that died: it counts as a failed attempt. Jobs of a conversation
    run in their order, for a later turn may answer an earlier one.
    """
    now = tx.now
    _believe(tx, now)
    for job_id, attempts in fetch(
        tx.db, "SELECT id, attempts FROM job WHERE status = 'running' AND lease_until < ?", (now,)
    ):
        _settle(tx, job_id, attempts, "The process that read this stopped in the middle.")
    row = tx.db.execute(
        f"SELECT pk, id FROM job j WHERE status = 'queued' AND run_after <= ? AND NOT {_PAUSED}"
        f" AND NOT {_BLOCKED} ORDER BY pk LIMIT 1",
        (now,),
    ).fetchone()
    if row is None:
        return None
    pk, job_id = row
    tx.db.execute(
        "UPDATE job SET status = 'running', attempts = attempts + 1, lease = ?, lease_until = ?, updated_at = ?"
        " WHERE pk = ?",
        (tx.device, now + LEASE_MS, now, pk),
    )
    return job(tx.db, job_id)


def release_all(tx: Tx) -> int:
    """At start-up no other daemon holds this store: whatever is still leased was cut off. How many there were."""
    now, cut_off = tx.now, 0
    for job_id, attempts in fetch(tx.db, "SELECT id, attempts FROM job WHERE status = 'running'"):
        _settle(tx, job_id, attempts, "Satchel stopped while reading this.")
        cut_off += 1
    _believe(tx, now)
    return cut_off


def _believe(tx: Tx, now: int) -> None:
    """When the clock was set back: what waits longer than any wait lasts is due at once, and a lease begins anew."""
    tx.db.execute(
        "UPDATE job SET run_after = ? WHERE status = 'queued' AND run_after > ?", (now, now + BACK_OFF_MS[-1])
    )
    tx.db.execute("UPDATE job SET lease_until = ?1 WHERE status = 'running' AND lease_until > ?1", (now + LEASE_MS,))


def renew(tx: Tx, job_id: str) -> None:
    tx.db.execute("UPDATE job SET lease_until = ? WHERE id = ? AND status = 'running'", (tx.now + LEASE_MS, job_id))


def complete(tx: Tx, job_id: str, memories: Sequence[str]) -> None:
    """Ends a job, with the ids of the memories that it gave or confirmed; those of another profile do not count."""
    pk = tx.db.execute("SELECT pk FROM job WHERE id = ?", (job_id,)).get
    if pk is None:
        return  # its conversation was forgotten meanwhile
    tx.db.execute(
        "UPDATE job SET status = 'completed', error = NULL, lease = NULL, lease_until = NULL, updated_at = ?"
        " WHERE pk = ?",
        (tx.now, pk),
    )
    # What was forgotten since it was found is left out.
    tx.db.executemany(
        "INSERT OR IGNORE INTO job_memory SELECT j.pk, y.pk FROM job j JOIN conversation c ON c.pk = j.conversation"
        " JOIN memory y ON y.profile = c.profile WHERE j.pk = ? AND y.id = ?",
        [(pk, memory) for memory in memories],
    )


def put_back(tx: Tx, job_id: str, error: str | None = None, *, until: int | None = None) -> None:
    """Returns a job unharmed: the daemon is stopping, or `error` says what it waits for; the job does not fail.

    It is due at once, or at `until` (ms).
    """
    tx.db.execute(
        "UPDATE job SET status = 'queued', attempts = max(attempts - 1, 0), run_after = ?, error = coalesce(?, error),"
        " lease = NULL, lease_until = NULL WHERE id = ? AND status = 'running'",
        (AT_ONCE if until is None else until, error, job_id),
    )


def due_at_once(tx: Tx, job_ids: Sequence[str]) -> None:
    """What these queued jobs waited for is there."""
    tx.db.executemany(
        "UPDATE job SET run_after = ? WHERE id = ? AND status = 'queued'", [(AT_ONCE, each) for each in job_ids]
    )


def fail(tx: Tx, job_id: str, error: str) -> None:
    """Counts a failed attempt: tried again after a wait, or a dead letter after the last."""
    attempts = tx.db.execute("SELECT attempts FROM job WHERE id = ? AND status = 'running'", (job_id,)).get
    if attempts is not None:  # else its lease ran out, and the attempt was counted then
        _settle(tx, job_id, attempts, error)


def _settle(tx: Tx, job_id: str, attempts: int, error: str) -> None:
    now = tx.now
    dead = attempts >= MAX_ATTEMPTS
    wait = BACK_OFF_MS[min(max(attempts, 1), len(BACK_OFF_MS)) - 1]
    tx.db.execute(
        "UPDATE job SET status = ?, run_after = ?, error = ?, lease = NULL, lease_until = NULL, updated_at = ?"
        " WHERE id = ?",
        ("failed" if dead else "queued", now + wait, error, now, job_id),
    )


def retry(tx: Tx, job_id: str) -> Job:
    """Gives a dead letter, or one that waits, a fresh start."""
    found = job(tx.db, job_id)
    if found.status in ("failed", "queued"):
        tx.db.execute(
            "UPDATE job SET status = 'queued', attempts = 0, run_after = ?, updated_at = ? WHERE id = ?",
            (AT_ONCE, tx.now, job_id),
        )
    return job(tx.db, job_id)


def next_due(db: apsw.Connection, now: int | None = None) -> int | None:
    """When `claim` next has something to do (ms): a queued job that no other holds up may run, or a lease runs out.

    None when nothing waits, or extraction is paused. With `now`, what lies further ahead than any wait is due at once:
    the clock was set back, and `claim` puts that right.
    """
    due = db.execute(
        f"SELECT min(due) FROM (SELECT run_after AS due FROM job j WHERE status = 'queued' AND NOT {_BLOCKED}"
        f" UNION ALL SELECT lease_until + 1 FROM job WHERE status = 'running') WHERE NOT {_PAUSED}"
    ).get
    if due is not None and now is not None and due > now + BACK_OFF_MS[-1]:
        return now
    return due  # type: ignore[no-any-return]


_JOB = (
    "SELECT j.id, c.id, j.status, j.attempts, j.error, j.created_at, j.updated_at,"
    " (SELECT json_group_array(m.id) FROM (SELECT m.id FROM job_message jm JOIN message m ON m.pk = jm.message"
    "   WHERE jm.job = j.pk ORDER BY m.time, m.position) m),"
    " (SELECT json_group_array(y.id) FROM (SELECT y.id FROM job_memory jy JOIN memory y ON y.pk = jy.memory"
    "   WHERE jy.job = j.pk ORDER BY y.pk) y)"
    " FROM job j JOIN conversation c ON c.pk = j.conversation"
)


def _job(row: tuple[object, ...]) -> Job:
    job_id, conversation, status, attempts, error, created, updated, messages, memories = row
    return msgspec.convert(
        {
            "id": job_id,
            "conversation_id": conversation,
            "status": status,
            "attempts": attempts,
            "error": error,
            "created_at": created,
            "updated_at": updated,
            "message_ids": msgspec.json.decode(str(messages)),
            "memory_ids": msgspec.json.decode(str(memories)),
        },
        Job,
    )


def job(db: apsw.Connection, job_id: str) -> Job:
    row = db.execute(f"{_JOB} WHERE j.id = ?", (job_id,)).fetchone()
    if row is None:
        raise NotFoundError(f"There is no job {job_id[:64]!r}.")
    return _job(row)


def profile_of(db: apsw.Connection, job_id: str) -> str:
    name = db.execute(
        "SELECT p.name FROM job j JOIN conversation c ON c.pk = j.conversation JOIN profile p ON p.pk = c.profile"
        " WHERE j.id = ?",
        (job_id,),
    ).get
    if name is None:
        raise NotFoundError(f"There is no job {job_id[:64]!r}.")
    return str(name)


def listed(
    db: apsw.Connection, status: JobStatus, limit: int = 100, *, profiles: Sequence[str] | None = None
) -> list[Job]:
    """Jobs in one state, latest first. `profiles` None: of all."""
    where, args = ["j.status = ?"], [str(status)]
    if profiles is not None:
        where.append("c.profile IN (SELECT pk FROM profile WHERE name IN (SELECT value FROM json_each(?)))")
        args.append(to_json(profiles))
    rows = db.execute(f"{_JOB} WHERE {' AND '.join(where)} ORDER BY j.pk DESC LIMIT ?", (*args, limit))
    return [_job(row) for row in rows]


def counts(db: apsw.Connection) -> dict[JobStatus, int]:
    found: dict[JobStatus, int] = {"queued": 0, "running": 0, "completed": 0, "failed": 0}
    found.update(fetch(db, "SELECT status, count(*) FROM job GROUP BY status"))
    return found


def waiting_turns(db: apsw.Connection, read: Collection[str], *, profiles: Sequence[str] | None = None) -> int:
    """Turns of the user in jobs that are queued or running, but for the ids in `read`. `profiles` None: of all."""
    only = "" if profiles is None else "AND p.name IN (SELECT value FROM json_each(?2))"
    args = (to_json(read),) if profiles is None else (to_json(read), to_json(profiles))
    return db.execute(  # type: ignore[no-any-return]
        "SELECT count(*) FROM job j JOIN job_message jm ON jm.job = j.pk JOIN message m ON m.pk = jm.message"
        " JOIN conversation c ON c.pk = m.conversation JOIN profile p ON p.pk = c.profile"
        " WHERE j.status IN ('queued', 'running') AND m.role = 'user'"
        f" AND m.id NOT IN (SELECT value FROM json_each(?1)) {only}",
        args,
    ).get
