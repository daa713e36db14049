"""Whether what was forgotten is gone: the raw files of Satchel's in the data folder are read for its words.

Looked for are its words of six letters and more, in any case, as UTF-8 and as JSON writes them in ASCII; what the
word index made of them (stems, without diacritics); and the first bytes of its vectors. What also stands in what
stays says nothing, and does not count, nor does what Satchel says of itself in its log. Words that a page of the
database cuts in two are not seen.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterable, Iterator
from io import FileIO
from pathlib import Path

import apsw
import msgspec

from satchel.files import own_paths
from satchel.logs import FOLDER as LOGS
from satchel.store import own_wording, vector_sets
from satchel.store.backup import ELSEWHERE_FILE
from satchel.store.database import connect, explain, fetch
from satchel.store.forget import Traces
from satchel.store.needles import LONGEST, SHORTEST, Needles
from satchel.store.segment import CJK, segment
from satchel.store.store import FILE_NAME, Store

logger = logging.getLogger("satchel.forgetting")

CHUNK = 8 << 20
"""Bytes read at a time."""

VECTOR_BYTES = 24
"""Of a vector, that are looked for: six of its numbers, or 192 signs."""

SETTINGS = "config.toml"
NOT_CAPTURED = (SETTINGS, "config.part", "daemon.json", ELSEWHERE_FILE)
"""The user's own file, and those that hold nothing but where a daemon runs and where the user wanted copies."""

_WORD = re.compile(rf"[^\W_]{{{SHORTEST},}}|[{CJK}]{{3,}}")


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """How much was read, and how many bytes of the forgotten were found in it. `in_store`: some of them in the database
    or its journal."""

    files: int
    bytes_read: int
    bytes_found: int
    in_store: bool


def verify(store: Store, traces: Traces) -> Reading:
    """Reads every file of Satchel's in the store's folder for what the traces hold, but for those that nobody lets us
    read: they are no part of `files`. What else lies there is the user's own, and is not read. Raises StoreError."""
    try:
        with contextlib.closing(connect(store.path, readonly=True)) as db:
            return _verify(store, traces, db)
    except apsw.Error as error:
        raise explain(error, str(store.path)) from error


def _verify(store: Store, traces: Traces, db: apsw.Connection) -> Reading:
    folder = store.path.parent
    db.pragma("query_only", False)  # else not even a temporary table can be made
    wanted = {*needles_of(db, traces.texts), *(vector[:VECTOR_BYTES] for vector in traces.vectors)}
    in_store, in_log, in_others = Needles(wanted), Needles(wanted), Needles(wanted)
    files = bytes_read = unread = 0
    for file in sorted(set(own_paths(folder))):
        if file.name in NOT_CAPTURED:
            continue
        try:
            if not file.is_file():
                continue
            if file.parent == folder and file.name.startswith(FILE_NAME):
                bytes_read += _look_in(store.bytes_of(file), in_store)
            elif file.parent.name == LOGS:
                text = file.read_bytes()
                in_log.look(own_wording.messages(text.lower()))
                bytes_read += len(text)
            else:
                with file.open("rb", buffering=0) as raw:
                    bytes_read += _look_in(raw, in_others)
            files += 1
        except FileNotFoundError:
            continue  # a file of vectors that was just replaced
        except OSError:
            unread += 1
    if unread:
        logger.warning("%d files of the data folder could not be read for what was forgotten", unread)
    found = in_store.found | in_others.found
    found |= in_log.found - own_wording.said_by_itself(in_log.found, folder)
    found -= standing(db, found, folder / SETTINGS)
    return Reading(
        files=files,
        bytes_read=bytes_read,
        bytes_found=sum(map(len, found)),
        in_store=not found.isdisjoint(in_store.found),
    )


def _look_in(raw: FileIO, needles: Needles) -> int:
    read = 0
    before = b""
    raw.seek(0)
    while chunk := raw.read(CHUNK):
        read += len(chunk)
        lowered = before + chunk.lower()
        needles.look(lowered)
        before = lowered[-(LONGEST - 1) :]
    return read


def needles_of(db: apsw.Connection, texts: Iterable[str]) -> set[bytes]:
    """What of these texts could be found in a file, its ASCII letters lower-case."""
    cut = db.fts5_tokenizer("porter", ["unicode61", "remove_diacritics", "2"])
    needles: set[bytes] = set()
    for text in set(texts):
        for token in cut(
            segment(text).encode(), apsw.FTS5_TOKENIZE_DOCUMENT, None, include_offsets=False, include_colocated=False
        ):
            needles.add(str(token).encode())
        for word in _WORD.findall(text):
            needles.add(word.lower().encode())
            if not word.isascii():
                for form in (word, word.upper(), word.casefold(), word.capitalize()):
                    needles.add(form.encode())
                    needles.add(json.dumps(form)[1:-1].encode())
    return {needle[:LONGEST].lower() for needle in needles if len(needle) >= SHORTEST}


def standing(db: apsw.Connection, found: set[bytes], settings: Path) -> set[bytes]:
    """Which of these stand in what stays: in the rows' own texts, in the words of the index, in the vectors."""
    if not found:
        return set()
    needles = Needles(found)
    with contextlib.suppress(FileNotFoundError):
        needles.look(settings.read_bytes().lower())
    for piece in _texts(db):
        needles.look(piece)
        if not needles.left:
            return found
    left = set(needles.left)
    # A text whose words stay may be indexed by a stem that is no part of it; most of these are few.
    terms = [_terms(db, table) for table in ("turn_words", "memory_words")]
    for needle in left:
        if any(_holds(db, table, needle) for table in terms) or _is_stored_vector(db, needle):
            needles.found.add(needle)
    return needles.found


def _texts(db: apsw.Connection) -> Iterator[bytes]:
    """All text in the tables, in pieces. Not the word index's own copy: it would vouch for what it failed to drop."""
    batch: list[bytes] = []
    size = 0
    for table, sql in fetch(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        batch.append(str(sql).encode())
        if str(sql).upper().startswith("CREATE VIRTUAL") or table.endswith(("_words_content", "_words_data")):
            continue
        for (column,) in fetch(db, "SELECT name FROM pragma_table_info(?)", (table,)):
            for (said,) in db.execute(f'SELECT "{column}" FROM "{table}" WHERE typeof("{column}") = \'text\''):
                batch.append(said.encode())
                size += len(batch[-1])
                if size >= CHUNK:
                    yield b"\n".join(batch).lower()
                    batch, size = [], 0
    yield b"\n".join(batch).lower()


def _terms(db: apsw.Connection, table: str) -> str:
    db.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_terms USING fts5vocab (main, {table}, row)")
    return f"temp.{table}_terms"


def _holds(db: apsw.Connection, terms: str, needle: bytes) -> bool:
    return db.execute(f"SELECT 1 FROM {terms} WHERE instr(CAST(term AS BLOB), ?) LIMIT 1", (needle,)).get is not None


def _is_stored_vector(db: apsw.Connection, needle: bytes) -> bool:
    """Whether a vector that stays begins so. Needles are lower-cased as if they were text: so are the vectors here."""
    if len(needle) != VECTOR_BYTES:
        return False
    tables = [
        (table, column)
        for of in vector_sets.held(db)
        for kind in vector_sets.KINDS
        for table, column in ((of.whole(kind), "embedding"), (of.signs(kind), "signs"))
    ]
    return any(
        bytes(begins).lower() == needle
        for table, column in tables
        for (begins,) in db.execute(f"SELECT substr({column}, 1, {VECTOR_BYTES}) FROM {table}")
    )
