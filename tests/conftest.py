"""What several rooms' tests share: the real models, and a data folder of each test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Playwright, sync_playwright

from satchel.models import Runtime, registry

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

IN_BROWSERS = {Path(__file__).parent / room for room in ("dashboard", "extension")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What runs in browsers last: Playwright keeps an event loop running in this thread until the session ends, and
    tests that start a loop of their own could not."""
    items.sort(key=lambda item: not IN_BROWSERS.isdisjoint(item.path.parents))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """The folder with both default models in it. Without them the tests fail: nothing here is skipped."""
    folder = registry.models_folder()
    missing = [entry.file for entry in registry.manifest() if entry.default and not (folder / entry.file).is_file()]
    if missing:
        pytest.fail(f"{' and '.join(missing)} not in {folder}: run ./scripts/test (or: satchel models pull)")
    return folder


@pytest.fixture(autouse=True)
def own_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test touches the data of whoever runs it."""
    data = tmp_path / "data"
    monkeypatch.setenv("SATCHEL_DATA", str(data))
    return data


@pytest.fixture(scope="session")
def embed(models_folder: Path) -> Embed:
    """Texts to (n, 384) unit rows. The model stays loaded for one call only: each call has its own event loop."""

    async def call(texts: Sequence[str]) -> NDArray[np.float32]:
        async with Runtime(models_folder, embed="all-MiniLM-L6-v2", generate=None) as runtime:
            return await runtime.embed(texts)

    known: dict[str, NDArray[np.float32]] = {}

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        if missing:
            known.update(zip(missing, asyncio.run(call(missing)), strict=True))
        return np.array([known[text] for text in texts], dtype=np.float32).reshape(len(texts), -1)

    return embed
