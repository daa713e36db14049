"""The native API's bodies. Times are ISO 8601 here; unknown fields are refused by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

import msgspec

from satchel.store import changes
from satchel.store.clients import Client
from satchel.store.decisions import Decided, Open, Why
from satchel.store.forget_plan import Counts, Item, Way, What
from satchel.store.forgotten_turns import ForgottenConversation, LostTurns
from satchel.store.injections import Insertion
from satchel.store.log import DayCount, ProfileCount, Revision
from satchel.store.memories import Version
from satchel.store.receipts import Receipt
from satchel.store.rederivation import Change, ChangeKind, Outcome
from satchel.store.search import Filter
from satchel.times import parse_iso, to_iso
from satchel.types import (
    BadInputError,
    Candidate,
    Category,
    Conversation,
    Job,
    JobStatus,
    Kind,
    Memory,
    Message,
    Role,
    SaidBy,
    Scope,
    Source,
    Status,
    Style,
)

MAX_QUERY = 100_000
MAX_TEXT = 10_000

Query = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_QUERY)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT)]
Key = Annotated[str, msgspec.Meta(max_length=200)]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Tags = Annotated[tuple[Tag, ...], msgspec.Meta(max_length=50)]
Profile = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
ExternalId = Annotated[str, msgspec.Meta(min_length=1, max_length=512)]
Site = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
PersonName = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
HitId = Annotated[str, msgspec.Meta(max_length=100)]
HitKind = Literal["fact", "event", "explicit_preference", "implicit_preference", "instruction", "turn"]


class Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A request body."""


class Answer(msgspec.Struct, kw_only=True):
    """A response body."""


def moment(field: str, text: str) -> int:
    try:
        return parse_iso(text)
    except ValueError as error:
        raise BadInputError(f"`{field}`: {error}.") from None


def maybe_moment(field: str, text: str | None) -> int | None:
    return None if text is None else moment(field, text)


def iso(ms: int | None) -> str | None:
    return None if ms is None else to_iso(ms)


# Capture


class Accepted(Answer):
    """`accepted` and `duplicates` together are all that were sent. `forgotten` of the `duplicates` are turns that the
    user forgot: they are not stored, and need not be sent again (`GET /v1/forgotten`). `job_id` is null where nothing
    else is left of the conversation.
    """

    conversation_id: str
    message_ids: list[str]
    accepted: int
    duplicates: int
    forgotten: int
    job_id: str | None


class JobAnswer(Answer):
    id: str
    conversation_id: str
    status: JobStatus
    error: str | None
    attempts: int
    memory_ids: tuple[str, ...]
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, job: Job) -> JobAnswer:
        return cls(
            id=job.id,
            conversation_id=job.conversation_id,
            status=job.status,
            error=job.error,
            attempts=job.attempts,
            memory_ids=job.memory_ids,
            created_at=to_iso(job.created_at),
            updated_at=to_iso(job.updated_at),
        )


class JobList(Answer):
    items: list[JobAnswer]


class ModelAnswer(Answer):
    role: str
    name: str
    state: str
    error: str | None
    resident_bytes: int | None


class ReembeddingAnswer(Answer):
    """Everything is embedded anew because another embedding model was chosen: `done` items of `total` so far, `rate` a
    minute. `model` is the new one's name, `former` that of the one which answers meanwhile; where it is not installed
    any more (null), words answer, and meaning finds what is done. `rate`, `seconds_left` and `model` are null when they
    cannot be told.
    """

    model: str | None
    former: str | None
    done: int
    total: int
    rate: float | None
    seconds_left: int | None


class StatusAnswer(Answer):
    """`rate` in turns of the user a minute, over the last ones that were read; `seconds_left` for all that wait. Each
    null when that cannot be told. `reembedding` is null unless the embedding model was changed and is not done.
    `forgotten_sent_again`: turns that the user forgot, came once more, and were not stored (`GET /v1/forgotten`).
    """

    queued: int
    running: int
    failed: int
    completed: int
    indexing: int
    models: list[ModelAnswer]
    counts: dict[str, int]
    forgotten_sent_again: int
    paused: bool
    rate: float | None
    seconds_left: int | None
    reembedding: ReembeddingAnswer | None


