"""Whose words a question asks for: the user's, or those of whom they talked with.

"What did I say ..." wants the user's turns, "what did you suggest ..." the assistant's. A name can mean either, and who
bears it shows in how the two address one another: where the assistant says "Hi Priya!", Priya is the user. Imported
talks between two people are asked about like that ("What did Priya adopt?").
"""

from __future__ import annotations

import re
from typing import Literal

import apsw

from satchel.recall.query import asks_assistant
from satchel.store.database import fetch

Speaker = Literal["user", "assistant"]

MOST_NAMES = 4
"""Names of a question that are looked up."""

LOOKED_AT = 300
"""Turns that hold a name, of which it is read who is addressed by it; the latest."""

CLEARLY = 3
"""How many times as often the one must be addressed by a name as the other."""

_FIRST_PERSON = re.compile(r"\b(?:i|i['’](?:m|ve|d|ll)|my|mine|me|we|our|ours|us)\b", re.IGNORECASE)
_NAME = re.compile(r"(?<![\w'’-])[A-Z][^\W\d_]{1,30}(?=['’]s\b|[^\w'’-]|$)")
_NO_NAME = frozenset(
    re.findall(
        r"\w+",
        "What When Where Who Whose Why How Which Did Does Do Is Are Was Were Has Have Had Would Will Could Can Should"
        " In On At For From The An If And After Before During Since According Based Considering Please Tell Monday"
        " Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August"
        " September October November December",
    )
)

CALL = 40
"""Characters before a name in which it shows that somebody is called by it."""

_CALLS = re.compile(
    r"(?:(?:^|[.!?]\s+)|\b(?:hey|hi|hello|dear|thanks|thank you|wow|yeah|yep|yes|no|congrats|sure|ok|okay|bye|great"
    r"|nice|cool|absolutely|good (?:morning|evening|night))\b)[,! ]*\Z",
    re.IGNORECASE,
)
_PAUSES = re.compile(r"\b(?=\s*(?:$|[,!.?]))")
_COMMA = re.compile(r",\s*\Z")
_MARK = re.compile(r"\s*[!.?,]")


def asked_for(db: apsw.Connection, profile: int, question: str) -> Speaker | None:
    """Whose turns answer, as far as the question and the talks of this profile tell; None when either may."""
    if asks_assistant(question):
        return "assistant"
    if _FIRST_PERSON.search(question):
        return "user"
    bearers = {
        bearer
        for name in list(dict.fromkeys(_NAME.findall(question)))[:MOST_NAMES]
        if name not in _NO_NAME and (bearer := _bearer(db, profile, name)) is not None
    }
    return bearers.pop() if len(bearers) == 1 else None


def _bearer(db: apsw.Connection, profile: int, name: str) -> Speaker | None:
    """Who of the two is called `name` by the other."""
    rows = fetch(
        db,
        "SELECT m.role, substr(m.content, 1, 1000) FROM turn_words w CROSS JOIN message m ON m.pk = w.rowid"
        " CROSS JOIN conversation c ON c.pk = m.conversation AND c.profile = ?"
        " WHERE turn_words MATCH ? ORDER BY w.rowid DESC LIMIT ?",
        (profile, f'"{name}"', LOOKED_AT),
    )
    called = [role for role, text in rows if _addresses(text, name)]
    by_assistant, by_user = called.count("assistant"), called.count("user")
    if by_assistant >= CLEARLY * max(by_user, 1):
        return "user"
    return "assistant" if by_user >= CLEARLY * max(by_assistant, 1) else None


def _addresses(text: str, name: str) -> bool:
    """ "Hey Priya!", "Thanks, Priya.", "Priya, I ...": not "Priya adopted a dog"."""
    for spelt in dict.fromkeys((name, name.lower())):
        start = text.find(spelt)
        while start >= 0:
            end, before = start + len(spelt), max(start - CALL, 0)
            if _CALLS.search(text, before, start) and _PAUSES.match(text, end):
                return True
            if _COMMA.search(text, before, start) and _MARK.match(text, end):
                return True
            start = text.find(spelt, end)
    return False
