"""A user's turn cut into the clauses that could each hold something to remember.

First the lines that are not the user's own words go: code, quotations, pasted mail and documents, logs, bare
addresses. What remains is cut into sentences, and a sentence where a statement meets a request or a second
statement into clauses, because "I have decided to go to Guangzhou, which hotels are there?" holds a memory and a
question, and a judge that sees both at once sees neither.

Nothing is rewritten: a clause is a span, and `clause.text == message[clause.start:clause.end]` always. Every pass
reads the text once, and each pattern is tried at a fixed place or over a bounded stretch, so the time grows with
the length of the message and no faster.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import msgspec

MAX_CLAUSES = 400
"""At most this many clauses a message: the first half and the last half. People say what they want at the start
and at the end; what stands between in a text of thousands of sentences is a document."""

MAX_SENTENCE = 2000
"""Code points. A longer sentence is kept whole: nobody typed it, and looking inside it would cost time."""

MAX_READ = 60_000
"""Code points. Of a longer message only the first and the last half of this are looked at, for the same reason."""

TRANSFORM_TAIL = 400
"""Code points. "Summarise this" beside more text than this makes the text a document."""


class Clause(msgspec.Struct, frozen=True):
    """A stretch of a message, in Unicode code points: `text == message[start:end]`."""

    start: int
    end: int
    text: str


Span = tuple[int, int]


def split(text: str) -> list[Clause]:
    """The clauses of the user's own words, in order, never overlapping, never blank; at most `MAX_CLAUSES`."""
    spans = [
        clause for block in _read(text) for sentence in _sentences(text, *block) for clause in _clauses(text, *sentence)
    ]
    if len(spans) > MAX_CLAUSES:
        half = MAX_CLAUSES // 2
        spans = spans[:half] + spans[-half:]
    return [Clause(start, end, text[start:end]) for start, end in spans]


def _read(text: str) -> Iterator[Span]:
    """The user's stretches, clipped to the first and the last `MAX_READ / 2` of the text."""
    head, tail = MAX_READ // 2, max(MAX_READ // 2, len(text) - MAX_READ // 2)
    for start, end in own_words(text):
        if start < head:
            yield start, min(end, head)
        if end > tail:
            yield max(start, tail), end


# ---------------------------------------------------------------------------------- whose words a line holds

_FENCE = re.compile(r"[ \t]{0,3}(```+|~~~+|\"\"\"|''')")
_QUOTED = re.compile(r"[ \t]{0,3}>")
_INDENTED = re.compile(r"(?:\t| {4,})\S")
_BULLET = re.compile(r"[ \t]*(?:[-*+•‣◦▪–]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])[ \t]+")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+")
_MAIL_HEADER = re.compile(
    r"(?:from|to|cc|bcc|sent|date|subject|betreff|von|an|de|objet|asunto|reply-to)[ \t]?:[ \t]", re.I
)
_MAIL_QUOTE = re.compile(r"(?:-{2,} ?(?:original message|forwarded)|on .{5,80} wrote:[ \t]*$)", re.I)
_CLOCK = r"(?:[\d./-]{5,10},? )?\d{1,2}:\d\d(?::\d\d)?(?: ?[APap]\.?[Mm]\.?)?"
_STAMP = rf"[ \t]*(?:\[{_CLOCK}\]|{_CLOCK}[ \t]+[-–])[ \t]+"
"""When it was said, as messengers copy it: "[10:01] ", "[12/05/2024, 10:01:22] ", "12/05/2024, 10:01 - "."""
_STAMPED = re.compile(_STAMP + r"[^\s:][^:\n]{0,40}:[ \t]*\S")
_SPEAKER = re.compile(
    rf"(?:{_STAMP})?"
    r"(?P<who>\[[^\]\n]{1,40}\]|[A-Z][\w'’.-]{0,20}(?: [A-Z0-9][\w'’.-]{0,20}){0,2}|[QA])[ \t]?[:：][ \t]*\S"
)
_CHATTER = re.compile(
    r"(?P<who>(?!note|todo|edit|update|breakfast|lunch|dinner|snack|day|age|job|diet|allerg|like|dislike|hobb|title|name"
    r"|https?|ps|tl)[a-z]{2,12}):[ \t]+\S"
)
"""Somebody in a chat that was copied in lower case ("jonas: im out on sat")."""
_URL_ONLY = re.compile(r"[ \t]*<?(?:https?://|www\.)\S+>?[ \t]*$")
_LOG = re.compile(
    r"[ \t]*(?:\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d|\[?\d\d:\d\d:\d\d|(?:ERROR|WARN(?:ING)?|INFO|DEBUG|FATAL|CRITICAL)\b"
    r"|Traceback \(most|File \"|at [\w$.<>]+\(|Caused by:|\$ \w|>>> |C:\\|npm ERR|[\w.]+(?:Error|Exception)(?::|$))"
)
_CODE_START = re.compile(
    r"[ \t]*(?:[{\[]+[ \t]*[\"'{\[]|[\"']\w+[\"'][ \t]*:"
    r"|def |class \w+[(:{]|import [\w.{*]+(?:[ \t]*(?:;|,|as |from )|$)"
    r"|from [\w.]+ import |#include|using \w+;"
    r"|(?:public|private|protected|static) |(?:const|let|var) \w+[ \t]*[=:;]|func(?:tion)? ?\w*\("
    r"|return\b.{0,60}[;)]$"
    r"|(?:for|while|if|elif|switch|catch)[ \t]?\(.{0,120}\)[ \t]*\{?$|(?:for|while|if|elif|with|else|try"
    r"|except).{0,120}:$"
    r"|SELECT .{1,200} FROM |INSERT INTO |CREATE TABLE |<\/?[a-zA-Z][\w-]*[ />]|@\w+\(|//|/\*|\*/|--[a-z]"
    r"|[{}\[\]();,]+[ \t]*$)"
)
_CODE_MARKS = frozenset("{}[]()<>=;|\\_$#*/&%^~`+")
_COMMENT = re.compile(r"[ \t]*#")
_TABLE_ROW = re.compile(r"[ \t]*\|.*\|")

