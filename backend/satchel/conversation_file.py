"""Reads a conversation from a file a person has at hand: JSON, or text with the speakers named.

Export files of the chat sites are another matter: they hold many conversations in shapes of their own.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import msgspec

from satchel.types import BadInputError

_SPEAKER = re.compile(
    r"^[ \t>#*_]*(user|human|me|you|assistant|ai|chatgpt|claude|gemini|deepseek|system)[ \t*_]*:[ \t*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_USERS = ("user", "human", "me", "you")


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise BadInputError(f"There is no file {file}.") from None
    except OSError as error:
        raise BadInputError(f"{file} cannot be read ({error.strerror}).") from error


def to_request(
    raw: bytes, *, name: str, profile: str | None = None, site: str | None = None, title: str | None = None
) -> dict[str, Any]:
    """A body for POST /v1/messages. Raises BadInputError saying what the file lacks.

    What is given wins over what the file says of itself, and that over the defaults.
    Adding the same file again changes nothing: the conversation's id comes from the file's bytes.
    """
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInputError(f"{name} is not UTF-8 text (byte {error.start}); save it as UTF-8 and try again.") from None
    if not text.strip():
        raise BadInputError(f"{name} is empty.")
    body: dict[str, Any] = {
        "profile": "me",
        "site": "file",
        "external_id": hashlib.sha256(raw).hexdigest()[:32],
        "title": Path(name).stem,
    }
    if text.lstrip()[0] in "[{":
        try:
            value = msgspec.json.decode(text.encode())
        except msgspec.DecodeError as error:
            raise BadInputError(f"{name} begins like JSON, but is not: {error}.") from None
        except RecursionError:
            raise BadInputError(f"{name} begins like JSON, but is nested too deep.") from None
        if isinstance(value, dict):
            body |= value
        else:
            body["messages"] = value
    else:
        body["messages"] = _by_speaker(text)
    given = {"profile": profile, "site": site, "title": title}
    body |= {field: value for field, value in given.items() if value is not None}
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise BadInputError(f'{name} holds no conversation: a list of {{"role": "user", "content": "..."}} is needed.')
    return body


def _by_speaker(text: str) -> list[dict[str, str]]:
    """Turns of a text in which lines begin with who speaks; what stands before the first of them the user said."""
    marks = list(_SPEAKER.finditer(text))
    ends = [*(mark.start() for mark in marks), len(text)]
    before = text[: ends[0]].strip()
    turns = [
        {"role": _role(mark[1].lower()), "content": text[mark.end() : end].strip()}
        for mark, end in zip(marks, ends[1:], strict=True)
    ]
    if turns and turns[0]["role"] == "user":
        turns[0]["content"] = f"{before}\n\n{turns[0]['content']}".strip()
    else:
        turns.insert(0, {"role": "user", "content": before})
    return [turn for turn in turns if turn["content"]]


def _role(who: str) -> str:
    return "user" if who in _USERS else "system" if who == "system" else "assistant"
