"""One fact across two turns: the assistant asks about the user, or guesses something of them, and the user answers.

"What's your daughter's name?" "Mia": the user's words are the first source, the assistant's the second. The
assistant's words may lend a statement its frame and are never said to be the user's. Only questions about the user's
life count, of kinds that are listed here, and only answers that can be nothing else: a wrong memory is worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from satchel.extract.checking import align
from satchel.extract.checking.check import check
from satchel.extract.dialogue import scene
from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import content, denials, plain, words
from satchel.extract.saying import keys, rewrite
from satchel.types import Draft, Kind, Message

MAX_LOOK = 4000
"""Code points from the end of an assistant's turn in which its question is looked for."""

MAX_TURN = 400
"""Code points of a user's turn that can be an answer; who writes more says it themselves."""

ANSWER_WORDS = 14
"""Words of the sentence that answers; a longer one is a statement of its own."""

MAX_CLAIM = 200


class Claim(msgspec.Struct, frozen=True):
    """What the assistant supposes of the user, at `start` to `end` of its turn; `text` says it as the user would.

    `asked`: it is put as a question, so that a bare "yes" confirms it."""

    start: int
    end: int
    text: str
    asked: bool


def drafts(turn: Message, before: Sequence[Message]) -> tuple[Draft, ...]:
    """The fact that the user's short `turn` makes of the assistant's question or guess right before it."""
    if turn.role != "user" or not before or before[-1].role != "assistant" or len(turn.content) > MAX_TURN:
        return ()
    if scene.is_play(before) or scene.is_fiction(before):
        return ()
    asked = before[-1]
    made = _answer(turn, asked) or _confirmation(turn, asked)
    return (made,) if made is not None else ()


# --------------------------------------------------------------------------------------------------- the question

_SENTENCE = re.compile(r"[^.!?\n]*(?:\.(?=\w)[^.!?\n]*)*[.!?\n]?")
_OF_THE_TASK = re.compile(
    r"\b(?:would you like|do you want|should i|shall i|do you need|want me|can i|may i|could you"
    r"|can you (?:share|paste|tell|send|clarify|give|show|provide|specify|describe|confirm|be|say)"
    r"|would you (?:mind|rather|prefer)|have you tried"
    r"|did you (?!grow|study|live|work)"
    r"|are you (?:sure|ready|asking|looking|trying|referring|talking|getting|seeing|able|familiar"
    r"|okay|ok|there|done|interested"
    r"|thinking|hoping|planning to (?:use|add))|what do you mean|what (?:error|format|tone|length|style"
    r"|output|kind of (?:text|tone|format|help))"
    r"|which (?:format|version|part|section|option|one|of|tone|style)|in mind|word count|how (?:long"
    r"|short|many words|formal) (?:should|must|do you want)"
    r"|how can i|how may i|anything else|how are you|how(?:'s| is) (?:it|your day|everything)|file|code"
    r"|essay|column|spreadsheet|table|script|function"
    r"|query|dataset|error|deadline|paragraph|draft|letter|e-?mail|document|article|presentation|slides?"
    r"|character|story|poem|plot|protagonist"
    r"|tonight|today|right now|this time|at the moment|just now)\b",
    re.I,
)
_TWO_AT_ONCE = re.compile(r"\w\W+(?:and|or),? (?:what|which|how|where|when|who|do|does|are|is|have|any)\b", re.I)
"""Of two questions in one sentence nobody knows which one "yes, three" answers."""
_NO_ANSWER = re.compile(
    r"^\W*(?:(?:i )?(?:don't|do not|dunno|can't) (?:know|care|remember|mind)|not sure|no idea|why|what"
    r"|who|how|where|when|which|skip|pass|none of your|doesn't"
    r"|does it|depends|it depends|whatever|any(?:thing)?\b|never ?mind|please|just (?:give|tell|do|write"
    r"|show|list)|can you|could you|tell|give|show|write|make|i(?:'d| would)? (?:want|need|like you"
    r"|prefer not)"
    r"|rather not|private|secret|hm+\W*$|ok(?:ay)?\W*$|sure\W*$|thanks?\b|good question|maybe|perhaps|probably|guess)",
    re.I,
)
_OWN_SENTENCE = re.compile(
    r"\b(?:i|i'm|i've|i'd|i'll|im|ive|we|we're|we've|my|our|it's|he's|she's|they're|he|she|they)\b", re.I
)
_PLEASANT = re.compile(r"^\W*(?:(?:oh|ah|um+|uh+|er+|hm+|well|so|ok(?:ay)?|sure|haha|lol)\b[\s,.:;!–—-]*)+", re.I)

