"""Whether a cost can be asked along the imaginary axis."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import COMPLEX
from fastgrad.engines.python import PythonEngine
from fastgrad.errors import InputError
from fastgrad.preflight.complex_step import (
    casts_to_real_refused,
    check_complex_step,
    coarsest_epsilon,
    require_same_branch,
)
from fastgrad.problem.parameters import Parameters


class TestCoarsestEpsilon:
    @pytest.mark.parametrize(
        ("structure", "dtype"),
        [
            (np.ones(1), np.float64),
            ({"a": np.ones(1), "b": np.ones(1, np.float32)}, np.float32),
            ([np.ones(1, np.float32)], np.float32),
            (1.0, np.float64),
        ],
    )
    def test_is_the_largest(self, structure, dtype):
        """One float32 block is enough to make the machine epsilon that of float32."""
        assert coarsest_epsilon(Parameters(structure)) == np.finfo(dtype).eps


X = np.array([0.5, -1.0, 2.0, 0.25])


def engines(cost, x=X):
    """A cost evaluated at complex points and at real ones, and the plan of the complex step."""
    parameters = Parameters(x)
    plan = make_plan(parameters, np.arange(parameters.size), COMPLEX)
    return PythonEngine(cost, parameters, (), np.complex128), PythonEngine(cost, parameters), plan


class TestCheckComplexStep:
    def test_agrees(self):
        """A cost that carries complex numbers through agrees, for five evaluations a coordinate."""
        assert check_complex_step(*engines(lambda x: np.sum(np.sin(x)))) == 5 * len(X)

    def test_only_a_few_of_each_block(self):
        """Four coordinates of each block are asked, however many there are."""
        x = {"a": np.ones(100), "b": np.ones(3)}
        parts = engines(lambda p: np.sum(p["a"] ** 2) + np.sum(p["b"]), x)

        assert check_complex_step(*parts) == 5 * (4 + 3)

    def test_disagrees(self):
        """A cost that loses the imaginary part is refused with the coordinate and both derivatives."""
        with pytest.raises(InputError, match=r"do not agree at params\[0\]: 0 and 1\. Something"):
            check_complex_step(*engines(lambda x: np.sum(np.abs(x) + 0 * x)))


class TestCasts:
    def test_to_real(self):
        """A cast to a real number is refused, and so is a function of Python's math, by a note."""
        with pytest.raises(InputError, match="this one casts to real"), casts_to_real_refused():
            np.array([1 + 1j]).astype(float)
        with pytest.raises(TypeError) as caught, casts_to_real_refused():
            math.sin(1 + 1j)
        assert "not those of math" in caught.value.__notes__[0]

    def test_nothing_to_refuse(self):
        """Other code goes through, and other errors stay what they are."""
        with pytest.raises(ZeroDivisionError), casts_to_real_refused():
            1 / 0  # noqa: B018


class TestSameBranch:
    def test_real_part_moves(self):
        """A cost whose real part moves under the complex step takes another branch, and is refused."""
        by_sign = engines(lambda x: np.sum(x) + (1.0 if x[0].imag else 0.0))[0]

        with pytest.raises(InputError, match=r"the cost is 1\.75 at the parameters and 2\.75 with a complex"):
            require_same_branch(by_sign, float(X.sum()))

    def test_same(self):
        """A cost on one branch is not."""
        require_same_branch(engines(lambda x: np.sum(x))[0], float(X.sum()))
