"""Memories: list, write by hand, edit, pin, forget."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import apsw
import msgspec
from litestar import Controller, delete, get, patch, post
from litestar.params import FromPath, JSONBody, QueryParameter

from satchel import marker
from satchel.api.access import AnyRequest, TheDaemon, check_profile, sees, visible_profiles
from satchel.api.schemas import (
    ForgottenAnswer,
    MemoryAnswer,
    MemoryPage,
    MemoryPatch,
    MemoryWithHistory,
    NewMemory,
    maybe_moment,
)
from satchel.capture.normalise import check_name, clean
from satchel.extract.saying import keys
from satchel.recall.query import fts_query
from satchel.store import Tx, contradictions, injections, memories
from satchel.store.forget_plan import What
from satchel.store.memories import Order
from satchel.types import BadInputError, Draft, Kind, Memory, NotFoundError, SaidBy, SatchelError, Status

MAX_PAGE = 1_000_000
MAX_INSERTIONS = 50


class ChangedMeanwhileError(SatchelError):
    status = 409
    title = "Changed meanwhile"


def seen_memory(db: apsw.Connection, request: AnyRequest, memory_id: str) -> Memory:
    """The memory, if the client may see it. Raises NotFoundError."""
    memory = memories.memory(db, memory_id)
    if not sees(request, memory.profile):
        raise NotFoundError(f"There is no memory {memory_id[:64]!r}.")
    return memory


def _words(text: str) -> str:
    cleaned = clean(text.replace("\0", ""))[0].strip()
    if not cleaned:
        raise BadInputError("`text` is empty.")
    return cleaned


def _label(text: str) -> str:
    """A key or tag as it is kept: without injected blocks, marks that could pass for one, and secrets."""
    return marker.escape(clean(text.replace("\0", ""))[0]).strip()


def _labels(tags: Iterable[str]) -> tuple[str, ...]:
    return tuple(label for tag in tags if (label := _label(tag)))


class MemoryController(Controller):
    path = "/v1/memories"
    tags = ("memories",)

    @get("/", opt={"scope": "manage"})
    async def page(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str | None, QueryParameter(max_length=100)] = None,
        page: Annotated[int, QueryParameter(ge=1, le=MAX_PAGE)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
        kind: Annotated[Kind | None, QueryParameter()] = None,
        status: Annotated[Status | None, QueryParameter()] = None,
        tag: Annotated[str | None, QueryParameter(max_length=100)] = None,
        q: Annotated[str | None, QueryParameter(max_length=1000)] = None,
        site: Annotated[str | None, QueryParameter(max_length=100)] = None,
        since: Annotated[str | None, QueryParameter(max_length=40)] = None,
        until: Annotated[str | None, QueryParameter(max_length=40)] = None,
        pinned: Annotated[bool | None, QueryParameter()] = None,
        said_by: Annotated[SaidBy | None, QueryParameter()] = None,
        order: Annotated[Order, QueryParameter()] = "latest",
    ) -> MemoryPage:
        """A page of memories, pinned first, then the latest; without `status`, those that hold now.

        `since` and `until` bound `valid_from`, the latter excluded: of what was captured, that is when it was said.
        `site`: some of its words were said there. `order`: by the last change (`latest`, `oldest`), or how often it was
        `observed`.
        """
        since_ms, until_ms = maybe_moment("since", since), maybe_moment("until", until)
        match = fts_query(q) if q else None
        if profile is not None:
            check_profile(request, profile)
        if q and match is None:  # asked for words, but none of them can be looked for
            return MemoryPage(items=[], total=0, page=page, size=size)
        items, total = await daemon.store.read(
            lambda db: memories.page(
                db,
                profiles=visible_profiles(request) if profile is None else (profile,),
                kinds=(kind,) if kind else (),
                statuses=(status,) if status else memories.LIVE,
                tag=tag,
                match=match,
                site=site,
                since=since_ms,
                until=until_ms,
                pinned=pinned,
                said_by=said_by,
                order=order,
                page=page,
                size=size,
            )
        )
        return MemoryPage(items=[MemoryAnswer.of(m) for m in items], total=total, page=page, size=size)

    @post("/", opt={"scope": "manage"})
    async def write(self, request: AnyRequest, data: JSONBody[NewMemory], daemon: TheDaemon) -> MemoryAnswer:
        """Writes a memory by hand. It outranks what extraction finds, and extraction never changes it."""
        check_profile(request, check_name("profile", data.profile))
        text = _words(data.text)
        valid_from = maybe_moment("valid_from", data.valid_from)
        draft = Draft(
            kind=data.kind,
            text=text,
            key=_label(data.key or "") or keys.key(text),
            tags=_labels(data.tags) or keys.tags(text),
            sources=(),
            valid_from=daemon.store.now() if valid_from is None else valid_from,
        )

        def add(tx: Tx) -> Memory:
            pk = memories.add(tx, draft, profile=data.profile, by_hand=True)
            if data.pinned:
                memories.edit(tx, pk, memories.Edit(pinned=True), by="user", change="pinned")
            return memories.by_pks(tx.db, [pk])[pk]

        memory = await daemon.store.write(add)
        daemon.changed("memory", memory.profile, id=memory.id)
        return MemoryAnswer.of(memory)

    @get("/{memory_id:str}", opt={"scope": "manage"})
    async def one(self, request: AnyRequest, memory_id: FromPath[str], daemon: TheDaemon) -> MemoryWithHistory:
        """A memory with what it said before each change, and where it was inserted."""
        return await daemon.store.read(
            lambda db: MemoryWithHistory.with_history(
                seen_memory(db, request, memory_id),
                memories.history(db, memory_id),
                injections.insertions_of(db, memory_id, limit=MAX_INSERTIONS),
                changed_sources=memories.rests_on_edited(db, memory_id),
            )
        )

    @patch("/{memory_id:str}", opt={"scope": "manage", "problems": (409,)})
    async def edit(
        self, request: AnyRequest, memory_id: FromPath[str], data: JSONBody[MemoryPatch], daemon: TheDaemon
    ) -> MemoryAnswer:
        """Edits or pins a memory; with `if_updated_at`, only as it was then. What it said stays in its history."""
        changes = msgspec.structs.asdict(data)
        seen_at = maybe_moment("if_updated_at", changes.pop("if_updated_at"))
        if isinstance(data.text, str):
            changes["text"] = _words(data.text)
        if isinstance(data.key, str):
            changes["key"] = _label(data.key)
        if isinstance(data.tags, tuple):
            changes["tags"] = _labels(data.tags)

        def change(tx: Tx) -> list[Memory]:
            known = seen_memory(tx.db, request, memory_id)
            if seen_at is not None and seen_at != known.updated_at:
                raise ChangedMeanwhileError("It was changed meanwhile; look at it again, then change it.")
            pk = memories.pk_of(tx.db, memory_id)
            named = [name for name, value in changes.items() if value is not msgspec.UNSET]
            what = "pinned" if named == ["pinned"] and data.pinned else "edited"
            wanted = memories.Edit(**changes)
            if known.status == "superseded" and wanted.status not in ("superseded", msgspec.UNSET):
                wanted = msgspec.structs.replace(wanted, valid_to=None)  # what comes back has no end any more
            memories.edit(tx, pk, wanted, by="user", change=what)
            concerned = [pk, *contradictions.release_beside(tx, [pk])]
            found = memories.by_pks(tx.db, concerned)
            return [found[one] for one in concerned]

        changed = await daemon.store.write(change)
        for memory in changed:
            daemon.changed("memory", memory.profile, id=memory.id)
        return MemoryAnswer.of(changed[0])

    @delete("/{memory_id:str}", status_code=200, opt={"scope": "manage"})
    async def forget(
        self,
        request: AnyRequest,
        memory_id: FromPath[str],
        daemon: TheDaemon,
        messages: Annotated[bool, QueryParameter()] = False,
    ) -> ForgottenAnswer:
        """Forgets a memory; with `messages=true` also the turns it was drawn from."""

        what = What(way="memory", profiles=visible_profiles(request), memory=memory_id, messages=messages)
        return ForgottenAnswer.of(await daemon.forgetting.act(what, id=memory_id))
