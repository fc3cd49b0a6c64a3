"""The stages that a coordinate is measured by, from cheap to careful. `escalation` decides who goes on.

screen    the stencil's values, with the noise and truncation error of the block
own       a truncation error of the coordinate's own: from four values at an eighth of the step where the
          claim looks wrong (three in four of the kinks within a step are then out of reach), from six values
          at a larger step where the derivative is lost in noise
finer     four values at a sixty-fourth of the step, where the claim still looks wrong
ladder    a ladder of steps, on which kinks, ends of the domain and jumps show
confirm   the ladder again at unrelated steps, for what is about to be called wrong

A stage takes positions in the `CoordinateTable`, evaluates, and hands its derivatives and bounds to the
table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastgrad.arrays import Evaluate, Floats, IndexArray, Values, root_mean_square
from fastgrad.coordinates.calibration import Calibration
from fastgrad.coordinates.ladder_scales import Climb
from fastgrad.coordinates.table import CONFIRMED, FINER, LADDERED, OWN, CoordinateTable
from fastgrad.differences.bounds import (
    by_complex_step,
    by_four_points,
    by_six_points,
    screened,
    unknown_where_not_finite,
)
from fastgrad.differences.kinks import has_kink_at_four_points
from fastgrad.differences.ladder import LEVELS, UNRELATED
from fastgrad.differences.noise import fourth_difference_noise
from fastgrad.differences.plan import Plan
from fastgrad.differences.rulings import NoiseModel
from fastgrad.differences.stencils import FOUR_POINTS, SIX_POINTS
from fastgrad.differences.step_selection import step_cap
from fastgrad.differences.steps import raised, representable
from fastgrad.index_sets import as_run, spread_over
from fastgrad.problem.parameters import Parameters
from fastgrad.verdict.rule import PIECE

AS_IT_IS, DOWN, FURTHER_DOWN = 1.0, 2.0**-3, 2.0**-6
"""Steps of four values in units of the block's. A relu network of 64 samples took 4.8 evaluations a
coordinate, calibration included, with four values AS_IT_IS before the ladder; 3.2 with DOWN and
FURTHER_DOWN."""

UP, FURTHER_UP = 2.0**2, 2.0**4
"""Steps of six values in units of the block's, where truncation or noise is the wider; cut at its cap."""

REMEASURED = 64
"""Coordinates at which the steepest secant is measured again where no derivative stands out from zero: enough
to meet a typical one, and few beside the two evaluations of every coordinate."""


@dataclass(frozen=True, eq=False)
class Setting:
    """What all stages share: how the moved coordinates are evaluated, and what was calibrated."""

    evaluate: Evaluate
    """In reals; values are counted from the engine's origin."""
    parameters: Parameters
    """Of what is moved."""
    calibration: Calibration
    f0: float
    """The cost at the parameters, counted as values are."""
    z: float
    """The quantile of all bounds."""
    room: Callable[[int], float]
    """For how many coordinates there is budget, at so many evaluations for each."""

    def steps(self, indices: IndexArray, factor: Floats) -> Floats:
        """The steps (m,) of some coordinates, as multiples of their blocks' steps."""
        steps = self.calibration.step[self.parameters.block_numbers(indices)] * factor
        for number, where in self.parameters.segments(indices):
            x = self.parameters.leaves[number][as_run(indices[where] - self.parameters.blocks[number].start)]
            steps[where] = raised(steps[where], x)
        return steps

    def displacements(self, indices: IndexArray, offsets: Floats) -> Floats:
        """The displacements (m, S) that floating point makes of offsets (m, S)."""
        d = np.empty(offsets.shape)
        for number, where in self.parameters.segments(indices):
            block, leaf = self.parameters.blocks[number], self.parameters.leaves[number]
            d[where] = representable(leaf[as_run(indices[where] - block.start)], offsets[where])
        return d

    def noise_at(self, indices: IndexArray, steps: Floats) -> Floats:
        """The standard deviation (m,) of a value one step away from the parameters."""
        return self.calibration.noise_at(self.parameters.block_numbers(indices), steps)


