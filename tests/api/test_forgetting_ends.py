"""Forgetting to its end: what it ends, clears, removes and reads, how often, and what becomes of what goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from api.test_daemon import captured
from models.helpers import run, until
from satchel.api import forgetting
from satchel.api.daemon import Daemon
from satchel.config import Config
from satchel.models import Runtime
from satchel.store import Store, backup, receipts, verify_forgotten
from satchel.store.forget_plan import What
from satchel.store.receipts import Receipt
from satchel.types import StoreError

FORGOTTEN = What(way="name", name="Wyverns")


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(forgetting, "LONGEST_RETRY_SECONDS", 0.05)


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

    def failing(self, where: Any, name: str, error: Callable[[], Exception], times: int) -> None:
        """Has it fail so often; what it does is noted under `name` when it fails."""
        whole = getattr(where, name)

        def fails(*args: Any, **named: Any) -> Any:
            if self.steps.count(name) < times:
                self.steps.append(name)
                raise error()
            return whole(*args, **named)

        self._patch.setattr(where, name, fails)

    def receipts(self) -> list[Receipt]:
        return self.store.read_now(lambda db: receipts.listed(db, profiles=None, page=1, size=9))[0]

    async def all_proven(self) -> None:
        await until(lambda: all(one.bytes_found == 0 for one in self.receipts()), seconds=20)

    def tasks(self) -> int:
        return sum(task.get_name() == "forgetting" for task in asyncio.all_tasks())

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
        parts.note(parts.store, "write", "write")
        receipt = await parts.forgetting.act(what)
        assert parts.steps == ["write"], "a kill after it finds nothing that was cut off"
        parts.steps.clear()
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
        assert parts.steps.count("copies") == 1 + receipt.rewritten, "the copy was made of the same pages"
        assert receipt.bytes_found

    run(check())


def test_each_wait_is_twice_the_one_before_up_to_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    waits = [0.0]
    while len(waits) < 10:
        waits.append(forgetting.longer(waits[-1]))
    assert waits == [0, 5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_what_cannot_be_ended_is_tried_again_by_one_task_that_ends_no_process_twice(parts: Parts) -> None:
    async def check() -> None:
        backup.make(parts.data)
        parts.failing(parts.store, "truncate_log", lambda: StoreError("It is locked."), 12)
        for word in ("Wyverns", "Basilisks", "Xylophones"):
            await parts.daemon.capture(captured(f"I keep {word} at home"))
            with pytest.raises(StoreError, match="goes on trying"):
                await parts.forgetting.act(What(way="name", name=word))
            assert parts.tasks() == 1
        assert parts.steps.count("processes") == 3
        assert "copies" not in parts.steps
        await parts.all_proven()
        assert parts.steps.count("processes") == 3
        assert parts.steps.count("copies") == 1
        assert parts.steps.count("files") == 3
        assert {one.backups for one in parts.receipts()} == {1}
        await until(lambda: parts.tasks() == 0, seconds=20)

    run(check())


@pytest.mark.parametrize(
    ("error", "told"),
    [(apsw.BusyError, StoreError), (OSError, StoreError), (lambda: KeyError("my secret diary"), KeyError)],
)
def test_a_reading_that_fails_in_whatever_way_is_done_again_and_nothing_else_is(
    parts: Parts, caplog: pytest.LogCaptureFixture, error: Callable[[], Exception], told: type[Exception]
) -> None:
    async def check() -> None:
        backup.make(parts.data)
        await parts.capture()
        parts.failing(verify_forgotten, "needles_of", error, 4)
        with pytest.raises(told):
            await parts.forgetting.act(FORGOTTEN)
        await parts.all_proven()
        assert [parts.steps.count(step) for step in ("needles_of", "files", "copies", "processes")] == [4, 5, 1, 1]
        assert parts.steps.count("log") == 5
        await until(lambda: parts.tasks() == 0, seconds=20)

    run(check())
    assert "diary" not in caplog.text


def test_a_forgetting_while_a_fresh_backup_is_owed_is_answered_and_both_are_ended(
    parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def check() -> None:
        backup.make(parts.data)
        with monkeypatch.context() as full:
            full.setattr(backup, "need_room", lambda *_: (_ for _ in ()).throw(StoreError("There is no room.")))
            for word in ("Wyverns", "Basilisks"):
                await parts.daemon.capture(captured(f"I keep {word} at home"))
                assert (await parts.forgetting.act(What(way="name", name=word))).bytes_found == 0
                assert parts.tasks() == 1
            first = parts.receipts()[-1].id
            assert parts.forgetting.owed() == {first}
        await until(lambda: not parts.forgetting.owed(), seconds=20)
        assert len(backup.own(parts.data)) == 1
        await until(lambda: parts.tasks() == 0, seconds=20)

    run(check())


def test_what_is_owed_is_made_at_the_next_start(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check() -> None:
        backup.make(parts.data)
        with monkeypatch.context() as killed:
            killed.setattr(backup, "make_owed", lambda *_, **__: None)
            backup.after_forgetting(parts.data)
        assert backup.own(parts.data) == []
        await parts.forgetting.end_what_was_cut_off()
        await until(lambda: len(backup.own(parts.data)) == 1 and parts.tasks() == 0, seconds=20)
        assert not parts.forgetting.owed()

    run(check())
