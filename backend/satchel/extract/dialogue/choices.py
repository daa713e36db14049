"""A choice among what the assistant offered: the assistant names the options, the user takes one, or turns one down.

Two memories can come of it. An implicit preference says what the choice hints at, and its reasoning from how little
and in whose words. A fact joins a plan the user had told before with the choice, and so has two sources. The options
are the assistant's words: they stand in the statement as what was offered, never as something the user said, and the
offer is the last source, after the user's own turns.

Choosing among texts, code, the assistant's next steps or the answers of a quiz shows no taste and gives nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from satchel.extract.checking import align
from satchel.extract.choosing import clauses
from satchel.extract.dialogue import offers, scene
from satchel.extract.dialogue.offers import Option
from satchel.extract.language.english import listed
from satchel.extract.language.words import content, plain, words
from satchel.extract.saying import keys, rewrite
from satchel.times import to_datetime
from satchel.types import Draft, Message, Source

MAX_ANSWER = 600
"""Code points of a user's turn that may be a choice; a longer one is about something else."""

MAX_REASON = 300
"""Code points of the user's reason that the reasoning repeats."""

OTHERS = 3
"""Options beside the chosen one that a statement names."""

STATEMENT_WORDS = 32
"""A statement stays one that can be read at a glance: what would make it longer is left to the reasoning."""


class Chosen(Draft, frozen=True, kw_only=True):
    """A draft that rests on something the user did, not only on a hint: one observation is enough for it."""


class Taken(msgspec.Struct, frozen=True):
    """Which option a turn takes, or turns down, where it says so, and where it says why (0, 0: nowhere)."""

    option: Option
    start: int
    end: int
    reason: tuple[int, int] = (0, 0)
    refused: bool = False


# ----------------------------------------------------------------------------------------------- the choice

