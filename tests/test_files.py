"""What lies in the data folder is for its owner alone, and what is shredded leaves no bytes in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from api.running import command, environment, running
from satchel import files
from satchel.store import Store
from satchel.types import StoreError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes")


def open_files(data: Path) -> list[str]:
    return [str(path.relative_to(data)) for path in data.rglob("*") if path.stat().st_mode & 0o077]


def test_what_was_open_to_others_is_closed_at_the_next_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    Store(data).close()
    (data / "config.toml").write_text("[server]\nport = 8765\n")
    for folder in files.OWN_FOLDERS:
        (data / folder).mkdir(exist_ok=True)
        (data / folder / "something").write_text("private")
        (data / folder / "something").chmod(0o664)
        (data / folder).chmod(0o775)
    for path in data.iterdir():
        path.chmod(0o775 if path.is_dir() else 0o666)
    assert len(open_files(data)) == 8
    assert len(files.open_to_others(data)) == 8
    Store(data).close()
    assert open_files(data) == []


def test_what_cannot_be_closed_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    Store(data).close()
    (data / "config.toml").write_text("")
    (data / "config.toml").chmod(0o604)
    # As on a disk that keeps no permissions: the call succeeds, the mode stays.
    monkeypatch.setattr(Path, "chmod", lambda *_: None)
    with pytest.raises(StoreError, match=r"may read .*config\.toml.*chmod go= "):
        Store(data)


def test_other_programs_files_in_the_folder_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("of somebody else")
    (tmp_path / "letter.txt").chmod(0o644)
    Store(tmp_path).close()
    assert (tmp_path / "letter.txt").stat().st_mode & 0o777 == 0o644


def test_all_that_a_daemon_makes_is_for_its_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    none = tmp_path / "none"
    none.mkdir()
    before = os.umask(0)
    try:
        with running(tmp_path / "data", models=none) as daemon:
            daemon.capture("Private.")
            assert {"satchel.sqlite-wal", "satchel.sqlite-shm", "daemon.lock", "daemon.json"} <= set(
                os.listdir(daemon.data)
            )
            assert open_files(daemon.data) == []
            assert daemon.data.stat().st_mode & 0o777 == 0o700
            assert (
                command(
                    "--data", daemon.data, "models", "use", "all-MiniLM-L6-v2", SATCHEL_MODELS=str(none.parent / "none")
                ).returncode
                == 0
            )
            assert open_files(daemon.data) == []
    finally:
        os.umask(before)


def test_shredded_bytes_are_not_in_the_files_place_any_more(tmp_path: Path) -> None:
    """Seen through a second name of the same place on the disk."""
    file, other_name = tmp_path / "file", tmp_path / "other name"
    file.write_bytes(b"Xylophonist" * 300_000)
    os.link(file, other_name)
    files.shred(file)
    assert not file.exists()
    assert other_name.read_bytes() == bytes(11 * 300_000)
    files.shred(file)


def test_a_shredded_link_leaves_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    files.shred(tmp_path / "link")
    assert (tmp_path / "file").read_text() == "kept"
    assert not (tmp_path / "link").is_symlink()


def test_on_a_system_without_modes_nothing_is_looked_for(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys\nfrom satchel import files\n"
        "files.os.name = 'nt'\nfiles.private_umask()\n"
        "assert files.open_to_others(sys.argv[1]) == []\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
