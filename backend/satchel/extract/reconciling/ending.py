"""What a statement says is over: "quit coffee", "sold the car", "broke up with Tom", "Rex died".

An `End` is read from the new statement; `ended_by` says of a known one whether that is what ended."""

from __future__ import annotations

import functools
import re

import msgspec

from satchel.extract.language.english import listed
from satchel.extract.language.words import content, plain, same, words
from satchel.extract.reconciling.slots import slots
from satchel.extract.reconciling.stance import ASIDE, DISLIKES, HABITUAL, LIKES
from satchel.extract.reconciling.statement import DATED, THING, USER, Clause, Subject, lemma, lemmas, read, relation


class End(msgspec.Struct, frozen=True):
    """Something that is over. `matter`: what was done or had; `attribute`: the slot that is empty now; `about`: the
    person or animal that is no more, so that all that is told of them now is over."""

    subject: Subject = USER
    matter: tuple[str, ...] = ()
    attribute: str | None = None
    about: Subject | None = None
    parted: str | None = None
    left: tuple[str, ...] = ()


_GIVES_UP = re.compile(
    r"^(?:has |have |had to |is |did )?(?:recently |just )?(?P<verb>quit|quits|quitting|gave up|given up|giving up"
    r"|stopped|stops|ditched|dropped|cut out|cut back"
    r"|sold|traded(?: in)?|cancel+ed|got rid of|gotten rid of|gave away|given away|lost|returned|threw (?:out"
    r"|away)|unsubscribed"
    r" from|deleted|finished|completed|closed"
    r"|scrapped|donated|resigned from|uninstalled|dropped out of|off|is off|came off|paused|said goodbye to|done"
    r" with|through with|sick of using)"
    r" (?P<what>.+)$",
    re.IGNORECASE,
)
_IS_GONE = re.compile(
    r"^(?:the |the user's |user's )?(?P<what>[\w' -]{2,40}?) (?:is|are) (?:gone|history|no more|over"
    r"|off the menu|out of"
    r" the picture)\b|^(?:for the user, )?no more (?P<what2>[\w' -]{2,40}?)(?: for the user)?$"
    r"|\bwants? (?:the |the user's )?(?P<what3>[\w' -]{2,40}?) over(?: and done)? with\b",
    re.IGNORECASE,
)
_PARTS = re.compile(
    r"(?:broke up|broken up|split(?: up)?|separated|parted ways|called it quits|finished things)"
    r"(?: with| from)? ?(?P<who>.*)$|(?:divorced|dumped) (?P<who2>(?-i:[A-Z])\w+|the user's \w+)\b|left (?P<who3>the"
    r" user's \w+)\b",
    re.IGNORECASE,
)
_BOTH_PART = re.compile(
    r"^(?:(?P<who>(?-i:[A-Z])[\w-]+|the user's [\w ]+) and the user|the user and (?P<who2>(?-i:[A-Z])[\w-]+|the"
    r" user's [\w ]+))"
    r" (?:(?:have |has )?(?:broke|broken|split|separated|parted|divorced|got divorced|are over|are no longer)\b.*)$",
    re.IGNORECASE,
)
_DIES = re.compile(
    r"^(?:has |sadly |was |had )?(?:died|passed away|passed|is dead|put (?:down|to sleep)|is gone|crossed the"
    r" rainbow bridge)\b(?! (?:the|an?) (?:exam|test|course))"
    r"|^is no longer (?:alive|with us)\b",
    re.IGNORECASE,
)
_LEAVES = re.compile(r"^(?:has |have )?(?:left|quit|moved (?:away from|out of)|resigned from|was laid off (?:from"
                     r"|by)|got laid off"
                     r" (?:from|by)|was fired (?:from|by)) (?:(?:the user's |a |the )?(?:job|role|position) (?:at"
                     r"|with) )?"
                     r"(?P<value>(?-i:[A-Z])[\w'&. -]*)", re.IGNORECASE)  # fmt: skip
