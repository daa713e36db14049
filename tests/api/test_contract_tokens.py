"""A token does what its scopes say, in its profiles, and sees nothing else anywhere."""

from __future__ import annotations

import json

import pytest

from api.running import Running, assert_problem
from api.test_contract_capture import Listener

SECRET = "The secret of me is Marzipanwald."
CALLS = {
    "capture": [
        ("POST", "/v1/messages", {"site": "s", "external_id": "x", "messages": [{"role": "user", "content": "Hi."}]}),
    ],
    "recall": [
        ("POST", "/v1/recall", {"query": "q"}),
        ("POST", "/v1/context", {"query": "q"}),
    ],
    "manage": [
        ("GET", "/v1/memories", None),
        ("POST", "/v1/memories", {"text": "t"}),
        ("PATCH", "/v1/memories/x", {"pinned": True}),
        ("GET", "/v1/memories/x", None),
        ("DELETE", "/v1/memories/x", None),
        ("GET", "/v1/conversations", None),
        ("GET", "/v1/conversations/x", None),
        ("DELETE", "/v1/conversations/x", None),
        ("GET", "/v1/changes", None),
        ("GET", "/v1/export", None),
        ("GET", "/v1/jobs", None),
        ("POST", "/v1/jobs/x/retry", None),
        ("POST", "/v1/pairings", {"code": "BBBB-BBBB"}),
    ],
}
MEMOS = {"capture": "add/message", "recall": "search/memory"}


@pytest.fixture(scope="module")
def scoped(wordy: Running) -> dict[str, str]:
    return {scope: wordy.new_token("--scope", scope) for scope in CALLS}


@pytest.mark.parametrize("held", CALLS)
@pytest.mark.parametrize("needed", CALLS)
def test_a_token_does_what_its_scope_says_and_no_more(
    wordy: Running, scoped: dict[str, str], held: str, needed: str
) -> None:
    for method, path, body in CALLS[needed]:
        answer = wordy.call(method, path, body, token=scoped[held])
        if held == needed:
            assert answer.status_code not in (401, 403), f"{method} {path}"
        else:
            assert_problem(answer, 403, needed)
    if needed in MEMOS and held != needed:
        body = {"user_id": "me", "query": "q", "messages": [{"role": "user", "content": "Hi."}]}
        refused = wordy.memos(MEMOS[needed], body, token=scoped[held])
        assert (refused.status_code, refused.json()["code"]) == (403, 40103)


@pytest.fixture(scope="module")
def work_token(wordy: Running) -> str:
    return wordy.new_token("--profile", "work")


def test_a_token_for_work_sees_nothing_of_me_anywhere(wordy: Running, work_token: str) -> None:
    listener = Listener(wordy, work_token)
    done = wordy.capture(SECRET, profile="me", external_id="secret", title="Marzipanwald")
    memory = wordy.ok("POST", "/v1/memories", {"text": SECRET})
    gone = wordy.ok("POST", "/v1/memories", {"text": SECRET})
    wordy.ok("DELETE", f"/v1/memories/{gone['id']}")
    offered = wordy.ok("POST", "/v1/context", {"query": "What is the secret of me?", "budget_tokens": 5000})
    mine = wordy.capture("Work talks of budgets.", profile="work")

    def asks(method: str, path: str, body: object = None) -> str:
        return wordy.call(method, path, body, token=work_token).text

    private = ("Marzipanwald", memory["id"], gone["id"], done["conversation_id"], done["job_id"], *done["message_ids"])
    answers = [
        asks("GET", path)
        for path in ("/v1/memories", "/v1/memories?q=Marzipanwald", "/v1/conversations", "/v1/changes?limit=5000")
    ]
    answers += [asks("GET", f"/v1/jobs?status={status}") for status in ("queued", "running", "failed", "completed")]
    answers += [asks("GET", "/v1/export?profile=work"), asks("GET", "/v1/status"), asks("GET", "/v1/profiles")]
    answers += [asks("POST", "/v1/recall", {"query": "the secret of me", "profile": "work"})]
    answers += [asks("POST", "/v1/context", {"query": "the secret of me", "profile": "work"})]
    answers += [
        asks(
            "POST",
            "/v1/recall",
            {"query": "a", "profile": "work", "filter": {"conversation_id": done["conversation_id"]}},
        )
    ]
    for answer in answers:
        assert not [word for word in private if word in answer], answer[:300]
    assert [p["name"] for p in json.loads(asks("GET", "/v1/profiles"))["profiles"]] == ["work"]

    not_found = [
        ("GET", f"/v1/memories/{memory['id']}", None),
        ("PATCH", f"/v1/memories/{memory['id']}", {"pinned": True}),
        ("DELETE", f"/v1/memories/{memory['id']}", None),
        ("GET", f"/v1/conversations/{done['conversation_id']}", None),
        ("DELETE", f"/v1/conversations/{done['conversation_id']}", None),
        ("GET", f"/v1/jobs/{done['job_id']}", None),
        ("POST", f"/v1/jobs/{done['job_id']}/retry", None),
        ("POST", f"/v1/injections/{offered['injection_id']}", {"inserted": []}),
    ]
    for method, path, body in not_found:
        assert_problem(wordy.call(method, path, body, token=work_token), 404)
    assert wordy.memos("get/status", {"task_id": done["job_id"]}, token=work_token).json()["code"] == 50131

    refused = [
        ("GET", "/v1/memories?profile=me", None),
        ("GET", "/v1/conversations?profile=me", None),
        ("GET", "/v1/export?profile=me", None),
        ("GET", "/v1/export", None),
        ("POST", "/v1/memories", {"text": "x"}),
        ("POST", "/v1/recall", {"query": "x"}),
        ("POST", "/v1/context", {"query": "x"}),
        ("POST", "/v1/messages", {"site": "s", "external_id": "x", "messages": [{"role": "user", "content": "x"}]}),
    ]
    for method, path, body in refused:
        assert_problem(wordy.call(method, path, body, token=work_token), 403, "me")
    for path in ("add/message", "search/memory"):
        for user in ("me", ["work", "me"]):
            body = {"user_id": user, "query": "x", "messages": [{"role": "user", "content": "x"}]}
            assert wordy.memos(path, body, token=work_token).json()["code"] in (40103, 40000)

    assert wordy.ok("GET", "/v1/status", token=work_token)["counts"]["messages"] == 1
    assert mine["job_id"] in listener.raw
    assert not [word for word in private if word in listener.raw]
    assert wordy.ok("GET", f"/v1/memories/{memory['id']}")["pinned"] is False


def test_a_token_for_work_works_there(wordy: Running, work_token: str) -> None:
    done = wordy.ok(
        "POST",
        "/v1/messages",
        {"profile": "work", "site": "s", "external_id": "w", "messages": [{"role": "user", "content": "Invoices."}]},
        token=work_token,
    )
    hits = wordy.ok("POST", "/v1/recall", {"query": "invoices", "profile": "work"}, token=work_token)["hits"]
    assert hits[0]["id"] == done["message_ids"][0]
    assert wordy.ok("GET", f"/v1/jobs/{done['job_id']}", token=work_token)["id"] == done["job_id"]
