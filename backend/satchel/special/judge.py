"""Special categories by meaning: a logistic regression a category over a sentence's vector.

Words miss what is said in other ones ("day 41 without a drink"); the vector knows the subject, roughly. So it is asked
in two ways: `likely` marks what a user looks over, `doubtful` keeps back what nobody looks over. Trained by
`scripts/train_special.py` on `models/corpus/special`; figures in `models/special.md`.
"""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from satchel.models.registry import shipped
from satchel.special.lexicon import CATEGORIES
from satchel.structs import decodable
from satchel.types import Category, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@decodable
class _Trained(msgspec.Struct, frozen=True):
    """`models/special.json`: one row of `weights` a category. `embedder_hash` is the SHA-256 of the embedding model's
    file: vectors of any other model mean nothing here."""

    version: int
    embedder: str
    embedder_hash: str
    dimensions: int
    categories: list[str]
    weights: list[list[float]]
    bias: list[float]
    likely: float
    doubtful: float
    corpus: str


class Judge:
    """The trained judge of English sentences. Immutable, safe to share between threads."""

    def __init__(self, trained: _Trained) -> None:
        if trained.categories != list(CATEGORIES):
            raise ModelError(
                "models/special.json was trained with other categories than this Satchel knows;"
                " run scripts/train_special.py."
            )
        self.embedder_hash = trained.embedder_hash
        self.dimensions = trained.dimensions
        self._trained = trained

    @classmethod
    def load(cls, path: Path | None = None) -> Judge:
        """The judge shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        try:
            data = path.read_bytes() if path else shipped("satchel.special", "special.json")
            return cls(msgspec.json.decode(data, type=_Trained))
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(
                f"The special categories' weights cannot be read ({error}); run scripts/train_special.py."
            ) from error

    def likely(self, vectors: NDArray[np.float32]) -> list[frozenset[Category]]:
        """For each row of (n, dimensions) unit vectors the categories it probably touches; mostly none."""
        return [
            frozenset(category for category, p in zip(CATEGORIES, row, strict=True) if p >= self._trained.likely)
            for row in self.probabilities(vectors)
        ]

    def doubtful(self, vectors: NDArray[np.float32], among: Collection[Category] = CATEGORIES) -> list[bool]:
        """For each row whether it may touch any category of `among`. Whatever is likely is doubtful, and much more."""
        columns = [column for column, category in enumerate(CATEGORIES) if category in among]
        untouched = (1 - self.probabilities(vectors)[:, columns]).prod(axis=1)
        return [bool(1 - p >= self._trained.doubtful) for p in untouched]

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, categories), each in [0, 1]; a row need not sum to 1, since a text may touch none or two.

        ValueError when the vectors have other dimensions.
        """
        import numpy as np

        weights, bias = self._matrices
        logits = np.asarray(vectors, dtype=np.float64).reshape(-1, self.dimensions) @ weights.T + bias
        return cast("NDArray[np.float64]", 1 / (1 + np.exp(-logits.clip(-500, 500))))

    @functools.cached_property
    def _matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        import numpy as np

        return np.array(self._trained.weights), np.array(self._trained.bias)
