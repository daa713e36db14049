"""The nearest vectors, from memory: all looked at while they are few, by cells beyond that.

Each kind of each profile has a part of its own. A small part holds its vectors whole, and looks at all of them. A
large one holds them in cells of like ones, a byte a number (FAISS, `IVF,SQ8`): it looks into the cells nearest to the
question, and lets the whole vectors of the best few, read from the database, decide. A part is made when it is first
asked for, and before every search follows the list of changes (`vectors.changed_since`), so that it finds what was
committed before and nothing that went. While cells are being filled, the signs in sqlite-vec answer. Cells are kept in
a file beside the database, stamped with the last change that is in them; a stamp that does not fit, or a file that
cannot be read, means that they are filled anew.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import logging
import math
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import apsw
import msgspec

from satchel.faults import type_and_place
from satchel.store import vectors
from satchel.store.store import cells_files, private_file
from satchel.store.vector_sets import Indexed
from satchel.store.vectors import Meaning
from satchel.structs import decodable
from satchel.types import StoreError

if TYPE_CHECKING:
    import faiss
    import numpy as np
    from numpy.typing import NDArray

EXACT = 20_000
"""Vectors up to which all are looked at: some 30 MB, and some milliseconds."""

CELLS = 2.0
"""Cells, times the square root of the number of vectors."""

LEARNT = 48
"""Vectors for each cell from which the cells are learnt."""

PROBED = 64
"""Cells that are looked into."""

ASKED = 40
"""Neighbours whose whole vectors decide, at the least."""

CHUNK = 10_000
"""Vectors read from the database at a time while cells are filled."""

OUTGROWN = 4
"""How many times more vectors than they were learnt from make cells worth learning anew."""

SAVED_EVERY = 20_000
"""Changes after which cells' file is written again."""

logger = logging.getLogger("satchel.neighbours")

Key = tuple[Indexed, int]
"""A kind and a profile."""

Read = Callable[[Callable[[apsw.Connection], object]], object]


@decodable
class _Stamp(msgspec.Struct, frozen=True):
    """`learnt`: from how many vectors the cells were; `digest` of the file that they lie in."""

    model: str
    seq: int
    count: int
    learnt: int
    digest: str


class Part(Protocol):
    model: str
    seq: int

    def __len__(self) -> int: ...

    def change(self, db: apsw.Connection, pks: Sequence[int]) -> None:
        """Takes these pks' vectors as they are in the database now."""

    def nearest(self, db: apsw.Connection, meaning: Meaning, k: int) -> list[tuple[int, float]]: ...

    def closest(self, db: apsw.Connection, meaning: Meaning, pks: Sequence[int]) -> list[tuple[int, float]]: ...


class Exact:
    """All vectors in one matrix. A row that went is filled from the end."""

    def __init__(self, model: str, kind: Indexed, dimensions: int, seq: int) -> None:
        import numpy as np

        self.model = model
        self.seq = seq
        self._kind = kind
        self._rows: NDArray[np.float32] = np.empty((256, dimensions), np.float32)
        self._pks: NDArray[np.int64] = np.empty(256, np.int64)
        self._place: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._place)

    def change(self, db: apsw.Connection, pks: Sequence[int]) -> None:
        for start in range(0, len(pks), CHUNK):
            some = pks[start : start + CHUNK]
            there, rows = vectors.whole(db, self.model, self._kind, some)
            for pk in set(some) - set(there):
                self._remove(pk)
            for pk, row in zip(there, rows, strict=True):
                self._put(pk, row)

    def _put(self, pk: int, row: NDArray[np.float32]) -> None:
        import numpy as np

        place = self._place.setdefault(pk, len(self._place))
        if place >= len(self._pks):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
            self._pks = np.concatenate([self._pks, np.empty_like(self._pks)])
        self._rows[place], self._pks[place] = row, pk

    def _remove(self, pk: int) -> None:
        place = self._place.pop(pk, None)
        if place is None:
            return
        last = len(self._place)
        if place != last:
            moved = int(self._pks[last])
            self._rows[place], self._pks[place] = self._rows[last], moved
            self._place[moved] = place
        self._rows[last] = 0.0

    def nearest(self, _: apsw.Connection, meaning: Meaning, k: int) -> list[tuple[int, float]]:
        import numpy as np

        count = len(self._place)
        if not count or k < 1:
            return []
        cosines = self._rows[:count] @ np.frombuffer(meaning.vector, np.float32)
        best = np.argpartition(-cosines, k - 1)[:k] if k < count else np.arange(count)
        best = best[np.lexsort((self._pks[best], -cosines[best]))]
        return [(int(self._pks[place]), float(cosines[place])) for place in best]

    def closest(self, _: apsw.Connection, meaning: Meaning, pks: Sequence[int]) -> list[tuple[int, float]]:
        import numpy as np

        there = [pk for pk in pks if pk in self._place]
        cosines = self._rows[[self._place[pk] for pk in there]] @ np.frombuffer(meaning.vector, np.float32)
        return [(there[place], float(cosines[place])) for place in np.argsort(-cosines, kind="stable")]


