"""A cost that returns (loss, gradient) is checked by its loss, in every engine, and the report says so."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from engine_cases import needs_jit

import fastgrad
from fastgrad.errors import InputError
from fastgrad.preflight.pairs import FIRST_TAKEN

X = np.array([0.5, -1.0, 2.0])


def both(x):
    """The sum of squares and its gradient."""
    return float(x @ x), 2 * x


@numba.njit
def both_compiled(x):
    """The same, compiled."""
    return np.sum(x * x), 2 * x


# how the pair is made of the loss and the gradient
PAIRS = (
    lambda loss, g: (loss, g),
    lambda loss, g: [loss, g],
    lambda loss, g: (np.float64(loss), g),
    lambda loss, g: (np.array(loss), g.tolist()),
    lambda loss, g: (loss, g[:, None]),
)


class TestLossAlone:
    @pytest.mark.parametrize("pair", PAIRS)
    def test_the_first_is_the_cost(self, pair):
        """The first of the pair is differenced, whatever the pair is made of, and a note says it."""
        for factor, verdict in ((2.0, "agree"), (2.2, "disagree")):
            report = fastgrad.check_gradient(lambda x: pair(*both(x)), lambda x, f=factor: f * x, X)
            assert report.verdict == verdict
            assert FIRST_TAKEN in report.notes
            assert f"note: {FIRST_TAKEN}" in str(report)

    def test_in_a_structure(self):
        """The pair's gradient may have the parameters' structure."""
        report = fastgrad.check_gradient(
            lambda p: (float(p["a"] @ p["a"]), {"a": 2 * p["a"]}), lambda p: {"a": 2 * p["a"]}, {"a": X}
        )
        assert report.passed

    # options of the check
    @pytest.mark.parametrize(
        "options",
        [{"n_jobs": 2, "backend": "loky"}, {"probes": 3}, {"method": "central6"}, {"tolerance": 1e-6}],
    )
    def test_in_every_way(self, options):
        """Workers, probes and other stencils get the loss alone."""
        x = np.linspace(-1, 1, 50)
        assert fastgrad.check_gradient(both, lambda x: 2 * x, x, **options).passed

    def test_complex_step(self):
        """The complex step goes through the loss."""
        report = fastgrad.check_gradient(
            lambda x: (np.sum(x * x), 2 * x), lambda x: 2 * x, X, method="complex"
        )
        assert report.relative_error < 1e-15

    @needs_jit
    def test_compiled(self):
        """A Numba cost stays in the compiled loop."""
        report = fastgrad.check_gradient(both_compiled, lambda x: 2 * x, X)
        assert (report.verdict, report.engine) == ("agree", "compiled")
        assert FIRST_TAKEN in report.notes

    def test_numerical_gradient(self):
        """numerical_gradient differences the loss, and notes it."""
        found = fastgrad.numerical_gradient(both, X)
        assert np.allclose(found.values, 2 * X)
        assert FIRST_TAKEN in found.notes

    def test_evaluations_are_few(self):
        """Only the call that showed the pair is made beside those that are counted."""
        calls = []
        report = fastgrad.check_gradient(lambda x: calls.append(1) or both(x), lambda x: 2 * x, X)
        assert report.evaluations == len(calls) - 1

    # what stands beside the number
    @pytest.mark.parametrize("other", ["accuracy", np.ones(7), {"aux": X}, X.astype(int), 0.9])
    def test_something_else_beside_it(self, other):
        """A number and what is no gradient is refused, with what to write."""
        message = (
            r"got a pair, a number and .*, which is not its gradient. Return the first alone, or say lambda"
        )
        with pytest.raises(InputError, match=message):
            fastgrad.check_gradient(lambda x: (1.0, other), lambda x: 2 * x, X)

    # what the cost returns
    @pytest.mark.parametrize("value", [(X, 1.0), (1.0,), (1.0, X, X), ("a", X), (1.0, None)])
    def test_no_such_pair(self, value):
        """Anything else that is no number is refused as ever."""
        with pytest.raises(InputError, match="the cost must return one number; got a tuple of length"):
            fastgrad.check_gradient(lambda x: value, lambda x: 2 * x, X)


class TestHalves:
    def test_gradient_true(self):
        """With gradient=True the cost returns both, as scipy's jac=True says; a wrong half is found."""
        assert fastgrad.check_gradient(both, True, X).passed
        assert fastgrad.check_gradient(both, np.True_, X).passed
        wrong = fastgrad.check_gradient(lambda x: (float(x @ x), 2.1 * x), True, X)
        assert wrong.verdict == "disagree"

    @needs_jit
    def test_compiled(self):
        """Both halves of a Numba function are compiled."""
        report = fastgrad.check_gradient(both_compiled, True, X)
        assert (report.verdict, report.engine, report.notes) == ("agree", "compiled", ())

    def test_a_cost_that_returns_no_pair(self):
        """gradient=True with a cost that returns a number is refused, with what came."""
        with pytest.raises(
            InputError, match=r"must return a pair \(loss, gradient\) at each call; got float 5.25"
        ):
            fastgrad.check_gradient(lambda x: float(x @ x), True, X)

    def test_vectorized(self):
        """A vectorized cost cannot return the gradient at one point."""
        with pytest.raises(InputError, match="which a vectorized cost cannot"):
            fastgrad.check_gradient(both, True, X, vectorized=True)

    def test_a_vectorized_pair(self):
        """A vectorized cost that returns a pair is refused by a sentence."""
        with pytest.raises(
            InputError, match=r"must return real numbers of shape \(1,\); got a tuple of length 2"
        ):
            fastgrad.check_gradient(
                lambda batch: ((batch**2).sum(1), 2 * batch), lambda x: 2 * x, X, vectorized=True
            )
