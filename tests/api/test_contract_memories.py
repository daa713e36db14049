"""Memories by hand, their history, and forgetting, as DESIGN.md promises them."""

from __future__ import annotations

import json

import pytest

from api.running import Running, assert_problem


def remember(daemon: Running, profile: str, text: str, **more: object) -> dict:  # type: ignore[type-arg]
    return daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile} | more)  # type: ignore[no-any-return]


def listed(daemon: Running, profile: str, **query: object) -> list[str]:
    page = daemon.ok("GET", "/v1/memories", params={"profile": profile, **query})
    return [item["text"] for item in page["items"]]


def test_a_memory_written_by_hand_is_the_users(wordy: Running, profile: str) -> None:
    answer = wordy.call("POST", "/v1/memories", {"text": "Tea, never coffee.", "profile": profile})
    assert answer.status_code == 201
    memory = answer.json()
    assert (memory["said_by"], memory["status"], memory["kind"], memory["sources"]) == ("user", "active", "fact", [])
    fields = (
        "id kind text key tags sources said_by status valid_from valid_to observations created_at updated_at pinned"
    )
    assert set(fields.split()) <= set(memory)
    assert wordy.ok("GET", f"/v1/memories/{memory['id']}")["history"] == []


def test_an_edit_keeps_what_it_said_before(wordy: Running, profile: str) -> None:
    memory = remember(wordy, profile, "The bicycle is called Rocket.")
    path = f"/v1/memories/{memory['id']}"
    assert wordy.ok("PATCH", path, {"text": "The bicycle is called Comet."})["text"] == "The bicycle is called Comet."
    wordy.ok("PATCH", path, {"kind": "event", "tags": ["ride"], "key": "Bicycle"})
    after = wordy.ok("GET", path)
    assert (after["kind"], after["tags"], after["key"]) == ("event", ["ride"], "Bicycle")
    assert [version["text"] for version in after["history"]] == [
        "The bicycle is called Rocket.",
        "The bicycle is called Comet.",
    ]
    assert {version["changed_by"] for version in after["history"]} == {"user"}
    assert listed(wordy, profile, q="Comet") == ["The bicycle is called Comet."]
    assert listed(wordy, profile, q="Rocket") == []


def test_an_edit_of_nothing_changes_nothing(wordy: Running, profile: str) -> None:
    memory = remember(wordy, profile, "As it was.")
    path = f"/v1/memories/{memory['id']}"
    for nothing in ({}, {"text": "As it was."}, {"pinned": False}):
        assert wordy.ok("PATCH", path, nothing) == memory
    for wrong in ({"text": ""}, {"text": None}, {"kind": "x"}, {"status": "gone"}, {"pinned": "yes"}, {"text": "\0"}):
        assert_problem(wordy.call("PATCH", path, wrong), 400, next(iter(wrong)))
    assert wordy.ok("GET", path)["history"] == []


def test_pinned_memories_stand_first(wordy: Running, profile: str) -> None:
    first = remember(wordy, profile, "First.")
    remember(wordy, profile, "Second.")
    assert listed(wordy, profile) == ["Second.", "First."]
    wordy.ok("PATCH", f"/v1/memories/{first['id']}", {"pinned": True})
    assert listed(wordy, profile) == ["First.", "Second."]


def test_memories_come_in_pages(wordy: Running, profile: str) -> None:
    for number in range(5):
        remember(wordy, profile, f"Number {number}.")
    page = wordy.ok("GET", "/v1/memories", params={"profile": profile, "size": 2, "page": 2})
    assert (page["total"], page["page"], page["size"]) == (5, 2, 2)
    assert [item["text"] for item in page["items"]] == ["Number 2.", "Number 1."]
    assert listed(wordy, profile, page=4, size=2) == []


@pytest.mark.parametrize("kind", ["fact", "event", "explicit_preference", "implicit_preference", "instruction"])
def test_every_kind_can_be_written_and_listed(wordy: Running, profile: str, kind: str) -> None:
    remember(wordy, profile, "The other.", kind="event" if kind == "fact" else "fact")
    remember(wordy, profile, "This one.", kind=kind)
    assert listed(wordy, profile, kind=kind) == ["This one."]


def test_without_a_status_what_holds_now_is_listed(wordy: Running, profile: str) -> None:
    for status in ("active", "resolving", "candidate", "superseded", "archived"):
        memory = remember(wordy, profile, f"It is {status}.")
        wordy.ok("PATCH", f"/v1/memories/{memory['id']}", {"status": status})
    assert set(listed(wordy, profile)) == {"It is active.", "It is resolving."}
    assert listed(wordy, profile, status="archived") == ["It is archived."]