class ExtractionRequest(Strict):
    paused: bool


class ExtractionAnswer(Answer):
    paused: bool


# Recall


class RecallFilter(Strict):
    """What hits must be like; times ISO 8601."""

    site: Site | None = None
    conversation_id: str | None = None
    said_by: SaidBy | None = None
    tags: Tags = ()
    since: str | None = None
    until: str | None = None

    def to_filter(self) -> Filter:
        return Filter(
            site=self.site,
            conversation_id=self.conversation_id,
            said_by=self.said_by,
            tags=self.tags,
            since=maybe_moment("filter.since", self.since),
            until=maybe_moment("filter.until", self.until),
        )


class RecallRequest(Strict):
    query: Query
    profile: Profile = "me"
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    kinds: tuple[HitKind, ...] | None = None
    filter: RecallFilter | None = None
    external_id: ExternalId | None = None
    at: str | None = None
    explain: bool = False


class Reason(Answer):
    """A sign that speaks for a hit, or against it: what it adds to the log-odds that the hit answers."""

    sign: str
    log_odds: float


class Hit(Answer):
    """`special`: the special categories that it seems to touch, for whoever looks it over; mostly empty. `reasons`:
    only when asked to `explain`, the weightiest first."""

    type: str
    id: str
    kind: str
    text: str
    score: float
    said_by: SaidBy
    conversation_id: str | None
    site: str | None
    sources: tuple[Source, ...]
    time: str
    status: Status
    reasoning: str | None
    special: tuple[Category, ...]
    reasons: tuple[Reason, ...] | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, hit: Candidate, *, explain: bool = False) -> Hit:
        return cls(
            type=hit.type,
            id=hit.id,
            kind=hit.kind,
            text=hit.text,
            score=round(hit.score, 4),
            said_by=hit.said_by,
            conversation_id=hit.conversation_id,
            site=hit.site,
            sources=hit.sources,
            time=to_iso(hit.time),
            status=hit.status,
            reasoning=hit.reasoning,
            special=hit.special,
            reasons=_reasons(hit) if explain else msgspec.UNSET,
        )


def _reasons(hit: Candidate) -> tuple[Reason, ...]:
    weighty = sorted(hit.signs, key=lambda one: -abs(one[1]))
    return tuple(Reason(sign=sign, log_odds=round(amount, 2)) for sign, amount in weighty if abs(amount) >= 0.005)


class Hits(Answer):
    hits: list[Hit]


class ContextRequest(Strict):
    """`kinds`: only these. `only`: of these ids alone, all of them, whatever the question (somebody chose them from a
    preview); an unknown one is not found. `not_from`: nothing that rests on a conversation of these sites. `special`
    false: nothing that touches, or may touch, health, politics, religion or sex. `threshold`: the score from which
    something goes in, for this question alone, instead of the configured one. `explain`: say why.
    """

    query: Query
    profile: Profile = "me"
    site: Site | None = None
    external_id: ExternalId | None = None
    budget_tokens: Annotated[int, msgspec.Meta(ge=1, le=32_000)] = 800
    style: Style | None = None
    at: str | None = None
    kinds: tuple[HitKind, ...] | None = None
    only: Annotated[tuple[HitId, ...], msgspec.Meta(max_length=200)] | None = None
    not_from: Annotated[tuple[Site, ...], msgspec.Meta(max_length=100)] = ()
    special: bool = True
    threshold: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    explain: bool = False


class ContextAnswer(Answer):
    """`context` is the block to insert ("" when nothing is relevant), `prompt` the block with the question after it.

    Only when asked to `explain`: `threshold`, the one that counted (null where `only` named the hits), and `below`, the
    best that did not pass, at most 10. What passed and is not among the `hits` had no room in the budget.
    """

    context: str
    prompt: str
    tokens: int
    hits: list[Hit]
    injection_id: str
    threshold: float | msgspec.UnsetType | None = msgspec.UNSET
    below: list[Hit] | msgspec.UnsetType = msgspec.UNSET


