#!/usr/bin/env python3
"""Measures whether recall finds what a question's answer rests on, with the real store and models.

    .venv/bin/python scripts/bench_recall_quality.py FILE... [--limit N] [--extract] [--json OUT] [--list]
    .venv/bin/python scripts/bench_recall_quality.py LOCOMO [PREFEVAL] --generic tests/recall/generic.txt

What a file is shows in its content:

LoCoMo      (.json) evidence turns of questions about two people's talks; speaker_a is captured as the user, speaker_b
            as the assistant, each session as a conversation of its date
PrefEval    (.json) users who told 50 preferences each in the middle of longer turns, among 100 other turns; always
            with extraction: is the right preference among the preferences found? Counted over those that were kept
BEAM        (.json) evidence turns of questions about one user's long chats; each batch is a conversation of its date
MemoryBank  (.json, with its probing questions beside it) evidence turns of questions about fifteen users' daily talks,
            in English and in Chinese
LongMemEval (.json, the sample) evidence sessions, all questions' sessions being one user's: found by any of their turns

What is captured is what a chat site shows: the speakers' names and the captions of LoCoMo's pictures stand only where
they were written. A hit counts as the turn it is, or as the turns in which its quotes stand.

Recall finds memories and turns (memories only with --extract); beside it, over the turns alone (of PrefEval: over the
memories of its kinds), words by BM25, meaning by vectors, and both fused by reciprocal rank. "Tokens" are those of the
default generator. The same questions, users and order always; nothing here trains or tunes anything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import apsw
import msgspec

from eval_support import files, irrelevance, recall_data, recall_scores
from eval_support.recall_data import Life, Place, Question, Suite
from eval_support.recall_scores import BASELINES, CUTS, MAIN, RECALL, WAYS, Answer, Outcome
from eval_support.running import MINUTE, Conversation, CountingRuntime, Progress, Session, Table, show
from satchel.recall import query
from satchel.recall.recall import Context
from satchel.store import candidates, log, search, vectors
from satchel.store.database import fetch, to_json
from satchel.store.search import Eligible, Found
from satchel.store.vectors import Meaning
from satchel.types import Candidate, Kind, SatchelError, Source, Status

PROFILE = "me"
FINDABLE: tuple[Status, ...] = ("active", "resolving")
"""Of memories that answer questions about what is so now."""
BUDGET = 600
"""Tokens a context may have."""
DEPTH = 100
"""Finds of words and of meaning that are fused."""
MOST_FAILURES = 3
"""Conversations of a life whose extraction may fail: what was not read cannot be found."""
SHOWN = 160
"""Code points told of a turn or a memory that --list lists."""
INSTEAD = 3
"""Hits told of a question whose evidence was missed."""


class Shelf(Session):
    """A session that is filled with one life, without extraction too, and then asked."""

    def __init__(self, folder: Path, runtime: CountingRuntime, *, extract: bool) -> None:
        super().__init__(folder, runtime)
        self._extract = extract
        self._failed: list[str] = []

    async def __aenter__(self) -> Shelf:
        if self._extract:
            await super().__aenter__()
        return self

    async def put(self, conversation: Conversation) -> None:
        """Captures a conversation on its day and gives all that came of it its vectors."""
        if self._extract:
            derived = await self.derive(conversation, profile=PROFILE)
            if derived.error is not None:
                self._failed.append(f"{conversation.id}: {derived.error}")
            if len(self._failed) > MOST_FAILURES:
                raise SatchelError("Too many conversations fail:\n" + "\n".join(self._failed))
        else:
            self._clock.set(conversation.at + len(conversation.turns) * MINUTE)
            await self._capture(conversation, PROFILE, last_only=False)
        while await self._indexer.index_some():
            pass

    async def remember(self, known: Sequence[tuple[str, Kind]]) -> None:
        """Stores memories that no turn gave."""
        await self.store.write(lambda tx: irrelevance.remember(tx, PROFILE, known))
        while await self._indexer.index_some():
            pass

    async def places(self) -> dict[str, Place]:
        """Where each turn stands in the life, by its id in the store."""
        sql = "SELECT m.id, c.external_id, m.external_id FROM message m JOIN conversation c ON c.pk = m.conversation"
        rows = await self.store.read(lambda db: fetch(db, sql))
        return {message: (conversation, int(number)) for message, conversation, number in rows}

    async def search(self, question: str, kinds: Sequence[Kind] | None) -> list[Candidate]:
        return await self._recall.search(question, profile=PROFILE, limit=CUTS[-1], kinds=kinds)

    async def context(self, question: str, kinds: Sequence[Kind] | None) -> Context:
        return await self._recall.context(
            question, profile=PROFILE, site=None, external_id=None, budget=BUDGET, style=None, kinds=kinds
        )

    async def tokens(self, hits: Sequence[Candidate]) -> int:
        """Of the first ten hits' texts."""
        return sum(await self.runtime.count_tokens([hit.text for hit in hits[:MAIN]]))


