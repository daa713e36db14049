"""A token is of use to those alone that it was given to; preflights tell nobody else anything."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.running import Running, assert_problem, command
from api.test_pairing import EXTENSION, Asking
from satchel.api.guard import origin

OTHERS = ["chrome-extension://" + "b" * 32, "moz-extension://0b2c", EXTENSION + "x", EXTENSION.replace("a", "A")]
WRITE = {"text": "Planted.", "profile": "origins"}
ASKS = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
PRIVATE = {"Access-Control-Request-Private-Network": "true"}


@pytest.fixture(scope="module")
def paired(wordy: Running) -> str:
    """The token of an extension."""
    one = Asking(wordy)
    assert one.decide().is_success
    token: str = one.collect().json()["token"]
    return token


@pytest.mark.parametrize("other", [*OTHERS, "http://127.0.0.1:{port}"])
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/status"), ("POST", "/v1/memories"), ("GET", "/nothing")])
def test_an_extensions_token_is_of_no_use_to_another(
    wordy: Running, paired: str, other: str, method: str, path: str
) -> None:
    headers = {"Origin": other.format(port=wordy.port)}
    answer = wordy.call(method, path, WRITE if method == "POST" else None, token=paired, headers=headers)
    assert_problem(answer, 403, "pair this extension")
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_it_is_of_use_to_its_own_which_may_read_the_answer(wordy: Running, paired: str) -> None:
    answer = wordy.call("POST", "/v1/recall", {"query": "x"}, token=paired, headers={"Origin": EXTENSION})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == EXTENSION
    assert "origin" in answer.headers["vary"].lower()


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE", "PUT", "OPTIONS"])
def test_without_an_origin_it_reads_as_browsers_do_and_writes_nothing(wordy: Running, paired: str, method: str) -> None:
    sent_by_chromium = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    assert wordy.call("GET", "/v1/status", token=paired, headers=sent_by_chromium).status_code == 200
    assert_problem(wordy.call(method, "/v1/memories/x", {}, token=paired), 403)


def test_a_programs_token_is_of_no_use_to_an_extension(wordy: Running) -> None:
    token = wordy.new_token()
    for extension in (EXTENSION, *OTHERS[:2]):
        for method, body in (("GET", None), ("POST", WRITE)):
            answer = wordy.call(method, "/v1/memories", body, token=token, headers={"Origin": extension})
            assert_problem(answer, 403, "pair this extension")
    assert wordy.call("GET", "/v1/memories", token=token).status_code == 200


def test_a_token_can_be_made_for_an_extension_that_cannot_be_paired(wordy: Running) -> None:
    extension = "chrome-extension://" + "d" * 32
    token = wordy.new_token("--origin", extension)
    assert wordy.call("POST", "/v1/memories", WRITE, token=token, headers={"Origin": extension}).status_code == 201
    assert wordy.call("POST", "/v1/memories", WRITE, token=token).status_code == 403
    for wrong in ("https://chatgpt.com", "chrome-extension://" + "a" * 200, "null", ""):
        assert command("token", "--data", wordy.data, "--name", "x", "--origin", wrong).returncode != 0


def test_another_origin_collects_nothing_and_uses_up_no_tries(wordy: Running) -> None:
    one = Asking(wordy)
    one.decide()
    for headers in ({"Origin": OTHERS[0]}, {}):
        for _ in range(6):
            body = {"verifier": one.verifier}
            answer = wordy.call("POST", f"/v1/pair/{one.id}", body, headers={"Authorization": ""} | headers)
            assert_problem(answer, 410)
    assert one.collect().status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
@pytest.mark.parametrize("path", ["/health", "/v1/status", "/schema/openapi.json", "/nothing"])
def test_what_a_foreign_page_embeds_is_refused(wordy: Running, path: str, site: str) -> None:
    for mode, dest in (("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe")):
        headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
        assert_problem(wordy.call("GET", path, headers=headers), 403, "Web pages")


def test_a_link_may_lead_to_the_daemon(wordy: Running) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert wordy.call("GET", "/health", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/v1/messages", "/health", "/v1/pair", "/nothing"])
def test_a_preflight_of_a_paired_origin_is_answered(wordy: Running, paired: str, path: str) -> None:
    headers = {"Authorization": "", "Origin": EXTENSION} | ASKS
    answer = wordy.call("OPTIONS", path, headers=headers)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == EXTENSION
    assert "access-control-allow-private-network" not in answer.headers
    answer = wordy.call("OPTIONS", path, headers=headers | PRIVATE)
    assert answer.headers["access-control-allow-private-network"] == "true"


@pytest.mark.parametrize("asks", [ASKS, PRIVATE, ASKS | PRIVATE], ids=["cors", "private", "both"])
@pytest.mark.parametrize(
    "other",
    [None, OTHERS[0], OTHERS[1], "https://chatgpt.com", "null", "http://127.0.0.1:1", "http://localhost:{port}"],
)
def test_every_other_preflight_gets_the_same_refusal_everywhere(
    wordy: Running, paired: str, other: str | None, asks: dict[str, str]
) -> None:
    headers = {"Authorization": ""} | asks | ({"Origin": other.format(port=wordy.port)} if other else {})
    answers = [wordy.call("OPTIONS", path, headers=headers) for path in ("/v1/messages", "/health", "/v1/pair", "/no")]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1
    assert not [name for answer in answers for name in answer.headers if name.startswith("access-control")]


def test_an_origin_whose_clients_are_revoked_is_no_longer_welcome(wordy: Running) -> None:
    extension = "chrome-extension://" + "c" * 32
    one = Asking(wordy, origin=extension)
    one.decide()
    token = one.collect().json()["token"]
    headers = {"Origin": extension}
    assert wordy.call("OPTIONS", "/v1/recall", headers=headers | ASKS).status_code == 204
    assert wordy.call("DELETE", "/v1/pair", token=token, headers=headers).status_code == 200
    assert wordy.call("OPTIONS", "/v1/recall", headers=headers | ASKS).status_code == 403


def test_a_header_that_is_judged_may_not_stand_there_twice(wordy: Running) -> None:
    headers = [("Origin", "https://chatgpt.com"), ("Origin", f"http://127.0.0.1:{wordy.port}")]
    answer = httpx.get(
        f"{wordy.url}/v1/status", headers=[("Authorization", f"Bearer {wordy.token}"), *headers], trust_env=False
    )
    assert answer.status_code == 400


ORIGINS = st.sampled_from([None, EXTENSION, *OTHERS, "http://127.0.0.1:8765"])


@given(pinned=ORIGINS.filter(lambda o: o is None or origin.is_extension(o)), asked_by=ORIGINS, method=st.text())
def test_no_extension_ever_uses_what_is_not_its_own(pinned: str | None, asked_by: str | None, method: str) -> None:
    if asked_by is not None and origin.is_extension(asked_by):
        assert origin.fits(pinned, asked_by, method) == (pinned == asked_by)
    elif pinned is not None:
        assert origin.fits(pinned, asked_by, method) == (asked_by is None and method in ("GET", "HEAD"))
