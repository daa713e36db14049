"""A change of the embedding model: the former's vectors answer until the new one's lack nothing, and both are forgotten
at once."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from storing import Clock, capture, draft, empty_journal, remember, said

from satchel.store import Store, database, forget, log, memories, vector_sets, vectors
from satchel.store.vector_sets import KINDS, Indexed

WIDTHS = {"one": 8, "two": 16, "three": 8}
"""Models by name, and how wide their vectors are."""


def vector(model: str, text: str) -> bytes:
    row = np.random.default_rng([*model.encode(), *text.encode()]).normal(size=WIDTHS[model]).astype(np.float32)
    return (row / np.linalg.norm(row)).tobytes()


def change(store: Store, model: str) -> None:
    store.write_now(lambda tx: vectors.prepare(tx, model, WIDTHS[model]))


def waiting(store: Store, model: str, limit: int = 1000) -> list[vectors.Waiting]:
    return store.read_now(lambda db: vectors.waiting(db, model, limit))


def index(store: Store, model: str, limit: int = 1000) -> None:
    items = [(item, vector(model, item.text)) for item in waiting(store, model, limit)]
    store.write_now(lambda tx: vectors.put(tx, model, items))


def complete(store: Store) -> bool:
    return store.write_now(vector_sets.complete)


def clear_away(store: Store) -> None:
    while store.read_now(vector_sets.put_aside):
        store.write_now(vector_sets.clear_away)


def answering(store: Store) -> str | None:
    found = store.read_now(vector_sets.answering)
    return found and found.model


def held(store: Store) -> list[str]:
    return [one.model for one in store.read_now(vector_sets.held)]


def found(store: Store, model: str, text: str, kind: Indexed = "turn") -> bool:
    """Whether a question of these very words, as `model` reads it, finds them."""

    def look(db) -> bool:
        meaning = vectors.Meaning(model, vector(model, text))
        profile = log.profile_pk(db, "me") or 0
        table, column = vector_sets.TEXT_OF[kind]
        return any(
            round(cosine, 3) == 1 and db.execute(f"SELECT {column} FROM {table} WHERE pk = ?", (pk,)).get == text
            for pk, cosine in vectors.nearest(db, kind, meaning, profile=profile, k=5)
        )

    return store.read_now(look)


def on_disk(store: Store, *texts: str) -> list[tuple[str, str]]:
    """The models and texts whose vectors lie somewhere in the data folder."""
    empty_journal(store)
    raw = b"".join(file.read_bytes() for file in store.path.parent.rglob("*") if file.is_file())
    return [(model, text) for model in WIDTHS for text in texts if vector(model, text) in raw]


@pytest.fixture
def indexed(store: Store) -> Store:
    """Two turns and a memory with their vectors of model one."""
    capture(store, [said("a", "a"), said("b", "b")])
    remember(store, draft("m"), by_hand=True)
    change(store, "one")
    index(store, "one")
    return store


def test_the_former_answers_until_nothing_lacks_its_new_vector(indexed: Store) -> None:
    change(indexed, "two")
    while waiting(indexed, "two"):
        assert not complete(indexed)
        assert answering(indexed) == "one"
        assert found(indexed, "one", "a")
        assert found(indexed, "one", "m", "memory")
        index(indexed, "two", 1)
    assert complete(indexed)
    assert held(indexed) == ["two"]
    assert found(indexed, "two", "a")
    assert found(indexed, "two", "m", "memory")
    assert not found(indexed, "one", "a")
    assert not complete(indexed), "there is nothing to complete any more"


def test_of_the_former_nothing_is_left_after_the_change(indexed: Store) -> None:
    change(indexed, "two")
    index(indexed, "two")
    complete(indexed)
    clear_away(indexed)
    assert on_disk(indexed, "a", "b", "m") == [("two", "a"), ("two", "b"), ("two", "m")]
    tables = indexed.read_now(lambda db: {name for (name,) in db.execute("SELECT name FROM sqlite_schema")})
    assert not tables & {"turn_vector", "turn_signs", "memory_vector", "memory_signs"}
    assert not [name for name in tables if name.startswith("aside")]


def test_what_is_cleared_away_goes_piece_by_piece(indexed: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_sets, "CLEARED", 1)
    change(indexed, "two")
    index(indexed, "two")
    complete(indexed)
    left = [len(on_disk(indexed, "a", "b", "m"))]
    while indexed.read_now(vector_sets.put_aside):
        indexed.write_now(vector_sets.clear_away)
        left.append(len(on_disk(indexed, "a", "b", "m")))
    assert sorted(set(left), reverse=True) == [6, 5, 4, 3]


@pytest.mark.parametrize("moment", ["begun", "half", "all", "complete"])
def test_forgetting_takes_both_models_vectors_at_whatever_moment(indexed: Store, moment: str) -> None:
    gone = capture(indexed, ["gone"], external_id="gone").conversation_id
    memory_id = remember(indexed, draft("secret"), by_hand=True)
    index(indexed, "one")
    change(indexed, "two")
    if moment == "half":
        index(indexed, "two", 3)
    elif moment != "begun":
        index(indexed, "two")
    if moment == "complete":
        complete(indexed)
    assert ("one", "gone") in on_disk(indexed, "gone")
    indexed.write_now(lambda tx: forget.forget_conversation(tx, gone))
    indexed.write_now(lambda tx: forget.forget_memory(tx, memory_id, messages=False))
    assert on_disk(indexed, "gone", "secret") == []
    index(indexed, "two")
    assert complete(indexed) or moment == "complete"
    assert found(indexed, "two", "a")


def test_what_is_new_in_between_is_queued_for_both(indexed: Store) -> None:
    change(indexed, "two")
    capture(indexed, ["new"], external_id="c2")
    capture(indexed, [said("a, edited", "a")])
    assert [item.text for item in waiting(indexed, "one")] == ["new", "a, edited"]
    assert {item.text for item in waiting(indexed, "two")} == {"m", "new", "b", "a, edited"}
    assert not found(indexed, "one", "a")
    index(indexed, "one")
    assert found(indexed, "one", "new")
    assert found(indexed, "one", "a, edited")
    index(indexed, "two")
    assert complete(indexed)
    assert found(indexed, "two", "a, edited")


def test_what_the_former_lacked_at_the_change_it_gets_no_more(store: Store) -> None:
    capture(store, ["a", "b"])
    change(store, "one")
    index(store, "one", 1)
    change(store, "two")
    assert waiting(store, "one") == []
    assert len(waiting(store, "two")) == 2


def test_when_the_former_model_comes_back_its_vectors_are_there_still(indexed: Store) -> None:
    capture(indexed, ["lacking"], external_id="c2")
    change(indexed, "two")
    index(indexed, "two", 2)
    change(indexed, "one")
    assert held(indexed) == ["one"]
    assert [item.text for item in waiting(indexed, "one")] == ["lacking"]
    assert found(indexed, "one", "a")
    change(indexed, "two")
    assert len(waiting(indexed, "two")) == 4, "begun anew"


def test_a_third_model_takes_the_place_of_what_was_not_complete(indexed: Store) -> None:
    change(indexed, "two")
    index(indexed, "two", 2)
    change(indexed, "three")
    assert held(indexed) == ["one", "three"]
    assert found(indexed, "one", "a")
    index(indexed, "two")  # a batch that was on its way
    index(indexed, "three")
    assert complete(indexed)
    assert held(indexed) == ["three"]
    clear_away(indexed)
    assert {model for model, _ in on_disk(indexed, "a", "b", "m")} == {"three"}


def test_progress_is_told_of_all_and_of_some_profiles(indexed: Store) -> None:
    capture(indexed, ["w1", "w2", "w3"], profile="work")
    index(indexed, "one")

    def progress(*profiles: str) -> tuple[int, int] | None:
        told = indexed.read_now(lambda db: vector_sets.progress(db, profiles=profiles or None))
        return told and (told.done, told.total)

    assert progress() is None
    change(indexed, "two")
    assert (progress(), progress("me"), progress("work")) == ((0, 6), (0, 3), (0, 3))
    index(indexed, "two", 2)
    assert (progress(), progress("me"), progress("work")) == ((2, 6), (1, 3), (1, 3))
    assert indexed.read_now(lambda db: vector_sets.count_waiting(db)) == 4
    assert indexed.read_now(lambda db: vector_sets.count_waiting(db, profiles=["me"])) == 2
    capture(indexed, ["new"], external_id="c2")
    assert progress() == (2, 7)
    index(indexed, "two")
    assert progress() == (7, 7)
    complete(indexed)
    assert progress() is None


def test_the_stores_vectors_of_before_are_kept(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = database.migrations()
    with monkeypatch.context() as patch:
        patch.setattr(database, "migrations", lambda: steps[:3])
        db = database.connect(_made(data))
        database.migrate(db, data / "satchel.sqlite")
    db.execute("INSERT INTO meta VALUES ('embedder', 'one:8')")
    db.execute("INSERT INTO profile VALUES (1, 'me', 0)")
    db.execute(
        "INSERT INTO memory (pk, id, profile, kind, text, key, said_by, status, valid_from, created_at, updated_at,"
        " device, clock) VALUES (1, 'i', 1, 'fact', 'm', 'k', 'user', 'active', 0, 0, 0, 'd', '0-0-d'),"
        " (2, 'j', 1, 'fact', 'waits', 'k', 'user', 'active', 0, 0, 0, 'd', '1-0-d')"
    )
    for kind in KINDS:
        db.execute(
            f"CREATE TABLE {kind}_vector (pk INTEGER PRIMARY KEY, profile INTEGER NOT NULL, embedding BLOB NOT NULL)"
            f" STRICT; CREATE INDEX {kind}_vector_of_profile ON {kind}_vector (profile);"
            f" CREATE VIRTUAL TABLE {kind}_signs USING vec0 (pk INTEGER PRIMARY KEY, profile INTEGER PARTITION KEY,"
            f" signs BIT[8])"
        )
    db.execute("INSERT INTO memory_vector VALUES (1, 1, ?)", (vector("one", "m"),))
    db.execute(
        "INSERT INTO memory_signs (pk, profile, signs) VALUES (1, 1, vec_quantize_binary(?))", (vector("one", "m"),)
    )
    db.execute("INSERT INTO vector_change (type, pk, profile) VALUES ('memory', 1, 1)")
    db.execute("INSERT INTO unindexed VALUES ('memory', 2)")
    db.close()
    store = Store(data)
    assert answering(store) == "one"
    assert found(store, "one", "m", "memory")
    change(store, "one")
    assert [item.text for item in waiting(store, "one")] == ["waits"]
    change(store, "two")
    index(store, "two")
    assert complete(store)
    assert found(store, "two", "m", "memory")
    store.close()


def _made(data: Path) -> Path:
    data.mkdir()
    return data / "satchel.sqlite"


class Machine(RuleBasedStateMachine):
    """Whatever is captured, edited, forgotten, embedded, and killed in between: what could be found is found, and each
    thing has its vector or waits for it."""

    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.number = itertools.count(1)
        self.folders = itertools.count(1)
        self.folder_now = self.folder / str(np.random.default_rng().integers(1 << 60))
        self.store = Store(self.folder_now / "0", now=Clock())
        self.texts: dict[tuple[Indexed, int], str] = {}
        self.conversations: dict[str, list[int]] = {}
        self.known: set[tuple[Indexed, int]] = set()
        """What the answering set holds."""
        self.gone: list[str] = []

    def text(self) -> str:
        return f"text {next(self.number)}"

    def pk(self, table: str, row_id: str) -> int:
        return self.store.read_now(lambda db: db.execute(f"SELECT pk FROM {table} WHERE id = ?", (row_id,)).get)

    def said_otherwise(self, kind: Indexed, pk: int, text: str) -> None:
        self.gone.append(self.texts[kind, pk])
        self.texts[kind, pk] = text
        self.known.discard((kind, pk))

    def forgotten(self, kind: Indexed, pk: int) -> None:
        self.gone.append(self.texts.pop((kind, pk)))
        self.known.discard((kind, pk))

    @rule(count=st.integers(1, 4))
    def capture(self, count: int) -> None:
        name, texts = f"c{next(self.number)}", [self.text() for _ in range(count)]
        recorded = capture(self.store, [said(text, text) for text in texts], external_id=name)
        pks = [self.pk("message", message_id) for message_id in recorded.message_ids]
        self.conversations[recorded.conversation_id] = pks
        self.texts.update({("turn", pk): text for pk, text in zip(pks, texts, strict=True)})

    @rule()
    def remember(self) -> None:
        text = self.text()
        memory_id = remember(self.store, draft(text), by_hand=True)
        self.texts["memory", self.pk("memory", memory_id)] = text

    @precondition(lambda self: any(kind == "memory" for kind, _ in self.texts))
    @rule(seed=st.integers(0, 99), edit=st.booleans())
    def edit_or_forget_a_memory(self, seed: int, edit: bool) -> None:
        pks = [pk for kind, pk in self.texts if kind == "memory"]
        pk, text = pks[seed % len(pks)], self.text()
        if edit:
            wording = memories.Edit(text=text)
            self.store.write_now(lambda tx: memories.edit(tx, pk, wording, by="user", change="edited"))
            self.said_otherwise("memory", pk, text)
            return
        memory_id = self.store.read_now(lambda db: memories.by_pks(db, [pk])[pk].id)
        self.store.write_now(lambda tx: forget.forget_memory(tx, memory_id, messages=False))
        self.forgotten("memory", pk)

    @precondition(lambda self: self.conversations)
    @rule(seed=st.integers(0, 99))
    def forget_a_conversation(self, seed: int) -> None:
        conversation = sorted(self.conversations)[seed % len(self.conversations)]
        self.store.write_now(lambda tx: forget.forget_conversation(tx, conversation))
        for pk in self.conversations.pop(conversation):
            self.forgotten("turn", pk)

    @rule(model=st.sampled_from(sorted(WIDTHS)))
    def choose(self, model: str) -> None:
        before = held(self.store)
        change(self.store, model)
        assert held(self.store) == ([*before[:1], model] if before[:1] != [model] else before[:1])
        if not before:
            self.known.clear()

    @precondition(lambda self: held(self.store))
    @rule(limit=st.integers(1, 9), former=st.booleans())
    def embed(self, limit: int, former: bool) -> None:
        sets = held(self.store)
        model = sets[0] if former else sets[-1]
        items = waiting(self.store, model, limit)
        index(self.store, model, limit)
        if model == sets[0]:
            self.known |= {(item.type, item.pk) for item in items}

    @precondition(lambda self: len(held(self.store)) == 2)
    @rule(fill=st.booleans())
    def complete(self, fill: bool) -> None:
        model = held(self.store)[1]
        if fill:
            index(self.store, model)
        lacks = bool(waiting(self.store, model))
        assert complete(self.store) != lacks
        if not lacks:
            assert held(self.store) == [model]
            self.known = set(self.texts)

    @rule()
    def clear_away(self) -> None:
        self.store.write_now(vector_sets.clear_away)

    @rule()
    def killed(self) -> None:
        """What lies on the disk at this moment is opened by the next process."""
        copy = self.folder_now / str(next(self.folders))
        shutil.copytree(self.store.path.parent, copy)
        self.store.close()
        shutil.rmtree(self.store.path.parent)
        self.store = Store(copy, now=Clock())

    @rule()
    def nothing_forgotten_is_left(self) -> None:
        assert on_disk(self.store, *self.gone) == []

    @invariant()
    def each_has_its_vector_or_waits_for_it(self) -> None:
        def look(db) -> None:
            sets = vector_sets.held(db)
            for one in sets:
                for kind in KINDS:
                    sql = "SELECT pk FROM unindexed WHERE slot = ? AND type = ?"
                    waits = {pk for (pk,) in db.execute(sql, (one.slot, kind))}
                    has = dict(db.execute(f"SELECT pk, embedding FROM {one.whole(kind)}"))
                    assert not waits & has.keys()
                    texts = {pk: text for (of, pk), text in self.texts.items() if of == kind}
                    assert has == {pk: vector(one.model, texts[pk]) for pk in has}
                    if one is sets[-1]:
                        assert waits | has.keys() == texts.keys()
            slots = {one.slot for one in sets} or {0}
            assert {slot for (slot,) in db.execute("SELECT DISTINCT slot FROM unindexed")} <= slots
            assert vectors.unsound(db) == 0

        self.store.read_now(look)

    @invariant()
    def what_could_be_found_is_found(self) -> None:
        model = answering(self.store)
        if model is None:
            assert not self.known
            return
        for kind, pk in sorted(self.known):
            assert found(self.store, model, self.texts[kind, pk], kind)

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder_now)


def test_whatever_happens_on_the_way_what_could_be_found_is_found(tmp_path: Path) -> None:
    Machine.folder = tmp_path
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
