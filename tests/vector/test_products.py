"""check_vjp and check_jvp."""

import numpy as np
import pytest

import fastgrad
from fastgrad.vector.products import EACH_COLUMN

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 3))
X = RNG.normal(size=3)
MANY = RNG.normal(size=EACH_COLUMN + 44)


def function(x):
    """F."""
    return np.tanh(A @ x)


def vjp(x, u):
    """J^T u."""
    return A.T @ (u * (1 - function(x) ** 2))


def jvp(x, v):
    """J v."""
    return (A @ v) * (1 - function(x) ** 2)


class TestVjp:
    """check_vjp."""

    def test_right(self):
        """A right product agrees."""
        assert fastgrad.check_vjp(function, vjp, X).verdict == "agree"

    @pytest.mark.parametrize("factor", [-1, 0, 1.001, 2])
    def test_one_entry(self, factor):
        """One wrong entry of the Jacobian is found in its column."""

        def wrong(x, u):
            found = vjp(x, u)
            found[1] += (factor - 1) * u[2] * A[2, 1] * (1 - function(x)[2] ** 2)
            return found

        report = fastgrad.check_vjp(function, wrong, X)
        assert [f.flat_index for f in report.wrong] == [1]

    def test_forgotten_cotangent(self):
        """A product that forgets its vector, as a backward without grad_output does, disagrees."""
        assert fastgrad.check_vjp(function, lambda x, u: vjp(x, np.ones(4)), X).verdict == "disagree"

    def test_structures(self):
        """Parameters, outputs and the vector come in the user's structures, with args."""

        def of_dict(p, scale):
            return {"s": scale * p["a"] * p["b"].sum(), "t": [p["b"] ** 2]}

        def product(p, u, scale):
            return {
                "a": scale * u["s"] * p["b"].sum(),
                "b": u["s"] * scale * p["a"] + 2 * p["b"] * u["t"][0],
            }

        params = {"a": 2.0, "b": np.array([1.0, 3.0])}
        assert fastgrad.check_vjp(of_dict, product, params, args=(0.5,)).passed


class TestJvp:
    """check_jvp."""

    def test_right(self):
        """A right product agrees."""
        assert fastgrad.check_jvp(function, jvp, X).verdict == "agree"

    def test_one_entry(self):
        """One wrong entry of the Jacobian is found in its column."""

        def wrong(x, v):
            found = jvp(x, v)
            found[2] += 0.01 * v[1]
            return found

        assert [f.flat_index for f in fastgrad.check_jvp(function, wrong, X).wrong] == [1]

    def test_many(self):
        """Of many parameters a right product agrees along random directions, with one call for each."""
        assert fastgrad.check_jvp(np.tanh, lambda x, v: v * (1 - np.tanh(x) ** 2), MANY).passed

    def test_many_wrong(self):
        """One column of many that is off shows in every direction."""

        def wrong(x, v):
            found = v * (1 - np.tanh(x) ** 2)
            found[17] *= 1.01
            return found

        report = fastgrad.check_jvp(np.tanh, wrong, MANY)
        assert report.verdict == "disagree"
        assert len(report.wrong) > 10
