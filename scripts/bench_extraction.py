#!/usr/bin/env python3
"""Conversations a minute that extraction reads, against one call of the generator for each message.

    .venv/bin/python scripts/bench_extraction.py [--conversations N] [--data FILE] [--generate NAME] [--json OUT]

The baseline asks the same model, in the same run, for the memories of each user's message: a plain prompt, a JSON
grammar, at most 128 tokens. Each side has model processes of its own, so that both keep their prompt's prefix, and
they take turns conversation by conversation, so that noise hits both. The baseline neither embeds, checks nor stores.

FILE is MemoryBank's JSON (each user's day is a conversation) or exchanges (.jsonl); without it, our own exchanges.
Printed are a ratio, how many turns reached the generator, prompt tokens reused from the KV prefix, and how long the
embedding of a query takes idle and while extraction runs. No time is asserted: alone they say little on a busy machine.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from eval_support import suites
from eval_support.running import (
    Cell,
    Conversation,
    CountingRuntime,
    Progress,
    Session,
    Share,
    Table,
    Turn,
    generator,
    show,
)
from satchel.models import prompts
from satchel.models.registry import PromptFormat
from satchel.types import SatchelError

EXCHANGES = Path(__file__).parents[1] / "models" / "corpus" / "exchanges"
MAX_TOKENS = 128
MAX_MESSAGE = 6_000
"""Code points of a message that the baseline reads: what fits into the model's context."""
ROUNDS = 5
QUERIES = 20
QUERY_SECONDS = 0.05
"""Between two queries: a person asks now and then, and does not wait in a queue of their own."""

JSON_GRAMMAR = r"""
root ::= "{\"memories\": [" (memory (", " memory)*)? "]}"
memory ::= "\"" [^"\\\n]+ "\""
"""
INSTRUCTIONS = (
    "List what should be remembered about the user from their message, as short sentences about the user. "
    "Leave the list empty when there is nothing.\n\n"
    "Message: Can you fix this table? I'm allergic to nuts, by the way.\n"
    '{"memories": ["The user is allergic to nuts."]}\n\n'
    "Message: What is the capital of Peru?\n"
    '{"memories": []}\n\n'
)


class Side(msgspec.Struct):
    """What one side took (s), and how many calls of the generator it made."""

    seconds: float = 0.0
    calls: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=40)
    parser.add_argument("--data", type=Path, help="MemoryBank's JSON or exchanges; default: our own exchanges")
    parser.add_argument("--generate", metavar="NAME", help="another generator: its name, or the path of a GGUF")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    arguments = parser.parse_args()
    conversations = read(arguments.data, arguments.conversations)
    try:
        tables = asyncio.run(bench(conversations, arguments.generate))
    except SatchelError as error:
        raise SystemExit(str(error)) from None
    for table in tables:
        show(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(msgspec.to_builtins(tables), indent=2) + "\n", "utf-8")


def read(path: Path | None, count: int) -> list[Conversation]:
    """`count` conversations, drawn with a fixed seed."""
    choice = suites.Choice(limit=count)
    if path is None or path.suffix == ".jsonl":
        files = sorted(EXCHANGES.glob("*.jsonl")) if path is None else [path]
        everything = [suites.read(file, suites.Choice()) for file in files]
        found = [
            item.conversation for suite in everything if isinstance(suite, suites.Exchanges) for item in suite.items
        ]
    else:
        found = _memory_bank(path)
    if not found:
        raise SystemExit(f"{path or EXCHANGES}: no conversations in it.")
    return choice.of(found)


