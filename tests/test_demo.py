"""The demo shows what the README promises, with the real models through the real API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.running import command
from satchel import demo


@pytest.fixture(scope="module")
def shown(models_folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "satchel", "demo", "--json"], capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def all_memories(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return [memory for chat in shown["chats"] for memory in chat["memories"]]


def test_the_guangzhou_fact_has_conversation_key_and_tags(shown: dict[str, Any]) -> None:
    chat = shown["chats"][0]
    fact = next(m for m in chat["memories"] if m["kind"] == "fact")
    assert "Guangzhou" in fact["text"]
    assert "7 Days Inn" in fact["text"]
    assert fact["key"]
    assert fact["tags"]
    assert fact["status"] == "active"
    assert {s["conversation_id"] for s in fact["sources"]} == {chat["conversation_id"]}
    assert len(fact["sources"]) == 2


def test_the_choice_gives_an_implicit_preference_with_a_reasoning(shown: dict[str, Any]) -> None:
    preference = next(m for m in shown["chats"][0]["memories"] if m["kind"] == "implicit_preference")
    assert "hotel" in preference["text"]
    assert "7 Days Inn" in preference["reasoning"]


def test_every_quote_stands_in_what_was_said(shown: dict[str, Any]) -> None:
    said = [turn.content for chat in demo.CHATS for turn in chat.turns]
    for memory in all_memories(shown):
        assert memory["sources"]
        for source in memory["sources"]:
            assert any(text[source["start"] : source["end"]] == source["quote"] for text in said)


def test_a_request_for_help_with_a_regex_is_no_memory(shown: dict[str, Any]) -> None:
    assert shown["chats"][2]["memories"] == []


def test_each_question_gets_what_bears_on_it_and_nothing_else(shown: dict[str, Any]) -> None:
    holiday, party, water = shown["questions"]
    assert "Guangzhou" in holiday["context"]
    assert "7 Days Inn" in holiday["context"]
    assert holiday["prompt"].endswith(holiday["question"])
    assert "peanuts" in party["context"]
    assert "Guangzhou" not in party["context"]
    assert water["context"] == ""
    assert water["prompt"] == water["question"]


def test_the_terminal_shows_the_words_and_the_prompt(models_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "satchel", "demo"],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env=os.environ | {"COLUMNS": "100"},
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing here is worth remembering" in done.stdout
    assert "no longer, but kept: The user lives in Turin." in done.stdout
    assert "what the chat is given" in done.stdout
    assert "Nothing remembered bears on this" in done.stdout


def test_without_models_it_says_which_one_is_missing(tmp_path: Path) -> None:
    done = command("demo", SATCHEL_MODELS=str(tmp_path))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "is not there; run: satchel models pull" in done.stderr


def test_a_file_in_the_current_folder_does_not_pass_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apsw.py").write_text("raise SystemExit('a stranger was imported')")
    monkeypatch.chdir(tmp_path)
    with demo._daemon(tmp_path / "data") as client:
        assert client.call("GET", "/health")["name"] == "satchel"
