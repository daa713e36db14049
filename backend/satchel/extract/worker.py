"""Takes extraction jobs from the queue, one at a time, and turns what they find into memories."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import apsw
import msgspec

from satchel.extract.keep_out import KeepOut
from satchel.faults import type_and_place
from satchel.models import ModelDiedError, ModelMissingError, Runtime
from satchel.pace import Pace
from satchel.store import Store, Tx, changes, contradictions, forgotten, jobs, log, memories, receipts, vectors
from satchel.types import Draft, Job, Memory, Message, ModelError, NotFoundError, SatchelError, Status, StoreError

if TYPE_CHECKING:
    from satchel.extract.choosing.gate import Gate
    from satchel.extract.reconciling.evidence import Weighed
    from satchel.extract.reconciling.reconcile import Decision
    from satchel.extract.reconciling.superseding import Superseding
    from satchel.models.registry import ModelRole, PromptFormat

T = TypeVar("T")

SIMILAR = 40
"""How many stored memories a draft is compared with for their meaning, and as many for their words."""

RENEW_SECONDS = jobs.LEASE_MS / 3000
STORE_RETRY_SECONDS = 5.0
MODEL_RETRY_SECONDS = 2.0
HOLD_MS = jobs.BACK_OFF_MS[-1]
"""How long a job that waits for the generator lets others go first, unless the generator comes sooner. The queue
knows no longer wait."""

logger = logging.getLogger("satchel.extraction")

Publish = Callable[..., None]


class _PausedError(Exception):
    """Extraction was paused before all turns of a job were read."""


class _ForgottenError(Exception):
    """Something was forgotten while a job was read: it is read again, without it."""


class _Begun(msgspec.Struct):
    """How far a job is: the ids of the turns that were read, and of the memories found."""

    read: set[str] = msgspec.field(default_factory=set)
    found: list[str] = msgspec.field(default_factory=list)


async def _nothing() -> bool:
    return False


class ExtractionWorker:
    """Runs until cancelled; a job that was running then goes back to the queue unharmed.

    So it does when extraction is paused, after the turn that is being read; it goes on from there. While no job is
    due, `aside` is called: one step of work that can wait, and whether there was any.
    """

    def __init__(
        self, store: Store, models: Runtime, *, publish: Publish, stored: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._models = models
        self._publish = publish
        self._stored = stored
        self._work = asyncio.Event()
        self._work.set()
        self._gate: Gate | None = None
        self._superseding: Superseding | None = None
        self._cannot_end = False
        self._held: set[str] = set()
        """Ids of the jobs that wait for the generator."""
        self._begun: dict[str, _Begun] = {}
        self._working: asyncio.Future[Any] | None = None
        self._giving_up = False
        self.aside: Callable[[], Awaitable[bool]] = _nothing
        self.pace = Pace()
        self.keep_out = KeepOut()

    @property
    def read_already(self) -> set[str]:
        """Ids of the turns that were read of jobs that are not done yet."""
        return {turn for begun in self._begun.values() for turn in begun.read}

    def wake(self) -> None:
        self._work.set()

    async def run(self) -> None:
        held: Job | None = None
        while True:
            try:
                if held is not None:  # the store was in trouble while this ran: that is not the job's fault
                    await self._store.write(functools.partial(jobs.put_back, job_id=held.id))
                    held = None
                held = await self._next()
                if held is None:
                    with contextlib.suppress(_ForgottenError):
                        if not await self._unless_forgotten(self.aside()):
                            await self._sleep()
                    continue
                await self._run(held)
                held = None
            except NotFoundError:
                logger.info("a conversation was forgotten while it was read")
                held = None
            except StoreError as error:
                logger.warning("extraction waits: %s", error)
                await asyncio.sleep(STORE_RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001 - nothing starts this again before the daemon is started anew
                logger.error("extraction: %s", type_and_place(error))  # noqa: TRY400 - no text in logs
                if held is not None:
                    # Not awaited: should this fail too, the lease runs out, and that counts as an attempt as well.
                    mistake = functools.partial(jobs.fail, job_id=held.id, error=_mistake(error))
                    held = None
                    with contextlib.suppress(StoreError):
                        self._store.submit(mistake)
                await asyncio.sleep(STORE_RETRY_SECONDS)

    async def _next(self) -> Job | None:
        self._work.clear()
        if self._held and not self._missing("generate"):
            await self._let_go()
        now = self._store.now()
        due = await self._store.read(lambda db: jobs.next_due(db, now))
        # Looked at first: claiming is a write, and an idle daemon should not touch the disk.
        if due is None or due > self._store.now():
            return None
        return await self._store.write(jobs.claim)

    async def _sleep(self) -> None:
        """Until woken, or until a job that backs off is due, or to look whether the generator has come."""
        due = await self._store.read(lambda db: jobs.next_due(db, self._store.now()))
        wait = None if due is None else max(due - self._store.now(), 50) / 1000
        if self._held:
            wait = min(wait or MODEL_RETRY_SECONDS, MODEL_RETRY_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._work.wait(), wait)

    async def _run(self, job: Job) -> None:
        profile = await self._store.read(lambda db: jobs.profile_of(db, job.id))
        self._publish("job", profile, id=job.id, status="running")
        renewing = asyncio.create_task(self._renew(job.id))
        try:
            found = await self._unless_forgotten(self._extract(job, profile))
        except asyncio.CancelledError:
            # Submitted, not awaited: this task is being cancelled, the writer still finishes its queue.
            self._store.submit(lambda tx: jobs.put_back(tx, job.id))
            raise
        except (_PausedError, _ForgottenError):  # what was read of it stays read; the turn at hand is read again
            await self._store.write(lambda tx: jobs.put_back(tx, job.id))
            self._publish("job", profile, id=job.id, status="queued")
            return
        except NotFoundError:
            self._begun.pop(job.id, None)
            logger.info("job %s: its conversation was forgotten meanwhile", job.id)
            return
        except StoreError:
            raise  # `run` puts the job back once the store works again
        except ModelMissingError as error:
            await self._wait_for_model(job, profile, error)
            return
        except SatchelError as error:
            await self._fail(job, profile, str(error))
            return
        except Exception as error:  # noqa: BLE001 - one turn that trips a bug must not stop all that follow
            logger.error("job %s: %s", job.id, type_and_place(error))  # noqa: TRY400 - no text in logs
            await self._fail(job, profile, _mistake(error))
            return
        finally:
            renewing.cancel()
        await self._store.write(lambda tx: jobs.complete(tx, job.id, found))
        self._begun.pop(job.id, None)
        self._held.discard(job.id)
        self._publish("job", profile, id=job.id, status="completed")

    async def forget(self) -> None:
        """Gives up what is being read, so that no model is asked more for words that may be forgotten: a job goes back
        to the queue."""
        if self._working is not None:
            self._giving_up = True
            self._working.cancel()
            await asyncio.wait([self._working])

    async def _unless_forgotten(self, work: Awaitable[T]) -> T:
        """What `work` gives. Raises _ForgottenError when `forget` came meanwhile."""
        self._giving_up = False
        working: asyncio.Future[T] = asyncio.ensure_future(work)
        self._working = working
        try:
            return await working
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._giving_up and task is not None and not task.cancelling():
                raise _ForgottenError from None
            raise
        finally:
            self._working = None

    async def _renew(self, job_id: str) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with contextlib.suppress(StoreError):
                await self._store.write(lambda tx: jobs.renew(tx, job_id))

    def _missing(self, role: ModelRole) -> bool:
        return any(model.state == "missing" and model.role == role for model in self._models.status())

    async def _wait_for_model(self, job: Job, profile: str, error: ModelMissingError) -> None:
        """Puts a job back that cannot be read before a model is fetched; the model is looked for now and then.

        Without the embedder nothing can be read, and all wait. Without the generator only the jobs that ask it do:
        the others go first. No attempt is counted: a week without the model must not leave a week of dead letters.
        """
        alone = error.role == "generate"
        until = self._store.now() + HOLD_MS if alone else jobs.AT_ONCE
        await self._store.write(lambda tx: jobs.put_back(tx, job.id, str(error), until=until))
        self._publish("job", profile, id=job.id, status="queued")
        if not alone or not self._held:  # said once for all that wait for it
            logger.warning("extraction waits: %s", error)
        if alone:
            self._held.add(job.id)
            return
        while self._missing(error.role):
            await asyncio.sleep(MODEL_RETRY_SECONDS)

    async def _let_go(self) -> None:
        """The generator has come: what waited for it is due at once."""
        held = tuple(self._held)
        await self._store.write(lambda tx: jobs.due_at_once(tx, held))
        self._held.difference_update(held)

    async def _fail(self, job: Job, profile: str, error: str) -> None:
        self._begun.pop(job.id, None)
        await self._store.write(lambda tx: jobs.fail(tx, job.id, error))
        after = await self._store.read(lambda db: jobs.job(db, job.id))
        self._publish("job", profile, id=job.id, status=after.status)

    async def _extract(self, job: Job, profile: str) -> list[str]:
        """The ids of the memories that the job's messages gave or confirmed. Raises _PausedError between two."""
        turns, generation = await self._store.read(
            lambda db: (log.messages_of(db, job.conversation_id), receipts.generation(db))
        )
        wanted = set(job.message_ids)
        begun = self._begun.setdefault(job.id, _Begun())
        for index, turn in enumerate(turns):
            if turn.id not in wanted or turn.id in begun.read:
                continue
            if await self._store.read(jobs.paused):
                raise _PausedError
            started = time.monotonic()
            for draft in await self.read(turns, index):
                memory_id = await self._reconcile(draft, profile, generation)
                if memory_id is not None and memory_id not in begun.found:
                    begun.found.append(memory_id)
            begun.read.add(turn.id)
            if turn.role == "user":
                self.pace.add(time.monotonic() - started)
        self._tell(profile, await self._store.write(lambda tx: _withdraw(tx, job.message_ids)))
        self._stored()
        return begun.found

    async def read(self, turns: Sequence[Message], index: int) -> list[Draft]:
        """The drafts that one turn of a conversation gives, with those before it for context, without what is to be
        kept out. Raises ModelError."""
        from satchel.extract import pipeline  # late: the first job may wait for it, the daemon's start should not

        drafts = await pipeline.extract(
            [turns[index]],
            turns[:index],
            reader=self._models,
            generator=self._models,
            gate=await self.ready_gate(),
            now=self._store.now(),
            prompt_format=self._prompt_format(),
        )
        return await self.keep_out.sift(drafts, self._models)

    def _prompt_format(self) -> PromptFormat:
        """The generator's. Where there is none, any: only who asks it to write has to wait for it, and is told then."""
        try:
            return self._models.prompt_format
        except ModelMissingError:
            return "plain"

    async def ready_gate(self) -> Gate:
        """The gate, read when first needed. Raises ModelError."""
        from satchel.extract.choosing.gate import Gate

        if self._gate is None:
            self._gate = await asyncio.to_thread(Gate.load)
        return self._gate

    async def ended(self, draft: Draft, doubted: Sequence[Memory]) -> frozenset[str]:
        """The ids of those of `doubted` that the draft ends by its meaning; none where nobody can read that. Raises
        ModelDiedError, so that the job is tried again."""
        if not doubted:
            return frozenset()
        try:
            return await (await self.ready_superseding()).ended(draft, doubted, self._models)
        except ModelDiedError:
            raise
        except ModelError as error:
            if not self._cannot_end:
                logger.warning("what a statement ends is told by its words alone: %s", error)
            self._cannot_end = True
            return frozenset()

    async def ready_superseding(self) -> Superseding:
        """Who tells what a statement ends, read when first needed. Raises ModelError."""
        from satchel.extract.reconciling.superseding import Superseding

        if self._superseding is None:
            self._superseding = await asyncio.to_thread(Superseding.load)
        return self._superseding

    async def _reconcile(self, draft: Draft, profile: str, generation: int) -> str | None:
        """Settles a draft with what is known, in one transaction: nothing comes between the look and the deed. The id
        of the memory that holds it now, None when nothing does.

        Raises _ForgottenError when something was forgotten since its turns were read: its words may be among it.
        """
        vector = (await self._models.embed([draft.text]))[0]
        # In a thread: a large model's file may have to be hashed.
        embedder = await asyncio.to_thread(self._models.model_id, "embed")
        meaning, dimensions = vectors.Meaning(embedder, vector.tobytes()), len(vector)
        # What rules worded was chosen by the gate, which judges the embedder's vectors.
        model = await asyncio.to_thread(self._models.model_id, "generate") if draft.how == "model" else embedder

        doubted = await self._store.read(lambda db: in_doubt(db, draft, profile, meaning))
        ended = await self.ended(draft, doubted)

        def store(tx: Tx) -> tuple[str | None, list[str]]:
            if receipts.generation(tx.db) != generation:
                raise _ForgottenError
            vectors.prepare(tx, embedder, dimensions)
            if forgotten.touched(tx.db, draft.sources):
                return None, []
            before = changes.place(tx.db)
            pk = settle(tx, draft, profile, meaning, model, ended)
            memory_id = None if pk is None else memories.by_pks(tx.db, [pk])[pk].id
            return memory_id, changes.memories_since(tx.db, before)

        memory_id, changed = await self._store.write(store)
        self._tell(profile, changed)
        return memory_id

    def _tell(self, profile: str, memory_ids: Iterable[str]) -> None:
        """Of every memory that was changed: what a new one ended or contradicts as well."""
        for memory_id in memory_ids:
            self._publish("memory", profile, id=memory_id)


