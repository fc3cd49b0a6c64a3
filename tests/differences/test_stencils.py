"""Stencils: the weights are exact, and so are the derivatives that they can give exactly."""

from __future__ import annotations

import math
import pickle
import re
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastgrad.differences.stencils import (
    CENTRAL,
    CENTRAL4,
    CENTRAL6,
    COMPLEX,
    COMPLEX_STEP,
    FORWARD,
    STENCILS,
    difference_weights,
    find_stencil,
    moment,
)
from fastgrad.errors import InputError

REAL = [FORWARD, CENTRAL, CENTRAL4, CENTRAL6]

# stencil, order, weights (textbook, over the common denominator), sum of |weights|, evaluations
TABLE = [
    (FORWARD, 1, {0: "-1", 1: "1"}, 2, 1),
    (CENTRAL, 2, {-1: "-1/2", 1: "1/2"}, 1, 2),
    (CENTRAL4, 4, {-2: "1/12", -1: "-2/3", 1: "2/3", 2: "-1/12"}, 1.5, 4),
    (CENTRAL6, 6, {-3: "-1/60", -2: "3/20", -1: "-3/4", 1: "3/4", 2: "-3/20", 3: "1/60"}, 11 / 6, 6),
]

fractions = st.fractions(-100, 100, max_denominator=1000)
steps = st.fractions(Fraction(1, 1000), 10, max_denominator=1000)
real_stencils = st.sampled_from(REAL)


def by_name(stencil):
    """The name under which pytest lists a stencil."""
    return getattr(stencil, "name", None)


def polynomial(coefficients, x):
    """sum_k c_k x^k, in the arithmetic of its arguments."""
    return sum((c * x**k for k, c in enumerate(coefficients)), 0 * x)


def polynomial_derivative(coefficients, x):
    """sum_k k c_k x^(k-1), in the arithmetic of its arguments."""
    return sum((k * c * x ** (k - 1) for k, c in enumerate(coefficients) if k), 0 * x)


def exact_difference(stencil, f, x, h):
    """The difference formula in exact rationals."""
    return sum(w * f(x + o * h) for o, w in zip(stencil.offsets, stencil.weights, strict=True)) / h


def float_difference(stencil, f, x, h):
    """What `derivative` makes of f at x, all in floats."""
    d = stencil.steps_to_offsets(np.array([h]))
    return stencil.derivative(f(x + d), d, f(x))[0]


class TestWeights:
    @pytest.mark.parametrize(
        ("stencil", "order", "weights", "amplification", "evaluations"), TABLE, ids=by_name
    )
    def test_textbook(self, stencil, order, weights, amplification, evaluations):
        """Weights, order, amplification and number of evaluations are those of the textbooks."""
        assert dict(zip(stencil.offsets, stencil.weights, strict=True)) == {
            o: Fraction(w) for o, w in weights.items()
        }
        assert stencil.order == order
        assert stencil.amplification == pytest.approx(amplification, rel=1e-15)
        assert len(stencil.evaluated) == evaluations

    @given(st.lists(st.integers(-9, 9), min_size=2, max_size=7, unique=True))
    def test_moments(self, offsets):
        """On any offsets the weights have sum 0, first moment 1, and no other moment below their number."""
        weights = difference_weights(offsets)
        moments = [moment(offsets, weights, k) for k in range(len(offsets))]
        assert moments == [Fraction(k == 1) for k in range(len(offsets))]

    @pytest.mark.parametrize("stencil", REAL, ids=by_name)
    def test_integer_weights_are_exact(self, stencil):
        """As floats the weights are whole numbers in the exact ratio of the rationals."""
        w = [Fraction(float(v)) for v in stencil.integer_weights]
        assert all(v.denominator == 1 for v in w)
        assert {a / b for a, b in zip(w, stencil.weights, strict=True)} == {w[-1] / stencil.weights[-1]}

    def test_survives_pickling(self):
        """A stencil is a value: it is equal to itself after a trip to a worker."""
        assert [pickle.loads(pickle.dumps(s)) for s in STENCILS.values()] == list(STENCILS.values())


class TestPolynomials:
    @given(real_stencils, st.data(), fractions, steps)
    def test_exact_up_to_the_order(self, stencil, data, x, h):
        """In rationals a stencil of order p differentiates polynomials of degree p exactly, for any x, h."""
        size = stencil.order + 1
        c = data.draw(st.lists(fractions, min_size=size, max_size=size))
        assert exact_difference(stencil, lambda t: polynomial(c, t), x, h) == polynomial_derivative(c, x)

    @given(real_stencils, fractions, steps)
    def test_not_exact_beyond_the_order(self, stencil, x, h):
        """At degree p + 1 the error is the same multiple of h^p everywhere, and it is not zero."""
        p = stencil.order

        def error(x, h):
            return exact_difference(stencil, lambda t: t ** (p + 1), x, h) - (p + 1) * x**p

        assert error(x, h) == moment(stencil.offsets, stencil.weights, p + 1) * h**p
        assert error(x, h) == error(x, h / 2) * 2**p != 0

    @given(real_stencils, st.data(), st.integers(-64, 64), st.integers(-6, 0))
    def test_exact_in_floats_to_rounding(self, stencil, data, eighths, exponent):
        """In floats the same holds to a few roundings of the values, whatever the point and the step."""
        size = stencil.order + 1
        c = data.draw(st.lists(st.integers(-9, 9), min_size=size, max_size=size))
        x, h = eighths / 8, 2.0**exponent
        reach = abs(x) + max(abs(o) for o in stencil.offsets) * h
        largest = polynomial([abs(v) for v in c], reach)
        numeric = float_difference(stencil, lambda t: polynomial(c, t), x, h)
        rounding = 8 * size * np.finfo(float).eps * largest * stencil.amplification / h
        assert abs(numeric - polynomial_derivative(c, x)) <= rounding

    @pytest.mark.parametrize("stencil", REAL, ids=by_name)
    @pytest.mark.parametrize(("f", "slope"), [(np.exp, np.exp), (np.sin, np.cos)], ids=["exp", "sin"])
    def test_error_falls_with_the_order(self, stencil, f, slope):
        """Halving the step divides the error of a smooth cost by 2^p."""
        x, h = 0.7, 2.0**-4
        coarse, fine = (abs(float_difference(stencil, f, x, s) - slope(x)) for s in (h, h / 2))
        assert coarse / fine == pytest.approx(2.0**stencil.order, rel=0.05)


