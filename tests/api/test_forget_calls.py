"""`/v1/forget` and what follows from it, over HTTP, with the real models beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import psutil
import pytest
from filelock import FileLock

from api.running import Running, assert_problem, command, eventually, running
from satchel.store import backup

FORGOTTEN = "I keep Wyverns in the Zwischengeschoss"


@pytest.fixture
def own(tmp_path: Path, no_models: Path) -> Iterator[Running]:
    """A daemon of one test's own: its files are read."""
    with running(tmp_path / "data", models=no_models) as daemon:
        yield daemon


def forget(daemon: Running, **what: Any) -> dict[str, Any]:
    return daemon.ok("POST", "/v1/forget", {"preview": False} | what)  # type: ignore[no-any-return]


def raw(daemon: Running) -> bytes:
    return b"\n".join(file.read_bytes() for file in sorted(daemon.data.rglob("*")) if file.is_file()).lower()


def test_without_preview_false_nothing_is_forgotten(wordy: Running, profile: str) -> None:
    done = wordy.capture(FORGOTTEN, profile=profile)
    for what in ({"name": "wyverns"}, {"everything": True}, {"conversation": done["conversation_id"]}):
        answer = wordy.ok("POST", "/v1/forget", {"profile": profile} | what)
        assert (answer["preview"], answer["counts"]["messages"], answer["receipt"]) == (True, 1, None)
        assert FORGOTTEN in json.dumps(answer["goes"])
    assert wordy.log(done["conversation_id"])


@pytest.mark.parametrize("way", ["conversation", "site", "span", "name", "everything"])
def test_each_way_answers_when_no_file_holds_a_byte_of_it(own: Running, way: str) -> None:
    done = own.capture(FORGOTTEN, messages=[{"role": "user", "content": FORGOTTEN, "sent_at": "2026-03-01T10:00:00Z"}])
    own.capture("I keep bees", external_id="kept", site="elsewhere")
    what: dict[str, dict[str, Any]] = {
        "conversation": {"conversation": done["conversation_id"]},
        "site": {"site": "test"},
        "span": {"since": "2026-03-01", "until": "2026-03-02"},
        "name": {"name": "wyvern"},
        "everything": {"everything": True},
    }
    answer = forget(own, **what[way])
    receipt = answer["receipt"]
    assert (receipt["way"], receipt["bytes_found"], receipt["counts"]["messages"]) == (
        way,
        0,
        1 if way != "everything" else 2,
    )
    assert receipt["files"] >= 3
    assert b"wyvern" not in raw(own)
    assert b"zwischengeschoss" not in raw(own)
    (listed,) = own.ok("GET", "/v1/forget/receipts")["items"]
    assert listed == receipt
    assert "yvern" not in json.dumps(answer)


def test_the_earlier_calls_leave_a_receipt_too(own: Running) -> None:
    done = own.capture(FORGOTTEN)
    memory = own.ok("POST", "/v1/memories", {"text": "I breed Basilisks"})
    gone = [
        own.ok("DELETE", f"/v1/conversations/{done['conversation_id']}"),
        own.ok("DELETE", f"/v1/memories/{memory['id']}"),
    ]
    listed = own.ok("GET", "/v1/forget/receipts")["items"]
    assert [one["id"] for one in listed] == [one["receipt"] for one in reversed(gone)]
    assert [one["bytes_found"] for one in listed] == [0, 0]
    assert b"basilisk" not in raw(own)


def test_what_is_sent_again_is_acknowledged_counted_and_let_in_when_the_user_says_so(own: Running) -> None:
    first = own.capture(FORGOTTEN, title="Wyverns")
    forget(own, conversation=first["conversation_id"])
    assert own.ok("GET", "/v1/status")["forgotten_sent_again"] == 0
    again = own.capture(FORGOTTEN, title="Wyverns")
    assert (again["accepted"], again["duplicates"], again["forgotten"], again["job_id"]) == (0, 1, 1, None)
    assert again["message_ids"] == first["message_ids"]
    assert own.ok("GET", "/v1/status")["forgotten_sent_again"] == 1
    (kept_out,) = own.ok("GET", "/v1/forgotten?sent_again=true")["items"]
    assert (kept_out["site"], kept_out["turns"], kept_out["sent_again"]) == ("test", 1, 1)
    assert "yvern" not in json.dumps(kept_out)
    memos = own.memos("add/message", {"user_id": "u", "conversation_id": "c", "messages": []})
    assert memos.status_code < 500
    assert own.ok("POST", "/v1/forgotten/allow", {"ids": [kept_out["id"]]})["allowed"] == 1
    assert own.capture(FORGOTTEN)["accepted"] == 1
    assert own.ok("GET", "/v1/forgotten")["total"] == 0


