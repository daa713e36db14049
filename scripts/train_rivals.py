"""Trains the reader of pairs: does a new statement end what is remembered? Writes `models/rivals.gguf`,
`models/rivals.json` and the figures of the card.

    pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2
    python scripts/train_rivals.py

The same network as the gate's (`train_gate`): the embedding model with an adapter in its upper layers reads the new
statement with the remembered one before it, and a linear layer over the new one's vector says whether the old one is
over, said again, or stands beside it. The corpus, `models/corpus/pairs`, is split by domain: a fifth is never trained
on and gives the figures. A quarter of an hour on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
from collections.abc import Sequence

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray

from satchel.extract.reconciling.superseding import CLASSES, THRESHOLD, passage
from satchel.models import Runtime, llama, models_folder, registry
from train_gate import CORPUS, ROOT, Encoder, Example, head_of, read_bert, scored, train, write_adapter

ADAPTER = ROOT / "models" / "rivals.gguf"
HEAD = ROOT / "models" / "rivals.json"
CARD = ROOT / "models" / "rivals.md"
EPOCHS = 5
AVERAGING = 0.99
HELD_OUT = 5
"""One domain in so many gives the figures."""
STRANGERS = 0.2
"""Pairs of statements of different domains, as a share of the corpus: nothing ends there."""

LIVES, LIFE, NEAREST, FAR = 150, 80, 10, 0.55
"""Nor does anything, nearly always, among statements of the gate's corpus: so many times, so many of them are drawn,
as if one person had said them all, and the last meets those nearest to it in meaning, up to a cosine. That is how pairs
come up in use, and nearly all of them end nothing."""


class Pair(msgspec.Struct, frozen=True):
    old: str
    new: str
    label: str
    domain: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    entry = registry.default_entry("embed")
    model = registry.path_of(entry, models_folder())
    vocabulary = llama.Vocabulary.load(str(model))
    pairs, digest = read_corpus()
    drawn = asyncio.run(lives(random.Random(arguments.seed)))
    torch.manual_seed(arguments.seed)
    chooser = random.Random(arguments.seed)
    encoder = Encoder(read_bert(model), len(CLASSES))
    rest, held = (
        [pair for pair in pairs if not is_held_out(pair)],
        [pair for pair in pairs if is_held_out(pair)],
    )
    examples = laid_out(vocabulary, [*rest, *swapped(rest), *strangers(rest, chooser), *drawn])
    tests = laid_out(vocabulary, held)
    lower, tests_lower = encoder.lower(examples), encoder.lower(tests)
    print(f"{len(examples):,} pairs to train on, {len(tests):,} held out", flush=True)
    train(encoder, examples, lower, chooser, arguments.epochs, tests, tests_lower, AVERAGING)
    write_adapter(encoder, entry.sha256, ADAPTER, "Satchel rivals")
    head = {**head_of(encoder, entry, digest), "classes": list(CLASSES), "threshold": THRESHOLD, "version": 1}
    HEAD.write_text(json.dumps(head, separators=(",", ":")) + "\n", "utf-8")
    probabilities, labels, _ = scored(encoder, tests, tests_lower)
    figures = report(probabilities, labels, rest, held)
    print(figures)
    card = CARD.read_text("utf-8")
    new = re.sub(
        r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + figures + "\n" + m[2], card, flags=re.S
    )
    CARD.write_text(new, "utf-8")


def read_corpus() -> tuple[list[Pair], str]:
    """Every pair, and the SHA-256 of what was read."""
    digest = hashlib.sha256()
    pairs: list[Pair] = []
    for file in sorted((CORPUS / "pairs").glob("*.jsonl")):
        data = file.read_bytes()
        digest.update(data)
        pairs += [msgspec.json.decode(line, type=Pair) for line in data.splitlines()]
    return pairs, digest.hexdigest()


def is_held_out(pair: Pair) -> bool:
    return hashlib.sha256(pair.domain.partition(":")[0].encode()).digest()[0] % HELD_OUT == 0


def swapped(pairs: Sequence[Pair]) -> list[Pair]:
    """What says the same does so the other way round."""
    return [Pair(pair.new, pair.old, pair.label, pair.domain) for pair in pairs if pair.label == "same"]


def strangers(pairs: Sequence[Pair], chooser: random.Random) -> list[Pair]:
    found: list[Pair] = []
    while len(found) < STRANGERS * len(pairs):
        one, other = chooser.choice(pairs), chooser.choice(pairs)
        if one.domain != other.domain:
            found.append(Pair(one.old, other.new, "beside", one.domain))
    return found


async def lives(chooser: random.Random) -> list[Pair]:
    """What stands nearest to a statement among those of one drawn life, as pairs."""
    told: list[tuple[str, str]] = []
    for file in sorted([*(CORPUS / "exchanges").glob("*.jsonl"), *(CORPUS / "next").glob("*.jsonl")]):
        items = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        told += [(file.stem, memory["statement"]) for item in items for memory in item["memories"]]
    chooser.shuffle(told)
    told = told[: LIVES * 8]
    async with Runtime(generate=None) as runtime:
        rows = await runtime.embed([statement for _, statement in told])
    found = []
    for _ in range(LIVES):
        *others, last = chooser.sample(range(len(told)), LIFE)
        cosines = rows[others] @ rows[last]
        nearest = [others[place] for place in np.argsort(-cosines) if cosines[place] < FAR][:NEAREST]
        found += [
            Pair(told[old][1], told[last][1], "beside", "drawn") for old in nearest if told[old][0] != told[last][0]
        ]
    return found


def laid_out(vocabulary: llama.Vocabulary, pairs: Sequence[Pair]) -> list[Example]:
    examples = []
    for pair in pairs:
        tokens, spans = llama.lay_out(vocabulary, passage(pair.old, pair.new))
        examples.append(Example(pair.domain, tokens, spans, [CLASSES.index(pair.label)], [pair.new]))
    return examples


def report(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], rest: Sequence[Pair], held: Sequence[Pair]
) -> str:
    over, true = probabilities[:, CLASSES.index("over")], labels == CLASSES.index("over")
    lines = [
        f"Trained on {len(rest):,} pairs, measured on {len(held):,} of domains never trained on, {true.mean():.0%} of "
        "them over.",
        "",
        "| taken for over from | precision | recall |",
        "|---|---|---|",
    ]
    for bar in (0.3, 0.5, 0.6, 0.7, 0.8):
        taken = over >= bar
        precision = true[taken].mean() if taken.any() else 1.0
        lines.append(f"| {bar}{' (in use)' if bar == THRESHOLD else ''} | {precision:.3f} | {taken[true].mean():.3f} |")
    likeliest = probabilities.argmax(axis=1)
    lines += ["", f"Of all, {np.mean(likeliest == labels):.1%} get the right one of the three."]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
