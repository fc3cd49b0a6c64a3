"""Arrays: the root mean square of any numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.arrays import PIECE, is_finite_number, is_private_map, pieces, root_mean_square


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


class TestPieces:
    @pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, 3 * PIECE])
    def test_partition(self, size):
        """The pieces are the array, in order, none of them longer than PIECE."""
        leaf = np.arange(float(size))
        cut = list(pieces(leaf))

        assert np.array_equal(np.concatenate([*cut, np.empty(0)]), leaf)
        assert all(0 < len(piece) <= PIECE for piece in cut)


class TestIsFiniteNumber:
    @pytest.mark.parametrize("value", [0, -2.5, np.float32(1), np.int64(3), 10**300])
    def test_numbers(self, value):
        """Real numbers of Python and NumPy are numbers."""
        assert is_finite_number(value)

    @pytest.mark.parametrize(
        "value", [True, None, "1", np.nan, -np.inf, 1j, 10**400, np.ones(1), np.bool_(1)]
    )
    def test_others(self, value):
        """What is not finite, not real or not a number is not."""
        assert not is_finite_number(value)


class TestIsPrivateMap:
    def test_through_views(self, tmp_path):
        """A view of a copy-on-write map is one too; other maps and plain arrays are not."""
        file = tmp_path / "x.npy"
        np.save(file, np.ones(4))
        private, shared = np.load(file, mmap_mode="c"), np.load(file, mmap_mode="r")

        assert is_private_map(private)
        assert is_private_map(np.asarray(private)[1:].reshape(3, 1))
        assert not is_private_map(shared)
        assert not is_private_map(np.ones(4))
