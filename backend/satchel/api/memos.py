"""The MemOS-compatible API (`/api/openmem/v1`): an adapter over the same functions as the native one.

Unknown fields and explicit nulls are ignored, as its clients expect; answers come in its envelope.
"""

from __future__ import annotations

import asyncio
import logging
import re
from typing import Any, Literal

import apsw
import msgspec
from litestar import Response, Router, post
from litestar.exceptions import HTTPException
from litestar.params import JSONBody
from litestar.types import ExceptionHandlersMap

from satchel.api.access import AnyRequest, ForbiddenError, TheDaemon, check_profile, sees
from satchel.api.daemon import Daemon
from satchel.api.errors import NOT_TEXT, TOO_DEEP, is_of_body, problem_of, unexpected
from satchel.capture.normalise import MAX_NAME, Captured, CapturedMessage
from satchel.recall.rank import CONTEXT_THRESHOLD
from satchel.store import jobs, log, memories
from satchel.store.clock import new_id
from satchel.store.search import Filter
from satchel.times import parse_iso, to_iso
from satchel.types import BadInputError, Candidate, Memory, NotFoundError, Role, SatchelError

SITE = "memos"
WAIT_SECONDS = 60.0
"""How long `async_mode: false` waits for its memories before it answers `running`."""

CONVERSATIONS = 10
"""Conversations a filter's `conversation_id` may stand for: one a site that uses the same id."""

MEMOS_THRESHOLD = 0.45
"""MemOS's default `relativity`; it stands for our own default threshold, and the scale is stretched around it."""

