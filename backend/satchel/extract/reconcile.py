"""A new draft against what is known already: the same again, something newer, a contradiction, or new.

A pure decision: nothing is read or written here, and nothing is ever deleted. What the user wrote by hand,
edited or pinned is never superseded; a contradiction with it is for the user to settle."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TypeAlias

import msgspec

from satchel.extract.choices import Chosen
from satchel.extract.english import listed
from satchel.extract.words import content, denials, plain, same, words
from satchel.types import Draft, Memory, Source, Status

SAME_MEANING = 0.86
"""Cosine from which two statements with the same content words count as one. Words decide; the vector only
keeps apart what happens to share them."""

PROMOTE_AFTER = 3
"""Observations within one conversation that make a hint a preference; one in a second conversation does as
well."""


class New(msgspec.Struct, frozen=True):
    """Store it. `status` is superseded, with `valid_to`, when something newer on the same matter is known."""

    status: Status = "active"
    valid_to: int | None = None


class Observe(msgspec.Struct, frozen=True):
    """The same as `memory_id`: one more observation and its sources; `status` when that changes its
    status."""

    memory_id: str
    status: Status | None = None


class Supersede(msgspec.Struct, frozen=True):
    """Store it as active; `memory_ids` were true until its `valid_from`."""

    memory_ids: tuple[str, ...]


class Resolve(msgspec.Struct, frozen=True):
    """Store it as resolving, and mark `memory_ids` so: they contradict each other, and no date or word
    decides."""

    memory_ids: tuple[str, ...]


class Ignore(msgspec.Struct, frozen=True):
    """Nothing to store."""

    reason: str


Decision: TypeAlias = New | Observe | Supersede | Resolve | Ignore
Near: TypeAlias = Sequence[tuple[Memory, float]]


def decide(draft: Draft, near: Near, *, users_own: Collection[str] = ()) -> Decision:
    """What to do with `draft`, given similar memories of the same profile with their cosine.

    `users_own` are the ids of memories that the user wrote or edited; pinned ones count as such.
    """
    if not draft.sources:
        return Ignore("no words to rest on")
    for memory, _ in near:
        if _is_hint(draft) == _is_hint(memory) and told_by(draft, memory):
            return Ignore("these words are a memory already")
    living = [(memory, cosine) for memory, cosine in near if memory.status in {"active", "resolving", "candidate"}]
    refined = _refined(draft, living, users_own)
    if refined:
        return Supersede(refined)
    if draft.kind == "event":
        return _slot(draft, living, users_own) or New()
    for memory, cosine in living:
        if memory.kind != "event" and _same(draft, memory, cosine):
            return Observe(memory.id, _promoted(draft, memory))
    for memory, cosine in near:
        if memory.status == "archived" and _same(draft, memory, cosine):
            return Ignore("the user put this away")
    return _slot(draft, living, users_own) or _opposite(draft, living, users_own) or New(_first_status(draft))


def _first_status(draft: Draft) -> Status:
    """One hint is a candidate, not a preference, except where the user acted on a choice."""
    return "candidate" if draft.kind == "implicit_preference" and not isinstance(draft, Chosen) else "active"


# ------------------------------------------------------------------------------------------------- the same

_HEDGE = re.compile(r"\s+over\s+.+$")


def told_by(draft: Draft, memory: Memory) -> bool:
    """Whether every source of the draft is one of the memory's, as when a job runs again."""
    return all(any(_same_place(mine, theirs) for theirs in memory.sources) for mine in draft.sources)


def _is_hint(one: Draft | Memory) -> bool:
    return one.kind == "implicit_preference"


def _same_place(one: Source, other: Source) -> bool:
    # The quote as well: a message that was edited keeps its id.
    return (one.message_id, one.start, one.end, one.quote) == (other.message_id, other.start, other.end, other.quote)


def _same(draft: Draft, memory: Memory, cosine: float) -> bool:
    if _plain_statement(draft.text) == _plain_statement(memory.text):
        return True
    if draft.kind == memory.kind == "implicit_preference":
        # "chain hotels like A over B" again, when this time C was offered beside it.
        return _plain_statement(_HEDGE.sub("", draft.text)) == _plain_statement(_HEDGE.sub("", memory.text))
    mine, theirs = slot(draft.text), slot(memory.text)
    if mine and theirs and mine == theirs and _wholly_slot(draft.text) and _wholly_slot(memory.text):
        return True
    return cosine >= SAME_MEANING and _stance(draft.text) == _stance(memory.text)