_KIN = (
    r"(?:daughter|son|wife|husband|partner|mother|father|mum|mom|dad|sister|brother|grandmother"
    r"|grandfather|grandma|grandpa|nan"
    r"|baby|child|kid|girlfriend|boyfriend|fianc[eé]e?|grandson|granddaughter|niece|nephew|cousin|aunt"
    r"|uncle|eldest|youngest|twins?|kids|children)"
)
_PET = (
    r"(?:dog|cat|puppy|kitten|parrot|rabbit|horse|hamster|tortoise|budgie|cockatiel|guinea pig|pet|pony|snake"
    r"|lizard|goat|hens?)"
)
_WHOSE = rf"(?P<whose>(?:(?:eld\w+|young\w+|old\w+|first|second) )?(?:{_KIN}|{_PET}))"
_HAVE = listed(
    "allergies allergy pets pet kids children siblings brothers sisters grandchildren intolerances "
    "injuries injury conditions condition restrictions dog cat "
    "car garden balcony oven experience equipment instrument languages hobbies medication medications "
    "illnesses surgeries disability disabilities "
    "dietary requirements needs aversions dislikes phobias bike piano guitar degree qualifications visa "
    "citizenship passport roommates housemates "
    "freezer greenhouse blender microwave wheelchair glasses"
)
_DO = listed(
    "drive ride play study teach grow speak smoke drink cook bake run swim cycle commute keep shave sing "
    "paint knit sew sail climb garden work live "
    "eat wear farm breed fish hunt dance train ski surf dive volunteer"
)
_NUMBER = (
    r"(?:\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen"
    r"|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety)(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?"
)

Frame = Callable[[re.Match[str], str], str | None]


def _is_place(answer: str) -> bool:
    return len(words(answer)) <= 8 and not re.match(r"\W*(?:yes|no|not)\b", answer, re.I)


def _in(answer: str) -> str:
    first = next(iter(words(answer)), "").casefold()
    return answer if first in english.PREPOSITIONS or first in {"here", "abroad", "home"} else f"in {answer}"


def _name(match: re.Match[str], answer: str) -> str | None:
    found = re.match(r"(?P<name>[^\W\d_][\w'-]*(?: [A-Z][\w'-]*){0,2})(?P<rest>(?:,| and | \().*)?$", answer)
    if found is None or found["name"].casefold() in _NO_NAMES or found["name"].casefold() in english.FUNCTION_WORDS:
        return None
    whose = match.groupdict().get("whose")
    subject = f"The user's {whose.casefold()}" if whose else None
    if subject is None:
        return f"The user's name is {answer}."
    plural = whose is not None and whose.casefold().split()[-1] in {"twins", "kids", "children", "hens"}
    return f"{subject} {'are' if plural else 'is'} called {answer}."


_NO_NAMES = listed(
    "yes no none not nothing unknown later secret guess both neither maybe it there call just any anything"
)


def _age(match: re.Match[str], answer: str) -> str | None:
    if not re.match(rf"(?:almost |nearly |about |just |only )?{_NUMBER}\b", answer, re.I):
        return None
    whose = match.groupdict().get("whose")
    return f"{_subject(whose)} is {answer}."


def _subject(whose: str | None) -> str:
    return f"The user's {whose.casefold()}" if whose else "The user"


_PLACED = {
    "based": "is based",
    "located": "is located",
    "live": "lives",
    "living": "is living",
    "living now": "is living",
    "from": "is from",
    "work": "works",
    "study": "studies",
    "grow up": "grew up",
    "born": "was born",
    "staying": "is staying",
}


def _where(match: re.Match[str], answer: str) -> str | None:
    if not _is_place(answer):
        return None
    verb = match["verb"].casefold()
    said = _PLACED.get(verb)
    if said is None:
        return None
    return f"The user {said} {answer}." if verb == "from" else f"The user {said} {_in(answer)}."


