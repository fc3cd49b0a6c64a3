"""Compensated sums, as accurate as they are said to be."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_cases import INF, NAN, compensated_sum

from fastgrad.kernels.sums import BLOCK


class TestSums:
    @settings(deadline=None, max_examples=150, derandomize=True)
    @given(st.lists(st.floats(-1e100, 1e100), max_size=600))
    def test_bound(self, terms):
        """The sum is within u |S| + 2 d**2 u**2 sum |t| of the exact one, as the module says."""
        exact = sum(map(Fraction, terms), Fraction(0))
        u, d = Fraction(1, 2**53), math.ceil(math.log2(BLOCK) + len(terms) / BLOCK)
        bound = u * abs(exact) + 2 * d**2 * u**2 * sum(abs(Fraction(t)) for t in terms)

        got = Fraction(float(compensated_sum(np.array(terms))))

        assert abs(got - exact) <= bound + Fraction(math.ulp(0.0))

    @pytest.mark.parametrize("size", [0, 1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5])
    def test_sizes(self, size):
        """Every term is counted once, for any number of them."""
        assert compensated_sum(2.0 ** -np.arange(size)) == math.fsum(2.0 ** -np.arange(size))
        assert compensated_sum(np.ones(size)) == size

    def test_naive_sum_would_fail(self):
        """The test of accuracy can fail: a plain sum of the same terms is off by hundreds of ulp."""
        terms = np.full(100_000, 0.1)
        naive = sum(terms.tolist())
        exact = math.fsum(terms)

        assert abs(naive - exact) > 100 * math.ulp(exact)
        assert compensated_sum(terms) == exact

    @pytest.mark.parametrize(
        ("extra", "expected"), [([INF], INF), ([-INF], -INF), ([INF, -INF], NAN), ([NAN], NAN)]
    )
    def test_non_finite(self, extra, expected):
        """Infinite and undefined terms surface, wherever they stand."""
        for place in (0, 100, 300):
            terms = np.insert(np.ones(300), place, extra)

            np.testing.assert_equal(compensated_sum(terms), expected)
