"""Vectors as points of a plane."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.manifold import trustworthiness

from satchel.recall.projection import GivenUpError, framed, nearest, principal, project

rows_ = hnp.arrays(
    np.float32,
    st.tuples(st.integers(0, 12), st.integers(3, 8)),
    elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
)


def heaps(count: int, number: int, seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Unit vectors around `number` centres, and whose each is."""
    chance = np.random.default_rng(seed)
    which = np.arange(count) % number
    rows = chance.normal(size=(number, 64))[which] + chance.normal(size=(count, 64)) * 0.7
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32), which


@settings(max_examples=40, deadline=None)
@given(rows_)
def test_any_vectors_have_places_in_the_unit_square(rows: NDArray[np.float32]) -> None:
    places = project(rows)
    assert places.shape == (len(rows), 2)
    assert np.isfinite(places).all()
    assert (places >= 0).all()
    assert (places <= 1).all()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
def test_equal_vectors_have_places_too(count: int) -> None:
    places = project(np.ones((count, 384), np.float32))
    assert places.shape == (count, 2)
    assert ((places >= 0) & (places <= 1)).all()


def test_the_same_vectors_give_the_same_picture() -> None:
    rows, _ = heaps(150, 5)
    assert np.array_equal(project(rows), project(rows.copy()))


def test_what_means_the_same_lies_together_more_than_by_principal_components() -> None:
    rows, which = heaps(600, 40)
    places = project(rows)
    ours, theirs = (trustworthiness(rows, found, n_neighbors=8) for found in (places, framed(principal(rows))))
    assert ours > 0.9 > theirs
    _, near = nearest(places, 5)
    assert (which[near] == which[:, None]).mean() > 0.9


def test_it_ends_soon_when_nobody_wants_it() -> None:
    asked = 0

    def given_up() -> bool:
        nonlocal asked
        asked += 1
        return asked > 3

    with pytest.raises(GivenUpError):
        project(heaps(60, 3)[0], given_up=given_up)
    assert asked == 4


@pytest.mark.parametrize("count", [2, 5, 40])
def test_nobody_is_its_own_neighbour(count: int) -> None:
    for rows in (heaps(count, 2)[0], np.ones((count, 8), np.float32)):
        far, near = nearest(rows, 30)
        assert near.shape == far.shape == (count, min(30, count - 1))
        assert not (near == np.arange(count)[:, None]).any()