class InjectionReport(Strict):
    inserted: tuple[str, ...]
    external_id: ExternalId | None = None


class Done(Answer):
    success: bool = True


# Memories


class MemoryAnswer(Answer):
    id: str
    profile: str
    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...]
    reasoning: str | None
    sources: tuple[Source, ...]
    said_by: SaidBy
    status: Status
    event_time: str | None
    valid_from: str
    valid_to: str | None
    observations: int
    conversations: int
    created_at: str
    updated_at: str
    pinned: bool
    model: str | None
    prompt_version: str | None

    @classmethod
    def of(cls, memory: Memory) -> MemoryAnswer:
        return cls(**_memory_fields(memory))


def _memory_fields(memory: Memory) -> dict[str, Any]:
    values = msgspec.structs.asdict(memory)
    for name in ("event_time", "valid_from", "valid_to", "created_at", "updated_at"):
        values[name] = iso(values[name])
    return values


class VersionAnswer(Answer):
    version: int
    changed_at: str
    changed_by: str
    change: str
    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...]
    status: Status
    valid_from: str
    valid_to: str | None

    @classmethod
    def of(cls, version: Version) -> VersionAnswer:
        values = msgspec.structs.asdict(version)
        for name in ("changed_at", "valid_from", "valid_to"):
            values[name] = iso(values[name])
        return cls(**values)


class InsertionAnswer(Answer):
    """Where it was really inserted. `conversation_id` is ours, null for a conversation that was not captured."""

    at: str
    site: str | None
    external_id: str | None
    conversation_id: str | None
    title: str | None

    @classmethod
    def of(cls, insertion: Insertion) -> InsertionAnswer:
        return cls(**msgspec.structs.asdict(insertion) | {"at": to_iso(insertion.at)})


class MemoryWithHistory(MemoryAnswer):
    """`inserted`: the latest 50. `changed_sources`: a message that it rests on was edited since it was read."""

    history: list[VersionAnswer]
    inserted: list[InsertionAnswer]
    changed_sources: bool

    @classmethod
    def with_history(
        cls, memory: Memory, history: list[Version], inserted: list[Insertion], *, changed_sources: bool
    ) -> MemoryWithHistory:
        return cls(
            **_memory_fields(memory),
            history=[VersionAnswer.of(v) for v in history],
            inserted=[InsertionAnswer.of(i) for i in inserted],
            changed_sources=changed_sources,
        )


class MemoryPage(Answer):
    items: list[MemoryAnswer]
    total: int
    page: int
    size: int


class NewMemory(Strict):
    text: Text
    kind: Kind = "fact"
    profile: Profile = "me"
    key: Key | None = None
    tags: Tags = ()
    pinned: bool = False
    valid_from: str | None = None


class MemoryPatch(Strict):
    """`if_updated_at`: the `updated_at` of the memory as it was seen; changed since, it is not touched (409)."""

    text: Text | msgspec.UnsetType = msgspec.UNSET
    kind: Kind | msgspec.UnsetType = msgspec.UNSET
    key: Key | msgspec.UnsetType = msgspec.UNSET
    tags: Tags | msgspec.UnsetType = msgspec.UNSET
    status: Status | msgspec.UnsetType = msgspec.UNSET
    pinned: bool | msgspec.UnsetType = msgspec.UNSET
    if_updated_at: str | None = None


# Deciding


class OpenAnswer(Answer):
    """A memory that waits for the user: it contradicts those in `against`, is a hint without enough evidence
    (`candidate`), or rests on words that were edited since the user last looked at it (`changed`)."""

    why: Why
    memory: MemoryAnswer
    against: list[MemoryAnswer]

    @classmethod
    def of(cls, one: Open) -> OpenAnswer:
        return cls(why=one.why, memory=MemoryAnswer.of(one.memory), against=[MemoryAnswer.of(m) for m in one.against])


class OpenPage(Answer):
    items: list[OpenAnswer]
    total: int
    page: int
    size: int


