"""From a question to ranked memories and turns, and from those to the context for a prompt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Protocol

import apsw
import msgspec

from satchel.models import Embedder, Generator
from satchel.recall import assemble, query, rank
from satchel.store import Store, Tx, candidates, injections, log, search
from satchel.store.clock import new_id
from satchel.store.search import Eligible, Filter, Found
from satchel.types import Candidate, ModelError, Style

GATHERED = 40
"""Candidates that each of the four recallers brings for every list it is asked for, or the limit if that is more: the
ranker reads them all, so that their number is most of the time recall takes."""

CONTEXT_LIMIT = 40
"""Hits a context may hold at the most, however large its budget."""

EMBED_SECONDS = 15.0
"""How long a question waits for its vector (the model may have to be loaded first) before words alone must do."""

ALWAYS = 20
"""Standing instructions and pinned memories that are looked at for every question."""

COUNTED = 2_000
"""Texts whose number of tokens is kept in memory."""

logger = logging.getLogger("satchel.recall")


class Models(Embedder, Generator, Protocol):
    """What recall asks of the models: vectors of questions, and token counts."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """`context` is the block ("" for nothing), `prompt` the block with the question after it."""

    context: str
    prompt: str
    tokens: int
    hits: list[Candidate]
    injection_id: str


class Words(msgspec.Struct, frozen=True):
    """What the search by words found: BM25 by pk."""

    memories: dict[int, float]
    turns: dict[int, float]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question with all that narrows its answers. `most`: candidates from each recaller. `memory_kinds` None: all."""

    question: str
    profile: str
    most: int
    memory_kinds: tuple[str, ...] | None
    turns: bool
    only: Filter
    asking: search.Conversation | None
    at: int | None
    given: tuple[str, ...]

    def by_words(self, db: apsw.Connection) -> Words:
        terms = query.fts_terms(self.question)
        memories, turns = self._eligible(db)
        return Words(
            search.by_words(db, terms, memories, limit=self.most) if memories else {},
            search.by_words(db, terms, turns, limit=self.most) if turns else {},
        )

    def gather(self, db: apsw.Connection, words: Words, vector: bytes | None) -> list[Candidate]:
        """What words found, what meaning finds, and what is always offered. Without a vector, words alone."""
        memories, turns = self._eligible(db)
        found: list[Candidate] = []
        if memories:
            near: dict[int, float | None] = {}
            if vector:
                near.update(search.by_meaning(db, vector, memories, limit=self.most))
            for pk in search.always_offered(db, memories, limit=ALWAYS):
                near.setdefault(pk, None)
            found += candidates.load_memories(db, Found(words.memories, near))
        if turns:
            near = dict(search.by_meaning(db, vector, turns, limit=self.most)) if vector else {}
            found += candidates.load_turns(db, Found(words.turns, near))
        return found

    def _eligible(self, db: apsw.Connection) -> tuple[Eligible | None, Eligible | None]:
        """Memories and turns that may answer; None where none is asked for."""
        owner = log.profile_pk(db, self.profile)
        if owner is None:
            return None, None
        memories = turns = None
        if self.memory_kinds is None or self.memory_kinds:
            memories = search.eligible_memories(
                owner,
                statuses=search.PAST_TOO if query.asks_about_past(self.question) else search.NOW,
                kinds=self.memory_kinds,
                only=self.only,
                at=self.at,
                given=self.given,
            )
        if self.turns:
            turns = search.eligible_turns(owner, only=self.only, at=self.at, asking=self.asking, given=self.given)
        return memories, turns


