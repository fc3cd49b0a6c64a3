"""A fixed relative tolerance in the place of the bounds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from rule_cases import evidence

import fastgrad
from fastgrad.errors import InputError
from fastgrad.options import check_tolerance
from fastgrad.verdict.rule import compare_by_tolerance


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
        found = compare_by_tolerance(evidence([claimed], [numeric], 0.0), np.zeros(1), tolerance)
        assert found.wrong.tolist() == [not agrees]
        assert not found.undecided.any()

    @pytest.mark.parametrize(("claimed", "numeric", "tolerance", "agrees"), TABLE)
    def test_within_the_bound(self, claimed, numeric, tolerance, agrees):
        """What is off by more than the tolerance is undecided while the bound does not exclude the claim."""
        found = compare_by_tolerance(evidence([claimed], [numeric], 9.0), np.zeros(1), tolerance)
        assert found.undecided.tolist() == [not agrees]
        assert not found.wrong.any()

    def test_the_bound_is_added(self):
        """A claim is wrong from where tolerance and bound together end, and the rule says so."""
        known = evidence([1.5, 1.75], [1.0, 1.0], 0.5)
        found = compare_by_tolerance(known, np.zeros(2), 0.125)
        assert (found.wrong.tolist(), found.undecided.tolist()) == ([False, True], [True, False])
        assert found.allowed.tolist() == [0.125 * 1.5 + 0.5, 0.125 * 1.75 + 0.5]
        assert found.rule == (
            "agrees by a fixed tolerance if |claimed - numeric| <= 0.125 * "
            "max(|claimed|, |numeric|, 0.1 * block rms), and disagrees if it is off by more than that, its "
            "bound and the claim's own rounding together"
        )

    def test_the_rounding_of_the_claim_is_added(self):
        """What a claim in float32 may be off by is no error of the gradient, by a tolerance of less too."""
        known = replace(evidence([1.0 + 2.0**-24], [1.0], 0.0), rounding=np.full(1, 2.0**-23))
        assert compare_by_tolerance(known, np.zeros(1), 1e-9).undecided.all()

    @pytest.mark.parametrize(("passes", "verdict"), [(False, "undecided"), (True, "agree")])
    def test_subgradients(self, passes, verdict):
        """A claim between the slopes at a kink is undecided, unless subgradients pass."""
        known = evidence([0.5], [0.0], 1.0, kink=np.array([True]))
        found = compare_by_tolerance(known, np.zeros(1), 1e-3, passes)
        assert (found.verdict, found.subgradient.tolist()) == (verdict, [True])

    def test_a_flat_estimate_at_wide_steps(self):
        """Where steps had to be wider than the parameter, a slope of zero refutes nothing."""
        known = evidence([5.0], [1.0], 1.0)
        assert compare_by_tolerance(known, np.zeros(1), 1e-3).wrong.all()
        assert compare_by_tolerance(replace(known, far=np.array([True])), np.zeros(1), 1e-3).undecided.all()

    def test_small_entries_are_compared_on_a_tenth_of_the_rms(self):
        """An entry under a tenth of its block's rms is compared on that scale."""
        known = evidence([0.024, 0.026], [0.0, 0.0])
        assert compare_by_tolerance(known, np.full(2, 1.0), 0.25).wrong.tolist() == [False, True]

    @pytest.mark.parametrize("good", [None, 0, 0.0, 1e-3, 1, np.float32(0.5), np.int64(1)])
    def test_taken(self, good):
        """None and every finite number from 0 are taken."""
        check_tolerance(good)

    @pytest.mark.parametrize("bad", [-1e-9, float("nan"), float("inf"), True, "1e-3", [1e-3], 1e-3j])
    def test_refused(self, bad):
        """Anything else is refused with what came."""
        message = f"tolerance must be a finite number >= 0, or None; got {bad!r}"
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG410\]$"):
            check_tolerance(bad)


NOISY = (
    (
        lambda x: float(np.sum(np.sin(x))) + 1e9,
        np.cos,
        {"method": "forward", "step": 1e-5, "tolerance": 1e-3},
    ),
    (
        lambda x: float(np.sum(np.sin(x))) + 1e9,
        np.cos,
        {"method": "central", "step": 1e-7, "tolerance": 1e-4},
    ),
    (lambda x: float(np.sum(np.sin(x))), np.cos, {"method": "forward", "step": 0.1, "tolerance": 1e-6}),
    (lambda x: float(np.sum(np.sin(x))), np.cos, {"method": "forward", "step": 1e-13, "tolerance": 1e-9}),
    (lambda x: float(np.sum(np.sin(x))), np.cos, {"method": "central6", "step": 1e-12, "tolerance": 0.0}),
    (lambda x: float(np.sum(np.sin(x).astype(np.float32))), np.cos, {"tolerance": 1e-5}),
    (lambda x: float(np.sum(np.abs(x - 0.4))), lambda x: np.sign(x - 0.4), {"step": 0.3, "tolerance": 1e-3}),
    (lambda x: float(np.sum(np.sin(x))), lambda x: np.cos(x).astype(np.float32), {"tolerance": 1e-12}),
)
"""Costs whose differences are not good to the tolerance, the right gradient, and the options."""


@pytest.mark.parametrize(("cost", "gradient", "options"), NOISY)
def test_differences_that_are_worse_than_the_tolerance(cost, gradient, options):
    """A right gradient is not called wrong for what its differences are off by; one off by half is."""
    x = np.linspace(0.3, 1.3, 5)
    assert fastgrad.check_gradient(cost, gradient, x, **options).verdict != "disagree"
    wrong = fastgrad.check_gradient(cost, lambda x: gradient(x) * [1, 1.5, 1, 1, 1], x, **options)
    assert {f.flat_index for f in wrong.wrong} == {1}


def test_the_cause_names_the_tolerance():
    """What cannot be decided says to what share of itself it is known, and that more was asked for."""
    x = np.linspace(0.3, 1.7, 5)
    report = fastgrad.check_gradient(lambda x: float(np.sum(np.sin(x))) + 1e9, np.cos, x, tolerance=1e-6)
    assert report.verdict == "undecided"
    assert "and 1e-06 of itself was asked for" in report.undecided[0].cause
