"""`/v1/backups`: Satchel's own copies, listed and made while it runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from api.running import Running, assert_problem, command, running
from satchel.store import backup, backup_list
from satchel.store.database import connect
from satchel.store.soundness import first_fault


@pytest.fixture
def own(tmp_path: Path, no_models: Path) -> Iterator[Running]:
    with running(tmp_path / "data", models=no_models) as daemon:
        daemon.capture("I live in Porto.")
        yield daemon


def listed(own: Running) -> dict[str, Any]:
    return own.ok("GET", "/v1/backups")  # type: ignore[no-any-return]


def test_a_backup_is_made_checked_and_listed(own: Running) -> None:
    folder = own.data / "backups"
    assert listed(own) == {"items": [], "folder": str(folder), "owed": False}
    answer = own.call("POST", "/v1/backups")
    assert answer.status_code == 201
    made = answer.json()
    file = folder / made["name"]
    assert made == {
        "name": file.name,
        "made_at": made["made_at"],
        "size_bytes": file.stat().st_size,
        "why": "by hand",
        "checked": True,
    }
    assert made["made_at"].startswith(f"{backup.made_at(file):%Y-%m-%dT%H:%M:%S}")
    with contextlib.closing(connect(file, readonly=True)) as db:
        assert first_fault(db) is None
        assert db.execute("SELECT content FROM message").get == "I live in Porto."
    assert listed(own)["items"] == [made]


def test_what_was_made_can_be_restored(own: Running) -> None:
    name = own.ok("POST", "/v1/backups")["name"]
    since = own.capture("Said since.", external_id="since")["conversation_id"]
    own.stop()
    done = command("restore", own.data / "backups" / name, "--data", own.data, "--yes")
    assert done.returncode == 0, done.stderr
    own.start()
    assert own.call("GET", f"/v1/conversations/{since}").status_code == 404
    assert [item["why"] for item in listed(own)["items"]] == ["before a restore", "by hand"]


def test_the_newest_come_first_and_five_are_kept(own: Running) -> None:
    names = [own.ok("POST", "/v1/backups")["name"] for _ in range(7)]
    assert [item["name"] for item in listed(own)["items"]] == names[:1:-1]


def test_the_copy_that_is_made_after_a_forgetting_says_so(own: Running) -> None:
    own.ok("POST", "/v1/backups")
    own.ok("POST", "/v1/forget", {"everything": True, "preview": False})
    found = listed(own)
    assert [item["why"] for item in found["items"]] == ["after a forgetting"]
    assert found["owed"] is False


def test_two_at_once_are_one(own: Running) -> None:
    with FileLock(own.data / backup.LOCK_FILE):  # as `satchel backup` in a terminal holds it
        problem = assert_problem(own.call("POST", "/v1/backups"), 409, "Another backup is being made")
    assert problem["title"] == "A backup is being made"
    assert listed(own)["items"] == []
    with ThreadPoolExecutor(4) as several:
        statuses = list(several.map(lambda _: own.call("POST", "/v1/backups").status_code, range(4)))
    assert set(statuses) <= {201, 409}
    assert len(listed(own)["items"]) == statuses.count(201) >= 1


def test_others_are_answered_meanwhile(own: Running) -> None:
    own.capture(*(f"{n} " + "words " * 2000 for n in range(400)), external_id="large")
    with ThreadPoolExecutor(1) as beside:
        making = beside.submit(own.call, "POST", "/v1/backups")
        answered = 0
        while not making.done():
            own.ok("GET", "/v1/status")
            answered += 1
    assert making.result().status_code == 201
    assert answered > 1


def test_a_place_that_cannot_be_written_is_one_sentence(own: Running) -> None:
    (own.data / "backups").write_text("a file where the folder should be")
    problem = assert_problem(own.call("POST", "/v1/backups"), 503)
    assert str(own.data / "backups") in problem["detail"]


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from satchel.store import Store
    from satchel.types import StoreError

    Store(tmp_path).close()
    monkeypatch.setattr(backup, "ROOM", 10**18)
    with pytest.raises(StoreError, match=r"needs .* MB .* are free; free some space") as caught:
        backup.make(tmp_path, wait=0)
    assert caught.value.status == 503


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_it_takes_the_right_to_manage_all_profiles(own: Running, method: str) -> None:
    for token in (own.new_token("--profile", "work"), own.new_token("--scope", "recall")):
        assert_problem(own.call(method, "/v1/backups", token=token), 403)
    assert listed(own)["items"] == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("satchel-20260528T202640Z.db", "by hand"),
        ("satchel-20260528T202640Z-2.db", "by hand"),
        ("satchel-20260528T202640Z-before-schema-9.db", "before an update"),
        ("satchel-20260528T202640Z-before-restore-2.db", "before a restore"),
        ("satchel-20260528T202640Z-after-forgetting.db", "after a forgetting"),
    ],
)
def test_a_copys_name_says_why_it_was_made(name: str, why: str) -> None:
    assert backup_list.why(name) == why


def test_a_copy_that_goes_meanwhile_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "satchel-20260528T202640Z.db"
    monkeypatch.setattr(backup, "own", lambda data: [gone])
    assert backup_list.listed(tmp_path) == []
