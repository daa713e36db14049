"""Whether a clause corrects what was said before: "no, I moved to Porto", "sorry, 75, not 50", "scratch that".

A marked opening is a correction only where there is something to correct, and "X, not Y" only where Y was said."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

from satchel.extract.choosing.clauses import Clause
from satchel.extract.dialogue import answers
from satchel.extract.language.words import content, plain
from satchel.types import Message

MAX_LOOK = 4000
"""Code points of an earlier turn that are searched for what is denied."""

REACH = 160
"""Code points from the opening within which a clause still belongs to it."""

LOOK_BACK = 4
"""Earlier turns that can be corrected."""

_OPENS = re.compile(
    r"""\W*(?:(?:oh|ah|hm+|um|uh|er|ok(?:ay)?|well|so|but|and|yes|yeah)\W+){0,3}
    (?:scratch\ that|strike\ that|correction|i\ meant\b|i\ mean(?:t)?\ to\ say|my\ (?:mistake|bad|error)|typo|brain\ fog
      |that(?:'s|\ is|\ was)\ (?:not\ (?:right|true|correct|it|what\ i)|wrong|incorrect|a\ typo|old|out\ of\ date
        |outdated)
      |you(?:'ve|\ have)?\ (?:got|have)\ (?:that|it|this|me)\ wrong|you're\ wrong|wrong\ (?:word|number|one|way)
        |(?:not\ )?quite\ the\ opposite
      |i\ (?:said|typed|wrote|put|told\ you)\ (?:that|it|this)?\ ?wrong|i\ (?:mis\w+|mixed|got\ (?:that|it)\ wrong)
      |make\ that\ \w+|where\ did\ you\ get|what\ makes\ you\ think|let\ me\ correct|to\ correct)\b""",
    re.I | re.X,
)
_SOFT = re.compile(
    r"\W*(?:(?:oh|ah|hm+|um|uh|er|well|but)\W+){0,2}(?:(?:no|nope|nah|wait|hang on|hold on|actually|sorry"
    r"|apologies|wrong|oops|whoops|not)\b"
    r"[\s,.:;!–—-]*){1,4}",
    re.I,
)
"""Openings that often correct and often do not: "no, thanks", "sorry, one more thing"."""
_SLIP = re.compile(
    r"\W*(?:(?:oh|ah|hm+|um|uh|er|well|but)\W+){0,2}(?:wait|hang on|hold on|sorry|apologies|oops|whoops)\b[\s,.:;!–—-]*"
    r"(?:no\b|not\b|\d|it'?s\b|that'?s\b|i'?m (?!after|looking|trying|confused|lost)|we'?re\b"
    r"|i (?:misread|looked|meant|said|had|have)\b|make that\b)",
    re.I,
)
_INSTEAD = re.compile(
    r"(?:[,;!.]+\s|\s[–—-]\s|\band\b|\bbut\b)\s*(?:it's |is |i'm )?not\s+(?P<denied>(?:[\w'-]+\s*){1,3})", re.I
)
"""The Y of "X, not Y"."""
_DENIAL = re.compile(r"\b(?:not|never|no|\w+n't)\s+(?P<denied>(?:[\w'-]+\s*){1,4})", re.I)
MAX_DENIALS = 4


def corrects(clause: Clause, message: Message, before: Sequence[Message]) -> bool:
    """Whether `clause`, a stretch of the user's `message`, puts right something said in it or in `before`."""
    recent = before[-LOOK_BACK:]
    if clause.start and _announced(message, clause):
        return True
    if not recent:
        return False
    near = clause.start <= REACH
    head = plain(message.content[: clause.end] if near else clause.text)
    if _OPENS.match(head) or _SLIP.match(head):
        return True
    soft = _SOFT.match(head) if near else None
    if soft and _puts_right(head[soft.end() :], head, recent):
        return True
    instead = _INSTEAD.search(plain(clause.text))
    return (instead is not None and _was_said(instead["denied"], recent)) or _denies_claim(head, recent[-1])


def _announced(message: Message, clause: Clause) -> bool:
    """ "... scratch that, it's 20 years": the mark stands right before the clause, in the same message."""
    ahead = plain(message.content[max(0, clause.start - 40) : clause.start])
    return (
        re.search(r"\b(?:scratch that|strike that|i meant|no wait|wait no|correction)[\s,:.–—-]*$", ahead, re.I)
        is not None
    )


def _puts_right(rest: str, head: str, recent: Sequence[Message]) -> bool:
    """A "no" or "actually" corrects where the assistant had supposed something of the user. Elsewhere it refuses
    an offer or answers a question."""
    if not content(rest) or re.match(
        r"(?:thanks?|thank you|problem|worries|need|idea|i don't want|please|one more|another|also|just|for|but)\b",
        rest,
        re.I,
    ):
        return False
    if recent[-1].role == "assistant" and answers.claims(recent[-1]):
        return True
    actually = re.match(r"\W*(?:\w+\W+)?actually\b", head, re.I)
    return actually is not None and re.match(r"(?:it's|it is|i'm|i am|we're|my|our|the)\b", rest, re.I) is not None


def _was_said(denied: str, recent: Sequence[Message]) -> bool:
    """Whether the first telling word of what is denied stands in an earlier turn of the user's, or is supposed of
    them by the assistant; in a mere offer of the assistant's it is only refused."""
    telling = content(denied)[:1]
    if not telling:
        return False
    if any(telling[0] in content(turn.content[:MAX_LOOK]) for turn in recent if turn.role == "user"):
        return True
    return recent[-1].role == "assistant" and telling[0] in _supposed(recent[-1])


def _denies_claim(head: str, last: Message) -> bool:
    if last.role != "assistant" or len(head) > 2 * REACH:
        return False
    supposed = _supposed(last)
    denied = itertools.islice(_DENIAL.finditer(head), MAX_DENIALS)
    return any(word in supposed for match in denied for word in content(match["denied"])[:2])


_SUPPOSES = re.compile(
    r"\b(?:as an?|since (?:you|it)|for your|with your|you're a|you are a|you seem|you must|your (?:class"
    r"|class\w*))\b(?P<what>[^.?!,\n]{2,60})",
    re.I,
)


def _supposed(last: Message) -> set[str]:
    """The telling words of what the assistant supposes of the user ("as a beginner", "with your dog")."""
    return {word for match in _SUPPOSES.finditer(plain(last.content[-MAX_LOOK:])) for word in content(match["what"])}


_LEADS = re.compile(
    r"\W*(?:(?:no|nope|nah|wait|hang on|hold on|actually|sorry|apologies|scratch that|strike that"
    r"|correction|oops|whoops|wrong"
    r"|that's wrong|that's not right|my mistake|my bad|typo|i meant(?: to say)?)\b[\s,.:;!–—-]+)+",
    re.I,
)


def opening(text: str) -> int:
    """How many code points at the start of `text` only announce the correction ("no, actually, "); never all."""
    match = _LEADS.match(plain(text))
    if match is None or not content(text[match.end() :]):
        return 0
    # "No sugar for me" is a statement, "no, I moved" is not.
    return match.end() if re.search(r"[,.:;!–—-]\s*$|\b(?:actually|that|meant)\s+$", match[0]) else 0
