"""MemOS's own Python SDK, unchanged but for one address, works against the daemon."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.running import Running

CLIENT = Path(__file__).with_name("memos_client.py")
SDK = Path(sys.prefix) / "memos-sdk"


@pytest.fixture(scope="module")
def told(daemon: Running, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK was answered in the Guangzhou conversation of the reference's quick start."""
    if not SDK.is_dir():
        pytest.fail(f"the MemOS SDK is not in {SDK}: run ./scripts/test")
    place = tmp_path_factory.mktemp("memos")
    done = subprocess.run(
        [sys.executable, str(CLIENT), daemon.url, daemon.token],
        env={**os.environ, "PYTHONPATH": str(SDK), "MEMOS_BASE_PATH": str(place), "NO_PROXY": "127.0.0.1"},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)  # type: ignore[no-any-return]


def test_it_adds_messages_and_follows_the_task(told: dict[str, Any]) -> None:
    assert told["added"]["message"] == "ok"
    assert told["added"]["data"]["success"] is True
    assert told["status"]["data"]["status"] == "completed"


def test_it_finds_the_fact_with_its_key_value_tags_and_conversation(told: dict[str, Any]) -> None:
    facts = told["found"]["data"]["memory_detail_list"]
    about = [fact for fact in facts if "Guangzhou" in fact["memory_value"]]
    assert about, facts
    assert about[0]["memory_key"]
    assert about[0]["tags"]
    assert about[0]["conversation_id"] == "0610"
    assert about[0]["status"] == "activated"


def test_it_finds_an_implicit_preference_with_its_reasoning(told: dict[str, Any]) -> None:
    preferences = told["found"]["data"]["preference_detail_list"]
    implicit = [p for p in preferences if p["preference_type"] == "implicit_preference"]
    assert implicit, preferences
    assert "7 Days Inn" in implicit[0]["preference"] + implicit[0]["reasoning"]
    assert implicit[0]["reasoning"]
    assert implicit[0]["conversation_id"] == "0610"
