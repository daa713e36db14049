"""One daemon with real models for all tests of this folder; each test has its own profile in it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.running import Running, running


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory, models_folder: Path) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("daemon") / "data") as daemon:
        yield daemon


@pytest.fixture(scope="session")
def no_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with nothing in it."""
    return tmp_path_factory.mktemp("no-models")


@pytest.fixture(scope="session")
def wordy(tmp_path_factory: pytest.TempPathFactory, no_models: Path) -> Iterator[Running]:
    """A daemon without models: it captures, and finds by words alone. Nothing is derived behind a test's back."""
    with running(tmp_path_factory.mktemp("wordy") / "data", models=no_models) as daemon:
        yield daemon


@pytest.fixture
def profile(request: pytest.FixtureRequest) -> str:
    """A profile nobody else writes to."""
    name = request.node.nodeid.partition("::")[2]
    return re.sub(r"\W+", "-", name)[-80:] + format(zlib.crc32(name.encode()), "x")
