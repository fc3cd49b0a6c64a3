"""A gradient that is no function of the parameters is refused before any difference, each way by its name."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.claims import claimed_gradient
from fastgrad.parameters import Parameters

X = np.array([0.5, -1.0, 2.0])


def cost(x):
    """The sum of fourth powers."""
    return float(np.sum(x**4))


def gradient(x):
    """Its gradient."""
    return 4 * x**3


def check(claim):
    """The check of a gradient function at X."""
    return fastgrad.check_gradient(cost, claim, X)


class Accumulating:
    """A gradient that is added to a buffer, as .grad is."""

    def __init__(self):
        self.buffer = np.zeros(3)

    def __call__(self, x):
        """The buffer."""
        self.buffer += gradient(x)
        return self.buffer


class Cached:
    """A gradient that is computed for the parameters before the ones it is given."""

    def __init__(self):
        self.seen = X.copy()

    def __call__(self, x):
        """The gradient at the parameters of the last call."""
        before, self.seen = self.seen, x.copy()
        return gradient(before)


class Rewriting:
    """A right gradient in one buffer that every call writes to."""

    def __init__(self):
        self.buffer = np.zeros(3)

    def __call__(self, x):
        """The buffer."""
        self.buffer[:] = gradient(x)
        return self.buffer


class Random:
    """A gradient with noise of a relative size."""

    def __init__(self, size):
        self.rng = np.random.default_rng(0)
        self.size = size

    def __call__(self, x):
        """The gradient, a little off each time."""
        return gradient(x) * (1 + self.size * self.rng.uniform(-1, 1, 3))


class TestRefused:
    def test_accumulates(self):
        """A buffer that is never set to zero is named as such, with a coordinate."""
        message = r"the gradient accumulates: the second call gave twice the first .*\(params\[2\]\)"
        with pytest.raises(fastgrad.InputError, match=message):
            check(Accumulating())

    def test_random(self):
        """A gradient of unseeded dropout gives another answer each time."""
        with pytest.raises(fastgrad.InputError, match=r"another answer each time .* Fix its random numbers"):
            check(Random(0.1))

    def test_keeps_something(self):
        """A cache of an earlier call shows once other parameters were asked about."""
        with pytest.raises(fastgrad.InputError, match="keeps something from call to call"):
            check(Cached())

    def test_changes_its_parameters(self):
        """Writing into the parameters is refused, naming the coordinate."""

        def spoiling(x):
            g = gradient(x)
            x[1] = 0
            return g

        with pytest.raises(fastgrad.InputError, match=r"changes its parameters \(params\[1\]\)"):
            check(spoiling)


class TestAllowed:
    def test_pure_function_says_nothing(self):
        """A gradient that is a function is called four times and gets no note."""
        calls = []
        report = check(lambda x: calls.append(1) or gradient(x))
        assert (report.verdict, len(calls), report.notes) == ("agree", 4, ())

    def test_rewritten_buffer_is_noted(self):
        """A right gradient that returns its own buffer agrees, and the user is told to copy it."""
        report = check(Rewriting())
        assert report.passed
        assert "returns the same array at every call" in report.notes[0]

    def test_jitter_is_allowed_for(self):
        """Repeats that differ in the last digits are said to, and widen the bounds."""
        report = check(Random(1e-9))
        assert report.passed
        assert "does not repeat itself to the last digit" in report.notes[0]
        assert report.error_bound.max() > check(gradient).error_bound.max()

    def test_a_constant_gradient_is_right_for_a_linear_cost(self):
        """The gradient of a linear cost is the same everywhere, and no cache is suspected."""
        w = np.array([1.0, -2.0, 0.5])
        report = fastgrad.check_gradient(lambda x: float(w @ x), lambda x: w, X)
        assert (report.verdict, report.notes) == ("agree", ())

    def test_nearby_point_outside_the_domain(self):
        """A gradient that raises beside the parameters is not asked there."""

        def narrow(x):
            if not np.array_equal(x, X):
                raise ValueError("outside")
            return gradient(x)

        parameters = Parameters(X)
        claim = claimed_gradient(narrow, parameters, ())
        assert np.array_equal(claim.at(np.arange(3)).values, gradient(X))
        assert not claim.stale

    def test_parameters_are_put_back(self):
        """After the point close by, the copy that the gradient sees holds the parameters to the last bit."""
        seen = []
        check(lambda x: seen.append(x.copy()) or gradient(x))
        assert [np.array_equal(x, X) for x in seen] == [True, True, False, True]


class TestStale:
    def test_the_same_everywhere(self):
        """A gradient that ignores its argument is stale, in either dtype; one that looks at it is not."""
        for dtype in (np.float64, np.float32):
            x = X.astype(dtype)
            assert claimed_gradient(lambda p: gradient(X).astype(p.dtype), Parameters(x), ()).stale
            assert not claimed_gradient(gradient, Parameters(x), ()).stale

    def test_rounded_is_not_stale(self):
        """A gradient that is rounded to a few digits is asked farther off before it is called stale."""
        rounded = claimed_gradient(lambda p: np.round(gradient(p), 2), Parameters(X), ())
        assert not rounded.stale


class TestCost:
    def test_jitter_of_a_cost_is_noise(self):
        """A cost that differs in its last digits from call to call is checked, its scatter being noise."""
        rng = np.random.default_rng(0)
        report = fastgrad.check_gradient(lambda x: cost(x) * (1 + 1e-13 * rng.uniform(-1, 1)), gradient, X)
        assert report.verdict == "agree"
        assert "the cost does not repeat itself to the last digit: 8 calls" in report.notes[0]
