"""The step of each block, and the displacements that floating point really makes of it.

Notation: p = order of the stencil, eps = machine epsilon of the block's dtype, typ_b = typical size of
block b, h = step, d = (x + o h) - x the actual displacement of the point at offset o.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.errors import InputError
from fastgrad.ordered import as_run
from fastgrad.parameters import Block, IndexArray, Parameters, typical_size
from fastgrad.stencils import CENTRAL, COMPLEX_STEP, Stencil

ULPS_OF_A_RAISED_STEP = 16
"""A step under 8 ulp of its coordinate is raised to 16 ulp (numerics, section 1): fewer, and the
displacement is a crude multiple of the rounding of x."""

StepOption = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Plan:
    """Which coordinates are perturbed, and by how much: m coordinates, s evaluations of each."""

    stencil: Stencil
    indices: IndexArray  # (m,) flat indices, increasing
    steps: npt.NDArray[np.float64]  # (m,) nominal steps h
    displacements: npt.NDArray[Any]  # (m, s) representable in the block's dtype; complex for that step

    @property
    def evaluations(self) -> int:
        """How many evaluations of the cost the plan takes."""
        return int(self.displacements.size)

    def of(self, positions: IndexArray) -> Plan:
        """The plan for some of the coordinates."""
        at = positions
        return Plan(self.stencil, self.indices[at], self.steps[at], self.displacements[at])


def make_plan(
    parameters: Parameters,
    indices: IndexArray,
    stencil: Stencil,
    step: StepOption = None,
    measured: npt.NDArray[np.float64] | None = None,
) -> Plan:
    """The plan for some coordinates: a step for each block, made representable coordinate by coordinate.

    Parameters
    ----------
    parameters : Parameters
    indices : (m,) increasing flat indices
    stencil : Stencil
    step : None for the default step of each block, one float for all, or floats by block name
    measured : (blocks,) the steps that take the place of the default ones

    Raises
    ------
    InputError
        For a step that is not a positive finite number, an unknown block name, or a step that vanishes
        against its coordinate.

    Examples
    --------
    >>> from fastgrad.stencils import CENTRAL
    >>> plan = make_plan(Parameters(np.ones(2)), np.arange(2), CENTRAL)
    >>> float(plan.steps[0]) == 2.0**-17, plan.evaluations
    (True, 4)
    """
    chosen = given_steps(step, parameters)
    steps = np.empty(len(indices))
    nominal = np.empty((len(indices), len(stencil.evaluated)), dtype=stencil_dtype(stencil))
    for number, where in parameters.segments(indices):
        block, leaf = parameters.blocks[number], parameters.leaves[number]
        x = leaf[as_run(indices[where] - block.start)]
        given = chosen.get(block.name)
        if stencil.is_complex:
            h = np.full(len(x), COMPLEX_STEP if given is None else given)
            steps[where], nominal[where] = h, stencil.steps_to_offsets(h)
            continue
        default = (
            default_step(leaf, stencil, parameters.typical_size(number))
            if measured is None
            else float(measured[number])
        )
        h = raised(np.full(len(x), default), x) if given is None else np.full(len(x), given)
        d = representable(x, stencil.steps_to_offsets(h))
        _refuse_vanishing(d, h, x, block, indices[where])
        steps[where], nominal[where] = h, d
    return Plan(stencil, indices, steps, nominal)


def stencil_dtype(stencil: Stencil) -> type[np.float64] | type[np.complex128]:
    """The dtype of displacements and values under a stencil."""
    return np.complex128 if stencil.is_complex else np.float64


def default_step(leaf: npt.NDArray[Any], stencil: Stencil, typical: float | None = None) -> float:
    """The default step of a block, h = eps^(1/(p+1)) typ_b, rounded to a power of two.

    A power of two makes x + h exact nearly everywhere. It is the step at which truncation O(h^p) and
    rounding O(eps/h) of a cost of scale 1 are of one size (numerics, section 1; eps^(1/3) for central
    differences).
    """
    eps = float(np.finfo(leaf.dtype).eps)
    typical = typical_size(leaf) if typical is None else typical
    return float(2.0 ** np.round(np.log2(eps ** (1 / (stencil.order + 1)) * typical)))


def default_steps(parameters: Parameters) -> npt.NDArray[np.float64]:
    """The default step of each block for central differences."""
    pairs = zip(parameters.leaves, parameters.typical_sizes, strict=True)
    return np.array([default_step(leaf, CENTRAL, float(typical)) for leaf, typical in pairs])


def is_finite_number(value: Any) -> bool:
    """Whether an option's value is one finite real number, of Python's or NumPy's kind."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a Python int beyond any float
        return False


def raised(h: npt.NDArray[np.float64], x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Steps (m,), raised to 16 ulp where they are under 8 ulp of their coordinate."""
    ulp = np.spacing(np.abs(x)).astype(np.float64, copy=False)
    small = ulp > h / 8
    return np.where(small, ULPS_OF_A_RAISED_STEP * ulp, h) if small.any() else h


def representable(x: npt.NDArray[Any], offsets: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The displacements that floating point makes of offsets (m, S) from x (m,), in x's dtype."""
    before = x.astype(np.float64, copy=False)
    found = np.empty(offsets.shape)
    for k in range(offsets.shape[1]):  # along short rows NumPy takes ten times as long
        moved = (before + offsets[:, k]).astype(x.dtype, copy=False)
        np.subtract(moved, before, out=found[:, k], dtype=np.float64)
    return found


def _refuse_vanishing(
    d: npt.NDArray[np.float64],
    h: npt.NDArray[np.float64],
    x: npt.NDArray[Any],
    block: Block,
    indices: IndexArray,
) -> None:
    if not d.all():  # along short rows any(axis=1) takes ten times as long
        k = int(np.argmax((d == 0).any(axis=1)))
        raise InputError(
            f"the step {h[k]:.3g} vanishes against {block.label(int(indices[k]))} = {x[k]:.6g}: "
            f"{block.dtype} numbers there are {np.spacing(np.abs(x[k])):.2g} apart; "
            "leave step=None, or give a larger one"
        )


def given_steps(step: StepOption, parameters: Parameters) -> dict[str, float]:
    """The steps that the user fixed, by block name.

    Raises
    ------
    InputError
        For a step that is not a positive finite number, or an unknown block name.
    """
    if step is None:
        return {}
    names = [b.name for b in parameters.blocks]
    steps = dict(step) if isinstance(step, Mapping) else dict.fromkeys(names, step)
    unknown = [name for name in steps if name not in names]
    if unknown:
        raise InputError(f"step= names unknown blocks {unknown}: the blocks are {', '.join(names)}")
    for name, h in steps.items():
        if not is_finite_number(h) or h <= 0:
            raise InputError(f"the step of {name} must be a positive finite number; got {h!r}")
    return {name: float(h) for name, h in steps.items()}
