"""What an assistant's turn offers to choose from: a list, a series in a sentence, or one suggestion a sentence.

Assistants write options as names, as headings with a description, and as whole sentences ("The salad bar at the
health food store has plenty of salads"). Each option gets a short name in the assistant's own words, which a
statement can hold, and keeps the rest as its description, by which the user may speak of it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec

from satchel.extract.language import english
from satchel.extract.language.english import listed
from satchel.extract.language.words import content, is_content, plain, same, words
from satchel.extract.saying import rewrite

MAX_OPTIONS = 12
"""A longer list is a catalogue, not an offer."""

MAX_OFFER = 20_000
"""Code points of an assistant's turn that are searched for options."""

MAX_ITEM = 400
"""Code points of one option that are read: its name stands at the start."""

MAX_LEADS = 8
"""Words such as "consider" or "like" in one sentence after which a series is looked for."""

MAX_SERIES = 600
"""Code points of a sentence that may hold a series."""

NAME_WORDS = 7
PART_WORDS = 14


class Option(msgspec.Struct, frozen=True):
    """Something the assistant offered, in its words; `description` is the rest of what it said of it, or empty.

    `verb`: the name begins with a verb in its base form ("attend a workshop"), so that "to" may stand before it.
    """

    name: str
    description: str = ""
    verb: bool = False


def offers(text: str) -> tuple[Option, ...]:
    """The options in an assistant's turn, in their order; empty when fewer than two, or when they are no
    things to choose for oneself but texts, code, or what the assistant could do next."""
    text = text[:MAX_OFFER]
    if "```" in text or _OFFERS_TEXTS.search(text, 0, 400):
        return ()
    items = _items(text)
    if _are_texts(items):
        return ()
    found = [option for item in items if (option := read(item)) is not None]
    if len(found) < 2:
        found = _prose(text)
    named: dict[str, Option] = {}
    for option in found:
        named.setdefault(f"{option.name} {option.description}".casefold(), option)
    return tuple(named.values()) if 2 <= len(named) <= MAX_OPTIONS else ()


# -------------------------------------------------------------------------------------------- items of a list

_LINE_ITEM = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]*)?(?:[-*•‣–](?!\*)|\**\(?\d{1,2}[.)、]\**|\**\(?[A-Ha-h][.)]"
    r"|\**option[ \t]+\w[ \t]*[:.)-]\**)[ \t]*"
    r"(?P<item>\S[^\n]*)$",
    re.I | re.M,
)
_BOLD_LINE = re.compile(r"^[ \t]*(?P<item>\*\*[^*\n]{2,60}\*\*[^\n]*)$", re.M)
_INLINE = (
    re.compile(r"(?<![\w.,])\(?(?P<mark>[1-9]\d?)[.)]\s+(?=\S)"),
    re.compile(r"(?<![\w.,'])\(?(?P<mark>[A-H])[.):]\s+(?=\S)"),
    re.compile(r"(?<![\w.,'])\((?P<mark>[a-h])\)\s+(?=\S)"),
    re.compile(r"\boption\s+(?P<mark>[A-H1-9])\b\s*(?:is|would be|means|[:,–—-])\s*", re.I),
)
_AFTER = re.compile(r"\s*\((?P<mark>[1-9])\)(?=\s*(?:[,.;]|or\b|and\b|$))")
_QUOTED = re.compile(r"^[\"“'‘«»„].{2,}")
_OF_A_TEXT = re.compile(
    r"^(?:version|draft|outline|variant|title|headline|caption|slogan|tagline|slide|chapter|scene|step|question|answer"
    r"|email|subject|translation|(?:i|we) (?:can|could|would|will)|i'll|shall i|should i"
    r"|would you like me|draft|explain"
    r"|summari[sz]e|rewrite|rephrase|translate|generate|elaborate|continue|debug|refactor|implement|proofread"
    r"|dear|sorry|thank)\b(?! recommend| suggest)",
    re.I,
)


