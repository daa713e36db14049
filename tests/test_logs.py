"""The daemon's logs say what happened, never what was said, and stay small and private."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from api.running import running
from satchel import logs

PLANTED = "Xylophonist"


def kept_lines(data: Path) -> str:
    return "".join(file.read_text() for file in sorted((data / "logs").iterdir()))


def test_nothing_that_an_exception_or_a_library_quotes_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logs.kept(tmp_path):
        try:
            int(PLANTED)
        except ValueError:
            logging.getLogger("satchel.extraction").exception("job %s", "0190")
            logging.getLogger("uvicorn.error").exception("Exception in %s", PLANTED)
        logging.getLogger("asyncio").error(f"Task exception was never retrieved: {PLANTED}")
    said = kept_lines(tmp_path)
    assert PLANTED not in said + capsys.readouterr().err
    assert "ERROR satchel.extraction: job 0190 (ValueError at " in said
    assert len(said.splitlines()) == 3
    assert all("test_logs.py:" in line for line in said.splitlines())


def test_a_task_that_dies_unseen_leaves_its_words_out(tmp_path: Path) -> None:
    """asyncio quotes the exception of a task that nobody waited for."""

    async def dies() -> None:
        raise ValueError(PLANTED)

    async def forget_about_it() -> None:
        task = asyncio.create_task(dies())
        await asyncio.sleep(0)
        del task

    with logs.kept(tmp_path):
        asyncio.run(forget_about_it())
    assert "asyncio" in kept_lines(tmp_path)
    assert PLANTED not in kept_lines(tmp_path)


def test_they_are_few_small_and_for_their_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES", 20_000)
    from satchel import files

    files.private_umask()
    with logs.kept(tmp_path):
        for n in range(5_000):
            logging.getLogger("satchel.indexing").warning("indexing waits %d\nfor a line of its own", n)
    found = sorted((tmp_path / "logs").iterdir())
    assert len(found) == 1 + logs.KEPT
    assert all(file.stat().st_size <= 20_000 for file in found)
    assert all(file.stat().st_mode & 0o077 == 0 for file in found)
    assert "indexing waits 4999 for a line" in found[0].read_text()


def test_a_daemon_logs_its_life_and_no_words(tmp_path: Path) -> None:
    none = tmp_path / "none"
    none.mkdir()
    with running(tmp_path / "data", models=none) as daemon:
        daemon.capture(f"I am a {PLANTED}.")
        daemon.call("POST", "/v1/recall", {"query": PLANTED})
        daemon.call("POST", "/v1/messages", {"site": PLANTED, "messages": PLANTED})
        daemon.call("GET", f"/v1/memories/{PLANTED}")
        daemon.call("POST", "/v1/context", {"query": PLANTED, PLANTED: 1})
    said = kept_lines(tmp_path / "data")
    assert "answers on port" in said
    assert said.rstrip().endswith("satchel.server: ended")
    assert PLANTED.lower() not in (said + daemon.errors.read_text()).lower()