def _eligible(db: apsw.Connection, kinds: Sequence[Kind] | None) -> Eligible:
    """What the ways without a ranker look through: the turns, or the memories of some kinds."""
    owner = log.profile_pk(db, PROFILE)
    assert owner is not None
    if kinds is None:
        return search.eligible_turns(owner)
    return search.eligible_memories(owner, kinds=kinds)


def _by_words(db: apsw.Connection, among: Eligible, question: str, _: Meaning) -> list[int]:
    return list(search.by_words(db, query.fts_terms(question), among, limit=DEPTH))


def _by_meaning(db: apsw.Connection, among: Eligible, _: str, meaning: Meaning) -> list[int]:
    return list(search.by_meaning(db, vectors, meaning, among, limit=DEPTH))


def _by_both(db: apsw.Connection, among: Eligible, question: str, meaning: Meaning) -> list[int]:
    rankings = (_by_words(db, among, question, meaning), _by_meaning(db, among, question, meaning))
    return recall_scores.fused(rankings, CUTS[-1])


RANKINGS: dict[str, Callable[[apsw.Connection, Eligible, str, Meaning], list[int]]] = dict(
    zip(BASELINES, (_by_words, _by_meaning, _by_both), strict=True)
)
"""The ways without a ranker: pks, best first."""


def _loaded(db: apsw.Connection, among: Eligible, pks: Sequence[int]) -> list[Candidate]:
    """Hits as recall gives them, in the order of `pks`."""
    found = Found(dict.fromkeys(pks, 0.0), {})
    if among.kind == "turn":
        table, hits = "message", candidates.load_turns(db, found, {})
    else:
        table, hits = "memory", candidates.load_memories(db, found)
    sql = f"SELECT id, pk FROM {table} WHERE pk IN (SELECT value FROM json_each(?))"
    pk_of = dict(fetch(db, sql, (to_json(pks),)))
    return sorted(hits, key=lambda hit: pks.index(pk_of[hit.id]))


class Places:
    """For which places of a life a hit or a memory stands."""

    def __init__(self, suite: Suite, life: Life, places: Mapping[str, Place]) -> None:
        self._by_session = suite.unit == "sessions"
        self._spans = life.spans
        self._places = places

    def of(self, sources: Iterable[Source]) -> frozenset[Place]:
        found = (self._of(source) for source in sources)
        return frozenset(place for place in found if place is not None)

    def _of(self, source: Source) -> Place | None:
        conversation, number = self._places[source.message_id]
        if self._by_session:
            return conversation, 0
        span = self._spans.get((conversation, number))
        if span is not None and (source.end <= span[0] or source.start >= span[1]):
            return None
        return conversation, number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, help="so many questions of each file, the same always")
    parser.add_argument("--extract", action="store_true", help="with memories, made by the extraction worker")
    parser.add_argument("--list", action="store_true", help=f"list evidence that is not among the first {MAIN} hits")
    parser.add_argument(
        "--generic",
        type=Path,
        help="instead, whether these questions, a line each, get nothing and 100 of LoCoMo's something (FILE: LoCoMo,"
        " and PrefEval for more memories)",
    )
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    measured = [recall_data.read(path, arguments.limit) for path in arguments.files]
    try:
        if arguments.generic:
            tables = [asyncio.run(measure_irrelevance(arguments.generic, arguments.files, measured))]
        else:
            tables = asyncio.run(measure_all(measured, extract=arguments.extract, listing=arguments.list))
    except SatchelError as error:
        raise SystemExit(str(error)) from None
    if arguments.json:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(tables), indent=2, ensure_ascii=False) + "\n", "utf-8")


async def measure_all(measured: Sequence[Suite], *, extract: bool, listing: bool) -> list[Table]:
    """Prints and returns the tables of every file."""
    tables: list[Table] = []
    async with CountingRuntime() as runtime:
        for suite in measured:
            with_memories = extract or suite.kinds is not None
            progress = Progress(suite.name, suite.steps)
            answers: list[Answer] = []
            for life in suite.lives:
                with tempfile.TemporaryDirectory() as folder:
                    async with Shelf(Path(folder), runtime, extract=with_memories) as shelf:
                        answers += await _lived(suite, life, shelf, progress, listing=listing)
            title = f"{suite.name}, {'turns and memories' if with_memories else 'turns alone'}"
            for table in recall_scores.tables(title, suite.unit, answers):
                show(table)
                tables.append(table)
    return tables