class DecisionRequest(Strict):
    """Of a conflict: `this` memory holds, the `other` one, or `both`. Of the rest: `keep` it, or `drop` it.

    With `against`, the ids of what it contradicts as it was shown, only while that is so."""

    decision: Decided
    against: Annotated[tuple[HitId, ...], msgspec.Meta(max_length=1000)] | None = None


class DecisionAnswer(Answer):
    """The memories that it concerned as they are now, the one that was asked about first."""

    changed: list[MemoryAnswer]


# Forgetting


class ForgottenAnswer(Answer):
    """`receipt` names what `GET /v1/forget/receipts` tells of it."""

    memories: int
    messages: int
    conversations: int
    receipt: str

    @classmethod
    def of(cls, receipt: Receipt) -> ForgottenAnswer:
        counts = receipt.counts
        return cls(
            memories=counts.memories,
            messages=counts.messages,
            conversations=counts.conversations,
            receipt=receipt.id,
        )


class ForgetRequest(Strict):
    """One of `memory` (an id; with `messages` the turns it was drawn from too), `conversation` (an id), `site`, `since`
    and `until` (what was said from then on, before then; ISO 8601), `name` (every turn and memory in which it stands as
    a word) and `everything`; of `profile`, or of all that the client sees. A `preview`, the default, changes nothing.
    """

    profile: Profile | None = None
    memory: HitId | None = None
    messages: bool = False
    conversation: HitId | None = None
    site: Site | None = None
    since: str | None = None
    until: str | None = None
    name: PersonName | None = None
    everything: bool = False
    preview: bool = True

    def to_what(self, profiles: tuple[str, ...] | None) -> What:
        """Raises BadInputError unless it names one way."""
        given: dict[Way, bool] = {
            "memory": self.memory is not None,
            "conversation": self.conversation is not None,
            "site": self.site is not None,
            "span": self.since is not None or self.until is not None,
            "name": self.name is not None,
            "everything": self.everything,
        }
        ways = [way for way, named in given.items() if named]
        if len(ways) != 1:
            raise BadInputError(
                "Name one of `memory`, `conversation`, `site`, `since`/`until`, `name` and `everything` to forget."
            )
        if self.messages and self.memory is None:
            raise BadInputError("`messages` belongs to `memory`.")
        return What(
            way=ways[0],
            profiles=profiles,
            memory=self.memory,
            messages=self.messages,
            conversation=self.conversation,
            site=self.site,
            since=maybe_moment("since", self.since),
            until=maybe_moment("until", self.until),
            name=self.name,
        )


class ForgetCounts(Answer):
    """How much goes. `candidates` and `superseded` are among the `memories`, `history` is what they said before;
    `injections` are notes of what was given to a chat.
    """

    conversations: int
    messages: int
    revisions: int
    memories: int
    candidates: int
    superseded: int
    history: int
    vectors: int
    injections: int

    @classmethod
    def of(cls, counts: Counts) -> ForgetCounts:
        return cls(**msgspec.structs.asdict(counts))


class ForgetItem(Answer):
    """The beginning of a turn or memory, or a conversation's title. Of a memory, `why` says whether it goes because it
    was `named`, or was `derived` from what goes and rests on nothing else; or stays, because it rests on `other words`
    too, or is `yours`: you wrote it.
    """

    type: Literal["conversation", "turn", "memory"]
    id: str
    text: str
    status: Status | None
    why: Literal["named", "derived", "other words", "yours"] | None

    @classmethod
    def of(cls, item: Item) -> ForgetItem:
        return cls(**msgspec.structs.asdict(item))


