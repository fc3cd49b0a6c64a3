"""What is asked of plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.arrays import root_mean_square


class TestRootMeanSquare:
    # values, rms: neither squares that overflow nor squares that vanish
    TABLE = (
        ([3.0, 4.0], 12.5**0.5),
        ([0.0, 0.0], 0.0),
        ([], 0.0),
        ([1e300, 1e300], 1e300),
        ([1e-300, -1e-300], 1e-300),
    )

    @pytest.mark.parametrize(("values", "rms"), TABLE)
    def test_values(self, values, rms):
        """The rms is right also where squares overflow or vanish, and 0 for no numbers at all."""
        assert root_mean_square(np.array(values)) == pytest.approx(rms, rel=1e-15)

    def test_float32_in_pieces(self, monkeypatch, rng):
        """A float32 leaf is summed in float64, piece by piece."""
        for module in ("arrays", "problem.block", "problem.working_copy"):
            monkeypatch.setattr(f"fastgrad.{module}.PIECE", 7)
        leaf = rng.array(100, dtype=np.float32)
        expected = np.sqrt(np.mean(leaf.astype(np.float64) ** 2))
        assert root_mean_square(leaf) == pytest.approx(expected, rel=1e-14)
