"""What several rooms' tests share: the real models, and a data folder of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from satchel.models import registry


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
