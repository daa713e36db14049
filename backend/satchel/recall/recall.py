"""From a question to ranked memories and turns, and from those to the context for a prompt."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, NamedTuple, Protocol

import apsw
import msgspec

from satchel.models import Embedder, Generator
from satchel.models.registry import ModelRole
from satchel.recall import assemble, query, rank, sensitive
from satchel.recall.bearing import Bearing
from satchel.recall.gather import Asked, Words
from satchel.special.judge import Judge
from satchel.store import Store, Tx, injections, log, search, vector_sets, vectors
from satchel.store.clock import new_id
from satchel.store.neighbours import Neighbours
from satchel.store.search import Filter
from satchel.store.store import CELLS_FOLDER
from satchel.store.vectors import Meaning
from satchel.types import Candidate, ModelError, Style

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GATHERED = 40
"""Candidates that each of the four recallers brings for every list it is asked for, or the limit if that is more: the
ranker reads them all, so that their number is most of the time recall takes."""

CONTEXT_LIMIT = 40
"""Hits a context may hold at the most, however large its budget."""

EMBED_SECONDS = 15.0
"""How long a question waits for its vector (the model may have to be loaded first) before words alone must do."""

COUNTED = 2_000
"""Texts whose number of tokens is kept in memory."""

ROUNDS = 4
"""How often recall looks again behind what it had to leave out for touching a special category."""

BELOW = 10
"""Hits that are told of a context that did not pass the threshold."""

PIECES = 120
"""Sentences embedded for one question to clear its hits, best first; the hits beyond are left out."""

logger = logging.getLogger("satchel.recall")


class Models(Embedder, Generator, Protocol):
    """What recall asks of the models: vectors of questions, token counts, and whose vectors they are."""

    def model_id(self, role: ModelRole) -> str: ...

    async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]: ...


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """`context` is the block ("" for nothing), `prompt` the block with the question after it. `threshold` is what a hit
    had to reach, None where all were chosen; `below`, where it was asked for, are the best that did not."""

    context: str
    prompt: str
    tokens: int
    hits: list[Candidate]
    injection_id: str
    threshold: float | None
    below: list[Candidate]


class _Round(NamedTuple):
    """What one look found: the ids that are plainly special, the best of the rest, the stored vectors."""

    special: set[str]
    hits: list[Candidate]
    stored: dict[str, bytes]


class Recall:
    """`threshold` None: the ranker's own bar for what goes into a context."""

    def __init__(self, store: Store, models: Models, *, threshold: float | None = None) -> None:
        self._store = store
        self._models = models
        self._counted: dict[str, int] = {}
        self._threshold = rank.CONTEXT_THRESHOLD if threshold is None else threshold
        self._judge: Judge | None = None
        self._bearing: Bearing | None = None
        self._near = Neighbours(store.path.parent / CELLS_FOLDER, store.read_now)

    def close(self) -> None:
        """Keeps what was worked out of the vectors."""
        self._near.close()

    def forget(self) -> None:
        """Lets go of what is held in memory of anything that is not in the store any more."""
        self._counted = {}
        self._store.read_now(self._near.follow)

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
        special: bool = True,
        below: list[Candidate] | None = None,
    ) -> list[Candidate]:
        """The best `limit` memories and turns, best first, each marked with the special categories it seems to touch.

        `external_id`, with its `site`, is the conversation that asks: its own turns are no answer. `at` (ms) asks as
        of a moment. Without a usable embedding model, words alone decide. With `only.ids` all of those are hits,
        whatever the question. Without `special`, only what surely touches no special category is a hit. `below` is
        filled with the best that did not reach the threshold, as harmless as the hits.
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
        if asked.only.ids == ():
            return []
        words, meaning, judge = await asyncio.gather(
            self._store.read(asked.by_words), self._meaning(question), asyncio.to_thread(self._ready_judge)
        )
        bearing = await self._bears(question, meaning) if threshold is not None else 0.0

        def ranked(found: list[Candidate]) -> list[Candidate]:
            hits = rank.rank(
                found,
                query=question,
                now=self._store.now(),
                limit=limit,
                threshold=threshold,
                at=at,
                repeats=asked.only.ids is not None,
                bearing=bearing,
                below=below,
            )
            if below is not None:
                del below[BELOW:]
            return hits

        def find(db: apsw.Connection) -> list[Candidate]:
            # Ranked on the reader's thread as well: reading many texts would hold up the event loop.
            hits = ranked(asked.gather(db, self._near, words, meaning))
            told = [*hits, *(below or ())]
            sensitive.mark(told, judge, _stored(db, told, judge))
            return hits

        if special:
            return await self._store.read(find)
        return await self._harmless(asked, words, meaning, judge, ranked, below)

    async def _harmless(
        self,
        asked: Asked,
        words: Words,
        meaning: Meaning | None,
        judge: Judge | None,
        ranked: Callable[[list[Candidate]], list[Candidate]],
        below: list[Candidate] | None,
    ) -> list[Candidate]:
        """The best hits that are judged to touch no special category.

        What is left out must not take the places of what stands behind it: where it took many, the recallers are asked
        again without it.
        """
        if judge is None:
            return []
        kept: list[Candidate] = []
        for _ in range(ROUNDS):

            def find(db: apsw.Connection, asked: Asked = asked, words: Words = words) -> _Round:
                found = asked.gather(db, self._near, words, meaning)
                stored = _stored(db, found, judge)
                passed = sensitive.not_plainly_special(found, judge, stored)
                special = {hit.id for hit in found} - {hit.id for hit in passed}
                return _Round(special, ranked(passed), stored)

            found = await self._store.read(find)
            vector_of = await self._vectors_of_pieces(found.hits, judge, found.stored)
            kept, refused = await asyncio.to_thread(sensitive.cleared, found.hits, judge, vector_of.get)
            special = found.special | {hit.id for hit in refused}
            if 2 * len(special) < asked.most or asked.only.ids is not None:
                break
            asked = msgspec.structs.replace(asked, given=(*asked.given, *special))
            words = await self._store.read(asked.by_words)
        if below:
            vector_of = await self._vectors_of_pieces(below, judge, found.stored)
            below[:], _ = await asyncio.to_thread(sensitive.cleared, list(below), judge, vector_of.get)
        return kept

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
        kinds: Sequence[str] | None = None,
        only: Filter | None = None,
        special: bool = True,
        threshold: float | None = None,
        explain: bool = False,
    ) -> Context:
        """The block for a prompt: nothing this conversation was given before, nothing that does not bear on it.

        What `only.ids` names was chosen by somebody who saw it: it bears on the question, and only the budget can keep
        it out. The rest narrows as in `search`. `threshold` stands in for the configured one. With `explain`, what came
        near and did not pass is told too.
        """
        counted = self._counted  # taken before anything is read: what is forgotten from here on is kept nowhere
        given: list[str] = []
        if external_id is not None:
            given = await self._store.read(
                lambda db: injections.given(db, profile=profile, site=site, external_id=external_id)
            )
        used = None
        if only is None or only.ids is None:
            used = self._threshold if threshold is None else threshold
        below: list[Candidate] = []
        hits = await self.search(
            question,
            profile=profile,
            limit=CONTEXT_LIMIT if only is None or only.ids is None else max(len(only.ids), 1),
            kinds=kinds,
            only=only,
            site=site,
            external_id=external_id,
            at=at,
            threshold=used,
            given=given,
            special=special,
            below=below if explain else None,
        )
        assembled = await assemble.assemble(
            hits,
            query=question,
            now=self._store.now() if at is None else at,
            budget=budget,
            style=style,
            count=lambda texts: self._count(texts, counted),
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
            threshold=used,
            below=below,
        )

    async def _meaning(self, question: str) -> Meaning | None:
        try:
            return await asyncio.wait_for(self._embedded(question), EMBED_SECONDS)
        except ModelError as error:
            logger.warning("recall by words alone: %s", error)
            return None
        except TimeoutError:
            logger.warning("recall by words alone: the embedding took longer than %.0f s", EMBED_SECONDS)
            return None

    async def _embedded(self, question: str) -> Meaning:
        """The question as the model reads it whose vectors answer: while everything is embedded anew, the former one.
        Where that is gone, as the one in use reads it, which finds what it has embedded so far. Raises ModelError."""
        answering = await self._store.read(vector_sets.answering)
        if answering is not None:
            try:
                rows = await self._models.embed_with(answering.model, [question], urgent=True)
                return Meaning(answering.model, rows[0].tobytes())
            except ModelError as error:
                logger.debug("the stored vectors' model cannot be asked: %s", error)
        rows = await self._models.embed([question], urgent=True)
        model = await asyncio.to_thread(self._models.model_id, "embed")  # a large file may have to be hashed
        return Meaning(model, rows[0].tobytes())

    async def _vectors_of_pieces(
        self, hits: Sequence[Candidate], judge: Judge, stored: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """Vectors of the sentences that `hits` are cleared by; without a usable embedding model, the stored ones."""
        vector_of = {hit.text: stored[hit.id] for hit in hits if hit.id in stored}
        wanted = dict.fromkeys(piece for hit in hits for piece in sensitive.pieces(hit) or () if piece not in vector_of)
        missing = list(wanted)[:PIECES]
        if not missing:
            return vector_of
        try:
            if await asyncio.to_thread(self._models.model_id, "embed") != judge.embedder_hash:
                return vector_of
            rows = await asyncio.wait_for(self._models.embed(missing, urgent=True), EMBED_SECONDS)
        except (ModelError, TimeoutError) as error:
            logger.warning("what has no vector yet is left out: %s", error)
            return vector_of
        return vector_of | {piece: bytes(row.tobytes()) for piece, row in zip(missing, rows, strict=True)}

    async def _bears(self, question: str, meaning: Meaning | None) -> float:
        """The log-odds that the question bears on the asker's life; 0 where nobody can say."""
        if meaning is None or query.is_foreign(question):
            return 0.0
        try:
            if self._bearing is None:
                self._bearing = await asyncio.to_thread(Bearing.load)
        except ModelError as error:
            logger.warning("every question counts alike: %s", error)
            return 0.0
        return self._bearing.log_odds(meaning.vector) if meaning.model == self._bearing.embedder_hash else 0.0

    def _ready_judge(self) -> Judge | None:
        if self._judge is None:
            try:
                self._judge = Judge.load()
            except ModelError as error:
                logger.warning("special categories by words alone: %s", error)
        return self._judge

    async def _count(self, texts: Sequence[str], counted: dict[str, int]) -> list[int]:
        """`counted` remembers from question to question, until it is full or something is forgotten: a new one takes
        its place then, and who still holds the former loses nothing of it."""
        # The frame and most lines come again.
        new = [text for text in dict.fromkeys(texts) if text not in counted]
        try:
            found = dict(zip(new, await self._models.count_tokens(new), strict=True))
        except ModelError as error:
            # A byte-level tokenizer never makes more tokens than bytes: without it, the budget still holds.
            logger.warning("budget by bytes, not tokens: %s", error)
            return [len(text.encode("utf-8", "surrogatepass")) for text in texts]
        counted.update(found)
        if len(counted) > COUNTED and counted is self._counted:
            self._counted = {}
        return [counted[text] for text in texts]


def _stored(db: apsw.Connection, hits: Sequence[Candidate], judge: Judge | None) -> dict[str, bytes]:
    """The vectors at hand that the judge can read, by hit id."""
    if judge is None:
        return {}
    return {
        **vectors.stored(db, "memory", [hit.id for hit in hits if hit.type == "memory"], model=judge.embedder_hash),
        **vectors.stored(db, "turn", [hit.id for hit in hits if hit.type == "turn"], model=judge.embedder_hash),
    }


def _note_failure(future: Future[None]) -> None:
    if error := future.exception():
        logger.warning("could not note an offered context: %s", error)
