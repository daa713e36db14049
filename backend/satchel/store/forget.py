"""Forgetting, with everything derived from it, leaving tombstones without content.

What goes is worked out by `forget_plan`, for the preview and for the act alike. Call `Store.truncate_log` afterwards:
until then the forgotten bytes stand in the write-ahead log. `verify_forgotten` then looks whether they are gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import apsw
import msgspec

from satchel.store import contradictions, forget_plan, forgotten_turns, log, memories, receipts, vector_sets
from satchel.store.database import fetch, to_json
from satchel.store.forget_plan import USERS_OWN, Counts, Plan, What
from satchel.store.segment import segment
from satchel.store.store import Tx

_WORD = re.compile(r"\w{2,}")
_FRAME = frozenset(
    "an and are as at be because been but by can did do does for from had has have he her him his if in into is it its"  # noqa: SIM905
    " like likes likely may more most no not of on or over prefer prefers said say says she so than that the their them"
    " then there they this to user users want wants was we were when which who will with would you your".split()
)
"""Words that any statement about the user may be framed with: they give nothing away."""


class Traces:
    """What the rows said that are being forgotten, to look for on disk afterwards. Never written, never shown."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.vectors: list[bytes] = []

    def add(self, *texts: str | None) -> None:
        self.texts += [text for text in texts if text]


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How much went, from which profiles. Names no content, but for the `traces`, which must not outlive the call.

    `nothing`: not a row was taken or changed, so that no file, copy or process can hold anything of it."""

    receipt: str
    profiles: tuple[str, ...]
    counts: Counts
    traces: Traces
    nothing: bool

    @property
    def memories(self) -> int:
        return self.counts.memories

    @property
    def messages(self) -> int:
        return self.counts.messages

    @property
    def conversations(self) -> int:
        return self.counts.conversations


class _Gone(Traces):
    """The traces, with the words of turns by conversation: a memory's words may stand in turns that stay."""

    def __init__(self) -> None:
        super().__init__()
        self.words: set[str] = set()
        self.words_of: dict[int, set[str]] = {}

    def add_turn(self, db: apsw.Connection, pk: int) -> None:
        for conversation, external_id, *said in fetch(
            db,
            "SELECT m.conversation, m.external_id, m.content, group_concat(r.content, char(10)) FROM message m"
            " LEFT JOIN revision r ON r.message = m.pk WHERE m.pk = ? GROUP BY m.pk",
            (pk,),
        ):
            self.add(external_id, *said)
            words = _words(*said)
            self.words |= words
            self.words_of.setdefault(conversation, set()).update(words)
        self._add_vectors(db, "turn", pk)

    def add_memory(self, db: apsw.Connection, pk: int) -> None:
        for *said, tags in fetch(
            db,
            "SELECT text, key, reasoning, tags FROM memory WHERE pk = ?1 UNION ALL SELECT text, key, NULL, tags"
            " FROM history WHERE memory = ?1",
            (pk,),
        ):
            self.add(*said, *msgspec.json.decode(tags, type=list[str]))

    def add_memory_vectors(self, db: apsw.Connection, pk: int) -> None:
        self._add_vectors(db, "memory", pk)

    def _add_vectors(self, db: apsw.Connection, kind: vector_sets.Indexed, pk: int) -> None:
        for of in vector_sets.held(db):
            for table, column in ((of.whole(kind), "embedding"), (of.signs(kind), "signs")):
                row = db.execute(f"SELECT {column} FROM {table} WHERE pk = ?", (pk,)).fetchone()
                if row is not None:
                    self.vectors.append(bytes(row[0]))


def _words(*texts: str | None) -> set[str]:
    return {word for text in texts if text for word in _WORD.findall(segment(text).casefold())}


def _bury(tx: Tx, kind: str, item_id: str, profile: int) -> None:
    tx.db.execute(
        "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?, ?)",
        (item_id, kind, profile, tx.now, tx.device, tx.tick()),
    )


