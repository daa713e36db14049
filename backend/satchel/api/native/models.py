"""The models: which there are, fetching one, choosing one."""

from __future__ import annotations

import asyncio
from pathlib import Path

from litestar import Controller, delete, get, post
from litestar.params import JSONBody

from satchel import config
from satchel.api.access import TheDaemon, refuse_browsers, refuse_limited
from satchel.api.house_schemas import MachineAnswer, ModelItem, ModelName, ModelsAnswer, UseAnswer
from satchel.api.native.state import running_models
from satchel.api.pulling import Pulling
from satchel.api.schemas import Done
from satchel.models import registry
from satchel.models.hosts import Hosts
from satchel.models.registry import ModelEntry
from satchel.models.runtime import physical_cores
from satchel.types import NotFoundError, SatchelError


class NotInstalledError(SatchelError):
    """A model is chosen whose file is not here."""

    status = 409
    title = "Not here yet"


class ModelController(Controller):
    path = "/v1/models"
    tags = ("models",)
    guards = (refuse_browsers, refuse_limited)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @get()
    async def list_models(self, daemon: TheDaemon) -> ModelsAnswer:
        """All models that are known, with what this machine has room for; those that run, and the one that is being
        fetched, if any."""
        machine, items = await asyncio.to_thread(_known, daemon.folder, daemon.hosts)
        return ModelsAnswer(machine=machine, items=items, running=running_models(daemon), pulling=daemon.pulls.pulling)

    @post("/pull", status_code=202, opt={"problems": (409,)})
    async def pull(self, data: JSONBody[ModelName], daemon: TheDaemon) -> Pulling:
        """Starts to fetch a model of the manifest, as `satchel models pull` does: in a process of its own, since the
        daemon itself connects nowhere. Progress comes as the event `pull`."""
        return await daemon.pulls.start(data.name)

    @delete("/pull", status_code=200)
    async def stop(self, daemon: TheDaemon) -> Done:
        """Stops fetching. The next time it goes on where it stopped, if the source can."""
        await daemon.pulls.stop()
        return Done()

    @post("/use", status_code=200, opt={"problems": (409,)})
    async def use(self, data: JSONBody[ModelName], daemon: TheDaemon) -> UseAnswer:
        """Chooses an installed model, which its role says what for, from the daemon's next start on."""
        entry = await asyncio.to_thread(_choose, daemon.folder, data.name)
        needed = entry.name.casefold() != _in_use(daemon.config.models, entry).casefold()
        return UseAnswer(
            name=entry.name, role=entry.role, restart_needed=needed, message=_what_is_left(entry) if needed else None
        )


def _known(data: Path, hosts: Hosts) -> tuple[MachineAnswer, list[ModelItem]]:
    """Raises ConfigError and ModelError."""
    chosen = config.load(data).models
    memory = registry.memory_bytes()
    recommended = registry.recommend(memory).name if memory else None
    items = [
        ModelItem(
            name=entry.name,
            role=entry.role,
            description=entry.summary,
            size_bytes=entry.size,
            licence=entry.licence,
            installed=registry.path_of(entry).is_file(),
            chosen=entry.name.casefold() == _in_use(chosen, entry).casefold(),
            fits=not memory or registry.fits(entry, memory),
            recommended=entry.name == recommended,
            sources=hosts.of(entry),
        )
        for entry in registry.entries()
    ]
    return MachineAnswer(cores=physical_cores(), memory_bytes=memory or None, recommended=recommended), items


def _in_use(chosen: config.Models, entry: ModelEntry) -> str:
    """The name of the model that has this one's role."""
    return chosen.embed if entry.role == "embed" else chosen.generate


def _choose(data: Path, name: str) -> ModelEntry:
    """Raises NotFoundError, NotInstalledError, ConfigError and ModelError."""
    for entry in registry.entries():
        if entry.name.casefold() == name.casefold():
            if not registry.path_of(entry).is_file():
                raise NotInstalledError(f"{entry.name} is not here yet; fetch it first.")
            config.set_value(data, f"models.{entry.role}", entry.name)
            return entry
    raise NotFoundError(f"No model is called {name!r}; `GET /v1/models` lists them.")


def _what_is_left(entry: ModelEntry) -> str:
    embedding = (
        " What is stored is embedded anew then; until that is done the former model answers, so keep it."
        if entry.role == "embed"
        else ""
    )
    return f"{entry.name} will {entry.role} from the next start of Satchel: stop it, and start it again.{embedding}"
