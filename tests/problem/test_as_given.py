"""The user's functions get what the user gave; plain arrays cost nothing more."""

from __future__ import annotations

import array
import pickle
import time

import numpy as np
import pytest

import fastgrad
from fastgrad.errors import InputError
from fastgrad.problem.as_given import AsGiven, as_given, is_compiled
from fastgrad.problem.parameters import Parameters
from fastgrad.specification import Specification

X = np.array([0.5, -1.0, 2.0])


class Tagged(np.ndarray):
    """A subclass that keeps something beside its numbers."""

    def __array_finalize__(self, like):
        """The unit of another one."""
        self.unit = getattr(like, "unit", "m")


def tagged():
    """Such an array."""
    found = X.view(Tagged)
    found.unit = "km"
    return found


def matrix(row):
    """A matrix of one row, made as a view: NumPy warns of the name alone."""
    return np.array([row]).view(np.matrix)


def squares(p):
    """The sum of squares of anything that can be iterated."""
    return float(sum(float(v) ** 2 for v in np.asarray(p).reshape(-1)))


# what is given, its gradient as the same kind
KINDS = (
    (X, 2 * X),
    (3.0, 6.0),
    (np.float64(3.0), np.float64(6.0)),
    (np.float32(3.0), np.float32(6.0)),
    ([0.5, -1.0], [1.0, -2.0]),
    ([0.5, -1], [1.0, -2.0]),
    ((0.5, -1.0), (1.0, -2.0)),
    ([np.float64(0.5), -1.0], [1.0, -2.0]),
    (array.array("d", X), array.array("d", 2 * X)),
    (array.array("f", X), array.array("f", 2 * X)),
    (matrix(X), 2 * matrix(X)),
    (np.ma.array(X), 2 * np.ma.array(X)),
    (tagged(), 2 * tagged()),
    (X.view(np.recarray), 2 * X.view(np.recarray)),
)


class TestKinds:
    @pytest.mark.parametrize(("params", "gradient"), KINDS, ids=lambda v: type(v).__name__)
    def test_both_functions_get_what_was_given(self, params, gradient):
        """The cost and the gradient get the very type that was given, at each of many calls."""
        seen = []

        def cost(p):
            seen.append(type(p))
            return squares(p)

        report = fastgrad.check_gradient(cost, lambda p: seen.append(type(p)) or gradient, params)
        assert report.verdict == "agree"
        assert set(seen) == {type(params)}
        assert len(seen) > 10

    @pytest.mark.parametrize(("params", "gradient"), KINDS, ids=lambda v: type(v).__name__)
    def test_inside_a_structure(self, params, gradient):
        """The same holds beside other leaves."""
        seen = []

        def cost(p):
            seen.append((type(p["k"]), type(p["W"])))
            return squares(p["k"]) + squares(p["W"])

        report = fastgrad.check_gradient(
            cost, {"W": 2 * np.ones((2, 2)), "k": gradient}, {"W": np.ones((2, 2)), "k": params}
        )
        assert report.verdict == "agree"
        assert set(seen) == {(type(params), np.ndarray)}

    @pytest.mark.parametrize(("params", "gradient"), KINDS, ids=lambda v: type(v).__name__)
    def test_a_wrong_gradient_is_found(self, params, gradient):
        """A gradient that is a third too large disagrees, of whatever kind it is."""
        wrong = np.asarray(gradient) * 1.5
        assert fastgrad.check_gradient(squares, wrong, params).verdict == "disagree"

    def test_what_is_beside_the_numbers(self):
        """An attribute of a subclass is there at each call."""
        units = []
        report = fastgrad.check_gradient(lambda p: units.append(p.unit) or squares(p), 2 * X, tagged())
        assert report.passed
        assert set(units) == {"km"}

    def test_other_processes(self):
        """Worker processes make the same kinds."""

        def cost(p):
            assert type(p["l"]) is list
            assert type(p["f"]) is float
            time.sleep(1e-3)
            return p["f"] ** 2 + sum(v**2 for v in p["l"])

        params = {"f": 3.0, "l": [1.0] * 100}
        report = fastgrad.check_gradient(
            cost, {"f": 6.0, "l": [2.0] * 100}, params, n_jobs=2, backend="loky", coordinates="all"
        )
        assert (report.verdict, report.n_jobs) == ("agree", 2)

    @pytest.mark.parametrize("params", [[0.5, -1.0], (0.5, -1.0), 0.5, matrix([0.5, -1.0])], ids=repr)
    def test_complex_step(self, params):
        """Under the complex step the kinds hold complex numbers."""
        report = fastgrad.check_gradient(
            lambda p: np.sum(np.asarray(p) ** 2), 2 * np.asarray(params), params, method="complex"
        )
        assert report.relative_error < 1e-15