class TestDerivative:
    @given(real_stencils, st.data(), st.integers(-(2**20), 2**20), st.integers(-(2**20), 2**20))
    def test_linear_costs_are_exact_whatever_the_displacements(self, stencil, data, slope, offset):
        """For a linear cost the slope comes out to the last bit, however crooked the displacements are."""
        nominal = 1000 * np.array(stencil.evaluated)
        shake = data.draw(st.lists(st.integers(-99, 99), min_size=nominal.size, max_size=nominal.size))
        d = (nominal + shake)[None, :] * 2.0**-40
        values = offset * 2.0**-40 + slope * d
        assert stencil.derivative(values, d, offset * 2.0**-40)[0] == slope

    @given(real_stencils, st.data())
    def test_offset_of_1e10_loses_nothing(self, stencil, data):
        """Values that are exact beside an offset of 1e10 give the same derivative, bit by bit, without it."""
        d = stencil.steps_to_offsets(np.array([2.0**-17]))
        whole = data.draw(st.lists(st.integers(-999, 999), min_size=d.size, max_size=d.size))
        small = np.array([whole]) * 2.0**-16
        at_parameters = data.draw(st.integers(-999, 999)) * 2.0**-16
        shifted = stencil.derivative(small + 1e10, d, at_parameters + 1e10)
        assert (shifted == stencil.derivative(small, d, at_parameters)).all()

    @given(real_stencils, st.integers(1, 9), st.integers(0, 2**32))
    def test_rows_do_not_see_each_other(self, stencil, m, seed):
        """A coordinate's derivative is bitwise the same alone and among others."""
        random = np.random.default_rng(seed)
        d = stencil.steps_to_offsets(np.full(m, 1e-5))
        values = random.normal(size=d.shape)
        together = stencil.derivative(values, d, 0.5)
        alone = [stencil.derivative(values[k : k + 1], d[k : k + 1], 0.5)[0] for k in range(m)]
        assert together.tolist() == alone

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize("stencil", REAL, ids=by_name)
    def test_non_finite_value_is_never_a_finite_derivative(self, stencil, bad):
        """A value that is not finite spoils its own row, whichever point it is at, and no other."""
        d = stencil.steps_to_offsets(np.full(len(stencil.evaluated) + 1, 0.5))
        values = 3.0 * d + 1.0
        np.fill_diagonal(values, bad)
        derivative = stencil.derivative(values, d, 1.0)
        assert not np.isfinite(derivative[:-1]).any()
        assert derivative[-1] == 3.0

    def test_forward_uses_the_cost_at_the_parameters(self):
        """Forward differences take the value at the parameters as it is, without an evaluation of it."""
        assert FORWARD.evaluated == (1,)
        assert FORWARD.derivative(np.array([[7.0]]), np.array([[0.5]]), 4.0)[0] == 6.0


class TestComplexStep:
    @given(st.integers(-50, 50), st.lists(st.integers(-9, 9), min_size=1, max_size=6))
    def test_no_truncation(self, tenths, c):
        """The complex step differentiates polynomials of any degree to rounding."""
        x = tenths / 10
        numeric = float_difference(COMPLEX, lambda t: polynomial(c, t + 0j), x, COMPLEX_STEP)
        largest = polynomial_derivative([abs(v) for v in c], abs(x))
        assert abs(numeric - polynomial_derivative(c, x)) <= 1e-14 * largest + 1e4 * COMPLEX_STEP**2

    def test_large_offset_loses_nothing(self):
        """The derivative lives in the imaginary part: an offset of 1e10 in the real part is harmless."""
        numeric = float_difference(COMPLEX, lambda t: 1e10 + np.exp(t + 0j), 0.3, COMPLEX_STEP)
        assert numeric == pytest.approx(math.exp(0.3), rel=1e-15)

    def test_one_evaluation_on_the_imaginary_axis(self):
        """It takes one evaluation, at 1e-30 along the imaginary axis."""
        assert COMPLEX.evaluated == (1,)
        assert COMPLEX.steps_to_offsets(np.array([COMPLEX_STEP])).tolist() == [[1e-30j]]


class TestFindStencil:
    @pytest.mark.parametrize("name", ["forward", "central", "central4", "central6", "complex"])
    def test_known(self, name):
        """Each name that `method=` takes gives the stencil of that name."""
        assert find_stencil(name).name == name

    @pytest.mark.parametrize("name", ["Central", "central8", "", None])
    def test_unknown(self, name):
        """An unknown method is repeated, and the known ones are listed."""
        message = f"unknown method {name!r}: the methods are forward, central, central4, central6, complex"
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG409\]$"):
            find_stencil(name)
