"""What waits for the user: contradictions, hints without enough evidence, memories whose words were edited."""

from __future__ import annotations

from typing import Annotated

import apsw
from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile
from satchel.api.native.memories import seen_memory
from satchel.api.schemas import DecisionAnswer, DecisionRequest, MemoryAnswer, OpenAnswer, OpenPage
from satchel.store import Tx, decisions, memories
from satchel.types import Memory

MAX_PAGE = 1_000_000


class DecisionController(Controller):
    path = "/v1/decisions"
    tags = ("memories",)
    opt = {"scope": "manage"}  # noqa: RUF012 - Litestar's own attribute

    @get("/")
    async def page(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str, QueryParameter(max_length=100)] = "me",
        page: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> OpenPage:
        """A page of what waits: each conflict once, then memories whose words were edited, then candidates; each the
        latest first."""
        check_profile(request, profile)

        def look(db: apsw.Connection) -> OpenPage:
            found, total = decisions.page(db, profiles=(profile,), page=page, size=size)
            return OpenPage(items=[OpenAnswer.of(one) for one in found], total=total, page=page, size=size)

        return await daemon.store.read(look)

    @post("/{memory_id:str}", status_code=200, opt={"problems": (409,)})
    async def decide(
        self, request: AnyRequest, memory_id: FromPath[str], data: JSONBody[DecisionRequest], daemon: TheDaemon
    ) -> DecisionAnswer:
        """Decides about a memory; with `against`, only what was seen. What it changes stays in the history,
        and extraction never changes it back."""

        def write(tx: Tx) -> list[Memory]:
            seen_memory(tx.db, request, memory_id)
            return decisions.decide(tx, memories.pk_of(tx.db, memory_id), data.decision, seen=data.against)

        changed = await daemon.store.write(write)
        for memory in changed:
            daemon.changed("memory", memory.profile, id=memory.id)
        return DecisionAnswer(changed=[MemoryAnswer.of(memory) for memory in changed])
