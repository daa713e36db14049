"""Which drafts become no memory: those of masked words, and those of special categories that the settings keep out.

It is asked before a draft is compared with anything, by whoever reads turns. The turns stay in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from satchel.capture.redact import holds_mask
from satchel.models import Embedder
from satchel.models.registry import ModelRole
from satchel.special.judge import Judge
from satchel.special.language import is_english
from satchel.special.lexicon import by_words
from satchel.types import Category, Draft, ModelError

logger = logging.getLogger("satchel.extraction")


class Models(Embedder, Protocol):
    """What is asked of the models: vectors, and whose they are."""

    def model_id(self, role: ModelRole) -> str: ...


class KeepOut:
    """`categories` are those that no memory is made of; `kept_out` counts what was left out since the start."""

    def __init__(self, categories: Iterable[Category] = ()) -> None:
        self.categories = frozenset(categories)
        self.kept_out = 0
        self._judge: Judge | None = None
        self._warned = False

    async def sift(self, drafts: Sequence[Draft], models: Models) -> list[Draft]:
        """`drafts` without those to be kept out, in their order. Raises ModelError when the embedder fails.

        A statement is kept out when a word of such a category stands in it, in its reasoning or in its quotes, or when
        the judge finds one of these doubtful: nobody looks over what is remembered. The judge reads English by the
        default embedding model; elsewhere words alone decide, for it would doubt everything.
        """
        told = [draft for draft in drafts if not any(holds_mask(text) for text in _texts(draft))]
        if not self.categories or not told:
            return told
        texts = dict.fromkeys(text for draft in told for text in _texts(draft))
        out = {text for text in texts if by_words(text) & self.categories}
        unsure = [text for text in texts if text not in out and is_english(text)]
        judge = await self._ready_judge(models) if unsure else None
        if judge is not None:
            doubts = judge.doubtful(await models.embed(unsure), self.categories)
            out.update(text for text, doubt in zip(unsure, doubts, strict=True) if doubt)
        kept = [draft for draft in told if out.isdisjoint(_texts(draft))]
        if number := sum(not draft.tentative for draft in told) - sum(not draft.tentative for draft in kept):
            self.kept_out += number
            logger.info("%d kept out of the memories: the settings keep out what they may touch", number)
        return kept

    async def _ready_judge(self, models: Models) -> Judge | None:
        """None where nobody can judge by meaning; that is said once."""
        try:
            if self._judge is None:
                self._judge = await asyncio.to_thread(Judge.load)
            # In a thread: a large model's file may have to be hashed.
            if await asyncio.to_thread(models.model_id, "embed") == self._judge.embedder_hash:
                return self._judge
            why = "they can only be judged with the embedding model all-MiniLM-L6-v2"
        except ModelError as error:
            why = str(error)
        if not self._warned:
            logger.warning("special categories are kept out by words alone: %s", why)
            self._warned = True
        return None


def _texts(draft: Draft) -> tuple[str, ...]:
    """A draft's statement and whatever else of the user's is stored with it."""
    reasoning = (draft.reasoning,) if draft.reasoning else ()
    return (draft.text, *reasoning, *(source.quote for source in draft.sources))
