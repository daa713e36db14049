"""Whether a question bears on the asker's life, with the real weights and embedder."""

import asyncio
from pathlib import Path

import pytest

from satchel.models import Runtime
from satchel.recall.bearing import MOST, Bearing
from satchel.types import ModelError

ABOUT_ME = (
    "Where did I park the caravan last autumn?",
    "What was the name of the man who tuned our piano?",
    "When did Oksana start her pottery course?",
    "Any idea what I could bake for my nephew's birthday?",
)
ABOUT_THE_WORLD = (
    "How does a heat exchanger work?",
    "TypeError: 'NoneType' object is not subscriptable",
    "Translate 'the meeting is postponed' into Danish",
    "In which year was the Suez Canal opened?",
)


def test_questions_about_one_s_life_are_told_from_those_about_the_world(models_folder: Path) -> None:
    bearing = Bearing.load()

    async def odds(texts: tuple[str, ...]) -> list[float]:
        async with Runtime(models_folder) as runtime:
            assert runtime.model_id("embed") == bearing.embedder_hash
            return [bearing.log_odds(row.tobytes()) for row in await runtime.embed(list(texts))]

    mine, worlds = asyncio.run(odds(ABOUT_ME)), asyncio.run(odds(ABOUT_THE_WORLD))
    assert min(mine) > max(worlds)
    assert all(-MOST <= value <= MOST for value in (*mine, *worlds))


def test_another_model_s_vector_says_nothing() -> None:
    assert Bearing.load().log_odds(b"\0" * 64) == 0


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "question.json").write_text("{")
    with pytest.raises(ModelError, match="train_question"):
        Bearing.load(tmp_path / "question.json")