_TAKES = re.compile(
    r"""\b(?:i'?ll|i\ will|i\ would|i'?d|i'm|i\ am|let's|let\ us|we're|we'll|we\ will|i|we)\ (?:\w+\ ){0,2}?
      (?:go(?:ing)?\ (?:with|for|to|ahead\ with)|went\ (?:with|for)|take|took|pick(?:ed)?|choose|choosing|chose
        |book(?:ed)?|try|order(?:ed)?|have|get|got|do|stay\ (?:at|in)|settle[d]?\ (?:on|for)|decided\ on|opt(?:ed)?\ for
        |select(?:ed)?|prefer|like|love|rather|want|read|watch|use|buy|bought|visit|reserve[d]?|say|enjoy|check\ out
          |start\ with
        |leaning\ towards?|lean\ towards?|drawn\ to|interested\ in|consider|join|attend|enroll?\ in|give
          |sign\ up\ for)\b
    |\b(?:go\ with|give\ me|make\ it|book\ me|sign\ me\ up\ for|my\ (?:pick|choice|vote|favou?rite)\ (?:is|would\ be
      |goes\ to))\b
    |\b(?:it\ is|sold|(?:sounds?|seems?|looks?|feels?)\ (?:\w+\ ){0,3}?(?:good|great|best|perfect|nice|lovely
      |right|better|ideal|wonderful
        |amazing|fun|interesting|appealing|fantastic|like\ (?:me|the|a|my|what|something))
        |(?:is|are|would\ be|might\ be|could\ be|will\ be)\ (?:\w+\ ){0,3}?(?:perfect|best|the\ one|better|(?:great
          |good|right|nice|ideal|best|lovely)
          \ (?:option|choice|fit|idea|one|pick|way|bet|match)|ideal|my\ (?:pick|choice|favou?rite)|more\ my)
        |works?\ (?:best\ |well\ |better\ |great\ )?for\ me|suits?\ me|appeals?(?:\ most|\ more)?(?:\ to\ me)?
          |fits?\ (?:me|my)|is\ more\ my)\b
    |我(?:就|要|会|想|还是)*(?:选|住|要|订|去|用|买)|就(?:选|去|住|订|要)|选""",
    re.I | re.X,
)
_REFUSES = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|except|hate|dislike|avoid|skip|too|unless|if|against|don't|won't|can't"
    r"|isn't|wouldn't|doesn't|aren't)\b|不|没|别",
    re.I,
)
# A next task for the assistant that happens to share a word with what it offered.
_ASKS_FOR = re.compile(
    r"^\W*(?:(?:and|now|then|ok(?:ay)?|great|thanks?|please|can\s+you|could\s+you"
    r"|would\s+you)\W+)*(?:explain|show|write|tell"
    r"|describe|list|translate|rewrite|re-?write|summari[sz]e|compare|expand|elaborate|continue|add"
    r"|provide|create|convert"
    r"|generate|fix|change|make\s+(?!it\b)|give\s+me\s+(?:more|an?|some|examples?|details?)|other\s+ways"
    r"|more\s+(?:on|about)"
    r"|what|how|why|where|when|who|is|are|does|do)\b",
    re.I,
)
_OF_A_TEXT = re.compile(
    r"\b(?:version|draft|outline|titles?|headline|slogan|caption|tagline|sentence|paragraph|wording"
    r"|phrasing|variant|code"
    r"|snippet|function|answer|solution|scenario|translation|rewrite|continue|proceed|go on|go ahead and"
    r"|use (?:that|it) (?:for|as|in)"
    r"|do (?:that|it|both|all)|step \d|steps?)\b",
    re.I,
)
_OVER = re.compile(
    r"\b(?:over|rather\s+than|instead\s+of|than|not|but\s+not|and\s+not|unlike|compared\s+(?:to|with))\b|而不是|不要|不选|，不",
    re.I,
)
_WHY = re.compile(
    r"(?:[,;]?\s+(?:because|since|as\s+(?:i|it|the|they|my|we)|seeing as|considering|given)\b"
    r"|[,;]\s+(?:so|that way|which|though|i|my|we|the"
    r" (?:other|rest)|it|they|nothing|nobody|anything)\b|\s+[-–—]\s+|[;…]|\.\.\.)",
    re.I,
)
_ABOUT_OTHERS = re.compile(
    r"^\W*(?:but |and |while |as )?(?:all |both |most )?(?:of )?(?:the |those |these )?(?:others?|rest"
    r"|remaining|none of|neither)\b",
    re.I,
)
_REASONS = re.compile(
    r"\b(?:others?|rest|too|don't|doesn't|didn't|not|isn't|aren't|can't|won't|wouldn't|never|no|nothing"
    r"|nobody|because|since|prefer"
    r"|like|love|hate|want|need|sick|tired|enjoy|rather|anything|always|appeals?|fan|taste|style|thing"
    r"|makes? me|avoid|dislike"
    r"|important|matters?|better|more|less|allergic|budget|afraid|scared)\b",
    re.I,
)
_ORDINALS = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4,
    "一": 0, "二": 1, "三": 2, "四": 3,
}  # fmt: skip
_ORDINAL = re.compile(
    r"(?:\bthe|^\W*|\bwith|\bnot)\s*\b(?P<word>first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|last"
    r"|former|latter)\b(?:\s+(?:one|option|choice"
    r"|suggestion|idea))?(?!\s+(?:time|day|week|thing|of|hand)|-)"
    r"|\b(?:options?|number|no\.|choice)\s*#?(?P<mark>[a-h1-9])\b|\#(?P<hash>[1-9])\b"
    r"|^\W*(?P<bare>[a-h1-9])(?=\W*$|[,;:)])"
    r"|第(?P<han>[一二三四])(?:个|家|种|项)|(?P<hanlast>最后一[个家种项])",
    re.I,
)
_QUALITY = re.compile(r"\bthe\s+(?:most\s+)?(?P<quality>[a-z]{3,}?)(?:er|est|r|st)?\s+one\b", re.I)
_FILLER = listed(
    "then ok okay yes great thanks thank definitely perfect choice good one option number go think guess "
    "maybe probably obviously"
    " lovely nice hmm ooh oh ah sure please sold clearly deffo first hm suppose obv sounds yeah yep ones easy"
)
_ASIDE = re.compile(
    r"[ ,]*\b(?:i think|i guess|i suppose|please|thanks|then|for me|for us|maybe|probably|definitely|obviously)\b", re.I
)


