"""A store as somebody's after a year and a half: thousands of memories from our own corpus, with their words."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from satchel.capture.normalise import Captured, CapturedMessage, normalise
from satchel.extract.saying import keys
from satchel.store import Store, Tx, injections, jobs, log, memories
from satchel.store.clock import new_id
from satchel.types import Draft, Kind, Source, Status

CORPUS = Path(__file__).resolve().parents[2] / "models" / "corpus" / "exchanges"
SITES = ("chatgpt.com", "claude.ai", "gemini.google.com", "chat.deepseek.com", "www.perplexity.ai")
WEIGHTS = (45, 25, 15, 10, 5)
DAY = 86_400_000
DAYS = 540
KINDS = get_args(Kind)


class Clock:
    """Goes where it is told to, and on by a millisecond whenever it is looked at."""

    def __init__(self, at: int) -> None:
        self.at = at

    def __call__(self) -> int:
        self.at += 1
        return self.at


def exchanges() -> Iterator[dict[str, Any]]:
    """Those of the corpus that hold memories, all over its domains, the same order each time."""
    found = [
        one
        for file in sorted(CORPUS.glob("*.jsonl"))
        for one in map(json.loads, file.read_text("utf-8").splitlines())
        if one["memories"] and all(memory["kind"] in KINDS for memory in one["memories"])
    ]
    random.Random(5).shuffle(found)
    yield from found


def fill(data: Path, *, count: int = 2000, end: datetime | None = None) -> None:
    """Makes the store of `data`, ending at `end` (now). Two profiles, five sites; replaced, doubtful and conflicting
    memories among them, some pinned, some inserted."""
    chance = random.Random(7)
    last = end or datetime.now(UTC)
    clock = Clock(int((last - timedelta(days=DAYS)).timestamp() * 1000))
    finish = int(last.timestamp() * 1000)
    store = Store(data, now=clock)
    try:
        made = 0
        found = list(exchanges())
        at = 0
        while made < count:
            step = DAYS * DAY * (made / count) ** 0.8
            clock.at = max(clock.at, finish - DAYS * DAY + int(step))
            clock.at = min(clock.at, finish - 60_000 + made)
            group = found[at % len(found) : at % len(found) + chance.randint(1, 3)]
            made += store.write_now(lambda tx, group=group, at=at: _conversation(tx, group, at, chance))
            at += len(group)
        store.write_now(lambda tx: _finish(tx, chance))
    finally:
        store.close()


def _conversation(tx: Tx, group: list[dict[str, Any]], at: int, chance: random.Random) -> int:
    """One conversation of these exchanges; how many memories it gave."""
    turns = [turn for one in group for turn in one["turns"]]
    site = chance.choices(SITES, WEIGHTS)[0]
    profile = "work" if chance.random() < 0.1 else "me"
    captured = Captured(
        profile=profile,
        site=site,
        external_id=f"{at:06}",
        title=turns[0]["content"][:60],
        url=f"https://{site}/c/{at:06}",
        messages=tuple(CapturedMessage(role=turn["role"], content=turn["content"]) for turn in turns),
    )
    recorded = log.record(
        tx,
        profile=profile,
        site=site,
        external_id=captured.external_id,
        title=captured.title,
        url=captured.url,
        messages=normalise(captured),
    )
    made = 0
    before = 0
    ids: list[str] = []
    for one in group:
        for gold in one["memories"]:
            message_id = recorded.message_ids[before + gold["turn"]]
            content = str(tx.db.execute("SELECT content FROM message WHERE id = ?", (message_id,)).get)
            start = content.find(gold["quote"])
            if start < 0:  # what looked like a secret was masked
                continue
            quote = gold["quote"]
            source = Source(
                message_id=message_id,
                conversation_id=recorded.conversation_id,
                start=start,
                end=start + len(quote),
                quote=quote,
            )
            draft = Draft(
                kind=gold["kind"],
                text=gold.get("statement") or quote,
                key=keys.key(quote),
                tags=keys.tags(quote),
                sources=(source,),
                valid_from=tx.now,
                reasoning="Chosen among what was offered." if gold["kind"] == "implicit_preference" else None,
            )
            chosen = chance.random()
            status: Status = "active"
            if gold["kind"] == "implicit_preference" and chosen < 0.5:
                status = "candidate"
            elif chosen < 0.06:
                status = "superseded"
            pk = memories.add(
                tx, draft, profile=profile, status=status, valid_to=tx.now if status == "superseded" else None
            )
            ids.append(str(tx.db.execute("SELECT id FROM memory WHERE pk = ?", (pk,)).get))
            made += 1
        before += len(one["turns"])
    jobs.complete(tx, recorded.job_id, ids) if recorded.job_id else None
    if ids and chance.random() < 0.1:
        offered = new_id()
        injections.offer(tx, offered, profile=profile, site=site, external_id=captured.external_id, hits=ids)
        injections.inserted(tx, offered, ids, external_id=captured.external_id)
    return made


def _finish(tx: Tx, chance: random.Random) -> None:
    """Pins some, and brings three pairs into conflict."""
    pks = [row[0] for row in tx.db.execute("SELECT pk FROM memory WHERE status = 'active' ORDER BY pk").fetchall()]
    for pk in chance.sample(pks, 8):
        tx.db.execute("UPDATE memory SET pinned = 1 WHERE pk = ?", (pk,))
    for key in ("home.city", "diet", "employer"):
        for pk in chance.sample(pks, 2):
            tx.db.execute("UPDATE memory SET status = 'resolving', key = ? WHERE pk = ?", (key, pk))
