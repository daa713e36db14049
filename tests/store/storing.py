"""What the store's tests share: a clock that can be set, and shorthands for capturing and remembering."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from satchel.capture.normalise import Captured, CapturedMessage, normalise, title_of, url_of
from satchel.store import Store, log, memories
from satchel.types import Draft, Kind, Message, Source

NOON = 1_780_000_000_000
"""Some day in 2026, ms."""

DAY = 24 * 3600 * 1000


class Clock:
    def __init__(self, ms: int = NOON) -> None:
        self.ms = ms

    def __call__(self) -> int:
        return self.ms


def said(content: str, id: str | None = None, role: Any = "user", sent_at: str | None = None) -> CapturedMessage:  # noqa: A002
    return CapturedMessage(role=role, content=content, id=id, sent_at=sent_at)


def capture(
    store: Store,
    messages: Sequence[CapturedMessage | str],
    *,
    external_id: str = "c1",
    profile: str = "me",
    site: str = "chat.test",
    title: str | None = None,
    url: str | None = None,
) -> log.Recorded:
    """Captures as the API does."""
    captured = Captured(
        site=site,
        external_id=external_id,
        profile=profile,
        title=title,
        url=url,
        messages=tuple(said(m) if isinstance(m, str) else m for m in messages),
    )
    incoming = normalise(captured)
    return store.write_now(
        lambda tx: log.record(
            tx,
            profile=profile,
            site=site,
            external_id=external_id,
            title=title_of(captured),
            url=url_of(captured),
            messages=incoming,
        )
    )


def turns(store: Store, conversation_id: str) -> list[Message]:
    return store.read_now(lambda db: log.messages_of(db, conversation_id))


def quote(message: Message, words: str) -> Source:
    start = message.content.index(words)
    return Source(
        message_id=message.id,
        conversation_id=message.conversation_id,
        start=start,
        end=start + len(words),
        quote=words,
        revision=message.revision,
    )


def draft(
    text: str,
    *sources: Source,
    kind: Kind = "fact",
    key: str = "",
    tags: Sequence[str] = (),
    reasoning: str | None = None,
) -> Draft:
    return Draft(kind=kind, text=text, key=key, tags=tuple(tags), sources=sources, reasoning=reasoning, valid_from=NOON)


def remember(store: Store, written: Draft, *, profile: str = "me", by_hand: bool = False) -> str:
    """Stores a memory; its id."""

    def add(tx: Any) -> str:
        pk = memories.add(tx, written, profile=profile, by_hand=by_hand)
        return memories.by_pks(tx.db, [pk])[pk].id

    return store.write_now(add)


def empty_journal(store: Store) -> None:
    asyncio.run(store.truncate_log())


def raw_bytes(folder: Path) -> bytes:
    """All that lies in the data folder, lower-cased."""
    return b"\n".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()).lower()


def stands_in(folder: Path, word: str) -> bool:
    return word.lower().encode() in raw_bytes(folder)