def _drop_memory(tx: Tx, pk: int, gone: _Gone) -> None:
    gone.add_memory(tx.db, pk)
    gone.add_memory_vectors(tx.db, pk)
    memory_id, profile = tx.db.execute("SELECT id, profile FROM memory WHERE pk = ?", (pk,)).fetchone() or ("", 0)
    memories.unindex(tx.db, pk)
    tx.db.execute("DELETE FROM injection_hit WHERE hit = ?", (memory_id,))
    tx.db.execute("DELETE FROM memory WHERE pk = ?", (pk,))
    _bury(tx, "memory", memory_id, profile)


def _drop_messages(tx: Tx, turns: Sequence[int], gone: _Gone) -> None:
    # All out of the indexes first: between FTS5's deletions any other write makes it flush, 4 ms each time.
    for pk in turns:
        gone.add_turn(tx.db, pk)
        log.unindex(tx.db, pk)
    for pk in turns:
        message_id, profile = tx.db.execute(
            "SELECT m.id, c.profile FROM message m JOIN conversation c ON c.pk = m.conversation WHERE m.pk = ?", (pk,)
        ).fetchone() or ("", 0)
        tx.db.execute("DELETE FROM injection_hit WHERE hit = ?", (message_id,))
        tx.db.execute("DELETE FROM message WHERE pk = ?", (pk,))
        _bury(tx, "message", message_id, profile)


def _settle_memories(tx: Tx, among: Iterable[int], gone: _Gone) -> None:
    """What becomes of memories that lost words they rested on, and stay.

    What the user wrote or reworded stays as it is. What rests on other words too says nothing any more that only the
    forgotten turns had said, unless the user said it there.
    """
    for pk in among:
        by_hand = tx.db.execute("SELECT by_hand FROM memory WHERE pk = ?", (pk,)).get
        held = _held(tx.db, pk)
        gone.add_memory(tx.db, pk)
        lost = gone.words - _words(*(content for _, content in held)) - _own_words(tx.db, pk) - _FRAME
        _forget_history(tx, pk, lost, everything=not held and not by_hand & memories.WROTE)
        _say_without(tx, pk, lost, held)


def _settle_beside(tx: Tx, conversation: int, lost: set[str], settled: set[int], gone: _Gone) -> None:
    """Memories of a conversation that rest on other turns than the forgotten ones may still say words of these: "she"
    was written as the name that an earlier turn gave."""
    for (pk,) in fetch(
        tx.db,
        "SELECT DISTINCT s.memory FROM source s JOIN message m ON m.pk = s.message WHERE m.conversation = ?",
        (conversation,),
    ):
        if pk in settled:
            continue
        held = _held(tx.db, pk)
        told = lost - _words(*(content for _, content in held)) - _own_words(tx.db, pk)
        said = tx.db.execute("SELECT text, key, tags, reasoning FROM memory WHERE pk = ?", (pk,)).fetchone() or ()
        earlier = fetch(tx.db, "SELECT text, key, tags FROM history WHERE memory = ?", (pk,))
        if told & _words(*said, *(text for version in earlier for text in version)):
            gone.add_memory(tx.db, pk)
            _forget_history(tx, pk, told, everything=False)
            _say_without(tx, pk, told, held)


def _held(db: apsw.Connection, memory: int) -> list[tuple[str, str]]:
    """(quote, its whole message) of what a memory rests on, in the order it was said."""
    return fetch(
        db,
        "SELECT s.quote, m.content FROM source s JOIN message m ON m.pk = s.message WHERE s.memory = ?"
        " ORDER BY m.time, m.position, s.start",
        (memory,),
    )


def _own_words(db: apsw.Connection, memory: int) -> set[str]:
    """The words of a memory that the user gave it."""
    by_hand, text, key, tags = db.execute(
        "SELECT by_hand, text, key, tags FROM memory WHERE pk = ?", (memory,)
    ).fetchone() or (0, "", "", "[]")
    own: set[str] = set()
    if by_hand & USERS_OWN:
        own |= _words(text)
    if by_hand & (memories.WROTE | memories.REKEYED):
        own |= _words(key)
    if by_hand & (memories.WROTE | memories.RETAGGED):
        own |= _words(*msgspec.json.decode(tags, type=list[str]))
    return own


