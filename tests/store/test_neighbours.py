"""The nearest vectors from memory: they are what the database says, whatever came, went or changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import apsw
import faiss
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from numpy.typing import NDArray
from storing import capture

from satchel.store import Store, Tx, log, neighbours, vector_sets, vectors
from satchel.store.neighbours import Cells, Exact, Neighbours
from satchel.store.store import CELLS_FOLDER

WIDTH = 64


def unit(seed: int) -> NDArray[np.float32]:
    row = np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    return row / np.linalg.norm(row)


def put(store: Store, seeds: dict[int, int], profile: int = 1, model: str = "model") -> None:
    """Vectors by pk, without turns behind them."""

    def write(tx: Tx) -> None:
        held = vector_sets.of(tx.db, model)
        assert held is not None
        for pk, seed in seeds.items():
            vectors.store(tx.db, held, "turn", pk, profile, unit(seed).tobytes())

    store.write_now(write)


def take(store: Store, *pks: int) -> None:
    store.write_now(lambda tx: [vectors.remove(tx.db, "turn", pk) for pk in pks])


def near(
    held: Neighbours, store: Store, seed: int, k: int = 5, profile: int = 1, model: str = "model"
) -> list[tuple[int, float]]:
    query = vectors.Meaning(model, unit(seed).tobytes())
    return store.read_now(lambda db: held.nearest(db, "turn", query, profile=profile, k=k))


def exactly(seeds: dict[int, int], seed: int, k: int = 5) -> list[int]:
    query = unit(seed)
    return sorted(seeds, key=lambda pk: -float(unit(seeds[pk]) @ query))[:k]


def written(store: Store) -> tuple[dict[int, int], Path]:
    """The vectors of a hundred, and the folder with the files of their cells."""
    seeds = {pk: pk for pk in range(1, 100)}
    put(store, seeds)
    folder = store.path.parent / CELLS_FOLDER
    held = Neighbours(folder, store.read_now)
    near(held, store, 1)
    held.settle()
    held.close()
    return seeds, folder


@pytest.fixture
def prepared(store: Store) -> Store:
    store.write_now(lambda tx: vectors.prepare(tx, "model", WIDTH))
    return store


@pytest.fixture
def held(prepared: Store) -> Iterator[Neighbours]:
    made = Neighbours(prepared.path.parent / CELLS_FOLDER, prepared.read_now)
    yield made
    made.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the twentieth vector on there are cells."""
    monkeypatch.setattr(neighbours, "EXACT", 20)


def part_of(held: Neighbours, profile: int = 1) -> object:
    return held._parts.get(("turn", profile))


def test_before_the_first_vector_nothing_is_near(store: Store) -> None:
    held = Neighbours(store.path.parent / CELLS_FOLDER, store.read_now)
    assert near(held, store, 1) == []


def test_a_few_are_looked_at_one_by_one(prepared: Store, held: Neighbours) -> None:
    seeds = {pk: pk for pk in range(1, 300)}
    put(prepared, seeds)
    assert [pk for pk, _ in near(held, prepared, 77)] == exactly(seeds, 77)
    assert near(held, prepared, 77, k=1) == [(77, pytest.approx(1.0, abs=1e-6))]
    assert isinstance(part_of(held), Exact)


def test_it_follows_what_comes_and_goes(prepared: Store, held: Neighbours) -> None:
    put(prepared, {1: 1, 2: 2, 3: 3})
    assert near(held, prepared, 2)[0][0] == 2
    take(prepared, 2)
    assert 2 not in dict(near(held, prepared, 2))
    put(prepared, {1: 9, 4: 2})
    assert near(held, prepared, 2)[0][0] == 4
    assert near(held, prepared, 9)[0][0] == 1


def test_one_profile_never_sees_anothers(prepared: Store, held: Neighbours) -> None:
    put(prepared, {1: 1}, profile=1)
    put(prepared, {2: 1}, profile=2)
    assert [pk for pk, _ in near(held, prepared, 1, profile=1)] == [1]
    assert [pk for pk, _ in near(held, prepared, 1, profile=2)] == [2]


