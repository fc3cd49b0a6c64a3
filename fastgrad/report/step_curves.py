"""The error of differences against their step, at the coordinates that a report lists first.

`Report.step_curves` evaluates the cost anew, by the engine of the check, when it is asked. Slopes are those
of central differences, whatever the stencil of the check: (s,) steps in, (s,) slopes and errors out.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Floats, IndexArray
from fastgrad.differences.stencils import CENTRAL
from fastgrad.differences.step_curve import MOST_STEPS, curve_steps, noise_branch, truncation_branch
from fastgrad.differences.steps import representable
from fastgrad.execution.progress import in_words
from fastgrad.report.revisit import GONE, CannotRevisitError, Ended, Moved, Revisit

SECONDS = 0.5
"""What all curves together may take."""

EVALUATIONS = 2 * MOST_STEPS
"""Of a curve at most."""

WORST = 4
"""Curves that are made where nobody says how many."""

LOOKED_AT = 4096
"""Agreeing coordinates among which blocks take turns: those that were seen least well."""

TOO_SLOW = (
    "an evaluation of the cost takes {each}, so that a curve of {count} would take {all}: more than the "
    "{most} that curves may take"
)

FEWER = "{made} of {wanted} curves were made: these took {taken}, and all may take {most}"


@dataclass(frozen=True, eq=False)
class StepCurve:
    """Central differences of one coordinate at s steps, and how far each is from what the check found."""

    label: str
    """The coordinate as a report prints it."""
    flat_index: int
    claimed: float
    numeric: float
    error_bound: float
    allowed: float
    """By how much claim and estimate may differ."""
    taken: float
    """The step that the estimate comes from; NaN where it is not known, as of the complex step."""
    steps: Floats
    """(s,) increasing, `taken` among them."""
    slopes: Floats
    """(s,) the central difference at each step; NaN outside the domain of the cost."""
    errors: Floats
    """(s,) |slope - numeric|."""
    noise_branch: Floats
    """(s,) the error that the measured noise of the cost gives each, one standard deviation; NaN where it is
    not known."""
    truncation_branch: Floats
    """(s,) c h^2, with c from the curve itself; NaN where the slopes show none, as those of a parabola."""


@dataclass(frozen=True)
class StepCurves:
    """The curves, and why there are not as many as were asked for."""

    curves: tuple[StepCurve, ...] = ()
    sentence: str = ""
    """Empty where there are."""


def step_curves(revisit: Revisit | None, most: int = WORST, among: slice = slice(None)) -> StepCurves:
    """The curves of the worst coordinates of a check.

    Parameters
    ----------
    revisit : what can still be asked of the check; None for nothing
    most : how many at most
    among : positions among the checked coordinates
    """
    if revisit is None:
        return StepCurves(sentence=GONE)
    try:
        ended = revisit.ended
        worst = worst_positions(ended, most, among)
        _require_fast(ended.seconds_each, ended.seconds)
        with revisit.moved() as moved:
            return _curves(moved, worst)
    except CannotRevisitError as error:
        return StepCurves(sentence=str(error))


def worst_positions(ended: Ended, most: int, among: slice = slice(None)) -> IndexArray:
    """The positions of coordinates among the checked ones: wrong, undecided, then those seen least well.

    Of those that agree the blocks take turns.
    """
    comparison, rho = ended.comparison, ended.arrays.resolution
    asked = np.zeros(len(comparison.wrong), dtype=bool)
    asked[among] = True
    wrong, undecided = np.flatnonzero(comparison.wrong & asked), np.flatnonzero(comparison.undecided & asked)
    wrong = wrong[np.argsort(-comparison.severity[wrong], kind="stable")]
    found = np.concatenate([wrong, undecided])[:most]
    rest = np.flatnonzero(asked & ~comparison.wrong & ~comparison.undecided)
    if len(found) == most or not len(rest):
        return found
    unseen = np.where(np.isfinite(rho[rest]), -rho[rest], np.inf)
    if len(rest) > LOOKED_AT:
        some = np.sort(np.argpartition(unseen, LOOKED_AT)[:LOOKED_AT])
        rest, unseen = rest[some], unseen[some]
    rest = rest[np.argsort(unseen, kind="stable")]
    numbers = ended.spec.parameters.block_numbers(ended.arrays.indices[rest])
    first = np.sort(np.unique(numbers, return_index=True)[1])
    others = np.delete(np.arange(len(rest)), first)
    return np.concatenate([found, rest[np.concatenate([first, others])]])[:most]


def _require_fast(each: float, beside: float = 0.0) -> None:
    """Refuse a cost of which there is no time for one curve, and for what is evaluated beside it."""
    seconds = EVALUATIONS * each + beside
    if seconds > SECONDS:
        said = {"each": max(each, beside), "all": seconds, "most": SECONDS}
        words = {name: in_words(s) for name, s in said.items()}
        raise CannotRevisitError(TOO_SLOW.format(count=EVALUATIONS, **words))


def _curves(moved: Moved, worst: IndexArray) -> StepCurves:
    """The curves of coordinates at some positions, as many as there is time for."""
    _require_fast(moved.seconds_each)
    began, made = time.perf_counter(), []
    each = EVALUATIONS * moved.seconds_each
    for position in worst.tolist():
        if time.perf_counter() - began + each > SECONDS:
            break
        made.append(_curve(moved, position))
    said = ""
    if len(made) < len(worst):
        taken = in_words(time.perf_counter() - began)
        said = FEWER.format(made=len(made), wanted=len(worst), taken=taken, most=in_words(SECONDS))
    return StepCurves(tuple(made), said)


def _curve(moved: Moved, position: int) -> StepCurve:
    """The curve of the coordinate at a position among the checked ones."""
    ended, arrays = moved.ended, moved.ended.arrays
    index = int(arrays.indices[position])
    block = moved.parameters.block_of(index)
    taken = np.nan if ended.steps is None else float(ended.steps[position])
    steps, slopes = _slopes(moved, index, taken)
    noise = noise_branch(steps, *ended.noise_parts.get(block.name, (np.nan, np.nan)))
    numeric = float(arrays.numeric[position])
    return StepCurve(
        label=block.label(index),
        flat_index=index,
        claimed=float(arrays.claimed[position]),
        numeric=numeric,
        error_bound=float(arrays.error_bound[position]),
        allowed=float(arrays.allowed[position]),
        taken=taken,
        steps=steps,
        slopes=slopes,
        errors=np.abs(slopes - numeric),
        noise_branch=noise,
        truncation_branch=truncation_branch(steps, slopes, noise),
    )


def _slopes(moved: Moved, index: int, taken: float) -> tuple[Floats, Floats]:
    """Steps of one coordinate that rounding does not take away, and the central difference at each."""
    parameters = moved.parameters
    number = int(parameters.block_numbers(np.array([index]))[0])
    leaf = parameters.leaves[number]
    x = leaf[[index - parameters.blocks[number].start]]
    size = float(abs(x[0])) or float(parameters.typical_sizes[number])
    steps = curve_steps(float(x[0]), size, float(np.finfo(leaf.dtype).eps), taken)
    d = representable(x, np.column_stack([-steps, steps]).reshape(1, -1)).reshape(-1, 2)
    there = d.all(axis=1)
    steps, d = steps[there], d[there]
    slopes = CENTRAL.derivative(moved.values(index, d), d, 0.0)
    return steps, np.where(np.isfinite(slopes), slopes, np.nan)
