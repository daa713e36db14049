"""Who "she" is: the person or pet of the user's that a clause speaks of, when their words leave one possibility.

"My daughter Mia starts school. She's allergic to nuts." Without the first sentence the second is no memory. A clause
is only resolved when exactly one person or animal of the right kind was named by the user in the same message or in
one of the last two turns, and nobody else who might be meant.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from satchel.extract.checking import align
from satchel.extract.choosing.clauses import Clause
from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import plain, words
from satchel.extract.saying import rewrite
from satchel.types import Message, Source

TURNS = 2
"""Earlier turns of the user in which an antecedent is looked for."""

MAX_LOOK = 2000
"""Code points before the clause, and of each earlier turn from its end, that are looked at."""


class Resolved(msgspec.Struct, frozen=True):
    """A clause whose subject is named: `text` with "my daughter Mia" for "she", and where those words stand.

    Without an antecedent the clause needed none, and `text` is what it was."""

    text: str
    antecedent: Source | None = None


class _Named(msgspec.Struct, frozen=True):
    phrase: str
    kind: str
    source: Source


_MALE = listed(
    "son brother father dad dada papa grandad granddad grandpa grandfather grandson husband uncle nephew "
    "boyfriend brother-in-law father-in-law "
    "stepson stepfather stepdad stepbrother boy great-uncle son-in-law widower"
)
_FEMALE = listed(
    "daughter sister mother mum mom mam mama nan nana nanna gran granny grandma grandmother "
    "granddaughter wife aunt auntie niece girlfriend "
    "sister-in-law mother-in-law stepdaughter stepmother stepmum stepsister girl great-aunt daughter-in-law"
)
_NEUTRAL = listed(
    "partner child kid baby toddler eldest oldest youngest cousin spouse fiance fiancé fiancée teenager "
    "teen stepchild grandchild"
)
_PETS = listed(
    "dog cat puppy kitten parrot cockatiel budgie rabbit bunny horse pony hamster tortoise turtle "
    "guinea-pig snake lizard gecko donkey goat hen "
    "spaniel labrador lab terrier collie poodle beagle whippet greyhound staffie dachshund retriever "
    "ferret canary mare gelding pet"
)
_MANY = listed(
    "kids children sons daughters twins parents grandparents boys girls sisters brothers dogs cats hens "
    "parrots rabbits stepkids grandchildren"
)
_BARE = listed("mum mom dad grandma grandpa gran granny nan grandad granddad nana")
_OTHERS = re.compile(
    r"\b(?:boss|manager|colleague|co-?worker|friend|neighbou?r|teacher|doctor|dentist|vet|client|customer"
    r"|landlord|landlady|supervisor|roommate"
    r"|flatmate|classmate|coach|trainer|plumber|nurse|therapist|tutor|student|ex|tenant|guy|man|woman"
    r"|lady|someone|somebody|character|author)\b|\b(?:my|our)\s+(?-i:[A-Z])[\w-]+\b",
    re.I,
)
_SAYS = re.compile(
    r"(?:^|[.!?]\s+)(?P<name>[A-Z][a-z]+) (?:said|says|told|thinks|wants|asked|is|was|has|had|came|went|lives)\b"
)
_SOMEBODY = _MALE | _FEMALE | _NEUTRAL | _MANY | listed("boss manager friend colleague neighbour neighbor team family")
_NOUNS = "|".join(
    sorted((re.escape(word) for word in _MALE | _FEMALE | _NEUTRAL | _PETS | _MANY), key=len, reverse=True)
)
_CANDIDATE = re.compile(
    rf"\b(?P<whose>[Mm]y|[Oo]ur)\s+(?P<adjectives>(?:(?!and\b"
    rf"|or\b)[\w'-]+\s+){{0,2}}?)(?P<noun>(?i:{_NOUNS}))\b(?!-)"
    rf"(?P<name>,?\s+(?:(?:is |who is |who's )?(?:called|named)\s+)?(?P<called>(?!I\b)[A-Z][\w-]+)\b(?!'s\b))?"
    rf"|\b(?P<bare>(?i:{'|'.join(sorted(_BARE))}))\b(?!-)"
    rf"|\b(?:(?:[Ii]|[Ww]e)(?:'ve| have)(?: got)?|[Ii] own|[Ww]e own|[Ii] keep"
    rf"|[Ww]e keep)\s+an?\s+(?P<owned_adjectives>(?:[\w-]+\s+){{0,2}}?)(?P<owned>(?i:{_NOUNS}))\b"
    rf"(?:\s+(?:called|named)\s+(?P<owned_name>[A-Z][\w-]+(?: [A-Z][\w-]+)?))?"
)
_SUBJECT = re.compile(
    r"(?P<lead>(?:and|but|so|because|since|as|though|although|plus|also|now|then)\s+)?(?P<word>he|she"
    r"|they|his|her|their|it|its)(?P<short>'s|'re|'ve|'ll|'d)?"
    r"(?P<both>\s+both|\s+all)?\b(?=\s|,|$)",
    re.I,
)
_OBJECT = re.compile(r"\b(?:him|her|them|it|this|that|these|those)\b", re.I)
_SAYS_IT = re.compile(
    r"it(?:'s| is| was|'s been| has been)\s+(?:my|our|a |an |the |not |hard|easy|important|too|very|been"
    r"|just|only|always|\d|(?:mon|tues|wednes|thurs|fri|satur|sun)day|in |on |at )"
    r"|it (?:takes|took|bothers|annoys|drives|makes|helps|hurts|matters|rains|snows|turns out|feels|costs)\b",
    re.I,
)
"""An "it" that stands for what follows, or for nothing: "it takes me an hour", "it's my birthday"."""
_OWNED_ONE = re.compile(r"(?:(?:and|but|so|because|also) )?(?P<whose>mine|ours)(?P<short>['’]s)?\b(?=\s)", re.I)
"""A subject that stands for the user's own one of what was spoken of: "Ours is called Otis"."""

