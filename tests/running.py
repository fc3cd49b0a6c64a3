"""A check before its stages: specification, run, engines and coordinates of a small problem."""

from __future__ import annotations

import numpy as np

import fastgrad
from fastgrad.coordinates.engines import vetted_engines
from fastgrad.coordinates.measurement import Coordinates
from fastgrad.execution.run import Run
from fastgrad.preflight.gradient import claimed_gradient
from fastgrad.specification import Specification

X = np.array([0.5, -1.2, 2.0, 0.25, -0.75, 1.5, -2.25, 0.9])
"""Eight coordinates of ordinary size."""


def sines(x):
    """A smooth cost."""
    return float(np.sum(np.sin(x)))


def running(cost=sines, claim=None, params=X, *, run=None, **options):
    """The coordinates of a check that has not measured anything; a claim of the cosine by default.

    The cost is called, unless an engine is given: whether it is worth recording depends on the machine.
    """
    options.setdefault("engine", "python")
    spec = Specification.of(fastgrad.Problem(cost, None, params), options)
    run = run or Run.of(spec.options)
    claim = np.cos(X) if claim is None else claim
    claimed = claimed_gradient(claim, spec.parameters, ())
    engines = vetted_engines(spec, run, np.arange(spec.parameters.size))
    return Coordinates(spec, engines, run, claimed)
