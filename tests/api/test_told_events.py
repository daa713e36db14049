"""Of what happens, each client is told what concerns it, in ids; of clients and pairings, who manages them alone."""

from __future__ import annotations

import hashlib
from typing import Any

from api.running import Running, eventually
from api.test_contract_capture import Listener

EXTENSION = "chrome-extension://" + "e" * 32
VERIFIER = "v" * 43


def heard(listener: Listener, name: str, profile: str | None) -> list[dict[str, Any]]:
    return [data for told, data in list(listener.events) if told == name and data["profile"] == profile]


def until_told(listener: Listener, profile: str, memory_id: str) -> None:
    eventually(lambda: memory_id in ids(listener, profile), what="the event of a memory", seconds=20)


def ids(listener: Listener, profile: str) -> list[str]:
    return [str(data["id"]) for data in heard(listener, "memory", profile)]


def told(daemon: Running, profile: str, text: str, chat: str) -> list[str]:
    message = {"role": "user", "content": text, "id": "m1"}
    done = daemon.capture(profile=profile, external_id=chat, messages=[message])
    return daemon.finished(done["job_id"])["memory_ids"]  # type: ignore[no-any-return]


def test_every_change_by_the_user_is_told(wordy: Running, profile: str) -> None:
    listener = Listener(wordy)
    memory = wordy.ok("POST", "/v1/memories", {"text": "A.", "profile": profile, "kind": "implicit_preference"})
    path = f"/v1/memories/{memory['id']}"
    for count, (way, where, body) in enumerate(
        (
            ("PATCH", path, {"text": "B."}),
            ("PATCH", path, {"pinned": True}),
            ("PATCH", path, {"status": "candidate"}),
            ("POST", f"/v1/decisions/{memory['id']}", {"decision": "keep"}),
        ),
        start=2,
    ):
        wordy.ok(way, where, body)
        eventually(lambda count=count: len(ids(listener, profile)) >= count, what="the event", seconds=20)
    assert ids(listener, profile) == [memory["id"]] * 5


def test_what_a_new_memory_ends_or_contradicts_is_told_as_well(daemon: Running, profile: str) -> None:
    (turin,) = told(daemon, profile, "I live in Turin.", "a")
    listener = Listener(daemon)
    (rome,) = told(daemon, profile, "I moved to Rome.", "b")
    until_told(listener, profile, rome)
    until_told(listener, profile, turin)


def test_what_an_edit_takes_back_is_told(daemon: Running, profile: str) -> None:
    (memory_id,) = told(daemon, profile, "My daughter Mia is allergic to peanuts.", "a")
    listener = Listener(daemon)
    told(daemon, profile, "Good morning!", "a")
    until_told(listener, profile, memory_id)
    assert daemon.ok("GET", f"/v1/memories/{memory_id}")["status"] == "superseded"


def test_an_insertion_is_told_without_a_word_of_it(wordy: Running, profile: str) -> None:
    listener = Listener(wordy)
    text, question = "The bicycle of Ottilie is called Rocket.", "What is Ottilie's bicycle Rocket called?"
    memory = wordy.ok("POST", "/v1/memories", {"text": text, "profile": profile, "pinned": True})
    offered = wordy.ok("POST", "/v1/context", {"query": question, "profile": profile})
    report = {"inserted": [hit["id"] for hit in offered["hits"]]}
    wordy.ok("POST", f"/v1/injections/{offered['injection_id']}", report)
    eventually(lambda: heard(listener, "inserted", profile), what="the event of an insertion", seconds=20)
    assert heard(listener, "inserted", profile) == [{"profile": profile, "id": offered["injection_id"]}]
    assert memory["id"] in report["inserted"]
    assert "Rocket" not in listener.raw


def test_only_who_manages_all_and_is_no_extension_is_told_of_clients_and_pairings(wordy: Running, profile: str) -> None:
    manages = Listener(wordy)
    others = [
        Listener(wordy, wordy.new_token("--origin", EXTENSION)),
        Listener(wordy, wordy.new_token("--profile", profile)),
        Listener(wordy, wordy.new_token("--scope", "recall", "--scope", "capture")),
    ]
    nobody = {"Authorization": "", "Origin": EXTENSION}
    asks = {"client": "Ottilie's browser", "challenge": hashlib.sha256(VERIFIER.encode()).hexdigest()}
    waiting = wordy.ok("POST", "/v1/pair", asks, headers=nobody)
    found = wordy.ok("POST", "/v1/pairings", {"code": waiting["code"]})
    wordy.ok("POST", f"/v1/pairings/{found['id']}", {"code": waiting["code"], "decision": "confirm"})
    paired = wordy.ok("POST", f"/v1/pair/{waiting['pairing_id']}", {"verifier": VERIFIER}, headers=nobody)
    (client_id,) = [c["id"] for c in wordy.ok("GET", "/v1/clients")["items"] if c["name"] == "Ottilie's browser"]
    wordy.ok("PATCH", f"/v1/clients/{client_id}", {"name": "Ottilie's other browser"})
    back = {"Origin": EXTENSION}
    wordy.ok("DELETE", "/v1/pair", token=paired["token"], headers=back)
    wordy.ok("DELETE", f"/v1/clients/{client_id}")
    last = wordy.ok("POST", "/v1/memories", {"text": "The last.", "profile": profile})["id"]
    for listener in (manages, *others):  # what was told before it has arrived then
        until_told(listener, profile, last)
    # Others' pairings may wait on this daemon as well.
    one_more, as_before = (told["waiting"] for told in heard(manages, "pairing", None))
    assert one_more == as_before + 1
    assert heard(manages, "client", None) == [{"profile": None, "id": client_id}] * 4
    for listener in others:
        assert {name for name, _ in listener.events} == {"memory"}
    for private in ("Ottilie", waiting["code"], waiting["pairing_id"], paired["token"]):
        assert private not in manages.raw


def test_an_asking_alone_is_told(wordy: Running) -> None:
    manages = Listener(wordy)
    asks = {"client": "somebody", "challenge": "0" * 64}
    wordy.ok("POST", "/v1/pair", asks, headers={"Authorization": ""})
    eventually(lambda: heard(manages, "pairing", None), what="the event of a pairing", seconds=20)
