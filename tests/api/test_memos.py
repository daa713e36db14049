"""The MemOS-compatible calls, as MEMOS_API.md describes them and as its clients really send them."""

from __future__ import annotations

from typing import Any

import pytest

from api.running import Running, eventually
from satchel.api.memos import relativity_of, threshold_of

PORTO = "I live in Porto and I prefer trains to planes."


def said(content: Any = PORTO, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content} | more


def ok(daemon: Running, path: str, body: dict[str, Any]) -> Any:
    answer = daemon.memos(path, body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["code"] == 0
    assert answer.json()["message"] == "ok"
    return answer.json()["data"]


def code(daemon: Running, path: str, body: Any) -> int:
    answer = daemon.memos(path, body)
    assert answer.status_code >= 400
    assert set(answer.json()) == {"code", "data", "message"}
    assert answer.json()["message"]
    return int(answer.json()["code"])


def log_of(daemon: Running, profile: str, **query: str) -> list[dict[str, Any]]:
    page = daemon.ok("GET", "/v1/conversations", params={"profile": profile, "site": "memos", **query})
    return daemon.log(page["items"][0]["id"])


@pytest.fixture(scope="module")
def resident(daemon: Running) -> str:
    """A user whose one message was read."""
    user = "memos-resident"
    data = ok(
        daemon, "add/message", {"user_id": user, "conversation_id": "c1", "messages": [said()], "async_mode": False}
    )
    assert data["status"] == "completed"
    return user


def test_sync_mode_answers_when_the_memories_are_there(daemon: Running, resident: str) -> None:
    found = ok(daemon, "search/memory", {"user_id": resident, "query": "Where do I live?", "relativity": 0})
    texts = [m["memory_value"] for m in found["memory_detail_list"]]
    texts += [m["preference"] for m in found["preference_detail_list"]]
    assert any("Porto" in text for text in texts)


def test_async_mode_answers_at_once_and_the_status_can_be_asked(daemon: Running, profile: str) -> None:
    data = ok(daemon, "add/message", {"user_id": profile, "messages": [said()]})
    assert data["success"] is True
    assert data["status"] == "running"

    def completed() -> Any:
        status = ok(daemon, "get/status", {"task_id": data["task_id"]})
        assert status["task_id"] == data["task_id"]
        return status if status["status"] == "completed" else None

    views = eventually(completed, what="the end of the task")["memory_views"]
    assert views["added"] >= 1
    assert views["detail_factual"]["memory_ids"] + views["preference"]["memory_ids"]


def test_a_fact_and_a_preference_have_the_fields_of_the_documents(daemon: Running, resident: str) -> None:
    found = ok(daemon, "search/memory", {"user_id": resident, "query": "Porto trains planes", "relativity": 0})
    assert set(found) == {
        "memory_detail_list",
        "preference_detail_list",
        "tool_memory_detail_list",
        "skill_detail_list",
        "profile_detail_list",
        "event_detail_list",
        "preference_note",
    }
    both = "id create_time update_time conversation_id status relativity"
    fact = f"{both} memory_key memory_value memory_type confidence tags"
    preference = f"{both} preference preference_type reasoning"
    items = [(fact, item) for item in found["memory_detail_list"]]
    items += [(preference, item) for item in found["preference_detail_list"]]
    assert items
    for fields, item in items:
        assert set(item) == set(fields.split())
        assert item["status"] == "activated"
        assert item["conversation_id"] == "c1"
        assert item["create_time"] > 1.6e12, "milliseconds since the epoch"
        assert 0 <= item["relativity"] <= 1


def test_explicit_nulls_and_unknown_fields_are_as_if_absent(daemon: Running, resident: str) -> None:
    nulls = dict.fromkeys(
        ("info", "source", "app_id", "agent_id", "tags", "allow_knowledgebase_ids", "allow_memory_view")
    )
    ok(daemon, "add/message", {"user_id": resident, "conversation_id": None, "messages": [said()], **nulls, "new": 1})
    nulls = dict.fromkeys(
        ("conversation_id", "agent_id", "filter", "knowledgebase_ids", "relativity", "include_memory_view", "source")
    )
    body = {"user_id": resident, "query": "Where do I live?", "context_format": "memory", **nulls}
    ok(daemon, "search/memory", body | dict.fromkeys(("memory_limit_number", "include_preference")))


def test_a_list_of_users_is_searched_together(daemon: Running, resident: str) -> None:
    body = {"user_id": ["nobody", resident], "query": "Porto trains", "relativity": 0}
    found = ok(daemon, "search/memory", body)
    assert found["memory_detail_list"] + found["preference_detail_list"]
    assert code(daemon, "add/message", {"user_id": ["a", "b"], "messages": [said()]}) == 40000


def test_an_agent_stands_in_for_a_user(wordy: Running, profile: str) -> None:
    ok(wordy, "add/message", {"agent_id": profile, "messages": [said()]})
    ok(wordy, "add/message", {"agent_id": [profile], "user_id": None, "messages": [said()]})
    assert log_of(wordy, profile)[0]["content"] == PORTO


def test_a_conversation_without_an_id_gets_one(wordy: Running, profile: str) -> None:
    for _ in range(2):
        ok(wordy, "add/message", {"user_id": profile, "messages": [said()]})
    assert wordy.ok("GET", "/v1/conversations", params={"profile": profile})["total"] == 2


def test_content_in_parts_keeps_its_words_and_marks_the_rest(wordy: Running, profile: str) -> None:
    parts = [
        {"type": "text", "text": "Look at this:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,xxxx"}},
        {"type": "file", "file": {"file_data": "https://example.org/a.pdf"}},
    ]
    ok(wordy, "add/message", {"user_id": profile, "messages": [said(parts)]})
    assert log_of(wordy, profile)[0]["content"] == "Look at this:\n[image_url]\n[file]"


