"""What kind of talk this is: the user's own life, work on a text or on code, or play.

Taking "the second one" shows a taste among restaurants, and nothing among headlines; "Mia" answers a question about
the user's daughter, and in a game it is a character's name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from satchel.extract.language.words import plain
from satchel.types import Message

MAX_LOOK = 4000
"""Code points of a turn that are looked at."""

_PLAY = re.compile(
    r"\b(?:role-?play\w*|let'?s (?:pretend|play|imagine)|pretend|quiz|trivia|test me|flash ?cards?|multiple[- ]choice"
    r"|exam questions?|act as|in character|text adventure|(?:twenty|20) questions|guess the|interview me|mock interview"
    r"|simulat\w+|imagine (?:you|i|we|that)|riddles?|hangman|you are (?:a|an|now|the|my|playing)\b"
    r"|you're (?:now |playing )|dungeon|(?:true or false)|correct answer|which of the following|game master"
    r"|play (?:the|a) (?:part|role)|(?:be|play) my \w+)\b|^\s*\*[a-z]|\*[a-z][^*\n]{5,}\*\s*$",
    re.I | re.M,
)
_MADE = (
    r"(?:titles?|headlines?|slogans?|captions?|taglines?|subject lines?|outlines?|essays?|paragraphs?|sentences?"
    r"|e-?mails?|letters?|poems?|limericks?|haikus?|stor(?:y|ies)|script|speech|toast|bio|cover letter|résumé|resume|cv"
    r"|code|function|regex|query|quer(?:y|ies)|usernames?|domain|passwords?|acronyms?|synonyms?|lyrics"
    r"|prompts?|hashtags?"
    r"|tweets?|posts?|translations?|thesis|abstract|message|note|text|reply|wording|phras\w+|summary"
    r"|report|article|blurb"
    r"|description|table|list|chart|formula|spreadsheet|slides?|presentation|logo|puns?|jokes?|invitation|card|sign"
    r"|names? for (?:a|an|the|my|our) (?:\w+ )?(?:shop|business|company|band|blog|app|podcast|brand|team"
    r"|start-?up|channel"
    r"|product|project|variable|character|novel|book))"
)
_WORK = re.compile(
    r"\b(?:writ(?:e|ing) (?:me |us |up |out |down )?(?:a|an|the|my|our|some|two|three|five|\d+|this|that"
    r"|it|something|code)\b"
    r"|re-?writ\w+|re-?phras\w+|re-?word\w*|translat\w+|summari[sz]\w+|proof-?read\w*|paraphras\w+"
    r"|shorten|debug\w*|refactor"
    rf"|(?:draft|compose|generate|edit|fix|polish|improve|make|give|create|design|need|want|suggest"
    rf"|find)\b[^.?!\n]{{0,30}}\b{_MADE}\b"
    rf"|(?:how (?:should|do|can) i (?:word|phrase|code|implement|call)|how to (?:word|phrase|implement))"
    rf"|(?:ideas?|options?|suggestions?) for (?:a|an|the|my|our)?\s*(?:\w+ ){{0,2}}{_MADE}\b"
    rf"|my (?:essay|code|novel|story|thesis|script|character|paper|chapter|poem|function|query|draft)"
    r"|(?:write|draft) it|continue the|make the (?:font|text|title|heading)|(?:line|bar|pie) chart|pandas"
    r"|npm|pip install|stack ?trace|exception|compile[rd]?|traceback|endpoint|json|html|css|sql\b)",
    re.I,
)


_PLAYED = re.compile(
    r"\b(?:correct answer|which of the following|what do you do\?|question \d+|your (?:character|score|turn)|round \d+"
    r"|true or false|next question)\b|^\s*\*[a-z]",
    re.I | re.M,
)
"""How the assistant's side of it reads."""


def is_play(turns: Sequence[Message]) -> bool:
    """Whether any of the turns sets up a game, a quiz or a part to play."""
    return any(
        (_PLAY if turn.role == "user" else _PLAYED).search(plain(turn.content[:MAX_LOOK])) is not None for turn in turns
    )


def is_work(turns: Sequence[Message]) -> bool:
    """Whether any of the user's turns asks for a text, code or the like to be made or changed."""
    return any(turn.role == "user" and _WORK.search(plain(turn.content[:MAX_LOOK])) for turn in turns)


_FICTION = re.compile(
    r"\b(?:writ\w+|help(?: me)?(?: with)?|make|tell|working on|continue)\b[^.?!\n]{0,40}\b(?:stor(?:y"
    r"|ies)|novel|character|scene|screenplay"
    r"|fan ?fiction|d&d|campaign|villain|protagonist|plot)\b",
    re.I,
)


def is_fiction(turns: Sequence[Message]) -> bool:
    """Whether any of the user's turns asks for help with something made up, whose "you" is nobody."""
    return any(turn.role == "user" and _FICTION.search(plain(turn.content[:MAX_LOOK])) for turn in turns)
