"""`satchel uninstall` removes what is Satchel's, says what stays, and touches nothing else."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from api.running import running
from satchel import removal
from satchel.models import registry
from satchel.store import Store, backup
from service.session import Session

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd")


@pytest.fixture
def used(session: Session, models_folder: Path) -> Session:
    """Satchel has run, was backed up, and fetched a model; beside all of it lies something of the user's."""
    for entry in registry.manifest():
        if entry.default:
            shutil.copy(models_folder / entry.file, session.models)
    with running(session.data, models=session.models) as daemon:
        daemon.finished(daemon.capture("I live in Porto.")["job_id"])
    backup.make(session.data)
    (session.models / registry.LOCAL).write_text("")
    (session.models / ".partial" / "Qwen3-4B-Instruct-2507").mkdir(parents=True)
    (session.models / ".partial" / "Qwen3-4B-Instruct-2507" / "part").write_text("half a model")
    for folder in (session.data, session.models, session.data / "backups", session.data / "logs"):
        (folder / "mine.txt").write_text("mine")
    (session.models / "mine.gguf").write_bytes(b"GGUF mine")
    return session


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_memories_stay_unless_they_are_named(used: Session) -> None:
    used.install()
    said = used.ok("uninstall", stdin=b"y\n")
    for line in (
        "the service, ",
        "the models that Satchel fetched",
        "logs and caches",
        "the browser extension",
        "1 memories",
    ):
        assert line in said, said
    assert "remove it too with --memories" in said
    assert f"{used.models / 'mine.gguf'}: Satchel did not fetch it" in said
    assert not used.unit.exists()
    assert names(used.models) == {"mine.txt", "mine.gguf"}
    left = names(used.data)
    assert {"satchel.sqlite", "command-line.token", "mine.txt", "backups/mine.txt", "logs/mine.txt"} <= left
    assert not left & {"logs/satchel.log", "daemon.json"}
    with running(used.data, models=used.models) as daemon:
        assert daemon.capture("I live in Porto.")["duplicates"] == 1


def test_with_the_memories_only_what_is_not_ours_is_left(used: Session, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    said = used.ok("uninstall", "--memories", stdin=f"y\n{copy}\nforget everything\n".encode())
    assert f"Copied to {copy}" in said
    assert names(used.data) == {"mine.txt", "backups", "backups/mine.txt", "logs", "logs/mine.txt"}
    assert copy.exists()


@pytest.mark.parametrize("place", ["copy.db", "backups/copy.db", "logs/../copy.db", "link/copy.db", "new/copy.db"])
def test_no_copy_is_made_where_it_would_go_with_the_rest(session: Session, tmp_path: Path, place: str) -> None:
    Store(session.data).close()
    (tmp_path / "link").symlink_to(session.data)
    target = tmp_path / place if place.startswith("link") else session.data / place
    before = names(session.data)
    done = session.run("uninstall", "--memories", "--yes", "--backup", str(target))
    assert done.returncode == 1
    assert "name a file elsewhere with --backup" in done.stderr
    assert "Copied" not in done.stdout
    assert {name for name in names(session.data) ^ before if not name.endswith(("-wal", "-shm"))} == set()


def test_a_folder_of_its_own_is_gone_with_its_last_file(session: Session) -> None:
    with running(session.data, models=session.models) as daemon:
        daemon.capture("I live in Porto.")
    session.ok("uninstall", "--memories", "--yes")
    assert not session.data.exists()
    assert not session.models.exists()


@pytest.mark.parametrize("typed", [b"n\n", b"y\n\nyes\n", b"y\n\n\n"])
def test_what_is_not_confirmed_in_words_stays(used: Session, typed: bytes) -> None:
    before = names(used.data), names(used.models)
    assert used.run("uninstall", "--memories", stdin=typed).returncode == 130
    now = names(used.data), names(used.models)
    assert {name for name in before[0] ^ now[0] if not name.endswith(("-wal", "-shm"))} == set()
    assert before[1] | {registry.VERIFIED} == now[1] | {registry.VERIFIED}


def test_a_daemon_that_was_started_otherwise_has_to_be_stopped_first(session: Session) -> None:
    with running(session.data, models=session.models) as daemon:
        done = session.run("uninstall", "--memories", "--yes")
        assert (done.returncode, f"process {daemon.pid}" in done.stderr) == (1, True)
        assert daemon.capture("It goes on.")["accepted"] == 1


def test_the_service_of_another_folder_stays(used: Session) -> None:
    used.install()
    other = used.data.parent / "other"
    Store(other).close()
    served, used.data = used.data, other
    assert f"the service, which serves {served}" in used.ok("uninstall", "--memories", "--yes")
    assert used.unit.exists()
    assert not other.exists()
    assert (served / "satchel.sqlite").exists()


def test_no_link_is_followed_out_of_a_folder(session: Session, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    for name in ("satchel.log", "satchel-20260301T100000Z.db", "x.faiss", "part", "satchel.sqlite"):
        (outside / name).write_text("not to be touched")
    Store(session.data).close()
    for name in ("logs", "backups", "vectors"):
        shutil.rmtree(session.data / name, ignore_errors=True)
        (session.data / name).symlink_to(outside)
    (session.data / "satchel.sqlite-old").symlink_to(outside / "satchel.sqlite")
    (session.models / ".partial").symlink_to(outside)
    (session.models / removal.registry.default_entry("embed").file).symlink_to(outside / "part")
    before = names(outside)
    session.ok("uninstall", "--memories", "--yes")
    assert names(outside) == before
    assert all(path.read_text() == "not to be touched" for path in outside.iterdir())
    assert not (session.data / "satchel.sqlite").exists()
    assert (session.data / "satchel.sqlite-old").is_symlink()
    assert (session.models / ".partial").is_symlink()


def test_a_model_that_was_changed_stays(session: Session) -> None:
    file = session.models / registry.default_entry("embed").file
    file.write_bytes(b"GGUF of somebody else's")
    found, others = removal.models(session.models)
    assert (file in found.files, others) == (False, (file,))


def test_a_folder_without_satchel_is_left_as_it_is(session: Session) -> None:
    session.data.mkdir()
    session.data.chmod(0o755)
    (session.data / "mine.txt").write_text("mine")
    assert "Goes:\n  nothing" in session.ok("uninstall", "--memories", "--yes")
    assert names(session.data) == {"mine.txt"}
    assert session.data.stat().st_mode & 0o777 == 0o755


def test_a_mistyped_folder_loses_nothing(tmp_path: Path) -> None:
    """Names that Satchel uses are others' too, where nothing of Satchel's lies."""
    for name in ("config.toml", "open.html", "vectors/map.json", "backups/satchel-notes.db"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("somebody else's")
    for found in (removal.leavings(tmp_path), removal.memories(tmp_path)):
        assert found.files == ()
