"""Trains the reader of questions: does one ask about the asker's life? Writes `models/question.json`.

    python scripts/train_question.py

A logistic regression over the question's vector, which recall has anyway. Deterministic: the same corpus
(`models/corpus/questions`) and embedding model give the same file. The figures printed, and written to
`models/question.md`, are for domains that the model they measure was not trained on (ten folds, split by domain).
Needs scikit-learn.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_predict

from train_special import EMBEDDER, FOLDS, embed

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "models" / "corpus" / "questions"
WEIGHTS = ROOT / "models" / "question.json"
CARD = ROOT / "models" / "question.md"
REGULARISATION = 3.0
"""scikit-learn's C over unit vectors, chosen by log loss on held-out domains."""


class Item(msgspec.Struct, frozen=True):
    text: str
    kind: str
    domain: str


def main() -> None:
    items, digest = read_corpus()
    vectors, embedder_hash = asyncio.run(embed([item.text for item in items]))
    wanted = np.array([item.kind != "nothing" for item in items])
    domains = [f"{item.kind} {item.domain}" for item in items]
    model = LogisticRegression(C=REGULARISATION, max_iter=2000, class_weight="balanced")
    held = cross_val_predict(model, vectors, wanted, groups=domains, cv=GroupKFold(FOLDS), method="decision_function")
    model.fit(vectors, wanted)
    weights = {
        "version": 1,
        "embedder": EMBEDDER,
        "embedder_hash": embedder_hash,
        "dimensions": vectors.shape[1],
        "corpus": digest,
        "bias": round(float(model.intercept_[0]), 4),
        "weights": [round(float(value), 4) for value in model.coef_[0]],
    }
    WEIGHTS.write_text(json.dumps(weights, separators=(",", ":")) + "\n", encoding="utf-8")
    figures = report(items, held)
    print(figures)
    if CARD.exists():
        card = CARD.read_text(encoding="utf-8")
        card = re.sub(
            r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + figures + "\n" + m[2], card, flags=re.S
        )
        CARD.write_text(card, encoding="utf-8")


def read_corpus() -> tuple[list[Item], str]:
    """Every question, and the SHA-256 of what was read."""
    digest = hashlib.sha256()
    items: list[Item] = []
    for file in sorted(CORPUS.glob("*.jsonl")):
        data = file.read_bytes()
        digest.update(data)
        items += [msgspec.json.decode(line, type=Item) for line in data.splitlines()]
    return items, digest.hexdigest()


def report(items: list[Item], logits: NDArray[np.float64]) -> str:
    lines = ["| kind | questions | read as about the asker's life | middle logit |", "|---|---|---|---|"]
    for kind in ("memory", "advice", "nothing"):
        of_kind = logits[[item.kind == kind for item in items]]
        lines.append(f"| {kind} | {len(of_kind)} | {np.mean(of_kind > 0):.1%} | {np.median(of_kind):.1f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