_TRANSFORM_WORDS = (
    r"(?:re-?(?:write|phrase|word|format|do)|translat(?:e|ion)|proof-?read|correct|improve|summari[sz]e|summary"
    r"|paraphrase|edit|shorten|fix|polish|classify|analy[sz]e|extract|continue|(?:write|carry|go) on|complete"
    r"|check|review|convert|explain|simplify|expand|critique|grade|rate|reply|respond|answer|tl;?dr|übersetz\w*"
    r"|korrigier\w*|fasse"
    r"|traduis|traduisez"
    r"|corrige|résume|traduce|resume|traduza|corrija|resuma)"
)
_TRANSFORM = re.compile(
    r"[ \t]*(?:please |now |hey,? |hi,? |kindly |(?:can|could|would|will) you (?:please )?|i (?:want|need"
    r"|would like) (?:you )?to "
    r"|i'd like you to |help me (?:to )?|bitte )?" + _TRANSFORM_WORDS + r"\b",
    re.I,
)
_TRANSLATES = re.compile(
    r"\b(?:translat(?:e|ion)|übersetz\w*|traduis|traduisez|traduce|traduza|traduci|vertaal)\b", re.I
)
"""What stands on lines of its own beside it is never the asker's, however short."""
_CJK_TRANSFORM = re.compile(r"[ \t]*请?(?:帮我)?(?:把|将)?.{0,12}(?:翻译|润色|改写|总结|概括|修改|续写)")
_COLON = re.compile(r"[:：](?=\s|$|[\"“「]|[\u3400-\u9fff])")
_ANNOUNCES = re.compile(
    r"(?:text|e-?mail|letter|message|paragraph|passage|essay|article|story|sentences?|following|below"
    r"|document|transcript"
    r"|abstract|poem|lyrics|article|excerpt|post|review|notes|code|error|log|output|question|problem|exercise|prompt"
    r"|description|requirements|resume|cv|draft|version|example|context|data|input|instructions|says?|said|reads?"
    r"|wrote|quote|dialogue|conversation|character|scenario|script|template)\b[^:\n]{0,40}[:：][ \t]*$",
    re.I,
)
_LABELLED = re.compile(
    r"[ \t]*(?:(?:video|audio|full|source|original|input|the|this is the) )?(?:transcript|text|article"
    r"|abstract|essay|passage"
    r"|document|context|story|lyrics|review|e-?mail|letter|paragraph|case|notes|description|content|source"
    r"|question ?\d*"
    r"|job description|input|scenario|dialogue|quote|prompt|statement|vignette)[ \t]?[:：][ \t]*\S",
    re.I,
)
_PRETENCE = re.compile(
    r"\b(?:role-?play(?:ing)?|let'?s (?:pretend|imagine|play)|stay in character|in this (?:scenario|game|story)"
    r"|mock (?:interview|trial|exam|debate|hearing|negotiation))\b",
    re.I,
)
_OUT_OF_PLAY = re.compile(
    r"\b(?:out of (?:character|the game)|ooc|break(?:ing)? character|stepping out|real me|in real life|irl"
    r"|pause the game"
    r"|timeout|time out)\b",
    re.I,
)
"""The user speaks for themselves again."""


