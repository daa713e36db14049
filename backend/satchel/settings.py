"""Every setting that there is, read from the Structs of `config`: kind, bounds, choices, default and description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import inspect

from satchel.config import Config

SettingType = Literal["number", "integer", "text", "choices"]

AT_THE_NEXT_START = frozenset({"server.port", "models.generate", "models.embed"})
"""What a running daemon cannot change: vectors and memories are stamped with the model that made them, and work under
way counts on its staying the same."""


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """`minimum` and `maximum` are those of numbers, None where there is none; of `choices` any number may be taken."""

    key: str
    type: SettingType
    default: Any
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] | None = None


def settings() -> tuple[Setting, ...]:
    """All of them, in the order of the file."""
    return tuple(_all())


def value_of(config: Config, key: str) -> Any:
    """What `config` says of a key, as JSON has it."""
    section, _, name = key.partition(".")
    return msgspec.to_builtins(getattr(getattr(config, section), name))


def _all() -> Iterator[Setting]:
    default = Config()
    for section in msgspec.structs.fields(Config):
        for field in msgspec.structs.fields(section.type):
            key = f"{section.name}.{field.name}"
            told = inspect.type_info(field.type)
            assert isinstance(told, inspect.Metadata), f"{key} has no description"
            description = (told.extra_json_schema or {})["description"]
            yield Setting(key=key, default=value_of(default, key), description=description, **_kind(told.type))


def _kind(told: inspect.Type) -> dict[str, Any]:
    """Type, bounds and choices."""
    match told:
        case inspect.UnionType():
            (one,) = (each for each in told.types if not isinstance(each, inspect.NoneType))
            return _kind(one)
        case inspect.IntType() | inspect.FloatType():
            bounds = {
                "minimum": told.gt if told.ge is None else told.ge,
                "maximum": told.lt if told.le is None else told.le,
            }
            return {"type": "integer" if isinstance(told, inspect.IntType) else "number", **bounds}
        case inspect.VarTupleType(item_type=inspect.LiteralType(values=values)):
            return {"type": "choices", "choices": tuple(map(str, values))}
        case inspect.StrType():
            return {"type": "text"}
    raise TypeError(f"a setting of a kind that nobody shows: {told}")
