"""Satchel's own backups: listed, and made. One is put back in the terminal, because the daemon must not run then."""

from __future__ import annotations

import asyncio
from pathlib import Path

from litestar import Controller, get, post

from satchel.api.access import TheDaemon, refuse_browsers, refuse_limited
from satchel.api.house_schemas import BackupItem, BackupList
from satchel.store import backup, backup_list
from satchel.store.backup_list import Copy


class BackupController(Controller):
    path = "/v1/backups"
    tags = ("backups",)
    guards = (refuse_browsers, refuse_limited)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @get()
    async def list_backups(self, daemon: TheDaemon) -> BackupList:
        """Satchel's own backups, the newest first, and the folder in which they lie."""
        copies = await asyncio.to_thread(_listed, daemon.folder)
        return BackupList(
            items=[BackupItem.of(copy) for copy in copies],
            folder=str(backup.folder(daemon.folder).absolute()),
            owed=bool(daemon.forgetting.owed()),
        )

    @post(status_code=201, opt={"problems": (409,)})
    async def make(self, daemon: TheDaemon) -> BackupItem:
        """Copies the store, and checks the copy by restoring it; the newest five are kept. One at a time. It takes
        seconds, with a large store minutes."""

        def copy() -> Copy:
            return backup_list.told(backup.make(daemon.folder, now=daemon.store.now, wait=0))

        return BackupItem.of(await asyncio.to_thread(copy))


def _listed(data: Path) -> list[Copy]:
    """Raises StoreError when the folder cannot be read."""
    with backup.said_plainly(backup.folder(data)):
        return backup_list.listed(data)
