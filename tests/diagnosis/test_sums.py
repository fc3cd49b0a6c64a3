"""Sums over the wrong axes and clipped gradients are named, and what only looks like them is not."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import VECTOR, W1, Bugs, backprop, block, changed, kinds, put, said

from fastgrad.diagnosis.sums import broadcast, clipped

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "all summed": (
        backprop(Bugs(bias="total")),
        [
            (
                "broadcast",
                "b2: every claimed entry is -1.07992, the sum of all numeric ones, where numeric goes from "
                "-0.542668 to 0.0457324: look for a sum over too many axes, or a broadcast",
            )
        ],
    ),
    "mean over an axis": (
        changed(W1=W1.mean(axis=1, keepdims=True) + 0 * W1),
        [
            (
                "broadcast",
                "W1: all claimed entries along axis 1 are equal, the mean of numeric over axis 1, those "
                "of numeric are not: look for a sum over the wrong axis, then broadcast",
            )
        ],
    ),
    "clipped": (
        changed(W1=np.clip(W1, -0.1, 0.1)),
        [
            (
                "clipped",
                "W1: no entry is beyond +-0.1 in the claim: 13 numeric ones go beyond, and the others agree; "
                "compare gradients before they are clipped",
            )
        ],
    ),
    "negative entries lost": (
        changed(W1=np.maximum(W1, 0)),
        [
            (
                "clipped",
                "W1: no entry is below 0 in the claim: 17 numeric ones go beyond, and the others agree; "
                "compare gradients before they are clipped",
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


class TestNotNamed:
    """What only looks like a mistake that has a name."""

    def test_looks_clipped(self):
        """Entries at the largest size where the numeric ones do not go beyond are not clipped."""
        g = put(VECTOR, [2, 7], np.abs(VECTOR).max())
        inside = put(VECTOR, [2, 7], 0.1)

        assert "clipped" not in kinds(block("v", g, inside))

    def test_one_at_the_limit(self):
        """One entry that is too small is one wrong entry, not a clip."""
        d = put(VECTOR, 3, 10.0)

        assert kinds(block("v", put(d, 3, np.abs(VECTOR).max() + 1), d)) == ["entry"]

    def test_signs(self):
        """A claim that keeps the signs only is not called clipped: no entry agrees."""
        assert "clipped" not in kinds(block("v", 0.001 * np.sign(VECTOR), VECTOR))

    def test_equal_along_an_axis(self):
        """Rows that are equal in the truth too are no broadcast."""
        g, d = np.tile(VECTOR[:5], (6, 1)), np.tile(VECTOR[5:10], (6, 1))

        assert "broadcast" not in kinds(block("W", g, d))

    def test_equal_truth(self):
        """Entries that are all equal where those of the truth are too are no broadcast."""
        assert kinds(block("v", np.full(12, 3.0), np.full(12, 1.7))) == ["factor"]


class TestDirectly:
    def test_broadcast(self):
        """Equal entries are named with the sum that they are, where they are one."""
        total = broadcast(block("v", np.full(12, VECTOR.sum()), VECTOR))
        other = broadcast(block("v", np.full(12, 7.25), VECTOR))

        assert "the sum of all numeric ones" in total.text
        assert other.text.startswith("every claimed entry is 7.25, where numeric goes from")
        assert broadcast(block("v", VECTOR, VECTOR)) is None

    @pytest.mark.parametrize(
        ("low", "high", "words"),
        [(-0.5, 0.5, "beyond +-0.5"), (-np.inf, 0.25, "above 0.25"), (-0.25, np.inf, "below -0.25")],
    )
    def test_clipped(self, low, high, words):
        """The limit and its side are read off the claim."""
        d = np.linspace(-1, 1, 15)
        found = clipped(block("v", np.clip(d, low, high), d))

        assert found.text.startswith(f"no entry is {words} in the claim")
