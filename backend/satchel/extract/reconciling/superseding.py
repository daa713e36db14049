"""What a new statement ends, read by a trained model where no slot, name or word says so.

"The user's on the Mediterranean thing now" ends "The user does low carb", and "Keys to the flat in Porto came on
Friday" ends "They live in Halifax": that is a matter of meaning. The embedding model reads the new statement with the
remembered one before it, with an adapter of its own (`models/rivals.gguf`), and a linear layer says whether the old one
is over, said again, or stands beside it. Trained by `scripts/train_rivals.py` on `models/corpus/pairs`; figures in
`models/rivals.md`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from satchel.extract.head import Head
from satchel.extract.reconciling.rivals import Near
from satchel.extract.reconciling.statement import read
from satchel.models import Passage, Reader
from satchel.types import Draft, Memory

CLASSES = ("beside", "over", "same")

THRESHOLD = 0.6
"""The probability from which a memory is taken for over. A memory that is ended wrongly is lost to recall, one that is
not ended wrongly stands beside the truth: neither is worse."""

NEAR, MOST = 0.48, 6
"""The cosine from which a memory is near enough to be asked about, and how many are. The reader knows a turn of events
when it sees one better than what it turns: far from the subject it is wrong more often than right."""

SURE = 0.7
"""The probability from which a tentative draft is believed, most of which are nothing."""


def passage(old: str, new: str) -> Passage:
    """A pair as it is read."""
    return Passage(((new, True),), before=old)


class Superseding:
    """The trained judge. Immutable, safe to share between threads."""

    def __init__(self, head: Head) -> None:
        self.fingerprint = head.fingerprint
        self._head = head

    @classmethod
    def load(cls, path: Path | None = None) -> Superseding:
        """The one shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        return cls(Head.load("rivals", CLASSES, path))

    async def ended(self, draft: Draft, doubted: Sequence[Memory], reader: Reader) -> frozenset[str]:
        """The ids of those of `doubted` that the draft ends. Raises ModelError."""
        if not doubted:
            return frozenset()
        vectors = await reader.read([passage(memory.text, draft.text) for memory in doubted], adapter="rivals")
        over = self._head.probabilities(vectors)[:, CLASSES.index("over")]
        bar = SURE if draft.tentative else self._head.threshold
        return frozenset(memory.id for memory, one in zip(doubted, over, strict=True) if one >= bar)


def doubted(draft: Draft, near: Near) -> list[Memory]:
    """The memories of which it is asked whether the draft ends them: what was said before it, in another message, and
    is near it in meaning. A draft in which no word tells of a change is taken to end nothing. What has happened is not
    undone; what is still to come may be called off."""
    if not may_end(draft):
        return []
    together = {source.message_id for source in draft.sources}
    found = [
        (memory, cosine)
        for memory, cosine in near
        if cosine >= NEAR
        and memory.status in {"active", "resolving", "candidate"}
        and (memory.kind != "event" or (memory.event_time or 0) > draft.valid_from)
        and memory.kind != "implicit_preference"
        and memory.sources
        and not memory.pinned
        and memory.valid_from < draft.valid_from
        and not together & {source.message_id for source in memory.sources}
        and _is_meant(memory, draft)
    ]
    return [memory for memory, _ in sorted(found, key=lambda pair: -pair[1])[:MOST]]


def may_end(draft: Draft) -> bool:
    """Whether anything is asked about at all: of a hint nothing is, nor where no word tells of a change."""
    if draft.kind == "implicit_preference":
        return False
    return read(draft.text).changes or any(read(source.quote).changes for source in draft.sources)


def _is_meant(memory: Memory, draft: Draft) -> bool:
    """Whether the draft can be of whom the memory is about. The reader knows a turn of events and confuses whose it is:
    that the user sold their violin ends nothing for a daughter of whom nothing is said."""
    about = {clause.subject for clause in read(memory.text).clauses}
    if not about or any(one.relation in {"user", "thing"} for one in about):
        return True
    said = " ".join((draft.text, *(source.quote for source in draft.sources))).casefold()
    named = (name for one in about for name in (one.name, one.relation) if name)
    return any(re.search(rf"\b{re.escape(name)}", said) for name in named)
