"""Plans of whole structures, and random blocks to plan for."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from fastgrad.differences.plan import make_plan
from fastgrad.differences.stencils import CENTRAL, CENTRAL4, CENTRAL6, FORWARD
from fastgrad.problem.parameters import Parameters

REAL = [FORWARD, CENTRAL, CENTRAL4, CENTRAL6]
finite32 = st.floats(-(2.0**100), 2.0**100, width=32)
finite64 = st.floats(-1e200, 1e200)

blocks = st.one_of(
    st.lists(finite32, min_size=1, max_size=4).map(lambda v: np.array(v, dtype=np.float32)),
    st.lists(finite64, min_size=1, max_size=4).map(np.array),
)


def everything(parameters):
    """All flat indices."""
    return np.arange(parameters.size)


def plan_of(structure, stencil=CENTRAL, step=None):
    """The plan for all coordinates of a structure."""
    parameters = Parameters(structure)
    return make_plan(parameters, everything(parameters), stencil, step)
