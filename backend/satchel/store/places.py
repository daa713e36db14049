"""Where a turn stands: its conversation, who said it, and the turns right before and after it."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import msgspec

from satchel.store.database import fetch, to_json


class Place(msgspec.Struct, frozen=True):
    """`before` and `after` are the pks of the neighbours, None at the ends."""

    conversation: int
    role: str
    before: int | None
    after: int | None


def of_turns(db: apsw.Connection, pks: Sequence[int]) -> dict[int, Place]:
    """The places of these turns, by pk. Only what user and assistant said counts as a neighbour."""
    said = "n.conversation = m.conversation AND n.role IN ('user', 'assistant')"
    rows = fetch(
        db,
        "SELECT m.pk, m.conversation, m.role,"
        f" (SELECT n.pk FROM message n WHERE {said} AND (n.time, n.position) < (m.time, m.position)"
        " ORDER BY n.time DESC, n.position DESC LIMIT 1),"
        f" (SELECT n.pk FROM message n WHERE {said} AND (n.time, n.position) > (m.time, m.position)"
        " ORDER BY n.time, n.position LIMIT 1)"
        " FROM json_each(?) j CROSS JOIN message m ON m.pk = j.value",
        (to_json(pks),),
    )
    return {pk: Place(conversation, role, before, after) for pk, conversation, role, before, after in rows}
