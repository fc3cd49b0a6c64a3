"""The verdict on each coordinate: right claims agree, wrong ones do not, each on its own scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_cases import evidence, evidences

import fastgrad
from fastgrad.verdict.rule import (
    AGREE,
    COUNTS,
    DISAGREE,
    RESOLUTION,
    UNDECIDED,
    compare,
    compare_by_tolerance,
    overall,
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
