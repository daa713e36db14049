"""Whether a prompt gets nothing where nothing matters, and something where a memory is needed: at one threshold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from eval_support import files, suites
from eval_support.running import Progress, Share, Table
from satchel.store import Tx, memories
from satchel.types import Draft, Kind

MEMORIES = 2000
"""That the profile holds at the most."""

ASKED = 100
"""Questions that need a memory."""

SAID = 1_700_000_000_000
"""When the memories came to be (November 2023, ms): before LoCoMo's last talks, which do not depend on it."""


def known(locomo: Path, prefeval: Path | None) -> list[tuple[str, Kind]]:
    """Memories for a profile: what LoCoMo's authors noted of its talks, then preferences from PrefEval."""
    loaded: Any = files.parsed(locomo, files.read_text(locomo))
    found: list[tuple[str, Kind]] = [
        (fact, "fact")
        for sample in loaded
        for session in sample["observation"].values()
        for facts in session.values()
        for fact, _ in facts
    ]
    if prefeval is not None:
        topics: Any = files.parsed(prefeval, files.read_text(prefeval))
        stated = sorted({item["preference"].strip() for topic in topics.values() for item in topic["explicit"]})
        found += [(preference, "explicit_preference") for preference in stated]
    return found[:MEMORIES]


def remember(tx: Tx, profile: str, known: Sequence[tuple[str, Kind]]) -> None:
    """Stores memories as a user who writes them down."""
    for text, kind in known:
        draft = Draft(kind=kind, text=text, key=text[:60], tags=(), sources=(), valid_from=SAID)
        memories.add(tx, draft, profile=profile, by_hand=True)


def some(questions: Sequence[str]) -> list[str]:
    """The questions that are asked of many, the same always."""
    return list(suites.Choice(limit=ASKED).of(questions))


async def table(
    title: str, generic: Sequence[str], needing: Sequence[str], gives: Callable[[str], Awaitable[bool]]
) -> Table:
    """`gives` says whether a question's context holds anything."""
    progress = Progress(title, len(generic) + len(needing))

    async def count(questions: Sequence[str]) -> int:
        given = 0
        for question in questions:
            given += await gives(question)
            progress.step("questions")
        return given

    empty = len(generic) - await count(generic)
    rows = (
        ("general questions that get nothing", Share(empty, len(generic))),
        ("questions that need a memory and get something", Share(await count(needing), len(needing))),
    )
    return Table(title, ("", "figure"), rows)
