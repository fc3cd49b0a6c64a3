"""Problem: what is checked, and a network object checked as it is, without a change to it."""

from __future__ import annotations

import re

import numpy as np
import pytest
from stateful_cases import Network, X, Y

import fastgrad
from fastgrad.errors import InputError


def cost(x, a=1.0):
    """A quadratic."""
    return a * float(x @ x)


class TestProblem:
    def test_args_are_passed_through(self):
        """Both cost and gradient get args as they are."""
        seen = []

        def gradient(x, a):
            seen.append(a)
            return 2 * a * x

        a = np.float64(3.0)
        assert fastgrad.check(fastgrad.Problem(cost, gradient, np.ones(2), (a,))).passed
        assert all(value is a for value in seen)

    def test_no_gradient(self):
        """A problem without a gradient says what can be done with it."""
        message = "there is no gradient to check: use numerical_gradient, or give one"
        with pytest.raises(InputError, match=f"^{message}$"):
            fastgrad.check(fastgrad.Problem(cost, None, np.ones(2)))

    # arguments, the whole message
    MESSAGES = (
        ((3.0, None, np.ones(2)), {}, "the cost must be callable as cost(params, *args); got 3.0"),
        ((cost, None, np.ones(2)), {"args": [1.0]}, "args must be a tuple, as in args=(X, y); got a list"),
        ((cost, None, np.ones(2)), {"args": X}, "args must be a tuple, as in args=(X, y); got a ndarray"),
    )

    @pytest.mark.parametrize(("arguments", "options", "message"), MESSAGES)
    def test_message(self, arguments, options, message):
        """What cannot be a problem is refused at once, with what came."""
        with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
            fastgrad.Problem(*arguments, **options)

    def test_repr(self):
        """The repr names cost and gradient, and does not print the data."""
        assert (
            repr(fastgrad.Problem(cost, np.ones(2), np.ones(2), (X,)))
            == "Problem(cost=cost, gradient=ndarray)"
        )
        assert repr(fastgrad.Problem(cost, None, np.ones(2))) == "Problem(cost=cost, gradient=None)"
        net = fastgrad.Problem.from_object(Network(), X, Y)
        assert repr(net) == "Problem(cost=Network.costFunction, gradient=Network.computeGradients)"