def own_words(text: str) -> Iterator[Span]:
    """The stretches of `text` that read as the user's own prose: (start, end) pairs, in order.

    A stretch is one line without its bullet, or several when a line was only wrapped.
    """
    lines = list(_lines(text))
    foreign = _foreign_lines(text, lines)
    previous: Span | None = None
    for (start, end), skip in zip(lines, foreign, strict=True):
        if skip:
            if previous:
                yield previous
            previous = None
            continue
        marker = _BULLET.match(text, start, end) or _HEADING.match(text, start, end)
        if previous and not marker and _wrapped(text, previous, start, end):
            previous = (previous[0], end)
            continue
        if previous:
            yield previous
        previous = (marker.end() if marker else start, end)
    if previous:
        yield previous


def _lines(text: str) -> Iterator[Span]:
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        if end < 0:
            end = len(text)
        stop = end - 1 if end > start and text[end - 1] == "\r" else end
        yield start, stop
        start = end + 1


def _wrapped(text: str, previous: Span, start: int, end: int) -> bool:
    """A long line without an end, followed by one that goes on in lower case, was broken by width alone."""
    if previous[1] - previous[0] < 60 or start >= end:
        return False
    return text[previous[1] - 1] not in ".!?:;。！？…" and text[start].islower()


def _foreign_lines(text: str, lines: list[Span]) -> list[bool]:
    """For each line, whether it is blank or not the user's own words."""
    foreign = [False] * len(lines)
    fence = ""
    played = rest_is_foreign = _PRETENCE.search(text, 0, MAX_SENTENCE) is not None
    mail = False
    # A label that comes again is a speaker; labels that come once ("Age: 34") may be the user's own list.
    labels = Counter(label for start, end in lines if (label := _speaker(text, start, end)))
    dialogue = any(count > 1 for count in labels.values())
    copied = sum(_STAMPED.match(text, start, end) is not None for start, end in lines) > 1
    chatter = Counter(match["who"] for start, end in lines if (match := _CHATTER.match(text, start, end)))
    chat = len(chatter) > 1 and max(chatter.values()) > 1
    after_blank = True
    for number, (start, end) in enumerate(lines):
        if not text[start:end].strip():
            foreign[number], after_blank, mail = True, True, False
            continue
        if fence:
            foreign[number] = True
            if text.startswith(fence, start + _indent(text, start, end)) or fence in text[start:end]:
                fence = ""
            continue
        if opening := _FENCE.match(text, start, end):
            foreign[number] = True
            mark = opening.group(1)
            if text.find(mark, opening.end(), end) < 0:
                fence = mark
            continue
        foreign[number] = (
            (rest_is_foreign and not (played and _OUT_OF_PLAY.search(text, start, end)))
            or mail
            or _QUOTED.match(text, start, end) is not None
            or _URL_ONLY.match(text, start, end) is not None
            or _TABLE_ROW.match(text, start, end) is not None
            or (dialogue and _speaker(text, start, end) != "")
            or (copied and _STAMPED.match(text, start, end) is not None)
            or (chat and _CHATTER.match(text, start, end) is not None)
            or _reads_as_code(text, start, end)
            or (
                _INDENTED.match(text, start, end) is not None
                and _BULLET.match(text, start, end) is None
                and (after_blank or foreign[number - 1])
            )
        )
        if _MAIL_QUOTE.match(text, start, end) or (
            _MAIL_HEADER.match(text, start, end) and _near_another_header(text, lines, number)
        ):
            # A letter's greeting and body stand in paragraphs of their own: all that follows belongs to it.
            foreign[number] = rest_is_foreign = True
        elif _LABELLED.match(text, start, end):
            foreign[number] = rest_is_foreign = True
        elif not foreign[number] and (colon := _paste_begins(text, start, end)):
            lines[number] = start, colon
            rest_is_foreign = True
        after_blank = False
    _mark_comments(text, lines, foreign)
    _mark_transformed(text, lines, foreign)
    return foreign


