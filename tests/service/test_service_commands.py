"""`satchel service`, as a person types it, on Linux."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from api.running import Running, running
from service import unit_file
from service.session import Session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd")


def status(session: Session) -> Any:
    return json.loads(session.ok("service", "status", "--json"))


def test_the_service_is_installed_runs_is_looked_at_and_is_removed(session: Session) -> None:
    said = session.install()
    assert f"Satchel answers on port {session.port}" in said
    assert "loginctl enable-linger" in said
    now = status(session)
    assert (now["installed"], now["current"], now["enabled"], now["running"]) == (True,) * 4
    assert (now["by_service"], now["port"], now["data"]) == (True, session.port, str(session.data))
    assert Path(now["log"]).read_text().count("answers on port") == 1
    assert now["since"] > "2026"
    assert session.unit.stat().st_mode & 0o077 == 0

    # Of another version: told, and brought up to date by installing again, with a new process.
    session.unit.write_text(session.unit.read_text().replace("RestartSec=5", "RestartSec=9"))
    assert "run: satchel service install" in session.ok("service", "status")
    session.install()
    again = status(session)
    assert again["current"]
    assert again["pid"] != now["pid"]

    session.ok("service", "stop")
    assert "Not running" in session.ok("service", "status")
    session.ok("service", "start")
    assert f"Running on port {session.port} since" in session.ok("service", "status")

    session.ok("service", "uninstall", "--yes")
    assert not session.unit.exists()
    assert not session.link.is_symlink()
    assert (session.data / "satchel.sqlite").exists()
    gone = status(session)
    assert (gone["installed"], gone["running"]) == (False, False)
    assert "Not installed" in session.ok("service", "uninstall")


def test_nothing_is_written_before_it_was_shown_and_agreed_to(session: Session) -> None:
    shown = session.run("service", "install", stdin=b"n\n")
    assert shown.returncode == 130
    assert f"{session.unit}:" in shown.stderr
    assert "systemctl --user enable satchel.service" in shown.stderr
    printed = session.ok("service", "install", "--print", "--port", "9000")
    command = unit_file.exec_start(unit_file.settings(printed)["Service"]["ExecStart"])
    assert command.argv[0] == sys.executable
    assert command.argv[-2:] == ["--port", "9000"]
    assert str(session.data) in command.argv
    assert not session.units.exists()
    assert session.calls() == []


def test_without_a_manager_it_says_what_was_written_and_what_is_to_be_done(session: Session) -> None:
    session.break_manager()
    done = session.run("service", "install", "--yes")
    assert done.returncode == 1
    assert done.stdout == f"Written: {session.unit}\n"
    assert "Failed to connect to bus: No medium found" in done.stderr
    for word in ("daemon-reload", "enable satchel.service", "restart satchel.service"):
        assert f"  systemctl --user {word}\n" in done.stderr
    assert "it cannot be asked" in session.ok("service", "status")
    removed = session.ok("service", "uninstall", "--yes")
    assert "could not be told" in removed
    assert not session.unit.exists()


@pytest.mark.parametrize("how", ["a file", "a link", "a link to one of ours"])
def test_a_file_that_is_not_ours_is_left_alone(session: Session, tmp_path: Path, how: str) -> None:
    theirs = tmp_path / "theirs"
    theirs.write_text("[Service]\nExecStart=/bin/true\n")
    session.units.mkdir(parents=True)
    if how == "a link to one of ours":
        theirs.write_text(session.ok("service", "install", "--print"))
    if how != "a file":
        session.unit.symlink_to(theirs)
    else:
        session.unit.write_bytes(theirs.read_bytes())
    for words in (("install", "--yes"), ("uninstall", "--yes"), ("status",), ("start",)):
        done = session.run("service", *words)
        assert done.returncode == 1
        assert "is left alone" in done.stderr
    assert session.unit.read_text() == theirs.read_text()
    assert session.calls() == []


def test_a_daemon_that_was_started_otherwise_is_not_joined_by_a_second(session: Session) -> None:
    with running(session.data, models=session.models) as other:
        said = session.install()
        assert f"(process {other.pid})" in said
        assert session.calls() == ["daemon-reload", "enable satchel.service"]
        assert "started otherwise" in session.ok("service", "status")
        done = session.run("service", "start")
        assert (done.returncode, f"process {other.pid}" in done.stderr) == (1, True)


def test_settings_that_cannot_be_read_are_told_before_anything_is_written(session: Session) -> None:
    session.data.mkdir()
    (session.data / "config.toml").write_text("[server]\nprot = 1\n")
    done = session.run("service", "install", "--yes")
    assert (done.returncode, "prot" in done.stderr) == (78, True)
    assert not session.units.exists()


def test_a_start_that_fails_is_told_with_where_to_look(session: Session, tmp_path: Path) -> None:
    with running(tmp_path / "other", models=session.models, port=session.port):
        done = session.run("service", "install", "--port", str(session.port), "--yes")
    log = session.data / "logs" / "satchel.log"
    assert done.returncode == 1
    assert str(log) in done.stderr
    assert f"not started: Port {session.port} is taken" in log.read_text()


def test_starting_and_stopping_need_an_installed_service(session: Session) -> None:
    for word in ("start", "stop"):
        done = session.run("service", word)
        assert (done.returncode, "satchel service install" in done.stderr) == (1, True)


def test_a_command_that_needs_the_folder_names_the_way_to_stop_the_service(session: Session) -> None:
    session.install()
    refused = session.run("restore", session.data / "none.db", "--yes")
    assert "`satchel service stop`" in refused.stderr
    session.ok("service", "stop")
    daemon = Running(session.data, models=session.models)
    assert daemon.stop() == 0
