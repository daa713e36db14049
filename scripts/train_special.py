"""Trains the judge of special categories and writes `models/special.json` and the figures of `models/special.md`.

    python scripts/train_special.py

Deterministic: the same corpus and embedding model give the same file. Read are `models/corpus/special` and, for what
people say on any day, the gate's corpus, of which `of_gate.jsonl` says what touches a category (null: nobody can say,
left out). What the lexicon finds anyway counts less in training than what it misses. Every figure of the model is for
domains that the model it measures was not trained on (ten folds, split by domain). The model is asked about English
alone, and trained on nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import re
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from satchel.models import Runtime, models_folder
from satchel.special.language import is_english
from satchel.special.lexicon import CATEGORIES, by_words

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "models" / "corpus" / "special"
EVERYDAY = ROOT / "models" / "corpus" / "gate"
OF_EVERYDAY = CORPUS / "of_gate.jsonl"
WEIGHTS = ROOT / "models" / "special.json"
CARD = ROOT / "models" / "special.md"
EMBEDDER = "all-MiniLM-L6-v2"
FOLDS = 10
HAN = re.compile("[\u4e00-\u9fff]")
PLAIN = "plain"
"""The file of the corpus whose statements are no traps: they count as everyday ones."""
NEAR = "near"
"""The file of everyday statements that come near a category without touching it; counted apart."""
UNOBVIOUS = "unobvious"
"""The file of statements that touch a category in words that hardly tell; counted apart."""
WORDED = 0.3
"""What a statement counts in training whose words give it away: the model need not find it."""
REGULARISATION = 1.0
"""scikit-learn's C, chosen by false positives at `RECALL` on held-out domains."""
RECALL = 0.96
"""What lexicon and model together find at the least of what touches a category: sets the threshold `doubtful`."""
FALSE_MARKS = 0.02
"""Of everyday statements at most this share is marked by the model: sets the threshold `likely`."""


class Item(msgspec.Struct, frozen=True):
    text: str
    special: list[str]
    domain: str
    file: str

    @property
    def everyday(self) -> bool:
        return self.file == PLAIN


class Clause(msgspec.Struct, frozen=True):
    text: str
    special: list[str] | None = []
    domain: str = ""


def main() -> None:
    items, digest = read_corpus()
    vectors, embedder_hash = asyncio.run(embed([item.text for item in items]))
    touches = np.array([[category in item.special for category in CATEGORIES] for item in items])
    english = np.array([is_english(item.text) for item in items])
    words = np.array([bool(by_words(item.text)) for item in items])
    scores = held_out_scores(items, vectors, touches, words, english)
    doubtful, likely = choose_thresholds(items, scores, touches.any(axis=1), words, english)
    models = [fit(vectors[english], touches[english, column], words[english]) for column in range(len(CATEGORIES))]
    weights = {
        "version": 1,
        "embedder": EMBEDDER,
        "embedder_hash": embedder_hash,
        "dimensions": vectors.shape[1],
        "categories": list(CATEGORIES),
        "likely": likely,
        "doubtful": doubtful,
        "corpus": digest,
        "bias": [round(float(model.intercept_[0]), 4) for model in models],
        "weights": [[round(float(value), 4) for value in model.coef_[0]] for model in models],
    }
    WEIGHTS.write_text(json.dumps(weights, separators=(",", ":")) + "\n", encoding="utf-8")
    figures = report(items, scores, touches, words, english, doubtful=doubtful, likely=likely)
    print(figures)
    if CARD.exists():
        card = CARD.read_text(encoding="utf-8")
        card = re.sub(
            r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + figures + "\n" + m[2], card, flags=re.S
        )
        CARD.write_text(card, encoding="utf-8")


def read_corpus() -> tuple[list[Item], str]:
    """Every statement with a label, and the SHA-256 of what was read."""
    digest = hashlib.sha256()

    def clauses(file: Path) -> list[Clause]:
        data = file.read_bytes()
        digest.update(data)
        return [msgspec.json.decode(line, type=Clause) for line in data.splitlines()]

    labels = {clause.text: clause.special for clause in clauses(OF_EVERYDAY)}
    items = [
        Item(clause.text, clause.special or [], clause.domain, file.stem)
        for file in sorted(CORPUS.glob("*.jsonl"))
        if file != OF_EVERYDAY
        for clause in clauses(file)
    ]
    for file in sorted(EVERYDAY.glob("*.jsonl")):
        for clause in clauses(file):
            special = labels.get(clause.text, [])
            if special is not None:
                items.append(Item(clause.text, special, f"gate: {clause.domain}", PLAIN))
    return items, digest.hexdigest()


async def embed(texts: list[str]) -> tuple[NDArray[np.float32], str]:
    """(n, 384), and the SHA-256 of the model's file."""
    async with Runtime(models_folder(), embed=EMBEDDER, generate=None) as runtime:
        parts = [await runtime.embed(texts[start : start + 64]) for start in range(0, len(texts), 64)]
        return np.concatenate(parts), runtime.model_id("embed")


