"""Points near the parameters, and costs that bend on the way there."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.preflight.nearby import bends, move, put_back
from fastgrad.problem.parameters import Parameters
from fastgrad.problem.working_copy import WorkingCopy

RNG = np.random.default_rng(0)
X = RNG.normal(size=7)
W = RNG.normal(size=7)


class TestMove:
    def test_each_entry_by_its_own_amount(self):
        """No two entries of a block move alike, also where all are one number, and none moves down."""
        working = WorkingCopy(Parameters({"a": np.ones(50), "b": np.full(20, 2.0, np.float32)}))
        move(working, 1.0)
        for leaf, x in zip(working.flat_leaves, (1.0, 2.0), strict=True):
            assert len(np.unique(leaf)) == leaf.size
            assert (leaf > x).all()

    def test_the_same_each_time(self):
        """The move is the same at each call, and put back to the last bit."""
        parameters = Parameters(X)
        a, b = WorkingCopy(parameters), WorkingCopy(parameters)
        move(a, 3.0)
        move(b, 3.0)
        assert np.array_equal(a.flat_leaves[0], b.flat_leaves[0])
        put_back(a)
        assert np.array_equal(a.flat_leaves[0], X)

    def test_large_leaf(self):
        """A leaf of several pieces moves as a whole."""
        working = WorkingCopy(Parameters(np.ones(2**17)))
        move(working, 1.0)
        assert (working.flat_leaves[0] > 1).all()


CURVED = {
    "sines": lambda x: np.sum(np.sin(x)),
    "a square beside a line": lambda x: W @ x + 1e-3 * x[2] ** 2,
    "centred squares": lambda x: np.sum((x - x.mean()) ** 2),
    "softmax": lambda x: np.log(np.exp(x).sum()) - x[0],
    "far from zero": lambda x: 1e6 + np.sum(x**2),
}

NOT_CURVED = {
    "a line": lambda x: W @ x,
    "a line far from zero": lambda x: 1e9 + W @ x,
    "a long sum": lambda x: np.sum(np.outer(x, np.linspace(-1, 1.3, 1001))),
    "a line that cancels": lambda x: (1e8 * x).sum() - (1e8 * (x - 1e-8 * W * x)).sum(),
    "a constant": lambda x: 3.0,
    "absolute values": lambda x: np.abs(x).sum(),
    "rounded": lambda x: np.round(W @ x, 3),
    "no number": lambda x: np.nan,
    "an array": lambda x: x,
}


class TestBends:
    @pytest.mark.parametrize("name", CURVED)
    def test_curved(self, name):
        """A cost that is not linear is seen to bend, in either dtype."""
        assert bends(CURVED[name], Parameters(X), ())
        assert bends(lambda x: CURVED[name](x.astype(float)), Parameters(X.astype(np.float32)), ())

    @pytest.mark.parametrize("name", NOT_CURVED)
    def test_not_curved(self, name):
        """A linear cost is not, and neither is one that is linear in pieces, or has no values."""
        assert not bends(NOT_CURVED[name], Parameters(X), ())
        assert not bends(NOT_CURVED[name], Parameters(X.astype(np.float32)), ())

    def test_float32(self):
        """The rounding of a cost in float32 is no bend."""
        assert not bends(lambda x: W.astype(np.float32) @ x, Parameters(X.astype(np.float32)), ())

    def test_outside_the_domain(self):
        """A cost that raises beside the parameters is not seen to bend."""

        def narrow(x):
            if not np.array_equal(x, X):
                raise ValueError("outside")
            return float(x @ x)

        assert not bends(narrow, Parameters(X), ())

    def test_vectorized(self):
        """A cost that takes a batch gets batches of one."""
        assert bends(lambda x: (x**2).sum(axis=1), Parameters(X), (), vectorized=True)
        assert not bends(lambda x: x @ W, Parameters(X), (), vectorized=True)
