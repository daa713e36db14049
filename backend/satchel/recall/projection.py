"""Vectors as points of a plane: what means nearly the same lies near.

t-SNE (van der Maaten and Hinton, 2008) from a start by principal components (Kobak and Berens, 2019), so that the large
arrangement is kept and the same vectors give the same picture. Only near neighbours attract each other, and of
all others, which push a point away, a random few stand in for the rest: so some thousand points take a second or two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PERPLEXITY = 12.0
"""How many neighbours a point minds, smoothly counted: memories of one matter are seldom more."""

NEIGHBOURS = 30
ROUNDS = 240
EARLY = 70
"""Rounds in which neighbours attract more strongly, to find each other across what lies between."""

EXAGGERATION = 8.0
PUSHED_BY = 400
"""Points that stand in for all others."""

SEED = 20_261


class GivenUpError(Exception):
    """Nobody wants it any more."""


def project(
    vectors: NDArray[np.float32], *, seed: int = SEED, given_up: Callable[[], bool] = lambda: False
) -> NDArray[np.float32]:
    """(n, d) rows to (n, 2) coordinates, each in [0, 1]; both axes to the same scale, the picture in the middle.

    Vectors that are the same lie side by side. Takes about two seconds for 2,000 rows of 384. Raises GivenUpError soon
    after `given_up` says so.
    """
    import numpy as np

    count = len(vectors)
    rows = _directions(np.nan_to_num(np.asarray(vectors, np.float32), posinf=0.0, neginf=0.0))
    places = principal(rows)
    if count > 4:
        places = _neighbourly(rows, places, np.random.default_rng(seed), given_up)
    return framed(places)


def _directions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1, as embeddings are; distances of longer ones could be too large for a float."""
    import numpy as np

    if not rows.size:
        return rows
    largest = np.abs(rows).max(1, keepdims=True)
    within = rows / np.where(largest > 0, largest, 1)
    return np.asarray(within / np.maximum(np.linalg.norm(within, axis=1, keepdims=True), 1), np.float32)


