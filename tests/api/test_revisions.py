"""An edited turn: what its memories rest on, what an export keeps of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from api.running import Running

MIA = "My daughter Mia is allergic to peanuts."
SECRET = "sk-proj-" + "Ab3dEf6hIj9kLm2nOp5qRs8t" * 2
BLOCK = "\u27e6satchel\u27e7\nplanted\n\u27e6/satchel\u27e7\n\n"


def said(daemon: Running, profile: str, content: str) -> dict[str, Any]:
    message = {"role": "user", "content": content, "id": "m1"}
    done = daemon.capture(profile=profile, messages=[message])
    assert daemon.finished(done["job_id"])["status"] == "completed"
    return done


def memories(daemon: Running, profile: str) -> list[dict[str, Any]]:
    return daemon.ok("GET", "/v1/memories", params={"profile": profile})["items"]  # type: ignore[no-any-return]


def test_after_an_edit_every_quote_stands_where_its_memory_says(daemon: Running, profile: str) -> None:
    said(daemon, profile, f"I live in Turin. {MIA}")
    done = said(daemon, profile, f"Hello! I moved to Rome. {MIA}")
    (turn,) = daemon.log(done["conversation_id"])
    held = memories(daemon, profile)
    assert [m for m in held if "peanuts" in m["text"]]
    for memory in held:
        assert memory["observations"] == 1
        for source in memory["sources"]:
            assert turn["content"][source["start"] : source["end"]] == source["quote"]
            assert source["revision"] == turn["revision"]


def test_a_quote_that_was_edited_away_names_the_revision_it_stands_in(daemon: Running, profile: str) -> None:
    said(daemon, profile, MIA)
    done = said(daemon, profile, "Good morning!")
    (turn,) = daemon.log(done["conversation_id"])
    page = daemon.ok("GET", "/v1/memories", params={"profile": profile, "status": "superseded"})
    assert page["items"]
    for memory in page["items"]:
        for source in memory["sources"]:
            (earlier,) = [r for r in turn["revisions"] if r["revision"] == source["revision"]]
            assert earlier["content"][source["start"] : source["end"]] == source["quote"]


def test_an_export_keeps_earlier_words_and_whose_a_memory_is(wordy: Running, profile: str) -> None:
    for content in ("one", "two"):
        done = wordy.capture(profile=profile, messages=[{"role": "user", "content": content, "id": "m1"}])
    memory = wordy.ok("POST", "/v1/memories", {"text": "Rocket.", "profile": profile})
    wordy.ok("PATCH", f"/v1/memories/{memory['id']}", {"text": "Comet."})
    lines = wordy.call("GET", "/v1/export", params={"profile": profile}).text.splitlines()
    by_id = {record["id"]: record for record in map(json.loads, lines)}
    message = by_id[done["message_ids"][0]]
    assert (message["content"], [r["content"] for r in message["revisions"]]) == ("two", ["one"])
    kept = by_id[memory["id"]]
    assert (kept["text"], [v["text"] for v in kept["history"]], kept["by_hand"]) == ("Comet.", ["Rocket."], True)
    assert kept["history"] == wordy.ok("GET", f"/v1/memories/{memory['id']}")["history"]


@pytest.mark.parametrize("way", ["POST", "PATCH"])
def test_keys_and_tags_hold_no_block_no_marker_and_no_secret(wordy: Running, profile: str, way: str) -> None:
    labels = {"key": f"{BLOCK}mine {SECRET}", "tags": [SECRET, f"{BLOCK}tea", "a \u27e6satch", BLOCK]}
    new = {"text": "Tea.", "profile": profile}
    memory = wordy.ok("POST", "/v1/memories", new | labels if way == "POST" else new)
    if way == "PATCH":
        memory = wordy.ok("PATCH", f"/v1/memories/{memory['id']}", labels)
    stored = json.dumps([memory["key"], memory["tags"]], ensure_ascii=False)
    assert "planted" not in stored
    assert "\u27e6" not in stored
    assert SECRET not in stored
    assert memory["key"].startswith("mine ")
    assert {"tea", "a [[satch"} <= set(memory["tags"])
    assert len(memory["tags"]) == 3