def _say_without(tx: Tx, pk: int, lost: set[str], held: Sequence[tuple[str, str]]) -> None:
    """Rewords a memory so that it says none of these words: by the latest of its quotes, if need be."""
    text, key, tags, reasoning = tx.db.execute(
        "SELECT text, key, tags, reasoning FROM memory WHERE pk = ?", (pk,)
    ).fetchone() or ("", "", "[]", None)
    memories.reword(
        tx,
        pk,
        text=held[-1][0] if held and lost & _words(text) else text,
        key="" if lost & _words(key) else key,
        tags=[tag for tag in msgspec.json.decode(tags, type=list[str]) if not lost & _words(tag)],
        reasoning=None if lost & _words(reasoning) else reasoning,
    )


def _forget_history(tx: Tx, memory: int, lost: set[str], *, everything: bool) -> None:
    for version, text, key, tags in fetch(
        tx.db, "SELECT version, text, key, tags FROM history WHERE memory = ?", (memory,)
    ):
        if everything or lost & _words(text, key, *msgspec.json.decode(tags, type=list[str])):
            tx.db.execute("DELETE FROM history WHERE memory = ? AND version = ?", (memory, version))


def _lost_words(db: apsw.Connection, conversation: int, gone: _Gone) -> set[str]:
    """What only the forgotten turns of a conversation said."""
    said = (row[0] for row in fetch(db, "SELECT content FROM message WHERE conversation = ?", (conversation,)))
    return gone.words_of.get(conversation, set()) - _words(*said) - _FRAME


def _forget_title(tx: Tx, pk: int, lost: set[str] | None, gone: _Gone) -> None:
    """Sites name a conversation after what was said first in it: such a name goes with those turns (None: whatever it
    says)."""
    title, url = tx.db.execute("SELECT title, url FROM conversation WHERE pk = ?", (pk,)).fetchone() or (None, None)
    gone.add(title, url)
    title = None if lost is None or lost & _words(title) else title
    url = None if lost is None or lost & _words(url) else url
    tx.db.execute(
        "UPDATE conversation SET title = ?, url = ?, device = ?, clock = ? WHERE pk = ?",
        (title, url, tx.device, tx.tick(), pk),
    )


def _clear_index(db: apsw.Connection, gone: _Gone) -> None:
    """Takes the forgotten words from where FTS5's secure-delete leaves them: as separators between its pages.

    A separator holds as many letters as tell two neighbours apart, which for numbers is all of them. That is rare, so
    the index is looked through first, and written anew only where a word of the forgotten stands in it alone.
    """
    cut = db.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])
    # A word but for its last letter or two is as good as the word.
    near: set[bytes] = set()
    for text in gone.texts:
        for token in cut(
            segment(text).encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False
        ):
            near |= {str(token)[:length].encode() for length in range(max(3, len(token) - 2), len(token) + 1)}
    for table in ("turn_words", "memory_words"):
        db.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_terms USING fts5vocab (main, {table}, row)")
        terms = {row[0] for row in db.execute(f"SELECT CAST(substr(term, 2) AS BLOB) FROM {table}_idx")}
        if any(_stands_alone(db, table, term.decode()) for term in terms & near):
            db.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")


def _stands_alone(db: apsw.Connection, table: str, beginning: str) -> bool:
    """Whether no word of the index begins so."""
    next_word = db.execute(f"SELECT term FROM {table}_terms WHERE term >= ? LIMIT 1", (beginning,)).get
    return not str(next_word or "").startswith(beginning)


def forget(tx: Tx, what: What) -> Forgotten:
    """Forgets `what`, for good. Raises NotFoundError and BadInputError as `forget_plan.plan` does."""
    return _carry_out(tx, forget_plan.plan(tx.db, what), what)