def _having(match: re.Match[str], answer: str) -> str | None:
    thing = match["thing"].strip()
    if not {word.casefold() for word in words(thing)} & _HAVE:
        return None
    bare = re.sub(r"^(?:yes|yeah|yep|yup)\b[\s,.:;!–—-]*", "", answer, flags=re.I)
    if re.fullmatch(
        r"(?:no|none|nope|nothing|nah|not any|none at all|neither)(?:[, ]+(?:thanks|thank you|at all|none"
        r"|luckily|fortunately))*",
        answer,
        re.I,
    ):
        return f"The user has no {re.sub(r'^(?:an?|any) ', '', thing, flags=re.I)}." if " or " not in thing else None
    if not content(bare) or denials(bare) or re.match(r"no\b", bare, re.I):
        return None
    if re.match(rf"(?:an?|{_NUMBER}|one|two|several|many|lots)\b", bare, re.I) and " or " not in thing:
        return f"The user has {bare}."
    return None if " or " in thing and len(words(bare)) < 2 else f"The user has {thing}: {bare}."


def _how_many(match: re.Match[str], answer: str) -> str | None:
    amount = re.match(
        rf"(?P<amount>(?:about |around |roughly |maybe )?{_NUMBER}(?:\s*(?:-|to|or)\s*{_NUMBER})?)\b(?P<rest>.*)$",
        answer,
        re.I,
    )
    if amount is None:
        return None
    unit, verb = match["unit"].strip(), match["verb"].strip()
    rest = amount["rest"]
    repeated = re.match(rf"\s*{re.escape(unit.split()[0])}\b", rest, re.I)
    said = f"{amount['amount']}{'' if repeated else f' {unit}'}{rest}"
    verb = verb if match["aux"].casefold() in {"can", "could"} else english.third_singular(verb)
    aux = "can " if match["aux"].casefold() in {"can", "could"} else ""
    return f"The user {aux}{verb} {said}."


def _how_long(match: re.Match[str], answer: str) -> str | None:
    what = match["what"].strip()
    if not re.match(
        rf"(?:for |since |about |around |almost |nearly |over |just |only |a |my whole"
        rf"|all my){{0,2}}\s*(?:{_NUMBER}|few|couple|life|year|month|\w+day|19|20|january|february|march"
        rf"|april|may|june|july|august|september|october|november|december)\b",
        answer,
        re.I,
    ):
        return None
    if not re.match(
        r"(?:been|lived|worked|played|had|known|owned|studied|run|ridden|taught|practi[sc]ed|kept|done)\b", what, re.I
    ):
        return None
    told = answer if re.match(r"(?:for|since|all|my)\b", answer, re.I) else f"for {answer}"
    return f"The user has {_theirs(what)} {_theirs(told)}."


def _theirs(text: str) -> str:
    text = re.sub(r"\byour\b", "their", text, flags=re.I)
    return rewrite.pronouns(text)


def _what_do(match: re.Match[str], answer: str) -> str | None:
    verb, tail = match["verb"].casefold(), match["tail"].strip()
    if verb not in _DO and not (verb in {"use", "own", "have"} and tail):
        return None
    if len(words(tail)) > 4 or denials(answer) or not content(answer):
        return None
    return f"The user {english.third_singular(verb)}{f' {_theirs(tail)}' if tail else ''} {_theirs(answer)}."


def _which_on(match: re.Match[str], answer: str) -> str | None:
    return f"The user is {match['tail'].strip()} {answer}." if content(answer) and not denials(answer) else None


def _whats_yours(match: re.Match[str], answer: str) -> str | None:
    thing = match["thing"].strip()
    if denials(answer) or not content(answer) or len(words(answer)) > 10:
        return None
    return f"The user's {thing} is {_theirs(answer)}."


def _job(_: re.Match[str], answer: str) -> str | None:
    if denials(answer) or len(words(answer)) > 8 or not content(answer):
        return None
    article = re.match(r"(?:an?|the)\b", answer, re.I)
    person = re.search(
        r"(?:er|or|ist|ian|nurse|teacher|student|chef|cook|clerk|pilot|midwife|vet|engineer|manager"
        r"|driver|retired|accountant|attendant|guide)\b",
        answer,
        re.I,
    )
    if person is None:
        return f"The user's work: {answer}."
    retired = re.match(r"(?:retired|unemployed|self-employed|freelance)\W*$", answer, re.I)
    return (
        f"The user is {answer}."
        if article or retired
        else f"The user is {'an' if answer[:1].lower() in 'aeiou' else 'a'} {answer}."
    )


