"""The portrait of a profile, read from the store.

Every memory that holds now has to be sorted to tell how many there are, some microseconds each: the sections are
remembered, by place and clock, and no words with them, so that only what is new is sorted again.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import apsw
import msgspec

from satchel.recall.portrait import SECTIONS, SHOWN, Section, section_of, shown
from satchel.store import memories, pictures
from satchel.store.pictures import Outline
from satchel.types import Memory

LOOKED_AT = 4 * SHOWN
"""Memories of a section from which those to be shown are taken: many may say nearly the same."""


class SectionOf(msgspec.Struct, frozen=True):
    """`total` is how many memories belong to it; `memories` are the first of them."""

    name: Section
    total: int
    memories: list[Memory]


class Portraits:
    """Safe to use from several threads: what two work out at once is the same."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, tuple[str, bool, Section]]] = {}

    def of(self, db: apsw.Connection, profile: str, *, now: int) -> list[SectionOf]:
        """The sections that hold anything, in their order: pinned first, then what was said most often, then the
        latest; what happened, the latest first. `now` in ms."""
        members: dict[Section, list[Outline]] = {name: [] for name in SECTIONS}
        outlines = pictures.outlines(db, profile, now=now)
        for outline, section in zip(outlines, self._sorted(db, profile, outlines, now), strict=True):
            members[section].append(outline)
        found = []
        for name, those in members.items():
            if those:
                first = heapq.nlargest(LOOKED_AT, those, key=_by_day if name == "happened" else _by_weight)
                loaded = memories.by_pks(db, [one.pk for one in first])
                kept = shown(loaded[one.pk] for one in first)
                found.append(SectionOf(name, len(those), kept))
        return found

    def _sorted(self, db: apsw.Connection, profile: str, outlines: Sequence[Outline], now: int) -> list[Section]:
        known = self._known.get(profile, {})
        fresh: dict[int, tuple[str, bool, Section]] = {}
        unknown: dict[int, Outline] = {}
        for one in outlines:
            seen = known.get(one.pk)
            if seen is not None and seen[:2] == (one.clock, one.lies_ahead(now)):
                fresh[one.pk] = seen
            else:
                unknown[one.pk] = one
        for said in pictures.wordings(db, list(unknown)):
            section = section_of(said.kind, said.text, tags=said.tags, event_time=said.event_time, now=now)
            fresh[said.pk] = (unknown[said.pk].clock, unknown[said.pk].lies_ahead(now), section)
        self._known[profile] = fresh
        return [fresh[one.pk][2] for one in outlines]


def _by_weight(one: Outline) -> tuple[int, int, int, int]:
    return one.pinned, one.observations, one.updated_at, one.pk


def _by_day(one: Outline) -> tuple[int, int, int]:
    return one.pinned, one.time, one.pk
