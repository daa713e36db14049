"""Which clauses of a user's turn are worth remembering, and of which kind.

The embedding model reads the turn with an adapter of its own in the upper layers, so that the vector of each clause
has seen what stands around it and what the assistant had said: "I can't stand the sea" in a poem, in somebody's mail
and in an answer are three things. A linear layer over the vector gives the kinds. The adapter (`models/gate.gguf`) and
the layer (`models/gate.json`) are trained by `scripts/train_gate.py` on `models/corpus`; figures in `models/gate.md`.
"""

from __future__ import annotations

import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec

from satchel.models.registry import shipped
from satchel.structs import decodable
from satchel.types import Kind, ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CLASSES = ("none", "fact", "event", "explicit_preference", "instruction", "implicit_preference")

SCALE = 6.0
"""What unit vectors are multiplied with before the linear layer: trained with it, it must be applied too."""

MAX_CLAUSE = 700
"""Code points. A longer clause is no longer a statement somebody typed about themselves."""


class Verdict(msgspec.Struct, frozen=True):
    """`kind` is None when the clause holds nothing to remember; `probability` in [0, 1] is that it holds something."""

    kind: Kind | None
    probability: float


_CHITCHAT = re.compile(
    r"\W*(?:thanks?(?: you)?|thx|ty|ok(?:ay)?|great|perfect|cool|nice|good|hello|hi|hey"
    r"|bye|lol|continue|go on|next|more|again"
    r"|why|what|how|please|sorry|wow|hmm+|danke|merci|gracias|obrigado|obrigada"
    r"|谢谢|你好|好的|继续)"
    r"(?:[ ,]+(?:so much|very much|a lot|you|please|that works|again|there|on|it))?\W*$",
    re.I,
)


_WORD_WANTED = re.compile(
    r"\W*(?:(?:an)?other|better|different|more|nicer) (?:ways?|words?|terms?|expressions?) (?:to|for|of)\b"
    r"|\W*(?:synonyms?|antonyms?|definition|meaning) (?:of|for)\b",
    re.I,
)

_PERSONAL = re.compile(
    r"\b(?:i|i['’](?:m|ve|d|ll)|im|ive|my|mine|me|we|we['’](?:re|ve|d|ll)|our|us|ich|wir|mein\w{0,2}|unser\w{0,2}|je"
    r"|nous|mon|ma|mes|notre|nos|yo|mis?|nuestr[oa]s?|eu|meus?|minhas?|noss[oa]s?|mio|mia|miei|ik|mijn|ons|onze)\b"
    r"|\b[jm]['’]\w|我|咱",
    re.I,
)

_ASIDE = re.compile(
    r"\W*i (?:do |really |just )?(?:think|find|guess|suppose|believe|know|see|mean it|mean|hope|reckon|understand|agree"
    r"|wish|bet|swear|promise|said|wonder)\W*$",
    re.I,
)


_SUPPOSES = re.compile(
    r"\W*(?:(?:ok(?:ay)?|so|now|and|then|just|please|well|right)\b[ ,]*){0,3}"
    r"(?:(?:let['’]?s |let us )?(?:imagine|suppose|pretend|assume)(?: that)?|(?:let['’]?s )?say(?: that)?"
    r"|what if|picture this:?)"
    r"[ ,]+(?:i|i['’](?:m|ve|d)|we|we['’](?:re|ve)|my|our|the|you)\b"
    r"|\W*(?:mettiamo che|poniamo che|immagina|supongamos|imagina que|imaginons|supposons|mettons que|stell dir vor"
    r"|angenommen|nehmen wir an|suponhamos|imagine que|stel(?: je voor)?,? dat)\b",
    re.I,
)
"""A case that is supposed: "say I had two houses"."""

_OPINION = re.compile(
    r"\W*(?:(?:and|but|so|well|honestly|personally|still)[ ,]+){0,2}i (?:really |honestly |firmly |still )?"
    r"(?:think|believe|feel|reckon|suspect|guess|find|would say)(?: that)? "
    r"(?:the|it|it['’]?s|this|these|those|they|people|most|all|some|every\w*|no|there) "
    r"|\W*(?:i (?:read|heard|saw|learned|learnt|noticed)(?: somewhere| recently| once)?,? (?:that|how|about)\b)",
    re.I,
)
"""What is thought of the world, or was read of it: no fact about the one who says it."""

_IN_MY_VIEW = re.compile(r"(?P<what>[^,.]*), (?:in my (?:view|opinion|book)|if you ask me|imo)\W*$", re.I)