@pytest.mark.parametrize(
    "words", ['"', "AND", "NOT", "a OR", "(", "*", "text:apples", "NEAR(a b)", "-apples", "apples*", '"apples']
)
def test_words_to_look_for_are_words_and_never_a_query_language(wordy: Running, profile: str, words: str) -> None:
    remember(wordy, profile, "The user grows apples.")
    remember(wordy, profile, "The user grows pears.")
    expected = ["The user grows apples."] if "apples" in words else []
    assert listed(wordy, profile, q=words) == expected


def test_an_unknown_memory_is_not_found(wordy: Running) -> None:
    for method, body in (("GET", None), ("PATCH", {"pinned": True}), ("DELETE", None)):
        assert_problem(wordy.call(method, "/v1/memories/nothing", body), 404, "nothing")


# Forget


def bytes_on_disk(daemon: Running) -> bytes:
    return b"".join(file.read_bytes() for file in daemon.data.rglob("*") if file.is_file())


def leaves_no_trace(daemon: Running, word: str) -> None:
    raw = bytes_on_disk(daemon)
    for form in (word, word.lower(), word.upper(), word.capitalize()):
        assert form.encode() not in raw, form
    assert word.lower().encode() not in raw.lower()
    assert word.lower().encode("utf-16-le") not in raw.lower()


def test_a_forgotten_memory_leaves_no_bytes_on_disk(daemon: Running, profile: str) -> None:
    memory = remember(daemon, profile, "The password hint is Zanzibarquok.", tags=["zanzibarquok"], key="Zanzibarquok")
    daemon.ok("PATCH", f"/v1/memories/{memory['id']}", {"text": "Now it is ZanzibarQuok, twice Zanzibarquok."})
    assert b"anzibarquok" in bytes_on_disk(daemon).lower()
    gone = daemon.ok("DELETE", f"/v1/memories/{memory['id']}")
    assert gone["memories"] == 1
    leaves_no_trace(daemon, "Zanzibarquok")
    assert_problem(daemon.call("GET", f"/v1/memories/{memory['id']}"), 404)


def test_a_forgotten_conversation_goes_with_all_that_came_from_it(daemon: Running, profile: str) -> None:
    content = "I'm Nadia, a vet in Vexmoorhaven, and I can't stand phone calls."
    done = daemon.capture(content, profile=profile, title="About Vexmoorhaven", url="https://example.org/vexmoorhaven")
    edited = {"role": "user", "content": "My cat Vexmoorhaven is grey.", "id": "m1"}
    for words in ("My cat Vexmoorhaven is grey.", "My cat Vexmoorhaven is black."):
        daemon.capture(profile=profile, messages=[edited | {"content": words}])
    job = daemon.finished(done["job_id"])
    assert job["memory_ids"], job
    answer = daemon.ok("POST", "/v1/context", {"query": "Which town is the vet Nadia in?", "profile": profile})
    daemon.ok("POST", f"/v1/injections/{answer['injection_id']}", {"inserted": [h["id"] for h in answer["hits"]]})
    gone = daemon.ok("DELETE", f"/v1/conversations/{done['conversation_id']}")
    assert (gone["conversations"], gone["messages"]) == (1, 2)
    assert gone["memories"] >= 1
    leaves_no_trace(daemon, "Vexmoorhaven")
    assert listed(daemon, profile) == []
    assert daemon.ok("POST", "/v1/recall", {"query": "vet Nadia", "profile": profile})["hits"] == []


def test_a_memory_can_be_forgotten_with_the_turns_it_was_drawn_from(daemon: Running, profile: str) -> None:
    done = daemon.capture("My sister Quillibrand is allergic to peanuts.", "Thanks!", profile=profile)
    (memory_id, *_) = daemon.finished(done["job_id"])["memory_ids"]
    kept = daemon.call("DELETE", f"/v1/memories/{memory_id}?messages=nonsense")
    assert_problem(kept, 400, "messages")
    daemon.ok("DELETE", f"/v1/memories/{memory_id}", params={"messages": "true"})
    assert [message["content"] for message in daemon.log(done["conversation_id"])] == ["Thanks!"]
    leaves_no_trace(daemon, "Quillibrand")


def test_a_conversation_forgotten_while_it_is_read_stays_forgotten_and_reading_goes_on(
    daemon: Running, profile: str
) -> None:
    contents = [f"My friend Brumblethwick number {n} is allergic to peanuts." for n in range(6)]
    done = daemon.capture(*contents, profile=profile)
    daemon.ok("DELETE", f"/v1/conversations/{done['conversation_id']}")
    after = daemon.capture("My sister Ana lives in Porto.", profile=profile, external_id="after")
    assert daemon.finished(after["job_id"])["status"] == "completed"
    assert "Brumblethwick" not in json.dumps(listed(daemon, profile))
    leaves_no_trace(daemon, "Brumblethwick")
