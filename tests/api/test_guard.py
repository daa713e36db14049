"""Nobody else gets in: Host, Origin, token and kind of body are looked at before anything runs, on every path."""

from __future__ import annotations

import json
import socket

import apsw
import psutil
import pytest

from api.running import Running, assert_problem

PATHS = [
    "/health",
    "/schema/openapi.json",
    "/v1/status",
    "/v1/events",
    "/v1/nothing",
    "/",
    "/api/openmem/v1/search/memory",
    "/api/openmem/v1/nothing",
    "//health",
    "/health/",
]
PRIVATE = [path for path in PATHS if path not in ("/health", "/schema/openapi.json")]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:{port}", ""]
)
def test_a_foreign_host_is_refused_on_every_path(wordy: Running, path: str, host: str) -> None:
    answer = wordy.call("GET", path, headers={"Host": host.format(port=wordy.port)})
    assert answer.status_code == 421
    assert "x-satchel-version" in answer.headers


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "origin",
    ["https://chatgpt.com", "null", "http://127.0.0.1:1", "http://localhost", "https://127.0.0.1:{port}", "file://"],
)
def test_a_web_page_is_refused_on_every_path_even_with_a_token(wordy: Running, path: str, origin: str) -> None:
    answer = wordy.call("GET", path, headers={"Origin": origin.format(port=wordy.port)})
    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


def test_a_preflight_of_a_web_page_is_refused(wordy: Running) -> None:
    asks = {"Origin": "https://chatgpt.com", "Access-Control-Request-Method": "POST"}
    answer = wordy.call("OPTIONS", "/v1/messages", headers=asks)
    assert answer.status_code == 403
    assert not any(name.startswith("access-control") for name in answer.headers)


def test_the_daemons_own_pages_and_extensions_may_ask(wordy: Running) -> None:
    for origin in (f"http://127.0.0.1:{wordy.port}", f"http://localhost:{wordy.port}"):
        assert wordy.call("GET", "/v1/status", headers={"Origin": origin}).status_code == 200
    assert wordy.call("GET", "/health", headers={"Origin": "chrome-extension://abcdef"}).status_code == 200


@pytest.mark.parametrize("path", PRIVATE)
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", "Basic {token}", "{token}", "Token \xff"])
def test_without_a_valid_token_every_path_answers_401(wordy: Running, path: str, given: str) -> None:
    answer = wordy.call("GET", path, headers={"Authorization": given.format(token=wordy.token).encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    if path.startswith("/api/openmem/"):
        assert answer.json()["code"] == 40100
        assert set(answer.json()) == {"code", "data", "message"}
    else:
        assert_problem(answer, 401, "satchel token")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/pair"),
        ("HEAD", "/v1/pair"),
        ("OPTIONS", "/v1/pair"),
        ("DELETE", "/v1/pair"),
        ("PUT", "/v1/pair/x"),
        ("GET", "/v1/pair/x"),
        ("DELETE", "/v1/pair/x"),
        ("POST", "/v1/pair/"),
        ("POST", "//v1/pair"),
        ("POST", "/v1/pair//x"),
        ("POST", "/v1/pair/x/"),
        ("POST", "/v1/pair/x/y"),
        ("POST", "/v1/pair/x%2Fy"),
        ("POST", "/v1/pair%2Fx%2Fy"),
        ("POST", "/V1/pair"),
        ("POST", "/v1/pairings"),
        ("POST", "/v1/pairings/x"),
        ("POST", "/v1/messages"),
    ],
)
def test_only_asking_to_be_paired_needs_no_token_and_nothing_that_looks_like_it(
    wordy: Running, method: str, path: str
) -> None:
    answer = wordy.call(method, path, headers={"Authorization": "", "Content-Type": "application/json"})
    assert answer.status_code == 401


def test_both_forms_of_a_token_are_taken(wordy: Running) -> None:
    for scheme in ("Bearer", "bearer", "Token"):
        assert wordy.call("GET", "/v1/status", headers={"Authorization": f"{scheme} {wordy.token}"}).status_code == 200


def test_a_token_in_the_address_is_no_token(wordy: Running) -> None:
    assert wordy.call("GET", f"/v1/status?token={wordy.token}", headers={"Authorization": ""}).status_code == 401


def test_a_revoked_token_is_refused_at_once(wordy: Running) -> None:
    token = wordy.new_token()
    assert wordy.call("GET", "/v1/status", token=token).status_code == 200
    db = apsw.Connection(str(wordy.data / "satchel.sqlite"))
    db.set_busy_timeout(5000)
    db.execute("UPDATE client SET revoked_at = 1 WHERE id = (SELECT max(id) FROM client)")
    db.close()
    assert wordy.call("GET", "/v1/status", token=token).status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_version(wordy: Running, path: str) -> None:
    if path != "/v1/events":  # it never ends
        assert wordy.call("GET", path).headers["x-satchel-version"]


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_stays_in_a_browsers_cache(wordy: Running, path: str) -> None:
    """There it would outlive a forgetting."""
    if path != "/v1/events":  # it never ends
        assert wordy.call("GET", path).headers["cache-control"] in ("no-store", "no-cache")


def test_health_tells_nothing_private(wordy: Running) -> None:
    answer = wordy.call("GET", "/health", headers={"Authorization": ""})
    assert set(answer.json()) == {"name", "version", "ready"}


def test_the_openapi_document_needs_no_token_and_tells_nothing_of_this_machine(wordy: Running) -> None:
    answer = wordy.call("GET", "/schema/openapi.json", headers={"Authorization": ""})
    assert answer.status_code == 200
    document = answer.json()
    assert "/v1/context" in document["paths"]
    for private in (str(wordy.data), wordy.token, str(wordy.port)):
        assert private not in answer.text


def test_no_page_of_the_schema_loads_scripts_from_elsewhere(wordy: Running) -> None:
    for path in ("/schema", "/schema/swagger", "/schema/redoc", "/schema/elements"):
        answer = wordy.call("GET", path).text
        assert "//" not in answer
        assert "<script" not in answer


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
        "application/xml",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/messages"), ("POST", "/v1/recall"), ("PATCH", "/v1/memories/x"), ("POST", "/v1/jobs/x/retry")],
)
def test_only_json_is_taken_so_that_no_simple_form_is_a_request(
    wordy: Running, method: str, path: str, kind: str
) -> None:
    answer = wordy.call(method, path, content=b'{"query": "x"}', headers={"Content-Type": kind})
    assert_problem(answer, 415, "application/json")


def test_the_compatible_call_refuses_forms_in_its_envelope(wordy: Running) -> None:
    answer = wordy.call("POST", "/api/openmem/v1/add/message", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["code"] == 41500


def test_json_with_a_charset_is_json(wordy: Running) -> None:
    sent = {"content": json.dumps({"query": "x"}), "headers": {"Content-Type": "application/json; charset=utf-8"}}
    assert wordy.call("POST", "/v1/recall", **sent).status_code == 200


def test_web_sockets_are_refused(wordy: Running) -> None:
    with socket.create_connection(("127.0.0.1", wordy.port), timeout=20) as sock:
        sock.sendall(
            f"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:{wordy.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode()
        )
        assert sock.recv(100).startswith((b"HTTP/1.1 401", b"HTTP/1.1 403", b"HTTP/1.1 400"))


def test_it_listens_on_the_loopback_address_alone(wordy: Running) -> None:
    listening = [c.laddr for c in psutil.Process(wordy.pid).net_connections("inet") if c.status == psutil.CONN_LISTEN]
    assert [tuple(address) for address in listening] == [("127.0.0.1", wordy.port)]