class Cells:
    """Vectors in cells of like ones, a byte a number."""

    def __init__(self, model: str, kind: Indexed, index: faiss.IndexIVF, seq: int, learnt: int) -> None:
        self.model = model
        self.seq = seq
        self.learnt = learnt
        self.unsaved = 0
        self.index = index
        self._kind = kind

    def __len__(self) -> int:
        return int(self.index.ntotal)

    def change(self, db: apsw.Connection, pks: Sequence[int]) -> None:
        import faiss
        import numpy as np

        for start in range(0, len(pks), CHUNK):
            some = pks[start : start + CHUNK]
            there, rows = vectors.whole(db, self.model, self._kind, some)
            # What changed must go too before it comes again; what is new costs this as well, and it is not much.
            self.index.remove_ids(faiss.IDSelectorBatch(np.array(some, np.int64)))
            if there:
                self.index.add_with_ids(rows, np.array(there, np.int64))
        self.unsaved += len(pks)

    def holds_any(self, pks: Sequence[int]) -> bool:
        import faiss
        import numpy as np

        lists = self.index.invlists
        if not pks or lists is None:
            return False
        wanted = np.array(pks, np.int64)
        sizes = ((cell, lists.list_size(cell)) for cell in range(lists.nlist))
        return any(
            size and bool(np.isin(faiss.rev_swig_ptr(lists.get_ids(cell), size), wanted).any()) for cell, size in sizes
        )

    def nearest(self, db: apsw.Connection, meaning: Meaning, k: int) -> list[tuple[int, float]]:
        import numpy as np

        query = np.frombuffer(meaning.vector, np.float32)[None]
        _, found = self.index.search(query, max(ASKED, 2 * k))
        return self.closest(db, meaning, [int(pk) for pk in found[0] if pk >= 0])[:k]

    def closest(self, db: apsw.Connection, meaning: Meaning, pks: Sequence[int]) -> list[tuple[int, float]]:
        return vectors.closest(db, self._kind, meaning, pks)