def test_memos_is_told_that_what_was_forgotten_is_done(own: Running) -> None:
    body = {"user_id": "u", "conversation_id": "c", "messages": [{"role": "user", "content": FORGOTTEN}]}
    own.memos("add/message", body)
    forget(own, name="wyverns")
    answer = own.memos("add/message", body).json()
    assert (answer["code"], answer["data"]["status"]) == (0, "completed")
    assert b"wyvern" not in raw(own)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "Name one of"),
        ({"site": "a", "name": "Ottilie"}, "Name one of"),
        ({"name": "x"}, "two letters"),
        ({"since": "yesterday"}, "since"),
        ({"site": "a", "messages": True}, "messages"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_does_not_name_one_way_is_refused(wordy: Running, body: dict[str, Any], named: str) -> None:
    for preview in (True, False):
        assert_problem(wordy.call("POST", "/v1/forget", body | {"preview": preview}), 400, named)


def test_what_is_not_there_is_not_found(wordy: Running) -> None:
    assert_problem(wordy.call("POST", "/v1/forget", {"memory": "x"}), 404)
    assert_problem(wordy.call("POST", "/v1/forget", {"conversation": "x", "preview": False}), 404)
    assert_problem(wordy.call("POST", "/v1/forgotten/allow", {}), 400, "all")


def test_a_client_forgets_in_its_own_profiles_alone(wordy: Running, profile: str) -> None:
    token = wordy.new_token("--profile", profile)
    other = wordy.capture(FORGOTTEN, profile=f"{profile}-other")
    memory = wordy.ok("POST", "/v1/memories", {"text": "Wyverns", "profile": f"{profile}-other"})
    own = wordy.capture(FORGOTTEN, profile=profile)
    for what in ({"conversation": other["conversation_id"]}, {"memory": memory["id"]}):
        for preview in (True, False):
            answer = wordy.call("POST", "/v1/forget", what | {"preview": preview}, token=token)
            assert answer.status_code == 404
    assert wordy.call("POST", "/v1/forget", {"everything": True, "profile": "me"}, token=token).status_code == 403
    answer = wordy.call("POST", "/v1/forget", {"everything": True, "preview": False}, token=token)
    assert answer.json()["counts"]["messages"] == 1
    assert wordy.log(other["conversation_id"])
    assert wordy.call("GET", f"/v1/conversations/{own['conversation_id']}").status_code == 404
    seen = wordy.call("GET", "/v1/forget/receipts", token=token).json()["items"]
    assert {tuple(one["profiles"]) for one in seen} == {(profile,)}
    assert {one["profile"] for one in wordy.call("GET", "/v1/forgotten", token=token).json()["items"]} == {profile}


def test_a_client_learns_which_of_the_conversations_it_names_lost_turns(wordy: Running, profile: str) -> None:
    token = wordy.new_token("--scope", "capture", "--profile", profile)

    def ask(*names: str, after: str | None = None) -> tuple[list[str], str | None]:
        body = {"conversations": [{"site": "test", "external_id": name} for name in names], "after": after}
        answer = wordy.call("POST", "/v1/forgotten/among", body, token=token)
        assert answer.status_code == 200, answer.text
        return [one["external_id"] for one in answer.json()["conversations"]], answer.json()["latest"]

    ids = {
        name: wordy.capture(FORGOTTEN, profile=profile, external_id=name)["conversation_id"]
        for name in ("first", "second", "kept")
    }
    wordy.capture(FORGOTTEN, profile=f"{profile}-other", external_id="kept")
    forget(wordy, everything=True, profile=f"{profile}-other")
    assert ask(*ids) == ([], None)
    forget(wordy, conversation=ids["first"])
    lost, first = ask(*ids, "never captured")
    assert (lost, ask()) == (["first"], ([], first))
    assert ask(*ids, after=first) == ([], first)
    forget(wordy, conversation=ids["second"])
    lost, second = ask(*ids)
    assert (lost, second != first) == (["first", "second"], True)
    assert ask(*ids, after=first) == (["second"], second)


def test_a_client_learns_what_is_left_of_a_conversation_in_its_own_profiles(wordy: Running, profile: str) -> None:
    token = wordy.new_token("--scope", "capture", "--profile", profile)
    other = f"{profile}-other"

    def ask(token: str | None) -> tuple[bool, set[str]]:
        body = {"conversations": [{"site": "test", "external_id": profile}]}
        (found,) = wordy.call("POST", "/v1/forgotten/among", body, token=token).json()["conversations"]
        return found["left"], set(found["gone_from"])

    for name in (profile, other):
        wordy.capture(FORGOTTEN, "I keep bees.", profile=name, external_id=profile)
    forget(wordy, name="wyverns", profile=profile)
    assert ask(token) == (True, set())
    forget(wordy, everything=True, profile=profile)
    assert ask(token) == (False, {profile})
    assert ask(None) == (True, {profile})
    forget(wordy, everything=True, profile=other)
    assert ask(None) == (False, {profile, other})


def test_only_who_may_manage_may_forget(wordy: Running) -> None:
    token = wordy.new_token("--scope", "capture", "--scope", "recall")
    for method, path, body in (
        ("POST", "/v1/forget", {"name": "Ottilie"}),
        ("GET", "/v1/forget/receipts", None),
        ("GET", "/v1/forgotten", None),
        ("POST", "/v1/forgotten/allow", {"all": True}),
    ):
        assert wordy.call(method, path, body, token=token).status_code == 403


def test_the_models_processes_are_others_afterwards(daemon: Running, profile: str) -> None:
    done = daemon.capture("My sister Ottilie lives in Brno.", profile=profile)
    assert daemon.finished(done["job_id"])["status"] == "completed"
    daemon.ok("POST", "/v1/recall", {"query": "Where does my sister live?", "profile": profile})
    before = {child.pid for child in psutil.Process(daemon.pid).children(recursive=True)}
    assert before
    answer = forget(daemon, name="Ottilie", profile=profile)
    assert answer["counts"]["memories"] >= 1
    assert answer["receipt"]["bytes_found"] == 0
    after = {child.pid for child in psutil.Process(daemon.pid).children(recursive=True)}
    assert before.isdisjoint(after)
    hits = daemon.ok("POST", "/v1/recall", {"query": "Where does my sister live?", "profile": profile})["hits"]
    assert hits == []


def test_what_was_cut_off_is_ended_at_the_next_start(own: Running) -> None:
    own.capture(FORGOTTEN)
    forget(own, name="wyverns")
    own.kill()
    with apsw.Connection(str(own.data / "satchel.sqlite")) as db:
        db.execute("UPDATE forgetting SET finished_at = NULL, bytes_found = NULL")
        db.execute("CREATE TABLE left_in_the_journal (x)")
    own.start()

    def ended() -> dict[str, Any] | None:
        (receipt,) = own.ok("GET", "/v1/forget/receipts")["items"]
        return receipt if receipt["finished_at"] else None

    assert eventually(ended)["bytes_found"] is None


def test_while_another_program_reads_the_store_the_answer_says_so_and_it_is_done_later(own: Running) -> None:
    own.capture(FORGOTTEN)
    reader = apsw.Connection(str(own.data / "satchel.sqlite"))
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchall()
    answer = own.call("POST", "/v1/forget", {"name": "wyverns", "preview": False})
    problem = assert_problem(answer, 503, "goes on trying")
    assert "yvern" not in json.dumps(problem)
    reader.execute("COMMIT")
    reader.close()

    def proven() -> bool:
        (receipt,) = own.ok("GET", "/v1/forget/receipts")["items"]
        return receipt["bytes_found"] == 0

    assert eventually(proven)
    assert b"wyvern" not in raw(own)


def test_a_fresh_backup_that_cannot_be_made_yet_is_owed_in_the_receipt_and_made_later(own: Running) -> None:
    assert command("backup", "--data", own.data).returncode == 0
    own.capture(FORGOTTEN)
    with FileLock(own.data / "backup.lock"):  # a long copy to a place outside
        receipt = forget(own, name="wyverns")["receipt"]
        assert (receipt["bytes_found"], receipt["backups"], receipt["backup_owed"]) == (0, 1, True)
        own.kill()
        own.start()
        assert own.ok("GET", "/v1/forget/receipts")["items"][0]["backup_owed"] is True
        assert backup.own(own.data) == []

    def made() -> bool:
        (receipt,) = own.ok("GET", "/v1/forget/receipts")["items"]
        return not receipt["backup_owed"]

    assert eventually(made)
    assert len(backup.own(own.data)) == 1
    assert b"wyvern" not in raw(own)


def test_a_preview_tells_of_the_copies_that_nothing_replaces(own: Running) -> None:
    own.capture(FORGOTTEN)
    (own.data / "backups").mkdir()
    for why in ("", "-before-restore", "-before-restore-2", "-damaged"):
        (own.data / "backups" / f"satchel-20260101T000000Z{why}.db").write_bytes(b"Wyverns")
    assert own.ok("POST", "/v1/forget", {"name": "wyverns"})["set_aside"] == 3
    assert own.ok("POST", "/v1/forget", {"name": "basilisks"})["set_aside"] == 0
    shown = command("forget", "--name", "wyverns", "--preview", "--data", own.data)
    assert "damaged, that go too: 3." in shown.stdout
    assert forget(own, name="wyverns")["set_aside"] is None
    assert own.ok("POST", "/v1/forget", {"everything": True})["set_aside"] == 0
