"""The state of one chat site, and the vocabulary in which its endpoints answer."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @classmethod
    def of(cls, method: str, target: str, headers: dict[str, str], body: bytes) -> Request:
        """`target` is the path with its query; the headers' names are lower-cased here."""
        parts = urlsplit(target)
        return cls(
            method,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in headers.items()},
            body,
        )

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Response:
    """`body` is sent at once where it is bytes, and chunk by chunk, as it comes, otherwise."""

    body: bytes | Iterable[bytes]
    type: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Message:
    id: str
    parent: str | None
    role: str
    text: str
    created: float
    #: False while it is written, and for ever where the user stopped it.
    finished: bool = True
    #: The user pressed stop while it was written.
    stopped: bool = False
    #: What only this site's format has.
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass
class Conversation:
    """A tree of messages: an edited prompt or a second answer is a sibling of the first."""

    id: str
    title: str
    created: float
    messages: dict[str, Message] = field(default_factory=dict)
    current: str | None = None
    temporary: bool = False

    def add(self, message: Message) -> Message:
        self.messages[message.id] = message
        self.current = message.id
        return message

    def branch(self) -> list[Message]:
        """The messages shown, from the first to `current`."""
        found: list[Message] = []
        at = self.current
        while at is not None and at in self.messages:
            found.append(self.messages[at])
            at = self.messages[at].parent
        return found[::-1]

    def children(self, parent: str | None) -> list[Message]:
        return [message for message in self.messages.values() if message.parent == parent]


class ChatSite:
    """What every site has: conversations, what it received, what it will answer. A subclass adds the endpoints.

    `received` holds every prompt exactly as it came: `{"conversation", "text", "raw"}`.
    `next_answer` is the queue of answers; when it is empty the site says "Noted.".
    `shape(kind, value)` may replace what goes over the wire ("the site changed"): `kind` is "history" for a
    conversation that is opened, "event" for an event of a stream; `value` is its JSON, before it is written.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]
    #: Trusted Types policies that the page's editor may make; none: `'none'`.
    trusted_types: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        self.conversations: dict[str, Conversation] = {}
        self.received: list[dict[str, Any]] = []
        #: Every request but those for the page and its assets: (method, path with its query).
        self.requests: list[tuple[str, str]] = []
        self.next_answer: deque[str] = deque()
        self.chunk_seconds = 0.005
        self.chunk_bytes = 89
        self.shape: Callable[[str, Any], Any] | None = None
        self.lock = threading.RLock()

    def handle(self, request: Request) -> Response | None:
        """Answers a request to an endpoint of the site; None where it has no such endpoint."""
        raise NotImplementedError

    def new_id(self) -> str:
        return str(uuid.uuid4())

    def new_conversation_id(self) -> str:
        return self.new_id()

    def now(self) -> float:
        return time.time()

    def path(self, conversation_id: str) -> str:
        """Where the page shows a conversation."""
        raise NotImplementedError

    def seed(self, conversation_id: str, turns: Iterable[tuple[str, str]], title: str = "Seeded") -> Conversation:
        """Makes a history of `(role, text)` turns, a minute apart, that ends now."""
        listed = list(turns)
        started = self.now() - 60 * len(listed)
        conversation = Conversation(conversation_id, title, started)
        for number, (role, text) in enumerate(listed):
            self.seed_turn(conversation, role, text, started + 60 * number)
        self.conversations[conversation_id] = conversation
        return conversation

    def seed_turn(self, conversation: Conversation, role: str, text: str, created: float) -> Message:
        """A site whose ids are no UUIDs has its own."""
        return conversation.add(Message(self.new_id(), conversation.current, role, text, created))

    def listed(self) -> list[Conversation]:
        """What the sidebar shows, newest first."""
        return [kept for kept in reversed(list(self.conversations.values())) if not kept.temporary]

    def receive(self, conversation: str | None, text: str, request: Request) -> None:
        self.received.append({"conversation": conversation, "text": text, "raw": request.text})

    def take_answer(self) -> str:
        return self.next_answer.popleft() if self.next_answer else "Noted."

    def shaped(self, kind: str, value: Any) -> Any:
        return value if self.shape is None else self.shape(kind, value)

    def write(self, message: Message, answer: str) -> Iterator[str]:
        """The answer, piece by piece, while `message` grows with it. Stopped or cut off, it stays unfinished."""
        message.text, message.finished = "", False
        for piece in words(answer):
            if message.stopped:
                return
            message.text += piece
            yield piece
        message.finished = True

    def stop(self, conversation_id: str) -> Response:
        """The user pressed stop: the answer being written ends where it is."""
        conversation = self.conversations[conversation_id]
        if conversation.current is not None:
            conversation.messages[conversation.current].stopped = True
        return self.json({})

    def json(self, value: Any, status: int = 200) -> Response:
        return Response(json.dumps(value, ensure_ascii=False).encode(), status=status)

    def stream(self, events: Iterable[str | bytes], type_: str = "text/event-stream; charset=utf-8") -> Response:
        """Sends the events in network chunks that end where they like, inside an event or a character."""

        def chunks() -> Iterator[bytes]:
            waiting = b""
            for event in events:
                waiting += event if isinstance(event, bytes) else event.encode()
                while len(waiting) >= self.chunk_bytes:
                    yield waiting[: self.chunk_bytes]
                    waiting = waiting[self.chunk_bytes :]
                    time.sleep(self.chunk_seconds)
            if waiting:
                yield waiting

        return Response(chunks(), type_)


def words(text: str) -> Iterator[str]:
    """The text in pieces of a word each, spaces with the word before them."""
    return (found.group() for found in re.finditer(r"\S+\s*|\s+", text))


def sse(data: Any, event: str | None = None) -> str:
    """A server-sent event. `data` is JSON unless it is already text."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    return (f"event: {event}\n" if event else "") + f"data: {text}\n\n"
