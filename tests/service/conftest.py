from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.session import Session


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(tmp_path / "session")
    yield session
    (session.fake / "broken").unlink(missing_ok=True)
    systemctl = [tmp_path / "session" / "bin" / "systemctl", "--user", "stop", "satchel.service"]
    subprocess.run(systemctl, env=session.environment, check=True)