_AT_START = r"(?:(?:and|so|oh|ok|great|sure|happily|nice|lovely|first|may i ask|tell me)\W+){0,2}"
_OFTEN = r"(?:usually |normally |currently |mostly )?"
_NOW = r"(?: now| at the moment| currently)?"
_KINDS_OF_THING = r"(?:car|bike|instruments?|languages?|sports?|subjects?|model|breed|crops?|animals?)"
_QUALIFIED = (
    r"(?:current|native|usual|dress|ring|favou?rite|resting|blood|star|time|shoe|clothing|target|date of|waist|mother)"
)
_OF_A_PERSON = (
    r"(?:size|shoe size|height|weight|birthday|birth|star sign|sign|zone|language|tongue|heart rate|type|diet|hometown"
    r"|nationality|age|level|measurement|colou?r|food|dish|book|film|movie|band|genre|author|team|sport|drink|cuisine"
    r"|season|subject|animal|flower|instrument|mother tongue)"
)
_QUESTIONS: tuple[tuple[str, Frame], ...] = (
    (rf"what(?:'s| is| are) your {_WHOSE}(?:'s|s'|') names?", _name),
    (rf"what(?:'s| is) the name of your {_WHOSE}", _name),
    (rf"what(?:'s| is| are) your {_WHOSE} called", _name),
    (r"what(?:'s| is) your (?:first |last |full )?name|what (?:should|can|may) i call you|what are you called", _name),
    (rf"how old (?:are you|is your {_WHOSE}){_NOW}", _age),
    (
        r"where (?:are|do|did|were) you (?:currently |usually |originally )?"
        rf"(?P<verb>based|located|living now|living|live|from|work|study|grow up|born|staying){_NOW}",
        _where,
    ),
    (
        r"(?:which|what) (?:city|country|town|region|state) (?:are|do) you (?:currently )?"
        r"(?P<verb>based|located|living|live|from|work)(?: in)?",
        _where,
    ),
    (
        r"(?:do you have|have you got|any) (?:any )?(?P<thing>(?:an? )?[\w' -]{2,60}?)"
        r"(?: (?:i should know (?:about|of)|at home|at all|yourself|that i should know))?",
        _having,
    ),
    (
        r"how many (?P<unit>[\w-]+(?: (?:a|per|each) (?:day|week|month|year))?) (?P<aux>can|could|do) you "
        r"(?P<verb>have|train|work|own|keep|teach|commit|spare|run|practi[sc]e|exercise|sleep|speak|ride)"
        r"(?: at home| now| currently| usually)?",
        _how_many,
    ),
    (rf"how long have you (?P<what>[\w' -]{{3,60}}?)(?: for)?{_NOW}", _how_long),
    (
        r"what do you do(?: for (?:a living|work))?|what(?:'s| is) your (?:job|profession|occupation|line of work)"
        r"|what kind of work do you do",
        _job,
    ),
    (
        rf"(?:what|which)(?: (?:[\w-]+ ){{0,2}}?{_KINDS_OF_THING})? do you {_OFTEN}(?P<verb>[a-z]+)"
        rf"(?P<tail>(?: (?:with|on|in|at|it on|for work|at home))?){_NOW}",
        _what_do,
    ),
    (
        r"(?:which|what) (?:operating system|phone|platform|plan|medication|dose|team|shift) are you (?P<tail>on|in)",
        _which_on,
    ),
    (rf"what(?:'s| is) your (?P<thing>(?:{_QUALIFIED} )?{_OF_A_PERSON}){_NOW}", _whats_yours),
)
_FRAMES = tuple((re.compile(rf"{_AT_START}(?:{pattern})\s*\?$", re.I), frame) for pattern, frame in _QUESTIONS)


def _questions(message: Message) -> list[tuple[int, int]]:
    """The questions at the end of an assistant's turn: (start, end) of each."""
    offset = max(0, len(message.content) - MAX_LOOK)
    found = []
    for match in _SENTENCE.finditer(message.content, offset):
        start, end = match.span()
        while start < end and message.content[start].isspace():
            start += 1
        if end > start and message.content[end - 1] == "?" and end - start <= 300:
            found.append((start, end))
    return found