class ReceiptAnswer(Answer):
    """What was forgotten, without a word of it: when, in which profiles, how much; the files of the data folder that
    were read for it afterwards, and how many bytes of it they held (null: it was cut off before they could be read; no
    file is read where there was nothing to forget).
    `rewritten`: how often the database was written anew because they held any. `backups`: how many of Satchel's own
    were removed for it, of which a fresh one is made (`backup_owed`: not yet, and it is tried again); `elsewhere`:
    backups written outside that may hold it still.
    """

    id: str
    way: Way
    profiles: tuple[str, ...]
    counts: ForgetCounts
    forgotten_at: str
    finished_at: str | None
    files: int | None
    bytes_read: int | None
    bytes_found: int | None
    rewritten: int
    backups: int
    elsewhere: int
    backup_owed: bool

    @classmethod
    def of(cls, receipt: Receipt, owed: Collection[str]) -> ReceiptAnswer:
        """`owed`: the receipts whose fresh backup is still to be made."""
        return cls(
            **msgspec.structs.asdict(receipt)
            | {
                "backup_owed": receipt.id in owed,
                "counts": ForgetCounts.of(receipt.counts),
                "forgotten_at": to_iso(receipt.forgotten_at),
                "finished_at": iso(receipt.finished_at),
            }
        )


class ForgetAnswer(Answer):
    """`goes` and `stays` are the first of each, of a preview alone; `staying` memories lose words that they rest on.
    `set_aside`: how many copies of the store go too of before a restoring, or of a damaged one, which no fresh backup
    replaces. `receipt` is null in a preview.
    """

    preview: bool
    counts: ForgetCounts
    goes: list[ForgetItem]
    staying: int | None
    stays: list[ForgetItem]
    set_aside: int | None
    receipt: ReceiptAnswer | None


class ReceiptPage(Answer):
    items: list[ReceiptAnswer]
    total: int
    page: int
    size: int


class ForgottenConversationAnswer(Answer):
    """Turns of one conversation that are kept out because the user forgot them; `sent_again` of them came once more, as
    from a page that was loaded again. `id` is the one that the conversation had.
    """

    id: str
    profile: str
    site: str
    forgotten_at: str
    turns: int
    sent_again: int
    sent_again_at: str | None

    @classmethod
    def of(cls, found: ForgottenConversation) -> ForgottenConversationAnswer:
        return cls(
            **msgspec.structs.asdict(found)
            | {"forgotten_at": to_iso(found.forgotten_at), "sent_again_at": iso(found.sent_again_at)}
        )


class ForgottenPage(Answer):
    items: list[ForgottenConversationAnswer]
    total: int
    page: int
    size: int


class NamedBySite(Strict):
    """A conversation by the id that its site gave it."""

    site: Site
    external_id: ExternalId


class ForgottenAmongRequest(Strict):
    """`conversations` of which a client keeps something; what was forgotten `after` that time (ISO 8601), or ever."""

    conversations: Annotated[tuple[NamedBySite, ...], msgspec.Meta(max_length=1000)] = ()
    after: str | None = None


class LostTurnsAnswer(Answer):
    """A conversation that lost turns: whether any is `left` in the client's profiles, and which of these that lost some
    lost all."""

    site: str
    external_id: str
    left: bool
    gone_from: list[str]

    @classmethod
    def of(cls, one: LostTurns) -> LostTurnsAnswer:
        return cls(site=one.site, external_id=one.external_id, left=one.left, gone_from=one.gone_from)


class ForgottenAmongAnswer(Answer):
    """Which of them lost turns: of what is gone a client should keep nothing either. `latest`: when something was last
    forgotten that is kept out; while it stays the same there is nothing new to ask."""

    conversations: list[LostTurnsAnswer]
    latest: str | None


class AllowRequest(Strict):
    """`ids` of what `GET /v1/forgotten` lists; without them, `all` of it: of `profile`, or of all the client sees."""

    ids: Annotated[tuple[HitId, ...], msgspec.Meta(max_length=1000)] = ()
    all: bool = False
    profile: Profile | None = None


class AllowAnswer(Answer):
    """How many turns may come in again."""

    allowed: int


# Deriving again


class RederiveRequest(Strict):
    profile: Profile = "me"


class RederiveApply(Strict):
    """`preview` names the changes that were looked at."""

    preview: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    profile: Profile = "me"


class RederiveProgress(Answer):
    """`turns` of the user, those `read` so far, and those among them that could not be; `rate` in turns a minute.
    `counts`: changes by kind, `total` all of them. `error` is what reading waits for.
    """

    profile: str
    state: Literal["none", "reading", "ready", "applying", "applied"]
    preview: str | None = None
    turns: int = 0
    read: int = 0
    unreadable: int = 0
    rate: float | None = None
    seconds_left: int | None = None
    paused: bool = False
    error: str | None = None
    started_at: str | None = None
    counts: dict[str, int] = {}
    total: int = 0
    applied: int = 0
    skipped: int = 0


