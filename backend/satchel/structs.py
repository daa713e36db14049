"""Structs that several threads may decode.

msgspec works out a Struct's fields when it is first decoded or converted to. Python code runs meanwhile, so that
another thread may take its turn; if that one needs the same Struct, it finds the fields half made, and the process dies
of a null pointer (seen with msgspec 0.22.0: a question right after the start, beside the indexer, both reading the list
of models).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

S = TypeVar("S", bound=type[msgspec.Struct])


def decodable(struct: S) -> S:
    """A class decorator: has the fields, and those of the Structs in them, worked out on import, by one thread."""
    msgspec.json.Decoder(struct)
    return struct