def chosen(text: str, options: Sequence[Option]) -> Taken | None:
    """The option that the user takes in `text`, and the span of the sentence in which they do; else None.

    By its name, a telling part of it, its place ("the second one", "option B"), a word that only its description
    holds ("the cheaper one"), or by sharing more telling words with the sentence than any other. A question, a
    refusal, a task for the assistant, and a sentence that takes two are no choice."""
    if len(text) > MAX_ANSWER or not options:
        return None
    spans = _sentences(text)
    for at, (start, end) in enumerate(spans):
        sentence = plain(text[start:end])
        if _ASKS_FOR.match(sentence) or _OF_A_TEXT.search(sentence) or _ABOUT_OTHERS.match(sentence) or _asks(sentence):
            continue
        wanted = _wanted(sentence, options)
        if _REFUSES.search(wanted) and not re.match(r"\W*no[,.]\s", wanted, re.I):
            continue
        named = _named(wanted, options)
        if _PRAISES.search(sentence) and _wants_more(text):
            continue
        if len(named) == 1 and (_TAKES.search(sentence) or _only_names(wanted, named)):
            inner = len(wanted) if len(wanted) < len(sentence) else 0
            return Taken(named[0], start, end, _reason(text, spans[at:], inner))
    return None


_PRAISES = re.compile(r"\b(?:like|love|enjoy|liked|loved)\b", re.I)
_MORE = re.compile(
    r"\?|\b(?:can|could|would) you\b|\b(?:great|good|useful|lovely|helpful|awesome|wonderful"
    r"|nice)\s+(?:tips?|advice|suggestions?|ideas?)\b",
    re.I,
)


def _wants_more(text: str) -> bool:
    """ "I love the one about hands. Could you expand on it?": liking an answer is not taking an option."""
    return _MORE.search(text) is not None


def _asks(sentence: str) -> bool:
    return "?" in sentence or "？" in sentence or re.search(r"[吗呢]\W*$", sentence) is not None


def _wanted(sentence: str, options: Sequence[Option]) -> str:
    """The part of the sentence that says what is taken: without what it is taken over, and without the reason."""
    head, comma, _ = sentence.partition(",")
    if comma and len(words(head)) <= 5 and len(named := _named(head, options)) == 1 and _only_names(head, named):
        return head
    why = next(
        (match for match in _WHY.finditer(sentence) if match.start() > 0 and words(sentence[: match.start()])), None
    )
    wanted = sentence[: why.start()] if why and _named(sentence[: why.start()], options) else sentence
    over = _OVER.search(wanted)
    return wanted[: over.start()] if over and _named(wanted[: over.start()], options) else wanted


def _reason(text: str, spans: Sequence[tuple[int, int]], inner: int) -> tuple[int, int]:
    """Where the user says why: in the rest of the sentence, or in the one or two that follow."""
    (start, first_end), *following = spans
    begin = start + inner if inner else 0
    end = first_end if inner else 0
    for after, stop in following[:2]:
        sentence = plain(text[after:stop])
        if _asks(sentence) or _ASKS_FOR.match(sentence) or not _REASONS.search(sentence):
            break
        begin, end = begin or after, stop
    while begin < end and not text[begin].isalnum():
        begin += 1
    return (begin, end) if begin < end else (0, 0)


def _sentences(text: str) -> list[tuple[int, int]]:
    """Sentences with their end mark, so that a question is seen to be one."""
    spans = []
    for match in re.finditer(r"[^.!?。！？\n]*(?:\.(?=\w)[^.!?。！？\n]*)*[.!?。！？\n]*", text):
        start, end = match.span()
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        if start < end:
            spans.append((start, end))
    return spans


def _named(sentence: str, options: Sequence[Option]) -> list[Option]:
    """The options that `sentence` speaks of: by full name, by place, by the words it shares with one."""
    lower = plain(sentence).casefold()
    full = [option for option in options if _stands(_bare(option.name), lower)]
    # Chinese has no gaps between words, so a name may stand anywhere.
    full = full or [option for option in options if _is_han(option.name) and option.name in sentence]
    full = [option for option in full if not any(_inside(option, other) for other in full if other is not option)]
    by_place = _by_place(sentence, options)
    if full:
        return [option for option in full if option is by_place] or full if by_place else full
    by_words = _by_words(sentence, options)
    if by_place:
        return [by_place] if not by_words or by_place in by_words else [by_place, *by_words]
    if by_words:
        return by_words
    if match := _QUALITY.search(lower):
        kind = match["quality"]
        return [
            option
            for option in options
            if any(word.casefold().startswith(kind) for word in words(option.description + " " + option.name))
        ]
    return [option for option in options if _is_han(option.name) and _han_part(option, options, sentence)]


def _stands(name: str, lower: str) -> bool:
    return bool(name) and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lower) is not None


def _bare(name: str) -> str:
    return re.sub(r"^(?:the|a|an) ", "", plain(name).casefold())


