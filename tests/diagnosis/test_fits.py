"""Fits give all numbers that explain every entry, or none."""

from __future__ import annotations

import numpy as np
from diagnosis_cases import (
    MATRIX,
    block,
    put,
)

from fastgrad.diagnosis.diagnose import diagnose


class TestKnownInPart:
    def test_one_noisy_entry(self):
        """An entry with a wide bound does not spoil the factor or the term that the others show."""
        rng = np.random.default_rng(6)
        x = rng.normal(size=(6, 5))
        d = put(MATRIX, (1, 1), lambda v: v + 0.3)
        e = put(1e-9 * np.abs(MATRIX), (1, 1), 0.5)

        assert "claimed = 2 * numeric" in diagnose([block("W", 2 * MATRIX, d, e)])[0].sentence
        assert "lambda = 0.1 is missing" in diagnose([block("W", MATRIX - 0.1 * x, d, e, x)])[0].sentence
        both = diagnose([block("W", 8 * MATRIX + 0.1 * x, d + 0.1 * x, e, x)], (8,))[0].sentence
        assert both.startswith("W: claimed = 8 * numeric")
        assert "0.0875 if the claim lacks it, 0.1 if its own is right" in both