def in_doubt(db: apsw.Connection, draft: Draft, profile: str, meaning: vectors.Meaning) -> list[Memory]:
    """The memories of which it must be read whether the draft ends them."""
    from satchel.extract.reconciling import superseding

    owner = log.profile_pk(db, profile)
    if owner is None or not superseding.may_end(draft):  # most drafts: what is near them need not be looked up
        return []
    near = _near(db, draft, owner, meaning).items()
    return superseding.doubted(draft, [found for pk, found in near if not memories.is_users_own(db, pk)])


def settle(
    tx: Tx, draft: Draft, profile: str, meaning: vectors.Meaning, model: str, ended: Collection[str] = ()
) -> int | None:
    """Stores a draft as `reconcile` decides; the pk of the memory that holds it now, None when nothing does. `ended`
    are the ids of memories that it ends by its meaning.

    `model`, the hash of the model that the draft is owed to, is stamped on it with the version of its wording.
    """
    from satchel.extract.reconciling import reconcile
    from satchel.extract.saying.rewrite import RULES_VERSION
    from satchel.extract.saying.say import PROMPT_VERSION

    near = _near(tx.db, draft, log.ensure_profile(tx, profile), meaning)
    ids = {memory.id: pk for pk, (memory, _) in near.items()}
    own = {memory.id for pk, (memory, _) in near.items() if memories.is_users_own(tx.db, pk)}
    decision = reconcile.decide(draft, list(near.values()), users_own=own, ended=ended)
    if draft.tentative and not _earned(draft, decision, near.values(), ended):
        return None

    def add(status: Status, valid_to: int | None = None) -> int:
        stamp = PROMPT_VERSION if draft.how == "model" else RULES_VERSION
        pk = memories.add(
            tx, draft, profile=profile, status=status, valid_to=valid_to, model=model, prompt_version=stamp
        )
        vectors.put(tx, meaning.model, [(vectors.Waiting("memory", pk, draft.text), meaning.vector)])
        return pk

    changed: list[int] = []

    def change(memory_id: str, changes: memories.Edit, why: str) -> None:
        memories.edit(tx, ids[memory_id], changes, by="extraction", change=why)
        changed.append(ids[memory_id])

    def end(memory_ids: Sequence[str]) -> None:
        for memory_id in memory_ids:
            since = near[ids[memory_id]][0].valid_from
            change(memory_id, memories.Edit(status="superseded", valid_to=max(draft.valid_from, since)), "superseded")

    def weigh(weighed: Sequence[Weighed]) -> None:
        for one in weighed:
            over = draft.valid_from if one.status == "superseded" else None
            change(one.memory_id, memories.Edit(status=one.status, valid_to=over), "the opposite was chosen")

    match decision:
        case reconcile.New(status=status, valid_to=valid_to, cut=cut, weighed=weighed):
            for memory_id in cut:
                change(memory_id, memories.Edit(valid_to=draft.valid_from), "superseded earlier than known")
            weigh(weighed)
            pk = add(status, valid_to)
        case reconcile.Observe(memory_id=memory_id, status=status, ended=ended, weighed=weighed):
            pk = ids[memory_id]
            if memories.observe(tx, pk, draft):
                end(ended)
                weigh(weighed)
                if status is not None:
                    over = draft.valid_from if status == "superseded" else None
                    change(memory_id, memories.Edit(status=status, valid_to=over), "evidence")
        case reconcile.Supersede(memory_ids=old):
            end(old)
            pk = add("active")
        case reconcile.Resolve(memory_ids=rivals):
            for memory_id in rivals:
                if memory_id not in own:  # what the user wrote stands as it is
                    change(memory_id, memories.Edit(status="resolving"), "contradicted")
            pk = add("resolving")
            contradictions.add(tx, pk, [ids[memory_id] for memory_id in rivals])
        case reconcile.Ignore():
            told = next((pk for pk, (memory, _) in near.items() if reconcile.told_by(draft, memory)), None)
            if told is not None:
                memories.observe(tx, told, draft)  # counts nothing new; its quote now stands in the latest revision
            return told
    contradictions.release_beside(tx, changed)
    _tell_evidence(tx, draft, [pk, *near])
    return pk