def test_a_part_of_text_without_any_leaves_nothing(wordy: Running, profile: str) -> None:
    empty = {"type": "text", "text": ""}
    messages = [said([empty, {"type": "text", "text": PORTO}, {"type": "text", "text": None}]), said([empty])]
    ok(wordy, "add/message", {"user_id": profile, "messages": messages})
    assert [message["content"] for message in log_of(wordy, profile)] == [PORTO]


def test_a_user_named_twice_is_one_user(wordy: Running, profile: str) -> None:
    ok(wordy, "add/message", {"user_id": [profile, profile], "messages": [said()]})
    wordy.ok("POST", "/v1/memories", {"text": "The user grows apples.", "profile": profile})
    body = {"user_id": [profile, profile], "query": "apples", "relativity": 0}
    assert len(ok(wordy, "search/memory", body)["memory_detail_list"]) == 1


@pytest.mark.parametrize(
    ("chat_time", "filed"),
    [
        ("2025-06-10T12:00:00Z", "2025-06-10T12:00:00Z"),
        ("2025-06-10 12:00:00", "2025-06-10T12:00:00Z"),
        ("2025-06-10 12:00", "2025-06-10T12:00:00Z"),
        ("2025-06-10", "2025-06-10T00:00:00Z"),
        ("2025-06-10T14:00:00+02:00", "2025-06-10T12:00:00Z"),
        (1749556800, "2025-06-10T12:00:00Z"),
        (1749556800000, "2025-06-10T12:00:00Z"),
        (1749556800.5, "2025-06-10T12:00:00.500Z"),
        ("1749556800000", "2025-06-10T12:00:00Z"),
        ("1749556800", "2025-06-10T12:00:00Z"),
    ],
)
def test_the_forms_of_chat_time(wordy: Running, profile: str, chat_time: Any, filed: str) -> None:
    ok(wordy, "add/message", {"user_id": profile, "messages": [said(chat_time=chat_time)]})
    assert log_of(wordy, profile)[0]["time"] == filed


@pytest.mark.parametrize("chat_time", [None, "", 1e308, -1e308, 10**18, 0])
def test_an_unbelievable_chat_time_loses_no_message(wordy: Running, profile: str, chat_time: Any) -> None:
    ok(wordy, "add/message", {"user_id": profile, "messages": [said(chat_time=chat_time)]})
    assert log_of(wordy, profile)[0]["content"] == PORTO


def test_messages_of_tools_and_without_words_are_taken(wordy: Running, profile: str) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f"}}],
        },
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        said(),
    ]
    ok(wordy, "add/message", {"user_id": profile, "messages": messages})
    assert [message["role"] for message in log_of(wordy, profile)] == ["system", "tool", "user"]


