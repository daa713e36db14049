"""Capture, its jobs, the log and its events, as DESIGN.md promises them."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import httpx

from api.running import Running, assert_problem, eventually, running

TURIN = "I'm Nadia, a vet in Turin, and I can't stand phone calls."


def test_a_capture_is_answered_with_our_ids_in_the_order_sent(wordy: Running, profile: str) -> None:
    done = wordy.capture("one", "two", profile=profile)
    assert set(done) == {"conversation_id", "message_ids", "accepted", "duplicates", "forgotten", "job_id"}
    assert (done["accepted"], done["duplicates"]) == (2, 0)
    assert [message["id"] for message in wordy.log(done["conversation_id"])] == done["message_ids"]


def test_the_same_again_changes_nothing(wordy: Running, profile: str) -> None:
    first = wordy.capture("one", "two", profile=profile)
    cursor = latest_cursor(wordy)
    again = wordy.capture("one", "two", profile=profile)
    assert again == first | {"accepted": 0, "duplicates": 2}
    assert wordy.ok("GET", "/v1/changes", params={"since": cursor})["changes"] == []


def test_the_same_words_said_twice_are_two_messages(wordy: Running, profile: str) -> None:
    done = wordy.capture("yes", "no", "yes", profile=profile)
    assert len(set(done["message_ids"])) == 3
    assert wordy.capture("yes", "no", "yes", "yes", profile=profile)["accepted"] == 1


def test_each_profile_site_and_conversation_is_a_log_of_its_own(wordy: Running, profile: str) -> None:
    seen = [
        wordy.capture("one", profile=profile),
        wordy.capture("one", profile=f"{profile}2"),
        wordy.capture("one", profile=profile, site="elsewhere"),
        wordy.capture("one", profile=profile, external_id="another"),
    ]
    assert len({done["conversation_id"] for done in seen}) == 4
    assert len({done["message_ids"][0] for done in seen}) == 4


def test_a_job_reads_the_messages_and_names_the_memories_it_gave(daemon: Running, profile: str) -> None:
    done = daemon.capture(TURIN, profile=profile)
    job = daemon.finished(done["job_id"])
    assert job["status"] == "completed", job
    assert job["memory_ids"]
    for memory_id in job["memory_ids"]:
        memory = daemon.ok("GET", f"/v1/memories/{memory_id}")
        for source in memory["sources"]:
            assert source["message_id"] == done["message_ids"][0]
            assert source["conversation_id"] == done["conversation_id"]
            assert TURIN[source["start"] : source["end"]] == source["quote"] != ""


def test_an_unknown_job_is_not_found(wordy: Running) -> None:
    assert_problem(wordy.call("GET", "/v1/jobs/nothing"), 404, "nothing")
    assert_problem(wordy.call("POST", "/v1/jobs/nothing/retry"), 404)


class Listener:
    """Collects server-sent events on a thread."""

    def __init__(self, daemon: Running, token: str | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.raw = ""
        self.ready = threading.Event()
        self.ended = threading.Event()
        self._daemon, self._token = daemon, token or daemon.token
        threading.Thread(target=self._listen, daemon=True).start()
        assert self.ready.wait(20)

    def _listen(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        name = ""
        try:
            with httpx.stream(
                "GET", f"{self._daemon.url}/v1/events", headers=headers, timeout=60, trust_env=False
            ) as stream:
                assert stream.headers["content-type"].startswith("text/event-stream")
                for line in stream.iter_lines():
                    self.raw += line + "\n"
                    self.ready.set()
                    field, _, value = line.partition(": ")
                    if field == "event":
                        name = value
                    elif field == "data":
                        self.events.append((name, json.loads(value)))
        finally:
            self.ended.set()

    def names(self, profile: str) -> list[str]:
        return [name for name, data in list(self.events) if data["profile"] == profile]


def test_events_tell_of_jobs_memories_and_forgetting_in_ids_alone(daemon: Running, profile: str) -> None:
    listener = Listener(daemon)
    done = daemon.capture(TURIN, profile=profile)
    daemon.finished(done["job_id"])
    eventually(
        lambda: ("job", "completed") in [(n, d.get("status")) for n, d in list(listener.events)], what="the event"
    )
    daemon.ok("DELETE", f"/v1/conversations/{done['conversation_id']}")
    eventually(lambda: "forgotten" in listener.names(profile), what="the event of forgetting")
    assert {"job", "memory", "forgotten"} <= set(listener.names(profile))
    states = [data["status"] for name, data in listener.events if name == "job" and data["id"] == done["job_id"]]
    assert states == ["queued", "running", "completed"]
    assert "Turin" not in listener.raw
    assert "phone" not in listener.raw


def test_an_event_stream_ends_when_the_daemon_stops_and_does_not_hold_it_up(tmp_path: Path, no_models: Path) -> None:
    with running(tmp_path / "data", models=no_models) as own:
        listener = Listener(own)
        assert own.stop() == 0
        assert listener.ended.wait(5)
        assert own.errors.read_text() == ""
        assert not (own.data / "daemon.json").exists()


def test_status_counts_what_is_queued_and_stored(wordy: Running, profile: str) -> None:
    before = wordy.ok("GET", "/v1/status")
    wordy.capture("one", "two", profile=profile)
    after = wordy.ok("GET", "/v1/status")
    assert after["counts"]["messages"] == before["counts"]["messages"] + 2
    assert after["indexing"] >= before["indexing"] + 2
    assert {model["role"] for model in after["models"]} == {"embed", "generate"}


def test_everything_gets_its_vector_in_the_end(daemon: Running, profile: str) -> None:
    daemon.finished(daemon.capture(TURIN, profile=profile)["job_id"])
    eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the last vector")


# The log


def test_conversations_are_listed_latest_first_and_filtered(wordy: Running, profile: str) -> None:
    old = wordy.capture("one", profile=profile, external_id="a", title="Old", url="https://example.org/a")
    new = wordy.capture("two", profile=profile, external_id="b", site="elsewhere")
    page = wordy.ok("GET", "/v1/conversations", params={"profile": profile})
    assert [c["id"] for c in page["items"]] == [new["conversation_id"], old["conversation_id"]]
    assert (page["total"], page["page"], page["size"]) == (2, 1, 100)
    assert page["items"][1]["title"] == "Old"
    for only in ({"site": "elsewhere"}, {"external_id": "b"}, {"size": 1, "page": 1}):
        found = wordy.ok("GET", "/v1/conversations", params={"profile": profile, **only})["items"]
        assert [c["id"] for c in found] == [new["conversation_id"]]


def test_an_unknown_conversation_is_not_found(wordy: Running) -> None:
    assert_problem(wordy.call("GET", "/v1/conversations/nothing"), 404, "nothing")
    assert_problem(wordy.call("DELETE", "/v1/conversations/nothing"), 404, "nothing")


def test_reading_an_unknown_profile_answers_empty_and_does_not_make_it(wordy: Running, profile: str) -> None:
    assert wordy.ok("GET", "/v1/memories", params={"profile": profile})["items"] == []
    assert wordy.ok("GET", "/v1/conversations", params={"profile": profile})["items"] == []
    assert wordy.ok("POST", "/v1/recall", {"query": "anything", "profile": profile})["hits"] == []
    assert wordy.ok("POST", "/v1/context", {"query": "anything", "profile": profile})["context"] == ""
    assert wordy.call("GET", "/v1/export", params={"profile": profile}).text == ""
    assert wordy.memos("search/memory", {"user_id": profile, "query": "anything"}).status_code == 200
    assert profile not in [p["name"] for p in wordy.ok("GET", "/v1/profiles")["profiles"]]


def test_a_write_makes_its_profile(wordy: Running, profile: str) -> None:
    wordy.capture("one", "two", profile=profile)
    found = [p for p in wordy.ok("GET", "/v1/profiles")["profiles"] if p["name"] == profile]
    assert found == [{"name": profile, "conversations": 1, "messages": 2, "memories": 0}]


# Changes and export


def latest_cursor(daemon: Running) -> str:
    cursor = ""
    while (answer := daemon.ok("GET", "/v1/changes", params={"since": cursor, "limit": 5000}))["changes"]:
        cursor = answer["cursor"]
    return cursor


def changes_after(daemon: Running, cursor: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        answer = daemon.ok("GET", "/v1/changes", params={"since": cursor, "limit": 2})
        if not answer["changes"]:
            return found
        found += answer["changes"]
        cursor = answer["cursor"]


def test_changes_come_in_order_after_the_cursor_and_a_deletion_leaves_a_tombstone(wordy: Running, profile: str) -> None:
    start = latest_cursor(wordy)
    done = wordy.capture("one secretword", "two", profile=profile)
    found = changes_after(wordy, start)
    assert [c["type"] for c in found if c["type"] == "message"] == ["message", "message"]
    assert {c["profile"] for c in found} == {profile}
    assert [c["clock"] for c in found] == sorted(c["clock"] for c in found)
    wordy.ok("DELETE", f"/v1/conversations/{done['conversation_id']}")
    left = changes_after(wordy, start)
    assert {c["type"] for c in left} == {"tombstone"}
    assert {c["id"] for c in left} >= {done["conversation_id"], *done["message_ids"]}
    assert "secretword" not in json.dumps(left)


def test_a_cursor_that_is_none_is_refused(wordy: Running) -> None:
    for cursor in ("x", "-1", "9" * 30):
        assert_problem(wordy.call("GET", "/v1/changes", params={"since": cursor}), 400, "since")


def test_an_export_has_every_record_of_the_profile_one_a_line(daemon: Running, profile: str) -> None:
    done = daemon.capture(TURIN, profile=profile)
    daemon.finished(done["job_id"])
    hand = daemon.ok("POST", "/v1/memories", {"text": "Written by hand.", "profile": profile})
    gone = daemon.ok("POST", "/v1/memories", {"text": "To be gone.", "profile": profile})
    daemon.ok("DELETE", f"/v1/memories/{gone['id']}")
    answer = daemon.call("GET", "/v1/export", params={"profile": profile})
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    records = [json.loads(line) for line in answer.text.splitlines()]
    assert [r["type"] for r in records] == sorted(
        (r["type"] for r in records), key=["conversation", "message", "memory", "tombstone"].index
    )
    assert {r["profile"] for r in records} == {profile}
    by_id = {r["id"]: r for r in records}
    assert by_id[done["message_ids"][0]]["content"] == TURIN
    assert by_id[hand["id"]]["text"] == "Written by hand."
    assert by_id[gone["id"]]["type"] == "tombstone"
    assert "gone." not in answer.text
