"""Random directions that are never stored: the compiled move, its plain loop and a NumPy line agree."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.kernels.directions import STRIP, components, move
from fastgrad.kernels.jit import plain

SIZES = [0, 1, STRIP - 1, STRIP, STRIP + 1]
DTYPES = [np.float32, np.float64]


def walk(function, x, g, start=0, seed=7, length=0.25, weight=1.0, slope=0.0):
    """What a move makes of x, and what it says the cost rises by."""
    out = np.full_like(x, np.nan)
    with np.errstate(over="ignore"):
        rise = function(
            out, x, g, start, np.uint64(seed), length, weight, slope, *np.full((2, STRIP), np.nan)
        )
    return out, rise


def in_numpy(x, g, start=0, seed=7, length=0.25, weight=1.0, slope=0.0):
    """The same in NumPy: where it goes, and the rise, of the displacement that floating point made."""
    w = weight + slope * np.arange(len(x))
    v = length * components(seed, start + np.arange(len(x))) * w
    out = (x + np.where(np.isfinite(g), v, 0.0)).astype(x.dtype)
    by = out.astype(np.float64) - x.astype(np.float64)
    return out, float(np.sum(np.where(np.isfinite(g), g, 0.0).astype(np.float64) * by))


def some(size, dtype=np.float64, of_g=np.float64, seed=0):
    """Parameters and a claim of that size."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=size).astype(dtype), rng.normal(size=size).astype(of_g)


class TestMove:
    @pytest.mark.parametrize("of_g", DTYPES)
    @pytest.mark.parametrize("dtype", DTYPES)
    @pytest.mark.parametrize("size", SIZES)
    def test_compiled_plain_and_numpy_agree(self, size, dtype, of_g):
        """The compiled loop, the plain one and NumPy go to the same point, and say the same rise."""
        x, g = some(size, dtype, of_g)
        out, rise = walk(move, x, g)
        for other, said in (walk(plain(move), x, g), in_numpy(x, g)):
            np.testing.assert_array_equal(out, other)
            assert rise == pytest.approx(said, rel=1e-13, abs=1e-15)

    def test_another_seed_goes_elsewhere(self):
        """The twin of the test above: of another seed NumPy gives another point and rise."""
        x, g = some(STRIP)
        out, rise = walk(move, x, g)
        other, said = in_numpy(x, g, seed=8)
        assert (out != other).mean() > 0.5
        assert rise != pytest.approx(said, rel=1e-3)

    @pytest.mark.parametrize(
        ("start", "stop"), [(0, 5), (1, 2), (3, 701), (511, 513), (512, 700), (699, 701)]
    )
    def test_a_stretch_alone_is_that_of_the_whole(self, start, stop):
        """Any stretch walked alone, ruler included, goes where it goes within the whole."""
        x, g = some(701)
        weight, slope = -1 + 1 / 701, 2 / 701
        whole, _ = walk(move, x, g, start=40, weight=weight, slope=slope)
        there = slice(start, stop)
        alone, _ = walk(move, x[there], g[there], 40 + start, weight=weight + slope * start, slope=slope)
        np.testing.assert_allclose(alone, whole[there], rtol=0, atol=1e-15)
        plain_whole, _ = walk(move, x, g, start=40)
        plain_alone, _ = walk(move, x[there], g[there], 40 + start)
        np.testing.assert_array_equal(plain_alone, plain_whole[there])
        shifted, _ = walk(move, x[there], g[there], 41 + start)
        assert (shifted != plain_alone).any()

    def test_rises_of_parts_add_up(self):
        """The rise of the whole is the sum of the rises of its stretches."""
        x, g = some(700)
        parts = [walk(move, x[k : k + 100], g[k : k + 100], k)[1] for k in range(0, 700, 100)]
        whole = walk(move, x, g)[1]
        assert whole == pytest.approx(sum(parts), rel=1e-12)
        assert whole != pytest.approx(sum(parts[:-1]), rel=1e-3)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("dtype", DTYPES)
    def test_stays_where_the_claim_is_not_finite(self, dtype, bad):
        """A coordinate whose claim is not finite keeps its value, and only that one."""
        x, g = some(20, dtype, dtype)
        g[[0, 7, 19]] = bad
        out, rise = walk(move, x, g)
        assert np.flatnonzero(out == x).tolist() == [0, 7, 19]
        assert rise == pytest.approx(in_numpy(x, g)[1], rel=1e-13)

    def test_rise_is_of_the_displacement_that_floating_point_made(self):
        """At large float32 parameters the rise is g . (out - x), which is far from g . t v."""
        x, g = np.full(300, 1e5, dtype=np.float32), np.ones(300)
        out, rise = walk(move, x, g, length=1e-2)
        made = out.astype(np.float64) - x.astype(np.float64)
        assert rise == pytest.approx(float(np.sum(g * made)), rel=1e-13)
        wanted = 1e-2 * components(7, np.arange(300))
        assert abs(rise - float(np.sum(wanted))) > 1e-3
        x, g = some(300)
        x *= 1e6
        out, rise = walk(move, x, g, length=2.0**-30)
        assert rise == pytest.approx(float(np.dot(g, out - x)), rel=1e-12)

    def test_ruler(self):
        """With a ruler coordinate p of P moves by 2 (p + 1/2) / P - 1 times as much."""
        size = STRIP + 90
        x, g = np.zeros(size), np.ones(size)
        out, _ = walk(move, x, g, length=1.0)
        against, _ = walk(move, x, g, length=1.0, weight=1 / size - 1, slope=2 / size)
        w = 2 * (np.arange(size) + 0.5) / size - 1
        np.testing.assert_allclose(against / out, w, rtol=0, atol=1e-15)
        twin = 2 * (np.arange(size) + 1.5) / size - 1
        assert not np.allclose(against / out, twin, rtol=0, atol=1e-4)

    def test_length_zero_goes_nowhere(self):
        """A length of zero leaves every coordinate where it is, and rises by nothing."""
        x, g = some(30)
        out, rise = walk(move, x, g, length=0.0)
        np.testing.assert_array_equal(out, x)
        assert rise == 0
        assert (walk(move, x, g, length=2.0**-40)[0] != x).all()


