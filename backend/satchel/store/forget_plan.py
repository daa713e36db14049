"""What a forgetting takes with it: worked out the same way for the preview and for the act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import apsw
import msgspec

from satchel.store import memories, vector_sets
from satchel.store.database import fetch, to_json
from satchel.store.names import Name
from satchel.types import BadInputError, NotFoundError, Status

Way = Literal["memory", "conversation", "site", "span", "name", "everything"]

USERS_OWN = memories.WROTE | memories.REWORDED


class What(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be forgotten: one way, with what belongs to it. `profiles` None: of all.

    `messages` goes with a memory: the turns it was drawn from too. A span is what was said from `since` on and before
    `until` (ms; None: no bound, but not both).
    """

    way: Way
    profiles: tuple[str, ...] | None = None
    memory: str | None = None
    messages: bool = False
    conversation: str | None = None
    site: str | None = None
    since: int | None = None
    until: int | None = None
    name: str | None = None


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Pks. `conversations` go whole, with their `turns` among the others; `titles` are conversations that stay, whose
    title or address names what goes. `named` are the memories that the way itself means, `derived` those that rest on
    nothing else than the turns; `staying` lose words that they rest on, and stay."""

    profiles: dict[int, str]
    conversations: list[int]
    turns: list[int]
    titles: list[int]
    named: list[int]
    derived: list[int]
    staying: list[int]

    @property
    def memories(self) -> list[int]:
        return [*self.named, *self.derived]


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much goes. `superseded` and `candidates` are among the `memories`; `vectors` of every model."""

    conversations: int
    messages: int
    revisions: int
    memories: int
    candidates: int
    superseded: int
    history: int
    vectors: int
    injections: int


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One thing as a preview shows it: of a turn or memory its beginning. `status` and `why` (it goes or stays) are a
    memory's."""

    type: Literal["conversation", "turn", "memory"]
    id: str
    text: str
    status: Status | None = None
    why: Literal["named", "derived", "other words", "yours"] | None = None


def plan(db: apsw.Connection, what: What) -> Plan:
    """Looks what goes. Raises NotFoundError for a memory or conversation that is not there, BadInputError."""
    profiles = {
        pk: name
        for pk, name in fetch(db, "SELECT pk, name FROM profile")
        if what.profiles is None or name in what.profiles
    }
    match what.way:
        case "memory":
            return _memory(db, what, profiles)
        case "conversation":
            pk, profile = _conversation(db, what, profiles)
            return _conversations(db, {profile: profiles[profile]}, [pk])
        case "site":
            sql = f"SELECT pk FROM conversation WHERE site = ?2 AND {_IN_PROFILES}"
            return _conversations(db, profiles, _pks(db, sql, (to_json(profiles), what.site)))
        case "span":
            return _span(db, what, profiles)
        case "name":
            return _name(db, Name(what.name or ""), profiles)
        case "everything":
            here = (to_json(profiles),)
            chats = _pks(db, f"SELECT pk FROM conversation WHERE {_IN_PROFILES}", here)
            known = _pks(db, f"SELECT pk FROM memory WHERE {_IN_PROFILES}", here)
            return _conversations(db, profiles, chats, named=known)


_IN_PROFILES = "profile IN (SELECT value FROM json_each(?1))"


def _pks(db: apsw.Connection, sql: str, args: Sequence[object] = ()) -> list[int]:
    return [row[0] for row in fetch(db, sql, args)]


def _memory(db: apsw.Connection, what: What, profiles: dict[int, str]) -> Plan:
    pk = memories.pk_of(db, what.memory or "")
    profile = _pks(db, "SELECT profile FROM memory WHERE pk = ?", (pk,))[0]
    if profile not in profiles:
        raise NotFoundError(f"There is no memory {(what.memory or '')[:64]!r}.")
    turns = _pks(db, "SELECT DISTINCT message FROM source WHERE memory = ?", (pk,)) if what.messages else []
    return _filled(db, {profile: profiles[profile]}, turns=turns, named=[pk])


def of_messages(db: apsw.Connection, message_ids: Iterable[str]) -> Plan:
    """What single turns take with them. Their conversations stay, be they empty."""
    turns = _pks(db, "SELECT pk FROM message WHERE id IN (SELECT value FROM json_each(?))", (to_json(message_ids),))
    return _filled(db, dict(fetch(db, "SELECT pk, name FROM profile")), turns=turns)


