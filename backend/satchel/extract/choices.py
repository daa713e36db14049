"""A choice among what the assistant offered: the assistant names the options, the user takes one.

Two memories come of it. A fact joins what the user had said before with the choice, and so has two sources.
An implicit preference says what the choice hints at, and its reasoning says from how little. The options
are the assistant's words: they stand in the statement as what was offered, never as something the user
said, and the sources are the user's turns alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import msgspec

from satchel.extract import align, clauses, keys, rewrite
from satchel.extract.english import listed
from satchel.extract.words import content, plain, same, words
from satchel.times import to_datetime
from satchel.types import Draft, Message, Source

MAX_OPTIONS = 12
"""A longer list is a catalogue, not an offer."""

MAX_OFFER = 20_000
"""Code points of an assistant's turn that are searched for options."""

MAX_LEADS = 8
"""Words such as "consider" or "like" in one sentence after which a series is looked for."""

MAX_SERIES = 300
"""Code points of a sentence that may hold a series."""

MAX_ANSWER = 600
"""Code points of a user's turn that may be a choice; a longer one is about something else."""


class Chosen(Draft, frozen=True, kw_only=True):
    """A draft that rests on something the user did, not only on a hint: one observation is enough for it."""


class Option(msgspec.Struct, frozen=True):
    """Something the assistant offered, in its words; `description` is what it said of it, or empty."""

    name: str
    description: str = ""


# ------------------------------------------------------------------------------------------------ the offer

_ITEM = re.compile(
    r"^[ \t]*(?:[-*•‣–]|\(?\d{1,2}[.)、]|\(?[A-Ha-h][.)]|option\s+(?:\w)\s*[:.)-])[ \t]*(?P<item>\S.*)$", re.I | re.M
)
_NAME_END = re.compile(r"\s+[–—-]+\s+|:\s+|：|\s+\(|，|。")
_LEAD = re.compile(
    r"\b(?:consider(?:ing)?|recommend|suggest|options?(?:\s+\w+){0,3}?\s*(?:are|include|:)|such\s+as|including|choose"
    r"|try(?:ing)?|between|either|like|for\s+(?:example|instance)|stay\s+at|go\s+(?:with|for)|look\s+at|pick|offer"
    r"|there(?:'s|\s+is|\s+are)|have|prefer|would\s+be|could\s+be|might\s+be|take|visit|use)\b[:,]?\s+",
    re.I,
)
_CHINESE_LEAD = re.compile(r"考虑|推荐|选择|比如|例如|有|住在?|试试")
_SERIES = re.compile(r"^(?P<head>[^,;:.!?]+(?:,\s+[^,;:.!?]+)*),?\s+(?:or|and)\s+(?P<tail>[^,;:.!?]+)")
_CHINESE_SERIES = re.compile(
    r"[^、，。；！？\s]{1,40}(?:、[^、，。；！？\s]{1,20}){0,11}(?:或者?|和|还是|以及)[^、，。；！？\s]{1,20}"
)
_ARTICLE = re.compile(r"^(?:the|a|an|perhaps|maybe|also|either|even|some)\s+", re.I)


def offers(text: str) -> tuple[Option, ...]:
    """The options in an assistant's turn: a list, or a series "A, B or C" in a sentence; empty when fewer
    than two."""
    text = text[:MAX_OFFER]
    listed = [option for match in _ITEM.finditer(text) if (option := _item(match["item"])) is not None]
    if len(listed) < 2:
        listed = _series(text)
    named: dict[str, Option] = {}
    for option in listed:
        named.setdefault(option.name.casefold(), option)
    return tuple(named.values()) if 2 <= len(named) <= MAX_OPTIONS else ()


def _item(line: str) -> Option | None:
    line = line.strip()
    bold = re.match(r"(?:\*\*|__)(.+?)(?:\*\*|__)[\s:：–—-]*(.*)$", line)
    if bold:
        name, description = bold[1], bold[2]
    else:
        parts = _NAME_END.split(line, maxsplit=1)
        name, description = parts[0], parts[1] if len(parts) > 1 else ""
    name = rewrite.plain_marks(name).strip(" .:：;,*_")
    if not name or len(words(name)) > 8 or len(name) > 60:
        return None
    return Option(name, rewrite.plain_marks(description).strip(" .)"))


