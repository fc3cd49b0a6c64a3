"""The claimed gradient: its values where they are asked for, and whether it was written to."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.errors import InputError
from fastgrad.problem import claim
from fastgrad.problem.claim import ClaimedGradient, same_gradient, watched
from fastgrad.problem.parameters import Parameters

PARAMETERS = Parameters({"a": np.zeros(3), "b": np.zeros((2, 2), dtype=np.float32)})


def claimed(**fields):
    """A claim of 0, 1, ..., 6 in the dtypes of the parameters."""
    leaves = [np.arange(3.0), np.arange(3, 7, dtype=np.float32)]
    return ClaimedGradient(PARAMETERS, leaves, **{"jitter": None} | fields)


class TestAt:
    def test_values(self):
        """What is claimed at some coordinates comes in float64, in their order, with the user's dtypes."""
        found = claimed(stale=True, notes=("a note",)).at(np.array([5, 0, 3]))

        assert found.values.tolist() == [5.0, 0.0, 3.0]
        assert found.values.dtype == np.float64
        assert found.dtypes == (np.float64, np.float32)
        assert (found.stale, found.notes, found.jitter.tolist()) == (True, ("a note",), [0.0])

    def test_jitter(self):
        """How far repeats were apart is given for the same coordinates."""
        jitter = [np.full(3, 0.5), np.arange(4.0)]

        assert claimed(jitter=jitter).at(np.array([0, 4, 6])).jitter.tolist() == [0.5, 1.0, 3.0]


class TestNarrow:
    def test_answers_that_were_not_copied(self):
        """Narrowed to some coordinates, it answers for these and lets go of the others."""
        it = claimed(seen=np.arange(7.0))
        it.narrow(np.array([1, 4, 6]))

        assert it.leaves == []
        assert it.at(np.array([1, 6])).values.tolist() == [1.0, 6.0]
        it.require_unchanged()

    def test_answers_that_were_copied(self):
        """A claim that is fastgrad's own stays whole."""
        it = claimed()
        it.narrow(np.array([1]))

        assert it.at(np.array([5])).values.tolist() == [5.0]


class TestRequireUnchanged:
    def test_written_to(self):
        """A claim that was taken as it is, and then written to, is lost: that is refused."""
        it = claimed(seen=np.arange(7.0))
        it.require_unchanged()
        it.leaves[0][1] += 1.0

        with pytest.raises(InputError, match="the cost writes into the array that the gradient function"):
            it.require_unchanged()


class TestWatched:
    def test_all_of_few_and_some_of_many(self, monkeypatch):
        """All coordinates of a small gradient are watched, of a large one some that are spread over all."""
        assert watched(PARAMETERS).tolist() == list(range(7))
        monkeypatch.setattr(claim, "SMALL_ENOUGH_TO_KEEP", 6)
        monkeypatch.setattr(claim, "WATCHED", 3)
        some = watched(PARAMETERS)

        assert len(some) == 3
        assert (np.diff(some) > 1).all()


class TestSameGradient:
    @pytest.mark.parametrize(
        ("a", "b", "tolerance", "same"),
        [
            ([1.0, np.nan], [1.0, np.nan], 0.0, True),
            ([1.0, 2.0], [1.0, 2.0 + 1e-15], 0.0, False),
            ([1.0, 1e6], [1.5, 1e6], 1e-6, True),
            ([1.0, 1e6], [3.0, 1e6], 1e-6, False),
            ([1.0, np.nan], [1.0, 1.0], 1e-6, False),
            ([], [], 0.0, True),
        ],
    )
    def test_table(self, a, b, tolerance, same):
        """Equal is equal to the bit, NaN to NaN, or to a share of the largest entry."""
        assert same_gradient(np.array(a), np.array(b), tolerance) == same