_FROM_TO = re.compile(
    r"\b(?:switch(?:ed|es)?|moved|chang(?:ed|es)|went|swapped|migrated|transferred|converted|upgraded|downgraded"
    r"|gone)\b"
    r"(?P<thing>(?: (?!from\b)[\w']+){0,4}?) from (?P<old>.+?) (?:back )?(?:to|onto) (?P<new>.+)$"
    r"|\b(?:swapped|traded(?: in)?|exchanged) (?P<old2>.+?) for (?P<new2>.+)$"
    r"|\breplaced (?P<old3>.+?) (?:with|by) (?P<new3>.+)$"
    r"|^(?P<new4>.+?) instead of (?P<old4>.+)$"
    r"|^(?P<new5>.+?),? (?:and )?no longer (?P<old5>.+)$",
    re.IGNORECASE,
)
_USAGES = frozenset(
    lemma(same(word))
    for word in listed(
        "use have drink eat take ride drive own play do go listen watch read subscribe study learn train work run"
        " wear smoke "
        "practise practice attend see pay cook bake write speak swim walk cycle knit teach volunteer sing dance rent "
        "keep get follow lift climb post code sell visit begin start vape gamble chew skip fast"
    )
)


@functools.lru_cache(maxsize=20_000)
def ends(text: str) -> tuple[End, ...]:
    """What a statement says is over."""
    found: list[End] = []
    statement = read(text)
    if match := _BOTH_PART.match(statement.text):  # before it is taken apart: "Tom and the user broke up"
        found.append(End(parted=_who(match["who"] or match["who2"])))
    for clause in statement.clauses:
        if clause.mode != "plan":
            found += _of_clause(clause)
    return tuple(found)


def _of_clause(clause: Clause) -> list[End]:
    found: list[End] = []
    predicate = clause.predicate
    if clause.over:
        forms = tuple(form for form in lemmas(predicate) if form not in ASIDE | LIKES | DISLIKES)
        if forms and not any(form in LIKES for form in lemmas(predicate)):
            found.append(End(subject=clause.subject, matter=forms))
        return found
    if clause.subject.relation != "thing" and _DIES.match(predicate) and clause.subject != USER:
        found.append(End(about=clause.subject))
    if (match := _IS_GONE.search(clause.text)) and not found:
        what = match["what"] or match["what2"] or match["what3"]
        if forms := tuple(form for form in lemmas(what) if form not in ASIDE):
            found.append(End(matter=forms))
    if match := _PARTS.search(predicate):
        who = match["who"] or match["who2"] or match["who3"] or ""
        if (
            (match["who2"] or match["who3"]) is None
            or relation(who.removeprefix("the user's ")) == "partner"
            or who[:1].isupper()
        ):
            found.append(End(parted=_who(who)))
    if match := _LEAVES.match(predicate):
        found.append(End(subject=clause.subject, left=tuple(lemmas(_before(match["value"])))))
    if match := _GIVES_UP.match(predicate):
        what = _before(match["what"])
        forms = tuple(form for form in lemmas(what) if form not in ASIDE and form not in {"be"})
        if forms:
            found.append(End(subject=clause.subject, matter=forms))
        known = {" ".join(lemmas(name)): name for name in ("car", "phone", "laptop", "bike", "flat", "house")}
        thing = re.fullmatch(r"(?:the user's |the |his |her )?(?:old |first )?([\w-]+)", what.strip(), re.IGNORECASE)
        if thing and (name := known.get(" ".join(lemmas(thing[1])))):
            found.append(End(subject=clause.subject, attribute=name))
        if "smok" in forms:
            found.append(End(subject=clause.subject, matter=("smok",)))
    if (match := _FROM_TO.search(predicate)) and not re.search(r"\bprefers?\b|\bwould\b", predicate, re.IGNORECASE):
        old = next(value for name, value in match.groupdict().items() if name.startswith("old") and value)
        forms = tuple(form for form in lemmas(_before(old)) if form not in ASIDE)
        if forms and not re.fullmatch(r"(?:the )?\d+.*", old):
            found.append(End(subject=clause.subject, matter=forms))
    return found


def _who(text: str) -> str:
    """A name in lower case, or "" for any partner."""
    text = _before(text).strip()
    return text.split()[0].casefold() if text[:1].isupper() else ""


_CUT = re.compile(
    r"[,;.(\[]|\s+(?:because|since|for good|for (?:a|the|two|three|\d+)|last|this|in|on (?:mon|tues|wednes|thurs|fri"
    r"|satur|sun)day"
    r"|yesterday|today|a (?:week|month|year|while|few)|two|three|four|after|when|and|but|so|at the|as|to|ago"
    r"|completely|entirely"
    r"|altogether|over)\b",
    re.IGNORECASE,
)


def _before(text: str) -> str:
    found = _CUT.search(text)
    return text[: found.start()] if found else text


