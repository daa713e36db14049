"""The map of memories: kept until they change, dropped by a forgetting, one drawn at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from satchel.recall import memory_map
from satchel.recall.memory_map import Drawn, Maps
from satchel.recall.projection import GivenUpError
from satchel.store import Store, Tx, forget, memories, vector_sets, vectors
from satchel.store.forget_plan import What
from satchel.store.vectors import Waiting
from satchel.types import Draft, StoreError

MODEL = "m" * 64
WIDTH = 16
TOPICS = ("bees", "oboe", "trains", "sourdough")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "satchel")
    yield opened
    opened.close()


def remember(store: Store, number: int, *, start: int = 0, profile: str = "me") -> list[int]:
    """Memories of four topics in turn, each with a vector near those of its topic."""
    centres = np.random.default_rng(0).normal(size=(len(TOPICS), WIDTH))

    def add(tx: Tx) -> list[int]:
        if not vector_sets.held(tx.db):
            vector_sets.begin(tx, MODEL, WIDTH)
        pks = []
        for n in range(start, start + number):
            topic = TOPICS[n % len(TOPICS)]
            draft = Draft(kind="fact", text=f"Of {topic} {n}.", key=topic, tags=(topic,), sources=(), valid_from=n)
            pk = memories.add(tx, draft, profile=profile, by_hand=True)
            row = centres[n % len(TOPICS)] + np.random.default_rng(n).normal(size=WIDTH) * 0.2
            vector = (row / np.linalg.norm(row)).astype(np.float32).tobytes()
            vectors.put(tx, MODEL, [(Waiting("memory", pk, draft.text), vector)])
            pks.append(pk)
        return pks

    return store.write_now(add)


def drawn(store: Store, limit: int = 2000, *, profile: str = "me") -> Drawn:
    return memory_map.draw(store, profile, limit, lambda: False)


def test_topics_are_clusters_called_by_their_tags(store: Store) -> None:
    remember(store, 120)
    found = drawn(store)
    assert (len(found.points), found.total) == (120, 120)
    names = {cluster.id: cluster.name for cluster in found.clusters}
    assert {name.split(",")[0].split(" ")[0] for name in names.values()} == set(TOPICS)
    right = sum(names[cluster].startswith(TOPICS[(pk - 1) % 4]) for pk, _, _, cluster in found.points)
    assert right >= 110
    assert sum(cluster.size for cluster in found.clusters) == 120


def test_what_has_no_vector_and_what_does_not_hold_have_no_place(store: Store) -> None:
    first, second, *_ = remember(store, 9)
    remember(store, 4, profile="work")

    def change(tx: Tx) -> None:
        memories.edit(tx, first, memories.Edit(status="superseded"), by="user", change="edited")
        memories.edit(tx, second, memories.Edit(text="Of something else."), by="user", change="edited")

    store.write_now(change)
    found = drawn(store)
    assert found.total == 8
    assert {pk for pk, *_ in found.points} == set(range(3, 10))
    nothing = drawn(store, profile="nobody")
    assert (nothing.points, nothing.clusters, nothing.total) == ([], [], 0)


def test_a_sample_holds_what_is_pinned_said_often_and_new_and_some_of_each_topic(store: Store) -> None:
    pks = remember(store, 400)

    def change(tx: Tx) -> None:
        memories.edit(tx, pks[7], memories.Edit(pinned=True), by="user", change="pinned")
        memories.edit(tx, pks[11], memories.Edit(observations=9), by="user", change="edited")

    store.write_now(change)
    found = drawn(store, 60)
    shown = {pk for pk, *_ in found.points}
    assert (len(shown), found.total) == (60, 400)
    assert {pks[7], pks[11], *pks[-12:]} <= shown
    by_topic = [sum((pk - 1) % 4 == topic for pk in shown) for topic in range(4)]
    assert min(by_topic) >= 9
    remember(store, 1, start=400)
    assert len(shown - {pk for pk, *_ in drawn(store, 60).points}) <= 15


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5])
def test_few_memories_have_a_map_too(store: Store, number: int) -> None:
    remember(store, number)
    found = drawn(store)
    assert len(found.points) == number
    assert len(found.clusters) == min(number, 1)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for _, x, y, _ in found.points)


Counting = Callable[[], int]


@pytest.fixture
def drawings(monkeypatch: pytest.MonkeyPatch) -> Counting:
    """How often a map was drawn; fails where two are at once."""
    begun = 0
    busy = threading.Lock()
    draw = memory_map.draw

    def counted(store: Store, profile: str, limit: int, given_up: Callable[[], bool]) -> Drawn:
        nonlocal begun
        assert busy.acquire(blocking=False), "two maps were drawn at once"
        begun += 1
        try:
            return draw(store, profile, limit, given_up)
        finally:
            busy.release()

    monkeypatch.setattr(memory_map, "draw", counted)
    return lambda: begun


def test_a_map_is_drawn_once_until_memories_change(store: Store, drawings: Counting) -> None:
    async def ask() -> None:
        maps = Maps(store)
        remember(store, 40)
        several = await asyncio.gather(*(maps.of("me", limit) for limit in (2000, 2000, 30, 2000)))
        assert drawings() == 2
        assert several[0].drawn is several[1].drawn
        await maps.of("me", 2000)
        assert drawings() == 2
        remember(store, 1, start=40)
        assert len((await maps.of("me", 2000)).drawn.points) == 41
        assert drawings() == 3

    asyncio.run(ask())


def test_a_forgetting_drops_the_maps(store: Store, drawings: Counting) -> None:
    async def ask() -> None:
        maps = Maps(store)
        pks = remember(store, 20)
        await maps.of("me", 2000)
        named = store.read_now(lambda db: memories.by_pks(db, pks[:1]))[pks[0]].id
        await store.write(lambda tx: forget.forget(tx, What(way="memory", profiles=None, memory=named, messages=False)))
        await maps.forget()
        assert maps._kept == {}
        assert len((await maps.of("me", 2000)).drawn.points) == 19
        assert drawings() == 2

    asyncio.run(ask())


def test_one_map_answers_while_memories_are_written_without_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    draw, begun = memory_map.draw, 0

    def overtaken(store: Store, profile: str, limit: int, given_up: Callable[[], bool]) -> Drawn:
        nonlocal begun
        begun += 1
        assert begun == 1, "it was drawn again for one who has waited for a map already"
        found = draw(store, profile, limit, given_up)
        remember(store, 1, start=40)
        return found

    monkeypatch.setattr(memory_map, "draw", overtaken)

    async def ask() -> None:
        maps = Maps(store)
        remember(store, 40)
        found = await maps.of("me", 2000)
        assert len(found.drawn.points) == len(found.wordings) == 40
        monkeypatch.setattr(memory_map, "draw", draw)
        assert len((await maps.of("me", 2000)).drawn.points) == 41

    asyncio.run(ask())


def test_a_map_that_a_forgetting_overtook_is_not_answered_with(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor before anybody told the maps of it."""
    draw, begun = memory_map.draw, 0

    def overtaken(store: Store, profile: str, limit: int, given_up: Callable[[], bool]) -> Drawn:
        nonlocal begun
        begun += 1
        found = draw(store, profile, limit, given_up)
        if begun == 1:
            pk = found.points[-1][0]
            named = store.read_now(lambda db: memories.by_pks(db, [pk])[pk].id)
            store.write_now(lambda tx: forget.forget_memory(tx, named))
            remember(store, 1, start=90, profile="work")  # it may take the free pk
        return found

    monkeypatch.setattr(memory_map, "draw", overtaken)

    async def ask() -> None:
        maps = Maps(store)
        remember(store, 20)
        found = await maps.of("me", 2000)
        assert (begun, len(found.drawn.points), len(found.wordings)) == (2, 19, 19)

    asyncio.run(ask())


