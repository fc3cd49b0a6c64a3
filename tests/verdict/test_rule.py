"""The verdict: right gradients agree, wrong ones do not, and no size of array loosens the rule."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastgrad
from fastgrad.differences.bounds import Estimates
from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL, COMPLEX
from fastgrad.errors import InputError
from fastgrad.options import check_tolerance
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import AGREE, DISAGREE, UNDECIDED, compare, overall


def compared(claimed, numeric, bound=0.0, tolerance=None, rms=0.0, dtype=np.float64, stencil=CENTRAL):
    """The rule on one block whose numeric derivatives, bound and rms are given."""
    numeric = np.array(numeric, dtype=float)
    parameters = Parameters(np.ones(len(numeric), dtype=dtype))
    plan = make_plan(parameters, np.arange(len(numeric)), stencil)
    bounds = np.where(np.isnan(numeric), np.nan, bound)
    estimates = Estimates(numeric, bounds, np.array([rms]), in_doubles=stencil.is_complex)
    return compare(np.array(claimed, dtype=float), estimates, plan.indices, parameters, tolerance)


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
        (np.float64, "central", 1e-3),
        (np.float64, "central4", 1e-4),
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


class TestRule:
    # claimed, numeric, bound, rms, verdict: |g - d| + e <= tau s agrees, |g - d| - e > tau s disagrees
    TABLE = (
        (1.0, 1.0, 0.0, 0.0, AGREE),
        (0.0, 0.0, 0.0, 0.0, AGREE),
        (1.0 + 0.99e-6, 1.0, 0.0, 0.0, AGREE),
        (1.0 + 1.01e-6, 1.0, 0.0, 0.0, DISAGREE),
        (1.0 + 0.5e-6, 1.0, 0.4e-6, 0.0, AGREE),  # whatever the truth within the bound
        (1.0 + 0.5e-6, 1.0, 0.6e-6, 0.0, UNDECIDED),
        (1.0 + 1.5e-6, 1.0, 0.6e-6, 0.0, UNDECIDED),
        (1.0 + 1.5e-6, 1.0, 0.4e-6, 0.0, DISAGREE),
        (1.5, 1.0, 0.4, 0.0, DISAGREE),  # a wide bound still shows a wider error
        (1.0, 1.0, 0.1, 0.0, UNDECIDED),  # and hides a narrower one
        (0.9e-7, 0.0, 0.0, 1.0, AGREE),  # small entries are compared on 0.1 rms
        (1.1e-7, 0.0, 0.0, 1.0, DISAGREE),
        (1e-300, 0.0, 0.0, 0.0, DISAGREE),  # nothing else in the block: any difference counts
        (-1.0, 1.0, 1e-3, 0.0, DISAGREE),
    )

    @pytest.mark.parametrize(("claimed", "numeric", "bound", "rms", "verdict"), TABLE)
    def test_table(self, claimed, numeric, bound, rms, verdict):
        """The rule is what verdict.py says: an interval beside what is allowed the entry."""
        found = compared([claimed], [numeric], bound, rms=rms)
        assert found.verdict == verdict
        assert found.wrong.tolist() == [verdict == DISAGREE]
        assert found.undecided.tolist() == [verdict == UNDECIDED]
        assert found.rule.endswith("tau = 1e-06")

    def test_a_block_that_is_zero_is_compared_on_the_scale_of_the_whole(self):
        """A bias before a normalisation has derivative zero: noise there is small beside the gradient."""
        parameters = Parameters({"W": np.ones(4), "b": np.ones(2)})
        numeric, bound = np.array([1.0, -2.0, 1.0, 2.0, 1e-11, -1e-11]), np.full(6, 1e-9)
        estimates = Estimates(numeric, bound, np.array([1.5, 1e-11]))
        claimed = np.where(np.arange(6) < 4, numeric, 0.0)
        assert compare(claimed, estimates, np.arange(6), parameters).verdict == AGREE
        claimed[4] = 1e-5
        assert np.flatnonzero(compare(claimed, estimates, np.arange(6), parameters).wrong).tolist() == [4]

    def test_a_gradient_that_is_zero_is_compared_with_how_much_the_cost_moves(self):
        """At a minimum differences are exactly zero: the cost's slope beside it is the scale."""
        still = Estimates(np.zeros(2), np.full(2, 1e-20), np.zeros(1), steepest=1e-5)
        drowned = Estimates(np.zeros(2), np.full(2, 1e-3), np.zeros(1), steepest=1e-3)
        parameters = Parameters(np.ones(2))
        assert compare(np.zeros(2), still, np.arange(2), parameters).verdict == AGREE
        assert compare(np.zeros(2), drowned, np.arange(2), parameters).verdict == UNDECIDED

    def test_all_zero_gradient_of_a_drowned_cost_is_not_right(self):
        """A gradient of zeros is not called right because the cost's offset drowns its differences."""
        x = np.linspace(0.5, 2, 10)
        report = fastgrad.check_gradient(lambda x: 1e10 + np.sum(x**2), 0 * x, x)
        assert report.verdict != AGREE

    def test_the_reason_is_said(self):
        """An undecided coordinate says to what its difference is known."""
        x = np.linspace(0.5, 2, 10)
        report = fastgrad.check_gradient(lambda x: float(1e12 + np.sum(x**2).real), 2 * x, x)
        assert report.undecided[0].cause.startswith("noise: the derivative at params[")

    def test_tau_by_dtype(self):
        """What counts as a bug is 1e-6 in float64 and 1e-2 in float32, but 1e-6 under the complex step."""
        off = ([1.005], [1.0])
        assert compared(*off).verdict == DISAGREE
        assert compared(*off, dtype=np.float32).verdict == AGREE
        assert compared([1.02], [1.0], dtype=np.float32).verdict == DISAGREE
        assert compared(*off, dtype=np.float32, stencil=COMPLEX).verdict == DISAGREE

    @given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e3), st.integers(1, 40))
    def test_does_not_grow_with_the_array(self, g, d, bound, copies):
        """The same coordinate gets the same verdict, allowed the same, however large its block is."""
        alone = compared([g], [d], bound, rms=abs(d))
        among = compared([g] * copies, [d] * copies, bound, rms=abs(d))
        assert among.wrong.tolist() == alone.wrong.tolist() * copies
        assert among.allowed.tolist() == alone.allowed.tolist() * copies

    @pytest.mark.parametrize("tolerance", [None, 1e-7])
    @pytest.mark.parametrize("n", [1, 10, 100_000])
    def test_one_wrong_entry_never_drowns(self, n, tolerance):
        """One entry off by 1 part in 100,000 is found in a block of any size, also by a fixed tolerance."""
        numeric = np.ones(n)
        claimed = numeric.copy()
        claimed[n // 2] += 1e-5
        found = compared(claimed, numeric, rms=1.0, tolerance=tolerance)
        assert np.flatnonzero(found.wrong).tolist() == [n // 2]

    def test_severity_orders_by_what_was_allowed(self):
        """Severity is the difference in units of what was allowed: 0 for none, inf for a claimed NaN."""
        found = compared([1.0, 1.5, 3.0, np.nan], [1.0, 1.0, 1.0, 1.0], bound=0.25)
        assert found.severity[0] == 0
        assert found.severity[1] == pytest.approx(0.5 / 1.5e-6)
        assert found.severity[2] == pytest.approx(2.0 / 3e-6)
        assert found.severity[3] == np.inf


class TestNotFinite:
    @pytest.mark.parametrize("tolerance", [None, 0.5])
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("numeric", [0.0, 1.0, np.nan])
    def test_claimed(self, bad, numeric, tolerance):
        """A claimed NaN or inf is wrong, whatever the numeric derivative is, and no tolerance opens it."""
        found = compared([bad, 1.0], [numeric, 1.0], tolerance=tolerance)
        assert found.wrong.tolist() == [True, False]
        assert found.undecided.tolist() == [False, False]
        assert found.verdict == DISAGREE

    @pytest.mark.parametrize("tolerance", [None, 0.5])
    def test_numeric(self, tolerance):
        """A coordinate without a finite numeric derivative is undecided, and the others are decided."""
        found = compared([1.0, 1.0], [np.nan, 1.0], tolerance=tolerance)
        assert found.undecided.tolist() == [True, False]
        assert found.wrong.tolist() == [False, False]
        assert found.verdict == UNDECIDED

    def test_wrong_outweighs_undecided(self):
        """One wrong coordinate is enough for "disagree", however many are undecided."""
        assert compared([1.0, 2.0], [np.nan, 1.0]).verdict == DISAGREE

    def test_numbers_at_the_edge_of_the_range(self):
        """Claim and estimate of 1.7e308 with opposite signs disagree, without a warning."""
        assert compared([1.7e308], [-1.7e308]).verdict == DISAGREE
        assert compared([1.7e308], [1.7e308]).verdict == AGREE

    @pytest.mark.parametrize(
        ("wrong", "undecided", "verdict"),
        [(0, 0, "agree"), (1, 0, "disagree"), (0, 1, "undecided"), (1, 5, "disagree")],
    )
    def test_overall(self, wrong, undecided, verdict):
        """The verdict on many: one wrong decides, then one undecided, else they agree."""
        assert overall(wrong, undecided) == verdict


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
    )

    @pytest.mark.parametrize(("claimed", "numeric", "tolerance", "agrees"), TABLE)
    def test_table(self, claimed, numeric, tolerance, agrees):
        """A fixed tolerance is relative to the larger of the two, and its edge belongs to it."""
        assert compared([claimed], [numeric], bound=9.0, tolerance=tolerance).wrong.tolist() == [not agrees]

    def test_is_instead_of_the_bounds(self):
        """With a fixed tolerance the error bound does not count, and the rule says the number."""
        found = compared([1.5], [1.0], bound=1.0, tolerance=0.125)
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
