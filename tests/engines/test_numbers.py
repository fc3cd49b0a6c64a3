"""What a cost returned, as one number."""

from __future__ import annotations

import numpy as np
import pytest

import fastgrad
from fastgrad.engines.numbers import to_number


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
