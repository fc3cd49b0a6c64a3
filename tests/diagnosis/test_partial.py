"""A mistake in a part of a block is named with its entries, and the rest is compared in numbers."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosis_cases import VECTOR, W1, block, changed, kinds, put, said

from fastgrad.diagnosis.diagnose import diagnose
from fastgrad.diagnosis.factors import factor
from fastgrad.diagnosis.partial import compare, in_places, tail

# what is claimed: all that is said, as (kind, sentence)
NAMED = {
    "tail unset": (
        changed(W1=put(W1.ravel(), slice(17, None), 0.0).reshape(6, 5)),
        [
            (
                "tail",
                "W1: the claimed gradient is 0 from W1[3, 2] on and right before it (13 of 30 entries): "
                "look at where the loop or the slice that fills it ends",
            )
        ],
    ),
    "a mask": (
        changed(W1=put(W1.ravel(), [3, 4, 11, 20, 22], np.negative).reshape(6, 5)),
        [
            (
                "part",
                "W1: 5 of 30 entries are wrong, all in the same way: claimed = -1 * numeric; look at a "
                "mask or an index",
            )
        ],
    ),
    "one entry": (
        changed(W1=put(W1, (2, 3), 0.5)),
        [("entry", "W1: only W1[2, 3] is wrong of 30 entries: claimed 0.5, numeric -0.0103322")],
    ),
    "anything": (
        changed(W1=W1 + 0.1 * np.random.default_rng(0).normal(size=(6, 5))),
        [
            (
                "unexplained",
                "W1: 30 of 30 entries are wrong, in no way that has a name: |claimed| / |numeric| = 1.2, "
                "cosine 0.847, 77% of the signs agree; look at the whole formula. All other blocks "
                "agree: the mistake is in what is done for this block alone",
            )
        ],
    ),
    "a term missing": (
        changed(W1=W1 + 0.03 * np.random.default_rng(0).normal(size=(6, 5))),
        [
            (
                "unexplained",
                "W1: 30 of 30 entries are wrong, in no way that has a name: |claimed| / |numeric| = "
                "1.02, cosine 0.982, 97% of the signs agree; a term is missing or wrong, not the whole "
                "formula. All other blocks agree: the mistake is in what is done for this block alone",
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

    def test_tail_and_one_more(self):
        """Zeros to the end are no tail if an entry before them is wrong too."""
        g = put(put(VECTOR, slice(8, None), 0.0), 2, 5.0)

        assert kinds(block("v", g, VECTOR)) == ["unexplained"]

    def test_scattered(self):
        """Wrong entries in no pattern are listed."""
        g = put(VECTOR, [1, 2, 8], [5.0, 6.0, 7.0])
        (found,) = diagnose([block("v", g, VECTOR)])

        assert found.sentence.startswith(
            "v: 3 of 12 entries are wrong (v[1], v[2] and v[8]), in no way that has"
        )


class TestDirectly:
    def test_tail(self):
        """The first entry of a tail of zeros is named; a block that is right to its end has none."""
        found = tail(block("v", put(VECTOR, slice(9, None), 0.0), VECTOR))

        assert found.text.startswith("the claimed gradient is 0 from v[9] on and right before it (3 of 12")
        assert tail(block("v", VECTOR, VECTOR)) is None

    def test_in_places(self):
        """What is true of all wrong entries is asked of them alone, and said with their number."""
        g = put(VECTOR, [1, 2, 8], lambda v: 2 * v)

        assert in_places(block("v", g, VECTOR), factor).text.startswith(
            "3 of 12 entries are wrong, all in the same way: claimed = 2 * numeric"
        )
        assert in_places(block("v", g, VECTOR), lambda part: None) is None

    def test_compare(self):
        """A claim is compared by cosine, ratio of norms and signs; zeros are not compared."""
        assert compare(block("v", -3 * VECTOR, VECTOR)) == pytest.approx((-1.0, 3.0, 0.0))
        assert compare(block("v", 0 * VECTOR, VECTOR)) is None
