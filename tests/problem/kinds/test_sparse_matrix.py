"""Sparse matrices: refused as parameters, taken as gradients."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError

sparse = pytest.importorskip("scipy.sparse")

FORMATS = ("csr", "csc", "coo", "dia", "lil", "dok", "bsr")
W = np.diag([1.0, 2.0, 3.0])


def cost(W):
    """Half the sum of squares of the diagonal."""
    return float(0.5 * (np.diag(W) ** 2).sum())


@pytest.mark.parametrize("name", [f"{f}_{kind}" for f in FORMATS for kind in ("matrix", "array")])
class TestSparse:
    def test_parameters_are_refused(self, name):
        """A sparse parameter is refused, saying what to write in its place."""
        given = getattr(sparse, name)(W)
        with pytest.raises(
            InputError, match=rf"W is a sparse {name[:3]} matrix of shape \(3, 3\): pass .*\.data"
        ):
            fastgrad.check_gradient(cost, {"W": W}, {"W": given})

    def test_gradients_are_taken(self, name):
        """A sparse gradient of a dense parameter is compared with its zeros."""
        make = getattr(sparse, name)
        assert fastgrad.check_gradient(cost, lambda W: make(np.diag(np.diag(W))), W).passed
        wrong = fastgrad.check_gradient(cost, lambda W: make(np.diag(np.diag(W)) * [1, 1, 1.5]), W)
        assert [f.label for f in wrong.wrong] == ["params[2, 2]"]


def test_what_the_message_says_works():
    """The stored numbers as the parameter, and the matrix built in the cost, are checked."""
    given = sparse.csr_matrix(W)

    def of_numbers(data):
        return cost(sparse.csr_matrix((data, given.indices, given.indptr)).toarray())

    assert fastgrad.check_gradient(of_numbers, lambda data: data, given.data).passed


def test_other_things_of_scipy():
    """A result of an optimizer is refused with what to pass."""
    optimize = pytest.importorskip("scipy.optimize")
    with pytest.raises(InputError, match="It is a mapping of its own kind"):
        fastgrad.check_gradient(cost, W, optimize.OptimizeResult(x=W))
