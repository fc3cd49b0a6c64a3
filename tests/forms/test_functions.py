"""Functions as scipy takes them: what they return, in the shapes that the checks need."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.optimize import BFGS
from scipy.sparse.linalg import aslinearoperator

from fastgrad.errors import InputError
from fastgrad.forms.functions import (
    Components,
    Rows,
    Value,
    Vector,
    as_tuple,
    is_operator,
    is_update,
    place,
    require_function,
    start,
)


class TestStart:
    # x0, what is taken
    TAKEN = (
        (3, [3.0]),
        ([1, 2], [1.0, 2.0]),
        ((1.5, 2), [1.5, 2.0]),
        (np.arange(2), [0.0, 1.0]),
    )

    @pytest.mark.parametrize(("x0", "taken"), TAKEN)
    def test_taken(self, x0, taken):
        """A number, a list and integers become a vector of floats, as scipy makes it."""
        found, names = start(x0)
        assert (found.dtype, found.tolist(), names) == (np.float64, taken, None)

    def test_labels(self):
        """A Series gives its labels as names, in integers too; a point has them again."""
        found, names = start(pd.Series([1, 2], index=["a", "b"]))
        assert (found.tolist(), names) == ([1.0, 2.0], ("a", "b"))
        assert place(found, names).names == names
        assert place(found, None) is found

    def test_single_precision_stays(self):
        """float32 is not widened: scipy calls the functions with it."""
        assert start(np.ones(2, np.float32))[0].dtype == np.float32

    @pytest.mark.parametrize("x0", [np.ones((2, 1)), np.array([1j]), ["a"], np.array([np.nan])])
    def test_refused(self, x0):
        """More axes, complex numbers, text and NaN are refused."""
        with pytest.raises(InputError):
            start(x0)


class TestReturned:
    def test_vector(self):
        """A list is a vector, and a number one of length 1; a column is refused."""
        assert Vector(lambda x: [1.0, 2.0], 2, "jac")(None).tolist() == [1.0, 2.0]
        assert Vector(lambda x: 3.0, 1, "jac")(None).tolist() == [3.0]
        with pytest.raises(InputError, match=r"jac must return shape \(2,\), as x0 has"):
            Vector(lambda x: np.ones((2, 1)), 2, "jac")(None)

    def test_value(self):
        """One number in an array is that number."""
        assert Value(lambda x: np.array([[2.0]]))(None) == 2.0

    def test_components(self):
        """A number, a list and integers are a vector of floats."""
        for returned in (2, 2.0, [2], np.array([2.0])):
            found = Components(lambda x, returned=returned: returned)(None)
            assert (found.shape, found.dtype) == ((1,), np.float64)

    def test_rows(self):
        """A vector is one row; sparse matrices and operators stay what they are."""
        assert Rows(lambda x: [1.0, 2.0])(None).shape == (1, 2)
        for J in (sparse.csr_array(np.eye(2)), aslinearoperator(np.eye(2))):
            assert Rows(lambda x, J=J: J)(None) is J

    @pytest.mark.parametrize("kind", [Value, Components, Rows, lambda f: Vector(f, 1, "jac")])
    def test_names_and_copies(self, kind):
        """Each has the name of the user's function; a copy for a worker does the same."""

        def cost(x):
            return np.array([2.0])

        made = kind(cost)
        assert made.__name__ == "cost"
        assert np.all(made.for_worker()(None) == made(None))


def test_what_things_are():
    """Update formulas and operators are known without an import of scipy."""
    assert is_update(BFGS())
    assert not is_update(np.eye(2))
    assert is_operator(aslinearoperator(np.eye(2)))
    assert not is_operator(sparse.csr_array(np.eye(2)))
    assert (as_tuple(3), as_tuple((3, 4)), as_tuple([3])) == ((3,), (3, 4), ([3],))
    with pytest.raises(InputError, match=r"fun must be callable as fun\(x\); got 3"):
        require_function("fun", 3, "fun(x)")