def _series(text: str) -> list[Option]:
    bold = [found.strip(" .:") for found in re.findall(r"\*\*([^*\n]{2,60})\*\*", text)]
    if len(bold) >= 2:
        return [Option(name) for name in bold]
    found: list[Option] = []
    for sentence in re.split(r"(?<=[.!?。！？])\s*|\n+", text):
        if _is_han(sentence) and (match := _CHINESE_SERIES.search(sentence)):
            lead = list(_CHINESE_LEAD.finditer(match[0]))
            series = match[0][lead[0].end() :] if lead else match[0]
            found += [Option(name) for name in re.split("、|或者|或|还是|以及|和", series) if 1 < len(name) <= 20]
        for lead_match in itertools.islice(_LEAD.finditer(sentence), MAX_LEADS):
            options = _english_series(sentence[lead_match.end() : lead_match.end() + MAX_SERIES])
            if options:
                found += options
                break
    return found


def _english_series(rest: str) -> list[Option]:
    match = _SERIES.match(rest)
    if match is None:
        return []
    names = [part.strip(" '\"") for part in (*match["head"].split(","), match["tail"])]
    names = [_ARTICLE.sub("", re.sub(r"^(?:or|and)\s+", "", name)) for name in names]
    # The last of a series runs into the rest of the sentence: a name ends where the capitals do.
    if any(name[:1].isupper() or name[:1].isdigit() for name in names[:-1]):
        names[-1] = _capitals(names[-1]) or names[-1]
    told = all(0 < len(words(name)) <= 5 and content(name) for name in names)
    return [Option(name) for name in names] if told else []


def _capitals(text: str) -> str:
    kept: list[str] = []
    for word in text.split():
        if not (word[:1].isupper() or word[:1].isdigit() or (kept and word in {"of", "the", "de", "&"})):
            break
        kept.append(word)
    return " ".join(kept)


# ----------------------------------------------------------------------------------------------- the choice

_TAKES = re.compile(
    r"""\b(?:i'?ll|i\ will|i\ would|i'?d|i'm|i\ am|let's|let\ us|we'll|we\ will|i|we)\ (?:\w+\ )??
      (?:go(?:ing)?\ (?:with|for|to|ahead\ with)|went\ (?:with|for)|take|took|pick(?:ed)?|choose|choosing|chose
        |book(?:ed)?|try|order(?:ed)?|have|get|got|do|stay\ (?:at|in)|settle[d]?\ (?:on|for)|decided\ on|opt(?:ed)?\ for
        |select(?:ed)?|prefer|like|love|rather|want|read|watch|use|buy|bought|visit|reserve[d]?|say)\b
    |\b(?:go\ with|give\ me|make\ it|book\ me|sign\ me\ up\ for)\b
    |\b(?:it\ is|sounds?\ (?:good|great|best|perfect|nice|lovely|right|better)|is\ (?:perfect|best|the\ one|better)
      |is\ my\ pick|works\ (?:best\ )?for\ me)\b
    |我(?:就|要|会|想|还是)*(?:选|住|要|订|去|用|买)|就(?:选|去|住|订|要)|选""",
    re.I | re.X,
)
_REFUSES = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|except|hate|dislike|avoid|skip|too|unless|if|against|don't|won't|can't"
    r"|isn't|wouldn't|doesn't)\b|不|没|别",
    re.I,
)
# A next task for the assistant that happens to share a word with what it offered.
_ASKS_FOR = re.compile(
    r"^\W*(?:(?:and|now|then|ok(?:ay)?|great|thanks?|please|can\s+you|could\s+you|would\s+you)\W+)*(?:explain|show|write|tell"
    r"|describe|list|translate|rewrite|re-?write|summari[sz]e|compare|expand|elaborate|continue|add|provide|create|convert"
    r"|generate|fix|change|make\s+(?!it\b)|give\s+me\s+(?:more|an?|some|examples?|details?)|other\s+ways|more\s+(?:on|about)"
    r"|what|how|why|where|when|who|is|are|does|do)\b",
    re.I,
)
MAX_NAME_WORDS = 6
"""What people choose has a name; a longer item of a list is a sentence."""
MAX_PART_WORDS = 8
_OVER = re.compile(r"\b(?:over|rather\s+than|instead\s+of|than|not|but\s+not|and\s+not)\b|而不是|不要|不选|，不", re.I)
_ORDINALS = {
    "first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "fifth": 4, "5th": 4,
    "一": 0, "二": 1, "三": 2, "四": 3,
}  # fmt: skip
_ORDINAL = re.compile(
    r"\bthe\s+(?P<word>first|1st|second|2nd|third|3rd|fourth|4th|fifth|5th|last|former|latter)(?:\s+(?:one|option|choice"
    r"|suggestion))?\b(?!\s+(?:time|day|week|thing|of))"
    r"|\b(?:option|number|no\.|choice)\s*#?(?P<mark>[a-h1-9])\b|\#(?P<hash>[1-9])\b|第(?P<han>[一二三四])(?:个|家|种|项)|(?P<hanlast>最后一[个家种项])",
    re.I,
)
_QUALITY = re.compile(r"\bthe\s+(?:most\s+)?(?P<quality>[a-z]{3,}?)(?:er|est|r|st)?\s+one\b", re.I)