class RederiveChange(Answer):
    """`memory_id` and `before` are null for a new memory; `outcome` and the `reason` of a skip before it is applied."""

    change: ChangeKind
    memory_id: str | None
    before: MemoryAnswer | None
    after: MemoryAnswer
    outcome: Outcome | None
    reason: str | None

    @classmethod
    def of(cls, change: Change) -> RederiveChange:
        return cls(
            change=change.change,
            memory_id=change.memory_id,
            before=None if change.before is None else MemoryAnswer.of(change.before),
            after=MemoryAnswer.of(change.after),
            outcome=change.outcome,
            reason=change.reason,
        )


class RederivePage(RederiveProgress):
    page: int = 1
    size: int = 100
    items: list[RederiveChange] = []

    def progress(self) -> RederiveProgress:
        return RederiveProgress(**{name: getattr(self, name) for name in RederiveProgress.__struct_fields__})


# The log


class ConversationAnswer(Answer):
    id: str
    profile: str
    site: str
    external_id: str
    title: str | None
    url: str | None
    created_at: str
    updated_at: str
    message_count: int

    @classmethod
    def of(cls, conversation: Conversation) -> ConversationAnswer:
        return cls(**_conversation_fields(conversation))


def _conversation_fields(conversation: Conversation) -> dict[str, Any]:
    values = msgspec.structs.asdict(conversation)
    for name in ("created_at", "updated_at"):
        values[name] = iso(values[name])
    return values


class RevisionAnswer(Answer):
    revision: int
    content: str
    received_at: str


class MessageAnswer(Answer):
    id: str
    role: Role
    content: str
    time: str
    sent_at: str | None
    received_at: str
    external_id: str | None
    revision: int
    revisions: list[RevisionAnswer]

    @classmethod
    def of(cls, message: Message, earlier: list[Revision]) -> MessageAnswer:
        return cls(
            id=message.id,
            role=message.role,
            content=message.content,
            time=to_iso(message.time),
            sent_at=iso(message.sent_at),
            received_at=to_iso(message.received_at),
            external_id=message.external_id,
            revision=message.revision,
            revisions=[
                RevisionAnswer(revision=r.revision, content=r.content, received_at=to_iso(r.received_at))
                for r in earlier
            ],
        )


class ConversationWithMessages(ConversationAnswer):
    messages: list[MessageAnswer]

    @classmethod
    def with_messages(
        cls, conversation: Conversation, messages: list[Message], earlier: dict[str, list[Revision]]
    ) -> ConversationWithMessages:
        return cls(
            **_conversation_fields(conversation),
            messages=[MessageAnswer.of(m, earlier.get(m.id, [])) for m in messages],
        )


class ConversationListed(ConversationAnswer):
    """`memories`: how many rest on it, whatever became of them."""

    memories: int

    @classmethod
    def listed(cls, conversation: Conversation, memories: int) -> ConversationListed:
        return cls(**_conversation_fields(conversation), memories=memories)


class MemoryList(Answer):
    items: list[MemoryAnswer]


class DayList(Answer):
    days: list[DayCount]


class ConversationPage(Answer):
    items: list[ConversationListed]
    total: int
    page: int
    size: int


class ProfileList(Answer):
    profiles: list[ProfileCount]


# Changes and export


