"""`satchel doctor` finds what is wrong and says how to mend it."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

import apsw
import pytest

from satchel import doctor, server
from satchel.doctor import Finding
from satchel.models import registry
from satchel.store import Store, backup
from satchel.store.store import FILE_NAME
from satchel.times import now_ms
from satchel.types import StoreError


def wrong(data: Path) -> list[Finding]:
    return [finding for finding in doctor.examine(data) if finding.level == "wrong"]


@pytest.fixture
def data(tmp_path: Path, models_folder: Path) -> Path:
    folder = tmp_path / "satchel"
    Store(folder).close()
    return folder


def test_a_healthy_folder_has_nothing_wrong(data: Path) -> None:
    assert wrong(data) == []


def test_a_folder_that_does_not_exist_yet_is_nothing_wrong(tmp_path: Path, models_folder: Path) -> None:
    found = list(doctor.examine(tmp_path / "nowhere"))
    assert not [finding for finding in found if finding.level == "wrong"]
    assert any("no data folder" in finding.what for finding in found)


def test_every_wrong_thing_has_a_remedy_and_exit_status_1(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "config.toml").write_text("[server]\nport = 'eight'\n")
    (data / "config.toml").chmod(0o600)
    (data / FILE_NAME).chmod(0o644)
    found = wrong(data)
    assert len(found) == 2
    assert all(finding.remedy for finding in found)
    assert doctor.run(data, as_json=False) == 1
    shown = capsys.readouterr().out
    assert "chmod 600" in shown
    assert "port" in shown


def test_a_damaged_store_is_seen(data: Path) -> None:
    file = data / FILE_NAME
    raw = bytearray(file.read_bytes())
    raw[4096 * 3 : 4096 * 6] = b"\xa5" * (4096 * 3)
    file.write_bytes(raw)
    assert any("damaged" in finding.what or "cannot be" in finding.what for finding in wrong(data))


def test_a_store_from_the_future_is_seen(data: Path) -> None:
    db = apsw.Connection(str(data / FILE_NAME))
    db.pragma("user_version", 4711)
    db.close()
    assert any("4711" in finding.what and "Update" in finding.remedy for finding in wrong(data))


def test_a_missing_model_is_seen(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATCHEL_MODELS", str(tmp_path / "none"))
    remedies = [finding.remedy for finding in wrong(data)]
    assert [r for r in remedies if r.startswith("satchel models pull ")] == remedies
    assert len(remedies) == 2


def test_a_model_file_that_was_changed_is_seen(
    data: Path, models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for entry in registry.manifest():
        if entry.default:
            (folder / entry.file).write_bytes((models_folder / entry.file).read_bytes())
    embedder = folder / registry.default_entry("embed").file
    with embedder.open("r+b") as handle:
        handle.seek(-100, 2)
        handle.write(b"\0" * 100)
    monkeypatch.setenv("SATCHEL_MODELS", str(folder))
    assert [finding.what for finding in wrong(data)] == [f"{embedder} is not the file it should be"]


def said(data: Path, words: str) -> Finding:
    (found,) = [finding for finding in doctor.examine(data) if words in finding.what]
    return found


def test_the_last_backups_age_is_told(data: Path, tmp_path: Path) -> None:
    assert said(data, "no backup").level == "note"
    long_ago = now_ms() - 40 * 24 * 3600 * 1000
    made = backup.make(data, now=lambda: long_ago)
    assert said(data, "last backup was made 40 days ago").level == "note"
    backup.make(data, tmp_path / "mine.db")
    assert said(data, "last backup was made today; 2 are kept").level == "ok"
    (tmp_path / "mine.db").unlink()
    assert said(data, "last backup was made 40 days ago").level == "note"
    made.chmod(0o640)
    assert said(data, f"may read {made}").remedy == f"chmod 600 {made}"


def test_a_backup_on_a_disk_that_does_not_answer_is_passed_over(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup.make(data, tmp_path / "mine.db")
    whole = Path.exists

    def refuse(path: Path) -> bool:
        if path.name == "mine.db":
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path)

    monkeypatch.setattr(Path, "exists", refuse)
    assert said(data, "no backup").level == "note"


def test_a_fresh_backup_that_is_owed_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup.make(data)

    def refuse(*_: object) -> None:
        raise StoreError("There is no room.")

    with monkeypatch.context() as full:
        full.setattr(backup, "need_room", refuse)
        backup.after_forgetting(data)
    assert said(data, "No fresh backup").remedy == "satchel backup"
    backup.make(data)
    assert not [finding for finding in doctor.examine(data) if "No fresh backup" in finding.what]


def test_a_store_of_an_older_schema_is_told(data: Path) -> None:
    db = apsw.Connection(str(data / FILE_NAME))
    db.pragma("user_version", 1)
    db.close()
    assert said(data, "has schema 1").remedy == "Start Satchel once."


def test_a_daemon_that_died_is_seen(data: Path) -> None:
    with socket.socket() as probe:
        probe.bind((server.ADDRESS, 0))
        port = probe.getsockname()[1]
    (data / server.RUNNING_FILE).write_text(f'{{"port": {port}, "pid": 1}}')
    assert any("does not answer" in finding.what for finding in wrong(data))


def test_a_file_in_the_current_folder_does_not_pass_for_llama_cpp(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "llama_cpp.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    assert wrong(data) == []