def _mark_comments(text: str, lines: list[Span], foreign: list[bool]) -> None:
    """A line that begins with # is a program's comment, not a heading, right beside code or under a `#!`."""
    if not any(_COMMENT.match(text, start, end) for start, end in lines):
        return
    code = [_reads_as_code(text, start, end) or text.startswith("#!", start) for start, end in lines]
    for order in (range(len(lines)), reversed(range(len(lines)))):
        last = -2
        for number in order:
            if code[number] or (abs(number - last) == 1 and _COMMENT.match(text, *lines[number])):
                foreign[number], last = True, number


def _indent(text: str, start: int, end: int) -> int:
    line = text[start:end]
    return len(line) - len(line.lstrip())


def _reads_as_code(text: str, start: int, end: int) -> bool:
    if _LOG.match(text, start, end) or _CODE_START.match(text, start, end):
        return True
    line = text[start : min(end, start + 300)]
    marks = sum(1 for character in line if character in _CODE_MARKS)
    return marks >= 4 and marks * 8 > len(line)


def _near_another_header(text: str, lines: list[Span], number: int) -> bool:
    nearby = lines[max(0, number - 1) : number] + lines[number + 1 : number + 2]
    subject = text[slice(*lines[number])].lower().startswith(("subject", "betreff", "objet", "asunto"))
    return subject or any(_MAIL_HEADER.match(text, start, end) for start, end in nearby)


def _paste_begins(text: str, start: int, end: int) -> int | None:
    """Where the user's words end in "Here is the text:" or "Translate to German: I have a red car."; else None."""
    if text[end - 1] in ":：" and _ANNOUNCES.search(text, max(start, end - 200), end):
        return end
    if not (_TRANSFORM.match(text, start, end) or _CJK_TRANSFORM.match(text, start, end)):
        return None
    colon = _COLON.search(text, start, min(end, start + 150))
    return colon.end() if colon else None


def _speaker(text: str, start: int, end: int) -> str:
    """The label that a line begins with ("Ann" of "Ann: hello"), "" without one."""
    match = _SPEAKER.match(text, start, end)
    return match.group("who") if match else ""


def _mark_transformed(text: str, lines: list[Span], foreign: list[bool]) -> None:
    """A first or last line that asks to summarise, translate or correct makes a long rest a document."""
    filled = [number for number, (start, end) in enumerate(lines) if text[start:end].strip()]
    if len(filled) < 2:
        return
    for asking in (filled[0], filled[-1]):
        start, end = lines[asking]
        if end - start > 300 or not (_TRANSFORM.match(text, start, end) or _CJK_TRANSFORM.match(text, start, end)):
            continue
        rest = [number for number in filled if number != asking]
        tail = 1 if _TRANSLATES.search(text, start, end) else TRANSFORM_TAIL
        if sum(lines[number][1] - lines[number][0] for number in rest) >= tail:
            for number in rest:
                foreign[number] = True
            return


# ---------------------------------------------------------------------------------------------- sentences

_CLOSERS = "\"'”’»)]）」』】*_"
_CJK_END = "。！？；"
_ABBREVIATIONS = frozenset(
    [
        "dr",
        "mr",
        "mrs",
        "ms",
        "mx",
        "prof",
        "st",
        "sr",
        "jr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "eg",
        "ie",
        "approx",
        "ca",
        "cf",
        "no",
        "nr",
        "fig",
        "vol",
        "pp",
        "p",
        "ed",
        "est",
        "dept",
        "inc",
        "ltd",
        "co",
        "corp",
        "gen",
        "col",
        "sgt",
        "capt",
        "lt",
        "rev",
        "hon",
        "mt",
        "ft",
        "jan",
        "feb",
        "mar",
        "apr",
        "jun",
        "jul",
        "aug",
        "sep",
        "sept",
        "oct",
        "nov",
        "dec",
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "u.n",
        "d.c",
        "ph.d",
        "b.sc",
        "m.sc",
        "b.a",
        "m.a",
        "z.b",
        "d.h",
        "u.a",
        "bzw",
        "usw",
        "evtl",
        "ggf",
        "ca",
        "inkl",
        "str",
        "hr",
        "fr",
        "herr",
        "dra",
        "sra",
        "m.d",
        "mme",
        "mlle",
        "av",
        "min",
        "max",
        "tel",
        "ext",
        "aka",
        "op",
        "cit",
        "al",
        "resp",
    ]
)
# Ends only where the next word cannot go on: "from 9 a.m. I work" and "a.m. train" look alike, so the capital decides.
_MAY_END = frozenset(
    [
        "etc",
        "a.m",
        "p.m",
        "u.s",
        "u.k",
        "u.n",
        "d.c",
        "inc",
        "ltd",
        "co",
        "corp",
        "jr",
        "sr",
        "usw",
        "ph.d",
        "m.d",
        "b.sc",
        "m.sc",
        "b.a",
        "m.a",
    ]
)


