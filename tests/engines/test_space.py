"""What is moved, and how the user's derivatives follow."""

from __future__ import annotations

import numpy as np
import pytest

from fastgrad.engines.space import ParameterSpace, carried
from fastgrad.problem.parameters import Parameters


class TestCarried:
    def test_rms_is_by_block_and_of_what_is_known(self):
        """Each block has the rms of its own finite estimates; a block without any has 0."""
        parameters = Parameters({"a": np.ones(2), "b": np.ones(3), "c": np.ones(2)})
        indices = np.array([0, 1, 5, 6])
        numeric, bound = np.array([3.0, 4.0, 5.0, np.nan]), np.array([0.0, 0.0, 0.0, np.inf])
        *_, rms = carried(numeric, bound, indices, ParameterSpace(parameters), parameters, indices)
        assert rms.tolist() == [pytest.approx(12.5**0.5), 0.0, 5.0]

    def test_rms_of_squares_that_vanish(self):
        """A derivative of 1e-200, whose square vanishes, still counts in its block's rms."""
        parameters, indices = Parameters(np.ones(2)), np.arange(2)
        d = np.array([1e-200, 2e-200])
        *_, rms = carried(d, 0 * d, indices, ParameterSpace(parameters), parameters, indices)
        assert rms[0] == pytest.approx(2.5**0.5 * 1e-200)