class Recall:
    """`threshold` None: the ranker's own bar for what goes into a context."""

    def __init__(self, store: Store, models: Models, *, threshold: float | None = None) -> None:
        self._store = store
        self._models = models
        self._counted: dict[str, int] = {}
        self._threshold = rank.CONTEXT_THRESHOLD if threshold is None else threshold

    async def search(
        self,
        question: str,
        *,
        profile: str,
        limit: int,
        kinds: Sequence[str] | None = None,
        only: Filter | None = None,
        site: str | None = None,
        external_id: str | None = None,
        at: int | None = None,
        threshold: float | None = None,
        given: Sequence[str] = (),
    ) -> list[Candidate]:
        """The best `limit` memories and turns, best first.

        `external_id`, with its `site`, is the conversation that asks: its own turns are no answer. `at` (ms) asks as
        of a moment. Without a usable embedding model, words alone decide.
        """
        asked = Asked(
            question=question,
            profile=profile,
            most=max(GATHERED, limit),
            memory_kinds=None if kinds is None else tuple(kind for kind in kinds if kind != "turn"),
            turns=kinds is None or "turn" in kinds,
            only=only or Filter(),
            asking=None if external_id is None else search.Conversation(site, external_id),
            at=at,
            given=tuple(given),
        )
        words, vector = await asyncio.gather(self._store.read(asked.by_words), self._vector(question))

        def find(db: apsw.Connection) -> list[Candidate]:
            # Ranked on the reader's thread as well: reading many texts would hold up the event loop.
            return rank.rank(
                asked.gather(db, words, vector),
                query=question,
                now=self._store.now(),
                limit=limit,
                threshold=threshold,
                at=at,
            )

        return await self._store.read(find)

    async def context(
        self,
        question: str,
        *,
        profile: str,
        site: str | None,
        external_id: str | None,
        budget: int,
        style: Style | None,
        at: int | None = None,
    ) -> Context:
        """The block for a prompt: nothing this conversation was given before, nothing that does not bear on it."""
        given: list[str] = []
        if external_id is not None:
            given = await self._store.read(
                lambda db: injections.given(db, profile=profile, site=site, external_id=external_id)
            )
        hits = await self.search(
            question,
            profile=profile,
            limit=CONTEXT_LIMIT,
            site=site,
            external_id=external_id,
            at=at,
            threshold=self._threshold,
            given=given,
        )
        assembled = await assemble.assemble(
            hits,
            query=question,
            now=self._store.now() if at is None else at,
            budget=budget,
            style=style,
            count=self._count,
        )
        injection_id = new_id()
        ids = [hit.id for hit in assembled.hits]

        def offer(tx: Tx) -> None:
            if log.profile_pk(tx.db, profile) is not None:  # a question does not make a profile
                injections.offer(tx, injection_id, profile=profile, site=site, external_id=external_id, hits=ids)

        # Not awaited: the writer keeps its order, so that the report of an insertion finds the offer there.
        self._store.submit(offer).add_done_callback(_note_failure)
        return Context(
            context=assembled.context,
            prompt=assemble.prompt(assembled.context, question),
            tokens=assembled.tokens,
            hits=assembled.hits,
            injection_id=injection_id,
        )

    async def _vector(self, question: str) -> bytes | None:
        try:
            rows = await asyncio.wait_for(self._models.embed([question], urgent=True), EMBED_SECONDS)
        except ModelError as error:
            logger.warning("recall by words alone: %s", error)
            return None
        except TimeoutError:
            logger.warning("recall by words alone: the embedding took longer than %.0f s", EMBED_SECONDS)
            return None
        return bytes(rows[0].tobytes())

    async def _count(self, texts: Sequence[str]) -> list[int]:
        # The frame and most lines come again from question to question.
        new = [text for text in dict.fromkeys(texts) if text not in self._counted]
        if len(self._counted) + len(new) > COUNTED:
            self._counted.clear()
            new = list(dict.fromkeys(texts))
        try:
            self._counted.update(zip(new, await self._models.count_tokens(new), strict=True))
            return [self._counted[text] for text in texts]
        except ModelError as error:
            # A byte-level tokenizer never makes more tokens than bytes: without it, the budget still holds.
            logger.warning("budget by bytes, not tokens: %s", error)
            return [len(text.encode("utf-8", "surrogatepass")) for text in texts]


def _note_failure(future: Future[None]) -> None:
    if error := future.exception():
        logger.warning("could not note an offered context: %s", error)
