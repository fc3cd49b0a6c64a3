"""The engine that fits a cost."""

from __future__ import annotations

import numpy as np
import pytest
from problems import waves, waves_batch

import fastgrad
from fastgrad.differences.stencils import CENTRAL, CENTRAL6, COMPLEX
from fastgrad.engines.batched import BATCH_ROWS
from fastgrad.engines.choose import choose_engine
from fastgrad.problem.parameters import Parameters


class TestChoose:
    @pytest.mark.parametrize(("vectorized", "name"), [(False, "python"), (True, "batched")])
    def test_auto(self, vectorized, name):
        """A plain callable runs from Python, a vectorized one in batches."""
        problem = fastgrad.Problem(waves, np.cos, np.ones(3))
        assert choose_engine(problem, Parameters(np.ones(3)), CENTRAL, vectorized=vectorized).name == name

    def test_points_of_the_stencil_reach_the_batch(self):
        """Batches hold whole coordinates of the stencil at work."""
        problem = fastgrad.Problem(waves_batch, np.cos, np.ones(3))
        engine = choose_engine(problem, Parameters(np.ones(3)), CENTRAL6, vectorized=True)
        assert engine.granularity == BATCH_ROWS // 6

    def test_complex_step_asks_for_complex_values(self):
        """The complex stencil gives a complex engine."""
        problem = fastgrad.Problem(waves, np.cos, np.ones(3))
        assert choose_engine(problem, Parameters(np.ones(3)), COMPLEX).dtype is np.complex128