class TestAsGiven:
    def test_plain_arrays_leave_functions_alone(self):
        """Where all leaves are plain arrays the function itself is called: no evaluation takes longer."""
        problem = fastgrad.Problem(squares, squares, {"W": X, "b": np.array(1.0)})
        spec = Specification.of(problem, {})
        assert spec.problem is problem

    def test_travels(self):
        """Pickled, it still makes the kinds."""
        function = as_given(repr, Parameters({"l": [1.0, 2.0], "f": 1.0}))
        other = pickle.loads(pickle.dumps(function))
        assert other({"l": np.array([3.0, 4.0]), "f": np.array(5.0)}) == "{'l': [3.0, 4.0], 'f': 5.0}"

    def test_name_and_copy(self):
        """It has the function's name, and copies a function that keeps state."""

        class Stateful:
            def __call__(self, p):
                return p

            def for_worker(self):
                return Stateful()

        function = as_given(Stateful(), Parameters([1.0]))
        assert function.__name__ == "Stateful"
        assert function.for_worker().function is not function.function

    def test_what_follows_operations(self):
        """Lists and numbers hand on anything that acts like an array; a matrix takes arrays only."""

        class Like:
            def __iter__(self):
                return iter(["a", "b"])

        assert as_given(list, Parameters([1.0, 2.0]))(Like()) == ["a", "b"]
        with pytest.raises(TypeError, match="not an array: Like"):
            as_given(list, Parameters(matrix([1.0, 2.0])))(Like())


class TestBatches:
    @pytest.mark.parametrize("params", [[0.5, -1.0], (0.5, -1.0), array.array("d", [0.5, -1.0])], ids=repr)
    def test_a_batch_of_vectors_is_an_array(self, params):
        """A vectorized cost of a list of n numbers gets an array (k, n)."""
        shapes = []

        def cost(batch):
            shapes.append(batch.shape[1:])
            return (batch**2).sum(axis=1)

        report = fastgrad.check_gradient(cost, 2 * np.asarray(params), params, vectorized=True)
        assert (report.verdict, set(shapes)) == ("agree", {(2,)})

    def test_a_kind_of_which_there_is_no_batch(self):
        """With vectorized=True a matrix is refused, saying what to pass."""
        with pytest.raises(InputError, match=r"params is a matrix, and with vectorized=True .* np.asarray"):
            fastgrad.check_gradient(squares, np.ones((1, 2)), matrix([1.0, 2.0]), vectorized=True)


def test_is_compiled():
    """A function of Numba's is known by what it has; anything else is not one."""
    numba = pytest.importorskip("numba")
    assert not is_compiled(squares)
    if not numba.config.DISABLE_JIT:
        assert is_compiled(numba.njit(lambda x: x))


def test_kind_is_the_first_that_is_no_array():
    """The kind that messages name is the first one."""
    function = as_given(squares, Parameters({"W": X, "l": [1.0], "m": matrix([1.0])}))
    assert isinstance(function, AsGiven)
    assert function.kind == "a list of numbers"
