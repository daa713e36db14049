"""One daemon with real models for the tests that go all the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, running


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("e2e") / "data") as daemon:
        yield daemon


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("Chromium is not installed: run ./scripts/test")
    return found