def _answer(turn: Message, asked: Message) -> Draft | None:
    questions = _questions(asked)
    if len(questions) != 1:
        return None
    start, end = questions[0]
    question = plain(asked.content[start:end])
    if _OF_THE_TASK.search(question) or _TWO_AT_ONCE.search(question):
        return None
    span = _first_sentence(turn)
    if span is None:
        return None
    quote = turn.content[slice(*span)]
    answer = re.sub(r"\s+", " ", plain(rewrite.plain_marks(quote))).strip()
    # "Happy to, but first: how old are you?" asks after the last mark.
    asking = question[max(question.rfind(mark, 0, -1) for mark in ",:;–—") + 1 :].strip()
    for pattern, frame in _FRAMES:
        match = pattern.fullmatch(question) or pattern.fullmatch(asking)
        if match is None:
            continue
        text = frame(match, answer)
        if text is None:
            return None
        favourite = frame is _whats_yours and re.search("favou?rite", question, re.I)
        kind: Kind = "explicit_preference" if favourite else "fact"
        # The frame's own words, and what the question lends, may be added; the answer's must all be there.
        told = "" if text.startswith("The user has no ") else re.sub(r"^(?:yes|yeah|yep|yup)\b", "", answer, flags=re.I)
        sound = check(text, told, context=f"{question} {_LENT}").ok
        return _draft(turn, asked, text, span, (start, end), kind) if sound else None
    return None


_LENT = "called name has no work grew years"
"""Words of the statements' frames that neither the answer nor always the question has."""


def _first_sentence(turn: Message) -> tuple[int, int] | None:
    """Where the short answer stands: the turn's first sentence, without openers; None when it is no answer."""
    match = _SENTENCE.match(turn.content)
    if match is None:
        return None
    start, end = match.span()
    if turn.content[end - 1 : end] == "?" or _NO_ANSWER.match(plain(turn.content[start:end])):
        return None
    if opener := _PLEASANT.match(plain(turn.content[start:end])):
        start += opener.end()
    first, last = rewrite.trim(turn.content[start:end])
    start, end = start + first, start + last
    while end > start and turn.content[end - 1] in ".!\n ":
        end -= 1
    said = plain(turn.content[start:end])
    if (own := _OWN_SENTENCE.search(said)) and (cut := max(said.rfind(mark, 0, own.start()) for mark in ",;(")) > 0:
        end, said = start + len(said[:cut].rstrip()), said[:cut].rstrip()
        said = said if said.count(",") == 0 else said[: said.rfind(",")]
        end = start + len(said)
    if not 0 < len(words(said)) <= ANSWER_WORDS or _OWN_SENTENCE.search(said):
        return None
    return (start, end) if not _NO_ANSWER.match(said) else None


def _draft(
    turn: Message, asked: Message, text: str, span: tuple[int, int], question: tuple[int, int], kind: Kind = "fact"
) -> Draft:
    about = text.removeprefix("The user's ").removeprefix("The user ")
    return Draft(
        kind=kind,
        text=text,
        key=keys.key(about),
        tags=keys.tags(about),
        sources=(align.source(turn, *span), align.source(asked, *question)),
        valid_from=turn.time,
    )


# --------------------------------------------------------------------------------------------------- guesses