_OF_A_KIND = re.compile(
    r"\b(?:an?|my|our|your|[A-Z]\w+['’]s|other people['’]s) (?=(?P<noun>[a-z][\w-]*(?: [a-z][\w-]*)?(?: [a-z][\w-]*)?))"
)
"""What "mine" may be one of: "a crate for a basset hound"."""

_ENDS_A_NOUN = (
    english.FUNCTION_WORDS
    | english.PREPOSITIONS
    | english.VERBS
    | listed("and or but nor so than that which who whose when while if because as though")
)

_SUBJECT_THING = re.compile(
    r"(?:(?:hi|hello|hey|so|ok|okay|well|and|but|help|ugh)\W+)?"
    r"(?P<phrase>(?:my|our) (?P<noun>(?:[\w-]+ ){0,2}?[\w-]+)) "
    r"(?:is|was|has|keeps?|won['’]t|doesn['’]t|can['’]t|isn['’]t|needs?|makes?|says?|just|suddenly|started|stopped|broke|died|feels?"
    r"|runs?|gets?|sounds?|smells?|leaks?|shows?|takes?|refuses|seems?|turned|went)\b",
    re.I,
)
"""What a sentence of the user's is about, which an "it" after it takes up: "My phone keeps saying storage full"."""

_IS_A_MAKE = re.compile(r"it(?:['’]s| is) (?:an? |the )?(?:[a-z][\w-]* )?(?:(?-i:[A-Z])\w*|\w*\d)", re.I)
"""What names the thing itself: "It's a Galaxy S21", "it's a 2014 Outback"."""

_STATES = listed(
    "married retired divorced called named scared terrified tired obsessed interested worried bored "
    "engaged trained used based widowed allergic diagnosed"
)


def resolve(clause: Clause, message: Message, before: Sequence[Message]) -> Resolved | None:
    """`clause` with its subject named. None when it has a pronoun for a subject, or an object that alone carries
    the sense ("I hate it"), of which nobody can say what it means."""
    text = clause.text
    owned = _OWNED_ONE.match(text)
    thing = _thing(clause, message, owned)
    if thing is not None or owned is not None:
        return thing
    subject = _SUBJECT.match(plain(text))
    if subject is None:
        return None if _hangs(plain(text)) else Resolved(text)
    word = subject["word"].casefold()
    if word in {"it", "its"} and _SAYS_IT.match(plain(text)[subject.start("word") :]):
        return Resolved(text)
    found = _candidates(clause, message, before)
    fitting = [one for one in found if _fits(word, one.kind)]
    if len({one.phrase.casefold() for one in fitting}) != 1 or (word in {"it", "its"} and len(found) > 1):
        return None
    named = fitting[-1]
    rest = plain(text)[subject.end() :]
    if _object_left_open(rest, word):
        return None
    written = _written(subject, named, text[subject.end() :])
    return None if written is None else Resolved(written, named.source)


