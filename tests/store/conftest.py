from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from storing import Clock

from satchel.store import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "satchel"


@pytest.fixture
def store(data: Path, clock: Clock) -> Iterator[Store]:
    opened = Store(data, now=clock)
    yield opened
    opened.close()
