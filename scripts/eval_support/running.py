"""Runs conversations through the real store, worker and models, and hands back what came of them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import msgspec

from eval_support.scoring import Made, Place
from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.extract.worker import ExtractionWorker
from satchel.models import Generation, Runtime
from satchel.models.registry import ModelRole, add_local, default_entry, models_folder, path_of
from satchel.recall.indexer import Indexer
from satchel.recall.recall import Recall
from satchel.store import Store, Tx, jobs, log, memories
from satchel.times import to_iso
from satchel.types import KINDS, Candidate, Draft, Memory, Message, Role, SatchelError, Source, Status

SOME_DAY = 1_772_500_000_000
"""When a conversation without a time was held (March 2026, ms)."""
MINUTE = 60_000


class Turn(msgspec.Struct, frozen=True):
    role: Role
    content: str


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """`at`: when it began (ms); a minute passes from turn to turn."""

    id: str
    turns: tuple[Turn, ...]
    at: int = SOME_DAY
    site: str = "eval"

    @property
    def asked(self) -> int:
        """How many turns are the user's."""
        return sum(turn.role == "user" for turn in self.turns)


class Derived(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a conversation. `contents` are its turns as the log keeps them; `error` says why it failed."""

    contents: tuple[str, ...]
    made: tuple[Made, ...]
    error: str | None = None


_ROLES: tuple[ModelRole, ...] = ("embed", "generate")


class CountingRuntime(Runtime):
    """Notes what the generator was asked and gave."""

    def __init__(self, folder: Path | None = None, *, generate: str | None = None) -> None:
        super().__init__(folder, generate=generate, idle_seconds=3600)
        self.generations: list[Generation] = []

    async def generate(
        self, prompt: str, *, grammar: str | None, max_tokens: int, stop: Sequence[str] = ()
    ) -> Generation:
        done = await super().generate(prompt, grammar=grammar, max_tokens=max_tokens, stop=stop)
        self.generations.append(done)
        return done

    async def __aenter__(self) -> CountingRuntime:
        """Raises ModelError where a model is missing: most turns do not need the generator, and would not tell."""
        for role in _ROLES:
            await asyncio.to_thread(self.model_id, role)
        return self

    @property
    def reused_share(self) -> tuple[int, int]:
        """Prompt tokens that were in the KV cache already, and all."""
        return sum(one.reused_tokens for one in self.generations), sum(one.prompt_tokens for one in self.generations)


@contextlib.contextmanager
def generator(name: str | None) -> Any:
    """The models folder and the name for a generator: None, a name of the manifest, or the path of a GGUF.

    A GGUF is registered in a folder that goes away again: measuring it changes nobody's list of models.
    """
    if name is None or not name.endswith(".gguf"):
        yield None, name
        return
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        embedder = path_of(default_entry("embed"), models_folder())
        (folder / embedder.name).symlink_to(embedder)
        yield folder, add_local(Path(name), "measured", folder=folder).name


class _Clock:
    """Goes on from wherever it is set."""

    def __init__(self) -> None:
        self.set(SOME_DAY)

    def set(self, ms: int) -> None:
        self._ms, self._since = ms, time.monotonic()

    def __call__(self) -> int:
        return self._ms + int((time.monotonic() - self._since) * 1000)


class _Watched(ExtractionWorker):
    """Notes which turns were read, for which of them the generator was asked, and the drafts they gave."""

    def __init__(self, store: Store, runtime: CountingRuntime, **others: Any) -> None:
        super().__init__(store, runtime, **others)
        self._runtime = runtime
        self.turns = 0
        self.asking = 0
        self.drafts: dict[str, Draft] = {}

    async def read(self, turns: Sequence[Message], index: int) -> list[Draft]:
        before = len(self._runtime.generations)
        drafts = await super().read(turns, index)
        if turns[index].role == "user":
            self.turns += 1
            self.asking += len(self._runtime.generations) > before
        self.drafts |= {draft.text: draft for draft in drafts}
        return drafts


class Session:
    """Store, models, worker and recall as the daemon has them, on a folder of their own."""

    def __init__(self, folder: Path, runtime: CountingRuntime) -> None:
        self.runtime = runtime
        self._clock = _Clock()
        self.store = Store(folder, now=self._clock)
        self._worker = _Watched(self.store, runtime, publish=self._heard)
        self._indexer = Indexer(self.store, runtime)
        self._recall = Recall(self.store, runtime)
        self._ended: dict[str, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._files = 0

    async def __aenter__(self) -> Session:
        self._task = asyncio.create_task(self._worker.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(self._recall.close)
        await asyncio.to_thread(self.store.close)

    @property
    def read_and_asking(self) -> tuple[int, int]:
        """User turns that were read, and those of them for which the generator was asked."""
        return self._worker.turns, self._worker.asking

    def _heard(self, event: str, profile: str, **data: Any) -> None:  # noqa: ARG002 - as the worker publishes
        if event == "job" and data["status"] != "running" and data["id"] in self._ended:
            self._ended[data["id"]].set()

    async def derive(
        self, conversation: Conversation, *, profile: str | None = None, last_only: bool = False
    ) -> Derived:
        """Captures a conversation, waits until it is read, and gives the memories that rest on it.

        With `last_only` the last turn alone is read, the others are there to understand it.
        Each conversation has a profile of its own unless one is named, so that none knows of the others. Raises
        SatchelError when a model is missing: that would fail for all.
        """
        self._files += 1
        owner = profile or f"eval {self._files}"
        self._clock.set(conversation.at + len(conversation.turns) * MINUTE)
        recorded = await self._capture(conversation, owner, last_only=last_only)
        # No await between the commit and this: the worker has not been woken.
        ended = self._ended[recorded.job_id] = asyncio.Event()
        self._worker.wake()
        if (await self._job(recorded.job_id)).status not in ("completed", "failed"):
            await ended.wait()
        job = await self._job(recorded.job_id)
        if job.status == "queued" and job.attempts == 0:
            raise SatchelError(job.error or "Extraction waits for a model; run: satchel models pull")
        if job.status == "completed" and conversation.asked and not self._worker.turns:
            raise RuntimeError("ExtractionWorker reads turns otherwise than by `read`, which is watched here.")
        turns = await self.store.read(lambda db: log.messages_of(db, recorded.conversation_id))
        found = await self.store.read(lambda db: memories.by_ids(db, job.memory_ids))
        places = {turn.id: (number, turn.role) for number, turn in enumerate(turns)}
        made = (self._made(memory, places) for memory in found.values())
        return Derived(
            contents=tuple(turn.content for turn in turns),
            made=tuple(one for one in made if one.places),
            error=None if job.status == "completed" else job.error,
        )

    async def _capture(self, conversation: Conversation, profile: str, *, last_only: bool) -> log.Recorded:
        messages = tuple(
            CapturedMessage(
                role=turn.role, content=turn.content, id=str(number), sent_at=to_iso(conversation.at + number * MINUTE)
            )
            for number, turn in enumerate(conversation.turns)
        )
        captured = Captured(site=conversation.site, external_id=conversation.id, profile=profile, messages=messages)
        incoming = normalise(captured)

        def record(tx: Tx) -> log.Recorded:
            file = functools.partial(
                log.record,
                tx,
                profile=profile,
                site=captured.site,
                external_id=captured.external_id,
                title=None,
                url=None,
            )
            if last_only and len(incoming) > 1:
                jobs.complete(tx, file(messages=incoming[:-1]).job_id, [])
            return file(messages=incoming)

        return await self.store.write(record)

    async def _job(self, job_id: str) -> Any:
        return await self.store.read(lambda db: jobs.job(db, job_id))

    def _made(self, memory: Memory, places: dict[str, tuple[int, Role]]) -> Made:
        draft = self._worker.drafts.get(memory.text)
        sources = _as_drafted(memory, draft)
        return Made(
            kind=memory.kind,
            text=memory.text,
            places=tuple(
                Place(
                    places[source.message_id][0], source.start, source.end, source.quote, places[source.message_id][1]
                )
                for source in sources
                if source.message_id in places
            ),
            status=memory.status,
            event_time=memory.event_time,
            how="rule" if draft is None else draft.how,
            correction=draft is not None and draft.correction,
            elsewhere=tuple(source.quote for source in sources if source.message_id not in places),
        )

    async def ask(self, question: str, *, profile: str, limit: int) -> list[Candidate]:
        """What `/v1/recall` finds for a question, memories alone, after everything has its vector."""
        while await self._indexer.index_some():
            pass
        return await self._recall.search(question, profile=profile, limit=limit, kinds=KINDS)

    async def memories(self, profile: str, statuses: Collection[Status]) -> list[Memory]:
        """All of a profile's memories of these statuses."""
        found, _ = await self.store.read(
            lambda db: memories.page(db, profiles=[profile], statuses=tuple(statuses), size=100_000)
        )
        return found


def _as_drafted(memory: Memory, draft: Draft | None) -> list[Source]:
    """A memory's sources, first what it rests on: the store gives them in the order in which they were said."""
    order = {} if draft is None else {_place(source): number for number, source in enumerate(draft.sources)}
    return sorted(memory.sources, key=lambda source: order.get(_place(source), len(order)))


def _place(source: Source) -> tuple[str, int, int]:
    return source.message_id, source.start, source.end


class Progress:
    """How far a run is, on stderr: with the rate and the time left."""

    def __init__(self, name: str, total: int) -> None:
        self._name, self._total, self._done = name, total, 0
        self._started = time.monotonic()
        self._shown = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._started

    def step(self, unit: str = "conversations") -> None:
        self._done += 1
        last = self._done >= self._total
        if not last and time.monotonic() - self._shown < (0.5 if sys.stderr.isatty() else 15):
            return
        self._shown = time.monotonic()
        rate = self._done / max(self.seconds, 1e-9)
        left = (self._total - self._done) / rate
        line = f"{self._name}: {self._done}/{self._total} {unit}, {rate:.1f} a second, {left:.0f} s left"
        tty = sys.stderr.isatty()
        print(f"\r{line:<78}" if tty else line, end="\n" if last or not tty else "", file=sys.stderr, flush=True)


class Share(msgspec.Struct, frozen=True):
    """`part` of `whole`."""

    part: int
    whole: int

    def __str__(self) -> str:
        return f"{100 * self.part / self.whole:.1f}% ({self.part}/{self.whole})" if self.whole else "none"


Cell = str | int | float | Share


class Table(msgspec.Struct, frozen=True):
    """Figures under a title; `notes` are lines printed below it (what --list asks for)."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def show(table: Table) -> None:
    """Prints a table as Markdown that also reads well as it is."""
    texts = [table.header, *(tuple(_cell(cell) for cell in row) for row in table.rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(table.header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in texts
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(f"\n{table.title}\n\n" + "\n".join([*lines, *([""] if table.notes else []), *table.notes]), flush=True)


def _cell(cell: Cell) -> str:
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)
