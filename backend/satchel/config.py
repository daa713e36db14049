"""Settings: one TOML file, `config.toml` in the data folder, every key of which something reads.

Each key's bounds and description stand beside it; `satchel.settings` lists them.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from satchel.files import FILE_MODE, make_private, new_private_file, sync
from satchel.structs import decodable
from satchel.types import Category, SatchelError

FILE_NAME = "config.toml"
LOCK_FILE = "config.lock"
LOCK_SECONDS = 10
"""How long a writer waits for another one, who takes milliseconds."""

DEFAULT_PORT = 8765
BAD_SETTINGS = 78
"""The exit status (EX_CONFIG of sysexits.h) of a start that fails again until the settings are mended."""

Value = float | int | str | list[str]
"""What a setting may be, as TOML and JSON have it."""


class ConfigError(SatchelError):
    """The settings file cannot be read, or not be written."""

    status = 503
    title = "Bad settings"
    exit_status = BAD_SETTINGS


class BadSettingError(ConfigError):
    """There is no such setting, or it cannot be that."""

    status = 400


class Server(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    port: Annotated[int, Meta(ge=1, le=65535, description="The port that Satchel answers on, on 127.0.0.1 alone.")] = (
        DEFAULT_PORT
    )


class Models(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names as `satchel models list` shows them."""

    generate: Annotated[str, Meta(description="The model that words memories.")] = "SmolLM2-135M-Instruct"
    embed: Annotated[str, Meta(description="The model that compares by meaning.")] = "all-MiniLM-L6-v2"
    idle_seconds: Annotated[
        float, Meta(gt=0, description="After so many seconds without work (more than 0) a model is unloaded.")
    ] = 300.0
    threads: Annotated[
        int, Meta(ge=0, le=1024, description="How many threads a model may use at the most; 0: one a core.")
    ] = 0


class Extract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keep_out: Annotated[
        tuple[Category, ...],
        Meta(
            description="Of what touches these no memory is made; the turns stay in the log. Memories that were made "
            "before stay until they are forgotten or derived again."
        ),
    ] = ()


class Recall(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    threshold: Annotated[
        Annotated[float, Meta(ge=0, le=1)] | None,
        Meta(
            description="From which score, 0 to 1, a memory or turn is relevant enough to go into a context; without "
            "it, the ranker's own bar."
        ),
    ] = None


@decodable
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


def set_value(data: Path, key: str, value: Value | None) -> Config:
    """Sets `section.name`, or with None takes it out, so that the default holds; comments stay. All settings as the
    file has them now.

    Who writes at the same time waits for the other, so that no change is lost. Raises BadSettingError for a key or
    value that is not one, ConfigError for a file that is broken already, or cannot be written; nothing is changed then.
    """
    from filelock import FileLock, Timeout  # late, and below: only this writes

    try:
        make_private(data)
        with FileLock(data / LOCK_FILE, timeout=LOCK_SECONDS, mode=FILE_MODE):
            return _set(data, key, value)
    except Timeout as error:
        raise ConfigError("Another program is writing the settings; try again when it is done.") from error
    except OSError as error:
        raise ConfigError(
            f"{error.filename or data} cannot be written ({error.strerror or error}); make room or mend its "
            "permissions, and try again."
        ) from error


def _set(data: Path, key: str, value: Value | None) -> Config:
    import tomlkit

    load(data)
    file = data / FILE_NAME
    document = tomlkit.parse(file.read_text("utf-8")) if file.exists() else tomlkit.document()
    section, _, name = key.partition(".")
    if name not in _names(section):
        raise BadSettingError(f"There is no setting {key[:64]!r}; `GET /v1/settings` lists them.")
    if value is not None:
        document.setdefault(section, tomlkit.table())[name] = value
    elif section in document:
        document[section].pop(name, None)
    try:
        changed = msgspec.convert(document.unwrap(), Config)
    except msgspec.ValidationError as error:
        raise BadSettingError(f"{key} cannot be that: {error}.") from error
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    new_private_file(part)
    part.write_text(tomlkit.dumps(document), "utf-8")
    sync(part)
    part.replace(file)
    return changed


def _names(section: str) -> tuple[str, ...]:
    """The keys of a section; none where there is no such section."""
    default = getattr(Config(), section, None) if section in Config.__struct_fields__ else None
    return () if default is None else default.__struct_fields__
