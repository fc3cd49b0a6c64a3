"""Cases and helpers that several tests share."""

from __future__ import annotations

import numpy as np

from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import (
    CENTRAL,
)
from fastgrad.problem.parameters import Parameters


def everything(parameters):
    """All flat indices."""
    return np.arange(parameters.size)


def plan_of(structure, stencil=CENTRAL, step=None):
    """The plan for all coordinates of a structure."""
    parameters = Parameters(structure)
    return make_plan(parameters, everything(parameters), stencil, step)
