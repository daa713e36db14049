"""Single-valued slots: what somebody has one of at a time, so that another value says that it changed.

A slot is an attribute of a subject: the user's home, the sister's home, the day of the exam. The list of patterns
knows the common ones in many wordings; "the user's X is V" makes one of any X."""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from satchel.extract.reconciling.slot_patterns import (
    AT,
    BRANDS,
    FAVOURITE,
    MAIN,
    MONTH,
    ONE,
    OWNED,
    OWNED_LIGHT,
    PARTNER_NAME,
    PATTERNS,
    SHORT,
    TEXT,
    TEXT_OF_OTHERS,
    TOOLS,
    VALUE_END,
    VALUE_LIGHT,
    WEEKDAY,
    WHEN,
    WHEN_DOES,
    WHEN_IS,
    WHEN_LIGHT,
    WHEN_MOVED,
    WHEN_SAID_IN_PASSING,
)
from satchel.extract.reconciling.statement import USER, Clause, Mode, Subject, lemmas, read, relation

Type = Literal["name", "day", "date", "time", "number", "word"]


class Slot(msgspec.Struct, frozen=True):
    """`value` is in compared forms. `denied`: the value does not hold; `over`: it did before. `weak`: one may have
    several of these at once (programs, cars), so that without a word of change another value is no contradiction.
    `passing`: it is said in passing ("as a vegetarian, I ..."), the clause being about something else.
    `rest` are the content words that the clause says beside it."""

    subject: Subject
    attribute: str
    value: tuple[str, ...]
    type: Type = "word"
    mode: Mode = "now"
    denied: bool = False
    over: bool = False
    weak: bool = False
    passing: bool = False
    rest: tuple[str, ...] = ()

    def same_matter(self, other: Slot) -> bool:
        """Whether both are about the same attribute of the same subject."""
        if not self.subject.may_be(other.subject):
            return False
        if self.attribute == other.attribute and not self.attribute.startswith("when "):
            return not self.attribute.startswith("the ") or self.type == other.type
        if not (self.attribute.startswith("when ") and other.attribute.startswith("when ")):
            return False
        mine, theirs = set(self.attribute.split()), set(other.attribute.split())
        return (mine <= theirs or theirs <= mine) and _kin(self.type, other.type)

    def agrees(self, other: Slot) -> bool:
        """ "Porto" and "Porto, Portugal": one value is the other, said more exactly."""
        mine, theirs = set(self.value), set(other.value)
        return mine <= theirs or theirs <= mine


def _kin(one: Type, other: Type) -> bool:
    days = {"day", "date"}
    return one == other or (one in days and other in days)


@functools.lru_cache(maxsize=20_000)
def slots(text: str) -> tuple[Slot, ...]:
    """The single-valued slots that a memory's sentence fills or empties; at most one of each."""
    found: dict[tuple[Subject, str], Slot] = {}
    for clause in read(text).clauses:
        for slot in _of_clause(clause):
            found.setdefault((slot.subject, slot.attribute), slot)
    return tuple(found.values())


