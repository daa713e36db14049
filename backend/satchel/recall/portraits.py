"""The portrait of a profile, read from the store.

Every memory that holds now has to be sorted to tell how many there are, some microseconds each. So the sections are
remembered, by the memories' places in the store and without a word of them, and only what is new or changed is sorted
again.
"""

from __future__ import annotations

import heapq

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


class _Sorted(msgspec.Struct, frozen=True):
    """The sections as of a change: `of` has those of the memories that no day moves elsewhere; `sections` how many
    there are in each, and the pks of the first. True until the moment `until` (ms)."""

    change: int
    of: dict[int, Section]
    sections: dict[Section, tuple[int, list[int]]]
    until: float


class Portraits:
    """Safe to use from several threads: what two work out at once is the same."""

    def __init__(self) -> None:
        self._sorted: dict[str, _Sorted] = {}

    def of(self, db: apsw.Connection, profile: str, *, now: int) -> list[SectionOf]:
        """The sections that hold anything, in their order: pinned first, then what was said most often, then the
        latest; what happened, the latest first. `now` in ms."""
        change = pictures.last_change(db)
        known = self._sorted.get(profile)
        if known is None or known.change != change or now >= known.until:
            known = self._sorted[profile] = _sort(db, profile, known, change, now)
        found = []
        for name, (total, pks) in known.sections.items():
            loaded = memories.by_pks(db, pks)
            found.append(SectionOf(name, total, shown(loaded[pk] for pk in pks if pk in loaded)))
        return found


def _sort(db: apsw.Connection, profile: str, before: _Sorted | None, change: int, now: int) -> _Sorted:
    changed = set() if before is None else pictures.changed_since(db, before.change)
    known = {} if before is None else before.of
    outlines = pictures.outlines(db, profile, now=now)
    lasting: dict[int, Section] = {}
    unknown: list[int] = []
    for one in outlines:
        if one.pk in known and one.pk not in changed:
            lasting[one.pk] = known[one.pk]
        else:
            unknown.append(one.pk)
    passing: dict[int, Section] = {}
    for said in pictures.wordings(db, unknown):
        section = section_of(said.kind, said.text, tags=said.tags, event_time=said.event_time, now=now)
        (lasting if said.event_time is None else passing)[said.pk] = section
    members: dict[Section, list[Outline]] = {name: [] for name in SECTIONS}
    for one in outlines:
        members[lasting.get(one.pk) or passing[one.pk]].append(one)
    return _Sorted(
        change=change,
        of=lasting,
        sections={
            name: (
                len(those),
                [one.pk for one in heapq.nlargest(LOOKED_AT, those, _by_day if name == "happened" else _by_weight)],
            )
            for name, those in members.items()
            if those
        },
        until=pictures.next_turn(outlines, now),
    )


def _by_weight(one: Outline) -> tuple[int, int, int, int]:
    return one.pinned, one.observations, one.updated_at, one.pk


def _by_day(one: Outline) -> tuple[int, int, int]:
    return one.pinned, one.time, one.pk
