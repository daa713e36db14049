"""The vocabulary of Satchel: the things that travel between its rooms, and over the API.

Times are `int` milliseconds since the Unix epoch (UTC) inside the program and in the database, and ISO 8601
strings with a `Z` on the wire; `satchel.times` converts. Ids are UUIDv7 in their text form. Offsets into text
count Unicode code points, as Python does.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from satchel.structs import decodable

Role = Literal["user", "assistant", "system", "tool"]
Kind = Literal["fact", "event", "explicit_preference", "implicit_preference", "instruction"]
Status = Literal["candidate", "active", "resolving", "superseded", "archived"]
SaidBy = Literal["user", "assistant", "document"]
Category = Literal["health", "politics", "religion", "sex"]
JobStatus = Literal["queued", "running", "completed", "failed"]
Scope = Literal["capture", "recall", "manage"]
Style = Literal["full", "compact"]

KINDS: tuple[Kind, ...] = ("fact", "event", "explicit_preference", "implicit_preference", "instruction")
STATUSES: tuple[Status, ...] = ("candidate", "active", "resolving", "superseded", "archived")
SCOPES: tuple[Scope, ...] = ("capture", "recall", "manage")


class SatchelError(Exception):
    """Something a person can act on: one sentence, and what to do next.

    `status` is the HTTP status the API answers with; `title` the problem's short name; `exit_status` is what a command
    ends with.
    """

    status = 500
    title = "Internal error"
    exit_status = 1


class TooManyError(SatchelError):
    """`retry_after`: seconds until it may be worth asking again."""

    status = 429
    title = "Too many"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotFoundError(SatchelError):
    status = 404
    title = "Not found"


class BadInputError(SatchelError):
    status = 400
    title = "Bad request"


class StoreError(SatchelError):
    """The database cannot be used: locked, read-only, corrupt, full, or from a newer Satchel."""

    status = 503
    title = "The store is not available"


class ModelError(SatchelError):
    """A model is missing, is not a GGUF, does not match its hash, or its process died."""

    status = 503
    title = "The model is not available"


@decodable
class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One turn as the log keeps it. `content` is verbatim but for masked secrets and our own injected blocks.

    `time` is when it was said (ms), or, where the site gave no believable time, when it was captured.
    `position` orders the turns of a conversation, from 0.
    """

    id: str
    conversation_id: str
    role: Role
    content: str
    time: int
    position: int
    revision: int = 1
    external_id: str | None = None
    sent_at: int | None = None
    received_at: int = 0


@decodable
class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    profile: str
    site: str
    external_id: str
    title: str | None = None
    url: str | None = None
    created_at: int = 0
    updated_at: int = 0
    message_count: int = 0


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The words a memory rests on: `quote == content[start:end]`, letter for letter, in that revision of the message.

    A `revision` below the message's own: the message was edited since, and may not say this any more.
    """

    message_id: str
    conversation_id: str
    start: int
    end: int
    quote: str
    revision: int = 1


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """A derived or hand-written memory. Bitemporal: true in the world from `valid_from` to `valid_to`
    (None: still), known to us from `created_at`."""

    id: str
    profile: str
    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...] = ()
    reasoning: str | None = None
    sources: tuple[Source, ...] = ()
    said_by: SaidBy = "user"
    status: Status = "active"
    event_time: int | None = None
    valid_from: int = 0
    valid_to: int | None = None
    observations: int = 1
    conversations: int = 1
    created_at: int = 0
    updated_at: int = 0
    pinned: bool = False
    model: str | None = None
    prompt_version: str | None = None


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What extraction proposes, before reconciling: a memory without identity. At least one source."""

    kind: Kind
    text: str
    key: str
    tags: tuple[str, ...]
    sources: tuple[Source, ...]
    said_by: SaidBy = "user"
    reasoning: str | None = None
    event_time: int | None = None
    valid_from: int
    how: Literal["model", "rule", "quote"] = "rule"
    """Who worded `text`: the generator, a rewriting rule, or the quote itself (the last resort)."""
    correction: bool = False
    """The user says that something said before, by them or by the assistant, is wrong: "no, I moved to Porto"."""
    beside: tuple[str, ...] = ()
    """What the same turn says is over: "off the ramipril"."""
    tentative: bool = False
    """Too doubtful to be remembered for itself: only where it ends what is known ("traded the truck")."""


@decodable
class Job(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    conversation_id: str
    message_ids: tuple[str, ...]
    status: JobStatus
    attempts: int = 0
    error: str | None = None
    memory_ids: tuple[str, ...] = ()
    created_at: int = 0
    updated_at: int = 0


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """How what stands around a turn answers the question: a turn is often understood only with the one before it.

    BM25 as shares of the best turn's, cosines as they are. `conversation_*`: the best few of its conversation.
    """

    own: float
    before: float
    after: float
    conversation: float
    similarity: float
    similarity_before: float
    similarity_after: float
    similarity_conversation: float
    asked_for: bool = False
    """Whether it was said by the one whose words the question asks for."""


class Candidate(msgspec.Struct, kw_only=True):
    """A memory or turn on its way through recall, with how each recaller found it.

    `lexical` is the raw BM25 score (higher is better, 0 when words did not find it); `similarity` the cosine of
    the vectors in [-1, 1], None when meaning did not find it. `special` are the special categories that it seems to
    touch (`satchel.special`).
    """

    type: Literal["memory", "turn"]
    id: str
    kind: str
    text: str
    said_by: SaidBy
    conversation_id: str | None
    site: str | None
    sources: tuple[Source, ...]
    time: int
    status: Status
    valid_from: int
    valid_to: int | None
    pinned: bool = False
    reasoning: str | None = None
    tags: tuple[str, ...] = ()
    lexical: float = 0.0
    similarity: float | None = None
    around: Surroundings | None = None
    score: float = 0.0
    signs: tuple[tuple[str, float], ...] = ()
    """What its score is made of: each sign in words, with what it adds to the log-odds."""
    special: tuple[Category, ...] = ()