def _earned(draft: Draft, decision: Decision, near: Iterable[tuple[Memory, float]], ended: Collection[str]) -> bool:
    """Whether a tentative draft may be stored: it ends something, or it did so before, when its turn was read first."""
    from satchel.extract.reconciling import reconcile

    match decision:
        case reconcile.Supersede(memory_ids=old):
            return not set(old).isdisjoint(ended)
        case reconcile.Observe(memory_id=memory_id):
            said = {source.message_id for source in draft.sources}
            return any(
                memory.id == memory_id and any(source.message_id in said for source in memory.sources)
                for memory, _ in near
            )
    return isinstance(decision, reconcile.Ignore)  # stores nothing


def _tell_evidence(tx: Tx, draft: Draft, pks: Sequence[int]) -> None:
    """Says in the reasoning of the hints that the draft bears on how often they were seen, and what speaks against."""
    from satchel.extract.reconciling import evidence, reconcile

    known = memories.by_pks(tx.db, pks)
    hints = {pk: memory for pk, memory in known.items() if memory.kind == "implicit_preference"}
    for pk, hint in hints.items():
        touched = pk == pks[0] or evidence.speaks_against(draft.text, hint.text)
        last = memories.last_said(tx.db, pk)
        if not touched or last is None or memories.is_users_own(tx.db, pk):
            continue
        reasoning = evidence.told(
            hint.reasoning,
            observations=hint.observations,
            conversations=hint.conversations,
            last=last,
            against=evidence.against(hint.text, (other for other in hints.values() if other is not hint)),
            overruled=reconcile.overrules(hint.text, list(known.values())),
        )
        memories.explain(tx, pk, reasoning)