def _sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """Sentences of one stretch. A quotation is never cut; one that makes up a whole sentence is left out."""
    quotes = _quotations(text, start, end)
    cursor = begin = start
    next_quote = 0
    while cursor < end:
        if next_quote < len(quotes) and cursor == quotes[next_quote][0]:
            cursor = quotes[next_quote][1]
            next_quote += 1
            if not (text[cursor - 2] in ".!?…。！？" and _starts_sentence(text, cursor, end)):
                continue
            stop = cursor
        else:
            while next_quote < len(quotes) and quotes[next_quote][0] <= cursor:
                next_quote += 1
            character = text[cursor]
            cursor += 1
            if character in _CJK_END:
                stop = _absorb(text, cursor, end)
            elif character in ".!?…" and not (character == "." and not _period_ends(text, begin, cursor - 1, end)):
                stop = _absorb(text, cursor, end)
                if stop < end and not text[stop].isspace() and not _is_cjk(text[stop]):
                    continue
            else:
                continue
        cursor = max(cursor, stop)
        yield from _trimmed_sentence(text, begin, cursor, quotes)
        begin = cursor
    yield from _trimmed_sentence(text, begin, end, quotes)


def _trimmed_sentence(text: str, start: int, end: int, quotes: list[Span]) -> Iterator[Span]:
    span = _trim(text, start, end)
    if span is None:
        return
    # Someone else's words, or an example: a whole sentence in quotation marks is not a statement of the user's.
    if any(first <= span[0] + 1 and last >= span[1] - 1 for first, last in _bounded(quotes, span)):
        return
    yield span


def _bounded(quotes: list[Span], span: Span) -> list[Span]:
    low, high = 0, len(quotes)
    while low < high:
        middle = (low + high) // 2
        if quotes[middle][0] < span[0] - 1:
            low = middle + 1
        else:
            high = middle
    return quotes[low : low + 2]


def _quotations(text: str, start: int, end: int) -> list[Span]:
    """Quotations of at least three words, marks included: (start, end) pairs, in order, not nested."""
    pairs = {"“": "”", "«": "»", "„": "“", "「": "」", "『": "』", '"': '"'}
    found: list[Span] = []
    cursor = start
    absent: set[str] = set()  # closing marks known not to come, so that a thousand openings cost one search
    while cursor < end:
        character = text[cursor]
        closing = pairs.get(character)
        opens = cursor == start or not text[cursor - 1].isalnum()
        if closing is None or closing in absent or not opens:
            cursor += 1
            continue
        close = text.find(closing, cursor + 1, end)
        if close < 0 and character == "„":
            closing = "”"
            close = text.find(closing, cursor + 1, end)
        if close < 0:
            absent.add(closing)
            cursor += 1
            continue
        inside = text[cursor + 1 : min(close, cursor + 400)]
        if inside.count(" ") >= 2 or any(_is_cjk(c) for c in inside[:5]):
            found.append((cursor, close + 1))
        cursor = close + 1
    return found


def _starts_sentence(text: str, cursor: int, end: int) -> bool:
    following = text[cursor : min(end, cursor + 3)].lstrip()
    return not following or following[0].isupper()


def _absorb(text: str, cursor: int, end: int) -> int:
    """Past further end marks and closing brackets: "really?!)" is one end."""
    while cursor < end and (text[cursor] in ".!?…。！？" or text[cursor] in _CLOSERS):
        cursor += 1
    return cursor


def _period_ends(text: str, begin: int, at: int, end: int) -> bool:
    """Whether the full stop at `at` ends a sentence that began at `begin`."""
    after = text[at + 1] if at + 1 < end else " "
    if after.isalnum():
        return False
    first = at
    while first > begin and at - first < 12 and not text[first - 1].isspace() and text[first - 1] not in "(\"'“":
        first -= 1
    word = text[first:at].lower()
    if not word:
        return False
    following = text[at + 1 : min(end, at + 4)].lstrip()
    if word in _MAY_END:
        return not following or following[0].isupper()
    if word in _ABBREVIATIONS:
        return not following
    if len(word) == 1 and word.isalpha() and word != "i":
        return not following  # an initial: "J. Okafor"
    if word == "i" and text[first].isupper() and following[:1].isupper():
        return False
    # "1." opens a list; "in 1999." ends a sentence.
    return not (word.isdigit() and first == begin)


