"""What recall gathers from a real store: filters reach behind what they reject, and nothing else's words get in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.recall.recall import Context, Recall
from satchel.store import Store, log, memories, places, vectors
from satchel.store.candidates import EXCERPT
from satchel.store.search import Filter
from satchel.types import Draft, Kind, ModelError


class SameForAll:
    """An embedder for which everything means the same: only filters tell the rows apart."""

    dimensions = 8
    prompt_format = "plain"

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        return np.full((len(texts), 8), 8**-0.5, dtype=np.float32)

    async def embed_with(self, model: str, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        return await self.embed(texts, urgent=urgent)

    def model_id(self, role: str) -> str:
        return "m"

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    async def generate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


def say(store: Store, site: str, external_id: str, *texts: str, profile: str = "me", role: Any = "user") -> None:
    captured = Captured(
        profile=profile,
        site=site,
        external_id=external_id,
        messages=tuple(CapturedMessage(role=role, content=text) for text in texts),
    )
    store.write_now(
        lambda tx: log.record(
            tx,
            profile=profile,
            site=site,
            external_id=external_id,
            title=None,
            url=None,
            messages=normalise(captured),
        )
    )


def remember(store: Store, kind: Kind, *texts: str, profile: str = "me") -> None:
    for text in texts:
        draft = Draft(kind=kind, text=text, key="k", tags=(), sources=(), valid_from=1)
        store.write_now(lambda tx, draft=draft: memories.add(tx, draft, profile=profile, by_hand=True))


def index(store: Store) -> None:
    async def all_of_it() -> None:
        while waiting := store.read_now(lambda db: vectors.waiting(db, "m", 500)):
            rows = await SameForAll().embed([item.text for item in waiting])
            packed = [(item, row.tobytes()) for item, row in zip(waiting, rows, strict=True)]
            store.write_now(lambda tx, packed=packed: vectors.put(tx, "m", packed))

    store.write_now(lambda tx: vectors.prepare(tx, "m", 8))
    asyncio.run(all_of_it())


def found(store: Store, question: str, **how: Any) -> list[str]:
    asked = {"profile": "me", "limit": 5} | how
    return [hit.text for hit in asyncio.run(Recall(store, SameForAll()).search(question, **asked))]  # type: ignore[arg-type]


@pytest.mark.parametrize("indexed", [True, False])
def test_a_filter_reaches_behind_a_hundred_better_hits(store: Store, indexed: bool) -> None:
    say(store, "a", "1", *(f"The quokka number {n} eats quokka leaves." for n in range(300)), role="assistant")
    say(store, "b", "2", "A quokka sat by the road.")
    if indexed:
        index(store)
    wanted = ["A quokka sat by the road."]
    assert found(store, "quokka", only=Filter(site="b")) == wanted
    assert found(store, "quokka", only=Filter(said_by="user")) == wanted


def test_a_kind_is_found_behind_many_of_another(store: Store) -> None:
    remember(store, "fact", *(f"The user saw numbat number {n}, a numbat." for n in range(200)))
    remember(store, "explicit_preference", "The user likes the numbat.")
    index(store)
    assert found(store, "numbat", kinds=("explicit_preference",)) == ["The user likes the numbat."]


def test_another_profile_s_rows_take_no_place(store: Store) -> None:
    say(store, "a", "1", *(f"Quokka {n}, quokka." for n in range(400)), profile="other")
    say(store, "a", "1", "My quokka is called Pip.")
    index(store)
    assert found(store, "quokka") == ["My quokka is called Pip."]


def test_the_conversation_that_asks_is_known_by_its_site_as_well(store: Store) -> None:
    say(store, "a", "1", "The heron stands by the pond.")
    assert found(store, "heron", external_id="1") == []
    assert found(store, "heron", site="a", external_id="1") == []
    assert found(store, "heron", site="b", external_id="1") == ["The heron stands by the pond."]


def test_of_a_pasted_book_only_the_beginning_is_a_hit(store: Store) -> None:
    say(store, "a", "1", "The heron. " + "And so on. " * 100_000)
    (text,) = found(store, "heron")
    assert len(text) == EXCERPT


def test_common_words_do_not_keep_a_rare_one_from_being_found(store: Store) -> None:
    for start in range(0, 5000, 500):
        say(
            store,
            "a",
            str(start),
            *(f"Common words stand here, common words, number {n}." for n in range(start, start + 500)),
        )
    say(store, "a", "rare", "Common words and a single axolotl.")
    assert found(store, "common words number axolotl")[0] == "Common words and a single axolotl."


def test_without_an_embedder_words_alone_find_it(store: Store) -> None:
    class Broken(SameForAll):
        async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
            raise ModelError("not there")

    say(store, "a", "1", "The heron stands by the pond.")
    hits = asyncio.run(Recall(store, Broken()).search("heron", profile="me", limit=5))  # type: ignore[arg-type]
    assert [hit.text for hit in hits] == ["The heron stands by the pond."]


def test_what_somebody_chose_is_found_whatever_was_asked_and_however_alike(store: Store) -> None:
    remember(store, "fact", "The user saw a heron by the pond.", "The user saw a heron by the pond!", "The user rows.")
    say(store, "a", "1", "A heron stood by the pond.")
    assert len(found(store, "heron")) == 2, "of two that say the same, one"
    ids = {text: name for name, text in store.read_now(lambda db: list(db.execute("SELECT id, text FROM memory")))}
    chosen = Filter(ids=tuple(ids.values()))
    for question in ("heron", "rowing", "Hello!"):
        assert sorted(found(store, question, only=chosen)) == sorted(ids)


def test_a_site_that_is_left_out_hides_nothing_of_the_others(store: Store) -> None:
    say(store, "a", "1", *(f"The quokka number {n} eats quokka leaves." for n in range(300)))
    say(store, "b", "2", "A quokka sat by the road.")
    index(store)
    assert found(store, "quokka", only=Filter(not_from=("a",))) == ["A quokka sat by the road."]
    assert found(store, "quokka", only=Filter(not_from=("a", "b"))) == []


def test_an_answer_is_found_by_the_question_before_it(store: Store) -> None:
    say(store, "a", "1", "Where did you put up the tent in Lapland?", "By the lake, next to Orsa.", "Sounds cold.")
    for number in range(30):
        say(store, "b", f"2{number}", f"Tents number {number} are on offer.", "Nice.", "A tent weighs a lot.")
    assert "By the lake, next to Orsa." in found(store, "Where in Lapland was the tent?", limit=5)


def test_a_neighbour_that_a_filter_shuts_out_stays_out(store: Store) -> None:
    captured = Captured(
        profile="me",
        site="a",
        external_id="1",
        messages=(
            CapturedMessage(role="user", content="The quokka ate a leaf."),
            CapturedMessage(role="assistant", content="And then it slept."),
        ),
    )
    store.write_now(
        lambda tx: log.record(
            tx, profile="me", site="a", external_id="1", title=None, url=None, messages=normalise(captured)
        )
    )
    assert found(store, "quokka") == ["The quokka ate a leaf.", "And then it slept."]
    assert found(store, "quokka", only=Filter(said_by="user")) == ["The quokka ate a leaf."]
    assert found(store, "quokka", site="a", external_id="1") == []


def test_places_are_the_turns_of_user_and_assistant_in_their_order(store: Store) -> None:
    say(store, "a", "1", "one", "two", "three")
    say(store, "a", "2", "alone")
    rows = store.read_now(lambda db: db.execute("SELECT content, pk FROM message").fetchall())
    pk = dict(rows)
    placed = store.read_now(lambda db: places.of_turns(db, list(pk.values())))
    around = {text: (placed[pk[text]].before, placed[pk[text]].after) for text in pk}
    assert around == {
        "one": (None, pk["two"]),
        "two": (pk["one"], pk["three"]),
        "three": (pk["two"], None),
        "alone": (None, None),
    }


class Gated(SameForAll):
    """Counts when it is let to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.counting, self.go = asyncio.Event(), asyncio.Event()

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self.asked += texts
        self.counting.set()
        await self.go.wait()
        return await super().count_tokens(texts)


