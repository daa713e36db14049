"""Forgetting: a memory or a conversation, with everything derived from it, leaving a tombstone without content.

Call `Store.truncate_log` afterwards: until then the forgotten bytes stand in the write-ahead log.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import apsw
import msgspec

from satchel.store import log, memories
from satchel.store.database import fetch, to_json
from satchel.store.segment import segment
from satchel.store.store import Tx
from satchel.types import NotFoundError

_WORD = re.compile(r"\w{2,}")
_FRAME = frozenset(
    "an and are as at be because been but by can did do does for from had has have he her him his if in into is it its"  # noqa: SIM905
    " like likes likely may more most no not of on or over prefer prefers said say says she so than that the their them"
    " then there they this to user users want wants was we were when which who will with would you your".split()
)
"""Words that any statement about the user may be framed with: they give nothing away."""


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """How much went. Names no content."""

    memories: int
    messages: int
    conversations: int


class _Gone:
    """What the rows said that are being forgotten."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.words: set[str] = set()
        """Of turns only: a memory's words may stand in turns that stay."""

    def add_turn(self, db: apsw.Connection, pk: int) -> None:
        for (said,) in fetch(
            db,
            "SELECT content FROM message WHERE pk = ?1 UNION ALL SELECT content FROM revision WHERE message = ?1",
            (pk,),
        ):
            self.texts.append(said)
            self.words |= _words(said)

    def add_memory(self, db: apsw.Connection, pk: int) -> None:
        for said in fetch(
            db,
            "SELECT text, key, tags FROM memory WHERE pk = ?1 UNION ALL SELECT text, key, tags FROM history WHERE"
            " memory = ?1",
            (pk,),
        ):
            self.texts.append(" ".join((said[0], said[1], *msgspec.json.decode(said[2], type=list[str]))))


def _words(*texts: str | None) -> set[str]:
    return {word for text in texts if text for word in _WORD.findall(segment(text).casefold())}


def _bury(tx: Tx, kind: str, item_id: str, profile: int) -> None:
    tx.db.execute(
        "INSERT OR REPLACE INTO tombstone VALUES (?, ?, ?, ?, ?, ?)",
        (item_id, kind, profile, tx.now, tx.device, tx.tick()),
    )


def _drop_memory(tx: Tx, pk: int, gone: _Gone) -> None:
    gone.add_memory(tx.db, pk)
    memory_id, profile = tx.db.execute("SELECT id, profile FROM memory WHERE pk = ?", (pk,)).fetchone() or ("", 0)
    memories.unindex(tx.db, pk)
    tx.db.execute("DELETE FROM injection_hit WHERE hit = ?", (memory_id,))
    tx.db.execute("DELETE FROM memory WHERE pk = ?", (pk,))
    _bury(tx, "memory", memory_id, profile)


def _drop_messages(tx: Tx, turns: Sequence[tuple[int, int]], gone: _Gone) -> None:
    """Drops turns, given as (pk, profile)."""
    # All out of the indexes first: between FTS5's deletions any other write makes it flush, 4 ms each time.
    for pk, _ in turns:
        gone.add_turn(tx.db, pk)
        log.unindex(tx.db, pk)
    for pk, profile in turns:
        message_id = tx.db.execute("SELECT id FROM message WHERE pk = ?", (pk,)).get
        tx.db.execute("DELETE FROM injection_hit WHERE hit = ?", (message_id,))
        tx.db.execute("DELETE FROM message WHERE pk = ?", (pk,))
        _bury(tx, "message", str(message_id), profile)


def _settle_memories(tx: Tx, among: Iterable[int], gone: _Gone) -> int:
    """What becomes of memories that lost words they rested on; how many went.

    A derived one without any words left goes. What the user wrote or reworded stays. What rests on other words too
    stays, but says nothing that only the forgotten turns had said, unless the user said it there.
    """
    dropped = 0
    for pk in among:
        row = tx.db.execute("SELECT by_hand, text, key, tags, reasoning FROM memory WHERE pk = ?", (pk,)).fetchone()
        if row is None:
            continue
        by_hand, text, key, tags, reasoning = row
        held = fetch(
            tx.db,
            "SELECT s.quote, m.content FROM source s JOIN message m ON m.pk = s.message WHERE s.memory = ?"
            " ORDER BY m.time, m.position, s.start",
            (pk,),
        )
        if not held and not by_hand & (memories.WROTE | memories.REWORDED):
            _drop_memory(tx, pk, gone)
            dropped += 1
            continue
        gone.add_memory(tx.db, pk)
        tag_list = msgspec.json.decode(tags, type=list[str])
        own: set[str] = set()
        if by_hand & (memories.WROTE | memories.REWORDED):
            own |= _words(text)
        if by_hand & (memories.WROTE | memories.REKEYED):
            own |= _words(key)
        if by_hand & (memories.WROTE | memories.RETAGGED):
            own |= _words(*tag_list)
        lost = gone.words - _words(*(content for _, content in held)) - own - _FRAME
        _forget_history(tx, pk, lost, everything=not held and not by_hand & memories.WROTE)
        memories.reword(
            tx,
            pk,
            text=held[-1][0] if held and lost & _words(text) else text,
            key="" if lost & _words(key) else key,
            tags=[tag for tag in tag_list if not lost & _words(tag)],
            reasoning=None if lost & _words(reasoning) else reasoning,
        )
    return dropped


