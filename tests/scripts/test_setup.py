"""What scripts/run says when a machine lacks something: one sentence with the remedy, and nothing half-made."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.empty_source import from_there_alone, source

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("scripts/run", "scripts/setup.sh", "scripts/setup.py", "scripts/locks", "pyproject.toml")
TOOLS = ("bash", "cksum", "readlink", "cat", "env")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="bash scripts")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of the project as set-up reads, in a folder with a space in its name."""
    root = tmp_path / "a clone"
    for part in PARTS:
        target = root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, target)
    (root / "models").mkdir()
    shutil.copy(ROOT / "models" / "manifest.toml", root / "models")
    return root


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A PATH with nothing on it but what the scripts themselves call."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (folder / tool).symlink_to(found)
    return folder


def program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
    path.chmod(0o755)
    return path


def run(root: Path, *args: str, cwd: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if k not in {"CC", "CXX", "SATCHEL_PYTHON"}}
    return subprocess.run(
        [root / "scripts" / "run", *args],
        cwd=cwd or root,
        env=kept | {"SATCHEL_PYTHON": sys.executable} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that says what is wrong."""
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.startswith("satchel: ")]
    assert len(lines) == 1
    assert result.stderr.rstrip().endswith(lines[0])
    return lines[0]


def ready(root: Path) -> None:
    """Pretends that `root` is set up: a Python that prints its arguments, and the stamp that belongs to it."""
    program(root / ".venv" / "bin" / "python", 'printf "%s\\n" "$PWD" "$0" "$@"')
    printed = subprocess.run(
        ["bash", "-c", "source scripts/setup.sh && fingerprint"],
        cwd=root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (root / ".venv" / "ready-run").write_text(printed.stdout.rstrip("\n"))


def test_an_old_python_is_told_so_in_one_sentence(clone: Path, bare_path: Path) -> None:
    for name in ("python3", "python3.9", "python"):
        program(bare_path / name, "exit 1")
    said = complaint(run(clone, PATH=str(bare_path), SATCHEL_PYTHON=""))
    assert "Python 3.11 or newer is needed" in said
    assert "SATCHEL_PYTHON=" in said
    assert not (clone / ".venv").exists()


def test_a_named_python_that_does_not_do_is_named(clone: Path, bare_path: Path) -> None:
    old = program(bare_path / "old python", "exit 1")
    assert str(old) in complaint(run(clone, SATCHEL_PYTHON=str(old)))


def test_a_missing_compiler_is_told_before_anything_is_downloaded(clone: Path, bare_path: Path) -> None:
    said = complaint(run(clone, PATH=str(bare_path)))
    assert "C++ compiler is missing" in said
    assert "then" in said
    assert not (clone / ".venv" / "bin").exists()


def test_a_compiler_that_does_not_run_counts_as_missing(clone: Path) -> None:
    assert "C++ compiler is missing" in complaint(run(clone, CXX="no-such-compiler"))


def test_without_network_one_sentence_and_no_stamp(clone: Path) -> None:
    unreachable = {
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": "",
        "PIP_RETRIES": "0",
        "PIP_NO_CACHE_DIR": "1",
        "CC": "true",
        "CXX": "true",
    }
    said = complaint(run(clone, **unreachable))
    assert "cannot be reached: check the network" in said
    assert not list((clone / ".venv").glob("ready-*"))
    log = clone / ".venv" / "setup.log"
    assert str(log) in said
    assert "pip install" in log.read_text()
    # The same again goes on from the environment that was made.
    again = run(clone, **unreachable)
    assert "Making the Python environment" not in again.stderr
    complaint(again)


def test_when_all_is_ready_nothing_is_set_up(clone: Path, bare_path: Path, tmp_path: Path) -> None:
    ready(clone)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = elsewhere / "satchel here"
    link.symlink_to(Path("..") / "a clone" / "scripts" / "run")
    # No Python on the path: set-up would fail.
    result = subprocess.run(
        [link, "search", "two words", "--json"],
        cwd=elsewhere, env={"PATH": str(bare_path)}, capture_output=True, text=True,
    )  # fmt: skip
    python = clone / ".venv" / "bin" / "python"
    assert result.stdout.splitlines() == [
        str(elsewhere), str(python), "-P", "-m", "satchel", "search", "two words", "--json",
    ]  # fmt: skip
    assert result.stderr == ""


def test_without_arguments_it_serves(clone: Path) -> None:
    ready(clone)
    assert run(clone).stdout.splitlines()[-1] == "serve"


@pytest.mark.parametrize("changed", ["pyproject.toml", "scripts/locks/run.txt", "models/manifest.toml"])
def test_what_it_was_set_up_from_changing_sets_up_again(clone: Path, bare_path: Path, changed: str) -> None:
    ready(clone)
    with (clone / changed).open("a") as file:
        file.write("# changed\n")
    assert "C++ compiler is missing" in complaint(run(clone, PATH=str(bare_path)))


def test_two_set_ups_at_once_take_turns(clone: Path) -> None:
    ready(clone)
    stamp = clone / ".venv" / "ready-run"
    fingerprint = stamp.read_text()
    stamp.unlink()
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys, time; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX);"
         "print('held', flush=True); time.sleep(60)", clone / ".venv" / "setup.lock"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        second = subprocess.Popen(
            [clone / "scripts" / "run", "status"],
            env=os.environ | {"SATCHEL_PYTHON": sys.executable},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert second.stderr
        assert "waiting for it" in second.stderr.readline()
        stamp.write_text(fingerprint)  # as the first one does when it has finished
        holder.kill()
        out, _ = second.communicate(timeout=20)
    finally:
        holder.kill()
        holder.wait()
    assert out.splitlines()[-1] == "status"


def test_an_interrupted_set_up_leaves_no_stamp_and_no_process(clone: Path, tmp_path: Path) -> None:
    # A Python that seems to work, and a pip that hangs: it stands for any long step.
    program(
        clone / ".venv" / "bin" / "python",
        f"[[ $1 == -I ]] && exit 0; echo $$ >'{tmp_path}/pid'; exec sleep 60",
    )
    with (clone / ".venv" / "setup.log").open("w") as log:
        process = subprocess.Popen(
            [clone / "scripts" / "run"],
            env=os.environ | {"SATCHEL_PYTHON": sys.executable, "CC": "true", "CXX": "true"},
            stdout=log, stderr=log, start_new_session=True,
            # Where the tests themselves run in the background, SIGINT is ignored, and children inherit that.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
    for _ in range(200):
        if (tmp_path / "pid").exists() and (tmp_path / "pid").read_text().strip():
            break
        time.sleep(0.05)
    pid = int((tmp_path / "pid").read_text())
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    assert "Stopped" in (clone / ".venv" / "setup.log").read_text()
    assert not list((clone / ".venv").glob("ready-*"))
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_no_lock_file_names_an_address_or_a_folder() -> None:
    for lock in (ROOT / "scripts" / "locks").glob("*.txt"):
        for line in lock.read_text().splitlines():
            assert line.startswith(("#", "    --hash=sha256:")) or "==" in line, f"{lock.name}: {line}"
            assert "://" not in line
            assert not line.startswith("-")


def test_what_runs_and_what_is_tested_are_the_same_versions() -> None:
    def versions(name: str) -> set[str]:
        text = (ROOT / "scripts" / "locks" / name).read_text()
        return {line.rstrip(" \\") for line in text.splitlines() if line[:1].isalpha()}

    assert versions("run.txt") <= versions("test.txt")


def test_set_up_says_where_packages_come_from_before_it_goes_there(clone: Path, tmp_path: Path) -> None:
    said = tmp_path / "stderr"
    with source(said.read_text) as (address, seen):
        with said.open("wb") as errors:
            done = subprocess.run(
                [clone / "scripts" / "run", "--help"],
                env=os.environ | {"SATCHEL_PYTHON": sys.executable} | from_there_alone(address),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                timeout=200,
            )
        assert done.returncode == 1
        assert seen
    for _, before in seen:
        assert f"Packages come from {address}/simple" in before
