"""Reads rows from the pages of a damaged SQLite file without SQLite, which stops at the first page that is not whole.

The form of pages is SQLite's own (https://sqlite.org/fileformat2.html). Whatever cannot be read is passed over, and
what can be read may still be nonsense: who takes the rows has to check them.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

import msgspec

from satchel.store.database import MAGIC

Value = int | float | str | bytes | None
Record = tuple[Value, ...]

PAGE_SIZE = 4096
"""That of every store of ours, where the header does not tell."""

INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13

LARGEST = 100_000_000
"""Bytes of one record at the most: more is a length that was garbled."""

DEEPEST = 20
"""Levels of a tree at the most. SQLite's own limit."""

WAL_MAGIC = (0x377F0682, 0x377F0683)
WAL_HEADER, FRAME_HEADER = 32, 24


class UnreadableError(Exception):
    """A page, or a row on it, is not what it should be."""


class Row(msgspec.Struct, frozen=True):
    """A row as it stands on its page: `rowid` is None in the trees of indexes and tables without rowid."""

    rowid: int | None
    record: Record


class Table(msgspec.Struct, frozen=True):
    """A line of the schema."""

    name: str
    root: int
    sql: str


class Pages:
    """The pages of a file and the committed ones of its write-ahead log, numbered from 1."""

    def __init__(self, file: Path, log: Path | None = None) -> None:
        self._data: bytes | mmap.mmap = b""
        if file.exists() and file.stat().st_size:
            with file.open("rb") as handle:
                self._data = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        self._over = _committed(log.read_bytes()) if log is not None and log.exists() else {}
        self.size = self._page_size()
        self.count = max([len(self._data) // self.size, *self._over])
        self._read: set[int] = set()
        """Pages that belong to a tree that was walked through."""
        self.broken: set[int] = set()
        """Pages that should have been read and could not be."""

    def _page_size(self) -> int:
        if self._over:
            return len(next(iter(self._over.values())))
        told = int.from_bytes(self._data[16:18], "big")
        told = 65536 if told == 1 else told
        return told if self._data[: len(MAGIC)] == MAGIC and told >= 512 and not told & (told - 1) else PAGE_SIZE

    def page(self, number: int) -> bytes:
        """Raises UnreadableError past the end, or within a page that was cut."""
        if number in self._over:
            return self._over[number]
        found = self._data[(number - 1) * self.size : number * self.size] if number > 0 else b""
        if len(found) < self.size:
            raise UnreadableError
        return found

    def version(self) -> int | None:
        """The number of the schema, by the header; None where that is gone."""
        try:
            first = self.page(1)
        except UnreadableError:
            return None
        return int.from_bytes(first[60:64], "big") if first.startswith(MAGIC) else None

    def _reserved(self) -> int:
        try:
            first = self.page(1)
        except UnreadableError:
            return 0
        return first[20] if first.startswith(MAGIC) else 0

    def schema(self) -> list[Table]:
        """The tables whose lines can still be read, the virtual ones left out."""
        tables = []
        for row in self.tree(1):
            match row.record:
                case ("table", str(name), str(), int(root), str(sql)) if root > 1:
                    tables.append(Table(name, root, sql))
        return tables

    def tree(self, root: int) -> Iterator[Row]:
        """The rows below a root that can be read, in their order; the pages that cannot be are noted in `broken`."""
        yield from self._below(root, 0, set())

    def _below(self, number: int, depth: int, above: set[int]) -> Iterator[Row]:
        if depth > DEEPEST or number in above or number in self._read:
            self.broken.add(number)
            return
        try:
            page = self.page(number)
            cells = self._cells(page, number)
        except UnreadableError:
            self.broken.add(number)
            return
        self._read.add(number)
        kind = page[100 if number == 1 else 0]
        for start in cells:
            try:
                if kind in (TABLE_INTERIOR, INDEX_INTERIOR):
                    yield from self._below(int.from_bytes(page[start : start + 4], "big"), depth + 1, above | {number})
                if kind != TABLE_INTERIOR:
                    yield self._row(page, kind, start + (4 if kind == INDEX_INTERIOR else 0))
            except (UnreadableError, IndexError):
                self.broken.add(number)
        if kind in (TABLE_INTERIOR, INDEX_INTERIOR):
            at = (100 if number == 1 else 0) + 8
            yield from self._below(int.from_bytes(page[at : at + 4], "big"), depth + 1, above | {number})

    def strays(self) -> Iterator[Row]:
        """The rows of leaves that no tree led to, because a page above them is gone."""
        for number in range(1, self.count + 1):
            if number in self._read:
                continue
            try:
                page = self.page(number)
                kind = page[100 if number == 1 else 0]
                cells = self._cells(page, number) if kind in (TABLE_LEAF, INDEX_LEAF, INDEX_INTERIOR) else []
            except UnreadableError:
                continue
            for start in cells:
                try:
                    yield self._row(page, kind, start + (4 if kind == INDEX_INTERIOR else 0))
                except (UnreadableError, IndexError):
                    self.broken.add(number)

    def _cells(self, page: bytes, number: int) -> list[int]:
        """Where the cells of a page begin. Raises UnreadableError."""
        at = 100 if number == 1 else 0
        kind, count = page[at], int.from_bytes(page[at + 3 : at + 5], "big")
        if kind not in (INDEX_INTERIOR, TABLE_INTERIOR, INDEX_LEAF, TABLE_LEAF):
            raise UnreadableError
        first = at + (12 if kind in (INDEX_INTERIOR, TABLE_INTERIOR) else 8)
        if first + 2 * count > self.size:
            raise UnreadableError
        cells = list(struct.unpack_from(f">{count}H", page, first))
        if any(not first <= start < self.size for start in cells):
            raise UnreadableError
        return cells

    def _row(self, page: bytes, kind: int, at: int) -> Row:
        """Raises UnreadableError, IndexError."""
        length, at = _varint(page, at)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, at = _varint(page, at)
            rowid = rowid - (1 << 64) if rowid >> 63 else rowid
        if length > LARGEST:
            raise UnreadableError
        usable = self.size - self._reserved()
        most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        least = (usable - 12) * 32 // 255 - 23
        here = length
        if length > most:
            here = least + (length - least) % (usable - 4)
            here = here if here <= most else least
        body = page[at : at + here]
        if here < length:
            body += self._overflow(int.from_bytes(page[at + here : at + here + 4], "big"), length - here, usable)
        if len(body) != length:
            raise UnreadableError
        return Row(rowid, _record(body))

    def _overflow(self, number: int, length: int, usable: int) -> bytes:
        found, seen = b"", set()
        while len(found) < length:
            if number in seen:
                raise UnreadableError
            seen.add(number)
            page = self.page(number)
            found += page[4 : min(usable, 4 + length - len(found))]
            number = int.from_bytes(page[:4], "big")
        return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where it ends. Raises IndexError."""
    value = 0
    for n in range(8):
        byte = data[at + n]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + n + 1
    return value << 8 | data[at + 8], at + 9


def _record(body: bytes) -> Record:
    """Raises UnreadableError, IndexError."""
    end, at = _varint(body, 0)
    kinds = []
    while at < end:
        kind, at = _varint(body, at)
        kinds.append(kind)
    if at != end:
        raise UnreadableError
    values: list[Value] = []
    for kind in kinds:
        size = _SIZES[kind] if kind < 12 else (kind - 12) // 2
        raw = body[at : at + size]
        if len(raw) != size:
            raise UnreadableError
        at += size
        values.append(_value(kind, raw))
    if at != len(body):
        raise UnreadableError
    return tuple(values)


_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0)


def _value(kind: int, raw: bytes) -> Value:
    if kind == 0:
        return None
    if kind <= 6:
        return int.from_bytes(raw, "big", signed=True)
    if kind == 7:
        return float(struct.unpack(">d", raw)[0])
    if kind in (8, 9):
        return kind - 8
    if kind in (10, 11):
        raise UnreadableError
    if kind % 2 == 0:
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise UnreadableError from None


def _committed(log: bytes) -> dict[int, bytes]:
    """The pages that a write-ahead log holds, as far as it is whole and committed."""
    if len(log) < WAL_HEADER:
        return {}
    magic, _, size, _, *salts, one, two = struct.unpack_from(">8I", log)
    order = ">" if magic & 1 else "<"
    if magic not in WAL_MAGIC or not 512 <= size <= 65536 or size & (size - 1):
        return {}
    sums = _checksum(log[:24], order, (0, 0))
    if sums != (one, two):
        return {}
    pages: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    for at in range(WAL_HEADER, len(log) - FRAME_HEADER - size + 1, FRAME_HEADER + size):
        number, commit, *salted, one, two = struct.unpack_from(">6I", log, at)
        body = log[at + FRAME_HEADER : at + FRAME_HEADER + size]
        sums = _checksum(body, order, _checksum(log[at : at + 8], order, sums))
        if salted != salts or sums != (one, two):
            break
        waiting[number] = body
        if commit:
            pages |= waiting
            waiting = {}
            pages = {kept: page for kept, page in pages.items() if kept <= commit}
    return pages


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    one, two = sums
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for n in range(0, len(words), 2):
        one = one + words[n] + two & 0xFFFFFFFF
        two = two + words[n + 1] + one & 0xFFFFFFFF
    return one, two
