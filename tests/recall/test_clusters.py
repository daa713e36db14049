"""Groups of memories and their names."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from satchel.recall.clusters import FEWEST_MEMBERS, MOST, grouped, named

places_ = hnp.arrays(
    np.float32, st.tuples(st.integers(0, 120), st.just(2)), elements=st.floats(0, 1, width=32, allow_nan=False)
)
tagged_ = st.lists(
    st.tuples(st.integers(0, 5), st.lists(st.sampled_from(["tea", "bees", "2019", "", "Oboe"]), max_size=3)),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(places_)
def test_no_group_is_tiny_and_they_are_few(places: NDArray[np.float32]) -> None:
    groups = grouped(places)
    sizes = np.bincount(groups) if len(groups) else np.array([], np.int64)
    assert len(groups) == len(places)
    assert len(sizes) <= MOST
    assert (sizes > 0).all()
    assert (np.diff(sizes) <= 0).all()
    assert len(sizes) < 2 or sizes.min() >= FEWEST_MEMBERS


def test_what_lies_apart_is_told_apart() -> None:
    centres = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    places = np.repeat(centres, 20, axis=0) + np.random.default_rng(0).normal(0, 0.02, (80, 2)).astype(np.float32)
    groups = grouped(places.astype(np.float32))
    assert len(set(groups.tolist())) == 4
    assert all(len(set(groups[n * 20 : n * 20 + 20].tolist())) == 1 for n in range(4))


@settings(deadline=None)
@given(tagged_)
def test_no_name_is_given_twice(tagged: list[tuple[int, list[str]]]) -> None:
    names = named([group for group, _ in tagged], [tags for _, tags in tagged], ["Some key"] * len(tagged))
    assert len(names) == max((group for group, _ in tagged), default=-1) + 1
    assert len(set(names)) == len(names)
    assert all(names)


def test_a_group_is_called_by_what_marks_it() -> None:
    tags = [["london", "tea"]] * 4 + [["london", "bees", "hive"], ["london", "bees"], ["bees"], ["bees", "london"]]
    assert named([0] * 4 + [1] * 4, tags, [""] * 8) == ["tea", "bees"]


def test_keys_stand_in_where_there_are_no_tags() -> None:
    assert named([0, 0, 1, 1], [[]] * 4, ["Oboe", "The oboe", "Chess", "Chess"]) == ["oboe", "chess"]