def _plain_statement(text: str) -> str:
    return " ".join(plain(word).casefold() for word in words(_DATED.sub("", text)))


_DATED = re.compile(r"\s*\[[^\]]*\d{4}[^\]]*\]")


def _promoted(draft: Draft, memory: Memory) -> Status | None:
    if memory.status != "candidate":
        return None
    known = {source.conversation_id for source in memory.sources}
    elsewhere = any(source.conversation_id not in known for source in draft.sources)
    enough = elsewhere or memory.observations + 1 >= PROMOTE_AFTER or isinstance(draft, Chosen)
    return "active" if enough else None


def _refined(draft: Draft, living: Near, users_own: Collection[str]) -> tuple[str, ...]:
    """Memories whose every source lies within a choice's sources: the choice says what they say, and more."""
    if not isinstance(draft, Chosen) or draft.kind != "fact":
        return ()
    return tuple(
        memory.id
        for memory, _ in living
        if memory.kind != "implicit_preference"
        and memory.sources
        and len(memory.sources) < len(draft.sources)
        and not _protected(memory, users_own)
        and all(any(_covers(mine, theirs) for mine in draft.sources) for theirs in memory.sources)
    )


def _covers(mine: Source, theirs: Source) -> bool:
    return mine.message_id == theirs.message_id and mine.start <= theirs.start and theirs.end <= mine.end


def _protected(memory: Memory, users_own: Collection[str]) -> bool:
    return memory.pinned or memory.id in users_own or not memory.sources


# ------------------------------------------------------------------------------------------ changed: slots

_USER = r"^the user(?: and others)?"
_NOW = r"(?: (?:now|currently|still|actually|finally|recently|just))*"
_SLOTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("home", rf"{_USER}{_NOW} (?:lives?|resides?|(?:is|are){_NOW} (?:living|based)) (?:in|at|near) (?P<value>.+)"),
        ("home", rf"{_USER}(?: has| have)?{_NOW} (?:moved|relocated)(?: back)? to (?P<value>.+)"),
        ("job", rf"{_USER}{_NOW} (?:works|is{_NOW} working) as (?:an? |the )?(?P<value>.+)"),
        ("job", r"^the user's job is (?:an? |the )?(?P<value>.+)"),
        ("employer", rf"{_USER}{_NOW} (?:works|is{_NOW} working|is{_NOW} employed) (?:at|for) (?P<value>.+)"),
        ("employer", rf"{_USER}(?: has)?{_NOW} joined (?P<value>(?-i:[A-Z]).+)"),
        ("name", r"^the user's name is (?P<value>.+)"),
        ("name", rf"{_USER} is called (?P<value>.+)"),
        ("age", rf"{_USER}{_NOW} (?:is|turned|has turned){_NOW} (?P<value>\d{{1,3}})(?: years old)?\.?$"),
        ("diet", rf"{_USER}{_NOW} (?:is|went|has gone|became|has been|has become){_NOW} (?:an? )?"
         r"(?P<value>vegan|vegetarian|pescatarian|omnivore|flexitarian|carnivore)\b.*"),
        ("partner", rf"{_USER}{_NOW} (?:is|got){_NOW} (?:married|engaged) to (?P<value>.+)"),
        ("partner", r"^the user's (?:wife|husband|partner|girlfriend|boyfriend|fiancée?)(?:'s name)?"
         r" is (?:called )?(?P<value>(?-i:[A-Z])\w+)\.?$"),
        ("favourite", r"^the user's favou?rite (?P<value>.+)"),
    )
)  # fmt: skip
_VALUE_END = re.compile(
    r"[,;.(\[]|\s+(?:and|but|with|since|because|for|as|now|these|right|at the|until|who|which|where"
    r"|last|next|in (?:19|20)\d\d"
    r"|\d+ (?:years?|months?) ago|yesterday|today)\b",
    re.IGNORECASE,
)


def slot(text: str) -> tuple[str, str] | None:
    """The single-valued slot that a statement fills, and its value: ("home", "porto"); None when it fills
    none."""
    text = plain(_DATED.sub("", text))
    for name, pattern in _SLOTS:
        match = pattern.match(text)
        if match is None:
            continue
        value = match["value"]
        if name == "favourite":
            thing, is_, value = value.partition(" is ")
            if not is_:
                continue
            name = f"favourite {' '.join(content(thing))}"
        end = _VALUE_END.search(value)
        value = " ".join(content(value[: end.start()] if end else value))
        if value:
            return name, value
    return None


