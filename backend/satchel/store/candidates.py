"""Loading what was found: memories and turns as recall ranks them."""

from __future__ import annotations

from collections.abc import Mapping

import apsw
import msgspec

from satchel.store.database import fetch, to_json
from satchel.store.search import Found
from satchel.types import Candidate, Source, Surroundings

EXCERPT = 4_000
"""Characters of a turn that recall reads and answers with: a pasted book is not a hit to be read whole."""


def load_memories(db: apsw.Connection, found: Found) -> list[Candidate]:
    """The memories found, each with its sources in the order they were said."""
    rows = fetch(
        db,
        "SELECT pk, id, kind, text, said_by, valid_from, event_time, status, valid_to, pinned, reasoning, tags"
        " FROM memory WHERE pk IN (SELECT value FROM json_each(?))",
        (to_json(found.pks()),),
    )
    sources: dict[int, list[Source]] = {}
    sites: dict[int, str] = {}
    for pk, message, conversation, site, start, end, quote, revision in fetch(
        db,
        'SELECT s.memory, m.id, c.id, c.site, s.start, s."end", s.quote, s.revision FROM source s'
        " JOIN message m ON m.pk = s.message JOIN conversation c ON c.pk = m.conversation"
        " WHERE s.memory IN (SELECT value FROM json_each(?)) ORDER BY m.time, m.position, s.start",
        (to_json([row[0] for row in rows]),),
    ):
        sources.setdefault(pk, []).append(
            Source(
                message_id=message, conversation_id=conversation, start=start, end=end, quote=quote, revision=revision
            )
        )
        sites[pk] = site
    candidates = []
    for pk, memory_id, kind, text, said_by, valid_from, event_time, status, valid_to, pinned, reasoning, tags in rows:
        held = sources.get(pk, [])
        candidates.append(
            Candidate(
                type="memory",
                id=memory_id,
                kind=kind,
                text=text,
                said_by=said_by,
                conversation_id=held[-1].conversation_id if held else None,
                site=sites.get(pk),
                sources=tuple(held),
                time=event_time if event_time is not None else valid_from,
                status=status,
                valid_from=valid_from,
                valid_to=valid_to,
                pinned=bool(pinned),
                reasoning=reasoning,
                tags=tuple(msgspec.json.decode(tags)),
                lexical=found.lexical.get(pk, 0.0),
                similarity=found.similarity.get(pk),
            )
        )
    return candidates


def load_turns(db: apsw.Connection, found: Found, around: Mapping[int, Surroundings]) -> list[Candidate]:
    """The turns found, each with what is known of its surroundings; of a long one its first
    `EXCERPT` characters, which is also what its source quotes."""
    rows = fetch(
        db,
        f"SELECT m.pk, m.id, c.id, c.site, m.role, m.time, m.revision,"
        f" CASE WHEN octet_length(m.content) <= {EXCERPT} THEN m.content ELSE substr(m.content, 1, {EXCERPT}) END"
        " FROM message m JOIN conversation c ON c.pk = m.conversation WHERE m.pk IN (SELECT value FROM json_each(?))",
        (to_json(found.pks()),),
    )
    return [
        Candidate(
            type="turn",
            id=message_id,
            kind="turn",
            text=text,
            said_by="assistant" if role == "assistant" else "user",
            conversation_id=conversation,
            site=site,
            sources=(
                Source(
                    message_id=message_id,
                    conversation_id=conversation,
                    start=0,
                    end=len(text),
                    quote=text,
                    revision=revision,
                ),
            ),
            time=time,
            status="active",
            valid_from=time,
            valid_to=None,
            lexical=found.lexical.get(pk, 0.0),
            similarity=found.similarity.get(pk),
            around=around.get(pk),
        )
        for pk, message_id, conversation, site, role, time, revision, text in rows
    ]
