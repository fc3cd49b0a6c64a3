"""Matrices, masked arrays and other subclasses of NumPy's array."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.kinds.numpy_subclass import form_of, to_array
from fastgrad.problem.parameters import Parameters

X = np.array([[0.5, -1.0, 2.0]])


def matrix(rows):
    """A matrix, made as a view: NumPy warns of the name alone."""
    return np.array(rows).view(np.matrix)


class Strict(np.ndarray):
    """A subclass of which no view can be made."""

    def __array_finalize__(self, like):
        """Refused for anything of another class."""
        if like is not None and not isinstance(like, Strict):
            raise TypeError("only my own")


def strict():
    """An array of the class that cannot be viewed."""
    return np.ndarray.__new__(Strict, (2,), dtype=float)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # which NumPy's own products raise
class TestMatrix:
    def test_products_of_matrices(self):
        """A cost in which * is the product of matrices may return a matrix of one entry."""
        column = matrix([[1.0], [2.0]])
        A = matrix([[2.0, 1.0], [1.0, 3.0]])
        report = fastgrad.check_gradient(lambda x: x.T * A * x, lambda x: 2 * A * x, column)
        assert report.verdict == "agree"
        wrong = fastgrad.check_gradient(lambda x: x.T * A * x, lambda x: 2 * A * x + [[0], [0.1]], column)
        assert [f.label for f in wrong.wrong] == ["params[1, 0]"]

    def test_a_cost_that_writes_into_it_is_refused(self):
        """A matrix is a view: what the cost writes into it is seen, and refused."""

        def cost(x):
            x[0, 0] = 7.0
            return 1.0

        with pytest.raises(InputError, match=r"the cost changes its parameters: params\[0, 0\]"):
            fastgrad.check_gradient(cost, X, X.view(np.matrix))

    def test_a_matrix_of_more_entries_is_no_number(self):
        """A cost that returns a larger matrix is refused."""
        with pytest.raises(InputError, match=r"the cost must return one number; got .*\(2, 2\)"):
            fastgrad.check_gradient(lambda x: x * x.T, matrix([[1.0], [1.0]]), matrix([[1.0], [2.0]]))


class TestMasked:
    def test_without_masked_entries(self):
        """A masked array in which nothing is masked is checked as such."""
        x = np.ma.array(X[0])
        seen = []
        report = fastgrad.check_gradient(
            lambda p: seen.append(type(p)) or float((p**2).sum()), lambda p: 2 * p, x
        )
        assert report.passed
        assert set(seen) == {np.ma.MaskedArray}

    # parameter, how many are masked
    MASKED = (
        (np.ma.array([1.0, 2.0], mask=[True, False]), 1),
        (np.ma.array([1.0, 2.0], mask=True), 2),
        (np.ma.masked_invalid([1.0, np.nan, 3.0]), 1),
        (np.ma.masked, 1),
    )

    @pytest.mark.parametrize(("value", "count"), MASKED)
    def test_masked_entries_are_refused(self, value, count):
        """Masked entries are refused as parameters and as gradients, with their number."""
        message = (
            rf"masked array in which {count} entries are masked: pass its valid entries, .compressed\(\)"
        )
        with pytest.raises(InputError, match=f"parameter W is a {message}"):
            Parameters({"W": value})
        with pytest.raises(InputError, match=f"the gradient of W is a {message}"):
            Parameters({"W": np.ones(np.shape(value))}).match({"W": value}, "gradient")


class TestOthers:
    def test_of_which_no_view_can_be_made(self):
        """A class that refuses views is refused with what it said."""
        with pytest.raises(
            InputError, match=r"a Strict, a subclass .* \(TypeError: only my own\): pass a plain"
        ):
            form_of(strict(), "parameter W")

    def test_plain_arrays_and_maps(self, tmp_path):
        """A plain array and a memory map have no form."""
        X.tofile(tmp_path / "x")
        assert form_of(X, "W") is None
        assert form_of(np.memmap(tmp_path / "x", dtype=float, mode="r"), "W") is None

    def test_to_array_shares_memory(self):
        """The numbers are not copied."""
        for value in (X.view(np.matrix), np.ma.array(X, copy=False), X.view(np.recarray)):
            found = to_array(value, "W")
            assert type(found) is np.ndarray
            assert np.shares_memory(found, X)
