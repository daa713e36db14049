"""What waits for the user's decision, and that it stays decided."""

from __future__ import annotations

from typing import Any

import pytest

from api.running import Running, assert_problem

MIA = "My daughter Mia is allergic to peanuts."


def waiting(daemon: Running, profile: str, **query: Any) -> list[dict[str, Any]]:
    page = daemon.ok("GET", "/v1/decisions", params={"profile": profile, **query})
    assert page["total"] >= len(page["items"])
    return page["items"]  # type: ignore[no-any-return]


def told(daemon: Running, profile: str, text: str, chat: str, id: str = "m1") -> dict[str, Any]:  # noqa: A002
    message = {"role": "user", "content": text, "id": id}
    done = daemon.capture(profile=profile, external_id=chat, messages=[message])
    assert daemon.finished(done["job_id"])["status"] == "completed"
    return done


def decide(daemon: Running, memory: dict[str, Any], decision: str) -> dict[str, dict[str, Any]]:
    changed = daemon.ok("POST", f"/v1/decisions/{memory['id']}", {"decision": decision})["changed"]
    assert changed[0]["id"] == memory["id"]
    return {one["id"]: one for one in changed}


def by_hand(daemon: Running, profile: str, text: str, **more: Any) -> dict[str, Any]:
    return daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile} | more)  # type: ignore[no-any-return]


def hint(daemon: Running, profile: str, text: str = "The user may prefer trains to planes.") -> dict[str, Any]:
    memory = by_hand(daemon, profile, text, kind="implicit_preference")
    return daemon.ok("PATCH", f"/v1/memories/{memory['id']}", {"status": "candidate"})  # type: ignore[no-any-return]


