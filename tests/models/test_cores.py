"""A model leaves the cores that other programs work on to them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from satchel.models.cores import WINDOW_SECONDS, Cores, Usage, usage


def cores(most: int, *seen: Usage | None) -> Cores:
    looks: Iterator[Usage | None] = iter(seen)
    return Cores(most, lambda: next(looks))


@pytest.mark.parametrize(("others", "free"), [(0.0, 4), (0.3, 4), (0.8, 3), (2.1, 2), (3.9, 1), (9.0, 1)])
def test_what_others_work_on_is_left_to_them(others: float, free: int) -> None:
    own = 3.0
    assert cores(4, Usage(0, 0, 0), Usage(1, own + others, own)).free() == free


def test_its_own_work_is_not_taken_for_others() -> None:
    assert cores(2, Usage(0, 0, 0), Usage(10, 20, 20)).free() == 2


def test_a_look_too_soon_changes_nothing() -> None:
    shared = cores(2, Usage(0, 0, 0), Usage(1, 1.9, 0), Usage(1 + WINDOW_SECONDS / 2, 1.9, 0))
    assert shared.free() == 1
    assert shared.free() == 1


def test_where_the_system_does_not_tell_all_are_used() -> None:
    assert cores(2, None, None).free() == 2


def test_this_system_tells() -> None:
    seen = usage()
    assert seen is None or seen.all >= 0