@pytest.mark.usefixtures("few")
def test_many_are_found_through_cells_that_are_filled_in_the_background(prepared: Store, held: Neighbours) -> None:
    seeds = {pk: pk for pk in range(1, 200)}
    put(prepared, seeds)
    before = near(held, prepared, 5)  # the signs in the database answer meanwhile
    held.settle()
    assert isinstance(part_of(held), Cells)
    assert before == near(held, prepared, 5)
    assert [pk for pk, _ in near(held, prepared, 5)] == exactly(seeds, 5)
    put(prepared, {500: 1000})
    take(prepared, 5)
    assert near(held, prepared, 1000)[0][0] == 500
    assert 5 not in dict(near(held, prepared, 5))


@pytest.mark.usefixtures("few")
def test_an_exact_part_that_grows_becomes_cells_and_goes_on_answering(prepared: Store, held: Neighbours) -> None:
    seeds = {pk: pk for pk in range(1, 15)}
    put(prepared, seeds)
    assert [pk for pk, _ in near(held, prepared, 3)] == exactly(seeds, 3)
    put(prepared, {pk: pk for pk in range(15, 60)})
    seeds = {pk: pk for pk in range(1, 60)}
    assert [pk for pk, _ in near(held, prepared, 3)] == exactly(seeds, 3)
    held.settle()
    assert isinstance(part_of(held), Cells)
    assert [pk for pk, _ in near(held, prepared, 3)] == exactly(seeds, 3)


@pytest.mark.usefixtures("few")
def test_cells_are_read_from_their_file_and_brought_up_to_date(prepared: Store) -> None:
    _, folder = written(prepared)
    for file in folder.iterdir():
        assert file.stat().st_mode & 0o077 == 0
    put(prepared, {200: 2000})
    take(prepared, 7)
    second = Neighbours(folder, prepared.read_now)
    assert near(second, prepared, 2000)[0][0] == 200
    assert isinstance(part_of(second), Cells), "they were filled anew"
    assert 7 not in dict(near(second, prepared, 7))
    second.close()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "another's", "folder"])
