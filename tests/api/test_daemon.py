"""The daemon's parts together: what goes wrong in one does not take the others with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.helpers import run, until
from satchel.api.daemon import LARGE_CAPTURE, Daemon
from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.config import Config
from satchel.models import Runtime
from satchel.recall import indexer
from satchel.store import Store, vectors
from satchel.store.log import Incoming
from satchel.types import StoreError


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[tuple[Store, Runtime]]:
    store = Store(tmp_path / "store")
    yield store, Runtime(tmp_path / "no-models")
    store.close()


def captured(content: str) -> Captured:
    return Captured(site="s", external_id="c", messages=(CapturedMessage(role="user", content=content),))


def test_indexing_goes_on_after_a_bug_and_tells_no_text(
    parts: tuple[Store, Runtime], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexer, "RETRY_SECONDS", 0.01)
    tries: list[int] = []

    async def trip() -> int:
        tries.append(1)
        if len(tries) == 1:
            raise KeyError("my secret diary")
        return 0

    async def check() -> None:
        indexing = indexer.Indexer(*parts)
        monkeypatch.setattr(indexing, "index_some", trip)
        task = asyncio.create_task(indexing.run())
        await until(lambda: len(tries) > 1 or task.done(), seconds=5)
        assert not task.done()
        task.cancel()

    run(check())
    assert "KeyError at " in caplog.text
    assert "diary" not in caplog.text


def test_stopping_does_every_step_whatever_the_tasks_ended_with(
    parts: tuple[Store, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, runtime = parts

    async def broken() -> None:
        raise RuntimeError("a bug")

    async def check() -> None:
        whole = Daemon(store, runtime, Config())
        monkeypatch.setattr(whole.indexer, "run", broken)
        monkeypatch.setattr(whole.worker, "run", broken)
        closed: list[bool] = []
        close = runtime.close

        async def close_models() -> None:
            closed.append(True)
            await close()

        monkeypatch.setattr(runtime, "close", close_models)
        await whole.start()
        await asyncio.sleep(0.01)
        await whole.stop()
        assert closed
        with pytest.raises(StoreError):
            store.read_now(lambda db: vectors.waiting(db, "m", 1))

    run(check())


def test_the_store_is_closed_also_when_the_models_will_not_end(
    parts: tuple[Store, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, runtime = parts

    async def unclosable() -> None:
        raise OSError("a process that will not end")

    async def check() -> None:
        whole = Daemon(store, runtime, Config())
        monkeypatch.setattr(runtime, "close", unclosable)
        with pytest.raises(OSError, match="will not end"):
            await whole.stop()
        with pytest.raises(StoreError):
            store.read_now(lambda db: vectors.waiting(db, "m", 1))

    run(check())


def test_a_large_capture_is_cleaned_while_others_are_answered(
    parts: tuple[Store, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    cleaning, answered = threading.Event(), threading.Event()

    def slow(capture: Captured) -> list[Incoming]:
        cleaning.set()
        assert answered.wait(5), "nobody was answered meanwhile"
        return normalise(capture)

    monkeypatch.setattr("satchel.api.daemon.normalise", slow)

    async def check() -> None:
        whole = Daemon(*parts, Config())
        filing = asyncio.create_task(whole.capture(captured("word " * (LARGE_CAPTURE // 5 + 1))))
        await until(cleaning.is_set)
        answered.set()
        assert (await filing).accepted == 1

    run(check())
