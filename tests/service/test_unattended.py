"""A start that nobody watches leaves why it failed, and its exit status says whether to try again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from api.running import command, free_port, running
from satchel.config import ConfigError
from satchel.server import CannotServeError
from satchel.service import unattended


def failing(error: Exception) -> Callable[[], None]:
    def start() -> None:
        raise error

    return start


@pytest.mark.parametrize(
    ("error", "elsewhere", "launchd"),
    [(ConfigError("Mend it."), 78, 0), (CannotServeError("The port is taken."), 1, 1)],
)
def test_only_launchd_is_told_that_all_is_well_where_a_new_start_would_fail(
    tmp_path: Path, error: Exception, elsewhere: int, launchd: int
) -> None:
    for platform, status in (("linux", elsewhere), ("win32", elsewhere), ("darwin", launchd)):
        with pytest.raises(SystemExit) as ended:
            unattended.run(tmp_path, failing(error), platform=platform)
        assert ended.value.code == status
    assert (tmp_path / "logs" / "satchel.log").read_text().count(f"not started: {error}") == 3
    assert (tmp_path / "logs" / "satchel.log").stat().st_mode & 0o077 == 0


def test_where_no_log_can_be_kept_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        unattended.run(tmp_path / "not there", failing(ConfigError("Mend it.")))
    assert capsys.readouterr().err == "satchel: Mend it.\n"


def test_a_second_start_and_bad_settings_have_statuses_of_their_own(tmp_path: Path) -> None:
    data, none = tmp_path / "data", tmp_path / "none"
    serve = ("serve", "--service", "--data", data, "--models", none, "--port", str(free_port()))
    with running(data, models=none):
        assert command(*serve).returncode == unattended.ALREADY_RUNNING == 75
    (data / "config.toml").write_text("nonsense = = 1")
    assert command(*serve).returncode == unattended.BAD_SETTINGS == 78
    assert command(*serve, "--nonsense").returncode == unattended.WRONG_USAGE == 2
    assert "not started: Satchel is already running" in (data / "logs" / "satchel.log").read_text()
