"""The plain checks of the cost: one finite number, the same twice, before any difference is taken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.preflight.cost import REPEATS, check_cost
from fastgrad.problem.parameters import Parameters

X = np.array([0.5, -1.0, 2.0])


def cost(x):
    """The sum of fourth powers."""
    return float(np.sum(x**4))


def gradient(x):
    """Its gradient."""
    return 4 * x**3


def checked(cost, dtype=np.float64):
    """What the check of a cost at X says."""
    return check_cost(PythonEngine(cost, Parameters(X), (), dtype))


def in_turn(*values):
    """A cost that gives these values, call by call, again and again."""
    left = itertools.cycle(values)
    return lambda x: next(left)


class TestCost:
    def test_jitter_of_a_cost_is_noise(self):
        """A cost that differs in its last digits from call to call is checked, its scatter being noise."""
        rng = np.random.default_rng(0)
        report = fastgrad.check_gradient(lambda x: cost(x) * (1 + 1e-13 * rng.uniform(-1, 1)), gradient, X)
        assert report.verdict == "agree"
        assert "the cost does not repeat itself to the last digit: 8 calls" in report.notes[0]


class TestCheckCost:
    def test_a_function(self):
        """A cost that repeats itself takes two evaluations, and nothing is said of it."""
        found = checked(cost)

        assert (found.cost, found.evaluations, found.notes) == (cost(X), 2, ())
        assert found.seconds >= 0

    def test_jitter(self):
        """Of a cost that scatters in its last digits the median of eight calls is taken, with a note."""
        found = checked(in_turn(1.0, 1.0 + 2.0**-30))

        assert found.evaluations == REPEATS
        assert found.cost == 1.0 + 2.0**-31
        (note,) = found.notes
        assert "8 calls at the same parameters scatter by 5e-10" in note

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ((np.nan,), "the cost is nan at the parameters themselves"),
            ((np.inf,), "the cost is inf at the parameters themselves"),
            ((1.0, 2.0), r"the cost gave 1\.0 and then 2\.0 for the same parameters"),
            ((1.0, np.nan), r"the cost gave 1\.0 and then nan for the same parameters"),
        ],
    )
    def test_refused(self, values, message):
        """A cost that is not finite, or that gives two answers, is refused with the values."""
        with pytest.raises(InputError, match=message):
            checked(in_turn(*values))

    def test_complex_step(self):
        """Under the complex step one more evaluation sees whether complex numbers take another branch."""
        assert checked(lambda x: np.sum(x**4), np.complex128).evaluations == 3
        with pytest.raises(InputError, match="complex numbers take another branch"):
            checked(lambda x: np.sum(x**4) + (0 if (x.imag == 0).all() else 1), np.complex128)