# ------------------------------------------------------------------------------------------------ clauses

_FIRST_PERSON = (
    r"(?:i|i['’](?:m|ve|d|ll)|im|ive|we|we['’](?:re|ve|d|ll)|my|our|mine|ich|wir|mein\w{0,2}|je|j['’]\w+"
    r"|nous|mon|ma|mes|yo"
    r"|mi|mis|eu|meu|minha)\b"
)
_FIRST = re.compile(_FIRST_PERSON, re.I)
_ASKS = re.compile(
    r"(?:so |then |and |but |please |also |now )?(?:"
    r"what|which|who|whom|whose|where|when (?:is|are|do|does|should|can|will)|why|how|any (?:ideas?|tips?"
    r"|suggestions?|advice)"
    r"|(?:can|could|would|will|do|did|have|are|were) (?:you|there|we|i)\b|(?:is|are|was|does|should|shall"
    r"|may|might|can|could|would|will)"
    r" (?:\w+ ){1,3}|should i|do i|am i|is (?:it|there|that|this)|are there"
    r"|please\b|suggest|recommend|(?:give|tell|show|help|find|send|make|write|get|teach|explain|list|draft"
    r"|plan|create|compare"
    r"|describe|convert|translate|summari[sz]e|calculate|name|advise|remind) (?:me|us|it|this|that|a|an|the"
    r"|some|my|our|what|how|three|five|ten|\d)"
    r"|(?:keep|make|use|put|skip|leave|add|include|avoid|check|start|stick|sort|format|mention|remember|don['’]?t"
    r"|do not|never mind|just)"
    r" (?:it|them|this|that|these|those|the|a|an|any|everything|all|nothing|to|with|bother|use|make|include|worry"
    r"|forget|add|put|give|write|go|be)"
    r"|let me know|i (?:need|want|would like|was wondering)|i['’]d like"
    r"|welche|wer|was|wie|wo|wann|warum|kannst|können|gibt es|empfiehl|bitte|quel|quelle|quels|quelles"
    r"|comment|où|pourquoi"
    r"|peux-tu|pouvez-vous|qu['’]est|qué|cuál|cuáles|cómo|dónde|puedes|podrías|recomiéndame|quais|qual|como"
    r"|onde|podes|você pode"
    r")\b",
    re.I,
)
_JOINT = re.compile(
    r"(?P<comma>,[ \t]+)(?:(?:and|but|so|yet|plus|also|und|aber|et|mais|y|pero|e|mas)[ \t]+)?"
    r"|[ \t]+(?:and|but|so|yet|und|aber|et|mais|y|pero|e|mas)[ \t]+"
    r"|(?P<reason>,?[ \t]+(?:because|since|as|cause|given(?: that)?|considering|weil|da|parce qu[e'’]|car|porque"
    r"|pois)[ \t]+)"
    r"|(?P<hard>[ \t]*;[ \t]*|:[ \t]+|[ \t]+[-–—]+[ \t]+|—|[ \t]*\.\.\.[ \t]*|[ \t]*…[ \t]*)(?:(?:and|but|so)[ \t]+)?"
    r"|(?P<inverted>[ \t]*(?=¿))"
    r"|(?P<cjk>，|、(?=我)|,(?=[\u3400-\u9fff]))"
    r"|(?P<open>[ \t]*\((?=" + _FIRST_PERSON + r"))",
    re.I,
)
# An opening that leans on what follows: "Living in Lyon, I ...", "If I had a dog, I'd ..."
_LEANS = re.compile(
    r"(?:if|when|whenever|while|because|although|though|even|since|as|after|before|once|until|unless|with"
    r"|without|in|on|at|for"
    r"|from|by|during|despite|given|considering|instead|like|to|of|than|being|living|having|growing|due"
    r"|thanks|no matter|every|each"
    r"|last|this|next|today|yesterday|tomorrow|honestly|actually|usually|normally|personally|also|well"
    r"|sometimes|often|recently"
    r"|lately|currently|sadly|luckily|unfortunately|ever|suppose|imagine|wenn|weil|als|da|seit|si|quand"
    r"|comme|cuando|desde|se|quando"
    r"|[a-z]+ing)\b",
    re.I,
)
_SAYS = re.compile(
    r"\b(?:said|says|say|told|tells|think|thinks|thought|know|knows|believe|hope|guess|suppose|wish|asked"
    r"|asks|wrote|replied|mean)[ \t]*$",
    re.I,
)
_AS_FAR = re.compile(r"\bas (?:far|long|soon|much|well|often|early|late|fast)$", re.I)
_WHENEVER = re.compile(
    r"\b(?:when(?:ever)?|every time|each time|any ?time|if|once|from now on|in future|in all)\b[^,.;]*$", re.I
)
_SO = re.compile(r"[ \t]*,?[ \t]*so[ \t]+", re.I)
_SUBORDINATE = re.compile(r"(?:since|because|as|given that|considering(?: that)?|now that|seeing as)[ \t]+", re.I)
_RELATIVE = re.compile(r"(?:which|who|where|what|how|whose|whom|why)\b", re.I)
_POSSESSIVE = re.compile(r"(?:my|our|mein\w{0,2}|mon|ma|mes|mis?|meu|minha)[ \t]", re.I)
_POSSESSIVE_CLAUSE = re.compile(
    r"\w+(?:[ \t]+[\w'’-]+){1,4}?(?:['’]s|[ \t]+(?:is|are|was|were|has|have|had|can|can['’]?t|cannot|could"
    r"|does|do|don['’]?t"
    r"|doesn['’]?t|did|didn['’]?t|will|would|won['’]?t|should|must|loves?|likes?|hates?|needs?|wants?"
    r"|prefers?|lives?|works?"
    r"|goes|comes|gets|says|eats?|plays?|keeps?|makes?|hurts?|died|moved|got|started|starts|turns?|speaks?"
    r"|runs?|studies|teaches"
    r"|ist|sind|hat|haben|war|est|sont|a|ont|es|son|tiene|está|é|são|tem))\b",
    re.I,
)
_VERB = (
    r"(?:is|are|was|were|has|have|had|can|can['’]?t|cannot|does|doesn['’]?t|do|don['’]?t|will|won['’]?t|never|still|also"
    r"|always|hates?|loves?|likes?|needs?|prefers?|lives?|works?|keeps?|runs?|goes|comes|gets|eats?|plays?|speaks?"
    r"|teaches|studies|died|moved|got|started)"
)
_OTHERS_CLAUSE = re.compile(
    r"(?:(?:he|she|they)(?:['’](?:s|re|ve|ll)|[ \t]+" + _VERB + r")"
    r"|(?:(?:the|his|her|their)[ \t]+(?:(?!(?:he|she|they|i|we|you|it)\b)[\w-]+[ \t]+){0,2}?[\w-]+|dad|mum|mom"
    r"|(?-i:[A-Z][\w-]+))(?:[ \t]+"
    + _VERB
    + r"|['’]s[ \t]+(?:an?|the|not|never|always|been|got|gone|in|on|my|our|\d+)))"
    r"\b[ \t]+[\w\d]",
    re.I,
)
"""Another subject and its verb: "the car's a Skoda", "she's seven", "Dad keeps bees"."""
_WHEN = (
    r"(?:(?:every|each|most|on)[ \t]+(?:other[ \t]+)?(?:mon|tues|wednes|thurs|fri|satur|sun|week|school[ \t]+)?"
    r"(?:days?|mornings?|evenings?|afternoons?|nights?|weekdays?|weekends?)|at[ \t]+\d{1,2})\b"
)
_TIMED = re.compile(_WHEN, re.I)
_TIMED_ENTRY = re.compile(
    rf"(?!{_WHEN})(?!(?:at|on|in|from|to|then|or|not|except|and)\b)[\w'’-]+[ \t](?:[^,;]*?[ \t])?{_WHEN}", re.I
)
_CJK_ASKS = re.compile(r"[^，。]{0,40}?(?:吗|呢|哪|什么|怎么|如何|请|帮我|能不能|可以|推荐|几|多少|？|\?)")
_OPENER = re.compile(
    r"(?:and|but|so|also|plus|oh|well|okay|ok|hi|hello|hey|btw|by the way|fyi)[ \t]*,?[ \t]+(?=(?:i|my|we"
    r"|our)\b|i['’])",
    re.I,
)