def chosen(text: str, options: Sequence[Option]) -> tuple[Option, int, int] | None:
    """The option that the user takes in `text`, and the span of the sentence in which they do; else None.

    By its name, a telling part of it, its place ("the second one", "option B") or a word that only its
    description holds ("the cheaper one"). A question, a refusal, and a sentence that takes two are no
    choice."""
    options = [option for option in options if len(words(option.name)) <= MAX_NAME_WORDS or _is_han(option.name)]
    if len(text) > MAX_ANSWER or not options:
        return None
    for start, end in _sentences(text):
        sentence = plain(text[start:end])
        if _ASKS_FOR.match(sentence):
            continue
        if "?" in sentence or "？" in sentence or re.search(r"[吗呢]\W*$", sentence):
            continue
        over = _OVER.search(sentence)
        wanted = sentence[: over.start()] if over and _named(sentence[: over.start()], options) else sentence
        if _REFUSES.search(wanted) and not re.match(r"\W*no[,.]\s", wanted, re.I):
            continue
        named = _named(wanted, options)
        short = len(words(wanted)) <= 6 and bool(named) and _only_names(wanted, named)
        if len(named) == 1 and (_TAKES.search(sentence) or short):
            return named[0], start, end
    return None


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
    """The options that `sentence` speaks of: by full name, else by a part that no other option shares."""
    lower = plain(sentence).casefold()
    full = [
        option for option in options if re.search(rf"(?<!\w){re.escape(plain(option.name).casefold())}(?!\w)", lower)
    ]
    if not full:
        # Chinese has no gaps between words, so a name may stand anywhere.
        full = [option for option in options if _is_han(option.name) and option.name in sentence]
    if full:
        return full
    # A part of a name is enough where little else is said, or where it is written as a name.
    little = len(words(sentence)) <= MAX_PART_WORDS
    said = {same(word) for word in words(sentence) if little or word[:1].isupper()} & set(content(sentence))
    parts = [option for option in options if _telling(option, options) & said]
    parts += [
        option
        for option in options
        if _is_han(option.name) and option not in parts and _han_part(option, options, sentence)
    ]
    if parts:
        return parts
    if match := _ORDINAL.search(sentence):
        place = _place(match, len(options))
        return [options[place]] if place is not None and place < len(options) else []
    if match := _QUALITY.search(lower):
        stem = match["quality"]
        return [
            option
            for option in options
            if any(word.casefold().startswith(stem) for word in words(option.description)) and len(stem) >= 3
        ]
    return []


def _telling(option: Option, options: Sequence[Option]) -> set[str]:
    if _is_han(option.name):
        return set()
    others = {same(word) for other in options if other is not option for word in words(other.name)}
    return {
        same(word) for word in words(option.name) if (len(word) >= 4 or word.isupper()) and not word.isdigit()
    } - others


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
    mark = (match["mark"] or match["hash"]).casefold()
    return int(mark) - 1 if mark.isdigit() else ord(mark) - ord("a")


_FILLER = listed("then ok okay yes great thanks thank definitely perfect choice good one option number go")


def _only_names(sentence: str, named: Sequence[Option]) -> bool:
    """Whether the sentence is hardly more than the name: "7 Days Inn, then."."""
    known = {same(word) for option in named for word in words(option.name)} | {same(word) for word in _FILLER}
    place = _ORDINAL.search(sentence) or _QUALITY.search(sentence)
    rest = sentence.replace(place[0], "") if place else sentence
    return all(word in known for word in content(rest))


# --------------------------------------------------------------------------------------------- the memories