def _memory_bank(path: Path) -> list[Conversation]:
    try:
        loaded = json.loads(path.read_text("utf-8"))
        return [
            Conversation(id=f"{name} {day}", turns=_said(talk))
            for name, user in loaded.items()
            for day, talk in user["history"].items()
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SystemExit(f"{path} is not MemoryBank's JSON ({error!r}).") from None


def _said(talk: Sequence[dict[str, str]]) -> tuple[Turn, ...]:
    return tuple(
        turn for pair in talk for turn in (Turn("user", pair["query"].strip()), Turn("assistant", pair["response"]))
    )


async def bench(conversations: Sequence[Conversation], generate: str | None) -> list[Table]:
    with generator(generate) as (folder, name):
        async with (
            CountingRuntime(folder, generate=name) as shipped,
            CountingRuntime(folder, generate=name) as asked,
            opened(shipped) as session,
        ):
            await _warm(session, asked, conversations[0])
            compared = await _compare(session, asked, conversations)
            return [compared, await _latency(session, conversations)]


@asynccontextmanager
async def opened(runtime: CountingRuntime) -> AsyncIterator[Session]:
    with tempfile.TemporaryDirectory() as data:
        async with Session(Path(data), runtime) as session:
            yield session


async def _warm(session: Session, asked: CountingRuntime, conversation: Conversation) -> None:
    """Loads the models of both sides, and fills their prefixes, before anything is measured."""
    fragment = Conversation(id="warm-up", turns=(Turn("user", "Keen gardener with a bad back."),))
    await session.derive(fragment)
    await session.derive(conversation)
    await _ask(asked, "Warm-up, nothing else.")
    session.runtime.generations.clear()
    asked.generations.clear()


async def _ask(runtime: CountingRuntime, message: str) -> None:
    """The baseline's call for one message."""
    prompt = baseline_prompt(message, runtime.prompt_format)
    await runtime.generate(prompt, grammar=JSON_GRAMMAR, max_tokens=MAX_TOKENS)


def baseline_prompt(message: str, prompt_format: PromptFormat) -> str:
    """The fixed part first, so that its KV prefix is kept from call to call."""
    asked = f"{INSTRUCTIONS}Message: {prompts.plain(message[:MAX_MESSAGE])}\n"
    if prompt_format in {"plain", "none"}:
        return asked
    return prompts.format_chat(prompt_format, [("user", asked)])


async def _compare(session: Session, asked: CountingRuntime, conversations: Sequence[Conversation]) -> Table:
    progress = Progress("compared", len(conversations))
    ours, theirs = Side(), Side()
    read_before, asking_before = session.read_and_asking
    for number, conversation in enumerate(conversations):
        sides = [_timed(ours, _ours(session, conversation)), _timed(theirs, _theirs(asked, conversation))]
        for side in sides if number % 2 else reversed(sides):
            await side
        progress.step()
    read_after, asking_after = session.read_and_asking
    rows: dict[str, Cell] = {
        "conversations": len(conversations),
        "user turns": sum(conversation.asked for conversation in conversations),
        "extraction: conversations a minute": 60 * len(conversations) / ours.seconds,
        "one call a message: conversations a minute": 60 * len(conversations) / theirs.seconds,
        "ratio": theirs.seconds / ours.seconds,
        "user turns that reached the generator": Share(asking_after - asking_before, read_after - read_before),
        "extraction: calls of the generator": len(session.runtime.generations),
        "extraction: prompt tokens reused": Share(*session.runtime.reused_share),
        "one call a message: calls": len(asked.generations),
        "one call a message: prompt tokens reused": Share(*asked.reused_share),
        "one call a message: tokens written": sum(one.completion_tokens for one in asked.generations),
    }
    return Table("Extraction against one generator call a message", ("", "figure"), tuple(rows.items()))


async def _timed(side: Side, work: Any) -> None:
    started = time.perf_counter()
    await work
    side.seconds += time.perf_counter() - started


async def _ours(session: Session, conversation: Conversation) -> None:
    derived = await session.derive(conversation)
    if derived.error is not None:
        raise SatchelError(f"{conversation.id}: {derived.error}")


async def _theirs(asked: CountingRuntime, conversation: Conversation) -> None:
    for turn in conversation.turns:
        if turn.role == "user" and turn.content.strip():
            await _ask(asked, turn.content)


async def _latency(session: Session, conversations: Sequence[Conversation]) -> Table:
    """How long a query's vector takes: idle, and while the same conversations are read over and over, by turns."""
    idle: list[float] = []
    busy: list[float] = []
    progress = Progress("query latency", ROUNDS)
    for number in range(ROUNDS):
        idle += await _queries(session.runtime, f"idle {number}")
        enough = asyncio.Event()
        working = asyncio.create_task(_work(session, conversations, enough))
        busy += await _queries(session.runtime, f"busy {number}")
        enough.set()
        await working
        progress.step("rounds")
    rows = tuple(
        (name, 1e3 * statistics.median(seconds), 1e3 * _percentile(seconds, 0.95))
        for name, seconds in (("idle", idle), ("while extraction runs", busy))
    )
    ratio = tuple(during / alone for during, alone in zip(rows[1][1:], rows[0][1:], strict=True))
    return Table("Embedding a query", ("", "p50 ms", "p95 ms"), (*rows, ("ratio", *ratio)))


async def _work(session: Session, conversations: Sequence[Conversation], enough: asyncio.Event) -> None:
    for conversation in itertools.cycle(conversations):
        await _ours(session, conversation)
        if enough.is_set():
            return


async def _queries(runtime: CountingRuntime, name: str) -> list[float]:
    seconds = []
    for number in range(QUERIES):
        started = time.perf_counter()
        await runtime.embed([f"What did I say about trip number {number} ({name})?"], urgent=True)
        seconds.append(time.perf_counter() - started)
        await asyncio.sleep(QUERY_SECONDS)
    return seconds


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


if __name__ == "__main__":
    main()
