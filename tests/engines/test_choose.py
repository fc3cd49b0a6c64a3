"""The engine that fits a cost."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from engine_cases import needs_jit
from problems import waves, waves_batch

import fastgrad
from fastgrad.differences.stencils import CENTRAL, CENTRAL6, COMPLEX
from fastgrad.engines.batched import BATCH_ROWS
from fastgrad.engines.choose import choose_engine
from fastgrad.problem.parameters import Parameters


@numba.njit
def jitted_of_tuple(p):
    """A cost of a tuple of numbers."""
    return p[0] ** 2 + 3 * p[1]


@numba.njit
def jitted_of_mixed(p):
    """A cost of an array and a number."""
    return np.sum(p[0] ** 2) * p[1]


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


@needs_jit
class TestNumbaCostsOfOtherKinds:
    def test_called_from_python(self):
        """A Numba cost of a tuple of numbers is called from Python, and a note says what would be faster."""
        report = fastgrad.check_gradient(jitted_of_tuple, lambda p: (2 * p[0], 3.0), (1.0, 2.0))
        assert (report.verdict, report.engine) == ("agree", "python")
        assert (
            "the Numba cost gets a tuple of numbers, which cannot be moved in compiled code"
            in report.notes[0]
        )

    def test_compiled_is_refused(self):
        """Asked for by name, the compiled engine says what it needs."""
        message = r'engine="compiled" moves arrays, and the cost gets a tuple of numbers: pass an array'
        with pytest.raises(fastgrad.InputError, match=message):
            fastgrad.check_gradient(jitted_of_tuple, (2.0, 3.0), (1.0, 2.0), engine="compiled")

    def test_numbers_beside_arrays_stay_compiled(self):
        """A float beside arrays is an array without axes there, which compiled code takes for a number."""
        params = (np.arange(3.0), 2.0)
        report = fastgrad.check_gradient(
            jitted_of_mixed, lambda p: (2 * p[0] * p[1], np.sum(p[0] ** 2)), params
        )
        assert (report.verdict, report.engine, report.notes) == ("agree", "compiled", ())