def _conversation(db: apsw.Connection, what: What, profiles: dict[int, str]) -> tuple[int, int]:
    row = db.execute("SELECT pk, profile FROM conversation WHERE id = ?", (what.conversation,)).fetchone()
    if row is None or row[1] not in profiles:
        raise NotFoundError(f"There is no conversation {(what.conversation or '')[:64]!r}.")
    return row[0], row[1]


def _conversations(
    db: apsw.Connection, profiles: dict[int, str], whole: Sequence[int], *, named: Sequence[int] = ()
) -> Plan:
    sql = "SELECT pk FROM message WHERE conversation IN (SELECT value FROM json_each(?)) ORDER BY pk"
    return _filled(db, profiles, whole=whole, turns=_pks(db, sql, (to_json(whole),)), named=named)


def _span(db: apsw.Connection, what: What, profiles: dict[int, str]) -> Plan:
    if what.since is None and what.until is None:
        raise BadInputError("A time span needs `since`, `until` or both.")
    turns = _pks(
        db,
        "SELECT m.pk FROM message m JOIN conversation c ON c.pk = m.conversation WHERE"
        f" {_IN_PROFILES} AND (?2 IS NULL OR m.time >= ?2) AND (?3 IS NULL OR m.time < ?3) ORDER BY m.pk",
        (to_json(profiles), what.since, what.until),
    )
    return _filled(db, profiles, whole=_emptied(db, turns), turns=turns)


def _name(db: apsw.Connection, name: Name, profiles: dict[int, str]) -> Plan:
    """Every turn and memory that says it, or said it before it was changed."""
    here = (to_json(profiles),)

    def naming(sql: str) -> list[int]:
        rows = db.execute(sql, here)
        return list(dict.fromkeys(pk for pk, *texts in rows if any(name.stands_in(text) for text in texts)))

    turns = naming(
        "SELECT m.pk, m.content FROM message m JOIN conversation c ON c.pk = m.conversation WHERE c." + _IN_PROFILES
    ) + naming(
        "SELECT r.message, r.content FROM revision r JOIN message m ON m.pk = r.message"
        " JOIN conversation c ON c.pk = m.conversation WHERE c." + _IN_PROFILES
    )
    known = naming("SELECT pk, text, key, tags, reasoning FROM memory WHERE " + _IN_PROFILES) + naming(
        "SELECT y.pk, h.text, h.key, h.tags FROM history h JOIN memory y ON y.pk = h.memory WHERE y." + _IN_PROFILES
    )
    turns, known = sorted(set(turns)), sorted(set(known))
    whole = _emptied(db, turns)
    titles = set(naming("SELECT pk, title, url FROM conversation WHERE " + _IN_PROFILES)) - set(whole)
    return _filled(db, profiles, whole=whole, turns=turns, named=known, titles=sorted(titles))


def _emptied(db: apsw.Connection, turns: Sequence[int]) -> list[int]:
    """Conversations of which nothing is left without these turns."""
    return _pks(
        db,
        "SELECT m.conversation FROM message m WHERE m.conversation IN"
        " (SELECT conversation FROM message WHERE pk IN (SELECT value FROM json_each(?1)))"
        " GROUP BY m.conversation HAVING count(*) = sum(m.pk IN (SELECT value FROM json_each(?1)))",
        (to_json(turns),),
    )


def _filled(
    db: apsw.Connection,
    profiles: dict[int, str],
    *,
    turns: Sequence[int],
    whole: Sequence[int] = (),
    named: Sequence[int] = (),
    titles: Sequence[int] = (),
) -> Plan:
    """The plan, with what becomes of the memories that rest on the turns."""
    resting = fetch(
        db,
        "SELECT y.pk, y.by_hand, EXISTS (SELECT 1 FROM source s WHERE s.memory = y.pk AND s.message NOT IN"
        "  (SELECT value FROM json_each(?1)))"
        " FROM memory y WHERE y.pk IN"
        " (SELECT s.memory FROM source s WHERE s.message IN (SELECT value FROM json_each(?1)))"
        " AND y.pk NOT IN (SELECT value FROM json_each(?2)) ORDER BY y.pk",
        (to_json(turns), to_json(named)),
    )
    stays = {pk: bool(elsewhere or by_hand & USERS_OWN) for pk, by_hand, elsewhere in resting}
    return Plan(
        profiles=profiles,
        conversations=list(whole),
        turns=list(turns),
        titles=list(titles),
        named=list(named),
        derived=[pk for pk, does in stays.items() if not does],
        staying=[pk for pk, does in stays.items() if does],
    )


# ------------------------------------------------------------------------------------------ how it is shown


