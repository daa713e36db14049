"""The log: conversations as they were captured."""

from __future__ import annotations

from typing import Annotated

import apsw
from litestar import Controller, delete, get
from litestar.params import FromPath, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile, sees, visible_profiles
from satchel.api.schemas import (
    ConversationAnswer,
    ConversationPage,
    ConversationWithMessages,
    ForgottenAnswer,
    ProfileList,
)
from satchel.store import log
from satchel.store.forget_plan import What
from satchel.types import Conversation, NotFoundError


def _seen(db: apsw.Connection, request: AnyRequest, conversation_id: str) -> Conversation:
    conversation = log.conversation(db, conversation_id)
    if not sees(request, conversation.profile):
        raise NotFoundError(f"There is no conversation {conversation_id[:64]!r}.")
    return conversation


class ConversationController(Controller):
    path = "/v1"
    tags = ("conversations",)

    @get("/conversations", opt={"scope": "manage"})
    async def page(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str | None, QueryParameter(max_length=100)] = None,
        site: Annotated[str | None, QueryParameter(max_length=100)] = None,
        external_id: Annotated[str | None, QueryParameter(max_length=512)] = None,
        page: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> ConversationPage:
        """A page of conversations, latest first."""
        if profile is not None:
            check_profile(request, profile)
        profiles = visible_profiles(request) if profile is None else (profile,)
        items, total = await daemon.store.read(
            lambda db: log.conversations(
                db, profiles=profiles, site=site, external_id=external_id, page=page, size=size
            )
        )
        return ConversationPage(items=[ConversationAnswer.of(c) for c in items], total=total, page=page, size=size)

    @get("/conversations/{conversation_id:str}", opt={"scope": "manage"})
    async def one(
        self, request: AnyRequest, conversation_id: FromPath[str], daemon: TheDaemon
    ) -> ConversationWithMessages:
        """A conversation with its turns, and what edited turns said before."""
        return await daemon.store.read(
            lambda db: ConversationWithMessages.with_messages(
                _seen(db, request, conversation_id),
                log.messages_of(db, conversation_id),
                log.revisions_of(db, conversation_id),
            )
        )

    @delete("/conversations/{conversation_id:str}", status_code=200, opt={"scope": "manage"})
    async def forget(self, request: AnyRequest, conversation_id: FromPath[str], daemon: TheDaemon) -> ForgottenAnswer:
        """Forgets a conversation with all that came from it."""

        what = What(way="conversation", profiles=visible_profiles(request), conversation=conversation_id)
        return ForgottenAnswer.of(await daemon.forgetting.act(what, id=conversation_id))

    @get("/profiles")
    async def profiles(self, request: AnyRequest, daemon: TheDaemon) -> ProfileList:
        """Names and counts of the profiles the client may see."""
        found = await daemon.store.read(log.profiles)
        return ProfileList(profiles=[p for p in found if sees(request, p.name)])