_CLAIM = re.compile(
    r"""(?:^|(?<=[.!?,:;–—]\ )|(?<=[.!?]\n)|(?<=\n))
    (?P<lead>(?:so|ah|oh|and|but|then|ok(?:ay)?),?\ (?=you)|since\ |as\ (?=you\b)|given\ that\ |because\ (?=you)
      |(?:it\ )?(?:sounds|looks|seems)\ (?:like|as\ if|as\ though)\ |i'd\ (?:guess|say)\ (?:that\ )?
      |i\ (?:guess|assume|gather|take\ it|imagine|suppose|see|know|remember|suspect|believe)\ (?:that\ )?
      |i'm\ (?:guessing|assuming|gathering|supposing)\ (?:that\ )?|(?:my\ guess\ is|i'd\ bet|i\ bet)\ (?:that\ )?
      |(?:presumably|apparently|i\ presume),?\ (?:that\ )?
      |you(?:'ve|\ have)?\ (?:said|mentioned|told\ me)\ (?:that\ )?)?
    (?P<claim>you(?:'re|\ are|'ve\ (?:been|lived|worked|got)
        |\ (?:(?:usually|mostly|often|always|never|don't|currently|still)\ )?[a-z]+|\ (?:seem|appear)\ to\ \w+)\b
      [^.?!,;:\n–—]{2,120})""",
    re.I | re.X,
)
_AS_SOMEONE = re.compile(
    r"(?:^|(?<=[.!?]\s))(?:as|being) (?P<someone>an? [\w' -]{3,50}?), (?:you|i'd|i would|the|try|it|this"
    r"|here|consider)\b",
    re.I,
)
_YES_NO = re.compile(
    r"(?:^|(?<=[.!?:,]\s))(?:and |so |ah, |oh, )?(?P<verb>are|do) you (?P<rest>(?:(?:usually|often|still"
    r"|also|currently|already) )?(?P<first>[\w-]+)\b[^?\n]{0,100})\?",
    re.I,
)
_STATE = listed(
    "a an vegetarian vegan allergic married single divorced widowed retired left-handed right-handed "
    "pregnant diabetic based living located from colour-blind "
    "dyslexic lactose gluten self-employed coeliac celiac deaf blind epileptic asthmatic catholic muslim "
    "jewish hindu buddhist religious autistic "
    "bilingual unemployed working studying training learning"
)
_LASTING = listed(
    "live work own keep play drive study teach speak avoid hate love prefer ride run swim grow eat drink "
    "smoke have cook commute garden cycle farm sing sail "
    "wear paint knit travel volunteer run bake breed shave fast"
)
_HAVE_LASTING = re.compile(
    r"(?:a|an|two|three|four|five|kids|children|allerg\w+|asthma|diabetes|arthritis"
    r"|(?:any )?(?:\w+ )?allerg\w+)\b(?! (?:question|minute|moment|file|copy|plan|idea|draft|preference"
    r"|budget|deadline|screenshot|link|picture|photo))",
    re.I,
)
_TASKS = re.compile(
    r"\b(?:code|error|file|version|essay|draft|text|table|column|function|question|format|output|document"
    r"|email|letter|story|character|point|right now|today|tonight"
    r"|want|need|looking|trying|asking|mean|referring|project|homework|this|that|these|those|here)\b",
    re.I,
)
_AGREES = re.compile(
    r"\W*(?:(?:oh|ah|haha|lol|well|wow)\W+)?(?P<strong>(?:yes|yeah|yep|yup|aye)?\W*(?:exactly"
    r"|that's (?:right|true|correct|me)|you are|spot[- ]on|correct|right on(?: both)?|bang on|indeed|true"
    r"|precisely|(?:you )?guess(?:ed)? (?:it|right|well|correctly)|(?:good|right|nice|great|lucky) guess|bingo"
    r"|nailed it"
    r"|well spotted|how did you (?:know|guess)|you(?:'re| are) right|quite right"
    r"|right you are"
    r"|that's it|that's the one|you got it|you've got it|guilty(?: as charged)?|absolutely|i am|i do"
    r"|that is (?:right|true"
    r"|correct)|right)\b|(?P<weak>yes|yeah|yep|yup|aye|yea))(?:\s*(?:that's me|exactly|indeed|i am|i do"
    r"|correct|sure))?(?P<rest>.*)$",
    re.I | re.S,
)


def claims(message: Message) -> tuple[Claim, ...]:
    """What an assistant's turn supposes about the user's life, in the order in which it stands there."""
    offset = max(0, len(message.content) - MAX_LOOK)
    text = plain(message.content[offset:])
    found: list[Claim] = []
    for match in _CLAIM.finditer(text):
        said = match["claim"].strip()
        asks = text[match.end() : match.end() + 12]
        asked = asks.startswith("?") or re.match(r",? (?:right|correct|yes|no|am i right)\?", asks, re.I) is not None
        if (match["lead"] or asked) and _is_lasting(said):
            found.append(
                Claim(offset + match.start("claim"), offset + match.start("claim") + len(said), _as_user(said), asked)
            )
    for match in _YES_NO.finditer(text):
        rest = re.sub(r",? (?:by any chance|perhaps|maybe|yourself|too|at all|then)\s*$", "", match["rest"].strip())
        said = f"you are {rest}" if match["verb"].casefold() == "are" else f"you {rest}"
        if " or " not in rest and _is_lasting(said):
            found.append(Claim(offset + match.start("verb"), offset + match.end("rest"), _as_user(said), asked=True))
    for match in _AS_SOMEONE.finditer(text):
        if not _TASKS.search(match["someone"]) and not re.match(
            r"a (?:result|rule|start|bonus|last|first|final|next|general|matter|reminder|side|quick|beginner's)\b",
            match["someone"],
            re.I,
        ):
            found.append(
                Claim(
                    offset + match.start("someone"),
                    offset + match.end("someone"),
                    f"I am {match['someone']}",
                    asked=False,
                )
            )
    return tuple(sorted(found, key=lambda claim: claim.start))