def _inside(option: Option, other: Option) -> bool:
    """ "Museum" is not chosen where "Museum of Glass" is."""
    mine, theirs = _bare(option.name), _bare(other.name)
    return len(mine) < len(theirs) and _stands(mine, theirs)


def _by_place(sentence: str, options: Sequence[Option]) -> Option | None:
    match = _ORDINAL.search(sentence)
    place = _place(match, len(options)) if match else None
    return options[place] if place is not None and 0 <= place < len(options) else None


def _by_words(sentence: str, options: Sequence[Option]) -> list[Option]:
    """The option with which the sentence shares more telling words than with any other; all, where none leads.

    A word weighs the less the more options have it; one in the name weighs more than one in the description. A
    single small word in a longer sentence is a coincidence."""
    said = [(offers.stem(word), word) for word in words(sentence)]
    every = [
        (offers.stems(_bare(option.name)), offers.stems(f"{option.name} {option.description}")) for option in options
    ]
    spread = Counter(one for _, known in every for one in known)
    least = 3 if len(said) <= 5 else 4
    telling = {one for one, word in said if one in spread and (len(word) >= least or word.isupper() or word.isdigit())}
    telling -= {one for one in telling if one in _FILLER or one in _COMMON}
    scores = []
    for option, (name, known) in zip(options, every, strict=True):
        shared = telling & known
        own = sum((1.5 if one in name else 1.0) / spread[one] for one in shared if spread[one] < len(options))
        scores.append((own, option))
    scores.sort(key=lambda scored: -scored[0])
    best = scores[0][0]
    if best < 0.9:
        return []
    little = len(words(sentence)) <= 9 or any(word[:1].isupper() for one, word in said[1:] if one in telling)
    if best < 2 and not (little or _TAKES.search(sentence)):
        return []
    return [option for score, option in scores if score > best * 0.67]


_COMMON = listed("option other choice sound seem really best good great idea thing something like more most make")


def _han_part(option: Option, options: Sequence[Option], sentence: str) -> bool:
    start = option.name[:2]
    return len(start) == 2 and start in sentence and sum(other.name.startswith(start) for other in options) == 1