def fit(vectors: NDArray[np.float32], touches: NDArray[np.bool_], words: NDArray[np.bool_]) -> LogisticRegression:
    """`words`: which statements the lexicon finds. Those that touch the category weigh as much as those that do not."""
    weights = np.where(touches & words, WORDED, 1.0)
    weights[touches] *= (~touches).sum() / weights[touches].sum()
    return LogisticRegression(C=REGULARISATION, max_iter=5000).fit(vectors, touches, sample_weight=weights)


def held_out_scores(
    items: list[Item],
    vectors: NDArray[np.float32],
    touches: NDArray[np.bool_],
    words: NDArray[np.bool_],
    english: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """(n, categories), each row by models that saw no statement of its domain; 0 where the model is not asked."""
    domains = np.array([item.domain for item in items])
    names = sorted(set(domains))
    random.Random(7).shuffle(names)
    scores = np.zeros(touches.shape)
    for fold in range(FOLDS):
        held = np.isin(domains, names[fold::FOLDS])
        seen = ~held & english
        for column in range(len(CATEGORIES)):
            model = fit(vectors[seen], touches[seen, column], words[seen])
            scores[held & english, column] = model.predict_proba(vectors[held & english])[:, 1]
    return scores


def any_of(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 - (1 - scores).prod(axis=1))


def choose_thresholds(
    items: list[Item],
    scores: NDArray[np.float64],
    special: NDArray[np.bool_],
    words: NDArray[np.bool_],
    english: NDArray[np.bool_],
) -> tuple[float, float]:
    """`doubtful` and `likely`, in hundredths; see `RECALL` and `FALSE_MARKS`."""
    steps = [step / 100 for step in range(1, 100)]
    found = words | (any_of(scores) >= np.array(steps)[:, None])
    doubtful = max(step for step, row in zip(steps, found, strict=True) if row[special & english].mean() >= RECALL)
    everyday = np.array([item.everyday for item in items]) & ~special & english
    likely = next(step for step in steps if np.mean(scores[everyday].max(axis=1) >= step) <= FALSE_MARKS)
    return doubtful, max(likely, doubtful)  # what is marked is never let through


def report(
    items: list[Item],
    scores: NDArray[np.float64],
    touches: NDArray[np.bool_],
    words: NDArray[np.bool_],
    english: NDArray[np.bool_],
    *,
    doubtful: float,
    likely: float,
) -> str:
    special, everyday = touches.any(axis=1), np.array([item.everyday for item in items])
    near, unobvious = (np.array([item.file == file for item in items]) for file in (NEAR, UNOBVIOUS))
    columns = {
        "recall": special & english,
        "of {} hard ones": special & english & ~everyday & ~unobvious,
        "of {} everyday ones": special & english & everyday,
        "of {} unobvious ones": special & english & unobvious,
        "wrong of {} traps": ~special & ~everyday & ~near & english,
        "wrong of {} everyday statements": ~special & everyday & english,
        "wrong of {} near ones": ~special & near & english,
    }
    kept_back, marked = any_of(scores) >= doubtful, scores.max(axis=1) >= likely
    lines = [
        f"{len(items)} statements, {len({item.domain for item in items})} domains, {special.sum()} touch a category, "
        f"{(~english).sum()} are not English; {FOLDS} folds by domain; doubtful from {doubtful:.2f}, likely from "
        f"{likely:.2f}.",
        "",
        "| English | " + " | ".join(name.format(part.sum()) for name, part in columns.items()) + " |",
        "|---" * (1 + len(columns)) + "|",
    ]
    for name, found in (
        ("lexicon alone", words),
        ("model alone, doubtful", kept_back),
        ("**both, doubtful: left out automatically**", words | kept_back),
        ("model alone, likely", marked),
        ("**both, likely: marked**", words | marked),
    ):
        lines.append(f"| {name} | " + " | ".join(f"{found[part].mean():.3f}" for part in columns.values()) + " |")
    lines += [
        "",
        "| recall by category | lexicon | model, doubtful | both, doubtful | both, likely |",
        "|---|---|---|---|---|",
    ]
    for column, category in enumerate(CATEGORIES):
        part = touches[:, column] & english
        ways = (words, kept_back, words | kept_back, words | marked)
        lines.append(f"| {category} ({part.sum()}) | " + " | ".join(f"{way[part].mean():.3f}" for way in ways) + " |")
    chinese = np.array([HAN.search(item.text) is not None for item in items])
    lines += [
        "",
        f"Chinese, which only the lexicon reads: marked are {words[special & chinese].mean():.3f} of "
        f"{(special & chinese).sum()}, wrongly {words[~special & chinese].mean():.3f} of {(~special & chinese).sum()}.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
