"""llama.cpp behind two small protocols, and the models it runs. Importing this loads neither model nor
numpy."""

from satchel.models.protocols import Embedder, Generation, Generator, ModelDiedError, ModelMissingError, ModelState
from satchel.models.registry import models_folder
from satchel.models.runtime import Runtime

__all__ = [
    "Embedder",
    "Generation",
    "Generator",
    "ModelDiedError",
    "ModelMissingError",
    "ModelState",
    "Runtime",
    "models_folder",
]
