"""Measures the gate on files given as arguments, beside the pattern "begins with I, My or I'm".

    python scripts/eval_gate.py persona_dialogues.txt prefeval.json real_chats.json

What a file is shows in its content: persona dialogues (statements), PrefEval (explicit preferences), real chats
(almost nothing to keep). Each statement is put in the middle of a longer everyday turn; it counts as kept when
a clause that passed overlaps it. For chats, every kept clause is listed. Nothing here trains or tunes anything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from satchel.extract.clauses import Clause, split
from satchel.extract.gate import Gate, Verdict, worth_embedding
from satchel.models import Runtime, models_folder

BEFORE = (
    "Hi! Hope you can help me with something.",
    "Ok, next thing.",
    "I've been going back and forth on this all week and could use a second opinion.",
    "thanks for the last answer, that was useful.",
    "Quick one before lunch.",
    "Right, so here's what I'm stuck on.",
    "Let me give you a bit of background first.",
    "Good evening!",
    "Not sure where to start.",
    "I need some ideas.",
)
AFTER = (
    "Could you suggest three things to do on a rainy weekend?",
    "What would be a sensible next step here?",
    "Can you put together a short list for me?",
    "Please keep it to one paragraph this time.",
    "How long does something like that usually take?",
    "Write me a friendly message I can send to the group.",
    "What's the weather usually like in Lisbon in March?",
    "Anyway, which of the two would you pick?",
    "Give me the pros and cons in a table.",
    "Thanks in advance!",
)
PATTERN = re.compile(r"\W*(?:i|my|i['’]m|i['’]ve|i['’]d|i['’]ll)\b", re.I)


class Kept(msgspec.Struct, frozen=True):
    clause: Clause
    verdict: Verdict


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=600, help="statements a file, drawn with a fixed seed")
    parser.add_argument("--misses", type=int, default=0, help="list so many statements that were not kept")
    arguments = parser.parse_args()
    gate = Gate.load()
    for file in arguments.files:
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".json":
            _report_statements(gate, file.name, _personas(text), arguments)
            continue
        data = json.loads(text)
        if isinstance(data, dict):
            _report_statements(gate, file.name, _preferences(data), arguments)
        else:
            _report_chats(gate, file.name, _user_turns(data))


def judge_turns(gate: Gate, turns: Sequence[str]) -> tuple[list[list[Kept]], int, int]:
    """For each turn the clauses that passed; then how many clauses there were, and how many were embedded."""
    clauses = [split(turn) for turn in turns]
    wanted = [[clause for clause in row if worth_embedding(clause.text)] for row in clauses]
    texts = [clause.text for row in wanted for clause in row]
    verdicts = iter(gate.judge(texts, asyncio.run(_embed(texts))))
    kept = [
        [found for found in (Kept(clause, next(verdicts)) for clause in row) if found.verdict.kind is not None]
        for row in wanted
    ]
    return kept, sum(map(len, clauses)), len(texts)


async def _embed(texts: list[str]) -> NDArray[np.float32]:
    if not texts:
        return np.zeros((0, 384), dtype=np.float32)
    runtime = Runtime(models_folder(), embed="all-MiniLM-L6-v2", generate=None)
    try:
        parts = [await runtime.embed(texts[i : i + 64]) for i in range(0, len(texts), 64)]
        return np.concatenate(parts)
    finally:
        await runtime.close()


def _pattern_keeps(turn: str) -> list[tuple[int, int]]:
    """Spans of the sentences that the pattern of the baseline keeps."""
    starts = [0, *(match.end() for match in re.finditer(r"[.!?]+\s+|\n+", turn))]
    ends = [*starts[1:], len(turn)]
    return [(start, end) for start, end in zip(starts, ends, strict=True) if PATTERN.match(turn, start, end)]


def _report_statements(gate: Gate, name: str, statements: list[str], arguments: argparse.Namespace) -> None:
    chooser = random.Random(20)
    chosen = chooser.sample(statements, min(arguments.limit, len(statements)))
    turns, places = [], []
    for statement in chosen:
        before = chooser.choice(BEFORE)
        turns.append(f"{before} {statement} {chooser.choice(AFTER)}")
        places.append((len(before) + 1, len(before) + 1 + len(statement)))
    kept, clauses, embedded = judge_turns(gate, turns)
    hit = [
        any(found.clause.start < end and found.clause.end > start for found in row)
        for row, (start, end) in zip(kept, places, strict=True)
    ]
    extra = sum(
        1
        for row, (start, end) in zip(kept, places, strict=True)
        for found in row
        if not (found.clause.start < end and found.clause.end > start)
    )
    pattern = [
        any(first < end and last > start for first, last in _pattern_keeps(turn))
        for turn, (start, end) in zip(turns, places, strict=True)
    ]
    print(f"\n{name}: {len(chosen)} statements in longer turns, {embedded} of {clauses} clauses embedded")
    print("| | kept | clauses beside the statement kept, per 100 turns |\n|---|---|---|")
    print(f"| gate (threshold {gate.threshold:.2f}) | {np.mean(hit):.3f} | {100 * extra / len(turns):.1f} |")
    print(f"| begins with I, My, I'm | {np.mean(pattern):.3f} | |")
    misses = [statement for statement, kept_it in zip(chosen, hit, strict=True) if not kept_it]
    for statement in misses[: arguments.misses]:
        print("  missed:", statement)


def _report_chats(gate: Gate, name: str, turns: list[str]) -> None:
    kept, clauses, embedded = judge_turns(gate, turns)
    found = [item for row in kept for item in row]
    pattern = sum(len(_pattern_keeps(turn)) for turn in turns)
    print(f"\n{name}: {len(turns)} user turns, {embedded} of {clauses} clauses embedded")
    print("| | kept per 100 user turns |\n|---|---|")
    print(f"| gate (threshold {gate.threshold:.2f}) | {100 * len(found) / len(turns):.1f} |")
    print(f"| begins with I, My, I'm | {100 * pattern / len(turns):.1f} |")
    for item in found:
        print(f"  {item.verdict.probability:.2f} {item.verdict.kind}: {item.clause.text[:160]!r}")


def _personas(text: str) -> list[str]:
    marked = re.findall(r"^your persona: (.+?)(?:\t|$)", text, re.M)
    return sorted({re.sub(r"\s+([.,!?'])", r"\1", statement.strip()) for statement in marked})


def _preferences(data: dict[str, dict[str, list[dict[str, str]]]]) -> list[str]:
    return sorted({item["preference"].strip() for topic in data.values() for item in topic["explicit"]})


def _user_turns(data: list[dict[str, list[dict[str, str]]]]) -> list[str]:
    return [turn["content"] for chat in data for turn in chat["conversation"] if turn["role"] == "user"]


if __name__ == "__main__":
    main()