class TestComponents:
    def test_are_eighths_of_both_signs(self):
        """All components are one of {4, ..., 12} / 8 with either sign."""
        v = components(3, np.arange(4000))
        assert set(np.abs(v) * 8) == set(range(4, 13))
        assert {-1.5, -0.5, 0.5, 1.5} <= set(v)

    def test_are_about_equally_often(self):
        """Each of the eighteen values comes as often as chance lets it: within five deviations."""
        count = 18_000
        v = components(11, np.arange(count))
        values, often = np.unique(v, return_counts=True)
        assert len(values) == 18
        deviation = np.sqrt(count / 18 * 17 / 18)
        assert np.abs(often - count / 18).max() < 5 * deviation
        biased = np.where(v < 0, v, np.roll(v, 1))  # more negative ones
        assert abs((biased < 0).mean() - 0.5) * 2 * np.sqrt(count) > 5

    @pytest.mark.parametrize("apart", [1, 2, 64, 512, 1024])
    def test_signs_do_not_go_together(self, apart):
        """Signs of coordinates a fixed way apart, and under neighbouring seeds, agree half of the time."""
        v = np.sign(components(5, np.arange(20_000)))
        assert abs(np.mean(v[:-apart] * v[apart:])) < 5 / np.sqrt(20_000 - apart)
        other = np.sign(components(5 + apart, np.arange(20_000)))
        assert abs(np.mean(v * other)) < 5 / np.sqrt(20_000)
        assert abs(np.mean(v * np.sign(components(5, np.arange(20_000))))) == 1

    def test_are_those_of_the_move(self):
        """A coordinate's component, asked for alone, is the one that the move uses."""
        x, g = np.zeros(600), np.ones(600)
        out, _ = walk(move, x, g, start=1000, seed=2**63 + 5, length=1.0)
        at = np.array([599, 0, 300])
        np.testing.assert_array_equal(components(2**63 + 5, 1000 + at), out[at])
        assert (components(2**63 + 5, 1001 + at) != out[at]).any()

    def test_none(self):
        """Of no indices there are no components."""
        assert components(1, np.empty(0, dtype=np.intp)).shape == (0,)
        assert components(1, np.arange(1)).shape == (1,)
