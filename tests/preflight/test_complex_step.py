"""Whether the complex step can be believed."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.preflight.complex_step import coarsest_epsilon
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