def _of_clause(clause: Clause) -> list[Slot]:
    found: list[Slot] = []
    text = re.sub(r"\b(?:now|currently|still|actually|just|recently|finally|already|officially)\b ?", "", clause.text)

    def fill(attribute: str, value: str, spoken: str, *, subject: Subject = clause.subject, weak: bool = False,
             type_: Type | None = None, passing: bool = False) -> None:  # fmt: skip
        if attribute not in {"when"} and not attribute.startswith("when "):
            end = VALUE_END.search(value)
            cut = value[: end.start()] if end else value
        else:
            cut = value
        if attribute == "job":
            cut = AT.sub("", cut)
        forms = tuple(
            form for form in lemmas(cut) if form not in VALUE_LIGHT or (attribute == "home" and form == "user")
        )
        if attribute == "grade":
            forms = tuple(form for form in forms if form not in {"grad", "year", "class", "form"})
        if attribute == "diet":
            forms = _diet(forms)
        if attribute == "length of answers":
            forms = ("short",) if cut.casefold() in SHORT else ("long",)
        if not forms:
            return
        said = set(lemmas(spoken))
        spoken_of = clause.predicate if person else clause.text
        rest = tuple(form for form in lemmas(spoken_of) if form not in said and form not in _SAID_ANYWAY)
        tail = value[len(cut) :]
        rest += tuple(form for form in lemmas(tail) if form not in _SAID_ANYWAY)
        found.append(
            Slot(
                subject=subject, attribute=attribute, value=forms, type=type_ or type_of(cut), mode=clause.mode,
                denied=clause.denied, over=clause.over, weak=weak, passing=passing, rest=tuple(dict.fromkeys(rest)),
            )
        )  # fmt: skip

    person = clause.subject.relation != "thing"
    if clause.mode == "plan":
        bare = _PLANNED.sub("", clause.predicate)
        planned = _PLAN_FORMS.get(bare.split(" ", 1)[0])
        variants = [
            clause.predicate,
            bare,
            *([f"{planned} {bare.split(' ', 1)[1]}"] if planned and " " in bare else []),
        ]
    else:
        bare = _PERFECT.sub("", clause.predicate)
        variants = [clause.predicate] if bare == clause.predicate else [clause.predicate, bare]
    if person:
        for predicate in variants:
            if match := MAIN.match(predicate):
                fill(_thing(match["thing"]), match["value"], match[0])
            for name, pattern, weak in (*PATTERNS, *TOOLS):
                if (match := pattern.match(predicate)) and not any(slot.attribute == name for slot in found):
                    if name == "employer" and clause.denied and not clause.over:
                        continue
                    fill(name, match["value"], match[0], weak=weak)
        if clause.subject.relation == "partner" and (match := PARTNER_NAME.match(clause.predicate)):
            fill("partner", match["value"], match[0], subject=USER)
        elif clause.subject.relation == "partner" and clause.subject.name:
            fill("partner", clause.subject.name, clause.subject.name, subject=USER)
        elif clause.subject.relation not in {"user", ""} and (match := PARTNER_NAME.match(clause.predicate)):
            fill("name", match["value"], match[0], weak=clause.subject.relation not in ONE)
    for name, pattern_, whose in (*((*row, USER) for row in TEXT), *((*row, clause.subject) for row in TEXT_OF_OTHERS)):
        if (match := pattern_.search(text)) and not any(slot.attribute == name for slot in found):
            outright = pattern_.pattern.startswith("^the") or name in BRANDS
            fill(name, match["value"], match[0], subject=whose, passing=not outright)
    if match := FAVOURITE.match(text):
        thing = match["thing"] or match["thing2"]
        fill(f"favourite {' '.join(lemmas(thing))}", match["value"] or match["value2"], match[0], subject=USER)
    elif not found:
        _routine(clause, text, fill)
    if not found and clause.subject.relation == "thing" and (match := OWNED.match(text)):
        thing = [word for word in match["thing"].split() if word.casefold() not in OWNED_LIGHT]
        genitive = re.match(r"(\w+)'s name$", " ".join(thing))
        if genitive and relation(genitive[1]) == "partner":
            fill("partner", match["value"], match[0], subject=USER)
        elif genitive:
            fill("name", match["value"], match[0], subject=Subject(relation(genitive[1])))
        elif thing:
            attribute = _thing(" ".join(thing))
            if attribute in BRANDS and type_of(match["value"]) != "name":
                attribute = f"the {attribute}"  # its colour or age, not which one it is
            fill(attribute, match["value"], match[0], subject=USER)
    return found


_PERFECT = re.compile(
    r"^(?:has|have) (?=(?:\w{2,}ed|got|become|gone|been|begun|left|bought|sold|quit|given|taken|found|made|changed)\b)",
    re.IGNORECASE,
)
_PLANNED = re.compile(
    r"^(?:(?:is|are|was|has been|been)\s+)?(?:[a-z]+ly )?(?:(?:thinking (?:of|about)|considering|planning (?:to|on)"
    r"|plans? (?:to|on)"
    r"|hoping to|hopes? to|wants? to|would (?:like|love) to|might|may|could|going to|will|dreams? of|intends? to"
    r"|aims? to"
    r"|looking to|about to|tempted to|trying to|debating|wondering about|decided to|has decided to) )?(?:is )?",
    re.IGNORECASE,
)
_PLAN_FORMS = {
    "moving": "moved", "move": "moved", "relocating": "moved", "relocate": "moved", "going": "went", "go": "went",
    "becoming": "became", "become": "became", "switching": "switched", "switch": "switched", "joining": "joined",
    "join": "joined", "living": "lives", "live": "lives",
    "buying": "bought", "buy": "bought", "getting": "got", "get": "got",
    "starting": "started", "start": "started", "working": "works", "work": "works",
    "turning": "turned", "turn": "turned",
}  # fmt: skip
_SAID_ANYWAY = frozenset(
    lemmas(
        "user others other now currently actually name called years year old age live job work as here for since"
        " long time"
        " ago really month week day is been ever born life this next last where well no longer stopped used any anymore"
        " again going gone still recently january february march april may june july august september october november"
        " december spring summer autumn winter might thinking half while yesterday new"
    )
)