async def measure_irrelevance(generic: Path, paths: Sequence[Path], measured: Sequence[Suite]) -> Table:
    """Prints and returns how many questions get a context, asked of LoCoMo's talks and up to 2,000 memories."""
    by_set = zip(measured, paths, strict=True)
    kinds = {"PrefEval" if suite.kinds is not None else "LoCoMo": path for suite, path in by_set}
    talks = next((suite for suite in measured if suite.kinds is None), None)
    if talks is None:
        raise SystemExit("--generic needs LoCoMo's file: its talks are what the profile holds.")
    known = irrelevance.known(kinds["LoCoMo"], kinds.get("PrefEval"))
    questions = irrelevance.some([question.text for life in talks.lives for question in life.questions])
    general = [line for line in files.read_text(generic).splitlines() if line.strip()]
    async with CountingRuntime() as runtime:
        with tempfile.TemporaryDirectory() as folder:
            async with Shelf(Path(folder), runtime, extract=False) as shelf:
                for number, life in enumerate(talks.lives):
                    for conversation in life.conversations:
                        await shelf.put(msgspec.structs.replace(conversation, id=f"{number} {conversation.id}"))
                await shelf.remember(known)

                async def gives(question: str) -> bool:
                    return bool((await shelf.context(question, None)).hits)

                found = await irrelevance.table(f"{len(known)} memories", general, questions, gives)
    show(found)
    return found


async def _lived(suite: Suite, life: Life, shelf: Shelf, progress: Progress, *, listing: bool) -> list[Answer]:
    """Fills the shelf with a life and asks its questions."""
    for conversation in life.conversations:
        await shelf.put(conversation)
        progress.step("steps")
    asking = Asking(suite, life, shelf, await shelf.places())
    kept = await asking.kept()
    answers = []
    for question in life.questions:
        answer = await asking.ask(question, listing=listing)
        answers.append(msgspec.structs.replace(answer, kept=kept is None or question.evidence <= kept))
        progress.step("steps")
    return answers


class Asking:
    """Asks the questions of a life that a shelf holds, each in every way. `places`: where each turn stands in it."""

    def __init__(self, suite: Suite, life: Life, shelf: Shelf, places: Mapping[str, Place]) -> None:
        self._kinds = suite.kinds
        self._said = {conversation.id: conversation.turns for conversation in life.conversations}
        self._shelf = shelf
        self._places = Places(suite, life, places)

    async def kept(self) -> frozenset[Place] | None:
        """The places of which there is a memory that recall may find; None where turns are found without one."""
        if self._kinds is None:
            return None
        living = await self._shelf.memories(PROFILE, FINDABLE)
        return self._places.of(source for memory in living if memory.kind in self._kinds for source in memory.sources)

    async def ask(self, question: Question, *, listing: bool) -> Answer:
        started = time.perf_counter()
        (vector,) = await self._shelf.runtime.embed([question.text], urgent=True)
        model = self._shelf.runtime.model_id("embed")
        embedding_ms = _ms_since(started)  # the runtime remembers it: none of the ways pays for it
        outcomes: dict[str, Outcome] = {}
        notes: tuple[str, ...] = ()
        for way in WAYS:
            started = time.perf_counter()
            hits = await self._found(way, question.text, Meaning(model, vector.tobytes()))
            ms = _ms_since(started)
            outcomes[way] = Outcome(hits=self._stand_for(hits), tokens=await self._shelf.tokens(hits), ms=ms)
            if listing and way == RECALL:
                notes = self._missed(question, hits, outcomes[way])
        context = await self._shelf.context(question.text, self._kinds)
        return Answer(
            question=question,
            outcomes=outcomes,
            context=frozenset().union(*self._stand_for(context.hits)),
            context_tokens=context.tokens,
            embedding_ms=embedding_ms,
            notes=notes,
        )

    async def _found(self, way: str, question: str, meaning: Meaning) -> list[Candidate]:
        if way == RECALL:
            return await self._shelf.search(question, self._kinds)
        rank = RANKINGS[way]

        def find(db: apsw.Connection) -> list[Candidate]:
            among = _eligible(db, self._kinds)
            return _loaded(db, among, rank(db, among, question, meaning)[: CUTS[-1]])

        return await self._shelf.store.read(find)

    def _stand_for(self, hits: Sequence[Candidate]) -> tuple[frozenset[Place], ...]:
        return tuple(self._places.of(hit.sources) for hit in hits)

    def _missed(self, question: Question, hits: Sequence[Candidate], outcome: Outcome) -> tuple[str, ...]:
        """The evidence that is not among the first ten hits, and what is first instead; nothing when all is."""
        missing = sorted(question.evidence - frozenset().union(*outcome.hits[:MAIN]))
        if not missing:
            return ()
        return (
            f"{question.category}: {question.text}",
            *(f"  missed {place}: {self._said[place[0]][place[1]].content[:SHOWN]!r}" for place in missing),
            *(f"  found {hit.kind}: {hit.text[:SHOWN]!r}" for hit in hits[:INSTEAD]),
        )


def _ms_since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    main()
