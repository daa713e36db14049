"""A memory's sentence taken apart for comparing: its clauses, whom each is about, whether it holds now.

Statements come worded by rules ("The user lives in Porto."), by a generator, or as a quote ("The user said:
“I live in Porto”"). All are brought to one form first. It is for comparing only and never shown."""

from __future__ import annotations

import functools
import re
from typing import Literal

import msgspec

from satchel.extract.language.english import VERBS, listed, third_singular
from satchel.extract.language.words import content, plain, same
from satchel.extract.saying import rewrite

Mode = Literal["now", "plan", "past"]


class Subject(msgspec.Struct, frozen=True):
    """Whom a clause is about: `relation` to the user ("user", "sister", "dog"; "" for a bare name, "thing" for the
    rest), and the name, in lower case, where it is told."""

    relation: str
    name: str = ""

    def may_be(self, other: Subject) -> bool:
        """Whether both may mean the same: what both tell must agree."""
        if self.name and other.name:
            return self.name == other.name
        return bool(self.relation) and self.relation == other.relation


USER = Subject("user")
THING = Subject("thing")


class Clause(msgspec.Struct, frozen=True):
    """`predicate` is what follows the subject; `text` is all of it. `denied`: it says that the predicate, which then
    stands without its negation, does not hold. `over`: it says that it did before."""

    subject: Subject
    predicate: str
    text: str
    mode: Mode = "now"
    denied: bool = False
    over: bool = False


class Statement(msgspec.Struct, frozen=True):
    """`changes`: a word says that something is other than before. `adds`: a word says that it comes on top."""

    text: str
    clauses: tuple[Clause, ...]
    changes: bool
    adds: bool


# --------------------------------------------------------------------------------------------- one form for all

DATED = re.compile(r"\s*\[[^\]]*\d{4}[^\]]*\]")
_QUOTED = re.compile(r"^The user (?:said|asks|asked): “(?P<quote>.*)”\W*$", re.DOTALL)
_FIRST = {
    "i": "the user", "i'm": "the user is", "im": "the user is", "i've": "the user has", "ive": "the user has",
    "i'll": "the user will", "i'd": "the user would", "me": "the user", "my": "the user's", "mine": "the user's",
    "we": "the user", "we're": "the user is", "we've": "the user has", "we'll": "the user will",
    "we'd": "the user would", "us": "the user", "our": "the user's", "myself": "the user",
}  # fmt: skip
_FIRST_WORD = re.compile(r"(?<![\w'])(?:i'm|i've|i'll|i'd|we're|we've|we'll|we'd|im|ive|i|me|my|mine|myself|we|us|our)"
                         r"(?![\w'])", re.IGNORECASE)  # fmt: skip
_SPELLED = tuple(
    (re.compile(pattern, re.IGNORECASE), replacement)
    for pattern, replacement in (
        (r"\bthe user and others(?:')?", "the user"),
        (r"^(?:for the user[,:] )", ""),
        (r"\b(?:their|theirs|his or her)\b", "the user's"),
        (r"\bcan(?:no|')t\b", "can not"),
        (r"\bwon't\b", "will not"),
        (r"\b(\w+)n't\b", r"\1 not"),
        (r"\b(do|does|did|is|was|wo|ca)nt\b", r"\1 not"),
        (r"\b(it|he|she|that|there|who)'s\b", r"\1 is"),
        (r"\b(the \w+)'s(?= (?:an?|the|not|now|on|in|at|gone|over|history)\b)", r"\1 is"),
        (r"\bthe user am\b", "the user is"),
        (r"\b(?:has|have) got\b", "has"),
        (r"\bnot (?:any ?more|any longer)\b", "no longer"),
        (r"\bas of (?:today|now|this \w+)\b", "now"),
        (r"\bthese days\b", "nowadays"),
        (r"\b(\d{1,3})[- ]years?[- ]old\b", r"\1 years old"),
    )
)
_ADVERBS_OF_NOW = re.compile(
    r"\b(?:now|nowadays|currently|presently|still|actually|just|recently|finally|really|already|officially|basically"
    r"|honestly|definitely|today|obviously|fully|completely|strictly|lately|in fact|at the moment|right now|by the way"
    r"|in the end|also|too|as well|again)\b,?\s*",
    re.IGNORECASE,
)
CHANGES = re.compile(
    r"\b(?:no longer|any ?more|any longer|now|nowadays|these days|stopped|quit|gave up|given up|since then|started"
    r"|began"
    r"|has gone|went|used to|chang(?:ed|es?)|instead|switch(?:ed|es)?|swapped|replaced|moved|sold|ditched|dropped"
    r"|became"
    r"|has become|new|again|back to|turned out|from now on|as of|turned|got promoted|was promoted|upgraded|left"
    r"|got rid of|rescheduled|postponed|pushed|brought forward|shifted|just)\b|不再|现在|改",
    re.IGNORECASE,
)
_ADDS = re.compile(r"\b(?:also|too|as well|besides|another|on top|in addition|additionally|second)\b", re.IGNORECASE)


