"""Where the words of forgotten memories stood, so that nothing is derived from them again.

The rows are written by a trigger whenever a memory is deleted (migrations/0002_rederive.sql). They hold places, not
words: those are looked up in the messages, as long as these are kept.
"""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from satchel.store.database import fetch, to_json
from satchel.types import Source


def places(db: apsw.Connection, message_ids: Iterable[str]) -> list[Source]:
    """The forgotten places in these messages, each with the words that stood there in its revision."""
    rows = fetch(
        db,
        'SELECT m.id, c.id, f.start, f."end", f.revision, coalesce(r.content, m.content) FROM forgotten f'
        " JOIN message m ON m.pk = f.message JOIN conversation c ON c.pk = m.conversation"
        " LEFT JOIN revision r ON r.message = f.message AND r.revision = f.revision"
        " WHERE m.id IN (SELECT value FROM json_each(?))",
        (to_json(message_ids),),
    )
    return [
        Source(message_id=message, conversation_id=chat, start=start, end=end, quote=said[start:end], revision=revision)
        for message, chat, start, end, revision, said in rows
    ]


def touched(db: apsw.Connection, sources: Iterable[Source]) -> bool:
    """Whether any of these sources shares words with a memory that the user forgot."""
    sources = tuple(sources)
    return any(
        shares_words(place, source)
        for place in places(db, {source.message_id for source in sources})
        for source in sources
    )


def shares_words(one: Source, other: Source) -> bool:
    """Whether two sources overlap. In different revisions of a message, whether one's words contain the other's."""
    if one.message_id != other.message_id:
        return False
    if one.revision == other.revision:
        return one.start < other.end and other.start < one.end
    return one.quote in other.quote or other.quote in one.quote