def _forget_history(tx: Tx, memory: int, lost: set[str], *, everything: bool) -> None:
    for version, text, key, tags in fetch(
        tx.db, "SELECT version, text, key, tags FROM history WHERE memory = ?", (memory,)
    ):
        if everything or lost & _words(text, key, *msgspec.json.decode(tags, type=list[str])):
            tx.db.execute("DELETE FROM history WHERE memory = ? AND version = ?", (memory, version))


def _forget_titles(tx: Tx, conversations: Iterable[int], gone: _Gone) -> None:
    """Sites name a conversation after what was said first in it: such a name goes with those turns."""
    for pk in conversations:
        title, url = tx.db.execute("SELECT title, url FROM conversation WHERE pk = ?", (pk,)).fetchone() or (None, None)
        staying = _words(*(r[0] for r in fetch(tx.db, "SELECT content FROM message WHERE conversation = ?", (pk,))))
        lost = gone.words - staying - _FRAME
        title = None if lost & _words(title) else title
        url = None if lost & _words(url) else url
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


def forget_memory(tx: Tx, memory_id: str, *, messages: bool = False) -> Forgotten:
    """A memory with its history; with `messages` the turns it was drawn from too, and what else rests on them alone."""
    pk = memories.pk_of(tx.db, memory_id)
    turns = fetch(
        tx.db,
        "SELECT DISTINCT m.pk, c.pk, c.profile FROM source s JOIN message m ON m.pk = s.message"
        " JOIN conversation c ON c.pk = m.conversation WHERE s.memory = ?",
        (pk,),
    )
    gone = _Gone()
    _drop_memory(tx, pk, gone)
    dropped = 1
    if messages:
        resting: dict[int, None] = {}
        for turn, _, _ in turns:
            resting |= dict(fetch(tx.db, "SELECT memory, NULL FROM source WHERE message = ?", (turn,)))
        _drop_messages(tx, [(turn, profile) for turn, _, profile in turns], gone)
        dropped += _settle_memories(tx, resting, gone)
        _forget_titles(tx, {conversation for _, conversation, _ in turns}, gone)
    _clear_index(tx.db, gone)
    return Forgotten(memories=dropped, messages=len(turns) if messages else 0, conversations=0)


def forget_conversation(tx: Tx, conversation_id: str) -> Forgotten:
    """A conversation with its turns, their revisions and jobs, and every memory that rests on nothing else."""
    row = tx.db.execute(
        "SELECT pk, profile, site, external_id FROM conversation WHERE id = ?", (conversation_id,)
    ).fetchone()
    if row is None:
        raise NotFoundError(f"There is no conversation {conversation_id[:64]!r}.")
    conversation, profile, site, external_id = row
    turns = fetch(tx.db, "SELECT pk FROM message WHERE conversation = ?", (conversation,))
    resting = fetch(
        tx.db,
        "SELECT DISTINCT s.memory FROM source s JOIN message m ON m.pk = s.message WHERE m.conversation = ?",
        (conversation,),
    )
    gone = _Gone()
    _drop_messages(tx, [(turn, profile) for (turn,) in turns], gone)
    dropped = _settle_memories(tx, [pk for (pk,) in resting], gone)
    # One that names no site may have gone into this conversation as well as into another site's.
    tx.db.execute(
        "DELETE FROM injection WHERE profile = ? AND external_id = ? AND (site IS NULL OR site = ?)",
        (profile, external_id, site),
    )
    tx.db.execute("DELETE FROM conversation WHERE pk = ?", (conversation,))
    _bury(tx, "conversation", conversation_id, profile)
    _clear_index(tx.db, gone)
    return Forgotten(memories=dropped, messages=len(turns), conversations=1)


def forget_messages(tx: Tx, message_ids: Sequence[str]) -> Forgotten:
    """Single turns with their revisions, and every memory that rests on nothing else. Ids of none are passed over."""
    turns = fetch(
        tx.db,
        "SELECT m.pk, c.pk, c.profile FROM message m JOIN conversation c ON c.pk = m.conversation"
        " WHERE m.id IN (SELECT value FROM json_each(?))",
        (to_json(message_ids),),
    )
    resting: dict[int, None] = {}
    for turn, _, _ in turns:
        resting |= dict(fetch(tx.db, "SELECT memory, NULL FROM source WHERE message = ?", (turn,)))
    gone = _Gone()
    _drop_messages(tx, [(turn, profile) for turn, _, profile in turns], gone)
    dropped = _settle_memories(tx, resting, gone)
    _forget_titles(tx, {conversation for _, conversation, _ in turns}, gone)
    _clear_index(tx.db, gone)
    return Forgotten(memories=dropped, messages=len(turns), conversations=0)
