"""Whether the complex step can be believed for a cost.

The cost must not cast to reals, must not take another branch, and must have the same derivatives as by
central differences. `coordinates.engines` asks this before anything else is measured.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

from fastgrad.arrays import IndexArray
from fastgrad.differences.bounds import by_four_points
from fastgrad.differences.plan import Plan, make_plan
from fastgrad.differences.stencils import CENTRAL4, COMPLEX_STEP
from fastgrad.engines.protocol import Engine
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

ROUNDING = 32.0
"""Roundings of the cost that a central difference beside the complex step is allowed, in units of eps |J|."""

WITNESSES = 4
"""Coordinates of each block at which the complex step must agree with central differences."""

COMPLEX_ULPS = 4
"""How far the real part may move under a complex step of 1e-30 (docs/numerics.md, Complex step)."""


def check_complex_step(engine: Engine, in_reals: Engine, plan: Plan) -> int:
    """Compare the complex step with central differences at a few coordinates of each block.

    np.abs and norms lose the imaginary part without a word, perhaps in one term of the cost only. Returns how
    many evaluations it made.

    Raises
    ------
    InputError
        Naming a coordinate where the two do not agree within a thousandth of the larger.
    """
    parameters = engine.parameters
    chosen = [
        plan.indices[where][:: max(1, _count(where, plan) // WITNESSES)][:WITNESSES]
        for _, where in parameters.segments(plan.indices)
    ]
    indices = np.concatenate(chosen)
    real_plan = make_plan(parameters, indices, CENTRAL4)
    values = in_reals.values(indices, real_plan.displacements)
    sigma = ROUNDING / 4 * coarsest_epsilon(parameters) * np.abs(values).max(axis=1)
    central, bound = by_four_points(values, real_plan.displacements, real_plan.steps, sigma, 4.0)
    steps = np.full((len(indices), 1), 1j * COMPLEX_STEP)
    by_complex = engine.values(indices, steps)[:, 0].imag / COMPLEX_STEP
    scale = np.maximum(np.abs(central), np.abs(by_complex))
    off = np.abs(central - by_complex) > 1e-3 * scale + bound
    if off.any():
        k = int(np.argmax(off))
        raise InputError(
            f"the complex step and central differences do not agree at {parameters.label(int(indices[k]))}: "
            f"{by_complex[k]:.6g} and {central[k]:.6g}. Something in the cost drops the imaginary part "
            '(np.abs, norms, comparisons); use method="central"'
        )
    return int(values.size + len(indices))


def _count(where: slice | IndexArray, plan: Plan) -> int:
    return len(plan.indices[where])


@contextlib.contextmanager
def casts_to_real_refused() -> Iterator[None]:
    """Refuse a cost that casts a complex number to a real one, or gives it to a function of Python's math."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            yield
        except np.exceptions.ComplexWarning as error:
            raise InputError(
                'method="complex" needs a cost that carries complex numbers through; this one casts '
                f'to real ({error}). Look for float() and astype(float), or use method="central"'
            ) from error
        except TypeError as error:
            error.add_note(
                'fastgrad: method="complex" calls the cost with complex parameters: use numpy\'s functions, '
                'not those of math, or use method="central"'
            )
            raise


def require_same_branch(engine: Engine, cost: float) -> None:
    """The real part must not move: comparisons of complex numbers can take another branch."""
    first = np.zeros(1, dtype=np.intp)
    value = engine.values(first, np.array([[1j * COMPLEX_STEP]]))[0, 0]
    if abs(value.real - cost) > COMPLEX_ULPS * np.spacing(abs(cost)):
        raise InputError(
            f"the cost is {cost!r} at the parameters and {float(value.real)!r} with a complex step of "
            f'{COMPLEX_STEP:g}: complex numbers take another branch in it; use method="central"'
        )


def coarsest_epsilon(parameters: Parameters) -> float:
    """Machine epsilon of the coarsest dtype: a cost of float32 parameters rounds in float32."""
    return max(float(np.finfo(leaf.dtype).eps) for leaf in parameters.leaves)
