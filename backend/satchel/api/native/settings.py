"""The settings: each with its value, and changed one by one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from litestar import Controller, get, patch
from litestar.params import JSONBody

from satchel import config
from satchel.api.access import TheDaemon, refuse_browsers, refuse_limited
from satchel.api.house_schemas import SettingItem, SettingList, SettingPatch
from satchel.config import BadSettingError, Config
from satchel.models import registry
from satchel.settings import settings
from satchel.types import ModelError


class SettingController(Controller):
    path = "/v1/settings"
    tags = ("settings",)
    guards = (refuse_browsers, refuse_limited)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @get()
    async def list_settings(self, daemon: TheDaemon) -> SettingList:
        """All settings, as `config.toml` has them."""
        kept = await asyncio.to_thread(config.load, daemon.folder)
        return SettingList(items=[SettingItem.of(setting, kept, daemon.config) for setting in settings()])

    @patch()
    async def change(self, data: JSONBody[SettingPatch], daemon: TheDaemon) -> SettingItem:
        """Changes one setting in `config.toml`, whose comments stay. It holds at once, unless `restart_needed`."""
        kept = await daemon.change_settings(lambda: _change(daemon.folder, data))
        (setting,) = (each for each in settings() if each.key == data.key)
        return SettingItem.of(setting, kept, daemon.config)


def _change(folder: Path, data: SettingPatch) -> Config:
    """Raises BadSettingError naming the key, and ConfigError."""
    if data.key in ("models.generate", "models.embed") and isinstance(data.value, str):
        _check_model(data.key, data.value)
    return config.set_value(folder, data.key, data.value)


def _check_model(key: str, name: str) -> None:
    """One that is known and has this role; it may still be to be fetched. Raises BadSettingError."""
    try:
        entry = registry.find(name)
    except ModelError as error:
        raise BadSettingError(f"{key}: {error}") from error
    if key != f"models.{entry.role}":
        raise BadSettingError(f"{key}: {entry.name} is for models.{entry.role}; choose another.")
