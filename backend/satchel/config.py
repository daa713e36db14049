"""Settings: one TOML file, `config.toml` in the data folder, every key of which something reads."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec

from satchel.files import make_private, new_private_file
from satchel.types import Category, SatchelError

FILE_NAME = "config.toml"
DEFAULT_PORT = 8765
BAD_SETTINGS = 78
"""The exit status (EX_CONFIG of sysexits.h) of a start that fails again until the settings are mended."""

Positive = Annotated[float, msgspec.Meta(gt=0)]


class ConfigError(SatchelError):
    """The settings file cannot be read."""

    title = "Bad settings"
    exit_status = BAD_SETTINGS


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = DEFAULT_PORT


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names as `satchel models list` shows them; how long (s) without work until a model is unloaded; threads (0: one a
    core)."""

    generate: str = "SmolLM2-135M-Instruct"
    embed: str = "all-MiniLM-L6-v2"
    idle_seconds: Positive = 300.0
    threads: Annotated[int, msgspec.Meta(ge=0)] = 0


class Extract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The special categories of which no memory is made; the turns stay in the log. Memories that were made before stay
    until they are forgotten."""

    keep_out: tuple[Category, ...] = ()


class Recall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From which score (0 to 1) a memory or turn is relevant enough to go into a context; None: the ranker's own."""

    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    server: Server = Server()
    models: Models = Models()
    extract: Extract = Extract()
    recall: Recall = Recall()


def default_data() -> Path:
    """SATCHEL_DATA, or the platform's folder for a user's data."""
    if given := os.environ.get("SATCHEL_DATA"):
        return Path(given)
    from platformdirs import user_data_path  # late: a quarter of the commands never need it

    return user_data_path("satchel", appauthor=False)


def load(data: Path) -> Config:
    """The settings of a data folder; the defaults where there is no file. Raises ConfigError naming the key."""
    file = data / FILE_NAME
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return Config()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); mend or remove it.") from error
    try:
        return msgspec.convert(tomllib.loads(text), Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{file}: {error}; mend that line or remove the file.") from error


def set_value(data: Path, key: str, value: str) -> None:
    """Sets `section.name` and keeps the file's comments. Raises ConfigError for a key or value that is not one."""
    import tomlkit  # late: only this writes

    section, _, name = key.partition(".")
    file = data / FILE_NAME
    load(data)
    document = tomlkit.parse(file.read_text("utf-8")) if file.exists() else tomlkit.document()
    document.setdefault(section, tomlkit.table())[name] = value
    try:
        msgspec.convert(document.unwrap(), Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{key} = {value!r}: {error}.") from error
    make_private(data)
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    new_private_file(part)
    part.write_text(tomlkit.dumps(document), "utf-8")
    part.replace(file)
