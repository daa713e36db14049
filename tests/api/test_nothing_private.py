"""What a user said stands in no error, no log and no process's arguments; nor does what lets somebody in."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import psutil
import pytest

from api.running import Running, command, running
from api.test_pairing import Asking

PLANTED = "Brombeerkuchen"
SAID = f"My doctor said {PLANTED}."
TURN = {"id": "m1", "role": "user", "content": SAID, "sent_at": "2026-03-01T10:00:00Z"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/messages": {"site": "s", "external_id": "e", "title": SAID, "url": "https://x/y", "messages": [TURN]},
    "POST /v1/recall": {"query": SAID, "profile": "p", "limit": 3, "filter": {}},
    "POST /v1/context": {"query": SAID, "profile": "p", "budget_tokens": 300, "style": "full"},
    "POST /v1/memories": {"text": SAID, "kind": "fact", "key": SAID, "tags": [SAID]},
    "PATCH /v1/memories/x": {"text": SAID, "pinned": True, "tags": [SAID]},
    "POST /api/openmem/v1/add/message": {"user_id": "p", "conversation_id": "c", "messages": [dict(TURN)]},
    "POST /api/openmem/v1/search/memory": {"user_id": "p", "query": SAID, "relativity": 0.4},
}
OTHERS: tuple[Any, ...] = (None, 7, True, [], {}, "wrong", [7], {"a": 1}, -1, 1e300)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a body, at any depth."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(body)
    inner = made
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return made


def broken(body: dict[str, Any]) -> Iterator[bytes]:
    """The body with something wrong in each place, the text itself included, and with what is no JSON at all."""
    for path in places(body):
        given = body
        for key in path:
            given = given[key]
        # In a place for a time, an id or an enumeration, a wrong value is named: that is no text of a message.
        wrong = [*OTHERS, [SAID], {"text": SAID}]
        if given == SAID:
            wrong += [SAID * 1000, SAID + "\ud800", SAID + "\0"]
        for value in wrong:
            yield json.dumps(put(body, path, value)).encode()
    yield json.dumps(body | {"unknown": SAID}).encode()
    whole = json.dumps(body).encode()
    at = whole.index(PLANTED.encode())
    yield from (whole[: at + 20], whole[:-1], whole + SAID.encode(), b'"' + SAID.encode(), SAID.encode(), b"[" + whole)
    yield whole.replace(PLANTED.encode(), PLANTED.encode() + b"\xff")
    yield json.dumps(SAID).encode()
    yield json.dumps([SAID]).encode()


@pytest.mark.parametrize("call", BODIES)
def test_no_error_repeats_what_was_said(wordy: Running, call: str) -> None:
    method, _, path = call.partition(" ")
    refused = 0
    for raw in broken(BODIES[call]):
        answer = wordy.call(method, path, content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, raw
        if answer.is_error:
            refused += 1
            assert PLANTED not in answer.text, (raw[:200], answer.text)
            assert "doctor" not in answer.text, (raw[:200], answer.text)
    assert refused > 20


def test_no_log_holds_words_tokens_or_codes(tmp_path: Path, no_models: Path) -> None:
    with running(tmp_path / "data", models=no_models) as own:
        pairing = Asking(own, "Logged")
        token = own.new_token()
        pairing.collect("w" * 43)
        for call, body in BODIES.items():
            method, _, path = call.partition(" ")
            for raw in (json.dumps(body).encode(), *list(broken(body))[::7]):
                own.call(method, path, content=raw, headers={"Content-Type": "application/json"})
        own.call("GET", f"/v1/memories?q={PLANTED}&colour={PLANTED}")
        own.call("GET", f"/v1/memories/{PLANTED}")
        own.call("GET", "/v1/status", token=PLANTED)
        # What nobody foresees: tables that are gone.
        db = apsw.Connection(str(own.data / "satchel.sqlite"))
        db.set_busy_timeout(5000)
        for table in ("memory", "injection", "message"):
            db.execute(f"ALTER TABLE {table} RENAME TO lost_{table}")
        db.close()
        failed = []
        for call, body in BODIES.items():
            method, _, path = call.partition(" ")
            answer = own.call(method, path, body)
            failed.append(answer.status_code)
            assert PLANTED not in answer.text
        failed.append(own.call("GET", f"/v1/memories/{PLANTED}").status_code)
        assert max(failed) >= 500
        own.stop()
        log = own.errors.read_text()
        assert log
        for secret in (PLANTED, "doctor", token, own.token, pairing.code, pairing.verifier, pairing.id):
            assert secret not in log, log[-2000:]


def test_no_process_has_words_or_tokens_in_its_arguments(daemon: Running, profile: str) -> None:
    done = daemon.capture(f"I live in Porto and I like {PLANTED}.", profile=profile)
    daemon.finished(done["job_id"])
    daemon.ok("POST", "/v1/recall", {"query": PLANTED, "profile": profile})
    processes = [psutil.Process(daemon.pid), *psutil.Process(daemon.pid).children(recursive=True)]
    assert len(processes) > 1  # a model's
    for process in processes:
        told = " ".join([*process.cmdline(), *process.environ().values()])
        assert PLANTED not in told
        assert daemon.token not in told
        assert profile not in told


@pytest.mark.parametrize("name", ["search", "context"])
def test_a_question_need_not_stand_in_the_arguments(wordy: Running, name: str) -> None:
    wordy.capture(SAID)
    done = command(name, "--data", wordy.data, "--json", "-", stdin=f"{PLANTED}\n".encode())
    assert done.returncode == 0, done.stderr
    assert PLANTED in done.stdout