def _is_lasting(said: str) -> bool:
    """Whether "you ..." tells something of a life rather than of the talk."""
    if _TASKS.search(said) or len(said) > MAX_CLAIM:
        return False
    be = re.match(r"you(?:'re| are) (?:(?:\w+ly|also|still) )?(?P<word>[\w-]+)(?P<rest>.*)", said, re.I)
    if be:
        return be["word"].casefold() in _STATE and (
            be["word"].casefold() not in {"a", "an"} or bool(content(be["rest"]))
        )
    if re.match(r"you've (?:been|lived|worked) \w+", said, re.I):
        return True
    if re.match(r"you(?:'ve got| have) ", said, re.I):
        return _HAVE_LASTING.match(said.split(" ", 2)[2]) is not None if len(said.split(" ", 2)) == 3 else False
    do = re.match(
        r"you (?:(?:usually|mostly|often|always|never|don't|currently|still|seem to"
        r"|appear to) )?(?P<word>[a-z]+)\b(?P<rest>.*)",
        said,
        re.I,
    )
    if do is None or do["word"].casefold() not in _LASTING:
        return False
    return do["word"].casefold() != "have" or _HAVE_LASTING.match(do["rest"].strip()) is not None


def _as_user(said: str) -> str:
    """ "you're based in Porto" as the user would say it: "I'm based in Porto"."""
    swaps = {"you're": "I'm", "you": "I", "your": "my", "yours": "mine", "yourself": "myself", "you've": "I've"}
    said = re.sub(r"\byou are\b", "I am", said, flags=re.I)
    said = re.sub(r"\byou (?:seem|appear) to\b", "I", said, flags=re.I)
    said = re.sub(r"(?<= )you$", "me", said, flags=re.I)
    return re.sub(
        r"\b(?:you're|you've|yourself|yours|your|you)\b", lambda found: swaps[found[0].casefold()], said, flags=re.I
    )


def _confirmation(turn: Message, asked: Message) -> Draft | None:
    """The assistant's guess, where the user's turn begins by confirming it."""
    guesses = claims(asked)
    if len(guesses) != 1:
        return None
    claim = guesses[0]
    match = _SENTENCE.match(turn.content)
    if match is None or turn.content[match.end() - 1 : match.end()] == "?":
        return None
    sentence = plain(match[0]).rstrip(".!\n ")
    agrees = _AGREES.match(sentence)
    if (
        agrees is None
        or len(words(sentence)) > ANSWER_WORDS
        or re.match(r"\W*(?:but|not|no|except|only)\b", agrees["rest"], re.I)
    ):
        return None
    last = _questions(asked)
    after = [span for span in last if span[0] > claim.end]
    if after or (agrees["weak"] and not (claim.asked and last and last[-1][1] >= claim.end)):
        return None
    said = rewrite.third_person(re.sub(r"\bany ", "", claim.text))
    if said is None:
        return None
    rest = agrees["rest"].strip(" ,;:–—-.!")
    end = match.start() + len(match[0].rstrip(".!\n "))
    if rest and (
        _OWN_SENTENCE.search(rest)
        or re.match(r"(?:please|thanks?|so|and|can|could|what|how|more|go|fix|but)\b", rest, re.I)
    ):
        end, rest = match.start() + agrees.start("rest"), ""
    if re.search(r"\b(?:is|are)\b", rest, re.I):
        rest = rest.partition(",")[0]
        end = match.start() + agrees.start("rest") + sentence[agrees.start("rest") :].find(rest) + len(rest)
    if denials(rest) or re.search(r"\b(?:is|are)\b", rest, re.I):
        return None
    start, end = _trimmed(turn.content, 0, end)
    if end <= start:
        return None
    text = f"{said.removesuffix('.')}, {rest}." if rest else said
    if not check(text, rest, context=claim.text).ok:
        return None
    return _draft(turn, asked, text, (start, end), (claim.start, claim.end), _kind_of(claim.text))


def _kind_of(said: str) -> Kind:
    return "explicit_preference" if re.match(r"I (?:\w+ )?(?:avoid|hate|love|prefer)\b", said) else "fact"


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while end > start and text[end - 1] in " ,;:.!\n":
        end -= 1
    return start, end