_ASKS_LAST = re.compile(
    r"\b(?:how (?:long|many|much|far|often|old|big|late|early|come|so)|why|which (?:one|ones|is it)|what then|where to"
    r"|when exactly)\W*$",
    re.I,
)
_SEEKS = re.compile(
    r"\W*(?:looking for|searching for|in search of|after) (?:an?|the|some|any|ideas?|something|good|tips)\b", re.I
)


def says_nothing_of_me(clause: str) -> bool:
    """Whether a clause supposes, opines, seeks or asks, by its form alone."""
    if _SUPPOSES.match(clause) or _ASKS_LAST.search(clause) or _SEEKS.match(clause):
        return True
    if view := _IN_MY_VIEW.match(clause):
        return not is_personal(view["what"])
    opinion = _OPINION.match(clause)
    return opinion is not None and not is_personal(clause[opinion.end() :])


def is_personal(clause: str) -> bool:
    """Whether the user stands in it by a pronoun of the first person."""
    return _PERSONAL.search(clause) is not None


def worth_reading(clause: str, *, answers: bool = False) -> bool:
    """Whether a clause could hold something, by a rule that costs microseconds.

    It turns away what is not two words (one is enough where it `answers` a question), what is too long to have been
    typed as a statement, greetings, thanks, asides, a word looked for, what is supposed, thought or sought, and a
    question in which nobody speaks of themselves.
    """
    if len(clause) > MAX_CLAUSE or _CHITCHAT.match(clause) or _ASIDE.match(clause):
        return False
    if _WORD_WANTED.match(clause) or says_nothing_of_me(clause):
        return False
    if clause.rstrip().endswith(("?", "？")) and not is_personal(clause):
        return False
    return _TWO_WORDS.search(clause) is not None or (answers and any(map(str.isalnum, clause)))


_TWO_WORDS = re.compile(
    r"[^\W\d_][^\s]*\s+[\w(\"'“]|[\d][^\s]*\s+[^\W\d_]|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]{3}"
)
"""Of which one has a letter; or three characters of Chinese, Japanese or Korean."""


@decodable
class _Trained(msgspec.Struct, frozen=True):
    """`models/gate.json`: one row of `weights` a class, over the scaled vector."""

    version: int
    embedder: str
    dimensions: int
    classes: list[str]
    weights: list[list[float]]
    bias: list[float]
    threshold: float
    corpus: str


class Gate:
    """The trained judge. Immutable, safe to share between threads."""

    def __init__(self, trained: _Trained) -> None:
        if tuple(trained.classes) != CLASSES:
            raise ModelError(
                "models/gate.json was trained for other kinds than this Satchel knows; run scripts/train_gate.py."
            )
        self.threshold = trained.threshold
        self.fingerprint = hashlib.sha256(msgspec.json.encode(trained)).hexdigest()[:16]
        """Another one judges otherwise."""
        self._trained = trained

    @classmethod
    def load(cls, path: Path | None = None) -> Gate:
        """The gate shipped with Satchel, or the one in `path`. ModelError when it is missing or damaged."""
        try:
            data = path.read_bytes() if path else shipped("satchel.extract", "gate.json")
            return cls(msgspec.json.decode(data, type=_Trained))
        except (OSError, msgspec.DecodeError) as error:
            raise ModelError(f"The gate's weights cannot be read ({error}); run scripts/train_gate.py.") from error

    def judge(self, vectors: NDArray[np.float32]) -> list[Verdict]:
        """One verdict for each row of `vectors`, (clauses, width) as `Reader.read` gives them.

        The kind is the likeliest of the memorable ones. ValueError when the width is not the gate's.
        """
        kinds = CLASSES[1:]
        verdicts = []
        for row in self.probabilities(vectors):
            worth = float(1.0 - row[0])
            kind = cast("Kind", kinds[int(row[1:].argmax())]) if worth >= self.threshold else None
            verdicts.append(Verdict(kind, worth))
        return verdicts

    def probabilities(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """(clauses, classes) rows that sum to 1, in the order of `CLASSES`."""
        import numpy as np

        if vectors.ndim != 2 or vectors.shape[1] != self._trained.dimensions:
            raise ValueError(f"the gate judges vectors of width {self._trained.dimensions}, not {vectors.shape}")
        weights, bias = self._matrices
        logits = np.asarray(vectors, dtype=np.float64) * SCALE @ weights.T + bias
        odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        return cast("NDArray[np.float64]", odds / odds.sum(axis=1, keepdims=True))

    @functools.cached_property
    def _matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        import numpy as np

        return np.array(self._trained.weights), np.array(self._trained.bias)