def _clauses(text: str, start: int, end: int) -> Iterator[Span]:
    """Cuts a sentence where a statement meets a question, a request or another statement with its own subject.

    A second part without a subject ("I live in Porto and prefer trains") stays with the first.
    """
    if end - start > MAX_SENTENCE:
        yield start, end
        return
    quotes = _quotations(text, start, end)
    begin = cursor = start
    while joint := _JOINT.search(text, cursor, end):
        cursor = max(joint.end(), cursor + 1)
        if joint.end() >= end or any(first < joint.start() < last for first, last in quotes):
            continue
        if joint.group("open") is None and text.count("(", begin, joint.start()) > text.count(
            ")", begin, joint.start()
        ):
            continue  # an aside is closed before its sentence goes on
        if joint.group("open") is not None:
            close = text.find(")", joint.end(), end)
            if close > 0:
                yield from _trimmed(text, begin, joint.start())
                yield from _trimmed(text, joint.end(), close)
                begin = cursor = close + 1
            continue
        if _cuts(text, begin, joint, end):
            yield from _trimmed(text, begin, joint.start())
            begin = joint.end()
    # "What helps, I hate stairs?": the mark belongs to the question, not to the statement behind it.
    if begin > start and text[end - 1] in "?？" and _FIRST.match(text, begin, end):
        end -= 1
    yield from _trimmed(text, begin, end)


