"""Rulings: columns of what is known, which can be taken apart, put together and doubted."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.differences.rulings import NoiseModel, Reason, Rulings


def rulings(numeric, bound):
    """Rulings with these estimates and bounds, and nothing else to be said of them."""
    d, e = np.asarray(numeric, dtype=float), np.asarray(bound, dtype=float)
    no, nan = np.zeros(len(d), dtype=bool), np.full(len(d), np.nan)
    return Rulings(
        d, e, np.full(len(d), 1e-3), no, nan, nan, no, np.full(len(d), Reason.NOISE, dtype=np.int8)
    )


class TestNoiseModel:
    def test_grows_with_the_offset(self):
        """The deviation is the constant part plus the proportional one times |offset|, row by row."""
        noise = NoiseModel(np.array([1.0, 2.0]), np.array([0.0, 3.0]))

        assert noise.at(np.array([[-1.0, 2.0], [-1.0, 2.0]])).tolist() == [[1.0, 1.0], [5.0, 8.0]]
        assert noise.of(np.array([1])).at(np.array([[1.0]])).tolist() == [[5.0]]


class TestColumns:
    def test_taken_apart_and_joined(self):
        """Some rulings and the others, joined, are all of them in that order."""
        all_of_them = rulings([1.0, 2.0, 3.0], [0.1, 0.2, 0.3])
        parts = [all_of_them.at(np.array(at)) for at in ([2], [0, 1])]

        joined = Rulings.joined(parts)

        assert joined.numeric.tolist() == [3.0, 1.0, 2.0]
        assert joined.error_bound.tolist() == [0.3, 0.1, 0.2]

    def test_replaced(self):
        """Rulings in the place of some leave the first ones as they were."""
        first = rulings([1.0, 2.0, 3.0], [0.1, 0.2, 0.3])

        second = first.replaced(np.array([1]), rulings([9.0], [0.9]))

        assert second.numeric.tolist() == [1.0, 9.0, 3.0]
        assert first.numeric.tolist() == [1.0, 2.0, 3.0]


class TestNoBetterThan:
    def test_bound_reaches_to_the_other(self):
        """The bound covers all that the other ladder allows, and the estimate stays."""
        found = rulings([1.0], [0.1]).no_better_than(rulings([1.05], [0.1]))

        assert found.numeric.tolist() == [1.0]
        assert found.error_bound[0] == pytest.approx(0.15)

    def test_never_narrower(self):
        """Another ladder with a narrow bound does not narrow this one's."""
        assert rulings([1.0], [0.5]).no_better_than(rulings([1.0], [0.01])).error_bound.tolist() == [0.5]

    def test_unknown(self):
        """Where the two do not meet, or the other knows nothing, nothing is known."""
        for other in (rulings([2.0], [0.1]), rulings([np.nan], [np.inf])):
            found = rulings([1.0], [0.1]).no_better_than(other)

            assert np.isnan(found.numeric).all()
            assert np.isinf(found.error_bound).all()
