"""`satchel backup`, `restore` and `recover`, as a person types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, command, running
from satchel.store import backup


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Running]:
    none = tmp_path / "none"
    none.mkdir()
    with running(tmp_path / "data", models=none) as daemon:
        daemon.capture("I live in Porto.")
        yield daemon


def test_a_backup_made_while_the_daemon_runs_is_restored_when_it_does_not(daemon: Running, tmp_path: Path) -> None:
    mine = tmp_path / "mine.db"
    made = command("backup", mine, "--data", daemon.data)
    assert made.returncode == 0, made.stderr
    assert "whole" in made.stdout
    assert str(mine) in made.stdout.replace("\n", "")
    since = daemon.capture("Said since.", external_id="since")

    refused = command("restore", mine, "--data", daemon.data, "--yes")
    assert refused.returncode == 1
    assert f"Satchel is running on {daemon.data} (process {daemon.pid}); stop it" in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1
    assert daemon.log(since["conversation_id"])

    daemon.stop()
    asked = command("restore", mine, "--data", daemon.data, stdin=b"n\n")
    assert asked.returncode == 130
    done = command("restore", mine, "--data", daemon.data, stdin=b"y\n")
    assert done.returncode == 0, done.stderr
    assert "Restored: 1 turns, 0 memories." in done.stdout
    daemon.start()
    assert daemon.call("GET", f"/v1/conversations/{since['conversation_id']}").status_code == 404
    assert daemon.capture("I live in Porto.")["duplicates"] == 1

    daemon.stop()
    (aside,) = backup.own(daemon.data)
    told = json.loads(command("restore", aside, "--data", daemon.data, "--json").stdout)
    assert told["turns"] == 2
    daemon.start()
    assert daemon.log(since["conversation_id"])


def test_our_own_backup_is_named_and_told_as_json(daemon: Running) -> None:
    told = json.loads(command("backup", "--json", "--data", daemon.data).stdout)
    assert [Path(told["file"])] == backup.own(daemon.data)


def test_a_damaged_store_is_recovered_and_served_again(daemon: Running) -> None:
    file = daemon.data / "satchel.sqlite"
    refused = command("recover", "--data", daemon.data)
    assert "stop it with Ctrl-C where it runs, or with `satchel service stop`, then recover again" in refused.stderr
    daemon.stop()
    whole = command("recover", "--data", daemon.data)
    assert (whole.returncode, whole.stdout) == (0, "The store is whole; nothing was changed.\n")
    raw = file.read_bytes()
    file.write_bytes(bytes(4096) + raw[4096:])
    done = command("recover", "--data", daemon.data)
    assert done.returncode == 0, done.stderr
    assert "Saved: 1 turns, 0 memories." in done.stdout
    assert "Pages could not be read of: the schema" in done.stdout
    (aside,) = backup.damaged(daemon.data)
    assert str(aside) in done.stdout
    daemon.start()
    assert daemon.capture("I live in Porto.")["duplicates"] == 1

    daemon.stop()
    file.write_bytes(file.read_bytes()[:-4096])
    told = json.loads(command("recover", "--json", "--data", daemon.data).stdout)
    assert told["damaged"]
    assert told["turns"] == 1


def test_what_cannot_be_backed_up_or_restored_is_one_sentence(tmp_path: Path) -> None:
    for arguments in (("backup",), ("restore", "--yes", tmp_path / "none.db")):
        done = command(*arguments, "--data", tmp_path / "data")
        assert done.returncode == 1
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert "Traceback" not in done.stderr
