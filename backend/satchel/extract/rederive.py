"""Deriving memories again from the log, after a better model or wording.

Turn by turn the log is read as a job reads it, whenever no job is due. What all turns gave is then reconciled in the
order it was said, in a copy in memory, and compared with what is stored: that is the preview. Applied are its changes,
a few at a time, when the user says so.

What the user decided stays: memories they wrote, edited, pinned or put away. Nothing new is derived from the words that
these rest on, or that a forgotten memory rested on, and what else rests on such words is left as it is.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from satchel import __version__
from satchel.extract import contradicting
from satchel.extract.worker import ExtractionWorker, Publish, in_doubt, settle
from satchel.faults import type_and_place
from satchel.models import ModelMissingError, Runtime
from satchel.pace import Pace
from satchel.store import Store, Tx, forgotten, log, memories, rederivation, vectors
from satchel.store.clock import HybridClock, new_id
from satchel.store.database import connect, fetch, migrate, to_json
from satchel.store.rederivation import Change, ChangeKind, Read, Run, Unread
from satchel.structs import decodable
from satchel.types import Draft, Memory, Message, ModelError, SatchelError, Source

RETRY_SECONDS = (2.0, 10.0, 30.0, 60.0)
"""Waits after the first, second, ... failure in a row."""

ATTEMPTS = 3
"""After so many failures a turn counts as unreadable, and what rests on it stays as it is."""

LOOK_AHEAD = 100
"""Unread turns that are looked up at once."""

SETTLED_AT_ONCE = 20
"""Drafts that are reconciled between two looks for a job."""

APPLIED_AT_ONCE = 20
"""Changes that share a transaction."""

logger = logging.getLogger("satchel.rederiving")

Embedded = tuple[Draft, bytes]
"""A draft and the vector of its text (float32)."""

Stored = tuple[Memory, str]
"""A memory as it is stored, and its clock."""

Result = TypeVar("Result")


class Rederiver:
    """Takes the runs further, one step at a time, whenever the worker has no job."""

    def __init__(
        self,
        store: Store,
        models: Runtime,
        worker: ExtractionWorker,
        *,
        publish: Publish,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._models = models
        self._worker = worker
        self._publish = publish
        self._stored = stored
        self._ahead: tuple[Run, deque[Unread]] | None = None
        self._copy: Copy | None = None
        self._previewing: asyncio.Task[None] | None = None
        self._failures: dict[str, int] = {}
        self._in_a_row = 0
        self._waits_until = 0.0
        self._error: str | None = None
        self.pace = Pace()
        worker.aside = self.step

    def held_up_by(self) -> str | None:
        """What reading waits for, in a sentence; None when it goes on."""
        missing = (model.error for model in self._models.status() if model.state == "missing")
        return next(missing, None) or self._error

    async def forget(self) -> None:
        """Lets go of the copy of the memories, and of what is being made of it: it is begun anew by the next step.

        To be called once what is forgotten is out of the store, and before the models are told to forget: what is
        asked of them for the copy is given up.
        """
        if self._previewing is not None:
            self._previewing.cancel()
            await asyncio.wait([self._previewing])
        self._copy = None

    async def step(self) -> bool:
        """Reads a turn, reconciles some drafts, or applies some changes; False when there is nothing to do now."""
        if time.monotonic() < self._waits_until:
            return False
        run = await self._store.read(rederivation.under_way)
        if run is None:
            return False
        try:
            if run.state == "applying":
                await self._apply(run)
            else:
                run = await self._stamped(run)
                turn = await self._next(run)
                if turn is None:
                    await self._unless_forgotten(self._preview(run))
                else:
                    self._copy = None
                    await self._read(run, turn)
        except ModelError as error:
            wait = RETRY_SECONDS[0 if isinstance(error, ModelMissingError) else min(self._in_a_row, 3)]
            self._error = str(error)
            self._in_a_row += 1
            self._waits_until = time.monotonic() + wait
            asyncio.get_running_loop().call_later(wait, self._worker.wake)
            return False
        self._error, self._in_a_row = None, 0
        return True

    # Reading

    async def _stamped(self, run: Run) -> Run:
        """The run, begun anew where other models or another Satchel read in it. Raises ModelMissingError."""
        from satchel.extract.saying.rewrite import RULES_VERSION
        from satchel.extract.saying.say import PROMPT_VERSION

        # In a thread: a large model's file may have to be hashed.
        hashes = [await asyncio.to_thread(self._models.model_id, role) for role in ("embed", "generate")]
        gate = (await self._worker.ready_gate()).fingerprint
        try:
            rivals = (await self._worker.ready_superseding()).fingerprint
        except ModelError:
            rivals = "none"
        stamp = " ".join((*hashes, gate, rivals, PROMPT_VERSION, RULES_VERSION, __version__))
        if stamp == run.stamp:
            return run
        await self._store.write(lambda tx: rederivation.stamp(tx, run, stamp))
        return msgspec.structs.replace(run, stamp=stamp)

    async def _next(self, run: Run) -> Unread | None:
        if self._ahead is None or self._ahead[0] != run or not self._ahead[1]:
            found = await self._store.read(lambda db: rederivation.unread(db, run, LOOK_AHEAD))
            self._ahead = run, deque(found)
        turns = self._ahead[1]
        return turns.popleft() if turns else None

    async def _read(self, run: Run, unread: Unread) -> None:
        started = time.monotonic()
        turns = await self._store.read(lambda db: log.messages_of(db, unread.conversation_id))
        index = next((index for index, turn in enumerate(turns) if turn.id == unread.message_id), None)
        if index is None:
            return  # it was forgotten meanwhile
        turn = turns[index]
        found: list[Embedded] | None = None
        try:
            found = await self._embedded(await self._worker.read(turns, index))
        except ModelMissingError:
            self._ahead = None
            raise
        except Exception as error:
            self._failures[turn.id] = self._failures.get(turn.id, 0) + 1
            if self._failures[turn.id] < ATTEMPTS:
                self._ahead = None
                if isinstance(error, (SatchelError, apsw.Error)):
                    raise
                raise ModelError(f"A turn could not be read again ({type(error).__name__}).") from error
            logger.error("a turn cannot be read again: %s", type_and_place(error))  # noqa: TRY400 - no text in logs
        await self._store.write(lambda tx: _keep(tx, run, turn, found))
        self._failures.pop(turn.id, None)
        self.pace.add(time.monotonic() - started)

    async def _embedded(self, drafts: Sequence[Draft]) -> list[Embedded]:
        if not drafts:
            return []
        rows = await self._models.embed([draft.text for draft in drafts])
        return [(draft, row.tobytes()) for draft, row in zip(drafts, rows, strict=True)]

    # Previewing

    async def _unless_forgotten(self, previewing: Coroutine[Any, Any, None]) -> None:
        """Until it is done, or `forget` gives it up. Raises what it raises."""
        task = self._previewing = asyncio.create_task(previewing, name="previewing")
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._previewing = None
        if not task.cancelled():
            task.result()

    async def _preview(self, run: Run) -> None:
        copy = self._copy
        if copy is None or copy.run != run:
            self._copy = None
            self._copy = await self._begin_copy(run)
        elif await self._settle_some(copy):  # should a model fail, it goes on from there
            self._copy = None
            changes = await _in_thread(lambda: compare(copy.looked.rest, copy.derived()))
            await self._store.write(lambda tx: rederivation.preview(tx, run, changes, name=copy.name))

    async def _settle_some(self, copy: Copy) -> bool:
        """Reconciles the next drafts, in the order they were said; whether these were the last."""
        for _ in range(SETTLED_AT_ONCE):
            draft = copy.next()
            if draft is None:
                return True
            doubted = await _in_thread(copy.in_doubt)
            ended = await self._worker.ended(draft, doubted)
            await _in_thread(functools.partial(copy.settle, ended))
        return False

    async def _begin_copy(self, run: Run) -> Copy | None:
        name = new_id()
        looked = await self._store.read(lambda db: look(db, run))
        if isinstance(looked, Outdated):
            await self._store.write(lambda tx: rederivation.unkeep(tx, run, looked.message_ids))
            return None
        texts = [memory.text for memory in looked.kept] if looked.drafts else []
        known = [row.tobytes() for row in await self._models.embed(texts)] if texts else []
        now = self._store.now()
        return await _in_thread(lambda: Copy(run, name, looked, known, now=now))

    # Applying

    async def _apply(self, run: Run) -> None:
        changed = await self._store.write(lambda tx: rederivation.apply_some(tx, run, APPLIED_AT_ONCE))
        found = await self._store.read(lambda db: contradicting.look(db, changed))
        if found:
            await self._store.write(lambda tx: contradicting.relate(tx, found))
        for memory_id in changed:
            self._publish("memory", run.profile, id=memory_id)
        if changed:
            self._stored()


async def _in_thread(work: Callable[[], Result]) -> Result:
    """As `asyncio.to_thread`, but who is cancelled has waited for the thread: it holds nothing any more."""
    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class _Kept(msgspec.Struct):
    """A draft as JSON: which of the two kinds it is does not show in its fields."""

    draft: Draft
    chosen: bool


@decodable
class _Given(msgspec.Struct):
    """What a turn gave, as JSON. `left_out`: where drafts stood that touch forgotten words; places, no words."""

    drafts: list[_Kept]
    left_out: list[Source]


def _keep(tx: Tx, run: Run, turn: Message, found: Sequence[Embedded] | None) -> None:
    from satchel.extract.dialogue.choices import Chosen  # late, as in the worker

    if found is None:
        rederivation.keep(tx, run, Read(turn.id, None, b""), turn.revision)
        return
    given, packed = _Given([], []), []
    for draft, vector in found:
        if forgotten.touched(tx.db, draft.sources):
            if draft.tentative:
                continue
            given.left_out += [msgspec.structs.replace(source, quote="") for source in draft.sources]
        else:
            given.drafts.append(_Kept(draft, isinstance(draft, Chosen)))
            packed.append(vector)
    read = Read(turn.id, msgspec.json.encode(given).decode(), b"".join(packed))
    rederivation.keep(tx, run, read, turn.revision)


def _given(read: Read) -> tuple[list[Embedded], list[Source]]:
    """The drafts of a turn, and the places where others were left out."""
    from satchel.extract.dialogue.choices import Chosen

    if read.drafts is None:
        return [], []
    given = msgspec.json.decode(read.drafts, type=_Given)
    width = len(read.vectors) // max(len(given.drafts), 1)
    drafts = [
        (
            Chosen(**msgspec.structs.asdict(one.draft)) if one.chosen else one.draft,
            read.vectors[number * width : (number + 1) * width],
        )
        for number, one in enumerate(given.drafts)
    ]
    return drafts, given.left_out


# What is looked at, in one snapshot


class Outdated(msgspec.Struct, frozen=True):
    """Not all is read yet: these turns are to be read again, for words that they rest on were edited."""

    message_ids: list[str]


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """`kept` are the memories that stay as they are, `rest` those that may change. `rows` are, by table, what `kept`
    and `drafts` rest on.
    """

    profile: str
    kept: list[Memory]
    rest: list[Stored]
    drafts: list[Embedded]
    rows: dict[str, list[tuple[Any, ...]]]


def look(db: apsw.Connection, run: Run) -> Looked | Outdated:
    """All that a preview is made of."""
    if rederivation.unread(db, run, 1):
        return Outdated([])
    rows = fetch(
        db,
        "SELECT y.pk, y.clock, y.by_hand OR y.pinned FROM memory y JOIN profile p ON p.pk = y.profile WHERE p.name = ?"
        " ORDER BY y.pk",
        (run.profile,),
    )
    stored = memories.by_pks(db, [pk for pk, _, _ in rows])
    reads = rederivation.reads(db, run)
    found: list[tuple[str, Embedded]] = []
    left_out: list[Source] = []
    for read in reads:
        drafts, places = _given(read)
        found += [(read.message_id, draft) for draft in drafts]
        left_out += places
    named = {source.message_id for _, (draft, _) in found for source in draft.sources}
    turns = log.messages(db, list(named))
    outdated = {
        message_id
        for message_id, (draft, _) in found
        for source in draft.sources
        if source.message_id not in turns or turns[source.message_id].revision != source.revision
    }
    if outdated:
        return Outdated(sorted(outdated))
    settled = decided(
        stored,
        [draft for _, (draft, _) in found],
        own={pk for pk, _, own in rows if own},
        places=left_out,
        unreadable={read.message_id for read in reads if read.drafts is None},
    )
    remaining = [one for number, (_, one) in enumerate(found) if number not in settled.drafts]
    kept = [memory for pk, memory in stored.items() if pk in settled.memories]
    return Looked(
        profile=run.profile,
        kept=kept,
        rest=[(stored[pk], clock) for pk, clock, _ in rows if pk not in settled.memories],
        drafts=remaining,
        rows=_rows(db, run.profile, kept, [draft for draft, _ in remaining]),
    )


class Decided:
    """Memories that stay as they are, by pk, drafts that are left out, by number, and the words of both."""

    def __init__(self, places: Iterable[Source]) -> None:
        self.memories: set[int] = set()
        self.drafts: set[int] = set()
        self._words: dict[str, list[Source]] = {}
        self.add(places)

    def add(self, sources: Iterable[Source]) -> None:
        for source in sources:
            self._words.setdefault(source.message_id, []).append(source)

    def touches(self, sources: Iterable[Source]) -> bool:
        return any(
            forgotten.shares_words(place, source)
            for source in sources
            for place in self._words.get(source.message_id, ())
        )


def decided(
    stored: Mapping[int, Memory],
    drafts: Sequence[Draft],
    *,
    own: Collection[int],
    places: Iterable[Source],
    unreadable: Collection[str],
) -> Decided:
    """What stays: the user's own memories, and whatever shares words with what stays or with one of `places`.

    So does what rests on a turn that could not be read: nobody knows whether it still follows. And what shares words
    with a draft that is left out, for that may have said the same.
    """
    found = Decided(places)
    for pk, memory in stored.items():
        if pk in own or any(source.message_id in unreadable for source in memory.sources):
            found.memories.add(pk)
            found.add(memory.sources)
    grown = True
    while grown:
        grown = False
        for pk, memory in stored.items():
            if pk not in found.memories and found.touches(memory.sources):
                found.memories.add(pk)
                found.add(memory.sources)
                grown = True
        for number, draft in enumerate(drafts):
            if number not in found.drafts and found.touches(draft.sources):
                found.drafts.add(number)
                if not draft.tentative:
                    found.add(draft.sources)
                    grown = True
    return found


def _rows(
    db: apsw.Connection, profile: str, kept: Sequence[Memory], drafts: Sequence[Draft]
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of the log and of the memories kept, as `derive` needs them."""
    ids = to_json([memory.id for memory in kept])
    held = (*(memory.sources for memory in kept), *(draft.sources for draft in drafts))
    named = to_json({source.message_id for sources in held for source in sources})
    some = "SELECT value FROM json_each(?)"
    return {
        "profile": fetch(db, "SELECT * FROM profile WHERE name = ?", (profile,)),
        "conversation": fetch(
            db,
            f"SELECT * FROM conversation WHERE pk IN (SELECT conversation FROM message WHERE id IN ({some}))",  # noqa: S608
            (named,),
        ),
        "message": fetch(db, f"SELECT * FROM message WHERE id IN ({some})", (named,)),  # noqa: S608
        "memory": fetch(db, f"SELECT * FROM memory WHERE id IN ({some})", (ids,)),  # noqa: S608
        "source": fetch(
            db,
            f"SELECT * FROM source WHERE memory IN (SELECT pk FROM memory WHERE id IN ({some}))",  # noqa: S608
            (ids,),
        ),
    }


