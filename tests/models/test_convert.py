"""The converter: same bytes every time, the reference's vectors, and no for what is no BERT."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from models.helpers import run
from satchel.models import Runtime, registry
from satchel.models.convert import CONTROL_TOKENS, LAYER, OUTER, convert_bert
from satchel.models.metadata import read_metadata
from satchel.types import ModelError

TABLE = json.loads((Path(__file__).parent / "reference_vectors.json").read_text("utf-8"))
TOKENS = [*CONTROL_TOKENS, "cat", "##s", "é"]


def write_tiny_bert(folder: Path, *, tokens: list[str] = TOKENS) -> tuple[Path, Path]:
    width, inner, rng = 32, 64, np.random.default_rng(0)
    shapes = {"intermediate.dense": (inner, width), "output.dense": (width, inner)}
    tensors = {
        "embeddings.word_embeddings.weight": (len(TOKENS), width),
        "embeddings.position_embeddings.weight": (16, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
        "pooler.dense.weight": (width, width),
    }
    for stem in LAYER:
        shape = (width,) if "LayerNorm" in stem else shapes.get(stem, (width, width))
        tensors[f"encoder.layer.0.{stem}.weight"] = shape
        tensors[f"encoder.layer.0.{stem}.bias"] = shape[:1]
    weights, vocabulary = folder / "model.safetensors", folder / "vocab.txt"
    save_file({key: rng.normal(size=shape).astype(np.float32) for key, shape in tensors.items()}, weights)
    vocabulary.write_text("\n".join(tokens) + "\n", encoding="utf-8")
    return weights, vocabulary


def test_our_vectors_are_those_of_the_reference_implementation(models_folder: Path) -> None:
    rows = TABLE["rows"]
    reference = np.array([row["vector"] for row in rows], dtype=np.float32)

    async def embed() -> np.ndarray:
        async with Runtime(models_folder) as runtime:
            return await runtime.embed([row["text"] for row in rows])

    ours = run(embed())
    assert np.abs(ours - reference).max() < 1e-3
    assert (ours * reference).sum(axis=1).min() > 0.999


def test_the_converted_model_is_the_one_the_manifest_pins(models_folder: Path) -> None:
    entry = registry.default_entry("embed")
    assert registry.sha256_of(models_folder / entry.file) == entry.sha256


def test_converting_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    weights, vocabulary = write_tiny_bert(tmp_path)
    for name in ("a", "b"):
        convert_bert(weights, vocabulary, tmp_path / name, name="tiny")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_converted_file_says_that_it_embeds(tmp_path: Path) -> None:
    convert_bert(*write_tiny_bert(tmp_path), tmp_path / "tiny.gguf", name="tiny")
    found = read_metadata(tmp_path / "tiny.gguf")
    assert (found.role, found.context, found.dimensions, found.prompt_format) == ("embed", 16, 32, "none")


def test_every_tensor_of_an_encoder_has_a_place() -> None:
    assert len(set(OUTER.values()) | set(LAYER.values())) == len(OUTER) + len(LAYER)


def test_weights_and_vocabulary_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    weights, vocabulary = write_tiny_bert(tmp_path, tokens=TOKENS[:-1])
    with pytest.raises(ModelError, match=r"7 tokens and model\.safetensors 8"):
        convert_bert(weights, vocabulary, tmp_path / "out", name="tiny")


def test_what_is_no_safetensors_file_is_refused(tmp_path: Path) -> None:
    _, vocabulary = write_tiny_bert(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not tensors at all")
    with pytest.raises(ModelError, match="not a safetensors file"):
        convert_bert(tmp_path / "model.safetensors", vocabulary, tmp_path / "out", name="tiny")


def test_weights_of_another_kind_of_model_are_refused(tmp_path: Path) -> None:
    _, vocabulary = write_tiny_bert(tmp_path)
    save_file(
        {"model.layers.0.self_attn.q_proj.weight": np.zeros((2, 2), np.float32)},
        tmp_path / "model.safetensors",
    )
    with pytest.raises(ModelError, match="no BERT encoder has"):
        convert_bert(tmp_path / "model.safetensors", vocabulary, tmp_path / "out", name="tiny")