@dataclass(frozen=True)
class Stage:
    """One stage after the screen: what it does, and what it asks for."""

    level: int
    evaluations: int
    """Of one coordinate, where nothing is tried on other scales."""
    measure: Callable[[Setting, CoordinateTable, IndexArray], None]
    only_wrong: bool
    """Whether it is for coordinates that look wrong, and not for undecided ones."""


def screen(setting: Setting, plan: Plan, values: Values) -> CoordinateTable:
    """The first estimates, from the values (m, S) of the whole plan."""
    numbers = setting.parameters.block_numbers(plan.indices)
    if plan.stencil.is_complex:
        return _screen_complex(setting, plan, values, numbers)
    numeric, bound, steepest = np.empty(len(values)), np.empty(len(values)), 0.0
    for k in range(0, len(values), PIECE):
        piece = slice(k, k + PIECE)
        d, steps = plan.displacements[piece], plan.steps[piece]
        sigma = setting.calibration.noise_at(numbers[piece], steps)
        truncation = setting.calibration.truncation[numbers[piece]]
        found = screened(plan.stencil, values[piece], d, setting.f0, steps, sigma, truncation, setting.z)
        numeric[piece], bound[piece] = found
        steepest = max(steepest, _steepest(values[piece] - setting.f0, d))
    return CoordinateTable.screened(plan, numeric, bound, steepest)


def _screen_complex(setting: Setting, plan: Plan, values: Values, numbers: IndexArray) -> CoordinateTable:
    d = plan.stencil.derivative(values, plan.displacements, setting.f0)
    rms = np.zeros(len(setting.parameters.blocks))
    for number, where in setting.parameters.segments(plan.indices):
        rms[number] = root_mean_square(d[where][np.isfinite(d[where])])
    numeric, bound = unknown_where_not_finite(d, by_complex_step(d, rms[numbers]))
    return CoordinateTable.screened(plan, numeric, bound, float(np.abs(numeric).max(initial=0.0)))


def remeasure_steepest(setting: Setting, table: CoordinateTable) -> None:
    """If no derivative stands out from zero, measure the steepest secant again at an eighth of the step.

    The verdict lends the steepest secant to such a gradient as its scale. Secants must then not come from
    steps over which the cost explodes: at a minimum they shrink with the step, and the factor 8 makes up for
    that.
    """
    if (np.abs(table.numeric) > table.error_bound).any() or not table.steepest:
        return
    at = spread_over(len(table.numeric), REMEASURED)
    indices, steps = table.plan.indices[at], table.plan.steps[at] / 8
    d = setting.displacements(indices, steps[:, None] * np.array([-1.0, 1.0]))
    table.lower_steepest(8 * _steepest(setting.evaluate(indices, d) - setting.f0, d))