@functools.lru_cache(maxsize=20_000)
def read(text: str) -> Statement:
    """The statement that `text` makes."""
    form = plain(DATED.sub("", text)).strip()
    quoted = _QUOTED.match(DATED.sub("", text).strip())
    if quoted is not None:
        form = plain(quoted["quote"])
        start, end = rewrite.trim(form)
        form = form[start:end] or form
    form = _FIRST_WORD.sub(lambda found: _FIRST[found[0].casefold()], form)
    form = re.sub(r"^The user\b", "the user", form)
    for pattern, replacement in _SPELLED:
        form = pattern.sub(replacement, form)
    form = re.sub(r"\s+", " ", form).strip(" .!;,")
    clauses: list[Clause] = []
    for piece in _split(form):
        clauses.append(_clause(piece, clauses[-1].subject if clauses else USER))
    return Statement(
        text=form,
        clauses=tuple(clauses),
        changes=CHANGES.search(form) is not None,
        adds=_ADDS.search(form) is not None,
    )


# ------------------------------------------------------------------------------------------------------ clauses

_THIRD = "|".join(
    sorted({third_singular(verb) for verb in VERBS - listed("work play walk name watch plan train cook")} | VERBS)
)
_JOINT = re.compile(
    r"(?:,\s*)?\b(?:and|but|so|because|while|although|though|since)\s+(?=the user\b|(?:now|currently|no longer|never"
    r"|is|has|was|does|can|will|lives?|works?|moved|got|left|started|stopped|quit|sold|used to|hates?|loves?|likes?"
    r"|prefers?|drives?|uses?|plays?|swims?|eats?|drinks?|studies|teaches)\b)"
    r"|[;,]\s+(?=the user\b)|[.!]\s+(?=[A-Zt])"
    r"|,\s+(?:and )?(?=(?:is |currently |now )?(?:based|living|working|aged|married|engaged)\b|\d{1,2}(?: years"
    r" old)?(?:,|$))",
)


def _split(form: str) -> list[str]:
    pieces = [piece for raw in _JOINT.split(form) if (piece := raw.strip(" ,;.!"))]
    if len(pieces) > 1 and _COMPANION.fullmatch(pieces[0]):
        pieces[:2] = [pieces[1]]  # "Dev and the user are planning": what the user does with somebody
    return [f"is {piece}" if _STATE.match(piece) else piece for piece in pieces]


_COMPANION = re.compile(r"(?:the user's [\w-]+(?: [A-Z][\w-]+)?|[A-Z][\w-]+)")
_STATE = re.compile(r"(?:based|living|working|aged|married|engaged|\d{1,2}$|\d{1,2} years old)\b")


