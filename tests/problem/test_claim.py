"""The claimed gradient: its values where they are asked for."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem.claim import ClaimedGradient, same_gradient
from fastgrad.problem.parameters import Parameters

PARAMETERS = Parameters({"W": np.ones((2, 3)), "b": np.ones(2, dtype=np.float32)})
LEAVES = [np.arange(6.0), np.array([10.0, 20.0], dtype=np.float32)]


def claim(**known):
    """A claim without jitter."""
    return ClaimedGradient(PARAMETERS, list(LEAVES), None, **known)


def test_values_at_some_coordinates():
    """Values are in float64, from all blocks, with the dtypes that the user returned."""
    found = claim().at(np.array([1, 5, 7]))
    assert found.values.tolist() == [1.0, 5.0, 20.0]
    assert found.values.dtype == np.float64
    assert [dtype.name for dtype in found.dtypes] == ["float64", "float32"]


def test_jitter_goes_with_the_coordinates():
    """How far repeats were apart is known for each coordinate that is asked for."""
    jittery = ClaimedGradient(PARAMETERS, list(LEAVES), [np.linspace(0, 0.5, 6), np.zeros(2)])
    assert jittery.at(np.array([0, 5, 6])).jitter.tolist() == [0.0, 0.5, 0.0]


def test_narrowed():
    """An answer that was not copied can be let go, but for the coordinates that are still needed."""
    narrowed = claim(at_watched=np.ones(8))
    narrowed.narrow(np.array([1, 5, 7]))
    assert narrowed.leaves == []
    assert narrowed.at(np.array([1, 7])).values.tolist() == [1.0, 20.0]


def test_written_into():
    """A cost that writes into the answer of the gradient function is refused."""
    kept = claim(at_watched=np.concatenate([leaf.astype(float) for leaf in LEAVES]))
    kept.require_unchanged()
    kept.leaves[0] = kept.leaves[0] + 1
    with pytest.raises(InputError, match="the cost writes into the array"):
        kept.require_unchanged()


@pytest.mark.parametrize(
    ("b", "tolerance", "same"),
    [([1.0, np.nan], 0.0, True), ([1.0 + 1e-9, np.nan], 0.0, False), ([1.0 + 1e-9, 2.0], 1e-6, True)],
)
def test_same_gradient(b, tolerance, same):
    """Two gradients are the same to the last digit, NaN to NaN, or to a share of the largest entry."""
    a = np.array([1.0, np.nan if np.isnan(b[1]) else 2.0])
    assert same_gradient(a, np.array(b), tolerance) == same
