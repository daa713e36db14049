"""What a new statement ends by its meaning: read by the real model, decided by `reconcile`, kept by the worker."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from satchel.extract.head import Head
from satchel.extract.reconciling.reconcile import New, Resolve, Supersede, decide
from satchel.extract.reconciling.superseding import CLASSES, Superseding, doubted, passage
from satchel.extract.worker import ExtractionWorker
from satchel.models import Passage, Runtime
from satchel.store import Store
from satchel.types import Draft, Memory, ModelError, Source

NOON = 1_770_000_000_000


def source(message: str) -> Source:
    return Source(message_id=message, conversation_id="c", start=0, end=1, quote="x", revision=1)


def memory(text: str, name: str = "old", **changes: object) -> Memory:
    fields: dict[str, object] = {
        "id": name, "profile": "me", "kind": "fact", "text": text, "key": "k", "tags": (), "status": "active",
        "said_by": "user", "sources": (source("m1"),), "valid_from": NOON, "created_at": NOON, "updated_at": NOON,
    }  # fmt: skip
    return Memory(**(fields | changes))  # type: ignore[arg-type]


def draft(text: str, **changes: object) -> Draft:
    fields: dict[str, object] = {
        "kind": "fact", "text": text, "key": "k", "tags": (), "sources": (source("m2"),), "valid_from": NOON + 1,
    }  # fmt: skip
    return Draft(**(fields | changes))  # type: ignore[arg-type]


def ended(folder: Path, new: Draft, *olds: Memory) -> set[str]:
    async def ask() -> frozenset[str]:
        async with Runtime(folder) as runtime:
            return await Superseding.load().ended(new, olds, runtime)

    return set(asyncio.run(ask()))


@pytest.mark.parametrize(
    ("new", "over", "beside"),
    [
        (
            "The user is on losartan 50 mg now.",
            "The user takes lisinopril 20 mg every morning.",
            "The user has had high blood pressure for ten years.",
        ),
        (
            "The user moved all their recipes over to Paprika.",
            "The user keeps their recipes in a Word file.",
            "The user bakes sourdough on Saturdays.",
        ),
        (
            "The user walks the dog after supper now.",
            "The user walks the dog at half past five every morning.",
            "The user's dog is a basset called Otis.",
        ),
    ],
)
def test_what_cannot_hold_beside_it_is_over_and_the_rest_is_not(
    models_folder: Path, new: str, over: str, beside: str
) -> None:
    assert ended(models_folder, draft(new), memory(over, "over"), memory(beside, "beside")) == {"over"}


def test_what_is_so_of_somebody_else_is_not_asked_about_unless_they_are_spoken_of() -> None:
    hers = memory("The user's daughter Mia plays the violin.")
    assert doubted(draft("The user plays the cello now, the violin is sold."), [(hers, 0.9)]) == []
    assert doubted(draft("Mia has sold the violin."), [(hers, 0.9)]) == [hers]
    assert doubted(draft("The user's daughter no longer plays."), [(hers, 0.9)]) == [hers]


def test_of_the_user_s_own_it_is_not_believed() -> None:
    old = memory("The blue chair is where the user reads.")
    new = draft("The bench by the window is the user's spot for books.")
    assert decide(new, [(old, 0.4)], ended={"old"}) == Supersede(("old",))
    assert not isinstance(decide(new, [(old, 0.4)], ended={"old"}, users_own={"old"}), Supersede | Resolve)


NEWS = "The user has moved on to tea now."


def test_who_is_asked_about() -> None:
    near = [
        (memory("far", "far"), 0.4),
        (memory("pinned", "pinned", pinned=True), 0.9),
        (memory("said later", "later", valid_from=NOON + 2), 0.9),
        (memory("said in one breath", "together", sources=(source("m2"),)), 0.9),
        (memory("a hint", "hint", kind="implicit_preference"), 0.9),
        (memory("over anyway", "over", status="superseded"), 0.9),
        (memory("it has happened", "happened", kind="event", event_time=NOON - 5), 0.9),
        (memory("second", "second"), 0.5),
        (memory("to come", "to come", kind="event", event_time=NOON + 5), 0.6),
        (memory("first", "first"), 0.8),
    ]
    assert [one.id for one in doubted(draft(NEWS), near)] == ["first", "to come", "second"]
    assert doubted(draft(NEWS, kind="implicit_preference"), near) == []
    assert doubted(draft("The user drinks tea."), near) == []


def test_a_tentative_draft_must_be_surer() -> None:
    class Half:
        async def read(self, passages: Sequence[Passage], **_: object) -> np.ndarray:
            return np.zeros((len(passages), 384), np.float32)

    class Known(Superseding):
        def __init__(self, over: float) -> None:
            rest = (1 - over) / 2
            self._head = type(
                "Head",
                (),
                {
                    "threshold": 0.6,
                    "probabilities": lambda _, rows: np.array([[rest, over, rest]] * len(rows))[
                        :, [("beside", "over", "same").index(name) for name in CLASSES]
                    ],
                },
            )()

    olds = [memory("first", "first")]
    assert asyncio.run(Known(0.65).ended(draft("new"), olds, Half())) == {"first"}
    assert asyncio.run(Known(0.65).ended(draft("new", tentative=True), olds, Half())) == set()
    assert asyncio.run(Known(0.95).ended(draft("new", tentative=True), olds, Half())) == {"first"}


def test_nothing_is_asked_of_the_model_where_nothing_is_in_doubt() -> None:
    class Broken:
        async def read(self, *_: object, **__: object) -> np.ndarray:
            raise ModelError("must not be asked")

    assert asyncio.run(Superseding.load().ended(draft("new"), [], Broken())) == set()


def test_damaged_weights_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "rivals.json").write_text("{}")
    with pytest.raises(ModelError, match=r"run scripts/train_rivals\.py"):
        Superseding.load(tmp_path / "rivals.json")


def test_without_its_files_words_alone_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    worker = ExtractionWorker(store, cast(Runtime, None), publish=lambda *_, **__: None)
    monkeypatch.setattr(Superseding, "load", lambda: Superseding(Head.load("rivals", ("other", "classes"))))
    assert asyncio.run(worker.ended(draft(NEWS), [memory("old")])) == set()
    store.close()


def test_a_pair_is_read_with_the_old_one_before_the_new() -> None:
    assert passage("old", "new") == Passage((("new", True),), before="old")
    assert decide(draft("The user has a cat."), []) == New()
