"""A batch norm and a dropout mask as changes: what NumPy gets from the values, without its cancellation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.kernels.jit import plain
from fastgrad.kernels.rows import Between, mask, normalise

EPSILON = 1e-5


def between(z, gain, groups, kept=None):
    """One unit with these inputs in each sample, repeated for so many groups of lanes."""
    tiled = np.tile(z - z.mean(), groups)
    return Between(
        steps=np.zeros((1, 3), dtype=np.intp),
        samples=len(z),
        centred=tiled,
        deviation=np.array([np.sqrt(z.var() + EPSILON)]),
        gain=np.array([gain]),
        unit_at=np.zeros(1, dtype=np.intp),
        mask=np.ones(len(tiled)) if kept is None else np.tile(kept, groups),
    )


def reference(z, d, gain):
    """The change of the output, from the values, in extended precision."""
    z, d = z.astype(np.longdouble), d.astype(np.longdouble)

    def output(v):
        return gain * (v - v.mean()) / np.sqrt(v.var() + EPSILON)

    return (output(z + d) - output(z)).astype(float)


class TestNormalise:
    @given(
        samples=st.integers(1, 40),
        groups=st.integers(1, 4),
        size=st.sampled_from([1e-9, 1e-5, 1e-2]),
        seed=st.integers(0, 10**6),
    )
    def test_is_the_change_of_the_output(self, samples, groups, size, seed):
        """Each group of lanes gets the change of its own batch, far below one rounding of the output."""
        rng = np.random.default_rng(seed)
        z, gain = 2 * rng.normal(size=samples), rng.normal()
        d = size * rng.normal(size=(groups, samples))
        row = d.reshape(-1).copy()
        normalise(between(z, gain, groups), 0, 0, row, row.size)
        expected = np.concatenate([reference(z, one, gain) for one in d])
        slope = abs(gain) / np.sqrt(z.var() + EPSILON)
        assert np.abs(row - expected).max() <= 1e-14 * size * slope * samples + 1e-18 * abs(gain)

    def test_plain_loop(self):
        """The compiled kernel gives what the plain loop does."""
        rng = np.random.default_rng(0)
        z, d = rng.normal(size=9), 1e-4 * rng.normal(size=27)
        compiled, written = d.copy(), d.copy()
        normalise(between(z, 1.3, 3), 0, 0, compiled, 27)
        plain(normalise)(between(z, 1.3, 3), 0, 0, written, 27)
        assert np.allclose(compiled, written, rtol=1e-13, atol=1e-20)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_what_is_not_finite_spreads_over_its_group_only(self, bad):
        """A NaN or inf in one sample couples to its batch, and to no other group."""
        row = np.full(12, 1e-3)
        row[1] = bad
        normalise(between(np.arange(4.0), 1.0, 3), 0, 0, row, 12)
        assert np.isnan(row[:4]).all()
        assert np.isfinite(row[4:]).all()

    def test_equal_changes_change_nothing(self):
        """What moves all samples alike is taken off by the mean: a bias before a batch norm does nothing."""
        row = np.full(8, 0.01)
        normalise(between(np.arange(8.0), 2.0, 1), 0, 0, row, 8)
        assert np.abs(row).max() < 1e-17


class TestMask:
    def test_multiplies(self):
        """Dropped lanes get zero, the others are scaled."""
        row = np.arange(1.0, 7.0)
        mask(between(np.zeros(3), 1.0, 2, np.array([0.0, 2.0, 2.0])), 0, row, 6)
        assert row.tolist() == [0.0, 4.0, 6.0, 0.0, 10.0, 12.0]
