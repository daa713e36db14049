"""Pairing over HTTP: a client gets a token when a person has typed its code on the daemon's side, and not otherwise."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.running import Running, assert_problem, running

EXTENSION = "chrome-extension://abcdefghijklmnopabcdefghijklmnop"
ALL = ["capture", "recall", "manage"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("pairing") / "data", models=no_models) as daemon:
        yield daemon


@pytest.fixture
def own(tmp_path: Path, no_models: Path) -> Iterator[Running]:
    """For tests that fill what is limited."""
    with running(tmp_path / "data", models=no_models) as daemon:
        yield daemon


class Asking:
    """A client that asks to be paired, with no token."""

    def __init__(self, daemon: Running, client: str = "Satchel for Chromium", origin: str | None = EXTENSION) -> None:
        self.daemon = daemon
        self.verifier = secrets.token_urlsafe(32)
        self.headers = {"Authorization": ""} | ({"Origin": origin} if origin else {})
        challenge = hashlib.sha256(self.verifier.encode()).hexdigest()
        asked = daemon.call("POST", "/v1/pair", {"client": client, "challenge": challenge}, headers=self.headers)
        assert asked.status_code == 201, asked.text
        self.answer: dict[str, Any] = asked.json()
        self.id, self.code = self.answer["pairing_id"], self.answer["code"]

    def collect(self, verifier: str | None = None) -> httpx.Response:
        return self.daemon.call(
            "POST", f"/v1/pair/{self.id}", {"verifier": verifier or self.verifier}, headers=self.headers
        )

    def decide(self, decision: str = "confirm", **more: Any) -> httpx.Response:
        body = {"code": self.code, "decision": decision}
        token, headers = more.pop("token", None), more.pop("headers", {})
        return self.daemon.call("POST", f"/v1/pairings/{self.id}", body | more, token=token, headers=headers)


@pytest.fixture
def asking(shared: Running) -> Iterator[Asking]:
    one = Asking(shared)
    yield one
    if one.collect().status_code == 202:  # leaves room for the next
        one.decide("refuse")


def test_a_client_is_paired_when_a_person_confirms_its_code(shared: Running) -> None:
    one = Asking(shared)
    assert set(one.answer) == {"pairing_id", "code", "expires_in"}
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", one.code)
    assert 298 <= one.answer["expires_in"] <= 300

    waiting = one.collect()
    assert waiting.status_code == 202
    assert waiting.json()["status"] == "waiting"
    assert 290 <= waiting.json()["expires_in"] <= 300

    found = shared.ok("POST", "/v1/pairings", {"code": one.code.lower().replace("-", "")})
    assert set(found) == {"id", "client", "origin", "scopes", "asked_at", "expires_in"}
    assert (found["id"], found["client"], found["origin"]) == (one.id, "Satchel for Chromium", EXTENSION)
    assert found["scopes"] == ALL
    assert found["asked_at"].endswith("Z")
    assert one.decide().json() == {"success": True}

    paired = one.collect()
    assert paired.status_code == 200
    assert set(paired.json()) == {"token", "scopes", "profiles"}
    assert (paired.json()["scopes"], paired.json()["profiles"]) == (ALL, None)
    token = paired.json()["token"]
    assert shared.call("GET", "/v1/memories", token=token, headers={"Origin": EXTENSION}).status_code == 200
    assert_problem(one.collect(), 410, "ask for a new one")
    assert_problem(one.decide(), 404)


def test_the_token_is_given_once_however_many_ask_at_the_same_time(shared: Running, asking: Asking) -> None:
    asking.decide()
    answers: list[int] = []

    def collect() -> None:
        body = {"verifier": asking.verifier}
        url, headers = f"{shared.url}/v1/pair/{asking.id}", {"Origin": EXTENSION}
        answers.append(httpx.post(url, json=body, headers=headers, trust_env=False).status_code)

    threads = [threading.Thread(target=collect) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(answers) == {200: 1, 410: 11}


def test_what_was_narrowed_holds(shared: Running, asking: Asking) -> None:
    assert asking.decide(scopes=["recall"], profiles=["work"]).is_success
    paired = asking.collect().json()
    assert (paired["scopes"], paired["profiles"]) == (["recall"], ["work"])
    for path, body, status in (
        ("/v1/recall", {"query": "x", "profile": "work"}, 200),
        ("/v1/recall", {"query": "x"}, 403),
        ("/v1/memories", {"text": "x", "profile": "work"}, 403),
    ):
        answer = shared.call("POST", path, body, token=paired["token"], headers={"Origin": EXTENSION})
        assert answer.status_code == status


def test_one_that_is_refused_gets_nothing(asking: Asking) -> None:
    assert asking.decide("refuse").json() == {"success": True}
    assert_problem(asking.collect(), 410, "refused")
    assert_problem(asking.decide("confirm"), 404)


def test_without_the_verifier_there_is_no_token_and_five_tries_end_it(asking: Asking) -> None:
    asking.decide()
    for _ in range(5):
        assert_problem(asking.collect(secrets.token_urlsafe(32)), 403, "verifier")
    assert_problem(asking.collect(), 410)


def test_the_challenge_is_no_verifier(asking: Asking) -> None:
    asking.decide()
    assert asking.collect(hashlib.sha256(asking.verifier.encode()).hexdigest()).status_code == 403


def test_an_unknown_pairing_is_gone(shared: Running) -> None:
    headers = {"Authorization": ""}
    assert_problem(shared.call("POST", "/v1/pair/unknown", {"verifier": "v" * 43}, headers=headers), 410)


def test_a_program_without_an_origin_may_ask(shared: Running) -> None:
    one = Asking(shared, "A desktop app", origin=None)
    assert shared.ok("POST", "/v1/pairings", {"code": one.code})["origin"] is None
    one.decide("refuse")


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:{port}", "http://localhost:{port}", "https://chatgpt.com", "null"]
)
def test_no_page_may_ask_or_collect_not_even_one_of_the_daemons_own(
    shared: Running, asking: Asking, origin: str
) -> None:
    headers = {"Authorization": "", "Origin": origin.format(port=shared.port)}
    body = {"client": "A page", "challenge": "0" * 64}
    asking.decide()
    for path, sent in (("/v1/pair", body), (f"/v1/pair/{asking.id}", {"verifier": asking.verifier})):
        assert_problem(shared.call("POST", path, sent, headers=headers), 403)
    assert asking.collect().status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EXTENSION},
        {"Origin": "moz-extension://9b0c"},
        {"Origin": "http://127.0.0.1:{port}"},
        {"Sec-Fetch-Site": "none"},  # an extension's request with its Origin taken out
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/pairings", "/v1/pairings/", "/v1/pairings/{id}", "/v1//pairings/{id}/"])
def test_no_browser_may_confirm_whatever_its_token_may_do(
    shared: Running, asking: Asking, headers: dict[str, str], path: str
) -> None:
    sent = {name: value.format(port=shared.port) for name, value in headers.items()}
    body = {"code": asking.code} | ({"decision": "confirm"} if "{id}" in path else {})
    its_own = shared.new_token("--origin", sent["Origin"]) if "extension" in sent.get("Origin", "") else None
    answer = shared.call("POST", path.format(id=asking.id), body, headers=sent, token=its_own)
    assert_problem(answer, 403, "satchel pair")
    assert asking.collect().status_code == 202


def test_deciding_needs_the_scope_manage_and_a_token(shared: Running, asking: Asking) -> None:
    other = shared.new_token("--scope", "recall", "--scope", "capture")
    for token, status in ((other, 403), ("nobody's", 401)):
        assert shared.call("POST", "/v1/pairings", {"code": asking.code}, token=token).status_code == status
        assert asking.decide(token=token).status_code == status
    assert asking.collect().status_code == 202


def test_nobody_gives_more_than_it_has(shared: Running, asking: Asking) -> None:
    limited = shared.new_token("--scope", "manage", "--scope", "recall", "--profile", "work")
    assert_problem(asking.decide(token=limited), 403, "capture")
    assert_problem(asking.decide(token=limited, scopes=["recall"]), 403, "all profiles")
    assert_problem(asking.decide(token=limited, scopes=["recall"], profiles=["work", "me"]), 403, "'me'")
    assert asking.collect().status_code == 202
    assert asking.decide(token=limited, scopes=["recall"], profiles=["work"]).is_success
    assert asking.collect().json()["profiles"] == ["work"]


def test_a_code_decides_on_its_own_pairing_alone(shared: Running, asking: Asking) -> None:
    other = Asking(shared, "Another")
    answer = shared.call("POST", f"/v1/pairings/{other.id}", {"code": asking.code, "decision": "confirm"})
    assert_problem(answer, 404)
    assert (asking.collect().status_code, other.collect().status_code) == (202, 202)
    other.decide("refuse")


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": ""},
        {"client": " "},
        {"client": "x" * 101},
        {"client": "a\nb"},
        {"client": "a\x1b[2J"},
        {"client": "a\u202eb"},
        {"client": "a\u0085b"},
        {"challenge": "0" * 63},
        {"challenge": "0" * 65},
        {"challenge": "0" * 63 + "\n"},
        {"challenge": "A" * 64},
        {"challenge": None},
        {"extra": 1},
    ],
    ids=repr,
)
def test_what_is_wrong_in_asking_is_named(shared: Running, wrong: dict[str, Any]) -> None:
    body = {"client": "A client", "challenge": "0" * 64} | wrong
    answer = shared.call("POST", "/v1/pair", body, headers={"Authorization": ""})
    assert_problem(answer, 400, *wrong)


@pytest.mark.parametrize("verifier", ["", "v" * 42, "v" * 129, None])
def test_a_verifier_of_another_length_is_refused_and_counts_for_nothing(asking: Asking, verifier: str | None) -> None:
    for _ in range(6):
        answer = asking.daemon.call("POST", f"/v1/pair/{asking.id}", {"verifier": verifier}, headers=asking.headers)
        assert_problem(answer, 400, "verifier")
    assert asking.collect().status_code == 202


@pytest.mark.parametrize("narrowed", [{"scopes": []}, {"scopes": ["all"]}, {"profiles": []}, {"profiles": ["a\nb"]}])
def test_what_is_granted_is_something_that_exists(asking: Asking, narrowed: dict[str, Any]) -> None:
    assert_problem(asking.decide(**narrowed), 400, next(iter(narrowed)))
    assert asking.collect().status_code == 202


def test_who_asks_often_loses_what_it_asked_for_before_and_shuts_out_nobody(own: Running) -> None:
    programs = [Asking(own, "A program", origin=None) for _ in range(20)]
    asking = Asking(own)
    assert [one.collect().status_code for one in programs] == [410] * 17 + [202] * 3
    assert asking.decide().is_success
    for _ in range(20):
        Asking(own, "A program", origin=None)
        Asking(own)
    assert asking.collect().status_code == 200, "what a person confirmed stays"


def test_wrong_codes_are_limited_and_the_right_one_then_waits_too(own: Running) -> None:
    one = Asking(own)
    for number in range(10):
        wrong = {"code": "BBBB-BBBB", "decision": "confirm"}
        path = "/v1/pairings" if number % 2 else f"/v1/pairings/{one.id}"
        answer = own.call("POST", path, {"code": ""} if number % 2 else wrong)
        assert_problem(answer, 404, "compare it again")
    refused = own.call("POST", "/v1/pairings", {"code": one.code})
    assert_problem(refused, 429, "wait 5 minutes")
    assert 290 <= int(refused.headers["retry-after"]) <= 300
    assert_problem(one.decide(), 429)
    assert one.collect().status_code == 202


def test_a_daemon_that_starts_again_has_forgotten_who_waited_and_knows_who_was_paired(own: Running) -> None:
    paired, waiting, confirmed = Asking(own), Asking(own), Asking(own, origin=None)
    paired.decide()
    token = paired.collect().json()["token"]
    confirmed.decide()
    own.stop()
    own.start()
    for forgotten in (waiting, confirmed):
        assert_problem(forgotten.collect(), 410)
    assert_problem(own.call("POST", "/v1/pairings", {"code": waiting.code}), 404)
    assert own.call("GET", "/v1/status", token=token).status_code == 200


def test_no_token_lies_in_clear_in_the_data_folder(own: Running) -> None:
    one = Asking(own)
    one.decide()
    token = one.collect().json()["token"]
    for file in own.data.iterdir():
        if file.is_file():
            assert token.encode() not in file.read_bytes(), file.name


# Unpairing


@pytest.mark.parametrize("narrowed", [{}, {"scopes": ["capture"], "profiles": ["work"]}], ids=["all", "narrow"])
def test_a_client_takes_its_own_token_back(shared: Running, asking: Asking, narrowed: dict[str, Any]) -> None:
    asking.decide(**narrowed)
    token = asking.collect().json()["token"]
    other = shared.new_token()
    gone = shared.call("DELETE", "/v1/pair", token=token, headers={"Origin": EXTENSION})
    assert (gone.status_code, gone.json()) == (200, {"success": True})
    for method, path in (("GET", "/v1/status"), ("DELETE", "/v1/pair")):
        assert shared.call(method, path, token=token, headers={"Origin": EXTENSION}).status_code == 401
    assert shared.call("GET", "/v1/status", token=other).status_code == 200


def test_the_command_lines_own_token_stays(shared: Running) -> None:
    assert_problem(shared.call("DELETE", "/v1/pair"), 403, "command line")
    assert shared.call("GET", "/v1/status").status_code == 200


def test_a_token_that_is_only_called_like_the_command_lines_can_be_taken_back(shared: Running) -> None:
    one = Asking(shared, "command line")
    one.decide()
    token = one.collect().json()["token"]
    assert shared.call("DELETE", "/v1/pair", token=token, headers={"Origin": EXTENSION}).status_code == 200
