"""Recall, context and what was inserted, as DESIGN.md promises them."""

from __future__ import annotations

import pytest

from api.running import Running, assert_problem

ROCKET = "My bicycle is called Rocket and its saddle is green."


def recall(daemon: Running, profile: str, query: str, **more: object) -> list[dict]:  # type: ignore[type-arg]
    return daemon.ok("POST", "/v1/recall", {"query": query, "profile": profile} | more)["hits"]  # type: ignore[no-any-return]


def remember(daemon: Running, profile: str, text: str, **more: object) -> str:
    return str(daemon.ok("POST", "/v1/memories", {"text": text, "profile": profile} | more)["id"])


@pytest.fixture
def bicycle(daemon: Running, profile: str) -> str:
    """A memory that the model has read and found; its id."""
    return remember(daemon, profile, "The user's bicycle is called Rocket; its saddle is green.")


def test_a_captured_turn_is_found_at_once_with_all_its_fields(wordy: Running, profile: str) -> None:
    done = wordy.capture(ROCKET, profile=profile)
    (hit,) = recall(wordy, profile, "the bicycle's saddle")
    wanted = "type id kind text score said_by conversation_id sources time status"
    assert set(wanted.split()) <= set(hit)
    assert (hit["type"], hit["kind"], hit["said_by"], hit["status"]) == ("turn", "turn", "user", "active")
    assert hit["id"] == done["message_ids"][0]
    (source,) = hit["sources"]
    assert source["quote"] == ROCKET[source["start"] : source["end"]] == ROCKET


def test_the_best_hits_come_first_and_no_more_than_asked_for(wordy: Running, profile: str) -> None:
    wordy.capture(*[f"Apples number {n} are red." for n in range(20)], "Pears are green.", profile=profile)
    for limit in (1, 5, 100):
        hits = recall(wordy, profile, "apples", limit=limit)
        assert len(hits) <= limit
        assert [h["score"] for h in hits] == sorted((h["score"] for h in hits), reverse=True)
    for limit in (0, 101, -1, "many"):
        assert_problem(wordy.call("POST", "/v1/recall", {"query": "apples", "limit": limit}), 400, "limit")


def test_only_the_kinds_asked_for_are_found(wordy: Running, profile: str) -> None:
    wordy.capture(ROCKET, profile=profile)
    fact = remember(wordy, profile, "The bicycle is called Rocket.")
    told = remember(wordy, profile, "Answer about the bicycle in one line.", kind="instruction")
    assert [h["id"] for h in recall(wordy, profile, "bicycle", kinds=["fact"])] == [fact]
    assert [h["id"] for h in recall(wordy, profile, "bicycle", kinds=["instruction"])] == [told]
    assert {h["type"] for h in recall(wordy, profile, "bicycle", kinds=["turn"])} == {"turn"}
    assert len(recall(wordy, profile, "bicycle")) == 3
    assert recall(wordy, profile, "bicycle", kinds=[]) == []
    assert_problem(wordy.call("POST", "/v1/recall", {"query": "q", "kinds": ["nonsense"]}), 400, "kinds")


def test_a_filter_narrows_by_site_conversation_speaker_tag_and_time(wordy: Running, profile: str) -> None:
    def say(content: str, at: str, role: str = "user", **more: object) -> dict:  # type: ignore[type-arg]
        messages = [{"role": role, "content": content, "sent_at": at}]
        return wordy.ok("POST", "/v1/messages", {"profile": profile, "site": "a", "messages": messages} | more)  # type: ignore[no-any-return]

    early = say("apples in January", "2026-01-01T10:00:00Z", external_id="1")
    late = say("apples in June", "2026-06-01T10:00:00Z", external_id="2", site="b")
    said = say("apples, said the assistant", "2026-06-02T10:00:00Z", "assistant", external_id="3")
    tagged = remember(wordy, profile, "The user grows apples.", tags=["garden"], valid_from="2026-07-01T00:00:00Z")

    def ids(**only: object) -> set[str]:
        return {h["id"] for h in recall(wordy, profile, "apples", filter=only)}

    everything = {early["message_ids"][0], late["message_ids"][0], said["message_ids"][0], tagged}
    assert ids() == everything
    assert ids(site="b") == {late["message_ids"][0]}
    assert ids(conversation_id=early["conversation_id"]) == {early["message_ids"][0]}
    assert ids(said_by="assistant") == {said["message_ids"][0]}
    assert ids(tags=["garden"]) == {tagged}
    assert ids(since="2026-06-02T00:00:00Z") == {said["message_ids"][0], tagged}
    assert ids(until="2026-01-31T00:00:00Z") == {early["message_ids"][0]}
    assert_problem(wordy.call("POST", "/v1/recall", {"query": "q", "filter": {"since": "x"}}), 400, "filter.since")


def test_asking_as_of_a_moment_finds_what_held_then(wordy: Running, profile: str) -> None:
    remember(wordy, profile, "The user lives in Turin.", valid_from="2026-01-01T00:00:00Z")
    remember(wordy, profile, "The user lives in Porto.", valid_from="2026-06-01T00:00:00Z")
    then = recall(wordy, profile, "Where does the user live?", at="2026-03-01T00:00:00Z")
    assert [h["text"] for h in then] == ["The user lives in Turin."]


