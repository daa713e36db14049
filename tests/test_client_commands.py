"""`satchel clients`, as a person types it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, command, running


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("clients") / "data", models=tmp_path_factory.mktemp("none")) as daemon:
        yield daemon


def clients(daemon: Running, *arguments: str) -> str:
    done = command("clients", "--data", daemon.data, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make(daemon: Running, name: str, *arguments: str) -> str:
    done = command("token", "--data", daemon.data, "--name", name, *arguments)
    return done.stdout.split()[-1]


def test_they_are_listed_renamed_narrowed_and_revoked_by_name(daemon: Running) -> None:
    token = make(daemon, "Editor")
    assert "Editor" in clients(daemon)
    clients(daemon, "rename", "Editor", "My editor")
    assert "'My editor' may recall in 'work'." in clients(
        daemon, "narrow", "My editor", "--scope", "recall", "--profile", "work"
    )
    listed = json.loads(clients(daemon, "--json"))["items"]
    one = next(one for one in listed if one["name"] == "My editor")
    assert (one["scopes"], one["profiles"]) == (["recall"], ["work"])
    assert "not let in any more" in clients(daemon, "revoke", "My editor", "--yes")
    assert daemon.call("GET", "/v1/status", token=token).status_code == 401
    assert "My editor" not in clients(daemon)
    assert "My editor" in clients(daemon, "--revoked")


def test_two_of_the_same_name_are_told_apart_by_id(daemon: Running) -> None:
    kept, gone = make(daemon, "Twin"), make(daemon, "Twin")
    done = command("clients", "--data", daemon.data, "revoke", "Twin", "--yes")
    assert done.returncode == 1
    ids = [one["id"] for one in json.loads(clients(daemon, "--json"))["items"] if one["name"] == "Twin"]
    assert all(one in done.stderr for one in ids)
    clients(daemon, "revoke", ids[1], "--yes")
    assert [daemon.call("GET", "/v1/status", token=token).status_code for token in (kept, gone)] == [200, 401]


@pytest.mark.parametrize(
    "arguments", [["revoke", "Nobody", "--yes"], ["narrow", "Nobody", "--scope", "recall"], ["rename", "Nobody", "x"]]
)
def test_one_that_is_not_there_is_told_in_one_sentence(daemon: Running, arguments: list[str]) -> None:
    done = command("clients", "--data", daemon.data, *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "satchel clients" in done.stderr


def test_narrowing_to_nothing_named_and_widening_are_refused(daemon: Running) -> None:
    make(daemon, "Narrow", "--scope", "recall")
    assert command("clients", "--data", daemon.data, "narrow", "Narrow").returncode == 2
    done = command("clients", "--data", daemon.data, "narrow", "Narrow", "--scope", "manage")
    assert (done.returncode, "can only lose" in done.stderr) == (1, True)


def test_data_may_stand_behind_the_command(daemon: Running, tmp_path: Path) -> None:
    make(daemon, "Behind")
    assert command("clients", "rename", "--data", daemon.data, "Behind", "Before").returncode == 0
    assert command("--data", daemon.data, "clients").returncode == 0
