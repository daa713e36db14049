"""The log: conversations as they were captured."""

from __future__ import annotations

from typing import Annotated

import apsw
from litestar import Controller, delete, get
from litestar.params import FromPath, QueryParameter

from satchel.api.access import AnyRequest, TheDaemon, check_profile, sees, visible_profiles
from satchel.api.schemas import (
    ConversationListed,
    ConversationPage,
    ConversationWithMessages,
    DayList,
    ForgottenAnswer,
    MemoryAnswer,
    MemoryList,
    ProfileList,
    maybe_moment,
)
from satchel.store import log, memories
from satchel.store.forget_plan import What
from satchel.types import Conversation, NotFoundError

MAX_DAYS = 400
MAX_WORDS = 20
"""Words of a title that are looked for."""


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
        since: Annotated[str | None, QueryParameter(max_length=40)] = None,
        until: Annotated[str | None, QueryParameter(max_length=40)] = None,
        q: Annotated[str | None, QueryParameter(max_length=1000)] = None,
        page: Annotated[int, QueryParameter(ge=1, le=1_000_000)] = 1,
        size: Annotated[int, QueryParameter(ge=1, le=1000)] = 100,
    ) -> ConversationPage:
        """A page of conversations, latest first, each with how many memories rest on it.

        `since` and `until` bound when something last came of it, as its `updated_at` tells, the latter excluded. `q`:
        all these words stand in its title, each perhaps within another.
        """
        if profile is not None:
            check_profile(request, profile)
        profiles = visible_profiles(request) if profile is None else (profile,)
        since_ms, until_ms = maybe_moment("since", since), maybe_moment("until", until)

        def look(db: apsw.Connection) -> ConversationPage:
            found, total = log.conversations(
                db,
                profiles=profiles,
                site=site,
                external_id=external_id,
                since=since_ms,
                until=until_ms,
                title=(q or "").split()[:MAX_WORDS],
                page=page,
                size=size,
            )
            resting = memories.count_in_conversations(db, [one.id for one in found])
            items = [ConversationListed.listed(one, resting[one.id]) for one in found]
            return ConversationPage(items=items, total=total, page=page, size=size)

        return await daemon.store.read(look)

    @get("/conversations/days", opt={"scope": "manage"})
    async def days(
        self,
        request: AnyRequest,
        daemon: TheDaemon,
        profile: Annotated[str, QueryParameter(max_length=100)] = "me",
        site: Annotated[str | None, QueryParameter(max_length=100)] = None,
    ) -> DayList:
        """On which days conversations were last added to, newest first, by this machine's clock: the latest 400."""
        check_profile(request, profile)
        return DayList(
            days=await daemon.store.read(lambda db: log.days(db, profiles=(profile,), site=site, limit=MAX_DAYS))
        )

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

    @get("/conversations/{conversation_id:str}/memories", opt={"scope": "manage"})
    async def memories(self, request: AnyRequest, conversation_id: FromPath[str], daemon: TheDaemon) -> MemoryList:
        """The memories that rest on its turns, whatever became of them, in the order in which it first says them."""

        def look(db: apsw.Connection) -> MemoryList:
            found = memories.in_conversation(db, _seen(db, request, conversation_id).id)
            return MemoryList(items=[MemoryAnswer.of(memory) for memory in found])

        return await daemon.store.read(look)

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
