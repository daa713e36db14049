"""Groups of memories that mean something alike, and what to call them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from satchel.recall.stopwords import STOP_WORDS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 24
FEWEST_MEMBERS = 3
"""What has fewer goes to the nearest group, unless there are no larger ones."""

LONGEST_NAME = 48
BESIDE = 0.6
"""A second word stands beside the first in a name when it marks the group at least this much as well."""

NAMELESS = "other"
SEED = 1

_SAYS_NOTHING = STOP_WORDS | {"user", "user's", "用户"}


def grouped(rows: NDArray[np.float32]) -> NDArray[np.int64]:
    """The group of each of (n, d) rows, from 0, the largest first: about half the square root of their number, 24
    at the most."""
    import faiss
    import numpy as np

    count = len(rows)
    wanted = min(MOST, max(1, round(math.sqrt(count) / 2)), len(np.unique(rows, axis=0)))
    if wanted < 2:
        return np.zeros(count, np.int64)
    # A start of chance may share one heap among several groups: where that costs nothing, the best of many.
    starts = 6 if rows.shape[1] <= 2 else 1
    means = faiss.Kmeans(rows.shape[1], wanted, niter=20, nredo=starts, seed=SEED, min_points_per_centroid=1)
    means.train(np.ascontiguousarray(rows))
    centres = np.asarray(means.centroids)
    far = (rows * rows).sum(1)[:, None] - 2 * rows @ centres.T + (centres * centres).sum(1)
    groups = far.argmin(1)
    while True:
        sizes = np.bincount(groups, minlength=wanted)
        small = np.flatnonzero((sizes > 0) & (sizes < FEWEST_MEMBERS))
        if not len(small) or np.count_nonzero(sizes) == 1:
            break
        gone = small[sizes[small].argmin()]
        far[:, gone] = np.inf
        groups = np.where(groups == gone, far.argmin(1), groups)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(wanted, np.int64)
    rank[order] = np.arange(wanted)
    return np.asarray(rank[groups], np.int64)


def named(groups: Sequence[int], tags: Sequence[Sequence[str]], keys: Sequence[str]) -> list[str]:
    """A name for each group from 0 on, none twice: the tags that its memories have and others have not. Where a memory
    has no tags, the words of its key stand in."""
    words = [_labels(*one) for one in zip(tags, keys, strict=True)]
    sizes = Counter(groups)
    everywhere = Counter(word for of_one in words for word in of_one)
    inside: dict[int, Counter[str]] = {group: Counter() for group in range(max(groups, default=-1) + 1)}
    for group, of_one in zip(groups, words, strict=True):
        inside[group].update(of_one)
    taken: set[str] = set()
    names = []
    for group, counted in inside.items():
        size, others = sizes[group], max(len(groups) - sizes[group], 1)

        def marks(word: str, counted: Counter[str] = counted, size: int = size, others: int = others) -> float:
            """How much more often it stands here than elsewhere, times how often here."""
            here, there = counted[word] / size, (everywhere[word] - counted[word]) / others
            return here * math.log((here + 1 / len(groups)) / (there + 1 / len(groups)))

        best = sorted(counted, key=lambda word: (-marks(word), word))[:MOST]
        name = _first_free(best, marks, taken)
        taken.add(name)
        names.append(name)
    return names


def _first_free(best: Sequence[str], marks: object, taken: set[str]) -> str:
    assert callable(marks)
    for place, word in enumerate(best):
        second = best[place + 1] if place + 1 < len(best) else None
        alone = second is None or marks(second) < BESIDE * marks(word)
        for name in (word if alone else f"{word}, {second}", word):
            if name[:LONGEST_NAME] not in taken:
                return name[:LONGEST_NAME]
    number = 1
    base = best[0][:LONGEST_NAME] if best else NAMELESS
    while (name := base if number == 1 else f"{base} {number}") in taken:
        number += 1
    return name


def _labels(tags: Sequence[str], key: str) -> set[str]:
    found = {tag.casefold().strip() for tag in tags}
    for words in (found, set(key.casefold().split())):
        if telling := {word for word in words if word and not word.isdigit() and word not in _SAYS_NOTHING}:
            return telling
    return set()
