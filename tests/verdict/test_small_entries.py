"""Entries that noise covers, and zeros: on whose scale they are right, and how many of them may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_cases import evidence

from fastgrad.verdict.rule import AGREE, FEWEST_ALIKE, UNDECIDED, compare


class TestAlike:
    """Entries that noise covers are judged on the scale of others among parameters of their size."""

    def judged(self, seen, alike, bound=5e-3, off=0.0):
        """One drowned entry beside `seen` that are 1, of which all or none are of its size."""
        claimed, numeric = np.ones(seen + 1), np.ones(seen + 1)
        claimed[-1], numeric[-1] = 1e-4 + off, 1e-4
        bounds = np.append(np.full(seen, 1e-9), bound)
        groups = np.zeros(seen + 1) if alike else np.append(np.zeros(seen), 1)
        return compare(evidence(claimed, numeric, bounds, alike=groups))

    def test_three_are_enough(self):
        """Three seen entries of its size are a scale, two are not."""
        for seen in (1, 2, FEWEST_ALIKE, 20):
            found = self.judged(seen, alike=True)
            assert found.alike[-1] == (seen >= FEWEST_ALIKE)
            assert not found.by_itself[-1]

    def test_only_of_its_own_size(self):
        """Entries among parameters of another size are no scale."""
        assert not self.judged(20, alike=False).alike.any()

    def test_only_what_was_seen_is_a_scale(self):
        """Entries that are wrong, or drowned themselves, lend no scale to others."""
        numeric = np.append(np.ones(6), 1e-4)
        bound = np.append(np.full(6, 0.5), 5e-3)
        assert not compare(evidence(numeric, numeric, bound, alike=0)).alike.any()
        claimed, bound = np.append(np.full(6, 2.0), 1e-4), np.append(np.full(6, 1e-9), 5e-3)
        assert not compare(evidence(claimed, numeric, bound, alike=0)).alike.any()

    @given(st.floats(0, 0.02), st.floats(0, 1))
    def test_to_the_resolution_on_that_scale(self, bound, where):
        """It agrees so where difference and bound are within the resolution of the others' rms."""
        off = where * bound
        found = self.judged(5, alike=True, bound=bound, off=off)
        if bound + off <= 0.0099:
            assert found.alike[-1] or found.by_itself[-1]
        if bound + off >= 0.0101:
            assert not found.alike[-1]
            assert not found.by_itself[-1]

    def test_an_error_there_is_still_wrong(self):
        """What differences can tell is wrong, however little it is on the scale of others."""
        found = self.judged(20, alike=True, bound=1e-6, off=1e-5)
        assert np.flatnonzero(found.wrong).tolist() == [20]


class TestTogether:
    """Entries that cannot be seen by themselves agree as long as they are little of the whole gradient."""

    def judged(self, seen, small, bound=1e-4, value=1e-5, off=0.0, **known):
        """`small` entries of a value that their bound covers, beside `seen` of 1; all differ in size."""
        numeric = np.append(np.ones(seen), np.full(small, value))
        claimed = numeric + np.append(np.zeros(seen), np.full(small, off))
        bounds = np.append(np.full(seen, 1e-9), np.full(small, bound))
        return compare(evidence(claimed, numeric, bounds, **known))

    @pytest.mark.parametrize(
        ("seen", "small", "agree"),
        [
            (1, 1, False),
            (2, 1, False),
            (3, 1, True),
            (2, 2, False),
            (6, 2, True),
            (24, 7, True),
            (4, 28, True),
            (3, 29, False),
            (10, 90, True),
            (10, 91, False),
        ],
    )
    def test_how_many(self, seen, small, agree):
        """Nine tenths of all at most, a quarter where there are fewer than 32, and none of two or three."""
        found = self.judged(seen, small)
        assert found.verdict == (AGREE if agree else UNDECIDED)
        if agree:
            assert found.together.tolist() == [False] * seen + [True] * small

    def test_share_is_the_norm_of_the_errors(self):
        """The share is the norm of what is off, and of what the bounds leave, in units of the gradient's."""
        found = self.judged(64, 36, bound=1e-4, z=5.0)
        spread = 6 * 1e-4 / 5.0 + 1e-4 * 3.3 / 5.0
        assert found.share == pytest.approx(spread / 8.0, rel=1e-6)
        off = self.judged(64, 36, bound=1e-4, off=1e-5, z=5.0)
        assert off.share == pytest.approx((spread + 6 * 1e-5) / 8.0, rel=1e-6)

    def test_no_more_than_twice_the_resolution(self):
        """As many agree together as keep the share within twice the resolution; the rest is undecided."""
        assert self.judged(64, 1, bound=0.079, z=1.0).together.sum() == 1  # 2 * 0.079 / 8 < 0.02
        found = self.judged(64, 1, bound=0.081, z=1.0)
        assert (found.together.sum(), found.undecided.sum()) == (0, 1)
        many = self.judged(64, 36, bound=0.03 * np.linspace(0.9, 1.1, 36), z=1.0)  # equal ones are alike
        assert 0 < many.together.sum() < 36
        assert many.together.sum() + many.undecided.sum() == 36
        assert many.share <= 0.02

    def test_sizes_make_effects(self):
        """What counts is the effect on the cost: the derivative times the size of the parameter."""
        size = np.ones(65)
        size[-1] = 100.0
        assert self.judged(64, 1, bound=1e-3).together.sum() == 1
        assert self.judged(64, 1, bound=1e-3, size=size).undecided.sum() == 1

    def test_an_error_among_them_is_still_wrong(self):
        """What differences can tell is wrong, however little it is of the whole gradient."""
        found = self.judged(64, 4, bound=1e-9, value=1e-8, off=1e-8)
        assert found.wrong.sum() == 4

    def test_those_alike_in_all_are_judged_alike(self):
        """Of entries that cannot be told apart all are right together, or none."""
        found = self.judged(6, 3)
        assert found.together.sum() in (0, 3)


