"""Whatever a client sends: a problem+json answer that says what to do, and what was acknowledged is still there."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.running import Running, assert_problem

MB = 1_000_000


def body(profile: str, *messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"profile": profile, "site": "test", "external_id": "c", "messages": list(messages)} | more


def turn(content: Any = "Hello.", **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content} | more


def stored(daemon: Running, profile: str) -> int:
    """How many messages a profile holds."""
    profiles = daemon.ok("GET", "/v1/profiles")["profiles"]
    return next((p["messages"] for p in profiles if p["name"] == profile), 0)


def send_raw(daemon: Running, content: bytes | Iterator[bytes], path: str = "/v1/messages") -> Any:
    return daemon.call("POST", path, content=content, headers={"Content-Type": "application/json"})


# Shapes


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"nonsense", b'{"a": NaN}', b"\xff\xfe\x00", b"[" * 100_000, b'{"site": "\xff"}', b'"\xff"']
)
def test_what_is_not_json_is_refused(wordy: Running, raw: bytes) -> None:
    answer = send_raw(wordy, raw)
    problem = assert_problem(answer, 400)
    assert "Traceback" not in problem["detail"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ([], "object"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [1]}, "messages"),
        ({"messages": [turn(7)]}, "content"),
        ({"messages": [turn(role="pirate")]}, "role"),
        ({"messages": [turn(), {"role": "user"}]}, "content"),
        ({"site": None}, "site"),
        ({"profile": 5}, "profile"),
        ({"external_id": {}}, "external_id"),
    ],
)
def test_a_wrong_type_is_refused_by_the_name_of_its_field(wordy: Running, profile: str, wrong: Any, named: str) -> None:
    sent = body(profile, turn()) | wrong if isinstance(wrong, dict) else wrong
    assert_problem(wordy.call("POST", "/v1/messages", sent), 400, named)
    assert stored(wordy, profile) == 0


def test_a_missing_field_is_named(wordy: Running) -> None:
    assert_problem(wordy.call("POST", "/v1/messages", {"site": "test", "messages": [turn()]}), 400, "external_id")


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/messages", body("x", turn(), colour="red")),
        ("/v1/messages", body("x", turn(colour="red"))),
        ("/v1/recall", {"query": "q", "colour": "red"}),
        ("/v1/recall", {"query": "q", "filter": {"colour": "red"}}),
        ("/v1/context", {"query": "q", "colour": "red"}),
        ("/v1/memories", {"text": "t", "colour": "red"}),
        ("/v1/injections/x", {"inserted": [], "colour": "red"}),
    ],
)
def test_a_native_call_refuses_an_unknown_field_by_name(wordy: Running, path: str, sent: dict[str, Any]) -> None:
    assert_problem(wordy.call("POST", path, sent), 400, "colour")


@pytest.mark.parametrize(
    "path", ["/health", "/v1/memories", "/v1/status", "/v1/changes", "/v1/export", "/v1/jobs", "/v1/conversations/x"]
)
def test_a_native_call_refuses_an_unknown_query_parameter_by_name(wordy: Running, path: str) -> None:
    assert_problem(wordy.call("GET", f"{path}?colour=red"), 400, "colour")


def test_the_compatible_call_ignores_what_it_does_not_know(wordy: Running, profile: str) -> None:
    sent = {"user_id": profile, "messages": [turn(colour="red")], "colour": "red"}
    assert wordy.memos("add/message?colour=red", sent).json()["message"] == "ok"


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "size=0", "size=1001", "page=99999999999999999999", "kind=nonsense", "status=gone"],
)
def test_a_query_parameter_out_of_its_range_is_refused_by_name(wordy: Running, query: str) -> None:
    assert_problem(wordy.call("GET", f"/v1/memories?{query}"), 400, query.partition("=")[0])


# Messages


def test_no_messages_are_refused(wordy: Running, profile: str) -> None:
    assert_problem(wordy.call("POST", "/v1/messages", body(profile)), 400, "messages")


def test_an_empty_message_is_refused_and_the_others_beside_it_are_not_stored(wordy: Running, profile: str) -> None:
    assert_problem(wordy.call("POST", "/v1/messages", body(profile, turn(), turn(""))), 400, "messages[1].content")
    assert stored(wordy, profile) == 0


def too_large(profile: str) -> bytes:
    return json.dumps(body(profile, turn("x" * 20 * MB))).encode()


def test_a_20_mb_message_is_refused_and_nothing_of_it_is_stored(wordy: Running, profile: str) -> None:
    problem = assert_problem(send_raw(wordy, too_large(profile)), 413, "10 MB", "Nothing")
    assert problem["title"] == "Request Entity Too Large"
    assert stored(wordy, profile) == 0


def test_a_20_mb_message_in_chunks_without_a_length_is_refused_too(wordy: Running, profile: str) -> None:
    whole = too_large(profile)
    chunks = (whole[at : at + 65_536] for at in range(0, len(whole), 65_536))
    assert_problem(send_raw(wordy, chunks), 413, "10 MB")
    assert stored(wordy, profile) == 0


def test_a_body_that_is_said_to_be_too_large_is_refused_before_it_comes(wordy: Running) -> None:
    with socket.create_connection(("127.0.0.1", wordy.port), timeout=20) as sock:
        sock.sendall(
            f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{wordy.port}\r\nAuthorization: Bearer {wordy.token}\r\n"
            "Content-Type: application/json\r\nContent-Length: 20000000\r\n\r\n".encode()
        )
        assert sock.recv(100).startswith(b"HTTP/1.1 413")


def test_a_20_mb_message_to_the_compatible_call_has_its_own_code(wordy: Running, profile: str) -> None:
    answer = send_raw(
        wordy,
        json.dumps({"user_id": profile, "messages": [turn("x" * 20 * MB)]}).encode(),
        "/api/openmem/v1/add/message",
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == 40013


def test_nine_megabytes_are_stored_byte_for_byte(wordy: Running, profile: str) -> None:
    content = "wörter " * (9 * MB // 8)
    done = wordy.capture(content, profile=profile)
    assert wordy.log(done["conversation_id"])[0]["content"] == content


def test_a_lone_surrogate_is_refused_with_a_clear_sentence(wordy: Running, profile: str) -> None:
    raw = json.dumps(body(profile, turn("a lone \ud800 half"))).encode()
    assert b"\\ud800" in raw
    assert_problem(send_raw(wordy, raw), 400, "surrogate")
    assert stored(wordy, profile) == 0


def test_nul_bytes_are_kept_verbatim(wordy: Running, profile: str) -> None:
    content = "walnuts\0hazelnuts\0"
    done = wordy.capture(content, profile=profile)
    assert wordy.log(done["conversation_id"])[0]["content"] == content
    hits = wordy.ok("POST", "/v1/recall", {"query": "hazelnuts", "profile": profile})["hits"]
    assert [hit["text"] for hit in hits] == [content]


def test_a_thousand_messages_at_once_are_stored_in_their_order(wordy: Running, profile: str) -> None:
    contents = [f"message {number} of many" for number in range(1000)]
    done = wordy.capture(*contents, profile=profile)
    assert done["accepted"] == 1000
    assert len(set(done["message_ids"])) == 1000
    assert [message["content"] for message in wordy.log(done["conversation_id"])] == contents


def test_a_thousand_requests_at_once_are_all_answered_and_stored(wordy: Running, profile: str) -> None:
    def send(number: int) -> str:
        done = wordy.capture(f"storm {number}", profile=profile, external_id=f"storm-{number % 10}")
        return str(done["message_ids"][0])

    with ThreadPoolExecutor(16) as pool:
        ids = list(pool.map(send, range(1000)))
    assert len(set(ids)) == 1000
    assert stored(wordy, profile) == 1000


def test_more_messages_than_the_limit_are_refused(wordy: Running, profile: str) -> None:
    sent = body(profile, *[turn("x")] * 5001)
    assert_problem(wordy.call("POST", "/v1/messages", sent), 400, "5,000", "parts")
    assert stored(wordy, profile) == 0


def test_the_same_message_twice_in_one_call_is_stored_once(wordy: Running, profile: str) -> None:
    twice = turn("only once", id="m1")
    done = wordy.ok("POST", "/v1/messages", body(profile, twice, twice))
    assert (done["accepted"], done["duplicates"]) == (1, 1)
    assert done["message_ids"][0] == done["message_ids"][1]


def test_messages_out_of_order_are_filed_by_when_they_were_said(wordy: Running, profile: str) -> None:
    later = turn("second", id="m2", sent_at="2026-03-01T10:05:00Z")
    earlier = turn("first", id="m1", sent_at="2026-03-01T10:00:00Z")
    wordy.ok("POST", "/v1/messages", body(profile, later))
    done = wordy.ok("POST", "/v1/messages", body(profile, earlier, later))
    assert (done["accepted"], done["duplicates"]) == (1, 1)
    assert [message["content"] for message in wordy.log(done["conversation_id"])] == ["first", "second"]


def test_the_same_id_with_other_words_is_a_revision_and_the_old_words_are_kept(wordy: Running, profile: str) -> None:
    first = wordy.ok("POST", "/v1/messages", body(profile, turn("I live in Turin.", id="m1")))
    second = wordy.ok("POST", "/v1/messages", body(profile, turn("I live in Porto.", id="m1")))
    assert second["message_ids"] == first["message_ids"]
    assert second["accepted"] == 1
    (message,) = wordy.log(first["conversation_id"])
    assert message["content"] == "I live in Porto."
    assert message["revision"] == 2
    assert [revision["content"] for revision in message["revisions"]] == ["I live in Turin."]
    late = wordy.ok("POST", "/v1/messages", body(profile, turn("I live in Turin.", id="m1")))
    assert late["duplicates"] == 1
    assert wordy.log(first["conversation_id"])[0]["content"] == "I live in Porto."


# Names and times


@pytest.mark.parametrize("field", ["external_id", "site", "profile"])
@pytest.mark.parametrize("value", ["x" * 10_000, "", " ", "a\0b", "a\nb"])
def test_a_name_that_is_none_is_refused_by_its_field(wordy: Running, profile: str, field: str, value: str) -> None:
    assert_problem(wordy.call("POST", "/v1/messages", body(profile, turn()) | {field: value}), 400, field)
    assert stored(wordy, profile) == 0


def test_a_conversation_id_of_10_kb_is_refused_wherever_it_is_asked_for(wordy: Running) -> None:
    long = "x" * 10_000
    assert_problem(wordy.call("POST", "/v1/recall", {"query": "q", "external_id": long}), 400, "external_id")
    assert_problem(wordy.call("POST", "/v1/context", {"query": "q", "external_id": long}), 400, "external_id")
    assert_problem(wordy.call("GET", f"/v1/conversations?external_id={long}"), 400, "external_id")
    assert_problem(wordy.call("GET", f"/v1/conversations/{long}"), 404)
    assert (
        wordy.memos("add/message", {"user_id": "u", "conversation_id": long, "messages": [turn()]}).json()["code"]
        == 40011
    )


@pytest.mark.parametrize(
    "garbage", ["yesterday", "2026-13-01", "", "1234567890123456789", "2026-03-01T25:00:00Z", "\0"]
)
def test_a_time_that_is_none_is_refused_by_its_field(wordy: Running, profile: str, garbage: str) -> None:
    sent = body(profile, turn(), turn(sent_at=garbage))
    assert_problem(wordy.call("POST", "/v1/messages", sent), 400, "messages[1].sent_at")
    assert_problem(wordy.call("POST", "/v1/recall", {"query": "q", "at": garbage}), 400, "at")
    assert stored(wordy, profile) == 0


def test_a_time_without_a_zone_is_taken_as_utc(wordy: Running, profile: str) -> None:
    done = wordy.ok("POST", "/v1/messages", body(profile, turn(sent_at="2026-03-01T10:00:00")))
    assert wordy.log(done["conversation_id"])[0]["time"] == "2026-03-01T10:00:00Z"


@pytest.mark.parametrize("far", ["9999-12-31T23:59:59.999Z", "9999-12-31T00:00:00"])
def test_a_message_from_the_year_9999_is_kept_and_filed_under_its_arrival(
    wordy: Running, profile: str, far: str
) -> None:
    done = wordy.ok("POST", "/v1/messages", body(profile, turn(sent_at=far)))
    (message,) = wordy.log(done["conversation_id"])
    assert message["sent_at"].startswith("9999-12-31")
    assert message["time"] == message["received_at"]


def test_a_time_that_its_zone_carries_beyond_the_year_9999_is_refused(wordy: Running, profile: str) -> None:
    sent = body(profile, turn(sent_at="9999-12-31T23:59:59-12:00"))
    assert_problem(wordy.call("POST", "/v1/messages", sent), 400, "sent_at")


# Questions


@pytest.mark.parametrize(
    "question", ['"', "NEAR(", "a AND", "*", "col:x", "--", "\\", "'; DROP TABLE message; --", "\0", "🦀", "的", "^"]
)
def test_no_question_breaks_the_search(wordy: Running, profile: str, question: str) -> None:
    wordy.capture("Something to find.", profile=profile)
    wordy.ok("POST", "/v1/recall", {"query": question, "profile": profile})
    wordy.ok("POST", "/v1/context", {"query": question, "profile": profile})
    found = wordy.ok("GET", "/v1/memories", params={"q": question, "profile": profile})
    assert found["items"] == []


def test_an_empty_question_is_refused(wordy: Running) -> None:
    assert_problem(wordy.call("POST", "/v1/recall", {"query": ""}), 400, "query")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_method_that_a_path_does_not_have_is_a_problem_too(wordy: Running, method: str) -> None:
    assert_problem(wordy.call(method, "/v1/recall"), 405)


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/nothing", "/v1", "/v1/jobs/../../etc/passwd", "/v1/conversations/%ff%00"]
)
def test_an_unknown_path_is_a_problem_too(wordy: Running, path: str) -> None:
    assert_problem(wordy.call("GET", path), 404)