_EPOCH = re.compile(r"\d{10}|\d{13}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DAY_MS = 86_400_000
_FARTHEST = 1e15
"""Milliseconds: beyond the year 9999, within what an integer column holds."""

FACTS = ("fact", "event")
PREFERENCES = ("explicit_preference", "implicit_preference", "instruction")

logger = logging.getLogger("satchel.memos")


class ContentPart(msgspec.Struct, frozen=True):
    type: str
    text: str | None = None


class MemosMessage(msgspec.Struct, frozen=True):
    role: Role
    content: str | list[ContentPart] | None = None
    chat_time: str | int | float | None = None

    def text(self) -> str:
        """Its words; an image or file leaves a mark that it was there, a part of text without any nothing."""
        if isinstance(self.content, list):
            parts = ((p.text or "") if p.type == "text" else f"[{p.type}]" for p in self.content)
            return "\n".join(filter(None, parts))
        return self.content or ""


UserId = str | list[str] | None


class AddMessage(msgspec.Struct, frozen=True):
    messages: list[MemosMessage]
    user_id: UserId = None
    agent_id: UserId = None
    conversation_id: str | None = None
    async_mode: bool | None = None


class GetStatus(msgspec.Struct, frozen=True):
    task_id: str


class SearchMemory(msgspec.Struct, frozen=True):
    query: str
    user_id: UserId = None
    agent_id: UserId = None
    conversation_id: str | None = None
    memory_limit_number: int | None = None
    preference_limit_number: int | None = None
    include_preference: bool | None = None
    include_memory_view: list[str] | None = None
    relativity: float | None = None
    filter: dict[str, Any] | None = None


class Envelope(msgspec.Struct, frozen=True):
    code: int
    data: Any
    message: str


class Added(msgspec.Struct, frozen=True):
    success: bool
    task_id: str
    status: Literal["running", "completed", "failed"]


class MemosError(SatchelError):
    """An error with one of MemOS's own codes."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def _ok(data: Any) -> Envelope:
    return Envelope(0, data, "ok")


def profiles_of(user_id: UserId, agent_id: UserId) -> list[str]:
    """The profiles a request speaks of. Raises MemosError 40002 without any, 40010 for one too long."""
    named = (([given] if isinstance(given, str) else given or []) for given in (user_id, agent_id))
    names = next((there for who in named if (there := [name for name in who if name.strip()])), [])
    if not names:
        raise MemosError(40002, "user_id or agent_id is required.")
    if any(len(name) > 100 for name in names):
        raise MemosError(40010, "user_id is longer than 100 characters.")
    return list(dict.fromkeys(names))


def _check_conversation(external_id: str | None) -> None:
    if external_id is not None and len(external_id) > MAX_NAME:
        raise MemosError(40011, f"conversation_id is longer than {MAX_NAME} characters.")


def _sent_at(chat_time: str | float | None) -> str | None:
    """ISO 8601 for MemOS's forms: that, or seconds or milliseconds since the epoch, as a number or its digits."""
    if isinstance(chat_time, str) and _EPOCH.fullmatch(chat_time):
        chat_time = int(chat_time)
    if isinstance(chat_time, int | float):
        bounded = min(max(chat_time, -_FARTHEST), _FARTHEST)
        return to_iso(int(bounded if bounded > 1e11 else bounded * 1000))
    return chat_time or None


def _task_status(status: str) -> Literal["running", "completed", "failed"]:
    return "completed" if status == "completed" else "failed" if status == "failed" else "running"


@post("/add/message", status_code=200, opt={"scope": "capture"})
async def add_message(request: AnyRequest, data: JSONBody[AddMessage], daemon: TheDaemon) -> Envelope:
    """Captures messages of a user."""
    names = profiles_of(data.user_id, data.agent_id)
    if len(names) > 1:
        raise MemosError(40000, "Messages belong to one user_id.")
    check_profile(request, names[0])
    _check_conversation(data.conversation_id)
    messages = tuple(
        CapturedMessage(role=m.role, content=text, sent_at=_sent_at(m.chat_time))
        for m in data.messages
        if (text := m.text())
    )
    if not messages:
        raise MemosError(40002, "messages is required, with content in one of them at least.")
    captured = Captured(profile=names[0], site=SITE, external_id=data.conversation_id or new_id(), messages=messages)
    recorded = await daemon.capture(captured)
    if recorded.job_id is None:  # all of it was forgotten: there is nothing to be read, and no task to ask for
        return _ok(Added(success=True, task_id="", status="completed"))
    status: Literal["running", "completed", "failed"] = "running"
    if data.async_mode is False:
        status = await _wait_for(daemon, recorded.job_id)
    return _ok(Added(success=True, task_id=recorded.job_id, status=status))


async def _wait_for(daemon: Daemon, job_id: str) -> Literal["running", "completed", "failed"]:
    async def settled() -> Literal["running", "completed", "failed"]:
        async for _ in daemon.events.listen(first=True):
            status = (await daemon.store.read(lambda db: jobs.job(db, job_id))).status
            if status in ("completed", "failed"):
                return _task_status(status)
        return "running"

    try:
        return await asyncio.wait_for(settled(), WAIT_SECONDS)
    except TimeoutError:
        return "running"


@post("/get/status", status_code=200, opt={"scope": "capture"})
async def get_status(request: AnyRequest, data: JSONBody[GetStatus], daemon: TheDaemon) -> Envelope:
    """How far a task is, and which memories it gave."""
    try:
        profile = await daemon.store.read(lambda db: jobs.profile_of(db, data.task_id))
        job = await daemon.store.read(lambda db: jobs.job(db, data.task_id))
    except NotFoundError as error:
        raise MemosError(50131, str(error), 404) from error
    if not sees(request, profile):
        raise MemosError(50131, f"There is no job {data.task_id[:64]!r}.", 404)
    answer: dict[str, Any] = {"task_id": job.id, "status": _task_status(job.status)}
    if job.status == "completed":
        found = (await daemon.store.read(lambda db: memories.by_ids(db, job.memory_ids))).values()
        added = [m for m in found if m.observations == 1]
        answer["memory_views"] = {
            "added": len(added),
            "updated": len(found) - len(added),
            "deleted": 0,
            "detail_factual": {"memory_ids": [m.id for m in found if m.kind in FACTS]},
            "preference": {"memory_ids": [m.id for m in found if m.kind in PREFERENCES]},
        }
    return _ok(answer)


def threshold_of(relativity: float | None) -> float | None:
    """Our threshold for MemOS's `relativity`: 0 turns it off, its default is our default, 1 is 1."""
    asked = MEMOS_THRESHOLD if relativity is None else min(max(relativity, 0.0), 1.0)
    if asked == 0:
        return None
    if asked <= MEMOS_THRESHOLD:
        return asked / MEMOS_THRESHOLD * CONTEXT_THRESHOLD
    return CONTEXT_THRESHOLD + (asked - MEMOS_THRESHOLD) / (1 - MEMOS_THRESHOLD) * (1 - CONTEXT_THRESHOLD)


def relativity_of(score: float) -> float:
    """The inverse of `threshold_of`, for what is shown beside a memory."""
    if score <= CONTEXT_THRESHOLD:
        return round(score / CONTEXT_THRESHOLD * MEMOS_THRESHOLD, 4)
    return round(MEMOS_THRESHOLD + (score - CONTEXT_THRESHOLD) / (1 - CONTEXT_THRESHOLD) * (1 - MEMOS_THRESHOLD), 4)


def _limit(asked: int | None) -> int:
    return min(max(9 if asked is None else asked, 0), 25)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a filter asks for, as far as it can be kept. `conversation` is the client's own id; times in ms."""

    conversation: str | None = None
    tags: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None


def wanted_of(filter_: dict[str, Any] | None) -> Wanted:
    """What a filter of MemOS's asks for. Raises MemosError 40000 for what is not supported: no wider results instead.

    Kept are `conversation_id`, `tags: {"contains": x}` and `create_time`, all of them under one `and` at the root.
    """
    wanted = Wanted()
    if not filter_:
        return wanted
    conditions = filter_.get("and")
    if set(filter_) != {"and"} or not isinstance(conditions, list):
        raise _unsupported(filter_)
    for condition in conditions:
        if not isinstance(condition, dict):
            raise _unsupported(filter_)
        for field, value in condition.items():
            wanted = _narrowed(wanted, field, value)
    return wanted


def _narrowed(wanted: Wanted, field: str, value: Any) -> Wanted:
    match field, value:
        case "conversation_id", str() if wanted.conversation in (None, value):
            _check_conversation(value)
            return msgspec.structs.replace(wanted, conversation=value)
        case "tags", {"contains": str() as tag, **rest} if not rest:
            return msgspec.structs.replace(wanted, tags=(*wanted.tags, tag))
        case "create_time", dict() if value and value.keys() <= {"gte", "gt", "lte", "lt"}:
            since, until = wanted.since, wanted.until
            for comparison, text in value.items():
                first, last = _moments(text)
                match comparison:
                    case "gte" | "gt":
                        bound = first if comparison == "gte" else last + 1
                        since = bound if since is None else max(since, bound)
                    case _:
                        bound = last if comparison == "lte" else first - 1
                        until = bound if until is None else min(until, bound)
            return msgspec.structs.replace(wanted, since=since, until=until)
    raise _unsupported({field: value})


def _moments(given: Any) -> tuple[int, int]:
    """First and last millisecond that a time of a filter means: a date without a time is its whole day."""
    try:
        first = parse_iso(_sent_at(given) or "") if isinstance(given, str | int | float) else None
    except ValueError as error:
        raise MemosError(40000, f"filter: create_time: {error}.") from None
    if first is None:
        raise _unsupported({"create_time": given})
    whole_day = isinstance(given, str) and _DATE.fullmatch(given)
    return first, first + (_DAY_MS - 1 if whole_day else 0)


def _unsupported(part: dict[str, Any]) -> MemosError:
    named = ", ".join(str(name)[:64] for name in part)
    return MemosError(
        40000,
        f"filter: this use of {named} is not supported yet; "
        'conversation_id, tags {"contains"} and create_time under one root "and" are.',
    )


async def _filters(daemon: Daemon, profile: str, wanted: Wanted) -> list[Filter]:
    """Our filters whose finds together are what is wanted of a profile: one for each conversation of that id."""
    only = Filter(tags=wanted.tags, since=wanted.since, until=wanted.until)
    if wanted.conversation is None:
        return [only]
    there, _ = await daemon.store.read(
        lambda db: log.conversations(
            db, profiles=[profile], external_id=wanted.conversation, page=1, size=CONVERSATIONS
        )
    )
    return [msgspec.structs.replace(only, conversation_id=conversation.id) for conversation in there]


@post("/search/memory", status_code=200, opt={"scope": "recall"})
async def search_memory(request: AnyRequest, data: JSONBody[SearchMemory], daemon: TheDaemon) -> Envelope:
    """Facts and preferences that bear on a query."""
    if not data.query.strip():
        raise MemosError(40002, "query is required.")
    _check_conversation(data.conversation_id)
    wanted = wanted_of(data.filter)
    views = data.include_memory_view
    want_facts = views is None or bool({"detail_factual", "event"} & set(views))
    want_preferences = data.include_preference is not False if views is None else "preference" in views
    facts: list[Candidate] = []
    preferences: list[Candidate] = []
    for profile in profiles_of(data.user_id, data.agent_id):
        check_profile(request, profile)
        for only in await _filters(daemon, profile, wanted):
            for asked, kinds, limit, into in (
                (want_facts, FACTS, _limit(data.memory_limit_number), facts),
                (want_preferences, PREFERENCES, _limit(data.preference_limit_number), preferences),
            ):
                if asked and limit:
                    into += await daemon.recall.search(
                        data.query,
                        profile=profile,
                        limit=limit,
                        kinds=kinds,
                        only=only,
                        threshold=threshold_of(data.relativity),
                    )
    facts = _best(facts, _limit(data.memory_limit_number))
    preferences = _best(preferences, _limit(data.preference_limit_number))
    held, theirs = await _details(daemon, [c.id for c in (*facts, *preferences)])
    return _ok(
        {
            "memory_detail_list": [_fact(held[c.id], c, theirs) for c in facts if c.id in held],
            "preference_detail_list": [_preference(held[c.id], c, theirs) for c in preferences if c.id in held],
            "tool_memory_detail_list": [],
            "skill_detail_list": [],
            "profile_detail_list": [],
            "event_detail_list": [],
            "preference_note": "",
        }
    )


def _best(found: list[Candidate], limit: int) -> list[Candidate]:
    """The best of several searches, each once: a memory may come from two conversations."""
    return sorted({c.id: c for c in found}.values(), key=lambda c: -c.score)[:limit]


async def _details(daemon: Daemon, ids: list[str]) -> tuple[dict[str, Memory], dict[str, str]]:
    """The memories by id, and the clients' own ids of the conversations they came from."""

    def load(db: apsw.Connection) -> tuple[dict[str, Memory], dict[str, str]]:
        held = memories.by_ids(db, ids)
        wanted = {s.conversation_id for m in held.values() for s in m.sources}
        return held, log.external_ids(db, sorted(wanted))

    return await daemon.store.read(load)


def _fact(memory: Memory, hit: Candidate, theirs: dict[str, str]) -> dict[str, Any]:
    return {
        "id": memory.id,
        "memory_key": memory.key,
        "memory_value": memory.text,
        "memory_type": "UserMemory" if memory.said_by == "user" else "LongTermMemory",
        "create_time": memory.created_at,
        "update_time": memory.updated_at,
        "conversation_id": _conversation(memory, theirs),
        "status": _status(memory),
        # The chance that it was meant, as one grows surer of what one hears again.
        "confidence": round(1 - 0.5 ** (memory.observations + 1), 4),
        "tags": list(memory.tags),
        "relativity": relativity_of(hit.score),
    }


def _preference(memory: Memory, hit: Candidate, theirs: dict[str, str]) -> dict[str, Any]:
    return {
        "id": memory.id,
        "preference": memory.text,
        "preference_type": "implicit_preference" if memory.kind == "implicit_preference" else "explicit_preference",
        "reasoning": memory.reasoning or "",
        "create_time": memory.created_at,
        "update_time": memory.updated_at,
        "conversation_id": _conversation(memory, theirs),
        "status": _status(memory),
        "relativity": relativity_of(hit.score),
    }


def _conversation(memory: Memory, theirs: dict[str, str]) -> str:
    return theirs.get(memory.sources[-1].conversation_id, "") if memory.sources else ""


def _status(memory: Memory) -> str:
    return "activated" if memory.status == "active" else memory.status


# Errors in the envelope


def _error(code: int, message: str, status: int) -> Response[Envelope]:
    return Response(Envelope(code, None, message), status_code=status)


def _satchel_error(_: AnyRequest, error: SatchelError) -> Response[Envelope]:
    if isinstance(error, MemosError):
        return _error(error.code, str(error), error.status)
    codes = {BadInputError: 40000, ForbiddenError: 40103, NotFoundError: 40307}
    return _error(codes.get(type(error), 50000), str(error), error.status)


def http_error(_: AnyRequest, error: HTTPException) -> Response[Envelope]:
    code = {413: 40013, 400: 40000}.get(error.status_code, error.status_code * 100)
    return _error(code, problem_of(error).detail, error.status_code)


def _too_deep(_: AnyRequest, __: RecursionError) -> Response[Envelope]:
    return _error(40000, TOO_DEEP, 400)


def _not_text(request: AnyRequest, error: UnicodeDecodeError) -> Response[Envelope]:
    return _error(40000, NOT_TEXT, 400) if is_of_body(error) else _unexpected(request, error)


def _unexpected(request: AnyRequest, error: Exception) -> Response[Envelope]:
    return _error(50000, str(unexpected(request, error).content.detail), 500)


_HANDLERS: ExceptionHandlersMap = {
    SatchelError: _satchel_error,
    HTTPException: http_error,
    RecursionError: _too_deep,
    UnicodeDecodeError: _not_text,
    Exception: _unexpected,
}

memos_router = Router(
    path="/api/openmem/v1",
    route_handlers=[add_message, get_status, search_memory],
    exception_handlers=_HANDLERS,
    tags=["memos"],
    opt={"ignore_unknown": True},
)
