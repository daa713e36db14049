"""What the settings keep out of the memories, and what was masked, becomes none; the rest does, and all turns stay."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from api.running import running
from satchel.config import FILE_NAME
from satchel.extract.keep_out import KeepOut
from satchel.special.judge import Judge
from satchel.special.lexicon import CATEGORIES
from satchel.types import Category, Draft, Source

HEALTH = "The user takes insulin."
POLITICS = "The user voted for the Greens."
TRAINS = "The user prefers trains to planes."
IN_OTHER_WORDS = "The user gets shots in his eye every month."


class Models:
    """An embedder that knows one text's vector for each category, and nothing of all others."""

    def __init__(self, model: str | None = None) -> None:
        self.model = model or Judge.load().embedder_hash
        self.asked: list[str] = []

    @property
    def dimensions(self) -> int:
        return 384

    def model_id(self, role: Any) -> str:
        return self.model

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        self.asked += texts
        weights = Judge.load()._matrices[0][CATEGORIES.index("health")]
        rows = [weights if text == IN_OTHER_WORDS else -weights for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


def draft(text: str, quote: str = "as I said", reasoning: str | None = None) -> Draft:
    source = Source(message_id="m", conversation_id="c", start=0, end=len(quote), quote=quote)
    return Draft(kind="fact", text=text, key="k", tags=(), sources=(source,), valid_from=0, reasoning=reasoning)


def sift(keep_out: KeepOut, *drafts: Draft, models: Models | None = None) -> list[str]:
    return [kept.text for kept in asyncio.run(keep_out.sift(drafts, models or Models()))]


def test_by_default_everything_is_remembered_and_nothing_is_judged() -> None:
    models = Models()
    drafts = [draft(text) for text in (HEALTH, POLITICS, TRAINS)]
    assert sift(KeepOut(), *drafts, models=models) == [HEALTH, POLITICS, TRAINS]
    assert models.asked == []


@pytest.mark.parametrize(
    ("categories", "kept"),
    [(("health",), [POLITICS, TRAINS]), (("politics",), [HEALTH, TRAINS]), (CATEGORIES, [TRAINS])],
)
def test_only_the_categories_that_are_set_are_kept_out(categories: tuple[Category, ...], kept: list[str]) -> None:
    keep_out = KeepOut(categories)
    assert sift(keep_out, draft(HEALTH), draft(POLITICS), draft(TRAINS)) == kept
    assert keep_out.kept_out == 3 - len(kept)


def test_what_no_word_gives_away_is_kept_out_by_its_meaning() -> None:
    assert sift(KeepOut(["health"]), draft(IN_OTHER_WORDS), draft(TRAINS)) == [TRAINS]
    assert sift(KeepOut(["politics"]), draft(IN_OTHER_WORDS), draft(TRAINS)) == [IN_OTHER_WORDS, TRAINS]


def test_a_harmless_statement_with_a_telling_quote_or_reason_is_kept_out() -> None:
    quoted = draft("The user walks daily.", quote="since my bypass surgery I walk daily")
    reasoned = draft("The user may prefer aisle seats.", reasoning="Because of a bladder infection.")
    assert sift(KeepOut(["health"]), quoted, reasoned) == []


def test_with_another_embedding_model_words_alone_decide_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    keep_out = KeepOut(["health"])
    for _ in range(2):
        assert sift(keep_out, draft(HEALTH), draft(IN_OTHER_WORDS), models=Models("another")) == [IN_OTHER_WORDS]
    assert caplog.text.count("by words alone") == 1


def test_the_log_says_how_many_and_not_what(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sift(KeepOut(["health"]), draft(HEALTH), draft(TRAINS))
    assert "1 kept out of the memories" in caplog.text
    assert "insulin" not in caplog.text


def test_masked_words_become_no_memory_whatever_is_set() -> None:
    masked = "my wifi password is [password masked by Satchel]"
    assert sift(KeepOut(), draft("The user's wifi password is [password masked by Satchel]."), draft(TRAINS)) == [
        TRAINS
    ]
    assert sift(KeepOut(), draft("The user has wifi.", quote=masked)) == []


def test_end_to_end_the_turns_stay_and_the_special_memories_are_not_made(tmp_path: Path, models_folder: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / FILE_NAME).write_text('[extract]\nkeep_out = ["health", "religion"]\n', "utf-8")
    said = [
        "My daughter Mia is allergic to peanuts.",
        "I live in Porto and prefer trains to planes.",
        "I get shots in my eye every month.",
        "We go to mass every Sunday.",
        "My wifi password is hunter2 and my card is 4111 1111 1111 1111.",
    ]
    with running(data) as daemon:
        captured = daemon.capture(*said)
        assert daemon.finished(captured["job_id"])["status"] == "completed"
        texts = " ".join(memory["text"] for memory in daemon.ok("GET", "/v1/memories")["items"])
        kept = [turn["content"] for turn in daemon.log(captured["conversation_id"])]
    assert "Porto" in texts
    assert not any(word in texts for word in ("peanut", "shots", "mass", "masked", "hunter2", "4111"))
    assert kept == [
        *said[:4],
        "My wifi password is [password masked by Satchel] and my card is [card number masked by Satchel].",
    ]