def test_limits_hold_for_facts_and_preferences_apart(wordy: Running, profile: str) -> None:
    for number in range(30):
        for kind in ("fact", "explicit_preference"):
            text = f"{kind} about apples, number {number}"
            wordy.ok("POST", "/v1/memories", {"text": text, "kind": kind, "profile": profile})

    def found(**more: Any) -> tuple[int, int]:
        data = ok(wordy, "search/memory", {"user_id": profile, "query": "apples", "relativity": 0, **more})
        return len(data["memory_detail_list"]), len(data["preference_detail_list"])

    most_facts, most_preferences = found(memory_limit_number=25, preference_limit_number=25)
    assert 9 <= most_facts <= 25
    assert found(memory_limit_number=3, preference_limit_number=2) == (3, 2)
    assert found(memory_limit_number=1000, preference_limit_number=0) == (most_facts, 0)
    assert found(include_preference=False)[1] == 0
    assert found(include_memory_view=["preference"])[0] == 0
    assert found(include_memory_view=["detail_factual"])[1] == 0
    assert all(number <= 9 for number in found())
    assert most_preferences


@pytest.fixture(scope="module")
def gardener(daemon: Running) -> str:
    """A user of whom one memory came from the conversation `spring`, and one from `autumn`."""
    for conversation, text, day in (
        ("spring", "My daughter Mia lives in Turin.", "2025-04-10"),
        ("autumn", "My sister Ana lives in Porto.", "2025-10-10"),
    ):
        message = said(text, chat_time=f"{day}T12:00:00Z")
        body = {"user_id": "gardener", "conversation_id": conversation, "messages": [message], "async_mode": False}
        assert ok(daemon, "add/message", body)["status"] == "completed"
    return "gardener"


def found_with(daemon: Running, user: str, filter_: Any) -> set[str]:
    """The conversations that what is found came from."""
    body = {"user_id": user, "query": "Where do my sister Ana and my daughter Mia live?", "relativity": 0}
    data = ok(daemon, "search/memory", body | {"filter": filter_})
    return {m["conversation_id"] for m in data["memory_detail_list"] + data["preference_detail_list"]}


def at(**bounds: Any) -> dict[str, Any]:
    return {"and": [{"create_time": bounds}]}


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        (None, "spring autumn"),
        ({}, "spring autumn"),
        ({"and": []}, "spring autumn"),
        ({"and": [{"conversation_id": "spring"}]}, "spring"),
        ({"and": [{"conversation_id": "winter"}]}, ""),
        ({"and": [{"conversation_id": "spring"}, {"create_time": {"gte": "2025-06-01"}}]}, ""),
        (at(gte="2025-06-01"), "autumn"),
        (at(lt="2025-06-01"), "spring"),
        (at(gt="2025-04-09", lt="2025-04-11"), "spring"),
        (at(gte="2025-10-10", lte="2025-10-10"), "autumn"),
        (at(gt="2025-04-10", lt="2025-10-10"), ""),
        (at(lte=1744286400000), "spring"),
        (at(lt=1744286400000), ""),
        (at(gte="2025-04-10 12:00:00", lte="2025-04-10T12:00:00Z"), "spring"),
        ({"and": [{"tags": {"contains": "no such tag"}}]}, ""),
    ],
)
def test_a_filter_narrows_what_is_found(daemon: Running, gardener: str, filter_: Any, expected: str) -> None:
    assert found_with(daemon, gardener, filter_) == set(expected.split())


def test_a_filter_by_a_tag_keeps_what_has_it(daemon: Running, gardener: str) -> None:
    body = {"user_id": gardener, "query": "Where does Ana live?", "relativity": 0}
    facts = ok(daemon, "search/memory", body)["memory_detail_list"]
    tag = next(tag for fact in facts for tag in fact["tags"])
    tagged = {fact["id"] for fact in facts if tag in fact["tags"]}
    only = ok(daemon, "search/memory", body | {"filter": {"and": [{"tags": {"contains": tag}}]}})["memory_detail_list"]
    assert {fact["id"] for fact in only} == tagged