@pytest.fixture
def conflict(daemon: Running, profile: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what was said, what the user wrote): they live in two towns."""
    mine = by_hand(daemon, profile, "The user lives in Turin.", valid_from="2024-01-01")
    told(daemon, profile, "I live in Rome.", "a")
    ((said, against),) = [(item["memory"], item["against"]) for item in waiting(daemon, profile)]
    assert [one["id"] for one in against] == [mine["id"]]
    assert said["status"] == "resolving"
    return said, mine


Conflict = tuple[dict[str, Any], dict[str, Any]]


def test_a_conflict_is_listed_once_and_not_from_both_sides(daemon: Running, profile: str, conflict: Conflict) -> None:
    (item,) = waiting(daemon, profile)
    assert item["why"] == "conflict"
    assert "Rome" in item["memory"]["text"]
    assert set(item["memory"]) == set(item["against"][0])


def test_this_ends_the_others_and_extraction_does_not_bring_them_back(
    daemon: Running, profile: str, conflict: Conflict
) -> None:
    said, mine = conflict
    changed = decide(daemon, said, "this")
    assert (changed[said["id"]]["status"], changed[mine["id"]]["status"]) == ("active", "superseded")
    assert changed[mine["id"]]["valid_to"] == said["valid_from"]
    assert waiting(daemon, profile) == []
    for memory in (said, mine):
        assert daemon.ok("GET", f"/v1/memories/{memory['id']}")["history"][-1]["changed_by"] == "user"
    told(daemon, profile, "I moved to Oslo.", "b")
    assert daemon.ok("GET", f"/v1/memories/{said['id']}")["status"] == "active"
    assert daemon.ok("GET", f"/v1/memories/{mine['id']}")["status"] == "superseded"
    (item,) = waiting(daemon, profile)
    assert "Oslo" in item["memory"]["text"]
    assert [one["id"] for one in item["against"]] == [said["id"]]


def test_other_is_the_reverse(daemon: Running, profile: str, conflict: Conflict) -> None:
    said, mine = conflict
    changed = decide(daemon, said, "other")
    assert (changed[said["id"]]["status"], changed[mine["id"]]["status"]) == ("superseded", "active")
    assert changed[said["id"]]["valid_to"] is not None
    assert changed[mine["id"]]["valid_to"] is None
    assert waiting(daemon, profile) == []


def test_both_may_hold(daemon: Running, profile: str, conflict: Conflict) -> None:
    _, mine = conflict
    changed = decide(daemon, mine, "both")
    assert {one["status"] for one in changed.values()} == {"active"}
    assert waiting(daemon, profile) == []
    told(daemon, profile, "I live in Rome.", "again")
    assert waiting(daemon, profile) == []


def test_a_decision_can_be_taken_back(daemon: Running, profile: str, conflict: Conflict) -> None:
    said, _ = conflict
    decide(daemon, said, "this")
    daemon.ok("PATCH", f"/v1/memories/{conflict[1]['id']}", {"status": "resolving"})
    (item,) = waiting(daemon, profile)
    assert {item["memory"]["id"], *(one["id"] for one in item["against"])} == {said["id"], conflict[1]["id"]}


def test_what_cannot_be_decided_so_is_refused_and_nothing_changes(wordy: Running, profile: str) -> None:
    plain = by_hand(wordy, profile, "Tea, never coffee.")
    lonely = by_hand(wordy, profile, "The user lives in Turin.")
    wordy.ok("PATCH", f"/v1/memories/{lonely['id']}", {"status": "resolving"})
    for memory, decisions in ((plain, ("this", "other", "both", "keep", "drop")), (lonely, ("other", "keep", "drop"))):
        before = wordy.ok("GET", f"/v1/memories/{memory['id']}")
        for decision in decisions:
            answer = wordy.call("POST", f"/v1/decisions/{memory['id']}", {"decision": decision})
            assert_problem(answer, 409)
        assert wordy.ok("GET", f"/v1/memories/{memory['id']}") == before
    assert_problem(wordy.call("POST", f"/v1/decisions/{plain['id']}", {"decision": "neither"}), 400, "decision")
    assert_problem(wordy.call("POST", "/v1/decisions/nothing", {"decision": "keep"}), 404, "nothing")
    assert decide(wordy, lonely, "this")[lonely["id"]]["status"] == "active"


@pytest.mark.parametrize(("decision", "status"), [("keep", "active"), ("drop", "archived")])
def test_a_hint_is_kept_or_dropped(wordy: Running, profile: str, decision: str, status: str) -> None:
    memory = hint(wordy, profile)
    assert [(item["why"], item["memory"]["id"], item["against"]) for item in waiting(wordy, profile)] == [
        ("candidate", memory["id"], [])
    ]
    assert decide(wordy, memory, decision)[memory["id"]]["status"] == status
    assert waiting(wordy, profile) == []
    assert wordy.ok("GET", f"/v1/memories/{memory['id']}")["history"][-1]["status"] == "candidate"
    assert_problem(wordy.call("POST", f"/v1/decisions/{memory['id']}", {"decision": decision}), 409)


def test_they_come_in_pages(wordy: Running, profile: str) -> None:
    made = [hint(wordy, profile, f"The user may prefer number {n}.")["id"] for n in range(5)]
    lonely = by_hand(wordy, profile, "The user lives in Turin.")
    wordy.ok("PATCH", f"/v1/memories/{lonely['id']}", {"status": "resolving"})
    found = [item["memory"]["id"] for page in (1, 2, 3, 4) for item in waiting(wordy, profile, size=2, page=page)]
    assert found == [lonely["id"], *reversed(made)]


def test_what_rests_on_edited_words_is_asked_about_until_it_is_kept(daemon: Running, profile: str) -> None:
    done = told(daemon, profile, MIA, "a")
    (memory_id,) = daemon.finished(done["job_id"])["memory_ids"]
    path = f"/v1/memories/{memory_id}"
    daemon.ok("PATCH", path, {"text": "Mia must not eat peanuts."})  # the user's own: extraction leaves it
    assert daemon.ok("GET", path)["changed_sources"] is False
    assert waiting(daemon, profile) == []
    told(daemon, profile, "Good morning!", "a")
    assert daemon.ok("GET", path)["changed_sources"] is True
    assert [(item["why"], item["memory"]["id"]) for item in waiting(daemon, profile)] == [("changed", memory_id)]
    kept = decide(daemon, {"id": memory_id}, "keep")[memory_id]
    assert kept["status"] == "active"
    assert waiting(daemon, profile) == []
    told(daemon, profile, "Good evening!", "a")
    assert [item["memory"]["id"] for item in waiting(daemon, profile)] == [memory_id]
    assert decide(daemon, {"id": memory_id}, "drop")[memory_id]["status"] == "archived"
    assert waiting(daemon, profile) == []


def test_a_client_of_another_profile_learns_of_none(wordy: Running, profile: str) -> None:
    memory, other = hint(wordy, profile), wordy.new_token("--profile", "elsewhere")
    refused = wordy.call("GET", "/v1/decisions", params={"profile": profile}, token=other)
    assert_problem(refused, 403)
    decided = wordy.call("POST", f"/v1/decisions/{memory['id']}", {"decision": "keep"}, token=other)
    assert_problem(decided, 404)
    assert waiting(wordy, "elsewhere", size=1) == []


def test_a_decision_that_is_taken_back_leaves_no_end(daemon: Running, profile: str, conflict: Conflict) -> None:
    """As the dashboard takes it back: each memory gets the state that it had."""
    for memory in decide(daemon, conflict[0], "this").values():
        before = {conflict[0]["id"]: "resolving", conflict[1]["id"]: "active"}[memory["id"]]
        body = {"status": before, "if_updated_at": memory["updated_at"]}
        assert daemon.ok("PATCH", f"/v1/memories/{memory['id']}", body)["valid_to"] is None
    (item,) = waiting(daemon, profile)
    assert (item["memory"]["id"], item["against"][0]["id"]) == (conflict[0]["id"], conflict[1]["id"])


def test_only_what_was_seen_is_decided(daemon: Running, profile: str, conflict: Conflict) -> None:
    said, mine = conflict
    path = f"/v1/decisions/{said['id']}"
    for seen in ([], ["another"], [mine["id"], "another"]):
        refused = daemon.call("POST", path, {"decision": "this", "against": seen})
        assert_problem(refused, 409, "What it contradicts has changed meanwhile; look at it again.")
    assert daemon.ok("GET", f"/v1/memories/{mine['id']}")["status"] == "active"
    daemon.ok("POST", path, {"decision": "this", "against": [mine["id"]]})
    assert waiting(daemon, profile) == []


def test_what_contradicted_only_what_is_put_away_holds(daemon: Running, profile: str, conflict: Conflict) -> None:
    said, mine = conflict
    daemon.ok("PATCH", f"/v1/memories/{mine['id']}", {"status": "archived"})
    now = daemon.ok("GET", f"/v1/memories/{said['id']}")
    assert (now["status"], now["history"][-1]["changed_by"]) == ("active", "extraction")
    assert waiting(daemon, profile) == []
