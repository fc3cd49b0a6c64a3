"""The plan: which coordinates are perturbed, by what steps, and so at which points the cost is evaluated.

`make_plan` takes (m,) flat indices and gives (m,) steps and (m, S) displacements for a stencil of S points.
The engines evaluate a plan, and the difference formulas divide by its displacements.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastgrad.arrays import IndexArray, is_finite_number
from fastgrad.differences.stencils import COMPLEX_STEP, Stencil, stencil_dtype
from fastgrad.differences.steps import default_step, raised, representable
from fastgrad.errors import InputError
from fastgrad.index_sets import as_run
from fastgrad.printable import shortened, shown_name
from fastgrad.problem.block import Block
from fastgrad.problem.describe import joined_names, repr_of
from fastgrad.problem.parameters import Parameters

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
    """The plan for some coordinates: a step for each, made representable.

    Parameters
    ----------
    parameters : Parameters
    indices : (m,) increasing flat indices
    stencil : Stencil
    step : None for the default step of each block, one float for all, or floats by block name
    measured : (m,) steps that take the place of the default ones

    Raises
    ------
    InputError
        For a step that is not a positive finite number, an unknown block name, or a step that vanishes
        against its coordinate.

    Examples
    --------
    >>> from fastgrad.differences.stencils import CENTRAL
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
        if given is not None:
            h = np.full(len(x), given)
        elif measured is not None:
            h = raised(measured[where], x)
        else:
            h = raised(np.full(len(x), default_step(leaf, stencil, parameters.typical_size(number))), x)
        d = representable(x, stencil.steps_to_offsets(h))
        _refuse_vanishing(d, h, x, block, indices[where])
        steps[where], nominal[where] = h, d
    return Plan(stencil, indices, steps, nominal)


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
            "leave step=None, or give a larger one",
            code="FG414",
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
        blocks = joined_names([b.shown for b in parameters.blocks])
        said = joined_names([shown_name(str(name)) for name in unknown])
        raise InputError(f"step= names unknown blocks {said}: the blocks are {blocks}", code="FG415")
    for name, h in steps.items():
        if not is_finite_number(h) or h <= 0:
            got = shortened(repr_of(h))
            raise InputError(
                f"the step of {shown_name(name)} must be a positive finite number; got {got}", code="FG415"
            )
    return {name: float(h) for name, h in steps.items()}
