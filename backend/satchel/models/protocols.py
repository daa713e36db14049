"""The things the rest of Satchel asks of a model, and what they answer.

Whoever needs a model takes one of these; `satchel.models.Runtime` is all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from satchel.types import ModelError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from satchel.models.registry import ModelRole, PromptFormat


class ModelDiedError(ModelError):
    """The model's process ended, or was ended because it hung, while it worked on this request. Asking again
    starts a new process."""


class ModelMissingError(ModelError):
    """The model's file is not there, or nothing is known by its name. `role` says whose turn it was: work that
    does without that model can go on."""

    def __init__(self, message: str, role: ModelRole) -> None:
        super().__init__(message)
        self.role = role


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """`reused_tokens` of the `prompt_tokens` were in the cache already. `completion_tokens` counts what was
    written, without the end-of-generation token. `seconds` is the whole, `prompt_seconds` the part until
    the first token. `finish` is "length" when `max_tokens` cut it off: under a grammar, the text may then
    be incomplete.
    """

    text: str
    prompt_tokens: int
    reused_tokens: int
    completion_tokens: int
    prompt_seconds: float
    seconds: float
    finish: Literal["stop", "length"]


class ModelState(msgspec.Struct, frozen=True, kw_only=True):
    """`error` is the last one, until the model works again. `resident` is the process's memory in bytes,
    None when it does not run or the system does not tell."""

    name: str
    role: ModelRole
    state: Literal["missing", "unloaded", "loading", "ready", "failed"]
    error: str | None = None
    resident: int | None = None
    pid: int | None = None


Adapter = Literal["gate", "rivals"]
"""What the embedding model reads with: to choose what is worth remembering, to tell what a new statement ends."""


class Passage(msgspec.Struct, frozen=True):
    """A text in pieces, of which the marked ones get a vector; `before` is what was said to it, in context only."""

    pieces: tuple[tuple[str, bool], ...]
    before: str = ""


class Embedder(Protocol):
    @property
    def dimensions(self) -> int: ...

    async def embed(self, texts: Sequence[str], *, urgent: bool = False) -> NDArray[np.float32]:
        """Unit vectors, shape (len(texts), dimensions). Urgent: somebody waits for it. Raises ModelError."""
        ...


class Reader(Protocol):
    async def read(self, passages: Sequence[Passage], *, adapter: Adapter = "gate") -> NDArray[np.float32]:
        """Unit vectors of the marked pieces, each read in its context: shape (pieces, width), passage by passage in
        order. Raises ModelError."""
        ...


class Generator(Protocol):
    @property
    def prompt_format(self) -> PromptFormat: ...

    async def generate(
        self, prompt: str, *, grammar: str | None, max_tokens: int, stop: Sequence[str] = ()
    ) -> Generation:
        """Complete `prompt` greedily, under a GBNF `grammar`. Build chat prompts with
        `satchel.models.prompts`: control tokens written as text stay text. Raises ModelError."""
        ...

    async def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """How many tokens each text has for this model."""
        ...