def _is_han(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


def _place(match: re.Match[str], count: int) -> int | None:
    if word := match["word"]:
        ends = {"last": count - 1, "latter": 1 if count == 2 else None, "former": 0 if count == 2 else None}
        return ends[word.casefold()] if word.casefold() in ends else _ORDINALS[word.casefold()]
    if match["hanlast"]:
        return count - 1
    if match["han"]:
        return _ORDINALS[match["han"]]
    mark = (match["mark"] or match["hash"] or match["bare"]).casefold()
    return int(mark) - 1 if mark.isdigit() else ord(mark) - ord("a")


def _only_names(sentence: str, named: Sequence[Option]) -> bool:
    """Whether the sentence is short and hardly more than the name: "7 Days Inn, then."."""
    if len(words(sentence)) > 8:
        return False
    known = {one for option in named for one in offers.stems(f"{option.name} {option.description}")}
    known |= {offers.stem(word) for word in _FILLER}
    place = _ORDINAL.search(sentence) or _QUALITY.search(sentence)
    rest = _ASIDE.sub("", sentence.replace(place[0], "") if place else sentence)
    return all(offers.stem(word) in known for word in content(rest))


# ---------------------------------------------------------------------------------------------- the turn-down

_TURNS_DOWN = re.compile(
    r"^\W*(?:(?:no|hmm?|ah|oh|sorry|well)\W+)*(?:not|no|skip|anything but"
    r"|never)\s+(?P<what>[^,.;:!?–—]{2,60}?)(?:\s*(?:[,;:–—-]|\bbecause\b|\bsince\b|\bas\b)\s*)"
    r"(?P<why>[^?]{4,160})$",
    re.I,
)
_IS_BAD = re.compile(
    r"(?P<what>.{2,60}?)\s+(?:is|are|sounds?|seems?|looks?|feels?|would be|makes?|gives?"
    r"|gets?)\s+(?P<why>(?:\w+\s+){0,2}?(?:too|so)\s+\w.{0,120}"
    r"|(?:me|my)\b.{2,120}|not (?:my|for me).{0,80})$",
    re.I,
)


def refused(text: str, options: Sequence[Option]) -> Taken | None:
    """The one option that the user turns down with a reason: "not the first, too touristy"; else None."""
    if len(text) > MAX_ANSWER or not options:
        return None
    for start, end in _sentences(text):
        sentence = plain(text[start:end])
        if _asks(sentence) or _OF_A_TEXT.search(sentence):
            continue
        match = _TURNS_DOWN.match(sentence.rstrip(".!"))
        if match is None:
            match = _IS_BAD.match(sentence.rstrip(".!"))
            if match is None or not re.search(r"\b(?:too|makes? me|makes? my|not (?:my|for me))\b", sentence, re.I):
                continue
        named = _named(match["what"], options)
        if len(named) == 1 and _only_names(match["what"], named) and content(match["why"]):
            why = (start + match.start("why"), start + match.end("why"))
            return Taken(named[0], start, end, why, refused=True)
    return None


# --------------------------------------------------------------------------------------------- the memories

_PLANS = re.compile(
    r"\b(?:i'?ve|i\ have|i'm|i\ am|i'?ll|we'?ve|we\ have|we're|we|i|my|our)\b.*\b(?:"
    r"decided|going|plan(?:ning|ned|s)?|moving|travel(?:l?ing)?|visit(?:ing)?|start(?:ing|ed)"
    r"|getting|about\ to|booked|turn(?:s|ing)?)\b"
    r"|我.*(?:决定|打算|计划|要|想)",
    re.I | re.X,
)
_TOPIC = re.compile(
    r"(?:\b(?:which|what)\b|\b(?:recommend|suggest|know|any|some|find)\b(?:\s+(?:me|of|any|some|a|an|good|nice))*)\s+"
    r"(?P<topic>(?:[\w'-]+\s+){0,3}?[\w'-]+?)(?=\s+(?:could|can|should|do|does|would|are|is|was|for|in|near|at|to|that"
    r"|with|under|on|might|shall|will|around|there)\b|\s*[?.,]|$)",
    re.I,
)
_NOT_TOPIC = listed(
    "would should could can do is are to you i me one ones it that something kind about options ideas "
    "ways suggestions things"
    " sort sorts types kinds tips recommendations"
)
MAX_QUESTION = 300
"""Code points of the end of an assistant's turn that are looked at for the question it ends with."""

_ASKS_WHAT_IS = re.compile(
    r"\b(?:do you (?:have|own|hold|suffer)|have you (?:got|had)|how do you (?:hold|get)|is (?:it|your|that)\b|were you"
    r"|are (?:they|your|those)\b|does (?:it|your|the)\b|did (?:it|your|the|you)\b"
    r"|any(?:thing)?\b[^.!?\n]*\bi should know|is there anything\b|any (?:history|sign|trace|allerg\w+"
    r"|injur\w+))[^.!?\n]*\?\W*$",
    re.I,
)
"""What is so is asked, not what is liked: "Do you have high arches or flat feet?"."""

_QUIZZES = re.compile(r"[^.!?\n]{3,}\?\s*(?:\n|\(?[A-D1-4][.):]\s)")


def drafts(turn: Message, before: Sequence[Message]) -> tuple[Chosen, ...]:
    """What the user's `turn` chose from the offer just before it, or turned down; `before` are the earlier turns.

    Empty when the turn right before is not the assistant's, offers nothing, nothing is chosen, or what is
    chosen shows no taste (a text, a next step, an answer in a quiz).
    """
    taken, options = read(turn, before)
    if taken is None:
        return ()
    why = align.source(turn, *taken.reason) if taken.reason[1] and not taken.refused else None
    choice = align.source(turn, taken.start, _before_reason(turn, taken))
    asked = next((message for message in reversed(before[:-1]) if message.role == "user"), None)
    plan = _plan(asked) if asked is not None else None
    question = _question(asked) if asked is not None else None
    if taken.refused:
        made: tuple[Chosen | None, ...] = (_aversion(turn, taken, options, choice, question),)
    else:
        made = (
            _fact(turn, taken.option, choice, plan),
            _preference(turn, taken, options, (choice,) if why is None else (choice, why), plan, question),
        )
    offer = _offer(before[-1], options)
    return tuple(_resting_on(draft, offer) for draft in made if draft is not None)


_FRAME = frozenset({"user", "chos", "may", "prefer", "rather", "avoid", "lik", "option", "other"})
"""The words that a statement of a choice brings along, as `content` gives them."""


def _offer(offered: Message, options: Sequence[Option]) -> Source | None:
    """Where the assistant named the options, from the first to the last, whatever their capitals; None when one of
    them does not stand there in these words."""
    text = offered.content.lower()
    if len(text) != len(offered.content):  # some letters have a longer small form
        text = offered.content
    places = [(at, at + len(option.name)) for option in options if (at := text.find(option.name.lower())) >= 0]
    if len(places) < len(options):
        return None
    return align.source(offered, min(start for start, _ in places), max(end for _, end in places))


def _resting_on(draft: Chosen, offer: Source | None) -> Chosen:
    """With the offer as a source, unless the user's own words hold all that is told of it."""
    told = {word for source in draft.sources for word in content(source.quote)}
    if offer is None or set(content(draft.text)) <= told | _FRAME:
        return draft
    return msgspec.structs.replace(draft, sources=(*draft.sources, offer))


_FOR_ANOTHER = re.compile(r"\b(?:he|she|he's|she's|for (?:him|her|them)|the (?:customer|client|boss)|my boss)\b", re.I)
"""A choice made for somebody else shows that person's taste."""


def _before_reason(turn: Message, taken: Taken) -> int:
    """Where the choice itself ends: a reason within its sentence is a source of its own."""
    if taken.refused or not taken.start < taken.reason[0] < taken.end:
        return taken.end
    head = turn.content[taken.start : taken.reason[0]]
    return taken.start + len(head.rstrip(" ,;:–—-")) if content(head) else taken.end


def read(turn: Message, before: Sequence[Message]) -> tuple[Taken | None, tuple[Option, ...]]:
    """What is taken (or turned down) in `turn`, and among which options."""
    if turn.role != "user" or not before or before[-1].role != "assistant" or len(turn.content) > MAX_ANSWER:
        return None, ()
    options = offers.offers(before[-1].content)
    if not options:
        return None, ()
    taken = chosen(turn.content, options) or refused(turn.content, options)
    if (
        taken is None
        or scene.is_work((*before, turn))
        or scene.is_play(before)
        or _FOR_ANOTHER.search(plain(turn.content))
        or _is_quiz(before[-1].content)
        or _ASKS_WHAT_IS.search(plain(before[-1].content[-MAX_QUESTION:]))
    ):
        return None, options
    if (
        len(options) == 2
        and before[-1].content.rstrip().endswith("?")
        and not (taken.reason[1] or _deliberate(turn, taken))
    ):
        return None, options
    return taken, options


def _deliberate(turn: Message, taken: Taken) -> bool:
    """Whether the user says more than the bare name: "hand" to "Hand or machine?" is an answer, no taste."""
    return _TAKES.search(plain(turn.content[taken.start : taken.end])) is not None


def _is_quiz(offer: str) -> bool:
    """A question that is not about the user, with the options below it as its answers."""
    match = _QUIZZES.search(offer[: offers.MAX_OFFER])
    return match is not None and re.search(r"\b(?:you|your|we|about)\b", match[0], re.I) is None


def _plan(asked: Message) -> Source | None:
    """The clause in which the user said what the choice is for."""
    for clause in clauses.split(asked.content[: offers.MAX_OFFER]):
        if (
            len(clause.text) <= MAX_ANSWER
            and "?" not in clause.text
            and "？" not in clause.text
            and _PLANS.search(plain(clause.text))
        ):
            start, end = rewrite.trim(clause.text)
            if end > start:
                return align.source(asked, clause.start + start, clause.start + end)
    return None


def _question(asked: Message) -> Source | None:
    """The question that the offer answered: the last sentence with a question mark."""
    for start, end in reversed(_sentences(asked.content[: offers.MAX_OFFER])):
        if asked.content[end - 1] in "?？" and end - start <= 300:
            return align.source(asked, start, end)
    return None


def _topic(question: Source | None) -> str | None:
    """ "chain hotels" for "Which chain hotels could I stay at?"; None when the question names no kind of
    thing."""
    if question is None:
        return None
    for match in _TOPIC.finditer(question.quote):
        topic = re.sub(r"^(?:the|a|an|some)\s+", "", match["topic"].strip(), flags=re.I)
        if words(topic) and not {word.casefold() for word in words(topic)} & _NOT_TOPIC:
            return topic
    return None


def _fact(turn: Message, option: Option, choice: Source, plan: Source | None) -> Chosen | None:
    """The plan and the choice in one sentence; None without a plan."""
    if plan is None:
        return None
    by_rule = rewrite.third_person(plan.quote)
    said = by_rule or f"The user said: “{rewrite.inside(plan.quote)}”"
    chinese = said.endswith("。")
    text = (
        f"{said[:-1]}，并选择了{option.name}。"
        if chinese
        else f"{said.removesuffix('.')}, and chose {offers.as_noun(option)}."
    )
    return Chosen(
        kind="fact",
        text=text,
        key=keys.key(plan.quote),
        tags=tuple(dict.fromkeys((*keys.tags(plan.quote)[: keys.TAGS - 1], _tag(option)))),
        sources=(plan, choice),
        valid_from=turn.time,
        how="rule" if by_rule else "quote",
    )


def _preference(
    turn: Message,
    taken: Taken,
    options: Sequence[Option],
    said: tuple[Source, ...],
    plan: Source | None,
    question: Source | None,
) -> Chosen:
    option = taken.option
    topic = _topic(question)
    hint = f"the kind of {topic} they like" if topic else "what they like"
    described = ""
    if option.description and option.description.casefold() != option.name.casefold():
        described = f" The assistant had described it as “{option.description[:160]}”."
    ground = question or plan
    return Chosen(
        kind="implicit_preference",
        text=_statement(option, options, topic),
        key=_key(option, topic),
        tags=_tags(option, topic),
        sources=(ground, *said) if ground is not None else said,
        reasoning=f"Offered {_offered(options)}, the user chose {option.name} ({_day(turn)})."
        f"{described}{_own_words(turn, taken)} One choice is a hint about {hint}.",
        valid_from=turn.time,
    )


def _statement(option: Option, options: Sequence[Option], topic: str | None) -> str:
    """ "The user may prefer X over Y or Z.", never longer than can be read at a glance; in no words but those of the
    offer and the question. The reasoning tells all that was offered."""
    if all(one.verb for one in options):
        return f"The user may prefer to {option.name}."
    mine = offers.as_noun(option)
    others = [offers.as_noun(other) for other in options if other is not option]
    others = [other for other in dict.fromkeys(others) if other.casefold() != mine.casefold()]
    names = (mine[:1].isupper() or mine[:1].isdigit()) and topic is not None and topic.endswith("s")
    liked = f"{topic} like {mine}" if names else mine
    for count in range(min(OTHERS, len(others)), 0, -1):
        text = f"The user may prefer {liked} over {_series_of(others[:count], 'or')}."
        if len(words(text)) <= STATEMENT_WORDS:
            return text
    return f"The user may prefer {liked}."


def _aversion(
    turn: Message, taken: Taken, options: Sequence[Option], choice: Source, question: Source | None
) -> Chosen:
    why = turn.content[slice(*taken.reason)].strip().rstrip(".!")
    topic = _topic(question)
    return Chosen(
        kind="implicit_preference",
        text=f"The user may prefer to avoid {offers.as_noun(taken.option)}: “{rewrite.inside(why)}”.",
        key=_key(taken.option, topic),
        tags=_tags(taken.option, topic),
        sources=(choice,) if question is None else (choice, question),
        reasoning=f"Offered {_offered(options)}, the user turned down {taken.option.name} ({_day(turn)})."
        f"{_own_words(turn, taken)} One refusal is a hint about what they do not like.",
        valid_from=turn.time,
    )


def _own_words(turn: Message, taken: Taken) -> str:
    """The user's reason, as said; "" when they gave none."""
    start, end = taken.reason
    if end <= start:
        return ""
    said = turn.content[start:end] if taken.refused else turn.content[taken.start : max(end, taken.end)]
    return f" In the user's words: “{rewrite.inside(said[:MAX_REASON])}”."


def _offered(options: Sequence[Option]) -> str:
    names = list(dict.fromkeys(option.name for option in options))
    if len(names) > 5:
        names = [*names[:5], f"{len(names) - 5} more"]
    return _series_of(names, "and")


def _key(option: Option, topic: str | None) -> str:
    return f"{topic[:1].upper()}{topic[1:]} preference" if topic else f"{_bare_name(option)} preference"


def _tags(option: Option, topic: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(word.casefold() for word in words(topic or "")), _tag(option))))[:5]


def _tag(option: Option) -> str:
    return _bare_name(option).casefold()[:40]


def _bare_name(option: Option) -> str:
    return re.sub(r"^(?:the|a|an) ", "", option.name)


def _day(turn: Message) -> str:
    return to_datetime(turn.time).date().isoformat()


def _series_of(names: Sequence[str], joint: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"
