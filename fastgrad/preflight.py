"""The plain checks of the cost, before any derivative is taken: one number, the same twice, finite.

Those of the gradient function stand in claims.py.
"""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fastgrad.arguments import fingerprints
from fastgrad.bounds import by_four_points, coarsest_epsilon
from fastgrad.engines.base import Engine
from fastgrad.errors import InputError
from fastgrad.parameters import IndexArray
from fastgrad.stencils import CENTRAL4, COMPLEX_STEP
from fastgrad.steps import Plan, make_plan

ROUNDING = 32.0
"""Roundings of the cost that a central difference beside the complex step is allowed, in units of eps |J|."""

JITTER = 2.0**-20
"""Two answers at the same parameters that differ by less, relative to their size, differ by rounding: that is
noise, which is measured with all other noise. More is a random cost."""

REPEATS = 8
"""Calls from which the scatter of such a cost is told (numerics, section 2.1)."""

WITNESSES = 4
"""Coordinates of each block at which the complex step must agree with central differences."""

COMPLEX_ULPS = 4
"""How far the real part may move under a complex step of 1e-30 (numerics, section 1, trust test a)."""


@dataclass(frozen=True)
class Start:
    """The cost at the parameters, the seconds of one evaluation there, and how many it took to say so."""

    cost: float
    seconds: float
    evaluations: int
    notes: tuple[str, ...] = ()


def check_cost(engine: Engine) -> Start:
    """Evaluate the cost at the parameters twice, and see that it can be differenced.

    Raises
    ------
    InputError
        For a cost that does not return one finite number, changes its parameters, gives two answers, or
        under the complex step loses the imaginary part.
    """
    if engine.dtype is not np.complex128:
        return _same_twice(engine)
    with _casts_to_real_refused():
        start = _same_twice(engine)
        _require_same_branch(engine, start.cost)
    return replace(start, evaluations=start.evaluations + 1)


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
def args_unchanged(args: tuple[Any, ...], who: str) -> Iterator[None]:
    """Refuse a function that writes into the data it is given: the next call would see other data.

    Raises
    ------
    InputError
        Saying who did it. What was written cannot be undone here.
    """
    before = fingerprints(args)
    yield
    if fingerprints(args) != before:
        raise InputError(
            f"the {who} changes the arrays in args (as X -= X.mean() does): the data are no longer what you "
            "passed. Work on a copy inside it"
        )


def _same_twice(engine: Engine) -> Start:
    first = engine.baseline()
    began = time.perf_counter()
    second = engine.baseline()
    seconds = time.perf_counter() - began
    if not np.isfinite(first):
        raise InputError(
            f"the cost is {first} at the parameters themselves: it must be finite where its gradient "
            "is checked; move the parameters"
        )
    if first == second:
        return Start(first, seconds, 2 * engine.points_of_baseline)
    if not abs(first - second) <= JITTER * max(abs(first), abs(second)):
        raise InputError(
            f"the cost gave {first!r} and then {second!r} for the same parameters: differences of it "
            "mean nothing. Fix its random numbers (a seed, a dropout mask) and any state it keeps"
        )
    values = [first, second, *(engine.baseline() for _ in range(REPEATS - 2))]
    note = (
        f"the cost does not repeat itself to the last digit: {REPEATS} calls at the same parameters scatter "
        f"by {np.std(values, ddof=1):.2g} (threads that sum in another order?); that is part of its noise"
    )
    return Start(float(np.median(values)), seconds, REPEATS * engine.points_of_baseline, (note,))


@contextlib.contextmanager
def _casts_to_real_refused() -> Iterator[None]:
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


def _require_same_branch(engine: Engine, cost: float) -> None:
    """The real part must not move: comparisons of complex numbers can take another branch."""
    first = np.zeros(1, dtype=np.intp)
    value = engine.values(first, np.array([[1j * COMPLEX_STEP]]))[0, 0]
    if abs(value.real - cost) > COMPLEX_ULPS * np.spacing(abs(cost)):
        raise InputError(
            f"the cost is {cost!r} at the parameters and {float(value.real)!r} with a complex step of "
            f'{COMPLEX_STEP:g}: complex numbers take another branch in it; use method="central"'
        )