def _thing(clause: Clause, message: Message, owned: re.Match[str] | None) -> Resolved | None:
    """The clause with the user's thing for the "mine" (`owned`) or "it" it begins with, where the sentence before
    speaks of one alone."""
    lead = re.match(r"(?:(?:and|but|so|also) )?", clause.text, re.I)
    said = clause.text[lead.end() :] if lead else clause.text
    if owned is None and not _IS_A_MAKE.match(said):  # first, for most clauses are neither
        return None
    start = max(0, clause.start - MAX_LOOK)
    before = plain(message.content[start : clause.start])
    found = re.search(r"[^.?!\n]*[.?!\s]*$", before)
    if found is None:
        return None
    sentence, offset = found[0], start + found.start()
    if owned is not None:
        kinds = [(kind.start(), noun) for kind in _OF_A_KIND.finditer(sentence) if (noun := _bare_noun(kind["noun"]))]
        if len({noun for _, noun in kinds}) != 1:
            return None
        at, noun = kinds[-1]
        end = sentence.index(noun, at) + len(noun)
        whose = "my" if owned["whose"].casefold() == "mine" else "our"
        text = f"{whose} {noun}{' is' if owned['short'] else ''}{clause.text[owned.end() :]}"
    else:
        about = _SUBJECT_THING.match(sentence.strip())
        if about is None or about["noun"].casefold().split()[-1] in _SOMEBODY:
            return None
        phrase = about["phrase"]
        at = sentence.index(phrase)
        end = at + len(phrase)
        rest = re.sub(r"^it(?:['’]s| is)", "", said, flags=re.I)
        text = f"{phrase[:1].lower()}{phrase[1:]} is{rest}"
    return Resolved(text, align.source(message, offset + at, offset + end))


def _bare_noun(phrase: str) -> str:
    """What a phrase names, up to its first verb or function word."""
    kept: list[str] = []
    for word in phrase.split():
        if word in _ENDS_A_NOUN:
            break
        kept.append(word)
    return " ".join(kept)


def quoted(quote: str, resolved: Resolved) -> str:
    """The last resort for a resolved clause, true of any: `The user said of their daughter Mia: “…”`."""
    named = resolved.antecedent.quote if resolved.antecedent else ""
    whom = (
        re.sub(r"^(?:my|our)\b", "their", named, flags=re.I)
        if re.match("my|our", named, re.I)
        else f"their {named[:1].lower()}{named[1:]}"
    )
    return f"The user said of {whom}: “{rewrite.inside(quote)}”"


def _candidates(clause: Clause, message: Message, before: Sequence[Message]) -> list[_Named]:
    """Whom the user named before the clause, the nearest last; a stranger among them makes it impossible to say."""
    found: list[_Named] = []
    earlier = [turn for turn in before if turn.role == "user"][-TURNS:]
    for turn, end in [*((turn, len(turn.content)) for turn in earlier), (message, clause.start)]:
        start = max(0, end - MAX_LOOK)
        text = plain(turn.content[start:end])
        for match in _CANDIDATE.finditer(text):
            found.append(_named(match, turn, start))
        taken = [(match.start(), match.end()) for match in _CANDIDATE.finditer(text)]
        names = {one.phrase.split()[-1] for one in found}
        for stranger in [
            *_OTHERS.finditer(text),
            *(match for match in _SAYS.finditer(text) if match["name"] not in names),
        ]:
            if any(begin <= stranger.start() < stop for begin, stop in taken):
                continue
            found.append(
                _Named(
                    stranger[0].casefold(),
                    "stranger",
                    align.source(turn, start + stranger.start(), start + stranger.end()),
                )
            )
    return _joined(found)


def _named(match: re.Match[str], turn: Message, offset: int) -> _Named:
    if match["bare"]:
        noun, begin, phrase = match["bare"], match.start("bare"), f"my {match['bare'].casefold()}"
    elif match["owned"]:
        noun, begin = match["owned"], match.start("owned_adjectives")
        phrase = f"my {match['owned_adjectives']}{noun}{' ' + match['owned_name'] if match['owned_name'] else ''}"
    else:
        noun, begin = match["noun"], match.start()
        phrase = (
            f"{match['whose'].casefold()} {match['adjectives']}{noun}{' ' + match['called'] if match['called'] else ''}"
        )
    kind = _kind(noun.casefold())
    return _Named(re.sub(r"\s+", " ", phrase).strip(), kind, align.source(turn, offset + begin, offset + match.end()))


