"""llama.cpp behind small protocols, and the models it runs. Importing this loads neither model nor
numpy."""

from satchel.models.protocols import (
    Adapter,
    Embedder,
    Generation,
    Generator,
    ModelDiedError,
    ModelMissingError,
    ModelState,
    Passage,
    Reader,
)
from satchel.models.registry import models_folder
from satchel.models.runtime import Runtime

__all__ = [
    "Adapter",
    "Embedder",
    "Generation",
    "Generator",
    "ModelDiedError",
    "ModelMissingError",
    "ModelState",
    "Passage",
    "Reader",
    "Runtime",
    "models_folder",
]
