"""Every command, and every long option, is in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from test_cli import COMMANDS

README = Path(__file__).resolve().parents[1] / "README.md"


@pytest.fixture(scope="module")
def readme() -> str:
    assert README.exists(), "README.md is missing"
    return README.read_text("utf-8")


@pytest.mark.parametrize("path", [path for path, _ in COMMANDS], ids=" ".join)
def test_every_command_is_in_the_readme(readme: str, path: tuple[str, ...]) -> None:
    called = " ".join(path)
    assert any(f"{before} {called}" in readme for before in ("satchel", "scripts/run")), called


def test_the_address_of_the_daemon_is_in_the_readme(readme: str) -> None:
    assert "8765" in readme