def test_a_file_that_cannot_be_trusted_is_built_anew(
    prepared: Store, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    seeds, folder = written(prepared)
    (file,) = folder.glob("*.faiss")
    data = file.read_bytes()
    if damage == "cut":
        file.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        file.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "another's":
        # Away and back: the same model's vectors are made again, in the tables that the file knew.
        change(prepared, "another")
        change(prepared, "model")
        put(prepared, seeds)
    else:
        file.unlink()
        file.mkdir()
    built: list[tuple[str, int]] = []
    build = Neighbours.build
    monkeypatch.setattr(Neighbours, "build", lambda self, key, of: (built.append(key), build(self, key, of))[1])
    second = Neighbours(folder, prepared.read_now)
    assert [pk for pk, _ in near(second, prepared, 8)] == exactly(seeds, 8)
    second.settle()
    assert [pk for pk, _ in near(second, prepared, 8)] == exactly(seeds, 8)
    second.close()
    assert built == [("turn", 1)]


def forget(store: Store, pk: int) -> None:
    take(store, pk)
    asyncio.run(store.truncate_log())


def lies_in_file(folder: Path, pk: int) -> bool:
    return any(
        Cells("model", "turn", cast("faiss.IndexIVF", faiss.read_index(str(file))), 0, 0).holds_any([pk])
        for file in folder.glob("*.faiss")
    )


@pytest.mark.usefixtures("few")
def test_what_is_forgotten_while_cells_are_filled_is_not_written_afterwards(
    prepared: Store, held: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(prepared, {pk: pk for pk in range(1, 100)})
    write = held._write
    monkeypatch.setattr(held, "_write", lambda *values: (forget(prepared, 7), write(*values))[1])
    near(held, prepared, 1)
    held.settle()
    folder = prepared.path.parent / CELLS_FOLDER
    assert lies_in_file(folder, 9)
    assert not lies_in_file(folder, 7)
    assert 7 not in dict(near(held, prepared, 7))


@pytest.mark.usefixtures("few")
def test_forgetting_while_a_file_is_written_ends_when_that_file_is_gone(
    prepared: Store, held: Neighbours, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(prepared, {pk: pk for pk in range(1, 100)})
    forgetting = threading.Thread(target=forget, args=(prepared, 7))
    ended_early: list[bool] = []
    write = faiss.write_index

    def write_slowly(*values) -> None:
        forgetting.start()
        write(*values)
        forgetting.join(0.3)
        ended_early.append(not forgetting.is_alive())

    monkeypatch.setattr(faiss, "write_index", write_slowly)
    near(held, prepared, 1)
    held.settle()
    forgetting.join()
    assert ended_early == [False]
    assert list((prepared.path.parent / CELLS_FOLDER).iterdir()) == []
    assert 7 not in dict(near(held, prepared, 7))


@pytest.mark.usefixtures("few")
def test_what_was_forgotten_since_the_last_question_is_not_written_at_the_end(prepared: Store) -> None:
    _, folder = written(prepared)
    second = Neighbours(folder, prepared.read_now)
    near(second, prepared, 1)
    put(prepared, {500: 500})
    near(second, prepared, 1)
    forget(prepared, 7)
    second.close()
    assert lies_in_file(folder, 500)
    assert not lies_in_file(folder, 7)


@pytest.mark.usefixtures("few")
def test_a_file_with_something_forgotten_in_it_is_removed_when_it_is_read(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was killed between writing it and looking again leaves such a file."""
    _, folder = written(prepared)
    (folder / "turn-1.part").write_bytes(b"half a file")
    take(prepared, 7)
    save = Neighbours._save
    left: list[list[Path]] = []
    monkeypatch.setattr(Neighbours, "_save", lambda *values: (left.append(list(folder.iterdir())), save(*values))[1])
    second = Neighbours(folder, prepared.read_now)
    assert 7 not in dict(near(second, prepared, 7))
    assert isinstance(part_of(second), Cells), "they were filled anew"
    second.close()
    assert left[0] == []
    assert lies_in_file(folder, 9)
    assert not lies_in_file(folder, 7)


def change(store: Store, model: str) -> None:
    """To another model's vectors, of which there are none yet."""
    store.write_now(lambda tx: vectors.prepare(tx, model, WIDTH))
    assert store.write_now(vector_sets.complete)


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("count", [10, 100], ids=["all looked at", "in cells"])
def test_two_models_vectors_are_not_compared_with_each_other(prepared: Store, held: Neighbours, count: int) -> None:
    one, two = {pk: pk for pk in range(1, count)}, {pk: 1000 + pk for pk in range(1, count)}
    put(prepared, one)
    prepared.write_now(lambda tx: vectors.prepare(tx, "another", WIDTH))
    assert near(held, prepared, 1, model="another") == []
    put(prepared, two, model="another")
    for _ in range(2):
        for model, seeds in (("model", one), ("another", two)):
            for _ in range(2):  # by the signs, then in cells
                assert [pk for pk, _ in near(held, prepared, seeds[3], model=model)] == exactly(seeds, seeds[3])
                held.settle()
    assert prepared.write_now(vector_sets.complete)
    assert near(held, prepared, 3, model="model") == []
    assert [pk for pk, _ in near(held, prepared, two[3], model="another")] == exactly(two, two[3])
    take(prepared, 3)
    assert 3 not in dict(near(held, prepared, two[3], model="another"))


@pytest.mark.usefixtures("few")
def test_a_file_of_the_former_models_vectors_is_removed_when_it_is_come_upon(
    prepared: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between forgetting and the removal of the files, it would lie there with what was forgotten."""
    seeds, folder = written(prepared)
    prepared.write_now(lambda tx: vectors.prepare(tx, "another", WIDTH))
    put(prepared, seeds, model="another")
    assert len(list(folder.iterdir())) == 2
    left: list[list[Path]] = []
    build = Neighbours.build
    monkeypatch.setattr(
        Neighbours, "build", lambda self, key, of: (left.append(list(folder.iterdir())), build(self, key, of))[1]
    )
    second = Neighbours(folder, prepared.read_now)
    near(second, prepared, 1, model="another")
    second.close()
    assert left == [[]]


@pytest.mark.usefixtures("few")
def test_an_index_does_not_outlive_its_vectors(prepared: Store, held: Neighbours) -> None:
    put(prepared, {1: 1, 2: 2})
    assert len(near(held, prepared, 1)) == 2
    change(prepared, "another")
    assert near(held, prepared, 1) == []
    change(prepared, "model")
    put(prepared, {2: 5})
    assert near(held, prepared, 5) == [(2, pytest.approx(1.0, abs=1e-6))]


@pytest.mark.usefixtures("few")
def test_cells_whose_vectors_go_while_they_are_filled_are_given_up(
    prepared: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(prepared, {pk: pk for pk in range(1, 100)})
    gone = False

    def read(work: Callable[[apsw.Connection], object]) -> object:
        nonlocal gone
        found = prepared.read_now(work)
        if not gone:
            gone = True
            change(prepared, "another")
        return found

    held = Neighbours(prepared.path.parent / CELLS_FOLDER, read)
    near(held, prepared, 1)
    held.settle()
    assert gone
    assert part_of(held) is None
    assert caplog.text == ""
    assert near(held, prepared, 1, model="another") == []
    held.close()


@pytest.mark.parametrize(
    "first", [vectors.take_over, lambda tx: vectors.prepare(tx, "model", WIDTH)], ids=["the indexer", "a new memory"]
)
def test_vectors_of_an_earlier_satchel_are_taken_over(store: Store, first: Callable[[Tx], None]) -> None:
    recorded = capture(store, ["kept"])
    pk, profile = store.read_now(
        lambda db: db.execute(
            "SELECT m.pk, c.profile FROM message m JOIN conversation c ON c.pk = m.conversation WHERE c.id = ?",
            (recorded.conversation_id,),
        ).fetchone()
    )

    def as_before(tx) -> None:
        for table in ("turn_vectors", "memory_vectors"):
            tx.db.execute(
                f"CREATE VIRTUAL TABLE {table} USING vec0 (pk INTEGER PRIMARY KEY, profile INTEGER PARTITION KEY,"
                f" embedding FLOAT[{WIDTH}] DISTANCE_METRIC=cosine)"
            )
        tx.db.execute("INSERT OR REPLACE INTO meta VALUES ('embedder', ?)", (f"model:{WIDTH}",))
        tx.db.execute(
            "INSERT INTO turn_vectors (pk, profile, embedding) VALUES (?, ?, ?)", (pk, profile, unit(4).tobytes())
        )

    store.write_now(as_before)
    store.write_now(first)
    held = Neighbours(store.path.parent / CELLS_FOLDER, store.read_now)
    owner = store.read_now(lambda db: log.profile_pk(db, "me"))
    assert [found for found, _ in near(held, store, 4, profile=owner or 0)] == [pk]
    assert store.read_now(lambda db: db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'turn_vectors'").get) is None
    held.close()


class Machine(RuleBasedStateMachine):
    """Whatever is put, changed, taken, saved and opened again, the nearest are those that there are."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.store = Store(self.folder / str(np.random.default_rng().integers(1 << 60)))
        self.store.write_now(lambda tx: vectors.prepare(tx, "model", WIDTH))
        self.seeds: dict[int, int] = {}
        self.held = self.opened()

    def opened(self) -> Neighbours:
        return Neighbours(self.store.path.parent / CELLS_FOLDER, self.store.read_now)

    @rule(pks=st.lists(st.integers(1, 60), max_size=25), seed=st.integers(0, 1000))
    def put(self, pks: list[int], seed: int) -> None:
        new = {pk: seed * 100 + pk for pk in pks}
        put(self.store, new)
        self.seeds.update(new)

    @rule(pks=st.lists(st.integers(1, 60), max_size=10))
    def take(self, pks: list[int]) -> None:
        take(self.store, *pks)
        for pk in pks:
            self.seeds.pop(pk, None)

    @rule()
    def wait(self) -> None:
        self.held.settle()

    @rule()
    def open_again(self) -> None:
        self.held.close()
        self.held = self.opened()

    @rule(other=st.booleans())
    def ask(self, other: bool) -> None:
        held = self.opened() if other else self.held
        for seed in (*list(self.seeds.values())[:2], 5):
            found = near(held, self.store, seed, k=4)
            assert [pk for pk, _ in found] == exactly(self.seeds, seed, k=4)
        if other:
            held.close()

    @invariant()
    def the_signs_are_those_of_the_vectors(self) -> None:
        found = self.store.read_now(
            lambda db: db.execute(
                "SELECT s.pk, s.signs = vec_quantize_binary(v.embedding) FROM turn_signs s"
                " LEFT JOIN turn_vector v ON v.pk = s.pk"
            ).fetchall()
        )
        assert dict(found) == dict.fromkeys(self.seeds, 1)

    def teardown(self) -> None:
        self.held.close()
        self.store.close()


@pytest.mark.usefixtures("few")
def test_the_nearest_are_what_there_is(tmp_path: Path) -> None:
    Machine.folder = tmp_path
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
