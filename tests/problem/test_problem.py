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
        with pytest.raises(InputError, match=rf"^{message} \[FG131\]$"):
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
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG(201|113)\]$"):
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


class TestFromValueAndGradient:
    def test_right_and_wrong(self):
        """A function that returns (loss, gradient) is checked; a wrong twin is found."""
        right = fastgrad.Problem.from_value_and_gradient(
            lambda x, a: (a * x @ x, 2 * a * x), np.ones(3), (3.0,)
        )
        wrong = fastgrad.Problem.from_value_and_gradient(lambda x: (x @ x, 2 * x + [0, 0, 0.1]), np.ones(3))
        assert fastgrad.check(right).passed
        assert [f.label for f in fastgrad.check(wrong).wrong] == ["params[2]"]

    def test_no_pair(self):
        """What returns no pair is refused, with what came."""
        problem = fastgrad.Problem.from_value_and_gradient(lambda x: x @ x, np.ones(3))
        with pytest.raises(
            InputError, match=r"must return a pair \(loss, gradient\) at each call; got float64"
        ):
            fastgrad.check(problem)
        message = "fun must be callable as fun(x, *args) -> (loss, gradient); got 3.0"
        with pytest.raises(InputError, match=rf"^{re.escape(message)} \[FG201\]$"):
            fastgrad.Problem.from_value_and_gradient(3.0, np.ones(3))

    def test_losses_of_scikit_learn(self):
        """The private losses of scikit-learn agree, with a penalty and with an intercept."""
        module = pytest.importorskip("sklearn.linear_model._linear_loss")
        losses = pytest.importorskip("sklearn._loss.loss")
        rng = np.random.default_rng(4)
        data, y = rng.normal(size=(30, 4)), (rng.random(30) < 0.5).astype(float)
        loss = module.LinearModelLoss(losses.HalfBinomialLoss(), fit_intercept=True)
        w = rng.normal(size=5)
        problem = fastgrad.Problem.from_value_and_gradient(loss.loss_gradient, w, (data, y, None, 0.5))
        assert fastgrad.check(problem).passed

    def test_a_penalty_that_is_forgotten(self):
        """A twin of scikit-learn's loss whose gradient lacks the penalty is told what it lacks."""
        module = pytest.importorskip("sklearn.linear_model._linear_loss")
        losses = pytest.importorskip("sklearn._loss.loss")
        rng = np.random.default_rng(4)
        data, y, w = rng.normal(size=(30, 6)), rng.poisson(2.0, 30).astype(float), 0.3 * rng.normal(size=6)
        loss = module.LinearModelLoss(losses.HalfPoissonLoss(), fit_intercept=False)

        def forgetful(w):
            return loss.loss(w, data, y, None, 0.5), loss.gradient(w, data, y, None, 0.0)

        report = fastgrad.check(fastgrad.Problem.from_value_and_gradient(forgetful, w))
        assert report.verdict == "disagree"
        assert "L2" in report.diagnosis[0]
