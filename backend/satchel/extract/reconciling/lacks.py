"""What somebody says they have none of, and what ends that: "no pets" is over with "we got a dog"."""

from __future__ import annotations

import functools
import re

from satchel.extract.language.english import listed
from satchel.extract.language.words import same
from satchel.extract.reconciling.statement import Clause, lemma, read

_ANIMALS = "dog puppy cat kitten rabbit parrot budgie hamster tortoise horse pony snake lizard hen goldfish guinea"
_KINDS = {
    "pet": _ANIMALS,
    "animal": _ANIMALS,
    "child": "son daughter baby boy girl twin toddler newborn",
    "vehicle": "car van motorbike scooter bike truck",
    "job": "contract position",
    "partner": "wife husband girlfriend boyfriend fiance fiancee",
    "instrument": "piano guitar violin cello drum flute ukulele",
    "garden": "allotment",
}


def _form(word: str) -> str:
    return lemma(same(word))


_HYPONYMS = {_form(kind): frozenset(map(_form, listed(names))) for kind, names in _KINDS.items()}

_NONE = re.compile(
    r"\b(?:has|have|owns?|keeps?|there (?:is|are)|with) (?:no|zero)(?: such)? (?P<thing>[\w' -]{2,40})"
    r"|\b(?:has|have|does|do) not (?:(?:has|have|own|keep|got) )?"
    r"(?:any|an?|the user's own|a single)"
    r" (?P<thing2>[\w' -]{2,40})",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"^(?:(?:has|have|is|are) )?(?:has|have|got|gets|adopted|rescued|bought|owns?|keeps?|took in|taken in"
    r"|given birth to"
    r"|had|became the owner of|inherited|expects?|expecting)"
    r" (?:(?:an?|another|the|one|two|three|four|five|\d+|the user's|their) (?:first |own |new )*)"
    r"(?P<thing>[\w' -]{2,60})",
    re.IGNORECASE,
)
_OWNED = re.compile(r"the user's (?:(?:new|own|first|little|old) )*(?P<thing>[a-z-]+)\b", re.IGNORECASE)
_ENDS = re.compile(
    r"\b(?:to|for|in|at|on|or|and|but|that|who|which|because|so|yet|with|from|here|any ?more)\b", re.IGNORECASE
)


def _head(thing: str) -> list[str]:
    """The words of a noun phrase before what is said of it, as they are compared."""
    end = _ENDS.search(thing)
    return [_form(word) for word in (thing[: end.start()] if end else thing).casefold().split()]


@functools.lru_cache(maxsize=20_000)
def lacking(text: str) -> tuple[str, ...]:
    """What a memory's sentence says the user has none of, as compared words: ("pet",)."""
    return tuple(form for clause in read(text).clauses if clause.mode == "now" for form in _none_of(clause))


def _none_of(clause: Clause) -> list[str]:
    match = _NONE.search(clause.text)
    head = _head(match["thing"] or match["thing2"]) if match else []
    return head[-1:]


def gained(text: str) -> frozenset[str]:
    """What a new sentence says the user has, as compared words, and the kinds that it is of."""
    found: set[str] = set()
    for clause in read(text).clauses:
        if clause.denied or clause.mode != "now":
            continue
        if match := _SOME.match(clause.predicate):
            found.update(_head(match["thing"]))
        elif match := _OWNED.match(clause.text):
            found.add(_form(match["thing"]))
    return frozenset(found | {kind for kind, names in _HYPONYMS.items() if names & found})


def ends_lack(new: str, known: str) -> bool:
    """Whether `new` says that the user has what `known` says they have none of."""
    return bool(gained(new) & set(lacking(known)))
