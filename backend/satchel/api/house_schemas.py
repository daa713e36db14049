"""The bodies of the calls about models, settings and backups: what concerns the machine, and all profiles."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from satchel.api.pulling import Pulling
from satchel.api.schemas import Answer, ModelAnswer, Strict
from satchel.config import Config
from satchel.models.registry import ModelRole
from satchel.settings import Setting, SettingType, value_of
from satchel.store.backup_list import Copy
from satchel.times import to_iso

# Models


class MachineAnswer(Answer):
    """`memory_bytes` null where the system does not tell. `recommended`: the generator that it has room for."""

    cores: int
    memory_bytes: int | None
    recommended: str | None


class ModelItem(Answer):
    """`chosen` in the settings; `fits` into this machine's memory. `sources`: the hosts it would be fetched from, in
    the order in which they are tried."""

    name: str
    role: ModelRole
    description: str
    size_bytes: int
    licence: str
    installed: bool
    chosen: bool
    fits: bool
    recommended: bool
    sources: list[str]


class ModelsAnswer(Answer):
    """`pulling` is what is being fetched, or failed last."""

    machine: MachineAnswer
    items: list[ModelItem]
    running: list[ModelAnswer]
    pulling: Pulling | None


class ModelName(Strict):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class UseAnswer(Answer):
    """`message` says what is left to be done; null: nothing."""

    name: str
    role: ModelRole
    restart_needed: bool
    message: str | None


# Settings

SettingKey = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
SettingText = Annotated[str, msgspec.Meta(max_length=1000)]
SettingValue = int | float | SettingText | Annotated[list[SettingText], msgspec.Meta(max_length=100)]


class SettingItem(Answer, omit_defaults=True):
    """`value` is what the file says, or else the default (null: left to Satchel). `restart_needed`: the daemon goes on
    with another value until it is started again. `minimum`, `maximum` and `choices` only where there are any."""

    key: str
    value: Any
    default: Any
    type: SettingType
    restart_needed: bool
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None

    @classmethod
    def of(cls, setting: Setting, kept: Config, running: Config) -> SettingItem:
        """`kept` is what the file says, `running` what holds in the daemon."""
        value = value_of(kept, setting.key)
        changed = value != value_of(running, setting.key)
        return cls(**msgspec.structs.asdict(setting), value=value, restart_needed=changed)


class SettingList(Answer):
    items: list[SettingItem]


class SettingPatch(Strict):
    """`value` null: back to the default."""

    key: SettingKey
    value: SettingValue | None


# Backups


class BackupItem(Answer):
    """`checked`: it was restored for a trial and compared, without which no copy of Satchel's own gets its name."""

    name: str
    made_at: str
    size_bytes: int
    why: str
    checked: bool

    @classmethod
    def of(cls, copy: Copy) -> BackupItem:
        return cls(name=copy.name, made_at=to_iso(copy.made_at), size_bytes=copy.size, why=copy.why, checked=True)


class BackupList(Answer):
    """`owed`: copies were removed for a forgetting, and the fresh one is still to be made."""

    items: list[BackupItem]
    folder: str
    owed: bool
