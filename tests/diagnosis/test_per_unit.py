"""A factor of its own for each unit: an activation's derivative."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import MATRIX, VECTOR, Bugs, backprop, block, kinds, put, said

from fastgrad.diagnosis.diagnose import diagnose


class TestPerUnitNamed:
    def test_derivative_with_one_example(self):
        """With a batch of one a wrong activation derivative is a factor for each unit, beside the layers."""
        found = said(backprop(Bugs(batch=1, derivative="1")), batch=1)

        assert [kind for kind, _ in found] == ["per unit", "per unit", "delta"]
        assert found[1][1] == (
            "W2: each column has its own factor claimed / numeric, from 1.004 to 2.137 beside an L2 "
            "term: look at the derivative of an activation, missing or taken at z instead of a (a batch "
            "of one shows it)"
        )

    @pytest.mark.parametrize("axis", [0, 1])
    def test_factor_of_each_unit(self, axis):
        """A factor for each column or row is read off with its range, without an L2 term too."""
        factors = np.linspace(0.5, 1.5, MATRIX.shape[axis])
        g = MATRIX * (factors if axis else factors[:, None])

        (found,) = diagnose([block("W", g, MATRIX)])

        unit = ("row", "column")[axis]
        assert f"each {unit} has its own factor claimed / numeric, from 0.5 to 1.5: look" in found.sentence


class TestPerUnitNotNamed:
    def test_few_of_the_units(self):
        """Where one column of many is off by a factor, it says more which one."""
        rng = np.random.default_rng(6)
        d = rng.normal(size=(40, 6))

        assert kinds(block("W", put(d, (slice(None), 2), lambda v: 3.3 * v), d)) == ["rectangle"]

    def test_two_by_two(self):
        """Two factors for four entries say nothing."""
        assert kinds(block("W", MATRIX[:2, :2] * [0.5, 1.5], MATRIX[:2, :2])) == ["unexplained"]

    def test_block_of_zeros(self):
        """A claim next to zero is not called the gradient of a block whose gradient is zero."""
        none = block("v", np.zeros(12), np.zeros(12), e=1e-9)

        assert kinds(block("w", 1e-12 * VECTOR[::-1] ** 2, VECTOR), none) == ["unexplained"]

    def test_factors_in_no_columns(self):
        """A factor for each entry is not a factor for each unit."""
        rng = np.random.default_rng(6)
        assert kinds(block("W", MATRIX * rng.uniform(0.5, 1.5, size=(6, 5)), MATRIX)) == ["unexplained"]

    def test_row_of_columns(self):
        """With one entry for each column, each has a factor of its own, which says nothing."""
        rng = np.random.default_rng(6)
        assert kinds(block("W", MATRIX[:1] * rng.uniform(0.5, 1.5, size=5), MATRIX[:1])) == ["unexplained"]
