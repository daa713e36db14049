"""A conversation from a file a person has at hand."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from satchel.conversation_file import read, to_request
from satchel.types import BadInputError


def request(raw: bytes | str, **more: Any) -> dict[str, Any]:
    data = raw.encode() if isinstance(raw, str) else raw
    return to_request(data, **({"name": "chat.txt"} | more))


TURNS = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]


def test_a_json_list_of_turns() -> None:
    body = request(json.dumps(TURNS), name="folder/chat.json", profile="work", site="here")
    assert body["messages"] == TURNS
    assert (body["profile"], body["site"], body["title"]) == ("work", "here", "chat")


def test_a_whole_request_keeps_what_it_says_of_itself() -> None:
    body = request(json.dumps({"site": "there", "external_id": "x", "messages": TURNS}))
    assert (body["site"], body["external_id"], body["profile"]) == ("there", "x", "me")


def test_what_is_given_wins_over_what_the_file_says() -> None:
    raw = json.dumps({"profile": "theirs", "site": "there", "title": "Theirs", "messages": TURNS})
    body = request(raw, profile="work", site="here", title="Ours")
    assert (body["profile"], body["site"], body["title"]) == ("work", "here", "Ours")
    body = request(raw)
    assert (body["profile"], body["site"], body["title"]) == ("theirs", "there", "Theirs")
    body = request(json.dumps(TURNS))
    assert (body["profile"], body["site"], body["title"]) == ("me", "file", "chat")


@pytest.mark.parametrize(
    "text",
    [
        "User: Hi.\nAssistant: Hello.",
        "user: Hi.\n\nassistant:\nHello.\n",
        "You: Hi.\r\nChatGPT: Hello.\r\n",
        "**Human:** Hi.\n\n**Claude:** Hello.",
        "> Me: Hi.\n# Gemini: Hello.",
        "\ufeffUser: Hi.\nAI: Hello.",
    ],
)
def test_text_in_which_lines_begin_with_who_speaks(text: str) -> None:
    assert request(text)["messages"] == TURNS


def test_text_without_speakers_is_one_thing_the_user_said() -> None:
    assert request(" I live in Porto.\nI like trains. ")["messages"] == [
        {"role": "user", "content": "I live in Porto.\nI like trains."}
    ]


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        ("I am Ana.\n\nUser: Hi.\nAssistant: Hello.", [{"role": "user", "content": "I am Ana.\n\nHi."}, TURNS[1]]),
        ("I am Ana.\nUser:\nAssistant: Hello.", [{"role": "user", "content": "I am Ana."}, TURNS[1]]),
        ("I am Ana.\nAssistant: Hello.", [{"role": "user", "content": "I am Ana."}, TURNS[1]]),
    ],
)
def test_what_stands_before_the_first_speaker_the_user_said(text: str, turns: list[dict[str, str]]) -> None:
    assert request(text)["messages"] == turns


def test_the_same_file_is_the_same_conversation_and_another_is_another() -> None:
    assert request("Hi.")["external_id"] == request("Hi.", name="copy.txt")["external_id"]
    assert request("Hi.")["external_id"] != request("Hi!")["external_id"]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "is empty"),
        (b" \n\t ", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"caf\xe9", "not UTF-8 text (byte 3)"),
        ("Hi.".encode("utf-16"), "not UTF-8"),
        (b"[1, 2", "begins like JSON"),
        (b'{"a": 1}', "holds no conversation"),
        (b"[]", "holds no conversation"),
        (b"[1]", "holds no conversation"),
        (b"User:\nAssistant:\n", "holds no conversation"),
        (b'[{"role": "user", "content": "\\ud800"}]', "begins like JSON"),
        (b"[" * 100_000, "begins like JSON"),
    ],
)
def test_a_file_that_is_none_is_told_in_one_sentence(raw: bytes, said: str) -> None:
    with pytest.raises(BadInputError) as told:
        request(raw)
    assert said in str(told.value)
    assert str(told.value).startswith("chat.txt ")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(BadInputError, match=str(path)):
            read(path)


@given(st.binary())
def test_any_bytes_are_a_conversation_or_one_sentence(raw: bytes) -> None:
    with contextlib.suppress(BadInputError):
        assert request(raw)["messages"]