def ended_by(end: End, text: str) -> bool:
    """Whether a memory's sentence, which holds now, is over by `end`."""
    statement = read(text)
    if end.about is not None:
        return _is_about(end.about, text)
    filled = [slot for slot in slots(text) if slot.mode == "now" and not slot.denied]
    if end.parted is not None:
        return any(
            (slot.attribute == "partner" and slot.subject == USER and (not end.parted or end.parted in slot.value))
            or (slot.attribute == "marital" and slot.subject == USER and not {"singl", "divorc"} & set(slot.value))
            for slot in filled
        ) or any(
            clause.subject.relation == "partner"
            and clause.mode == "now"
            and (not clause.subject.name or not end.parted or clause.subject.name == end.parted)
            for clause in statement.clauses
        )  # fmt: skip
    if end.left:
        return any(
            slot.attribute in {"employer", "home", "school", "partner"}
            and slot.subject.may_be(end.subject)
            and set(end.left) <= set(slot.value)
            for slot in filled
        )  # fmt: skip
    if end.attribute is not None and any(
        slot.attribute == end.attribute and slot.subject.may_be(end.subject) for slot in filled
    ):
        return True
    wanted = set(end.matter) or {end.attribute or ""}
    for clause in statement.clauses:
        if clause.mode != "now" or clause.denied or not clause.subject.may_be(end.subject):
            continue
        forms = lemmas(clause.predicate)
        verb = next(iter(forms), "")
        acts = {lemma(same(word)) for word in words(clause.predicate)}
        usage = bool(acts & (_USAGES | {"has", "ha"})) or verb in wanted
        if any(form in LIKES | DISLIKES for form in forms) and not (wanted & _USAGES):
            usage = False
        if not usage or "allergic" in acts:
            continue
        if wanted <= set(forms):
            left = set(forms) - wanted - _USAGES - HABITUAL - ASIDE
            if len(left) <= max(2, len(wanted)):
                return True
    return False


def named_in(end: End, text: str) -> bool:
    """Whether a memory's sentence, which holds now, names what is over: for an end that was said beside something else,
    and so names it plainly. What is liked or not tolerated is not had."""
    wanted = [form for form in end.matter if form not in {"old", "first", "new"}]
    if not wanted or end.subject not in {USER, THING}:
        return False
    for clause in read(text).clauses:
        forms = lemmas(clause.text)
        if clause.mode != "now" or clause.denied or set(forms) & (LIKES | DISLIKES | {"allergic"}):
            continue
        if any(forms[at : at + len(wanted)] == wanted for at in range(len(forms))):
            return True
    return False


def _is_about(who: Subject, text: str) -> bool:
    """Whether a memory tells of somebody as they are now: "has a dog called Rex", "Rex is three"."""
    for clause in read(text).clauses:
        if clause.mode == "past" or clause.denied:
            continue
        if clause.subject.may_be(who) and clause.subject != USER:
            return True
        spoken = words(clause.text)
        named = who.name and any(word.casefold() == who.name for word in spoken if word[:1].isupper())
        kin = not who.name and who.relation and any(relation(word) == who.relation for word in spoken)
        has = re.match(
            r"(?:has|have|has got|owns?|walks?|feeds?|visits?|looks after|keeps?|takes?|lives? with)\b",
            clause.predicate,
            re.I,
        )
        if clause.subject == USER and (named or kin) and has:
            return True
    return False


_CONTRAST = (
    re.compile(r"(?P<new>[^,;.]+?),? (?:and )?not (?:(?:an?|the|in|at|on|for|to) )?(?P<old>[^,;.]+)", re.IGNORECASE),
    re.compile(r"\bnot (?:(?:an?|the|in|at|on|for|to) )?(?P<old>[^,;.]+?),? but (?P<new>[^,;.]+)", re.IGNORECASE),
    re.compile(r"\b(?P<new>[^,;.]+?) (?:rather than|instead of) (?P<old>[^,;.]+)", re.IGNORECASE),
)


def contrasts(text: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """ "It's an owl, not a hawk": what is right and what is wrong, as content words."""
    form = plain(DATED.sub("", text)).strip("“” .")
    form = re.sub(r"^(?:no|nope|sorry|wait|actually|oops|well),? ", "", form, flags=re.IGNORECASE)
    found = []
    for pattern in _CONTRAST:
        for match in pattern.finditer(form):
            old = tuple(lemma(word) for word in content(_before(match["old"])))
            new = tuple(lemma(word) for word in content(match["new"]))
            if old and new and len(old) <= 4:
                found.append((new, old))
    return found