def _measure_all(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Four values at the block's own step. Their fourth differences show the noise once more."""
    _four_points(setting, table, at, np.full(len(at), AS_IT_IS), OWN, watch=True)


def _own(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Four values at a smaller step than the screen's, or six values at a larger one."""
    numbers, steps = setting.parameters.block_numbers(table.plan.indices[at]), table.plan.steps[at]
    noise = setting.z * setting.calibration.noise_at(numbers, steps) / steps
    factor = np.where(setting.calibration.truncation[numbers] >= noise, UP, FURTHER_UP)
    down = table.suspect[at] | ~np.isfinite(table.error_bound[at])
    _four_points(setting, table, at[down], np.full(int(down.sum()), DOWN), OWN)
    _six_points(setting, table, at[~down], factor[~down])


def _finer(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """Four values closer still; at a step that shares no rounding where these are the last word."""
    factor = np.where(table.vouched[at], UNRELATED * FURTHER_DOWN, FURTHER_DOWN)
    _four_points(setting, table, at, factor, FINER)


def _four_points(
    setting: Setting, table: CoordinateTable, at: IndexArray, factor: Floats, level: int, watch: bool = False
) -> None:
    indices = table.plan.indices[at]
    steps = setting.steps(indices, factor)
    d = setting.displacements(indices, steps[:, None] * FOUR_POINTS)
    sigma = setting.noise_at(indices, steps)
    values = setting.evaluate(indices, d)
    if watch:
        for _, where in setting.parameters.segments(indices):
            seen = fourth_difference_noise(values[where], setting.f0)
            sigma[where] = np.fmax(sigma[where], seen)  # NaN where there are too few
    numeric, bound = by_four_points(values, d, steps, sigma, setting.z)
    before, room = table.numeric[at], table.error_bound[at]
    kinked = has_kink_at_four_points(values - setting.f0, sigma, setting.z)
    with np.errstate(invalid="ignore"):
        apart = ~(np.abs(numeric - before) <= bound + room) if level == FINER else np.zeros(len(at), bool)
    table.special[at] |= kinked | apart
    table.accept(at, numeric, bound, level)


def _six_points(setting: Setting, table: CoordinateTable, at: IndexArray, factor: Floats) -> None:
    indices = table.plan.indices[at]
    if not len(indices):
        return
    numbers = setting.parameters.block_numbers(indices)
    caps = np.array([step_cap(typical) for typical in setting.parameters.typical_sizes])
    least = setting.steps(indices, np.full(len(at), AS_IT_IS))
    steps = np.maximum(np.minimum(setting.steps(indices, factor), caps[numbers]), least)
    d = setting.displacements(indices, steps[:, None] * SIX_POINTS)
    sigma = setting.noise_at(indices, steps)
    numeric, bound = by_six_points(setting.evaluate(indices, d), d, steps, sigma, setting.z)
    better = bound < table.error_bound[at]
    table.level[at] = OWN
    table.accept(at[better], numeric[better], bound[better], OWN)


def _ladder(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """The step ladder of each coordinate."""
    for climb, some in _climbs(setting, table, at):
        found, scale = climb.up()
        table.scale[some] = scale / climb.typical
        table.accept_rulings(some, found, LADDERED)


def _confirm(setting: Setting, table: CoordinateTable, at: IndexArray) -> None:
    """The ladder again at steps that share no rounding with those before."""
    first = at[table.level[at] < LADDERED]  # another sample than the one that was measured by a ladder before
    if len(first):
        _ladder(setting, table, first)
    for climb, some in _climbs(setting, table, at):
        table.accept_rulings(some, climb.confirmed(table.rulings_on(some)), CONFIRMED)


def _climbs(setting: Setting, table: CoordinateTable, at: IndexArray) -> list[tuple[Climb, IndexArray]]:
    """The coordinates of each block before their ladders, and their positions."""
    found = []
    for number, where in setting.parameters.segments(table.plan.indices[at]):
        some = at[where]
        indices, block = table.plan.indices[some], setting.parameters.blocks[number]
        numbers = np.full(len(indices), number)
        calibration = setting.calibration
        noise = NoiseModel(calibration.constant[numbers], calibration.proportional[numbers])
        typical = setting.parameters.typical_size(number)
        x = setting.parameters.leaves[number][indices - block.start]
        scale = table.scale[some] * typical
        climb = Climb(setting.evaluate, x, indices, setting.f0, typical, scale, noise, setting.z)
        found.append((climb, some))
    return found


THOROUGH = Stage(OWN, 6, _measure_all, only_wrong=False)
"""The stage of every coordinate where there is no claim: each derivative is to have a bound of its own."""

STAGES = (
    Stage(OWN, 6, _own, only_wrong=False),
    Stage(FINER, 4, _finer, only_wrong=True),
    Stage(LADDERED, 2 * LEVELS, _ladder, only_wrong=False),
    Stage(CONFIRMED, 2 * LEVELS, _confirm, only_wrong=True),
)
"""All stages after the screen, in order."""


def _steepest(changes: Values, displacements: Values) -> float:
    """The largest finite secant."""
    with np.errstate(all="ignore"):
        secants = np.abs(changes / displacements)
    largest = float(secants.max(initial=0.0))
    return largest if np.isfinite(largest) else float(secants[np.isfinite(secants)].max(initial=0.0))