# What follows from it


class Copy:
    """A database in memory with the memories kept, in which the drafts are reconciled one by one, as jobs do it.

    The stored memories do not change, and nothing of it reaches the disk. `known` are the vectors of `looked.kept`;
    `name` is an id that was made before the look.
    """

    def __init__(self, run: Run, name: str, looked: Looked, known: Sequence[bytes], *, now: int) -> None:
        self.run, self.name, self.looked = run, name, looked
        self._embedder, self._generator = run.stamp.split()[:2]
        self._waiting = deque(looked.drafts)
        path = Path(":memory:")
        self._db = connect(path)
        migrate(self._db, path)
        self._tx = Tx(self._db, HybridClock("copy"), lambda: now)
        for table, rows in looked.rows.items():
            for row in rows:
                self._db.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        self._kept = {memories.pk_of(self._db, memory.id) for memory in looked.kept}
        if looked.drafts:
            vectors.prepare(self._tx, self._embedder, len(looked.drafts[0][1]) // 4)
        for number, memory in enumerate(looked.kept):
            pk = memories.pk_of(self._db, memory.id)
            # The same words again: this indexes them.
            memories.reword(
                self._tx, pk, text=memory.text, key=memory.key, tags=memory.tags, reasoning=memory.reasoning
            )
            if known:
                waiting = vectors.Waiting("memory", pk, memory.text)
                vectors.put(self._tx, self._embedder, [(waiting, known[number])])

    def next(self) -> Draft | None:
        """The draft to be reconciled next; None when all are."""
        return self._waiting[0][0] if self._waiting else None

    def in_doubt(self) -> list[Memory]:
        """The memories of which it must be read whether the next draft ends them."""
        draft, vector = self._waiting[0]
        return in_doubt(self._db, draft, self.looked.profile, vectors.Meaning(self._embedder, vector))

    def settle(self, ended: Collection[str]) -> None:
        """Reconciles the next draft, which ends the memories of these ids."""
        draft, vector = self._waiting.popleft()
        by = self._generator if draft.how == "model" else self._embedder
        with self._db:
            settle(self._tx, draft, self.looked.profile, vectors.Meaning(self._embedder, vector), by, ended)

    def derived(self) -> list[Memory]:
        """The memories that the drafts gave, beside those kept."""
        pks = [pk for (pk,) in fetch(self._db, "SELECT pk FROM memory ORDER BY pk") if pk not in self._kept]
        found = memories.by_pks(self._db, pks)
        return [found[pk] for pk in pks]


WORDING = ("kind", "text", "key", "tags", "reasoning", "said_by", "event_time")
STATE = ("status", "valid_from", "valid_to")


def compare(stored: Sequence[Stored], derived: Sequence[Memory]) -> list[Change]:
    """What would have to change for `stored` to be `derived`; what is the same, and what is over anyway, is left out.

    A derived memory goes with the stored one that it shares most with: words they rest on, kind, and text. A hint goes
    with a hint only, since the same words often give one beside a fact.
    """
    by_message: dict[str, list[int]] = {}
    for number, (memory, _) in enumerate(stored):
        for message_id in dict.fromkeys(source.message_id for source in memory.sources):
            by_message.setdefault(message_id, []).append(number)
    pairs = []
    for mine, memory in enumerate(derived):
        near = {number for source in memory.sources for number in by_message.get(source.message_id, ())}
        for theirs in near:
            likeness = _likeness(stored[theirs][0], memory)
            if likeness is not None:
                pairs.append((likeness, -theirs, -mine))
    goes_with: dict[int, int] = {}
    taken: set[int] = set()
    for _, theirs, mine in sorted(pairs, reverse=True):
        if -mine not in goes_with and -theirs not in taken:
            goes_with[-mine] = -theirs
            taken.add(-theirs)
    changes = [
        _change(stored[goes_with[number]] if number in goes_with else None, memory)
        for number, memory in enumerate(derived)
    ]
    changes += [
        Change(
            change="withdrawn",
            memory_id=memory.id,
            clock=clock,
            before=memory,
            after=msgspec.structs.replace(memory, status="archived"),
        )
        for number, (memory, clock) in enumerate(stored)
        if number not in taken and memory.status not in ("superseded", "archived")
    ]
    return [change for change in changes if change is not None]


def _likeness(one: Memory, other: Memory) -> tuple[int, ...] | None:
    """How much a stored and a derived memory share, to be compared; None when they are two things."""
    shared = sum(forgotten.shares_words(mine, theirs) for mine in one.sources for theirs in other.sources)
    if not shared or (one.kind == "implicit_preference") != (other.kind == "implicit_preference"):
        return None
    same_places = _places(one) & _places(other)
    same_text, same_kind = one.text == other.text, one.kind == other.kind
    return (same_text and same_kind and _places(one) == _places(other), same_kind, same_text, len(same_places), shared)


def _places(memory: Memory) -> set[Source]:
    return set(memory.sources)


def _change(stored: Stored | None, derived: Memory) -> Change | None:
    if stored is None:
        new = msgspec.structs.replace(derived, id="")
        return Change(change="new", memory_id=None, clock=None, before=None, after=new)
    before, clock = stored
    if differ(before, derived, WORDING):
        change: ChangeKind = "reworded"
    elif differ(before, derived, STATE):
        change = "status_changed"
    elif _places(before) != _places(derived) or before.observations != derived.observations:
        change = "sources_changed"
    else:
        return None
    after = msgspec.structs.replace(
        derived, id=before.id, created_at=before.created_at, updated_at=before.updated_at, pinned=before.pinned
    )
    return Change(change=change, memory_id=before.id, clock=clock, before=before, after=after)


def differ(one: Memory, other: Memory, fields: Iterable[str]) -> bool:
    return any(getattr(one, field) != getattr(other, field) for field in fields)
