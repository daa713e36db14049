"""The dashboard's home and pictures over HTTP."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.running import Running, assert_problem, eventually, running
from satchel.times import to_iso

PATHS = ("/v1/portrait", "/v1/pictures/timeline", "/v1/pictures/sites", "/v1/pictures/map")
QUESTION = "Where does the user keep Buckfast bees, in Zwischengeschoss?"
TOPICS = ("bees and hives", "the oboe", "night trains", "sourdough bread")


def look(daemon: Running, profile: str, path: str, **query: object) -> dict[str, Any]:
    return daemon.ok("GET", path, params={"profile": profile, **query})  # type: ignore[no-any-return]


def remember(daemon: Running, profile: str, text: str, **more: object) -> dict[str, Any]:
    return daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile} | more)  # type: ignore[no-any-return]


def test_nothing_is_known_of_a_new_profile(wordy: Running, profile: str) -> None:
    portrait = look(wordy, profile, "/v1/portrait")
    assert (portrait["profile"], portrait["sections"], portrait["total"]) == (profile, [], 0)
    assert {**portrait["today"], "day": ""} == {
        "day": "",
        "conversations": 0,
        "turns": 0,
        "learned": 0,
        "inserted": 0,
    }
    timeline = look(wordy, profile, "/v1/pictures/timeline")
    assert (timeline["by"], len(timeline["bars"])) == ("day", 1)
    assert timeline["from"] == timeline["until"] == portrait["today"]["day"]
    assert look(wordy, profile, "/v1/pictures/sites") == {"sites": []}
    assert look(wordy, profile, "/v1/pictures/map") == {"points": [], "clusters": [], "total": 0, "shown": 0}


def test_a_portrait_has_sections_of_memories_as_they_are_listed(wordy: Running, profile: str) -> None:
    remember(wordy, profile, "The user's sister is called Ada.")
    lives = remember(wordy, profile, "The user lives in Porto.")
    remember(wordy, profile, "Answer in metric.", kind="instruction")
    portrait = look(wordy, profile, "/v1/portrait")
    assert [(one["name"], one["total"]) for one in portrait["sections"]] == [("you", 1), ("people", 1), ("answers", 1)]
    assert portrait["sections"][0]["memories"] == [lives]
    assert portrait["total"] == 3
    assert portrait["today"]["learned"] == 3


def test_today_counts_what_came_in_today_however_old_it_is(wordy: Running, profile: str) -> None:
    old = {"role": "user", "content": "Once upon a time I kept bees.", "sent_at": "2019-05-01T10:00:00Z"}
    wordy.capture(profile=profile, messages=[old, {"role": "assistant", "content": "Did you?"}])
    remember(wordy, profile, "The user keeps Buckfast bees in Zwischengeschoss.", pinned=True)
    offered = wordy.ok("POST", "/v1/context", {"profile": profile, "query": QUESTION, "site": "test"})
    today = look(wordy, profile, "/v1/portrait")["today"]
    assert (today["conversations"], today["turns"], today["inserted"]) == (1, 2, 0)
    hits = [hit["id"] for hit in offered["hits"]]
    assert hits
    wordy.ok("POST", f"/v1/injections/{offered['injection_id']}", {"inserted": hits[:1]})
    assert look(wordy, profile, "/v1/portrait")["today"]["inserted"] == 1
    assert today["day"] == datetime.now().astimezone().date().isoformat()


def test_a_full_portrait_is_under_60_kb(wordy: Running, profile: str) -> None:
    kinds = ("fact", "event", "explicit_preference", "instruction")
    long = "word " * 120
    for number in range(60):
        remember(wordy, profile, f"The user {number} {long} {number}.", kind=kinds[number % 4], tags=[f"t{number}"])
    answer = wordy.call("GET", "/v1/portrait", params={"profile": profile})
    assert len(answer.content) < 60_000
    sections = answer.json()["sections"]
    assert [one["total"] for one in sections] == [15] * 4
    assert all(8 <= len(one["memories"]) <= 12 for one in sections)


def test_the_timeline_stands_where_things_were_said(wordy: Running, profile: str) -> None:
    sent = ["2026-09-29T12:00:00Z", "2026-09-29T12:01:00Z", "2026-10-02T12:00:00Z"]
    turns = [{"role": "user", "content": f"Turn {at}", "sent_at": at} for at in sent]
    wordy.capture(profile=profile, messages=turns)
    remember(wordy, profile, "The user keeps bees.")
    remember(wordy, profile, "The user prefers tea.", kind="explicit_preference")
    by_day = look(wordy, profile, "/v1/pictures/timeline", by="day")
    days = {bar["start"]: bar for bar in by_day["bars"]}
    day = datetime(2026, 9, 29, 12, tzinfo=UTC).astimezone().date().isoformat()
    assert (by_day["from"], by_day["bars"][0]["captured"], by_day["bars"][1]["captured"]) == (day, 2, 0)
    assert days[by_day["until"]]["learned"] == {"fact": 1, "explicit_preference": 1}
    for by, width in (("day", 4), ("week", 1), ("month", 2)):
        bars = look(wordy, profile, "/v1/pictures/timeline", by=by)["bars"]
        assert sum(bar["captured"] for bar in bars) == 3
        assert sum((Counter(bar["learned"]) for bar in bars), Counter()).total() == 2
        assert sum(bar["captured"] for bar in bars[:width]) == 3


def test_sites_tell_what_came_from_where(wordy: Running, profile: str) -> None:
    wordy.capture("One.", "Two.", profile=profile, external_id="a")
    wordy.capture("Three.", profile=profile, external_id="b")
    wordy.capture("Four.", profile=profile, external_id="c", site="elsewhere")
    remember(wordy, profile, "The user keeps Buckfast bees in Zwischengeschoss.", pinned=True)
    offered = wordy.ok("POST", "/v1/context", {"profile": profile, "query": QUESTION, "site": "a third"})
    hits = [hit["id"] for hit in offered["hits"]]
    assert hits
    wordy.ok("POST", f"/v1/injections/{offered['injection_id']}", {"inserted": hits})
    found = look(wordy, profile, "/v1/pictures/sites")["sites"]
    counted = [(one["site"], one["conversations"], one["turns"], one["memories"], one["inserted"]) for one in found]
    assert counted == [("test", 2, 3, 0, 0), ("elsewhere", 1, 1, 0, 0), ("a third", 0, 0, 0, len(hits))]
    assert all(one["last_at"] <= to_iso(2**42) for one in found)


@pytest.mark.parametrize("path", PATHS)
def test_other_profiles_are_not_seen(wordy: Running, profile: str, path: str) -> None:
    remember(wordy, profile, "The user lives in Porto.")
    other = wordy.new_token("--profile", "another")
    assert_problem(wordy.call("GET", path, token=other, params={"profile": profile}), 403, profile)
    assert "Porto" not in wordy.call("GET", path, token=other, params={"profile": "another"}).text
    asks = wordy.new_token("--scope", "recall", "--scope", "capture")
    assert_problem(wordy.call("GET", path, token=asks, params={"profile": profile}), 403, "manage")
    assert_problem(wordy.call("GET", path, params={"profile": profile, "width": "1"}), 400, "width")


def test_what_cannot_be_is_refused(wordy: Running) -> None:
    assert_problem(wordy.call("GET", "/v1/pictures/timeline", params={"by": "year"}), 400, "by")
    for limit in ("0", "5001", "x"):
        assert_problem(wordy.call("GET", "/v1/pictures/map", params={"limit": limit}), 400, "limit")


def test_without_an_embedding_model_the_map_only_tells_how_many_there_are(wordy: Running, profile: str) -> None:
    remember(wordy, profile, "The user lives in Porto.")
    found = look(wordy, profile, "/v1/pictures/map")
    assert (found["points"], found["total"], found["shown"]) == ([], 1, 0)


def test_what_is_learned_is_told_by_day_and_site(daemon: Running, profile: str) -> None:
    turn = {
        "role": "user",
        "content": "I live in Porto. I prefer trains to planes.",
        "sent_at": "2025-03-01T12:00:00Z",
    }
    done = daemon.capture(profile=profile, messages=[turn])
    daemon.finished(done["job_id"])
    bars = look(daemon, profile, "/v1/pictures/timeline")["bars"]
    learned = [sum(bar["learned"].values()) for bar in bars]
    assert learned[0] > 0
    assert not any(learned[1:])
    assert look(daemon, profile, "/v1/pictures/sites")["sites"][0]["memories"] == learned[0]
    you = look(daemon, profile, "/v1/portrait")["sections"][0]
    assert (you["name"], you["memories"][0]["sources"][0]["quote"]) == ("you", "I live in Porto.")


def test_the_map_draws_topics_apart_and_lets_go_of_what_is_forgotten(tmp_path: Path, models_folder: Path) -> None:
    with running(tmp_path / "data") as daemon:
        for number in range(10):
            for topic in TOPICS:
                remember(daemon, "me", f"The user reads book {number} about {topic}.", tags=[topic.split()[-1]])
        secret = remember(daemon, "me", "The user reads about Zwischengeschoss.", tags=["zwischengeschoss"])
        eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the vectors")
        found = look(daemon, "me", "/v1/pictures/map")
        assert (found["total"], found["shown"], len(found["points"])) == (41, 41, 41)
        assert all(0 <= point[axis] <= 1 for point in found["points"] for axis in "xy")
        names = {cluster["id"]: cluster["name"] for cluster in found["clusters"]}
        assert len(set(names.values())) == len(names) >= 3
        assert Counter(point["cluster"] for point in found["points"]) == {
            cluster["id"]: cluster["size"] for cluster in found["clusters"]
        }
        marked = sum(point["text"].rstrip(".").split()[-1] in names[point["cluster"]] for point in found["points"])
        assert marked >= 20
        assert look(daemon, "me", "/v1/pictures/map") == found
        assert look(daemon, "me", "/v1/pictures/map", limit=10)["shown"] == 10
        daemon.ok("DELETE", f"/v1/memories/{secret['id']}")
        after = daemon.call("GET", "/v1/pictures/map").text
        assert re.search("zwischengeschoss", after, re.IGNORECASE) is None
        assert daemon.ok("GET", "/v1/pictures/map")["total"] == 40