_OFFERS_TEXTS = re.compile(
    r"\b(?:here (?:are|is)|some|two|three|four|five|six|a few)\s+(?:\w+\s+){0,2}?(?:titles?|headlines?"
    r"|slogans?|captions?|taglines?"
    r"|subject lines?|outlines?|versions?|drafts?|openings?|sentences?|wordings?|variants?|puns?|jokes?|rhymes?)\b"
    r"|\b(?:outline|version|draft|title|variant|question) [1-9A-D]\b",
    re.I,
)


def _items(text: str) -> list[str]:
    """The texts of the items of a list, one a line or all in one line."""
    lines = [match["item"].strip() for match in _LINE_ITEM.finditer(text)]
    if len(lines) >= 2:
        return lines
    bold = [match["item"].strip() for match in _BOLD_LINE.finditer(text)]
    if len(bold) >= 2:
        return bold
    for pattern in _INLINE:
        marks = _in_sequence(pattern.finditer(text))
        if len(marks) >= 2:
            ends = [*(mark.start() for mark in marks[1:]), len(text)]
            inline = [text[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
            return [re.sub(r"[\s,;]+(?:(?:or|and)\s*)?$", "", part.split("\n", 1)[0][:MAX_ITEM]) for part in inline]
    after = _in_sequence(_AFTER.finditer(text))
    if len(after) >= 2:
        begins = [text.rfind(". ", 0, after[0].start()) + 1, *(mark.end() for mark in after[:-1])]
        return [
            re.sub(r"^[\s,;.]+(?:(?:or|and)\s+)?", "", text[begin : mark.start()])[-MAX_ITEM:]
            for begin, mark in zip(begins, after, strict=True)
        ]
    return []


def _in_sequence(marks: Iterator[re.Match[str]]) -> list[re.Match[str]]:
    """The marks that count 1, 2, 3 or a, b, c from the first on; "by 10 a.m. 2. wing" is none."""
    kept: list[re.Match[str]] = []
    for match in marks:
        mark = match["mark"].casefold()
        place = int(mark) if mark.isdigit() else ord(mark) - ord("a") + 1
        if place == len(kept) + 1:
            kept.append(match)
    return kept


def _are_texts(items: Sequence[str]) -> bool:
    """Whether the items are wordings, drafts or next steps of the assistant's rather than things."""
    bare = [re.sub(r"^[*_\s]+", "", item) for item in items]
    texts = sum(1 for item in bare if _QUOTED.match(item) or _OF_A_TEXT.match(item))
    return texts * 2 >= len(items) > 0


# ---------------------------------------------------------------------------------------- the name of an option

_NAME_END = re.compile(r"\s+[–—-]+\s+|[:,;]\s+|：|\s*\(|，|。")
_OPENING = re.compile(
    r"""(?:(?:how|what)\ about|why\ not|have\ you\ (?:considered|thought\ (?:of|about))|perhaps|maybe|or|and|also|then
      |finally|alternatively|another\ (?:great\ |good\ )?(?:option|idea|possibility|choice)\ (?:is|would\ be|could\ be)
      |one\ (?:great\ |good\ )?(?:option|idea|possibility|choice)\ (?:is|would\ be|could\ be)
      |(?:for|if)\ [^,.!?]{1,60},
      |you\ (?:could|can|might|may|should|will|would)(?:\ (?:also|always|even|probably|really))?(?:\ (?:want|like)\ to)?
      |you'(?:d|ll)\ (?:probably\ |surely\ )?(?=like|love|enjoy)
      |you\ (?:can't|cannot)\ go\ wrong\ with|we\ (?:could|can|might|should)(?:\ also)?|let's
      |i(?:'d|\ would|\ can|\ could|\ might)?\ (?:also\ )?(?:highly\ |strongly\ |definitely\ )?(?:recommend|suggest)
      |i(?:'ve)?\ heard(?:\ that)?|there(?:'s|\ is|\ are|\ was)(?:\ also|\ always)?
      |consider(?:ing)?|try(?:ing)?(?:\ out)?|opt(?:ing)?\ for|go(?:ing)?\ (?:for|with|to)|check(?:ing)?\ out
      |look(?:ing)?\ (?:for|at|into)|hit(?:ting)?\ up|visit(?:ing)?|head(?:ing)?\ (?:over\ )?to|get(?:ting)?|choose
        |choosing
      |pick(?:ing)?(?:\ up)?|buy(?:ing)?|order(?:ing)?|grab(?:bing)?|have|having|enjoy(?:ing)?|like|love
      |stay(?:ing)?\ at|explor(?:e|ing)|book(?:ing)?(?=\ (?:a|an|the)\b))[,:]?\s+""",
    re.I | re.X,
)
_STRONG_OPENING = re.compile(
    r"(?:(?:or|and|also|alternatively|then),?\s+)?(?:(?:how|what) about|why not|have you (?:considered"
    r"|thought)|you (?:could|can|might|may)\b"
    r"|you'd (?:like|love|enjoy)|we could|let's|i(?:'d| would| can)? (?:also )?(?:highly )?(?:recommend"
    r"|suggest)|there(?:'s| is| are)\b"
    r"|consider\b|try\b|another (?:\w+ )?(?:option|idea)|alternatively|for (?:something|a|an) [^,.!?]{1,40},)",
    re.I,
)
_STOPS = listed(
    "is are was were has have had can could would will might may must should does do did that which who whom whose "
    "where when because since while so as if it's they're you i we it they he she this known located perfect ideal "
    "designed filled made featuring including serving specializing specialising focused focusing based set such like "
    "offering using involving followed paired"
)
_LINKS = listed(
    "that which who whose like featuring including serving known designed set filled made using involving focused"
)
"""What goes on with the noun: "a car" alone tells little, "a car that saves fuel" more."""
_DETERMINERS = listed("a an the your my our their many several various some all great good fresh")
_CUT_PREPOSITIONS = listed(
    "with for in at on from by to about near around into through over under after before during without via along "
    "across between among within until against towards"
)
_VERBS = english.VERBS | listed(
    "enroll enrol attend sign download subscribe experiment dive hire adopt browse cook grill roast bake plant "
    "rent borrow learn watch listen read join invest follow set use take make create build keep stay bring wear spend "
    "start combine mix stream schedule arrange organize find ask treat relax unwind soak stick ride host "
    "explore wander "
    "stroll tour skip leave upgrade switch apply wash spray install swim volunteer engage participate immerse pursue "
    "work study go give put"
)
_AFTER_VERB = english.PREPOSITIONS | listed(
    "a an the your my our their some any this that one two three new small up out along more less each every it"
)
_PURE_VERBS = listed(
    "enroll enrol attend subscribe download join invest adopt follow use learn listen read take make create build keep "
    "bring wear spend find ask hire explore install engage participate immerse pursue give put rent borrow"
)
_ACTING = frozenset(english.third_singular(verb) for verb in _VERBS) | listed(
    "offers provides features includes serves contains combines focuses involves specializes specialises "
    "requires boasts "
    "allows lets helps delivers blends thrives gives makes comes looks sounds keeps"
)
_ACTING_NOUNS = listed(
    "works plays walks names watches travels talks changes cooks trains plans notes tours rides drinks "
    "classes runs races "
    "dances stays hikes swims dresses designs visits reads drives events offers starts boots hosts studies practices "
    "shops camps guides teaches fishes saves mixes sets shoots programs programmes"
)


def read(item: str) -> Option | None:
    """The option that one item of a list, or one part of a series, describes; None without a name in it."""
    item = item.strip()[:MAX_ITEM]
    bold = re.match(r"(?:\*\*|__)(.+?)(?:\*\*|__)[\s:：–—-]*(.*)$", item)
    if bold:
        name = _clean(bold[1])
        return Option(name, _clean(bold[2])) if name and len(words(name)) <= 12 else None
    item = _clean(item)
    parts = _NAME_END.split(item, maxsplit=1)
    head = _clean(parts[0])
    if not head:
        return None
    rest = _clean(parts[1]) if len(parts) > 1 else ""
    if _is_han(head):
        return Option(head, rest) if len(head) <= 40 else None
    if len(words(head)) <= 8 and not _says_something(head):
        name, verb = _stripped(head)
        return Option(name, rest, verb) if content(name) else None
    name, verb = _stripped(item)
    name = _noun_phrase(name)
    if re.match("(?:The|An?) ", name):
        name = f"{name[:1].lower()}{name[1:]}"
    told = _stripped(item)[0]
    return Option(name, item if stems(told) - stems(name) else "", verb) if content(name) else None


def _clean(text: str) -> str:
    return rewrite.plain_marks(text).strip(' .:：;,!?。*_)("“”')


def _says_something(head: str) -> bool:
    """Whether the head is (the beginning of) a sentence rather than a name."""
    tokens = [word.casefold() for word in words(head)]
    return (
        _STRONG_OPENING.match(plain(head)) is not None
        or any(word in _STOPS - {"like", "so", "set", "made", "may", "might"} for word in tokens[1:])
        or any(word in _ACTING - _ACTING_NOUNS for word in tokens[1:-1])
        or len(tokens) > NAME_WORDS + 1
    )


def _stripped(text: str) -> tuple[str, bool]:
    """`text` without the words that only offer it, and whether a verb stands first then."""
    for _ in range(6):
        match = _OPENING.match(plain(text))
        if match is None or match.end() >= len(text):
            break
        text = text[match.end() :]
    tokens = [word.casefold() for word in words(text[:80])]
    verb = (
        len(tokens) > 1 and tokens[0] in _VERBS and (tokens[0] in _PURE_VERBS or tokens[1] in _AFTER_VERB)
    )  # "Read the news", and not "Fish tacos".
    following = text.split()[1:2]
    names = bool(following) and following[0][:1].isupper()
    if verb or (tokens and tokens[0] in {"a", "an", "the", "your", "one", "some"} and not names):
        text = text[:1].lower() + text[1:]
    return text, verb


def _noun_phrase(text: str) -> str:
    """The words of `text` up to where its first noun phrase ends, as written."""
    kept_end, telling, count = 0, 0, 0
    for match in itertools.islice(re.finditer(r"[^\s,;:.!?()–—]+(?:[.][^\s,;:.!?()]+)*|[,;:.!?()–—]", text), 40):
        piece = match[0]
        lower = plain(piece).casefold()
        if not any(character.isalnum() or character in "&+" for character in piece):
            if telling and piece not in "–—":
                break
            continue
        first = count == 0
        if telling and not first:
            following = next(iter(words(text[match.end() : match.end() + 40])), "").casefold()
            acts = (lower in _ACTING and (not piece[:1].isupper()) and bool(following)) and (
                lower not in _ACTING_NOUNS or following in _DETERMINERS
            )
            if acts or lower in _STOPS - _LINKS or (lower in _LINKS and telling >= 2):
                break
            if lower in _CUT_PREPOSITIONS and telling >= 2 and not piece[:1].isupper():
                break
            if english.is_past(lower) and following in english.PREPOSITIONS and telling >= 2:
                break
            if lower in {"or", "and"} and (count >= 4 or _verb_follows(text[match.end() :])):
                break
        count += 1
        if count > NAME_WORDS:
            break
        if is_content(piece) and lower not in _CUT_PREPOSITIONS and lower not in _NOT_TELLING:
            telling += 1
            kept_end = match.end()
    return text[:kept_end].strip()


_NOT_TELLING = listed("or and your one some up out along off")


def _verb_follows(rest: str) -> bool:
    following = [word.casefold() for word in words(rest[:60])[:2]]
    return bool(following) and following[0] in _VERBS


# ------------------------------------------------------------------------------------------ options in prose

_LEAD = re.compile(
    r"\b(?:consider(?:ing)?|recommend|suggest|(?:options?|ideas?|routes?|thoughts?|candidates"
    r"|choices)(?:\s+[\w']+){0,6}?\s*"
    r"(?:are|include|includes|including|:)|such\s+as|including|choose"
    r"|try(?:ing)?|between|either|like|name|perhaps|for\s+(?:example|instance)|stay\s+at|go\s+(?:with"
    r"|for)|look\s+at|pick|offer"
    r"|there(?:'s|\s+is|\s+are)|have|enjoy|prefer|would\s+be|could\s+be|might\s+be|take|visit|use"
    r"|you\s+(?:could|can|might)"
    r"|we\s+could|suggest\s+an?)\b[:,]?\s+|:\s+",
    re.I,
)
_ACTS_FOR_YOU = re.compile(
    r"\b(?:would you like me to|do you want me to|want me to|shall i|should i|(?:i|we) (?:can|could|will"
    r"|'ll)(?! recommend| suggest"
    r"| go| try| visit| do)|i'll)\b",
    re.I,
)
_CHINESE_LEAD = re.compile(r"考虑|推荐|选择|比如|例如|有|住在?|试试")
_CHINESE_SERIES = re.compile(
    r"[^、，。；！？\s]{1,40}(?:、[^、，。；！？\s]{1,20}){0,11}(?:或者?|和|还是|以及)[^、，。；！？\s]{1,20}"
)
_FILLER = re.compile(r"^(?:then|perhaps|maybe|also|either|even|or|and|just|simply|would)\s+", re.I)
_NO_PART = re.compile(
    r"^(?:i|you|we|it|it's|they|he|she|that|this|these|there|which|who|if|when|because|so|but|let|does|is"
    r"|are|was|in fact"
    r"|of course|however|for example|please|thanks?|yes|no(?!-)|sure|ha|several|many|a few|partly|shall"
    r"|should|do (?:you|i|we)|e\.?g)\b|^\(",
    re.I,
)


def _prose(text: str) -> list[Option]:
    bold = [found.strip(" .:") for found in re.findall(r"\*\*([^*\n]{2,60})\*\*", text)]
    if len(bold) >= 2:
        return [Option(name) for name in bold]
    sentences = [part.strip() for part in re.split(r"(?<=[.!?。！？])\s+|(?<=[。！？])|\n+", text) if part.strip()]
    found: list[Option] = []
    suggested: list[Option] = []
    for sentence in sentences:
        if _is_han(sentence):
            found += _chinese(sentence)
            continue
        ascii_sentence = plain(sentence)
        if _ACTS_FOR_YOU.search(ascii_sentence):
            continue
        found += _series(sentence)
        if len(suggested) <= MAX_OPTIONS and _STRONG_OPENING.match(ascii_sentence) and (option := read(sentence)):
            suggested.append(option)
    return suggested if len(suggested) > max(len(found), 1) else found


def _chinese(sentence: str) -> list[Option]:
    match = _CHINESE_SERIES.search(sentence)
    if match is None:
        return []
    lead = list(_CHINESE_LEAD.finditer(match[0]))
    series = match[0][lead[0].end() :] if lead else match[0]
    return [Option(name) for name in re.split("、|或者|或|还是|以及|和", series) if 1 < len(name) <= 20]


def _series(sentence: str) -> list[Option]:
    """ "A, B or C" after a word that offers, after a colon, or as the whole of a question."""
    sentence = sentence[:2000]
    leads = list(itertools.islice(_LEAD.finditer(plain(sentence)), MAX_LEADS))
    # "Three that you could take: ...": the series stands behind the colon, if there is one.
    starts = [match.end() for match in sorted(leads, key=lambda match: ":" not in match[0])]
    asks = sentence.endswith("?")
    for start in [*starts, 0]:
        parts = _parts(sentence[start : start + MAX_SERIES])
        # Nothing led up to it: only a series of things, "A, B, or C.", is an offer.
        if start == 0 and (len(parts) < 3 if not asks else not re.search(r"\bor\b", sentence, re.I)):
            continue
        options = [option for part in parts if (option := _part(part)) is not None]
        if len(options) >= 2 and len(options) == len(parts):
            return _last_name(options)
    return []


def _last_name(options: list[Option]) -> list[Option]:
    """Among names, the last runs into the rest of the sentence: it ends where the capitals do."""
    if not any(option.name[:1].isupper() or option.name[:1].isdigit() for option in options[:-1]):
        return options
    *others, last = options
    return [*others, msgspec.structs.replace(last, name=_capitals(last.name) or last.name)]


def _parts(text: str) -> list[str]:
    """The parts of a series, cut at commas and semicolons outside brackets and at the last "or"; else nothing."""
    text = text.strip().rstrip(".!?")
    commas: list[str] = []
    depth, begin = 0, 0
    hard = ";" in text
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")" and depth > 0)
        if depth == 0 and (character == ";" or (character == "," and not hard)):
            commas.append(text[begin:at])
            begin = at + 1
    tail = text[begin:]
    joint = re.search(r"^\s*(?:or|and)\s+", tail, re.I)
    if joint and commas:
        return [part.strip() for part in (*commas, tail[joint.end() :])]
    pieces = re.split(r"\s+or\s+", tail) if re.search(r"\s+or\s+", tail) else re.split(r"\s+and\s+", tail)
    if len(pieces) == 2 and pieces[0].strip():
        return [part.strip() for part in (*commas, *pieces)]
    return [part.strip() for part in (*commas, tail)] if len(commas) >= 2 else []


def _part(part: str) -> Option | None:
    part = _FILLER.sub("", _FILLER.sub("", part.strip(" '\"")))
    if not 0 < len(words(part)) <= PART_WORDS + 10 * ("(" in part) or _NO_PART.match(part):
        return None
    option = read(part)
    if option is None or not re.search(r"[^\W\d_]{2}", option.name):
        return None
    name = re.sub(r"^(?:the|a|an)\s+(?=[A-Z])", "", option.name, flags=re.I)
    name = name if name[:1].isupper() else option.name
    told = _stripped(part)[0]
    return Option(name, option.description or (told if stems(told) - stems(name) else ""), option.verb)


def _capitals(text: str) -> str:
    kept: list[str] = []
    for word in text.split():
        if not (word[:1].isupper() or word[:1].isdigit() or (kept and word in {"of", "the", "de", "&"})):
            break
        kept.append(word)
    return " ".join(kept)


def as_noun(option: Option) -> str:
    """The name without its verb, "a lecture" for "attend a lecture"; as it is when nothing would be left."""
    if not option.verb:
        return option.name
    bare = re.sub(r"^[\w'-]+\s+(?:(?:in|with|to|for|on|into|up|at|along with|out)\s+(?:for\s+)?)?", "", option.name)
    return bare if content(bare) else option.name


def _is_han(text: str) -> bool:
    return re.search(r"[\u4e00-\u9fff]", text) is not None


# ------------------------------------------------------------------------------------------- what tells them apart


def stem(word: str) -> str:
    """A coarser form than `same`: "attending" meets "attend", "hiking" meets "hike"."""
    form = same(word)
    for ending in ("ing", "ed"):
        if form.endswith(ending) and len(form) >= len(ending) + 3:
            form = form[: -len(ending)]
            if len(form) > 3 and form[-1] == form[-2] and form[-1] not in "ls":
                form = form[:-1]
    return form.removesuffix("e")


def stems(text: str) -> set[str]:
    """The telling words of `text` in that form; "second-hand" is "second-hand", "second" and "hand"."""
    found: set[str] = set()
    for word in words(text):
        if is_content(word):
            found.add(stem(word))
            if "-" in word:
                found |= {stem(part) for part in word.split("-") if len(part) > 2 and is_content(part)}
    return found
