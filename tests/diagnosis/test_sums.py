"""Sums over the wrong axis, and clipped entries."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import VECTOR, block, kinds, put


class TestSumsNotNamed:
    def test_looks_clipped(self):
        """Entries at the largest size where the numeric ones do not go beyond are not clipped."""
        g = put(VECTOR, [2, 7], np.abs(VECTOR).max())
        inside = put(VECTOR, [2, 7], 0.1)

        assert "clipped" not in kinds(block("v", g, inside))

    def test_one_at_the_limit(self):
        """One entry that is too small is one wrong entry, not a clip."""
        d = put(VECTOR, 3, 10.0)

        assert kinds(block("v", put(d, 3, np.abs(VECTOR).max() + 1), d)) == ["entry"]

    def test_equal_along_an_axis(self):
        """Rows that are equal in the truth too are no broadcast."""
        g, d = np.tile(VECTOR[:5], (6, 1)), np.tile(VECTOR[5:10], (6, 1))

        assert "broadcast" not in kinds(block("W", g, d))

    def test_equal_truth(self):
        """Entries that are all equal where those of the truth are too are no broadcast."""
        assert kinds(block("v", np.full(12, 3.0), np.full(12, 1.7))) == ["factor"]
