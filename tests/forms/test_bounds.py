"""Bounds as scipy's optimisers take them, and functions that are not called beyond them."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy.optimize import Bounds

from fastgrad.errors import InputError
from fastgrad.forms.bounds import Box, Within, within


def root(x):
    """Not defined below zero."""
    assert (x >= 0).all()
    return np.sqrt(x)


class TestBox:
    # bounds, low, high
    OF_MINIMIZE = (
        (None, [-np.inf, -np.inf], [np.inf, np.inf]),
        ([(0, 1), (None, 2.0)], [0, -np.inf], [1, 2]),
        (np.array([[0, 1], [1, 2]]), [0, 1], [1, 2]),
        (Bounds(0, [1, 2]), [0, 0], [1, 2]),
    )

    @pytest.mark.parametrize(("bounds", "low", "high"), OF_MINIMIZE)
    def test_of_minimize(self, bounds, low, high):
        """Pairs, an array of pairs, Bounds and None are read as scipy reads them."""
        box = Box.of_minimize(bounds, 2)
        assert (box.lower.tolist(), box.upper.tolist()) == (low, high)

    @pytest.mark.parametrize("bounds", [(0, [1, 2]), ([0, 0], np.array([1, 2])), Bounds(0, [1, 2])])
    def test_of_least_squares(self, bounds):
        """Of least_squares they are two, each a number or one for each entry."""
        box = Box.of_least_squares(bounds, 2)
        assert (box.lower.tolist(), box.upper.tolist()) == ([0, 0], [1, 2])

    @pytest.mark.parametrize("bounds", [None, (1, 2, 3), 5])
    def test_not_of_least_squares(self, bounds):
        """Anything else is refused with what came."""
        with pytest.raises(InputError, match=r"or a scipy\.optimize\.Bounds; got"):
            Box.of_least_squares(bounds, 2)

    def test_nan(self):
        """A bound that is no number leaves no room."""
        with pytest.raises(InputError, match=r"the bounds of x0\[1\] leave it no room: nan to 1"):
            Box.of_minimize([(0, 1), (np.nan, 1)], 2)

    def test_free_and_fixed(self):
        """Equal bounds fix a coordinate."""
        box = Box.of_minimize([(0, 1), (1, 1), (None, None)], 3)
        assert (box.free.tolist(), box.fixed.tolist()) == ([0, 2], [1])

    def test_outside(self):
        """The first entry outside is named, by its label where it has one; on a bound is inside."""
        box = Box.of_minimize([(0, 1)] * 2, 2)
        box.require_inside(np.array([0.0, 1.0]), None)
        with pytest.raises(InputError, match=r"x0\['b'\] = 2 is not between 0 and 1"):
            box.require_inside(np.array([0.5, 2.0]), ("a", "b"))


class TestWithin:
    def test_not_called_outside(self):
        """Beyond a bound the value is NaN, and the function is not called."""
        inside = within(root, Box.of_minimize([(0, None)] * 2, 2), np.full(2, np.nan))
        assert inside(np.array([4.0, 0.0])).tolist() == [2.0, 0.0]
        assert np.isnan(inside(np.array([4.0, -1e-9]))).all()
        assert inside.__name__ == "root"

    def test_without_bounds(self):
        """Without bounds it is the function itself, which can be recorded or compiled."""
        assert within(root, Box.of_minimize(None, 2), np.nan) is root

    def test_copies_for_workers(self):
        """It can be pickled, and a copy for a worker does the same."""
        inside = Within(root, Box.of_minimize([(0, 1)], 1), np.nan)
        for other in (pickle.loads(pickle.dumps(inside)), inside.for_worker()):
            assert np.isnan(other(np.array([2.0])))
