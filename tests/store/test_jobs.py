"""The queue, one claim at a time (test_state_machine.py throws everything at it at once)."""

from __future__ import annotations

import pytest
from storing import DAY, Clock, capture

from satchel.store import Store, jobs
from satchel.types import Job, NotFoundError


def claim(store: Store) -> Job | None:
    return store.write_now(jobs.claim)


def job(store: Store, job_id: str) -> Job:
    return store.read_now(lambda db: jobs.job(db, job_id))


def due(store: Store, clock: Clock) -> int | None:
    return store.read_now(lambda db: jobs.next_due(db, clock.ms))


def test_a_job_that_always_fails_becomes_a_dead_letter_that_can_be_retried(store: Store, clock: Clock) -> None:
    job_id = capture(store, ["a"]).job_id
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        assert claim(store) is not None
        store.write_now(lambda tx: jobs.fail(tx, job_id, "no model"))
        if attempt < jobs.MAX_ATTEMPTS:
            assert claim(store) is None
            clock.ms += jobs.BACK_OFF_MS[attempt - 1] - 1
            assert claim(store) is None
            clock.ms += 1
    dead = job(store, job_id)
    assert (dead.status, dead.attempts, dead.error) == ("failed", jobs.MAX_ATTEMPTS, "no model")
    clock.ms += 100 * DAY
    assert claim(store) is None
    assert due(store, clock) is None
    assert store.write_now(lambda tx: jobs.retry(tx, job_id)).status == "queued"
    again = claim(store)
    assert again is not None
    assert again.attempts == 1


def test_a_later_job_waits_for_an_earlier_one_of_its_conversation_only(store: Store) -> None:
    first = capture(store, ["a"], external_id="one").job_id
    capture(store, ["a", "b"], external_id="one")
    other = capture(store, ["c"], external_id="two").job_id
    assert [found.id for _ in range(3) if (found := claim(store))] == [first, other]


def test_a_retried_job_does_not_run_beside_a_later_one_of_its_conversation(store: Store, clock: Clock) -> None:
    first = capture(store, ["a"]).job_id
    for _ in range(jobs.MAX_ATTEMPTS):
        assert claim(store) is not None
        store.write_now(lambda tx: jobs.fail(tx, first, "no"))
        clock.ms += DAY
    second = capture(store, ["a", "b"]).job_id
    running = claim(store)
    assert running is not None
    assert running.id == second
    store.write_now(lambda tx: jobs.retry(tx, first))
    assert claim(store) is None
    store.write_now(lambda tx: jobs.complete(tx, second, []))
    following = claim(store)
    assert following is not None
    assert following.id == first


def test_a_job_whose_worker_vanished_is_due_when_its_lease_runs_out(store: Store, clock: Clock) -> None:
    job_id = capture(store, ["a"]).job_id
    assert claim(store) is not None
    lease_end = clock.ms + jobs.LEASE_MS + 1
    assert due(store, clock) == lease_end, "the worker must wake for it although nothing is queued"
    clock.ms = lease_end
    assert claim(store) is None
    assert job(store, job_id).status == "queued"
    clock.ms += jobs.BACK_OFF_MS[0]
    assert claim(store) is not None


@pytest.mark.parametrize("back", [DAY, 400 * DAY])
def test_a_clock_set_back_delays_no_job_longer_than_its_own_wait(store: Store, clock: Clock, back: int) -> None:
    waits = capture(store, ["a"], external_id="waits").job_id
    assert claim(store) is not None
    store.write_now(lambda tx: jobs.fail(tx, waits, "no"))
    leased = capture(store, ["b"], external_id="leased").job_id
    assert claim(store) is not None
    fresh = capture(store, ["c"], external_id="fresh").job_id
    clock.ms -= back
    assert (due(store, clock) or 0) <= clock.ms
    assert [found.id for _ in range(3) if (found := claim(store))] == [waits, fresh]
    # What somebody may still be working on is not given out again before a lease's time has passed.
    clock.ms += jobs.LEASE_MS
    assert job(store, leased).status == "running"
    clock.ms += 1
    assert claim(store) is None
    assert job(store, leased).status == "queued"


def test_a_worker_that_lost_its_lease_changes_nothing_by_failing_late(store: Store, clock: Clock) -> None:
    job_id = capture(store, ["a"]).job_id
    assert claim(store) is not None
    store.write_now(lambda tx: jobs.complete(tx, job_id, []))
    store.write_now(lambda tx: jobs.fail(tx, job_id, "late"))
    store.write_now(lambda tx: jobs.put_back(tx, job_id))
    assert (job(store, job_id).status, job(store, job_id).error) == ("completed", None)


def test_a_blocked_job_does_not_keep_the_worker_awake(store: Store, clock: Clock) -> None:
    first = capture(store, ["a"]).job_id
    assert claim(store) is not None
    store.write_now(lambda tx: jobs.fail(tx, first, "no"))
    capture(store, ["a", "b"])
    assert due(store, clock) == clock.ms + jobs.BACK_OFF_MS[0]


def test_put_back_counts_as_no_attempt(store: Store) -> None:
    job_id = capture(store, ["a"]).job_id
    for _ in range(2 * jobs.MAX_ATTEMPTS):
        assert claim(store) is not None
        store.write_now(lambda tx: jobs.put_back(tx, job_id))
    assert job(store, job_id).attempts == 0


def test_an_unknown_job_is_not_found(store: Store) -> None:
    with pytest.raises(NotFoundError):
        job(store, "none")
    with pytest.raises(NotFoundError):
        store.write_now(lambda tx: jobs.retry(tx, "none"))
