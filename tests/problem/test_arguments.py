"""The data beside the parameters: laid out as a worker finds them, and watched."""

from __future__ import annotations

import numpy as np
import pytest
from problems import slow_waves

import fastgrad
from fastgrad.problem.arguments import fingerprints, settled_arrays


def rows_cost(w, A):
    """A cost whose rounding depends on how its data are laid out."""
    slow_waves(w)
    return float(np.sum(np.tanh(A @ w)) + np.sum(np.sum(A * w[None], axis=0) ** 2))


class TestSettledArrays:
    def test_strided_data_is_laid_out_and_the_rest_is_left(self):
        """Strided arrays become contiguous copies of the same values; others are the very same objects."""
        A, text = np.arange(24.0).reshape(4, 6), "text"
        strided, fortran = A[::2, ::3], np.asfortranarray(A)
        (first, rest), second, third = settled_arrays(([strided, text], fortran, 3))
        assert first.flags.c_contiguous
        assert np.array_equal(first, strided)
        assert (rest, third) == ("text", 3)
        assert second is fortran

    @pytest.mark.parametrize("n_jobs", [1, 2])
    def test_strided_data_gives_the_same_for_any_number_of_workers(self, n_jobs):
        """Strided data give bitwise what laid-out data give, in worker processes too."""
        A = np.random.default_rng(0).normal(size=(120, 90))[::2, ::3]
        w = np.random.default_rng(1).normal(size=30)
        expected = fastgrad.numerical_gradient(rows_cost, w, args=(np.ascontiguousarray(A),))
        got = fastgrad.numerical_gradient(rows_cost, w, args=(A,), n_jobs=n_jobs, backend="loky")
        assert np.array_equal(expected.values, got.values)

    def test_private_memory_map_keeps_what_was_changed_in_memory(self, tmp_path):
        """A copy-on-write map becomes an ordinary array: a worker would reopen its file."""
        np.ones(5).tofile(tmp_path / "data")
        mapped = np.memmap(tmp_path / "data", float, "c", shape=(5,))
        mapped += 1
        (settled,) = settled_arrays((np.asarray(mapped),))
        assert settled.tolist() == [2.0] * 5
        assert not np.may_share_memory(settled, mapped)


class TestFingerprints:
    def test_a_change_shows(self):
        """One changed bit in one array of a nested argument changes the fingerprints."""
        data = {"X": np.arange(6.0)[::2], "y": [np.arange(3)]}
        before = fingerprints((data, 3))
        assert fingerprints((data, 3)) == before
        data["y"][0][2] += 1
        assert fingerprints((data, 3)) != before