async def a_context(recall: Recall) -> Context:
    return await recall.context(
        "Which numbat does the user like?", profile="me", site=None, external_id=None, budget=800, style=None
    )


def test_a_forgetting_while_lines_are_counted_keeps_none_of_them_and_fails_nobody(store: Store) -> None:
    remember(store, "explicit_preference", "The user likes the numbat called Zuzanna.")
    models = Gated()
    recall = Recall(store, models, threshold=-100.0)  # type: ignore[arg-type]

    async def check() -> None:
        models.go.set()
        await a_context(recall)  # its lines are known
        remember(store, "explicit_preference", "The user likes the numbat called Yannick.")
        models.go.clear()
        models.counting.clear()
        asked = asyncio.create_task(a_context(recall))
        await asyncio.wait_for(models.counting.wait(), 10)
        await asyncio.to_thread(recall.forget)
        models.go.set()
        assert "Zuzanna" in (await asked).context, "it was read before"
        models.asked.clear()
        await a_context(recall)
        assert any("Zuzanna" in text for text in models.asked), "its lines were kept"

    asyncio.run(check())


def test_lines_read_before_a_forgetting_and_counted_after_it_are_not_kept(store: Store) -> None:
    remember(store, "explicit_preference", "The user likes the numbat called Zuzanna.")
    models = Gated()
    models.go.set()
    recall = Recall(store, models, threshold=-100.0)  # type: ignore[arg-type]

    async def check() -> None:
        search = recall.search

        async def then_forget(*args: Any, **how: Any) -> Any:
            hits = await search(*args, **how)
            await asyncio.to_thread(recall.forget)
            return hits

        recall.search = then_forget  # type: ignore[method-assign]
        await a_context(recall)
        recall.search = search  # type: ignore[method-assign]
        models.asked.clear()
        await a_context(recall)
        assert any("Zuzanna" in text for text in models.asked), "its lines were kept"

    asyncio.run(check())
