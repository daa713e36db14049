"""BERT sentence encoders: safetensors and WordPiece vocabulary → one f16 GGUF that llama.cpp loads.

Only `gguf`, numpy and safetensors are needed. The same input gives the same bytes, so the manifest can pin
the hash of the result. Vectors from the result are compared with the reference implementation in the tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from satchel.types import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What llama.cpp calls each tensor (gguf.constants.MODEL_TENSORS, architecture "bert").
OUTER = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
}
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
# Mean pooling reads the last layer: the pooler (trained for next-sentence prediction) has no part in it.
UNUSED = ("embeddings.position_ids", "pooler.")
# Small and added to every token: kept exact.
FULL_PRECISION = ("position_embd.weight", "token_types.weight")

CONTROL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HEAD_SIZE = 32
"""Dimensions per attention head in the MiniLM family (384 / 12); the weights alone do not tell."""
LAYER_NORM_EPSILON = 1e-12
WORD_START = "\u2581"


def convert_bert(weights: Path, vocabulary: Path, target: Path, *, name: str) -> None:
    """Write `target`, a GGUF with mean pooling, from BERT `weights` (safetensors) and `vocab.txt`.

    Matrices become float16, biases and norms stay float32. Raises ModelError when the weights are not those
    of a BERT encoder. A partly written `target` may be left behind by an error: write to a temporary name.
    """
    import gguf
    import numpy as np

    tensors = _read_tensors(weights)
    tokens = vocabulary.read_text(encoding="utf-8").split("\n")
    if tokens[-1] == "":
        tokens.pop()
    rows, width = tensors["token_embd.weight"].shape
    if len(tokens) != rows:
        raise ModelError(
            f"{vocabulary.name} has {len(tokens)} tokens and {weights.name} {rows}, so they do not belong "
            "together; download both again with `satchel models pull`."
        )

    writer = gguf.GGUFWriter(str(target), "bert")
    try:
        writer.add_name(name)
        writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
        writer.add_vocab_size(rows)
        writer.add_context_length(tensors["position_embd.weight"].shape[0])
        writer.add_embedding_length(width)
        writer.add_block_count(1 + max(_layer_of(key) for key in tensors))
        writer.add_feed_forward_length(tensors["blk.0.ffn_up.weight"].shape[0])
        writer.add_head_count(width // HEAD_SIZE)
        writer.add_layer_norm_eps(LAYER_NORM_EPSILON)
        writer.add_causal_attention(value=False)
        writer.add_pooling_type(gguf.PoolingType.MEAN)
        _add_vocabulary(writer, tokens, tensors["token_types.weight"].shape[0])
        for key, value in tensors.items():
            narrow = value.ndim > 1 and key not in FULL_PRECISION
            writer.add_tensor(key, value.astype(np.float16 if narrow else np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _read_tensors(weights: Path) -> dict[str, NDArray[np.float32]]:
    """The encoder's tensors under llama.cpp's names, in the order of those names."""
    from safetensors import SafetensorError, safe_open

    found: dict[str, NDArray[np.float32]] = {}
    try:
        with safe_open(weights, framework="numpy") as archive:
            for key in archive.keys():  # noqa: SIM118 - safe_open is no mapping
                renamed = _rename(key)
                if renamed is not None:
                    found[renamed] = archive.get_tensor(key)
    except SafetensorError as error:
        raise ModelError(f"{weights.name} is not a safetensors file ({error}); download it again.") from error
    missing = [f"{stem}.weight" for stem in OUTER.values() if f"{stem}.weight" not in found]
    missing += [f"blk.0.{stem}.weight" for stem in LAYER.values() if f"blk.0.{stem}.weight" not in found]
    if missing:
        raise ModelError(f"{weights.name} is not a BERT encoder: it has no {missing[0]}; pick another model.")
    return dict(sorted(found.items()))


def _rename(key: str) -> str | None:
    """llama.cpp's name for a tensor; None for those that embedding does not use. ModelError if unknown."""
    key = key.removeprefix("bert.")
    if key.startswith(UNUSED):
        return None
    stem, _, kind = key.rpartition(".")
    if stem in OUTER:
        return f"{OUTER[stem]}.{kind}"
    parts = stem.split(".", 3)
    if len(parts) == 4 and parts[:2] == ["encoder", "layer"] and parts[3] in LAYER:
        return f"blk.{parts[2]}.{LAYER[parts[3]]}.{kind}"
    raise ModelError(f"The weights hold a tensor that no BERT encoder has, {key}; pick another model.")


def _layer_of(key: str) -> int:
    return int(key.split(".")[1]) if key.startswith("blk.") else -1


def _add_vocabulary(writer: object, tokens: list[str], token_types: int) -> None:
    """WordPiece as llama.cpp wants it: `##x` becomes `x`, a token that begins a word gets a leading `▁`."""
    import gguf

    assert isinstance(writer, gguf.GGUFWriter)
    pieces: list[str] = []
    kinds: list[int] = []
    for token in tokens:
        if token in CONTROL_TOKENS:
            pieces.append(token)
            kinds.append(gguf.TokenType.CONTROL)
        else:
            pieces.append(token[2:] if token.startswith("##") else WORD_START + token)
            kinds.append(gguf.TokenType.NORMAL)
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces)
    writer.add_token_types(kinds)
    writer.add_token_type_count(token_types)
    writer.add_unk_token_id(tokens.index("[UNK]"))
    writer.add_bos_token_id(tokens.index("[CLS]"))  # llama.cpp puts it first, where BERT wants [CLS]
    writer.add_sep_token_id(tokens.index("[SEP]"))
    writer.add_eos_token_id(tokens.index("[SEP]"))
    writer.add_pad_token_id(tokens.index("[PAD]"))
    writer.add_mask_token_id(tokens.index("[MASK]"))
