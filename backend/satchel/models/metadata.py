"""What a GGUF says of itself: enough to know whether it generates or embeds, and how to prompt it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from satchel.types import ModelError

if TYPE_CHECKING:
    from satchel.models.registry import ModelRole, PromptFormat

ENCODERS = (
    "bert",
    "nomic-bert",
    "nomic-bert-moe",
    "jina-bert-v2",
    "jina-bert-v3",
    "modern-bert",
    "gemma-embedding",
)
# The token by which a chat template betrays its family, most telling first.
FAMILIES: tuple[tuple[str, PromptFormat], ...] = (
    ("<|im_start|>", "chatml"),
    ("<|start_header_id|>", "llama3"),
    ("<start_of_turn>", "gemma"),
    ("[INST]", "mistral"),
)


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    role: ModelRole
    architecture: str
    context: int
    prompt_format: PromptFormat
    dimensions: int | None
    licence: str


def read_metadata(path: Path) -> Metadata:
    """Read a GGUF's header (not its weights). Raises ModelError when it is damaged or cut short."""
    from gguf import GGUFReader

    try:
        fields = GGUFReader(path).fields
        values = {key: _value(field) for key, field in fields.items() if not key.startswith("tokenizer.ggml.")}
    except (ValueError, IndexError, KeyError, OSError, UnicodeDecodeError, OverflowError) as error:
        raise ModelError(f"{path} is a damaged GGUF file ({error}); download it again.") from error
    architecture = str(values.get("general.architecture", ""))
    context = values.get(f"{architecture}.context_length")
    if not isinstance(context, int):
        raise ModelError(f"{path} does not name its context length, so it is no language model; choose another.")
    embeds = architecture in ENCODERS or f"{architecture}.pooling_type" in values
    template = str(values.get("tokenizer.chat_template", ""))
    width = values.get(f"{architecture}.embedding_length")
    return Metadata(
        role="embed" if embeds else "generate",
        architecture=architecture,
        context=context,
        prompt_format="none" if embeds else _family(template),
        dimensions=width if embeds and isinstance(width, int) else None,
        licence=str(values.get("general.license", "unknown")),
    )


def _family(template: str) -> PromptFormat:
    return next((family for mark, family in FAMILIES if mark in template), "plain")


def _value(field: object) -> object:
    from gguf import GGUFValueType, ReaderField

    assert isinstance(field, ReaderField)
    if field.types and field.types[0] in (GGUFValueType.ARRAY,):
        return None
    return field.contents()
