"""The verdict: right gradients agree, wrong ones do not, and no other entry loosens the rule for any."""

from __future__ import annotations

import re
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.errors import InputError
from fastgrad.options import check_tolerance
from fastgrad.verdict.rule import (
    AGREE,
    COUNTS,
    DISAGREE,
    FEWEST_ALIKE,
    RESOLUTION,
    UNDECIDED,
    Evidence,
    compare,
    compare_by_tolerance,
    overall,
)


def evidence(claimed, numeric, bound=0.0, rounding=0.0, size=1.0, alike=None, **known):
    """What is known of m coordinates; all differ in size unless `alike` says that they do not."""
    m = len(claimed)
    columns = (np.broadcast_to(np.asarray(v, dtype=float), m).copy() for v in (bound, rounding, size))
    groups = np.arange(m) if alike is None else np.broadcast_to(np.asarray(alike, dtype=np.intp), m)
    numeric = np.asarray(numeric, dtype=float)
    return Evidence(np.asarray(claimed, dtype=float), numeric, *columns, groups, **known)


def part_of(known, at):
    """The evidence on some of the coordinates, in that order."""
    columns = {f.name: getattr(known, f.name) for f in fields(known)}
    return replace(known, **{name: v[at] for name, v in columns.items() if isinstance(v, np.ndarray)})


def joined(known, more):
    """The evidence on the coordinates of two, of which the first gives what is no column."""
    columns = {f.name: getattr(known, f.name) for f in fields(known)}
    some = {name: v for name, v in columns.items() if isinstance(v, np.ndarray)}
    return replace(known, **{name: np.concatenate([v, getattr(more, name)]) for name, v in some.items()})


small_numbers = st.floats(1e-12, 1e12).flatmap(lambda v: st.sampled_from([v, -v]))
bounds = st.one_of(st.just(0.0), st.floats(1e-20, 1e12))


@st.composite
def evidences(draw, least=1, most=12):
    """Coordinates of any derivative, bound, size and group, some with a right claim and some without."""
    m = draw(st.integers(least, most))
    numbers = lambda each: np.array(draw(st.lists(each, min_size=m, max_size=m)))  # noqa: E731
    numeric = numbers(st.one_of(small_numbers, st.just(0.0), st.just(np.nan)))
    claimed = numbers(st.one_of(small_numbers, st.just(0.0), st.just(np.nan)))
    near = numbers(st.booleans())
    claimed = np.where(near & ~np.isnan(numeric), numeric * (1 + 1e-5 * numbers(st.floats(-1, 1))), claimed)
    known = evidence(
        claimed, numeric, np.where(np.isnan(numeric), np.inf, numbers(bounds)),
        rounding=1e-9 * np.abs(np.nan_to_num(claimed)), size=numbers(st.floats(1e-9, 1e9)),
        alike=numbers(st.integers(0, 3)),
    )  # fmt: skip
    return replace(
        known, steepest=draw(st.one_of(st.just(0.0), st.floats(1e-9, 1e6))), moves=draw(st.booleans())
    )