def principal(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The two principal components of (n, d) rows; (n, 2) around the origin. Fewer than three rows lie in a line."""
    import faiss
    import numpy as np

    count, width = rows.shape
    if count < 3 or width < 3:
        line = np.zeros((count, 2), np.float32)
        line[:, 0] = np.linspace(-1, 1, count)
        return line
    centred = np.ascontiguousarray(rows - rows.mean(0))
    matrix = faiss.PCAMatrix(width, 2)
    matrix.train(centred)
    found = np.nan_to_num(np.asarray(matrix.apply(centred), np.float32))
    # A component's direction is a matter of chance: the point farthest out shall be on the right, and above.
    farthest = found[np.abs(found).argmax(0), [0, 1]]
    return np.asarray(found * np.where(farthest < 0, -1, 1), np.float32)


def framed(places: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same picture in the middle of the unit square, as large as it can be; one point is its middle."""
    import numpy as np

    if not len(places):
        return np.empty((0, 2), np.float32)
    places = np.nan_to_num(places.astype(np.float64))
    low, high = places.min(0), places.max(0)
    extent = float((high - low).max())
    if extent <= 0:
        return np.full((len(places), 2), 0.5, np.float32)
    return np.asarray(np.clip(0.5 + (places - (low + high) / 2) / extent, 0, 1), np.float32)


def nearest(rows: NDArray[np.float32], number: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(squared distances, places) of each row's nearest others, (n, k) both; k is `number`, or one less than there are
    rows."""
    import faiss
    import numpy as np

    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows)
    wanted = min(number, len(rows) - 1)
    far, places = index.search(rows, wanted + 1)
    # Itself is usually the first, but not among its equals.
    itself = places == np.arange(len(rows))[:, None]
    itself[~itself.any(1), -1] = True
    return np.maximum(far[~itself], 0).reshape(-1, wanted), places[~itself].reshape(-1, wanted)


def _neighbourly(
    rows: NDArray[np.float32], start: NDArray[np.float32], chance: np.random.Generator, given_up: Callable[[], bool]
) -> NDArray[np.float32]:
    import numpy as np

    count = len(rows)
    far, others = nearest(np.ascontiguousarray(rows), NEIGHBOURS)
    share = _shares(far, min(PERPLEXITY, (count - 1) / 3)).ravel() / (2 * count)
    ones, twos = np.repeat(np.arange(count), others.shape[1]), others.ravel()
    spread = float(start.std(0).max())
    if spread <= 0:
        spread = 1.0
    jitter = chance.normal(scale=1e-4, size=start.shape)  # equals must not stand on one spot: nothing would part them
    places = (start / spread * 1e-2 + jitter).astype(np.float32)
    step, gain = np.zeros_like(places), np.ones_like(places)
    rate = max(count / EXAGGERATION / 4, 50.0)
    for round_ in range(ROUNDS):
        if given_up():
            raise GivenUpError
        early = round_ < EARLY
        between = places[ones] - places[twos]
        pull = (share / (1 + np.einsum("ij,ij->i", between, between)))[:, None] * between
        force = np.empty_like(places)
        for axis in (0, 1):
            force[:, axis] = np.bincount(ones, pull[:, axis], count) - np.bincount(twos, pull[:, axis], count)
        force *= EXAGGERATION if early else 1.0
        force = 4 * (force - _push(places, chance))
        gain = np.maximum(np.where(np.sign(force) == np.sign(step), gain * 0.8, gain + 0.2), 0.01)
        step = (0.5 if early else 0.8) * step - rate * gain * force
        # The last rounds settle what chance keeps moving.
        left = min(1.0, 4 * (ROUNDS - round_) / ROUNDS)
        places = places + (left * step).astype(np.float32)
        places -= places.mean(0)
    return np.asarray(places, np.float32)


def _push(places: NDArray[np.float32], chance: np.random.Generator) -> NDArray[np.float32]:
    """By how much each point is pushed away: (n, 2)."""
    import numpy as np

    count = len(places)
    some = chance.choice(count, PUSHED_BY, replace=False) if count > PUSHED_BY else np.arange(count)
    few = places[some]
    # 1 + squared distance, as one product: (x², 1 + y², -2xy).
    own = np.column_stack([places, np.einsum("ij,ij->i", places, places) + 1, np.ones(count, np.float32)])
    theirs = np.column_stack([-2 * few, np.ones(len(few), np.float32), np.einsum("ij,ij->i", few, few)])
    near = own.astype(np.float32) @ theirs.astype(np.float32).T
    np.maximum(near, 1, out=near)
    np.reciprocal(near, out=near)
    near[some, np.arange(len(some))] = 0
    all_of = max(float(near.sum()), 1e-9)
    near *= near
    return np.asarray((places * near.sum(1)[:, None] - near @ few) / all_of, np.float32)


def _shares(far: NDArray[np.float32], perplexity: float) -> NDArray[np.float32]:
    """How much each neighbour counts, a row adding up to one: as a bell curve whose width gives `perplexity`."""
    import numpy as np

    offset = far - far.min(1, keepdims=True)
    narrow = np.zeros((len(far), 1))
    wide = np.full((len(far), 1), np.inf)
    beta = 1 / np.maximum(offset.mean(1, keepdims=True), 1e-12)
    wanted = np.log(perplexity)
    for _ in range(40):
        weight = np.exp(-np.minimum(offset * beta, 80))
        total = weight.sum(1, keepdims=True)
        entropy = np.log(total) + beta * (offset * weight).sum(1, keepdims=True) / total
        narrow, wide = np.where(entropy > wanted, beta, narrow), np.where(entropy > wanted, wide, beta)
        beta = np.where(np.isinf(wide), np.minimum(beta * 2, 1e12), (narrow + wide) / 2)
    weight = np.exp(-np.minimum(offset * beta, 80))
    return np.asarray(weight / weight.sum(1, keepdims=True), np.float32)