def test_a_forgetting_gives_up_what_is_being_drawn(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was begun before it is neither kept nor answered with, and has ended when it returns."""
    begun, ended = threading.Event(), threading.Event()
    draw = memory_map.draw

    def slow(store: Store, profile: str, limit: int, given_up: Callable[[], bool]) -> Drawn:
        if begun.is_set():
            return draw(store, profile, limit, given_up)
        begun.set()
        while not given_up():
            pass
        ended.set()
        raise GivenUpError

    monkeypatch.setattr(memory_map, "draw", slow)

    async def ask() -> None:
        maps = Maps(store)
        remember(store, 12)
        asked = asyncio.create_task(maps.of("me", 2000))
        assert await asyncio.to_thread(begun.wait, 20)
        await maps.forget()
        assert ended.is_set()
        assert len((await asked).drawn.points) == 12

    asyncio.run(ask())


def test_one_who_hangs_up_leaves_no_second_drawing_beside_the_first(store: Store, drawings: Counting) -> None:
    async def ask() -> None:
        maps = Maps(store)
        remember(store, 60)
        asked = asyncio.create_task(maps.of("me", 2000))
        while not drawings():
            await asyncio.sleep(0)
        asked.cancel()
        assert len((await maps.of("me", 2000)).drawn.points) == 60
        assert drawings() == 1

    asyncio.run(ask())


def test_a_closed_one_draws_nothing_more(store: Store) -> None:
    async def ask() -> None:
        maps = Maps(store)
        remember(store, 5)
        await maps.close()
        with pytest.raises(StoreError, match="shutting down"):
            await maps.of("me", 2000)

    asyncio.run(ask())