def _cuts(text: str, begin: int, joint: re.Match[str], end: int) -> bool:
    """Whether what stands on both sides of `joint` can each stand alone."""
    stop, right = joint.start(), joint.end()
    left = text[begin:stop]
    if joint.group("cjk") is not None:
        return "我" in left and _CJK_ASKS.match(text, right, end) is not None
    if joint.group("inverted") is not None:
        return bool(left)
    asks_right = _ASKS.match(text, right, end) is not None
    asks_left = _ASKS.match(text, begin, stop) is not None
    own_right = _own_clause(text, right, end)
    if joint.group("reason") is not None:
        if _AS_FAR.search(text, max(begin, stop - 12), stop):
            return False
        # "I run because my knee allows it" is one thing; "somewhere quiet because my wife is deaf" holds another.
        return own_right and (asks_left or not _own_clause(text, begin, stop))
    words = len(left.split())
    if words < 2 or _SAYS.search(text, max(begin, stop - 20), stop):
        return False
    if joint.group("hard") is not None:
        return own_right or asks_right
    comma = joint.group("comma") is not None
    leans = _LEANS.match(text, begin, stop) is not None
    if asks_right and not asks_left:
        question = text[end - 1] in "?？"
        if _SO.match(text, stop, right) and not question:
            return _FIRST.search(text, begin, stop) is not None
        if _RELATIVE.match(text, right, end) and not question:
            return False
        if _WHENEVER.search(text, max(begin, text.rfind(",", begin, stop)), stop):
            return False  # "whenever you give me a recipe, put the weights first" is one order
        return comma or (question and not leans and _FIRST.match(text, begin, stop) is not None)
    # "so I can't run" is the point of what it follows; "my wife and I live" is one subject.
    so = text[stop:right].strip(" ,\t").lower() == "so"
    if comma and not so and not own_right and not asks_right and not asks_left:
        if not leans and _OTHERS_CLAUSE.match(text, right, end):
            return True
        if _TIMED.search(text, begin, stop) and _TIMED_ENTRY.match(text, right, end):
            return True  # a list of what is when
    return own_right and words >= 3 and not leans and not so and (comma or asks_left or _own_clause(text, begin, stop))


def _own_clause(text: str, start: int, end: int) -> bool:
    """Begins with a first person that a verb belongs to: "I hate", "my wife loves", not "my own bread"."""
    if subordinate := _SUBORDINATE.match(text, start, end):
        start = subordinate.end()
    first = _FIRST.match(text, start, end)
    if first is None:
        return False
    return _POSSESSIVE.match(text, start, end) is None or _POSSESSIVE_CLAUSE.match(text, start, end) is not None


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    span = _trim(text, start, end)
    if span is None:
        return
    opener = _OPENER.match(text, *span)
    yield (opener.end() if opener else span[0]), span[1]


def _trim(text: str, start: int, end: int) -> Span | None:
    """The span without white space at its ends; None when no letter or digit is left in it."""
    while start < end and (text[start].isspace() or text[start] in ",;"):
        start += 1
    while end > start and (text[end - 1].isspace() or text[end - 1] in ",;"):
        end -= 1
    head = text[start : min(end, start + 200)]
    if not any(character.isalnum() for character in head):
        return None
    return start, end


def _is_cjk(character: str) -> bool:
    return "\u3040" <= character <= "\u9fff" or "\uff00" <= character <= "\uffef"