def _kind(noun: str) -> str:
    for kind, nouns in (("male", _MALE), ("female", _FEMALE), ("pet", _PETS), ("many", _MANY)):
        if noun in nouns:
            return kind
    return "neutral"


def _joined(found: list[_Named]) -> list[_Named]:
    """The same person once: "my daughter" after "my daughter Mia" is her."""
    kept: list[_Named] = []
    for one in found:
        bare = re.sub(r"^(?:my|our) ", "", one.phrase)
        same = next(
            (
                at
                for at, other in enumerate(kept)
                if _is_same(re.sub(r"^(?:my|our) ", "", other.phrase), bare) and other.kind == one.kind
            ),
            None,
        )
        if same is None:
            kept.append(one)
        elif len(one.phrase) > len(kept[same].phrase):
            kept[same] = one
    return kept


def _is_same(one: str, other: str) -> bool:
    short, long = sorted((one, other), key=len)
    return long == short or long.startswith(f"{short} ")


def _fits(word: str, kind: str) -> bool:
    return kind in {
        "he": {"male", "neutral", "pet", "stranger"}, "his": {"male", "neutral", "pet", "stranger"},
        "she": {"female", "neutral", "pet", "stranger"}, "her": {"female", "neutral", "pet", "stranger"},
        "they": {"many"}, "their": {"many"}, "it": {"pet"}, "its": {"pet"},
    }[word]  # fmt: skip


def _hangs(text: str) -> bool:
    """Whether a short clause of the user's own turns on an "it" or "them" that stands for something unsaid."""
    return (
        re.fullmatch(
            r"(?:(?:and|but|so|because) )?(?:i|we)(?:'ve|'m|'d)? (?:\w+ ){1,3}(?:it|them|him|her|this"
            r"|that|those|these)(?: (?:every|all|so|really|very|too|a|most|now|\w+ly)\b.{0,30})?[.!]*",
            text,
            re.I,
        )
        is not None
    )


def _object_left_open(rest: str, word: str) -> bool:
    """ "She's allergic to it": naming her does not say to what."""
    objects = [
        match for match in _OBJECT.finditer(rest) if match[0].casefold() not in {"that", "this", "these", "those"}
    ]
    for match in objects:
        lower = match[0].casefold()
        if lower == "her" and word == "she" and re.match(r"\s+[a-z]", rest[match.end() :], re.I):
            continue  # "her own room"
        between = [
            token
            for token in words(rest[: match.start()])
            if token.casefold() not in english.FUNCTION_WORDS | english.PREPOSITIONS
        ]
        if (
            lower in {"it", "them"}
            and len(between) >= 2
            and re.search(r"[,;]|\b(?:and|but|because|when|if)\b", rest[: match.start()], re.I)
        ):
            continue  # "he won't eat broccoli because it scares him"
        if lower in {"him", "her"} and (lower == "him") == (word in {"he", "his"}) and len(between) >= 2:
            continue
        return True
    return re.search(r"\b(?:this|that|these|those)[.!]*$", rest, re.I) is not None


def _written(subject: re.Match[str], named: _Named, rest: str) -> str | None:
    word, short = subject["word"].casefold(), (subject["short"] or "").casefold()
    who = named.phrase
    if named.kind == "stranger":
        return None
    if word in {"his", "her", "their", "its"}:
        return f"{who}{chr(39) if who.endswith('s') else chr(39) + 's'}{rest}"
    following = next((token.casefold() for token in words(rest) if not english.is_adverb(token.casefold())), "")
    has = following in {"got", "been", "had"} or (
        (english.is_past(following) or following in {"gone", "done", "taken", "grown"}) and following not in _STATES
    )
    verb = {
        "'s": " has" if has else " is", "'re": " are", "'ve": " have", "'ll": " will",
        "'d": " had" if has and following != "rather" else " would", "": "",
    }[short]  # fmt: skip
    both = f" {subject['both'].strip()}" if subject["both"] else ""
    return f"{who}{both}{verb}{rest}"
