"""The corpus and the suites hold what their guide promises: a wrong line would train or measure the wrong thing."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from satchel.times import parse_iso

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "models" / "corpus" / "exchanges"
SUITES = ROOT / "tests" / "extract" / "suites"
KINDS = {"fact", "event", "explicit_preference", "implicit_preference", "instruction"}
GUIDE = (CORPUS / "README.md").read_text(encoding="utf-8")
FILES = sorted(
    [
        *CORPUS.glob("*.jsonl"),
        *(CORPUS.parent / "next").glob("*.jsonl"),
        *SUITES.glob("traps_*.jsonl"),
        *SUITES.glob("begins_*.jsonl"),
    ]
)


def items(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


USER = re.compile(
    r"user|用户|用戶|ユーザー|kullanıcı|Nutzer|utilisat|usu[aá]ri|utente|utilizador|gebruiker|użytkowni", re.IGNORECASE
)
"""A statement is about the user; some are in the language of the quote."""


def fault(item: dict[str, Any]) -> str | None:
    """What is wrong with an item, after the guide."""
    turns = item["turns"]
    if item["trap"] is not None and f"`{item['trap']}`" not in GUIDE:
        return f"trap {item['trap']}"
    if not 1 <= len(turns) <= 5 or any(turn["role"] not in {"user", "assistant"} for turn in turns):
        return "turns"
    for memory in item["memories"]:
        turn = turns[memory["turn"]]
        if turn["role"] != "user" or memory["quote"] not in turn["content"]:
            return f"quote: {memory['quote']}"
        if memory["kind"] not in KINDS or not USER.search(memory["statement"]):
            return f"memory: {memory['statement']}"
        second = memory.get("second")
        if second and second["quote"] not in turns[second["turn"]]["content"]:
            return f"second: {second['quote']}"
        if "date" in memory and parse_iso(item["sent_at"]) == 0:
            return "date"
    return None


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_every_item_keeps_to_the_guide(file: Path) -> None:
    faults = [(item["id"], found) for item in items(file) if (found := fault(item))]
    assert faults == []


def test_the_corpus_is_as_wide_as_it_should_be() -> None:
    every = [item for file in CORPUS.glob("*.jsonl") for item in items(file)]
    assert len(every) == len({item["id"] for item in every}) >= 1200
    assert len({item["domain"] for item in every}) >= 30
    assert sum(not item["memories"] for item in every) * 2 >= len(every)
    traps = Counter(item["trap"] for item in every)
    assert min(traps.values()) >= 10


def test_a_domain_is_one_file_so_that_it_falls_on_one_side() -> None:
    for file in CORPUS.glob("*.jsonl"):
        assert {item["domain"] for item in items(file)} == {file.stem}


def test_no_suite_was_taken_from_the_corpus() -> None:
    def turns(files: list[Path]) -> set[str]:
        return {
            turn["content"].casefold()
            for file in files
            for item in items(file)
            for turn in item["turns"]
            if turn["role"] == "user" and len(turn["content"]) > 40
        }

    suites = [*SUITES.glob("traps_*.jsonl"), *SUITES.glob("begins_*.jsonl")]
    assert sum(len(items(file)) for file in suites) >= 400
    assert not turns(suites) & turns(list(CORPUS.glob("*.jsonl")))


def test_every_pair_keeps_to_its_guide() -> None:
    pairs = [pair for file in sorted((ROOT / "models" / "corpus" / "pairs").glob("*.jsonl")) for pair in items(file)]
    assert len({(pair["old"], pair["new"]) for pair in pairs}) == len(pairs) >= 1200
    assert {pair["label"] for pair in pairs} == {"over", "same", "beside"}
    assert all(pair.keys() == {"old", "new", "label", "domain"} for pair in pairs)
    assert all(pair["old"].strip() and pair["new"].strip() and pair["domain"].strip() for pair in pairs)
    labels = Counter(pair["label"] for pair in pairs)
    assert min(labels["beside"], labels["over"]) * 3 >= len(pairs)
    assert len({pair["domain"] for pair in pairs}) >= 100
