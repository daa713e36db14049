"""A turn as the gate reads it: its clauses within the words around them, and what had been said before.

A short turn is one passage. A longer one is read in windows that overlap, so that every clause has some context on
both sides, and each clause is read once."""

from __future__ import annotations

from collections.abc import Sequence

from satchel.extract.choosing.clauses import Clause
from satchel.models import Passage

WINDOW = 600
"""Code points of a passage, if its clauses allow: some 140 tokens of English."""

OVERLAP = 150
"""Code points before the first clause of a window that are read again, as context."""

AFTER = 100
"""Code points after the last clause of a window that are read as context."""

BEFORE = 200
"""Code points of the assistant's turn, its end: there it asks and offers."""

OPENING = 120
"""Code points of the conversation's first turn of the user: there the scene of a game is set, and the task."""


def heard(turns: Sequence[tuple[str, str]]) -> str:
    """What the earlier `turns`, (role, content) in order, tell of the next: how the conversation began, and the end of
    what the assistant said last."""
    opening = next((content for role, content in turns if role == "user"), "")
    last = turns[-1][1] if turns and turns[-1][0] == "assistant" else ""
    return f"{opening.strip()[:OPENING]}\n{last.strip()[-BEFORE:]}".strip()


def passages(text: str, clauses: Sequence[Clause], before: str = "") -> list[Passage]:
    """`text` with its `clauses` (in order, not overlapping) marked: every clause in one passage, in order.

    `before` is what was `heard` before it, or empty. None without clauses.
    """
    found: list[Passage] = []
    group: list[Clause] = []
    for clause in clauses:
        if group and clause.end - group[0].start > WINDOW:
            found.append(_passage(text, group, before))
            group = []
        group.append(clause)
    return [*found, _passage(text, group, before)] if group else []


def _passage(text: str, group: Sequence[Clause], before: str) -> Passage:
    at = max(0, group[0].start - OVERLAP)
    pieces: list[tuple[str, bool]] = []
    for clause in group:
        if at < clause.start:
            pieces.append((text[at : clause.start], False))
        pieces.append((clause.text, True))
        at = clause.end
    if at < len(text):
        pieces.append((text[at : at + AFTER], False))
    return Passage(tuple(pieces), before)