def _near(db: apsw.Connection, draft: Draft, owner: int, meaning: vectors.Meaning) -> dict[int, tuple[Memory, float]]:
    """What the draft is compared with: the nearest in meaning, what holds the words of what it may change, and whatever
    rests on the same turns; for a correction, on the same conversations.

    Not what deriving again put away: only the user's word keeps a statement from being remembered anew.
    """
    from satchel.extract.reconciling import rivals

    cosines = dict(vectors.nearest(db, "memory", meaning, profile=owner, k=SIMILAR))
    words = memories.holding_words(db, owner, rivals.probes(draft), limit=SIMILAR)
    found = memories.by_pks(db, list(dict.fromkeys((*cosines, *words))))
    found |= memories.of_messages(db, [source.message_id for source in draft.sources])
    if draft.correction:
        found |= memories.of_conversations(db, [source.conversation_id for source in draft.sources])
    further = [pk for pk in found if pk not in cosines]
    cosines |= dict(vectors.closest(db, "memory", meaning, further))
    return {
        pk: (memory, cosines.get(pk, 0.0))
        for pk, memory in found.items()
        if memory.status != "archived" or memories.is_users_own(db, pk)
    }


def _withdraw(tx: Tx, message_ids: Sequence[str]) -> list[str]:
    """What rests only on words that were edited away holds no more: the user took them back. The ids of these."""
    before = changes.place(tx.db)
    gone = [pk for pk in memories.resting_on_old_words(tx.db, message_ids) if not memories.is_users_own(tx.db, pk)]
    for pk in gone:
        over = memories.Edit(status="superseded", valid_to=tx.now)
        memories.edit(tx, pk, over, by="extraction", change="its words were edited away")
    contradictions.release_beside(tx, gone)
    return changes.memories_since(tx.db, before)


def _mistake(error: Exception) -> str:
    return f"Extraction made a mistake on this ({type(error).__name__})."
