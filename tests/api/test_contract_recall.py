"""Recall, context and what was inserted, as DESIGN.md promises them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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


# What may go where

GARDEN = "What should I know about my garden with the pears?"
KINDS = {
    "fact": "The user's garden has two pear trees.",
    "event": "The user planted the pear hedge in the garden in March.",
    "explicit_preference": "The user likes pears from the garden best.",
    "instruction": "The user wants garden advice about pears in short sentences.",
}


def lines(answer: dict) -> set[str]:  # type: ignore[type-arg]
    return {line for line in answer["context"].splitlines() if line.startswith("- [")}


def ids(answer: dict) -> list[str]:  # type: ignore[type-arg]
    return [hit["id"] for hit in answer["hits"]]


@pytest.fixture
def garden(daemon: Running, profile: str) -> dict[str, str]:
    """Four memories, one of each kind, and a turn, all on pears in a garden; text → id."""
    made = {text: remember(daemon, profile, text, kind=kind) for kind, text in KINDS.items()}
    said = daemon.capture("The pears in my garden grow on the south wall.", profile=profile)
    return made | {"turn": said["message_ids"][0]}


def test_only_the_kinds_asked_for_are_in_a_context(daemon: Running, profile: str, garden: dict[str, str]) -> None:
    everything = context(daemon, profile, GARDEN, budget_tokens=3000)
    assert {hit["kind"] for hit in everything["hits"]} >= {"fact", "event", "explicit_preference", "instruction"}
    for kind in KINDS:
        answer = context(daemon, profile, GARDEN, budget_tokens=3000, kinds=[kind])
        assert [hit["kind"] for hit in answer["hits"]] == [kind]
    told = context(daemon, profile, GARDEN, budget_tokens=3000, kinds=["turn"])
    assert {hit["kind"] for hit in told["hits"]} <= {"turn"}
    assert context(daemon, profile, GARDEN, kinds=[])["context"] == ""
    assert_problem(daemon.call("POST", "/v1/context", {"query": "q", "kinds": ["nonsense"]}), 400, "kinds")


def test_any_choice_from_a_preview_is_what_the_context_holds(
    daemon: Running, profile: str, garden: dict[str, str]
) -> None:
    first = context(daemon, profile, GARDEN, budget_tokens=3000, style="full")
    assert len(first["hits"]) >= 4
    shown = {hit["id"]: hit["text"] for hit in first["hits"]}

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sets(st.sampled_from(sorted(shown))), st.lists(st.text(max_size=20), max_size=3))
    def choose(chosen: set[str], unknown: list[str]) -> None:
        again = context(daemon, profile, GARDEN, budget_tokens=3000, style="full", only=[*unknown, *sorted(chosen)])
        assert set(ids(again)) == chosen
        assert lines(again) <= lines(first)
        assert len(lines(again)) == len(chosen)
        assert (again["context"] == "") == (not chosen)

    choose()


def test_a_choice_holds_whatever_the_question_became(daemon: Running, profile: str, garden: dict[str, str]) -> None:
    fact = garden[KINDS["fact"]]
    assert ids(context(daemon, profile, "Hello!", only=[fact])) == [fact]
    assert ids(context(daemon, profile, "Explain SQL joins.", only=[fact, garden["turn"]])).count(fact) == 1
    assert context(daemon, profile, "Hello!")["hits"] == []


def test_a_choice_is_never_more_than_was_chosen_nor_more_than_the_budget(
    daemon: Running, profile: str, garden: dict[str, str]
) -> None:
    for budget in (1, 100, 150, 200):
        answer = context(daemon, profile, GARDEN, budget_tokens=budget, only=list(garden.values()))
        assert set(ids(answer)) <= set(garden.values())
        assert answer["tokens"] <= budget


def test_another_profile_s_id_is_not_found(daemon: Running, profile: str, garden: dict[str, str]) -> None:
    other = remember(daemon, f"{profile}-other", "The user's garden has a pear called Conference.")
    mine = garden[KINDS["fact"]]
    assert ids(context(daemon, profile, GARDEN, only=[other, mine])) == [mine]
    assert context(daemon, profile, GARDEN, only=[other])["context"] == ""


def test_a_choice_has_its_limits(wordy: Running) -> None:
    assert_problem(wordy.call("POST", "/v1/context", {"query": "q", "only": ["x"] * 201}), 400, "only")
    assert_problem(wordy.call("POST", "/v1/context", {"query": "q", "not_from": ["x"] * 101}), 400, "not_from")
    assert_problem(wordy.call("POST", "/v1/context", {"query": "q", "only_from": []}), 400, "only_from")
    assert wordy.ok("POST", "/v1/context", {"query": "q", "only": ["x"] * 200, "not_from": ["x"] * 100})["hits"] == []


def test_nothing_comes_from_a_site_that_is_left_out(daemon: Running, profile: str) -> None:
    done = {
        site: daemon.capture(
            f"I own a bicycle called Rocket with a green saddle from {town}. I live in Porto near the {town} market.",
            profile=profile,
            site=site,
            external_id=site,
        )
        for site, town in (("a", "Lyon"), ("b", "Turin"))
    }
    for one in done.values():
        daemon.finished(one["job_id"])
    by_hand = remember(daemon, profile, "The user's bicycle Rocket has a green saddle and a bell.")
    question = "Where do I live, and what colour is the saddle of my bicycle Rocket?"
    of = {site: one["conversation_id"] for site, one in done.items()}
    held = [item["id"] for item in daemon.ok("GET", f"/v1/memories?profile={profile}")["items"]]

    def rests_on(**more: object) -> set[str]:
        answer = context(daemon, profile, question, budget_tokens=3000, **more)
        assert by_hand in ids(answer)
        return {source["conversation_id"] for hit in answer["hits"] for source in hit["sources"]}

    # Both say the same, so that one stands for both: it must not hide the other when its site is left out.
    assert rests_on(not_from=["b"]) == rests_on(not_from=["b"], only=held) == {of["a"]}
    assert rests_on(not_from=["a"]) == rests_on(not_from=["a"], only=held) == {of["b"]}
    assert rests_on(not_from=["a", "b"]) == rests_on(not_from=["a", "b"], only=held) == set()
    assert rests_on(not_from=["nowhere"]) == rests_on() != set()


SNACKS = "Which snacks should I pack for my daughter Mia's school trip?"


def test_special_categories_are_marked_and_left_out_on_demand(daemon: Running, profile: str) -> None:
    allergy = remember(daemon, profile, "The user's daughter Mia is allergic to peanuts.")
    faith = remember(daemon, profile, "The user's daughter Mia eats only halal snacks.")
    plain = remember(daemon, profile, "Mia's school trip goes to the zoo by bus.")
    marked = {hit["id"]: hit["special"] for hit in recall(daemon, profile, SNACKS)}
    assert "health" in marked[allergy]
    assert "religion" in marked[faith]
    assert marked[plain] == []
    assert {allergy, faith, plain} <= set(ids(context(daemon, profile, SNACKS)))
    answer = context(daemon, profile, SNACKS, special=False)
    assert ids(answer) == [plain]
    assert "peanuts" not in answer["context"]
    assert ids(context(daemon, profile, SNACKS, special=False, only=[allergy, faith, plain])) == [plain]
    assert_problem(daemon.call("POST", "/v1/context", {"query": "q", "special": "no"}), 400, "special")


def test_what_is_left_out_does_not_take_the_place_of_what_is_behind_it(daemon: Running, profile: str) -> None:
    for number in range(60):
        remember(daemon, profile, f"The user's daughter Mia packs insulin and snacks for school trip {number}.")
    plain = remember(daemon, profile, "Mia likes apple slices on a trip.")
    assert plain not in ids(context(daemon, profile, SNACKS, budget_tokens=32_000))
    assert ids(context(daemon, profile, SNACKS, special=False, budget_tokens=32_000)) == [plain]


def test_without_a_model_nothing_can_be_judged_and_nothing_goes(wordy: Running, profile: str) -> None:
    remember(wordy, profile, "The bicycle's saddle is green.")
    remember(wordy, profile, "The bicycle is for days without migraine.")
    answer = context(wordy, profile, "bicycle", special=False)
    assert (answer["context"], answer["hits"]) == ("", [])
    assert {tuple(hit["special"]) for hit in recall(wordy, profile, "bicycle")} == {(), ("health",)}