class TestTwins:
    """Each gradient has a good twin, and a bad one that is off by a known small amount."""

    # cost, gradient, parameters: f = exp(-a'x), as in Ceres, since "derivatives are easy", and others
    A = np.array([0.5, -0.25, 1.0])
    CASES = (
        ("exp(-a'x)", lambda x, a=A: np.exp(-(a @ x)), lambda x, a=A: -a * np.exp(-(a @ x)), np.ones(3)),
        ("sum x^3", lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.5, -2.0, 0.75])),
        ("8 + log", lambda x: 8 + np.sum(np.log(x)), lambda x: 1 / x, np.array([0.5, 1.0, 4.0])),
        (
            "1e-6 sin",
            lambda x: 1e-6 * np.sum(np.sin(x)),
            lambda x: 1e-6 * np.cos(x),
            np.array([0.1, 1.0, 2.0]),
        ),
    )
    NAMES = tuple(case[0] for case in CASES)

    # dtype of the parameters, method, size of the planted error relative to its entry
    ERRORS = (
        (np.float64, "forward", 1e-2),
        (np.float64, "central", 3e-6),
        (np.float64, "central4", 3e-6),
        (np.float64, "complex", 3e-6),
        (np.float32, "central", 0.3),
    )

    @pytest.mark.parametrize(("dtype", "method", "error"), ERRORS)
    @pytest.mark.parametrize("case", CASES, ids=NAMES)
    def test_good_and_bad(self, case, dtype, method, error):
        """The good twin agrees; the bad one is caught at its entry, and passes when tolerance opens."""
        _, cost, gradient, x = case
        x = x.astype(dtype)

        def bad(x):
            g = gradient(x).copy()
            g[1] *= 1 + error
            return g

        good_report = fastgrad.check_gradient(cost, gradient, x, method=method)
        bad_report = fastgrad.check_gradient(cost, bad, x, method=method)
        opened = fastgrad.check_gradient(cost, bad, x, method=method, tolerance=2 * error)
        assert good_report.verdict == AGREE
        assert [f.index for f in bad_report.wrong] == [(1,)]
        assert bad_report.verdict == DISAGREE
        assert opened.verdict == AGREE

    @pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 2.0, 1e6, 1e-6])
    def test_gross_errors(self, factor):
        """A gradient with the wrong sign, factor or scale, or of zeros, is wrong at every entry."""
        report = fastgrad.check_gradient(
            lambda x: np.sum(x**2), lambda x: factor * 2 * x, np.array([1.0, 2.0])
        )
        assert len(report.wrong) == 2

    def test_huge_gradient(self):
        """A gradient of 1e200, whose square overflows, is checked like any other."""

        def cost(x):
            return 1e200 * x[0] + 2e200 * x[1]

        good, bad = np.array([1e200, 2e200]), np.array([1e200, 7e200])
        assert fastgrad.check_gradient(cost, good, np.ones(2)).passed
        assert [f.index for f in fastgrad.check_gradient(cost, bad, np.ones(2)).wrong] == [(1,)]


