"""Settings: defaults without a file, an error that names the key, comments that stay."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from satchel import config
from satchel.config import Config, ConfigError


def write(data: Path, text: str) -> None:
    data.mkdir(exist_ok=True)
    (data / config.FILE_NAME).write_text(text, "utf-8")


def test_without_a_file_there_are_the_defaults(tmp_path: Path) -> None:
    assert config.load(tmp_path / "nowhere") == Config()
    write(tmp_path, "")
    assert config.load(tmp_path) == Config()
    assert Config().server.port == config.DEFAULT_PORT == 8765


def test_what_is_set_is_read(tmp_path: Path) -> None:
    write(tmp_path, '[extract]\nkeep_out = ["health", "sex"]\n')
    assert config.load(tmp_path).extract.keep_out == ("health", "sex")
    write(tmp_path, '[server]\nport = 9000\n[models]\ngenerate = "big"\nidle_seconds = 5\n[recall]\nthreshold = 0.5\n')
    found = config.load(tmp_path)
    assert (found.server.port, found.models.generate, found.models.idle_seconds) == (9000, "big", 5.0)
    assert found.recall.threshold == 0.5
    assert found.models.embed == Config().models.embed


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nport = 0\n", "server.port"),
        ("[server]\nport = 70000\n", "server.port"),
        ('[server]\nport = "9000"\n', "server.port"),
        ("[server]\nprot = 9000\n", "prot"),
        ("[severs]\n", "severs"),
        ("[models]\nidle_seconds = 0\n", "models.idle_seconds"),
        ("[models]\nthreads = -1\n", "models.threads"),
        ("[recall]\nthreshold = 1.5\n", "recall.threshold"),
        ('[extract]\nkeep_out = ["wealth"]\n', "extract.keep_out"),
        ('[extract]\nkeep_out = "health"\n', "extract.keep_out"),
        ("server = 3\n", "server"),
        ("not toml", "line 1"),
    ],
)
def test_a_bad_setting_is_named_with_its_file(tmp_path: Path, text: str, named: str) -> None:
    write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        config.load(tmp_path)
    assert named in str(caught.value)
    assert str(tmp_path / config.FILE_NAME) in str(caught.value)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / config.FILE_NAME).mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)
    (tmp_path / config.FILE_NAME).rmdir()
    (tmp_path / config.FILE_NAME).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        config.load(tmp_path)


def test_setting_a_value_keeps_the_comments_and_the_rest(tmp_path: Path) -> None:
    write(tmp_path, "# mine\n[server]\nport = 9000  # taken otherwise\n")
    config.set_value(tmp_path, "models.generate", "big")
    text = (tmp_path / config.FILE_NAME).read_text("utf-8")
    assert "# mine" in text
    assert "# taken otherwise" in text
    found = config.load(tmp_path)
    assert (found.server.port, found.models.generate) == (9000, "big")


def test_setting_makes_the_folder_for_its_owner_alone(tmp_path: Path) -> None:
    config.set_value(tmp_path / "new", "models.embed", "other")
    assert config.load(tmp_path / "new").models.embed == "other"
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("key", "value"), [("models.nonsense", "x"), ("nonsense.key", "x"), ("server.port", "high"), ("models", "x")]
)
def test_setting_what_is_no_setting_changes_nothing(tmp_path: Path, key: str, value: str) -> None:
    write(tmp_path, "[server]\nport = 9000\n")
    with pytest.raises(ConfigError):
        config.set_value(tmp_path, key, value)
    assert (tmp_path / config.FILE_NAME).read_text("utf-8") == "[server]\nport = 9000\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == [config.LOCK_FILE, config.FILE_NAME]


def test_setting_does_not_overwrite_a_broken_file(tmp_path: Path) -> None:
    write(tmp_path, "not toml")
    with pytest.raises(ConfigError):
        config.set_value(tmp_path, "models.embed", "x")
    assert (tmp_path / config.FILE_NAME).read_text("utf-8") == "not toml"


@pytest.mark.parametrize(
    "text",
    [
        "# mine\n[recall]  # of questions\nthreshold = 0.5  # strict\n[models]\nthreads = 2\n",
        "recall.threshold = 0.5\nmodels.threads = 2\n",
        "recall = {threshold = 0.5}\nmodels = {threads = 2}\n",
    ],
)
def test_what_is_taken_out_is_the_default_again(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)
    for _ in range(2):
        changed = config.set_value(tmp_path, "recall.threshold", None)
        assert changed == config.load(tmp_path) == Config(models=config.Models(threads=2))
        assert ("# mine" in text) == ("# mine" in (tmp_path / config.FILE_NAME).read_text("utf-8"))
    assert config.set_value(tmp_path, "recall.threshold", 0.25).recall.threshold == 0.25
    assert config.set_value(tmp_path, "extract.keep_out", ["sex"]).extract.keep_out == ("sex",)
    assert config.load(tmp_path).models.threads == 2


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / config.LOCK_FILE).mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        config.set_value(tmp_path, "models.threads", 1)


def _set_threads(data: Path, values: range) -> None:
    for value in values:
        config.set_value(data, "models.threads", value)


def test_writers_at_the_same_time_lose_no_change(tmp_path: Path) -> None:
    other = multiprocessing.get_context("spawn").Process(target=_set_threads, args=(tmp_path, range(1, 41)))
    other.start()
    for port in range(9001, 9041):
        assert config.set_value(tmp_path, "server.port", port).server.port == port
    other.join(60)
    assert other.exitcode == 0
    found = config.load(tmp_path)
    assert (found.server.port, found.models.threads) == (9040, 40)


def test_the_data_folder_is_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SATCHEL_DATA", str(tmp_path / "x"))
    assert config.default_data() == tmp_path / "x"
    monkeypatch.delenv("SATCHEL_DATA")
    assert config.default_data().name == "satchel"
