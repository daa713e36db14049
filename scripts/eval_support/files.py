"""Reads files of texts and turns; exits naming what cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from eval_support.running import Turn
from satchel.types import Role


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{path} cannot be read: {error}") from None


def parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SystemExit(f"{path} is no JSON: {error}") from None


def turns_of(said: Sequence[dict[str, str]]) -> tuple[Turn, ...]:
    """The turns of a list of objects with "role" and "content"."""
    return tuple(Turn(_role(turn["role"]), turn["content"]) for turn in said)


def _role(name: str) -> Role:
    role: Role = msgspec.convert(name, Role)
    return role


def spaced(text: str) -> str:
    """Without the spaces that persona dialogues put before punctuation."""
    return re.sub(r"\s+([.,!?'])", r"\1", text.strip())


def persona_pairs(conversation: dict[str, dict[str, str]]) -> list[tuple[str, Turn]]:
    """The turns of one of PrefEval's persona-driven conversations in their order, each with its pair's key."""
    pairs = sorted(conversation.items(), key=lambda pair: int(pair[0]))
    return [(key, Turn(role, pair[role])) for key, pair in pairs for role in _USER_AND_ASSISTANT if pair.get(role)]


_USER_AND_ASSISTANT: tuple[Role, Role] = ("user", "assistant")
