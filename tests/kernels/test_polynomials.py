"""What is read off a unit's polynomials."""

from __future__ import annotations

import numpy as np

from fastgrad.kernels.polynomials import evaluate_polynomials


def test_evaluate_polynomials():
    """Each value is the polynomial of its row and unit, without a constant, at its own offset."""
    rng = np.random.default_rng(0)
    sums, row, unit = rng.normal(size=(4, 3, 5)), rng.integers(0, 3, 40), rng.integers(0, 5, 40)
    offsets, out = rng.normal(size=(40, 3)), np.empty((40, 3))
    evaluate_polynomials(sums, row, unit, offsets, 0.25, 8.0, out)
    for k in range(40):
        c = sums[:, row[k], unit[k]]
        expected = 8.0 * np.polyval([*c[::-1], 0.0], 0.25 * offsets[k])
        np.testing.assert_allclose(out[k], expected, rtol=1e-13, atol=1e-13)
