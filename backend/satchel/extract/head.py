"""A linear layer over what the embedding model reads with an adapter: the last step of the gate and of the reader of
pairs."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from satchel.models.registry import shipped
from satchel.structs import decodable
from satchel.types import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCALE = 6.0
"""What unit vectors are multiplied with before the linear layer: trained with it, it must be applied too."""


@decodable
class _Trained(msgspec.Struct, frozen=True):
    """One row of `weights` a class, over the scaled vector."""

    version: int
    embedder: str
    dimensions: int
    classes: list[str]
    weights: list[list[float]]
    bias: list[float]
    threshold: float
    corpus: str


class Head:
    """Immutable, safe to share between threads."""

    def __init__(self, trained: _Trained) -> None:
        self.threshold = trained.threshold
        self.fingerprint = hashlib.sha256(msgspec.json.encode(trained)).hexdigest()[:16]
        """Another one judges otherwise."""
        self._trained = trained

    @classmethod
    def load(cls, name: str, classes: tuple[str, ...], path: Path | None = None) -> Head:
        """The layer `models/<name>.json` shipped with Satchel, or the one in `path`. ModelError when it is missing or
        damaged, or knows other classes."""
        again = f"run scripts/train_{name}.py"
        try:
            data = path.read_bytes() if path else shipped("satchel.extract", f"{name}.json")
            trained = msgspec.json.decode(data, type=_Trained)
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"The weights of models/{name}.json cannot be read ({error}); {again}.") from error
        if tuple(trained.classes) != classes:
            raise ModelError(f"models/{name}.json was trained for other classes than this Satchel knows; {again}.")
        return cls(trained)

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(rows, classes) that sum to 1 along a row, for `vectors` (rows, width) as `Reader.read` gives them.
        ValueError when the width is not that of the layer."""
        import numpy as np

        if vectors.ndim != 2 or vectors.shape[1] != self._trained.dimensions:
            raise ValueError(f"the layer judges vectors of width {self._trained.dimensions}, not {vectors.shape}")
        weights, bias = self._matrices
        logits = np.asarray(vectors, dtype=np.float64) * SCALE @ weights.T + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return cast("NDArray[np.float64]", odds / odds.sum(axis=1, keepdims=True))

    @functools.cached_property
    def _matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        import numpy as np

        return np.array(self._trained.weights), np.array(self._trained.bias)
