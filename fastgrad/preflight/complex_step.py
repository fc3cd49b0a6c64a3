"""Whether the complex step gives the derivatives of a cost, for method="complex".

The cost must not cast complex numbers to real ones, must not take another branch for them, and must have the
same derivatives as by central differences. `check_cost` and `coordinates.engines` ask this before anything
else is measured. (docs/numerics.md, Complex step)
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator

import numpy as np

from fastgrad.differences.bounds import by_four_points
from fastgrad.differences.plan import Plan, make_plan
from fastgrad.differences.stencils import CENTRAL4, COMPLEX_STEP
from fastgrad.engines.protocol import Engine
from fastgrad.errors import InputError
from fastgrad.problem.parameters import Parameters

NOISE = 8.0
"""The noise that the cost is assumed to have beside the complex step, as a standard deviation in units of
eps |J|. It is put high, since the noise is not measured yet."""

QUANTILE = 4.0
"""Standard deviations of noise that the bound on the central differences covers."""

RELATIVE = 1e-3
"""The relative difference allowed beside that bound. A term that drops the imaginary part is found where it
makes up more than this share of a derivative."""

OF_EACH_BLOCK = 4
"""Coordinates of each block at which the complex step must agree with central differences."""

COMPLEX_ULPS = 4
"""How far the real part of the cost may move under a complex step of 1e-30, in ulp (docs/numerics.md,
Complex step)."""


EVALUATIONS = 5
"""Evaluations that compare the two at a coordinate."""


def check_complex_step(engine: Engine, in_reals: Engine, plan: Plan, of_each: int = OF_EACH_BLOCK) -> int:
    """Compare the complex step with central differences at a few coordinates of each block.

    np.abs and norms drop the imaginary part silently, perhaps in one term of the cost only.

    Parameters
    ----------
    engine : evaluates complex points
    in_reals : evaluates real points
    plan : of the coordinates to choose from
    of_each : at how many coordinates of each block

    Returns
    -------
    int
        The evaluations that it made.

    Raises
    ------
    InputError
        Naming the first coordinate at which the two differ by more than RELATIVE and the bound on the
        central difference.
    """
    parameters = engine.parameters
    indices = plan.indices[parameters.few_of_each_block(plan.indices, of_each)]
    real_plan = make_plan(parameters, indices, CENTRAL4)
    values = in_reals.values(indices, real_plan.displacements)
    sigma = NOISE * coarsest_epsilon(parameters) * np.abs(values).max(axis=1)
    steps, d = real_plan.steps, real_plan.displacements
    central, bound = by_four_points(values, d, values.mean(), steps, sigma, QUANTILE)
    offsets = np.full((len(indices), 1), 1j * COMPLEX_STEP)
    by_complex = engine.values(indices, offsets)[:, 0].imag / COMPLEX_STEP
    scale = np.maximum(np.abs(central), np.abs(by_complex))
    off = np.abs(central - by_complex) > RELATIVE * scale + bound
    if off.any():
        k = int(np.argmax(off))
        raise InputError(
            f"the complex step and central differences do not agree at {parameters.label(int(indices[k]))}: "
            f"{by_complex[k]:.6g} and {central[k]:.6g}. Something in the cost drops the imaginary part "
            '(np.abs, norms, comparisons); use method="central"',
            code="FG230",
        )
    return int(values.size + len(indices))


@contextlib.contextmanager
def casts_to_real_refused() -> Iterator[None]:
    """Refuse a cost that casts a complex number to a real one, or passes one to Python's math module."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        try:
            yield
        except np.exceptions.ComplexWarning as error:
            raise InputError(
                'method="complex" needs a cost that carries complex numbers through; this one casts '
                f'to real ({error}). Look for float() and astype(float), or use method="central"',
                code="FG230",
            ) from error
        except TypeError as error:
            error.add_note(
                'fastgrad: method="complex" calls the cost with complex parameters: use numpy\'s functions, '
                'not those of math, or use method="central"'
            )
            raise


def require_same_branch(engine: Engine, cost: float) -> None:
    """Refuse a cost whose real part moves under a complex step: a comparison in it took another branch.

    Parameters
    ----------
    engine : evaluates complex points
    cost : the real cost at the parameters
    """
    first = np.zeros(1, dtype=np.intp)
    value = engine.values(first, np.array([[1j * COMPLEX_STEP]]))[0, 0]
    if abs(value.real - cost) > COMPLEX_ULPS * np.spacing(abs(cost)):
        raise InputError(
            f"the cost is {cost!r} at the parameters and {float(value.real)!r} with a complex step of "
            f'{COMPLEX_STEP:g}: complex numbers take another branch in it; use method="central"',
            code="FG231",
        )


def coarsest_epsilon(parameters: Parameters) -> float:
    """Machine epsilon of the coarsest dtype among the blocks: float32 parameters make the cost float32."""
    return max(float(np.finfo(leaf.dtype).eps) for leaf in parameters.leaves)
