"""Forgetting to its end: what it ends, clears, removes and reads, how often, and what becomes of what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.test_daemon import captured
from models.helpers import run
from satchel.api.daemon import Daemon
from satchel.config import Config
from satchel.models import Runtime
from satchel.store import Store, backup, verify_forgotten
from satchel.store.forget_plan import What

FORGOTTEN = What(way="name", name="Wyverns")


class Parts:
    """A daemon's parts without models, whose steps of forgetting are written down as they are done."""

    def __init__(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.data = data
        self.store = Store(data)
        self.daemon = Daemon(self.store, Runtime(data.parent / "no-models"), Config())
        self.forgetting = self.daemon.forgetting
        self.steps: list[str] = []
        self._patch = monkeypatch
        self.note(self.daemon.runtime, "forget", "processes")
        self.note(self.store, "truncate_log", "log")
        self.note(verify_forgotten, "verify", "files")
        self.note(self.store, "rewrite", "rewrite")
        self.note(backup, "after_forgetting", "copies")

    def note(self, where: Any, name: str, step: str) -> None:
        whole = getattr(where, name)

        def noted(*args: Any, **named: Any) -> Any:
            self.steps.append(step)
            return whole(*args, **named)

        self._patch.setattr(where, name, noted)

    async def capture(self, content: str = "I keep Wyverns in the Zwischengeschoss") -> None:
        await self.daemon.capture(captured(content))


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parts]:
    made = Parts(tmp_path / "store", monkeypatch)
    yield made
    made.store.close()


@pytest.mark.parametrize("what", [FORGOTTEN, What(way="site", site="none"), What(way="everything")])
def test_what_takes_nothing_ends_no_process_and_touches_no_copy(parts: Parts, what: What) -> None:
    async def check() -> None:
        if what.way != "everything":
            await parts.capture("I keep bees")
        made = backup.make(parts.data)
        before = made.stat()
        receipt = await parts.forgetting.act(what)
        assert parts.steps == []
        assert (receipt.files, receipt.bytes_found, receipt.backups) == (0, 0, 0)
        assert receipt.finished_at is not None
        assert (made.stat().st_ino, made.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    run(check())


@pytest.mark.parametrize("of", ["injection", "rederivation"])
def test_what_takes_no_more_than_a_note_does_all_of_it(parts: Parts, of: str) -> None:
    rows = {
        "injection": "INSERT INTO injection (id, profile, created_at) VALUES ('i', 1, 1)",
        "rederivation": "INSERT INTO rederivation (profile, state, started_at, updated_at) VALUES (1, 'ready', 1, 1)",
    }

    async def check() -> None:
        await parts.capture()
        await parts.forgetting.act(FORGOTTEN)
        parts.steps.clear()
        await parts.store.write(lambda tx: tx.db.execute(rows[of]) and None)
        await parts.forgetting.act(What(way="everything"))
        assert set(parts.steps) == {"processes", "log", "copies", "files"}

    run(check())


@pytest.mark.parametrize("where", ["store", "beside"])
def test_the_database_is_written_anew_only_where_it_holds_what_was_forgotten(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    async def check() -> None:
        await parts.capture()
        if where == "beside":
            (parts.data / "backups").mkdir()
            (parts.data / "backups" / "by hand.txt").write_text("Zwischengeschoss")
        else:
            row = parts.store.read_now(lambda db: db.execute("SELECT rowid, text FROM turn_words").fetchone())
            forget = parts.store.truncate_log

            async def put_back() -> None:
                if "copies" not in parts.steps:
                    insert = "INSERT INTO turn_words (rowid, text) VALUES (?, ?)"
                    await parts.store.write(lambda tx: tx.db.execute(insert, row) and None)
                await forget()

            monkeypatch.setattr(parts.store, "truncate_log", put_back)
        receipt = await parts.forgetting.act(FORGOTTEN)
        assert parts.steps.count("rewrite") == receipt.rewritten == (1 if where == "store" else 0)
        assert receipt.bytes_found

    run(check())
