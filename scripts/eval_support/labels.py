"""Labelled turns of other files: what an id of each source means, and the turn with those before it.

An id is written as the rule in the labels file says:

chats             "c/t": the conversation's index and the turn's in it, from 0
persona dialogues "n": the number of the line in the file, from 1
BEAM              "chat/id": the chat's key and the turn's own id
PrefEval          "topic/i/r": the topic, the index of the persona-driven conversation, the key of the pair
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from eval_support import files
from eval_support.running import Conversation, Turn
from satchel.types import Kind


class Label(msgspec.Struct, frozen=True):
    """The kind of the memory that should come of the turn `id` of the file `source`."""

    source: str
    id: str
    kind: Kind | Literal["none"]


class Labels(msgspec.Struct, frozen=True):
    """`rule` says how the turns were drawn and labelled, and how they are called."""

    rule: str
    items: tuple[Label, ...]


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """A turn of the user, the last of its conversation, and the kind that should come of it."""

    label: Label
    conversation: Conversation


def is_labels(loaded: object) -> bool:
    return isinstance(loaded, dict) and "items" in loaded


def read(path: Path, loaded: object) -> Labels:
    try:
        return msgspec.convert(loaded, Labels)
    except msgspec.ValidationError as error:
        raise SystemExit(f'{path}: labels are {{"rule", "items": [{{"source", "id", "kind"}}]}}: {error}') from None


def find(name: str, labels: Path, given: Sequence[Path]) -> Path:
    """The labelled file called `name`: one that was given, in a folder that was given, or beside the labels."""
    places = [place / name if place.is_dir() else place for place in (*given, labels.parent)]
    found = next((place for place in places if place.name == name and place.is_file()), None)
    if found is None:
        raise SystemExit(f"{labels} labels {name}; give that file, or its folder, as well.")
    return found


def labelled(source: Path, items: Sequence[Label]) -> list[Labelled]:
    """The labelled turns of one file, in the order of `items`. Exits naming an id that no turn of a user has."""
    turns_until = _reader(source)
    return [Labelled(label=label, conversation=_conversation(source, label, turns_until)) for label in items]


TurnsUntil = Callable[[str], Sequence[Turn]]
"""The turn that an id names, last, after those before it. Raises LookupError or ValueError for a strange id."""


def _conversation(source: Path, label: Label, turns_until: TurnsUntil) -> Conversation:
    try:
        turns = tuple(turns_until(label.id))
    except (LookupError, ValueError):
        turns = ()
    if not turns or turns[-1].role != "user":
        raise SystemExit(f"No turn of a user in {source} has the id {label.id!r}.")
    return Conversation(id=f"{label.source} {label.id}", turns=turns)


def _reader(source: Path) -> TurnsUntil:
    text = files.read_text(source)
    if source.suffix == ".txt":
        lines = text.split("\n")
        return lambda called: dialogue_until(lines, int(called))
    loaded = files.parsed(source, text)
    if isinstance(loaded, list):
        return lambda called: _chat_until(loaded, called)
    parts = loaded.values() if isinstance(loaded, dict) else ()
    if parts and all(isinstance(part, dict) and "chat" in part for part in parts):
        return lambda called: _beam_until(loaded, called)
    if parts and all(isinstance(part, dict) and "implicit_persona_driven" in part for part in parts):
        return lambda called: _persona_driven_until(loaded, called)
    raise SystemExit(f"{source}: labels are for real chats, persona dialogues, BEAM and PrefEval.")


def dialogue_until(lines: Sequence[str], number: int) -> list[Turn]:
    """Line `number` (from 1) of persona dialogues and the earlier lines of its dialogue: its speaker is the user."""
    said: list[str] = []
    for line in reversed(lines[: _index(number - 1, lines) + 1]):
        numbered = re.match(r"[0-9]+\t([^\t]*)", line)
        if numbered is None:
            break
        said.append(files.spaced(numbered[1]))
    return [Turn("assistant" if back % 2 else "user", text) for back, text in enumerate(said)][::-1]


def _chat_until(chats: Sequence[Any], called: str) -> tuple[Turn, ...]:
    chat, turn = (int(part) for part in called.split("/"))
    turns = files.turns_of(chats[_index(chat, chats)]["conversation"])
    return turns[: _index(turn, turns) + 1]


def _beam_until(chats: dict[str, Any], called: str) -> tuple[Turn, ...]:
    chat, own = called.split("/")
    said = [turn for batch in chats[chat]["chat"] for group in batch["turns"] for turn in group]
    at = [str(turn["id"]) for turn in said].index(own)
    return files.turns_of(said[: at + 1])


def _persona_driven_until(topics: dict[str, Any], called: str) -> list[Turn]:
    topic, number, key = called.split("/")
    items = topics[topic]["implicit_persona_driven"]
    pairs = files.persona_pairs(items[_index(int(number), items)]["conversation"])
    at = [(pair, turn.role) for pair, turn in pairs].index((key, "user"))
    return [turn for _, turn in pairs[: at + 1]]


def _index(number: int, among: Sequence[object]) -> int:
    """The number, where it is none of those with which Python counts from the end."""
    if not 0 <= number < len(among):
        raise IndexError(number)
    return number
