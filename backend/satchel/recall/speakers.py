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
    called = _address(name)
    by_assistant = sum(role == "assistant" and called.search(text) is not None for role, text in rows)
    by_user = sum(role == "user" and called.search(text) is not None for role, text in rows)
    if by_assistant >= CLEARLY * max(by_user, 1):
        return "user"
    return "assistant" if by_user >= CLEARLY * max(by_assistant, 1) else None


def _address(name: str) -> re.Pattern[str]:
    """ "Hey Priya!", "Thanks, Priya.", "Priya, I ...": not "Priya adopted a dog"."""
    return re.compile(
        rf"(?:(?:^|[.!?]\s+)|\b(?:hey|hi|hello|dear|thanks|thank you|wow|yeah|yep|yes|no|congrats|sure|ok|okay|bye"
        rf"|great|nice|cool|absolutely|good (?:morning|evening|night))\b)[,! ]*{re.escape(name)}\b(?=\s*(?:$|[,!.?]))"
        rf"|,\s*{re.escape(name)}\s*[!.?,]",
        re.IGNORECASE,
    )