def counted(db: apsw.Connection, of: Plan, what: What) -> Counts:
    """How much of each kind the plan takes."""
    turns, known = to_json(of.turns), to_json(of.memories)

    def count(sql: str, *args: object) -> int:
        return int(str(db.execute(f"SELECT count(*) FROM {sql}", args).get))

    here = "IN (SELECT value FROM json_each(?1))"
    status = f"memory WHERE pk {here} AND status = ?2"
    return Counts(
        conversations=len(of.conversations),
        messages=len(of.turns),
        revisions=count(f"revision WHERE message {here}", turns),
        memories=len(of.memories),
        candidates=count(status, known, "candidate"),
        superseded=count(status, known, "superseded"),
        history=count(f"history WHERE memory {here}", known),
        vectors=sum(
            count(f"{table} WHERE pk {here}", turns if table.startswith("turn") else known)
            for table in _vector_tables(db)
        ),
        injections=len(injections(db, of, what)),
    )


def _vector_tables(db: apsw.Connection) -> list[str]:
    return [one.whole(kind) for one in vector_sets.held(db) for kind in vector_sets.KINDS]


def injections(db: apsw.Connection, of: Plan, what: What) -> list[int]:
    """The pks of the notes of what was given to the chats that go: to those of a site or a span, or to any."""
    if what.way in ("site", "everything"):
        sql = f"SELECT pk FROM injection WHERE {_IN_PROFILES} AND (?2 IS NULL OR site = ?2)"
        return _pks(db, sql, (to_json(of.profiles), what.site))
    given: set[int] = set()
    if what.way == "span":
        given |= set(
            _pks(
                db,
                f"SELECT pk FROM injection WHERE {_IN_PROFILES} AND (?2 IS NULL OR created_at >= ?2)"
                " AND (?3 IS NULL OR created_at < ?3)",
                (to_json(of.profiles), what.since, what.until),
            )
        )
    # One that names no site may have gone into this conversation as well as into another site's.
    given |= set(
        _pks(
            db,
            "SELECT i.pk FROM conversation c JOIN injection i ON i.profile = c.profile"
            " AND i.external_id = c.external_id"
            " AND (i.site IS NULL OR i.site = c.site) WHERE c.pk IN (SELECT value FROM json_each(?))",
            (to_json(of.conversations),),
        )
    )
    return sorted(given)


SHOWN = 160
"""Characters of a text that a preview shows."""


def items(db: apsw.Connection, of: Plan, *, limit: int) -> list[Item]:
    """What goes, the first `limit` of each type: conversations, memories, turns."""
    return [
        *_conversation_items(db, of.conversations[:limit]),
        *_memory_items(db, of.memories[:limit], named=set(of.named)),
        *_turn_items(db, of.turns[:limit]),
    ]


def staying(db: apsw.Connection, of: Plan, *, limit: int) -> list[Item]:
    """The memories that lose words they rest on and stay, the first `limit`."""
    return _memory_items(db, of.staying[:limit], stays=True)


def _conversation_items(db: apsw.Connection, pks: Iterable[int]) -> list[Item]:
    rows = fetch(
        db,
        "SELECT id, coalesce(title, site) FROM conversation WHERE pk IN (SELECT value FROM json_each(?)) ORDER BY pk",
        (to_json(pks),),
    )
    return [Item(type="conversation", id=row_id, text=_short(title)) for row_id, title in rows]


def _turn_items(db: apsw.Connection, pks: Iterable[int]) -> list[Item]:
    rows = fetch(
        db, "SELECT id, content FROM message WHERE pk IN (SELECT value FROM json_each(?)) ORDER BY pk", (to_json(pks),)
    )
    return [Item(type="turn", id=row_id, text=_short(content)) for row_id, content in rows]


def _memory_items(
    db: apsw.Connection, pks: Iterable[int], *, named: set[int] | None = None, stays: bool = False
) -> list[Item]:
    found = []
    for pk, row_id, text, status, by_hand in fetch(
        db,
        "SELECT pk, id, text, status, by_hand FROM memory WHERE pk IN (SELECT value FROM json_each(?)) ORDER BY pk",
        (to_json(pks),),
    ):
        why: Literal["named", "derived", "other words", "yours"]
        if stays:
            why = "yours" if by_hand & USERS_OWN else "other words"
        else:
            why = "named" if named and pk in named else "derived"
        found.append(Item(type="memory", id=row_id, text=_short(text), status=status, why=why))
    return found


def _short(text: str) -> str:
    return text if len(text) <= SHOWN else text[:SHOWN].rstrip() + " …"
