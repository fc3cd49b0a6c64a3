"""Laws of the rule: no other entry loosens it for any, and neither units nor order matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_cases import evidence, evidences, joined, part_of

from fastgrad.verdict.rule import AGREE, compare, compare_by_tolerance


class TestNothingGrows:
    """No tolerance grows with the size of an array, nor with another entry of it."""

    @given(evidences(), evidences(), st.sampled_from([None, 1e-3]))
    def test_what_is_wrong_does_not_depend_on_others(self, known, others, tolerance):
        """An entry is as wrong, and is allowed as much, beside any others as it is alone."""

        def judged(some):
            if tolerance is None:
                return compare(some)
            return compare_by_tolerance(some, np.ones(len(some.claimed)), tolerance)

        m = len(known.claimed)
        alone, among = judged(known), judged(joined(known, others))
        np.testing.assert_array_equal(among.wrong[:m], alone.wrong)
        np.testing.assert_array_equal(among.allowed[:m], alone.allowed)
        np.testing.assert_array_equal(among.rho[:m], alone.rho)
        np.testing.assert_array_equal(among.by_itself[:m], alone.by_itself)

    @pytest.mark.parametrize("tolerance", [None, 1e-7])
    @pytest.mark.parametrize("n", [1, 10, 100_000])
    def test_one_wrong_entry_never_drowns(self, n, tolerance):
        """One entry off by 1 part in 100,000 is found in an array of any size, also by a fixed tolerance."""
        known = evidence(np.ones(n), np.ones(n))
        known.claimed[n // 2] += 1e-5
        found = compare(known) if tolerance is None else compare_by_tolerance(known, np.ones(n), tolerance)
        assert np.flatnonzero(found.wrong).tolist() == [n // 2]


FLAGS = ("wrong", "undecided", "alike", "together", "subgradient", "severity", "rho")


class TestInvariance:
    @given(evidences(), st.integers(-40, 40))
    def test_the_costs_unit(self, known, exponent):
        """A cost in another unit gets the same verdicts, all its slopes being multiplied."""
        c = 2.0**exponent
        scaled = replace(
            known, claimed=c * known.claimed, numeric=c * known.numeric, error_bound=c * known.error_bound,
            rounding=c * known.rounding, steepest=c * known.steepest,
        )  # fmt: skip
        one, other = compare(known), compare(scaled)
        for name in FLAGS:
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name), err_msg=name)
        assert other.share == one.share

    @given(evidences(), st.lists(st.integers(-60, 60), min_size=4, max_size=4))
    def test_the_parameters_units(self, known, exponents):
        """Parameters in other units, those of a size in the same one, get the same verdicts."""
        c = 2.0 ** np.array(exponents)[known.alike]
        scaled = replace(
            known, claimed=known.claimed / c, numeric=known.numeric / c, error_bound=known.error_bound / c,
            rounding=known.rounding / c, size=c * known.size,
        )  # fmt: skip
        one, other = compare(known), compare(scaled)
        for name in FLAGS:
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name), err_msg=name)
        assert other.share == one.share

    @given(evidences(), st.randoms(use_true_random=False))
    def test_the_order(self, known, random):
        """The order of the coordinates does not matter."""
        m = len(known.claimed)
        known = replace(known, size=known.size * (1 + 1e-3 * np.arange(m)))  # else TestTogether, alike in all
        order = np.array(random.sample(range(m), m))
        one, other = compare(known), compare(part_of(known, order))
        for name in FLAGS:
            np.testing.assert_array_equal(getattr(other, name), getattr(one, name)[order], err_msg=name)
        assert other.share == pytest.approx(one.share, rel=1e-12)

    @pytest.mark.parametrize("unit", [1e-200, 1.0, 1e200])
    def test_units_whose_squares_leave_the_range(self, unit):
        """Slopes of 1e200, or 1e-200, are judged together as any others are."""
        numeric, bound = np.append(np.ones(6), 1e-5), np.append(np.full(6, 1e-9), 1e-4)
        assert compare(evidence(unit * numeric, unit * numeric, unit * bound)).verdict == AGREE