RELATIONS = {
    **dict.fromkeys(("mother", "mum", "mom", "mam", "mama"), "mother"),
    **dict.fromkeys(("father", "dad", "papa"), "father"),
    **dict.fromkeys(
        ("wife", "husband", "partner", "girlfriend", "boyfriend", "spouse", "fiance", "fiancé", "fiancée", "fiancee"),
        "partner",
    ),
    **dict.fromkeys(("son", "boy"), "son"),
    **dict.fromkeys(("daughter", "girl"), "daughter"),
    **dict.fromkeys(("kid", "child", "toddler", "baby"), "child"),
    **dict.fromkeys(("grandmother", "grandma", "gran", "granny", "nana", "nan"), "grandmother"),
    **dict.fromkeys(("grandfather", "grandpa", "grandad", "granddad"), "grandfather"),
    **dict.fromkeys(("flatmate", "roommate", "housemate"), "flatmate"),
    **dict.fromkeys(("dog", "puppy"), "dog"),
    **dict.fromkeys(("cat", "kitten"), "cat"),
    **dict.fromkeys(("boss", "manager", "supervisor"), "boss"),
    **dict.fromkeys(("brother", "sister", "cousin", "aunt", "uncle", "niece", "nephew", "friend", "colleague"), ""),
    **dict.fromkeys(("parrot", "hamster", "rabbit", "horse", "tortoise", "guinea pig", "stepson", "stepdaughter"), ""),
    **dict.fromkeys(("neighbour", "neighbor", "landlord", "landlady", "mother-in-law", "father-in-law", "twin"), ""),
    **dict.fromkeys(("grandson", "granddaughter", "godson", "goddaughter", "stepmother", "stepfather", "coworker"), ""),
    **dict.fromkeys(("in-laws", "parents", "kids", "children", "sons", "daughters", "family"), ""),
}
_RELATION = "|".join(sorted((re.escape(name) for name in RELATIONS), key=len, reverse=True))
_SUBJECT = re.compile(
    rf"^the user's (?:(?:older|younger|big|little|elder|eldest|youngest|oldest|middle|best|own|late|new|close|old|first"
    rf"|second|\d+ years old|six|seven|eight|nine|ten)\s+)*(?P<relation>{_RELATION})(?:,? (?:called |named )?"
    rf"(?P<name>(?-i:[A-Z])[\w-]+))?(?P<of>'s)?(?P<who>,? who)?,?(?: (?P<predicate>.+))?$",
    re.IGNORECASE,
)
_NAMED = re.compile(r"^(?P<name>[A-Z][\w-]+)(?:,? who)? (?P<predicate>(?:is|was|has|had|lives|moved|works|turned"
                    r"|turns|died|passed"
                    r"|goes|starts|started|plays|likes|loves|hates|needs|wants|got|prefers|eats|switched|studies"
                    r"|left|now"
                    r"|no longer|does not|can not|just)\b.+|died|died .+)$")  # fmt: skip
_NO_NAME = listed(
    "the this that there it he she they who what my our a an some all every each as in on at for with to work home "
    "dinner lunch breakfast school today tomorrow yesterday everything nothing name rent coffee tea"
)


def relation(word: str) -> str:
    return RELATIONS.get(word.casefold()) or word.casefold()


def _clause(text: str, before: Subject) -> Clause:
    subject, predicate = before, text
    if match := _SUBJECT.match(text):
        subject, predicate = (
            Subject(relation(match["relation"]), (match["name"] or "").casefold()),
            match["predicate"] or "",
        )
        if match["of"]:
            subject, predicate = THING, text
    elif re.match(r"the user\b(?!')", text):
        subject, predicate = USER, text[len("the user") :].strip(" ,")
    elif text.startswith("the user's "):
        subject = THING
    elif (match := _NAMED.match(text)) and match["name"].casefold() not in _NO_NAME and match["name"][-3:] != "ing":
        subject, predicate = Subject("", match["name"].casefold()), match["predicate"]
    elif re.match(rf"(?:{_THIRD}|is|has|was|no|never|used|can|does|did|had|will|would|not|now|recently|just|\w+ed|got"
                  r"|went|quit|left|sold|began|gave|became|broke|bought|swapped)\b", text) is None:  # fmt: skip
        subject = THING
    again = _ADVERBS_OF_NOW.sub("", predicate).strip(" ,") or predicate
    denied, over, bare = _denial(again)
    mode: Mode = "now"
    if _PLAN.search(bare):
        mode = "plan"
    elif _PAST.search(again):
        mode = "past"
    return Clause(subject=subject, predicate=bare, text=text, mode=mode, denied=denied, over=over)


