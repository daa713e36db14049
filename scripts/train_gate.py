"""Trains the gate on `models/corpus/gate` and writes `models/gate.json` and the figures of `models/gate.md`.

    python scripts/train_gate.py

Deterministic: the same corpus and embedding model give the same file. Every figure is for domains that the model it
measures was not trained on (ten folds, split by domain), and the threshold is chosen on the same held-out scores:
the lowest at which at most `FALSE_RATE` of the clauses that hold nothing pass.
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

from satchel.extract.gate import FEATURES, features, worth_embedding
from satchel.models import Runtime, models_folder

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "models" / "corpus" / "gate"
WEIGHTS = ROOT / "models" / "gate.json"
CARD = ROOT / "models" / "gate.md"
EMBEDDER = "all-MiniLM-L6-v2"
CLASSES = ("none", "fact", "event", "explicit_preference", "instruction")
FOLDS = 10
BEGINS_WITH_I = re.compile(r"\W*(?:i|my|i['’](?:m|ve|d|ll))\b", re.I)
"""The baseline that the gate is measured beside."""
VECTOR_SCALE = 2.0
"""The vector's components are near 0.05 and the marks are 0 or 1: this says how much topic and tone may weigh."""
REGULARISATION = 0.5
"""scikit-learn's C, chosen with `VECTOR_SCALE` by average precision on held-out domains."""
FALSE_RATE = 0.08
"""The corpus's empty clauses are traps by design, several times harder than what people mostly type."""


class Item(msgspec.Struct, frozen=True):
    text: str
    kind: str
    domain: str


def main() -> None:
    items, digest = read_corpus()
    inputs = to_inputs([item.text for item in items])
    kinds = np.array([item.kind for item in items])
    scores = held_out_scores(items, inputs, kinds)
    threshold = choose_threshold(scores, kinds)
    model = fit(inputs, kinds)
    order = [list(model.classes_).index(name) for name in CLASSES]
    weights = {
        "version": 1,
        "embedder": EMBEDDER,
        "dimensions": inputs.shape[1] - len(FEATURES),
        "classes": list(CLASSES),
        "features": list(FEATURES),
        "vector_scale": VECTOR_SCALE,
        "threshold": threshold,
        "corpus": digest,
        "bias": [round(float(value), 5) for value in model.intercept_[order]],
        "weights": [[round(float(value), 5) for value in row] for row in model.coef_[order]],
    }
    WEIGHTS.write_text(json.dumps(weights, separators=(",", ":")) + "\n", encoding="utf-8")
    figures = report(items, scores, kinds, threshold)
    print(figures)
    if CARD.exists():
        card = CARD.read_text(encoding="utf-8")
        card = re.sub(
            r"(<!-- figures -->\n).*?(<!-- /figures -->)", lambda m: m[1] + figures + "\n" + m[2], card, flags=re.S
        )
        CARD.write_text(card, encoding="utf-8")


def read_corpus() -> tuple[list[Item], str]:
    """Every item of the corpus, file by file, and the SHA-256 of what was read."""
    digest = hashlib.sha256()
    items = []
    for file in sorted(CORPUS.glob("*.jsonl")):
        data = file.read_bytes()
        digest.update(data)
        items += [msgspec.json.decode(line, type=Item) for line in data.splitlines()]
    return items, digest.hexdigest()


def to_inputs(texts: list[str]) -> NDArray[np.float64]:
    """(n, 384 + marks): the scaled sentence vector, then the marks."""
    marks = np.array([features(text) for text in texts])
    return np.hstack([asyncio.run(_embed(texts)) * VECTOR_SCALE, marks])


async def _embed(texts: list[str]) -> NDArray[np.float32]:
    runtime = Runtime(models_folder(), embed=EMBEDDER, generate=None)
    try:
        parts = [await runtime.embed(texts[start : start + 64]) for start in range(0, len(texts), 64)]
        return np.concatenate(parts)
    finally:
        await runtime.close()


def fit(inputs: NDArray[np.float64], kinds: NDArray[np.str_]) -> LogisticRegression:
    return LogisticRegression(C=REGULARISATION, max_iter=5000).fit(inputs, kinds)


def held_out_scores(items: list[Item], inputs: NDArray[np.float64], kinds: NDArray[np.str_]) -> NDArray[np.float64]:
    """(n, classes), in the order of `CLASSES`, each row by a model that saw no clause of that row's domain.

    What the prefilter turns away counts as "none", as it does in use.
    """
    domains = np.array([item.domain for item in items])
    names = sorted(set(domains))
    random.Random(7).shuffle(names)
    scores = np.zeros((len(items), len(CLASSES)))
    for fold in range(FOLDS):
        held = np.isin(domains, names[fold::FOLDS])
        model = fit(inputs[~held], kinds[~held])
        scores[held] = model.predict_proba(inputs[held])[:, [list(model.classes_).index(name) for name in CLASSES]]
    turned_away = np.array([not worth_embedding(item.text) for item in items])
    scores[turned_away] = 0
    scores[turned_away, 0] = 1
    return scores


def choose_threshold(scores: NDArray[np.float64], kinds: NDArray[np.str_]) -> float:
    """The lowest probability, in hundredths, at which at most `FALSE_RATE` of the empty clauses pass."""
    empty = 1 - scores[kinds == "none", 0]
    return next(step / 100 for step in range(1, 100) if np.mean(empty >= step / 100) <= FALSE_RATE)


def report(items: list[Item], scores: NDArray[np.float64], kinds: NDArray[np.str_], threshold: float) -> str:
    memorable = kinds != "none"
    passed = 1 - scores[:, 0] >= threshold
    guess = np.where(passed, np.array(CLASSES)[1:][scores[:, 1:].argmax(axis=1)], "none")
    lines = [
        f"{len(items)} clauses, {len({item.domain for item in items})} domains, {memorable.mean():.0%} memorable; "
        f"{FOLDS} folds by domain; threshold {threshold:.2f}.",
        "",
        "| on domains never trained on | precision | recall | clauses |",
        "|---|---|---|---|",
        f"| memorable | {memorable[passed].mean():.3f} | {passed[memorable].mean():.3f} | {memorable.sum()} |",
    ]
    for kind in CLASSES[1:]:
        chosen, true = guess == kind, kinds == kind
        precision = true[chosen].mean() if chosen.any() else 0.0
        lines.append(f"| {kind} | {precision:.3f} | {chosen[true].mean():.3f} | {true.sum()} |")
    pattern = np.array([BEGINS_WITH_I.match(item.text) is not None for item in items])
    both = passed & memorable
    lines += [
        "",
        f"Of the kept memorable clauses {np.mean(guess[both] == kinds[both]):.1%} get the right kind. "
        f"Of the clauses that hold nothing {passed[~memorable].mean():.1%} pass. "
        f"Of what is memorable and does not begin with I, My or I'm {passed[memorable & ~pattern].mean():.1%} is kept; "
        f"of what begins so and holds nothing {passed[~memorable & pattern].mean():.1%} passes. "
        f"The prefilter alone turns away {np.mean(scores[~memorable, 0] == 1):.0%} of those "
        f"and {np.mean(scores[memorable, 0] == 1):.1%} of the memorable ones.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
