"""Deriving again and pausing, through the API: nothing is lost by a restart, and nobody does it for another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.running import Running, assert_problem, eventually, running

FACTS = ("My sister Ana lives in Porto.", "I am allergic to peanuts.")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    """Pausing it and starting it anew must not disturb the others' tests."""
    with running(tmp_path_factory.mktemp("rederive") / "data") as daemon:
        yield daemon


def state(daemon: Running, profile: str, wanted: str) -> dict[str, Any]:
    """What is told once it has come so far."""

    def look() -> dict[str, Any] | None:
        now: dict[str, Any] = daemon.ok("GET", "/v1/rederive", params={"profile": profile})
        return now if now["state"] == wanted else None

    return eventually(look, what=wanted)


def remembered(daemon: Running, profile: str) -> dict[str, dict[str, Any]]:
    """All memories by id, with history."""
    found = {}
    for status in ("candidate", "active", "resolving", "superseded", "archived"):
        for item in daemon.ok("GET", "/v1/memories", params={"profile": profile, "status": status})["items"]:
            found[item["id"]] = daemon.ok("GET", f"/v1/memories/{item['id']}")
    return found


def test_the_same_model_finds_nothing_to_change(daemon: Running, profile: str) -> None:
    daemon.finished(daemon.capture(*FACTS, profile=profile)["job_id"])
    before = remembered(daemon, profile)
    assert before
    begun = daemon.ok("POST", "/v1/rederive", {"profile": profile})
    assert (begun["profile"], begun["turns"]) == (profile, 2)
    ready = state(daemon, profile, "ready")
    assert (ready["read"], ready["total"], ready["items"], ready["error"]) == (2, 0, [], None)
    assert remembered(daemon, profile) == before


def test_what_was_never_read_is_shown_first_and_comes_when_it_is_applied(daemon: Running, profile: str) -> None:
    job = daemon.finished(daemon.capture(*FACTS, profile=profile)["job_id"])
    written = daemon.ok("POST", "/v1/memories", {"text": "I am Kim.", "profile": profile})
    gone, *kept = job["memory_ids"]
    daemon.ok("DELETE", f"/v1/memories/{gone}")
    for memory_id in kept:
        daemon.ok("PATCH", f"/v1/memories/{memory_id}", {"status": "archived"})
    before = remembered(daemon, profile)
    daemon.ok("POST", "/v1/rederive", {"profile": profile})
    ready = state(daemon, profile, "ready")
    assert ready["total"] == 0, "what was forgotten, put away or written by hand stays so"
    answer = daemon.call("POST", "/v1/rederive/apply", {"profile": profile, "preview": "another"})
    assert_problem(answer, 409, "look at the changes again")
    daemon.ok("POST", "/v1/rederive/apply", {"profile": profile, "preview": ready["preview"]})
    state(daemon, profile, "applied")
    assert remembered(daemon, profile) == before
    assert before[written["id"]]["text"] == "I am Kim."
    daemon.ok("DELETE", f"/v1/rederive?profile={profile}")
    assert state(daemon, profile, "none")["total"] == 0


def test_a_pause_holds_the_jobs_up_and_outlasts_a_restart(own: Running, profile: str) -> None:
    own.finished(own.capture("I live in Oslo.", profile=profile, external_id="before")["job_id"])
    now = own.ok("GET", "/v1/status")
    assert (now["paused"], now["seconds_left"]) == (False, 0)
    assert now["rate"] > 0
    assert own.ok("POST", "/v1/extraction", {"paused": True}) == {"paused": True}
    kept = own.capture(*FACTS, profile=profile)
    assert own.ok("POST", "/v1/recall", {"query": "peanuts", "profile": profile})["hits"]
    own.ok("POST", "/v1/rederive", {"profile": profile})
    own.stop()
    own.start()
    now = own.ok("GET", "/v1/status")
    assert (now["paused"], now["queued"], now["seconds_left"], now["rate"]) == (True, 1, None, None)
    told = own.ok("GET", "/v1/rederive", params={"profile": profile})
    assert (told["state"], told["paused"], told["read"]) == ("reading", True, 0)
    own.ok("POST", "/v1/extraction", {"paused": False})
    assert own.finished(kept["job_id"])["attempts"] == 1
    assert state(own, profile, "ready")["read"] == 3


def test_without_models_it_says_what_it_waits_for(wordy: Running, profile: str) -> None:
    wordy.capture(*FACTS, profile=profile)
    begun = wordy.ok("POST", "/v1/rederive", {"profile": profile})
    assert begun["state"] == "reading"
    assert "satchel models pull" in begun["error"]
    wordy.ok("DELETE", f"/v1/rederive?profile={profile}")


def test_a_profile_without_turns_is_told(wordy: Running, profile: str) -> None:
    assert_problem(wordy.call("POST", "/v1/rederive", {"profile": profile}), 404, "nothing to derive again")
    assert wordy.ok("GET", "/v1/rederive", params={"profile": profile})["state"] == "none"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/rederive", {"colour": "red"}),
        ("POST", "/v1/rederive/apply", {"preview": "p", "colour": "red"}),
        ("POST", "/v1/extraction", {"paused": True, "colour": "red"}),
        ("GET", "/v1/rederive?colour=red", None),
        ("DELETE", "/v1/rederive?colour=red", None),
    ],
)
def test_unknown_fields_are_refused_by_name(wordy: Running, method: str, path: str, body: Any) -> None:
    assert_problem(wordy.call(method, path, body), 400, "colour")
    assert wordy.ok("GET", "/v1/status")["paused"] is False


def test_only_who_may_manage_a_profile_derives_it_again_and_only_who_may_all_pauses(wordy: Running) -> None:
    calls: list[tuple[str, str, Any]] = [
        ("POST", "/v1/rederive", {}),
        ("GET", "/v1/rederive", None),
        ("POST", "/v1/rederive/apply", {"preview": "p"}),
        ("DELETE", "/v1/rederive", None),
        ("POST", "/v1/extraction", {"paused": True}),
    ]
    for token in (wordy.new_token("--scope", "recall"), wordy.new_token("--profile", "work")):
        for method, path, body in calls:
            assert_problem(wordy.call(method, path, body, token=token), 403)
    assert wordy.ok("GET", "/v1/status")["paused"] is False