@pytest.mark.parametrize(
    "filter_",
    [
        {"or": [{"conversation_id": "spring"}]},
        {"user": {"and": [{"conversation_id": "spring"}]}},
        {"conversation_id": "spring"},
        {"and": {"conversation_id": "spring"}},
        {"and": ["spring"]},
        {"and": [{"scene": "chat"}]},
        {"and": [{"agent_id": "a"}]},
        {"and": [{"update_time": {"gte": "2025-06-01"}}]},
        {"and": [{"create_time": {"gte": "whenever"}}]},
        {"and": [{"create_time": {"gte": None}}]},
        {"and": [{"create_time": {"near": "2025-06-01"}}]},
        {"and": [{"create_time": {}}]},
        {"and": [{"tags": "garden"}]},
        {"and": [{"tags": {"contains": "garden", "not": "work"}}]},
        {"and": [{"conversation_id": ["spring"]}]},
        {"and": [{"conversation_id": "spring"}, {"conversation_id": "autumn"}]},
        {"and": [], "or": []},
        ["and"],
    ],
)
def test_a_filter_that_cannot_be_kept_is_refused_rather_than_widened(wordy: Running, filter_: Any) -> None:
    assert code(wordy, "search/memory", {"user_id": "gardener", "query": "q", "filter": filter_}) == 40000


def test_relativity_zero_turns_the_threshold_off_and_one_lets_hardly_anything_through(
    wordy: Running, profile: str
) -> None:
    wordy.ok("POST", "/v1/memories", {"text": "The user grows apples.", "profile": profile})

    def found(relativity: float | None) -> int:
        body = {"user_id": profile, "query": "apples or something else entirely", "relativity": relativity}
        return len(ok(wordy, "search/memory", body)["memory_detail_list"])

    assert found(0) == 1
    assert found(0) >= found(None) >= found(1)
    for wild in (-5, 7, 1e308):
        found(wild)


def test_the_scale_of_relativity_meets_ours_at_its_ends_and_its_default() -> None:
    assert threshold_of(0) is None
    assert threshold_of(1) == 1
    assert threshold_of(None) == threshold_of(0.45)
    for asked in (0.1, 0.45, 0.7, 1.0):
        assert relativity_of(threshold_of(asked) or 0) == pytest.approx(asked, abs=1e-3)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("add/message", {"messages": [said()]}, 40002),
        ("add/message", {"user_id": "", "messages": [said()]}, 40002),
        ("add/message", {"user_id": [], "messages": [said()]}, 40002),
        ("add/message", {"user_id": "u" * 101, "messages": [said()]}, 40010),
        ("add/message", {"user_id": "u", "conversation_id": "c" * 101, "messages": [said()]}, 40011),
        ("search/memory", {"user_id": "u", "query": "q", "conversation_id": "c" * 101}, 40011),
        ("add/message", {"user_id": "u", "messages": []}, 40002),
        ("add/message", {"user_id": "u", "messages": [said(""), said(None), said([])]}, 40002),
        ("add/message", {"user_id": "u", "messages": [said([{"type": "text", "text": ""}])]}, 40002),
        ("add/message", {"user_id": "u", "messages": None}, 40000),
        ("add/message", {"user_id": "u"}, 40000),
        ("add/message", {"user_id": "u", "messages": [said(role="pirate")]}, 40000),
        ("add/message", {"user_id": "u", "messages": [said(chat_time="whenever")]}, 40000),
        ("search/memory", {"user_id": "u", "query": ""}, 40002),
        ("search/memory", {"query": "q"}, 40002),
        ("search/memory", {"user_id": "u"}, 40000),
        ("get/status", {"task_id": "nothing"}, 50131),
        ("get/status", {}, 40000),
        ("get/status", [], 40000),
        ("nothing", {}, 40400),
    ],
)
def test_an_error_has_its_code_in_the_envelope(wordy: Running, path: str, body: Any, expected: int) -> None:
    assert code(wordy, path, body) == expected


def raw_search(daemon: Running, raw: bytes) -> tuple[int, int, str]:
    answer = daemon.call(
        "POST", "/api/openmem/v1/search/memory", content=raw, headers={"Content-Type": "application/json"}
    )
    return answer.status_code, answer.json()["code"], answer.json()["message"]


def test_what_is_not_json_has_its_code_too(wordy: Running) -> None:
    for raw in (b"{", b'"\\ud800"', b"[" * 100_000):
        assert raw_search(wordy, raw)[:2] == (400, 40000)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b'{"a":1}x', "The JSON is malformed: trailing characters (byte 8)."),
        (b"{a}", "The JSON is malformed: object keys must be strings (byte 1)."),
        (b"{", "The JSON ends too early, or a string in it ends with half of a surrogate pair."),
        (b'{"query": "\\ud800"}', "The JSON ends too early, or a string in it ends with half of a surrogate pair."),
    ],
)
def test_what_is_wrong_with_the_json_is_said_once(wordy: Running, raw: bytes, said: str) -> None:
    assert raw_search(wordy, raw)[2] == said
