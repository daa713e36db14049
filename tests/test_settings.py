"""Every setting is listed, with what a person needs to know of it."""

from __future__ import annotations

import msgspec
import pytest

from satchel.config import Config
from satchel.settings import AT_THE_NEXT_START, Setting, settings, value_of

KEYS = [f"{section.name}.{key}" for section in msgspec.structs.fields(Config) for key in section.type.__struct_fields__]
LISTED = {setting.key: setting for setting in settings()}


def test_every_key_of_the_settings_is_listed() -> None:
    assert list(LISTED) == KEYS
    assert set(KEYS) >= AT_THE_NEXT_START


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_a_description_that_is_a_sentence(key: str) -> None:
    assert len(LISTED[key].description) > 20
    assert LISTED[key].description.endswith(".")
    assert LISTED[key].default == value_of(Config(), key)


def test_bounds_and_choices_are_those_of_the_structs() -> None:
    def told(key: str) -> tuple[object, ...]:
        one: Setting = LISTED[key]
        return one.type, one.minimum, one.maximum, one.choices

    assert told("server.port") == ("integer", 1, 65535, None)
    assert told("recall.threshold") == ("number", 0, 1, None)
    assert told("models.idle_seconds") == ("number", 0, None, None)
    assert told("models.embed") == ("text", None, None, None)
    assert told("extract.keep_out") == ("choices", None, None, ("health", "politics", "religion", "sex"))