def _wholly_slot(text: str) -> bool:
    """Whether a statement says nothing beside its slot, so that another with the same value says the same."""
    found = slot(text)
    if found is None:
        return False
    rest = [word for word in content(_DATED.sub("", text)) if word not in found[1].split()]
    return all(word in _SLOT_WORDS for word in rest)


_SLOT_WORDS = frozenset(same(word) for word in listed(
    "user and others other lives live living resides based works working employed now currently still "
    "actually near job name called years old age is"
))  # fmt: skip


def _slot(draft: Draft, living: Near, users_own: Collection[str]) -> Decision | None:
    """A different value for a slot that holds one: the later statement is the current one."""
    mine = slot(draft.text)
    if mine is None or draft.kind in {"implicit_preference", "instruction"}:
        return None
    rivals = [
        memory
        for memory, _ in living
        if memory.kind != "event"
        and (theirs := slot(memory.text)) is not None
        and theirs[0] == mine[0]
        and not _compatible(theirs[1], mine[1])
    ]
    return _by_time(draft, rivals, users_own)


def _compatible(one: str, other: str) -> bool:
    """ "Porto" and "Porto Portugal", a value and the same more exactly."""
    first, second = set(one.split()), set(other.split())
    return first <= second or second <= first


def _by_time(draft: Draft, rivals: Sequence[Memory], users_own: Collection[str]) -> Decision | None:
    told_together = {source.message_id for source in draft.sources}
    rivals = [memory for memory in rivals if not told_together & {source.message_id for source in memory.sources}]
    if not rivals:
        return None
    if any(_protected(memory, users_own) for memory in rivals):
        return Resolve(tuple(memory.id for memory in rivals))
    later = [memory for memory in rivals if memory.valid_from > draft.valid_from]
    if later:
        return New("superseded", min(memory.valid_from for memory in later))
    if any(memory.valid_from == draft.valid_from for memory in rivals):
        return Resolve(tuple(memory.id for memory in rivals))
    return Supersede(tuple(memory.id for memory in rivals))


# ------------------------------------------------------------------------------------------- contradictions

_LIKES = frozenset(same(word) for word in listed("like love enjoy adore prefer stand bear tolerate fan fond keen"))
_DISLIKES = frozenset(same(word) for word in listed("hate dislike detest loathe despise"))
_ASIDE = frozenset(
    same(word)
    for word in listed("user now longer anymore more any still never no not cannot can't can actually others")
)
_CHANGES = re.compile(
    r"\b(?:no longer|not any ?more|n't \w+(?: \w+)* any ?more|any ?more|now|nowadays|these days|stopped|quit|gave up"
    r"|since then|started|has gone|used to|changed)\b|不再|现在",
    re.IGNORECASE,
)


def _stance(text: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a statement affirms, and of what: "can't stand liver" and "hates liver" deny the same."""
    text = _DATED.sub("", text)
    forms = content(text)
    against = denials(text) + sum(form in _DISLIKES for form in forms)
    return against % 2 == 0, tuple(form for form in forms if form not in _LIKES | _DISLIKES | _ASIDE)


def _opposite(draft: Draft, living: Near, users_own: Collection[str]) -> Decision | None:
    """The same content denied: a word of change lets the later one stand, otherwise the user is asked."""
    affirms, matter = _stance(draft.text)
    if not matter or draft.kind in {"implicit_preference", "event"}:
        return None
    rivals = []
    for memory, _ in living:
        theirs, what = _stance(memory.text)
        turned = what != matter and sorted(what) == sorted(matter) and _compares(draft.text)
        if memory.kind not in {"event", "implicit_preference"} and (turned or (what == matter and theirs != affirms)):
            rivals.append(memory)
    if not rivals:
        return None
    if _CHANGES.search(plain(draft.text)) or _CHANGES.search(" ".join(plain(source.quote) for source in draft.sources)):
        return _by_time(draft, rivals, users_own)
    return Resolve(tuple(memory.id for memory in rivals))


def _compares(text: str) -> bool:
    """Whether order matters: "prefers trains to planes"."""
    return re.search(r"\b(?:than|over|prefers?|rather|instead)\b", text, re.IGNORECASE) is not None
