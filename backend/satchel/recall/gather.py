"""What a question may be answered with: the four recallers (words and meaning, memories and turns) asked in one go."""

from __future__ import annotations

import apsw
import msgspec

from satchel.recall import query, speakers, surroundings
from satchel.recall.speakers import Speaker
from satchel.store import candidates, log, search
from satchel.store.search import Eligible, Filter, Found
from satchel.store.vectors import Meaning
from satchel.types import Candidate

ALWAYS = 20
"""Standing instructions and pinned memories that are looked at for every question."""


class Words(msgspec.Struct, frozen=True):
    """What the question's words alone tell: BM25 by pk, and whose turns it asks for. Looked for while the question is
    embedded, which takes longer."""

    memories: dict[int, float]
    turns: dict[int, float]
    speaker: Speaker | None = None


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
            search.by_words(db, terms, turns, limit=max(surroundings.WORDS, self.most)) if turns else {},
            speakers.asked_for(db, turns.profile, self.question) if turns and self.only.ids is None else None,
        )

    def gather(self, db: apsw.Connection, near: search.Near, words: Words, meaning: Meaning | None) -> list[Candidate]:
        """What words found, what meaning finds, and what is always offered; with chosen ids, all of those. Without a
        vector, words alone."""
        memories, turns = self._eligible(db)
        found: list[Candidate] = []
        if memories:
            close = self._near(db, near, meaning, memories)
            if self.only.ids is None:
                for pk in search.always_offered(db, memories, limit=ALWAYS):
                    close.setdefault(pk, None)
            found += candidates.load_memories(db, Found(words.memories, close))
        if turns:
            close = self._near(db, near, meaning, turns)
            if self.only.ids is None:
                best, around = surroundings.look(db, near, words.turns, close, meaning, turns, self.most, words.speaker)
                found += candidates.load_turns(db, best, around)
            else:
                found += candidates.load_turns(db, Found(words.turns, close), {})
        return found

    def _near(
        self, db: apsw.Connection, near: search.Near, meaning: Meaning | None, among: Eligible
    ) -> dict[int, float | None]:
        found: dict[int, float | None] = {}
        if meaning:
            found.update(search.by_meaning(db, near, meaning, among, limit=self.most))
        if self.only.ids is not None:
            for pk in search.all_of(db, among):
                found.setdefault(pk, None)
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
