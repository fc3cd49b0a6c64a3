"""The plainest mistakes are named: not finite, never written, not used by the loss, too few digits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnosis_cases import B1, B2, RIGHT, VECTOR, W1, W2, block, changed, kinds, put, said, single

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.simple import independent, not_finite, single_precision, unresolved, zero

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "never written": (
        changed(W2=0 * W2, b2=0 * B2),
        [
            (
                "zero",
                "W2 and b2: the claimed gradient is 0 in every entry, the numeric one up to 0.563: it is "
                "never written, or detached on the way back",
            )
        ],
    ),
    "not finite": (
        changed(W1=put(W1, (slice(None), 2), np.nan)),
        [
            (
                "not finite",
                "W1: 6 of 30 claimed entries are NaN or infinite, only in column 2; the first is W1[0, "
                "2] = nan: look for log(0), 0 / 0, sqrt at 0 or an overflow in the backward pass",
            )
        ],
    ),
    "float32": (
        single(),
        [
            (
                "float32",
                "W1, W2 and W3: it is right but for the rounding of float32 (off by up to 5.41e-08): "
                "compute it in float64",
            )
        ],
    ),
}


class TestNamed:
    @pytest.mark.parametrize("bug", NAMED)
    def test_bug(self, bug):
        """Each bug in the gradient of a small network is named with its numbers, and nothing else is said."""
        claimed, expected = NAMED[bug]

        assert said(claimed) == expected

    def test_not_used_by_the_loss(self):
        """A block that the loss does not depend on, and whose claim is not zero, is named as such."""
        truth = RIGHT | {"b1": 0 * B1}

        assert said(RIGHT, truth=truth) == [
            (
                "independent",
                "b1: the loss does not depend on it here (every numeric derivative is 0 within its "
                "bound), yet the claimed gradient is up to 0.313: is it unused, copied or detached in "
                "the loss?",
            )
        ]

    def test_partly_float32(self):
        """Rounding of float32 in numbers that are not float32's own is named too, not in one entry alone."""
        rms = np.sqrt(np.mean(VECTOR**2))
        rounding = 2.0**-21 * rms * np.sign(np.random.default_rng(0).normal(size=12))

        everywhere = diagnose([block("v", VECTOR + rounding, VECTOR)])
        once = diagnose([block("v", put(VECTOR, 3, lambda v: v + 2.0**-21 * rms), VECTOR)])

        assert everywhere[0].sentence.endswith("computed in float32, or a small constant (an eps) missing?")
        assert [found.kind for found in once] == ["entry"]


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_more_than_rounding(self):
        """An error of a hundred roundings of float32 is not the accuracy of float32."""
        off = 1e-5 * np.random.default_rng(0).normal(size=12)

        assert kinds(block("v", VECTOR * (1 + off), VECTOR)) == ["unexplained"]


class TestKnownInPart:
    def test_tolerance_below_the_bounds(self):
        """Differences within the bounds, which only a fixed tolerance calls wrong, are not explained away."""
        e = 1e-3 * np.abs(VECTOR)
        b = block("v", VECTOR * 1.0005, VECTOR, e)

        (found,) = diagnose([replace(b, wrong=np.ones(12, bool), undecided=np.zeros(12, bool))])

        assert found.kind == "unresolved"


class TestDirectly:
    def test_not_finite(self):
        """The first entry that is not finite is quoted; a finite claim gives nothing."""
        found = not_finite(block("v", put(VECTOR, [3, 7], [np.inf, np.nan]), VECTOR))

        assert found.text.startswith("2 of 12 claimed entries are NaN or infinite; the first is v[3] = inf")
        assert not_finite(block("v", VECTOR, VECTOR)) is None

    def test_zero_and_independent(self):
        """Zeros for a gradient and a gradient for zeros are two mistakes, each with the largest entry."""
        largest = np.abs(VECTOR).max()
        never, unused = block("v", 0 * VECTOR, VECTOR), block("v", VECTOR, 0 * VECTOR)

        assert (zero(never).peak, independent(unused).peak) == (largest, largest)
        assert zero(unused) is independent(never) is None

    def test_single_precision(self):
        """Rounding of float32 is recognised in numbers that are float32's own; ten times as much is not."""
        in_single = block("v", VECTOR.astype(np.float32).astype(float), VECTOR, 1e-12)

        assert single_precision(replace(in_single, wrong=np.ones(12, bool))).kind == "float32"
        assert single_precision(block("v", VECTOR * (1 + 1e-5), VECTOR)) is None

    def test_unresolved(self):
        """Differences within the bounds are unresolved; one beyond its bound is not."""
        within, beyond = block("v", VECTOR, VECTOR + 0.5, 1.0), block("v", VECTOR, VECTOR + 2.0, 1.0)
        wrong = np.ones(12, bool)

        assert unresolved(replace(within, wrong=wrong)).peak == pytest.approx(0.5)
        assert unresolved(replace(beyond, wrong=wrong)) is None
