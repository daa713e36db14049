"""`satchel serve` starts on a good data folder alone, once, and says in one sentence why not."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from api.running import Running, command, environment, free_port, running


@pytest.fixture
def none(tmp_path: Path) -> Path:
    """A models folder without models."""
    folder = tmp_path / "none"
    folder.mkdir()
    return folder


@pytest.fixture
def data(tmp_path: Path, none: Path) -> Path:
    """A data folder that a daemon has used and left."""
    with running(tmp_path / "data", models=none) as daemon:
        daemon.capture("What was there before.")
    return tmp_path / "data"


def refused(data: Path, port: int | None = None, before: Callable[[], None] | None = None, *, status: int = 1) -> str:
    """The one sentence with which `satchel serve` declines."""
    done = subprocess.run(
        [sys.executable, "-m", "satchel", "serve", "--data", str(data), "--port", str(port or free_port())],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
        preexec_fn=before,
    )
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("satchel: ")
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


def test_a_taken_port_is_named(data: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        assert f"Port {port} is taken" in refused(data, port)


def test_a_second_daemon_on_the_same_data_is_told_where_the_first_is(tmp_path: Path, none: Path) -> None:
    with running(tmp_path / "data", models=none) as first:
        said = refused(first.data, status=75)
        assert "already running" in said
        assert f"port {first.port} (process {first.pid})" in said
        assert first.capture("The first goes on.")["accepted"] == 1


def test_a_data_folder_is_free_again_after_a_kill(tmp_path: Path, none: Path) -> None:
    with running(tmp_path / "data", models=none) as daemon:
        done = daemon.capture("Before.")
        daemon.kill()
        daemon.start()
        assert daemon.capture("Before.")["message_ids"] == done["message_ids"]


def test_a_database_from_the_future_is_refused(data: Path) -> None:
    db = apsw.Connection(str(data / "satchel.sqlite"))
    db.execute("PRAGMA user_version = 999")
    db.close()
    assert "newer Satchel" in refused(data)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    data = tmp_path / "theirs"
    data.mkdir()
    db = apsw.Connection(str(data / "satchel.sqlite"))
    db.execute("CREATE TABLE bookmarks (url)")
    db.close()
    before = (data / "satchel.sqlite").read_bytes()
    assert "another program" in refused(data)
    assert (data / "satchel.sqlite").read_bytes() == before


def test_a_file_that_is_no_database_is_refused(data: Path) -> None:
    (data / "satchel.sqlite").write_bytes(b"Dear diary, " * 1000)
    assert "not an SQLite database" in refused(data)


def test_a_damaged_database_is_refused(data: Path) -> None:
    file = data / "satchel.sqlite"
    raw = bytearray(file.read_bytes())
    raw[100:4096] = b"\xff" * 3996  # the schema's own page
    file.write_bytes(raw)
    assert "damaged" in refused(data)


def test_damage_in_the_midst_of_a_database_is_refused_with_what_mends_it(data: Path) -> None:
    file = data / "satchel.sqlite"
    raw = bytearray(file.read_bytes())
    last = len(raw) // 4096 - 1
    raw[last * 4096 :] = b"\xa5" * 4096
    file.write_bytes(raw)
    assert "satchel recover" in refused(data)


def test_a_database_whose_end_was_cut_off_is_refused_with_what_mends_it(data: Path) -> None:
    file = data / "satchel.sqlite"
    file.write_bytes(file.read_bytes()[: 4096 * 5 + 100])
    assert "satchel recover" in refused(data)


def without_override() -> None:
    """Root reads and writes everything; without this capability it is held to the permissions like anybody."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, capability, 0, 0, 0):  # PR_CAPBSET_DROP
                os._exit(99)


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities")
def test_a_read_only_database_is_refused(data: Path) -> None:
    file = data / "satchel.sqlite"
    if os.geteuid() == 0:
        # An owner may always change the permissions back: it belongs to somebody else.
        for path in (data, *data.iterdir()):
            os.chown(path, 65534, 65534)
        data.chmod(0o777)
        (data / "command-line.token").chmod(0o666)
        (data / "daemon.lock").chmod(0o666)
    file.chmod(0o444)
    assert "cannot be" in refused(data, before=without_override)


def test_a_data_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = command("serve", "--data", tmp_path / "file")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr


def test_a_mistake_in_the_settings_is_named(data: Path) -> None:
    (data / "config.toml").write_text("[server]\nprot = 1\n")
    assert "prot" in refused(data, status=78)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_tidies_up(tmp_path: Path, none: Path, how: signal.Signals) -> None:
    daemon = Running(tmp_path / "data", models=none)
    try:
        assert (daemon.data / "daemon.json").exists()
        begun = time.monotonic()
        os.kill(daemon.pid, how)
        assert daemon.stop() in (0, 130)
        assert time.monotonic() - begun < 10
        assert not (daemon.data / "daemon.json").exists()
        assert daemon.errors.read_text() == ""
    finally:
        daemon.kill()


def test_after_it_stopped_the_database_is_one_file(data: Path) -> None:
    assert sorted(path.name for path in data.glob("satchel.sqlite*")) == ["satchel.sqlite"]


def test_what_lies_in_the_data_folder_is_for_its_owner_alone(tmp_path: Path, none: Path) -> None:
    with running(tmp_path / "data", models=none) as daemon:
        daemon.capture("Private.")
        assert daemon.data.stat().st_mode & 0o077 == 0
        for name in ("satchel.sqlite", "satchel.sqlite-wal", "command-line.token"):
            assert (daemon.data / name).stat().st_mode & 0o077 == 0, name


def test_a_start_that_fails_while_loading_ends_with_its_reason(tmp_path: Path) -> None:
    """The application is built after the daemon answers; what goes wrong there must not leave half a daemon."""
    code = (
        "import sys, satchel.api.app as app\n"
        "def broken(daemon): raise RuntimeError('cannot be built')\n"
        "app.create_app = broken\n"
        "from satchel.cli import main\n"
        f"sys.argv = ['satchel', 'serve', '--data', {str(tmp_path / 'd')!r}, '--port', '{free_port()}']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0
    assert "cannot be built" in done.stderr
    assert not (tmp_path / "d" / "daemon.json").exists(), "it would point at a daemon that is none"


@pytest.mark.parametrize("name", ["command-line.token", "daemon.json"])
def test_a_file_of_its_own_that_cannot_be_written_is_named(data: Path, name: str) -> None:
    (data / name).unlink(missing_ok=True)
    (data / name / "something").mkdir(parents=True)
    assert f"{name} cannot be written (Is a directory)" in refused(data)
    assert sorted(path.name for path in data.glob("satchel.sqlite*")) == ["satchel.sqlite"], "the store was closed"