_PLANS = re.compile(
    r"\b(?:i'?ve|i\ have|i'm|i\ am|i'?ll|we'?ve|we\ have|we're|we|i|my|our)\b.*\b(?:"
    r"decided|going|plan(?:ning|ned|s)?|will|need|want"
    r"|looking|moving|travel(?:l?ing)?|visit(?:ing)?|have|start(?:ing|ed)?"
    r"|getting|about\ to|trying|booked|turn(?:s|ing)?|love|like|prefer)\b"
    r"|我.*(?:决定|打算|计划|要|想)",
    re.I | re.X,
)
_TOPIC = re.compile(
    r"(?:\b(?:which|what)\b|\b(?:recommend|suggest|know|any|some|find)\b(?:\s+(?:me|of|any|some|a|an|good|nice))*)\s+"
    r"(?P<topic>(?:[\w'-]+\s+){0,3}?[\w'-]+?)(?=\s+(?:could|can|should|do|does|would|are|is|was|for|in|near|at|to|that"
    r"|with|under|on|might|shall|will|around|there)\b|\s*[?.,]|$)",
    re.I,
)
_NOT_TOPIC = listed("would should could can do is are to you i me one ones it that something kind about")


def drafts(turn: Message, before: Sequence[Message]) -> tuple[Chosen, ...]:
    """What the user's `turn` chose from the offer just before it; `before` are the earlier turns, in order.

    Empty when the turn right before is not the assistant's, offers nothing, or nothing is chosen.
    """
    if turn.role != "user" or not before or before[-1].role != "assistant":
        return ()
    options = offers(before[-1].content)
    taken = chosen(turn.content, options) if options else None
    if taken is None:
        return ()
    option, start, end = taken
    choice = align.source(turn, start, end)
    asked = next((message for message in reversed(before[:-1]) if message.role == "user"), None)
    plan = _plan(asked) if asked is not None else None
    question = _question(asked) if asked is not None else None
    return tuple(
        draft
        for draft in (
            _fact(turn, option, choice, plan, question),
            _preference(turn, option, options, choice, plan, question),
        )
        if draft is not None
    )


def _plan(asked: Message) -> Source | None:
    """The clause in which the user said what the choice is for."""
    for clause in clauses.split(asked.content[:MAX_OFFER]):
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
    for start, end in reversed(_sentences(asked.content[:MAX_OFFER])):
        if asked.content[end - 1] in "?？" and end - start <= 300:
            return align.source(asked, start, end)
    return None


def _topic(question: Source | None) -> str | None:
    """ "chain hotels" for "Which chain hotels could I stay at?"; None when the question names no kind of
    thing."""
    if question is None:
        return None
    for match in _TOPIC.finditer(question.quote):
        topic = _ARTICLE.sub("", match["topic"].strip())
        if words(topic) and not {word.casefold() for word in words(topic)} & _NOT_TOPIC:
            return topic
    return None


def _fact(turn: Message, option: Option, choice: Source, plan: Source | None, question: Source | None) -> Chosen | None:
    ground = plan or question
    if ground is None:
        return None
    by_rule = rewrite.third_person(ground.quote) if plan else None
    said = by_rule
    if said is None:
        said = f"The user {'said' if plan else 'asked'}: “{rewrite.inside(ground.quote)}”"
    chinese = said.endswith("。")
    text = f"{said[:-1]}，并选择了{option.name}。" if chinese else f"{said.removesuffix('.')}, and chose {option.name}."
    told = keys.tags(ground.quote)
    return Chosen(
        kind="fact",
        text=text,
        key=keys.key(ground.quote),
        tags=tuple(dict.fromkeys((*told[: keys.TAGS - 1], option.name.casefold()[:40]))),
        sources=(ground, choice),
        valid_from=turn.time,
        how="rule" if by_rule else "quote",
    )


def _preference(
    turn: Message,
    option: Option,
    options: Sequence[Option],
    choice: Source,
    plan: Source | None,
    question: Source | None,
) -> Chosen:
    others = [other.name for other in options if other.name != option.name]
    topic = _topic(question)
    liked = f"{topic} like {option.name}" if topic else option.name
    day = to_datetime(turn.time).date().isoformat()
    offered = _series_of([other.name for other in options], "and")
    hint = f"the kind of {topic} they like" if topic else "what they like"
    described = f" The assistant had described it as “{option.description[:160]}”." if option.description else ""
    ground = question or plan
    return Chosen(
        kind="implicit_preference",
        text=f"The user may prefer {liked} over {_series_of(others, 'or')}.",
        key=f"{topic[:1].upper()}{topic[1:]} preference" if topic else f"{option.name} preference",
        tags=tuple(dict.fromkeys((*(word.casefold() for word in words(topic or "")), option.name.casefold()[:40])))[:5],
        sources=(ground, choice) if ground is not None else (choice,),
        reasoning=f"Offered {offered}, the user chose {option.name} ({day}).{described}"
        f" One choice is a hint about {hint}.",
        valid_from=turn.time,
    )


def _series_of(names: Sequence[str], joint: str) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"
