"""Why something goes into a context, what came near, and what another threshold would let in."""

from __future__ import annotations

from typing import Any

import pytest

from api.running import Running, assert_problem, eventually

QUESTION = "What is my bicycle called?"


@pytest.fixture
def asked(daemon: Running, profile: str) -> dict[str, Any]:
    for text in (
        "The user's bicycle is called Rocket.",
        "The user has a bicycle helmet.",
        "The user once baked a cake.",
        *(f"The user has read the novel number {n}." for n in range(12)),
    ):
        daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile})
    until_indexed(daemon)
    return {"query": QUESTION, "profile": profile}


def until_indexed(daemon: Running) -> None:
    """Found by meaning as well: else the same question may be answered otherwise a moment later."""
    eventually(lambda: daemon.ok("GET", "/v1/status")["indexing"] == 0, what="the vectors")


def context(daemon: Running, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    return daemon.ok("POST", "/v1/context", body | more)  # type: ignore[no-any-return]


def test_without_it_nothing_of_the_answer_changes(daemon: Running, asked: dict[str, Any]) -> None:
    plain, explained = context(daemon, asked), context(daemon, asked, explain=True)
    assert set(plain) == {"context", "prompt", "tokens", "hits", "injection_id"}
    assert all("reasons" not in hit for hit in plain["hits"])
    assert explained["context"] == plain["context"]
    bare = [{name: value for name, value in hit.items() if name != "reasons"} for hit in explained["hits"]]
    assert bare == plain["hits"]


def test_hits_say_why_and_what_came_near_is_told(daemon: Running, asked: dict[str, Any]) -> None:
    found = context(daemon, asked, explain=True)
    assert "Rocket" in found["hits"][0]["text"]
    below = found["below"]
    assert 0 < len(below) <= 10
    assert all(hit["reasons"] for hit in [*found["hits"], *below])
    scores = [hit["score"] for hit in below]
    assert scores == sorted(scores, reverse=True)
    assert max(scores) < found["threshold"] == 0.5
    assert not {hit["id"] for hit in below} & {hit["id"] for hit in found["hits"]}


def test_another_threshold_counts_for_this_question_alone(daemon: Running, asked: dict[str, Any]) -> None:
    usual = context(daemon, asked, explain=True)
    strict = context(daemon, asked, explain=True, threshold=1.0)
    assert (strict["hits"], strict["context"], strict["threshold"]) == ([], "", 1.0)
    assert strict["below"][0]["id"] == usual["hits"][0]["id"]
    wide = context(daemon, asked, explain=True, threshold=0.0)
    assert len(wide["hits"]) > len(usual["hits"])
    assert wide["below"] == []
    assert context(daemon, asked)["hits"] == context(daemon, asked | {"explain": False})["hits"] != []


def test_who_only_asks_does_not_decide_how_much_is_told(daemon: Running, asked: dict[str, Any]) -> None:
    asks = daemon.new_token("--scope", "recall")
    for threshold in (0.0, 0.5, 1.0):
        refused = daemon.call("POST", "/v1/context", asked | {"threshold": threshold}, token=asks)
        assert_problem(refused, 403, "manage")
    assert daemon.call("POST", "/v1/context", asked | {"explain": True}, token=asks).json()["below"]


def test_of_chosen_hits_none_is_below(daemon: Running, asked: dict[str, Any]) -> None:
    first = context(daemon, asked)["hits"][0]["id"]
    found = context(daemon, asked, only=[first], explain=True)
    assert ([hit["id"] for hit in found["hits"]], found["threshold"], found["below"]) == ([first], None, [])


def test_without_special_categories_none_is_told_of_either(daemon: Running, asked: dict[str, Any]) -> None:
    sensitive = "The user takes ramipril for high blood pressure on the bicycle."
    daemon.ok("POST", "/v1/memories", {"text": sensitive, "profile": asked["profile"]})
    until_indexed(daemon)
    strict = {"explain": True, "threshold": 1.0}
    assert sensitive in [hit["text"] for hit in context(daemon, asked, **strict)["below"]]
    harmless = context(daemon, asked, **strict, special=False)
    assert "The user's bicycle is called Rocket." in [hit["text"] for hit in harmless["below"]]
    assert sensitive not in [hit["text"] for hit in harmless["below"]]


@pytest.mark.parametrize("threshold", [-0.1, 1.1, "half"])
def test_a_threshold_lies_between_0_and_1(wordy: Running, profile: str, threshold: Any) -> None:
    body = {"query": QUESTION, "profile": profile, "threshold": threshold}
    assert_problem(wordy.call("POST", "/v1/context", body), 400, "threshold")
