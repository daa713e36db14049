"""Whether a question bears on the asker's own life, by its vector alone.

"Where did we camp?" and "What could I cook tonight?" do; "Who painted The Night Watch?" does not, however near a memory
of a painting lies. What is found for a question of the second sort has to fit better before it enters a prompt, and
less well for one of the first. Trained by `scripts/train_question.py` on `models/corpus/questions`; figures in
`models/question.md`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from satchel.models.registry import shipped
from satchel.structs import decodable
from satchel.types import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST = 2.0
"""The log-odds that it moves a candidate by at the most, either way: it is wrong about one question in five."""


@decodable
class _Trained(msgspec.Struct, frozen=True):
    """`models/question.json`. `embedder_hash`: the SHA-256 of the embedding model's file."""

    version: int
    embedder: str
    embedder_hash: str
    dimensions: int
    weights: list[float]
    bias: float
    corpus: str


class Bearing:
    """The trained reader of questions. Immutable, safe to share between threads."""

    def __init__(self, trained: _Trained) -> None:
        self.embedder_hash = trained.embedder_hash
        self._trained = trained

    @classmethod
    def load(cls, path: Path | None = None) -> Bearing:
        """The one shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        try:
            data = path.read_bytes() if path else shipped("satchel.recall", "question.json")
            return cls(msgspec.json.decode(data, type=_Trained))
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(
                f"The weights that read questions cannot be read ({error}); run scripts/train_question.py."
            ) from error

    def log_odds(self, vector: bytes) -> float:
        """Of a question's unit vector (float32), in [-MOST, MOST]; 0 for a vector of another width."""
        import numpy as np

        row = np.frombuffer(vector, np.float32)
        if len(row) != self._trained.dimensions:
            return 0.0
        return float(np.clip(row @ self._weights + self._trained.bias, -MOST, MOST))

    @functools.cached_property
    def _weights(self) -> NDArray[np.float64]:
        import numpy as np

        return np.array(self._trained.weights)
