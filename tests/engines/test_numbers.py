"""What a cost returned is one number, or it is refused."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import epsilon_of, to_number


class TestToNumber:
    @pytest.mark.parametrize("value", [1.5, np.float64(1.5), np.float32(1.5), np.array(1.5), 2, np.int64(2)])
    def test_one_number(self, value):
        """Python and NumPy scalars and 0-d arrays are numbers."""
        assert to_number(value) == float(value)
        assert type(to_number(value)) is float

    @pytest.mark.parametrize("value", [True, [1.0], (1.0,), b"1", {"a": 1}, object()])
    def test_anything_else_is_refused(self, value):
        """What is not one number is refused."""
        with pytest.raises(fastgrad.InputError, match="the cost must return one number; got "):
            to_number(value)


class TestEpsilon:
    @pytest.mark.parametrize(
        ("value", "epsilon"),
        [(1.0, 2.0**-52), (np.float32(1), 2.0**-23), (np.array(1.0), 2.0**-52), (3, 2.0**-52)],
    )
    def test_of_the_value(self, value, epsilon):
        """The machine epsilon is that of the dtype that the cost returned, float64's for a Python number."""
        assert epsilon_of(value) == epsilon


class TestComplex:
    def test_a_cost_that_stays_complex(self):
        """Under the complex step a complex number is taken, and a real one means a lost imaginary part."""
        assert to_number(np.complex128(1 + 2j), np.complex128) == 1 + 2j
        with pytest.raises(fastgrad.InputError, match="It drops the imaginary part on the way"):
            to_number(1.0, np.complex128)