_KNOWN = {
    " ".join(lemmas(name)): attribute
    for names, attribute in (
        ("phone", "phone"), ("laptop", "laptop"), ("car", "car"), ("editor", "editor"), ("code editor", "editor"),
        ("text editor", "editor"), ("browser", "browser"), ("operating system", "os"), ("os", "os"),
        ("programming language", "programming language"), ("language", "programming language"),
    )
    for name in (names,)
}  # fmt: skip


def _thing(name: str) -> str:
    forms = [form for form in lemmas(name) if form not in OWNED_LIGHT]
    joined = " ".join(forms)
    return _KNOWN.get(joined, f"the {joined}")


def _routine(clause: Clause, text: str, fill: object) -> None:
    """The day or hour of something: "swims on Tuesdays", "the exam is on 3 May", "moved swimming to Thursdays"."""
    assert callable(fill)
    subject = USER if clause.subject.relation == "thing" else clause.subject
    moved = WHEN_MOVED.match(clause.predicate)
    fixed = WHEN_IS.match(text) if moved is None and clause.subject.relation == "thing" else None
    does = None
    if moved is None and fixed is None and clause.mode != "past":
        does = (
            WHEN_DOES.match(clause.predicate)
            if clause.subject.relation != "thing" or _ACTIVITY.match(text)
            else WHEN_SAID_IN_PASSING.search(text)
        )
    match = moved or fixed or does
    if match is None:
        return
    thing = _WAKES.sub("wake ", match["thing"])
    forms = sorted({form for form in lemmas(thing) if form not in WHEN_LIGHT and not form.isdigit()})
    value = _first_when(match["value"])
    if not forms and does is not None:
        return
    if forms:
        # What is done once on a date is another thing each time; what has a weekday is a routine.
        kind = type_of(value)
        weak = does is not None and not moved and forms != ["wak"]
        fill(f"when {' '.join(forms)}", value, match[0], subject=subject, weak=weak, type_=kind)


_ACTIVITY = re.compile(r"[a-z]{2,}ing\b(?! (?:is|was|has)\b)", re.IGNORECASE)
_WAKES = re.compile(r"\b(?:wakes?|gets?) up ", re.IGNORECASE)


def _first_when(value: str) -> str:
    match = re.match(WHEN, value, re.IGNORECASE)
    return match[0] if match else value


def _diet(forms: tuple[str, ...]) -> tuple[str, ...]:
    joined = " ".join(forms)
    if joined in {"everyth", "meat", "everything", "meat-eater", "meat eater", "carnivor", "omnivorou", "omnivor"}:
        return ("omnivor",)
    return {"pescetarian": ("pescatarian",), "plant-bas": ("vegan",)}.get(joined, forms[:1])


_DAY = re.compile(rf"\b{WEEKDAY}\b", re.IGNORECASE)
_DATE = re.compile(rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? {MONTH}\b|\b{MONTH}(?: the)? \d{{1,2}}"
                   rf"|\b\d{{4}}-\d\d-\d\d\b"
                   rf"|^(?:the )?\d{{1,2}}(?:st|nd|rd|th)$|^{MONTH}$", re.IGNORECASE)  # fmt: skip
_TIME = re.compile(r"^\d{1,2}(?:[:.]\d\d)? ?(?:[ap]m|o'clock)?$|^(?:noon|midnight)$|\b\d{1,2}(?:[:.]\d\d)? ?[ap]m\b"
                   r"|\b\d{1,2}:\d\d\b",
                   re.IGNORECASE)  # fmt: skip


def type_of(value: str) -> Type:
    """What sort of thing a value is: two of different sorts do not contradict each other."""
    value = value.strip()
    if _DAY.search(value):
        return "day"
    if _DATE.search(value):
        return "date"
    if _TIME.search(value) and not re.fullmatch(r"\d{1,3}", value):
        return "time"
    if re.match(r"(?:(?:an?|the) )?[A-Z]", value):
        return "name"
    if re.search(r"\d", value):
        return "number"
    return "word"


def slot(text: str) -> tuple[str, str] | None:
    """The first slot of the user's that a statement fills now, and its value: ("home", "porto")."""
    for found in slots(text):
        if found.subject == USER and found.mode == "now" and not found.denied:
            return found.attribute, " ".join(found.value)
    return None


def wholly(text: str) -> bool:
    """Whether a statement says nothing beside its slots, so that another with the same values says the same."""
    found = slots(text)
    if not found or (
        len(read(text).clauses) != len({(one.mode, one.rest) for one in found}) and len(read(text).clauses) > 1
    ):
        return False
    left = set(found[0].rest)
    for one in found[1:]:
        left &= set(one.rest)
    values = {form for one in found for form in one.value}
    return not left - values