class TestZero:
    def test_a_claimed_zero_is_right_on_the_scale_of_the_whole(self):
        """A bias before a normalisation has derivative zero: noise there is small beside the gradient."""
        numeric = np.array([1.0, -2.0, 1.0, 2.0, 1e-11, -1e-11])
        claimed = np.where(np.arange(6) < 4, numeric, 0.0)
        found = compare(evidence(claimed, numeric, 1e-9))
        assert found.verdict == AGREE
        assert found.together.tolist() == [False] * 4 + [True] * 2
        claimed[4] = 1e-5
        assert np.flatnonzero(compare(evidence(claimed, numeric, 1e-9)).wrong).tolist() == [4]

    def test_zeros_are_not_counted_among_the_small(self):
        """Any number of entries may be claimed zero, even beside a single one that is not."""
        numeric = np.append(1.0, np.zeros(50))
        assert compare(evidence(numeric, numeric, np.append(1e-9, np.full(50, 1e-6)))).verdict == AGREE

    def test_a_zero_does_not_depend_on_who_else_is_small(self):
        """A claimed zero that is right on the scale of the whole is so beside any small entry."""
        bound = np.array([1e-9, 1e-5, 2e-5])
        without = compare(evidence([1.0, 0.0], [1.0, 0.0], bound[[0, 2]]))
        assert without.together.tolist() == [False, True]
        beside = compare(evidence([1.0, 1e-6, 0.0], [1.0, 0.0, 0.0], bound))
        assert beside.undecided.tolist() == [False, True, False]

    def test_zero_claims_of_a_drowned_cost_are_not_right(self):
        """A gradient of zeros is not right because noise drowns the differences of a cost that moves."""
        drowned = evidence(np.zeros(2), np.zeros(2), 1e-3, steepest=1e-3)
        assert compare(drowned).verdict == UNDECIDED

    def test_a_gradient_that_is_zero_is_compared_with_how_much_the_cost_moves(self):
        """At a minimum differences are exactly zero: the steepest change beside it is the scale."""
        assert compare(evidence(np.zeros(2), np.zeros(2), 1e-20, steepest=1e-5)).verdict == AGREE
        assert compare(evidence(np.zeros(2), np.zeros(2), 1e-20, steepest=1e-19)).verdict == UNDECIDED

    def test_a_cost_that_does_not_move(self):
        """Where the cost moves by no more than its noise a claimed zero agrees, and nothing else does."""
        still = evidence([0.0, 0.0], [0.0, 1e-17], 1e-16, moves=False)
        assert compare(still).verdict == AGREE
        other = compare(evidence([0.0, 1e-18], [0.0, 1e-17], 1e-16, moves=False))
        assert other.undecided.tolist() == [False, True]
        unknown = compare(evidence([0.0], [np.nan], np.inf, moves=False))
        assert unknown.verdict == UNDECIDED

    def test_the_complex_steps_exact_zeros(self):
        """A claimed and a found zero without any error are not told to be right where nothing is known."""
        assert compare(evidence([0.0], [0.0], 0.0)).verdict == UNDECIDED
        assert compare(evidence([0.0, 1.0], [0.0, 1.0], 0.0)).verdict == AGREE
