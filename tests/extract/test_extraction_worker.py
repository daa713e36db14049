"""From the queue to stamped memories; only what needs a missing model waits for it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from models.helpers import run, until
from satchel.extract import worker
from satchel.extract.choosing.gate import Gate, Verdict
from satchel.extract.reconciling.superseding import Superseding
from satchel.extract.saying import rewrite, say
from satchel.extract.worker import ExtractionWorker
from satchel.models import Generation, ModelMissingError, ModelState, Passage, Runtime
from satchel.store import Store, forget, jobs
from satchel.store.database import fetch
from satchel.types import Draft, Job, JobStatus, Message, ModelError
from store.storing import Clock, capture, draft, remember

FRAGMENT = "Keen gardener with a bad back."
"""No rule puts this in the third person: the generator is asked."""

SENTENCE = "I live in Porto."
SECONDS = 5


class Models:
    """Both models of a runtime; those whose roles stand in `missing` are not there."""

    def __init__(self, *missing: str) -> None:
        self.missing = set(missing)
        self.broken: ModelError | None = None
        self.hashed_on: set[str] = set()

    def _need(self, role: Any) -> None:
        if role in self.missing:
            raise ModelMissingError(f"no {role} model; run: satchel models pull", role)

    @property
    def prompt_format(self) -> str:
        self._need("generate")
        return "plain"

    def model_id(self, role: str) -> str:
        self._need(role)
        self.hashed_on.add(threading.current_thread().name)
        return f"{role} hash"

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        self._need("embed")
        if self.broken is not None:
            raise self.broken
        rows = np.random.default_rng(len("".join(texts[:1]))).normal(size=(len(texts), 384)).astype(np.float32)
        return cast(NDArray[np.float32], rows / np.linalg.norm(rows, axis=1, keepdims=True))

    async def read(self, passages: Sequence[Passage], **_: object) -> NDArray[np.float32]:
        return await self.embed([text for passage in passages for text, marked in passage.pieces if marked])

    async def generate(self, prompt: str, **_: object) -> Generation:
        self._need("generate")
        return Generation(
            text=" is a keen",
            prompt_tokens=1,
            reused_tokens=0,
            completion_tokens=1,
            prompt_seconds=0.0,
            seconds=0.0,
            finish="stop",
        )

    def status(self) -> list[ModelState]:
        return [
            ModelState(name=role, role=role, state="missing" if role in self.missing else "ready")
            for role in ("embed", "generate")
        ]


class Credulous:
    """A gate to which every clause is a fact."""

    def judge(self, vectors: NDArray[np.float32]) -> list[Verdict]:
        return [Verdict("fact", 1.0) for _ in vectors]


class Unending:
    """To whom nothing ends."""

    fingerprint = "unending"

    async def ended(self, *_: object) -> frozenset[str]:
        return frozenset()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    for name in ("MODEL_RETRY_SECONDS", "STORE_RETRY_SECONDS"):
        monkeypatch.setattr(worker, name, 0.02)
    opened = Store(tmp_path / "store", now=Clock())
    yield opened
    opened.close()


@asynccontextmanager
async def working(store: Store, models: Models) -> AsyncIterator[ExtractionWorker]:
    at_work = ExtractionWorker(store, cast(Runtime, models), publish=lambda *_, **__: None)
    at_work._gate = cast(Gate, Credulous())
    at_work._superseding = cast(Superseding, Unending())
    task = asyncio.create_task(at_work.run())
    try:
        yield at_work
        assert not task.done(), task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def job(store: Store, job_id: str) -> Job:
    return store.read_now(lambda db: jobs.job(db, job_id))


def is_(store: Store, job_id: str, status: JobStatus) -> Callable[[], bool]:
    return lambda: job(store, job_id).status == status


def stamps(store: Store) -> list[tuple[str, str | None, str | None]]:
    """Text, model and prompt version of each memory."""
    return store.read_now(lambda db: list(fetch(db, "SELECT text, model, prompt_version FROM memory ORDER BY pk")))


def test_every_memory_says_which_model_and_wording_it_is_owed_to(store: Store) -> None:
    models = Models()
    said = [FRAGMENT, SENTENCE, "Two sons, both left-handed."]
    done = [capture(store, [text], external_id=text).job_id for text in said]

    async def check() -> None:
        async with working(store, models):
            await until(is_(store, done[-1], "completed"), seconds=SECONDS)

    run(check())
    assert stamps(store) == [
        ("The user is a keen gardener with a bad back.", "generate hash", say.PROMPT_VERSION),
        ("The user lives in Porto.", "embed hash", rewrite.RULES_VERSION),
        ("The user said: “Two sons, both left-handed”", "embed hash", rewrite.RULES_VERSION),
    ]
    assert threading.main_thread().name not in models.hashed_on, "hashing would hold up the event loop"


def test_without_the_generator_only_the_jobs_that_ask_it_wait(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    models = Models("generate")
    needs = [capture(store, [FRAGMENT], external_id=f"needs {number}").job_id for number in range(2)]
    goes_on = capture(store, [SENTENCE], external_id="goes on").job_id

    async def check() -> None:
        async with working(store, models) as at_work:
            await until(is_(store, goes_on, "completed"), seconds=SECONDS)
            for waiting in (job(store, one) for one in needs):
                assert (waiting.status, waiting.attempts) == ("queued", 0)
                assert waiting.error == "no generate model; run: satchel models pull"
            assert [text for text, *_ in stamps(store)] == ["The user lives in Porto."]
            later = capture(store, ["I work as a nurse."], external_id="later").job_id
            at_work.wake()
            await until(is_(store, later, "completed"), seconds=SECONDS)
            models.missing.clear()  # pulled: nobody wakes the worker
            for one in needs:
                await until(is_(store, one, "completed"), seconds=SECONDS)

    run(check())
    assert caplog.text.count("extraction waits") == 1


def test_without_the_embedder_all_jobs_wait_and_none_fails(store: Store) -> None:
    models = Models("embed")
    first = capture(store, [SENTENCE]).job_id

    async def check() -> None:
        async with working(store, models):
            await until(lambda: job(store, first).error is not None, seconds=SECONDS)
            assert (job(store, first).status, job(store, first).attempts) == ("queued", 0)
            models.missing.clear()
            await until(is_(store, first, "completed"), seconds=SECONDS)

    run(check())


def test_a_model_that_fails_costs_an_attempt_though_the_other_is_missing(store: Store) -> None:
    models = Models("generate")
    models.broken = ModelError("the embedding process died")
    first = capture(store, [SENTENCE]).job_id

    async def check() -> None:
        async with working(store, models):
            await until(lambda: job(store, first).error is not None, seconds=SECONDS)

    run(check())
    assert (job(store, first).attempts, job(store, first).error) == (1, "the embedding process died")


def test_a_bug_in_the_loop_itself_does_not_end_extraction(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, tries = jobs.claim, []

    def trip(tx: Any) -> Job | None:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("my secret diary")
        return real(tx)

    monkeypatch.setattr(jobs, "claim", trip)
    first = capture(store, [SENTENCE]).job_id

    async def check() -> None:
        async with working(store, Models()):
            await until(is_(store, first, "completed"), seconds=SECONDS)

    run(check())
    assert "KeyError at " in caplog.text
    assert "diary" not in caplog.text


def test_a_job_that_trips_the_loop_is_counted_and_holds_up_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = jobs.complete
    bad = capture(store, [SENTENCE], external_id="bad").job_id
    good = capture(store, ["I work as a nurse."], external_id="good").job_id

    def trip(tx: Any, job_id: str, found: Sequence[str]) -> None:
        if job_id == bad:
            raise KeyError("a bug")
        real(tx, job_id, found)

    monkeypatch.setattr(jobs, "complete", trip)

    async def check() -> None:
        async with working(store, Models()):
            await until(is_(store, good, "completed"), seconds=SECONDS)

    run(check())
    assert (job(store, bad).status, job(store, bad).attempts) == ("queued", 1)
    assert job(store, bad).error == "Extraction made a mistake on this (KeyError)."


def test_a_pause_puts_the_running_job_back_after_its_turn_and_it_goes_on_from_there(store: Store) -> None:
    read: list[str] = []
    turns = [f"I live in {town}." for town in ("Porto", "Rome", "Oslo")]
    first = capture(store, turns, external_id="long").job_id

    async def check() -> None:
        async with working(store, Models()) as at_work:
            real = at_work.read

            async def reading(turns: Sequence[Message], index: int) -> list[Draft]:
                read.append(turns[index].content)
                if len(read) == 1:
                    store.write_now(lambda tx: jobs.set_paused(tx, True))
                return await real(turns, index)

            at_work.read = reading  # type: ignore[method-assign]
            await until(lambda: job(store, first).status == "queued" and bool(read), seconds=SECONDS)
            assert (read, job(store, first).attempts) == (turns[:1], 0)
            assert store.read_now(lambda db: jobs.waiting_turns(db, at_work.read_already)) == 2
            assert store.read_now(lambda db: jobs.next_due(db, store.now())) is None
            forgotten_memory = job_memories(store)[0]
            store.write_now(lambda tx: forget.forget_memory(tx, forgotten_memory))
            later = capture(store, ["I work as a nurse."], external_id="later").job_id
            at_work.wake()
            store.write_now(lambda tx: jobs.set_paused(tx, False))
            at_work.wake()
            await until(is_(store, first, "completed"), seconds=SECONDS)
            await until(is_(store, later, "completed"), seconds=SECONDS)
            assert at_work.pace.per_minute is not None

    run(check())
    assert read == [*turns, "I work as a nurse."]
    assert forgotten_ids(store).isdisjoint(job(store, first).memory_ids)


def test_what_takes_the_place_of_a_forgotten_memory_is_not_told_as_what_a_job_gave(store: Store) -> None:
    turns = ["I live in Porto.", "I work as a nurse."]
    first = capture(store, turns).job_id

    async def check() -> None:
        async with working(store, Models()) as at_work:
            real, paused = at_work.read, False

            async def reading(turns: Sequence[Message], index: int) -> list[Draft]:
                nonlocal paused
                if not paused:
                    store.write_now(lambda tx: jobs.set_paused(tx, True))
                    paused = True
                return await real(turns, index)

            at_work.read = reading  # type: ignore[method-assign]
            await until(lambda: paused and job(store, first).status == "queued", seconds=SECONDS)
            (given,) = job_memories(store)
            store.write_now(lambda tx: forget.forget_memory(tx, given))
            remember(store, draft("The user likes rye."), profile="work", by_hand=True)
            assert store.read_now(lambda db: fetch(db, "SELECT pk FROM memory")) == [(1,)], "the place is taken"
            store.write_now(lambda tx: jobs.set_paused(tx, False))
            at_work.wake()
            await until(is_(store, first, "completed"), seconds=SECONDS)

    run(check())
    other, own = job_memories(store)
    assert job(store, first).memory_ids == (own,), f"and not {other}"


def test_of_a_job_that_is_put_back_because_of_a_forgetting_only_the_turn_at_hand_is_read_again(store: Store) -> None:
    read: list[str] = []
    turns = ["I live in Porto.", "I work as a nurse."]
    first = capture(store, turns).job_id

    async def check() -> None:
        async with working(store, Models()) as at_work:
            real = at_work.read

            async def reading(turns: Sequence[Message], index: int) -> list[Draft]:
                read.append(turns[index].content)
                if len(read) == 2:
                    (given,) = job_memories(store)
                    store.write_now(lambda tx: forget.forget_memory(tx, given))
                return await real(turns, index)

            at_work.read = reading  # type: ignore[method-assign]
            await until(is_(store, first, "completed"), seconds=SECONDS)

    run(check())
    assert read == [*turns, turns[1]]
    assert [text for text, *_ in stamps(store)] == ["The user works as a nurse."]
    assert list(job(store, first).memory_ids) == job_memories(store)


def test_who_forgets_waits_until_nothing_more_is_asked_for_what_is_being_read(store: Store) -> None:
    read: list[str] = []
    first = capture(store, ["I live in Porto."]).job_id

    async def check() -> None:
        async with working(store, Models()) as at_work:
            real = at_work.read
            held = asyncio.Event()

            async def reading(turns: Sequence[Message], index: int) -> list[Draft]:
                read.append("begun")
                if len(read) == 1:
                    await held.wait()
                    read.append("asked for more")
                return await real(turns, index)

            at_work.read = reading  # type: ignore[method-assign]
            await until(lambda: bool(read), seconds=SECONDS)
            await at_work.forget()
            held.set()
            at_work.wake()
            await until(is_(store, first, "completed"), seconds=SECONDS)
            await at_work.forget()  # with nothing at hand

    run(check())
    assert read == ["begun", "begun"]


def job_memories(store: Store) -> list[str]:
    return store.read_now(lambda db: [row[0] for row in fetch(db, "SELECT id FROM memory ORDER BY pk")])


def forgotten_ids(store: Store) -> set[str]:
    return store.read_now(lambda db: {row[0] for row in fetch(db, "SELECT id FROM tombstone")})
