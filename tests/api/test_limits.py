"""How much, how often and how many at once: nobody can flood the daemon, and nobody pays for another's flood."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.guarded import CLIENT, TOKEN, Guarded
from api.running import Running, assert_problem
from api.test_contract_capture import Listener
from satchel.api.guard import concurrency, rate
from satchel.api.guard.body import SECONDS, received
from satchel.api.guard.rate import Rate, Rates
from satchel.api.guard.size import MAX_TOKENLESS_BYTES
from satchel.store.clients import Client
from satchel.types import SCOPES

OTHER = Client(id="d", name="other", scopes=SCOPES, profiles=None, created_at=0)
TWO = {TOKEN: CLIENT, "other": OTHER}
NO_TOKEN = {"Authorization": ""}
FLOODS = {
    "client": ("GET", "/v1/status", {}, rate.CLIENT, 200),
    "health": ("GET", "/health", NO_TOKEN, rate.OPEN, 200),
    "pairing": ("POST", "/v1/pair", NO_TOKEN, rate.PAIRING, 200),
    "collecting": ("POST", "/v1/pair/x", NO_TOKEN, rate.PAIRING, 200),
    "no token": ("GET", "/v1/status", NO_TOKEN, rate.UNKNOWN, 401),
    "wrong token": ("POST", "/v1/messages", {"Authorization": "Bearer wrong"}, rate.UNKNOWN, 401),
}


@given(
    per_second=st.floats(0.1, 1000),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_in_any_span_no_more_pass_than_burst_and_pace_allow(per_second: float, burst: int, pauses: list[float]) -> None:
    now = 0.0
    rates = Rates(lambda: now)
    passed: list[float] = []
    for pause in pauses:
        now += pause
        wait = rates.take("a", Rate(per_second, burst))
        if not wait:
            passed.append(now)
        else:
            assert 0 < wait <= 1 / per_second + 1e-9
    for i, begin in enumerate(passed):
        for j in range(i, len(passed)):
            assert j - i + 1 <= burst + (passed[j] - begin) * per_second + 1e-6


@given(per_second=st.floats(0.1, 1000), burst=st.integers(1, 20))
def test_who_waits_as_long_as_told_may_ask(per_second: float, burst: int) -> None:
    now = 0.0
    rates = Rates(lambda: now)
    for _ in range(burst + 5):
        if wait := rates.take("a", Rate(per_second, burst)):
            now += wait + 1e-6
            assert rates.take("a", Rate(per_second, burst)) == 0


@pytest.mark.parametrize("who", FLOODS)
def test_a_flood_is_told_to_wait_and_others_are_answered(who: str) -> None:
    method, path, headers, pace, status = FLOODS[who]
    guarded = Guarded(TWO)

    async def flood() -> None:
        for _ in range(int(pace.burst)):
            assert (await guarded.ask(method, path, **headers))[0] == status
        reached = guarded.reached
        for _ in range(50):
            refused, told = await guarded.ask(method, path, **headers)
            assert (refused, told["retry-after"], told["content-type"]) == (429, "1", "application/problem+json")
        assert guarded.reached == reached
        for name, (other_method, other_path, other_headers, other_pace, other_status) in FLOODS.items():
            if other_pace is not pace:
                assert (await guarded.ask(other_method, other_path, **other_headers))[0] == other_status, name
        assert (await guarded.ask(Authorization="Bearer other"))[0] == 200
        guarded.now += 1
        assert (await guarded.ask(method, path, **headers))[0] == status

    asyncio.run(flood())


@pytest.mark.parametrize(
    "page",
    [
        {"Host": "evil.example"},
        {"Origin": "https://chatgpt.com"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors"},
    ],
    ids=str,
)
def test_a_page_cannot_use_up_what_others_may_ask(page: dict[str, str]) -> None:
    guarded = Guarded()

    async def flood() -> None:
        for method, path, headers, pace, _ in FLOODS.values():
            for _ in range(int(pace.burst) + 1):
                assert (await guarded.ask(method, path, **headers, **page))[0] in (403, 421)
        for method, path, headers, _, status in FLOODS.values():
            assert (await guarded.ask(method, path, **headers))[0] == status

    asyncio.run(flood())


@pytest.mark.parametrize(
    ("method", "path", "headers", "limit", "beside"),
    [
        ("GET", "/v1/status", {}, concurrency.CLIENT, "/v1/events"),
        ("GET", "/v1/events", {}, concurrency.STREAMS, "/v1/status"),
        ("GET", "//v1/events/", {}, concurrency.STREAMS, "/v1/status"),
        ("POST", "/v1/pair", NO_TOKEN, concurrency.TOKENLESS, "/health"),
    ],
)
def test_so_many_at_once_and_streams_apart_from_the_rest(
    method: str, path: str, headers: dict[str, str], limit: int, beside: str
) -> None:
    async def crowd() -> None:
        guarded = Guarded(TWO)
        guarded.hold = asyncio.Event()
        held = [asyncio.create_task(guarded.ask(method, path, **headers)) for _ in range(limit)]
        await asyncio.sleep(0)
        assert guarded.reached == limit
        status, told = await guarded.ask(method, path, **headers)
        assert (status, told["retry-after"]) == (429, "1")
        others = [guarded.ask("GET", beside, **headers), guarded.ask("GET", "/v1/events", Authorization="Bearer other")]
        waiting = asyncio.gather(*held, *others)
        await asyncio.sleep(0)
        assert guarded.reached == limit + 2
        guarded.hold.set()
        assert {answered[0] for answered in await waiting} == {200}
        assert (await guarded.ask(method, path, **headers))[0] == 200  # what ended counts no more

    asyncio.run(crowd())


def test_what_breaks_counts_no_more() -> None:
    async def crowd() -> None:
        guarded = Guarded()

        async def broken(*_: object) -> None:
            raise RuntimeError

        guarded.guard.app = broken  # type: ignore[assignment]
        for _ in range(concurrency.CLIENT + 1):
            with pytest.raises(RuntimeError):
                await guarded.ask()

    asyncio.run(crowd())


def test_open_streams_leave_a_client_what_it_may_ask(wordy: Running) -> None:
    token = wordy.new_token()
    listeners = [Listener(wordy, token) for _ in range(concurrency.STREAMS)]
    refused = wordy.call("GET", "/v1/events", token=token)
    assert_problem(refused, 429)
    assert refused.headers["retry-after"] == "1"
    assert wordy.call("GET", "/v1/status", token=token).status_code == 200
    assert wordy.call("DELETE", "/v1/pair", token=token).status_code == 200
    assert all(listener.ended.wait(20) for listener in listeners)


def test_a_compatible_call_is_told_to_wait_in_its_envelope() -> None:
    guarded = Guarded()

    async def flood() -> tuple[int, dict[str, str]]:
        for _ in range(int(rate.UNKNOWN.burst)):
            await guarded.ask("POST", "/api/openmem/v1/search/memory", Authorization="Token wrong")
        return await guarded.ask("POST", "/api/openmem/v1/search/memory", Authorization="Token wrong")

    status, told = asyncio.run(flood())
    assert (status, told["content-type"], told["retry-after"]) == (429, "application/json", "1")


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/v1/pair", "/v1/pair/x"])
def test_without_a_token_little_may_be_sent(wordy: Running, path: str, chunked: bool) -> None:
    raw = json.dumps({"client": "x" * MAX_TOKENLESS_BYTES, "challenge": "0" * 64}).encode()
    content = iter([raw[:5000], raw[5000:]]) if chunked else raw
    headers = {"Content-Type": "application/json"}
    answer = httpx.post(f"{wordy.url}{path}", content=content, headers=headers, trust_env=False)
    assert_problem(answer, 413, "16 kB")


def test_a_longest_client_name_fits_in_any_script(wordy: Running) -> None:
    body = json.dumps({"client": "𝔖" * 101, "challenge": "0" * 64}).encode()
    answer = wordy.call(
        "POST", "/v1/pair", headers={"Authorization": "", "Content-Type": "application/json"}, content=body
    )
    assert_problem(answer, 400, "client")


def unsent(daemon: Running, path: str, *headers: str, sent: bytes = b"") -> socket.socket:
    """A connection whose request announces a body, of which only `sent` comes."""
    head = (
        f"POST {path} HTTP/1.1",
        f"Host: 127.0.0.1:{daemon.port}",
        "Content-Type: application/json",
        *headers,
    )
    sock = socket.create_connection(("127.0.0.1", daemon.port), timeout=30)
    sock.sendall("\r\n".join((*head, "", "")).encode() + sent)
    return sock


def all_of(sock: socket.socket) -> bytes:
    """What is answered until the daemon closes the connection."""
    with sock, sock.makefile("rb") as answer:
        return answer.read()


def test_bodies_that_never_come_keep_nobody_from_pairing_and_are_given_up(wordy: Running) -> None:
    held = [
        unsent(wordy, path, *how, sent=sent)
        for path in ("/v1/pair", "/v1/pair/x")
        for how, sent in (
            (("Content-Length: 100",), b""),
            (("Content-Length: 100",), b'{"client": "a'),
            (("Transfer-Encoding: chunked",), b"5\r\n{    \r\n"),
        )
        for _ in range(concurrency.TOKENLESS // 4)
    ]
    began = time.monotonic()
    body = {"client": "A program", "challenge": "0" * 64}
    assert wordy.call("POST", "/v1/pair", body, headers=NO_TOKEN).status_code == 201
    assert time.monotonic() - began < SECONDS
    for answer in map(all_of, held):
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b"application/problem+json" in answer
        assert b"send it again" in answer


def test_what_announces_or_sends_too_much_is_refused_without_waiting_for_it(wordy: Running) -> None:
    too_much = MAX_TOKENLESS_BYTES + 1
    chunk = f"{too_much:x}\r\n".encode() + b" " * too_much + b"\r\n"
    for sock in (
        unsent(wordy, "/v1/pair", f"Content-Length: {too_much}"),
        unsent(wordy, "/v1/pair", "Transfer-Encoding: chunked", sent=chunk),
    ):
        began = time.monotonic()
        with sock:
            assert sock.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert time.monotonic() - began < SECONDS / 2


@given(
    cuts=st.lists(st.integers(0, 60), max_size=8).map(sorted),
    size=st.sampled_from([0, 1, 60, MAX_TOKENLESS_BYTES, 3 * MAX_TOKENLESS_BYTES]),
    gone=st.booleans(),
)
def test_the_app_reads_what_was_sent_piece_by_piece(cuts: list[int], size: int, gone: bool) -> None:
    whole = bytes(n % 251 for n in range(size))
    ends = [*(cut for cut in cuts if cut < size), size]
    pieces = [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]
    sent: list[Any] = [
        {"type": "http.request", "body": piece, "more_body": number < len(pieces) - 1}
        for number, piece in enumerate(pieces)
    ]
    if gone:
        sent[-1] = {"type": "http.disconnect"}
    coming = iter(sent)

    async def receive() -> Any:
        return next(coming)

    async def read() -> list[Any]:
        receive_again = await received(receive)
        return [await receive_again() for _ in sent]

    assert asyncio.run(read()) == sent