def learnt_cells(sample: NDArray[np.float32], count: int) -> faiss.IndexIVF:
    """Empty cells for `count` vectors, learnt from some of them."""
    import faiss

    number = max(1, min(round(CELLS * math.sqrt(count)), len(sample) // 8))
    made = faiss.index_factory(sample.shape[1], f"IVF{number},SQ8", faiss.METRIC_INNER_PRODUCT)
    index = cast("faiss.IndexIVF", made)
    index.cp.niter, index.cp.max_points_per_centroid, index.cp.min_points_per_centroid = 8, LEARNT, 1
    index.train(sample)
    index.nprobe = PROBED
    return index


class Neighbours:
    """The parts of one store. Safe to use from several threads.

    `folder` holds the cells' files. `read` runs a function with a connection of the thread it is called on: cells are
    filled through it, in the background.
    """

    def __init__(self, folder: Path, read: Read) -> None:
        self._folder = folder
        self._read = read
        self._parts: dict[Key, Part] = {}
        self._locks: dict[Key, threading.RLock] = {}
        self._lock = threading.Lock()
        self._building: dict[Key, Future[None]] = {}
        self._builder = ThreadPoolExecutor(1, thread_name_prefix="satchel-cells")
        self._closed = False

    def nearest(
        self, db: apsw.Connection, kind: Indexed, meaning: Meaning, *, profile: int, k: int
    ) -> list[tuple[int, float]]:
        """(pk, cosine similarity) of the k nearest, best first."""
        with self._locked((kind, profile)):
            part = self._current(db, (kind, profile), meaning.model)
            if part is not None:
                return part.nearest(db, meaning, k)
        return vectors.nearest(db, kind, meaning, profile=profile, k=k)

    def closest(
        self, db: apsw.Connection, kind: Indexed, meaning: Meaning, *, profile: int, pks: Sequence[int]
    ) -> list[tuple[int, float]]:
        """(pk, cosine similarity) of those of these pks of the profile that have a vector, best first."""
        with self._locked((kind, profile)):
            part = self._current(db, (kind, profile), meaning.model)
            if part is not None:
                return part.closest(db, meaning, pks)
        return vectors.closest(db, kind, meaning, pks)

    def follow(self, db: apsw.Connection) -> None:
        """Brings every part up to date: what went is in none of them any more."""
        for key, part in list(self._parts.items()):
            with self._locked(key):
                if self._parts.get(key) is part and not self._follow(db, key, part):
                    self._parts.pop(key, None)

    @contextlib.contextmanager
    def _locked(self, key: Key) -> Iterator[None]:
        with self._lock:
            lock = self._locks.setdefault(key, threading.RLock())
        with lock:
            yield

    def _current(self, db: apsw.Connection, key: Key, model: str) -> Part | None:
        """The part that answers for this model now; None while there is none."""
        part = self._parts.get(key)
        if part is not None and part.model != model:
            part = None
            with self._lock:  # one model is asked at a time: the others' are not needed any more
                self._parts = {of: kept for of, kept in list(self._parts.items()) if kept.model == model}
        if part is None and key not in self._building:
            part = self._open(db, key, model)
        if part is None or self._follow(db, key, part):
            return part
        self._parts.pop(key, None)
        return None

    def _open(self, db: apsw.Connection, key: Key, model: str) -> Part | None:
        kind, profile = key
        known = vectors.state(db, model, kind, profile)
        if known is None:
            return None
        part: Part | None
        with contextlib.suppress(OSError):
            self._file(key).with_suffix(".part").unlink(missing_ok=True)  # half a file of one that was killed
        if known.count <= EXACT:
            part = Exact(model, kind, known.dimensions, known.seq)
            part.change(db, vectors.all_of(db, model, kind, profile))
        else:
            part = self._loaded(db, key, model, known)
            if part is None:
                self.build(key, model)
                return None
        self._parts[key] = part
        return part

    def _follow(self, db: apsw.Connection, key: Key, part: Part) -> bool:
        """Brings a part up to this snapshot; False when it must be made anew."""
        last = vectors.last_change(db)
        if last <= part.seq:  # another reader's snapshot was newer: what it knows more of is not eligible here
            return True
        changed = vectors.changed_since(db, part.seq, part.model, *key)
        if changed is None:
            return False
        part.change(db, changed)
        part.seq = last
        if isinstance(part, Exact) and len(part) > EXACT:
            self.build(key, part.model)
        elif isinstance(part, Cells):
            if len(part) > OUTGROWN * part.learnt:
                self.build(key, part.model)
            elif part.unsaved >= SAVED_EVERY:
                part.unsaved = 0
                self._submit(self._save, key, part)
        return True

    # ------------------------------------------------------------------------------------------- cells

    def build(self, key: Key, model: str) -> Future[None]:
        """Fills the cells of a part in the background; what is there answers until they are."""
        with self._lock:
            running = self._building.get(key)
            if running is None:
                running = self._building[key] = self._submit(self._build, key, model)
            return running

    def _submit(self, work: Callable[..., None], *values: object) -> Future[None]:
        return self._builder.submit(self._guarded, work, *values)

    def _guarded(self, work: Callable[..., None], *values: object) -> None:
        try:
            work(*values)
        except (apsw.Error, OSError, RuntimeError, StoreError, ImportError) as error:
            logger.warning("an index of vectors could not be built or kept: %s", type_and_place(error))
        _give_back()

    def _build(self, key: Key, model: str) -> None:
        import numpy as np

        kind, profile = key
        try:
            known, pks = cast(
                "tuple[vectors.State | None, list[int]]",
                self._read(
                    lambda db: (vectors.state(db, model, kind, profile), vectors.all_of(db, model, kind, profile))
                ),
            )
            if known is None or self._closed:
                return
            chosen = random.Random(1).sample(  # noqa: S311 - a sample to learn cells from
                pks, min(len(pks), round(CELLS * math.sqrt(len(pks)) * LEARNT))
            )
            sample = self._rows(model, kind, chosen)[1]
            if not len(sample):  # they went since
                return
            cells = Cells(model, kind, learnt_cells(sample, len(pks)), known.seq, len(pks))
            for start in range(0, len(pks), CHUNK):
                if self._closed:
                    return
                there, rows = self._rows(model, kind, pks[start : start + CHUNK])
                if there:
                    cells.index.add_with_ids(rows, np.array(there, np.int64))
            self._publish(key, cells)
        finally:
            with self._lock:
                self._building.pop(key, None)

    def _publish(self, key: Key, cells: Cells) -> None:
        """Lets cells answer. They are written and read back first: grown piece by piece, they take up to twice the room
        they need. Where they cannot be written, they answer as they are."""
        import faiss

        try:
            if self._write(key, cells):
                cells.index = cast("faiss.IndexIVF", None)  # before the other is there
                _give_back()
                cells.index = cast("faiss.IndexIVF", faiss.read_index(str(self._file(key))))
                cells.index.nprobe = PROBED
        finally:
            with self._locked(key):
                present = self._parts.get(key)
                if cells.index is not None and (present is None or present.model == cells.model):
                    self._parts[key] = cells

    def _rows(self, model: str, kind: Indexed, pks: Sequence[int]) -> tuple[list[int], NDArray[np.float32]]:
        # A read of its own each time: a long one would keep the write-ahead log from being taken in.
        return cast("tuple[list[int], NDArray[np.float32]]", self._read(lambda db: vectors.whole(db, model, kind, pks)))

    def _file(self, key: Key) -> Path:
        return self._folder / f"{key[0]}-{key[1]}.faiss"

    def _save(self, key: Key, cells: Cells) -> None:
        with self._locked(key):
            if self._parts.get(key) is cells:
                self._write(key, cells)

    def _write(self, key: Key, cells: Cells) -> bool:
        """Writes cells, then the stamp without which they are not read: a crash between the two leaves no stamp that
        fits. Nothing that was forgotten is in them: they are brought up to date first, and what is forgotten from then
        on waits for the file, to remove it. False when they are not worth writing."""
        import faiss

        file = self._file(key)
        with cells_files:
            if not self._read(lambda db: self._bring_up_to_date(db, key, cells)):
                return False
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            private_file(part)
            faiss.write_index(cells.index, str(part))
            stamp = _Stamp(cells.model, cells.seq, len(cells), cells.learnt, _digest(part))
            part.replace(file)
            stamp_file = file.with_suffix(".json")
            private_file(stamp_file)
            stamp_file.write_bytes(msgspec.json.encode(stamp))
            cells.unsaved = 0
            return True

    def _bring_up_to_date(self, db: apsw.Connection, key: Key, cells: Cells) -> bool:
        changed = vectors.changed_since(db, cells.seq, cells.model, *key)
        if changed is None:
            return False
        cells.change(db, changed)
        cells.seq = max(cells.seq, vectors.last_change(db))
        return True

    def _remove_file(self, key: Key) -> None:
        file = self._file(key)
        for stale in (file.with_suffix(".json"), file):
            with contextlib.suppress(OSError):
                stale.unlink(missing_ok=True)

    def _loaded(self, db: apsw.Connection, key: Key, model: str, known: vectors.State) -> Cells | None:
        """The cells from their file, brought up to date; None when they cannot be used."""
        import faiss

        file = self._file(key)
        try:
            stamp = msgspec.json.decode(file.with_suffix(".json").read_bytes(), type=_Stamp)
            if stamp.model != model:
                self._remove_file(key)  # nobody reads it any more, and what was forgotten since may be in it
                return None
            if stamp.seq > known.seq or _digest(file) != stamp.digest:
                return None
            changed = vectors.changed_since(db, stamp.seq, model, *key)
            if changed is None:
                return None
            index = cast("faiss.IndexIVF", faiss.read_index(str(file)))
        except (OSError, msgspec.DecodeError, RuntimeError):
            return None
        index.nprobe = PROBED
        cells = Cells(model, key[0], index, known.seq, stamp.learnt)
        if cells.holds_any(changed):
            self._remove_file(key)  # what went may have been forgotten
            self._submit(self._save, key, cells)
        cells.change(db, changed)
        return cells if len(cells) == known.count else None

    def settle(self) -> None:
        """Waits until nothing is being built."""
        while running := list(self._building.values()):
            for future in running:
                future.result()

    def close(self) -> None:
        """Stops filling, and keeps the cells that changed."""
        self._closed = True
        self._builder.shutdown(wait=True)
        for key, part in list(self._parts.items()):
            if isinstance(part, Cells) and part.unsaved:
                self._guarded(self._save, key, part)


def _give_back() -> None:
    """Gives freed memory back to the system: glibc keeps what lies between small pieces, a third of an index's size
    after it was filled. Elsewhere than with glibc there is no such call, and little need."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def _digest(file: Path) -> str:
    with file.open("rb") as data:
        return hashlib.file_digest(data, "blake2b").hexdigest()