def _carry_out(tx: Tx, going: Plan, what: What) -> Forgotten:
    counts = forget_plan.counted(tx.db, going, what)
    names = tuple(sorted(going.profiles.values()))
    given = forget_plan.injections(tx.db, going, what)
    gone = _Gone()
    before = tx.db.total_changes()
    if going.turns or going.memories or going.conversations or going.titles:
        _take(tx, going, gone)
    tx.db.execute("DELETE FROM injection WHERE pk IN (SELECT value FROM json_each(?))", (to_json(given),))
    if what.way == "everything":
        tx.db.execute(
            "DELETE FROM rederivation WHERE profile IN (SELECT value FROM json_each(?))", (to_json(going.profiles),)
        )
    nothing = tx.db.total_changes() == before
    receipt = receipts.begin(tx, what.way, names, counts)
    return Forgotten(receipt=receipt, profiles=names, counts=counts, traces=gone, nothing=nothing)


def _take(tx: Tx, going: Plan, gone: _Gone) -> None:
    partly = _partly(tx.db, going)
    contradicted = contradictions.beside(tx.db, [*going.named, *going.derived])
    forgotten_turns.bury(tx, going.turns)
    tx.db.execute(
        "UPDATE job SET error = NULL WHERE error IS NOT NULL AND pk IN (SELECT job FROM job_message"
        " WHERE message IN (SELECT value FROM json_each(?)))",
        (to_json(going.turns),),
    )
    for pk in going.named:
        _drop_memory(tx, pk, gone)
    _drop_messages(tx, going.turns, gone)
    for pk in going.derived:
        _drop_memory(tx, pk, gone)
    _settle_memories(tx, going.staying, gone)
    for pk in going.conversations:
        _drop_conversation(tx, pk, gone)
    for pk in partly:
        lost = _lost_words(tx.db, pk, gone)
        _forget_title(tx, pk, lost, gone)
        _settle_beside(tx, pk, lost, set(going.staying), gone)
    for pk in going.titles:
        _forget_title(tx, pk, None, gone)
    contradictions.release(tx, contradicted)  # once reworded: what they say is kept in their history
    _clear_index(tx.db, gone)


def _partly(db: apsw.Connection, going: Plan) -> list[int]:
    """Conversations that lose turns, and stay."""
    rows = fetch(
        db,
        "SELECT DISTINCT conversation FROM message WHERE pk IN (SELECT value FROM json_each(?1))"
        " AND conversation NOT IN (SELECT value FROM json_each(?2))",
        (to_json(going.turns), to_json(going.conversations)),
    )
    return [row[0] for row in rows]


def _drop_conversation(tx: Tx, pk: int, gone: _Gone) -> None:
    conversation_id, profile, *named = tx.db.execute(
        "SELECT id, profile, title, url, external_id FROM conversation WHERE pk = ?", (pk,)
    ).fetchone() or ("", 0)
    gone.add(*named)
    tx.db.execute("DELETE FROM conversation WHERE pk = ?", (pk,))
    _bury(tx, "conversation", conversation_id, profile)


def forget_memory(tx: Tx, memory_id: str, *, messages: bool = False) -> Forgotten:
    """A memory with its history; with `messages` the turns it was drawn from too, and what else rests on them alone."""
    return forget(tx, What(way="memory", memory=memory_id, messages=messages))


def forget_conversation(tx: Tx, conversation_id: str) -> Forgotten:
    """A conversation with its turns, their revisions and jobs, and every memory that rests on nothing else."""
    return forget(tx, What(way="conversation", conversation=conversation_id))


def forget_messages(tx: Tx, message_ids: Sequence[str]) -> Forgotten:
    """Single turns with their revisions, and every memory that rests on nothing else. Ids of none are passed over."""
    return _carry_out(tx, forget_plan.of_messages(tx.db, message_ids), What(way="memory", messages=True))
