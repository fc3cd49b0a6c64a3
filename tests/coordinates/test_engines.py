"""The engines of a check: chosen, vetted, and counted."""

from __future__ import annotations

import numpy as np
import pytest
from running import X, running, sines

from fastgrad.errors import InputError
from fastgrad.execution.checkpoint import Checkpoint
from fastgrad.execution.run import Run


def test_the_cost_at_the_parameters():
    """The cost at the parameters is known, and what it took to know it is counted."""
    coordinates = running()
    assert coordinates.engines.cost == sines(X) == coordinates.engines.f0
    assert coordinates.run.evaluations == 2


def test_one_evaluator_serves_both_in_reals():
    """Without the complex step the stencil's points are real ones."""
    engines = running().engines
    assert engines.by_stencil is engines.in_reals


def test_the_complex_step_has_two():
    """Under the complex step values are complex, and real points have an engine of their own."""
    engines = running(lambda x: np.sum(np.sin(x)), method="complex").engines
    assert engines.engine.dtype is np.complex128
    assert engines.in_reals.engine.dtype is np.float64


def test_the_cost_is_remembered(tmp_path):
    """A check that goes on takes the cost of its first run, of which all differences were taken."""
    for cost, known in ((1.0, 1.0), (1.0 + 1e-9, 1.0)):
        run = Run()
        run.checkpoint = Checkpoint(tmp_path / "run", {})
        with run:
            found = running(lambda x, c=cost: c + 0.0 * float(x[0]), 0 * X, run=run).engines.cost
            run.checkpoint.close()
        assert found == known


@pytest.mark.parametrize(
    ("options", "message"),
    [({"step": 1e-30}, "vanishes"), ({"backend": "nobody", "n_jobs": 2}, "unknown backend")],
)
def test_what_does_not_fit_is_refused_before_anything_is_evaluated(options, message):
    """A step or a backend that cannot be is refused before the cost is called."""
    called = []
    with pytest.raises(InputError, match=message):
        running(lambda x: called.append(x) or 0.0, **options)
    assert called == []
