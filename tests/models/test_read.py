"""Clauses read in their context: llama.cpp with the gate's adapter does what the trained network did."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from models.helpers import run
from satchel.models import Passage, Runtime, registry
from satchel.types import ModelError

REFERENCE = Path(__file__).with_name("reference_clauses.json")
BEES = Passage((("We keep bees.", True), (" ", False), ("Which flowers do they like?", True)))


class Row(msgspec.Struct, frozen=True):
    before: str
    pieces: list[tuple[str, bool]]
    vectors: list[list[float]]


def read(folder: Path, *passages: Passage) -> np.ndarray:
    async def ask() -> np.ndarray:
        async with Runtime(folder) as runtime:
            return await runtime.read(passages)

    return run(ask())


def test_it_is_the_network_that_was_trained(models_folder: Path) -> None:
    rows = msgspec.json.decode(REFERENCE.read_bytes(), type=list[Row])
    found = read(models_folder, *(Passage(tuple(row.pieces), row.before) for row in rows))
    expected = np.array([vector for row in rows for vector in row.vectors])
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 0.02


def test_what_stands_around_a_clause_and_before_the_turn_is_read_too(models_folder: Path) -> None:
    alone = Passage((("We keep bees.", True),))
    told = Passage((("Continue the story. ", False), ("We keep bees.", True)))
    asked = Passage((("We keep bees.", True),), "Do you have a garden?")
    found = read(models_folder, alone, told, asked, alone)
    assert np.allclose(found[0], found[3], atol=1e-3)
    assert found[0] @ found[1] < 0.99
    assert found[0] @ found[2] < 0.999


def test_one_row_a_marked_piece_in_order_whatever_the_text(models_folder: Path) -> None:
    odd = Passage((("", True), ("a \ud800 surrogate", True), ("\0", True), ("word " * 3000, True), ("last", True)))
    found = read(models_folder, BEES, odd, Passage((("nothing marked", False),)), BEES)
    assert found.shape == (9, 384)
    assert np.allclose(found[0], found[7], atol=1e-3)
    lengths = np.linalg.norm(found, axis=1)
    assert np.allclose(lengths[[0, 1, 3, 5, 7, 8]], 1, atol=1e-4)
    assert lengths[2] == 0


def test_a_crowded_passage_is_cut_not_refused(models_folder: Path) -> None:
    crowded = Passage(tuple(("蜂 " * 120, True) for _ in range(8)))
    found = read(models_folder, crowded)
    lengths = np.linalg.norm(found, axis=1)
    assert len(found) == 8
    assert lengths[0] == pytest.approx(1, abs=1e-4)
    assert lengths[-1] == 0


def test_nothing_to_read_starts_nothing(models_folder: Path) -> None:
    assert read(models_folder).shape == (0, 384)


def test_another_embedding_model_is_refused_with_the_remedy(models_folder: Path) -> None:
    entry = msgspec.structs.replace(registry.default_entry("embed"), default=False)

    async def ask() -> None:
        async with Runtime(models_folder) as runtime:
            runtime._entries["embed"] = entry  # no second embedding model can be had here
            await runtime.read([BEES])

    with pytest.raises(ModelError, match="satchel models use all-MiniLM-L6-v2"):
        run(ask())


def test_the_adapter_is_small_enough_to_be_kept_in_the_repository() -> None:
    assert registry.shipped_path("satchel.extract", "gate.gguf").stat().st_size < 20_000_000


def test_the_adapter_says_what_it_was_trained_on() -> None:
    head = json.loads(registry.shipped("satchel.extract", "gate.json"))
    assert head["embedder"] == registry.default_entry("embed").name