class TestOwnScale:
    # claimed, numeric, bound, verdict: |g - d| > e + 1e-6 s disagrees, (|g - d| + e) / s <= 1e-2 agrees
    TABLE = (
        (1.0, 1.0, 0.0, AGREE),
        (1.0 + 0.99e-6, 1.0, 0.0, AGREE),
        (1.0 + 1.01e-6, 1.0, 0.0, DISAGREE),
        (1.0 + 1.5e-6, 1.0, 0.4e-6, DISAGREE),
        (1.0 + 1.5e-6, 1.0, 0.6e-6, AGREE),  # the bound may account for it, and shows in rho
        (1.005, 1.0, 0.0049, DISAGREE),
        (1.004, 1.0, 0.0059, AGREE),
        (1.004, 1.0, 0.0069, UNDECIDED),
        (1.5, 1.0, 0.4, DISAGREE),  # a wide bound still shows a wider error
        (1.0, 1.0, 0.1, UNDECIDED),  # and hides a narrower one
        (-1.0, 1.0, 1e-3, DISAGREE),
        (0.0, 1e-300, 0.0, DISAGREE),  # no difference is too small to count
        (1e-300, 0.0, 0.0, DISAGREE),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "bound", "verdict"), TABLE)
    def test_table(self, claimed, numeric, bound, verdict):
        """An entry alone is wrong, right to a share of itself, or undecided, by the rule as it is written."""
        found = compare(evidence([claimed], [numeric], bound))
        assert found.verdict == verdict
        assert found.wrong.tolist() == [verdict == DISAGREE]
        assert found.undecided.tolist() == [verdict == UNDECIDED]
        assert found.by_itself.tolist() == [verdict == AGREE]

    def test_the_rule_is_said(self):
        """The rule that decided is said with its numbers."""
        assert compare(evidence([1.0], [1.0]), 0.125).rule == (
            "disagrees if |claimed - numeric| > allowed = bound + the claim's own rounding + 1e-06 * "
            "max(|claimed|, |numeric|), and agrees if it is seen to 0.125 of itself"
        )

    @pytest.mark.parametrize("n", [2, 10, 100_000])
    def test_an_entry_far_smaller_than_all_others_is_wrong_when_differences_tell(self, n):
        """One entry 1e-8 of its neighbours and 1% off is wrong where its bound is a tenth of that."""
        numeric = np.ones(n)
        numeric[n // 2] = 1e-8
        claimed, bound = numeric.copy(), 1e-9 * numeric
        claimed[n // 2] *= 1.01
        bound[n // 2] = 1e-11
        assert np.flatnonzero(compare(evidence(claimed, numeric, bound)).wrong).tolist() == [n // 2]
        assert compare(evidence(numeric, numeric, bound)).verdict == AGREE

    @given(st.floats(0, 0.99))
    def test_an_error_under_what_counts_agrees_and_shows(self, share):
        """An error of less than 1e-6 of an entry agrees, and rho says how large it is."""
        found = compare(evidence([1.0 + share * COUNTS], [1.0], 1e-12))
        assert found.verdict == AGREE
        assert found.rho[0] == pytest.approx(share * COUNTS + 1e-12, rel=1e-3, abs=1e-15)

    def test_the_claims_own_rounding_is_allowed(self):
        """What the claim's arithmetic may be off by is no error, and shows in rho."""
        off = [1.0 + 1e-4]
        assert compare(evidence(off, [1.0], 1e-9, rounding=1.1e-4)).verdict == AGREE
        assert compare(evidence(off, [1.0], 1e-9, rounding=1.1e-4)).rho[0] == pytest.approx(1e-4, rel=1e-3)
        assert compare(evidence(off, [1.0], 1e-9, rounding=0.9e-4)).verdict == DISAGREE

    @given(st.floats(1e-9, 1.0), st.floats(0, 1))
    def test_resolution_is_what_must_be_seen(self, resolution, share):
        """A right entry agrees exactly where its bound is within the resolution of itself."""
        bound = 2 * share * resolution
        found = compare(evidence([1.0], [1.0], bound), resolution)
        assert found.verdict == (AGREE if bound <= resolution else UNDECIDED)
        assert found.rho[0] == bound

    def test_a_finer_resolution_lets_smaller_errors_count(self):
        """An error that is more than was asked to be seen never agrees."""
        assert compare(evidence([1.0 + 5e-7], [1.0], 1e-12), 1e-7).verdict == DISAGREE

    @given(evidences())
    def test_agreement_by_itself_is_a_promise(self, known):
        """An entry that agrees by itself is right to rho of itself, whatever the truth within its bound."""
        found = compare(known)
        at = np.flatnonzero(found.by_itself)
        g, d, e = known.claimed[at], known.numeric[at], known.error_bound[at]
        largest = np.maximum(np.abs(g), np.abs(d))
        for truth in (d - e, d, d + e):
            assert (np.abs(g - truth) <= (RESOLUTION + 1e-15) * largest).all()
            assert (np.abs(g - truth) <= (found.rho[at] + 1e-15) * largest).all()

    @given(evidences(), st.floats(-1, 1))
    def test_a_right_claim_is_never_wrong(self, known, where):
        """A claim that is the truth but for its own rounding is not wrong, if the bound holds the truth."""
        truth = known.numeric + where * np.minimum(known.error_bound, 1e300) * (1 - 1e-9)
        claimed = np.where(np.isnan(truth), 1.0, truth + where * known.rounding * (1 - 1e-9))
        assert not compare(replace(known, claimed=claimed)).wrong.any()

    @given(evidences())
    def test_an_error_that_differences_tell_is_wrong(self, known):
        """A claim off from every truth within the bound by more than its rounding and 1e-6 is wrong."""
        e = np.where(np.isfinite(known.error_bound), known.error_bound, 0.0)
        off = (e + known.rounding + 1e-300) * 1.01
        claimed = np.nan_to_num(known.numeric) + off
        claimed += 1.01e-6 * np.fmax(np.abs(claimed), np.abs(known.numeric))
        assert compare(replace(known, claimed=claimed)).wrong.tolist() == np.isfinite(known.numeric).tolist()

    def test_severity_orders_by_what_was_allowed(self):
        """Severity is the difference in units of what was allowed: 0 for none, inf for a claimed NaN."""
        found = compare(evidence([1.0, 1.5, 3.0, np.nan], np.ones(4), 0.25))
        assert found.severity[0] == 0
        assert found.severity[1] == pytest.approx(0.5 / (0.25 + 1.5e-6))
        assert found.severity[2] == pytest.approx(2.0 / (0.25 + 3e-6))
        assert found.severity[3] == np.inf


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
        many = self.judged(64, 36, bound=0.03, z=1.0)
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


class TestNotFinite:
    @pytest.mark.parametrize("tolerance", [None, 0.5])
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("numeric", [0.0, 1.0, np.nan])
    def test_claimed(self, bad, numeric, tolerance):
        """A claimed NaN or inf is wrong, whatever the numeric derivative is, and no tolerance opens it."""
        known = evidence([bad, 1.0], [numeric, 1.0], [np.inf if np.isnan(numeric) else 0.0, 0.0])
        found = compare(known) if tolerance is None else compare_by_tolerance(known, np.zeros(2), tolerance)
        assert found.wrong.tolist() == [True, False]
        assert found.undecided.tolist() == [False, False]
        assert found.severity[0] == np.inf
        assert found.verdict == DISAGREE

    @pytest.mark.parametrize("tolerance", [None, 0.5])
    @pytest.mark.parametrize("claimed", [0.0, 1.0])
    def test_numeric(self, claimed, tolerance):
        """A coordinate without a finite numeric derivative is undecided, and the others are decided."""
        known = evidence([claimed, 1.0], [np.nan, 1.0], [np.inf, 0.0])
        found = compare(known) if tolerance is None else compare_by_tolerance(known, np.zeros(2), tolerance)
        assert found.undecided.tolist() == [True, False]
        assert found.wrong.tolist() == [False, False]
        assert found.verdict == UNDECIDED
        assert found.rho[0] == np.inf

    def test_wrong_outweighs_undecided(self):
        """One wrong coordinate is enough for "disagree", however many are undecided."""
        assert compare(evidence([1.0, 2.0], [np.nan, 1.0], [np.inf, 0.0])).verdict == DISAGREE

    def test_numbers_at_the_edge_of_the_range(self):
        """Claim and estimate of 1.7e308 with opposite signs disagree, without a warning."""
        assert compare(evidence([1.7e308], [-1.7e308])).verdict == DISAGREE
        assert compare(evidence([1.7e308], [1.7e308])).verdict == AGREE

    def test_an_effect_beyond_the_range(self):
        """A derivative times its size may overflow, which is no reason for a warning."""
        numeric = np.array([1e300, 1e290])
        assert compare(evidence(numeric, numeric, [1e285, 1e290], size=1e10)).wrong.tolist() == [False, False]

    @pytest.mark.parametrize(
        ("wrong", "undecided", "verdict"),
        [(0, 0, "agree"), (1, 0, "disagree"), (0, 1, "undecided"), (1, 5, "disagree")],
    )
    def test_overall(self, wrong, undecided, verdict):
        """The verdict on many: one wrong decides, then one undecided, else they agree."""
        assert overall(wrong, undecided) == verdict


class TestKinks:
    """At a kink the estimate is the middle between two slopes, and the bound reaches to them."""

    KINKED = evidence([0.3, 1.0], [0.0, 1.0], [1.0, 1e-9], kink=np.array([True, False]))

    def test_between_the_slopes(self):
        """A claim between the slopes on the two sides is undecided, unless subgradients pass."""
        found = compare(self.KINKED)
        assert (found.undecided.tolist(), found.verdict) == ([True, False], UNDECIDED)
        passed = compare(self.KINKED, subgradients_pass=True)
        assert passed.verdict == AGREE
        assert passed.subgradient.tolist() == [True, False]
        assert passed.by_itself.tolist() == [False, True]

    @pytest.mark.parametrize("subgradients_pass", [True, False])
    def test_outside_of_the_slopes(self, subgradients_pass):
        """A claim outside of the slopes is wrong, whether subgradients pass or not."""
        found = compare(
            replace(self.KINKED, claimed=np.array([1.3, 1.0])), subgradients_pass=subgradients_pass
        )
        assert found.wrong.tolist() == [True, False]
        assert not found.subgradient.any()

    def test_a_subgradient_is_not_right_together_with_others(self):
        """A claim between two slopes is not called right for being little of the whole gradient."""
        m = 40
        known = evidence(np.append(0.0, np.ones(m)), np.append(0.0, np.ones(m)), 1e-6, alike=0)
        kinked = replace(known, kink=np.arange(m + 1) == 0)
        assert compare(known).verdict == AGREE
        assert compare(kinked).undecided.tolist() == [True] + [False] * m


class TestFar:
    """Where steps had to be wider than the parameter a slope of zero may be that of waves."""

    def test_a_flat_estimate_does_not_refute(self):
        """A claim far outside of the bound is undecided there, if the estimate does not stand out from it."""
        known = evidence([5.0], [1.0], 1.0)
        assert compare(known).verdict == DISAGREE
        assert compare(replace(known, far=np.array([True]))).verdict == UNDECIDED

    def test_a_clear_estimate_does(self):
        """An estimate of twice its bound refutes the claim at any step."""
        known = evidence([5.0, np.nan], [2.0, 0.0], 1.0, far=np.array([True, True]))
        assert compare(known).wrong.tolist() == [True, True]


class TestTolerance:
    # claimed, numeric, tolerance, whether it agrees; dyadic, so that the edge is exact
    TABLE = (
        (0.75, 1.0, 0.25, True),
        (0.75 - 2.0**-53, 1.0, 0.25, False),
        (1.0, 0.75, 0.25, True),
        (1.0, 1.0, 0.0, True),
        (1.0 + 2.0**-52, 1.0, 0.0, False),
        (-1.0, 1.0, 1.5, False),
        (-1.0, 1.0, 2.0, True),
        (0.0, 0.0, 0.0, True),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "tolerance", "agrees"), TABLE)
    def test_table(self, claimed, numeric, tolerance, agrees):
        """A fixed tolerance is relative to the larger of the two, and its edge belongs to it."""
        found = compare_by_tolerance(evidence([claimed], [numeric], 9.0), np.zeros(1), tolerance)
        assert found.wrong.tolist() == [not agrees]
        assert not found.undecided.any()

    def test_small_entries_are_compared_on_a_tenth_of_the_rms(self):
        """An entry under a tenth of its block's rms is compared on that scale."""
        known = evidence([0.024, 0.026], [0.0, 0.0])
        assert compare_by_tolerance(known, np.full(2, 1.0), 0.25).wrong.tolist() == [False, True]

    def test_is_instead_of_the_bounds(self):
        """With a fixed tolerance the error bound does not count, and the rule says the number."""
        found = compare_by_tolerance(evidence([1.5], [1.0], 1.0), np.zeros(1), 0.125)
        assert found.wrong.all()
        assert found.allowed.tolist() == [0.125 * 1.5]
        assert found.rule == (
            "agrees by a fixed tolerance if |claimed - numeric| <= 0.125 * "
            "max(|claimed|, |numeric|, 0.1 * block rms)"
        )

    @pytest.mark.parametrize("good", [None, 0, 0.0, 1e-3, 1, np.float32(0.5), np.int64(1)])
    def test_taken(self, good):
        """None and every finite number from 0 are taken."""
        check_tolerance(good)

    @pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf"), True, "1e-3", [1e-3], 1e-3j])
    def test_refused(self, bad):
        """Anything else is refused with what came."""
        message = f"tolerance must be a finite number >= 0, or None; got {bad!r}"
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            check_tolerance(bad)


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