_PLAN = re.compile(
    r"^(?:(?:is|are|was|has been|been)\s+)?(?:seriously |half |kind of )?(?:thinking|considering|planning|plans?"
    r"|hoping|hopes?|wants?|wish(?:es)?|would|might"
    r"|may|could|should|going to|will|dream(?:s|ing)?|intends?|aims?|looking (?:to|for|into|at)|looks? forward|about to"
    r"|tempted|tries|try|trying|debating|wondering|wonders?|contemplat\w+|toying|decided to|has decided|determined"
    r" to|keen to"
    r"|due to|moving|relocating|switching|leaving|joining|needs? to|ought|toys?|interested in (?:becoming|going"
    r"|moving)|curious about|not sure|unsure|applied|applying|interviewing|has an? (?:job )?(?:offer|interview))\b"
    r"|^(?:is|are) (?:starting|getting married|becoming|changing|selling|buying|quitting|retiring|getting)\b"
    r"|^(?:starts?|is starting)(?: (?:work|working|a new job|a job))? (?:at|with) (?-i:[A-Z])"
    r"|\bif\b|\b(?:maybe|perhaps|possibly|some ?day|one day|eventually)\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"^(?:used to|(?:was|were)(?! (?:just )?(?:promoted|hired|made|moved|given|diagnosed|laid|fired|accepted|changed"
    r"|postponed"
    r"|rescheduled|pushed|switched|put))|had been|once|lived|worked|had|grew up|studied|drove|owned)\b"
    r"|\b(?:back then|as an? (?:kid|child|teenager|student|boy|girl)|years ago|when the user was|formerly|in the"
    r" past)\b",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"^(?P<kept>is |are |has been |has |does |do |can |can not |not )?(?:(?:is |does |do |has )?no longer|used to"
    r"|(?:has |have )?(?:stopped|quit|given up|gave up)(?= \w+ing\b))"
    r"\s+(?P<rest>.+)$",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"^(?P<kept>is|are|does|do|did|has|have|can|could|will|would|was)? ?(?:not|never)(?: ever)? (?P<rest>.+)$", re.I
)
_ANY_MORE = re.compile(r",?\s*\b(?:any ?more|any longer)\b\W*$", re.IGNORECASE)


def _denial(predicate: str) -> tuple[bool, bool, str]:
    """Whether a predicate is denied, whether it held before, and what it is without that."""
    bare = _ANY_MORE.sub("", predicate)
    ended = bare != predicate
    if match := _OVER.match(bare):
        rest = match["rest"]
        if rest.startswith("being "):
            rest = "is " + rest.removeprefix("being ")
        elif (
            (re.match(r"\w+ing\b", rest) and (match["kept"] or "").strip() != "is")
            or (match["kept"] or "").strip() in {"is", "are"}
            or ("is no longer" in bare[: match.start("rest")])
        ):
            rest = "is " + rest
        return True, True, re.sub(r"^be\b", "is", rest)
    if match := _NOT.match(bare):
        kept = (match["kept"] or "").casefold()
        rest = f"{kept} {match['rest']}" if kept in {"is", "are", "has", "have", "can", "was"} else match["rest"]
        return True, ended, rest.strip()
    return False, False, bare


# ------------------------------------------------------------------------------------------- words, compared

_LEMMAS = {
    "went": "go", "gone": "go", "goes": "go", "got": "get", "ate": "eat", "eaten": "eat", "drank": "drink",
    "drunk": "drink", "swam": "swim", "ran": "run", "drove": "drive", "driven": "drive", "wrote": "write",
    "bought": "buy", "sold": "sell", "slept": "sleep", "taught": "teach", "took": "take", "made": "make",
    "sang": "sing",
    "spoke": "speak", "wore": "wear", "rode": "ride", "left": "leave", "began": "begin", "knew": "know",
    "children": "child", "kids": "child", "kid": "child", "mum": "mother", "mom": "mother", "dad": "father",
    "apartment": "flat", "wife": "partner", "husband": "partner", "girlfriend": "partner", "boyfriend": "partner",
    "photos": "photo", "cannot": "can", "cars": "car", "bicycle": "bike", "cycling": "bike", "cycles": "bike",
    "mobile": "phone", "smartphone": "phone", "favorite": "favourite", "colour": "color", "neighbor": "neighbour",
    "puppy": "dog", "kitten": "cat", "movies": "film", "movie": "film", "studying": "study", "one": "1", "two": "2",
    "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "ten": "10",
    "uses": "use", "using": "use", "used": "use", "hated": "hate", "allergy": "allergic", "allergies": "allergic",
    "lactose-intolerant": "lactose", "football": "soccer", "begins": "begin", "brief": "short", "concise": "short",
    "replies": "answer", "responses": "answer", "response": "answer", "reply": "answer", "vegetarianism": "vegetarian",
    "veggie": "vegetarian", "veganism": "vegan", "runner": "run", "swimmer": "swim", "smoker": "smoke",
}  # fmt: skip
_LEMMA_FORMS = {same(word): lemma for word, lemma in _LEMMAS.items()}


@functools.lru_cache(maxsize=50_000)
def lemma(form: str) -> str:
    """A form of `same` with tense and a few synonyms taken away: "swimming", "swims" and "swam" meet."""
    if form in _LEMMA_FORMS:
        return same(_LEMMA_FORMS[form])
    if not form.isascii():
        return form
    for ending in ("ing", "ed"):
        stem = form.removesuffix(ending)
        if stem != form and len(stem) >= 3 and re.search(r"[aeiouy]", stem):
            if len(stem) > 3 and stem[-1] == stem[-2] and stem[-1] not in "slz":
                stem = stem[:-1]
            return same(stem) if not stem.endswith("i") else stem[:-1] + "y"
    return form


def lemmas(text: str) -> list[str]:
    """The content words of `text` as they are compared."""
    return [lemma(form) for form in content(text)]
