"""Forgetting by every way, what is kept out since, and the receipts."""

from __future__ import annotations

from typing import Annotated

import apsw
import msgspec
from litestar import Controller, get, post
from litestar.params import JSONBody, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile, visible_profiles
from satchel.api.schemas import (
    AllowAnswer,
    AllowRequest,
    ForgetAnswer,
    ForgetCounts,
    ForgetItem,
    ForgetRequest,
    ForgottenAmongAnswer,
    ForgottenAmongRequest,
    ForgottenConversationAnswer,
    ForgottenPage,
    LostTurnsAnswer,
    ReceiptAnswer,
    ReceiptPage,
    iso,
    maybe_moment,
)
from satchel.store import backup, forget_plan, forgotten_turns, receipts
from satchel.types import BadInputError

SHOWN = 50
"""Things of each type that a preview shows."""


def _profiles(request: AnyRequest, profile: str | None) -> tuple[str, ...] | None:
    return visible_profiles(request) if profile is None else (check_profile(request, profile),)


class ForgetController(Controller):
    path = "/v1"
    tags = ("forgetting",)

    @post("/forget", status_code=200, opt={"scope": "manage"})
    async def forget(self, request: AnyRequest, data: JSONBody[ForgetRequest], daemon: TheDaemon) -> ForgetAnswer:
        """Shows what a forgetting would take with it or, with `preview: false`, forgets it.

        Answered when the bytes are gone and the files of the data folder have been read for them.
        """
        what = data.to_what(_profiles(request, data.profile))
        if not data.preview:
            receipt = ReceiptAnswer.of(await daemon.forgetting.act(what), daemon.forgetting.owed())
            return ForgetAnswer(
                preview=False,
                counts=receipt.counts,
                goes=[],
                staying=None,
                stays=[],
                set_aside=None,
                receipt=receipt,
            )

        def look(db: apsw.Connection) -> ForgetAnswer:
            going = forget_plan.plan(db, what)
            counts = forget_plan.counted(db, going, what)
            takes = bool(going.titles or any(msgspec.structs.astuple(counts)))
            return ForgetAnswer(
                preview=True,
                counts=ForgetCounts.of(counts),
                goes=[ForgetItem.of(item) for item in forget_plan.items(db, going, limit=SHOWN)],
                staying=len(going.staying),
                stays=[ForgetItem.of(item) for item in forget_plan.staying(db, going, limit=SHOWN)],
                set_aside=len(backup.set_aside(daemon.store.path.parent)) if takes else 0,
                receipt=None,
            )

        return await daemon.store.read(look)

    @get("/forget/receipts", opt={"scope": "manage"})
    async def receipts(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        page: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> ReceiptPage:
        """A page of receipts of what was forgotten, latest first. They name no content."""
        profiles = visible_profiles(request)
        items, total = await daemon.store.read(lambda db: receipts.listed(db, profiles=profiles, page=page, size=size))
        owed = daemon.forgetting.owed()
        return ReceiptPage(items=[ReceiptAnswer.of(one, owed) for one in items], total=total, page=page, size=size)

    @get("/forgotten", opt={"scope": "manage"})
    async def forgotten(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str | None, QueryParameter(max_length=100)] = None,
        sent_again: Annotated[bool, QueryParameter()] = False,
        page: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> ForgottenPage:
        """A page of what is kept out because it was forgotten, by conversation and without content, those that were
        sent again last first; with `sent_again=true` only those."""
        profiles = _profiles(request, profile)
        items, total = await daemon.store.read(
            lambda db: forgotten_turns.listed(db, profiles=profiles, only_sent_again=sent_again, page=page, size=size)
        )
        return ForgottenPage(
            items=[ForgottenConversationAnswer.of(one) for one in items], total=total, page=page, size=size
        )

    @post("/forgotten/among", status_code=200, opt={"scope": "capture"})
    async def among(
        self, request: AnyRequest, data: JSONBody[ForgottenAmongRequest], daemon: TheDaemon
    ) -> ForgottenAmongAnswer:
        """Of which of these conversations turns were forgotten and what is left, so that a client drops what it keeps.

        Without any it tells when something was last forgotten, which is the same until something else is.
        """
        profiles, after = visible_profiles(request), maybe_moment("after", data.after)
        asked = [forgotten_turns.Place(one.site, one.external_id) for one in data.conversations]

        def look(db: apsw.Connection) -> ForgottenAmongAnswer:
            latest = forgotten_turns.latest(db, profiles=profiles)
            found = forgotten_turns.among(db, asked, profiles=profiles, after=after)
            return ForgottenAmongAnswer(
                conversations=[LostTurnsAnswer.of(one) for one in found],
                latest=iso(latest),
            )

        return await daemon.store.read(look)

    @post("/forgotten/allow", status_code=200, opt={"scope": "manage"})
    async def allow(self, request: AnyRequest, data: JSONBody[AllowRequest], daemon: TheDaemon) -> AllowAnswer:
        """Lets in again what was forgotten of these conversations, when it is next sent."""
        if bool(data.ids) == data.all:
            raise BadInputError("Give the `ids` of conversations, or `all`.")
        profiles = _profiles(request, data.profile)
        ids = None if data.all else data.ids
        allowed = await daemon.store.write(lambda tx: forgotten_turns.allow(tx, ids, profiles=profiles))
        return AllowAnswer(allowed=allowed)