def test_the_conversation_that_asks_is_not_offered_its_own_turns(wordy: Running, profile: str) -> None:
    wordy.capture(ROCKET, profile=profile, external_id="this")
    wordy.capture("Rocket is my bicycle's name.", profile=profile, external_id="that")
    hits = recall(wordy, profile, "bicycle Rocket", external_id="this")
    assert [h["text"] for h in hits] == ["Rocket is my bicycle's name."]


def test_one_profile_never_sees_another(wordy: Running, profile: str) -> None:
    wordy.capture(ROCKET, profile=profile)
    assert recall(wordy, f"{profile}-other", "bicycle") == []


# Context


def context(daemon: Running, profile: str, query: str, **more: object) -> dict:  # type: ignore[type-arg]
    return daemon.ok("POST", "/v1/context", {"query": query, "profile": profile} | more)  # type: ignore[no-any-return]


QUESTION = "What colour is the saddle of my bicycle Rocket?"


def test_a_context_holds_what_bears_on_the_question(daemon: Running, profile: str, bicycle: str) -> None:
    answer = context(daemon, profile, QUESTION)
    assert {"context", "tokens", "hits", "injection_id"} <= set(answer)
    assert [h["id"] for h in answer["hits"]] == [bicycle]
    assert "Rocket" in answer["context"]
    assert answer["prompt"].endswith(QUESTION)


def test_a_context_is_empty_when_nothing_is_relevant(daemon: Running, profile: str, bicycle: str) -> None:
    answer = context(daemon, profile, "Explain how a SQL left join differs from an inner join.")
    assert (answer["context"], answer["tokens"], answer["hits"]) == ("", 0, [])


@pytest.mark.parametrize("budget", [1, 50, 200, 300, 500, 800, 2000])
def test_a_context_never_exceeds_its_budget(daemon: Running, profile: str, budget: int) -> None:
    for number in range(12):
        remember(
            daemon, profile, f"The user's bicycle number {number} has a green saddle and is called Rocket {number}."
        )
    answer = context(daemon, profile, QUESTION, budget_tokens=budget)
    assert answer["tokens"] <= budget
    assert (answer["context"] == "") == (answer["tokens"] == 0)


def test_without_models_a_context_never_exceeds_its_budget_either(wordy: Running, profile: str) -> None:
    for number in range(12):
        remember(
            wordy, profile, f"The user's bicycle number {number} has a green saddle and is called Rocket {number}."
        )
    for budget in (1, 100, 300, 1000, 3000):
        answer = context(wordy, profile, QUESTION, budget_tokens=budget)
        # A token of a byte-level tokenizer is at least a byte.
        assert len(answer["context"].encode()) >= answer["tokens"] / 2
        assert answer["tokens"] <= budget


def test_a_budget_out_of_range_is_refused(wordy: Running) -> None:
    for budget in (0, -1, 32_001):
        assert_problem(wordy.call("POST", "/v1/context", {"query": "q", "budget_tokens": budget}), 400, "budget_tokens")


def test_the_style_is_the_askers_choice(daemon: Running, profile: str, bicycle: str) -> None:
    full = context(daemon, profile, QUESTION, style="full", budget_tokens=2000)
    compact = context(daemon, profile, QUESTION, style="compact", budget_tokens=2000)
    assert 0 < compact["tokens"] < full["tokens"]
    assert_problem(daemon.call("POST", "/v1/context", {"query": "q", "style": "loud"}), 400, "style")


def test_what_was_inserted_is_not_offered_to_that_conversation_again(
    daemon: Running, profile: str, bicycle: str
) -> None:
    first = context(daemon, profile, QUESTION, site="a", external_id="chat")
    asked_again = context(daemon, profile, QUESTION, site="a", external_id="chat")
    assert [h["id"] for h in asked_again["hits"]] == [bicycle], "asking marks nothing as given"
    daemon.ok("POST", f"/v1/injections/{first['injection_id']}", {"inserted": [bicycle]})
    assert context(daemon, profile, QUESTION, site="a", external_id="chat")["context"] == ""
    assert context(daemon, profile, QUESTION, site="a", external_id="another")["hits"]


def test_a_new_chat_gets_its_id_with_the_report(daemon: Running, profile: str, bicycle: str) -> None:
    first = context(daemon, profile, QUESTION, site="a")
    daemon.ok("POST", f"/v1/injections/{first['injection_id']}", {"inserted": [bicycle], "external_id": "born"})
    assert context(daemon, profile, QUESTION, site="a", external_id="born")["hits"] == []


def test_a_report_of_nothing_inserted_leaves_it_on_offer(daemon: Running, profile: str, bicycle: str) -> None:
    first = context(daemon, profile, QUESTION, external_id="chat")
    daemon.ok("POST", f"/v1/injections/{first['injection_id']}", {"inserted": []})
    assert context(daemon, profile, QUESTION, external_id="chat")["hits"]


def test_a_report_names_only_what_was_offered(daemon: Running, profile: str, bicycle: str) -> None:
    first = context(daemon, profile, QUESTION)
    path = f"/v1/injections/{first['injection_id']}"
    assert_problem(daemon.call("POST", path, {"inserted": ["something else"]}), 400, "something else")
    assert_problem(daemon.call("POST", "/v1/injections/nothing", {"inserted": []}), 404)
