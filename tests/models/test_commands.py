"""`satchel models`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from satchel import config
from satchel.models import registry
from satchel.models.commands import models
from satchel.types import ModelError


def satchel_models(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(models, arguments, obj=data, catch_exceptions=False)


def test_every_command_has_help() -> None:
    assert set(models.commands) == {"list", "pull", "use", "add"}
    for name, command in models.commands.items():
        assert command.help, name
        assert CliRunner().invoke(models, [name, "--help"]).exit_code == 0


def test_list_shows_what_is_here_and_what_fits(models_folder: Path, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = json.loads(satchel_models(tmp_path, "list", "--json").stdout)
    assert [row["name"] for row in rows if row["in_use"]] == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]
    assert all(row["installed"] for row in rows if row["in_use"])
    assert sum(row["recommended"] for row in rows) == 1
    text = satchel_models(tmp_path, "list").stdout
    assert all(entry.licence in text for entry in registry.manifest())
    assert str(models_folder) in text


def test_use_is_kept_in_the_settings(tmp_path: Path) -> None:
    result = satchel_models(tmp_path, "use", "qwen3-4b-instruct-2507")
    assert config.load(tmp_path).models.generate == "Qwen3-4B-Instruct-2507"
    assert "satchel models pull Qwen3-4B-Instruct-2507" in result.output


def test_use_of_an_unknown_model_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="satchel models add"):
        satchel_models(tmp_path, "use", "gpt-9")
    assert config.load(tmp_path) == config.Config()


def test_pull_finds_the_defaults_in_place(models_folder: Path, tmp_path: Path) -> None:
    output = satchel_models(tmp_path, "pull").output
    assert str(models_folder / "all-MiniLM-L6-v2.f16.gguf") in output


def test_an_added_file_can_be_used(models_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATCHEL_MODELS", str(tmp_path / "models"))
    file = models_folder / registry.default_entry("generate").file
    assert "chatml prompts" in satchel_models(tmp_path, "add", str(file), "--name", "mine").output
    satchel_models(tmp_path, "use", "mine")
    assert config.load(tmp_path).models.generate == "mine"
    assert "mine" in satchel_models(tmp_path, "list").output