def record_of(change: changes.Change) -> dict[str, Any]:
    """One row as it travels: `type`, its clock and profile, and the row's own fields, times in ISO 8601.

    In an export a message has its earlier `revisions` too, a memory its `history` and `by_hand`: whether the user wrote
    or changed it. `/v1/changes` leaves them out: it tells what a row says now.
    """
    row = change.row
    full = change if isinstance(change, changes.Exported) else None
    body: dict[str, Any]
    match row:
        case Conversation():
            body = {"type": "conversation", **msgspec.to_builtins(ConversationAnswer.of(row))}
        case Message():
            body = {
                "type": "message",
                "conversation_id": row.conversation_id,
                "position": row.position,
                **msgspec.to_builtins(MessageAnswer.of(row, list(full.revisions) if full else [])),
            }
            if full is None:
                del body["revisions"]
        case Memory():
            body = {"type": "memory", **msgspec.to_builtins(MemoryAnswer.of(row))}
            if full is not None:
                body["history"] = [msgspec.to_builtins(VersionAnswer.of(version)) for version in full.history]
                body["by_hand"] = full.by_hand
        case changes.Tombstone():
            body = {"type": "tombstone", "id": row.id, "of": row.type, "deleted_at": to_iso(row.deleted_at)}
    return {**body, "profile": change.profile, "clock": change.clock}


class ChangeList(Answer):
    changes: list[dict[str, Any]]
    cursor: str


# Pairing


class PairRequest(Strict):
    """`challenge` is the SHA-256, in lowercase hex, of a verifier that the client keeps."""

    client: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    challenge: Annotated[str, msgspec.Meta(min_length=64, max_length=64, pattern="^[0-9a-f]{64}$")]


class PairAnswer(Answer):
    """`expires_in` in seconds."""

    pairing_id: str
    code: str
    expires_in: int


class PairCollect(Strict):
    """`verifier` is a random string, whose UTF-8 was hashed."""

    verifier: Annotated[str, msgspec.Meta(min_length=43, max_length=128)]


class PairWaiting(Answer):
    status: Literal["waiting"]
    expires_in: int


class PairDelivered(Answer):
    """`profiles` null: all of them."""

    token: str
    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None


Code = Annotated[str, msgspec.Meta(max_length=64)]


class PairingLookup(Strict):
    code: Code


class PairingAnswer(Answer):
    id: str
    client: str
    origin: str | None
    scopes: tuple[Scope, ...]
    asked_at: str
    expires_in: int


class PairingDecision(Strict):
    """`scopes` and `profiles` narrow what the client may do; null: all of them."""

    code: Code
    decision: Literal["confirm", "refuse"]
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=3)] | None = None
    profiles: Annotated[tuple[Profile, ...], msgspec.Meta(min_length=1, max_length=100)] | None = None


ClientKind = Literal["extension", "program", "dashboard", "command line"]


class ClientAnswer(Answer):
    """`kind`: `dashboard` is a browser that `satchel open` let in. `asks`: the one that asks is this one.
    `profiles` null: all of them. `origin`: the extension that alone may use its token; null for a program, and for
    a client of before origins were kept, until it next writes.
    `last_used_at` is a minute old at the most."""

    id: str
    name: str
    kind: ClientKind
    asks: bool
    scopes: tuple[Scope, ...]
    profiles: tuple[str, ...] | None
    origin: str | None
    created_at: str
    last_used_at: str | None
    revoked_at: str | None

    @classmethod
    def of(cls, client: Client, kind: ClientKind, *, asks: bool) -> ClientAnswer:
        return cls(
            id=client.id,
            name=client.name,
            kind=kind,
            asks=asks,
            scopes=client.scopes,
            profiles=client.profiles,
            origin=client.origin,
            created_at=to_iso(client.created_at),
            last_used_at=iso(client.last_used_at),
            revoked_at=iso(client.revoked_at),
        )


class ClientList(Answer):
    items: list[ClientAnswer]


class ClientPatch(Strict):
    """`scopes` and `profiles`: what is left of those it has; null: all of them."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    scopes: Annotated[tuple[Scope, ...], msgspec.Meta(min_length=1, max_length=3)] | None = None
    profiles: Annotated[tuple[Profile, ...], msgspec.Meta(min_length=1, max_length=100)] | None = None


# The dashboard


class LinkAnswer(Answer):
    """`expires_in` in seconds."""

    code: str
    expires_in: int


class SessionRequest(Strict):
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]


class SessionAnswer(Answer):
    """`key` goes into the header `X-Satchel-Page` of each request."""

    key: str


class Health(Answer):
    name: str
    version: str
    ready: bool
