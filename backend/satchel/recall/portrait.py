"""What the AIs know about a person, in the sections in which one would read it.

Which section a memory belongs to is told by its kind and its words, not by a model: who reads the page must be able to
see why something stands where it stands. What nothing tells apart is part of everyday life.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, get_args

from satchel.recall.diversity import drop_repeats
from satchel.recall.portrait_words import (
    CHINESE,
    CN_OTHERS,
    CN_PLAN,
    CN_WHO,
    CN_WORK,
    HAS_SOMEBODY,
    HEALTH,
    IS_SOMEBODY,
    MOVED,
    OF_OTHERS,
    OF_WORK,
    OWN_WORK,
    PERHAPS_WORK,
    PLAN,
    WHO,
)
from satchel.recall.topics import topics
from satchel.types import Candidate, Kind, Memory

Section = Literal["you", "people", "work", "life", "preferences", "answers", "plans", "happened"]
SECTIONS: tuple[Section, ...] = get_args(Section)

SHOWN = 12
"""Memories of a section that are shown at the most."""

_PASTIMES = frozenset({"food", "travel", "film", "music", "books", "sport", "home", "pets", "social", "clothes"})
_QUOTED = re.compile(r"the user (?:said|asks|asked): “(?P<quote>.*)”\W*$", re.DOTALL)
_FIRST_PERSON = re.compile(
    r"(?<![\w'])(?:(?P<am>i'm|im|we're)|(?P<have>i've|ive|we've)|(?P<subject>i|me|we|us)|(?P<my>my|our|their))(?![\w'])"
)
_IN_PASSING = re.compile(
    r"\b(?:now|nowadays|currently|presently|still|actually|just|recently|finally|really|already|originally|basically"
    r"|honestly|officially|also|both|always|usually|mainly|mostly|probably|lately) "
)


def section_of(kind: Kind, text: str, *, tags: Sequence[str] = (), event_time: int | None = None, now: int) -> Section:
    """The section of a memory that says `text`. `event_time` and `now` in ms: what lies ahead is a plan, what lies
    behind is none any more. `tags` only tell what the words alone leave open."""
    if kind in ("explicit_preference", "implicit_preference"):
        return "preferences"
    if kind == "instruction":
        return "answers"
    if event_time is not None and event_time > now:
        return "plans"
    if kind == "event":
        return "plans" if event_time is None and _plans(text) else "happened"
    return _of_fact(text, tags, over=event_time is not None)


def _plans(text: str) -> bool:
    return bool(CN_PLAN.search(text) if CHINESE.search(text) else PLAN.match(_plainly(text)))


def _of_fact(text: str, tags: Sequence[str], *, over: bool) -> Section:
    """`over`: what was planned has its day behind it."""
    if CHINESE.search(text):
        if CN_OTHERS.search(text):
            return "people"
        if not over and CN_PLAN.search(text):
            return "plans"
        return "you" if CN_WHO.search(text) else "work" if CN_WORK.search(text) else "life"
    plain = _plainly(text)
    if OF_OTHERS.match(plain):
        return "people"
    if not over and PLAN.match(plain):
        return "plans"
    if IS_SOMEBODY.match(plain) or WHO.search(plain) or HEALTH.search(plain) or MOVED.search(text):
        return "you"
    if HAS_SOMEBODY.search(plain):
        return "people"
    if OF_WORK.match(plain) or OWN_WORK.search(plain):
        return "work"
    said = f"{plain} {' '.join(tags)}"
    return "work" if PERHAPS_WORK.search(said) and not topics(said) & _PASTIMES else "life"


def _plainly(text: str) -> str:
    """A statement as the wordings expect it: in lower case, about "the user", without quotation marks and adverbs."""
    lower = text.lower().replace("’", "'").strip()
    quoted = _QUOTED.match(lower)
    if quoted is not None:
        lower = quoted["quote"].strip()
    lower = _IN_PASSING.sub("", lower)
    if quoted is not None or not lower.startswith("the user"):
        lower = _FIRST_PERSON.sub(_third, lower)
        if quoted is not None and not lower.startswith("the user"):
            lower = f"the user {lower}"
    else:
        lower = _FIRST_PERSON.sub(lambda found: "the user's" if found["my"] == "their" else found[0], lower)
    return lower.rstrip(" .!;,")


def _third(found: re.Match[str]) -> str:
    if found["am"]:
        return "the user is"
    if found["have"]:
        return "the user has"
    return "the user's" if found["my"] else "the user"


def shown(memories: Iterable[Memory]) -> list[Memory]:
    """Those of a section's memories that a portrait shows: the first `SHOWN` that do not say nearly the same."""
    ordered = {memory.id: memory for memory in memories}
    return [ordered[kept.id] for kept in drop_repeats(map(_candidate, ordered.values()), lambda _: 0.0, SHOWN)]


def within(
    sections: Mapping[Section, Sequence[Memory]], size_of: Callable[[Memory], int], room: int
) -> dict[Section, list[Memory]]:
    """What of all sections fits into `room`, in the units of `size_of`: the first of each section, then the second of
    each, so that one section's long memories leave room for the others'. One that takes a twelfth of the room by
    itself is left to the list of memories."""
    kept: dict[Section, list[Memory]] = {section: [] for section in sections}
    longest = room // 12
    for rank in range(SHOWN):
        for section, memories in sections.items():
            if rank < len(memories):
                size = size_of(memories[rank])
                if size <= min(room, longest):
                    room -= size
                    kept[section].append(memories[rank])
    return kept


def _candidate(memory: Memory) -> Candidate:
    return Candidate(
        type="memory",
        id=memory.id,
        kind=memory.kind,
        text=memory.text,
        said_by=memory.said_by,
        conversation_id=None,
        site=None,
        sources=(),
        time=memory.valid_from if memory.event_time is None else memory.event_time,
        status=memory.status,
        valid_from=memory.valid_from,
        valid_to=memory.valid_to,
    )
